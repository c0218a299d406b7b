//! What a committed turn adds to the reports. Counted once here, at the commit; `rollup` only sums.
//!
//! Definitions: `conversations` are episodes opened; `first_response_ms` runs from the last handoff to people before
//! the first answer (the episode's beginning when there was none) to that answer; `resolution_ms` from an episode's
//! beginning to its end, each time it ends. Milliseconds, calendar time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AgentId, Author, Channel, Committed, Head, InboxId, Timestamp, What};

/// What one turn adds, with what it is counted under.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// When.
    pub at: Timestamp,
    /// The inbox.
    pub inbox: InboxId,
    /// Its channel.
    pub channel: Channel,
    /// The agent who acted or had the conversation, when one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// The number of the turn's first entry.
    pub first: u64,
    /// The number of the turn's last entry.
    pub last: u64,
    /// How much of what.
    pub counts: BTreeMap<String, i64>,
}

/// What `committed` adds to the reports; `after` is the head with the turn, `before` the one without it.
#[must_use]
pub fn facts(before: Option<&Head>, committed: &Committed, after: &Head) -> Facts {
    let mut counts = BTreeMap::new();
    let mut add = |name: &str, amount: i64| *counts.entry(name.to_owned()).or_insert(0) += amount;
    let mut awaited = before.and_then(|head| head.awaited_at);
    let mut opened = before.map_or(after.opened_at, |head| head.opened_at);
    let mut answered = before.is_some_and(|head| head.first_reply_at.is_some());
    let mut agent = before.and_then(Head::agent).cloned();
    for entry in &committed.entries {
        match &entry.what {
            What::Opened { .. } => {
                (opened, awaited, answered, agent) = (entry.at, None, false, None);
                add("conversations", 1);
            }
            What::Message(message) => match message.author {
                Author::Contact => add("messages_in", 1),
                Author::Bot => add("messages_bot", 1),
                Author::Agent => {
                    agent.clone_from(&message.agent);
                    add("messages_out", 1);
                    if !answered {
                        answered = true;
                        add("first_responses", 1);
                        add("first_response_ms", span(awaited.unwrap_or(opened), entry.at));
                    }
                }
            },
            What::HandedOff { .. } => {
                awaited = Some(entry.at);
                add("handoffs", 1);
            }
            What::Assigned { agent: to, .. } => agent = Some(to.clone()),
            What::Reopened { by } => agent = Some(by.clone()),
            What::Resolved { .. } => {
                add("resolved", 1);
                add("resolution_ms", span(opened, entry.at));
            }
            What::Transferred { by, .. } => {
                agent = Some(by.clone());
                awaited = if answered { awaited } else { Some(entry.at) };
            }
            What::Note { .. }
            | What::Offered { .. }
            | What::OfferExpired { .. }
            | What::OfferDeclined { .. }
            | What::DeliveryFailed { .. }
            | What::DeliveryUnknown { .. }
            | What::DeliveryRetried { .. } => {}
        }
    }
    let seq = |entry: Option<&crate::Entry>| entry.map_or(after.seq, |entry| entry.seq);
    Facts {
        at: after.updated_at,
        inbox: after.inbox.clone(),
        channel: after.channel,
        agent,
        first: seq(committed.entries.first()),
        last: seq(committed.entries.last()),
        counts,
    }
}

fn span(from: Timestamp, to: Timestamp) -> i64 {
    i64::try_from(to.since(from).as_millis()).unwrap_or(i64::MAX)
}
