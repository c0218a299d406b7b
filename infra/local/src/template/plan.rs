//! What `template.yaml` asks for, resolved: every parameter filled in, every condition decided, every reference a value.
//!
//! The local host builds itself from a [`Plan`] and from nothing else. It holds no `CloudFormation` and no YAML, creates
//! nothing and calls nothing. Functions are named by their logical id; queues, tables and buckets by their physical
//! name, which is also what ends their ARN and URL.

mod apis;
mod functions;
mod stores;
mod triggers;

use std::collections::BTreeMap;

pub use self::{
    apis::{Cors, HttpPlan, HttpRoute, JwtAuthorizer, RequestAuthorizer, SocketPlan, SocketRoute},
    functions::{AsynchronousPlan, FunctionPlan, Statement, StatementCondition},
    stores::{Attribute, BucketPlan, IndexPlan, KeyPlan, QueuePlan, Redrive, StreamPlan, TableKey, TablePlan},
    triggers::{Mapping, Schedule, Source, StreamRules},
};

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
