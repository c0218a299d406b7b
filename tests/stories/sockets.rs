//! What came while nobody listened, and who may listen at all.

use std::time::Duration;

use colloquy_tests::Socket;
use serde_json::json;

use crate::shop::{KERRY, Shop, assert_numbered};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_dropped_connection_resume_delivers_exactly_what_was_missed() {
    let shop = Shop::open().await;
    let (mut socket, conversation) = shop.talk().await;
    let seen = socket.resume(&conversation, 0).await;
    assert_numbered(&seen, 1);
    let last = seen.last().unwrap()["seq"].as_u64().unwrap();
    socket.drop_dead();
    for number in 1..=3 {
        shop.whatsapp.says(KERRY, &format!("missed {number}")).await;
    }
    shop.world.quiet().await;
    let mut again = shop.li.connect().await;
    let missed = again.resume(&conversation, last).await;
    assert_numbered(&missed, last + 1);
    let texts: Vec<_> = missed.iter().filter_map(|entry| entry["text"].as_str()).collect();
    assert_eq!(texts, ["missed 1", "missed 2", "missed 3"]);
    // And from here on it is live, each number once.
    shop.whatsapp.says(KERRY, "live").await;
    again.words("live").await;
    let numbers = again.numbers(&conversation);
    assert_eq!(numbers, (last + 1..=last + 4).collect::<Vec<_>>());
    assert!(again.resume(&conversation, last + 4).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_come_during_a_resume_are_not_lost() {
    let shop = Shop::open().await;
    let (mut socket, conversation) = shop.talk().await;
    for number in 0..10 {
        shop.whatsapp.says(KERRY, &format!("word {number}")).await;
        if number == 4 {
            socket.send(json!({"action": "resume", "conversation": conversation, "after": 0})).await;
        }
    }
    socket.words("word 9").await;
    shop.world.quiet().await;
    socket.ping().await;
    let mut numbers = socket.numbers(&conversation);
    numbers.sort_unstable();
    numbers.dedup();
    let all = shop.li.entries(&conversation).await.len();
    assert_eq!(numbers.len(), all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_screen_of_an_agent_shows_the_same() {
    let shop = Shop::open().await;
    let (mut one, conversation) = shop.talk().await;
    let mut two = shop.li.connect().await;
    two.resume(&conversation, 0).await;
    one.send(json!({"action": "send", "conversation": conversation, "text": "from one", "key": "k"})).await;
    assert_eq!(one.words("from one").await, two.words("from one").await);
    // Left is left, though the holder is still told.
    two.send(json!({"action": "typing", "conversation": conversation})).await;
    one.resume(&conversation, 0).await;
    two.send(json!({"action": "typing", "conversation": conversation})).await;
    one.wait("typing", |event| event["type"] == "typing" && event["author"] == "agent").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_opens_one_socket_and_not_for_long() {
    let shop = Shop::open().await;
    let base = shop.world.base();
    let ticket = shop.li.ticket().await;
    let mut socket = Socket::open(&base, &ticket).await.ok().unwrap();
    socket.ping().await;
    assert!(matches!(Socket::open(&base, &ticket).await, Err(401 | 403)), "a ticket is good once");
    let ticket = shop.li.ticket().await;
    shop.world.advance(Duration::from_secs(61));
    assert!(matches!(Socket::open(&base, &ticket).await, Err(401 | 403)), "a ticket is good for a minute");
    for forged in ["", "x", "tkt_00000000"] {
        assert!(matches!(Socket::open(&base, forged).await, Err(401 | 403)), "{forged}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_role_closes_the_sockets_and_counts_within_five_seconds() {
    let shop = Shop::open().await;
    let sam = shop.world.hire("Sam", json!({"role": "supervisor"})).await;
    let (_at_li, conversation) = shop.talk().await;
    let mut at_sam = sam.connect().await;
    assert!(!at_sam.resume(&conversation, 0).await.is_empty());
    assert_eq!(sam.get("/v1/reports/overview").await.status, 200);
    let _ = shop.world.admin.put(&format!("/v1/agents/{}", sam.id), json!({"role": "agent"})).await.expect(200);
    at_sam.closed().await;
    shop.world.forget();
    assert_eq!(sam.get("/v1/reports/overview").await.status, 403);
    assert_eq!(sam.get(&format!("/v1/conversations/{conversation}")).await.status, 403);
    let mut again = sam.connect().await;
    again.send(json!({"action": "resume", "conversation": conversation, "after": 0})).await;
    assert_eq!(again.error().await["status"], 403);
    assert!(again.numbers(&conversation).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn someone_who_left_is_out_everywhere() {
    let shop = Shop::open().await;
    let mut socket = shop.li.come().await;
    let _ = shop.world.admin.put(&format!("/v1/agents/{}", shop.li.id), json!({"disabled": true})).await.expect(200);
    socket.closed().await;
    shop.world.forget();
    for path in ["/v1/me", "/v1/conversations?holder=me", "/v1/agents"] {
        assert_eq!(shop.li.get(path).await.status, 403, "{path}");
    }
    assert_eq!(shop.li.post("/v1/tickets", json!({})).await.status, 403);
    // And is offered nothing more.
    let conversation = shop.wait().await;
    shop.world.quiet().await;
    assert!(shop.world.admin.head(&conversation).await.get("offer").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_is_there_after_a_restart() {
    let mut shop = Shop::open().await;
    let (socket, conversation) = shop.talk().await;
    shop.li.say(&conversation, "before the restart").await;
    shop.platform.got("before the restart").await;
    shop.world.quiet().await;
    let before = shop.li.entries(&conversation).await;
    drop(socket);
    shop.world.restart().await;
    assert_eq!(shop.li.entries(&conversation).await, before);
    let mut socket = shop.li.connect().await;
    shop.whatsapp.says(KERRY, "after the restart").await;
    socket.words("after the restart").await;
    shop.world.quiet().await;
    assert_eq!(shop.platform.taken("before the restart"), 1);
}
