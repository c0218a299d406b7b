//! The agents of a load: one socket each, read and written by one task each.

use std::time::{Duration, Instant};

use colloquy_tests::outside::{Desk, Problem, Rest, Socket};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What an agent's socket showed.
pub(crate) enum Seen {
    /// A customer's message.
    Message { text: String, at: Instant },
    /// A conversation is now this agent's.
    Assigned { conversation: String, agent: usize },
}

/// The agents' sockets.
pub(crate) struct Agents {
    frames: Vec<mpsc::UnboundedSender<Value>>,
}

impl Agents {
    pub(crate) async fn start(rest: &Rest, desk: &Desk) -> Result<(Self, mpsc::UnboundedReceiver<Seen>), Problem> {
        let (news, seen) = mpsc::unbounded_channel();
        let mut frames = Vec::new();
        for (number, (_, token)) in desk.agents.iter().enumerate() {
            let mut socket = Socket::open(rest, token).await?;
            socket.send(&json!({"action": "presence", "state": "available"})).await?;
            while socket.event(Duration::from_secs(5)).await?.ok_or("no presence")?["type"] != "presence" {}
            let (sender, receiver) = mpsc::unbounded_channel();
            frames.push(sender);
            tokio::spawn(attend(number, socket, receiver, news.clone()));
        }
        Ok((Self { frames }, seen))
    }

    pub(crate) fn say(&self, agent: usize, conversation: &str, text: &str, key: u64) {
        let frame = json!({"action": "send", "conversation": conversation, "text": text, "key": key.to_string()});
        // An agent whose socket broke says nothing more, which is missed at the end.
        let _ = self.frames[agent].send(frame);
    }
}

async fn attend(
    agent: usize,
    mut socket: Socket,
    mut frames: mpsc::UnboundedReceiver<Value>,
    news: mpsc::UnboundedSender<Seen>,
) -> Result<(), Problem> {
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => socket.send(&frame).await?,
                None => return Ok(()),
            },
            event = socket.event(Duration::from_secs(3600)) => {
                let at = Instant::now();
                let Some(event) = event? else { continue };
                let entry = &event["entry"];
                let seen = match (entry["kind"].as_str(), entry["author"].as_str()) {
                    (Some("message"), Some("contact")) => {
                        Seen::Message { text: entry["text"].as_str().unwrap_or_default().to_owned(), at }
                    }
                    (Some("conversation.assigned"), _) => Seen::Assigned {
                        conversation: event["conversation"].as_str().unwrap_or_default().to_owned(), agent,
                    },
                    _ => continue,
                };
                news.send(seen)?;
            }
        }
    }
}
