//! Who gets a waiting conversation.

use std::time::Duration;

use colloquy_tests::Person;
use serde_json::{Value, json};

use crate::shop::{KERRY, Shop, kinds, path};

const CUSTOMERS: [&str; 4] = [KERRY, "4915112345678", "34600111222", "8613800138000"];

async fn held(person: &Person) -> Value {
    person.get("/v1/me").await.expect(200).body["held"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_idle_longest_gets_it() {
    let shop = Shop::open().await;
    let ann = shop.world.hire("Ann", json!({})).await;
    let mut at_ann = ann.come().await;
    shop.world.advance(Duration::from_secs(60));
    let mut at_li = shop.li.come().await;
    // Ann has been there longer; then Li has been idle longer; then Ann again.
    for (customer, next) in CUSTOMERS.into_iter().zip([true, false, true]) {
        shop.whatsapp.says(customer, "hello there").await;
        if next {
            at_ann.accept().await
        } else {
            at_li.accept().await
        };
        shop.world.quiet().await;
        shop.world.advance(Duration::from_secs(60));
    }
    assert_eq!((held(&ann).await, held(&shop.li).await), (json!(2), json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_more_than_they_have_room_for() {
    let shop = Shop::open_with(json!({"capacity": 2})).await;
    let mut socket = shop.li.come().await;
    let mut taken = Vec::new();
    for customer in &CUSTOMERS[..2] {
        shop.whatsapp.says(customer, "hello there").await;
        taken.push(socket.accept().await);
    }
    shop.whatsapp.says(CUSTOMERS[2], "me too").await;
    let waiting = shop.li.found("queue:que_general").await;
    shop.world.quiet().await;
    socket.ping().await;
    let offers = socket.log.iter().filter(|event| event["type"] == "offer").count();
    assert_eq!((offers, held(&shop.li).await), (2, json!(2)));
    assert!(waiting.get("offer").is_none());
    // As soon as one ends there is room.
    let _ = shop.li.put(&path(&taken[0], "/resolution"), json!({})).await.expect(202);
    assert_eq!(socket.accept().await, waiting["id"].as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declined_offer_goes_to_the_next_agent() {
    let shop = Shop::open().await;
    let ann = shop.world.hire("Ann", json!({})).await;
    let mut at_li = shop.li.come().await;
    shop.world.advance(Duration::from_secs(60));
    let mut at_ann = ann.come().await;
    shop.whatsapp.says(KERRY, "hello there").await;
    let conversation = at_li.offer().await;
    at_li.send(json!({"action": "decline", "conversation": conversation, "key": "no"})).await;
    assert_eq!(at_ann.accept().await, conversation);
    let entries = ann.entries(&conversation).await;
    let after = &kinds(&entries)[4..];
    assert_eq!(after, ["conversation.offered", "offer.declined", "conversation.offered", "conversation.assigned"],);
    shop.world.quiet().await;
    assert_eq!((held(&shop.li).await, held(&ann).await), (json!(0), json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_only_agent_declined_waits_until_they_come_back() {
    let shop = Shop::open().await;
    let mut socket = shop.li.come().await;
    shop.whatsapp.says(KERRY, "hello there").await;
    let conversation = socket.offer().await;
    socket.send(json!({"action": "decline", "conversation": conversation, "key": "no"})).await;
    shop.world.quiet().await;
    let entries = shop.li.entries(&conversation).await;
    assert_eq!(kinds(&entries)[4..], ["conversation.offered", "offer.declined"]);
    // Another conversation is theirs to take meanwhile.
    shop.whatsapp.says("4915550000077", "me too").await;
    assert_ne!(socket.offer().await, conversation);
    socket.presence("available").await;
    assert_eq!(socket.offer().await, conversation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_nobody_answers_goes_on_and_the_agent_counts_as_away() {
    let shop = Shop::open().await;
    let ann = shop.world.hire("Ann", json!({})).await;
    let mut at_li = shop.li.come().await;
    shop.world.advance(Duration::from_secs(60));
    let mut at_ann = ann.come().await;
    shop.whatsapp.says(KERRY, "hello there").await;
    let conversation = at_li.offer().await;
    let head = shop.li.head(&conversation).await;
    assert_eq!(head["offer"]["agent"], json!(shop.li.id));
    shop.world.quiet().await;
    shop.world.advance(Duration::from_secs(46));
    assert_eq!(at_ann.accept().await, conversation);
    at_li.wait("to be told", |event| event["type"] == "presence" && event["state"] == "away").await;
    assert_eq!(shop.li.get("/v1/me").await.expect(200).body["presence"], "away");
    assert!(kinds(&ann.entries(&conversation).await).contains(&"offer.expired"));
    // Too late is too late.
    let late = shop.li.post(&path(&conversation, "/offer"), json!({"accept": true})).await;
    assert_eq!(late.status, 403, "{}", late.text);
    shop.world.quiet().await;
    assert_eq!((held(&shop.li).await, held(&ann).await), (json!(0), json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_answers_an_offered_conversation_has_it() {
    let shop = Shop::open().await;
    let mut socket = shop.li.come().await;
    shop.whatsapp.says(KERRY, "hello there").await;
    let conversation = socket.offer().await;
    shop.li.say(&conversation, "good morning").await;
    let assigned = socket.entry(&conversation, "conversation.assigned").await;
    assert_eq!((&assigned["by"], &assigned["agent"]), (&json!("offer"), &json!(shop.li.id)));
    shop.platform.got("good morning").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_that_found_nobody_is_offered_to_the_next_who_comes() {
    let shop = Shop::open().await;
    let conversation = shop.wait().await;
    shop.world.quiet().await;
    assert!(shop.li.head(&conversation).await.get("offer").is_none());
    let mut socket = shop.li.come().await;
    assert_eq!(socket.accept().await, conversation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_longest_is_offered_first() {
    let shop = Shop::open_with(json!({"capacity": 1})).await;
    for customer in &CUSTOMERS[..3] {
        shop.whatsapp.says(customer, &format!("this is {customer}")).await;
        shop.world.quiet().await;
        shop.world.advance(Duration::from_secs(5));
    }
    let mut socket = shop.li.come().await;
    for customer in &CUSTOMERS[..3] {
        let conversation = socket.accept().await;
        let entries = shop.li.entries(&conversation).await;
        assert_eq!(entries[1]["text"], format!("this is {customer}"));
        let _ = shop.li.put(&path(&conversation, "/resolution"), json!({})).await.expect(202);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_that_accepts_at_once_has_it_without_asking() {
    let shop = Shop::open_with(json!({"auto_accept": true})).await;
    let mut socket = shop.li.come().await;
    shop.whatsapp.says(KERRY, "hello there").await;
    let is_theirs = |event: &Value| event["type"] == "entry" && event["entry"]["kind"] == "conversation.assigned";
    let assigned = socket.wait("the conversation", is_theirs).await;
    let conversation = assigned["conversation"].as_str().unwrap().to_owned();
    socket.ping().await;
    assert!(!socket.log.iter().any(|event| event["type"] == "offer"), "there is nothing to answer");
    assert_eq!(shop.li.head(&conversation).await["status"], "open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_is_busy_or_of_another_team_is_offered_nothing() {
    let shop = Shop::open().await;
    let stranger = shop.world.hire("Stranger", json!({"teams": []})).await;
    let (mut at_li, mut at_stranger) = (shop.li.connect().await, stranger.come().await);
    at_li.presence("busy").await;
    shop.wait().await;
    shop.world.quiet().await;
    for socket in [&mut at_li, &mut at_stranger] {
        socket.ping().await;
        assert!(!socket.log.iter().any(|event| event["type"] == "offer"));
    }
}
