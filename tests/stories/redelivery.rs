//! Queues and streams may hand anything over again, at any time. Nothing happens twice.

use std::time::Duration;

use colloquy_tests::Person;
use serde_json::{Value, json};

use crate::shop::{KERRY, Shop, path};

/// What must not change by itself.
async fn state(shop: &Shop, conversation: &str, ann: &Person) -> Value {
    let answer = shop.li.get(&path(conversation, "/entries?limit=500")).await.expect(200);
    let mut head = answer.body["head"].clone();
    head["may_write"] = Value::Null;
    let held = |person: Value| json!([person["held"], person["presence"]]);
    json!({
        "entries": answer.body["items"], "deliveries": answer.body["deliveries"], "head": head,
        "li": held(shop.li.get("/v1/me").await.expect(200).body),
        "ann": held(ann.get("/v1/me").await.expect(200).body),
        "sent": shop.platform.messages().iter().map(|call| call.text().to_owned()).collect::<Vec<_>>(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_handed_over_again_does_nothing_again() {
    let shop = Shop::open().await;
    let ann = shop.world.hire("Ann", json!({})).await;
    let mut li = shop.li.come().await;
    let mut at_ann = ann.come().await;
    shop.whatsapp.says(KERRY, "hello there").await;
    let conversation = li.offer().await;
    li.send(json!({"action": "decline", "conversation": conversation})).await;
    at_ann.accept().await;
    let given = ann.put(&path(&conversation, "/holder"), json!({"agent": shop.li.id})).await.expect(202);
    li.entry(&conversation, "conversation.assigned").await;
    let seq = shop.li.say(&conversation, "said once").await;
    assert!(given.body["turn"].is_string());
    let id = shop.platform.got("said once").await.id;
    shop.li.delivered(&conversation, seq, "sent").await;
    shop.whatsapp.reports(&id, "delivered").await;
    shop.li.delivered(&conversation, seq, "delivered").await;
    shop.world.quiet().await;
    let before = state(&shop, &conversation, &ann).await;
    assert_eq!((&before["li"][0], &before["ann"][0]), (&json!(1), &json!(0)));

    for later in [Duration::ZERO, Duration::from_secs(400)] {
        shop.world.advance(later);
        for (binary, function) in
            [("nlp", "Nlp"), ("converse", "Converse"), ("deliver", "Deliver"), ("route", "Route"), ("rollup", "Rollup")]
        {
            for event in shop.world.recorder.events(binary) {
                let answer = shop.world.invoke(function, event).await;
                assert_eq!(answer["batchItemFailures"], json!([]), "{function}: {answer}");
            }
            shop.world.quiet().await;
            assert_eq!(state(&shop, &conversation, &ann).await, before, "after {function} again, {later:?} later");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_handed_over_again_after_the_end_takes_no_slot() {
    let shop = Shop::open().await;
    let (mut socket, conversation) = shop.talk().await;
    let _ = shop.li.put(&path(&conversation, "/resolution"), json!({})).await.expect(202);
    socket.entry(&conversation, "conversation.resolved").await;
    shop.world.quiet().await;
    shop.world.advance(Duration::from_secs(400));
    for (binary, function) in [("route", "Route"), ("converse", "Converse")] {
        for event in shop.world.recorder.events(binary) {
            shop.world.invoke(function, event).await;
        }
    }
    shop.world.quiet().await;
    assert_eq!(shop.li.get("/v1/me").await.expect(200).body["held"], 0);
    let offers = socket.log.iter().filter(|event| event["type"] == "offer").count();
    assert_eq!(offers, 1);
}
