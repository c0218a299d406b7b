//! What `template.yaml` asks for, resolved: every parameter filled in, every condition decided, every reference a value.
//!
//! The local host builds itself from a [`Plan`] and from nothing else. It holds no `CloudFormation` and no YAML, creates
//! nothing and calls nothing. Functions are named by their logical id; queues, tables and buckets by their physical
//! name, which is also what ends their ARN and URL.

use std::collections::BTreeMap;

use http::Method;
use serde_json::Value;

/// The whole deployment on one machine, in the order the template names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The region, account and names that the ARNs in this plan were made with.
    pub place: Place,
    /// Every parameter of the template with the value it was resolved with.
    pub parameters: BTreeMap<String, String>,
    /// DynamoDB tables.
    pub tables: Vec<TablePlan>,
    /// SQS queues, dead-letter queues included.
    pub queues: Vec<QueuePlan>,
    /// S3 buckets.
    pub buckets: Vec<BucketPlan>,
    /// KMS keys with their aliases.
    pub keys: Vec<KeyPlan>,
    /// Lambda functions.
    pub functions: Vec<FunctionPlan>,
    /// The HTTP API, when the template has one.
    pub http: Option<HttpPlan>,
    /// The WebSocket API, when the template has one.
    pub socket: Option<SocketPlan>,
    /// Event source mappings: queues and streams that feed functions.
    pub mappings: Vec<Mapping>,
    /// Functions that the clock calls.
    pub schedules: Vec<Schedule>,
    /// The template's outputs, by name.
    pub outputs: BTreeMap<String, String>,
}

/// Where the stack is said to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// For example `eu-central-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// `aws`, `aws-cn` or `aws-us-gov`, from the region.
    pub partition: String,
    /// `amazonaws.com`, or `amazonaws.com.cn` in China.
    pub suffix: String,
    /// The stack's name.
    pub stack: String,
}

/// One DynamoDB table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePlan {
    /// The resource's name in the template, for example `ConversationsTable`.
    pub logical_id: String,
    /// The table's name, for example `conversations`: what `TableName` says in a request.
    pub name: String,
    /// The table's ARN.
    pub arn: String,
    /// The table's own key.
    pub key: TableKey,
    /// Global secondary indexes.
    pub indexes: Vec<IndexPlan>,
    /// What the table's stream shows; `None`: no stream.
    pub stream: Option<StreamPlan>,
    /// The attribute holding an item's end in epoch seconds.
    pub ttl_attribute: Option<String>,
    /// Whether the table can be restored to any second of the last 35 days.
    pub point_in_time_recovery: bool,
    /// The ARN of the key that encrypts the table at rest, when it is the customer's own.
    pub encrypted_with: Option<String>,
    /// Everything the template says about the table, resolved, as `AWS::DynamoDB::Table` spells it.
    pub properties: Value,
}

/// A table's or an index's key: each part an attribute and its DynamoDB type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableKey {
    /// The partition key.
    pub hash: Attribute,
    /// The sort key.
    pub range: Option<Attribute>,
}

/// A key attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute's name.
    pub name: String,
    /// `S`, `N` or `B`.
    pub kind: String,
}

/// One global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPlan {
    /// The index's name.
    pub name: String,
    /// The index's key.
    pub key: TableKey,
    /// `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection: String,
    /// The attributes that `INCLUDE` adds.
    pub non_key_attributes: Vec<String>,
}

/// A table's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPlan {
    /// `NEW_IMAGE`, `OLD_IMAGE`, `NEW_AND_OLD_IMAGES` or `KEYS_ONLY`.
    pub view: String,
    /// What `eventSourceARN` says.
    pub arn: String,
}

/// One SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuePlan {
    /// The resource's name in the template, for example `TurnsQueue`.
    pub logical_id: String,
    /// The queue's name, for example `turns.fifo`.
    pub name: String,
    /// The queue's ARN.
    pub arn: String,
    /// The queue's URL, as functions see it in their environment.
    pub url: String,
    /// Whether the queue is first-in-first-out.
    pub fifo: bool,
    /// Whether a missing deduplication id is replaced by a hash of the body.
    pub content_based_deduplication: bool,
    /// Whether deduplication looks at one message group only (`messageGroup`), not the whole queue.
    pub deduplication_per_group: bool,
    /// Whether the throughput limit counts per message group (`perMessageGroupId`).
    pub throughput_per_group: bool,
    /// How long a received message stays hidden, in seconds.
    pub visibility_timeout_s: u32,
    /// How long a message is kept, in seconds.
    pub retention_s: u32,
    /// How long every message waits before it can be received, in seconds.
    pub delay_s: u32,
    /// The largest message, in bytes.
    pub maximum_message_bytes: u32,
    /// Whether SQS encrypts what it keeps with its own key.
    pub managed_encryption: bool,
    /// Where a message goes that was received too often.
    pub redrive: Option<Redrive>,
    /// Everything the template says about the queue, resolved, as `AWS::SQS::Queue` spells it.
    pub properties: Value,
}

/// A queue's way to its dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The dead-letter queue's name.
    pub dead_letter_queue: String,
    /// How often a message may be received before it goes there.
    pub max_receive_count: u32,
}

/// One S3 bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPlan {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The bucket's name.
    pub name: String,
    /// The bucket's ARN.
    pub arn: String,
}

/// One KMS key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlan {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The key's id: what `!Ref` gives. A UUID made from the stack's and the resource's name, the same at every start;
    /// an engine that makes ids of its own goes by the aliases.
    pub id: String,
    /// The key's ARN: what `!GetAtt Key.Arn` gives.
    pub arn: String,
    /// Aliases that point to it, each with its `alias/` prefix.
    pub aliases: Vec<String>,
    /// Whether its material is renewed every year.
    pub rotation: bool,
}

/// One Lambda function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionPlan {
    /// The resource's name in the template, for example `WebhookWhatsapp`; routes and mappings name it so.
    pub name: String,
    /// The function's ARN.
    pub arn: String,
    /// The binary: the last folder of `CodeUri`, for example `webhook`.
    pub binary: String,
    /// The environment, exactly: the configuration the function starts with.
    pub environment: BTreeMap<String, String>,
    /// After how many seconds an invocation is ended.
    pub timeout_s: u32,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// `arm64` or `x86_64`.
    pub architecture: String,
    /// How many invocations may run at once, when limited.
    pub reserved_concurrency: Option<u32>,
    /// What becomes of an asynchronous invocation that fails.
    pub asynchronous: Option<AsynchronousPlan>,
    /// What the function's own policies allow; what its triggers need is not listed.
    pub statements: Vec<Statement>,
}

/// How a failed asynchronous invocation is repeated, and where it goes at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsynchronousPlan {
    /// How often it is repeated (0 to 2).
    pub max_retries: u32,
    /// How old the event may become, in seconds.
    pub max_age_s: u32,
    /// The queue (by name) that what failed goes to.
    pub on_failure: Option<String>,
}

/// One `Allow` statement of a function's policies. `Deny` is refused by the reader, so there is no effect to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Actions such as `dynamodb:PutItem`.
    pub actions: Vec<String>,
    /// ARNs, each of which may hold `*` inside.
    pub resources: Vec<String>,
    /// What else must hold.
    pub conditions: Vec<StatementCondition>,
}

/// A condition on a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementCondition {
    /// For example `StringEquals`.
    pub operator: String,
    /// For example `kms:EncryptionContext:colloquy`.
    pub key: String,
    /// Any of these.
    pub values: Vec<String>,
}

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

/// One event source mapping: a queue or a stream that feeds a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Function and event, for example `RollupEntries`: a name for checkpoints that stays the same.
    pub name: String,
    /// The function's logical id.
    pub function: String,
    /// What is read.
    pub source: Source,
    /// The most records in one invocation.
    pub batch_size: u32,
    /// How long records may be gathered before the function is called, in seconds.
    pub window_s: u32,
    /// Whether the function's answer names the records that failed (`ReportBatchItemFailures`).
    pub partial_batch: bool,
    /// The most concurrent invocations from this queue (2 to 1,000), when limited.
    pub max_concurrency: Option<u32>,
    /// What an event must look like to be passed on: event patterns, of which one must match; empty: every event.
    pub filters: Vec<Value>,
    /// What holds for streams only.
    pub stream: Option<StreamRules>,
}

/// What a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A queue, by name.
    Queue(String),
    /// A table's stream, by the table's name.
    Stream(String),
}

/// How a stream mapping starts and what becomes of a batch that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRules {
    /// `LATEST` or `TRIM_HORIZON`.
    pub starting_position: String,
    /// Whether a failing batch is halved.
    pub bisect: bool,
    /// How often a failing batch is repeated; `None`: until it expires.
    pub max_retries: Option<u32>,
    /// The oldest record still tried, in seconds; `None`: as old as the stream keeps.
    pub max_record_age_s: Option<u32>,
    /// The queue (by name) told of what was given up.
    pub on_failure: Option<String>,
    /// How many batches of one shard run at once, each key still in order.
    pub parallelization: u32,
}

/// A function that the clock calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Function and event, for example `SweepEveryMinute`.
    pub name: String,
    /// The function's logical id.
    pub function: String,
    /// Every how many seconds.
    pub rate_s: u32,
    /// The event's body as written; `None`: the Scheduler's own event.
    pub input: Option<String>,
}

impl Plan {
    /// The function with this logical id.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&FunctionPlan> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The queue with this name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<&QueuePlan> {
        self.queues.iter().find(|queue| queue.name == name)
    }

    /// The table with this name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TablePlan> {
        self.tables.iter().find(|table| table.name == name)
    }
}

impl FunctionPlan {
    /// Whether the function's own policies allow an action such as `sqs:SendMessage` on a resource's ARN.
    ///
    /// Conditions are not looked at: what they test is in the request. `*` asks for any resource.
    #[must_use]
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        self.statements.iter().any(|statement| {
            statement.actions.iter().any(|pattern| fits(pattern, action))
                && (resource == "*" || statement.resources.iter().any(|pattern| fits(pattern, resource)))
        })
    }
}

/// Whether a text fits an IAM pattern, in which `*` stands for any run of characters and `?` for one.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        if at < pattern.len() && pattern[at] == '*' {
            star = Some((at, seen));
            at += 1;
        } else if at < pattern.len() && (pattern[at] == '?' || pattern[at] == text[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((after, from)) = star {
            at = after + 1;
            seen = from + 1;
            star = Some((after, from + 1));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_in_a_policy_stands_for_any_run_of_characters() {
        let connections = "arn:aws:execute-api:us-east-1:1:api/socket/POST/@connections/*";
        assert!(fits(connections, "arn:aws:execute-api:us-east-1:1:api/socket/POST/@connections/abc="));
        assert!(!fits(connections, "arn:aws:execute-api:us-east-1:1:api/socket/GET/@connections/abc="));
        assert!(fits("dynamodb:*Item", "dynamodb:PutItem"));
        assert!(!fits("dynamodb:PutItem", "dynamodb:PutItems"));
        assert!(fits("a*b?d", "axxbbcd"));
    }
}
