//! What the directory knows: agents, teams, queues and inboxes.
//!
//! Plain data; how it is kept is `directory`'s business, what an inbox's settings mean is the channel's.

use std::{collections::BTreeMap, fmt, str::FromStr};

use colloquy_domain::{AgentId, Channel, InboxId, QueueId, TeamId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Something the directory keeps under an id of its own kind.
pub trait Entity: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// Its kind of id.
    type Id: fmt::Display + FromStr + Send + Sync;
    /// What every such id begins with.
    const PREFIX: &'static str;
    /// Its id.
    fn id(&self) -> &Self::Id;
}

macro_rules! entities {
    ($($name:ident $id:ident,)*) => {$(
        impl Entity for $name {
            type Id = $id;
            const PREFIX: &'static str = $id::PREFIX;

            fn id(&self) -> &$id {
                &self.id
            }
        }
    )*};
}

entities! {
    Agent AgentId,
    Team TeamId,
    Queue QueueId,
    Inbox InboxId,
}

/// What a person may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Answers customers.
    #[default]
    Agent,
    /// Also acts on colleagues' conversations and reads reports.
    Supervisor,
    /// Also changes settings and people.
    Administrator,
}

/// A person who answers.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Their id.
    pub id: AgentId,
    /// Their name, as colleagues and customers see it.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// What they may do.
    #[serde(default)]
    pub role: Role,
    /// Their teams.
    #[serde(default)]
    pub teams: Vec<TeamId>,
    /// How many conversations they can have at once.
    #[serde(default)]
    pub capacity: u32,
    /// Whether an offer counts as accepted at once.
    #[serde(default)]
    pub auto_accept: bool,
    /// What they can do, 1 to 5 how well.
    #[serde(default)]
    pub skills: BTreeMap<String, u8>,
    /// Whether they may not sign in any more.
    #[serde(default)]
    pub disabled: bool,
}

/// People who work together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
}

/// Waiting work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Its id.
    pub id: QueueId,
    /// Its name.
    pub name: String,
    /// The teams that serve it.
    #[serde(default)]
    pub teams: Vec<TeamId>,
    /// How long an agent has to accept an offer, in seconds.
    pub offer_seconds: u32,
}

/// One configured address on a channel. Its settings hold secrets, so it has no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Inbox {
    /// Its id.
    pub id: InboxId,
    /// Its channel.
    pub channel: Channel,
    /// Its name.
    pub name: String,
    /// The channel's settings, secrets included.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The queue its conversations are handed to, when one is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
}
