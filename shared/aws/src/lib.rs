//! Everything AWS: DynamoDB, SQS, KMS and the sockets' management API, always through the real SDK clients.
//!
//! Callers see this project's own types and [`StoreError`]; no SDK type but `SdkConfig` leaves this crate. Nothing is
//! decided here: conditions on writes carry out what `colloquy-domain` decided.

mod clients;
mod error;

mod deflate;
pub mod keys;
mod seal;
mod vault;

mod table;

pub mod timeline;

pub mod desk;

pub mod insights;
pub mod queues;
mod sockets;

pub use clients::{Clients, Clock, Entropy, machine_time};
pub use desk::Desk;
pub use error::StoreError;
pub use insights::Insights;
pub use seal::{Key, Place};
pub use sockets::{Pushed, Sockets};
pub use timeline::Timeline;
pub use vault::{Index, Vault};
