//! `WhatsApp` Cloud API as Graph answers it: `POST /{phone_number_id}/messages`, with or without a version before it.
//!
//! Checks the token and the shape of what is sent; knows nothing of windows, templates or who has `WhatsApp`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    SimulatedInbox,
    faults::{Fail, Fault},
    random,
    reply::{Asked, Reply},
};

const BODY_MAX_CHARACTERS: usize = 4_096;
const KINDS: [&str; 11] = [
    "text",
    "image",
    "audio",
    "video",
    "document",
    "sticker",
    "location",
    "contacts",
    "interactive",
    "reaction",
    "template",
];

/// The number a message is sent from, when this call sends one.
pub(super) fn sends_from<'a>(asked: &Asked<'a>) -> Option<&'a str> {
    let path = asked.path.trim_matches('/');
    let path = match path.split_once('/') {
        Some((version, rest)) if version.starts_with('v') => rest,
        _ => path,
    };
    let (number, rest) = path.split_once('/')?;
    (asked.method == "POST" && rest == "messages" && !number.is_empty()).then_some(number)
}

/// Whether the token is right for the number: that of an inbox with this number; any, for a number nobody knows.
pub(super) fn admits(asked: &Asked<'_>, number: &str, inboxes: &[SimulatedInbox]) -> bool {
    let mut own = inboxes.iter().filter(|inbox| inbox.setting("phone_number_id") == number).peekable();
    let token = asked.bearer();
    !token.is_empty() && (own.peek().is_none() || own.any(|inbox| inbox.setting("access_token") == token))
}

/// Graph's answer to a call whose token was found right or wrong.
pub(super) fn answer(asked: &Asked<'_>, admitted: bool) -> Reply {
    if !admitted {
        return error(401, 190, "Invalid OAuth access token - Cannot parse access token", None);
    }
    if sends_from(asked).is_none() {
        let words = "Unsupported request. Please read the Graph API documentation";
        return error(400, 100, words, None);
    }
    let body = asked.body;
    if body.is_null() {
        return invalid("the request's body is not JSON");
    }
    if body["messaging_product"] != "whatsapp" {
        return invalid("The parameter messaging_product is required.");
    }
    if body["status"] == "read" {
        return Reply::ok(json!({"success": true}));
    }
    match check(body) {
        Err(words) => invalid(&words),
        Ok(to) => taken(to),
    }
}

/// What an ordered fault looks like here; nothing for those that are no answer.
pub(super) fn fault(fault: &Fault) -> Option<Reply> {
    Some(match fault.fail {
        Fail::TooMany => Reply {
            retry_after_s: fault.retry_after,
            ..error(429, 130_429, "(#130429) Rate limit hit", Some("Cloud API message throughput has been reached."))
        },
        Fail::Broken => error(500, 131_000, "(#131000) Something went wrong", Some("Message failed to send.")),
        Fail::Token => error(401, 190, "Error validating access token: Session has expired", None),
        Fail::Hang | Fail::Close => return None,
    })
}

fn check(body: &Value) -> Result<&str, String> {
    let address = |field: &str| body[field].as_str().filter(|to| to.bytes().any(|byte| byte.is_ascii_alphanumeric()));
    // A person who hides their phone number is addressed by a business-scoped user id.
    let to = address("to").or_else(|| address("recipient")).ok_or("The parameter to is required.")?;
    let kind = body["type"].as_str().unwrap_or("text");
    if !KINDS.contains(&kind) {
        return Err(format!("Param type must be one of {{{}}} - got \"{kind}\".", KINDS.join(", ").to_uppercase()));
    }
    if body[kind].is_null() {
        return Err(format!("The parameter {kind} is required."));
    }
    if kind == "text" {
        let text = body["text"]["body"].as_str().filter(|text| !text.trim().is_empty());
        let length = text.ok_or("The parameter text['body'] is required.")?.chars().count();
        if length > BODY_MAX_CHARACTERS {
            return Err(format!("Param text['body'] must be at most {BODY_MAX_CHARACTERS} characters long."));
        }
    }
    Ok(to)
}

fn taken(to: &str) -> Reply {
    let digits: String = to.chars().filter(char::is_ascii_digit).collect();
    let wa_id = if to.contains('.') { to } else { &digits };
    Reply::ok(json!({
        "messaging_product": "whatsapp",
        "contacts": [{"input": to, "wa_id": wa_id}],
        "messages": [{"id": message_id()}],
    }))
}

/// A new message's id in Meta's form.
pub(super) fn message_id() -> String {
    format!("wamid.{}", STANDARD.encode(random::<36>()))
}

fn invalid(details: &str) -> Reply {
    error(400, 100, "(#100) Invalid parameter", Some(details))
}

fn error(status: u16, code: u32, message: &str, details: Option<&str>) -> Reply {
    let trace = STANDARD.encode(random::<8>());
    let mut error = json!({"message": message, "type": "OAuthException", "code": code, "fbtrace_id": trace});
    if let Some(details) = details {
        error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
    }
    Reply::new(status, json!({"error": error}))
}
