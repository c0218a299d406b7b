//! SQS's operations on messages over the wire: the JSON protocol the SDKs speak.
//!
//! It deliberately keeps each entry of a batch its own success or failure, as SQS does.

use std::{collections::BTreeSet, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Queues,
    exchange::Delivered,
    message::{Attributes, md5_of_attributes},
    outgoing::{Outgoing, Sent},
    refusal::{JSON, Refusal},
    spec::{LARGEST_MESSAGE_BYTES, name_of},
};
use crate::engine::http::Answer;

/// The most entries of a batch, and messages of a receive.
const BATCH: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<T> {
    #[serde(default = "Vec::new")]
    entries: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Handle {
    #[serde(default)]
    id: Option<String>,
    receipt_handle: String,
    #[serde(default)]
    visibility_timeout: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receive {
    #[serde(default = "one")]
    max_number_of_messages: i64,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

impl Queues {
    pub(crate) async fn answer(&self, operation: &str, body: &[u8]) -> Answer {
        match self.run(operation, body).await {
            Ok(answer) => Answer::json(JSON, 200, answer),
            Err(refusal) => refusal.answer(),
        }
    }

    async fn run(&self, operation: &str, body: &[u8]) -> Result<Value, Refusal> {
        let request: Value = parse(body)?;
        let queue = name_of(request["QueueUrl"].as_str().unwrap_or_default()).to_owned();
        match operation {
            "SendMessage" => self.send_one(&queue, body),
            "SendMessageBatch" => self.send_batch(&queue, body),
            "ReceiveMessage" => self.receive_waiting(&queue, parse(body)?).await,
            "DeleteMessage" | "ChangeMessageVisibility" => {
                let handle: Handle = parse(body)?;
                let answers = self.settle(operation, &queue, std::slice::from_ref(&handle))?;
                self.count(operation, &queue, 0);
                answers.into_iter().collect::<Result<Vec<()>, _>>().map(|_| json!({}))
            }
            "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => self.settle_batch(operation, &queue, body),
            _ => {
                self.count(operation, &queue, 0);
                self.operate(operation, &queue, &request)
            }
        }
    }

    fn send_one(&self, queue: &str, body: &[u8]) -> Result<Value, Refusal> {
        let outgoing: Outgoing = parse(body)?;
        self.count("SendMessage", queue, outgoing.size_bytes());
        let mut answers = self.send(queue, vec![outgoing])?;
        answers.pop().unwrap_or_else(|| Err(Refusal::missing("MessageBody"))).map(|sent| show_sent(&sent))
    }

    fn send_batch(&self, queue: &str, body: &[u8]) -> Result<Value, Refusal> {
        let batch: Batch<Outgoing> = parse(body)?;
        let ids = check_batch(batch.entries.iter().map(|entry| entry.id.as_deref()))?;
        let size = batch.entries.iter().map(Outgoing::size_bytes).sum::<usize>();
        if size > LARGEST_MESSAGE_BYTES {
            let message = format!(
                "Batch requests cannot be longer than {LARGEST_MESSAGE_BYTES} bytes. You have sent {size} bytes."
            );
            let code = "AWS.SimpleQueueService.BatchRequestTooLong";
            return Err(Refusal::new("BatchRequestTooLong", code, message));
        }
        self.count("SendMessageBatch", queue, size);
        let answers = self.send(queue, batch.entries)?;
        Ok(show_batch(&ids, answers.into_iter().map(|answer| answer.map(|sent| show_sent(&sent)))))
    }

    /// Deletes or hides by receipt handle.
    fn settle(&self, operation: &str, queue: &str, handles: &[Handle]) -> Result<Vec<Result<(), Refusal>>, Refusal> {
        if operation.starts_with("Delete") {
            let handles: Vec<String> = handles.iter().map(|handle| handle.receipt_handle.clone()).collect();
            return self.remove(queue, &handles);
        }
        let change = |handle: &Handle| (handle.receipt_handle.clone(), handle.visibility_timeout.saturating_mul(1000));
        self.hide(queue, &handles.iter().map(change).collect::<Vec<_>>())
    }

    fn settle_batch(&self, operation: &str, queue: &str, body: &[u8]) -> Result<Value, Refusal> {
        let batch: Batch<Handle> = parse(body)?;
        let ids = check_batch(batch.entries.iter().map(|entry| entry.id.as_deref()))?;
        self.count(operation, queue, 0);
        let answers = self.settle(operation, queue, &batch.entries)?;
        Ok(show_batch(&ids, answers.into_iter().map(|answer| answer.map(|()| json!({})))))
    }

    /// Receives, waiting for the first message as long as the request or the queue says.
    async fn receive_waiting(&self, queue: &str, ask: Receive) -> Result<Value, Refusal> {
        let max = usize::try_from(ask.max_number_of_messages).unwrap_or(0);
        if !(1..=BATCH).contains(&max) {
            let reason = "Must be between 1 and 10, if provided.";
            return Err(Refusal::value(&ask.max_number_of_messages.to_string(), "MaxNumberOfMessages", reason));
        }
        check_range(ask.visibility_timeout, "VisibilityTimeout", 43_200)?;
        check_range(ask.wait_time_seconds, "WaitTimeSeconds", 20)?;
        let spec = self.spec(queue).ok_or_else(|| Refusal::no_queue(queue))?;
        let hidden_ms = ask.visibility_timeout.map(|seconds| seconds * 1000);
        let wait_ms = ask.wait_time_seconds.unwrap_or(spec.wait_s) * 1000;
        let delivered = self.take_within(queue, max, hidden_ms, wait_ms).await?;
        let size = delivered.iter().map(|delivered| delivered.message.body.len()).sum();
        self.count("ReceiveMessage", queue, size);
        if delivered.is_empty() {
            return Ok(json!({}));
        }
        let shown: Vec<Value> = delivered.iter().map(|delivered| ask.show(delivered, spec.is_fifo())).collect();
        Ok(json!({ "Messages": shown }))
    }

    async fn take_within(
        &self,
        queue: &str,
        max: usize,
        hidden_ms: Option<i64>,
        wait_ms: i64,
    ) -> Result<Vec<Delivered>, Refusal> {
        let deadline_ms = self.now_ms() + wait_ms;
        // A virtual clock may stand still; the request ends by the runtime's clock all the same.
        let mut patience = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
        let wake = self.wake(queue)?;
        loop {
            let notified = wake.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            let (delivered, next_ms) = self.take(queue, max, hidden_ms)?;
            if !delivered.is_empty() || patience.is_zero() || self.now_ms() >= deadline_ms {
                return Ok(delivered);
            }
            let nap = self.until(next_ms.map_or(deadline_ms, |next_ms| next_ms.min(deadline_ms))).min(patience);
            tokio::select! {
                () = notified => {}
                () = tokio::time::sleep(nap) => patience = patience.saturating_sub(nap),
            }
        }
    }
}

impl Receive {
    /// A message with the attributes that were asked for.
    fn show(&self, delivered: &Delivered, fifo: bool) -> Value {
        let message = &delivered.message;
        let mut shown = json!({
            "MessageId": message.id,
            "ReceiptHandle": delivered.handle,
            "MD5OfBody": message.md5,
            "Body": message.body,
        });
        let asked: Vec<&String> = self.attribute_names.iter().chain(&self.message_system_attribute_names).collect();
        let wanted = |name: &String| asked.iter().any(|asked| *asked == "All" || *asked == name);
        let system: Map<String, Value> =
            message.system_attributes(fifo).into_iter().filter(|(name, _)| wanted(name)).collect();
        if !system.is_empty() {
            shown["Attributes"] = Value::Object(system);
        }
        let own: Attributes = message
            .attributes
            .iter()
            .filter(|(name, _)| self.message_attribute_names.iter().any(|asked| matches_attribute(asked, name)))
            .map(|(name, attribute)| (name.clone(), attribute.clone()))
            .collect();
        if !own.is_empty() {
            shown["MD5OfMessageAttributes"] = json!(md5_of_attributes(&own));
            shown["MessageAttributes"] = json!(own);
        }
        shown
    }
}

/// `All`, a name, or a prefix before `.*`.
fn matches_attribute(asked: &str, name: &str) -> bool {
    asked == "All" || asked == name || asked.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix))
}

fn check_range(value: Option<i64>, parameter: &str, most: i64) -> Result<(), Refusal> {
    match value {
        Some(value) if !(0..=most).contains(&value) => {
            Err(Refusal::value(&value.to_string(), parameter, &format!("must be 0 to {most}")))
        }
        _ => Ok(()),
    }
}

/// The ids of a batch's entries, each there, valid and used once.
fn check_batch<'a>(ids: impl ExactSizeIterator<Item = Option<&'a str>>) -> Result<Vec<String>, Refusal> {
    let count = ids.len();
    if count == 0 {
        let message = "There should be at least one entry in the request.";
        return Err(Refusal::new("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", message));
    }
    if count > BATCH {
        let message = format!("Maximum number of entries per request are {BATCH}. You have sent {count}.");
        let code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
        return Err(Refusal::new("TooManyEntriesInBatchRequest", code, message));
    }
    let ids: Vec<String> = ids.map(|id| id.unwrap_or_default().to_owned()).collect();
    let valid = |id: &String| {
        (1..=80).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    if !ids.iter().all(valid) {
        let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
        return Err(Refusal::new("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", message));
    }
    if ids.iter().collect::<BTreeSet<_>>().len() < count {
        let message = "Two or more batch entries in the request have the same Id.";
        let code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct";
        return Err(Refusal::new("BatchEntryIdsNotDistinct", code, message));
    }
    Ok(ids)
}

fn show_sent(sent: &Sent) -> Value {
    let mut shown = json!({ "MessageId": sent.id, "MD5OfMessageBody": sent.md5 });
    if let Some(md5) = &sent.md5_of_attributes {
        shown["MD5OfMessageAttributes"] = json!(md5);
    }
    if let Some(number) = &sent.sequence_number {
        shown["SequenceNumber"] = json!(number);
    }
    shown
}

fn show_batch(ids: &[String], answers: impl Iterator<Item = Result<Value, Refusal>>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, answer) in ids.iter().zip(answers) {
        match answer {
            Ok(mut entry) => {
                entry["Id"] = json!(id);
                successful.push(entry);
            }
            Err(refusal) => {
                let sender = refusal.code != "InternalError";
                failed.push(json!({
                    "Id": id, "SenderFault": sender, "Code": refusal.code, "Message": refusal.message,
                }));
            }
        }
    }
    json!({ "Successful": successful, "Failed": failed })
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::new("SerializationException", "SerializationException", error.to_string()))
}

const fn one() -> i64 {
    1
}
