//! A conversation's rules: head, turn and time in; entries and effects out.
//!
//! Deciding is all that happens here. Committing, once, and asking the others is `converse`'s work.

mod agents;
mod contact;
mod machine;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AgentId, Command, Committed, ConversationId, Effect, Entry, Head, Holder, QueueId, Timestamp, Turn, What};

/// How long after its end a conversation goes on when the customer writes again.
pub const RESUMES_WITHIN: Duration = Duration::from_secs(72 * 3600);

/// What the surroundings say to a decision.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Where conversations of this inbox wait for people.
    pub queue: Option<QueueId>,
    /// Whether another conversation has taken this one's place on the thread.
    pub superseded: bool,
}

/// What a turn comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// These entries are written; the head becomes this.
    Commit {
        /// The head after the turn.
        head: Box<Head>,
        /// What is stored.
        committed: Committed,
    },
    /// Nothing is written; these effects put right what was expected of the turn.
    Nothing(Vec<Effect>),
}

/// Why a turn is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", content = "detail", rename_all = "snake_case")]
pub enum Refusal {
    /// Another agent has it.
    #[error("{0} has this conversation; ask them or a supervisor to pass it on")]
    HeldByOther(AgentId),
    /// It has ended.
    #[error("this conversation is resolved")]
    AlreadyResolved,
    /// It has not ended.
    #[error("this conversation is not resolved")]
    NotResolved,
    /// There is no such offer any more.
    #[error("this offer does not stand any more")]
    NoOffer,
    /// The customer has begun a newer conversation on the same thread.
    #[error("the customer has begun a newer conversation; go on there")]
    Superseded,
    /// The channel does not let us write now; why, and what would work.
    #[error("{0}")]
    MayNotWrite(String),
    /// There is no such conversation.
    #[error("there is no such conversation")]
    NoConversation,
    /// There is no such message of ours.
    #[error("there is no such message of ours")]
    NoMessage,
}

impl Refusal {
    /// The refusal's name in answers and events.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::HeldByOther(_) => "held_by_other",
            Self::AlreadyResolved => "already_resolved",
            Self::NotResolved => "not_resolved",
            Self::NoOffer => "no_offer",
            Self::Superseded => "superseded",
            Self::MayNotWrite(_) => "may_not_write",
            Self::NoConversation => "no_conversation",
            Self::NoMessage => "no_message",
        }
    }
}

/// Decides what `turn` does to the conversation whose head is `head`: the thread's current one, or none yet.
///
/// # Errors
/// When the turn may not be carried out; nothing changes then.
pub fn decide(head: Option<Head>, turn: &Turn, policy: &Policy, now: Timestamp) -> Result<Decision, Refusal> {
    let draft = match (&turn.command, head) {
        (Command::Receive { .. }, head) => contact::receive(head, turn, policy, now),
        (_, None) => return Err(Refusal::NoConversation),
        (command, Some(head)) => {
            let mut draft = Draft::new(head, now);
            match command {
                Command::Offer { .. } | Command::Wake | Command::Undelivered { .. } => {
                    machine::act(&mut draft, command);
                }
                _ => agents::act(&mut draft, command, policy)?,
            }
            draft
        }
    };
    Ok(draft.finish(turn))
}

/// A decision being made: each entry is applied to the head as it is written.
struct Draft {
    id: ConversationId,
    head: Option<Head>,
    entries: Vec<Entry>,
    effects: Vec<Effect>,
    now: Timestamp,
}

impl Draft {
    fn new(head: Head, now: Timestamp) -> Self {
        Self { id: head.id.clone(), head: Some(head), entries: Vec::new(), effects: Vec::new(), now }
    }

    fn write(&mut self, what: What) -> u64 {
        let seq = self.head.as_ref().map_or(0, |head| head.seq) + 1;
        let entry = Entry { seq, at: self.now, what };
        match &mut self.head {
            Some(head) => head.apply(&entry),
            None => self.head = Head::open(self.id.clone(), &entry),
        }
        self.entries.push(entry);
        seq
    }

    fn ask(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Asks to send a message, on channels that are sent to; the web's visitors read the timeline itself.
    fn deliver(&mut self, message: u64, attempt: u32) {
        if self.head.as_ref().is_some_and(|head| head.channel != crate::Channel::Web) {
            self.ask(Effect::Deliver { message, attempt });
        }
    }

    /// Asks for an agent, for the queue the conversation has just come to wait in.
    fn seek(&mut self) {
        let Some(head) = &self.head else { return };
        if let Holder::Queue { queue } = &head.holder {
            let effect = Effect::Seek {
                queue: queue.clone(),
                since: head.queued_at.unwrap_or(self.now),
                lease: head.lease,
                not: head.passed.clone(),
            };
            self.ask(effect);
        }
    }

    /// Takes leave of whoever has the conversation, or was offered it; `next` keeps their slot.
    fn let_go(&mut self, next: Option<&AgentId>) {
        let Some(head) = &self.head else { return };
        let mut effects = Vec::new();
        match &head.holder {
            Holder::Agent { agent } if Some(agent) != next => effects.push(Effect::Release { agent: agent.clone() }),
            Holder::Queue { queue } => {
                let since = head.queued_at.unwrap_or(self.now);
                effects.push(Effect::Withdraw { queue: queue.clone(), since });
            }
            Holder::Agent { .. } | Holder::Bot | Holder::Nobody => {}
        }
        if let Some(offer) = head.offer.as_ref().filter(|offer| Some(&offer.agent) != next) {
            effects.push(Effect::Release { agent: offer.agent.clone() });
        }
        self.effects.extend(effects);
    }

    fn finish(mut self, turn: &Turn) -> Decision {
        let Some(mut head) = self.head.take() else { return Decision::Nothing(self.effects) };
        let armed = head.armed.filter(|armed| *armed > self.now);
        if let Some(due) = head.deadline().filter(|due| armed.is_none_or(|armed| *due < armed)) {
            self.ask(Effect::Wake { at: due });
        }
        if self.entries.is_empty() {
            return Decision::Nothing(self.effects);
        }
        let remembered = turn.command.is_remembered();
        let committed = Committed { key: turn.key.clone(), remembered, entries: self.entries, effects: self.effects };
        head.settle(&committed);
        Decision::Commit { head: Box::new(head), committed }
    }
}
