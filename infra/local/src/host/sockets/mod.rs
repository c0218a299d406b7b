//! The WebSocket API: who may connect, and one task for each connection.
//!
//! It deliberately holds no connection a function could ask for: those are in the engine, which functions reach by
//! `@connections` as they would AWS.

mod event;
mod session;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequestParts, WebSocketUpgrade},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, StatusCode, request::Parts};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use self::event::Connection;
use super::{
    http_event::plain,
    lambda::{Failure, Functions},
    moment::Moment,
    stop::Stop,
};
use crate::{
    engine::Engine,
    template::plan::{RequestAuthorizer, SocketPlan},
};

/// How many frames a reader may fall behind before it is disconnected.
const BEHIND: usize = 256;

/// The longest frame taken, in bytes.
const FRAME_LIMIT_BYTES: usize = 32 * 1024;

/// The longest message taken, in bytes.
const MESSAGE_LIMIT_BYTES: usize = 128 * 1024;

/// The longest the gateway waits for a function; 29 seconds for WebSocket APIs.
const PATIENCE: Duration = Duration::from_secs(29);

/// The WebSocket API of the template. Clones share it.
#[derive(Clone)]
pub(crate) struct SocketApi {
    plan: Arc<SocketPlan>,
    functions: Functions,
    engine: Engine,
    stop: Stop,
}

impl SocketApi {
    /// The API as the template has it; its connections end when `stop` becomes true.
    #[must_use]
    pub(crate) fn new(plan: SocketPlan, functions: Functions, engine: Engine, stop: Stop) -> Self {
        Self { plan: Arc::new(plan), functions, engine, stop }
    }

    /// The stage, which is the path that clients connect to.
    #[must_use]
    pub(crate) fn stage(&self) -> &str {
        &self.plan.stage
    }

    /// Asks the authorizer and `$connect`, then opens the socket; a refusal is an HTTP answer.
    pub(crate) async fn connect(&self, request: Request<Body>, source: IpAddr) -> Response {
        let (mut parts, _) = request.into_parts();
        // Before the ticket is spent: is this a WebSocket at all?
        let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => upgrade,
            Err(rejection) => return rejection.into_response(),
        };
        let Some(id) = connection_id() else {
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error");
        };
        let mut connection = Connection::new(&self.plan, id, &parts, source, self.now());
        match self.authorize(&connection, &parts).await {
            Ok(context) => connection.authorizer = context,
            Err(refusal) => return refusal,
        }
        let protocol = match self.ask_connect(&connection, &parts).await {
            Ok(protocol) => protocol,
            Err(refusal) => return refusal,
        };
        let (frames, pushed) = mpsc::channel(BEHIND);
        let (weak, agent) = (frames.downgrade(), connection.user_agent.clone());
        let closed = self.engine.sockets().register_from(&connection.id, frames, &source.to_string(), &agent);
        let upgrade = match protocol {
            Some(protocol) => upgrade.protocols([protocol]),
            None => upgrade,
        };
        let session = session::Session::new(self.clone(), connection.clone(), (weak, pushed), closed);
        let (api, lost) = (self.clone(), connection);
        upgrade
            .max_frame_size(FRAME_LIMIT_BYTES)
            .max_message_size(MESSAGE_LIMIT_BYTES)
            .on_failed_upgrade(move |_| {
                tokio::spawn(async move { api.disconnected(&lost, 1006, "the upgrade failed").await });
            })
            .on_upgrade(|socket| session.run(socket))
    }

    /// What the authorizer says about the caller; nothing when the route has none.
    async fn authorize(&self, connection: &Connection, parts: &Parts) -> Result<Option<Map<String, Value>>, Response> {
        let route = self.plan.route("$connect");
        let Some(name) = route.and_then(|route| route.authorizer.as_ref()) else { return Ok(None) };
        let Some(authorizer) = self.plan.authorizers.get(name) else { return Err(unauthorized()) };
        if !names_itself(authorizer, parts) {
            return Err(unauthorized());
        }
        let asked = connection.authorizer_event(parts, self.now());
        match self.invoke(&authorizer.function, asked).await {
            Ok(answer) => allowed(answer).map(Some).ok_or_else(|| {
                plain(StatusCode::FORBIDDEN, "User is not authorized to access this resource with an explicit deny")
            }),
            Err(Failure::Refused(reason)) if reason == "Unauthorized" => Err(unauthorized()),
            Err(_) => Err(plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")),
        }
    }

    /// Runs `$connect`; the subprotocol it chose, if it chose one.
    async fn ask_connect(&self, connection: &Connection, parts: &Parts) -> Result<Option<String>, Response> {
        let Some(route) = self.plan.route("$connect") else { return Ok(None) };
        let answer = self.invoke(&route.function, connection.connect_event(parts, self.now())).await;
        let Ok(answer) = answer else { return Err(plain(StatusCode::BAD_GATEWAY, "Internal server error")) };
        let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(502);
        match StatusCode::from_u16(status) {
            Ok(status) if status.is_success() => Ok(protocol(&answer)),
            Ok(StatusCode::UNAUTHORIZED) => Err(unauthorized()),
            Ok(status) if status.is_client_error() => Err(plain(status, "Forbidden")),
            _ => Err(plain(StatusCode::BAD_GATEWAY, "Internal server error")),
        }
    }

    /// Forgets the connection and tells the functions that it has gone.
    async fn disconnected(&self, connection: &Connection, code: u16, reason: &str) {
        self.engine.sockets().unregister(&connection.id);
        if let Some(route) = self.plan.route("$disconnect") {
            // A failure is logged where it happens, and there is nobody left to tell.
            let _ = self.invoke(&route.function, connection.disconnect_event(self.now(), code, reason)).await;
        }
    }

    async fn invoke(&self, function: &str, event: Value) -> Result<Value, Failure> {
        match tokio::time::timeout(PATIENCE, self.functions.invoke(function, event)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::TimedOut),
        }
    }

    fn now(&self) -> Moment {
        Moment::from_ms(self.engine.now_ms())
    }
}

impl fmt::Debug for SocketApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketApi").field("plan", &self.plan).finish_non_exhaustive()
    }
}

fn unauthorized() -> Response {
    plain(StatusCode::UNAUTHORIZED, "Unauthorized")
}

fn connection_id() -> Option<String> {
    let mut bytes = [0_u8; 12];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether all that the authorizer wants to see is there; API Gateway does not ask it otherwise.
fn names_itself(authorizer: &RequestAuthorizer, parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    authorizer.identity_source.iter().all(|source| {
        if let Some(name) = source.strip_prefix("route.request.querystring.") {
            form_urlencoded::parse(query.as_bytes()).any(|(key, value)| key == name && !value.is_empty())
        } else if let Some(name) = source.strip_prefix("route.request.header.") {
            parts.headers.get(name).is_some_and(|value| !value.is_empty())
        } else {
            false
        }
    })
}

/// The authorizer's context as later events show it, when its policy allows the connection.
fn allowed(mut answer: Value) -> Option<Map<String, Value>> {
    let statements = match answer["policyDocument"]["Statement"].take() {
        Value::Array(statements) => statements,
        one => vec![one],
    };
    let says = |effect: &str| statements.iter().any(|statement| statement["Effect"] == effect);
    if says("Deny") || !says("Allow") {
        return None;
    }
    let mut context = Map::new();
    if let Value::Object(fields) = answer["context"].take() {
        for (name, value) in fields {
            let text = match value {
                Value::String(text) => text,
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                // API Gateway fails the whole authorization over anything else in a context.
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            context.insert(name, text.into());
        }
    }
    context.insert("principalId".to_owned(), answer["principalId"].take());
    Some(context)
}

fn protocol(answer: &Value) -> Option<String> {
    let headers = answer["headers"].as_object()?;
    let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"))?;
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
