//! Sending, receiving, deleting and hiding messages, on disk and in memory together.
//!
//! It deliberately writes before it answers, and holds one lock over all queues, so that a move between two queues is
//! one step.

use super::{
    Inner, Queues, StateOfQueues,
    message::{Message, sequence_number},
    outgoing::{Outgoing, Sent},
    queue::Queue,
    receipt,
    refusal::Refusal,
    seen::{DEDUPLICATION_MS, Seen},
    spec::{arn, name_of},
    store::Deduplication,
};
use crate::engine::random_id;

/// A message handed to a receiver.
#[derive(Clone, Debug)]
pub(super) struct Delivered {
    pub(super) handle: String,
    pub(super) message: Message,
}

impl Queues {
    /// Sends messages to one queue: each is on disk when this answers, or refused by itself.
    pub(super) fn send(&self, queue: &str, outgoing: Vec<Outgoing>) -> Result<Vec<Result<Sent, Refusal>>, Refusal> {
        let now_ms = self.now_ms();
        let state = &mut *self.lock();
        let queue = state.queues.get_mut(queue).ok_or_else(|| Refusal::no_queue(queue))?;
        let mut fresh: Vec<(Message, Option<Deduplication>)> = Vec::new();
        let mut answers = Vec::new();
        for outgoing in outgoing {
            let message = match outgoing.into_message(queue, state.next_row, now_ms) {
                Ok(message) => message,
                Err(refusal) => {
                    answers.push(Err(refusal));
                    continue;
                }
            };
            let mut sent = Sent::of(&message, queue.spec.is_fifo());
            let key = deduplication_key(queue, &message);
            let known = key.as_deref().and_then(|key| known(queue, &fresh, key, now_ms));
            if let Some(known) = known {
                // A duplicate is accepted and has no effect; the sender gets the first one's names.
                sent.id = known.id;
                sent.sequence_number = Some(sequence_number(known.row));
            } else {
                state.next_row += 1;
                fresh.push((message, key.map(|key| (key, now_ms + DEDUPLICATION_MS))));
            }
            answers.push(Ok(sent));
        }
        if !fresh.is_empty() {
            state.store.insert(queue.id, &fresh)?;
        }
        for (message, deduplication) in fresh {
            if let Some((key, until_ms)) = deduplication {
                queue.seen.remember(key, Seen { id: message.id.clone(), row: message.row }, until_ms);
            }
            queue.insert(message);
        }
        queue.wake.notify_waiters();
        if state.forget_seen_at <= now_ms {
            state.forget_seen_at = now_ms + DEDUPLICATION_MS;
            state.store.forget_seen(now_ms)?;
        }
        Ok(answers)
    }

    /// Receives what can be received now, and says when to look again if that is nothing.
    pub(super) fn take(
        &self,
        name: &str,
        max: usize,
        hidden_ms: Option<i64>,
    ) -> Result<(Vec<Delivered>, Option<i64>), Refusal> {
        let now_ms = self.now_ms();
        let state = &mut *self.lock();
        let queue = advanced(state, name, now_ms)?;
        let letters = queue.spec.redrive.as_ref().map(|redrive| name_of(&redrive.dead_letter_arn).to_owned());
        let has_letters = letters.as_ref().is_some_and(|letters| state.queues.contains_key(letters));
        let Some(queue) = state.queues.get_mut(name) else { return Err(Refusal::no_queue(name)) };
        let hidden_ms = hidden_ms.unwrap_or(queue.spec.visibility_s * 1000);
        let (id, receipt) = (queue.id, &mut state.next_receipt);
        let taken = queue.take(max, hidden_ms, now_ms, has_letters, || {
            *receipt = receipt.wrapping_add(1);
            *receipt
        })?;
        let messages: Vec<&Message> = taken.received.iter().filter_map(|row| queue.get(*row)).collect();
        let again: Vec<&Message> = messages.iter().copied().filter(|message| message.receives > 1).collect();
        state.store.count(&again)?;
        let deliver = |message: &&Message| Delivered {
            handle: receipt::write(id, message.row, message.receipt.unwrap_or_default()),
            message: (*message).clone(),
        };
        let delivered: Vec<Delivered> = messages.iter().map(deliver).collect();
        let next_ms = queue.next_ms();
        if !delivered.is_empty() {
            // Others that wait must learn when what was taken here may be visible again.
            queue.wake.notify_waiters();
        }
        if let Some(letters) = letters.filter(|_| !taken.dead.is_empty()) {
            bury(state, name, &letters, taken.dead)?;
        }
        Ok((delivered, next_ms))
    }

    /// Deletes by receipt handle, each by itself.
    pub(super) fn remove(&self, name: &str, handles: &[String]) -> Result<Vec<Result<(), Refusal>>, Refusal> {
        let now_ms = self.now_ms();
        let state = &mut *self.lock();
        let queue = advanced(state, name, now_ms)?;
        let resolve = |handle: &String| {
            let (row, receipt) = receipt::read(queue.id, handle)?;
            queue.deletable(row, receipt, handle)
        };
        let resolved: Vec<Result<Option<u64>, Refusal>> = handles.iter().map(resolve).collect();
        let rows: Vec<u64> = resolved.iter().filter_map(|row| row.as_ref().ok().copied().flatten()).collect();
        if !rows.is_empty() {
            state.store.delete(&rows)?;
        }
        if let Some(queue) = state.queues.get_mut(name) {
            for row in rows {
                queue.remove(row);
            }
            queue.wake.notify_waiters();
        }
        Ok(resolved.into_iter().map(|row| row.map(drop)).collect())
    }

    /// Hides messages in flight for another while: `(handle, milliseconds)`, each by itself.
    pub(super) fn hide(&self, name: &str, changes: &[(String, i64)]) -> Result<Vec<Result<(), Refusal>>, Refusal> {
        let now_ms = self.now_ms();
        let state = &mut *self.lock();
        advanced(state, name, now_ms)?;
        let queue = state.queues.get_mut(name).ok_or_else(|| Refusal::no_queue(name))?;
        let mut hidden = Vec::new();
        let mut change = |(handle, hidden_ms): &(String, i64)| {
            if !(0..=43_200_000).contains(hidden_ms) {
                let seconds = (hidden_ms / 1000).to_string();
                return Err(Refusal::value(&seconds, "VisibilityTimeout", "must be 0 to 43200"));
            }
            let (row, receipt) = receipt::read(queue.id, handle)?;
            queue.rehide(row, receipt, handle, now_ms, *hidden_ms)?;
            hidden.push((row, now_ms + hidden_ms));
            Ok(())
        };
        let answers = changes.iter().map(&mut change).collect();
        queue.wake.notify_waiters();
        state.store.hide(&hidden)?;
        Ok(answers)
    }

    /// Sends everything visible on a dead-letter queue back: each message to where it came from, or all to one queue.
    pub(super) fn redrive(&self, from: &str, to: Option<&str>) -> Result<usize, Refusal> {
        let now_ms = self.now_ms();
        let state = &mut *self.lock();
        advanced(state, from, now_ms)?;
        let mut moved = 0;
        loop {
            let Some(queue) = state.queues.get_mut(from) else { return Err(Refusal::no_queue(from)) };
            let Some(message) = queue.pop_ready() else { return Ok(moved) };
            let source = message.source.as_deref().map(name_of);
            let target = to.or(source).filter(|target| *target != from).map(str::to_owned);
            let Some(target) = target.filter(|target| state.queues.contains_key(target)) else {
                let Some(queue) = state.queues.get_mut(from) else { continue };
                queue.insert(message);
                return Err(Refusal::unsupported("the message's source queue is not there"));
            };
            // AWS sends it anew: another id, another moment, no receives.
            let fresh = Message {
                id: random_id(),
                sent_ms: now_ms,
                receives: 0,
                first_receive_ms: None,
                source: None,
                receipt: None,
                ..message.clone()
            };
            relocate(state, &target, vec![(message.row, fresh)])?;
            moved += 1;
        }
    }
}

impl Inner {
    /// Looks whether something can be received now; if not, answers when to look again.
    pub(super) fn receivable(&self, name: &str) -> Result<Result<(), Option<i64>>, Refusal> {
        let now_ms = (self.clock)();
        let state = &mut *self.lock();
        let queue = advanced(state, name, now_ms)?;
        Ok(if queue.is_receivable() { Ok(()) } else { Err(queue.next_ms()) })
    }
}

/// The queue, with time passed and what it kept for too long gone from disk too.
fn advanced<'a>(state: &'a mut StateOfQueues, name: &str, now_ms: i64) -> Result<&'a Queue, Refusal> {
    let queue = state.queues.get_mut(name).ok_or_else(|| Refusal::no_queue(name))?;
    let expired = queue.advance(now_ms);
    if !expired.is_empty() {
        state.store.delete(&expired)?;
    }
    Ok(queue)
}

/// Moves messages received too often to the dead-letter queue, where they keep their id, body, group and attributes.
fn bury(state: &mut StateOfQueues, from: &str, letters: &str, dead: Vec<Message>) -> Result<(), Refusal> {
    tracing::warn!(queue = from, count = dead.len(), "messages were received too often and go to {letters}");
    let buried = |message: Message| {
        let row = message.row;
        (row, Message { source: Some(arn(from)), receipt: None, ..message })
    };
    relocate(state, letters, dead.into_iter().map(buried).collect())
}

fn relocate(state: &mut StateOfQueues, to: &str, mut moved: Vec<(u64, Message)>) -> Result<(), Refusal> {
    let queue = state.queues.get_mut(to).ok_or_else(|| Refusal::no_queue(to))?;
    for (_, message) in &mut moved {
        message.row = state.next_row;
        state.next_row += 1;
    }
    state.store.relocate(queue.id, &moved)?;
    for (_, message) in moved {
        queue.insert(message);
    }
    queue.wake.notify_waiters();
    Ok(())
}

/// Under what a FIFO queue remembers the message: its deduplication id, within its group if the queue says so.
fn deduplication_key(queue: &Queue, message: &Message) -> Option<String> {
    let id = message.deduplication.as_deref().filter(|_| queue.spec.is_fifo())?;
    let group = message.group.as_deref().filter(|_| queue.spec.deduplication_per_group);
    Some(group.map_or_else(|| id.to_owned(), |group| format!("{group}\n{id}")))
}

/// The message accepted under `key`, earlier or in this very batch.
fn known(queue: &mut Queue, batch: &[(Message, Option<Deduplication>)], key: &str, now_ms: i64) -> Option<Seen> {
    let in_batch = batch.iter().find(|(_, known)| known.as_ref().is_some_and(|(known, _)| known == key));
    let in_batch = in_batch.map(|(message, _)| Seen { id: message.id.clone(), row: message.row });
    in_batch.or_else(|| queue.seen.find(key, now_ms).cloned())
}
