//! Whether each agent is there, and the slots their conversations take.
//!
//! Only `route` takes and frees slots. A slot is a member of a set, so that taking or freeing it twice counts once.

use std::collections::{BTreeSet, HashMap};

use colloquy_domain::{AgentId, ConversationId, Timestamp, routing::Presence};

use super::Desk;
use crate::{
    StoreError, keys,
    table::{Item, Written, n, optional, parsed, s, set, text},
};

/// An agent's presence and slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentState {
    /// Who.
    pub agent: AgentId,
    /// Whether they are there.
    pub presence: Presence,
    /// Their conversations.
    pub held: BTreeSet<ConversationId>,
    /// When they last got a conversation, or became available.
    pub idle_since: Timestamp,
}

impl Desk {
    /// An agent's presence and slots; offline without any when nothing is known.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn state(&self, agent: &AgentId) -> Result<AgentState, StoreError> {
        match self.table.get(&keys::agent_state(agent)).await? {
            Some(item) => read(agent, &item),
            None => Ok(unknown(agent)),
        }
    }

    /// The presence and slots of many agents, in the order asked for.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn states(&self, agents: &[AgentId]) -> Result<Vec<AgentState>, StoreError> {
        let wanted: BTreeSet<&AgentId> = agents.iter().collect();
        let wanted: Vec<_> = wanted.into_iter().map(keys::agent_state).collect();
        let mut items = HashMap::with_capacity(wanted.len());
        for item in self.table.get_all(&wanted).await? {
            items.insert(text(&item, "pk")?.to_owned(), item);
        }
        let state = |agent: &AgentId| match items.get(&keys::agent_state(agent).pk) {
            Some(item) => read(agent, item),
            None => Ok(unknown(agent)),
        };
        agents.iter().map(state).collect()
    }

    /// Sets an agent's presence. False when it was so already; their idle time begins anew only when it was not.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn set_presence(&self, agent: &AgentId, presence: Presence) -> Result<bool, StoreError> {
        let update = self
            .table
            .update(&keys::agent_state(agent), "SET presence = :presence, idle_since = :now")
            .condition_expression("attribute_not_exists(presence) OR presence <> :presence")
            .expression_attribute_values(":presence", s(name(presence)))
            .expression_attribute_values(":now", s(self.table.now().to_string()));
        Ok(matches!(self.table.run(update).await?, Written::Now))
    }

    /// Takes a slot for a conversation if the agent has fewer than `capacity`, or has this one already. Whether they
    /// have it now.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn take(
        &self,
        agent: &AgentId,
        conversation: &ConversationId,
        capacity: u32,
    ) -> Result<bool, StoreError> {
        let room = if capacity == 0 {
            "contains(held, :one)"
        } else {
            "NOT contains(held, :one) AND (attribute_not_exists(held) OR size(held) < :capacity)"
        };
        let mut update = self
            .table
            .update(&keys::agent_state(agent), "SET idle_since = :now ADD held :set")
            .condition_expression(room)
            .expression_attribute_values(":one", s(conversation.as_str()))
            .expression_attribute_values(":set", one(conversation))
            .expression_attribute_values(":now", s(self.table.now().to_string()));
        if capacity > 0 {
            update = update.expression_attribute_values(":capacity", n(capacity));
        }
        match self.table.run(update).await? {
            Written::Now => Ok(true),
            Written::Kept(item) => Ok(set(&item, "held").iter().any(|held| held == conversation.as_str())),
        }
    }

    /// Takes a slot for a conversation whatever the agent's capacity: they or a supervisor said so.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn hold(&self, agent: &AgentId, conversation: &ConversationId) -> Result<(), StoreError> {
        let update = self
            .table
            .update(&keys::agent_state(agent), "SET idle_since = :now ADD held :set")
            .condition_expression("attribute_not_exists(held) OR NOT contains(held, :one)")
            .expression_attribute_values(":one", s(conversation.as_str()))
            .expression_attribute_values(":set", one(conversation))
            .expression_attribute_values(":now", s(self.table.now().to_string()));
        self.table.run(update).await.map(drop)
    }

    /// Frees a conversation's slot, if it has one.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn free(&self, agent: &AgentId, conversation: &ConversationId) -> Result<(), StoreError> {
        let update = self
            .table
            .update(&keys::agent_state(agent), "DELETE held :set")
            .condition_expression("contains(held, :one)")
            .expression_attribute_values(":one", s(conversation.as_str()))
            .expression_attribute_values(":set", one(conversation));
        self.table.run(update).await.map(drop)
    }
}

fn one(conversation: &ConversationId) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::Ss(vec![conversation.to_string()])
}

fn unknown(agent: &AgentId) -> AgentState {
    AgentState {
        agent: agent.clone(),
        presence: Presence::Offline,
        held: BTreeSet::new(),
        idle_since: Timestamp::default(),
    }
}

fn read(agent: &AgentId, item: &Item) -> Result<AgentState, StoreError> {
    let presence = match optional::<String>(item, "presence")? {
        Some(text) => STATES.into_iter().find(|state| name(*state) == text),
        None => Some(Presence::Offline),
    };
    let held = set(item, "held").iter().map(|id| id.parse()).collect::<Result<_, _>>();
    Ok(AgentState {
        agent: agent.clone(),
        presence: presence.ok_or_else(|| StoreError::corrupt("a presence"))?,
        held: held.map_err(|_| StoreError::corrupt("an agent's slots"))?,
        idle_since: parsed(item, "idle_since")?,
    })
}

const STATES: [Presence; 4] = [Presence::Available, Presence::Busy, Presence::Away, Presence::Offline];

const fn name(presence: Presence) -> &'static str {
    match presence {
        Presence::Available => "available",
        Presence::Busy => "busy",
        Presence::Away => "away",
        Presence::Offline => "offline",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_presence_is_stored_by_its_name_in_the_api() {
        for state in STATES {
            assert_eq!(serde_json::to_value(state).unwrap(), name(state));
        }
    }
}
