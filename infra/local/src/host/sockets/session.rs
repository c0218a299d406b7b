//! One open connection: frames in to their routes, pushes out, and API Gateway's limits on both.
//!
//! It deliberately starts frames in the order they came and lets a few run at once, as API Gateway does; a client that
//! wants one after the other waits for the answer to the first.

use std::{sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::SinkExt;
use serde_json::json;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, sleep_until, timeout},
};

use super::{
    SocketApi,
    event::{Connection, Frame, selected},
};
use crate::engine::sockets::Closed;

/// How long a connection may be silent both ways.
const IDLE: Duration = Duration::from_secs(10 * 60);

/// How long a connection may live.
const LIFE: Duration = Duration::from_secs(2 * 3600);

/// How long one write may take.
const WRITE: Duration = Duration::from_secs(30);

/// How many of one connection's frames run at once.
const AT_ONCE: usize = 4;

/// How many pushes are written before the socket is flushed.
const TOGETHER: usize = 32;

/// A connection that `$connect` has let in.
pub(super) struct Session {
    api: SocketApi,
    connection: Connection,
    pushed: mpsc::Receiver<String>,
    /// Weak, so that the engine alone decides how long the connection can be pushed to.
    frames: mpsc::WeakSender<String>,
    closed: Closed,
    slots: Arc<Semaphore>,
}

/// Why a connection ended.
struct Ending {
    code: u16,
    reason: String,
    /// Whether the client is still to be told.
    tell: bool,
}

impl Ending {
    fn ours(code: u16, reason: &str) -> Self {
        Self { code, reason: reason.to_owned(), tell: true }
    }

    fn theirs(code: u16, reason: &str) -> Self {
        Self { code, reason: reason.to_owned(), tell: false }
    }
}

impl Session {
    pub(super) fn new(
        api: SocketApi,
        connection: Connection,
        (frames, pushed): (mpsc::WeakSender<String>, mpsc::Receiver<String>),
        closed: Closed,
    ) -> Self {
        Self { api, connection, pushed, frames, closed, slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Serves the connection until either side ends it.
    pub(super) async fn run(mut self, mut socket: WebSocket) {
        let ending = self.serve(&mut socket).await;
        if ending.tell {
            let frame = CloseFrame { code: ending.code, reason: ending.reason.as_str().into() };
            // The client may have gone already; either way it is over.
            let _ = timeout(WRITE, socket.send(Message::Close(Some(frame)))).await;
        }
        drop(socket);
        self.api.disconnected(&self.connection, ending.code, &ending.reason).await;
    }

    async fn serve(&mut self, socket: &mut WebSocket) -> Ending {
        let end = Instant::now() + LIFE;
        let mut idle = Instant::now() + IDLE;
        let mut stop = self.api.stop.clone();
        let mut slot: Option<OwnedSemaphorePermit> = None;
        let mut batch = Vec::with_capacity(TOGETHER);
        loop {
            tokio::select! {
                count = self.pushed.recv_many(&mut batch, TOGETHER) => {
                    if count == 0 {
                        return Ending::ours(close_code::NORMAL, "the connection was deleted");
                    }
                    if let Some(ending) = write(socket, &mut batch, &self.closed).await {
                        return ending;
                    }
                    idle = Instant::now() + IDLE;
                }
                free = Arc::clone(&self.slots).acquire_owned(), if slot.is_none() => slot = free.ok(),
                message = socket.recv(), if slot.is_some() => {
                    idle = Instant::now() + IDLE;
                    match message {
                        Some(Ok(Message::Text(text))) => self.start(&Frame::Text(&text), slot.take()),
                        Some(Ok(Message::Binary(bytes))) => self.start(&Frame::Binary(&bytes), slot.take()),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(frame))) => {
                            return frame.map_or(Ending::theirs(close_code::STATUS, ""), |frame| {
                                Ending::theirs(frame.code, &frame.reason)
                            });
                        }
                        Some(Err(error)) => return broken(&error),
                        None => return Ending::theirs(close_code::ABNORMAL, ""),
                    }
                }
                () = self.closed.wait() => return Ending::ours(close_code::NORMAL, "the connection was deleted"),
                () = sleep_until(idle) => return Ending::ours(close_code::AWAY, "Going away"),
                () = sleep_until(end) => return Ending::ours(close_code::AWAY, "Going away"),
                () = stop.heard() => return Ending::ours(close_code::AWAY, "Going away"),
            }
        }
    }

    /// Starts one frame on its route; the slot is given back when it is done.
    fn start(&self, frame: &Frame<'_>, slot: Option<OwnedSemaphorePermit>) {
        self.api.engine.sockets().received(&self.connection.id, frame.len());
        let plan = &self.api.plan;
        let named = selected(&plan.selection_expression, frame);
        let route = named.as_deref().filter(|name| !name.starts_with('$')).and_then(|name| plan.route(name));
        let route = route.or_else(|| plan.route("$default"));
        let invocation = route
            .map(|route| (route.function.clone(), self.connection.message_event(&route.key, frame, self.api.now())));
        let (api, id, frames) = (self.api.clone(), self.connection.id.clone(), self.frames.clone());
        tokio::spawn(async move {
            let failed = match invocation {
                Some((function, event)) => api.invoke(&function, event).await.err().map(|_| "Internal server error"),
                None => Some("Forbidden"),
            };
            if let Some((message, frames)) = failed.zip(frames.upgrade()) {
                // A client too slow to be told is disconnected by the next push.
                let _ = frames.try_send(json!({ "message": message, "connectionId": id }).to_string());
            }
            drop(slot);
        });
    }
}

/// Writes what was pushed; the ending, when the client cannot be written to.
async fn write(socket: &mut WebSocket, batch: &mut Vec<String>, closed: &Closed) -> Option<Ending> {
    let writing = async {
        for text in batch.drain(..) {
            socket.feed(Message::Text(text.into())).await?;
        }
        socket.flush().await
    };
    tokio::select! {
        written = timeout(WRITE, writing) => match written {
            Ok(Ok(())) => None,
            Ok(Err(_)) => Some(Ending::theirs(close_code::ABNORMAL, "")),
            Err(_) => Some(Ending::theirs(close_code::ABNORMAL, "the client did not read")),
        },
        () = closed.wait() => Some(Ending::theirs(close_code::ABNORMAL, "the client was too slow")),
    }
}

/// What ends a connection whose bytes are no WebSocket message, or too many.
fn broken(error: &axum::Error) -> Ending {
    let text = error.to_string();
    if text.contains("Space limit exceeded") {
        Ending::ours(close_code::SIZE, "Message too big")
    } else if text.contains("UTF-8") {
        Ending::ours(close_code::INVALID, "Invalid UTF-8")
    } else {
        Ending::theirs(close_code::ABNORMAL, "")
    }
}
