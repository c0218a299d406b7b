//! Counts every AWS operation by service, operation and resource, with the units AWS bills and their price.
//!
//! It deliberately counts requests only: storage, Lambda time, data transfer and log volume are not here.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};

/// What AWS bills a call by. Prices are per million units in us-east-1, on demand, from the AWS price list of 2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// A DynamoDB write request unit: 1 KB written.
    WriteRequestUnit,
    /// A DynamoDB read request unit: 4 KB read consistently, or 8 KB eventually.
    ReadRequestUnit,
    /// A request to a standard queue, 64 KB each.
    StandardQueueRequest,
    /// A request to a FIFO queue, 64 KB each.
    FifoQueueRequest,
    /// A KMS request.
    KeyRequest,
    /// A WebSocket message, 32 KB each.
    SocketMessage,
    /// Something AWS does not charge for.
    Free,
}

impl Unit {
    /// Dollars for a million.
    #[must_use]
    pub const fn usd_per_million(self) -> f64 {
        match self {
            Self::WriteRequestUnit => 0.625,
            Self::ReadRequestUnit => 0.125,
            Self::StandardQueueRequest => 0.40,
            Self::FifoQueueRequest => 0.50,
            Self::KeyRequest => 3.00,
            Self::SocketMessage => 1.00,
            Self::Free => 0.0,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::WriteRequestUnit => "wru",
            Self::ReadRequestUnit => "rru",
            Self::StandardQueueRequest => "standard_request",
            Self::FifoQueueRequest => "fifo_request",
            Self::KeyRequest => "key_request",
            Self::SocketMessage => "socket_message",
            Self::Free => "free",
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Count {
    calls: u64,
    units: f64,
}

type Row = (&'static str, String, String, Unit);

/// The ledger. Clones share one count.
#[derive(Clone, Default)]
pub struct Ledger {
    rows: Arc<Mutex<BTreeMap<Row, Count>>>,
}

impl Ledger {
    /// Counts one call of `operation` on `resource`.
    pub fn count(&self, service: &'static str, operation: &str, resource: &str, unit: Unit, units: f64) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let count = rows.entry((service, operation.to_owned(), resource.to_owned(), unit)).or_default();
        count.calls += 1;
        count.units += units;
    }

    /// How often `operation` of `service` (`dynamodb`, `sqs`, `kms`, `sockets`) was called on any resource.
    #[must_use]
    pub fn calls(&self, service: &str, operation: &str) -> u64 {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().filter(|((s, o, ..), _)| *s == service && o == operation).map(|(_, count)| count.calls).sum()
    }

    /// What everything counted so far would cost, in dollars.
    #[must_use]
    pub fn usd(&self) -> f64 {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().map(|((.., unit), count)| price(*unit, count.units)).sum()
    }

    /// Everything counted since the start or the last [`Ledger::reset`]:
    /// `{"calls":…,"usd":…,"operations":[{"service":…,"operation":…,"resource":…,"calls":…,"unit":…,"units":…,"usd":…}]}`.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let operations: Vec<Value> = rows
            .iter()
            .map(|((service, operation, resource, unit), count)| {
                json!({
                    "service": service, "operation": operation, "resource": resource,
                    "calls": count.calls, "unit": unit.name(), "units": count.units,
                    "usd": price(*unit, count.units),
                })
            })
            .collect();
        json!({
            "calls": rows.values().map(|count| count.calls).sum::<u64>(),
            "usd": rows.iter().map(|((.., unit), count)| price(*unit, count.units)).sum::<f64>(),
            "operations": operations,
        })
    }

    /// Forgets everything counted.
    pub fn reset(&self) {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

fn price(unit: Unit, units: f64) -> f64 {
    units * unit.usd_per_million() / 1_000_000.0
}

/// How many steps of `step_bytes` a payload of `size_bytes` is billed as; never less than one.
pub(crate) fn steps(size_bytes: usize, step_bytes: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a payload is at most a few MiB")]
    {
        size_bytes.div_ceil(step_bytes).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_counted_with_its_price() {
        let ledger = Ledger::default();
        ledger.count("sqs", "SendMessage", "inbound.fifo", Unit::FifoQueueRequest, steps(65_537, 65_536));
        ledger.count("sqs", "SendMessage", "inbound.fifo", Unit::FifoQueueRequest, steps(0, 65_536));
        assert_eq!(ledger.calls("sqs", "SendMessage"), 2);
        assert!((ledger.usd() - 3.0 * 0.50 / 1e6).abs() < 1e-12);
        assert_eq!(ledger.snapshot()["operations"][0]["units"], 3.0);
        ledger.reset();
        assert_eq!(ledger.snapshot()["calls"], 0);
    }
}
