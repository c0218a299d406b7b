//! Showing a queue's members that its list changed: at most four times a second, and never leaving the last change
//! untold.
//!
//! Best effort, as all pushes are.

use std::time::Duration;

use colloquy_aws::desk::{Agent, Owner, Queue, Role};
use colloquy_domain::{AgentId, ConversationId, QueueId, queue::Timer, routing::Presence};
use colloquy_edge::{Failure, view};
use futures_util::future::join_all;
use serde_json::Value;

use crate::App;

/// The least time between two looks at one queue's list.
const PACE: Duration = Duration::from_millis(250);

impl App {
    /// Shows a queue's members what became of a conversation; when they were shown something a moment ago, they are
    /// told a second later that the list changed.
    pub(crate) async fn show_change(&self, queue: &QueueId, conversation: &ConversationId) -> Result<(), Failure> {
        match self.pace(queue) {
            Pace::Now => {}
            Pace::Later => return Ok(self.timers.send_standard(&Timer::Refresh { queue: queue.clone() }, 1).await?),
            Pace::Owed => return Ok(()),
        }
        let Some(head) = self.timeline.head(conversation).await? else { return Ok(()) };
        let event = view::head_event(conversation, &view::head(&head, self.clients.now()));
        self.push_to_members(queue, &event).await
    }

    /// Tells a queue's members that its list changed, for them to fetch it.
    pub(crate) async fn show_list(&self, queue: &QueueId) -> Result<(), Failure> {
        if let Ok(mut shown) = self.shown.lock() {
            shown.insert(queue.clone(), (self.clients.now(), false));
        }
        self.push_to_members(queue, &view::list_event(queue)).await
    }

    /// Tells an agent's own sockets, and their colleagues', whether they count as there.
    pub(crate) async fn show_presence(&self, agent: &AgentId, presence: Presence) -> Result<(), Failure> {
        let event = view::presence_event(agent, presence);
        let connections = self.desk.connections_of(&Owner::Agent(agent.clone())).await?;
        join_all(connections.iter().map(|connection| self.sockets.push(connection, &event))).await;
        Ok(())
    }

    fn pace(&self, queue: &QueueId) -> Pace {
        let now = self.clients.now();
        let Ok(mut shown) = self.shown.lock() else { return Pace::Now };
        let (last, owed) = shown.entry(queue.clone()).or_default();
        if now.since(*last) >= PACE && !*owed {
            *last = now;
            Pace::Now
        } else if *owed && now.since(*last) < Duration::from_secs(5) {
            Pace::Owed
        } else {
            *owed = true;
            Pace::Later
        }
    }

    async fn push_to_members(&self, queue: &QueueId, event: &Value) -> Result<(), Failure> {
        let Some(queue) = self.desk.get::<Queue>(queue).await? else { return Ok(()) };
        let members = self
            .desk
            .list::<Agent>()
            .await?
            .into_iter()
            .filter(|agent| agent.role != Role::Agent || agent.teams.iter().any(|team| queue.teams.contains(team)));
        let pushed = members.map(|agent| async move {
            let connections = self.desk.connections_of(&Owner::Agent(agent.id)).await?;
            join_all(connections.iter().map(|connection| self.sockets.push(connection, event))).await;
            Ok::<_, Failure>(())
        });
        join_all(pushed).await.into_iter().collect()
    }
}

enum Pace {
    /// Show it.
    Now,
    /// Too soon: ask for a look in a second.
    Later,
    /// Too soon, and a look is on its way.
    Owed,
}
