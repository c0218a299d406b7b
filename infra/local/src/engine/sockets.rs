//! The live WebSocket connections, and the management API functions push to them with.
//!
//! It deliberately holds no socket: the host owns the sockets and drains one bounded queue each. A reader too slow for
//! its queue is disconnected, so memory stays bounded however slow the readers are.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::json;
use tokio::sync::{
    Notify,
    mpsc::{Sender, error::TrySendError},
};

use super::{
    Clock,
    http::Answer,
    ledger::{Ledger, Unit, steps},
};

/// The most one push may carry, in bytes.
const LIMIT_BYTES: usize = 128 * 1024;

/// What a push is billed by, in bytes.
const STEP_BYTES: usize = 32 * 1024;

const JSON: &str = "application/json";

/// Resolves when the engine has closed a connection.
#[derive(Clone, Debug)]
pub struct Closed(Arc<Notify>);

impl Closed {
    /// Waits until the connection is deleted, or was too slow.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

struct Connection {
    frames: Sender<String>,
    closed: Arc<Notify>,
    source_ip: String,
    user_agent: String,
    connected_ms: i64,
    active_ms: i64,
}

/// The registry of connections. Clones share it.
#[derive(Clone)]
pub struct Sockets {
    connections: Arc<Mutex<HashMap<String, Connection>>>,
    clock: Clock,
    ledger: Ledger,
}

impl Sockets {
    pub(crate) fn new(clock: Clock, ledger: Ledger) -> Self {
        Self { connections: Arc::default(), clock, ledger }
    }

    /// From now on text pushed to `id` goes to `frames`, whose capacity is how far a reader may fall behind.
    ///
    /// The engine drops its sender when the connection is deleted or its queue is full, so that the receiver ends; the
    /// answer tells at once, which a host stuck writing to a slow reader needs.
    pub fn register(&self, id: &str, frames: Sender<String>) -> Closed {
        self.register_from(id, frames, "127.0.0.1", "")
    }

    /// As [`Sockets::register`], with what `GetConnection` says about the client.
    pub fn register_from(&self, id: &str, frames: Sender<String>, source_ip: &str, user_agent: &str) -> Closed {
        let closed = Arc::new(Notify::new());
        let now = (self.clock)();
        let connection = Connection {
            frames,
            closed: Arc::clone(&closed),
            source_ip: source_ip.to_owned(),
            user_agent: user_agent.to_owned(),
            connected_ms: now,
            active_ms: now,
        };
        self.lock().insert(id.to_owned(), connection);
        Closed(closed)
    }

    /// The client has gone: from now on pushes to `id` find nobody.
    pub fn unregister(&self, id: &str) {
        self.lock().remove(id);
    }

    /// Counts a message the client sent, which AWS bills as it bills a push.
    pub fn received(&self, id: &str, size_bytes: usize) {
        if let Some(connection) = self.lock().get_mut(id) {
            connection.active_ms = (self.clock)();
        }
        self.ledger.count("sockets", "Receive", "sockets", Unit::SocketMessage, steps(size_bytes, STEP_BYTES));
    }

    /// How many connections there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is no connection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn answer(&self, operation: &str, id: &str, body: &[u8]) -> Answer {
        match operation {
            "PostToConnection" => self.post(id, body),
            "GetConnection" => self.describe(id),
            _ => self.delete(id),
        }
    }

    fn post(&self, id: &str, body: &[u8]) -> Answer {
        if body.len() > LIMIT_BYTES {
            return refusal(413, "PayloadTooLargeException", "the message is larger than 128 KB");
        }
        let Ok(text) = std::str::from_utf8(body) else {
            return refusal(400, "BadRequestException", "the message is not UTF-8");
        };
        self.ledger.count("sockets", "PostToConnection", "sockets", Unit::SocketMessage, steps(body.len(), STEP_BYTES));
        let mut connections = self.lock();
        let Some(connection) = connections.get_mut(id) else { return gone(id) };
        match connection.frames.try_send(text.to_owned()) {
            Ok(()) => {
                connection.active_ms = (self.clock)();
                Answer::json(JSON, 200, "")
            }
            Err(TrySendError::Full(_)) => {
                close(&mut connections, id);
                drop(connections);
                tracing::warn!(connection.id = id, "a reader was too slow and is disconnected");
                gone(id)
            }
            Err(TrySendError::Closed(_)) => {
                connections.remove(id);
                gone(id)
            }
        }
    }

    fn describe(&self, id: &str) -> Answer {
        self.ledger.count("sockets", "GetConnection", "sockets", Unit::SocketMessage, 1.0);
        let connections = self.lock();
        let Some(connection) = connections.get(id) else { return gone(id) };
        let body = json!({
            "connectedAt": rfc3339(connection.connected_ms),
            "lastActiveAt": rfc3339(connection.active_ms),
            "identity": { "sourceIp": connection.source_ip, "userAgent": connection.user_agent },
        });
        Answer::json(JSON, 200, body)
    }

    fn delete(&self, id: &str) -> Answer {
        self.ledger.count("sockets", "DeleteConnection", "sockets", Unit::SocketMessage, 1.0);
        if close(&mut self.lock(), id) { Answer::json(JSON, 204, "") } else { gone(id) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets").field("connections", &self.len()).finish_non_exhaustive()
    }
}

fn close(connections: &mut HashMap<String, Connection>, id: &str) -> bool {
    // `notify_one` keeps its permit, so a host that waits later still learns of it.
    connections.remove(id).map(|connection| connection.closed.notify_one()).is_some()
}

fn gone(id: &str) -> Answer {
    refusal(410, "GoneException", &format!("the connection `{id}` is no longer there"))
}

fn refusal(status: u16, kind: &str, message: &str) -> Answer {
    let mut answer = Answer::json(JSON, status, json!({ "message": message }));
    answer.headers.push(("x-amzn-errortype", kind.to_owned()));
    answer
}

fn rfc3339(ms: i64) -> String {
    colloquy_domain::Timestamp::from_ms(ms).to_string()
}
