//! The REST API as a client of it: JSON in, status and JSON out. What broke off is an error; nothing is tried again.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Problem, Webhook};

/// A client of one host.
#[derive(Clone)]
pub struct Rest {
    http: reqwest::Client,
    base: String,
}

impl Rest {
    /// A client of the host at `base`.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(base: &str) -> Result<Self, Problem> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?;
        Ok(Self { http, base: base.to_owned() })
    }

    /// A token of an agent, by id or e-mail.
    ///
    /// # Errors
    /// When the host does not know them, or does not answer.
    pub async fn login(&self, agent: &str) -> Result<String, Problem> {
        let (_, answer) = self.call("POST", "/local/login", "", Some(&json!({ "agent": agent }))).await?;
        Ok(answer["token"].as_str().ok_or_else(|| format!("{agent} cannot sign in: {answer}"))?.to_owned())
    }

    /// One call; `token` may be empty.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), Problem> {
        let mut request = self.http.request(method.parse()?, format!("{}{path}", self.base));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// As [`Rest::call`], for what must succeed.
    ///
    /// # Errors
    /// When it does not.
    pub async fn must(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Result<Value, Problem> {
        match self.call(method, path, token, body).await? {
            (200..=299, answer) => Ok(answer),
            (status, answer) => Err(format!("{method} {path}: {status} {answer}").into()),
        }
    }

    /// Posts a platform's webhook; the status.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn webhook(&self, webhook: &Webhook) -> Result<u16, Problem> {
        let mut request = self.http.post(format!("{}{}", self.base, webhook.path));
        for (name, value) in &webhook.headers {
            request = request.header(*name, value);
        }
        let answer = request.body(webhook.body.clone()).send().await?;
        let status = answer.status().as_u16();
        answer.bytes().await?;
        Ok(status)
    }

    /// The socket's address for a fresh ticket.
    ///
    /// # Errors
    /// When no ticket is given.
    pub async fn ticketed(&self, token: &str) -> Result<String, Problem> {
        let answer = self.must("POST", "/v1/tickets", token, Some(&json!({}))).await?;
        let ticket = answer["ticket"].as_str().ok_or("no ticket")?;
        Ok(format!("{}/socket?ticket={ticket}", self.base.replacen("http", "ws", 1)))
    }
}
