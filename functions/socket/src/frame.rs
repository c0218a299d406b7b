//! A frame: read, given to agents' or visitors' part, answered on the same socket.

use colloquy_aws::desk::Owner;
use colloquy_domain::{Author, ConversationId, Delivery, Entry, routing::Presence};
use colloquy_edge::{Failure, view};
use serde::Deserialize;
use serde_json::Value;

use crate::App;

/// What a client sends.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub(crate) enum Frame {
    Send {
        conversation: Option<ConversationId>,
        text: String,
        key: String,
        /// What a visitor wants to be called. It travels with each message, since nothing unsealed may keep it.
        name: Option<String>,
    },
    Note {
        conversation: ConversationId,
        text: String,
        key: String,
    },
    Resume {
        conversation: Option<ConversationId>,
        #[serde(default)]
        after: u64,
    },
    Leave {
        conversation: ConversationId,
    },
    Presence {
        state: Presence,
    },
    Typing {
        conversation: Option<ConversationId>,
    },
    Accept {
        conversation: ConversationId,
        key: Option<String>,
    },
    Decline {
        conversation: ConversationId,
        key: Option<String>,
    },
    Seen {
        seq: u64,
    },
    Ping,
}

impl App {
    /// Takes a frame; what is wrong with it comes back as an error event with the client's key.
    pub(crate) async fn frame(&self, connection: &str, body: &str) {
        let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let key = value["key"].as_str().map(str::to_owned);
        let conversation = value["conversation"].as_str().and_then(|id| id.parse().ok());
        let is_object = value.is_object();
        let taken = match serde_json::from_value::<Frame>(value) {
            Ok(frame) => self.take(connection, frame).await,
            Err(_) if !is_object => Err(Failure::Malformed("this frame is not a JSON object".to_owned())),
            Err(error) => Err(Failure::Invalid(format!("this frame is not understood: {error}"))),
        };
        if let Err(failure) = taken {
            let event = view::error_event(&failure, key.as_deref(), conversation.as_ref());
            self.sockets.push(connection, &event).await;
        }
    }

    async fn take(&self, connection: &str, frame: Frame) -> Result<(), Failure> {
        if matches!(frame, Frame::Ping) {
            self.sockets.push(connection, &view::pong_event()).await;
            return Ok(());
        }
        let known = self.desk().connection(connection).await?;
        let known =
            known.ok_or_else(|| Failure::Unauthenticated("this connection is not known any more".to_owned()))?;
        match known.session.owner.clone() {
            Owner::Agent(agent) => self.agent_frame(&known, &agent, frame).await,
            Owner::Visitor(visitor) => self.visitor_frame(&known, &visitor, frame).await,
        }
    }

    /// Says that a command is queued.
    pub(crate) async fn accepted(&self, connection: &str, key: Option<&str>, turn: &colloquy_domain::TurnId) {
        self.sockets.push(connection, &view::accepted_event(key, turn)).await;
    }

    /// Sends missed entries in order, then says up to which number they went.
    pub(crate) async fn replay(
        &self,
        connection: &str,
        conversation: &ConversationId,
        entries: &[Entry],
        seq: u64,
        agents: Option<(&[Delivery], &Value)>,
    ) {
        for entry in entries {
            self.sockets.push(connection, &view::entry_event(conversation, entry, None)).await;
        }
        self.sockets.push(connection, &view::resumed_event(conversation, seq, agents)).await;
    }

    /// Shows the others who watch a conversation that someone is writing.
    pub(crate) async fn typing(
        &self,
        connection: &str,
        conversation: &ConversationId,
        author: Author,
    ) -> Result<(), Failure> {
        let event = view::typing_event(conversation, author);
        for watcher in self.desk().subscribers(conversation).await? {
            if watcher.connection != connection {
                self.sockets.push(&watcher.connection, &event).await;
            }
        }
        Ok(())
    }
}
