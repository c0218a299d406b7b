//! One numbered line of the timeline: a message, a note, or what happened.
//!
//! Entries are facts in the past tense; whatever else is known of a conversation derives from them.

use serde::{Deserialize, Serialize};

use crate::{AgentId, Author, Channel, ContactId, Holder, InboxId, Part, QueueId, Thread, Timestamp, Understanding};

/// A line of the timeline. Numbers run 1, 2, 3 … without gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// When it was committed.
    pub at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub what: What,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum What {
    /// Someone wrote to the other side.
    #[serde(rename = "message")]
    Message(Message),
    /// An agent wrote to colleagues.
    #[serde(rename = "note")]
    Note {
        /// Who.
        agent: AgentId,
        /// The words.
        text: String,
        /// The key the agent's client gave it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// An episode began.
    #[serde(rename = "conversation.opened")]
    Opened {
        /// Its number within the conversation, from 1.
        episode: u32,
        /// Where it runs.
        thread: Thread,
        /// The inbox written to.
        inbox: InboxId,
        /// Its channel.
        channel: Channel,
        /// Who writes.
        contact: ContactId,
        /// The contact's identity: the keyed hash of their address, whose key seals this timeline.
        identity: String,
        /// The name the channel showed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// The bot handed the conversation to people.
    #[serde(rename = "conversation.handed_off")]
    HandedOff {
        /// To whom.
        queue: QueueId,
        /// Why.
        reason: HandoffReason,
    },
    /// Routing offered it to an agent.
    #[serde(rename = "conversation.offered")]
    Offered {
        /// To whom.
        agent: AgentId,
        /// Until when the offer stands.
        until: Timestamp,
    },
    /// The agent did not answer the offer in time.
    #[serde(rename = "offer.expired")]
    OfferExpired {
        /// Who.
        agent: AgentId,
    },
    /// The agent declined the offer.
    #[serde(rename = "offer.declined")]
    OfferDeclined {
        /// Who.
        agent: AgentId,
    },
    /// An agent holds it now.
    #[serde(rename = "conversation.assigned")]
    Assigned {
        /// Who.
        agent: AgentId,
        /// How it came to them.
        by: Assigned,
    },
    /// It was passed on, or given back to the bot.
    #[serde(rename = "conversation.transferred")]
    Transferred {
        /// By whom.
        by: AgentId,
        /// To whom.
        to: Holder,
    },
    /// The episode ended.
    #[serde(rename = "conversation.resolved")]
    Resolved {
        /// By whom or what.
        by: ResolvedBy,
        /// The outcome chosen at the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        disposition: Option<String>,
    },
    /// A resolved episode goes on.
    #[serde(rename = "conversation.reopened")]
    Reopened {
        /// By whom; they hold it again.
        by: AgentId,
    },
    /// A message of ours did not arrive.
    #[serde(rename = "delivery.failed")]
    DeliveryFailed {
        /// The number of the message's entry.
        message: u64,
        /// The attempt that failed.
        attempt: u32,
        /// Why, in words an agent can use.
        reason: String,
    },
    /// Whether a message of ours arrived cannot be known.
    #[serde(rename = "delivery.unknown")]
    DeliveryUnknown {
        /// The number of the message's entry.
        message: u64,
        /// The attempt in doubt.
        attempt: u32,
        /// Why.
        reason: String,
    },
    /// An agent asked to send a message again.
    #[serde(rename = "delivery.retried")]
    DeliveryRetried {
        /// The number of the message's entry.
        message: u64,
        /// The new attempt.
        attempt: u32,
        /// By whom.
        by: AgentId,
    },
}

/// What one side wrote to the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub author: Author,
    /// The agent who speaks, when one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// The words.
    #[serde(default)]
    pub text: String,
    /// What came with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// What `nlp` read in it; the contact's messages only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub understanding: Option<Understanding>,
    /// The key the sender's client gave it, so that it knows its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// How a conversation came to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assigned {
    /// They accepted routing's offer.
    Offer,
    /// They took it themselves.
    Taken,
    /// A colleague or supervisor gave it to them.
    Given(AgentId),
}

/// Why the bot handed a conversation to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffReason {
    /// The bot has no answer to this.
    NoAnswer,
    /// The customer asked for a person.
    Requested,
}

/// Who or what ended an episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResolvedBy {
    /// An agent.
    Agent(AgentId),
    /// The customer did not answer any more.
    Silence,
}

impl What {
    /// Whether the customer may see this entry.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self, Self::Message(_) | Self::Assigned { .. } | Self::Resolved { .. })
    }
}

impl Entry {
    /// The entry as a visitor sees it: without what `nlp` read, who assigned whom, and other inner facts.
    #[must_use]
    pub fn for_visitor(&self) -> Option<Self> {
        let what = match &self.what {
            What::Message(message) => What::Message(Message { understanding: None, ..message.clone() }),
            What::Assigned { agent, .. } => What::Assigned { agent: agent.clone(), by: Assigned::Taken },
            What::Resolved { by, .. } => What::Resolved { by: by.clone(), disposition: None },
            _ => return None,
        };
        Some(Self { what, ..self.clone() })
    }
}
