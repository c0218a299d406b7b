//! The JWT authorizer of the HTTP API: RS256 against the local issuer's key, then issuer, audience and times.
//!
//! It deliberately knows one issuer, the host's own, and answers every doubt alike: the caller learns nothing but 401.

use std::fmt;

use http::HeaderMap;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Map, Value};

use super::{issuer::Issuer, moment::Moment};
use crate::{engine::Clock, template::plan::JwtAuthorizer};

/// A JWT authorizer, ready to be asked.
#[derive(Clone)]
pub(crate) struct Authorizer {
    issuer: String,
    audience: Vec<String>,
    header: String,
    key: Option<DecodingKey>,
    validation: Validation,
    clock: Clock,
}

/// The token is missing, forged, not for us, or not valid now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unauthorized;

impl Authorizer {
    /// The authorizer as the template has it. One that trusts another issuer than this host's refuses every token,
    /// since its keys are not on this machine.
    #[must_use]
    pub(crate) fn new(plan: &JwtAuthorizer, issuer: &Issuer, clock: Clock) -> Self {
        let source = plan.identity_source.first().map_or("$request.header.Authorization", String::as_str);
        let mut validation = Validation::new(Algorithm::RS256);
        // Times are compared below, with the host's clock; the library would read the machine's.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Self {
            issuer: plan.issuer.clone(),
            audience: plan.audience.clone(),
            header: source.trim_start_matches("$request.header.").to_ascii_lowercase(),
            key: (plan.issuer == issuer.name())
                .then(|| DecodingKey::from_rsa_raw_components(issuer.modulus(), &[1, 0, 1])),
            validation,
            clock,
        }
    }

    /// The claims of the request's token, as events show them: every value is text.
    ///
    /// # Errors
    /// When there is no token that holds.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<Map<String, Value>, Unauthorized> {
        let token = headers.get(&self.header).and_then(|value| value.to_str().ok()).ok_or(Unauthorized)?;
        let token = match token.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => token,
        };
        let key = self.key.as_ref().ok_or(Unauthorized)?;
        let claims = decode::<Map<String, Value>>(token, key, &self.validation).map_err(|_| Unauthorized)?.claims;
        if self.holds(&claims) { Ok(claims.into_iter().map(as_text).collect()) } else { Err(Unauthorized) }
    }

    fn holds(&self, claims: &Map<String, Value>) -> bool {
        let now = Moment::from_ms((self.clock)()).seconds();
        let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
        let now = now as f64;
        let ours = |claim: &Value| claim.as_str().is_some_and(|text| self.audience.iter().any(|known| known == text));
        let audience = match claims.get("aud").or_else(|| claims.get("client_id")) {
            Some(Value::Array(all)) => all.iter().any(ours),
            Some(one) => ours(one),
            None => false,
        };
        audience
            && claims.get("iss").and_then(Value::as_str) == Some(&self.issuer)
            && seconds("exp").is_some_and(|end| now < end)
            && !claims.contains_key("nbf") | seconds("nbf").is_some_and(|start| start <= now)
            && !claims.contains_key("iat") | seconds("iat").is_some_and(|issued| issued <= now)
    }
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// API Gateway shows every claim as text, and a list as `[a b]`.
fn as_text((name, value): (String, Value)) -> (String, Value) {
    let text = match value {
        Value::String(text) => text,
        Value::Array(values) => {
            let values: Vec<String> =
                values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
            format!("[{}]", values.join(" "))
        }
        other => other.to_string(),
    };
    (name, text.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    const NOW_S: i64 = 1_795_415_624;

    fn desk() -> (tempfile::TempDir, Issuer, Authorizer) {
        let directory = tempfile::tempdir().unwrap();
        let clock: Clock = Arc::new(|| NOW_S * 1000);
        let issuer = Issuer::open(directory.path(), "http://127.0.0.1:8787", "colloquy", Arc::clone(&clock)).unwrap();
        let plan = JwtAuthorizer {
            issuer: "http://127.0.0.1:8787".to_owned(),
            audience: vec!["colloquy".to_owned()],
            identity_source: vec!["$request.header.Authorization".to_owned()],
        };
        let authorizer = Authorizer::new(&plan, &issuer, clock);
        (directory, issuer, authorizer)
    }

    fn with(token: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::header::AUTHORIZATION, token.parse().unwrap())])
    }

    fn claims(change: &Value) -> Value {
        let mut claims = json!({
            "iss": "http://127.0.0.1:8787", "aud": "colloquy", "sub": "agt_li", "exp": NOW_S + 60, "iat": NOW_S,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    #[test]
    fn a_token_of_ours_gives_its_claims_as_text() {
        let (_directory, issuer, authorizer) = desk();
        let token = issuer.sign(&claims(&json!({ "groups": ["a", "b"], "email_verified": true }))).unwrap();
        let found = authorizer.check(&with(&format!("Bearer {token}"))).unwrap();
        assert_eq!(found["sub"], "agt_li");
        assert_eq!(found["exp"], (NOW_S + 60).to_string());
        assert_eq!(found["groups"], "[a b]");
        assert_eq!(found["email_verified"], "true");
        assert!(authorizer.check(&with(&token)).is_ok(), "the scheme may be left out");
    }

    #[test]
    fn a_token_that_is_not_for_us_now_is_refused() {
        let (_directory, issuer, authorizer) = desk();
        for wrong in [
            json!({ "iss": "http://elsewhere" }),
            json!({ "aud": "another" }),
            json!({ "aud": null }),
            json!({ "exp": NOW_S }),
            json!({ "exp": null }),
            json!({ "nbf": NOW_S + 5 }),
            json!({ "nbf": "soon" }),
            json!({ "iat": NOW_S + 5 }),
        ] {
            let token = issuer.sign(&claims(&wrong)).unwrap();
            assert_eq!(authorizer.check(&with(&format!("Bearer {token}"))), Err(Unauthorized), "{wrong}");
        }
    }

    #[test]
    fn a_forged_token_is_refused() {
        let (_directory, issuer, authorizer) = desk();
        let (_other, stranger, _) = desk();
        let token = issuer.sign(&claims(&json!({}))).unwrap();
        let mut parts: Vec<&str> = token.split('.').collect();
        let forged = stranger.sign(&claims(&json!({}))).unwrap();
        assert_eq!(authorizer.check(&with(&forged)), Err(Unauthorized));
        parts[0] = "eyJhbGciOiJub25lIn0";
        assert_eq!(authorizer.check(&with(&parts.join("."))), Err(Unauthorized));
        assert_eq!(authorizer.check(&with("Bearer nonsense")), Err(Unauthorized));
        assert_eq!(authorizer.check(&HeaderMap::new()), Err(Unauthorized));
    }
}
