//! Reads each customer's message and says what it means: `inbound.fifo` in, `turns.fifo` out.
//!
//! Decides nothing and stores nothing. For now it tells the language.

use colloquy_aws::{Clients, queues::Queue};
use colloquy_domain::{Command, ContactId, Turn, queue::Arrival};
use colloquy_edge::{Configuration, ConfigurationError, Failure, Function, Wiring, batch};
use serde_json::Value;

/// The function, started.
pub struct App {
    inbound: Queue,
    turns: Queue,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let wiring = Wiring::new(configuration, clients)?;
        Ok(Self { inbound: wiring.queue("INBOUND_QUEUE_URL")?, turns: wiring.queue("TURNS_QUEUE_URL")? })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        Ok(batch::each(&event, |record| self.read(record)).await)
    }
}

impl App {
    async fn read(&self, record: batch::Record) -> Result<(), Failure> {
        let arrival: Arrival = self.inbound.open(&record.body).await?;
        let turn = understood(arrival);
        Ok(self.turns.send(turn.thread.as_str(), turn.key.as_str(), &turn).await?)
    }
}

fn understood(arrival: Arrival) -> Turn {
    let Arrival { key, at, thread, inbox, channel, identity, message } = arrival;
    let understanding = colloquy_understanding::read(&message.text);
    // The id a contact would get whom nobody knows yet; `converse` looks them up.
    let contact = ContactId::derive(at, key.as_str().as_bytes());
    let command = Command::Receive { inbox, channel, identity, contact, message, understanding };
    Turn { key, at, thread, conversation: None, connection: None, command }
}
