//! Taking a slot and offering: first the slot, then the offer, then off the waiting list, so that a crash in between
//! costs at most a slot that the refused offer gives back.

use std::time::Duration;

use colloquy_aws::{
    StoreError,
    desk::{Agent, AgentState, Queue, Waiting},
};
use colloquy_domain::{
    AgentId, Command, ConversationId, Head, Holder, QueueId, Turn, TurnId,
    queue::Routing,
    routing::{Candidate, Presence, rank},
};
use colloquy_edge::{Failure, batch::Record};
use tracing::info;

use crate::App;

/// How many waiting conversations one look at a queue considers.
const AT_ONCE: usize = 25;

impl App {
    /// Finds an agent for a conversation, or puts it on the waiting list.
    pub(crate) async fn seek(&self, record: &Record, queue: &QueueId, waiting: Waiting) -> Result<(), Failure> {
        let Some(queue) = self.desk.get::<Queue>(queue).await? else {
            return Err(Failure::NotFound(format!("there is no queue {queue}")));
        };
        if self.waits(&queue.id, &waiting).await? {
            let agents = self.team(&queue).await?;
            if !self.offer_to_best(record, &queue, &agents, &waiting).await? {
                self.desk.put_waiting(&queue.id, &waiting).await?;
            }
        }
        self.show_change(&queue.id, &waiting.conversation).await
    }

    /// Offers who waits longest to whoever is free, until nobody is. Who let a conversation pass is offered it again
    /// only on coming back.
    pub(crate) async fn drain(
        &self,
        record: &Record,
        queue: &QueueId,
        returning: Option<&AgentId>,
    ) -> Result<(), Failure> {
        let Some(queue) = self.desk.get::<Queue>(queue).await? else { return Ok(()) };
        for mut waiting in self.desk.first_waiting(&queue.id, AT_ONCE).await? {
            waiting.not.retain(|agent| Some(agent) != returning);
            if self.waits(&queue.id, &waiting).await? {
                let agents = self.team(&queue).await?;
                if !agents.iter().any(|(agent, state)| candidate(agent, state, &waiting.conversation).is_free()) {
                    return Ok(());
                }
                if !self.offer_to_best(record, &queue, &agents, &waiting).await? {
                    continue;
                }
            }
            self.desk.remove_waiting(&queue.id, &waiting.conversation, waiting.since).await?;
        }
        Ok(())
    }

    /// Makes an agent's slots say what the conversation's head says; whoever has room again is offered more.
    pub(crate) async fn settle(
        &self,
        record: &Record,
        agent: &AgentId,
        conversation: &ConversationId,
        lapsed: bool,
    ) -> Result<(), Failure> {
        let head = self.head(conversation).await?;
        let theirs = head
            .is_some_and(|head| head.agent() == Some(agent) || head.offer.is_some_and(|offer| offer.agent == *agent));
        if theirs {
            return Ok(self.desk.hold(agent, conversation).await?);
        }
        // Told again when the slot is long free, it says nothing of where the agent is now.
        if lapsed
            && self.desk.state(agent).await?.held.contains(conversation)
            && self.desk.set_presence(agent, Presence::Away).await?
        {
            self.show_presence(agent, Presence::Away).await?;
        }
        self.desk.free(agent, conversation).await?;
        for queue in self.queues_of(agent).await? {
            let drain = Routing::Drain { queue: queue.clone(), returning: None };
            self.routing.send(drain.group(), &format!("{}-{queue}", record.id), &drain).await?;
        }
        Ok(())
    }

    /// Whether the conversation still waits in this queue, as it did when it was sent here.
    async fn waits(&self, queue: &QueueId, waiting: &Waiting) -> Result<bool, Failure> {
        let head = self.head(&waiting.conversation).await?;
        Ok(head.is_some_and(|head| {
            head.lease == waiting.lease && head.offer.is_none() && head.holder == Holder::Queue { queue: queue.clone() }
        }))
    }

    /// A conversation's head; nothing for one that was erased.
    async fn head(&self, conversation: &ConversationId) -> Result<Option<Head>, Failure> {
        match self.timeline.head(conversation).await {
            Err(StoreError::Erased) => Ok(None),
            read => Ok(read?),
        }
    }

    async fn team(&self, queue: &Queue) -> Result<Vec<(Agent, AgentState)>, Failure> {
        let mut agents = self.desk.list::<Agent>().await?;
        agents.retain(|agent| !agent.disabled && agent.teams.iter().any(|team| queue.teams.contains(team)));
        agents.sort_by(|a, b| a.id.cmp(&b.id));
        let ids: Vec<AgentId> = agents.iter().map(|agent| agent.id.clone()).collect();
        let states = self.desk.states(&ids).await?;
        Ok(agents
            .into_iter()
            .filter_map(|agent| {
                let state = states.iter().find(|state| state.agent == agent.id)?.clone();
                Some((agent, state))
            })
            .collect())
    }

    async fn offer_to_best(
        &self,
        record: &Record,
        queue: &Queue,
        agents: &[(Agent, AgentState)],
        waiting: &Waiting,
    ) -> Result<bool, Failure> {
        let has = |state: &AgentState| state.held.contains(&waiting.conversation);
        // A slot that an attempt cut short took already is the one to offer. Otherwise a slot found taken is that of
        // whoever just let the conversation go.
        let taken = agents.iter().find(|(agent, state)| {
            record.receives > 1
                && has(state)
                && state.presence == Presence::Available
                && !waiting.not.contains(&agent.id)
        });
        let chosen = match taken {
            Some((agent, _)) => Some(agent),
            None => self.take_best(agents, waiting).await?,
        };
        // Nobody has what waits and is not offered.
        for (agent, _) in agents.iter().filter(|(agent, state)| has(state) && Some(&agent.id) != chosen.map(|a| &a.id))
        {
            self.desk.free(&agent.id, &waiting.conversation).await?;
        }
        let Some(agent) = chosen else { return Ok(false) };
        self.offer(record, queue, agent, waiting).await.map(|()| true)
    }

    /// Takes a slot of the agent who is to have it, if one is free.
    async fn take_best<'a>(
        &self,
        agents: &'a [(Agent, AgentState)],
        waiting: &Waiting,
    ) -> Result<Option<&'a Agent>, Failure> {
        let candidates = agents.iter().map(|(agent, state)| candidate(agent, state, &waiting.conversation));
        for best in rank(candidates.collect(), &waiting.not) {
            let Some((agent, _)) = agents.iter().find(|(agent, _)| agent.id == best.agent) else { continue };
            if self.desk.take(&agent.id, &waiting.conversation, agent.capacity).await? {
                return Ok(Some(agent));
            }
        }
        Ok(None)
    }

    async fn offer(&self, record: &Record, queue: &Queue, agent: &Agent, waiting: &Waiting) -> Result<(), Failure> {
        let now = self.clients.now();
        let seed = format!("offer|{}|{}|{}", record.id, waiting.conversation, agent.id);
        let turn = Turn {
            key: TurnId::derive(record.sent_at, seed.as_bytes()),
            at: now,
            thread: waiting.thread.clone(),
            conversation: Some(waiting.conversation.clone()),
            connection: None,
            command: Command::Offer {
                agent: agent.id.clone(),
                queue: queue.id.clone(),
                lease: waiting.lease,
                until: now.plus(Duration::from_secs(u64::from(queue.offer_seconds))),
                accepted: agent.auto_accept,
            },
        };
        info!(conversation.id = %waiting.conversation, agent.id = %agent.id, queue.id = %queue.id, "offered");
        Ok(self.turns.send(turn.thread.as_str(), turn.key.as_str(), &turn).await?)
    }

    async fn queues_of(&self, agent: &AgentId) -> Result<Vec<QueueId>, Failure> {
        let Some(agent) = self.desk.get::<Agent>(agent).await? else { return Ok(Vec::new()) };
        let queues = self.desk.list::<Queue>().await?.into_iter();
        Ok(queues
            .filter(|queue| queue.teams.iter().any(|team| agent.teams.contains(team)))
            .map(|queue| queue.id)
            .collect())
    }
}

/// An agent as routing sees them for this conversation, which does not count against them.
fn candidate(agent: &Agent, state: &AgentState, conversation: &ConversationId) -> Candidate {
    Candidate {
        agent: agent.id.clone(),
        presence: state.presence,
        held: state.held.iter().filter(|held| *held != conversation).count(),
        capacity: usize::try_from(agent.capacity).unwrap_or(0),
        idle_since: state.idle_since,
    }
}
