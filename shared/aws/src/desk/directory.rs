//! Keeping agents, teams, queues and inboxes: sealed with the settings key, read through a cache of five seconds.
//!
//! Unknown ids are cached too, so that nobody can make us read the table at their pace. A process sees its own writes
//! at once, other processes' within five seconds.

use std::{collections::HashMap, sync::PoisonError, time::Duration};

use colloquy_domain::{AgentId, Timestamp};
use serde_json::Value;

use super::{Desk, Entity};
use crate::{
    Place, StoreError,
    keys::{self, DESK, DIRECTORY, ItemKey},
    table::{Attributes as _, Item, Written, b, bytes, pages, parsed, s, text},
};

/// How long a cached answer is used.
const KEPT: Duration = Duration::from_secs(5);
/// How many answers are cached at most; past that all are dropped.
const MOST: usize = 10_000;

/// Answers read lately, by what was asked; [`Value::Null`] when there was nothing.
#[derive(Default)]
pub(super) struct Cache {
    answers: HashMap<String, (Value, Timestamp)>,
}

impl Cache {
    fn get(&self, asked: &str, now: Timestamp) -> Option<Value> {
        let (answer, at) = self.answers.get(asked)?;
        (now.since(*at) < KEPT).then(|| answer.clone())
    }

    fn put(&mut self, asked: &str, answer: Value, now: Timestamp) {
        if self.answers.len() >= MOST {
            self.answers.clear();
        }
        self.answers.insert(asked.to_owned(), (answer, now));
    }
}

impl Desk {
    /// The entity with this id, as of at most five seconds ago.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn get<T: Entity>(&self, id: &T::Id) -> Result<Option<T>, StoreError> {
        let id = id.to_string();
        if let Some(answer) = self.cached(&id) {
            return decode(answer);
        }
        let found = self.read_entity(&id).await?;
        self.cache(&id, found.clone());
        decode(found)
    }

    /// The entity with this id, as of now: for changing it.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn get_now<T: Entity>(&self, id: &T::Id) -> Result<Option<T>, StoreError> {
        decode(self.read_entity(&id.to_string()).await?)
    }

    /// All entities of a kind by id, as of at most five seconds ago.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn list<T: Entity>(&self) -> Result<Vec<T>, StoreError> {
        if let Some(answer) = self.cached(T::PREFIX) {
            return serde_json::from_value(answer).map_err(|_| StoreError::corrupt("the directory"));
        }
        let items = pages(self.table.query(DIRECTORY, T::PREFIX), usize::MAX).await?;
        let key = self.vault.settings().await?;
        let open = |item: &Item| {
            let at = ItemKey::new(DIRECTORY, text(item, "sk")?);
            key.open_json::<Value>(&place(&at), bytes(item, "sealed")?, "the directory")
        };
        let all = Value::Array(items.iter().map(open).collect::<Result<_, _>>()?);
        self.cache(T::PREFIX, all.clone());
        serde_json::from_value(all).map_err(|_| StoreError::corrupt("the directory"))
    }

    /// Keeps an entity under its id, whatever was there.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn put<T: Entity>(&self, entity: &T) -> Result<(), StoreError> {
        let at = keys::directory(&entity.id().to_string());
        let item = self.sealed(&at, entity).await?;
        self.table.put(&at, item).await?;
        self.forget::<T>(&at);
        Ok(())
    }

    /// Keeps an entity unless there is one with its id. False when there is.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn create<T: Entity>(&self, entity: &T) -> Result<bool, StoreError> {
        let at = keys::directory(&entity.id().to_string());
        let item = self.sealed(&at, entity).await?;
        let written = self.table.put_new(&at, item).await?;
        self.forget::<T>(&at);
        Ok(matches!(written, Written::Now))
    }

    /// Forgets an entity.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete<T: Entity>(&self, id: &T::Id) -> Result<(), StoreError> {
        let at = keys::directory(&id.to_string());
        self.table.delete(&at).await?;
        self.forget::<T>(&at);
        Ok(())
    }

    /// Which agent has this e-mail address, as of at most five seconds ago.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn agent_by_email(&self, email: &str) -> Result<Option<AgentId>, StoreError> {
        self.agent_at(&keys::email(&self.vault.index().await?.email(email))).await
    }

    /// Which agent signs in with this token subject, as of at most five seconds ago.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn agent_by_subject(&self, subject: &str) -> Result<Option<AgentId>, StoreError> {
        self.agent_at(&keys::subject(&self.vault.index().await?.subject(subject))).await
    }

    /// Gives an agent this e-mail address. False when another agent has it.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn claim_email(&self, email: &str, agent: &AgentId) -> Result<bool, StoreError> {
        self.claim_for(&keys::email(&self.vault.index().await?.email(email)), agent).await
    }

    /// Binds a token subject to an agent. False when it is bound to another.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn claim_subject(&self, subject: &str, agent: &AgentId) -> Result<bool, StoreError> {
        self.claim_for(&keys::subject(&self.vault.index().await?.subject(subject)), agent).await
    }

    /// Frees an e-mail address the agent has.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn free_email(&self, email: &str, agent: &AgentId) -> Result<(), StoreError> {
        let at = keys::email(&self.vault.index().await?.email(email));
        self.table.delete_if(&at, "agent", s(agent.as_str())).await?;
        self.uncache(&at.pk);
        Ok(())
    }

    async fn agent_at(&self, at: &ItemKey) -> Result<Option<AgentId>, StoreError> {
        if let Some(answer) = self.cached(&at.pk) {
            return serde_json::from_value(answer).map_err(|_| StoreError::corrupt("the directory"));
        }
        let found = self.table.get(at).await?;
        let found: Option<AgentId> = found.map(|item| parsed(&item, "agent")).transpose()?;
        self.cache(&at.pk, found.as_ref().map_or(Value::Null, |agent| Value::from(agent.as_str())));
        Ok(found)
    }

    async fn claim_for(&self, at: &ItemKey, agent: &AgentId) -> Result<bool, StoreError> {
        let item = Item::new().and("agent", s(agent.as_str()));
        let written = self.table.put_new(at, item).await?;
        self.uncache(&at.pk);
        match written {
            Written::Now => Ok(true),
            Written::Kept(item) => Ok(text(&item, "agent")? == agent.as_str()),
        }
    }

    async fn read_entity(&self, id: &str) -> Result<Value, StoreError> {
        let at = keys::directory(id);
        let Some(item) = self.table.get(&at).await? else { return Ok(Value::Null) };
        let key = self.vault.settings().await?;
        key.open_json(&place(&at), bytes(&item, "sealed")?, "the directory")
    }

    async fn sealed<T: Entity>(&self, at: &ItemKey, entity: &T) -> Result<Item, StoreError> {
        let key = self.vault.settings().await?;
        Ok(Item::new().and("sealed", b(key.seal_json(&place(at), entity)?)))
    }

    fn cached(&self, asked: &str) -> Option<Value> {
        self.answers().get(asked, self.table.now())
    }

    fn cache(&self, asked: &str, answer: Value) {
        self.answers().put(asked, answer, self.table.now());
    }

    fn uncache(&self, asked: &str) {
        self.answers().answers.remove(asked);
    }

    fn forget<T: Entity>(&self, at: &ItemKey) {
        self.uncache(&at.sk);
        self.uncache(T::PREFIX);
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(at: &ItemKey) -> Place {
    Place::item(DESK, at, "sealed")
}

fn decode<T: Entity>(answer: Value) -> Result<Option<T>, StoreError> {
    serde_json::from_value(answer).map_err(|_| StoreError::corrupt("the directory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_used_for_five_seconds_even_when_there_was_nothing() {
        let mut cache = Cache::default();
        cache.put("inb_1", Value::Null, Timestamp::from_ms(0));
        assert_eq!(cache.get("inb_1", Timestamp::from_ms(4_999)), Some(Value::Null));
        assert_eq!(cache.get("inb_1", Timestamp::from_ms(5_000)), None);
    }
}
