//! The conversations table: timelines, heads, guards and deliveries.
//!
//! Only `converse` writes turns and heads; only `deliver` and receipts write deliveries. The order in which a turn's
//! items are written is `converse`'s business, and so is what they say.

mod threads;

mod turns;

mod heads;

mod deliveries;

mod streamed;

pub use deliveries::{Claim, Raised, Sent};
pub use heads::Listed;
pub use streamed::StreamedTurn;
pub use threads::{Guarded, Refusal, ThreadItem};
pub use turns::PutTurn;

use crate::{Clients, Vault, table::Table};

/// The conversations table. Clones share the vault's cache.
#[derive(Clone)]
pub struct Timeline {
    table: Table,
    vault: Vault,
}

impl Timeline {
    /// The timelines in this table, sealed with keys of this vault.
    #[must_use]
    pub fn new(clients: &Clients, conversations_table: impl Into<String>, vault: &Vault) -> Self {
        Self { table: Table::new(clients, conversations_table), vault: vault.clone() }
    }
}
