//! A customer on a platform: the webhooks the platform would send for what they write, signed as it signs.

use std::time::{SystemTime, UNIX_EPOCH};

use colloquy_channels::{wechat, whatsapp};
use serde_json::{Value, json};

use super::Inbox;

/// A request a platform makes.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Path and query.
    pub path: String,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// Someone who writes on a platform.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Where they write.
    pub inbox: Inbox,
    /// Their address there.
    pub address: String,
}

impl Customer {
    /// The webhook that brings these messages, each an id and a text, in order. `WeChat` brings one at a time.
    #[must_use]
    pub fn writes(&self, messages: &[(String, String)]) -> Webhook {
        if self.inbox.channel == "wechat" {
            let (id, text) = messages.first().map_or(("", ""), |(id, text)| (id, text));
            return self.wechat(id, text);
        }
        let message = |(id, text): &(String, String)| json!({"from": self.address, "id": id, "timestamp": now_s(), "type": "text", "text": {"body": text}});
        let contact = json!({"profile": {"name": format!("Customer {}", self.address)}, "wa_id": self.address});
        let messages: Vec<Value> = messages.iter().map(message).collect();
        self.meta(&json!({"contacts": [contact], "messages": messages}))
    }

    /// The webhook that says how far a message of ours got.
    #[must_use]
    pub fn status(&self, id: &str, status: &str) -> Webhook {
        let told = json!({"id": id, "status": status, "timestamp": now_s(), "recipient_id": self.address});
        self.meta(&json!({"statuses": [told]}))
    }

    fn meta(&self, value: &Value) -> Webhook {
        let number = self.inbox.setting("phone_number_id");
        let mut change = json!({
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
        });
        for (name, part) in value.as_object().into_iter().flatten() {
            change[name] = part.clone();
        }
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{"id": "102290129340398", "changes": [{"value": change, "field": "messages"}]}],
        })
        .to_string();
        let signature = whatsapp::sign(self.inbox.setting("app_secret"), body.as_bytes());
        let headers = vec![("content-type", "application/json".to_owned()), ("x-hub-signature-256", signature)];
        Webhook { path: self.inbox.webhook.clone(), headers, body }
    }

    fn wechat(&self, id: &str, text: &str) -> Webhook {
        let (token, timestamp, nonce) = (self.inbox.setting("token"), now_s(), "1234567890");
        let mut body = format!(
            "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[{}]]></FromUserName>\
             <CreateTime>{timestamp}</CreateTime><MsgType><![CDATA[text]]></MsgType>\
             <Content><![CDATA[{text}]]></Content><MsgId>{id}</MsgId></xml>",
            self.address
        );
        let signature = wechat::sign(token, &timestamp, nonce, None);
        let mut path = format!("{}?signature={signature}&timestamp={timestamp}&nonce={nonce}", self.inbox.webhook);
        if let Some(key) = wechat::AesKey::read(self.inbox.setting("encoding_aes_key")) {
            let sealed = wechat::encrypt(&key, *b"0123456789abcdef", body.as_bytes(), self.inbox.setting("app_id"));
            let signature = wechat::sign(token, &timestamp, nonce, Some(&sealed));
            path.push_str(&format!("&encrypt_type=aes&msg_signature={signature}"));
            body =
                format!("<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>");
        }
        Webhook { path, headers: vec![("content-type", "text/xml".to_owned())], body }
    }
}

fn now_s() -> String {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string()
}
