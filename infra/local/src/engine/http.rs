//! The HTTP seam: takes a signed SDK request, finds the service that is meant, and shapes its answer as AWS does.
//!
//! It deliberately does not verify signatures and never leaves the process.

use std::fmt;

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;

use super::{
    Engine,
    fault::{Call, Fault},
    permission::Permission,
    random_id,
};

/// What a service answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(content_type: &'static str, status: u16, body: impl fmt::Display) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.to_string() }
    }

    /// An error in the AWS JSON protocols.
    pub(crate) fn refusal(content_type: &'static str, status: u16, kind: &str, message: &str) -> Self {
        Self::json(content_type, status, serde_json::json!({ "__type": kind, "message": message }))
    }
}

/// The client that hands requests to `engine`, for a caller who may do what `permission` says, or anything.
pub(crate) fn client(engine: Engine, permission: Option<Permission>) -> SharedHttpClient {
    SharedHttpClient::new(InProcess { engine, permission })
}

#[derive(Clone, Debug)]
struct InProcess {
    engine: Engine,
    permission: Option<Permission>,
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let caller = self.clone();
        HttpConnectorFuture::new(async move { answer(&caller.engine, caller.permission.as_ref(), &request).await })
    }
}

/// Which service and operation a request is for.
pub(super) enum Target {
    Dynamo(String),
    Sqs(String),
    Kms(String),
    Sockets { operation: &'static str, connection: String },
    Unknown(String),
}

async fn answer(
    engine: &Engine,
    permission: Option<&Permission>,
    request: &HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let body = request
        .body()
        .bytes()
        .ok_or_else(|| ConnectorError::user("the engine answers buffered requests only".into()))?;
    let target = target(request);
    if let Some(refused) = permission.and_then(|permission| permission.refuses(&target, request, body)) {
        tracing::error!("a function's policy in the template does not allow this: {refused}");
        return respond(Answer::refusal("application/x-amz-json-1.0", 400, "AccessDeniedException", &refused));
    }
    let call = match &target {
        Target::Dynamo(operation) => Call { service: "dynamodb", operation, body },
        Target::Sqs(operation) => Call { service: "sqs", operation, body },
        Target::Kms(operation) => Call { service: "kms", operation, body },
        Target::Sockets { operation, .. } => Call { service: "sockets", operation, body },
        Target::Unknown(operation) => Call { service: "unknown", operation, body },
    };
    let fault = engine.inner.faults.of(call);
    match fault {
        Fault::LoseRequest => return Err(ConnectorError::io("the request was lost".into())),
        Fault::Throttle => {
            let busy = "the rate of requests exceeds the allowed throughput";
            return respond(Answer::refusal("application/x-amz-json-1.0", 400, "ThrottlingException", busy));
        }
        Fault::None | Fault::LoseAnswer => {}
    }
    let answer = match &target {
        Target::Dynamo(operation) => engine.tables().answer(operation, body),
        Target::Sqs(operation) => engine.queues().answer(operation, body).await,
        Target::Kms(operation) => engine.keys().answer(operation, body),
        Target::Sockets { operation, connection } => engine.sockets().answer(operation, connection, body),
        Target::Unknown(name) => Answer::refusal(
            "application/x-amz-json-1.0",
            400,
            "UnknownOperationException",
            &format!("the embedded engine does not answer {name}"),
        ),
    };
    if fault == Fault::LoseAnswer {
        return Err(ConnectorError::io("the answer was lost".into()));
    }
    respond(answer)
}

fn target(request: &HttpRequest) -> Target {
    if let Some(name) = request.headers().get("x-amz-target") {
        return match name.split_once('.') {
            Some(("DynamoDB_20120810" | "DynamoDBStreams_20120810", operation)) => Target::Dynamo(operation.to_owned()),
            Some(("AmazonSQS", operation)) => Target::Sqs(operation.to_owned()),
            Some(("TrentService", operation)) => Target::Kms(operation.to_owned()),
            _ => Target::Unknown(name.to_owned()),
        };
    }
    let path = request.uri().split('?').next().unwrap_or_default();
    let operation = match request.method() {
        "POST" => Some("PostToConnection"),
        "GET" => Some("GetConnection"),
        "DELETE" => Some("DeleteConnection"),
        _ => None,
    };
    // The id ends in `=`, which the SDK percent-encodes, as it does the `@`.
    let connection = path.split_once("/@connections/").or_else(|| path.split_once("/%40connections/"));
    match (operation, connection) {
        (Some(operation), Some((_, id))) => Target::Sockets { operation, connection: unescape(id) },
        _ => Target::Unknown(format!("{} {path}", request.method())),
    }
}

/// Undoes percent-encoding; what is not valid UTF-8 afterwards names no connection anyway.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn respond(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(answer.status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    let headers = response.headers_mut();
    headers.insert("content-type", answer.content_type);
    headers.insert("x-amzn-requestid", random_id());
    for (name, value) in answer.headers {
        headers.insert(name, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_connection_id_reads_back() {
        assert_eq!(unescape("abc%3D%3d"), "abc==");
        assert_eq!(unescape("100%"), "100%");
    }
}
