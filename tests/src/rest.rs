//! People who work at the desk, and what they ask of it over HTTP.

use std::sync::{Arc, Mutex};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{Socket, VirtualClock, eventually};

/// How old a token may get before it is fetched anew: an hour less than it lives.
const TOKEN_MS: i64 = 11 * 3_600_000;

/// What a request was answered with.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null when it is none.
    pub body: Value,
}

impl Answer {
    /// Sends a request.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("the host answers");
        let status = response.status().as_u16();
        let text = response.text().await.expect("the answer is whole");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, text, body }
    }

    /// The answer, when its status is this one.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// What the problem document says is wrong.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    /// The items of a list.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        self.body["items"].as_array().cloned().unwrap_or_default()
    }
}

/// Someone who works here, signed in.
#[derive(Clone)]
pub struct Person {
    /// The agent's id.
    pub id: String,
    /// Their e-mail address.
    pub email: String,
    base: String,
    http: Client,
    clock: VirtualClock,
    token: Arc<Mutex<(String, i64)>>,
}

impl Person {
    /// Signs in at the local issuer.
    ///
    /// # Panics
    /// When nobody of this address may.
    pub async fn sign_in(base: &str, http: &Client, clock: &VirtualClock, email: &str) -> Self {
        let token = fetch(base, http, email).await;
        let mut person = Self {
            id: String::new(),
            email: email.to_owned(),
            base: base.to_owned(),
            http: http.clone(),
            clock: clock.clone(),
            token: Arc::new(Mutex::new((token, clock.ms()))),
        };
        person.id = person.get("/v1/me").await.expect(200).body["id"].as_str().unwrap().to_owned();
        person
    }

    /// Their token; a fresh one when the old one would soon end.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn token(&self) -> String {
        let (token, since) = self.token.lock().unwrap().clone();
        if self.clock.ms() - since < TOKEN_MS {
            return token;
        }
        let fresh = fetch(&self.base, &self.http, &self.email).await;
        *self.token.lock().unwrap() = (fresh.clone(), self.clock.ms());
        fresh
    }

    /// Asks for something.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None, None).await
    }

    /// Posts something.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body), None).await
    }

    /// Posts something with an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body), Some(key)).await
    }

    /// Puts something.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, Some(body), None).await
    }

    /// Removes something.
    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None, None).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>, key: Option<&str>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(self.token().await);
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Answer::to(request).await
    }

    /// A ticket for one socket.
    ///
    /// # Panics
    /// When there is none for them.
    pub async fn ticket(&self) -> String {
        self.post("/v1/tickets", json!({})).await.expect(200).body["ticket"].as_str().unwrap().to_owned()
    }

    /// Opens a socket.
    pub async fn connect(&self) -> Socket {
        let ticket = self.ticket().await;
        Socket::open(&self.base, &ticket).await.expect("a fresh ticket opens a socket")
    }

    /// Opens a socket and takes conversations from now on.
    pub async fn come(&self) -> Socket {
        let mut socket = self.connect().await;
        socket.presence("available").await;
        socket
    }

    /// A conversation's head.
    pub async fn head(&self, conversation: &str) -> Value {
        self.get(&format!("/v1/conversations/{conversation}")).await.expect(200).body
    }

    /// A conversation's entries.
    pub async fn entries(&self, conversation: &str) -> Vec<Value> {
        self.get(&format!("/v1/conversations/{conversation}/entries?limit=500")).await.expect(200).items()
    }

    /// How far a conversation's message got.
    pub async fn delivery(&self, conversation: &str, seq: u64) -> Option<Value> {
        let answer = self.get(&format!("/v1/conversations/{conversation}/entries?limit=500")).await.expect(200);
        let deliveries = answer.body["deliveries"].as_array().cloned().unwrap_or_default();
        deliveries.into_iter().find(|delivery| delivery["seq"] == seq)
    }

    /// Waits until a message's delivery stands so; gives it.
    pub async fn delivered(&self, conversation: &str, seq: u64, state: &str) -> Value {
        eventually(&format!("entry {seq} to be {state}"), async || {
            self.delivery(conversation, seq).await.filter(|delivery| delivery["state"] == state)
        })
        .await
    }

    /// Waits until a conversation has an entry of this kind after a number; gives the first such.
    pub async fn entry_after(&self, conversation: &str, after: u64, kind: &str) -> Value {
        eventually(&format!("an entry {kind} after {after}"), async || {
            let entries = self.entries(conversation).await;
            entries.into_iter().find(|entry| entry["seq"].as_u64() > Some(after) && entry["kind"] == kind)
        })
        .await
    }

    /// Waits for what became of a turn.
    pub async fn turn(&self, conversation: &str, answer: &Answer) -> Value {
        let turn = answer.body["turn"].as_str().unwrap_or_else(|| panic!("no turn: {}", answer.text));
        let path = format!("/v1/conversations/{conversation}/turns/{turn}");
        eventually("a turn to be done", async || {
            let state = self.get(&path).await.expect(200).body;
            (state["state"] != "pending").then_some(state)
        })
        .await
    }

    /// Says something and waits until it is in the timeline; gives its number.
    pub async fn say(&self, conversation: &str, text: &str) -> u64 {
        let answer = self.post(&format!("/v1/conversations/{conversation}/messages"), json!({"text": text})).await;
        let turn = self.turn(conversation, &answer.expect(202)).await;
        turn["seq"].as_u64().unwrap_or_else(|| panic!("not committed: {turn}"))
    }

    /// Waits until any conversation is held so; gives it.
    pub async fn found(&self, holder: &str) -> Value {
        eventually(&format!("a conversation of {holder}"), async || {
            self.get(&format!("/v1/conversations?holder={holder}")).await.expect(200).items().into_iter().next()
        })
        .await
    }
}

async fn fetch(base: &str, http: &Client, email: &str) -> String {
    let login = http.post(format!("{base}/local/login")).json(&json!({"agent": email}));
    Answer::to(login).await.expect(200).body["token"].as_str().unwrap().to_owned()
}
