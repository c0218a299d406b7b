//! The desk table: who works here, who writes to us, who is connected, who waits and what is due.
//!
//! Whether someone may do a thing, and who gets a conversation, is decided elsewhere.

mod entities;

mod directory;

mod contacts;

mod presence;

mod waiting;

mod wakes;

mod tickets;

mod connections;

mod tokens;

use std::sync::{Arc, Mutex};

pub use connections::{Connection, Subscriber};
pub use contacts::{Contact, Identity};
pub use entities::{Agent, Entity, Inbox, Queue, Role, Team};
pub use presence::AgentState;
pub use tickets::{Owner, Session, Ticket};
pub use tokens::Token;
pub use waiting::Waiting;
pub use wakes::Wake;

use crate::{Clients, Vault, table::Table};

/// The desk table. Clones share its short cache of the directory.
#[derive(Clone)]
pub struct Desk {
    table: Table,
    vault: Vault,
    cache: Arc<Mutex<directory::Cache>>,
}

impl Desk {
    /// The desk in this table, sealed with keys of this vault.
    #[must_use]
    pub fn new(clients: &Clients, desk_table: impl Into<String>, vault: &Vault) -> Self {
        Self { table: Table::new(clients, desk_table), vault: vault.clone(), cache: Arc::default() }
    }
}
