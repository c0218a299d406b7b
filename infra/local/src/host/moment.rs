//! One moment in the forms that AWS events show it in.
//!
//! It deliberately reads no clock.

use colloquy_domain::Timestamp;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(Timestamp);

impl Moment {
    /// The moment `ms` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub(crate) const fn from_ms(ms: i64) -> Self {
        Self(Timestamp::from_ms(ms))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub(crate) const fn ms(self) -> i64 {
        self.0.ms()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub(crate) const fn seconds(self) -> i64 {
        self.0.seconds()
    }

    /// As API Gateway writes it: `23/Nov/2026:06:33:44 +0000`.
    #[must_use]
    pub(crate) fn common_log(self) -> String {
        let text = self.0.to_string();
        let month = text.get(5..7).and_then(|month| month.parse::<usize>().ok()).unwrap_or(1);
        let month = MONTHS.get(month.wrapping_sub(1)).unwrap_or(&"Jan");
        format!("{}/{month}/{}:{} +0000", &text[8..10], &text[..4], &text[11..19])
    }

    /// As `EventBridge` writes it: `2026-11-23T06:33:44Z`.
    #[must_use]
    pub(crate) fn rfc3339_seconds(self) -> String {
        format!("{}Z", &self.0.to_string()[..19])
    }

    /// As Lambda writes it: `2026-11-23T06:33:44.123Z`.
    #[must_use]
    pub(crate) fn rfc3339(self) -> String {
        self.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_each_service_writes_it() {
        let moment = Moment::from_ms(1_795_415_624_123);
        assert_eq!(moment.common_log(), "23/Nov/2026:06:33:44 +0000");
        assert_eq!(moment.rfc3339_seconds(), "2026-11-23T06:33:44Z");
        assert_eq!(moment.rfc3339(), "2026-11-23T06:33:44.123Z");
    }
}
