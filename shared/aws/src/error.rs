//! What can go wrong with a store, as what the caller can do about it.
//!
//! Messages name the operation and AWS's error code; never keys, addresses or contents.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Why a store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// AWS did not answer, or asks to wait: try again. Names the operation and the code.
    #[error("{0}")]
    Unavailable(String),
    /// Someone else changed it first: read again.
    #[error("it was changed by someone else")]
    Conflict,
    /// The request itself is wrong: trying again does not help.
    #[error("{0}")]
    Invalid(String),
    /// What is stored is not what was once written there.
    #[error("{0}")]
    Corrupt(String),
    /// The key that sealed it was destroyed.
    #[error("it was erased")]
    Erased,
}

impl StoreError {
    /// What an SDK error means for the caller of `operation`.
    pub(crate) fn of<E: ProvideErrorMetadata, R>(operation: &'static str, error: &SdkError<E, R>) -> Self {
        let code = match error {
            SdkError::ServiceError(context) => context.err().code().unwrap_or("no code"),
            SdkError::TimeoutError(_) => "timed out",
            SdkError::DispatchFailure(_) => "not reached",
            SdkError::ResponseError(_) => "answer not understood",
            _ => "request not built",
        };
        let text = format!("{operation}: {code}");
        match code {
            "ConditionalCheckFailedException" => Self::Conflict,
            "ValidationException" | "InvalidParameterValue" | "request not built" => Self::Invalid(text),
            _ => Self::Unavailable(text),
        }
    }

    pub(crate) fn corrupt(what: &str) -> Self {
        Self::Corrupt(format!("what is stored as {what} cannot be read"))
    }
}
