//! The WebSocket API's events: what a function sees of a connection and of what it says.
//!
//! It deliberately decides nothing and calls nothing.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header, request::Parts};
use serde_json::{Map, Value, json};

use crate::{
    engine::{ACCOUNT, REGION, random_id},
    host::{http_event, moment::Moment},
    template::plan::SocketPlan,
};

/// One connection, as its events tell of it.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) id: String,
    pub(super) user_agent: String,
    pub(super) authorizer: Option<Map<String, Value>>,
    api: String,
    stage: String,
    domain: String,
    source: IpAddr,
    connected: Moment,
}

impl Connection {
    pub(super) fn new(plan: &SocketPlan, id: String, parts: &Parts, source: IpAddr, connected: Moment) -> Self {
        let text = |name| parts.headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        Self {
            id,
            user_agent: text(header::USER_AGENT).unwrap_or_default().to_owned(),
            authorizer: None,
            api: plan.id.clone(),
            stage: plan.stage.clone(),
            domain: text(header::HOST).unwrap_or_default().to_owned(),
            source,
            connected,
        }
    }

    /// What the request authorizer is asked.
    pub(super) fn authorizer_event(&self, parts: &Parts, now: Moment) -> Value {
        let mut event = self.with_request(parts, self.context("$connect", "CONNECT", now));
        event["type"] = "REQUEST".into();
        event["methodArn"] =
            format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{}/{}/$connect", self.api, self.stage).into();
        event
    }

    /// What `$connect` sees.
    pub(super) fn connect_event(&self, parts: &Parts, now: Moment) -> Value {
        let mut event = self.with_request(parts, self.context("$connect", "CONNECT", now));
        event["isBase64Encoded"] = false.into();
        event
    }

    /// What a message's route sees.
    pub(super) fn message_event(&self, route: &str, body: &Frame<'_>, now: Moment) -> Value {
        let mut context = self.context(route, "MESSAGE", now);
        context["messageId"] = random_id().into();
        let mut event = match body {
            Frame::Text(text) => json!({ "body": text, "isBase64Encoded": false }),
            Frame::Binary(bytes) => json!({ "body": STANDARD.encode(bytes), "isBase64Encoded": true }),
        };
        event["requestContext"] = context;
        event
    }

    /// What `$disconnect` sees.
    pub(super) fn disconnect_event(&self, now: Moment, code: u16, reason: &str) -> Value {
        let mut context = self.context("$disconnect", "DISCONNECT", now);
        context["disconnectStatusCode"] = code.into();
        context["disconnectReason"] = reason.into();
        json!({
            "headers": { "Host": self.domain },
            "multiValueHeaders": { "Host": [self.domain] },
            "requestContext": context,
            "isBase64Encoded": false,
        })
    }

    fn with_request(&self, parts: &Parts, context: Value) -> Value {
        let query = parts.uri.query().unwrap_or_default();
        let parameters = http_event::query_parameters(query);
        let many: Map<String, Value> = parameters
            .keys()
            .map(|name| {
                let values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name.as_str());
                (name.clone(), values.map(|(_, value)| Value::from(value)).collect())
            })
            .collect();
        let mut event = json!({
            "headers": http_event::headers(&parts.headers),
            "multiValueHeaders": many_headers(&parts.headers),
            "queryStringParameters": parameters,
            "multiValueQueryStringParameters": many,
        });
        event["requestContext"] = context;
        event
    }

    fn context(&self, route: &str, kind: &str, now: Moment) -> Value {
        let request = random_id();
        let mut context = json!({
            "routeKey": route,
            "eventType": kind,
            "extendedRequestId": request,
            "requestId": request,
            "requestTime": now.common_log(),
            "requestTimeEpoch": now.ms(),
            "messageDirection": "IN",
            "stage": self.stage,
            "connectedAt": self.connected.ms(),
            "connectionId": self.id,
            "domainName": self.domain,
            "apiId": self.api,
            "identity": { "sourceIp": self.source.to_string(), "userAgent": self.user_agent },
        });
        if let Some(authorizer) = &self.authorizer {
            context["authorizer"] = Value::Object(authorizer.clone());
        }
        context
    }
}

/// What a client sent.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

impl Frame<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// The value that a selection expression such as `$request.body.action` picks out of a message, when it is text.
pub(super) fn selected(expression: &str, body: &Frame<'_>) -> Option<String> {
    let Frame::Text(text) = body else { return None };
    let path = expression.trim_start_matches("${").trim_end_matches('}').trim_start_matches('$');
    let path = path.strip_prefix("request.body.")?;
    let body: Value = serde_json::from_str(text).ok()?;
    let found = path.split('.').try_fold(&body, |value, name| value.get(name))?;
    found.as_str().map(str::to_owned)
}

fn many_headers(headers: &HeaderMap) -> Map<String, Value> {
    headers
        .keys()
        .map(|name| {
            let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
            (name.as_str().to_owned(), values.map(Value::from).collect())
        })
        .collect()
}
