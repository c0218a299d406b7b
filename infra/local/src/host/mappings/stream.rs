//! A table's stream that feeds a function: in order, one batch at a time, repeated and halved until it is handled or
//! given up, and remembered only after that.
//!
//! It deliberately reads one shard, as the engine keeps one.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_sqs::Client;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tracing::{error, warn};

use super::{Handled, filter::Filter, handled};
use crate::{
    engine::{Engine, EngineError, random_id, tables::StreamRecord},
    host::{
        HostError,
        lambda::{Function, records_event},
        moment::Moment,
        stop::Stop,
    },
    template::plan::Mapping,
};

/// How long changes are gathered before they are read. AWS looks four times a second.
const GATHER: Duration = Duration::from_millis(100);

/// The first wait before a failed batch is repeated; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest wait before a failed batch is repeated.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How many records are read at once, so that a filter that drops most does not cost a read each.
const READ: usize = 1000;

/// Before the first record.
const BEGINNING: &str = "100000000000000000000";

/// How long the invocation under way may take to end when the host stops.
const GRACE: Duration = Duration::from_secs(10);

/// How far each consumer of each table's stream is, so that only what all are past is pruned.
#[derive(Debug, Default)]
pub(super) struct Progress {
    tables: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
}

impl Progress {
    /// Notes how far a consumer is; what all of the table's consumers are past.
    fn note(&self, table: &str, consumer: &str, sequence: &str) -> Option<String> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let consumers = tables.entry(table.to_owned()).or_default();
        consumers.insert(consumer.to_owned(), sequence.to_owned());
        consumers.values().min().cloned()
    }
}

/// One mapping from a stream to a function.
pub(super) struct Reader {
    table: String,
    consumer: String,
    batch_size: usize,
    partial: bool,
    bisect: bool,
    max_retries: Option<u32>,
    max_age_ms: Option<i64>,
    on_failure: Option<String>,
    filter: Filter,
    function: Function,
    engine: Engine,
    queues: Client,
    progress: Arc<Progress>,
    after: String,
    first_wait: Duration,
}

impl Reader {
    /// # Errors
    /// When there is no such table, or how far the consumer is cannot be read or written.
    pub(super) fn new(
        table: &str,
        mapping: &Mapping,
        filter: Filter,
        function: Function,
        engine: Engine,
        progress: Arc<Progress>,
    ) -> Result<Self, HostError> {
        let consumer = mapping.name.clone();
        let rules = mapping.stream.as_ref();
        let after = match engine.tables().checkpoint(&consumer)? {
            Some(after) => after,
            None => {
                let latest = rules.is_some_and(|rules| rules.starting_position == "LATEST");
                let last = if latest { engine.tables().last_sequence(table)? } else { None };
                let after = last.unwrap_or_else(|| BEGINNING.to_owned());
                // From here on nothing is skipped, whenever the process ends.
                engine.tables().set_checkpoint(&consumer, &after)?;
                after
            }
        };
        progress.note(table, &consumer, &after);
        Ok(Self {
            table: table.to_owned(),
            consumer,
            batch_size: mapping.batch_size.max(1) as usize,
            partial: mapping.partial_batch,
            bisect: rules.is_some_and(|rules| rules.bisect),
            max_retries: rules.and_then(|rules| rules.max_retries),
            max_age_ms: rules.and_then(|rules| rules.max_record_age_s).map(|age| i64::from(age) * 1000),
            on_failure: rules.and_then(|rules| rules.on_failure.clone()),
            filter,
            function,
            queues: Client::new(&engine.sdk_config()),
            engine,
            progress,
            after,
            first_wait: FIRST_WAIT,
        })
    }

    /// Feeds the function until `stop` becomes true.
    pub(super) async fn run(mut self, stop: Stop) {
        let mut stopping = stop.clone();
        let work = async {
            if let Err(error) = self.read_on(stop).await {
                error!(table = self.table, "the stream cannot be read any more: {error}");
            }
        };
        tokio::pin!(work);
        tokio::select! {
            () = &mut work => {}
            () = stopping.heard() => {
                // What does not end in time was not remembered, and comes again.
                let _ = timeout(GRACE, work).await;
            }
        }
    }

    async fn read_on(&mut self, stop: Stop) -> Result<(), EngineError> {
        let mut changed = self.engine.tables().changed(&self.table)?;
        let mut stopping = stop.clone();
        while !stop.is_said() {
            changed.borrow_and_update();
            let records = self.engine.tables().stream_records(&self.table, Some(&self.after), READ)?;
            if records.is_empty() {
                tokio::select! {
                    moved = changed.changed() => if moved.is_err() { return Ok(()) },
                    () = stopping.heard() => return Ok(()),
                }
                tokio::select! {
                    () = sleep(GATHER) => {}
                    () = stopping.heard() => return Ok(()),
                }
                continue;
            }
            let last = records.last().map(|record| record.sequence_number.clone());
            let wanted: Vec<StreamRecord> =
                records.into_iter().filter(|record| self.filter.passes(&record.event)).collect();
            for batch in wanted.chunks(self.batch_size) {
                if stop.is_said() {
                    return Ok(());
                }
                self.handle(batch.to_vec(), &mut stopping).await?;
            }
            if let Some(last) = last.filter(|_| !stop.is_said()) {
                self.remember(&last)?;
                if let Some(past) = self.progress.note(&self.table, &self.consumer, &last) {
                    self.engine.tables().prune_stream(&self.table, &past)?;
                }
            }
        }
        Ok(())
    }

    /// Offers a batch until every record of it is handled or given up, in order.
    async fn handle(&mut self, batch: Vec<StreamRecord>, stop: &mut Stop) -> Result<(), EngineError> {
        let mut left = VecDeque::from([(batch, 0_u32)]);
        while let Some((mut batch, failures)) = left.pop_front() {
            let Some(last) = batch.last().map(|record| record.sequence_number.clone()) else { continue };
            if failures > 0 && self.is_too_old(&batch) {
                self.give_up(&batch, failures, "RecordAgeExceeded").await;
                self.remember(&last)?;
                continue;
            }
            let event = records_event(batch.iter().map(|record| record.event.clone()).collect());
            let outcome = self.function.invoke(event).await;
            let ids = batch.iter().map(|record| record.sequence_number.as_str());
            let done = match handled(&outcome, self.partial, ids) {
                Handled::All => batch.len(),
                // The first that failed is where the stream goes on: what comes after it must not overtake it.
                Handled::AllBut(failed) => {
                    batch.iter().position(|record| failed.contains(&record.sequence_number)).unwrap_or(0)
                }
                Handled::Nothing => 0,
            };
            if done == batch.len() {
                self.remember(&last)?;
                continue;
            }
            if done > 0 {
                let rest = batch.split_off(done);
                if let Some(last) = batch.last() {
                    self.remember(&last.sequence_number.clone())?;
                }
                left.push_front((rest, 0));
            } else if self.bisect && batch.len() > 1 {
                let rest = batch.split_off(batch.len() / 2);
                left.push_front((rest, failures));
                left.push_front((batch, failures));
            } else if self.max_retries.is_some_and(|most| failures >= most) {
                self.give_up(&batch, failures + 1, "RetryAttemptsExhausted").await;
                self.remember(&last)?;
                continue;
            } else {
                left.push_front((batch, failures + 1));
            }
            let wait = self.first_wait.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_WAIT);
            tokio::select! {
                () = sleep(wait) => {}
                () = stop.heard() => return Ok(()),
            }
        }
        Ok(())
    }

    fn remember(&mut self, sequence: &str) -> Result<(), EngineError> {
        self.engine.tables().set_checkpoint(&self.consumer, sequence)?;
        sequence.clone_into(&mut self.after);
        Ok(())
    }

    /// Whether what failed is older than the template lets records become.
    fn is_too_old(&self, batch: &[StreamRecord]) -> bool {
        let oldest = batch.first().map_or(i64::MAX, |record| arrived(record).ms());
        self.max_age_ms.is_some_and(|most| self.engine.now_ms().saturating_sub(oldest) > most)
    }

    /// Tells the on-failure destination which records were given up; the records themselves stay in the table.
    async fn give_up(&self, batch: &[StreamRecord], invocations: u32, condition: &str) {
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return };
        warn!(
            table = self.table,
            function = self.function.name(),
            from = first.sequence_number,
            to = last.sequence_number,
            "records of a stream are given up after {invocations} invocations"
        );
        let Some(queue) = &self.on_failure else { return };
        let arrived = |record: &StreamRecord| arrived(record).rfc3339_seconds();
        let message: Value = json!({
            "requestContext": {
                "requestId": random_id(),
                "functionArn": self.function.arn(),
                "condition": condition,
                "approximateInvokeCount": invocations,
            },
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "version": "1.0",
            "timestamp": Moment::from_ms(self.engine.now_ms()).rfc3339(),
            "DDBStreamBatchInfo": {
                "shardId": "shardId-00000000000000000000-00000000",
                "startSequenceNumber": first.sequence_number,
                "endSequenceNumber": last.sequence_number,
                "approximateArrivalOfFirstRecord": arrived(first),
                "approximateArrivalOfLastRecord": arrived(last),
                "batchSize": batch.len(),
                "streamArn": first.event["eventSourceARN"],
            },
        });
        let Some(url) = self.engine.queues().spec(queue).map(|spec| spec.url()) else {
            error!(queue, "the on-failure destination is not there");
            return;
        };
        if let Err(error) = self.queues.send_message().queue_url(url).message_body(message.to_string()).send().await {
            error!(queue, "the on-failure destination took nothing: {}", error.into_service_error());
        }
    }
}

/// When a record was written.
fn arrived(record: &StreamRecord) -> Moment {
    Moment::from_ms(record.event["dynamodb"]["ApproximateCreationDateTime"].as_i64().unwrap_or(0).saturating_mul(1000))
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
