//! The only writer of a conversation: takes turns from `turns.fifo`, decides purely, commits, then asks the others.
//!
//! Waits for nobody: what takes time is `deliver`'s, `route`'s, `fetch`'s or `act`'s, and comes back as a turn.

mod commit;
mod emit;
mod push;

use colloquy_aws::{Clients, Desk, Sockets, Timeline, queues::Queue, timeline};
use colloquy_domain::{Refusal, Turn};
use colloquy_edge::{Configuration, ConfigurationError, Failure, Function, Wiring, batch};
use serde_json::Value;
use tracing::info;

/// The function, started.
pub struct App {
    timeline: Timeline,
    desk: Desk,
    turns: Queue,
    routing: Queue,
    outbound: Queue,
    timers: Queue,
    sockets: Sockets,
    clients: Clients,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let wiring = Wiring::new(configuration, clients)?;
        Ok(Self {
            timeline: wiring.timeline()?,
            desk: wiring.desk()?,
            turns: wiring.queue("TURNS_QUEUE_URL")?,
            routing: wiring.queue("ROUTING_QUEUE_URL")?,
            outbound: wiring.queue("OUTBOUND_QUEUE_URL")?,
            timers: wiring.queue("TIMERS_QUEUE_URL")?,
            sockets: wiring.sockets()?,
            clients: clients.clone(),
        })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        Ok(batch::each(&event, |record| self.take(record)).await)
    }
}

impl App {
    async fn take(&self, record: batch::Record) -> Result<(), Failure> {
        let turn: Turn = self.turns.open(&record.body).await?;
        // What came before, or long ago, may have been committed already.
        let suspect = record.receives > 1 || self.clients.now().since(turn.at).as_secs() > 60;
        match self.commit(&turn, suspect).await? {
            commit::Outcome::Committed(done) => self.emit(&done).await,
            commit::Outcome::Nothing { head, effects } => self.ask(&turn.key, &head, &[], &effects).await,
            commit::Outcome::Refused(refusal) => self.refuse(&turn, &refusal).await,
        }
    }

    /// A refusal is kept for whoever asks what became of the turn, and told to whoever sent it.
    async fn refuse(&self, turn: &Turn, refusal: &Refusal) -> Result<(), Failure> {
        if let Some(conversation) = &turn.conversation {
            info!(conversation.id = %conversation, turn.id = %turn.key, code = refusal.code(), "turn refused");
            let kept = timeline::Refusal { code: refusal.code().to_owned(), detail: refusal.to_string() };
            self.timeline.put_refusal(conversation, &turn.key, &kept).await?;
            self.tell_refusal(turn, conversation, refusal).await;
        }
        Ok(())
    }
}
