//! The clock: once a minute brings near the wake-ups of the next minute and a half; hands on those whose time is come.
//!
//! Decides nothing: a wake-up asks a conversation to look what is due, and nothing is ever cancelled.

use colloquy_aws::{Clients, Desk, queues::Queue};
use colloquy_domain::{
    Command, ConversationId, Thread, Timestamp, Turn, TurnId,
    queue::{Routing, Timer},
};
use colloquy_edge::{Configuration, ConfigurationError, Failure, Function, Wiring, batch};
use serde_json::{Value, json};

/// How far ahead wake-ups are brought near, in milliseconds: longer than the minute between two sweeps.
const AHEAD_MS: i64 = 90_000;
/// How far back a sweep looks after the schedule stood still, in minutes.
const BACK: i64 = 7 * 24 * 60;

/// How far back the first sweep of all looks, in minutes: conversations may have begun before the schedule did.
const FIRST_BACK: i64 = 10;
/// After how many minutes gone through a long sweep says how far it got.
const STEP: i64 = 60;

/// The function, started.
pub struct App {
    desk: Desk,
    timers: Queue,
    turns: Queue,
    routing: Queue,
    clients: Clients,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let wiring = Wiring::new(configuration, clients)?;
        Ok(Self {
            desk: wiring.desk()?,
            timers: wiring.queue("TIMERS_QUEUE_URL")?,
            turns: wiring.queue("TURNS_QUEUE_URL")?,
            routing: wiring.queue("ROUTING_QUEUE_URL")?,
            clients: clients.clone(),
        })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        if event["Records"].is_array() {
            return Ok(batch::each(&event, |record| self.fire(record)).await);
        }
        self.sweep().await.map(|()| json!({}))
    }
}

impl App {
    /// Sends the wake-ups of the minutes since the last sweep and of the next ones to the timers' queue.
    async fn sweep(&self) -> Result<(), Failure> {
        let now = self.clients.now();
        let until = Timestamp::from_ms(now.ms() + AHEAD_MS);
        let last = self.desk.swept_minute().await?.unwrap_or_else(|| now.minute() - FIRST_BACK);
        for minute in last.max(now.minute() - BACK)..=until.minute() {
            for wake in self.desk.due_wakes(minute).await? {
                if wake.at > until {
                    continue;
                }
                self.send(&Timer::Wake {
                    at: wake.at,
                    thread: wake.thread.clone(),
                    conversation: wake.conversation.clone(),
                })
                .await?;
                self.desk.delete_wake(&wake).await?;
            }
            // After a long stand a sweep that runs out of time is taken up where it got to.
            if minute < now.minute() && minute % STEP == 0 {
                self.desk.set_swept_minute(minute).await?;
            }
        }
        // The current minute may still get wake-ups, so it is looked at again.
        Ok(self.desk.set_swept_minute(now.minute()).await?)
    }

    async fn fire(&self, record: batch::Record) -> Result<(), Failure> {
        match self.timers.open(&record.body).await? {
            timer @ Timer::Wake { at, .. } if at > self.clients.now() => self.send(&timer).await,
            Timer::Wake { at, thread, conversation } => self.wake(&record, at, thread, conversation).await,
            Timer::Refresh { queue } => {
                let refresh = Routing::Refresh { queue };
                Ok(self.routing.send(refresh.group(), &record.id, &refresh).await?)
            }
        }
    }

    async fn wake(
        &self,
        record: &batch::Record,
        at: Timestamp,
        thread: Thread,
        conversation: ConversationId,
    ) -> Result<(), Failure> {
        let turn = Turn {
            key: TurnId::derive(at, format!("wake|{}|{conversation}", record.id).as_bytes()),
            at: self.clients.now(),
            thread,
            conversation: Some(conversation),
            connection: None,
            command: Command::Wake,
        };
        Ok(self.turns.send(turn.thread.as_str(), turn.key.as_str(), &turn).await?)
    }

    async fn send(&self, timer: &Timer) -> Result<(), Failure> {
        let wait_ms = match timer {
            Timer::Wake { at, .. } => at.since(self.clients.now()).as_millis(),
            Timer::Refresh { .. } => 0,
        };
        let delay_s = u32::try_from(wait_ms.div_ceil(1000)).unwrap_or(u32::MAX);
        Ok(self.timers.send_standard(timer, delay_s).await?)
    }
}
