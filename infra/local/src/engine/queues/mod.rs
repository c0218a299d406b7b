//! The queues: SQS as AWS documents it, standard and FIFO, on disk in one file and mirrored in memory.
//!
//! It deliberately has no fairness between tenants, no sampling on short polls (a receive sees every message), no
//! replay by `ReceiveRequestAttemptId`, and moves dead letters back at once, not at a rate.

mod exchange;
mod message;
mod operations;
mod outgoing;
mod queue;
mod receipt;
mod refusal;
mod seen;
mod spec;
mod store;
mod wire;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::Notify;

use self::{queue::Queue, refusal::Refusal, store::Store};
use super::{
    Clock, EngineError, Place,
    ledger::{Ledger, Unit, steps},
};

pub use self::{
    queue::Depth,
    spec::{QueueSpec, Redrive},
};

/// What a request is billed by, in bytes.
const STEP_BYTES: usize = 64 * 1024;

/// The queues of an engine. Clones share them.
#[derive(Clone)]
pub struct Queues {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    ledger: Ledger,
    state: Mutex<StateOfQueues>,
}

struct StateOfQueues {
    store: Store,
    queues: BTreeMap<String, Queue>,
    next_row: u64,
    next_receipt: u64,
    forget_seen_at: i64,
}

/// A message handed to a poller.
#[derive(Clone, Debug)]
pub struct Received {
    /// What deletes or releases it.
    pub handle: String,
    /// Its id.
    pub message_id: String,
    /// Its message group.
    pub group: Option<String>,
    /// How often it was received, this time included.
    pub receives: u32,
    /// The record as Lambda's event has it.
    pub record: Value,
}

impl Queues {
    pub(crate) fn open(place: &Place, clock: Clock, ledger: Ledger) -> Result<Self, EngineError> {
        let store = Store::open(place)?;
        let now_ms = clock();
        let (queues, next_row) = store.load(now_ms)?;
        let queues = queues.into_iter().map(|queue| (queue.spec.name.clone(), queue)).collect();
        let mut seed = [0_u8; 8];
        aws_lc_rs::rand::fill(&mut seed)
            .map_err(|_| EngineError::Invalid("the random number generator failed".to_owned()))?;
        // Receipts of an earlier run must not fit this one's messages.
        let next_receipt = u64::from_ne_bytes(seed);
        let state = StateOfQueues { store, queues, next_row, next_receipt, forget_seen_at: now_ms };
        Ok(Self { inner: Arc::new(Inner { clock, ledger, state: Mutex::new(state) }) })
    }

    /// Makes the queue as declared, or changes an existing one's attributes to the declaration.
    ///
    /// # Errors
    /// When the declaration contradicts itself or the disk fails.
    pub fn create(&self, spec: &QueueSpec) -> Result<(), EngineError> {
        spec.check().map_err(|refusal| EngineError::Invalid(refusal.message))?;
        let now_ms = self.now_ms();
        let state = &mut *self.lock();
        let id = state.store.declare(spec, now_ms)?;
        let queue = state.queues.entry(spec.name.clone()).or_insert_with(|| Queue::new(id, spec.clone(), now_ms));
        queue.spec = spec.clone();
        queue.modified_ms = now_ms;
        queue.wake.notify_waiters();
        Ok(())
    }

    /// The names of all queues, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock().queues.keys().cloned().collect()
    }

    /// How a queue is declared.
    #[must_use]
    pub fn spec(&self, queue: &str) -> Option<QueueSpec> {
        self.lock().queues.get(queue).map(|queue| queue.spec.clone())
    }

    /// How many messages each queue holds, and where they are.
    #[must_use]
    pub fn depths(&self) -> BTreeMap<String, Depth> {
        let now_ms = self.now_ms();
        let state = &mut *self.lock();
        let expired: Vec<u64> = state.queues.values_mut().flat_map(|queue| queue.advance(now_ms)).collect();
        if let Err(error) = state.store.delete(&expired) {
            tracing::error!(%error, "messages kept for too long are still on disk");
        }
        state.queues.iter().map(|(name, queue)| (name.clone(), queue.depth())).collect()
    }

    /// Receives up to `max` messages (10 at most for a FIFO queue) that can be received now; they are hidden for
    /// `visibility`, or as long as the queue says.
    ///
    /// # Errors
    /// When there is no such queue or the disk fails.
    pub fn receive(&self, queue: &str, max: usize, visibility: Option<Duration>) -> Result<Vec<Received>, EngineError> {
        let hidden_ms = visibility.map(|visibility| i64::try_from(visibility.as_millis()).unwrap_or(i64::MAX));
        let (delivered, _) = self.take(queue, max, hidden_ms).map_err(|refusal| failed(queue, refusal))?;
        let fifo = queue.ends_with(".fifo");
        let arn = spec::arn(queue);
        if !delivered.is_empty() {
            // AWS hands out at most ten messages a request.
            for part in delivered.chunks(10) {
                let size = part.iter().map(|delivered| delivered.message.body.len()).sum();
                self.count("ReceiveMessage", queue, size);
            }
        }
        let received = |delivered: exchange::Delivered| Received {
            record: delivered.message.record(&arn, fifo, &delivered.handle),
            handle: delivered.handle,
            message_id: delivered.message.id,
            group: delivered.message.group,
            receives: delivered.message.receives,
        };
        Ok(delivered.into_iter().map(received).collect())
    }

    /// Deletes messages that were received; a handle that no longer holds is passed over.
    ///
    /// # Errors
    /// When there is no such queue or the disk fails.
    pub fn delete(&self, queue: &str, handles: &[String]) -> Result<(), EngineError> {
        for _ in handles.chunks(10) {
            self.count("DeleteMessageBatch", queue, 0);
        }
        let answers = self.remove(queue, handles).map_err(|refusal| failed(queue, refusal))?;
        for refusal in answers.into_iter().filter_map(Result::err) {
            tracing::warn!(queue, "a handled message could not be deleted and will come again: {}", refusal.message);
        }
        Ok(())
    }

    /// Lets messages that were received be visible again after `delay`; a handle that no longer holds is passed over.
    ///
    /// # Errors
    /// When there is no such queue.
    pub fn release(&self, queue: &str, handles: &[String], delay: Duration) -> Result<(), EngineError> {
        let hidden_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        let changes: Vec<_> = handles.iter().map(|handle| (handle.clone(), hidden_ms)).collect();
        self.hide(queue, &changes).map_err(|refusal| failed(queue, refusal))?;
        Ok(())
    }

    /// Waits until a message can be received from the queue.
    ///
    /// # Errors
    /// When there is no such queue.
    pub async fn waiting(&self, queue: &str) -> Result<(), EngineError> {
        let wake = self.wake(queue).map_err(|refusal| failed(queue, refusal))?;
        loop {
            let notified = wake.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            match self.inner.receivable(queue).map_err(|refusal| failed(queue, refusal))? {
                Ok(()) => return Ok(()),
                Err(None) => notified.await,
                Err(Some(next_ms)) => {
                    tokio::select! {
                        () = notified => {}
                        () = tokio::time::sleep(self.until(next_ms)) => {}
                    }
                }
            }
        }
    }

    /// Wakes whoever waits, so that they look at the clock again.
    pub(crate) fn wake_all(&self) {
        self.lock().queues.values().for_each(|queue| queue.wake.notify_waiters());
    }

    fn wake(&self, name: &str) -> Result<Arc<Notify>, Refusal> {
        let state = self.lock();
        state.queues.get(name).map(|queue| Arc::clone(&queue.wake)).ok_or_else(|| Refusal::no_queue(name))
    }

    /// How long it is until a moment; never nothing, so that a clock that stands still is not asked without end.
    fn until(&self, moment_ms: i64) -> Duration {
        Duration::from_millis(u64::try_from(moment_ms - self.now_ms()).unwrap_or(0).max(1))
    }

    fn count(&self, operation: &str, queue: &str, size_bytes: usize) {
        let unit = if queue.ends_with(".fifo") { Unit::FifoQueueRequest } else { Unit::StandardQueueRequest };
        self.inner.ledger.count("sqs", operation, queue, unit, steps(size_bytes, STEP_BYTES));
    }

    fn now_ms(&self) -> i64 {
        (self.inner.clock)()
    }

    fn lock(&self) -> MutexGuard<'_, StateOfQueues> {
        self.inner.lock()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, StateOfQueues> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queues").field("names", &self.names()).finish_non_exhaustive()
    }
}

fn failed(queue: &str, refusal: Refusal) -> EngineError {
    if refusal.code == "AWS.SimpleQueueService.NonExistentQueue" {
        EngineError::Missing { kind: "queue", name: queue.to_owned() }
    } else {
        EngineError::Invalid(refusal.message)
    }
}
