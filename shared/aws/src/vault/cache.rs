//! Unwrapped keys, kept for a short while: 10,000 at most, the least recently used leave first.
//!
//! Age counts from when a key was read, not from its last use, so that a destroyed key does not stay in use.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use colloquy_domain::Timestamp;

const MOST: usize = 10_000;
const KEPT: Duration = Duration::from_secs(300);

/// What is kept.
pub(crate) struct Cache<T> {
    kept: HashMap<String, Kept<T>>,
    uses: u64,
}

struct Kept<T> {
    value: T,
    read_at: Timestamp,
    used: u64,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self { kept: HashMap::new(), uses: 0 }
    }
}

impl<T: Clone> Cache<T> {
    pub(crate) fn get(&mut self, name: &str, now: Timestamp) -> Option<T> {
        self.uses += 1;
        let kept = self.kept.get_mut(name)?;
        if now.since(kept.read_at) >= KEPT {
            self.kept.remove(name);
            return None;
        }
        kept.used = self.uses;
        Some(kept.value.clone())
    }

    pub(crate) fn put(&mut self, name: &str, value: T, now: Timestamp) {
        if self.kept.len() >= MOST && !self.kept.contains_key(name) {
            self.make_room(now);
        }
        self.uses += 1;
        self.kept.insert(name.to_owned(), Kept { value, read_at: now, used: self.uses });
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.kept.remove(name);
    }

    /// Drops what is too old, then a tenth of what is left if that was not enough: one pass serves many entries.
    fn make_room(&mut self, now: Timestamp) {
        self.kept.retain(|_, kept| now.since(kept.read_at) < KEPT);
        if self.kept.len() < MOST {
            return;
        }
        let mut uses: Vec<u64> = self.kept.values().map(|kept| kept.used).collect();
        let (_, oldest, _) = uses.select_nth_unstable(MOST / 10);
        let oldest = *oldest;
        self.kept.retain(|_, kept| kept.used > oldest);
    }
}

/// Locks a cache. One that a panic left locked is whole all the same: every change is a single call on a map.
pub(crate) fn lock<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_used_longer_than_five_minutes_however_often() {
        let mut cache = Cache::default();
        cache.put("a", 1, Timestamp::from_ms(0));
        assert_eq!(cache.get("a", Timestamp::from_ms(299_999)), Some(1));
        assert_eq!(cache.get("a", Timestamp::from_ms(300_000)), None);
    }

    #[test]
    fn the_least_recently_used_leave_first() {
        let mut cache = Cache::default();
        let now = Timestamp::from_ms(0);
        for at in 0..MOST {
            cache.put(&at.to_string(), at, now);
        }
        assert_eq!(cache.get("0", now), Some(0));
        cache.put("new", 0, now);
        assert!(cache.kept.len() <= MOST);
        assert!(cache.get("0", now).is_some() && cache.get("1", now).is_none() && cache.get("new", now).is_some());
    }
}
