//! A queue that feeds a function: batches as they come, deleted when handled, back after the visibility time when not.
//!
//! It deliberately keeps no order of its own: the engine hands out no message of a group while another of it is in
//! flight, and sends to the dead-letter queue what was received too often.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tracing::error;

use super::{Handled, filter::Filter, handled};
use crate::{
    engine::{Engine, EngineError, queues::Received},
    host::{
        lambda::{Function, records_event},
        stop::Stop,
    },
    template::plan::Mapping,
};

/// How many invocations run at once when the template does not say: enough to keep two cores busy, and few enough that
/// batches fill under load.
const AT_ONCE: u32 = 16;

/// How long to wait after the engine failed.
const BREATHER: Duration = Duration::from_secs(1);

/// How long invocations may take to end when the host stops.
const GRACE: Duration = Duration::from_secs(10);

/// One mapping from a queue to a function.
#[derive(Clone)]
pub(super) struct Poller {
    queue: Arc<str>,
    batch_size: usize,
    window: Duration,
    partial: bool,
    at_once: u32,
    filter: Filter,
    function: Function,
    engine: Engine,
}

impl Poller {
    pub(super) fn new(queue: &str, mapping: &Mapping, filter: Filter, function: Function, engine: Engine) -> Self {
        Self {
            queue: queue.into(),
            batch_size: mapping.batch_size.max(1) as usize,
            window: Duration::from_secs(u64::from(mapping.window_s)),
            partial: mapping.partial_batch,
            at_once: mapping.max_concurrency.unwrap_or(AT_ONCE),
            filter,
            function,
            engine,
        }
    }

    /// Feeds the function until `stop` becomes true.
    pub(super) async fn run(self, mut stop: Stop) {
        let slots = Arc::new(Semaphore::new(self.at_once as usize));
        loop {
            let step = tokio::select! {
                step = self.step(&slots) => step,
                () = stop.heard() => break,
            };
            if let Err(error) = step {
                error!(queue = &*self.queue, "the queue cannot be read: {error}");
                sleep(BREATHER).await;
            }
        }
        // What does not end in time is in flight still, and comes again after the visibility time.
        let _ = timeout(GRACE, slots.acquire_many(self.at_once)).await;
    }

    /// Waits for a free slot and a message, then starts one invocation.
    async fn step(&self, slots: &Arc<Semaphore>) -> Result<(), EngineError> {
        let Ok(slot) = Arc::clone(slots).acquire_owned().await else { return Ok(()) };
        self.engine.queues().waiting(&self.queue).await?;
        let mut batch = self.engine.queues().receive(&self.queue, self.batch_size, None)?;
        if batch.is_empty() {
            return Ok(());
        }
        if !self.window.is_zero() && batch.len() < self.batch_size {
            sleep(self.window).await;
            batch.extend(self.engine.queues().receive(&self.queue, self.batch_size - batch.len(), None)?);
        }
        tokio::spawn(self.clone().handle(batch, slot));
        Ok(())
    }

    async fn handle(self, batch: Vec<Received>, _slot: OwnedSemaphorePermit) {
        let (records, done) = self.offer(batch).await;
        let gone: Vec<String> = match done {
            Handled::All => records.into_iter().map(|(_, handle)| handle).collect(),
            Handled::AllBut(failed) => {
                records.into_iter().filter(|(id, _)| !failed.contains(id)).map(|(_, handle)| handle).collect()
            }
            Handled::Nothing => return,
        };
        if !gone.is_empty()
            && let Err(error) = self.engine.queues().delete(&self.queue, &gone)
        {
            error!(queue = &*self.queue, "handled messages cannot be deleted and will come again: {error}");
        }
    }

    /// Invokes the function with what passes the filter; what does not counts as handled.
    async fn offer(&self, batch: Vec<Received>) -> (Vec<(String, String)>, Handled) {
        let mut ids = Vec::with_capacity(batch.len());
        let mut records = Vec::with_capacity(batch.len());
        let mut offered = BTreeSet::new();
        for received in batch {
            if self.filter.is_open() || self.filter.passes(&with_parsed_body(&received.record)) {
                records.push(received.record);
                offered.insert(received.message_id.clone());
            }
            ids.push((received.message_id, received.handle));
        }
        if records.is_empty() {
            return (ids, Handled::All);
        }
        let outcome = self.function.invoke(records_event(records)).await;
        let done = match handled(&outcome, self.partial, offered.iter().map(String::as_str)) {
            Handled::Nothing if offered.len() < ids.len() => Handled::AllBut(offered),
            done => done,
        };
        (ids, done)
    }
}

/// Filters look into a body that is JSON.
fn with_parsed_body(record: &Value) -> Value {
    let mut record = record.clone();
    if let Some(body) = record["body"].as_str().and_then(|body| serde_json::from_str(body).ok()) {
        record["body"] = body;
    }
    record
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
