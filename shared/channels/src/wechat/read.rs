//! What one push says: a message, a click on the menu, or an event that is not one.
//!
//! Source: 接收普通消息, 接收事件推送. Retries repeat `MsgId`; events have none and repeat sender, second and event.

use colloquy_domain::{Inbound, InboundMessage, Part, PartKind, Sender, Timestamp};

use super::xml::Fields;
use crate::{Rejected, Unreadable, text};

/// Events that are known and are not a customer writing, in lower case.
const QUIET: [&str; 25] = [
    "subscribe",
    "unsubscribe",
    "scan",
    "location",
    "view",
    "view_miniprogram",
    "templatesendjobfinish",
    "masssendjobfinish",
    // The pictures, places and codes of these menu buttons come as messages of their own.
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
    "media_id",
    "view_limited",
    "subscribe_msg_popup_event",
    "subscribe_msg_change_event",
    "subscribe_msg_sent_event",
    "kf_create_session",
    "kf_close_session",
    "kf_switch_session",
    "publishjobfinish",
    "user_authorization_revoke",
    "user_info_modified",
];

/// What a push says.
pub(super) fn read(fields: &Fields, now: Timestamp) -> Result<(Vec<Inbound>, Vec<Unreadable>), Rejected> {
    let kind = fields.trimmed("MsgType");
    if kind.is_none() && fields.get("Encrypt").is_some() {
        let reason = "the message is encrypted and this inbox has no encoding_aes_key";
        return Err(Rejected::Malformed(reason.to_owned()));
    }
    let Some(kind) = kind else { return Ok(unreadable("a push has no MsgType".to_owned())) };
    let sender = fields.trimmed("FromUserName").filter(|sender| is_address(sender));
    let Some(sender) = sender else {
        return Ok(unreadable(format!("a push of type `{}` has no usable sender", label(kind))));
    };
    let event = fields.trimmed("Event").unwrap_or_default();
    if kind == "event" && !event.eq_ignore_ascii_case("click") {
        let known = QUIET.contains(&event.to_ascii_lowercase().as_str());
        let unknown = || unreadable(format!("event `{}` is not read here", label(event)));
        return Ok(if known { (Vec::new(), Vec::new()) } else { unknown() });
    }
    let Some(provider_id) = provider_id(fields, sender, kind, event) else {
        return Ok(unreadable(format!("a push of type `{}` has neither MsgId nor CreateTime", label(kind))));
    };
    let seconds = fields.trimmed("CreateTime").and_then(|seconds| seconds.parse::<i64>().ok());
    let sent_at = seconds.filter(|seconds| *seconds > 0).and_then(|seconds| seconds.checked_mul(1_000));
    let (words, part) = content(kind, fields);
    let message = InboundMessage {
        provider_id,
        sender: Sender { address: sender.to_owned(), name: None },
        sent_at: sent_at.map(|ms| Timestamp::from_ms(ms).min(now)),
        text: words,
        parts: part.into_iter().collect(),
        reply_to: None,
    };
    Ok((text::inbound(message), Vec::new()))
}

fn unreadable(reason: String) -> (Vec<Inbound>, Vec<Unreadable>) {
    (Vec::new(), vec![Unreadable { reason }])
}

fn provider_id(fields: &Fields, sender: &str, kind: &str, event: &str) -> Option<String> {
    if let Some(id) = fields.trimmed("MsgId").filter(|id| id.len() <= 64) {
        return Some(id.to_owned());
    }
    let second = fields.trimmed("CreateTime").filter(|second| second.len() <= 20)?;
    let key = fields.trimmed("EventKey").unwrap_or_default();
    let key: String = key.chars().take(128).collect();
    Some([sender, second, kind, event, &key].join("-"))
}

/// A message's words, and what came with them.
fn content(kind: &str, fields: &Fields) -> (String, Option<Part>) {
    let owned = |name: &str| fields.trimmed(name).map(str::to_owned);
    let media = |kind: PartKind| Part { media: owned("MediaId"), ..Part::new(kind) };
    match kind {
        "text" if fields.get("Content").is_some() => (fields.get("Content").unwrap_or_default().to_owned(), None),
        "image" => (String::new(), Some(media(PartKind::Image))),
        "voice" => {
            let mime = owned("Format").map(|format| format!("audio/{}", label(&format).to_ascii_lowercase()));
            // What WeChat heard in it, for accounts that have recognition.
            (owned("Recognition").unwrap_or_default(), Some(Part { mime, ..media(PartKind::Audio) }))
        }
        "video" | "shortvideo" => (String::new(), Some(media(PartKind::Video))),
        "location" => (String::new(), Some(location(fields))),
        "link" => {
            let part = Part { media: owned("Url"), label: owned("Title"), ..Part::new(PartKind::Link) };
            (owned("Description").unwrap_or_default(), Some(part))
        }
        "file" => (String::new(), Some(Part { label: owned("Title"), ..media(PartKind::File) })),
        // The keys of an account's menu are its own words; the part says that they were not typed.
        "event" => (owned("EventKey").unwrap_or_default(), Some(unsupported("menu click"))),
        _ => (String::new(), Some(unsupported(&label(kind)))),
    }
}

fn location(fields: &Fields) -> Part {
    let degrees = |name: &str| fields.trimmed(name)?.parse::<f64>().ok().filter(|degrees| degrees.is_finite());
    // `Location_X` is the latitude.
    let place =
        degrees("Location_X").zip(degrees("Location_Y")).map(|(latitude, longitude)| format!("{latitude},{longitude}"));
    let label = fields.trimmed("Label").map(str::to_owned);
    Part { label, place, ..Part::new(PartKind::Location) }
}

fn unsupported(kind: &str) -> Part {
    Part { label: Some(kind.to_owned()), ..Part::new(PartKind::Unsupported) }
}

fn label(kind: &str) -> String {
    kind.chars().filter(|char| !char.is_control()).take(40).collect()
}

/// Whether it can be written to: an open id.
fn is_address(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte))
}
