//! The HTTP API: route, authorize, invoke, answer, with API Gateway's limits and its own short error bodies.
//!
//! It deliberately keeps nothing between requests and does not throttle.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use axum::{body::to_bytes, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};

use super::{
    authorizer::Authorizer,
    http_event::{Arrival, event, plain, response},
    lambda::Functions,
    moment::Moment,
    routes::Routes,
};
use crate::{
    engine::{ACCOUNT, Clock, random_id},
    template::plan::{Cors, HttpPlan},
};

/// The largest body the gateway itself takes, in bytes.
const BODY_LIMIT_BYTES: usize = 10 * 1024 * 1024;

/// The longest the gateway ever waits for a function.
const PATIENCE: Duration = Duration::from_secs(30);

/// The HTTP API of the template. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct HttpApi {
    inner: Arc<Inner>,
}

struct Inner {
    plan: HttpPlan,
    routes: Routes,
    authorizers: BTreeMap<String, Authorizer>,
    functions: Functions,
    clock: Clock,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpApi").field("routes", &self.routes).finish_non_exhaustive()
    }
}

impl HttpApi {
    /// The API as the template has it.
    #[must_use]
    pub(crate) fn new(
        plan: HttpPlan,
        authorizers: BTreeMap<String, Authorizer>,
        functions: Functions,
        clock: Clock,
    ) -> Self {
        let routes = Routes::new(&plan.routes);
        Self { inner: Arc::new(Inner { plan, routes, authorizers, functions, clock }) }
    }

    /// Answers a request, or gives it back when no route of the template takes it.
    ///
    /// # Errors
    /// The request, when there is no route for it.
    pub(crate) async fn answer(
        &self,
        request: Request<axum::body::Body>,
        source: IpAddr,
    ) -> Result<Response, Request<axum::body::Body>> {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let cors = self.inner.plan.cors.as_ref().zip(origin.as_ref());
        if let Some((cors, origin)) = cors
            && request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && self.inner.routes.find(&Method::GET, request.uri().path()).is_some()
        {
            return Ok(preflight(cors, origin));
        }
        let Some(found) = self.inner.routes.find(request.method(), request.uri().path()) else { return Err(request) };
        let route = found.route.clone();
        let parameters = found.parameters;
        let (parts, body) = request.into_parts();
        let claims = match route.authorizer.as_ref().map(|name| self.inner.authorizers.get(name)) {
            None => None,
            Some(Some(authorizer)) => match authorizer.check(&parts.headers) {
                Ok(claims) => Some(claims),
                Err(_) => return Ok(plain(StatusCode::UNAUTHORIZED, "Unauthorized")),
            },
            Some(None) => return Ok(plain(StatusCode::UNAUTHORIZED, "Unauthorized")),
        };
        let Ok(body) = to_bytes(body, BODY_LIMIT_BYTES).await else { return Ok(too_large()) };
        let arrival = Arrival {
            api: &self.inner.plan.id,
            account: ACCOUNT,
            stage: &self.inner.plan.stage,
            route: &route.key,
            parameters,
            claims,
            source,
            at: Moment::from_ms((self.inner.clock)()),
            id: random_id(),
        };
        let Some(event) = event(&parts, &body, arrival) else { return Ok(too_large()) };
        drop(body);
        let patience = Duration::from_millis(u64::from(route.timeout_ms)).min(PATIENCE);
        let mut answer = match tokio::time::timeout(patience, self.inner.functions.invoke(&route.function, event)).await
        {
            Ok(Ok(answer)) => response(answer),
            Ok(Err(_)) => plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        };
        if let Some((cors, origin)) = cors {
            allow(answer.headers_mut(), cors, origin);
        }
        Ok(answer)
    }
}

fn too_large() -> Response {
    plain(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
}

/// The gateway's own answer to a preflight; where it applies, functions never see one.
fn preflight(cors: &Cors, origin: &HeaderValue) -> Response {
    let mut answer = Response::new(axum::body::Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    if allow(headers, cors, origin) {
        list(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.methods);
        list(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, cors.max_age_s.into());
    }
    answer
}

/// Lets the page at `origin` read an answer, if the template says so.
fn allow(headers: &mut HeaderMap, cors: &Cors, origin: &HeaderValue) -> bool {
    let any = cors.origins.iter().any(|allowed| allowed == "*");
    if !any && !cors.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()) {
        return false;
    }
    let shown = if any && !cors.credentials { HeaderValue::from_static("*") } else { origin.clone() };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, shown);
    if cors.credentials {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    list(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &cors.exposed_headers);
    true
}

fn list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let Ok(value) = HeaderValue::from_str(&values.join(","))
        && !values.is_empty()
    {
        headers.insert(name, value);
    }
}

#[cfg(test)]
#[path = "http_api_tests.rs"]
mod tests;
