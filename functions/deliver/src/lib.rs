//! Only sends: takes messages from `outbound.fifo` to their channel's API, and receipts from `receipts` to their
//! messages. How far a message got is written here and nowhere else.
//!
//! Once bytes may have left and no answer came, the outcome is `unknown`, and a person decides: never twice unasked.

mod call;
mod confirm;
mod send;
mod settle;

use colloquy_aws::{Clients, Desk, Sockets, Timeline, Vault, queues::Queue};
use colloquy_edge::{Configuration, ConfigurationError, Failure, Function, batch};
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
        let vault = Vault::new(clients, configuration.required("KEYS_TABLE")?, configuration.required("KMS_KEY_ID")?);
        let queue =
            |name: &str| Ok::<_, ConfigurationError>(Queue::new(clients, &vault, configuration.required(name)?));
        let receipts_url = configuration.required("RECEIPTS_QUEUE_URL")?;
        Ok(Self {
            timeline: Timeline::new(clients, configuration.required("CONVERSATIONS_TABLE")?, &vault),
            desk: Desk::new(clients, configuration.required("DESK_TABLE")?, &vault),
            outbound: queue("OUTBOUND_QUEUE_URL")?,
            receipts: Queue::new(clients, &vault, receipts_url.as_str()),
            receipts_name: receipts_url.rsplit('/').next().unwrap_or_default().to_owned(),
            turns: queue("TURNS_QUEUE_URL")?,
            sockets: Sockets::new(clients, configuration.required("SOCKETS_ENDPOINT")?),
            http: call::client().map_err(|error| ConfigurationError::Invalid {
                name: "the HTTP client".to_owned(),
                value: error.to_string(),
                expected: "usable",
            })?,
            sandbox: configuration.optional("SANDBOX_URL"),
            vault,
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
