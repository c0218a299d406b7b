//! A message as a sender hands it in, and what its queue demands of it.
//!
//! It deliberately does not know whether the message was accepted before.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    message::{Attribute, Attributes, Message, State, hex, md5_of, md5_of_attributes, size_bytes},
    queue::Queue,
    refusal::Refusal,
};
use crate::engine::random_id;

/// What a sender hands in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Outgoing {
    pub(super) id: Option<String>,
    pub(super) message_body: String,
    pub(super) delay_seconds: Option<i64>,
    pub(super) message_attributes: Attributes,
    pub(super) message_system_attributes: BTreeMap<String, Attribute>,
    pub(super) message_deduplication_id: Option<String>,
    pub(super) message_group_id: Option<String>,
}

/// What a sender is told.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) md5: String,
    pub(super) md5_of_attributes: Option<String>,
    pub(super) sequence_number: Option<String>,
}

impl Sent {
    pub(super) fn of(message: &Message, fifo: bool) -> Self {
        Self {
            id: message.id.clone(),
            md5: message.md5.clone(),
            md5_of_attributes: (!message.attributes.is_empty()).then(|| md5_of_attributes(&message.attributes)),
            sequence_number: fifo.then(|| message.sequence_number()),
        }
    }
}

impl Outgoing {
    pub(super) fn size_bytes(&self) -> usize {
        size_bytes(&self.message_body, &self.message_attributes)
    }

    /// Checks the message against its queue, and fills in what the queue adds.
    pub(super) fn into_message(mut self, queue: &Queue, row: u64, now_ms: i64) -> Result<Message, Refusal> {
        let spec = &queue.spec;
        if self.message_body.is_empty() {
            return Err(Refusal::missing("MessageBody"));
        }
        if self.size_bytes() > spec.maximum_bytes {
            let message = format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {} bytes.",
                spec.maximum_bytes
            );
            return Err(Refusal::new("InvalidParameterValueException", "InvalidParameterValue", message));
        }
        let allowed = |char: char| matches!(char, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        if !self.message_body.chars().all(allowed) {
            let message = "The message contains characters outside the allowed set.";
            return Err(Refusal::new("InvalidMessageContents", "InvalidMessageContents", message));
        }
        if self.message_attributes.len() > 10 {
            return Err(Refusal::value("MessageAttributes", "MessageAttributes", "more than 10 attributes"));
        }
        self.check_order(queue)?;
        let delay_s = self.delay_seconds.unwrap_or(spec.delay_s);
        Ok(Message {
            row,
            id: random_id(),
            md5: md5_of(self.message_body.as_bytes()),
            body: self.message_body,
            attributes: self.message_attributes,
            trace: self.message_system_attributes.remove("AWSTraceHeader").and_then(|trace| trace.string_value),
            group: self.message_group_id,
            deduplication: self.message_deduplication_id,
            sent_ms: now_ms,
            receives: 0,
            first_receive_ms: None,
            source: None,
            state: if delay_s > 0 { State::Delayed } else { State::Ready },
            visible_ms: now_ms + delay_s * 1000,
            receipt: None,
        })
    }

    /// What a FIFO queue demands and a standard one forbids, and the other way round.
    fn check_order(&mut self, queue: &Queue) -> Result<(), Refusal> {
        let other_type = "The request include parameter that is not valid for this queue type";
        if !queue.spec.is_fifo() {
            if let Some(id) = &self.message_deduplication_id {
                return Err(Refusal::value(id, "MessageDeduplicationId", other_type));
            }
            return match self.delay_seconds {
                Some(delay) if !(0..=900).contains(&delay) => {
                    Err(Refusal::value(&delay.to_string(), "DelaySeconds", "must be 0 to 900"))
                }
                _ => Ok(()),
            };
        }
        if let Some(delay) = self.delay_seconds {
            return Err(Refusal::value(&delay.to_string(), "DelaySeconds", other_type));
        }
        let group = self.message_group_id.as_deref().ok_or_else(|| Refusal::missing("MessageGroupId"))?;
        check_id(group, "MessageGroupId")?;
        match &self.message_deduplication_id {
            Some(id) => check_id(id, "MessageDeduplicationId"),
            None if queue.spec.content_based_deduplication => {
                let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.message_body.as_bytes());
                self.message_deduplication_id = Some(hex(hash.as_ref()));
                Ok(())
            }
            None => {
                let message = "The queue should either have ContentBasedDeduplication enabled or \
                               MessageDeduplicationId provided explicitly";
                Err(Refusal::new("InvalidParameterValueException", "InvalidParameterValue", message))
            }
        }
    }
}

fn check_id(id: &str, parameter: &str) -> Result<(), Refusal> {
    let printable = id.bytes().all(|byte| byte.is_ascii_graphic());
    if (1..=128).contains(&id.len()) && printable {
        return Ok(());
    }
    Err(Refusal::value(id, parameter, "must be 1 to 128 alphanumeric or punctuation characters"))
}
