//! The shop most stories begin with: one agent, one WhatsApp inbox, a platform behind it.

use colloquy_tests::{Person, Platform, Socket, WhatsApp, World};
use serde_json::{Value, json};

/// A customer's number.
pub(crate) const KERRY: &str = "16505551234";

pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) platform: Platform,
    pub(crate) whatsapp: WhatsApp,
    pub(crate) li: Person,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(json!({})).await
    }

    /// The shop whose agent Li is as `li` says.
    pub(crate) async fn open_with(li: Value) -> Self {
        let world = Box::pin(World::start()).await;
        let platform = world.platform().await;
        let whatsapp = world.whatsapp(&platform).await;
        let li = world.hire("Li", li).await;
        Self { world, platform, whatsapp, li }
    }

    /// Kerry writes and Li takes the conversation; Li's socket and the conversation.
    pub(crate) async fn talk(&self) -> (Socket, String) {
        let mut socket = self.li.come().await;
        self.whatsapp.says(KERRY, "hello there").await;
        let conversation = socket.accept().await;
        (socket, conversation)
    }

    /// Kerry writes and nobody is there; the conversation, waiting.
    pub(crate) async fn wait(&self) -> String {
        self.whatsapp.says(KERRY, "hello there").await;
        let head = self.world.admin.found("queue:que_general").await;
        head["id"].as_str().unwrap().to_owned()
    }
}

/// The path of a conversation, and of what is under it.
pub(crate) fn path(conversation: &str, rest: &str) -> String {
    format!("/v1/conversations/{conversation}{rest}")
}

/// The kinds of entries, in order.
pub(crate) fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().filter_map(|entry| entry["kind"].as_str()).collect()
}

/// How many entries bear these words.
pub(crate) fn count(entries: &[Value], text: &str) -> usize {
    entries.iter().filter(|entry| entry["text"] == text).count()
}

/// That entries are numbered from `first` on without a gap.
#[track_caller]
pub(crate) fn assert_numbered(entries: &[Value], first: u64) {
    let numbers: Vec<u64> = entries.iter().filter_map(|entry| entry["seq"].as_u64()).collect();
    let wanted: Vec<u64> = (first..).take(entries.len()).collect();
    assert_eq!(numbers, wanted);
}

impl Shop {
    /// Someone says something over REST; the raw answer.
    pub(crate) async fn world_says(&self, who: &Person, conversation: &str, text: &str) -> colloquy_tests::Answer {
        who.post(&path(conversation, "/messages"), json!({"text": text})).await.expect(202)
    }
}
