//! One queue in memory: who may be received now, who is in flight, which group is locked, what was seen before.
//!
//! It deliberately does no IO and reads no clock: the moment comes in, and what must be written comes out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use tokio::sync::Notify;

use super::{
    message::{Message, State},
    refusal::Refusal,
    seen::SeenIds,
    spec::QueueSpec,
};

/// The most messages a queue may have in flight.
const IN_FLIGHT_LIMIT: usize = 120_000;

/// How many messages are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Can be received, or waits behind one of its group.
    pub visible: usize,
    /// Received and not deleted.
    pub in_flight: usize,
    /// Not yet visible for the first time.
    pub delayed: usize,
}

/// A queue.
pub(super) struct Queue {
    pub(super) id: i64,
    pub(super) spec: QueueSpec,
    pub(super) created_ms: i64,
    pub(super) modified_ms: i64,
    pub(super) purged_ms: Option<i64>,
    pub(super) wake: Arc<Notify>,
    pub(super) fifo: bool,
    pub(super) messages: BTreeMap<u64, Message>,
    ready: BTreeSet<u64>,
    pub(super) timed: BTreeSet<(i64, u64)>,
    groups: HashMap<String, Group>,
    ready_groups: BTreeMap<u64, String>,
    pub(super) seen: SeenIds,
    in_flight: usize,
    delayed: usize,
}

/// The messages of one group, in order.
#[derive(Default)]
struct Group {
    rows: BTreeSet<u64>,
    in_flight: usize,
    /// The head under which the group is listed as ready.
    listed: Option<u64>,
}

/// What a receive takes off the queue.
pub(super) struct Taken {
    pub(super) received: Vec<u64>,
    /// Those received too often already; no longer on the queue.
    pub(super) dead: Vec<Message>,
}

impl Queue {
    pub(super) fn new(id: i64, spec: QueueSpec, created_ms: i64) -> Self {
        Self {
            id,
            fifo: spec.is_fifo(),
            spec,
            created_ms,
            modified_ms: created_ms,
            purged_ms: None,
            wake: Arc::default(),
            messages: BTreeMap::new(),
            ready: BTreeSet::new(),
            timed: BTreeSet::new(),
            groups: HashMap::new(),
            ready_groups: BTreeMap::new(),
            seen: SeenIds::default(),
            in_flight: 0,
            delayed: 0,
        }
    }

    pub(super) fn get(&self, row: u64) -> Option<&Message> {
        self.messages.get(&row)
    }

    pub(super) fn depth(&self) -> Depth {
        let visible = self.messages.len() - self.in_flight - self.delayed;
        Depth { visible, in_flight: self.in_flight, delayed: self.delayed }
    }

    /// Takes in a message that is ready or delayed.
    pub(super) fn insert(&mut self, message: Message) {
        let row = message.row;
        if let Some(group) = self.group_of(&message) {
            self.groups.entry(group).or_default().rows.insert(row);
        }
        if message.state == State::Delayed {
            self.delayed += 1;
            self.timed.insert((message.visible_ms, row));
        }
        self.messages.insert(row, message);
        self.list(row);
    }

    /// Takes a message off, whatever its state.
    pub(super) fn remove(&mut self, row: u64) -> Option<Message> {
        let message = self.messages.remove(&row)?;
        self.timed.remove(&(message.visible_ms, row));
        self.ready.remove(&row);
        match message.state {
            State::InFlight => self.in_flight -= 1,
            State::Delayed => self.delayed -= 1,
            State::Ready => {}
        }
        if let Some(name) = self.group_of(&message)
            && let Some(group) = self.groups.get_mut(&name)
        {
            group.rows.remove(&row);
            group.in_flight -= usize::from(message.state == State::InFlight);
            self.list_group(&name);
        }
        Some(message)
    }

    /// Takes off the first message that can be received.
    pub(super) fn pop_ready(&mut self) -> Option<Message> {
        let row = *self.next_rows(1)?.first()?;
        self.remove(row)
    }

    /// Takes everything off.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.ready.clear();
        self.timed.clear();
        self.groups.clear();
        self.ready_groups.clear();
        self.in_flight = 0;
        self.delayed = 0;
    }

    /// Lets time pass: what was hidden until now is ready again. Answers what was kept for too long, now gone.
    pub(super) fn advance(&mut self, now_ms: i64) -> Vec<u64> {
        while let Some(&(moment, row)) = self.timed.first()
            && moment <= now_ms
        {
            self.timed.remove(&(moment, row));
            self.show(row);
        }
        let kept_ms = self.spec.retention_s * 1000;
        let mut expired = Vec::new();
        while let Some((&row, oldest)) = self.messages.first_key_value()
            && oldest.sent_ms + kept_ms <= now_ms
        {
            self.remove(row);
            expired.push(row);
        }
        expired
    }

    /// Whether something can be received.
    pub(super) fn is_receivable(&self) -> bool {
        !self.ready.is_empty() || !self.ready_groups.is_empty()
    }

    /// When something hidden is next visible.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.timed.first().map(|(moment, _)| *moment)
    }

    /// Receives up to `max` messages: of a FIFO queue as many of one group as there are, in order, then the next group.
    pub(super) fn take(
        &mut self,
        max: usize,
        hidden_ms: i64,
        now_ms: i64,
        dead_letters: bool,
        mut receipt: impl FnMut() -> u64,
    ) -> Result<Taken, Refusal> {
        if self.in_flight >= IN_FLIGHT_LIMIT {
            return Err(Refusal::new("OverLimit", "OverLimit", "Too many messages in flight"));
        }
        let limit = self.spec.redrive.as_ref().filter(|_| dead_letters).map(|redrive| redrive.max_receive_count);
        let mut taken = Taken { received: Vec::new(), dead: Vec::new() };
        while taken.received.len() < max
            && let Some(rows) = self.next_rows(max - taken.received.len())
        {
            for row in rows {
                let worn = |message: &Message| limit.is_some_and(|limit| message.receives >= limit);
                if self.messages.get(&row).is_some_and(worn) {
                    taken.dead.extend(self.remove(row));
                } else {
                    self.hide(row, now_ms, hidden_ms, receipt());
                    taken.received.push(row);
                }
            }
        }
        Ok(taken)
    }

    /// What can be received next: rows of a standard queue, or the head of one group.
    fn next_rows(&self, max: usize) -> Option<Vec<u64>> {
        if !self.fifo {
            let rows: Vec<u64> = self.ready.iter().take(max).copied().collect();
            return (!rows.is_empty()).then_some(rows);
        }
        let (_, name) = self.ready_groups.first_key_value()?;
        let is_ready = |row: &&u64| self.messages.get(row).is_some_and(|message| message.state == State::Ready);
        Some(self.groups.get(name)?.rows.iter().take_while(is_ready).take(max).copied().collect())
    }

    fn hide(&mut self, row: u64, now_ms: i64, hidden_ms: i64, receipt: u64) {
        let Some(message) = self.messages.get_mut(&row) else { return };
        message.receives += 1;
        message.first_receive_ms.get_or_insert(now_ms);
        message.receipt = Some(receipt);
        message.state = State::InFlight;
        message.visible_ms = now_ms + hidden_ms;
        self.timed.insert((message.visible_ms, row));
        self.ready.remove(&row);
        self.in_flight += 1;
        let name = message.group.clone().filter(|_| self.fifo);
        if let Some(name) = name
            && let Some(group) = self.groups.get_mut(&name)
        {
            group.in_flight += 1;
            self.list_group(&name);
        }
    }

    fn show(&mut self, row: u64) {
        let Some(message) = self.messages.get_mut(&row) else { return };
        match message.state {
            State::InFlight => self.in_flight -= 1,
            State::Delayed => self.delayed -= 1,
            State::Ready => {}
        }
        let was_in_flight = std::mem::replace(&mut message.state, State::Ready) == State::InFlight;
        if let Some(name) = &message.group
            && let Some(group) = self.groups.get_mut(name)
        {
            group.in_flight -= usize::from(was_in_flight);
        }
        self.list(row);
    }

    fn list(&mut self, row: u64) {
        let Some(message) = self.messages.get(&row) else { return };
        if let Some(name) = self.group_of(message) {
            self.list_group(&name);
        } else if message.state == State::Ready {
            self.ready.insert(row);
        }
    }

    /// Lists a group as ready while none of its messages is in flight and its first one is visible.
    fn list_group(&mut self, name: &str) {
        let Some(group) = self.groups.get_mut(name) else { return };
        if let Some(head) = group.listed.take() {
            self.ready_groups.remove(&head);
        }
        let Some(&head) = group.rows.first() else {
            self.groups.remove(name);
            return;
        };
        let visible = self.messages.get(&head).is_some_and(|message| message.state == State::Ready);
        if visible && group.in_flight == 0 {
            group.listed = Some(head);
            self.ready_groups.insert(head, name.to_owned());
        }
    }

    /// On a standard queue a group is only a label.
    fn group_of(&self, message: &Message) -> Option<String> {
        message.group.clone().filter(|_| self.fifo)
    }
}
