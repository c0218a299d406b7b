//! A WebSocket to the host that waits for what it is told to wait for.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message},
};

use crate::PATIENCE;

/// An open socket. What came and was not waited for is kept for later waits.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    kept: VecDeque<Value>,
    /// Everything that came, in order.
    pub log: Vec<Value>,
}

impl Socket {
    /// Opens a socket with a ticket.
    ///
    /// # Errors
    /// The HTTP status with which the host refused, 0 when it did not even answer.
    pub async fn open(base: &str, ticket: &str) -> Result<Self, u16> {
        let address = format!("{}/socket?ticket={ticket}", base.replacen("http", "ws", 1));
        match connect_async(address).await {
            Ok((stream, _)) => Ok(Self { stream, kept: VecDeque::new(), log: Vec::new() }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(_) => Err(0),
        }
    }

    /// Sends a frame.
    ///
    /// # Panics
    /// When the socket is closed.
    pub async fn send(&mut self, frame: Value) {
        self.stream.send(Message::text(frame.to_string())).await.expect("the socket takes frames");
    }

    /// Waits for an event and takes it out of what is kept.
    ///
    /// # Panics
    /// When it does not come, or the socket closes.
    pub async fn wait(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&is_it) {
            return self.kept.remove(at).unwrap_or_default();
        }
        let came = timeout(PATIENCE, async {
            loop {
                let event = self.next().await.unwrap_or_else(|| panic!("closed while waiting for {what}"));
                if is_it(&event) {
                    return event;
                }
                self.kept.push_back(event);
            }
        });
        match came.await {
            Ok(event) => event,
            Err(_) => panic!("waited in vain for {what}; came: {:#?}", self.kept),
        }
    }

    /// The next event; nothing when the socket is closed.
    async fn next(&mut self) -> Option<Value> {
        loop {
            match self.stream.next().await? {
                Ok(Message::Text(text)) => {
                    let event: Value = serde_json::from_str(&text).expect("events are JSON");
                    self.log.push(event.clone());
                    return Some(event);
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Waits until the host closes the socket.
    ///
    /// # Panics
    /// When it does not.
    pub async fn closed(&mut self) {
        let closed = timeout(PATIENCE, async { while self.next().await.is_some() {} });
        closed.await.expect("the host closes the socket");
    }

    /// Breaks off without saying goodbye.
    pub fn drop_dead(self) {
        drop(self.stream);
    }

    /// Says how one counts, and waits until that is taken.
    pub async fn presence(&mut self, state: &str) {
        self.send(json!({"action": "presence", "state": state})).await;
        self.wait("the presence", |event| event["type"] == "presence" && event["state"] == state).await;
    }

    /// Waits for an offer; gives the conversation.
    pub async fn offer(&mut self) -> String {
        let offer = self.wait("an offer", |event| event["type"] == "offer").await;
        offer["conversation"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits for an offer and accepts it; gives the conversation.
    pub async fn accept(&mut self) -> String {
        let conversation = self.offer().await;
        // A key of its own for each offer: the same conversation may be offered again.
        let key = format!("accept-{}", self.log.len());
        self.send(json!({"action": "accept", "conversation": conversation, "key": key})).await;
        self.entry(&conversation, "conversation.assigned").await;
        conversation
    }

    /// Waits for an entry of a kind.
    pub async fn entry(&mut self, conversation: &str, kind: &str) -> Value {
        let is_it = |event: &Value| {
            event["type"] == "entry" && event["conversation"] == conversation && event["entry"]["kind"] == kind
        };
        self.wait(&format!("an entry {kind}"), is_it).await["entry"].clone()
    }

    /// Waits for a message with these words.
    pub async fn words(&mut self, text: &str) -> Value {
        let is_it = |event: &Value| event["type"] == "entry" && event["entry"]["text"] == text;
        self.wait(&format!("the words `{text}`"), is_it).await["entry"].clone()
    }

    /// Waits for a delivery of a state.
    pub async fn delivery(&mut self, seq: u64, state: &str) -> Value {
        let is_it = |event: &Value| {
            event["type"] == "delivery" && event["delivery"]["seq"] == seq && event["delivery"]["state"] == state
        };
        self.wait(&format!("entry {seq} to be {state}"), is_it).await["delivery"].clone()
    }

    /// Waits for an error event.
    pub async fn error(&mut self) -> Value {
        self.wait("an error", |event| event["type"] == "error").await
    }

    /// Waits for the end of a resume; gives what came of the conversation by then, by number.
    pub async fn resume(&mut self, conversation: &str, after: u64) -> Vec<Value> {
        let from = self.log.len();
        self.send(json!({"action": "resume", "conversation": conversation, "after": after})).await;
        let done = |event: &Value| event["type"] == "resumed" && event["conversation"] == conversation;
        self.wait("the end of the resume", done).await;
        let entries = self.log[from..].iter().filter(|event| event["type"] == "entry");
        entries.filter(|event| event["conversation"] == conversation).map(|event| event["entry"].clone()).collect()
    }

    /// Asks for a sign of life: whatever was pushed before has come when it answers.
    pub async fn ping(&mut self) {
        self.send(json!({"action": "ping"})).await;
        self.wait("a pong", |event| event["type"] == "pong").await;
    }

    /// The numbers of a conversation's entries, as they came.
    #[must_use]
    pub fn numbers(&self, conversation: &str) -> Vec<u64> {
        let entries = self.log.iter().filter(|event| event["type"] == "entry");
        entries
            .filter(|event| event["conversation"] == conversation)
            .filter_map(|event| event["seq"].as_u64())
            .collect()
    }
}
