//! The customer's side: what the platform would send our webhook when someone writes, signed with the inbox's settings
//! and sent over HTTP like the real thing.
//!
//! Web visitors have a chat of their own and are not played here.

mod wechat;
mod whatsapp;

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use colloquy_domain::{Channel, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Sandbox, SimulatedInbox, lock,
    reply::{json_response, problem},
};

const TEXT_MAX_CHARACTERS: usize = 65_536;

/// What a simulated customer writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// The inbox written to.
    inbox: String,
    /// The customer's address: a phone number, an open id.
    from: String,
    /// The name the platform shows.
    #[serde(default)]
    name: String,
    #[serde(default)]
    text: String,
    /// What is sent.
    #[serde(default)]
    kind: Kind,
}

/// What a customer can send.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Text,
    Image,
    Audio,
    Video,
    File,
    Location,
    Sticker,
    /// Something this desk has no name for.
    Unsupported,
}

/// How far a message got, by the platform's word.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    /// The message's id, as the sandbox gave it.
    id: String,
    status: State,
    /// The customer's address, for a message the sandbox has forgotten.
    to: Option<String>,
    /// The inbox, likewise.
    inbox: Option<String>,
}

/// A state that Meta reports.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Sent,
    Delivered,
    Read,
    Failed,
}

/// A webhook's request, as the platform would make it.
struct Webhook {
    /// With a leading question mark; empty when there is none.
    query: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// What the platform calls this message.
    id: String,
}

/// Writes as a customer; tells what our webhook answered.
pub(super) async fn send(sandbox: &Sandbox, written: Written) -> Response<Body> {
    let refuse = |words: &str| problem(StatusCode::UNPROCESSABLE_ENTITY, words);
    if written.from.is_empty() || written.from.len() > 128 {
        return refuse("from is the customer's address on the channel");
    }
    if written.text.chars().count() > TEXT_MAX_CHARACTERS {
        return refuse("text is too long for any channel");
    }
    if written.kind == Kind::Text && written.text.is_empty() {
        return refuse("text is empty");
    }
    let inboxes = sandbox.inboxes().await;
    let Some(inbox) = inboxes.iter().find(|inbox| inbox.id == written.inbox) else {
        return problem(StatusCode::NOT_FOUND, "there is no such inbox");
    };
    let webhook = match inbox.channel {
        Channel::Web => return refuse("a web visitor writes in the chat itself"),
        Channel::WhatsApp => Ok(whatsapp::message(inbox, &written, sandbox.now())),
        Channel::WeChat => wechat::message(inbox, &written, sandbox.now()),
    };
    match webhook {
        Err(words) => refuse(&words),
        Ok(webhook) => post(sandbox, inbox, webhook).await,
    }
}

/// Sends a status webhook for a message the sandbox took.
pub(super) async fn send_status(sandbox: &Sandbox, status: Status) -> Response<Body> {
    let sent = lock(&sandbox.0.calls)
        .newest(|call| call.response.pointer("/messages/0/id").and_then(Value::as_str) == Some(&status.id))
        .map(|call| (call.path.clone(), call.response["contacts"][0]["wa_id"].as_str().map(str::to_owned)));
    let (path, known_to) = sent.unzip();
    let inboxes = sandbox.inboxes().await;
    let of_sender = |inbox: &&SimulatedInbox| match (&status.inbox, &path) {
        (Some(id), _) => inbox.id == *id,
        (None, Some(path)) => path.split('/').rev().nth(1) == Some(inbox.setting("phone_number_id")),
        (None, None) => false,
    };
    let inbox = inboxes.iter().filter(|inbox| inbox.channel == Channel::WhatsApp).find(of_sender);
    let (Some(inbox), Some(to)) = (inbox, status.to.clone().or(known_to.flatten())) else {
        return problem(StatusCode::NOT_FOUND, "the sandbox took no such message, or its inbox is gone");
    };
    post(sandbox, inbox, whatsapp::status(inbox, &status, &to, sandbox.now())).await
}

async fn post(sandbox: &Sandbox, inbox: &SimulatedInbox, webhook: Webhook) -> Response<Body> {
    let path = format!("/webhooks/{}/{}{}", inbox.channel, inbox.id, webhook.query);
    let mut request = sandbox.0.client.post(format!("{}{path}", sandbox.0.origin));
    for (name, value) in &webhook.headers {
        request = request.header(*name, value);
    }
    let sent = json!({
        "path": path,
        "headers": webhook.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Value>(),
        "body": webhook.body,
    });
    let (status, answer) = match request.body(webhook.body).send().await {
        Ok(answer) => (Some(answer.status().as_u16()), answer.text().await.unwrap_or_default()),
        Err(error) if error.is_timeout() => (None, "no answer in time".to_owned()),
        Err(_) => (None, "no answer".to_owned()),
    };
    json_response(StatusCode::OK, &json!({"id": webhook.id, "status": status, "answer": answer, "request": sent}))
}

/// Seconds since the epoch, in the decimal text both platforms use.
fn seconds(at: Timestamp) -> String {
    at.seconds().to_string()
}
