//! When a conversation goes on and when a new one begins; when silence ends it.

use std::time::Duration;

use serde_json::json;

use crate::shop::{KERRY, Shop, assert_numbered, kinds, path};

const HOUR: Duration = Duration::from_secs(3600);

impl Shop {
    async fn end(&self, conversation: &str) {
        let ended = self.li.put(&path(conversation, "/resolution"), json!({})).await.expect(202);
        assert_eq!(self.li.turn(conversation, &ended).await["state"], "committed");
    }

    /// Kerry writes again; the conversation it went to.
    async fn kerry_again(&self, text: &str) -> String {
        self.whatsapp.says(KERRY, text).await;
        let head = self.li.found("queue:que_general").await;
        head["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_back_within_three_days_goes_on_in_a_new_episode() {
    let shop = Shop::open().await;
    let (socket, conversation) = shop.talk().await;
    drop(socket);
    let mut away = shop.li.connect().await;
    away.presence("away").await;
    shop.end(&conversation).await;
    shop.world.advance(HOUR * 71);
    assert_eq!(shop.kerry_again("me again").await, conversation);
    let head = shop.li.head(&conversation).await;
    assert_eq!((&head["episode"], &head["status"]), (&json!(2), &json!("queued")));
    let entries = shop.li.entries(&conversation).await;
    assert_numbered(&entries, 1);
    assert_eq!(kinds(&entries).iter().filter(|kind| **kind == "conversation.opened").count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_back_later_begins_a_new_conversation_and_keeps_the_old_one() {
    let shop = Shop::open().await;
    let (socket, first) = shop.talk().await;
    drop(socket);
    let mut away = shop.li.connect().await;
    away.presence("away").await;
    shop.end(&first).await;
    shop.world.advance(HOUR * 73);
    let second = shop.kerry_again("me again").await;
    assert_ne!(second, first);
    let (before, now) = (shop.li.head(&first).await, shop.li.head(&second).await);
    assert_eq!(before["contact"], now["contact"]);
    assert_numbered(&shop.li.entries(&second).await, 1);

    let contact = shop.li.get(&format!("/v1/contacts/{}", now["contact"].as_str().unwrap())).await.expect(200).body;
    let ids: Vec<&str> =
        contact["conversations"].as_array().unwrap().iter().filter_map(|head| head["id"].as_str()).collect();
    assert_eq!(ids, [second.as_str(), first.as_str()]);
    assert_eq!(
        (&contact["identities"][0]["address"], &contact["name"]),
        (&json!(KERRY), &json!(format!("Kerry {KERRY}")))
    );

    // The old one has been superseded.
    let reopened = shop.li.delete(&path(&first, "/resolution")).await.expect(202);
    let refused = shop.li.turn(&first, &reopened).await;
    assert_eq!((&refused["state"], &refused["code"]), (&json!("refused"), &json!("superseded")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_silence_after_the_agents_words_ends_the_conversation() {
    let shop = Shop::open().await;
    let (_socket, conversation) = shop.talk().await;
    shop.li.say(&conversation, "does that help?").await;
    shop.world.quiet().await;
    shop.world.advance(HOUR * 23);
    shop.world.sweep().await;
    shop.world.quiet().await;
    assert_eq!(shop.li.head(&conversation).await["status"], "open");
    shop.world.advance(HOUR + Duration::from_secs(5));
    shop.world.sweep().await;
    let resolved = shop.li.entry_after(&conversation, 0, "conversation.resolved").await;
    assert_eq!(resolved["by"], "silence");
    shop.world.quiet().await;
    assert_eq!(shop.li.get("/v1/me").await.expect(200).body["held"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_answers_in_time_is_not_cut_off() {
    let shop = Shop::open().await;
    let (_socket, conversation) = shop.talk().await;
    shop.li.say(&conversation, "does that help?").await;
    shop.world.quiet().await;
    shop.world.advance(HOUR * 23);
    shop.whatsapp.says(KERRY, "not yet").await;
    shop.world.quiet().await;
    for _ in 0..3 {
        shop.world.advance(HOUR);
        shop.world.sweep().await;
        shop.world.quiet().await;
    }
    assert_eq!(shop.li.head(&conversation).await["status"], "open");
    // Silence counts anew from the agent's next words.
    shop.li.say(&conversation, "now?").await;
    shop.world.quiet().await;
    shop.world.advance(HOUR * 24 + Duration::from_secs(5));
    shop.world.sweep().await;
    assert_eq!(shop.li.entry_after(&conversation, 0, "conversation.resolved").await["by"], "silence");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_after_the_customers_last_word_whatsapp_is_closed_and_says_so() {
    let shop = Shop::open().await;
    let (_socket, conversation) = shop.talk().await;
    shop.world.advance(HOUR * 24 + Duration::from_secs(5));
    let refused = shop.li.post(&path(&conversation, "/messages"), json!({"text": "late"})).await.expect(422);
    assert!(refused.detail().contains("24 hours"), "{}", refused.text);
    let head = shop.li.head(&conversation).await;
    assert_eq!(head["may_write"]["allowed"], false);
    shop.world.quiet().await;
    assert_eq!(shop.platform.taken("late"), 0);
}
