//! One command to a conversation, and what a decision asks of the others.

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, Channel, ContactId, ConversationId, Entry, InboundMessage, InboxId, QueueId, Thread, Timestamp, TurnId,
    Understanding,
};

/// One command to a conversation: a message received, an agent's act, a timer, a routing decision, an answer from
/// outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// What makes a repeated turn the same turn.
    pub key: TurnId,
    /// When it was accepted.
    pub at: Timestamp,
    /// The thread whose conversation it is for.
    pub thread: Thread,
    /// The conversation, when the sender knows it; a customer's message goes to the thread's current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// The connection to tell when it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// What to do.
    pub command: Command,
}

/// What a turn asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "most turns are messages received, and a turn is never in a crowd")]
pub enum Command {
    /// Take in what a customer wrote.
    Receive {
        /// The inbox written to.
        inbox: InboxId,
        /// Its channel.
        channel: Channel,
        /// The keyed hash of the sender's address.
        identity: String,
        /// The contact, once resolved; before that the id a new one would get.
        contact: ContactId,
        /// The message.
        message: InboundMessage,
        /// What `nlp` read in it.
        understanding: Understanding,
    },
    /// Say this to the customer.
    Say {
        /// Who speaks.
        agent: AgentId,
        /// The words.
        text: String,
        /// The client's key.
        key: String,
    },
    /// Say this to colleagues.
    Note {
        /// Who.
        agent: AgentId,
        /// The words.
        text: String,
        /// The client's key.
        key: String,
    },
    /// Offer it to this agent, whose slot is taken already.
    Offer {
        /// To whom.
        agent: AgentId,
        /// The queue it was waiting in.
        queue: QueueId,
        /// The lease routing saw; another one now means that things have changed.
        lease: u32,
        /// Until when the offer stands.
        until: Timestamp,
        /// Whether the agent's profile accepts at once.
        accepted: bool,
    },
    /// Accept the standing offer.
    Accept {
        /// Who.
        agent: AgentId,
    },
    /// Decline the standing offer.
    Decline {
        /// Who.
        agent: AgentId,
    },
    /// Give it to this agent.
    Assign {
        /// To whom.
        agent: AgentId,
        /// Who says so.
        by: AgentId,
        /// Whether they may do so whoever holds it.
        supervisor: bool,
    },
    /// Pass it to a queue.
    Transfer {
        /// To which.
        queue: QueueId,
        /// Who says so.
        by: AgentId,
        /// Whether they may do so whoever holds it.
        supervisor: bool,
    },
    /// Give it back to the bot.
    Return {
        /// Who says so.
        by: AgentId,
        /// Whether they may do so whoever holds it.
        supervisor: bool,
    },
    /// End the episode.
    Resolve {
        /// Who says so.
        by: AgentId,
        /// Whether they may do so whoever holds it.
        supervisor: bool,
        /// The outcome.
        disposition: Option<String>,
    },
    /// Go on with a resolved episode.
    Reopen {
        /// Who says so.
        by: AgentId,
    },
    /// A timer fired: see what is due.
    Wake,
    /// A message of ours did not arrive, or it cannot be known.
    Undelivered {
        /// The number of its entry.
        message: u64,
        /// The attempt.
        attempt: u32,
        /// Whether it may have arrived all the same.
        unknown: bool,
        /// Why.
        reason: String,
    },
    /// Send a message again.
    Retry {
        /// The number of its entry.
        message: u64,
        /// The new attempt.
        attempt: u32,
        /// Who says so.
        by: AgentId,
    },
}

impl Command {
    /// Whether its key must be remembered to know it again. A customer's message has its permanent guard; offers
    /// and timers are known by what they find.
    #[must_use]
    pub const fn is_remembered(&self) -> bool {
        !matches!(self, Self::Receive { .. } | Self::Offer { .. } | Self::Wake)
    }

    /// The key the sender's client gave its words, when it did.
    #[must_use]
    pub fn client_key(&self) -> Option<&str> {
        match self {
            Self::Say { key, .. } | Self::Note { key, .. } => Some(key),
            _ => None,
        }
    }

    /// The agent whose act this is, if it is one.
    #[must_use]
    pub const fn actor(&self) -> Option<&AgentId> {
        match self {
            Self::Say { agent, .. } | Self::Note { agent, .. } | Self::Accept { agent } | Self::Decline { agent } => {
                Some(agent)
            }
            Self::Assign { by, .. }
            | Self::Transfer { by, .. }
            | Self::Return { by, .. }
            | Self::Resolve { by, .. }
            | Self::Reopen { by }
            | Self::Retry { by, .. } => Some(by),
            Self::Receive { .. } | Self::Offer { .. } | Self::Wake | Self::Undelivered { .. } => None,
        }
    }
}

/// What a decision asks of the others; stored with the entries, sent again when the turn is tried again. Every
/// receiver does it once however often it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Effect {
    /// Send this message to the channel.
    Deliver {
        /// The number of its entry.
        message: u64,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// Find an agent.
    Seek {
        /// In this queue.
        queue: QueueId,
        /// Waiting since.
        since: Timestamp,
        /// The lease at this moment.
        lease: u32,
        /// Agents who had their chance.
        not: Vec<AgentId>,
    },
    /// It does not wait in this queue any more.
    Withdraw {
        /// Which.
        queue: QueueId,
        /// Waiting since.
        since: Timestamp,
    },
    /// Count it among the agent's conversations.
    Hold {
        /// Whose.
        agent: AgentId,
    },
    /// Count it no longer among the agent's conversations.
    Release {
        /// Whose.
        agent: AgentId,
    },
    /// The same, and the agent is away: an offer went unanswered.
    Lapse {
        /// Whose.
        agent: AgentId,
    },
    /// See what is due at this time.
    Wake {
        /// When.
        at: Timestamp,
    },
}

/// A turn as it is kept, whole, in one item: what was decided, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Committed {
    /// The turn's key.
    pub key: TurnId,
    /// Whether the head remembers its key.
    pub remembered: bool,
    /// What was written.
    pub entries: Vec<Entry>,
    /// What was asked of the others.
    pub effects: Vec<Effect>,
}
