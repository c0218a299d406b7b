//! What a simulated platform answers, and the pieces of a request that it looks at.
//!
//! Knows no channel.

use std::{convert::Infallible, io};

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode, header},
};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

/// A call to a channel's API.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    /// The path below `/sandbox/<channel>/`.
    pub(super) path: &'a str,
    pub(super) query: &'a [(String, String)],
    pub(super) headers: &'a HeaderMap,
    /// The body as JSON; null when it is none.
    pub(super) body: &'a Value,
    pub(super) raw: &'a [u8],
}

impl Asked<'_> {
    /// A parameter of the query; empty when it is missing.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The bearer token; empty when there is none.
    pub(super) fn bearer(&self) -> &str {
        let value = self.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.strip_prefix("Bearer ").unwrap_or_default()
    }
}

/// What the platform answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    /// Seconds, for a `Retry-After` header.
    pub(super) retry_after_s: Option<u64>,
}

impl Reply {
    pub(super) const fn new(status: u16, body: Value) -> Self {
        Self { status, body, retry_after_s: None }
    }

    pub(super) const fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_response(status, &self.body);
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// JSON with a status.
pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let kind = if body.get("title").is_some() { "application/problem+json" } else { "application/json" };
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// A problem document of our own, for who uses the sandbox wrongly.
pub(super) fn problem(status: StatusCode, detail: impl Into<String>) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or("problem");
    let (status_number, detail) = (status.as_u16(), detail.into());
    json_response(status, &json!({"type": "about:blank", "title": title, "status": status_number, "detail": detail}))
}

/// Drops the connection without an answer: a body that fails at its first byte takes the head that waits for it along.
pub(super) fn dropped() -> Response<Body> {
    let broken = stream::once(async { Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset)) });
    Response::new(Body::from_stream(broken))
}

/// Never answers; ends when the client has given up, which drops this future.
pub(super) async fn silence() -> Infallible {
    std::future::pending().await
}
