//! What happens when a customer writes.

use super::{Draft, Policy, RESUMES_WITHIN};
use crate::{
    Author, Channel, Command, ConversationId, HandoffReason, Head, Holder, Message, Status, Timestamp, Turn, What,
    words::greeting,
};

/// Takes in a customer's message: into the running episode, a new episode of a conversation that ended lately, or a
/// new conversation. The bot greets and hands over, since it has no answers of its own yet.
pub(super) fn receive(head: Option<Head>, turn: &Turn, policy: &Policy, now: Timestamp) -> Draft {
    let Command::Receive { inbox, channel, identity, contact, message, understanding } = &turn.command else {
        return nothing(head, turn, now);
    };
    let resumed = head.filter(|head| head.resolved_at.is_none_or(|ended| now.since(ended) <= RESUMES_WITHIN));
    let opens = resumed.as_ref().is_none_or(|head| head.status == Status::Resolved);
    let contact = resumed.as_ref().map_or_else(|| contact.clone(), |head| head.contact.clone());
    let mut draft = match resumed {
        Some(head) => Draft::new(head, now),
        None => nothing(None, turn, now),
    };
    if opens {
        draft.write(What::Opened {
            episode: draft.head.as_ref().map_or(0, |head| head.episode) + 1,
            thread: turn.thread.clone(),
            inbox: inbox.clone(),
            channel: *channel,
            contact,
            identity: identity.clone(),
            name: message.sender.name.clone(),
        });
    }
    draft.write(What::Message(Message {
        author: Author::Contact,
        agent: None,
        text: message.text.clone(),
        parts: message.parts.clone(),
        understanding: Some(understanding.clone()),
        key: visitors_key(*channel, &message.provider_id).map(str::to_owned),
    }));
    hand_off(&mut draft, policy);
    draft
}

/// The key that a visitor's widget knows its own message by: on our own channel a message's id is
/// `<visitor>:<their key>`. Platforms' ids say nothing to anyone.
fn visitors_key(channel: Channel, provider_id: &str) -> Option<&str> {
    let (_, key) = provider_id.split_once(':')?;
    (channel == Channel::Web).then_some(key)
}

fn hand_off(draft: &mut Draft, policy: &Policy) {
    let Some(head) = &draft.head else { return };
    let (Holder::Bot, Some(queue)) = (&head.holder, &policy.queue) else { return };
    let words = greeting(head.language.as_deref().unwrap_or("und"));
    let said = draft.write(What::Message(Message {
        author: Author::Bot,
        agent: None,
        text: words.to_owned(),
        parts: Vec::new(),
        understanding: None,
        key: None,
    }));
    draft.write(What::HandedOff { queue: queue.clone(), reason: HandoffReason::NoAnswer });
    draft.deliver(said, 1);
    draft.seek();
}

fn nothing(head: Option<Head>, turn: &Turn, now: Timestamp) -> Draft {
    match head {
        Some(head) => Draft::new(head, now),
        None => Draft {
            id: ConversationId::derive(turn.at, turn.key.as_str().as_bytes()),
            head: None,
            entries: Vec::new(),
            effects: Vec::new(),
            now,
        },
    }
}
