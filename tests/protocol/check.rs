//! What must hold of a customer's conversations whatever went wrong on the way.

use colloquy_domain::{AgentId, ConversationId, DeliveryState, Entry, Head, Holder, QueueId, Status, What};
use serde_json::Value;

use crate::world::{Customer, World};

pub(crate) const AGENTS: [&str; 2] = ["agt_li", "agt_ann"];
pub(crate) const QUEUES: [&str; 2] = ["que_general", "que_vip"];

/// Every conversation of the customer, the eldest first, each with its entries.
pub(crate) async fn timelines(world: &World, customer: &Customer) -> Vec<(ConversationId, Vec<Entry>)> {
    let Some(thread) = world.timeline.thread(&customer.thread).await.unwrap() else { return Vec::new() };
    let mut found = Vec::new();
    for conversation in world.desk.conversations_of(&thread.contact).await.unwrap() {
        let entries = world.timeline.entries(&conversation, &customer.identity, 0, 1_000).await.unwrap();
        found.push((conversation, entries));
    }
    found
}

/// The kinds of all entries, in order: what a run with faults must have in common with one without.
pub(crate) fn story(timelines: &[(ConversationId, Vec<Entry>)]) -> Vec<String> {
    let kind = |entry: &Entry| {
        let value = serde_json::to_value(entry).unwrap();
        let author = value["author"].as_str().map(|author| format!(" {author}")).unwrap_or_default();
        format!("{}{author}", value["kind"].as_str().unwrap())
    };
    timelines.iter().flat_map(|(_, entries)| entries.iter().map(kind)).collect()
}

/// All that must hold of a customer's conversations when nothing is under way.
pub(crate) async fn all_is_well(world: &World, customer: &Customer, what: &str) {
    let timelines = timelines(world, customer).await;
    let running = world.conversation(customer).await;
    assert_eq!(timelines.last().map(|(id, _)| id), running.as_ref(), "{what}: the thread's conversation is the latest");
    let mut texts = Vec::new();
    for (id, entries) in &timelines {
        let head = world.timeline.head(id).await.unwrap().unwrap_or_else(|| panic!("{what}: {id} has no head"));
        assert!(entries.iter().map(|entry| entry.seq).eq(1..=head.seq), "{what}: {id} is numbered without a gap");
        let mut folded = Head::fold(id, entries).unwrap();
        (folded.recent, folded.forgot, folded.armed) = (head.recent.clone(), head.forgot, head.armed);
        assert_eq!(folded, head, "{what}: the head is the fold of its entries");
        slots(world, &head, what).await;
        places(world, &head, what).await;
        deliveries(world, customer, id, entries, what).await;
        if let Some(due) = head.deadline() {
            assert!(head.armed.is_some_and(|armed| armed <= due), "{what}: a deadline has its wake-up");
        }
        texts.extend(entries.iter().filter_map(own_words));
    }
    let told = texts.len();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), told, "{what}: nothing is said twice");
}

/// Words that a test uses only once.
fn own_words(entry: &Entry) -> Option<String> {
    match &entry.what {
        What::Message(said) if said.text.starts_with('#') => Some(said.text.clone()),
        What::Note { text, .. } => Some(text.clone()),
        _ => None,
    }
}

/// An agent has a slot for a conversation exactly when they hold it or are offered it.
async fn slots(world: &World, head: &Head, what: &str) {
    let offered = head.offer.as_ref().map(|offer| &offer.agent);
    for agent in AGENTS {
        let agent: AgentId = agent.parse().unwrap();
        let state = world.desk.state(&agent).await.unwrap();
        let theirs = head.agent() == Some(&agent) || offered == Some(&agent);
        assert_eq!(state.held.contains(&head.id), theirs, "{what}: {agent}'s slot for {}: {head:?}", head.id);
    }
}

/// What waits and is not offered is on its queue's list, and on no other.
async fn places(world: &World, head: &Head, what: &str) {
    for queue in QUEUES {
        let queue: QueueId = queue.parse().unwrap();
        let waiting = world.desk.first_waiting(&queue, 1_000).await.unwrap();
        let listed = waiting.iter().any(|waiting| waiting.conversation == head.id);
        let here = head.status == Status::Queued && head.holder == Holder::Queue { queue: queue.clone() };
        if here && head.offer.is_none() {
            assert!(listed, "{what}: {} waits in {queue} and nobody knows", head.id);
        }
        if !here {
            assert!(!listed, "{what}: {} does not wait in {queue} any more", head.id);
        }
    }
}

/// What was to be sent was sent once, or it is known that it was not, or that it cannot be known; never twice.
async fn deliveries(world: &World, customer: &Customer, id: &ConversationId, entries: &[Entry], what: &str) {
    for entry in entries {
        let value: Value = serde_json::to_value(entry).unwrap();
        if value["author"] != "agent" {
            continue;
        }
        let text = value["text"].as_str().unwrap();
        let delivery = world.timeline.delivery(id, entry.seq).await.unwrap();
        let delivery = delivery.unwrap_or_else(|| panic!("{what}: message {} of {id} was never sent", entry.seq));
        let sent = world
            .sent
            .lock()
            .unwrap()
            .iter()
            .filter(|sent| **sent == (customer.address.clone(), text.to_owned()))
            .count();
        let attempts = delivery.attempt as usize;
        assert!(sent <= attempts, "{what}: {text} went out {sent} times in {attempts} attempts");
        match delivery.state {
            DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read => {
                assert!(sent >= 1, "{what}: {text}");
            }
            DeliveryState::Failed | DeliveryState::Unknown => {
                let told = entries.iter().any(|entry| match &entry.what {
                    What::DeliveryFailed { message, attempt, .. } | What::DeliveryUnknown { message, attempt, .. } => {
                        (*message, *attempt) == (delivery.seq, delivery.attempt)
                    }
                    _ => false,
                });
                assert!(told, "{what}: the trouble with {text} is in the timeline");
            }
            DeliveryState::Queued | DeliveryState::Sending => panic!("{what}: {text} is stuck {:?}", delivery.state),
        }
    }
}
