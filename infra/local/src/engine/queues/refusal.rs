//! How SQS refuses: the JSON protocol's error and the older code SDK clients match on.
//!
//! It deliberately lists only what this engine can answer.

use crate::engine::http::Answer;

pub(super) const JSON: &str = "application/x-amz-json-1.0";

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    kind: &'static str,
    /// The code of the older query protocol, which SDK clients still match on.
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(kind: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into() }
    }

    pub(super) fn no_queue(name: &str) -> Self {
        let message = format!("The specified queue does not exist: {name}");
        Self::new("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", message)
    }

    /// A parameter whose value is not allowed.
    pub(super) fn value(value: &str, parameter: &str, reason: &str) -> Self {
        let message = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
        Self::new("InvalidParameterValueException", "InvalidParameterValue", message)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let message = format!("The request must contain the parameter {parameter}.");
        Self::new("MissingRequiredParameterException", "MissingParameter", message)
    }

    pub(super) fn handle(handle: &str) -> Self {
        let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
        Self::new("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", message)
    }

    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self::new("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", message)
    }

    pub(super) fn answer(&self) -> Answer {
        let status = if self.code == "InternalError" { 500 } else { 400 };
        let mut answer = Answer::refusal(JSON, status, &format!("com.amazonaws.sqs#{}", self.kind), &self.message);
        let party = if status == 500 { "Receiver" } else { "Sender" };
        answer.headers.push(("x-amzn-query-error", format!("{};{party}", self.code)));
        answer
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::new("InternalFailure", "InternalError", error.to_string())
    }
}
