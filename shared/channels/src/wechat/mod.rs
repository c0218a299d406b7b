//! WeChat official account (公众号): XML pushes in, customer service messages (客服消息) out.
//!
//! Settings: `app_id`, `app_secret`, `token`, `encoding_aes_key` (absent: plain mode).
//!
//! What is decided here:
//! - In plain mode WeChat signs `token`, `timestamp` and `nonce` only, not the body: whoever once saw a signed address
//!   can forge messages. Safe mode covers the body. So an inbox that has an `encoding_aes_key` takes encrypted
//!   messages only, and of compatible mode (兼容模式), which sends both, only what is encrypted.
//! - WeChat documents no age after which a timestamp is to be refused; none is invented. A repeated message is known
//!   by its id.
//! - A click on the account's own menu is the customer saying something: its key becomes the text. Following,
//!   scanning, opening a link, a position reported in passing and the fate of mass messages are not messages and
//!   produce nothing; an event we do not know is counted as unreadable.
//! - Every push is answered `success` at once: replies go by the API, since five seconds are too few for a person.
//!
//! No media is fetched, nothing is answered in the webhook's own response.

mod crypt;
mod judge;
mod read;
mod token;
mod xml;

pub use crypt::{AesKey, encrypt, sign};
pub use judge::judge;
pub use token::{read_token, token_calls};

use colloquy_domain::{Channel, Timestamp};
use serde_json::json;

use crate::{
    Answer, Call, Outgoing, Received, Rejected, RenderError, Request, Settings, SettingsError, http, seal, text,
};

/// The longest body read; WeChat's own are a few kilobytes.
const LIMIT_BYTES: usize = 1_000_000;

/// Checks an inbox's settings.
///
/// # Errors
/// When one is missing, unknown or cannot be right.
pub fn validate(settings: &Settings) -> Result<(), SettingsError> {
    settings.check_names(&["app_id", "app_secret", "token", "encoding_aes_key"])?;
    settings.check_id("app_id")?;
    settings.check_secret("app_secret")?;
    settings.check_secret("token")?;
    aes_key(settings).map(drop)
}

/// The inbox's key; nothing in plain mode.
fn aes_key(settings: &Settings) -> Result<Option<AesKey>, SettingsError> {
    let key = settings.optional_text("encoding_aes_key")?;
    let wrong = || SettingsError::new("encoding_aes_key", "is not the 43 letters and digits that WeChat shows");
    key.map(|key| AesKey::read(key).ok_or_else(wrong)).transpose()
}

/// What a request to the webhook says.
///
/// # Errors
/// When it is not WeChat's, or cannot be read.
pub fn receive(settings: &Settings, request: &Request<'_>, now: Timestamp) -> Result<Received, Rejected> {
    match request.method {
        "GET" => {
            if !is_signed(settings, request, "signature", None)? {
                return Err(Rejected::Forbidden("signature is missing or is not made with this inbox's token"));
            }
            let echo = request.query("echostr").filter(|echo| echo.len() <= 1_024);
            let echo = echo.ok_or_else(|| Rejected::Malformed("echostr is missing or too long".to_owned()))?;
            Ok(Received::Challenge(Answer::text(echo)))
        }
        "POST" => {
            http::limit(request.body, LIMIT_BYTES)?;
            let opened = match aes_key(settings)? {
                Some(key) => open(settings, request, &key)?,
                None if is_signed(settings, request, "signature", None)? => xml::read(request.body)?,
                None => return Err(Rejected::Forged("signature is missing or is not made with this inbox's token")),
            };
            let (inbound, unreadable) = read::read(&opened, now)?;
            Ok(Received::Batch { inbound, unreadable, answer: Answer::text("success") })
        }
        _ => Err(Rejected::method(request)),
    }
}

/// The message within an encrypted one, once its signature, its padding and whom it is for are found right.
fn open(settings: &Settings, request: &Request<'_>, key: &AesKey) -> Result<xml::Fields, Rejected> {
    if request.query("encrypt_type") != Some("aes") {
        return Err(Rejected::Forged("this inbox has an encoding_aes_key and takes encrypted messages only"));
    }
    let outer = xml::read(request.body)?;
    let sealed =
        outer.get("Encrypt").ok_or_else(|| Rejected::Malformed("the body has no element Encrypt".to_owned()))?;
    if !is_signed(settings, request, "msg_signature", Some(sealed))? {
        return Err(Rejected::Forged("msg_signature is missing or is not this message's"));
    }
    let (message, receiver) = crypt::decrypt(key, sealed)
        .ok_or(Rejected::Forged("the message is not encrypted with this inbox's encoding_aes_key"))?;
    if !seal::same(&receiver, settings.text("app_id")?) {
        return Err(Rejected::Forged("the message is encrypted for another app_id"));
    }
    xml::read(&message)
}

fn is_signed(settings: &Settings, request: &Request<'_>, name: &str, sealed: Option<&str>) -> Result<bool, Rejected> {
    let field = |name: &str| request.query(name).unwrap_or_default();
    let (timestamp, nonce) = (field("timestamp"), field("nonce"));
    let wanted = sign(settings.text("token")?, timestamp, nonce, sealed);
    Ok(seal::same(field(name), &wanted) && !timestamp.is_empty() && !nonce.is_empty())
}

/// Decrypts without asking who signed it: for a fuzzer and for tests. The message, and whom it is for.
#[must_use]
pub fn decrypt_unverified(key: &AesKey, sealed: &str) -> Option<(Vec<u8>, String)> {
    crypt::decrypt(key, sealed)
}

/// Reads a message's XML without asking who signed it: for a fuzzer and for tests.
///
/// # Errors
/// When it is not XML, or not a message.
pub fn read_unverified(body: &[u8], now: Timestamp) -> Result<Received, Rejected> {
    let (inbound, unreadable) = read::read(&xml::read(body)?, now)?;
    Ok(Received::Batch { inbound, unreadable, answer: Answer::text("success") })
}

/// The calls that send a text, one for each 2,048 bytes.
///
/// # Errors
/// When there is no access token.
pub fn render(message: &Outgoing<'_>) -> Result<Vec<Call>, RenderError> {
    let token = message.token.ok_or(RenderError::NoToken)?;
    let query: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    let url = format!("{}/cgi-bin/message/custom/send?access_token={query}", message.api_base.trim_end_matches('/'));
    let call = |piece: &str| {
        // WeChat shows `\u` escapes as they are; serde_json writes UTF-8.
        Call::post_json(url.clone(), &json!({ "touser": message.to, "msgtype": "text", "text": { "content": piece } }))
    };
    Ok(text::pieces(Channel::WeChat, message.text).into_iter().map(call).collect())
}

#[cfg(test)]
mod tests;
