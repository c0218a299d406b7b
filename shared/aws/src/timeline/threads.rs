//! What is kept beside a conversation: its thread, the permanent guard against duplicates, and refusals.

use colloquy_domain::{ContactId, ConversationId, InboxId, Thread, TurnId};

use super::Timeline;
use crate::{
    StoreError, keys,
    table::{Attributes as _, Item, Written, is_expired, n, number, parsed, s, text},
};

/// How long a refusal can be asked for, in seconds.
const REFUSAL_KEPT_S: i64 = 24 * 3600;

/// A thread's running conversation and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadItem {
    /// The conversation a customer's next message goes to.
    pub conversation: ConversationId,
    /// The keyed hash of the customer's address.
    pub identity: String,
    /// The customer.
    pub contact: ContactId,
    /// The inbox the thread runs on.
    pub inbox: InboxId,
}

/// What the guard says of a customer's turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guarded {
    /// Never seen: it has the conversation and number it was offered.
    New,
    /// Seen before, however long ago.
    Known {
        /// The conversation it was given.
        conversation: ConversationId,
        /// The first number it was given.
        seq: u64,
    },
}

/// Why a turn was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: String,
    /// For people; without personal data, since it is not sealed.
    pub detail: String,
}

impl Timeline {
    /// The thread's running conversation.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn thread(&self, thread: &Thread) -> Result<Option<ThreadItem>, StoreError> {
        let Some(item) = self.table.get(&keys::thread(thread)).await? else { return Ok(None) };
        Ok(Some(ThreadItem {
            conversation: parsed(&item, "conversation")?,
            identity: text(&item, "identity")?.to_owned(),
            contact: parsed(&item, "contact")?,
            inbox: parsed(&item, "inbox")?,
        }))
    }

    /// Makes this the thread's running conversation, unless a newer one is: ids sort by their time.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_thread(&self, thread: &Thread, item: &ThreadItem) -> Result<(), StoreError> {
        let attributes = Item::new()
            .and("conversation", s(item.conversation.as_str()))
            .and("identity", s(&item.identity))
            .and("contact", s(item.contact.as_str()))
            .and("inbox", s(item.inbox.as_str()));
        let condition = "attribute_not_exists(pk) OR conversation <= :new";
        let new = Item::from([(":new".to_owned(), s(item.conversation.as_str()))]);
        self.table.put_if(&keys::thread(thread), attributes, condition, new).await.map(drop)
    }

    /// Gives a customer's turn this conversation and number unless it has one already; one round trip.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn guard(
        &self,
        thread: &Thread,
        turn: &TurnId,
        conversation: &ConversationId,
        seq: u64,
    ) -> Result<Guarded, StoreError> {
        let item = Item::new().and("conversation", s(conversation.as_str())).and("seq", n(seq));
        match self.table.put_new(&keys::guard(thread, turn), item).await? {
            Written::Now => Ok(Guarded::New),
            Written::Kept(item) => read_guard(&item),
        }
    }

    /// What the guard says of a customer's turn, without giving it anything.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn guarded(&self, thread: &Thread, turn: &TurnId) -> Result<Guarded, StoreError> {
        match self.table.get(&keys::guard(thread, turn)).await? {
            Some(item) => read_guard(&item),
            None => Ok(Guarded::New),
        }
    }

    /// Gives a guarded turn another conversation and number, since another turn took those it had. False when it no
    /// longer has `from`.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn reguard(
        &self,
        thread: &Thread,
        turn: &TurnId,
        from: (&ConversationId, u64),
        to: (&ConversationId, u64),
    ) -> Result<bool, StoreError> {
        let item = Item::new().and("conversation", s(to.0.as_str())).and("seq", n(to.1));
        let values = Item::new().and(":conversation", s(from.0.as_str())).and(":seq", n(from.1));
        let condition = "conversation = :conversation AND seq = :seq";
        let written = self.table.put_if(&keys::guard(thread, turn), item, condition, values).await?;
        Ok(matches!(written, Written::Now))
    }

    /// Keeps for a day why a turn was refused.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_refusal(
        &self,
        conversation: &ConversationId,
        turn: &TurnId,
        refusal: &Refusal,
    ) -> Result<(), StoreError> {
        let item = Item::new()
            .and("code", s(&refusal.code))
            .and("message", s(&refusal.detail))
            .and("expires", n(self.table.now().seconds() + REFUSAL_KEPT_S));
        self.table.put(&keys::refusal(conversation, turn), item).await
    }

    /// Why a turn was refused, if it was within the last day.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn refusal(&self, conversation: &ConversationId, turn: &TurnId) -> Result<Option<Refusal>, StoreError> {
        let item = self.table.get(&keys::refusal(conversation, turn)).await?;
        let Some(item) = item.filter(|item| !is_expired(item, self.table.now())) else { return Ok(None) };
        Ok(Some(Refusal { code: text(&item, "code")?.to_owned(), detail: text(&item, "message")?.to_owned() }))
    }
}

fn read_guard(item: &Item) -> Result<Guarded, StoreError> {
    Ok(Guarded::Known { conversation: parsed(item, "conversation")?, seq: number(item, "seq")? })
}
