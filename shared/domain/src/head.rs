//! What is true of a conversation now: the fold of its entries.
//!
//! Nothing is in a head that its entries do not say; [`Head::apply`] is the only thing that changes one.

mod fold;

use serde::{Deserialize, Serialize};

use crate::{AgentId, Author, Channel, ContactId, ConversationId, InboxId, QueueId, Thread, Timestamp, TurnId};

/// Where an episode stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The bot answers.
    Bot,
    /// It waits for an agent.
    Queued,
    /// An agent has it.
    Open,
    /// Set aside until later.
    Snoozed,
    /// Ended.
    Resolved,
}

/// Who has the conversation. Exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Holder {
    /// The machine that answers first.
    Bot,
    /// Waiting work.
    Queue {
        /// Which queue.
        queue: QueueId,
    },
    /// A person.
    Agent {
        /// Who.
        agent: AgentId,
    },
    /// Nobody.
    Nobody,
}

/// A standing offer to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// To whom.
    pub agent: AgentId,
    /// Until when.
    pub until: Timestamp,
}

/// What is true of a conversation now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The conversation.
    pub id: ConversationId,
    /// Its thread.
    pub thread: Thread,
    /// The inbox.
    pub inbox: InboxId,
    /// The channel.
    pub channel: Channel,
    /// The customer.
    pub contact: ContactId,
    /// The keyed hash of the customer's address; its key seals the timeline.
    pub identity: String,
    /// The customer's name, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The number of the last entry; also the version.
    pub seq: u64,
    /// The running episode, from 1.
    pub episode: u32,
    /// Where it stands.
    pub status: Status,
    /// Who has it.
    pub holder: Holder,
    /// Rises with each change of holder.
    pub lease: u32,
    /// When the episode began.
    pub opened_at: Timestamp,
    /// When the last entry was committed.
    pub updated_at: Timestamp,
    /// When holder or status last changed.
    pub since: Timestamp,
    /// When the customer began to wait for people in this queueing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<Timestamp>,
    /// Since when people owe the first answer of this episode: its last handoff before one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited_at: Option<Timestamp>,
    /// When the episode ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// When the customer last wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_at: Option<Timestamp>,
    /// When a person first answered in this episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_reply_at: Option<Timestamp>,
    /// The number of the last message a person sent; 0 for none. The bot does not speak after it unasked.
    #[serde(default)]
    pub agent_seq: u64,
    /// Messages of ours since the customer last wrote.
    #[serde(default)]
    pub replies: u32,
    /// The customer's messages that no person has answered.
    #[serde(default)]
    pub unread: u32,
    /// The customer's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The beginning of the last message that a person wrote; the bot's only until one did.
    #[serde(default)]
    pub preview: String,
    /// Whose words the preview shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_by: Option<Author>,
    /// The standing offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Agents who let an offer of this queueing pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<AgentId>,
    /// When silence ends the episode: a person spoke last and the customer has not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_at: Option<Timestamp>,
    /// The earliest wake-up under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<Timestamp>,
    /// The keys of the last remembered turns, short, latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<String>,
    /// A turn accepted before this may have left `recent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgot: Option<Timestamp>,
}

impl Head {
    /// The next moment at which something falls due by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        [self.offer.as_ref().map(|offer| offer.until), self.silent_at].into_iter().flatten().min()
    }

    /// Whether a turn with this key was taken lately.
    #[must_use]
    pub fn remembers(&self, key: &TurnId) -> bool {
        self.recent.iter().any(|known| known == short(key))
    }

    /// Whether a turn accepted at `at` is old enough to have been forgotten.
    #[must_use]
    pub fn may_have_forgotten(&self, at: Timestamp) -> bool {
        self.forgot.is_some_and(|forgot| at <= forgot)
    }

    /// The agent who holds it, if one does.
    #[must_use]
    pub const fn agent(&self) -> Option<&AgentId> {
        match &self.holder {
            Holder::Agent { agent } => Some(agent),
            Holder::Bot | Holder::Queue { .. } | Holder::Nobody => None,
        }
    }
}

/// The last 4 characters of a turn's key: 20 bits. Two alike only cost a look at the timeline, which has whole keys.
fn short(key: &TurnId) -> &str {
    let text = key.as_str();
    &text[text.len().saturating_sub(4)..]
}
