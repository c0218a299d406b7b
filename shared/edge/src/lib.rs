//! Lambda's edge: event shapes in, HTTP statuses and batch answers out, configuration, authorization.
//!
//! Lambda's JSON is spelled only here. Nothing here decides what a conversation does.

mod configuration;
mod failure;
mod function;
mod wiring;

pub mod batch;
pub mod http;
pub mod socket;
pub mod view;

mod caller;
mod commands;

pub use caller::{Administering, Caller, Supervising};
pub use commands::{Commands, Origin};
pub use configuration::{Configuration, ConfigurationError};
pub use failure::Failure;
pub use function::{Ended, Function, run};
pub use wiring::Wiring;
