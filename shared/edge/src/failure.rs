//! What can go wrong, sorted by what the caller can do about it; mapped once to RFC 9457 problem documents.

use colloquy_aws::StoreError;
use colloquy_domain::Refusal;
use serde_json::{error::Category, json};
use tracing::error;

use crate::{ConfigurationError, http::Answer};

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// What was sent cannot be read at all. 400.
    #[error("{0}")]
    Malformed(String),
    /// What was sent can be read and is wrong; the text says what. 422.
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
    /// There is such a thing, and it takes these methods only. 405.
    #[error("only {0} can be used here")]
    Method(&'static str),
    /// The conversation's rules stand against it; its status and code are the refusal's own.
    #[error(transparent)]
    Refused(#[from] Refusal),
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
    /// What a path that is not handled answers: that it takes other methods, or that nothing is there.
    #[must_use]
    pub fn unhandled(methods: Option<&'static str>) -> Self {
        methods.map_or_else(|| Self::NotFound("there is nothing at this path".to_owned()), Self::Method)
    }

    /// The HTTP status and the problem's title.
    #[must_use]
    pub const fn status(&self) -> (u16, &'static str) {
        match self {
            Self::Malformed(_) => (400, "Bad Request"),
            Self::Invalid(_) | Self::Refused(Refusal::MayNotWrite(_)) => (422, "Unprocessable Content"),
            Self::Unauthenticated(_) => (401, "Unauthorized"),
            Self::Forbidden(_) => (403, "Forbidden"),
            Self::NotFound(_) | Self::Refused(Refusal::NoConversation | Refusal::NoMessage) => (404, "Not Found"),
            Self::Method(_) => (405, "Method Not Allowed"),
            Self::Conflict(_) | Self::Refused(_) => (409, "Conflict"),
            Self::TooLarge(_) => (413, "Content Too Large"),
            Self::Unavailable(_) => (503, "Service Unavailable"),
            Self::Internal(_) => (500, "Internal Server Error"),
        }
    }

    /// What programs tell problems apart by; it never changes its meaning.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Invalid(_) => "invalid",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Method(_) => "method_not_allowed",
            Self::Refused(refusal) => refusal.code(),
            Self::Conflict(_) => "conflict",
            Self::TooLarge(_) => "too_large",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
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
        let (code, detail) = (self.code(), self.detail());
        let body = json!({"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail});
        let answer = Answer::new(status).body("application/problem+json", body.to_string());
        match self {
            Self::Unavailable(_) => answer.header("retry-after", "1"),
            Self::Method(methods) => answer.header("allow", methods),
            _ => answer,
        }
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

impl From<ConfigurationError> for Failure {
    fn from(error: ConfigurationError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        match error.classify() {
            Category::Data => Self::Invalid(format!("the body is not what is expected here: {error}")),
            Category::Io | Category::Syntax | Category::Eof => {
                Self::Malformed(format!("the body is not JSON: {error}"))
            }
        }
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
        assert_eq!((&body["code"], &body["detail"]), (&json!("invalid"), &json!("text is empty")));
        assert_eq!(answer["headers"]["content-type"], "application/problem+json");
    }
    #[test]
    fn what_is_not_json_is_told_from_json_of_another_shape() {
        let read = |body: &str| Failure::from(serde_json::from_str::<[u8; 1]>(body).unwrap_err());
        assert_eq!((read("[1").code(), read("[1").status().0), ("malformed", 400));
        assert_eq!((read("[true]").code(), read("[true]").status().0), ("invalid", 422));
    }

    #[test]
    fn a_refusal_keeps_its_own_code() {
        let codes = [Refusal::AlreadyResolved, Refusal::NoMessage, Refusal::MayNotWrite("closed".to_owned())]
            .map(Failure::from)
            .map(|failure| (failure.status().0, failure.code()));
        assert_eq!(codes, [(409, "already_resolved"), (404, "no_message"), (422, "may_not_write")]);
    }

    #[test]
    fn a_wrong_method_names_the_right_ones() {
        let answer = Failure::unhandled(Some("GET, PUT")).answer().into_value();
        assert_eq!((&answer["statusCode"], &answer["headers"]["allow"]), (&json!(405), &json!("GET, PUT")));
        assert_eq!(Failure::unhandled(None).status().0, 404);
    }
}
