//! Agents, teams and queues: listed by whoever is signed in, changed by administrators.
//!
//! What an entity must be before it is kept, and what hangs on it when it goes, is its [`Resource`].

use colloquy_aws::desk::{Agent, Entity, Inbox, Queue, Team};
use colloquy_domain::{QueueId, TeamId, Timestamp};
use colloquy_edge::{
    Administering, Caller, Failure,
    http::{Answer, Request},
};
use serde_json::{Map, Value, json};

use crate::App;

/// The longest name, in characters.
const NAME: usize = 100;

/// An entity with a resource of its own.
pub(crate) trait Resource: Entity {
    /// What it is called in errors.
    const NOUN: &'static str;

    /// Fields that are shown with it but are not its own: what a body says of them is passed over.
    const SHOWN: &'static [&'static str] = &[];

    /// A new id.
    fn new_id(at: Timestamp, seed: &[u8]) -> String;

    /// What fields a body may leave out, and what they are then.
    fn defaults() -> Value;

    /// What is wrong with it, naming the field.
    async fn check(&self, app: &App) -> Result<(), Failure>;

    /// Before it is written in place of `before`.
    async fn before_put(&self, _before: Option<&Self>, _admin: &Administering<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// Before it is removed.
    async fn before_delete(&self, _admin: &Administering<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// After it was written or removed.
    async fn after_change(before: Option<&Self>, app: &App) -> Result<(), Failure>;

    /// By what it is in use, when it is.
    async fn used_by(&self, app: &App) -> Result<Option<String>, Failure>;
}

impl App {
    pub(crate) async fn resource<T: Resource>(
        &self,
        caller: &Caller,
        request: &Request,
        rest: &[&str],
    ) -> Result<Answer, Failure> {
        match (request.method.as_str(), rest) {
            ("GET", []) => Ok(Answer::json(200, &json!({"items": self.desk.list::<T>().await?}))),
            ("GET", [id]) => Ok(Answer::json(200, &self.entity::<T>(id).await?)),
            ("POST", []) => {
                let admin = caller.administer(&self.desk)?;
                let id = T::new_id(self.clients.now(), &self.clients.random::<16>());
                let entity: T = read(T::defaults(), request, &id)?;
                entity.check(self).await?;
                entity.before_put(None, &admin).await?;
                admin.create(&entity).await?;
                Ok(Answer::json(201, &entity))
            }
            ("PUT", [id]) => {
                let admin = caller.administer(&self.desk)?;
                let before = self.entity::<T>(id).await?;
                let entity: T = read(json!(before), request, id)?;
                entity.check(self).await?;
                entity.before_put(Some(&before), &admin).await?;
                admin.put(&entity).await?;
                T::after_change(Some(&before), self).await?;
                Ok(Answer::json(200, &entity))
            }
            ("DELETE", [id]) => {
                let admin = caller.administer(&self.desk)?;
                let entity = self.entity::<T>(id).await?;
                if let Some(user) = entity.used_by(self).await? {
                    return Err(Failure::Conflict(format!("this {} is in use by {user}", T::NOUN)));
                }
                entity.before_delete(&admin).await?;
                admin.delete::<T>(entity.id()).await?;
                T::after_change(Some(&entity), self).await?;
                Ok(Answer::new(204))
            }
            _ => Err(Failure::unhandled(methods(rest))),
        }
    }

    async fn entity<T: Resource>(&self, id: &str) -> Result<T, Failure> {
        let unknown = || Failure::NotFound(format!("there is no such {}", T::NOUN));
        let id: T::Id = id.parse().map_err(|_| unknown())?;
        self.desk.get_now::<T>(&id).await?.ok_or_else(unknown)
    }
}

/// What may be done with a list of entities, and with one.
pub(crate) const fn methods(rest: &[&str]) -> Option<&'static str> {
    match rest {
        [] => Some("GET, POST"),
        [_] => Some("DELETE, GET, PUT"),
        _ => None,
    }
}

/// The body over what was there before; the id is the path's.
fn read<T: Resource>(mut before: Value, request: &Request, id: &str) -> Result<T, Failure> {
    let body: Map<String, Value> = request.json()?;
    before["id"] = json!(id);
    let mut entity = before.clone();
    for (name, value) in body.into_iter().filter(|(name, _)| name != "id" && !T::SHOWN.contains(&name.as_str())) {
        if before.get(&name).is_none() {
            return Err(Failure::Invalid(format!("`{name}` is no field of {}", T::NOUN)));
        }
        // By itself first: serde's errors name values, not fields.
        let mut one = before.clone();
        one[name.as_str()] = value.clone();
        serde_json::from_value::<T>(one).map_err(|error| Failure::Invalid(format!("{name}: {error}")))?;
        entity[name.as_str()] = value;
    }
    serde_json::from_value(entity).map_err(|error| Failure::Invalid(format!("{}: {error}", T::NOUN)))
}

/// That a name says something and is not a novel.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    match name.trim().chars().count() {
        _ if name.contains(char::is_control) => Err(Failure::Invalid("name has control characters".to_owned())),
        0 => Err(Failure::Invalid("name is empty".to_owned())),
        length if length > NAME => Err(Failure::Invalid(format!("name has {length} characters; at most {NAME} fit"))),
        _ => Ok(()),
    }
}

/// That these teams exist.
pub(crate) async fn check_teams(teams: &[TeamId], app: &App) -> Result<(), Failure> {
    for team in teams {
        if app.desk.get_now::<Team>(team).await?.is_none() {
            return Err(Failure::Invalid(format!("teams names {team}, which does not exist")));
        }
    }
    Ok(())
}

impl Resource for Team {
    const NOUN: &'static str = "team";

    fn new_id(at: Timestamp, seed: &[u8]) -> String {
        TeamId::derive(at, seed).to_string()
    }

    fn defaults() -> Value {
        json!({"id": "", "name": ""})
    }

    async fn check(&self, _app: &App) -> Result<(), Failure> {
        check_name(&self.name)
    }

    async fn after_change(_before: Option<&Self>, _app: &App) -> Result<(), Failure> {
        Ok(())
    }

    async fn used_by(&self, app: &App) -> Result<Option<String>, Failure> {
        let queue = app.desk.list::<Queue>().await?.into_iter().find(|queue| queue.teams.contains(&self.id));
        if let Some(queue) = queue {
            return Ok(Some(format!("the queue {}", queue.name)));
        }
        let agent = app.desk.list::<Agent>().await?.into_iter().find(|agent| agent.teams.contains(&self.id));
        Ok(agent.map(|agent| format!("the agent {}", agent.name)))
    }
}

impl Resource for Queue {
    const NOUN: &'static str = "queue";

    fn new_id(at: Timestamp, seed: &[u8]) -> String {
        QueueId::derive(at, seed).to_string()
    }

    fn defaults() -> Value {
        json!({"id": "", "name": "", "teams": [], "offer_seconds": 45})
    }

    async fn check(&self, app: &App) -> Result<(), Failure> {
        check_name(&self.name)?;
        if !(5..=3600).contains(&self.offer_seconds) {
            return Err(Failure::Invalid("offer_seconds is not between 5 and 3600".to_owned()));
        }
        check_teams(&self.teams, app).await
    }

    async fn after_change(_before: Option<&Self>, _app: &App) -> Result<(), Failure> {
        Ok(())
    }

    async fn used_by(&self, app: &App) -> Result<Option<String>, Failure> {
        let inboxes = app.desk.list::<Inbox>().await?;
        let inbox = inboxes.into_iter().find(|inbox| inbox.queue.as_ref() == Some(&self.id));
        if let Some(inbox) = inbox {
            return Ok(Some(format!("the inbox {}", inbox.name)));
        }
        let waiting = app.desk.first_waiting(&self.id, 1).await?;
        Ok((!waiting.is_empty()).then(|| "conversations that wait in it".to_owned()))
    }
}
