//! How far a sent message got: a lattice that only rises.
//!
//! Not an entry of the timeline: one item per sent message, written by `deliver` and by receipts.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How far a message got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// Committed, not yet sent.
    Queued,
    /// Bytes may be on their way to the platform.
    Sending,
    /// The platform took it.
    Sent,
    /// It reached the customer's device.
    Delivered,
    /// The customer saw it.
    Read,
    /// It will not arrive, and why is known.
    Failed,
    /// Bytes left and no answer came: whether it arrived cannot be known.
    Unknown,
}

impl DeliveryState {
    const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Sending => 1,
            Self::Failed | Self::Unknown => 2,
            Self::Sent => 3,
            Self::Delivered => 4,
            Self::Read => 5,
        }
    }

    /// Whether `self` may be replaced by `next`: only by what is further along. A confirmation from the
    /// platform settles `unknown` and overrules `failed`; nothing overrules a confirmation but a later failure
    /// report before delivery.
    #[must_use]
    pub const fn rises_to(self, next: Self) -> bool {
        match (self, next) {
            (Self::Sent, Self::Failed) => true,
            _ => next.rank() > self.rank(),
        }
    }

    /// Whether the message is settled: nothing more is to be sent.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        self.rank() >= 2
    }
}

/// How far one message got, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The number of the message's entry.
    pub seq: u64,
    /// How far.
    pub state: DeliveryState,
    /// When it got there.
    pub at: Timestamp,
    /// The attempt this state belongs to, from 1; a retry by an agent begins the next.
    pub attempt: u32,
    /// Why it failed or cannot be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of one call to a channel's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Taken; the platform's id of the message, when it gives one.
    Sent(Option<String>),
    /// Certainly not taken; trying again is safe, after this many seconds when the platform said so.
    TryAgain {
        /// Seconds the platform asks us to wait.
        after_s: Option<u64>,
        /// Why, in a few words without personal data.
        reason: String,
    },
    /// Certainly not taken, and never will be; why.
    Never(String),
    /// The access token is not valid any more: renew it and try again.
    TokenExpired(String),
    /// It cannot be known; why.
    Unknown(String),
}

#[cfg(test)]
mod tests {
    use super::DeliveryState::{Delivered, Failed, Queued, Read, Sending, Sent, Unknown};

    #[test]
    fn a_late_receipt_never_overwrites_a_further_one() {
        assert!(!Read.rises_to(Delivered));
        assert!(!Delivered.rises_to(Sent));
        assert!(!Read.rises_to(Failed));
        assert!(!Sent.rises_to(Sent));
    }

    #[test]
    fn a_confirmation_settles_what_was_unknown_or_failed() {
        for settled in [Failed, Unknown] {
            assert!(settled.rises_to(Sent) && settled.rises_to(Read) && !settled.rises_to(Sending));
        }
        assert!(Sent.rises_to(Failed) && !Delivered.rises_to(Failed));
        assert!(Queued.rises_to(Sending) && Sending.rises_to(Unknown));
        assert!(!Failed.rises_to(Unknown) && !Unknown.rises_to(Failed));
    }
}
