//! HTTP API events (payload format 2.0) and what they are answered with.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::Failure;

/// A request as API Gateway hands it over.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// The path, without stage and query.
    pub path: String,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// What the route's `{name}`s matched.
    pub parameters: BTreeMap<String, String>,
    /// The claims of the token that the authorizer accepted.
    pub claims: BTreeMap<String, String>,
    /// The body, as it came.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads an event.
    ///
    /// # Errors
    /// When it is not a payload 2.0 event.
    pub fn read(mut event: Value) -> Result<Self, Failure> {
        let body = match event.get_mut("body").map(Value::take) {
            Some(Value::String(text)) if event["isBase64Encoded"] == true => STANDARD
                .decode(text)
                .map_err(|_| Failure::Invalid("the body is marked as base64 and is not".to_owned()))?,
            Some(Value::String(text)) => text.into_bytes(),
            _ => Vec::new(),
        };
        let http = &event["requestContext"]["http"];
        let method =
            http["method"].as_str().ok_or_else(|| Failure::Invalid("not an HTTP event".to_owned()))?.to_owned();
        Ok(Self {
            method,
            path: event["rawPath"].as_str().unwrap_or_default().to_owned(),
            query: parse_query(event["rawQueryString"].as_str().unwrap_or_default()),
            headers: texts(&event["headers"]),
            parameters: texts(&event["pathParameters"]),
            claims: texts(&event["requestContext"]["authorizer"]["jwt"]["claims"]),
            body,
        })
    }

    /// The path's segments.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    /// The first query parameter of this name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The header of this lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The body as a JSON object; an empty body is an empty object.
    ///
    /// # Errors
    /// [`Failure::Malformed`] when it is not JSON, [`Failure::Invalid`] when it is of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        // Not straight into `T`: a list would do for a struct then, and errors would name our types.
        match serde_json::from_slice(body)? {
            Value::Object(body) => Ok(serde_json::from_value(Value::Object(body))?),
            _ => Err(Failure::Invalid("the body is not a JSON object".to_owned())),
        }
    }
}

fn texts(map: &Value) -> BTreeMap<String, String> {
    let Some(map) = map.as_object() else { return BTreeMap::new() };
    map.iter().map(|(name, value)| (name.to_lowercase(), text(value))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

/// What a request is answered with.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Map<String, Value>,
    body: String,
}

impl Answer {
    /// An empty answer.
    #[must_use]
    pub fn new(status: u16) -> Self {
        let headers = Map::from_iter([("cache-control".to_owned(), json!("no-store"))]);
        Self { status, headers, body: String::new() }
    }

    /// An answer of JSON.
    #[must_use]
    pub fn json<T: Serialize>(status: u16, body: &T) -> Self {
        serde_json::to_string(body).map_or_else(
            |error| Failure::Internal(error.to_string()).answer(),
            |body| Self::new(status).body("application/json", body),
        )
    }

    /// With this body.
    #[must_use]
    pub fn body(self, content_type: &str, body: String) -> Self {
        Self { body, ..self.header("content-type", content_type) }
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), json!(value));
        self
    }

    /// As API Gateway reads it.
    #[must_use]
    pub fn into_value(self) -> Value {
        json!({"statusCode": self.status, "headers": self.headers, "body": self.body})
    }
}

/// An answer or a failure, as API Gateway reads it.
#[must_use]
pub fn respond(result: Result<Answer, Failure>) -> Value {
    result.unwrap_or_else(|failure| failure.answer()).into_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base64_body_is_read_as_its_bytes() {
        let request = Request::read(json!({
            "rawPath": "/a/b", "rawQueryString": "x=%20y&x=2", "isBase64Encoded": true, "body": "//4=",
            "headers": {"X-One": "1"}, "requestContext": {"http": {"method": "POST"}},
        }))
        .unwrap();
        assert_eq!((request.body.as_slice(), request.query("x")), ([0xff, 0xfe].as_slice(), Some(" y")));
        assert_eq!((request.header("x-one"), request.segments()), (Some("1"), vec!["a", "b"]));
    }

    #[test]
    fn a_body_is_an_object_or_nothing() {
        let read = |body: &str| Request { body: body.into(), ..Request::default() }.json::<BTreeMap<String, u8>>();
        assert_eq!(read("").unwrap().len(), 0);
        assert_eq!(read(r#"{"a": 1}"#).unwrap()["a"], 1);
        assert_eq!(read("[]"), Err(Failure::Invalid("the body is not a JSON object".to_owned())));
        assert!(matches!(read(r#"{"a": "#), Err(Failure::Malformed(_))));
        assert!(matches!(read(r#"{"a": "b"}"#), Err(Failure::Invalid(_))));
    }

    #[test]
    fn an_event_of_another_kind_is_refused() {
        assert!(Request::read(json!({"Records": []})).is_err());
    }
}
