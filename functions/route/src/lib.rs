//! Chooses who gets a waiting conversation, and alone takes and frees agents' slots: `routing.fifo` in, offers out.
//!
//! Never touches a conversation: an offer is a turn, and `converse` decides whether it still makes sense. Work of one
//! queue is done in order (its message group), so that an agent who becomes available and a conversation that comes
//! to wait cannot miss one another.

mod members;
mod offers;

use std::{collections::BTreeMap, sync::Mutex};

use colloquy_aws::{Clients, Desk, Sockets, Timeline, Vault, queues::Queue};
use colloquy_domain::{QueueId, Timestamp, queue::Routing};
use colloquy_edge::{Configuration, ConfigurationError, Failure, Function, batch};
use serde_json::Value;

/// The function, started.
pub struct App {
    timeline: Timeline,
    desk: Desk,
    routing: Queue,
    turns: Queue,
    timers: Queue,
    sockets: Sockets,
    clients: Clients,
    /// When each queue's members were last shown its list, and whether they are owed another look.
    shown: Mutex<BTreeMap<QueueId, (Timestamp, bool)>>,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let vault = Vault::new(clients, configuration.required("KEYS_TABLE")?, configuration.required("KMS_KEY_ID")?);
        let queue =
            |name: &str| Ok::<_, ConfigurationError>(Queue::new(clients, &vault, configuration.required(name)?));
        Ok(Self {
            timeline: Timeline::new(clients, configuration.required("CONVERSATIONS_TABLE")?, &vault),
            desk: Desk::new(clients, configuration.required("DESK_TABLE")?, &vault),
            routing: queue("ROUTING_QUEUE_URL")?,
            turns: queue("TURNS_QUEUE_URL")?,
            timers: queue("TIMERS_QUEUE_URL")?,
            sockets: Sockets::new(clients, configuration.required("SOCKETS_ENDPOINT")?),
            clients: clients.clone(),
            shown: Mutex::default(),
        })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        Ok(batch::each(&event, |record| self.work(record)).await)
    }
}

impl App {
    async fn work(&self, record: batch::Record) -> Result<(), Failure> {
        match self.routing.open(&record.body).await? {
            Routing::Seek { conversation, thread, queue, since, lease, not } => {
                let waiting = colloquy_aws::desk::Waiting { conversation, thread, since, lease, not };
                self.seek(&record, &queue, waiting).await
            }
            Routing::Withdraw { conversation, queue, .. } => {
                self.desk.remove_waiting(&queue, &conversation).await?;
                self.show_change(&queue, &conversation).await
            }
            Routing::Drain { queue } => self.drain(&record, &queue).await,
            Routing::Refresh { queue } => self.show_list(&queue).await,
            Routing::Settle { agent, conversation, lapsed } => {
                self.settle(&record, &agent, &conversation, lapsed).await
            }
        }
    }
}
