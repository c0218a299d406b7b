//! Faults ordered for a channel's next calls: `{"channel","fail","times"?,"retry_after"?,"at"?}`.
//!
//! A fault meets the calls that send a message, or those that fetch a token when `at` is `token`. What each looks like on
//! the wire is the channel's own affair.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

const TIMES_MAX: u32 = 100_000;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fail {
    /// Too many requests; with `Retry-After` when ordered so.
    #[serde(rename = "429")]
    TooMany,
    /// The platform is broken; the message was not taken.
    #[serde(rename = "500")]
    Broken,
    /// No answer ever.
    #[serde(rename = "hang")]
    Hang,
    /// The request is read, the connection dropped.
    #[serde(rename = "close")]
    Close,
    /// The access token is not valid any more.
    #[serde(rename = "token")]
    Token,
}

impl Fail {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::TooMany => "429",
            Self::Broken => "500",
            Self::Hang => "hang",
            Self::Close => "close",
            Self::Token => "token",
        }
    }
}

/// Which calls a fault meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Meets {
    /// Those that send a message.
    #[default]
    Messages,
    /// Those that fetch an access token.
    Token,
}

/// An order for faults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    pub(super) channel: String,
    pub(super) fail: Fail,
    #[serde(default = "once")]
    pub(super) times: u32,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<u64>,
    #[serde(default)]
    pub(super) at: Meets,
}

const fn once() -> u32 {
    1
}

/// The orders not used up yet, in the order they were given.
#[derive(Default)]
pub(super) struct Faults(VecDeque<Fault>);

impl Faults {
    /// Takes an order; it comes after those before it.
    pub(super) fn order(&mut self, mut fault: Fault) {
        fault.times = fault.times.min(TIMES_MAX);
        if fault.times > 0 {
            self.0.push_back(fault);
        }
    }

    /// The fault that the next call meets, used up by one.
    pub(super) fn next(&mut self, channel: &str, meets: Meets) -> Option<Fault> {
        let place = self.0.iter().position(|fault| fault.channel == channel && fault.at == meets)?;
        let fault = self.0.get_mut(place)?;
        fault.times -= 1;
        let met = fault.clone();
        if fault.times == 0 {
            self.0.remove(place);
        }
        Some(met)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) const fn pending(&self) -> &VecDeque<Fault> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_the_order_given_and_are_used_up() {
        let mut faults = Faults::default();
        let fault = |text: &str| serde_json::from_str::<Fault>(text).unwrap();
        faults.order(fault(r#"{"channel":"whatsapp","fail":"429","times":2,"retry_after":3}"#));
        faults.order(fault(r#"{"channel":"whatsapp","fail":"hang"}"#));
        faults.order(fault(r#"{"channel":"wechat","fail":"500","at":"token"}"#));
        let mut next = |channel, meets| faults.next(channel, meets).map(|fault| fault.fail);
        assert_eq!(next("wechat", Meets::Messages), None);
        assert_eq!(next("wechat", Meets::Token), Some(Fail::Broken));
        assert_eq!(next("whatsapp", Meets::Messages), Some(Fail::TooMany));
        assert_eq!(next("whatsapp", Meets::Messages), Some(Fail::TooMany));
        assert_eq!(next("whatsapp", Meets::Messages), Some(Fail::Hang));
        assert_eq!(next("whatsapp", Meets::Messages), None);
    }

    #[test]
    fn a_fault_nobody_knows_is_refused() {
        assert!(serde_json::from_str::<Fault>(r#"{"channel":"whatsapp","fail":"explode"}"#).is_err());
        assert!(serde_json::from_str::<Fault>(r#"{"channel":"whatsapp","fail":"500","tmies":2}"#).is_err());
    }
}
