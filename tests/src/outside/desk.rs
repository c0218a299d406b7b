//! A desk for the test: agents who take what they are offered, and inboxes that send to the test's channel API.

use serde_json::{Value, json};

use super::{Problem, Rest};

const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

/// An inbox and what its platform knows of it.
#[derive(Clone, Debug)]
pub struct Inbox {
    /// Its webhook's path.
    pub webhook: String,
    /// `whatsapp` or `wechat`.
    pub channel: &'static str,
    /// Its settings, secrets included.
    pub settings: Value,
}

impl Inbox {
    /// A setting; empty when there is none.
    #[must_use]
    pub fn setting(&self, name: &str) -> &str {
        self.settings[name].as_str().unwrap_or_default()
    }
}

/// What was set up.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The administrator's token.
    pub admin: String,
    /// Each agent's id and token.
    pub agents: Vec<(String, String)>,
    /// `WhatsApp`, `WeChat` encrypted, `WeChat` plain.
    pub inboxes: Vec<Inbox>,
}

impl Desk {
    /// Sets up a host that was started empty; `api` is the test's channel API.
    ///
    /// # Errors
    /// When the host refuses something.
    pub async fn set_up(rest: &Rest, api: &str, agents: usize) -> Result<Self, Problem> {
        let admin = rest.login("admin@colloquy.test").await?;
        let mut tokens = Vec::new();
        for number in 0..agents {
            let agent = json!({
                "name": format!("Agent {number}"), "email": format!("agent{number}@colloquy.test"), "role": "agent",
                "teams": ["tem_support"], "capacity": 100, "auto_accept": true,
            });
            let made = rest.must("POST", "/v1/agents", &admin, Some(&agent)).await?;
            let id = made["id"].as_str().ok_or("an agent without an id")?.to_owned();
            let token = rest.login(&id).await?;
            tokens.push((id, token));
        }
        let wechat = |app: &str| json!({"app_id": app, "app_secret": "wechat-secret", "token": "wechat-token"});
        let mut sealed = wechat("wx0000000000000001");
        sealed["encoding_aes_key"] = json!(KEY);
        let whatsapp = json!({
            "phone_number_id": "106540352242922", "app_secret": "whatsapp-secret", "verify_token": "whatsapp-verify",
            "access_token": "whatsapp-token",
        });
        let mut inboxes = Vec::new();
        for (channel, mut settings) in
            [("whatsapp", whatsapp), ("wechat", sealed), ("wechat", wechat("wx0000000000000002"))]
        {
            settings["api_base"] = json!(api);
            let inbox = json!({"channel": channel, "name": channel, "queue": "que_general", "settings": settings});
            let made = rest.must("POST", "/v1/inboxes", &admin, Some(&inbox)).await?;
            let webhook = made["webhook"].as_str().ok_or("an inbox without a webhook")?.to_owned();
            inboxes.push(Inbox { webhook, channel, settings });
        }
        Ok(Self { admin, agents: tokens, inboxes })
    }
}
