//! The WebSocket API: agents and visitors connect, send, resume.
//!
//! Decides nothing about conversations: words become turns, and entries are pushed by `converse`.

mod agents;
mod connect;
mod frame;
mod visitors;

use colloquy_aws::{Clients, Desk, Sockets, Timeline, Vault, queues::Queue};
use colloquy_edge::{
    Commands, Configuration, ConfigurationError, Failure, Function, Wiring,
    socket::{Event, status},
};
use serde_json::Value;
use webhook::Intake;

/// The function, started.
pub struct App {
    commands: Commands,
    routing: Queue,
    intake: Intake,
    sockets: Sockets,
    vault: Vault,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let wiring = Wiring::new(configuration, clients)?;
        Ok(Self {
            commands: Commands {
                timeline: wiring.timeline()?,
                desk: wiring.desk()?,
                turns: wiring.queue("TURNS_QUEUE_URL")?,
                clients: clients.clone(),
            },
            routing: wiring.queue("ROUTING_QUEUE_URL")?,
            intake: Intake::start(&wiring, clients)?,
            sockets: wiring.sockets()?,
            vault: wiring.vault(),
        })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        match Event::read(&event)? {
            Event::Authorize { ticket, method } => self.authorize(&ticket, &method).await,
            Event::Connect { connection, owner } => self.connect(&connection, &owner).await,
            Event::Disconnect { connection } => self.disconnect(&connection).await,
            Event::Frame { connection, body, .. } => {
                Box::pin(self.frame(&connection, &body)).await;
                Ok(status(200))
            }
        }
    }
}

impl App {
    fn desk(&self) -> &Desk {
        &self.commands.desk
    }

    fn timeline(&self) -> &Timeline {
        &self.commands.timeline
    }
}
