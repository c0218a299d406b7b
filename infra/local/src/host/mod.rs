//! The local host: reads the template's plan, makes its resources in the embedded engine, starts its functions, and
//! plays what stands between them and the world: API Gateway, event source mappings, schedules and a token issuer.
//!
//! It deliberately knows nothing of conversations: agents, inboxes and demo data come from the hook it is started with.

mod authorizer;
mod builds;
mod console;
mod error;
mod gateway;
mod http_api;
mod http_event;
pub mod issuer;
mod key_file;
pub mod lambda;
mod mappings;
mod moment;
mod resources;
mod routes;
mod schedules;
mod sockets;
mod stop;

use std::{
    collections::BTreeMap,
    fmt,
    fs::{File, TryLockError},
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{Router, serve::ListenerExt};
use colloquy_aws::Clients;
use colloquy_domain::Timestamp;
use colloquy_edge::Configuration;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet, time::timeout};

pub use self::error::HostError;
use self::{
    authorizer::Authorizer,
    console::Console,
    gateway::Gateway,
    http_api::HttpApi,
    issuer::{Agents, Issuer},
    lambda::{Failure, Function, Functions},
    sockets::SocketApi,
    stop::{Stop, Stopper},
};
use crate::{
    engine::{ACCOUNT, Clock, Engine, REGION},
    functions::{self, Starter},
    pages,
    sandbox::{Inboxes, Sandbox},
    template::{Overrides, Template, plan::Plan},
};

/// Whom tokens of the local issuer are for.
pub const AUDIENCE: &str = "colloquy";

/// The one administrator of an empty host.
pub const FIRST_ADMINISTRATOR: &str = "admin@colloquy.test";

/// How long the host waits for what is under way when it stops.
const GRACE: Duration = Duration::from_secs(15);

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

/// What the hook of [`Host::start`] works with: everything is made, nothing is started.
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

/// What the hook of [`Host::start`] gives: who there is and what they write on.
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
    fn to_json(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "email": self.email, "role": self.role })
    }
}

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
        let lock = lock(&options.data)?;
        let template = Template::read(&options.template).map_err(|error| HostError::Template(error.to_string()))?;
        let listener = listen(options.port).await?;
        let address = listener.local_addr().map_err(|source| HostError::Port { port: options.port, source })?;
        let origin = format!("http://{address}");
        let plan = plan(&template, &options, &origin)?;
        let engine = Engine::open(&options.data, Arc::clone(&options.clock))?;
        let renamed = resources::create(&plan, &engine)?;
        let clients = Clients::new(&engine.sdk_config(), domain_clock(&options.clock));
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

        let functions = start_functions(&plan, &renamed, &clients, &options.functions)?;
        let (stop, stopped) = Stopper::new();
        let mut tasks = JoinSet::new();
        mappings::start(&plan.mappings, &functions, &engine, &stopped, &mut tasks)?;
        schedules::start(&plan.schedules, &functions, &engine, &stopped, &mut tasks)?;

        let build = if options.build_pages { builds::start(&options.root) } else { builds::Build::default() };
        let gateway = Gateway {
            http: http_api(&plan, &issuer, &functions, &options.clock),
            sockets: plan
                .socket
                .clone()
                .map(|plan| SocketApi::new(plan, functions.clone(), engine.clone(), stopped.clone())),
            console: Console::new(options.root.join("infra/console/dist"), build),
            engine: engine.clone(),
            people: prepared.people.clone(),
        };
        let sandbox = Sandbox::new(domain_clock(&options.clock), prepared.inboxes, origin)
            .map_err(|error| HostError::Prepare(error.to_string()))?;
        let router = gateway.router([
            issuer.router(prepared.agents),
            crate::sandbox::router(sandbox),
            pages::router(options.root.join("infra/widget/dist")),
        ]);
        tasks.spawn(serve(listener, router, stopped));
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
        let ended = timeout(GRACE, async { while self.tasks.join_next().await.is_some() {} }).await;
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

/// The repository: the working directory when it holds a template, else where this was built.
#[must_use]
pub fn root() -> PathBuf {
    match std::env::current_dir() {
        Ok(here) if here.join("template.yaml").is_file() => here,
        _ => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
    }
}

/// Takes the data folder for this host alone; the lock goes with the process, however it ends.
fn lock(data: &Path) -> Result<File, HostError> {
    let failed = |source| HostError::Data { path: data.to_owned(), source };
    std::fs::create_dir_all(data).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(data.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(HostError::InUse { path: data.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

async fn listen(port: u16) -> Result<TcpListener, HostError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => HostError::PortTaken { port },
        _ => HostError::Port { port, source },
    })
}

fn plan(template: &Template, options: &Options, origin: &str) -> Result<Plan, HostError> {
    let own = [
        ("OidcIssuer", origin),
        ("OidcAudience", AUDIENCE),
        ("FirstAdministrator", FIRST_ADMINISTRATOR),
        ("SandboxUrl", &format!("{origin}/sandbox")),
    ];
    let mut parameters: BTreeMap<String, String> =
        own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    parameters.extend(options.parameters.clone());
    let overrides =
        Overrides { parameters, region: REGION.to_owned(), account: ACCOUNT.to_owned(), ..Overrides::default() };
    template.plan(&overrides).map_err(|error| HostError::Template(error.to_string()))
}

fn start_functions(
    plan: &Plan,
    renamed: &BTreeMap<String, String>,
    clients: &Clients,
    start: &Starter,
) -> Result<Functions, HostError> {
    let started = plan.functions.iter().map(|function| {
        let configuration = Configuration::from_map(resources::rename(&function.environment, renamed));
        let code = start(&function.binary, &configuration, clients)
            .map_err(|source| HostError::Function { function: function.name.clone(), source })?;
        let timeout = Duration::from_secs(function.timeout_s.into());
        Ok(Function::new(&function.name, &function.arn, timeout, function.reserved_concurrency, code))
    });
    started.collect()
}

fn http_api(plan: &Plan, issuer: &Issuer, functions: &Functions, clock: &Clock) -> Option<HttpApi> {
    let http = plan.http.clone()?;
    let authorizers = http
        .authorizers
        .iter()
        .map(|(name, jwt)| (name.clone(), Authorizer::new(jwt, issuer, Arc::clone(clock))))
        .collect();
    Some(HttpApi::new(http, authorizers, functions.clone(), Arc::clone(clock)))
}

async fn serve(listener: TcpListener, router: Router, mut stop: Stop) {
    // Answers are small and waited for.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = async move { stop.heard().await };
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopped).await {
        tracing::error!("the gateway ended: {error}");
    }
}

fn domain_clock(clock: &Clock) -> colloquy_aws::Clock {
    let clock = Arc::clone(clock);
    Arc::new(move || Timestamp::from_ms(clock()))
}

/// Milliseconds since 1970 by the machine's clock.
fn machine_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
