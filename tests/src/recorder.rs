//! What the host handed to each function, so that a test can hand it over again.

use std::sync::{Arc, Mutex, PoisonError};

use colloquy_aws::Clients;
use colloquy_edge::Configuration;
use colloquy_local::{
    functions::{self, StartError, Starter},
    host::lambda::{Failure, Started},
};
use futures_util::future::BoxFuture;
use serde_json::Value;

/// Every event so far, with the binary that took it. Clones share them.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<(String, Value)>>>);

impl Recorder {
    /// The events a binary has taken, in the order it took them.
    #[must_use]
    pub fn events(&self, binary: &str) -> Vec<Value> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|(name, _)| name == binary).map(|(_, event)| event.clone()).collect()
    }

    /// The records within those events.
    #[must_use]
    pub fn records(&self, binary: &str) -> Vec<Value> {
        let records = |event: Value| event["Records"].as_array().cloned().unwrap_or_default();
        self.events(binary).into_iter().flat_map(records).collect()
    }

    /// Starts this repository's functions, each behind the recorder.
    #[must_use]
    pub fn starter(&self) -> Starter {
        let recorder = self.clone();
        Arc::new(move |binary: &str, configuration: &Configuration, clients: &Clients| {
            let code = functions::start(binary, configuration, clients)?;
            let recorded = Recorded { binary: binary.to_owned(), recorder: recorder.clone(), code };
            Ok::<Arc<dyn Started>, StartError>(Arc::new(recorded))
        })
    }
}

struct Recorded {
    binary: String,
    recorder: Recorder,
    code: Arc<dyn Started>,
}

impl Started for Recorded {
    fn handle(&self, event: Value) -> BoxFuture<'_, Result<Value, Failure>> {
        let mut all = self.recorder.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((self.binary.clone(), event.clone()));
        drop(all);
        self.code.handle(event)
    }
}
