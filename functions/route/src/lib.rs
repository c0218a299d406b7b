//! Chooses who gets a waiting conversation, and alone takes and frees agents' slots: `routing.fifo` in, offers out.
//!
//! Never touches a conversation: an offer is a turn, and `converse` decides whether it still makes sense. Work of one
//! queue is done in order (its message group), so that an agent who becomes available and a conversation that comes
//! to wait cannot miss one another.

mod members;
mod offers;

use std::{collections::BTreeMap, sync::Mutex};

use colloquy_aws::{Clients, Desk, Sockets, Timeline, queues::Queue};
use colloquy_domain::{QueueId, Timestamp, queue::Routing};
use colloquy_edge::{Configuration, ConfigurationError, Failure, Function, Wiring, batch};
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
        let wiring = Wiring::new(configuration, clients)?;
        Ok(Self {
            timeline: wiring.timeline()?,
            desk: wiring.desk()?,
            routing: wiring.queue("ROUTING_QUEUE_URL")?,
            turns: wiring.queue("TURNS_QUEUE_URL")?,
            timers: wiring.queue("TIMERS_QUEUE_URL")?,
            sockets: wiring.sockets()?,
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
            Routing::Withdraw { conversation, queue, since } => {
                self.desk.remove_waiting(&queue, &conversation, since).await?;
                self.show_change(&queue, &conversation).await
            }
            Routing::Drain { queue, returning } => self.drain(&record, &queue, returning.as_ref()).await,
            Routing::Refresh { queue } => self.show_list(&queue).await,
            Routing::Settle { agent, conversation, lapsed } => {
                self.settle(&record, &agent, &conversation, lapsed).await
            }
        }
    }
}
