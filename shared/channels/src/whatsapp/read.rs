//! A webhook's batch, taken apart: every entry, change, message and status on its own.
//!
//! What a message holds is read in `content`; who signed it was asked before.

use std::collections::BTreeMap;

use colloquy_domain::{DeliveryState, Inbound, InboundMessage, Receipt, Sender, Timestamp};
use serde_json::Value;

use super::{content, judge};
use crate::{Rejected, Unreadable, json, text};

/// The longest id kept; the platform's have under 100 characters.
const ID_LENGTH: usize = 512;

/// Everything a webhook's body says to the phone number `own`.
pub(super) fn read(body: &[u8], own: &str, now: Timestamp) -> Result<(Vec<Inbound>, Vec<Unreadable>), Rejected> {
    let webhook = json::parse(body)?;
    let entries = webhook.get("entry").and_then(Value::as_array);
    let entries = entries.ok_or_else(|| Rejected::Malformed("the body has no array `entry`".to_owned()))?;
    let mut batch = Batch { own, now, inbound: Vec::new(), unreadable: Vec::new() };
    for entry in entries {
        match entry.get("changes").and_then(Value::as_array) {
            Some(changes) => changes.iter().for_each(|change| batch.change(change)),
            None => batch.skip("an entry has no array `changes`"),
        }
    }
    Ok((batch.inbound, batch.unreadable))
}

struct Batch<'a> {
    own: &'a str,
    now: Timestamp,
    inbound: Vec<Inbound>,
    unreadable: Vec<Unreadable>,
}

impl Batch<'_> {
    fn skip(&mut self, reason: impl Into<String>) {
        self.unreadable.push(Unreadable { reason: reason.into() });
    }

    fn change(&mut self, change: &Value) {
        let field = json::text(change, "/field").unwrap_or("messages");
        if field != "messages" {
            return self.skip(format!("webhook field `{}` is not read here", content::label(field)));
        }
        let Some(value) = change.get("value") else { return self.skip("a change has no `value`") };
        match json::text(value, "/metadata/phone_number_id") {
            None => return self.skip("a change does not say for which phone number it is"),
            Some(other) if other != self.own => {
                return self.skip("a change is for another phone number than this inbox's");
            }
            Some(_) => {}
        }
        let names = names(value);
        for message in json::array(value, "/messages") {
            match self.message(message, &names) {
                Ok(read) => self.inbound.extend(text::inbound(read)),
                Err(reason) => self.skip(reason),
            }
        }
        for status in json::array(value, "/statuses") {
            match self.status(status) {
                Ok(receipt) => self.inbound.push(Inbound::Receipt(receipt)),
                Err(reason) => self.skip(reason),
            }
        }
        for error in json::array(value, "/errors") {
            self.skip(format!("the platform reports: {}", judge::explain(error)));
        }
    }

    fn message(&self, message: &Value, names: &BTreeMap<&str, &str>) -> Result<InboundMessage, String> {
        let kind = content::label(json::text(message, "/type").unwrap_or("unknown"));
        let id = json::text(message, "/id").filter(|id| id.len() <= ID_LENGTH);
        let id = id.ok_or_else(|| format!("a message of type `{kind}` has no usable id"))?;
        if kind == "system" {
            let notice = content::label(json::text(message, "/system/type").unwrap_or("unknown"));
            return Err(format!("system notice `{notice}` is not a customer's message"));
        }
        if message.get("group_id").is_some_and(|group| !group.is_null()) {
            return Err("messages in groups are not read here".to_owned());
        }
        let (phone, user) = (json::text(message, "/from"), json::text(message, "/from_user_id"));
        let address = phone.or(user).filter(|address| is_address(address));
        let address = address.ok_or_else(|| format!("a message of type `{kind}` has no usable sender"))?;
        let name = phone.into_iter().chain(user).find_map(|key| names.get(key));
        let content = content::read(&kind, message);
        Ok(InboundMessage {
            provider_id: id.to_owned(),
            sender: Sender { address: address.to_owned(), name: name.map(|name| (*name).to_owned()) },
            sent_at: self.at(message),
            text: content.text,
            parts: content.parts,
            reply_to: content.reply_to,
        })
    }

    fn status(&self, status: &Value) -> Result<Receipt, String> {
        let said = json::text(status, "/status").unwrap_or("unknown");
        let state = match said {
            "sent" => DeliveryState::Sent,
            "delivered" => DeliveryState::Delivered,
            // A voice message that was played was opened before.
            "read" | "played" => DeliveryState::Read,
            "failed" => DeliveryState::Failed,
            _ => return Err(format!("a status is `{}`, which says nothing of delivery", content::label(said))),
        };
        let id = json::text(status, "/id").filter(|id| id.len() <= ID_LENGTH);
        let id = id.ok_or_else(|| format!("a status `{said}` does not say of which message"))?;
        let address = json::text(status, "/recipient_id").or_else(|| json::text(status, "/recipient_user_id"));
        let reason = (state == DeliveryState::Failed).then(|| {
            let error = json::array(status, "/errors").first();
            error.map_or_else(|| "WhatsApp could not deliver it and does not say why".to_owned(), judge::explain)
        });
        Ok(Receipt {
            provider_id: id.to_owned(),
            address: address.unwrap_or_default().to_owned(),
            state,
            at: self.at(status),
            reason,
        })
    }

    /// When the platform says it was: seconds, as a text; never later than now.
    fn at(&self, element: &Value) -> Option<Timestamp> {
        let seconds = json::number(element, "/timestamp").filter(|seconds| *seconds > 0)?;
        Some(Timestamp::from_ms(seconds.checked_mul(1_000)?).min(self.now))
    }
}

/// The names on the profiles that came along, by phone number and by user id.
fn names(value: &Value) -> BTreeMap<&str, &str> {
    let mut names = BTreeMap::new();
    for contact in json::array(value, "/contacts") {
        if let Some(name) = json::text(contact, "/profile/name") {
            let keys = [json::text(contact, "/wa_id"), json::text(contact, "/user_id")];
            names.extend(keys.into_iter().flatten().map(|key| (key, name)));
        }
    }
    names
}

/// Whether it can be written to: a phone number, or a business-scoped user id.
fn is_address(text: &str) -> bool {
    text.len() <= 160 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-_".contains(&byte))
}
