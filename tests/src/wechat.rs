//! Customers on a WeChat official account: XML pushes, plain or in safe mode, signed with the account's token.

use std::sync::atomic::{AtomicU64, Ordering};

use colloquy_channels::wechat::{AesKey, encrypt, sign};
use form_urlencoded::Serializer;
use reqwest::Client;

use crate::{Answer, VirtualClock};

/// A WeChat inbox as WeChat sees it.
#[derive(Clone)]
pub struct WeChat {
    /// The inbox's id.
    pub inbox: String,
    /// The account.
    pub app_id: String,
    /// What requests are signed with.
    pub token: String,
    /// The key of safe mode; nothing in plain mode.
    pub aes_key: Option<String>,
    /// The address of the webhook.
    pub url: String,
    pub(crate) http: Client,
    pub(crate) clock: VirtualClock,
}

static NEXT: AtomicU64 = AtomicU64::new(1);

impl WeChat {
    /// A text push.
    #[must_use]
    pub fn text(&self, id: u64, from: &str, text: &str) -> String {
        format!(
            "<xml><ToUserName><![CDATA[gh_7f083739789a]]></ToUserName><FromUserName><![CDATA[{from}]]></FromUserName>\
             <CreateTime>{}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>\
             <MsgId>{id}</MsgId></xml>",
            self.clock.seconds(),
        )
    }

    /// A new message id.
    #[must_use]
    pub fn id() -> u64 {
        7_000_000_000_000 + NEXT.fetch_add(1, Ordering::SeqCst)
    }

    /// The query and body with which WeChat would push this XML.
    ///
    /// # Panics
    /// When the inbox's key is none.
    #[must_use]
    pub fn sealed(&self, xml: &str) -> (String, String) {
        let (timestamp, nonce) = (self.clock.seconds().to_string(), NEXT.fetch_add(1, Ordering::SeqCst).to_string());
        let mut query = Serializer::new(String::new());
        query.append_pair("signature", &sign(&self.token, &timestamp, &nonce, None));
        query.append_pair("timestamp", &timestamp).append_pair("nonce", &nonce);
        let Some(key) = &self.aes_key else { return (query.finish(), xml.to_owned()) };
        let key = AesKey::read(key).expect("the inbox's key is one");
        let mut random = *b"fedcba9876543210";
        random[..nonce.len().min(16)].copy_from_slice(&nonce.as_bytes()[..nonce.len().min(16)]);
        let sealed = encrypt(&key, random, xml.as_bytes(), &self.app_id);
        query.append_pair("encrypt_type", "aes");
        query.append_pair("msg_signature", &sign(&self.token, &timestamp, &nonce, Some(&sealed)));
        let body = format!(
            "<xml><ToUserName><![CDATA[gh_7f083739789a]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        );
        (query.finish(), body)
    }

    /// Posts a body with a query.
    pub async fn post(&self, query: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.http.post(format!("{}?{query}", self.url)).header("content-type", "text/xml");
        Answer::to(request.body(body)).await
    }

    /// Asks as WeChat does when the address is entered.
    pub async fn challenge(&self, token: &str, echo: &str) -> Answer {
        let (timestamp, nonce) = (self.clock.seconds().to_string(), "4711".to_owned());
        let query = Serializer::new(String::new())
            .append_pair("signature", &sign(token, &timestamp, &nonce, None))
            .extend_pairs([("timestamp", timestamp.as_str()), ("nonce", &nonce), ("echostr", echo)])
            .finish();
        Answer::to(self.http.get(format!("{}?{query}", self.url))).await
    }

    /// A customer writes; gives the message's id.
    pub async fn says(&self, from: &str, text: &str) -> u64 {
        let id = Self::id();
        self.repeats(id, from, text).await;
        id
    }

    /// The same message comes again.
    ///
    /// # Panics
    /// When the push is not answered `success`.
    pub async fn repeats(&self, id: u64, from: &str, text: &str) {
        let (query, body) = self.sealed(&self.text(id, from, text));
        let answer = self.post(&query, body).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "success"));
    }
}
