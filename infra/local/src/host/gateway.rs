//! The one address of the host: the template's two APIs, and around them the pages and doors that only this machine has.
//!
//! It deliberately decides no route of the template: what is not its own goes to the HTTP API, and then to the console.

use std::{fmt, net::SocketAddr};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{
    Person,
    console::Console,
    http_api::HttpApi,
    http_event::plain,
    issuer::{is_for_this_machine, problem},
    sockets::SocketApi,
};
use crate::engine::Engine;

/// What the gateway serves.
#[derive(Clone)]
pub(super) struct Gateway {
    pub(super) http: Option<HttpApi>,
    pub(super) sockets: Option<SocketApi>,
    pub(super) console: Console,
    pub(super) engine: Engine,
    pub(super) people: Vec<Person>,
}

impl Gateway {
    /// Everything behind the address; `others` are routers of their own (sign-in, sandbox, pages).
    pub(super) fn router(self, others: impl IntoIterator<Item = Router>) -> Router {
        let mut router = Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/config.json", get(configuration))
            .route("/local/ledger", get(ledger));
        if let Some(sockets) = &self.sockets {
            router = router.route(&format!("/{}", sockets.stage()), any(socket));
        }
        let router = router.fallback(fallback).with_state(self);
        others.into_iter().fold(router, Router::merge)
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("http", &self.http).field("sockets", &self.sockets).finish_non_exhaustive()
    }
}

/// A JSON answer that is never kept.
pub(super) fn json_answer(value: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, value.to_string()).into_response()
}

/// What the console needs to know before anyone has signed in.
async fn configuration(State(gateway): State<Gateway>) -> Response {
    let people: Vec<Value> = gateway.people.iter().map(Person::to_json).collect();
    json_answer(&json!({ "local": true, "people": people }))
}

async fn ledger(State(gateway): State<Gateway>, request: Request) -> Response {
    if !is_for_this_machine(request.headers()) {
        return problem(StatusCode::FORBIDDEN, "the ledger is for this machine only");
    }
    json_answer(&gateway.engine.ledger().snapshot())
}

async fn socket(
    State(gateway): State<Gateway>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    match &gateway.sockets {
        Some(sockets) => sockets.connect(request, source.ip()).await,
        None => plain(StatusCode::NOT_FOUND, "Not Found"),
    }
}

async fn fallback(
    State(gateway): State<Gateway>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let request = match &gateway.http {
        Some(http) => match http.answer(request, source.ip()).await {
            Ok(answer) => return answer,
            Err(request) => request,
        },
        None => request,
    };
    gateway.console.answer(request.method(), request.uri(), request.headers()).await
}
