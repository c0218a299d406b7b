//! SQS queues: sealed bodies under the day's transit key, explicit deduplication, batches that retry what failed.
//!
//! Groups and deduplication ids are given by callers and must be ids or keyed hashes, since SQS keeps them in the clear.
//! Receiving and deleting is Lambda's work.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use crate::{Clients, Place, StoreError, Vault, vault::is_day};

/// The largest body a queue carries, in bytes.
pub const BODY_MAX: usize = 200 * 1024;
/// The most SQS takes in one batch: entries, and bytes of all bodies with room for the rest.
const BATCH: usize = 10;
const BATCH_BYTES: usize = 1_000_000;
/// How often a batch sends again what was not taken.
const ROUNDS: usize = 3;
const VERSION: u32 = 1;

/// One message for a FIFO queue.
#[derive(Clone, Debug)]
pub struct Outgoing<T> {
    /// Messages of a group are received in order, one batch at a time.
    pub group: String,
    /// The same id within five minutes counts as the same message.
    pub dedup: String,
    /// What it says.
    pub body: T,
}

#[derive(Serialize, Deserialize)]
struct Body {
    v: u32,
    key: String,
    sealed: String,
}

/// One queue.
#[derive(Clone)]
pub struct Queue {
    clients: Clients,
    vault: Vault,
    url: String,
    place: Place,
}

impl Queue {
    /// The queue at this URL.
    #[must_use]
    pub fn new(clients: &Clients, vault: &Vault, url: impl Into<String>) -> Self {
        let url = url.into();
        let place = Place::queue(name_of(&url));
        Self { clients: clients.clone(), vault: vault.clone(), url, place }
    }

    /// Sends a message to a FIFO queue.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the body is too large; [`StoreError::Unavailable`] when SQS did not take it.
    pub async fn send<T: Serialize + Sync>(&self, group: &str, dedup: &str, body: &T) -> Result<(), StoreError> {
        let body = self.seal(body).await?;
        let sent = self.clients.sqs.send_message().queue_url(&self.url).message_body(body);
        let sent = sent.message_group_id(group).message_deduplication_id(dedup).send().await;
        sent.map(drop).map_err(|error| StoreError::of("SendMessage", &error))
    }

    /// Sends a message to a standard queue, to be received after `delay_s` seconds, at most 900.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the body is too large; [`StoreError::Unavailable`] when SQS did not take it.
    pub async fn send_standard<T: Serialize + Sync>(&self, body: &T, delay_s: u32) -> Result<(), StoreError> {
        let body = self.seal(body).await?;
        let sent = self.clients.sqs.send_message().queue_url(&self.url).message_body(body);
        let delay_s = i32::try_from(delay_s.min(900)).unwrap_or(900);
        let sent = if delay_s > 0 { sent.delay_seconds(delay_s) } else { sent };
        sent.send().await.map(drop).map_err(|error| StoreError::of("SendMessage", &error))
    }

    /// Sends messages to a FIFO queue, ten at a time, and again those that were not taken.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when a body is too large, before anything is sent; [`StoreError::Unavailable`] when SQS
    /// did not take all of them: some may have been.
    pub async fn send_batch<T: Serialize + Sync>(&self, messages: &[Outgoing<T>]) -> Result<(), StoreError> {
        let mut entries = Vec::with_capacity(messages.len());
        for (at, message) in messages.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .message_body(self.seal(&message.body).await?)
                .message_group_id(&message.group)
                .message_deduplication_id(&message.dedup)
                .build();
            entries.push(entry.map_err(|_| StoreError::Invalid("SendMessageBatch: request not built".to_owned()))?);
        }
        while !entries.is_empty() {
            let rest = entries.split_off(batch_length(&entries));
            self.send_entries(std::mem::replace(&mut entries, rest)).await?;
        }
        Ok(())
    }

    /// Lets a message that was received be received again after `seconds`, at most 12 hours.
    ///
    /// # Errors
    /// When SQS cannot be reached or the receipt is no longer good.
    pub async fn defer(&self, receipt_handle: &str, seconds: u32) -> Result<(), StoreError> {
        let seconds = i32::try_from(seconds.min(43_200)).unwrap_or(43_200);
        let sent = self.clients.sqs.change_message_visibility().queue_url(&self.url).receipt_handle(receipt_handle);
        let sent = sent.visibility_timeout(seconds).send().await;
        sent.map(drop).map_err(|error| StoreError::of("ChangeMessageVisibility", &error))
    }

    /// Opens a body received from this queue.
    ///
    /// # Errors
    /// See [`open`].
    pub async fn open<T: DeserializeOwned>(&self, body: &str) -> Result<T, StoreError> {
        open_at(&self.vault, &self.place, body).await
    }

    async fn send_entries(&self, mut entries: Vec<SendMessageBatchRequestEntry>) -> Result<(), StoreError> {
        for _ in 0..ROUNDS {
            let sent = self.clients.sqs.send_message_batch().queue_url(&self.url).set_entries(Some(entries.clone()));
            let answer = sent.send().await.map_err(|error| StoreError::of("SendMessageBatch", &error))?;
            if let Some(refused) = answer.failed.iter().find(|failed| failed.sender_fault) {
                return Err(StoreError::Invalid(format!("SendMessageBatch: {}", refused.code)));
            }
            entries.retain(|entry| answer.failed.iter().any(|failed| failed.id == entry.id));
            if entries.is_empty() {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable("SendMessageBatch: messages not taken".to_owned()))
    }

    async fn seal<T: Serialize + Sync>(&self, body: &T) -> Result<String, StoreError> {
        let json = serde_json::to_vec(body).map_err(|_| StoreError::Invalid("a message is not JSON".to_owned()))?;
        let (day, key) = self.vault.transit().await?;
        let body = Body { v: VERSION, key: day, sealed: STANDARD.encode(key.seal(&self.place, &json)) };
        let body = serde_json::to_string(&body).map_err(|_| StoreError::Invalid("a message is not JSON".to_owned()))?;
        if body.len() > BODY_MAX {
            let size = body.len();
            return Err(StoreError::Invalid(format!("a message of {size} bytes is over the limit of {BODY_MAX}")));
        }
        Ok(body)
    }
}

/// Opens a body received from the queue with this ARN, URL or name.
///
/// # Errors
/// [`StoreError::Erased`] when the day's key was destroyed; [`StoreError::Corrupt`] when the body was changed, comes
/// from another queue, or says something else than a `T`; otherwise when the keys cannot be reached.
pub async fn open<T: DeserializeOwned>(vault: &Vault, queue: &str, body: &str) -> Result<T, StoreError> {
    open_at(vault, &Place::queue(name_of(queue)), body).await
}

async fn open_at<T: DeserializeOwned>(vault: &Vault, place: &Place, body: &str) -> Result<T, StoreError> {
    let corrupt = || StoreError::corrupt("a message");
    let body: Body = serde_json::from_str(body).map_err(|_| corrupt())?;
    if body.v != VERSION || !is_day(&body.key) {
        return Err(corrupt());
    }
    let key = vault.transit_of(&body.key).await?.ok_or(StoreError::Erased)?;
    let json = key.open(place, &STANDARD.decode(&body.sealed).map_err(|_| corrupt())?)?;
    serde_json::from_slice(&json).map_err(|_| corrupt())
}

/// A queue's name: the last part of its URL or ARN.
fn name_of(queue: &str) -> &str {
    queue.rsplit(['/', ':']).next().unwrap_or(queue)
}

/// How many of the entries, in order, fit one batch; at least one.
fn batch_length(entries: &[SendMessageBatchRequestEntry]) -> usize {
    let mut bytes = 0;
    let fits = |entry: &&SendMessageBatchRequestEntry| {
        bytes += entry.message_body.len();
        bytes <= BATCH_BYTES
    };
    entries.iter().take(BATCH).take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: usize, size: usize) -> Vec<SendMessageBatchRequestEntry> {
        let entry =
            |at: usize| SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body("x".repeat(size));
        (0..count).map(|at| entry(at).build().unwrap()).collect()
    }

    #[test]
    fn a_queue_has_one_name_in_its_url_and_its_arn() {
        assert_eq!(name_of("https://sqs.us-east-1.amazonaws.com/000000000000/turns.fifo"), "turns.fifo");
        assert_eq!(name_of("arn:aws:sqs:us-east-1:000000000000:turns.fifo"), "turns.fifo");
        assert_eq!(name_of("turns.fifo"), "turns.fifo");
    }

    #[test]
    fn a_batch_keeps_to_ten_messages_and_a_million_bytes() {
        assert_eq!(batch_length(&entries(25, 1_000)), 10);
        assert_eq!(batch_length(&entries(10, BODY_MAX)), 4);
        assert_eq!(batch_length(&entries(3, 1_000)), 3);
    }
}
