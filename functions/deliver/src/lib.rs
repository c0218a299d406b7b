//! Only sends: takes messages from `outbound.fifo` to their channel's API, and receipts from `receipts` to their
//! messages. How far a message got is written here and nowhere else.
//!
//! Once bytes may have left and no answer came, the outcome is `unknown`, and a person decides: never twice unasked.

mod call;
mod confirm;
mod send;
mod settle;

use colloquy_aws::{Clients, Desk, Sockets, Timeline, Vault, queues::Queue};
use colloquy_edge::{Configuration, ConfigurationError, Failure, Function, Wiring, batch};
use serde_json::Value;

/// The function, started.
pub struct App {
    timeline: Timeline,
    desk: Desk,
    vault: Vault,
    outbound: Queue,
    receipts: Queue,
    receipts_name: String,
    turns: Queue,
    sockets: Sockets,
    http: reqwest::Client,
    sandbox: Option<String>,
    clients: Clients,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let wiring = Wiring::new(configuration, clients)?;
        let receipts_url = configuration.required("RECEIPTS_QUEUE_URL")?;
        Ok(Self {
            timeline: wiring.timeline()?,
            desk: wiring.desk()?,
            outbound: wiring.queue("OUTBOUND_QUEUE_URL")?,
            receipts: wiring.queue("RECEIPTS_QUEUE_URL")?,
            receipts_name: receipts_url.rsplit('/').next().unwrap_or_default().to_owned(),
            turns: wiring.queue("TURNS_QUEUE_URL")?,
            sockets: wiring.sockets()?,
            http: call::client().map_err(|error| ConfigurationError::Invalid {
                name: "the HTTP client".to_owned(),
                value: error.to_string(),
                expected: "usable",
            })?,
            sandbox: configuration.optional("SANDBOX_URL"),
            vault: wiring.vault(),
            clients: clients.clone(),
        })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        Ok(batch::each(&event, |record| self.take(record)).await)
    }
}

impl App {
    async fn take(&self, record: batch::Record) -> Result<(), Failure> {
        if record.queue == self.receipts_name { self.confirm(record).await } else { self.send(record).await }
    }
}
