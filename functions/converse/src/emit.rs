//! Asking the others: a turn's effects as messages on their queues. All must be sent before the turn counts as done.
//!
//! Sending twice is harmless: every receiver does a thing once, however often it is asked.

use std::time::Duration;

use colloquy_aws::desk::Wake;
use colloquy_domain::{
    ConversationId, Effect, Entry, Head, Thread, Timestamp, TurnId, What,
    queue::{Dispatch, Routing, Timer},
};
use colloquy_edge::Failure;
use futures_util::future::{join, try_join_all};
use tracing::info;

use crate::{App, commit::Done};

/// Wake-ups nearer than this go to the timers' queue at once; `sweep` brings the others when their time comes.
const NEAR: Duration = Duration::from_secs(90);

impl App {
    /// Asks the others and shows the sockets what happened.
    pub(crate) async fn emit(&self, done: &Done) -> Result<(), Failure> {
        let Done { head, committed } = done;
        for entry in &committed.entries {
            if let What::Opened { .. } | What::Assigned { .. } | What::Resolved { .. } = entry.what {
                info!(conversation.id = %head.id, seq = entry.seq, status = ?head.status, "conversation moved on");
            }
        }
        let asked = self.ask(&committed.key, head, &committed.entries, &committed.effects);
        join(asked, self.show(head, committed)).await.0
    }

    pub(crate) async fn ask(
        &self,
        key: &TurnId,
        head: &Head,
        entries: &[Entry],
        effects: &[Effect],
    ) -> Result<(), Failure> {
        let asked = effects.iter().enumerate().map(|(number, effect)| async move {
            self.ask_one(&format!("{key}-{number}"), head, entries, effect).await
        });
        try_join_all(asked).await.map(|_| ())
    }

    async fn ask_one(&self, dedup: &str, head: &Head, entries: &[Entry], effect: &Effect) -> Result<(), Failure> {
        let (conversation, thread) = (head.id.clone(), head.thread.clone());
        let routing = match effect {
            Effect::Deliver { message, attempt } => {
                return self.dispatch(dedup, head, entries, *message, *attempt).await;
            }
            Effect::Wake { at } => return self.arm(*at, thread, conversation).await,
            Effect::Seek { queue, since, lease, not } => Routing::Seek {
                conversation,
                thread,
                queue: queue.clone(),
                since: *since,
                lease: *lease,
                not: not.clone(),
            },
            Effect::Withdraw { queue, since } => {
                Routing::Withdraw { conversation, queue: queue.clone(), since: *since }
            }
            Effect::Hold { agent } | Effect::Release { agent } => {
                Routing::Settle { agent: agent.clone(), conversation, lapsed: false }
            }
            Effect::Lapse { agent } => Routing::Settle { agent: agent.clone(), conversation, lapsed: true },
        };
        Ok(self.routing.send(routing.group(), dedup, &routing).await?)
    }

    async fn dispatch(
        &self,
        dedup: &str,
        head: &Head,
        entries: &[Entry],
        message: u64,
        attempt: u32,
    ) -> Result<(), Failure> {
        let own = entries.iter().find(|entry| entry.seq == message).cloned();
        let entry = match own {
            Some(entry) => Some(entry),
            None => self.timeline.entry(&head.id, &head.identity, message).await?,
        };
        let Some(What::Message(said)) = entry.map(|entry| entry.what) else {
            return Err(Failure::Internal(format!("{} has no message {message} to send", head.id)));
        };
        let dispatch = Dispatch {
            conversation: head.id.clone(),
            thread: head.thread.clone(),
            inbox: head.inbox.clone(),
            channel: head.channel,
            identity: head.identity.clone(),
            message,
            attempt,
            author: said.author,
            text: said.text,
        };
        Ok(self.outbound.send(head.thread.as_str(), dedup, &dispatch).await?)
    }

    async fn arm(&self, at: Timestamp, thread: Thread, conversation: ConversationId) -> Result<(), Failure> {
        let wait = at.since(self.clients.now());
        if wait >= NEAR {
            return Ok(self.desk.put_wake(&Wake { at, thread, conversation }).await?);
        }
        // Whole seconds, never early: what fires early finds nothing due.
        let delay_s = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        Ok(self.timers.send_standard(&Timer::Wake { at, thread, conversation }, delay_s).await?)
    }
}
