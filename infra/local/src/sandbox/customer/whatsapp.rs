//! A customer on `WhatsApp`: Meta's webhook for a message or a status, signed over its bytes.

use colloquy_domain::Timestamp;
use serde_json::{Value, json};

use super::{Kind, State, Status, Webhook, Written, seconds};
use crate::sandbox::{SimulatedInbox, whatsapp::message_id};

const ACCOUNT: &str = "102290129340398";
const MEDIA: &str = "1003383421387256";

/// The webhook for one message.
pub(super) fn message(inbox: &SimulatedInbox, written: &Written, at: Timestamp) -> Webhook {
    let id = message_id();
    let (kind, content) = content(written.kind, &written.text);
    let mut message = json!({"from": written.from, "id": id, "timestamp": seconds(at), "type": kind});
    message[if kind == "unsupported" { "errors" } else { kind }] = content;
    let name = if written.name.is_empty() { &written.from } else { &written.name };
    let contact = json!({"profile": {"name": name}, "wa_id": written.from});
    webhook(inbox, id, &json!({"contacts": [contact], "messages": [message]}))
}

/// The webhook for one status.
pub(super) fn status(inbox: &SimulatedInbox, status: &Status, to: &str, at: Timestamp) -> Webhook {
    let word = match status.status {
        State::Sent => "sent",
        State::Delivered => "delivered",
        State::Read => "read",
        State::Failed => "failed",
    };
    let mut told = json!({"id": status.id, "status": word, "timestamp": seconds(at), "recipient_id": to});
    if matches!(status.status, State::Failed) {
        let details = "Message was not delivered to maintain healthy ecosystem engagement.";
        told["errors"] = json!([{
            "code": 131_049,
            "title": "This message was not delivered to maintain healthy ecosystem engagement.",
            "error_data": {"details": details},
        }]);
    }
    webhook(inbox, status.id.clone(), &json!({"statuses": [told]}))
}

fn content(kind: Kind, text: &str) -> (&'static str, Value) {
    let media = |mime: &str| {
        let mut media =
            json!({"mime_type": mime, "sha256": "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=", "id": MEDIA});
        if !text.is_empty() {
            media["caption"] = json!(text);
        }
        media
    };
    match kind {
        Kind::Text => ("text", json!({"body": text})),
        Kind::Image => ("image", media("image/jpeg")),
        Kind::Audio => ("audio", json!({"mime_type": "audio/ogg; codecs=opus", "id": MEDIA, "voice": true})),
        Kind::Video => ("video", media("video/mp4")),
        Kind::File => {
            let mut file = media("application/pdf");
            file["filename"] = json!("receipt.pdf");
            ("document", file)
        }
        Kind::Location => {
            ("location", json!({"latitude": 31.2304, "longitude": 121.4737, "name": "The Bund", "address": "Shanghai"}))
        }
        Kind::Sticker => ("sticker", json!({"mime_type": "image/webp", "id": MEDIA, "animated": false})),
        Kind::Unsupported => {
            ("unsupported", json!([{"code": 131_051, "title": "Message type is currently not supported."}]))
        }
    }
}

fn webhook(inbox: &SimulatedInbox, id: String, value: &Value) -> Webhook {
    let number = inbox.setting("phone_number_id");
    let mut change = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
    });
    if let (Some(change), Some(value)) = (change.as_object_mut(), value.as_object()) {
        change.extend(value.clone());
    }
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": ACCOUNT, "changes": [{"value": change, "field": "messages"}]}],
    })
    .to_string();
    let signature = colloquy_channels::whatsapp::sign(inbox.setting("app_secret"), body.as_bytes());
    let headers = vec![("content-type", "application/json".to_owned()), ("x-hub-signature-256", signature)];
    Webhook { query: String::new(), headers, body, id }
}
