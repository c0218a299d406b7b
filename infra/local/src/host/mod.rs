//! The local host: reads the template's plan, makes its resources in the embedded engine, starts its functions, and
//! plays what stands between them and the world: API Gateway, event source mappings, schedules and a token issuer.
//!
//! It deliberately knows nothing of conversations: agents, inboxes and demo data come from the hook it is started with.

mod error;
mod options;
mod start;

pub mod resources;
mod stop;

pub mod lambda;

mod gateway;
mod http_api;

mod authorizer;
mod http_event;
mod routes;

mod sockets;

mod mappings;

mod schedules;

pub mod issuer;

mod builds;
mod console;

mod key_file;
mod moment;

use std::{fmt, fs::File, net::SocketAddr, sync::Arc, time::Duration};

use colloquy_aws::Clients;
use colloquy_edge::Configuration;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::{task::JoinSet, time::timeout};

use self::{
    console::Console,
    gateway::Gateway,
    issuer::Issuer,
    lambda::{Failure, Functions},
    sockets::SocketApi,
    stop::Stopper,
};
pub use self::{
    error::HostError,
    options::{AUDIENCE, Context, FIRST_ADMINISTRATOR, Options, Person, Prepared, root},
};
use crate::{
    engine::Engine,
    pages,
    sandbox::Sandbox,
    template::{Template, plan::Plan},
};

/// How long the host waits for what is under way when it stops.
const GRACE: Duration = Duration::from_secs(15);

/// A running host. Dropping it stops it without waiting.
pub struct Host {
    address: SocketAddr,
    engine: Engine,
    plan: Arc<Plan>,
    clients: Clients,
    configuration: Configuration,
    functions: Functions,
    issuer: Issuer,
    people: Vec<Person>,
    stop: Stopper,
    tasks: JoinSet<()>,
    _lock: File,
}

impl Host {
    /// Starts everything the template says; `prepare` runs when the resources are there and nothing else is.
    ///
    /// # Errors
    /// When the port, the data folder, the template, a function or the demo data cannot be used.
    pub async fn start<F>(options: Options, prepare: F) -> Result<Self, HostError>
    where
        F: FnOnce(Context) -> BoxFuture<'static, Result<Prepared, HostError>> + Send,
    {
        let lock = start::lock(&options.data)?;
        let template = Template::read(&options.template).map_err(|error| HostError::Template(error.to_string()))?;
        let listener = start::listen(options.port).await?;
        let address = listener.local_addr().map_err(|source| HostError::Port { port: options.port, source })?;
        let origin = format!("http://{address}");
        let plan = start::plan(&template, &options, &origin)?;
        let engine = Engine::open(&options.data, Arc::clone(&options.clock))?;
        let renamed = resources::create(&plan, &engine)?;
        let clients = Clients::new(&engine.sdk_config(), start::domain_clock(&options.clock));
        let issuer = Issuer::open(&options.data, &origin, AUDIENCE, Arc::clone(&options.clock))
            .map_err(|source| HostError::Data { path: options.data.clone(), source })?;

        let environments = plan.functions.iter().map(|function| resources::rename(&function.environment, &renamed));
        let configuration = Configuration::from_map(environments.flatten().collect());
        let plan = Arc::new(plan);
        let prepared = prepare(Context {
            engine: engine.clone(),
            plan: Arc::clone(&plan),
            clients: clients.clone(),
            configuration: configuration.clone(),
            address: origin.clone(),
            empty: options.empty,
        })
        .await?;

        let functions = start::functions(&plan, &renamed, &clients, &options.functions)?;
        let (stop, stopped) = Stopper::new();
        let mut tasks = JoinSet::new();
        mappings::start(&plan.mappings, &functions, &engine, &stopped, &mut tasks)?;
        schedules::start(&plan.schedules, &functions, &engine, &stopped, &mut tasks)?;

        let build = if options.build_pages { builds::start(&options.root) } else { builds::Build::default() };
        let gateway = Gateway {
            http: start::http_api(&plan, &issuer, &functions, &options.clock),
            sockets: plan
                .socket
                .clone()
                .map(|plan| SocketApi::new(plan, functions.clone(), engine.clone(), stopped.clone())),
            console: Console::new(options.root.join("infra/console/dist"), build),
            engine: engine.clone(),
            people: prepared.people.clone(),
        };
        let sandbox = Sandbox::new(start::domain_clock(&options.clock), prepared.inboxes, origin)
            .map_err(|error| HostError::Prepare(error.to_string()))?;
        let router = gateway.router([
            issuer.router(prepared.agents),
            crate::sandbox::router(sandbox),
            pages::router(options.root.join("infra/widget/dist")),
        ]);
        tasks.spawn(start::serve(listener, router, stopped));
        Ok(Self {
            address,
            engine,
            plan,
            clients,
            configuration,
            functions,
            issuer,
            people: prepared.people,
            stop,
            tasks,
            _lock: lock,
        })
    }

    /// Where the host listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A path of the host as an address, such as `http://127.0.0.1:8787/healthz`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The embedded engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What the template asked for.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// SDK clients that reach the engine.
    #[must_use]
    pub const fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Every function's environment in one.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The token issuer.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Who is offered for signing in.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Hands an event to a function by its logical id, as an operator could.
    ///
    /// # Errors
    /// When there is no such function, or it fails.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, Failure> {
        self.functions.invoke(function, event).await
    }

    /// Stops: no new work begins, what is under way ends, sockets close.
    pub async fn shutdown(mut self) {
        self.stop.say();
        let ended = timeout(GRACE, async {
            while self.tasks.join_next().await.is_some() {}
            self.stop.nobody_left().await;
        })
        .await;
        if ended.is_err() {
            tracing::warn!("the host stops with work under way; it will be taken up at the next start");
        }
    }

    /// Waits as long as the host serves.
    pub async fn serve(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
