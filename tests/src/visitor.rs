//! Visitors of a web inbox: by polling, and by socket.

use reqwest::Client;
use serde_json::{Value, json};

use crate::{Answer, Socket, eventually};

/// Someone on the shop's site.
#[derive(Clone)]
pub struct Visitor {
    /// Their id.
    pub id: String,
    /// What proves it.
    pub token: String,
    /// A ticket for one socket.
    pub ticket: String,
    base: String,
    http: Client,
}

impl Visitor {
    /// Arrives; gives the raw answer.
    pub async fn try_arrive(base: &str, http: &Client, body: Value) -> Answer {
        Answer::to(http.post(format!("{base}/v1/visitors")).json(&body)).await
    }

    /// Arrives at an inbox.
    ///
    /// # Panics
    /// When they are not let in.
    pub async fn arrive(base: &str, http: &Client, body: Value) -> Self {
        let answer = Self::try_arrive(base, http, body).await.expect(200).body;
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Self {
            id: text("visitor"),
            token: text("token"),
            ticket: text("ticket"),
            base: base.to_owned(),
            http: http.clone(),
        }
    }

    /// Asks for something under a visitor's path with a token.
    pub async fn get(&self, visitor: &str, token: &str, rest: &str) -> Answer {
        let request = self.http.get(format!("{}/v1/visitors/{visitor}/{rest}", self.base));
        Answer::to(request.header("authorization", format!("Visitor {token}"))).await
    }

    /// Posts something under a visitor's path with a token.
    pub async fn post(&self, visitor: &str, token: &str, rest: &str, body: Value) -> Answer {
        let request = self.http.post(format!("{}/v1/visitors/{visitor}/{rest}", self.base)).json(&body);
        Answer::to(request.header("authorization", format!("Visitor {token}"))).await
    }

    /// Writes.
    ///
    /// # Panics
    /// When it is not taken.
    pub async fn says(&self, key: &str, text: &str) {
        let _ = self.post(&self.id, &self.token, "messages", json!({"text": text, "key": key})).await.expect(202);
    }

    /// Reads what is new.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn entries(&self, after: u64) -> Vec<Value> {
        self.get(&self.id, &self.token, &format!("entries?after={after}")).await.expect(200).items()
    }

    /// Polls until these words are there.
    pub async fn sees(&self, text: &str) -> Value {
        eventually(&format!("the visitor to see `{text}`"), async || {
            self.entries(0).await.into_iter().find(|entry| entry["text"] == text)
        })
        .await
    }

    /// Opens a socket.
    ///
    /// # Panics
    /// When there is none for them.
    pub async fn connect(&self) -> Socket {
        let answer = self.post(&self.id, &self.token, "tickets", json!({})).await.expect(200);
        Socket::open(&self.base, answer.body["ticket"].as_str().unwrap()).await.expect("a fresh ticket opens a socket")
    }
}
