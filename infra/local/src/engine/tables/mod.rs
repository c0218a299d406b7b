//! The tables: DynamoDB by the dynoxide engine, one SQLite file a table, so that tables are written in parallel.
//!
//! It deliberately refuses a transaction over two tables (their files commit apart), and answers neither `PartiQL` nor
//! backups.

mod dispatch;
mod request;
mod spec;
mod streams;
mod table;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use dynoxide::{DynoxideError, ImportOptions, Item, actions};
use serde_json::Value;
use tokio::sync::watch;

use self::table::{Table, ready};
use super::{Clock, EngineError, Place, ledger::Ledger};

pub use self::{
    spec::{AttributeDefinition, Index, KeyElement, Projection, Stream, TableSpec, TimeToLive},
    streams::StreamRecord,
};

/// The tables of an engine. Clones share them.
#[derive(Clone)]
pub struct Tables {
    inner: Arc<Inner>,
}

struct Inner {
    place: Place,
    clock: Clock,
    ledger: Ledger,
    tables: RwLock<BTreeMap<String, Arc<Table>>>,
    checkpoints: Mutex<rusqlite::Connection>,
}

impl Tables {
    pub(crate) fn open(place: &Place, clock: Clock, ledger: Ledger) -> Result<Self, EngineError> {
        let checkpoints = streams::open_checkpoints(place)?;
        let mut tables = BTreeMap::new();
        for name in table::names_on_disk(place)? {
            tables.insert(name.clone(), Arc::new(Table::open(place, &name, &clock)?));
        }
        let (tables, checkpoints) = (RwLock::new(tables), Mutex::new(checkpoints));
        Ok(Self { inner: Arc::new(Inner { place: place.clone(), clock, ledger, tables, checkpoints }) })
    }

    /// Makes the table as declared, or brings an existing one up to the declaration: new indexes, stream and expiry.
    ///
    /// # Errors
    /// When the declaration is not valid, or changes the key of a table that exists.
    pub fn create(&self, spec: &TableSpec) -> Result<(), EngineError> {
        if !spec.has_valid_name() {
            return Err(EngineError::Invalid(format!("`{}` cannot be the name of a table", spec.table_name)));
        }
        let mut tables = self.inner.tables.write().unwrap_or_else(PoisonError::into_inner);
        let table = match tables.get(&spec.table_name) {
            Some(table) => Arc::clone(table),
            None => Arc::new(Table::open(&self.inner.place, &spec.table_name, &self.inner.clock)?),
        };
        table.declare(spec)?;
        tables.insert(spec.table_name.clone(), table);
        Ok(())
    }

    /// The names of all tables, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.inner.tables.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// A signal that moves on after each change of the table's items, so that whoever reads its stream need not poll.
    ///
    /// # Errors
    /// When there is no such table.
    pub fn changed(&self, table: &str) -> Result<watch::Receiver<u64>, EngineError> {
        Ok(self.table(table)?.changed.subscribe())
    }

    /// Puts many items at once, past the stream: for loading history in bulk. Each is an item in DynamoDB's JSON.
    ///
    /// All of them are stored or none.
    ///
    /// # Errors
    /// When there is no such table or an item does not fit it.
    pub fn import(&self, table: &str, items: Vec<Value>) -> Result<usize, EngineError> {
        self.import_as(table, items, false)
    }

    /// As [`Tables::import`], with a stream record for each item.
    ///
    /// # Errors
    /// When there is no such table or an item does not fit it.
    pub fn import_with_stream(&self, table: &str, items: Vec<Value>) -> Result<usize, EngineError> {
        self.import_as(table, items, true)
    }

    fn import_as(&self, table: &str, items: Vec<Value>, record_streams: bool) -> Result<usize, EngineError> {
        let table = self.table(table)?;
        let items = items.into_iter().map(serde_json::from_value).collect::<Result<Vec<Item>, _>>();
        let items = items.map_err(|error| EngineError::Invalid(format!("an item to import is not valid: {error}")))?;
        let options = ImportOptions { record_streams, set_cached_at: false };
        let open = table.lock();
        // An empty table has no index rows to replace, which are most of an import's work.
        let imported = if table.is_empty(&open)? {
            ready(actions::import_items::execute_skip_gsi_deletes(&open.storage, &table.name, items, &options))?
        } else {
            ready(actions::import_items::execute(&open.storage, &table.name, items, &options))?
        };
        drop(open);
        table.mark_changed();
        Ok(imported.items_imported)
    }

    /// Deletes the items whose time to live has passed; each leaves a stream record that says so.
    ///
    /// # Errors
    /// When a table fails.
    pub fn sweep_ttl(&self) -> Result<usize, EngineError> {
        let mut swept = 0;
        let seconds = (self.inner.clock)().div_euclid(1000);
        for table in self.all() {
            swept += table.sweep(seconds)?;
        }
        Ok(swept)
    }

    fn all(&self) -> Vec<Arc<Table>> {
        self.inner.tables.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn table(&self, name: &str) -> Result<Arc<Table>, EngineError> {
        self.find(name).ok_or_else(|| EngineError::Missing { kind: "table", name: name.to_owned() })
    }

    fn required(&self, name: &str) -> Result<Arc<Table>, DynoxideError> {
        self.find(name).ok_or_else(|| {
            let message = format!("Requested resource not found: Table: {name} not found");
            DynoxideError::ResourceNotFoundException(message)
        })
    }

    /// A request may name a table by its ARN.
    fn find(&self, name: &str) -> Option<Arc<Table>> {
        let name = name.split_once(":table/").map_or(name, |(_, rest)| rest.split('/').next().unwrap_or(rest));
        self.inner.tables.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn checkpoints(&self) -> MutexGuard<'_, rusqlite::Connection> {
        self.inner.checkpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").field("names", &self.names()).finish_non_exhaustive()
    }
}
