//! The HTTP API and the WebSocket API.

use std::collections::BTreeMap;

use http::Method;

/// The HTTP API (payload format 2.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpPlan {
    /// The API's id, as it stands in ARNs and addresses.
    pub id: String,
    /// `$default`: the stage is not part of the path.
    pub stage: String,
    /// The API's address when deployed: `https://<id>.execute-api.<region>.<suffix>`.
    pub endpoint: String,
    /// Every route; which one wins is for the gateway to say.
    pub routes: Vec<HttpRoute>,
    /// JWT authorizers by logical id.
    pub authorizers: BTreeMap<String, JwtAuthorizer>,
    /// Cross-origin rules the gateway applies itself; `None`: preflights reach the functions.
    pub cors: Option<Cors>,
}

/// One route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRoute {
    /// The route key as written, for example `ANY /v1/contacts/{proxy+}`: what `routeKey` says in an event.
    pub key: String,
    /// The method; `None`: `ANY`.
    pub method: Option<Method>,
    /// The path pattern, for example `/v1/contacts/{proxy+}`; `$default` catches what nothing else matches.
    pub path: String,
    /// The function's logical id.
    pub function: String,
    /// The authorizer's logical id; `None`: open.
    pub authorizer: Option<String>,
    /// After how many milliseconds the gateway gives up on the function.
    pub timeout_ms: u32,
}

/// A JWT authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtAuthorizer {
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` (or `client_id`) must hold one of.
    pub audience: Vec<String>,
    /// Where the token is, for example `$request.header.Authorization`.
    pub identity_source: Vec<String>,
}

/// Cross-origin rules of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cors {
    /// Allowed origins; `*` is any.
    pub origins: Vec<String>,
    /// Allowed methods.
    pub methods: Vec<String>,
    /// Allowed request headers.
    pub headers: Vec<String>,
    /// Response headers a page may read.
    pub exposed_headers: Vec<String>,
    /// How long a preflight's answer holds, in seconds.
    pub max_age_s: u32,
    /// Whether cookies travel.
    pub credentials: bool,
}

/// The WebSocket API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketPlan {
    /// The API's id, as it stands in ARNs and addresses.
    pub id: String,
    /// The stage: the first part of the path, so that a client connects to `/<stage>`.
    pub stage: String,
    /// For example `$request.body.action`.
    pub selection_expression: String,
    /// `https://…/<stage>`: what `@connections` calls are made to; also the functions' `SOCKETS_ENDPOINT`.
    pub endpoint: String,
    /// Every route.
    pub routes: Vec<SocketRoute>,
    /// Request authorizers by logical id.
    pub authorizers: BTreeMap<String, RequestAuthorizer>,
}

impl SocketPlan {
    /// The route with this key, for example `$connect`.
    #[must_use]
    pub fn route(&self, key: &str) -> Option<&SocketRoute> {
        self.routes.iter().find(|route| route.key == key)
    }
}

/// One route of the WebSocket API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketRoute {
    /// `$connect`, `$disconnect`, `$default`, or what the selection expression yields.
    pub key: String,
    /// The function's logical id.
    pub function: String,
    /// The authorizer's logical id; only `$connect` can have one.
    pub authorizer: Option<String>,
    /// After how many milliseconds the gateway gives up on the function.
    pub timeout_ms: u32,
}

/// A request authorizer: a function that is asked before a socket opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestAuthorizer {
    /// The function's logical id.
    pub function: String,
    /// What must be present, for example `route.request.querystring.ticket`; otherwise 401 without asking.
    pub identity_source: Vec<String>,
}
