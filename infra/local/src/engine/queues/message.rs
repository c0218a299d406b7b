//! A message, its checksums, and the two shapes it is read in: SQS's own and Lambda's event record.
//!
//! It deliberately knows nothing of queues.

use std::{collections::BTreeMap, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::engine::REGION;

/// What turns a row into the 20 digits of a sequence number.
const SEQUENCE_OFFSET: u128 = 18_849_496_460_000_000_000;

/// An attribute a sender gave a message; the binary value is base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attribute {
    pub(super) data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) string_value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) binary_value: Option<String>,
}

pub(super) type Attributes = BTreeMap<String, Attribute>;

/// Where a message is in its life on a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    Delayed,
    InFlight,
}

/// A message on a queue.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Its place among all messages of the engine.
    pub(super) row: u64,
    pub(super) id: String,
    pub(super) body: String,
    pub(super) md5: String,
    pub(super) attributes: Attributes,
    pub(super) trace: Option<String>,
    pub(super) group: Option<String>,
    pub(super) deduplication: Option<String>,
    pub(super) sent_ms: i64,
    pub(super) receives: u32,
    pub(super) first_receive_ms: Option<i64>,
    /// The dead-letter queue's source, once it was moved there.
    pub(super) source: Option<String>,
    pub(super) state: State,
    /// When it is next visible, unless it is ready.
    pub(super) visible_ms: i64,
    /// What the last receipt handle says, so that older ones are known to be stale.
    pub(super) receipt: Option<u64>,
}

impl Message {
    pub(super) fn sequence_number(&self) -> String {
        sequence_number(self.row)
    }

    /// What SQS says about the message, all of it.
    pub(super) fn system_attributes(&self, fifo: bool) -> Map<String, Value> {
        let mut attributes = Map::new();
        let mut show = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                attributes.insert(name.to_owned(), Value::String(value));
            }
        };
        show("ApproximateReceiveCount", Some(self.receives.to_string()));
        show("SentTimestamp", Some(self.sent_ms.to_string()));
        show("SenderId", Some("AIDALOCAL".to_owned()));
        show("ApproximateFirstReceiveTimestamp", self.first_receive_ms.map(|ms| ms.to_string()));
        show("MessageGroupId", self.group.clone());
        if fifo {
            show("SequenceNumber", Some(self.sequence_number()));
            show("MessageDeduplicationId", self.deduplication.clone());
        }
        show("AWSTraceHeader", self.trace.clone());
        show("DeadLetterQueueSourceArn", self.source.clone());
        attributes
    }

    /// The record a function triggered by the queue gets.
    pub(super) fn record(&self, queue_arn: &str, fifo: bool, handle: &str) -> Value {
        let attributes: Map<String, Value> = self
            .attributes
            .iter()
            .map(|(name, attribute)| {
                let mut shown = json!({
                    "stringListValues": [], "binaryListValues": [], "dataType": attribute.data_type,
                });
                if let Some(value) = &attribute.string_value {
                    shown["stringValue"] = json!(value);
                }
                if let Some(value) = &attribute.binary_value {
                    shown["binaryValue"] = json!(value);
                }
                (name.clone(), shown)
            })
            .collect();
        let mut record = json!({
            "messageId": self.id,
            "receiptHandle": handle,
            "body": self.body,
            "attributes": self.system_attributes(fifo),
            "messageAttributes": attributes,
            "md5OfBody": self.md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": REGION,
        });
        if !self.attributes.is_empty() {
            record["md5OfMessageAttributes"] = json!(md5_of_attributes(&self.attributes));
        }
        record
    }
}

pub(super) fn sequence_number(row: u64) -> String {
    (SEQUENCE_OFFSET + u128::from(row)).to_string()
}

/// How much a message counts against the size limits: its body and its attributes' names, types and values.
pub(super) fn size_bytes(body: &str, attributes: &Attributes) -> usize {
    let attribute = |(name, attribute): (&String, &Attribute)| {
        let binary = attribute.binary_value.as_ref().map_or(0, |value| value.len() / 4 * 3);
        name.len() + attribute.data_type.len() + attribute.string_value.as_ref().map_or(0, String::len) + binary
    };
    body.len() + attributes.iter().map(attribute).sum::<usize>()
}

pub(super) fn md5_of(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// The checksum over attributes that SQS documents: in order of name, each part with its length.
pub(super) fn md5_of_attributes(attributes: &Attributes) -> String {
    let mut hasher = Md5::new();
    let part = |hasher: &mut Md5, bytes: &[u8]| {
        hasher.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        hasher.update(bytes);
    };
    for (name, attribute) in attributes {
        part(&mut hasher, name.as_bytes());
        part(&mut hasher, attribute.data_type.as_bytes());
        if let Some(value) = &attribute.string_value {
            hasher.update([1]);
            part(&mut hasher, value.as_bytes());
        } else {
            let value = attribute.binary_value.as_deref().unwrap_or_default();
            hasher.update([2]);
            part(&mut hasher, &STANDARD.decode(value).unwrap_or_default());
        }
    }
    hex(&hasher.finalize())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_aws_documents() {
        assert_eq!(md5_of(b"This is a test message"), "fafb00f5732ab283681e124bf8747ed1");
        let attribute = |kind: &str, value: &str| Attribute {
            data_type: kind.to_owned(),
            string_value: Some(value.to_owned()),
            binary_value: None,
        };
        let attributes = BTreeMap::from([("timestamp".to_owned(), attribute("Number", "1493147359900"))]);
        assert_eq!(md5_of_attributes(&attributes), "235c5c510d26fb653d073faed50ae77c");
    }
}
