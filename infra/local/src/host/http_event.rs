//! The HTTP API's JSON: a request as payload format 2.0, and a function's answer as a response.
//!
//! It deliberately neither routes nor authorizes. What a function must not be trusted with (a malformed answer) becomes
//! the 500 that API Gateway gives.

use std::{collections::BTreeMap, net::IpAddr};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::moment::Moment;

/// The largest event Lambda takes for a synchronous invocation, in bytes.
const EVENT_LIMIT_BYTES: usize = 6 * 1024 * 1024;

/// What the gateway knows beyond the request itself.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    /// The API's id.
    pub(crate) api: &'a str,
    /// The account the stack is said to be in.
    pub(crate) account: &'a str,
    /// The stage, `$default`.
    pub(crate) stage: &'a str,
    /// The route's key.
    pub(crate) route: &'a str,
    /// What the route's parameters stand for.
    pub(crate) parameters: BTreeMap<String, String>,
    /// The verified token's claims as the event shows them, when the route has an authorizer.
    pub(crate) claims: Option<Map<String, Value>>,
    /// The client.
    pub(crate) source: IpAddr,
    /// When the request came.
    pub(crate) at: Moment,
    /// The request's id.
    pub(crate) id: String,
}

/// The event for a request, or `None` when it is larger than Lambda takes.
#[must_use]
pub(crate) fn event(parts: &Parts, body: &Bytes, arrival: Arrival<'_>) -> Option<Value> {
    let (body, encoded) = payload(&parts.headers, body)?;
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    let query = parts.uri.query().unwrap_or_default();
    let mut headers = headers(&parts.headers);
    let host = headers.get("host").and_then(Value::as_str).unwrap_or_default();
    let domain = host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned();
    let agent = headers.get("user-agent").and_then(Value::as_str).unwrap_or_default().to_owned();
    headers.entry("x-forwarded-for").or_insert_with(|| arrival.source.to_string().into());
    headers.entry("x-forwarded-proto").or_insert_with(|| "http".into());
    let mut context = json!({
        "accountId": arrival.account,
        "apiId": arrival.api,
        "domainName": domain,
        "domainPrefix": domain.split('.').next().unwrap_or_default(),
        "http": {
            "method": parts.method.as_str(),
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": arrival.source.to_string(),
            "userAgent": agent,
        },
        "requestId": arrival.id,
        "routeKey": arrival.route,
        "stage": arrival.stage,
        "time": arrival.at.common_log(),
        "timeEpoch": arrival.at.ms(),
    });
    if let Some(claims) = arrival.claims {
        context["authorizer"] = json!({ "jwt": { "claims": claims, "scopes": null } });
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": arrival.route,
        "rawPath": path,
        "rawQueryString": query,
        "isBase64Encoded": encoded,
    });
    event["headers"] = headers.into();
    event["requestContext"] = context;
    let cookies: Vec<Value> = cookies(&parts.headers).map(Value::from).collect();
    if !cookies.is_empty() {
        event["cookies"] = cookies.into();
    }
    let parameters = query_parameters(query);
    if !parameters.is_empty() {
        event["queryStringParameters"] = parameters.into();
    }
    if !arrival.parameters.is_empty() {
        event["pathParameters"] = arrival.parameters.into_iter().map(|(k, v)| (k, Value::from(v))).collect();
    }
    if let Some(body) = body {
        event["body"] = body.into();
    }
    Some(event)
}

/// The body as the event carries it: text as it is, everything else in base64, and nothing where there is none.
fn payload(headers: &HeaderMap, body: &Bytes) -> Option<(Option<String>, bool)> {
    if body.is_empty() {
        return Some((None, false));
    }
    let text = if is_text(headers) { std::str::from_utf8(body).ok() } else { None };
    let (text, encoded) = match text {
        Some(text) if text.len() <= EVENT_LIMIT_BYTES => (text.to_owned(), false),
        None if body.len().div_ceil(3) * 4 <= EVENT_LIMIT_BYTES => (STANDARD.encode(body), true),
        _ => return None,
    };
    Some((Some(text), encoded))
}

/// Whether API Gateway passes a body of this content type on as text.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || matches!(kind.as_str(), "application/json" | "application/javascript" | "application/xml")
}

/// Headers in lower case; several of one name are joined by commas. Cookies stand elsewhere.
pub(super) fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut joined = Map::new();
    for name in headers.keys().filter(|name| **name != header::COOKIE) {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        joined.insert(name.as_str().to_owned(), values.join(",").into());
    }
    joined
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .map(str::trim)
        .filter(|cookie| !cookie.is_empty())
}

/// Decoded query parameters; several of one name are joined by commas.
pub(super) fn query_parameters(query: &str) -> Map<String, Value> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match parameters.get_mut(name.as_ref()) {
            Some(values) => {
                values.push(',');
                values.push_str(&value);
            }
            None => {
                parameters.insert(name.into_owned(), value.into_owned());
            }
        }
    }
    parameters.into_iter().map(|(name, value)| (name, value.into())).collect()
}

/// What the client gets for a function's answer. An answer without `statusCode` is itself the body of a 200.
#[must_use]
pub(crate) fn response(answer: Value) -> Response {
    interpret(answer).unwrap_or_else(|| plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
}

/// An answer of the gateway's own, as `{"message":…}`.
#[must_use]
pub(crate) fn plain(status: StatusCode, message: &str) -> Response {
    let body = json!({ "message": message }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn interpret(answer: Value) -> Option<Response> {
    let mut answer = match answer {
        Value::Object(answer) if answer.contains_key("statusCode") => answer,
        Value::String(text) => return Some(json_response(text)),
        other => return Some(json_response(other.to_string())),
    };
    let status = StatusCode::from_u16(status(answer.get("statusCode")?)?).ok()?;
    let body = match answer.remove("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if answer.get("isBase64Encoded") == Some(&Value::Bool(true)) => {
            STANDARD.decode(text).ok()?.into()
        }
        Some(Value::String(text)) => text.into(),
        Some(_) => return None,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in object(&answer, "headers")? {
        headers.append(name.parse::<HeaderName>().ok()?, header_value(value)?);
    }
    for (name, values) in object(&answer, "multiValueHeaders")? {
        let name = name.parse::<HeaderName>().ok()?;
        for value in values.as_array()? {
            headers.append(name.clone(), header_value(value)?);
        }
    }
    if let Some(Value::Array(cookies)) = answer.get("cookies") {
        for cookie in cookies {
            headers.append(header::SET_COOKIE, header_value(cookie)?);
        }
    }
    // Hyper frames the body; a function's idea of its length could only disagree.
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    if !headers.contains_key(header::CONTENT_TYPE) && !body.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Some(response)
}

fn json_response(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn status(value: &Value) -> Option<u16> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|status| u16::try_from(status).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn object<'a>(
    answer: &'a Map<String, Value>,
    name: &str,
) -> Option<Box<dyn Iterator<Item = (&'a String, &'a Value)> + 'a>> {
    match answer.get(name) {
        None | Some(Value::Null) => Some(Box::new(std::iter::empty())),
        Some(Value::Object(fields)) => Some(Box::new(fields.iter())),
        Some(_) => None,
    }
}

fn header_value(value: &Value) -> Option<HeaderValue> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
#[path = "http_event_tests.rs"]
mod tests;
