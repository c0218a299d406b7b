//! What a function is: started once from its configuration, then handed events.

use std::{future::Future, sync::Arc};

use colloquy_aws::Clients;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

use crate::{Configuration, ConfigurationError, Failure};

/// A Lambda function: what tests and the local host call, and what [`run`] serves.
pub trait Function: Sized + Send + Sync + 'static {
    /// Reads the configuration once; fails by naming what is missing.
    ///
    /// # Errors
    /// When a variable is missing or makes no sense.
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError>;

    /// Handles one event, as Lambda's JSON.
    ///
    /// # Errors
    /// When the whole event is to be tried again; HTTP failures are answers, not errors.
    fn handle(&self, event: Value) -> impl Future<Output = Result<Value, Failure>> + Send;
}

/// How a function's process ends.
pub type Ended = Result<(), lambda_runtime::Error>;

/// Serves the function on Lambda: the whole of a `main`.
///
/// # Errors
/// When the configuration is wrong or the runtime ends.
pub fn run<F: Function>() -> Ended {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_target(false)
        .without_time()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    // Below 1,769 MB a function has less than one processor.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let clients = Clients::from_environment().await;
        let function = Arc::new(F::start(&Configuration::from_environment(), &clients)?);
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
            let function = Arc::clone(&function);
            // Boxed: the runtime's own futures are nested deep already, and the compiler follows them only so far.
            async move { Box::pin(function.handle(event.payload)).await.map_err(|failure| diagnostic(&failure)) }
        }))
        .await
    })
}

/// What Lambda records of a failed invocation: the kind of failure, so that alarms can tell them apart.
fn diagnostic(failure: &Failure) -> Diagnostic {
    Diagnostic { error_type: failure.status().1.to_owned(), error_message: failure.detail() }
}
