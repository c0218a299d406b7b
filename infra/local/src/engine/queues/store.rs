//! The queues on disk. What a call answered is written first; who is in flight is not written at all.
//!
//! It deliberately lets messages in flight be visible again after a crash, as SQS does when a receiver dies; what a
//! receiver put off stays hidden as long as it asked. Receive counts are written from the second receive on, so a
//! poisonous message reaches its dead-letter queue all the same.

use rusqlite::{Connection, Row, params};

use super::{
    message::{Message, State},
    queue::Queue,
    seen::Seen,
    spec::QueueSpec,
};
use crate::engine::{EngineError, Place};

/// The queues' database.
pub(super) struct Store {
    connection: Connection,
}

/// A deduplication id to remember: its key in the queue, and until when.
pub(super) type Deduplication = (String, i64);

impl Store {
    pub(super) fn open(place: &Place) -> Result<Self, EngineError> {
        let connection = place.database("queues.sqlite")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS queues (
                 id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, spec TEXT NOT NULL,
                 created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL
             );
             CREATE TABLE IF NOT EXISTS messages (
                 row INTEGER PRIMARY KEY, queue INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
                 md5 TEXT NOT NULL, attributes TEXT, trace TEXT, group_id TEXT, deduplication TEXT,
                 sent_ms INTEGER NOT NULL, visible_ms INTEGER NOT NULL, receives INTEGER NOT NULL,
                 first_receive_ms INTEGER, source TEXT
             );
             CREATE TABLE IF NOT EXISTS seen (
                 queue INTEGER NOT NULL, key TEXT NOT NULL, until_ms INTEGER NOT NULL, id TEXT NOT NULL,
                 row INTEGER NOT NULL, PRIMARY KEY (queue, key)
             ) WITHOUT ROWID;",
        )?;
        Ok(Self { connection })
    }

    /// The queues as they were, every message visible unless it is delayed; and the first row not used yet.
    pub(super) fn load(&self, now_ms: i64) -> Result<(Vec<Queue>, u64), EngineError> {
        self.connection.execute("DELETE FROM seen WHERE until_ms <= ?1", [now_ms])?;
        let mut queues = Vec::new();
        let mut select = self.connection.prepare("SELECT id, spec, created_ms, modified_ms FROM queues")?;
        let rows = select.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
        })?;
        for row in rows {
            let (id, spec, created_ms, modified_ms) = row?;
            let spec: QueueSpec = serde_json::from_str(&spec)
                .map_err(|error| EngineError::Invalid(format!("a queue on disk cannot be read: {error}")))?;
            let mut queue = Queue::new(id, spec, created_ms);
            queue.modified_ms = modified_ms;
            self.load_queue(&mut queue, now_ms)?;
            queues.push(queue);
        }
        let last: i64 = self.connection.query_row(
            "SELECT MAX(COALESCE((SELECT MAX(row) FROM messages), 0), COALESCE((SELECT MAX(row) FROM seen), 0))",
            [],
            |row| row.get(0),
        )?;
        // Rows of deleted messages are gone, so numbering also starts past every earlier run's clock.
        let floor = now_ms.saturating_mul(1000).max(last);
        Ok((queues, u64::try_from(floor).unwrap_or(0) + 1))
    }

    fn load_queue(&self, queue: &mut Queue, now_ms: i64) -> Result<(), EngineError> {
        let mut select = self.connection.prepare("SELECT * FROM messages WHERE queue = ?1 ORDER BY row")?;
        for message in select.query_map([queue.id], |row| read(row, now_ms))? {
            queue.insert(message?);
        }
        let mut select =
            self.connection.prepare("SELECT key, until_ms, id, row FROM seen WHERE queue = ?1 ORDER BY until_ms")?;
        let rows = select.query_map([queue.id], |row| {
            let seen = Seen { id: row.get(2)?, row: row.get::<_, i64>(3)?.unsigned_abs() };
            Ok((row.get::<_, String>(0)?, seen, row.get::<_, i64>(1)?))
        })?;
        for row in rows {
            let (key, seen, until_ms) = row?;
            queue.seen.remember(key, seen, until_ms);
        }
        Ok(())
    }

    /// Writes a queue's declaration; answers its id.
    pub(super) fn declare(&self, spec: &QueueSpec, now_ms: i64) -> rusqlite::Result<i64> {
        let json =
            serde_json::to_string(spec).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        self.connection.query_row(
            "INSERT INTO queues (name, spec, created_ms, modified_ms) VALUES (?1, ?2, ?3, ?3)
             ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, modified_ms = excluded.modified_ms
             RETURNING id",
            params![spec.name, json, now_ms],
            |row| row.get(0),
        )
    }

    pub(super) fn forget_queue(&mut self, id: i64) -> rusqlite::Result<()> {
        self.atomically(|connection| {
            for table in ["messages", "seen"] {
                connection.execute(&format!("DELETE FROM {table} WHERE queue = ?1"), [id])?;
            }
            connection.execute("DELETE FROM queues WHERE id = ?1", [id])?;
            Ok(())
        })
    }

    pub(super) fn purge(&self, queue: i64) -> rusqlite::Result<()> {
        self.connection.execute("DELETE FROM messages WHERE queue = ?1", [queue]).map(drop)
    }

    /// Writes new messages, all or none.
    pub(super) fn insert(&mut self, queue: i64, messages: &[(Message, Option<Deduplication>)]) -> rusqlite::Result<()> {
        self.atomically(|connection| {
            for (message, deduplication) in messages {
                write(connection, queue, message)?;
                if let Some((key, until_ms)) = deduplication {
                    connection
                        .prepare_cached(
                            "INSERT OR REPLACE INTO seen (queue, key, until_ms, id, row) VALUES (?1, ?2, ?3, ?4, ?5)",
                        )?
                        .execute(params![queue, key, until_ms, message.id, signed(message.row)])?;
                }
            }
            Ok(())
        })
    }

    pub(super) fn delete(&mut self, rows: &[u64]) -> rusqlite::Result<()> {
        self.atomically(|connection| {
            let mut delete = connection.prepare_cached("DELETE FROM messages WHERE row = ?1")?;
            rows.iter().try_for_each(|row| delete.execute([signed(*row)]).map(drop))
        })
    }

    /// Writes how often messages were received, for those received again.
    pub(super) fn count(&mut self, messages: &[&Message]) -> rusqlite::Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        self.atomically(|connection| {
            let mut update =
                connection.prepare_cached("UPDATE messages SET receives = ?2, first_receive_ms = ?3 WHERE row = ?1")?;
            messages.iter().try_for_each(|message| {
                update.execute(params![signed(message.row), message.receives, message.first_receive_ms]).map(drop)
            })
        })
    }

    /// Writes until when a receiver asked for messages to be hidden: `(row, moment)`.
    pub(super) fn hide(&mut self, hidden: &[(u64, i64)]) -> rusqlite::Result<()> {
        self.atomically(|connection| {
            let mut update = connection.prepare_cached("UPDATE messages SET visible_ms = ?2 WHERE row = ?1")?;
            hidden.iter().try_for_each(|(row, visible_ms)| update.execute(params![signed(*row), visible_ms]).map(drop))
        })
    }

    /// Moves messages to another queue: `(the row each had, the message as it is there)`.
    pub(super) fn relocate(&mut self, queue: i64, moved: &[(u64, Message)]) -> rusqlite::Result<()> {
        self.atomically(|connection| {
            for (from, message) in moved {
                connection.prepare_cached("DELETE FROM messages WHERE row = ?1")?.execute([signed(*from)])?;
                write(connection, queue, message)?;
            }
            Ok(())
        })
    }

    /// Forgets deduplication ids whose five minutes are over.
    pub(super) fn forget_seen(&self, now_ms: i64) -> rusqlite::Result<()> {
        self.connection.prepare_cached("DELETE FROM seen WHERE until_ms <= ?1")?.execute([now_ms]).map(drop)
    }

    fn atomically(&mut self, write: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        write(&transaction)?;
        transaction.commit()
    }
}

fn write(connection: &Connection, queue: i64, message: &Message) -> rusqlite::Result<()> {
    let attributes = (!message.attributes.is_empty())
        .then(|| serde_json::to_string(&message.attributes))
        .transpose()
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection
        .prepare_cached("INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)")?
        .execute(params![
            signed(message.row),
            queue,
            message.id,
            message.body,
            message.md5,
            attributes,
            message.trace,
            message.group,
            message.deduplication,
            message.sent_ms,
            message.visible_ms,
            message.receives,
            message.first_receive_ms,
            message.source,
        ])
        .map(drop)
}

fn read(row: &Row<'_>, now_ms: i64) -> rusqlite::Result<Message> {
    let attributes: Option<String> = row.get(5)?;
    let visible_ms = row.get(10)?;
    Ok(Message {
        row: row.get::<_, i64>(0)?.unsigned_abs(),
        id: row.get(2)?,
        body: row.get(3)?,
        md5: row.get(4)?,
        attributes: attributes.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
        trace: row.get(6)?,
        group: row.get(7)?,
        deduplication: row.get(8)?,
        sent_ms: row.get(9)?,
        visible_ms,
        receives: row.get(11)?,
        first_receive_ms: row.get(12)?,
        source: row.get(13)?,
        state: if visible_ms > now_ms { State::Delayed } else { State::Ready },
        receipt: None,
    })
}

fn signed(row: u64) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}
