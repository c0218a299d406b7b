//! What the test was told: which messages were acknowledged, which replies accepted, what was asked for again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// A reply that an agent sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reply {
    pub(crate) conversation: String,
    pub(crate) key: String,
}

/// Everything known from outside.
#[derive(Default)]
pub(crate) struct Known {
    told: Mutex<Told>,
    customers_stop: AtomicBool,
    agents_stop: AtomicBool,
}

/// What is guarded.
#[derive(Default)]
pub(crate) struct Told {
    /// Each customer's acknowledged texts, in the order they were acknowledged, by address.
    pub(crate) acknowledged: BTreeMap<String, Vec<String>>,
    /// Accepted replies, each with its turn.
    pub(crate) accepted: BTreeMap<Reply, String>,
    /// Replies that were refused when they were sent, with the code.
    pub(crate) refused: BTreeMap<Reply, String>,
    /// Messages that an agent asked to be sent again: conversation and number.
    pub(crate) retried: BTreeSet<(String, u64)>,
    /// How many messages of ours stand in each state, when last looked at.
    pub(crate) states: BTreeMap<String, usize>,
    /// Platform ids with acknowledged receipts.
    pub(crate) confirmed: BTreeSet<String>,
}

impl Known {
    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop_customers(&self) {
        self.customers_stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn customers_go_on(&self) -> bool {
        !self.customers_stop.load(Ordering::Relaxed)
    }

    pub(crate) fn stop_agents(&self) {
        self.agents_stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn agents_go_on(&self) -> bool {
        !self.agents_stop.load(Ordering::Relaxed)
    }

    /// In words.
    pub(crate) fn count(&self) -> String {
        let told = self.told();
        format!(
            "{} messages acknowledged, {} replies accepted, {} refused, {} receipts, {} asked for again {:?}",
            told.acknowledged.values().map(Vec::len).sum::<usize>(),
            told.accepted.len(),
            told.refused.len(),
            told.confirmed.len(),
            told.retried.len(),
            told.states,
        )
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
