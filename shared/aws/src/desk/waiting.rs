//! Who waits in each queue, the longest first.
//!
//! A conversation waits in a queue at most once: a second item under its id says since when, so that it can be found
//! without knowing that.

use colloquy_domain::{AgentId, ConversationId, QueueId, Thread, Timestamp};

use super::Desk;
use crate::{
    StoreError,
    keys::{self, WAITING_PREFIX},
    table::{Attributes as _, Item, n, number, page, parsed, s, set},
};

/// A conversation that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub conversation: ConversationId,
    /// Its thread.
    pub thread: Thread,
    /// Since when.
    pub since: Timestamp,
    /// Its lease when it began to wait; another one now means that it waits no longer.
    pub lease: u32,
    /// Agents who had their chance.
    pub not: Vec<AgentId>,
}

impl Desk {
    /// Lets a conversation wait in a queue; one that waits there already waits as said now.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_waiting(&self, queue: &QueueId, waiting: &Waiting) -> Result<(), StoreError> {
        let id = &waiting.conversation;
        let place = keys::waiting_place(queue, id);
        if let Some(since) = self.waiting_since(queue, id).await?.filter(|since| *since != waiting.since) {
            self.table.delete(&keys::waiting(queue, since, id)).await?;
        }
        self.table.put(&place, Item::new().and("since", s(waiting.since.to_string()))).await?;
        let not: Vec<String> = waiting.not.iter().map(ToString::to_string).collect();
        let not = (!not.is_empty()).then_some(aws_sdk_dynamodb::types::AttributeValue::Ss(not));
        let item = Item::new()
            .and("conversation", s(id.as_str()))
            .and("thread", s(waiting.thread.as_str()))
            .and("since", s(waiting.since.to_string()))
            .and("lease", n(waiting.lease))
            .and_some("not", not);
        self.table.put(&keys::waiting(queue, waiting.since, id), item).await
    }

    /// Lets a conversation wait no longer in a queue, unless it came to wait there after `since`: a withdrawal told
    /// again says nothing of a later queueing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn remove_waiting(
        &self,
        queue: &QueueId,
        conversation: &ConversationId,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let place = self.waiting_since(queue, conversation).await?;
        let Some(since) = place.filter(|place| *place <= since) else { return Ok(()) };
        self.table.delete(&keys::waiting(queue, since, conversation)).await?;
        self.table.delete(&keys::waiting_place(queue, conversation)).await
    }

    /// Those who wait longest in a queue, at most `limit`.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn first_waiting(&self, queue: &QueueId, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        let query = self.table.query(&keys::queue_pk(queue), WAITING_PREFIX);
        let (items, _) = page(query.limit(i32::try_from(limit.clamp(1, 1_000)).unwrap_or(1_000))).await?;
        items.iter().map(read).collect()
    }

    async fn waiting_since(
        &self,
        queue: &QueueId,
        conversation: &ConversationId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let item = self.table.get(&keys::waiting_place(queue, conversation)).await?;
        item.map(|item| parsed(&item, "since")).transpose()
    }
}

fn read(item: &Item) -> Result<Waiting, StoreError> {
    let not = set(item, "not").iter().map(|agent| agent.parse()).collect::<Result<_, _>>();
    Ok(Waiting {
        conversation: parsed(item, "conversation")?,
        thread: parsed(item, "thread")?,
        since: parsed(item, "since")?,
        lease: number(item, "lease")?,
        not: not.map_err(|_| StoreError::corrupt("a waiting place"))?,
    })
}
