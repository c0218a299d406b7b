//! Requests, answers and calls, as plain data.
//!
//! No HTTP client or server here, and no status beyond what a webhook answers. What may carry secrets has no `Debug`.

use std::collections::BTreeMap;

use colloquy_domain::Inbound;

use crate::SettingsError;

/// A raw request, as the webhook saw it.
pub struct Request<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// The path, without query.
    pub path: &'a str,
    /// The query, decoded, in order.
    pub query: &'a [(String, String)],
    /// Headers by lower-case name.
    pub headers: &'a BTreeMap<String, String>,
    /// The body's bytes, untouched: signatures are over these.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The first query parameter of this name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&'a str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The header of this lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What to answer a webhook with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body's type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    /// 200 with a plain text.
    #[must_use]
    pub fn text(body: impl Into<String>) -> Self {
        Self { status: 200, content_type: "text/plain; charset=utf-8", body: body.into() }
    }
}

/// What a webhook's request said.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// The platform asked whether we are who it was told; nothing to keep.
    Challenge(Answer),
    /// What happened on the platform.
    Batch {
        /// What was read, in the order it stood.
        inbound: Vec<Inbound>,
        /// What could not be, and why: to be counted and logged, not retried.
        unreadable: Vec<Unreadable>,
        /// To be given once all of `inbound` is safely queued.
        answer: Answer,
    },
}

/// An element of a batch that is not a message or a receipt of this inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Why, without personal data.
    pub reason: String,
}

/// Why a request is turned away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Its signature is missing or wrong.
    #[error("{0}")]
    Forged(&'static str),
    /// The platform's question, or a page, is not one we know.
    #[error("{0}")]
    Forbidden(&'static str),
    /// It cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// It can be read, and one of its fields is not right.
    #[error("{field} {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing at this path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The method is not one this webhook has.
    #[error("this webhook does not answer {0}")]
    Method(String),
    /// The body is longer than this channel's can be.
    #[error("the body has {size_bytes} bytes; at most {limit_bytes} are read")]
    TooLarge {
        /// How long it is.
        size_bytes: usize,
        /// How long it may be.
        limit_bytes: usize,
    },
    /// The inbox's settings are not usable: an operator has to mend them, the platform will try again.
    #[error("this inbox is not set up: {0}")]
    Settings(#[from] SettingsError),
}

impl Rejected {
    /// The HTTP status that says so.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Forged(_) => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound => 404,
            Self::Method(_) => 405,
            Self::TooLarge { .. } => 413,
            Self::Invalid { .. } => 422,
            Self::Settings(_) => 503,
        }
    }

    pub(crate) fn method(request: &Request<'_>) -> Self {
        Self::Method(request.method.chars().filter(char::is_ascii_alphabetic).take(12).collect())
    }
}

/// A call to a channel's API.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The whole address; it may hold a token, so it is not for logs.
    pub url: String,
    /// Headers; they may hold a token, so they are not for logs.
    pub headers: Vec<(&'static str, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Call {
    pub(crate) fn post_json(url: String, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        Self { method: "POST", url, headers, body: body.to_string().into_bytes() }
    }
}

/// Refuses a body longer than `limit_bytes`, before anything is computed over it.
pub(crate) fn limit(body: &[u8], limit_bytes: usize) -> Result<(), Rejected> {
    let size_bytes = body.len();
    if size_bytes > limit_bytes { Err(Rejected::TooLarge { size_bytes, limit_bytes }) } else { Ok(()) }
}
