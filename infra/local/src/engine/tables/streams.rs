//! The tables' streams as their consumers read them: Lambda's records, checkpoints, and pruning.
//!
//! It deliberately has one shard a table, which keeps all of a table's changes in one order. That is stricter than AWS,
//! where only one key's changes are ordered.

use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use super::{Tables, table::Table};
use crate::engine::{EngineError, Place, REGION};

/// What turns a stored number into the 21 digits DynamoDB shows, whose order as text is their order.
const OFFSET: u128 = 100_000_000_000_000_000_000;

/// One change of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRecord {
    /// Its number; later ones are greater, as text too.
    pub sequence_number: String,
    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub event_name: String,
    /// The record as Lambda's event has it.
    pub event: Value,
}

impl Tables {
    /// The records after `after_sequence` (all that are kept, when absent), oldest first, at most `limit`.
    ///
    /// # Errors
    /// When there is no such table, or `after_sequence` is no sequence number.
    pub fn stream_records(
        &self,
        table: &str,
        after_sequence: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StreamRecord>, EngineError> {
        let after = after_sequence.map(stored).transpose()?.unwrap_or(0);
        self.table(table)?.records_after(after, limit)
    }

    /// The number of the newest record, where a consumer that wants only what comes begins.
    ///
    /// # Errors
    /// When there is no such table.
    pub fn last_sequence(&self, table: &str) -> Result<Option<String>, EngineError> {
        let table = self.table(table)?;
        let open = table.lock();
        let last: Option<i64> = open.storage.conn().query_row(
            "SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1",
            [&table.name],
            |row| row.get(0),
        )?;
        Ok(last.map(shown))
    }

    /// Forgets the records up to and including `up_to_sequence`, once every consumer is past them.
    ///
    /// The newest record stays in any case: the next number follows from it.
    ///
    /// # Errors
    /// When there is no such table, or `up_to_sequence` is no sequence number.
    pub fn prune_stream(&self, table: &str, up_to_sequence: &str) -> Result<usize, EngineError> {
        let table = self.table(table)?;
        let open = table.lock();
        let mut delete = open.storage.conn().prepare_cached(
            "DELETE FROM _stream_records
             WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= ?2
               AND CAST(sequence_number AS INTEGER) <
                   (SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1)",
        )?;
        Ok(delete.execute(rusqlite::params![table.name, stored(up_to_sequence)?])?)
    }

    /// Up to where `consumer` has come; absent when it has not begun.
    ///
    /// # Errors
    /// When the database fails.
    pub fn checkpoint(&self, consumer: &str) -> Result<Option<String>, EngineError> {
        let connection = self.checkpoints();
        let mut select = connection.prepare_cached("SELECT sequence FROM checkpoints WHERE consumer = ?1")?;
        Ok(select.query_row([consumer], |row| row.get(0)).optional()?)
    }

    /// Remembers that `consumer` is done with everything up to `sequence`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn set_checkpoint(&self, consumer: &str, sequence: &str) -> Result<(), EngineError> {
        let connection = self.checkpoints();
        connection
            .prepare_cached(
                "INSERT INTO checkpoints (consumer, sequence) VALUES (?1, ?2)
                 ON CONFLICT (consumer) DO UPDATE SET sequence = excluded.sequence",
            )?
            .execute([consumer, sequence])?;
        Ok(())
    }
}

pub(super) fn open_checkpoints(place: &Place) -> Result<rusqlite::Connection, EngineError> {
    let connection = place.database("checkpoints.sqlite")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS checkpoints (consumer TEXT PRIMARY KEY, sequence TEXT NOT NULL) WITHOUT ROWID",
    )?;
    Ok(connection)
}

impl Table {
    fn records_after(&self, after: i64, limit: usize) -> Result<Vec<StreamRecord>, EngineError> {
        let open = self.lock();
        let missing = || EngineError::Missing { kind: "table", name: self.name.clone() };
        let metadata = open.storage.get_table_metadata(&self.name)?.ok_or_else(missing)?;
        let source = self.stream_arn(&metadata);
        let view = metadata.stream_view_type.as_deref().unwrap_or("NEW_AND_OLD_IMAGES");
        let mut select = open.storage.conn().prepare_cached(
            "SELECT CAST(sequence_number AS INTEGER), event_name, keys_json, new_image, old_image, created_at,
                    user_identity
             FROM _stream_records
             WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) > ?2
             ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = select.query_map(rusqlite::params![self.name, after, limit], Row::read)?;
        rows.map(|row| Ok(row?.into_record(&source, view))).collect()
    }
}

struct Row {
    number: i64,
    event_name: String,
    keys: String,
    new_image: Option<String>,
    old_image: Option<String>,
    created_seconds: i64,
    identity: Option<String>,
}

impl Row {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            event_name: row.get(1)?,
            keys: row.get(2)?,
            new_image: row.get(3)?,
            old_image: row.get(4)?,
            created_seconds: row.get(5)?,
            identity: row.get(6)?,
        })
    }

    fn into_record(self, source: &str, view: &str) -> StreamRecord {
        let sequence_number = shown(self.number);
        let images = [("NewImage", &self.new_image), ("OldImage", &self.old_image)];
        let size =
            self.keys.len() + images.iter().filter_map(|(_, image)| image.as_ref()).map(String::len).sum::<usize>();
        let mut change = json!({
            "Keys": parse(&self.keys),
            "SequenceNumber": sequence_number,
            "SizeBytes": size,
            "StreamViewType": view,
            "ApproximateCreationDateTime": self.created_seconds,
        });
        for (name, image) in images {
            if let Some(image) = image {
                change[name] = parse(image);
            }
        }
        let mut event = json!({
            "eventID": format!("{:032x}", self.number),
            "eventName": self.event_name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": REGION,
            "dynamodb": change,
            "eventSourceARN": source,
        });
        if let Some(identity) = &self.identity {
            event["userIdentity"] = parse(identity);
        }
        StreamRecord { sequence_number, event_name: self.event_name, event }
    }
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

fn shown(stored: i64) -> String {
    (OFFSET + u128::from(stored.unsigned_abs())).to_string()
}

fn stored(shown: &str) -> Result<i64, EngineError> {
    let number = shown.parse::<u128>().ok().and_then(|number| number.checked_sub(OFFSET));
    number
        .and_then(|number| i64::try_from(number).ok())
        .ok_or_else(|| EngineError::Invalid(format!("`{shown}` is not a sequence number")))
}
