//! What agents are shown of a conversation: the one shape of heads, deliveries and events in REST and socket alike.
//! `events/published` holds an example of each; changing one is a decision.
//!
//! Not what visitors see: that is `Entry::for_visitor`.

use colloquy_domain::{
    AgentId, Author, ConversationId, Delivery, Entry, Head, QueueId, Refusal, Timestamp, Turn, TurnId,
    routing::Presence, rules,
};
use serde_json::{Value, json};

use crate::Failure;

/// What only the writer needs of a head.
const INNER: [&str; 7] = ["identity", "passed", "armed", "recent", "forgot", "agent_seq", "silent_at"];

/// A head as agents see it, with whether the channel lets us write at `now`.
#[must_use]
pub fn head(head: &Head, now: Timestamp) -> Value {
    let Ok(Value::Object(mut view)) = serde_json::to_value(head) else { return Value::Null };
    for name in INNER {
        view.remove(name);
    }
    view.insert("may_write".to_owned(), json!(rules(head.channel).may_write(now, head.contact_at, head.replies)));
    Value::Object(view)
}

/// An entry as an event.
#[must_use]
pub fn entry_event(conversation: &ConversationId, entry: &Entry, head: Option<&Value>) -> Value {
    let mut event = json!({"type": "entry", "conversation": conversation, "seq": entry.seq, "entry": entry});
    if let Some(head) = head {
        event["head"] = head.clone();
    }
    event
}

/// How far a message got, as an event.
#[must_use]
pub fn delivery_event(conversation: &ConversationId, delivery: &Delivery) -> Value {
    json!({"type": "delivery", "conversation": conversation, "delivery": delivery})
}

/// A conversation that changed, for whoever lists it, as an event.
#[must_use]
pub fn head_event(conversation: &ConversationId, head: &Value) -> Value {
    json!({"type": "head", "conversation": conversation, "head": head})
}

/// That a queue's list changed in more ways than are told one by one, as an event.
#[must_use]
pub fn list_event(queue: &QueueId) -> Value {
    json!({"type": "list", "queue": queue})
}

/// An offer to the agent who gets it, as an event.
#[must_use]
pub fn offer_event(conversation: &ConversationId, until: Timestamp, head: &Value) -> Value {
    json!({"type": "offer", "conversation": conversation, "until": until, "head": head})
}

/// That someone is writing, as an event.
#[must_use]
pub fn typing_event(conversation: &ConversationId, author: Author) -> Value {
    json!({"type": "typing", "conversation": conversation, "author": author})
}

/// That what was missed has been sent, up to this number, as an event. Visitors get neither deliveries nor head.
#[must_use]
pub fn resumed_event(conversation: &ConversationId, seq: u64, agents: Option<(&[Delivery], &Value)>) -> Value {
    let mut event = json!({"type": "resumed", "conversation": conversation, "seq": seq});
    if let Some((deliveries, head)) = agents {
        event["deliveries"] = json!(deliveries);
        event["head"] = head.clone();
    }
    event
}

/// That a command is queued, as an event; `key` is the client's own for it.
#[must_use]
pub fn accepted_event(key: Option<&str>, turn: &TurnId) -> Value {
    json!({"type": "accepted", "key": key, "turn": turn})
}

/// Whether an agent is there, as an event.
#[must_use]
pub fn presence_event(agent: &AgentId, state: Presence) -> Value {
    json!({"type": "presence", "agent": agent, "state": state})
}

/// The answer to a ping, as an event.
#[must_use]
pub fn pong_event() -> Value {
    json!({"type": "pong"})
}

/// Why a command was not carried out, as an event; `key` is the client's own for it.
#[must_use]
pub fn error_event(failure: &Failure, key: Option<&str>, conversation: Option<&ConversationId>) -> Value {
    let mut event = json!({
        "type": "error", "status": failure.status().0, "code": failure.code(), "detail": failure.detail(),
    });
    if let Some(key) = key {
        event["key"] = json!(key);
    }
    if let Some(conversation) = conversation {
        event["conversation"] = json!(conversation);
    }
    event
}

/// Why a turn was refused, as an event.
#[must_use]
pub fn refusal_event(turn: &Turn, conversation: &ConversationId, refusal: &Refusal) -> Value {
    let key = turn.command.client_key();
    error_event(&Failure::from(refusal.clone()), key, Some(conversation))
}
