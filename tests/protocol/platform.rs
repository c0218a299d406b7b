//! `WhatsApp`'s API, played by the test: takes every message and remembers it.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, routing::any};
use serde_json::{Value, json};

/// What was sent to whom: address and words, in order.
pub(crate) type Sent = Arc<Mutex<Vec<(String, String)>>>;

/// Serves the API; its address, and what it was sent.
pub(crate) async fn start() -> (String, Sent) {
    let sent = Sent::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(any(take)).with_state(Arc::clone(&sent));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, sent)
}

async fn take(State(sent): State<Sent>, body: Bytes) -> String {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let mut sent = sent.lock().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    sent.push((text(&body["to"]), text(&body["text"]["body"])));
    json!({"messaging_product": "whatsapp", "messages": [{"id": format!("wamid.{}", sent.len())}]}).to_string()
}
