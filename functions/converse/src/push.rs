//! Showing agents and visitors what happened, from the writer itself: a stream would take 200 ms longer.
//!
//! Best effort: a push that is lost is made good when the client resumes.

use std::collections::BTreeSet;

use colloquy_aws::{Pushed, StoreError, desk::Owner};
use colloquy_domain::{AgentId, Channel, Committed, ConversationId, Effect, Head, Refusal, Turn, What};
use colloquy_edge::{Caller, Failure, view};
use futures_util::future::join_all;
use serde_json::Value;
use tracing::warn;

use crate::App;

impl App {
    /// Shows a committed turn to whoever watches the conversation and may, holds it or is offered it, and to whoever
    /// has lost it by this turn.
    pub(crate) async fn show(&self, head: &Head, committed: &Committed) {
        if let Err(error) = Box::pin(self.try_show(head, committed)).await {
            warn!(conversation.id = %head.id, %error, "sockets could not be told; clients will resume");
        }
    }

    async fn try_show(&self, head: &Head, committed: &Committed) -> Result<(), Failure> {
        let mut agents: BTreeSet<String> = BTreeSet::new();
        let mut visitors: BTreeSet<String> = BTreeSet::new();
        for watcher in self.desk.subscribers(&head.id).await? {
            match watcher.owner {
                Owner::Agent(agent) if self.may_see(&agent, head).await? => agents.insert(watcher.connection),
                // It has gone to others: what comes after this turn is not theirs to see.
                Owner::Agent(_) => {
                    self.desk.unsubscribe(&watcher.connection, &head.id).await?;
                    false
                }
                Owner::Visitor(_) => visitors.insert(watcher.connection),
            };
        }
        let offered = head.offer.as_ref().map(|offer| &offer.agent);
        let lost = committed.effects.iter().filter_map(|effect| match effect {
            Effect::Release { agent } | Effect::Lapse { agent } => Some(agent),
            _ => None,
        });
        for agent in head.agent().into_iter().chain(offered).chain(lost) {
            agents.extend(self.desk.connections_of(&Owner::Agent(agent.clone())).await?);
        }
        if head.channel == Channel::Web {
            visitors.extend(self.visitor_connections(head).await?);
        }
        let shown = view::head(head, self.clients.now());
        for entry in &committed.entries {
            self.push_all(&agents, &view::entry_event(&head.id, entry, Some(&shown))).await;
            if let Some(entry) = entry.for_visitor() {
                self.push_all(&visitors, &view::entry_event(&head.id, &entry, None)).await;
            }
            // One that has been answered since is not offered again.
            if let What::Offered { agent, until } = &entry.what
                && offered == Some(agent)
            {
                let event = view::offer_event(&head.id, *until, &shown);
                let connections = self.desk.connections_of(&Owner::Agent(agent.clone())).await?;
                self.push_all(&connections.into_iter().collect(), &event).await;
            }
        }
        Ok(())
    }

    async fn may_see(&self, agent: &AgentId, head: &Head) -> Result<bool, Failure> {
        let seen = match Caller::known(agent, &self.desk).await {
            Ok(caller) => caller.may_see(head, &self.desk).await,
            Err(failure) => Err(failure),
        };
        match seen {
            Ok(()) => Ok(true),
            Err(Failure::Forbidden(_)) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// A visitor's sockets, also those that came before there was a conversation to watch.
    async fn visitor_connections(&self, head: &Head) -> Result<Vec<String>, StoreError> {
        let identity = self.desk.identity(&head.identity).await?;
        match identity.and_then(|identity| identity.address.parse().ok()) {
            Some(visitor) => self.desk.connections_of(&Owner::Visitor(visitor)).await,
            None => Ok(Vec::new()),
        }
    }

    /// Tells the connection that sent a turn why it was refused.
    pub(crate) async fn tell_refusal(&self, turn: &Turn, conversation: &ConversationId, refusal: &Refusal) {
        let Some(connection) = &turn.connection else { return };
        let event = view::refusal_event(turn, conversation, refusal);
        self.push_all(&BTreeSet::from([connection.clone()]), &event).await;
    }

    async fn push_all(&self, connections: &BTreeSet<String>, event: &Value) {
        join_all(connections.iter().map(|connection| async move {
            if matches!(self.sockets.push(connection, event).await, Pushed::Gone) {
                // Its `$disconnect` never came, or has not come yet.
                let _ = self.desk.found_gone(connection).await;
            }
        }))
        .await;
    }
}
