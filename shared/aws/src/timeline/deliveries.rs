//! How far each sent message got: a lattice whose rise is a condition on the write, so that receipts may come in any
//! order and any number of times.
//!
//! Reasons are not sealed: they must hold no personal data.

use colloquy_domain::{ConversationId, Delivery, DeliveryState, Thread};

use super::Timeline;
use crate::{
    StoreError, keys,
    table::{Attributes as _, Item, Written, n, number, optional, pages, parsed, s, text},
};

const STATES: [DeliveryState; 7] = [
    DeliveryState::Queued,
    DeliveryState::Sending,
    DeliveryState::Sent,
    DeliveryState::Delivered,
    DeliveryState::Read,
    DeliveryState::Failed,
    DeliveryState::Unknown,
];

/// What became of news about a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Raised {
    /// It stands so now.
    Now(Delivery),
    /// It was further along, or on a later attempt; as it stands.
    Kept(Delivery),
}

/// Whether a message may be sent now.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// It is ours to send.
    Mine,
    /// It was sent or given up, or a later attempt runs; as it stands.
    Settled(Delivery),
    /// Someone began to send it and did not say how it ended.
    InDoubt,
}

/// Which message of ours a platform's id means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its conversation.
    pub conversation: ConversationId,
    /// The number of its entry.
    pub seq: u64,
    /// The attempt.
    pub attempt: u32,
    /// The conversation's thread.
    pub thread: Thread,
    /// The identity it was sent to.
    pub identity: String,
}

impl Timeline {
    /// How far a message got.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delivery(&self, conversation: &ConversationId, seq: u64) -> Result<Option<Delivery>, StoreError> {
        let item = self.table.get(&keys::delivery(conversation, seq)).await?;
        item.as_ref().map(|item| read(seq, item)).transpose()
    }

    /// How far each message of a conversation got, in order.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn deliveries(&self, conversation: &ConversationId) -> Result<Vec<Delivery>, StoreError> {
        let query = self.table.query(&keys::conversation(conversation), keys::DELIVERY_PREFIX);
        let items = pages(query, usize::MAX).await?;
        items.iter().map(|item| read(seq_of(item)?, item)).collect()
    }

    /// Takes in news of a message: a state further along on the same attempt, or a later attempt, replaces what is
    /// there.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn raise(&self, conversation: &ConversationId, news: &Delivery) -> Result<Raised, StoreError> {
        let lower: Vec<_> = STATES.into_iter().filter(|state| state.rises_to(news.state)).collect();
        match self.put_delivery(conversation, news, &lower, None).await? {
            Written::Now => Ok(Raised::Now(news.clone())),
            Written::Kept(item) => read(news.seq, &item).map(Raised::Kept),
        }
    }

    /// Begins to send a message, unless it was begun. A claim whose answer was lost is made again, and known by its
    /// mark: nothing has been sent under it yet.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn claim(&self, conversation: &ConversationId, seq: u64, attempt: u32) -> Result<Claim, StoreError> {
        let mark = u64::from_ne_bytes(self.table.clients().random());
        let mut written = self.try_claim(conversation, seq, attempt, mark).await;
        if let Err(StoreError::Unavailable(_)) = written {
            written = self.try_claim(conversation, seq, attempt, mark).await;
        }
        let Written::Kept(item) = written? else { return Ok(Claim::Mine) };
        let found = read(seq, &item)?;
        Ok(if found.attempt != attempt || found.state != DeliveryState::Sending {
            Claim::Settled(found)
        } else if optional(&item, "mark")? == Some(mark) {
            Claim::Mine
        } else {
            Claim::InDoubt
        })
    }

    async fn try_claim(
        &self,
        conversation: &ConversationId,
        seq: u64,
        attempt: u32,
        mark: u64,
    ) -> Result<Written, StoreError> {
        let sending = self.delivery_now(seq, DeliveryState::Sending, attempt);
        self.put_delivery(conversation, &sending, &[DeliveryState::Queued], Some(mark)).await
    }

    /// Gives back a message that was begun and certainly not taken, so that it can be claimed again. False when it is
    /// not being sent.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn release(&self, conversation: &ConversationId, seq: u64, attempt: u32) -> Result<bool, StoreError> {
        let queued = self.delivery_now(seq, DeliveryState::Queued, attempt);
        let condition = "attempt = :attempt AND #state = :sending";
        let update = self
            .table
            .update(&keys::delivery(conversation, seq), "SET #state = :state, #at = :at")
            .condition_expression(condition)
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":state", s(name(queued.state)))
            .expression_attribute_values(":at", s(queued.at.to_string()))
            .expression_attribute_values(":attempt", n(attempt))
            .expression_attribute_values(":sending", s(name(DeliveryState::Sending)));
        Ok(matches!(self.table.run(update).await?, Written::Now))
    }

    /// Remembers which message of ours a platform's id means; `hash` is the vault's of the id.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_provider_id(&self, hash: &str, sent: &Sent) -> Result<(), StoreError> {
        let item = Item::new()
            .and("conversation", s(sent.conversation.as_str()))
            .and("seq", n(sent.seq))
            .and("attempt", n(sent.attempt))
            .and("thread", s(sent.thread.as_str()))
            .and("identity", s(&sent.identity));
        self.table.put(&keys::provider_id(hash), item).await
    }

    /// Which message of ours a platform's id means.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn provider_id(&self, hash: &str) -> Result<Option<Sent>, StoreError> {
        let Some(item) = self.table.get(&keys::provider_id(hash)).await? else { return Ok(None) };
        Ok(Some(Sent {
            conversation: parsed(&item, "conversation")?,
            seq: number(&item, "seq")?,
            attempt: number(&item, "attempt")?,
            thread: parsed(&item, "thread")?,
            identity: text(&item, "identity")?.to_owned(),
        }))
    }

    fn delivery_now(&self, seq: u64, state: DeliveryState, attempt: u32) -> Delivery {
        Delivery { seq, state, at: self.table.now(), attempt, reason: None }
    }

    /// Writes a delivery if there is none, an earlier attempt, or this attempt in one of the states `over`; `mark` is
    /// the claim's, when it is one.
    async fn put_delivery(
        &self,
        conversation: &ConversationId,
        delivery: &Delivery,
        over: &[DeliveryState],
        mark: Option<u64>,
    ) -> Result<Written, StoreError> {
        let mut set = "SET #state = :state, #at = :at, attempt = :attempt".to_owned();
        set.push_str(if mark.is_some() { ", mark = :mark" } else { "" });
        set.push_str(if delivery.reason.is_some() { ", reason = :reason" } else { " REMOVE reason" });
        let mut condition = "attribute_not_exists(pk) OR attempt < :attempt".to_owned();
        if !over.is_empty() {
            let places: Vec<String> = (0..over.len()).map(|at| format!(":over{at}")).collect();
            condition.push_str(&format!(" OR (attempt = :attempt AND #state IN ({}))", places.join(", ")));
        }
        let mut update = self
            .table
            .update(&keys::delivery(conversation, delivery.seq), &set)
            .condition_expression(condition)
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":state", s(name(delivery.state)))
            .expression_attribute_values(":at", s(delivery.at.to_string()))
            .expression_attribute_values(":attempt", n(delivery.attempt));
        if let Some(mark) = mark {
            update = update.expression_attribute_values(":mark", s(mark.to_string()));
        }
        if let Some(reason) = &delivery.reason {
            update = update.expression_attribute_values(":reason", s(reason));
        }
        for (at, state) in over.iter().enumerate() {
            update = update.expression_attribute_values(format!(":over{at}"), s(name(*state)));
        }
        self.table.run(update).await
    }
}

const fn name(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "queued",
        DeliveryState::Sending => "sending",
        DeliveryState::Sent => "sent",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Read => "read",
        DeliveryState::Failed => "failed",
        DeliveryState::Unknown => "unknown",
    }
}

fn seq_of(item: &Item) -> Result<u64, StoreError> {
    let number = text(item, "sk")?.strip_prefix(keys::DELIVERY_PREFIX).and_then(|text| text.parse().ok());
    number.ok_or_else(|| StoreError::corrupt("a delivery"))
}

fn read(seq: u64, item: &Item) -> Result<Delivery, StoreError> {
    let state = text(item, "state")?;
    let state = STATES.into_iter().find(|known| name(*known) == state);
    Ok(Delivery {
        seq,
        state: state.ok_or_else(|| StoreError::corrupt("a delivery"))?,
        at: parsed(item, "at")?,
        attempt: number(item, "attempt")?,
        reason: optional(item, "reason")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_stored_by_its_name_in_the_api() {
        for state in STATES {
            assert_eq!(serde_json::to_value(state).unwrap(), name(state));
        }
    }
}
