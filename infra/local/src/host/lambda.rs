//! Lambda on one machine: holds the started functions and runs their invocations, each with its own deadline.
//!
//! It deliberately knows no trigger and no code: events come in and answers go out as JSON, and what starts a function
//! is handed in. A function is one value for the life of the host, so that there are no cold starts.

use std::{
    collections::BTreeMap,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tracing::{Instrument, error, info_span};

/// A function that has read its configuration and takes events.
pub trait Started: Send + Sync {
    /// Handles one event, given and answered as Lambda would see it.
    fn handle(&self, event: Value) -> BoxFuture<'_, Result<Value, Failure>>;
}

/// Why an invocation has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The function said so; the text is for the log.
    Refused(String),
    /// The function took longer than its timeout, and was ended.
    TimedOut,
    /// The function panicked.
    Panicked,
    /// There is no such function.
    Unknown,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => f.write_str(reason),
            Self::TimedOut => f.write_str("the invocation took longer than its timeout"),
            Self::Panicked => f.write_str("the function panicked"),
            Self::Unknown => f.write_str("there is no such function"),
        }
    }
}

impl std::error::Error for Failure {}

/// One function as it stands in the template, and the code behind it.
#[derive(Clone)]
pub struct Function {
    name: Arc<str>,
    arn: Arc<str>,
    timeout: Duration,
    code: Arc<dyn Started>,
    slots: Option<Arc<Semaphore>>,
}

impl Function {
    /// A function whose invocations may take `timeout`; `concurrency` is its reserved concurrency, when it has one.
    #[must_use]
    pub fn new(name: &str, arn: &str, timeout: Duration, concurrency: Option<u32>, code: Arc<dyn Started>) -> Self {
        let slots = concurrency.map(|slots| Arc::new(Semaphore::new(slots.max(1) as usize)));
        Self { name: name.into(), arn: arn.into(), timeout, code, slots }
    }

    /// Its logical id.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Hands the function one event and waits for its answer. Giving up waiting does not end the invocation.
    ///
    /// # Errors
    /// When the function fails, panics or takes too long. It is logged here, once, without the event.
    pub async fn invoke(&self, event: Value) -> Result<Value, Failure> {
        let function = self.clone();
        let begun = Instant::now();
        let span = info_span!("invocation", function = %self.name);
        let running = tokio::spawn(
            async move {
                let _slot = match &function.slots {
                    Some(slots) => slots.acquire().await.ok(),
                    None => None,
                };
                tokio::time::timeout(function.timeout, function.code.handle(event)).await
            }
            .instrument(span),
        );
        let outcome = match running.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Failure::TimedOut),
            Err(_) => Err(Failure::Panicked),
        };
        if let Err(failure) = &outcome {
            let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            error!(function = %self.name, elapsed_ms, "an invocation failed: {failure}");
        }
        outcome
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.name).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Every function of the template, by logical id. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Functions {
    by_name: Arc<BTreeMap<String, Function>>,
}

impl Functions {
    /// The function with this logical id.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.by_name.get(name)
    }

    /// Hands an event to the function with this logical id.
    ///
    /// # Errors
    /// When there is none, and as [`Function::invoke`].
    pub async fn invoke(&self, name: &str, event: Value) -> Result<Value, Failure> {
        match self.get(name) {
            Some(function) => function.invoke(event).await,
            None => Err(Failure::Unknown),
        }
    }
}

impl FromIterator<Function> for Functions {
    fn from_iter<I: IntoIterator<Item = Function>>(functions: I) -> Self {
        let by_name = functions.into_iter().map(|function| (function.name.to_string(), function)).collect();
        Self { by_name: Arc::new(by_name) }
    }
}

/// The event that hands a function records of a queue or stream; they are moved, since they can be large.
#[must_use]
pub fn records_event(records: Vec<Value>) -> Value {
    Value::Object(Map::from_iter([("Records".to_owned(), Value::Array(records))]))
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// A function made of a closure.
    pub(crate) struct Toy<F>(pub(crate) F);

    impl<F, R> Started for Toy<F>
    where
        F: Fn(Value) -> R + Send + Sync,
        R: Future<Output = Result<Value, Failure>> + Send + 'static,
    {
        fn handle(&self, event: Value) -> BoxFuture<'_, Result<Value, Failure>> {
            Box::pin((self.0)(event))
        }
    }

    /// A function named `name` made of a closure, with a timeout of five seconds.
    pub(crate) fn toy<F, R>(name: &str, code: F) -> Function
    where
        F: Fn(Value) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Value, Failure>> + Send + 'static,
    {
        let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{name}");
        Function::new(name, &arn, Duration::from_secs(5), None, Arc::new(Toy(code)))
    }

    #[tokio::test]
    async fn a_function_that_takes_too_long_is_ended() {
        let code = Toy(|_: Value| async { std::future::pending().await });
        let slow = Function::new("Slow", "arn", Duration::from_millis(5), None, Arc::new(code));
        assert_eq!(slow.invoke(json!({})).await, Err(Failure::TimedOut));
    }

    #[tokio::test]
    async fn a_panic_ends_one_invocation_and_not_the_host() {
        let fragile = toy("Fragile", |event| async move {
            assert!(event["good"].as_bool().unwrap_or(false), "bad event");
            Ok(event)
        });
        assert_eq!(fragile.invoke(json!({ "good": false })).await, Err(Failure::Panicked));
        assert_eq!(fragile.invoke(json!({ "good": true })).await, Ok(json!({ "good": true })));
    }

    #[tokio::test]
    async fn an_unknown_function_is_a_failure_and_not_a_panic() {
        assert_eq!(Functions::default().invoke("Nobody", json!({})).await, Err(Failure::Unknown));
    }
}
