//! What a caller may do: each request named as IAM would name it, action and resource, and asked of the caller's policy.
//!
//! Knows no policies itself, and looks at no conditions. Keys are checked by action alone, since an alias names them.

use std::{fmt, sync::Arc};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;

use super::{ACCOUNT, REGION, http::Target};

/// Asks of an action and a resource.
type Allows = dyn Fn(&str, &str) -> bool + Send + Sync;

/// Whether an action on a resource is allowed.
#[derive(Clone)]
pub struct Permission(Arc<Allows>);

impl Permission {
    /// A permission that asks `allows` of an action such as `dynamodb:PutItem` and a resource's ARN; `*` as the
    /// resource asks whether the action is allowed on any.
    pub fn new(allows: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(allows))
    }

    /// What is asked and not allowed, in AWS's words; nothing when all is allowed.
    pub(super) fn refuses(&self, target: &Target, request: &HttpRequest, body: &[u8]) -> Option<String> {
        let asked = asked(target, request, body);
        let refused = asked.into_iter().find(|(action, resource)| !(self.0)(action, resource))?;
        Some(format!("not authorized to perform: {} on resource: {}", refused.0, refused.1))
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permission")
    }
}

fn asked(target: &Target, request: &HttpRequest, body: &[u8]) -> Vec<(String, String)> {
    let body = || serde_json::from_slice::<Value>(body).unwrap_or_default();
    match target {
        Target::Dynamo(operation) => {
            tables(&body()).into_iter().map(|table| (format!("dynamodb:{operation}"), table)).collect()
        }
        Target::Sqs(operation) => {
            let body = body();
            let url = body["QueueUrl"].as_str().unwrap_or_default();
            let name = url.rsplit('/').next().unwrap_or_default();
            // A batch is allowed by what allows one.
            let operation = operation.strip_suffix("Batch").unwrap_or(operation);
            vec![(format!("sqs:{operation}"), format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"))]
        }
        Target::Kms(operation) => vec![(format!("kms:{operation}"), "*".to_owned())],
        Target::Sockets { .. } => {
            let method = request.method();
            let uri = request.uri().trim_start_matches("https://").split(['?', '@', '%']).next().unwrap_or_default();
            let (host, stage) = uri.split_once('/').unwrap_or((uri, ""));
            let api = host.split('.').next().unwrap_or_default();
            let stage = stage.trim_end_matches('/');
            let arn = format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/{stage}/{method}/@connections/one");
            vec![("execute-api:ManageConnections".to_owned(), arn)]
        }
        Target::Unknown(_) => Vec::new(),
    }
}

/// The tables and indexes a request names.
fn tables(body: &Value) -> Vec<String> {
    let arn = |table: &str| format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}");
    if let Some(requests) = body["RequestItems"].as_object() {
        return requests.keys().map(|table| arn(table)).collect();
    }
    match (body["TableName"].as_str(), body["IndexName"].as_str()) {
        (Some(table), Some(index)) => vec![format!("{}/index/{index}", arn(table))],
        (Some(table), None) => vec![arn(table)],
        _ => Vec::new(),
    }
}
