//! Where things are kept: tables, queues, buckets, keys.

use serde_json::Value;

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
