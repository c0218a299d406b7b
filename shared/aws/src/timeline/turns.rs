//! Turn items: what was committed, sealed, one item a turn, keyed by its first number.
//!
//! An item is written once and never changed.

use std::sync::Arc;

use colloquy_domain::{Committed, ConversationId, Entry, TurnId};

use super::Timeline;
use crate::{
    Key, Place, StoreError,
    keys::{self, CONVERSATIONS, ItemKey},
    table::{Attributes as _, Item, Written, b, bytes, page, pages, s, text},
};

/// What became of a turn's item.
#[derive(Clone, Debug, PartialEq)]
pub enum PutTurn {
    /// It is there now.
    New,
    /// A turn is there already: this one, when it has the same key, or another.
    Taken(Committed),
}

impl Timeline {
    /// Writes a turn at its first number unless one is there. `facts` is what the reports count, without personal
    /// data: it is not sealed.
    ///
    /// # Errors
    /// When the tables cannot be reached, or what is there cannot be read.
    pub async fn put_turn(
        &self,
        conversation: &ConversationId,
        identity: &str,
        first_seq: u64,
        committed: &Committed,
        facts: &str,
    ) -> Result<PutTurn, StoreError> {
        let at = keys::turn(conversation, first_seq);
        let key = self.vault.identity(identity).await?;
        let item = Item::new()
            .and("key", s(committed.key.as_str()))
            .and("sealed", b(key.seal_json(&place(&at), committed)?))
            .and("facts", s(facts));
        match self.table.put_new(&at, item).await? {
            Written::Now => Ok(PutTurn::New),
            Written::Kept(item) => open(&key, &at, &item).map(PutTurn::Taken),
        }
    }

    /// The turn whose first number this is.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when it is there but its key is not; otherwise when the tables cannot be reached.
    pub async fn turn_at(
        &self,
        conversation: &ConversationId,
        identity: &str,
        first_seq: u64,
    ) -> Result<Option<Committed>, StoreError> {
        let at = keys::turn(conversation, first_seq);
        let Some(item) = self.table.get(&at).await? else { return Ok(None) };
        open(&*self.key(identity).await?, &at, &item).map(Some)
    }

    /// The turn with this key, found by going through the conversation from its end.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when it is there but its key is not; otherwise when the tables cannot be reached.
    pub async fn find_turn(
        &self,
        conversation: &ConversationId,
        identity: &str,
        turn: &TurnId,
    ) -> Result<Option<Committed>, StoreError> {
        let query = self.table.query(&keys::conversation(conversation), keys::TURN_PREFIX);
        let query = query
            .scan_index_forward(false)
            .filter_expression("#key = :key")
            .expression_attribute_names("#key", "key")
            .expression_attribute_values(":key", s(turn.as_str()));
        let Some(item) = pages(query, 1).await?.into_iter().next() else { return Ok(None) };
        self.read(identity, &item).await.map(Some)
    }

    /// The entry with this number.
    ///
    /// # Errors
    /// See [`Timeline::entries`].
    pub async fn entry(
        &self,
        conversation: &ConversationId,
        identity: &str,
        seq: u64,
    ) -> Result<Option<Entry>, StoreError> {
        let found = self.entries(conversation, identity, seq.saturating_sub(1), 1).await?;
        Ok(found.into_iter().find(|entry| entry.seq == seq))
    }

    /// The entries after number `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when they are there but their key is not; otherwise when the tables cannot be reached.
    pub async fn entries(
        &self,
        conversation: &ConversationId,
        identity: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        if limit == 0 {
            return Ok(entries);
        }
        let pk = keys::conversation(conversation);
        let first = self.turn_holding(&pk, after.saturating_add(1)).await?;
        let query = self.table.query_between(&pk, &first, &keys::turn_sk(keys::LAST_SEQ));
        // One more than wanted, since the first item may end before what is wanted begins.
        let query = query.limit(i32::try_from(limit.min(1_000)).unwrap_or(1_000) + 1);
        let mut from = None;
        let mut key = None;
        loop {
            let (items, next) = page(query.clone().set_exclusive_start_key(from)).await?;
            for item in &items {
                let key = match &key {
                    Some(key) => key,
                    None => key.insert(self.key(identity).await?),
                };
                let at = ItemKey::new(text(item, "pk")?, text(item, "sk")?);
                entries.extend(open(key, &at, item)?.entries.into_iter().filter(|entry| entry.seq > after));
            }
            if entries.len() >= limit || next.is_none() {
                entries.truncate(limit);
                return Ok(entries);
            }
            from = next;
        }
    }

    /// The sort key of the turn that holds entry `seq`: the last one beginning at or before it.
    async fn turn_holding(&self, pk: &str, seq: u64) -> Result<String, StoreError> {
        let [first, last] = [1, seq].map(keys::turn_sk);
        if seq <= 1 {
            return Ok(first);
        }
        let query = self.table.query_between(pk, &first, &last).scan_index_forward(false).limit(1);
        let (items, _) = page(query.projection_expression("sk")).await?;
        items.first().map_or(Ok(first), |item| text(item, "sk").map(str::to_owned))
    }

    async fn read(&self, identity: &str, item: &Item) -> Result<Committed, StoreError> {
        let at = ItemKey::new(text(item, "pk")?, text(item, "sk")?);
        open(&*self.key(identity).await?, &at, item)
    }

    pub(super) async fn key(&self, identity: &str) -> Result<Arc<Key>, StoreError> {
        self.vault.existing_identity(identity).await?.ok_or(StoreError::Erased)
    }
}

fn place(at: &ItemKey) -> Place {
    Place::item(CONVERSATIONS, at, "sealed")
}

fn open(key: &Key, at: &ItemKey, item: &Item) -> Result<Committed, StoreError> {
    key.open_json(&place(at), bytes(item, "sealed")?, "a turn")
}
