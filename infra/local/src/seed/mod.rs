//! What a new data folder begins with: the demo shop's people, queues and inboxes, and two months of conversations;
//! or, with `--empty`, one queue for the first administrator.
//!
//! History is made by the very rules conversations go by and written through the same stores, so that reports count
//! it as they count everything. Nothing here is part of a deployment.

mod history;
mod shop;
mod words;

use std::sync::Arc;

use colloquy_aws::{
    Clients, Desk, StoreError, Timeline, Vault,
    desk::{Agent, Inbox, Role},
};
use colloquy_domain::Timestamp;
use colloquy_edge::{Configuration, ConfigurationError};
use futures_util::future::BoxFuture;

use crate::{
    host::{Context, FIRST_ADMINISTRATOR, HostError, Person, Prepared, issuer::LocalAgent},
    sandbox::SimulatedInbox,
};

/// How far a seeding got, so that one that was cut short goes on as it began.
const PROGRESS: &str = "seed";

/// The stores the seed writes to.
pub(crate) struct Stores {
    pub(crate) desk: Desk,
    pub(crate) timeline: Timeline,
    pub(crate) vault: Vault,
    pub(crate) clients: Clients,
}

impl Stores {
    fn open(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let vault = Vault::new(clients, configuration.required("KEYS_TABLE")?, configuration.required("KMS_KEY_ID")?);
        Ok(Self {
            desk: Desk::new(clients, configuration.required("DESK_TABLE")?, &vault),
            timeline: Timeline::new(clients, configuration.required("CONVERSATIONS_TABLE")?, &vault),
            vault,
            clients: clients.clone(),
        })
    }
}

/// Fills a new data folder, once, and says who may sign in and which inboxes there are.
pub fn prepare(context: Context) -> BoxFuture<'static, Result<Prepared, HostError>> {
    Box::pin(async move {
        let failed = |error: &dyn std::fmt::Display| HostError::Prepare(error.to_string());
        let stores = Stores::open(&context.configuration, &context.clients).map_err(|error| failed(&error))?;
        Box::pin(fill(&context, &stores)).await?;
        let mut people: Vec<Person> =
            stores.desk.list::<Agent>().await.map_err(|error| failed(&error))?.iter().map(person).collect();
        if people.is_empty() {
            people.push(first_administrator());
        }
        let desk = stores.desk.clone();
        let inboxes = stores.desk.clone();
        Ok(Prepared {
            agents: Arc::new(move |who| {
                let (desk, who) = (desk.clone(), who.to_owned());
                Box::pin(async move { find(&desk, &who).await.ok().flatten() })
            }),
            people,
            inboxes: Arc::new(move || {
                let desk = inboxes.clone();
                Box::pin(async move { simulated(&desk).await.unwrap_or_default() })
            }),
        })
    })
}

async fn fill(context: &Context, stores: &Stores) -> Result<(), HostError> {
    let failed = |error: &dyn std::fmt::Display| HostError::Prepare(error.to_string());
    let tables = context.engine.tables();
    let progress = tables.checkpoint(PROGRESS).map_err(|error| failed(&error))?;
    let begun = match progress.as_deref() {
        Some("done") => return Ok(()),
        Some(begun) => Timestamp::from_ms(begun.parse().map_err(|error| failed(&error))?),
        None => stores.clients.now(),
    };
    tables.set_checkpoint(PROGRESS, &begun.ms().to_string()).map_err(|error| failed(&error))?;
    shop::write(stores, context.empty).await.map_err(|error| failed(&error))?;
    if !context.empty {
        history::write(stores, begun).await.map_err(|error| failed(&error))?;
    }
    tables.set_checkpoint(PROGRESS, "done").map_err(|error| failed(&error))
}

fn person(agent: &Agent) -> Person {
    let role = match agent.role {
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
        Role::Administrator => "administrator",
    };
    Person { id: agent.id.to_string(), name: agent.name.clone(), email: agent.email.clone(), role: role.to_owned() }
}

fn first_administrator() -> Person {
    Person {
        id: FIRST_ADMINISTRATOR.to_owned(),
        name: "Administrator".to_owned(),
        email: FIRST_ADMINISTRATOR.to_owned(),
        role: "administrator".to_owned(),
    }
}

/// Whoever may sign in here: any agent, by id or e-mail address; on an empty host its first administrator.
async fn find(desk: &Desk, who: &str) -> Result<Option<LocalAgent>, StoreError> {
    let id = match who.parse() {
        Ok(id) => Some(id),
        Err(_) => desk.agent_by_email(who).await?,
    };
    let agent = match id {
        Some(id) => desk.get_now::<Agent>(&id).await?,
        None => None,
    };
    Ok(match agent {
        Some(agent) => {
            Some(LocalAgent { id: agent.id.to_string(), email: agent.email.clone(), name: agent.name.clone() })
        }
        None if who.eq_ignore_ascii_case(FIRST_ADMINISTRATOR) => Some(LocalAgent {
            id: FIRST_ADMINISTRATOR.to_owned(),
            email: FIRST_ADMINISTRATOR.to_owned(),
            name: "Administrator".to_owned(),
        }),
        None => None,
    })
}

async fn simulated(desk: &Desk) -> Result<Vec<SimulatedInbox>, StoreError> {
    let inboxes = desk.list::<Inbox>().await?.into_iter();
    Ok(inboxes
        .map(|inbox| SimulatedInbox {
            id: inbox.id.to_string(),
            channel: inbox.channel,
            name: inbox.name,
            settings: inbox.settings,
        })
        .collect())
}
