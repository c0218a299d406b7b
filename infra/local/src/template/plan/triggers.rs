//! What calls functions by itself: queues, streams and the clock.

use serde_json::Value;

/// One event source mapping: a queue or a stream that feeds a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Function and event, for example `RollupEntries`: a name for checkpoints that stays the same.
    pub name: String,
    /// The function's logical id.
    pub function: String,
    /// What is read.
    pub source: Source,
    /// The most records in one invocation.
    pub batch_size: u32,
    /// How long records may be gathered before the function is called, in seconds.
    pub window_s: u32,
    /// Whether the function's answer names the records that failed (`ReportBatchItemFailures`).
    pub partial_batch: bool,
    /// The most concurrent invocations from this queue (2 to 1,000), when limited.
    pub max_concurrency: Option<u32>,
    /// What an event must look like to be passed on: event patterns, of which one must match; empty: every event.
    pub filters: Vec<Value>,
    /// What holds for streams only.
    pub stream: Option<StreamRules>,
}

/// What a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A queue, by name.
    Queue(String),
    /// A table's stream, by the table's name.
    Stream(String),
}

/// How a stream mapping starts and what becomes of a batch that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRules {
    /// `LATEST` or `TRIM_HORIZON`.
    pub starting_position: String,
    /// Whether a failing batch is halved.
    pub bisect: bool,
    /// How often a failing batch is repeated; `None`: until it expires.
    pub max_retries: Option<u32>,
    /// The oldest record still tried, in seconds; `None`: as old as the stream keeps.
    pub max_record_age_s: Option<u32>,
    /// The queue (by name) told of what was given up.
    pub on_failure: Option<String>,
    /// How many batches of one shard run at once, each key still in order.
    pub parallelization: u32,
}

/// A function that the clock calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Function and event, for example `SweepEveryMinute`.
    pub name: String,
    /// The function's logical id.
    pub function: String,
    /// Every how many seconds.
    pub rate_s: u32,
    /// The event's body as written; `None`: the Scheduler's own event.
    pub input: Option<String>,
}
