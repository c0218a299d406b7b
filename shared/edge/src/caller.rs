//! Who asks, and what they may: authorization as types. What a permission gives back is a handle that has only the
//! methods it allows, so that a forgotten check does not compile.
//!
//! A token proves who; role and teams come from our own agent item, never from the token.

use std::collections::BTreeSet;

use colloquy_aws::{
    Clients, Desk,
    desk::{Agent, Entity, Queue, Role, Team},
};
use colloquy_domain::{AgentId, Head, Holder, QueueId};

use crate::{Failure, http::Request};

/// An agent who is known, is not disabled and has signed in.
pub struct Caller {
    agent: Agent,
}

/// What supervisors and administrators may beside: act on whatever their colleagues hold.
pub struct Supervising<'a>(&'a Caller);

/// What administrators may beside: change the directory.
pub struct Administering<'a> {
    caller: &'a Caller,
    desk: &'a Desk,
}

impl Caller {
    /// The agent whom the request's token names: by its subject, or by its verified e-mail address the first time.
    ///
    /// `first` is the address of the first administrator, who becomes an agent by signing in.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] when nobody here is meant, or they are disabled.
    pub async fn of(request: &Request, desk: &Desk, clients: &Clients, first: Option<&str>) -> Result<Self, Failure> {
        let claim = |name: &str| request.claims.get(name).map(String::as_str).unwrap_or_default();
        let subject = claim("sub");
        if subject.is_empty() {
            return Err(Failure::Unauthenticated("sign in first".to_owned()));
        }
        let id = match desk.agent_by_subject(subject).await? {
            Some(id) if desk.get::<Agent>(&id).await?.is_some() => id,
            // New here, or removed and perhaps invited again since.
            _ => meet(subject, claim("email"), claim("email_verified") == "true", desk, clients, first).await?,
        };
        Self::known(&id, desk).await
    }

    /// The agent with this id, as the directory has them now.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] when there is none, or they are disabled.
    pub async fn known(id: &AgentId, desk: &Desk) -> Result<Self, Failure> {
        match desk.get::<Agent>(id).await? {
            Some(agent) if !agent.disabled => Ok(Self { agent }),
            _ => Err(nobody()),
        }
    }

    /// The agent.
    #[must_use]
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// Their id.
    #[must_use]
    pub const fn id(&self) -> &AgentId {
        &self.agent.id
    }

    /// The handle of a supervisor or administrator.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for agents.
    pub fn supervise(&self) -> Result<Supervising<'_>, Failure> {
        match self.agent.role {
            Role::Supervisor | Role::Administrator => Ok(Supervising(self)),
            Role::Agent => Err(Failure::Forbidden("this is for supervisors".to_owned())),
        }
    }

    /// The handle of an administrator.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for everyone else.
    pub fn administer<'a>(&'a self, desk: &'a Desk) -> Result<Administering<'a>, Failure> {
        match self.agent.role {
            Role::Administrator => Ok(Administering { caller: self, desk }),
            Role::Supervisor | Role::Agent => Err(Failure::Forbidden("this is for administrators".to_owned())),
        }
    }

    /// The queues their teams serve; every queue for supervisors.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub async fn queues(&self, desk: &Desk) -> Result<Vec<Queue>, Failure> {
        let all = desk.list::<Queue>().await?;
        if self.supervise().is_ok() {
            return Ok(all);
        }
        Ok(all.into_iter().filter(|queue| queue.teams.iter().any(|team| self.agent.teams.contains(team))).collect())
    }

    /// Whether they may see and act on this conversation: their own, one offered to them, the bot's, one of a queue
    /// of theirs, one that has ended; supervisors all.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] when they may not.
    pub async fn may_see(&self, head: &Head, desk: &Desk) -> Result<(), Failure> {
        let seen = self.supervise().is_ok()
            || match &head.holder {
                Holder::Bot | Holder::Nobody => true,
                Holder::Agent { agent } => agent == self.id(),
                Holder::Queue { queue } => self.queue_ids(desk).await?.contains(queue),
            }
            || head.offer.as_ref().is_some_and(|offer| offer.agent == *self.id());
        if seen { Ok(()) } else { Err(Failure::Forbidden("this conversation is with others".to_owned())) }
    }

    /// The ids of their queues.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub async fn queue_ids(&self, desk: &Desk) -> Result<BTreeSet<QueueId>, Failure> {
        Ok(self.queues(desk).await?.into_iter().map(|queue| queue.id).collect())
    }
}

impl Supervising<'_> {
    /// Who supervises.
    #[must_use]
    pub const fn id(&self) -> &AgentId {
        self.0.id()
    }
}

impl Administering<'_> {
    /// Who administers.
    #[must_use]
    pub const fn id(&self) -> &AgentId {
        self.caller.id()
    }

    /// Writes an entity.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub async fn put<T: Entity>(&self, entity: &T) -> Result<(), Failure> {
        Ok(self.desk.put(entity).await?)
    }

    /// Writes a new entity; false when its id is taken.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub async fn create<T: Entity>(&self, entity: &T) -> Result<bool, Failure> {
        Ok(self.desk.create(entity).await?)
    }

    /// Removes an entity.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub async fn delete<T: Entity>(&self, id: &T::Id) -> Result<(), Failure> {
        Ok(self.desk.delete::<T>(id).await?)
    }

    /// Reserves an e-mail address for an agent; false when another agent has it.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub async fn claim_email(&self, email: &str, agent: &AgentId) -> Result<bool, Failure> {
        Ok(self.desk.claim_email(email, agent).await?)
    }

    /// Gives an agent's e-mail address free.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub async fn free_email(&self, email: &str, agent: &AgentId) -> Result<(), Failure> {
        Ok(self.desk.free_email(email, agent).await?)
    }
}

/// A subject seen for the first time: the agent invited under its address, or the first administrator.
async fn meet(
    subject: &str,
    email: &str,
    is_verified: bool,
    desk: &Desk,
    clients: &Clients,
    first: Option<&str>,
) -> Result<AgentId, Failure> {
    if email.is_empty() || !is_verified {
        return Err(nobody());
    }
    let id = match desk.agent_by_email(email).await? {
        Some(id) => id,
        None if first.is_some_and(|first| first.eq_ignore_ascii_case(email)) => {
            let id = AgentId::derive(clients.now(), email.as_bytes());
            let teams = desk.list::<Team>().await?.into_iter().map(|team| team.id).collect();
            let agent = Agent {
                id: id.clone(),
                name: email.split('@').next().unwrap_or(email).to_owned(),
                email: email.to_owned(),
                role: Role::Administrator,
                teams,
                capacity: 4,
                auto_accept: false,
                skills: std::collections::BTreeMap::new(),
                disabled: false,
            };
            desk.claim_email(email, &id).await?;
            desk.create(&agent).await?;
            id
        }
        None => return Err(nobody()),
    };
    desk.claim_subject(subject, &id).await?;
    Ok(id)
}

fn nobody() -> Failure {
    Failure::Forbidden("nobody here is known by this sign-in; ask an administrator to invite you".to_owned())
}
