//! One table: its SQLite file, its declaration carried out, and the items that expire.
//!
//! It deliberately works on dynoxide's storage directly, not on its `Database`: that is how the engine's clock, its own
//! indexes and its own sweep reach the same connection.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dynoxide::{DynoxideError, TableMetadata, actions, actions::vector_lifecycle::VectorIndexLifecycle};
use futures_util::FutureExt;
use rusqlite::OptionalExtension;
use serde_json::json;
use tokio::sync::watch;

use super::{
    dispatch::Tokens,
    spec::{Index, KeyElement, TableSpec},
};
use crate::engine::{ACCOUNT, Clock, EngineError, Place, REGION};

/// What a stream record says deleted an expired item.
const TTL_IDENTITY: &str = r#"{"type":"Service","principalId":"dynamodb.amazonaws.com"}"#;

/// How many expired items are deleted before other callers get their turn.
const SWEEP_PAGE: usize = 25;

/// A table and the lock on its file.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) changed: watch::Sender<u64>,
    open: Mutex<Open>,
}

/// What the lock guards.
pub(super) struct Open {
    pub(super) storage: dynoxide::storage::Storage,
    pub(super) tokens: Tokens,
}

impl Table {
    pub(super) fn open(place: &Place, name: &str, clock: &Clock) -> Result<Self, EngineError> {
        let storage = match place {
            Place::Directory(directory) => {
                let path = directory.join(format!("{name}{SUFFIX}"));
                dynoxide::storage::Storage::new(&path.to_string_lossy())?
            }
            Place::Memory => dynoxide::storage::Storage::memory()?,
        };
        let storage = storage.with_clock(Arc::new(EngineClock(Arc::clone(clock))));
        let connection = storage.conn();
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        // Fewer checkpoints, which are what waits for the disk; the log stays within 32 MiB.
        connection.pragma_update(None, "wal_autocheckpoint", 8000)?;
        connection.pragma_update(None, "cache_size", -16_000)?;
        connection.set_prepared_statement_cache_capacity(64);
        // dynoxide asks for the highest number of the stream on every write, and has no index for it.
        connection.execute_batch(
            "CREATE INDEX IF NOT EXISTS engine_stream
             ON _stream_records (table_name, CAST(sequence_number AS INTEGER))",
        )?;
        let open = Mutex::new(Open { storage, tokens: Tokens::default() });
        Ok(Self { name: name.to_owned(), changed: watch::Sender::new(0), open })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn mark_changed(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    /// Makes the table, or adds what an existing one lacks.
    pub(super) fn declare(&self, spec: &TableSpec) -> Result<(), EngineError> {
        let open = self.lock();
        match open.storage.get_table_metadata(&self.name)? {
            Some(metadata) => self.extend(&open, spec, &metadata)?,
            None => self.make(&open, spec)?,
        }
        if let Some(ttl) = &spec.time_to_live_specification {
            open.storage.update_ttl_config(&self.name, Some(&ttl.attribute_name), ttl.enabled)?;
            if ttl.enabled {
                self.index_expiry(&open, &ttl.attribute_name)?;
            }
        }
        Ok(())
    }

    fn make(&self, open: &Open, spec: &TableSpec) -> Result<(), EngineError> {
        let mut request = json!(spec);
        request["BillingMode"] = json!("PAY_PER_REQUEST");
        let request = serde_json::from_value(request)
            .map_err(|error| EngineError::Invalid(format!("the table `{}` is not valid: {error}", self.name)))?;
        ready(actions::create_table::execute(&open.storage, request))?;
        Ok(())
    }

    fn extend(&self, open: &Open, spec: &TableSpec, metadata: &TableMetadata) -> Result<(), EngineError> {
        let key: Vec<KeyElement> = serde_json::from_str(&metadata.key_schema).unwrap_or_default();
        if key != spec.key_schema {
            return Err(EngineError::Invalid(format!("the table `{}` exists with another key", self.name)));
        }
        let known = metadata.gsi_definitions.as_deref().map(serde_json::from_str::<Vec<Index>>);
        let known = known.transpose().map_err(|error| EngineError::Invalid(error.to_string()))?.unwrap_or_default();
        for index in &spec.global_secondary_indexes {
            match known.iter().find(|known| known.index_name == index.index_name) {
                Some(same) if same == index => {}
                Some(_) => {
                    let message = format!("the index `{}` of `{}` exists otherwise", index.index_name, self.name);
                    return Err(EngineError::Invalid(message));
                }
                None => self.add_index(open, spec, index)?,
            }
        }
        if let Some(stream) = spec.stream_specification.as_ref().filter(|stream| stream.stream_enabled) {
            let view = stream.stream_view_type.as_deref().unwrap_or("NEW_AND_OLD_IMAGES");
            if !metadata.stream_enabled || metadata.stream_view_type.as_deref() != Some(view) {
                let label = metadata.stream_label.clone().unwrap_or_else(|| "2026-01-01T00:00:00.000".to_owned());
                open.storage.enable_stream(&self.name, view, &label)?;
            }
        }
        Ok(())
    }

    fn add_index(&self, open: &Open, spec: &TableSpec, index: &Index) -> Result<(), EngineError> {
        let request = json!({
            "TableName": self.name,
            "AttributeDefinitions": spec.attribute_definitions,
            "GlobalSecondaryIndexUpdates": [{ "Create": index }],
        });
        let request = serde_json::from_value(request).map_err(|error| EngineError::Invalid(error.to_string()))?;
        ready(actions::update_table::execute(&open.storage, request, &VectorIndexLifecycle::new()))?;
        Ok(())
    }

    /// Lets the sweep find expired items without reading the table.
    fn index_expiry(&self, open: &Open, attribute: &str) -> Result<(), EngineError> {
        let expiry = expiry(attribute);
        open.storage.conn().execute_batch(&format!(
            "CREATE INDEX IF NOT EXISTS engine_expiry ON \"{}\" ({expiry}) WHERE {expiry} IS NOT NULL",
            self.name
        ))?;
        Ok(())
    }

    /// Deletes what expired before `seconds` since 1970, a page at a time so that others get their turn.
    pub(super) fn sweep(&self, seconds: i64) -> Result<usize, EngineError> {
        let mut swept = 0;
        loop {
            let page = self.sweep_page(seconds)?;
            swept += page;
            if page > 0 {
                self.mark_changed();
            }
            if page < SWEEP_PAGE {
                return Ok(swept);
            }
        }
    }

    fn sweep_page(&self, seconds: i64) -> Result<usize, EngineError> {
        let open = self.lock();
        let Some(metadata) = open.storage.get_table_metadata(&self.name)? else { return Ok(0) };
        let Some(attribute) = metadata.ttl_attribute.as_deref().filter(|_| metadata.ttl_enabled) else { return Ok(0) };
        let key: Vec<KeyElement> = serde_json::from_str(&metadata.key_schema).unwrap_or_default();
        let expiry = expiry(attribute);
        let connection = open.storage.conn();
        let expired: Vec<String> = connection
            .prepare_cached(&format!(
                "SELECT item_json FROM \"{}\" WHERE {expiry} IS NOT NULL AND {expiry} < ?1 ORDER BY {expiry} LIMIT {SWEEP_PAGE}",
                self.name
            ))?
            .query_map([seconds], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for item in &expired {
            let item: serde_json::Value = serde_json::from_str(item).unwrap_or_default();
            let key: serde_json::Map<_, _> =
                key.iter().map(|part| (part.attribute_name.clone(), item[&part.attribute_name].clone())).collect();
            let request = serde_json::from_value(json!({ "TableName": self.name, "Key": key }))
                .map_err(|error| EngineError::Invalid(error.to_string()))?;
            ready(actions::delete_item::execute(&open.storage, request))?;
            if metadata.stream_enabled {
                // The lock is held, so the last record is the one this deletion wrote.
                connection
                    .prepare_cached(
                        "UPDATE _stream_records SET user_identity = ?1
                         WHERE id = (SELECT MAX(id) FROM _stream_records)",
                    )?
                    .execute([TTL_IDENTITY])?;
            }
        }
        Ok(expired.len())
    }

    pub(super) fn is_empty(&self, open: &Open) -> Result<bool, EngineError> {
        let sql = format!("SELECT 1 FROM \"{}\" LIMIT 1", self.name);
        Ok(open.storage.conn().query_row(&sql, [], |_| Ok(())).optional()?.is_none())
    }

    /// The ARN an event of the stream names as its source.
    pub(super) fn stream_arn(&self, metadata: &TableMetadata) -> String {
        let label = metadata.stream_label.as_deref().unwrap_or("latest");
        format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{}/stream/{label}", self.name)
    }
}

const SUFFIX: &str = ".table.sqlite";

/// The tables an earlier run left in the directory.
pub(super) fn names_on_disk(place: &Place) -> Result<Vec<String>, EngineError> {
    let Place::Directory(directory) = place else { return Ok(Vec::new()) };
    let failed = |source| EngineError::File { path: directory.clone(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// The value of a future of dynoxide, which over SQLite never suspends.
pub(super) fn ready<T>(future: impl Future<Output = Result<T, DynoxideError>>) -> Result<T, DynoxideError> {
    future
        .now_or_never()
        .unwrap_or_else(|| Err(DynoxideError::InternalServerError("the table engine suspended".to_owned())))
}

/// The SQL that reads when an item expires.
fn expiry(attribute: &str) -> String {
    let attribute = attribute.replace(['\'', '"'], "");
    format!("CAST(json_extract(item_json, '$.\"{attribute}\".N') AS INTEGER)")
}

/// The engine's clock as dynoxide reads it.
struct EngineClock(Clock);

impl dynoxide::storage_backend::Clock for EngineClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from((self.0)().div_euclid(1000)).unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit 53 bits")]
        {
            (self.0)() as f64 / 1000.0
        }
    }
}
