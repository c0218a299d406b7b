//! How a queue is declared: its attributes, as SQS names them and as `AWS::SQS::Queue` does.
//!
//! It deliberately keeps what it does not act on (encryption, policies) as given, so that it reads back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::refusal::Refusal;
use crate::engine::{ACCOUNT, EngineError, REGION};

/// The largest message SQS takes, in bytes.
pub(super) const LARGEST_MESSAGE_BYTES: usize = 1_048_576;

/// A queue's declaration. Times are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueSpec {
    /// Its name; that of a FIFO queue ends in `.fifo`.
    pub name: String,
    /// How long a received message stays hidden, 0 to 43,200.
    pub visibility_s: i64,
    /// How long a new message stays hidden, 0 to 900.
    pub delay_s: i64,
    /// How long a message is kept, 60 to 1,209,600.
    pub retention_s: i64,
    /// How long a receive waits for a message, 0 to 20.
    pub wait_s: i64,
    /// The largest message, 1,024 to 1,048,576 bytes.
    pub maximum_bytes: usize,
    /// Whether a message without a deduplication id gets the hash of its body.
    pub content_based_deduplication: bool,
    /// Whether a deduplication id counts within its group only, not within the queue.
    pub deduplication_per_group: bool,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
    /// Attributes that mean nothing here.
    pub other: BTreeMap<String, String>,
}

/// Where messages go that were received too often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redrive {
    /// The dead-letter queue's ARN.
    pub dead_letter_arn: String,
    /// How often a message may be received before it goes there, 1 to 1,000.
    pub max_receive_count: u32,
}

impl QueueSpec {
    /// A queue with SQS's defaults.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            visibility_s: 30,
            delay_s: 0,
            retention_s: 345_600,
            wait_s: 0,
            maximum_bytes: LARGEST_MESSAGE_BYTES,
            content_based_deduplication: false,
            deduplication_per_group: false,
            redrive: None,
            other: BTreeMap::new(),
        }
    }

    /// A queue as the `Properties` of `AWS::SQS::Queue` declare it, references already resolved.
    ///
    /// # Errors
    /// When a property is unknown or out of its range.
    pub fn from_properties(name: &str, properties: &Value) -> Result<Self, EngineError> {
        let mut spec = Self::new(name);
        for (property, value) in properties.as_object().into_iter().flatten() {
            if !matches!(property.as_str(), "QueueName" | "Tags") {
                spec.set(property, value).map_err(|refusal| EngineError::Invalid(refusal.message))?;
            }
        }
        spec.check().map_err(|refusal| EngineError::Invalid(refusal.message))?;
        Ok(spec)
    }

    /// Whether it keeps order.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.name.ends_with(".fifo")
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        arn(&self.name)
    }

    /// Its URL, by which requests name it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{}", self.name)
    }

    /// Sets one attribute; a request gives text, a template numbers, booleans and objects.
    pub(super) fn set(&mut self, name: &str, value: &Value) -> Result<(), Refusal> {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let number = |low: i64, high: i64| match text.parse::<i64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(number),
            _ => Err(invalid(name, &text)),
        };
        let flag = || text.parse::<bool>().map_err(|_| invalid(name, &text));
        match name {
            "VisibilityTimeout" => self.visibility_s = number(0, 43_200)?,
            "DelaySeconds" => self.delay_s = number(0, 900)?,
            "MessageRetentionPeriod" => self.retention_s = number(60, 1_209_600)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait_s = number(0, 20)?,
            "MaximumMessageSize" => {
                self.maximum_bytes = usize::try_from(number(1024, 1_048_576)?).unwrap_or(LARGEST_MESSAGE_BYTES);
            }
            "FifoQueue" if flag()? == self.is_fifo() => {}
            "FifoQueue" => return Err(invalid(name, &text)),
            "ContentBasedDeduplication" => self.content_based_deduplication = flag()?,
            "DeduplicationScope" => {
                self.deduplication_per_group = match text.as_str() {
                    "messageGroup" => true,
                    "queue" => false,
                    _ => return Err(invalid(name, &text)),
                }
            }
            "RedrivePolicy" => self.redrive = Redrive::read(value)?,
            "FifoThroughputLimit" if !matches!(text.as_str(), "perQueue" | "perMessageGroupId") => {
                return Err(invalid(name, &text));
            }
            "FifoThroughputLimit"
            | "KmsMasterKeyId"
            | "KmsDataKeyReusePeriodSeconds"
            | "SqsManagedSseEnabled"
            | "Policy"
            | "RedriveAllowPolicy" => {
                self.other.insert(name.to_owned(), text);
            }
            _ => {
                let message = format!("Unknown Attribute {name}.");
                return Err(Refusal::new("InvalidAttributeName", "InvalidAttributeName", message));
            }
        }
        Ok(())
    }

    /// What must hold between attributes.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let stem = self.name.strip_suffix(".fifo").unwrap_or(&self.name);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if stem.is_empty() || self.name.len() > 80 || !stem.bytes().all(plain) {
            return Err(Refusal::value(&self.name, "QueueName", "1 to 80 of a-zA-Z0-9_-, .fifo for FIFO queues"));
        }
        let per_group = self.other.get("FifoThroughputLimit").is_some_and(|limit| limit == "perMessageGroupId");
        if per_group && !self.deduplication_per_group {
            return Err(invalid("FifoThroughputLimit", "perMessageGroupId"));
        }
        if !self.is_fifo() && (self.content_based_deduplication || self.deduplication_per_group || per_group) {
            return Err(invalid("FifoQueue", "false"));
        }
        match &self.redrive {
            Some(redrive) if redrive.dead_letter_arn.ends_with(".fifo") != self.is_fifo() => {
                Err(invalid("RedrivePolicy", &redrive.dead_letter_arn))
            }
            _ => Ok(()),
        }
    }

    /// The attributes as SQS shows them.
    pub(super) fn attributes(&self) -> BTreeMap<String, String> {
        let mut attributes = self.other.clone();
        let mut show = |name: &str, value: String| attributes.insert(name.to_owned(), value);
        show("QueueArn", self.arn());
        show("VisibilityTimeout", self.visibility_s.to_string());
        show("DelaySeconds", self.delay_s.to_string());
        show("MessageRetentionPeriod", self.retention_s.to_string());
        show("ReceiveMessageWaitTimeSeconds", self.wait_s.to_string());
        show("MaximumMessageSize", self.maximum_bytes.to_string());
        if self.is_fifo() {
            show("FifoQueue", true.to_string());
            show("ContentBasedDeduplication", self.content_based_deduplication.to_string());
            let scope = if self.deduplication_per_group { "messageGroup" } else { "queue" };
            show("DeduplicationScope", scope.to_owned());
        }
        if let Some(redrive) = &self.redrive {
            let policy = serde_json::json!({
                "deadLetterTargetArn": redrive.dead_letter_arn, "maxReceiveCount": redrive.max_receive_count,
            });
            show("RedrivePolicy", policy.to_string());
        }
        attributes
    }
}

impl Redrive {
    /// A policy as an object or as its JSON; an empty text removes it.
    fn read(value: &Value) -> Result<Option<Self>, Refusal> {
        let parsed = match value.as_str() {
            Some("") => return Ok(None),
            Some(text) => serde_json::from_str(text).unwrap_or_default(),
            None => value.clone(),
        };
        let count = &parsed["maxReceiveCount"];
        let count = count.as_u64().or_else(|| count.as_str().and_then(|text| text.parse().ok()));
        let count = count.and_then(|count| u32::try_from(count).ok()).filter(|count| (1..=1000).contains(count));
        match (parsed["deadLetterTargetArn"].as_str(), count) {
            (Some(arn), Some(max_receive_count)) if arn.starts_with("arn:") => {
                Ok(Some(Self { dead_letter_arn: arn.to_owned(), max_receive_count }))
            }
            _ => Err(invalid("RedrivePolicy", &value.to_string())),
        }
    }
}

pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// The name at the end of a queue's ARN or URL.
pub(super) fn name_of(locator: &str) -> &str {
    locator.rsplit(['/', ':']).next().unwrap_or(locator)
}

fn invalid(name: &str, value: &str) -> Refusal {
    let message = format!("Invalid value for the parameter {name}: {value}");
    Refusal::new("InvalidAttributeValue", "InvalidAttributeValue", message)
}
