//! Customers on WhatsApp: Meta's webhooks, signed over their bytes.

use std::sync::atomic::{AtomicU64, Ordering};

use colloquy_channels::whatsapp::sign;
use reqwest::Client;
use serde_json::{Value, json};

use crate::{Answer, VirtualClock};

/// The phone number id of every test's inbox.
pub(crate) const NUMBER: &str = "106540352242922";

/// A WhatsApp inbox as Meta sees it.
#[derive(Clone)]
pub struct WhatsApp {
    /// The inbox's id.
    pub inbox: String,
    /// The secret webhooks are signed with.
    pub secret: String,
    /// The address of the webhook.
    pub url: String,
    pub(crate) http: Client,
    pub(crate) clock: VirtualClock,
}

static NEXT: AtomicU64 = AtomicU64::new(1);

impl WhatsApp {
    /// A new message id.
    #[must_use]
    pub fn id() -> String {
        format!("wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQz{:08}", NEXT.fetch_add(1, Ordering::SeqCst))
    }

    /// A text message as it stands in a webhook.
    #[must_use]
    pub fn text(&self, id: &str, from: &str, text: &str) -> Value {
        json!({"from": from, "id": id, "timestamp": self.clock.seconds().to_string(), "type": "text", "text": {"body": text}})
    }

    /// A status as it stands in a webhook.
    #[must_use]
    pub fn status(&self, id: &str, state: &str) -> Value {
        let mut status = json!({
            "id": id, "status": state, "timestamp": self.clock.seconds().to_string(), "recipient_id": "16505551234",
        });
        if state == "failed" {
            status["errors"] = json!([{"code": 131_026, "title": "Message undeliverable"}]);
        }
        status
    }

    /// The webhook that bears these messages and statuses.
    #[must_use]
    pub fn webhook(&self, messages: &[Value], statuses: &[Value]) -> Vec<u8> {
        let mut value = json!({
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
        });
        if !messages.is_empty() {
            let contacts: Vec<Value> = messages
                .iter()
                .map(|message| json!({"profile": {"name": format!("Kerry {}", message["from"].as_str().unwrap_or_default())}, "wa_id": message["from"]}))
                .collect();
            value["contacts"] = json!(contacts);
            value["messages"] = json!(messages);
        }
        if !statuses.is_empty() {
            value["statuses"] = json!(statuses);
        }
        let change = json!({"value": value, "field": "messages"});
        json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]})
            .to_string()
            .into_bytes()
    }

    /// Posts a webhook with its right signature.
    pub async fn post(&self, body: Vec<u8>) -> Answer {
        let signature = sign(&self.secret, &body);
        self.post_signed(body, Some(&signature)).await
    }

    /// Posts a webhook with this signature.
    pub async fn post_signed(&self, body: Vec<u8>, signature: Option<&str>) -> Answer {
        let mut request = self.http.post(&self.url).header("content-type", "application/json");
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        Answer::to(request.body(body)).await
    }

    /// A customer writes; gives the message's id.
    ///
    /// # Panics
    /// When the webhook is not taken.
    pub async fn says(&self, from: &str, text: &str) -> String {
        let id = Self::id();
        self.repeats(&id, from, text).await;
        id
    }

    /// The same message comes again.
    ///
    /// # Panics
    /// When the webhook is not taken.
    pub async fn repeats(&self, id: &str, from: &str, text: &str) {
        let body = self.webhook(&[self.text(id, from, text)], &[]);
        let answer = self.post(body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Meta says how far a message of ours got.
    ///
    /// # Panics
    /// When the webhook is not taken.
    pub async fn reports(&self, id: &str, state: &str) {
        let body = self.webhook(&[], &[self.status(id, state)]);
        assert_eq!(self.post(body).await.status, 200);
    }
}
