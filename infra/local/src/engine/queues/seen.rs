//! The deduplication ids a FIFO queue accepted within the last five minutes.
//!
//! It deliberately does not know their scope: the key says whether an id counts within its group.

use std::collections::{HashMap, VecDeque};

/// How long a deduplication id is remembered.
pub(super) const DEDUPLICATION_MS: i64 = 5 * 60 * 1000;

/// A message that was accepted within the last five minutes.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) row: u64,
}

/// The ids of a queue, with when each is forgotten, oldest first.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    known: HashMap<String, Seen>,
    until: VecDeque<(i64, String)>,
}

impl SeenIds {
    /// The message already accepted under this key.
    pub(super) fn find(&mut self, key: &str, now_ms: i64) -> Option<&Seen> {
        while self.until.front().is_some_and(|(until_ms, _)| *until_ms <= now_ms) {
            if let Some((_, key)) = self.until.pop_front() {
                self.known.remove(&key);
            }
        }
        self.known.get(key)
    }

    pub(super) fn remember(&mut self, key: String, seen: Seen, until_ms: i64) {
        self.until.push_back((until_ms, key.clone()));
        self.known.insert(key, seen);
    }
}
