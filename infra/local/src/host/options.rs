//! How a host is started: its options, what its hook works with, and what the hook gives.
//!
//! It deliberately starts nothing.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use colloquy_aws::Clients;
use colloquy_edge::Configuration;
use serde_json::{Value, json};

use super::issuer::Agents;
use crate::{
    engine::{Clock, Engine},
    functions::{self, Starter},
    sandbox::Inboxes,
    template::plan::Plan,
};

/// Whom tokens of the local issuer are for.
pub const AUDIENCE: &str = "colloquy";

/// The one administrator of an empty host.
pub const FIRST_ADMINISTRATOR: &str = "admin@colloquy.test";

/// How the host is started.
#[derive(Clone)]
pub struct Options {
    /// The port on loopback; 0: any.
    pub port: u16,
    /// The data folder, which is made if it is not there.
    pub data: PathBuf,
    /// Whether there is to be no demo data.
    pub empty: bool,
    /// The template.
    pub template: PathBuf,
    /// Where `infra/console` and `infra/widget` are.
    pub root: PathBuf,
    /// Whether to build the console and the widget when that is due.
    pub build_pages: bool,
    /// Template parameters beyond those that the host gives itself.
    pub parameters: BTreeMap<String, String>,
    /// The engine's and the functions' clock. Waiting is always real.
    pub clock: Clock,
    /// Starts a function by the name of its binary.
    pub functions: Starter,
}

impl Options {
    /// Any port, this repository's template and functions, the machine's clock, the demo data, and no npm.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        let root = root();
        Self {
            port: 0,
            data: data.to_owned(),
            empty: false,
            template: root.join("template.yaml"),
            root,
            build_pages: false,
            parameters: BTreeMap::new(),
            clock: Arc::new(machine_ms),
            functions: Arc::new(functions::start),
        }
    }
}

/// What the hook of [`Host::start`](super::Host::start) works with: everything is made, nothing is started.
#[derive(Clone)]
pub struct Context {
    /// The engine, with every table, queue and key.
    pub engine: Engine,
    /// The plan.
    pub plan: Arc<Plan>,
    /// SDK clients that reach the engine.
    pub clients: Clients,
    /// Every function's environment in one, for code that reads and writes as they do.
    pub configuration: Configuration,
    /// Where the host will answer, such as `http://127.0.0.1:8787`.
    pub address: String,
    /// Whether there is to be no demo data.
    pub empty: bool,
}

/// What the hook of [`Host::start`](super::Host::start) gives: who there is and what they write on.
pub struct Prepared {
    /// Finds who may sign in.
    pub agents: Agents,
    /// Who is offered for signing in.
    pub people: Vec<Person>,
    /// Which inboxes the simulator may write to.
    pub inboxes: Inboxes,
}

impl Prepared {
    /// Nobody and nothing, for hosts of toy functions.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            agents: Arc::new(|_| Box::pin(async { None })),
            people: Vec::new(),
            inboxes: Arc::new(|| Box::pin(async { Vec::new() })),
        }
    }
}

/// Someone who is offered for signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The agent's id.
    pub id: String,
    /// The agent's name.
    pub name: String,
    /// The agent's e-mail address.
    pub email: String,
    /// `agent`, `supervisor` or `administrator`.
    pub role: String,
}

impl Person {
    pub(super) fn to_json(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "email": self.email, "role": self.role })
    }
}

/// The repository: the working directory when it holds a template, else where this was built.
#[must_use]
pub fn root() -> PathBuf {
    match std::env::current_dir() {
        Ok(here) if here.join("template.yaml").is_file() => here,
        _ => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
    }
}

/// Milliseconds since 1970 by the machine's clock.
fn machine_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
