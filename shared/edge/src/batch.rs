//! SQS batches: each message on its own, a FIFO group in order and stopped at its first failure.
//!
//! One bad message never blocks another group's, and what failed is named so that only it comes again.

use std::{collections::BTreeMap, future::Future};

use colloquy_domain::Timestamp;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tracing::{error, warn};

use crate::Failure;

/// One message of a queue.
#[derive(Debug, Clone)]
pub struct Record {
    /// SQS's id of it.
    pub id: String,
    /// The body.
    pub body: String,
    /// Its group, on a FIFO queue.
    pub group: Option<String>,
    /// How often it has been received, this time included.
    pub receives: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// What names this receipt of it.
    pub receipt: String,
    /// The queue's name.
    pub queue: String,
}

impl Record {
    fn read(record: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let attributes = &record["attributes"];
        let number = |name: &str| attributes[name].as_str().and_then(|value| value.parse::<i64>().ok()).unwrap_or(0);
        Self {
            id: text(&record["messageId"]),
            body: text(&record["body"]),
            group: attributes["MessageGroupId"].as_str().map(str::to_owned),
            receives: u32::try_from(number("ApproximateReceiveCount")).unwrap_or(1),
            sent_at: Timestamp::from_ms(number("SentTimestamp")),
            receipt: text(&record["receiptHandle"]),
            queue: record["eventSourceARN"]
                .as_str()
                .and_then(|arn| arn.rsplit(':').next())
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

/// Hands each message to `handle`: groups side by side, within a group one after the other, stopping at the first
/// that fails. Answers which are to come again.
pub async fn each<F, Done>(event: &Value, handle: F) -> Value
where
    F: Fn(Record) -> Done,
    Done: Future<Output = Result<(), Failure>>,
{
    let mut groups: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for record in event["Records"].as_array().into_iter().flatten().map(Record::read) {
        // On a standard queue each message is a group of its own.
        let group = record.group.clone().unwrap_or_else(|| record.id.clone());
        groups.entry(group).or_default().push(record);
    }
    let failed = join_all(groups.into_values().map(|records| one_group(records, &handle))).await.concat();
    json!({"batchItemFailures": failed.into_iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()})
}

async fn one_group<F, Done>(records: Vec<Record>, handle: &F) -> Vec<String>
where
    F: Fn(Record) -> Done,
    Done: Future<Output = Result<(), Failure>>,
{
    let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    for (at, record) in records.into_iter().enumerate() {
        let (id, receives) = (record.id.clone(), record.receives);
        if let Err(failure) = handle(record).await {
            match &failure {
                Failure::Unavailable(_) | Failure::Conflict(_) => {
                    warn!(message.id = %id, receives, error = %failure, "message will come again");
                }
                _ => error!(message.id = %id, receives, error = %failure, "message failed"),
            }
            return ids[at..].to_vec();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(messages: &[(&str, Option<&str>)]) -> Value {
        let records: Vec<Value> = messages
            .iter()
            .map(|(id, group)| json!({"messageId": id, "body": id, "attributes": {"MessageGroupId": group}}))
            .collect();
        json!({ "Records": records })
    }

    async fn failures(event: &Value, bad: &str) -> Vec<String> {
        let answer = each(
            event,
            async |record: Record| {
                if record.body == bad { Err(Failure::Internal("bad".to_owned())) } else { Ok(()) }
            },
        )
        .await;
        let failed = answer["batchItemFailures"].as_array().unwrap();
        failed.iter().map(|item| item["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn a_failed_message_stops_its_group_and_no_other() {
        let event = event(&[("a1", Some("a")), ("b1", Some("b")), ("a2", Some("a")), ("a3", Some("a"))]);
        assert_eq!(failures(&event, "a2").await, ["a2", "a3"]);
        assert!(failures(&event, "none").await.is_empty());
    }

    #[tokio::test]
    async fn messages_of_a_standard_queue_fail_alone() {
        let event = event(&[("x", None), ("y", None)]);
        assert_eq!(failures(&event, "x").await, ["x"]);
    }
}
