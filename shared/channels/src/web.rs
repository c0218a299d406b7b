//! The chat on a customer's own site: what a visitor's browser sends.
//!
//! Settings: `allowed_origins` (absent: any), `identity_secret` (absent: nobody can prove who they are to the site).
//!
//! Who a visitor is, is proved by a token of ours that the caller checks; replies go by socket. What is decided here:
//! whether a page may talk to us, whether a message is one, and whether the site vouches for its own user's id. Origins
//! keep other sites' pages out, not programs, which can say any origin they like.

use colloquy_domain::{Channel, Inbound, InboundMessage, InboxId, Sender, Timestamp, VisitorId, rules};
use serde::Deserialize;
use serde_json::Value;

use crate::{Answer, Received, Rejected, Request, Settings, SettingsError, http, json, seal};

/// The longest body read: 8,000 characters, each escaped, and room.
const LIMIT_BYTES: usize = 200_000;
/// Characters of a name.
const NAME_LENGTH: usize = 100;

/// Checks an inbox's settings.
///
/// # Errors
/// When one is unknown or cannot be right.
pub fn validate(settings: &Settings) -> Result<(), SettingsError> {
    settings.check_names(&["allowed_origins", "identity_secret"])?;
    let wrong =
        || SettingsError::new("allowed_origins", "is not a list of origins like https://shop.example.com, or \"*\"");
    if let Some(origins) = settings.value("allowed_origins") {
        let origins = origins.as_array().ok_or_else(wrong)?;
        if !origins.iter().all(|origin| origin.as_str().is_some_and(is_origin)) {
            return Err(wrong());
        }
    }
    if settings.optional_text("identity_secret")?.is_some() { settings.check_secret("identity_secret") } else { Ok(()) }
}

fn is_origin(origin: &str) -> bool {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    origin == "*" || (!host.is_empty() && host.strip_prefix("*.").unwrap_or(host).bytes().all(plain))
}

/// Whether a page of this origin may talk to the inbox. `https://*.example.com` allows every host under it.
#[must_use]
pub fn is_origin_allowed(settings: &Settings, origin: Option<&str>) -> bool {
    let Some(allowed) = settings.value("allowed_origins").and_then(Value::as_array) else { return true };
    let allows = |pattern: &str| match (pattern, origin) {
        ("*", _) => true,
        (_, None) => false,
        (_, Some(origin)) => match pattern.split_once("*.") {
            Some((scheme, domain)) => {
                let host = origin.strip_prefix(scheme).and_then(|host| host.strip_suffix(domain));
                host.is_some_and(|host| host.len() > 1 && host.ends_with('.') && is_origin(&format!("https://{host}")))
            }
            None => origin.eq_ignore_ascii_case(pattern.trim_end_matches('/')),
        },
    };
    allowed.iter().filter_map(Value::as_str).any(allows)
}

/// What `POST …/visitors/{visitor}/messages` says, from a visitor whose token the caller has checked.
///
/// # Errors
/// When the page's origin is not allowed, or it is not a message.
pub fn receive(settings: &Settings, request: &Request<'_>, now: Timestamp) -> Result<Received, Rejected> {
    if request.method != "POST" {
        return Err(Rejected::method(request));
    }
    if !is_origin_allowed(settings, request.header("origin")) {
        return Err(Rejected::Forbidden("this page's origin is not one of the inbox's allowed_origins"));
    }
    let path = request.path.strip_suffix("/messages").and_then(|path| path.rsplit('/').next());
    let visitor = path.and_then(|visitor| visitor.parse().ok()).ok_or(Rejected::NotFound)?;
    let inbound = vec![Inbound::Message(message(request.body, &visitor, now)?)];
    let answer = Answer { status: 202, content_type: "application/json", body: "{}".to_owned() };
    Ok(Received::Batch { inbound, unreadable: Vec::new(), answer })
}

/// A visitor's message: `{"text":…,"key":…}`. Its `provider_id` is the key, which is the visitor's own: it makes a
/// duplicate only within one visitor's thread.
///
/// # Errors
/// When it is not JSON, or text or key are not right.
pub fn message(body: &[u8], visitor: &VisitorId, now: Timestamp) -> Result<InboundMessage, Rejected> {
    http::limit(body, LIMIT_BYTES)?;
    let message = json::parse(body)?;
    Ok(InboundMessage {
        provider_id: key(json::text(&message, "/key").unwrap_or_default())?.to_owned(),
        sender: Sender { address: visitor.to_string(), name: None },
        sent_at: Some(now),
        text: text(json::text(&message, "/text").unwrap_or_default())?.to_owned(),
        parts: Vec::new(),
        reply_to: None,
    })
}

/// A visitor's words, without space around them.
///
/// # Errors
/// When there are none, or more than the channel takes.
pub fn text(text: &str) -> Result<&str, Rejected> {
    let text = text.trim();
    let most = rules(Channel::Web).max_length;
    let length = text.chars().count();
    match length {
        0 => Err(Rejected::Invalid { field: "text", reason: "is missing or empty".to_owned() }),
        _ if length > most => Err(Rejected::Invalid {
            field: "text",
            reason: format!("has {length} characters; at most {most} are taken"),
        }),
        _ => Ok(text),
    }
}

/// The key a client gave its message, so that sending it twice says it once.
///
/// # Errors
/// When it is not 1 to 64 letters, digits, `_`, `-`, `.` or `:`.
pub fn key(key: &str) -> Result<&str, Rejected> {
    let sound = (1..=64).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte));
    let reason = "is not 1 to 64 letters, digits, `_`, `-`, `.` or `:`";
    if sound { Ok(key) } else { Err(Rejected::Invalid { field: "key", reason: reason.to_owned() }) }
}

/// What `POST …/visitors` says.
#[derive(Deserialize)]
pub struct Arrival {
    /// The inbox the widget belongs to.
    pub inbox: InboxId,
    /// The token of an earlier visit.
    #[serde(default)]
    pub token: Option<String>,
    /// What the visitor wants to be called.
    #[serde(default)]
    pub name: Option<String>,
    /// Who the site says the visitor is.
    #[serde(default)]
    pub identity: Option<Identity>,
}

/// A user of the site, vouched for by it.
#[derive(Deserialize)]
pub struct Identity {
    /// The site's own id of its user.
    pub id: String,
    /// [`identity_hash`] of it, made by the site's server.
    pub hash: String,
    /// The user's name, as the site knows it.
    #[serde(default)]
    pub name: Option<String>,
}

/// Reads an arrival; names are trimmed, shortened to 100 characters, and absent when empty.
///
/// # Errors
/// When it is not JSON of this shape.
pub fn arrival(body: &[u8]) -> Result<Arrival, Rejected> {
    http::limit(body, LIMIT_BYTES)?;
    let value = json::parse(body)?;
    let wrong = |reason: String| Rejected::Invalid { field: "body", reason };
    if !value.is_object() {
        return Err(wrong("is not a JSON object".to_owned()));
    }
    let mut arrival: Arrival =
        serde_json::from_value(value).map_err(|error| wrong(format!("is not an arrival: {error}")))?;
    let tidy = |name: Option<String>| name.as_deref().and_then(name_of);
    arrival.name = tidy(arrival.name);
    arrival.identity = arrival.identity.map(|identity| Identity { name: tidy(identity.name), ..identity });
    Ok(arrival)
}

/// What a visitor wants to be called: trimmed, shortened to 100 characters; nothing when that is empty.
#[must_use]
pub fn name_of(said: &str) -> Option<String> {
    let name: String = said.trim().chars().filter(|char| !char.is_control()).take(NAME_LENGTH).collect();
    (!name.is_empty()).then_some(name)
}

/// Checks that the site vouches for this identity.
///
/// # Errors
/// When its hash is not made with the inbox's `identity_secret`, or there is no such secret.
pub fn verify_identity(settings: &Settings, identity: &Identity) -> Result<(), Rejected> {
    if identity.id.is_empty() || identity.id.len() > 200 {
        return Err(Rejected::Invalid { field: "identity.id", reason: "is not 1 to 200 bytes".to_owned() });
    }
    let secret = settings.optional_text("identity_secret")?;
    let secret =
        secret.ok_or(Rejected::Forbidden("this inbox has no identity_secret, so nobody can prove who they are"))?;
    let right = seal::same(&identity.hash, &identity_hash(secret, &identity.id));
    if right { Ok(()) } else { Err(Rejected::Forbidden("identity.hash is not made with this inbox's identity_secret")) }
}

/// What the site's server gives its page for a signed-in user: HMAC-SHA256 of the user's id, in hexadecimal.
#[must_use]
pub fn identity_hash(identity_secret: &str, id: &str) -> String {
    seal::hmac_sha256_hex(identity_secret.as_bytes(), id.as_bytes())
}

#[cfg(test)]
mod tests;
