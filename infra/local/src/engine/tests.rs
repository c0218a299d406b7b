//! The engine asked by real SDK clients, on a clock the test moves.

mod keys;
mod ordered_queues;
mod queues;
mod sockets;
mod streams;
mod tables;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use super::Engine;

/// 2026-11-23T08:00:00Z.
const START_MS: i64 = 1_795_420_800_000;

/// An engine and its clock.
struct Bench {
    engine: Engine,
    clock: Arc<AtomicI64>,
}

impl Bench {
    fn new() -> Self {
        Self::with(|clock| Engine::in_memory(clock).unwrap())
    }

    fn on_disk(directory: &Path) -> Self {
        Self::with(|clock| Engine::open(directory, clock).unwrap())
    }

    fn with(open: impl FnOnce(super::Clock) -> Engine) -> Self {
        let clock = Arc::new(AtomicI64::new(START_MS));
        let read = Arc::clone(&clock);
        Self { engine: open(Arc::new(move || read.load(Ordering::SeqCst))), clock }
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
        self.engine.clock_moved();
    }

    fn dynamo(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.engine.sdk_config())
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.engine.sdk_config())
    }

    fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.engine.sdk_config())
    }
}
