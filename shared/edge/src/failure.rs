//! What can go wrong, sorted by what the caller can do about it; mapped once to RFC 9457 problem documents.

use colloquy_aws::StoreError;
use colloquy_domain::Refusal;
use serde_json::json;
use tracing::error;

use crate::{ConfigurationError, http::Answer};

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// What was sent is wrong; the text says what. 422.
    #[error("{0}")]
    Invalid(String),
    /// Nobody known is asking. 401.
    #[error("{0}")]
    Unauthenticated(String),
    /// This caller may not. 403.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing. 404.
    #[error("{0}")]
    NotFound(String),
    /// It cannot be done as things stand. 409.
    #[error("{0}")]
    Conflict(String),
    /// It is too large. 413.
    #[error("{0}")]
    TooLarge(String),
    /// Not now; try again. 503.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of ours; nothing inside is shown. 500.
    #[error("{0}")]
    Internal(String),
}

impl Failure {
    /// The HTTP status and the problem's title.
    #[must_use]
    pub const fn status(&self) -> (u16, &'static str) {
        match self {
            Self::Invalid(_) => (422, "Unprocessable Content"),
            Self::Unauthenticated(_) => (401, "Unauthorized"),
            Self::Forbidden(_) => (403, "Forbidden"),
            Self::NotFound(_) => (404, "Not Found"),
            Self::Conflict(_) => (409, "Conflict"),
            Self::TooLarge(_) => (413, "Content Too Large"),
            Self::Unavailable(_) => (503, "Service Unavailable"),
            Self::Internal(_) => (500, "Internal Server Error"),
        }
    }

    /// What the caller is told.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Internal(_) => "something went wrong on our side; it has been logged".to_owned(),
            Self::Unavailable(_) => "this cannot be done right now; try again in a moment".to_owned(),
            other => other.to_string(),
        }
    }

    /// The problem document; faults of ours are logged here, once.
    #[must_use]
    pub fn answer(&self) -> Answer {
        if let Self::Internal(cause) | Self::Unavailable(cause) = self {
            error!(error = %cause, "request failed");
        }
        let (status, title) = self.status();
        let body = json!({"type": "about:blank", "title": title, "status": status, "detail": self.detail()});
        let answer = Answer::new(status).body("application/problem+json", body.to_string());
        if status == 503 { answer.header("retry-after", "1") } else { answer }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(what) => Self::Unavailable(what),
            StoreError::Conflict => {
                Self::Conflict("someone else changed this at the same moment; try again".to_owned())
            }
            StoreError::Invalid(what) => Self::Invalid(what),
            StoreError::Corrupt(what) => Self::Internal(what),
            StoreError::Erased => Self::NotFound("this has been erased".to_owned()),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoConversation | Refusal::NoMessage => Self::NotFound(refusal.to_string()),
            Refusal::MayNotWrite(_) => Self::Invalid(refusal.to_string()),
            _ => Self::Conflict(refusal.to_string()),
        }
    }
}

impl From<ConfigurationError> for Failure {
    fn from(error: ConfigurationError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Invalid(format!("the body is not what is expected here: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_ours_shows_nothing_inside() {
        let answer = Failure::Internal("key 7 of table x".to_owned()).answer().into_value();
        assert_eq!(answer["statusCode"], 500);
        assert!(!answer["body"].as_str().unwrap().contains("table"));
    }

    #[test]
    fn a_problem_says_what_is_wrong() {
        let answer = Failure::Invalid("text is empty".to_owned()).answer().into_value();
        assert_eq!(answer["statusCode"], 422);
        let body: serde_json::Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["detail"], "text is empty");
        assert_eq!(answer["headers"]["content-type"], "application/problem+json");
    }
}
