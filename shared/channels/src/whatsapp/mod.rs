//! WhatsApp Cloud API: Meta's webhooks in, text messages out.
//!
//! Settings: `phone_number_id`, `app_secret`, `verify_token`, `access_token`.
//!
//! What is decided here:
//! - A body that is signed and still not JSON is answered 400: Meta tries again for seven days, so nothing is lost
//!   while someone looks. What is JSON is answered 200, whatever single elements hold.
//! - An element needs an id and a sender to be a message. With those, content we cannot read becomes a part of kind
//!   `unsupported`, labelled with its type, so that an agent sees that the customer did send something.
//! - `system` notices (a changed number), messages in groups, other webhook fields and other phone numbers of the same
//!   app are not messages of this inbox; they are counted as unreadable, with their reason.
//! - The address is the phone number, or the business-scoped user id (`US.1349…`) of someone who hides it; replies go
//!   to `to` or to `recipient` accordingly.
//!
//! No media is fetched, no template rendered, no read receipt sent here.

mod content;
mod judge;
mod read;

pub use judge::judge;

use colloquy_domain::{Channel, Timestamp};
use serde_json::json;

use crate::{
    Answer, Call, Outgoing, Received, Rejected, RenderError, Request, Settings, SettingsError, http, json, seal, text,
};

/// The longest body read. Meta documents at most 3 MB.
const LIMIT_BYTES: usize = 4_500_000;

/// Checks an inbox's settings.
///
/// # Errors
/// When one is missing, unknown or cannot be right.
pub fn validate(settings: &Settings) -> Result<(), SettingsError> {
    settings.check_names(&["phone_number_id", "app_secret", "verify_token", "access_token"])?;
    settings.check_id("phone_number_id")?;
    ["app_secret", "verify_token", "access_token"].iter().try_for_each(|name| settings.check_secret(name))
}

/// The `X-Hub-Signature-256` that Meta puts on `body`.
#[must_use]
pub fn sign(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", seal::hmac_sha256_hex(app_secret.as_bytes(), body))
}

/// What a request to the webhook says.
///
/// # Errors
/// When it is not Meta's, or is not JSON.
pub fn receive(settings: &Settings, request: &Request<'_>, now: Timestamp) -> Result<Received, Rejected> {
    match request.method {
        "GET" => challenge(settings, request),
        "POST" => {
            http::limit(request.body, LIMIT_BYTES)?;
            let signature = request.header("x-hub-signature-256").unwrap_or_default();
            if !seal::same(signature, &sign(settings.text("app_secret")?, request.body)) {
                return Err(Rejected::Forged("x-hub-signature-256 is missing or is not this body's"));
            }
            let (inbound, unreadable) = read::read(request.body, settings.text("phone_number_id")?, now)?;
            Ok(Received::Batch { inbound, unreadable, answer: Answer::text("") })
        }
        _ => Err(Rejected::method(request)),
    }
}

/// Reads a webhook's body without asking who signed it: for a fuzzer and for tests.
///
/// # Errors
/// When it is not JSON, or not a webhook's.
pub fn read_unverified(body: &[u8], phone_number_id: &str, now: Timestamp) -> Result<Received, Rejected> {
    let (inbound, unreadable) = read::read(body, phone_number_id, now)?;
    Ok(Received::Batch { inbound, unreadable, answer: Answer::text("") })
}

fn challenge(settings: &Settings, request: &Request<'_>) -> Result<Received, Rejected> {
    let token = request.query("hub.verify_token").unwrap_or_default();
    let known = seal::same(token, settings.text("verify_token")?);
    if request.query("hub.mode") != Some("subscribe") || !known {
        return Err(Rejected::Forbidden("hub.verify_token is not this inbox's verify_token"));
    }
    let challenge = request.query("hub.challenge").filter(|challenge| challenge.len() <= 1_024);
    let challenge = challenge.ok_or_else(|| Rejected::Malformed("hub.challenge is missing or too long".to_owned()))?;
    Ok(Received::Challenge(Answer::text(challenge)))
}

/// The calls that send a text, one for each 4,096 characters.
///
/// # Errors
/// When a setting is missing.
pub fn render(settings: &Settings, message: &Outgoing<'_>) -> Result<Vec<Call>, RenderError> {
    let token = message.token.map_or_else(|| settings.text("access_token"), Ok)?;
    let base = message.api_base.trim_end_matches('/');
    let url = format!("{base}/{}/messages", settings.text("phone_number_id")?);
    let call = |(index, piece): (usize, &str)| {
        let mut body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "type": "text",
            "text": { "body": piece, "preview_url": false },
            "biz_opaque_callback_data": text::numbered(message.reference, index),
        });
        body[recipient_field(message.to)] = message.to.into();
        let mut call = Call::post_json(url.clone(), &body);
        call.headers.push(("authorization", format!("Bearer {token}")));
        call
    };
    Ok(text::pieces(Channel::WhatsApp, message.text).into_iter().enumerate().map(call).collect())
}

/// Which field names the recipient: a business-scoped user id begins with a country and a full stop.
fn recipient_field(address: &str) -> &'static str {
    if address.contains('.') { "recipient" } else { "to" }
}

/// The platform's id of the message that a successful answer names.
fn message_id(body: &[u8]) -> Option<String> {
    let answer = json::parse(body).ok()?;
    json::text(&answer, "/messages/0/id").map(str::to_owned)
}

#[cfg(test)]
mod tests;
