//! The steps by which a host starts, each failing in one clear line.
//!
//! It deliberately keeps nothing: what the steps make belongs to the host.

use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::{Router, serve::ListenerExt};
use colloquy_aws::Clients;
use colloquy_domain::Timestamp;
use colloquy_edge::Configuration;
use tokio::{net::TcpListener, time::sleep};

use super::{
    AUDIENCE, FIRST_ADMINISTRATOR, HostError, Options,
    authorizer::Authorizer,
    http_api::HttpApi,
    issuer::Issuer,
    lambda::{Function, Functions},
    resources,
    stop::Stop,
};
use crate::{
    engine::{ACCOUNT, Clock, REGION},
    functions::Starter,
    template::{Overrides, Template, plan::Plan},
};

/// How long open requests may take when the host stops.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Takes the data folder for this host alone; the lock goes with the process, however it ends.
pub(super) fn lock(data: &Path) -> Result<File, HostError> {
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

pub(super) async fn listen(port: u16) -> Result<TcpListener, HostError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => HostError::PortTaken { port },
        _ => HostError::Port { port, source },
    })
}

pub(super) fn plan(template: &Template, options: &Options, origin: &str) -> Result<Plan, HostError> {
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

pub(super) fn functions(
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

pub(super) fn http_api(plan: &Plan, issuer: &Issuer, functions: &Functions, clock: &Clock) -> Option<HttpApi> {
    let http = plan.http.clone()?;
    let authorizers = http
        .authorizers
        .iter()
        .map(|(name, jwt)| (name.clone(), Authorizer::new(jwt, issuer, Arc::clone(clock))))
        .collect();
    Some(HttpApi::new(http, authorizers, functions.clone(), Arc::clone(clock)))
}

pub(super) async fn serve(listener: TcpListener, router: Router, stop: Stop) {
    // Answers are small and waited for.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let (mut stopping, mut late) = (stop.clone(), stop);
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move { stopping.heard().await });
    let late = async move {
        late.heard().await;
        sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        ended = serving => {
            if let Err(error) = ended {
                tracing::error!("the gateway ended: {error}");
            }
        }
        // A client that neither reads nor goes is not waited for.
        () = late => {}
    }
}

pub(super) fn domain_clock(clock: &Clock) -> colloquy_aws::Clock {
    let clock = Arc::clone(clock);
    Arc::new(move || Timestamp::from_ms(clock()))
}
