//! An agent's socket: frames out, events in, as JSON.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{Problem, Rest};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Opens an agent's socket.
    ///
    /// # Errors
    /// When the host is not there or lets nobody in.
    pub async fn open(rest: &Rest, token: &str) -> Result<Self, Problem> {
        let address = rest.ticketed(token).await?;
        let (stream, _) = timeout(CONNECT, connect_async(address)).await??;
        Ok(Self { stream })
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// When the socket is gone.
    pub async fn send(&mut self, frame: &Value) -> Result<(), Problem> {
        Ok(self.stream.send(Message::text(frame.to_string())).await?)
    }

    /// The next event as it came; nothing when none comes within `wait`.
    ///
    /// # Errors
    /// When the socket is gone.
    pub async fn text(&mut self, wait: Duration) -> Result<Option<String>, Problem> {
        loop {
            match timeout(wait, self.stream.next()).await {
                Err(_) => return Ok(None),
                Ok(None) => return Err("the socket is closed".into()),
                Ok(Some(Ok(Message::Text(text)))) => return Ok(Some(text.to_string())),
                Ok(Some(Ok(Message::Close(_)))) => return Err("the socket was closed".into()),
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Err(error.into()),
            }
        }
    }

    /// The next event; nothing when none comes within `wait`.
    ///
    /// # Errors
    /// When the socket is gone, or what came is not JSON.
    pub async fn event(&mut self, wait: Duration) -> Result<Option<Value>, Problem> {
        Ok(self.text(wait).await?.map(|text| serde_json::from_str(&text)).transpose()?)
    }
}
