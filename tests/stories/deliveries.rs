//! A channel's API that is slow, busy, broken or gone: repeated where that is safe, honest where it is not, never twice.

use std::time::Duration;

use colloquy_tests::{Fault, Platform};
use serde_json::{Value, json};

use crate::shop::{Shop, kinds, path};

const SECOND: Duration = Duration::from_secs(1);

/// Li says something that meets this fault first; the shop, the conversation and its number.
async fn said_into(fault: Fault, text: &str) -> (Shop, String, u64) {
    let shop = Shop::open().await;
    let (_, conversation) = shop.talk().await;
    shop.world.quiet().await;
    shop.platform.fail(fault);
    let seq = shop.li.say(&conversation, text).await;
    (shop, conversation, seq)
}

/// Lets time pass until a message stands so.
async fn until(shop: &Shop, conversation: &str, seq: u64, state: &str) -> Value {
    shop.world
        .until(&format!("entry {seq} to be {state}"), SECOND, async || {
            shop.li.delivery(conversation, seq).await.filter(|delivery| delivery["state"] == state)
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_asks_to_wait_is_left_alone_that_long_and_then_gets_it_once() {
    let (shop, conversation, seq) = said_into(Fault::Status(429, Some(30), Value::Null), "patience").await;
    until(&shop, &conversation, seq, "sent").await;
    let calls = shop.platform.came("patience", 2).await;
    assert_eq!((calls.len(), shop.platform.taken("patience")), (2, 1));
    let waited_ms = calls[1].at_ms - calls[0].at_ms;
    assert!(waited_ms >= 30_000, "{waited_ms}");
    assert_eq!(calls[0].body["biz_opaque_callback_data"], calls[1].body["biz_opaque_callback_data"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_with_a_fault_gets_it_again_and_takes_it_once() {
    let (shop, conversation, seq) = said_into(Fault::Status(500, None, Value::Null), "once more").await;
    shop.platform.fail(Fault::Status(503, None, Value::Null));
    until(&shop, &conversation, seq, "sent").await;
    assert_eq!((shop.platform.came("once more", 3).await.len(), shop.platform.taken("once more")), (3, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_cannot_be_reached_gets_it_when_it_is_back() {
    let shop = Shop::open().await;
    let (_, conversation) = shop.talk().await;
    shop.world.quiet().await;
    let port = shop.platform.port();
    let Shop { world, platform, whatsapp, li } = shop;
    drop(platform);
    let seq = li.say(&conversation, "are you there").await;
    // Refused at least once before anybody is there again.
    colloquy_tests::eventually("sending to be put off", async || {
        let deferred = world.host().engine().queues().depths();
        let tried = world
            .recorder
            .records("deliver")
            .iter()
            .any(|record| record["eventSourceARN"].as_str().unwrap().ends_with("outbound.fifo"));
        (tried && deferred["outbound.fifo"].in_flight > 0).then_some(())
    })
    .await;
    let shop = Shop { platform: Platform::on(&world.clock, port).await, world, whatsapp, li };
    until(&shop, &conversation, seq, "sent").await;
    assert_eq!(shop.platform.taken("are you there"), 1);
}

/// What nobody can know is said to be so, is not repeated unasked, and can be sent again by an agent, once.
async fn in_doubt(fault: Fault) {
    let (shop, conversation, seq) = said_into(fault, "did it arrive").await;
    let delivery = shop.li.delivered(&conversation, seq, "unknown").await;
    assert!(!delivery["reason"].as_str().unwrap().is_empty());
    let entry = shop.li.entry_after(&conversation, seq, "delivery.unknown").await;
    assert_eq!((&entry["message"], &entry["attempt"]), (&json!(seq), &json!(1)));
    shop.world.quiet().await;
    shop.world.advance(Duration::from_secs(1_000));
    shop.world.sweep().await;
    shop.world.quiet().await;
    assert_eq!(shop.platform.came("did it arrive", 1).await.len(), 1);

    // Three presses of the button are one.
    let retries = path(&conversation, &format!("/messages/{seq}/retries"));
    let answers = [
        shop.li.post(&retries, json!({})).await,
        shop.li.post(&retries, json!({})).await,
        shop.li.post(&retries, json!({})).await,
    ];
    let turns: Vec<Value> =
        answers.iter().filter(|answer| answer.status == 202).map(|answer| answer.body.clone()).collect();
    assert!(turns.iter().all(|turn| *turn == turns[0]) && !turns.is_empty());
    assert!(answers.iter().all(|answer| matches!(answer.status, 202 | 409)));
    let delivery = shop.li.delivered(&conversation, seq, "sent").await;
    assert_eq!(delivery["attempt"], 2);
    shop.world.quiet().await;
    assert_eq!((shop.platform.came("did it arrive", 2).await.len(), shop.platform.taken("did it arrive")), (2, 1));
    let entries = shop.li.entries(&conversation).await;
    assert_eq!(kinds(&entries).iter().filter(|kind| **kind == "delivery.retried").count(), 1);
    // What has arrived is not sent again.
    assert_eq!(shop.li.post(&retries, json!({})).await.status, 409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_never_answers_leaves_it_unknown() {
    in_doubt(Fault::Hang).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_after_the_request_leaves_it_unknown() {
    in_doubt(Fault::Close).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_within_the_answer_leaves_it_unknown() {
    in_doubt(Fault::CloseMidway).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_does_not_know_leaves_it_unknown() {
    in_doubt(Fault::Status(504, None, Value::Null)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_settles_what_was_unknown() {
    let (shop, conversation, seq) = said_into(Fault::Status(502, None, Value::Null), "lost and found").await;
    shop.li.delivered(&conversation, seq, "unknown").await;
    // The platform took it after all; its receipt does not name an id that we know, so it stays in doubt.
    shop.whatsapp.reports("wamid.never-seen", "delivered").await;
    shop.world.quiet().await;
    assert_eq!(shop.li.delivery(&conversation, seq).await.unwrap()["state"], "unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_becomes_an_entry_in_words_and_can_be_sent_again() {
    let error = json!({"error": {"code": 131_047, "message": "(#131047) Re-engagement message"}});
    let (shop, conversation, seq) = said_into(Fault::Status(400, None, error), "too late").await;
    let entry = shop.li.entry_after(&conversation, seq, "delivery.failed").await;
    assert!(entry["reason"].as_str().unwrap().contains("24-hour window"), "{entry}");
    assert_eq!(shop.li.delivered(&conversation, seq, "failed").await["attempt"], 1);
    let _ = shop.li.post(&path(&conversation, &format!("/messages/{seq}/retries")), json!({})).await.expect(202);
    shop.li.delivered(&conversation, seq, "sent").await;
    assert_eq!(shop.platform.taken("too late"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_is_never_well_gets_no_more_after_eight_tries() {
    let (shop, conversation, seq) = said_into(Fault::Status(500, None, Value::Null), "hopeless").await;
    for _ in 0..20 {
        shop.platform.fail(Fault::Status(500, None, Value::Null));
    }
    let delivery = shop
        .world
        .until("giving up", Duration::from_secs(40), async || {
            shop.li.delivery(&conversation, seq).await.filter(|delivery| delivery["state"] == "failed")
        })
        .await;
    assert!(delivery["reason"].as_str().unwrap().contains("8 tries"), "{delivery}");
    assert_eq!(shop.platform.came("hopeless", 8).await.len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_later_waits_behind_what_is_put_off() {
    let (shop, conversation, _) = said_into(Fault::Status(429, Some(20), Value::Null), "first").await;
    shop.platform.came("first", 1).await;
    shop.li.say(&conversation, "second").await;
    let seq = shop.li.say(&conversation, "third").await;
    until(&shop, &conversation, seq, "sent").await;
    let taken: Vec<String> =
        shop.platform.messages().iter().filter(|call| call.taken).map(|call| call.text().to_owned()).collect();
    assert_eq!(taken[1..], ["first", "second", "third"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_customers_trouble_holds_up_nobody_else() {
    let (shop, _, _) = said_into(Fault::Status(429, Some(600), Value::Null), "stuck").await;
    shop.platform.came("stuck", 1).await;
    shop.whatsapp.says("4915112345678", "hello from elsewhere").await;
    let greeted = colloquy_tests::eventually("the other customer to be greeted", async || {
        shop.platform.messages().into_iter().find(|call| call.body["to"] == "4915112345678")
    })
    .await;
    assert!(greeted.taken);
    assert_eq!(shop.platform.taken("stuck"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_answer_goes_in_parts_and_in_order() {
    let shop = Shop::open().await;
    let (_, conversation) = shop.talk().await;
    let text: String = (0..900).map(|number| format!("word{number:04} ")).collect();
    let seq = shop.li.say(&conversation, &text).await;
    shop.li.delivered(&conversation, seq, "sent").await;
    let parts: Vec<String> = shop.platform.messages()[1..].iter().map(|call| call.text().to_owned()).collect();
    assert!(parts.len() > 1 && parts.iter().all(|part| part.chars().count() <= 4_096));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&parts.join(" ")), words(&text));
}
