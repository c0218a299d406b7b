//! The local OIDC issuer: one RSA key in the data folder, its public half as a JWKS, and tokens for the people of the
//! demo.
//!
//! It deliberately asks for no password: it exists on this machine only, listens on loopback only and answers only
//! requests that were addressed to this machine by name, so that no web page elsewhere can borrow it.

use std::{fmt, io, path::Path, sync::Arc};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::{gateway::json_answer, key_file, moment::Moment};
use crate::engine::Clock;

/// How long a token holds, in seconds.
const TOKEN_S: i64 = 12 * 3600;

/// The key's name in the JWKS and in tokens' headers.
const KEY_ID: &str = "local";

/// Someone who can sign in here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAgent {
    /// The agent's id: the token's `sub`.
    pub id: String,
    /// The agent's e-mail address.
    pub email: String,
    /// The agent's name.
    pub name: String,
}

/// Finds an agent by id or e-mail address.
pub type Agents = Arc<dyn Fn(&str) -> BoxFuture<'static, Option<LocalAgent>> + Send + Sync>;

/// The issuer. Clones share its key.
#[derive(Clone)]
pub struct Issuer {
    key: Arc<KeyPair>,
    modulus: Arc<[u8]>,
    issuer: Arc<str>,
    audience: Arc<str>,
    clock: Clock,
}

impl Issuer {
    /// The issuer whose key is in `directory`; it is made there when there is none.
    ///
    /// # Errors
    /// When the key cannot be read, written or made.
    pub fn open(directory: &Path, issuer: &str, audience: &str, clock: Clock) -> io::Result<Self> {
        let key = key_file::read_or_make(&directory.join("issuer.key"), || {
            let key = KeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
            let der: Pkcs8V1Der<'_> = key.as_der().map_err(io::Error::other)?;
            Ok(der.as_ref().to_vec())
        })?;
        let key = KeyPair::from_pkcs8(&key).map_err(io::Error::other)?;
        let modulus = modulus(key.public_key().as_ref()).ok_or_else(|| io::Error::other("not a 2,048-bit RSA key"))?;
        Ok(Self {
            modulus: modulus.into(),
            key: Arc::new(key),
            issuer: issuer.into(),
            audience: audience.into(),
            clock,
        })
    }

    /// Who tokens say they are from.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.issuer
    }

    /// The public key's modulus, big-endian; its exponent is 65,537.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// A token for an agent, twelve hours long.
    ///
    /// # Errors
    /// When signing fails.
    pub fn token(&self, agent: &LocalAgent) -> io::Result<String> {
        let now = Moment::from_ms((self.clock)()).seconds();
        self.sign(&json!({
            "iss": self.name(),
            "aud": &*self.audience,
            "sub": agent.id,
            "email": agent.email,
            "email_verified": true,
            "name": agent.name,
            "token_use": "id",
            "iat": now,
            "exp": now + TOKEN_S,
        }))
    }

    /// A token with exactly these claims.
    ///
    /// # Errors
    /// When signing fails.
    pub fn sign(&self, claims: &Value) -> io::Result<String> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID }).to_string();
        let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(io::Error::other)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The issuer's routes: discovery, keys and sign-in.
    pub fn router(&self, agents: Agents) -> Router {
        Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/.well-known/jwks.json", get(keys))
            .route("/local/login", post(login))
            .with_state(Desk { issuer: self.clone(), agents })
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Desk {
    issuer: Issuer,
    agents: Agents,
}

async fn configuration(State(desk): State<Desk>) -> Response {
    let issuer = desk.issuer.name();
    json_answer(&json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
    }))
}

async fn keys(State(desk): State<Desk>) -> Response {
    let modulus = URL_SAFE_NO_PAD.encode(desk.issuer.modulus());
    json_answer(
        &json!({ "keys": [{ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": KEY_ID, "n": modulus, "e": "AQAB" }] }),
    )
}

async fn login(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_for_this_machine(&headers) {
        return problem(StatusCode::FORBIDDEN, "sign-in without a password is for this machine only");
    }
    let wanted = serde_json::from_slice::<Value>(&body).ok();
    let Some(wanted) = wanted.as_ref().and_then(|body| body["agent"].as_str()) else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "`agent` must be an agent's id or e-mail address");
    };
    let Some(agent) = (desk.agents)(wanted).await else {
        return problem(StatusCode::NOT_FOUND, "there is no such agent");
    };
    match desk.issuer.token(&agent) {
        Ok(token) => json_answer(&json!({ "token": token })),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the token could not be signed"),
    }
}

/// Whether the request names this machine as its host: what a page that had its own name resolve to loopback cannot do.
pub(super) fn is_for_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// An error as RFC 9457 has it.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": detail,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

/// The modulus in a DER `RSAPublicKey` of 2,048 bits whose exponent is 65,537; nothing else is ever made here.
fn modulus(der: &[u8]) -> Option<Vec<u8>> {
    const BEFORE: [u8; 9] = [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];
    const AFTER: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];
    Some(der.strip_prefix(&BEFORE)?.strip_suffix(&AFTER)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_same_after_a_restart_and_only_its_owner_may_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let clock: Clock = Arc::new(|| 0);
        let first = Issuer::open(directory.path(), "http://i", "a", Arc::clone(&clock)).unwrap();
        let second = Issuer::open(directory.path(), "http://i", "a", clock).unwrap();
        assert_eq!(first.modulus(), second.modulus());
        assert_eq!(first.modulus().len(), 256);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(directory.path().join("issuer.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn only_a_request_addressed_to_this_machine_may_sign_in() {
        for (host, allowed) in [
            ("127.0.0.1:8787", true),
            ("localhost", true),
            ("localhost:1", true),
            ("[::1]:8787", true),
            ("[::1]", true),
            ("evil.example:8787", false),
            ("127.0.0.1.evil.example", false),
        ] {
            let headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
            assert_eq!(is_for_this_machine(&headers), allowed, "{host}");
        }
        assert!(!is_for_this_machine(&HeaderMap::new()));
    }
}
