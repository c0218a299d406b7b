//! Why the host does not start, each as one clear line.
//!
//! It deliberately holds no trace: what helps is what to change.

use std::{io, path::PathBuf};

use crate::{engine::EngineError, functions::StartError};

/// Why the host does not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Someone else listens on the port.
    #[error("port {port} is taken: stop what uses it, or choose another with --port")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The port cannot be listened on for another reason.
    #[error("cannot listen on port {port}: {source}")]
    Port {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The data folder cannot be used.
    #[error("the data folder {} cannot be used: {source}", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another host uses the data folder.
    #[error("the data folder {} is in use by another host: stop it, or choose another with --data", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The template cannot be read, or asks for what this host does not have.
    #[error("the template cannot be used: {0}")]
    Template(String),
    /// A function does not start.
    #[error("function {function}: {source}")]
    Function {
        /// Its logical id.
        function: String,
        /// Why.
        source: StartError,
    },
    /// The engine failed.
    #[error("the data cannot be used: {0}")]
    Engine(#[from] EngineError),
    /// The demo data cannot be made.
    #[error("the demo data cannot be made: {0}")]
    Prepare(String),
}
