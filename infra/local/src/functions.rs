//! The functions that are linked into this host, by the name of their binary.
//!
//! It deliberately wires nothing: which of them run, how often and with what configuration is the template's.

use std::sync::Arc;

use colloquy_aws::Clients;
use colloquy_edge::{Configuration, ConfigurationError, Function};
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::host::lambda::{Failure, Started};

/// Starts the function of a binary with its configuration.
pub type Starter = Arc<dyn Fn(&str, &Configuration, &Clients) -> Result<Arc<dyn Started>, StartError> + Send + Sync>;

/// Why a function did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The template names a binary that this host was not linked with.
    #[error("there is no binary `{0}` in this host")]
    Unknown(String),
    /// Its configuration is not right.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
}

/// Starts any function of this repository.
///
/// # Errors
/// When the binary is unknown, or its configuration is not right.
pub fn start(binary: &str, configuration: &Configuration, clients: &Clients) -> Result<Arc<dyn Started>, StartError> {
    match binary {
        "webhook" => begin::<webhook::App>(configuration, clients),
        "socket" => begin::<socket::App>(configuration, clients),
        "nlp" => begin::<nlp::App>(configuration, clients),
        "converse" => begin::<converse::App>(configuration, clients),
        "route" => begin::<route::App>(configuration, clients),
        "deliver" => begin::<deliver::App>(configuration, clients),
        "sweep" => begin::<sweep::App>(configuration, clients),
        "rollup" => begin::<rollup::App>(configuration, clients),
        "conversations" => begin::<conversations::App>(configuration, clients),
        "contacts" => begin::<contacts::App>(configuration, clients),
        "directory" => begin::<directory::App>(configuration, clients),
        "reports" => begin::<reports::App>(configuration, clients),
        unknown => Err(StartError::Unknown(unknown.to_owned())),
    }
}

fn begin<F: Function>(configuration: &Configuration, clients: &Clients) -> Result<Arc<dyn Started>, StartError> {
    Ok(Arc::new(Linked(F::start(configuration, clients)?)))
}

/// A function of this repository, as the host calls it.
struct Linked<F>(F);

impl<F: Function> Started for Linked<F> {
    fn handle(&self, event: Value) -> BoxFuture<'_, Result<Value, Failure>> {
        Box::pin(async move {
            self.0.handle(event).await.map_err(|failure| match failure {
                // The one text by which API Gateway tells a stranger from a fault.
                colloquy_edge::Failure::Unauthenticated(_) => Failure::Refused("Unauthorized".to_owned()),
                other => Failure::Refused(other.to_string()),
            })
        })
    }
}
