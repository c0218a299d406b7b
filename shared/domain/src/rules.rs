//! What each channel allows: one table for the bot, the console, automations and the API alike.
//!
//! Sources: WhatsApp Cloud API (24-hour customer service window, 4,096 characters), WeChat official account (five
//! customer service messages within 48 hours of the customer's last, 2,048 bytes measured).

use std::time::Duration;

use serde::Serialize;

use crate::{Channel, Timestamp};

/// What a text's length is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Unicode scalar values.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

/// What a channel allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// The longest text of one message on the wire; longer ones are split.
    pub max_length: usize,
    /// What that is counted in.
    pub unit: Unit,
    /// How long after the customer's last message we may write.
    pub window: Option<Duration>,
    /// How many messages we may send within that window.
    pub quota: Option<u32>,
    /// Whether the platform tells us that a message was delivered and read.
    pub receipts: bool,
}

/// The rules of a channel.
#[must_use]
pub const fn rules(channel: Channel) -> Rules {
    const DAY: u64 = 24 * 3600;
    match channel {
        Channel::Web => Rules { max_length: 8_000, unit: Unit::Characters, window: None, quota: None, receipts: true },
        Channel::WhatsApp => Rules {
            max_length: 4_096,
            unit: Unit::Characters,
            window: Some(Duration::from_secs(DAY)),
            quota: None,
            receipts: true,
        },
        Channel::WeChat => Rules {
            max_length: 2_048,
            unit: Unit::Bytes,
            window: Some(Duration::from_secs(2 * DAY)),
            quota: Some(5),
            receipts: false,
        },
    }
}

/// Whether we may write now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// Whether we may.
    pub allowed: bool,
    /// Until when we may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many messages are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
    /// Why we may not, and what would work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Rules {
    /// Whether we may write at `now` to a customer who last wrote at `contact_at` and got `replies` messages since.
    #[must_use]
    pub fn may_write(&self, now: Timestamp, contact_at: Option<Timestamp>, replies: u32) -> Permission {
        let until = self.window.zip(contact_at).map(|(window, at)| at.plus(window));
        let left = self.quota.map(|quota| quota.saturating_sub(replies));
        let reason = match (self.window, until) {
            (Some(_), None) => Some("the customer has not written yet; this channel lets them write first".to_owned()),
            (Some(window), Some(until)) if now >= until => Some(format!(
                "the customer last wrote more than {} hours ago; wait until they write again",
                window.as_secs() / 3600
            )),
            _ if left == Some(0) => Some(format!(
                "all {} messages this channel allows have been sent; wait until the customer writes again",
                self.quota.unwrap_or_default()
            )),
            _ => None,
        };
        Permission { allowed: reason.is_none(), until, left, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn whatsapp_closes_a_day_after_the_customers_last_message() {
        let wrote = Timestamp::from_ms(0);
        let rules = rules(Channel::WhatsApp);
        assert!(rules.may_write(wrote.plus(23 * HOUR), Some(wrote), 9).allowed);
        let refused = rules.may_write(wrote.plus(24 * HOUR), Some(wrote), 0);
        assert!(!refused.allowed && refused.reason.unwrap().contains("24 hours"));
        assert!(!rules.may_write(wrote, None, 0).allowed);
    }

    #[test]
    fn wechat_allows_five_messages_in_two_days() {
        let wrote = Timestamp::from_ms(0);
        let rules = rules(Channel::WeChat);
        assert_eq!(rules.may_write(wrote, Some(wrote), 4).left, Some(1));
        assert!(!rules.may_write(wrote, Some(wrote), 5).allowed);
        assert!(!rules.may_write(wrote.plus(48 * HOUR), Some(wrote), 0).allowed);
    }

    #[test]
    fn the_web_is_always_open() {
        assert!(rules(Channel::Web).may_write(Timestamp::from_ms(0), None, 1_000).allowed);
    }
}
