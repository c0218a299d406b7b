//! What travels on the queues, beside [`crate::Turn`]; sealed by whoever sends it.

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, Author, Channel, ConversationId, InboundMessage, InboxId, QueueId, Receipt, Thread, Timestamp, TurnId,
};

/// A customer's message on its way from the webhook to `nlp`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// The key of the turn it becomes: a keyed hash of inbox and provider's id.
    pub key: TurnId,
    /// When it was accepted.
    pub at: Timestamp,
    /// Where it belongs.
    pub thread: Thread,
    /// The inbox written to.
    pub inbox: InboxId,
    /// Its channel.
    pub channel: Channel,
    /// The keyed hash of the sender's address.
    pub identity: String,
    /// What was written.
    pub message: InboundMessage,
}

/// Work for `route`. `Settle` is grouped by agent, everything else by queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Routing {
    /// Find an agent for it.
    Seek {
        /// What waits.
        conversation: ConversationId,
        /// Its thread.
        thread: Thread,
        /// Where.
        queue: QueueId,
        /// Since when.
        since: Timestamp,
        /// The lease then; another one now means that things have changed.
        lease: u32,
        /// Agents who had their chance.
        not: Vec<AgentId>,
    },
    /// It waits no more.
    Withdraw {
        /// What waited.
        conversation: ConversationId,
        /// Where.
        queue: QueueId,
        /// Since when.
        since: Timestamp,
    },
    /// An agent of this queue can take more: see who waits.
    Drain {
        /// The queue.
        queue: QueueId,
        /// An agent who has just come back: what they let pass before is offered to them again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        returning: Option<AgentId>,
    },
    /// Tell the queue's members that its list changed.
    Refresh {
        /// The queue.
        queue: QueueId,
    },
    /// Make the agent's slots say what the conversation's head says.
    Settle {
        /// Whose.
        agent: AgentId,
        /// Which conversation.
        conversation: ConversationId,
        /// Whether the agent let an offer lapse, and so counts as away.
        lapsed: bool,
    },
}

impl Routing {
    /// The message group: work of one queue, or on one agent's slots, is done in order.
    #[must_use]
    pub fn group(&self) -> &str {
        match self {
            Self::Seek { queue, .. }
            | Self::Withdraw { queue, .. }
            | Self::Drain { queue, .. }
            | Self::Refresh { queue } => queue.as_str(),
            Self::Settle { agent, .. } => agent.as_str(),
        }
    }
}

/// A message of ours on its way to a channel's API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its thread.
    pub thread: Thread,
    /// The inbox to send from.
    pub inbox: InboxId,
    /// Its channel.
    pub channel: Channel,
    /// Whose address to send to.
    pub identity: String,
    /// The number of the message's entry.
    pub message: u64,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Who speaks: a bot's message is withheld once a person has spoken after it.
    pub author: Author,
    /// The words.
    pub text: String,
}

/// A platform's word on one of our messages, on its way to `deliver`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The inbox it came in by.
    pub inbox: InboxId,
    /// When it was accepted.
    pub at: Timestamp,
    /// What it says.
    pub about: Confirmed,
}

/// Which messages a confirmation is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Confirmed {
    /// The one the platform names.
    Receipt(Receipt),
    /// Every message up to this entry: a visitor has seen them.
    Seen {
        /// The conversation.
        conversation: ConversationId,
        /// The number of the last entry seen.
        seq: u64,
    },
}

/// What comes back from the `timers` queue at its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Timer {
    /// A conversation is to look what is due.
    Wake {
        /// When.
        at: Timestamp,
        /// Its thread.
        thread: Thread,
        /// Which.
        conversation: ConversationId,
    },
    /// A queue's members are to be told that its list changed.
    Refresh {
        /// Which.
        queue: QueueId,
    },
}
