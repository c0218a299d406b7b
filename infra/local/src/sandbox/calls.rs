//! What the channels' APIs were asked, oldest first, as far back as memory is granted.
//!
//! Nothing here is written to disk.

use std::collections::VecDeque;

use colloquy_domain::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

const CALLS_MAX: usize = 10_000;
const SIZE_MAX_BYTES: usize = 64 * 1024 * 1024;

/// One call to a channel's API.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Call {
    /// Its number, from 1.
    pub(super) id: u64,
    pub(super) channel: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Map<String, Value>,
    pub(super) headers: Map<String, Value>,
    /// The body as JSON; null when it is none.
    pub(super) body: Value,
    /// The body as text.
    pub(super) raw: String,
    pub(super) at: Timestamp,
    /// What was answered; null when nothing was.
    pub(super) status: Option<u16>,
    pub(super) response: Value,
    /// The fault it met, when one was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<&'static str>,
}

/// The calls remembered.
#[derive(Default)]
pub(super) struct Calls {
    kept: VecDeque<Call>,
    last: u64,
    size_bytes: usize,
}

impl Calls {
    /// Remembers a call and numbers it; the oldest are forgotten when there are too many or they weigh too much.
    pub(super) fn record(&mut self, mut call: Call) -> u64 {
        self.last += 1;
        call.id = self.last;
        self.size_bytes += weight(&call);
        self.kept.push_back(call);
        while self.kept.len() > CALLS_MAX || (self.size_bytes > SIZE_MAX_BYTES && self.kept.len() > 1) {
            self.size_bytes -= self.kept.pop_front().as_ref().map_or(0, weight);
        }
        self.last
    }

    /// The calls after a number, of one channel or of all.
    pub(super) fn after(&self, after: u64, channel: Option<&str>, limit: usize) -> Vec<&Call> {
        let start = self.kept.partition_point(|call| call.id <= after);
        let calls = self.kept.iter().skip(start);
        calls.filter(|call| channel.is_none_or(|channel| call.channel == channel)).take(limit).collect()
    }

    /// The number of the newest call there ever was; 0 when there was none.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// The newest call that fits.
    pub(super) fn newest(&self, fits: impl Fn(&Call) -> bool) -> Option<&Call> {
        self.kept.iter().rev().find(|call| fits(call))
    }

    /// Forgets every call; numbers go on.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.size_bytes = 0;
    }
}

/// Parsed and raw together: about three times the raw text, and a little for the rest.
fn weight(call: &Call) -> usize {
    call.raw.len() * 3 + 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(channel: &str, raw: &str) -> Call {
        Call {
            id: 0,
            channel: channel.to_owned(),
            method: "POST".to_owned(),
            path: String::new(),
            query: Map::new(),
            headers: Map::new(),
            body: Value::Null,
            raw: raw.to_owned(),
            at: Timestamp::from_ms(0),
            status: None,
            response: Value::Null,
            fault: None,
        }
    }

    #[test]
    fn the_oldest_calls_are_forgotten_and_numbers_go_on() {
        let mut calls = Calls::default();
        for _ in 0..CALLS_MAX + 5 {
            calls.record(call("whatsapp", "{}"));
        }
        assert_eq!(calls.after(0, None, usize::MAX).len(), CALLS_MAX);
        assert_eq!(calls.after(0, None, 1)[0].id, 6);
        calls.clear();
        assert_eq!(calls.record(call("wechat", "")), CALLS_MAX as u64 + 6);
    }

    #[test]
    fn heavy_calls_make_room_too() {
        let mut calls = Calls::default();
        let heavy = "x".repeat(SIZE_MAX_BYTES / 9);
        for _ in 0..10 {
            calls.record(call("whatsapp", &heavy));
        }
        assert_eq!(calls.after(0, None, usize::MAX).len(), 2);
    }

    #[test]
    fn calls_are_listed_by_channel_and_from_a_number_on() {
        let mut calls = Calls::default();
        for channel in ["whatsapp", "wechat", "whatsapp"] {
            calls.record(call(channel, ""));
        }
        let ids = |after, channel| calls.after(after, channel, 10).iter().map(|call| call.id).collect::<Vec<_>>();
        assert_eq!(ids(0, Some("whatsapp")), [1, 3]);
        assert_eq!(ids(1, None), [2, 3]);
        assert_eq!(ids(3, None), [0; 0]);
    }
}
