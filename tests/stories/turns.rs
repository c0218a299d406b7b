//! What becomes of what an agent asks for: pending, committed, refused.

use serde_json::json;

use crate::shop::{Shop, count, path};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_is_pending_then_committed_with_its_number() {
    let shop = Shop::open().await;
    let (_socket, conversation) = shop.talk().await;
    let unknown = shop.li.get(&path(&conversation, "/turns/trn_00000000000000000000000000")).await.expect(200);
    assert_eq!(unknown.body["state"], "pending");
    assert_eq!(shop.li.get(&path(&conversation, "/turns/nonsense")).await.status, 404);
    let answer = shop.li.post(&path(&conversation, "/messages"), json!({"text": "hello"})).await.expect(202);
    let turn = shop.li.turn(&conversation, &answer).await;
    let said = shop.li.entries(&conversation).await.into_iter().find(|entry| entry["text"] == "hello").unwrap();
    assert_eq!((&turn["state"], &turn["seq"]), (&json!("committed"), &said["seq"]));
    assert_eq!(turn["turn"], answer.body["turn"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_turn_says_why_over_rest_and_to_the_socket_that_sent_it() {
    let shop = Shop::open().await;
    let sam = shop.world.hire("Sam", json!({"role": "supervisor"})).await;
    let (_socket, conversation) = shop.talk().await;
    // A supervisor sees it, and speaks for nobody who has it.
    let answer = shop.world_says(&sam, &conversation, "excuse me").await;
    let refused = sam.turn(&conversation, &answer).await;
    assert_eq!((&refused["state"], &refused["code"]), (&json!("refused"), &json!("held_by_other")));
    assert!(refused["detail"].as_str().unwrap().contains(&shop.li.id));

    let mut at_sam = sam.connect().await;
    at_sam.send(json!({"action": "send", "conversation": conversation, "text": "excuse me", "key": "my-key"})).await;
    let error = at_sam.error().await;
    assert_eq!((&error["key"], &error["code"]), (&json!("my-key"), &json!("held_by_other")));
    assert_eq!((&error["status"], &error["conversation"]), (&json!(409), &json!(conversation)));
    assert_eq!(count(&shop.li.entries(&conversation).await, "excuse me"), 0);
    assert_eq!(shop.platform.taken("excuse me"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_is_wrong_comes_back_with_its_key() {
    let shop = Shop::open().await;
    let (mut socket, conversation) = shop.talk().await;
    for (frame, status) in [
        (json!({"action": "send", "conversation": conversation, "text": "  ", "key": "k1"}), 422),
        (json!({"action": "send", "conversation": "cnv_nowhere", "text": "hi", "key": "k2"}), 404),
        (json!({"action": "send", "conversation": conversation, "text": "x".repeat(10_001), "key": "k3"}), 422),
        (json!({"action": "dance", "key": "k4"}), 422),
        (json!({"action": "send", "text": "to whom?", "key": "k5"}), 422),
    ] {
        socket.send(frame.clone()).await;
        let error = socket.error().await;
        assert_eq!((&error["status"], &error["key"]), (&json!(status), &frame["key"]), "{error}");
        assert!(!error["detail"].as_str().unwrap().is_empty());
    }
    // And the socket goes on.
    socket.ping().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_wrong_is_a_problem_document_that_says_how() {
    let shop = Shop::open().await;
    let (_socket, conversation) = shop.talk().await;
    let at = |rest: &str| path(&conversation, rest);
    for (answer, status, named) in [
        (shop.li.post(&at("/messages"), json!({"text": ""})).await, 422, "text"),
        (shop.li.post(&at("/messages"), json!({"words": "hi"})).await, 422, "text"),
        (shop.li.post_once(&at("/messages"), "two words", json!({"text": "hi"})).await, 422, "key"),
        (shop.li.get(&at("/entries?after=minus")).await, 422, "after"),
        (shop.li.get("/v1/conversations?holder=someone").await, 422, "holder"),
        (shop.li.get("/v1/conversations?status=odd").await, 422, "status"),
        (shop.li.get("/v1/conversations?cursor=odd").await, 422, "cursor"),
        (shop.li.get("/v1/conversations/cnv_nowhere").await, 404, "conversation"),
        (shop.li.post(&at("/messages/9999/retries"), json!({})).await, 404, "message"),
        (shop.li.get("/v1/contacts/cnt_nobody").await, 404, "contact"),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.body["status"], status);
        assert!(answer.body["title"].is_string() && answer.body["type"].is_string());
        assert!(answer.detail().contains(named), "{named}: {}", answer.text);
    }
}
