//! Who a visitor is, and what others may not see of them.

use colloquy_channels::web::identity_hash;
use colloquy_tests::{Visitor, World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_token_is_turned_away_and_another_visitors_path_is_forbidden() {
    let world = Box::pin(World::start()).await;
    let inbox = world.web().await;
    let (wren, robin) = (world.visitor(&inbox, "Wren").await, world.visitor(&inbox, "Robin").await);
    wren.says("1", "this is private").await;
    let (said, mark) = wren.token.split_once('.').unwrap();
    let flipped: String = mark.chars().rev().collect();
    for forged in ["", "x", &format!("{said}."), &format!("{said}.{flipped}"), &format!("{said}x.{mark}"), said] {
        assert_eq!(wren.get(&wren.id, forged, "entries").await.status, 401, "{forged}");
        let words = json!({"text": "hi", "key": "k"});
        assert_eq!(wren.post(&wren.id, forged, "messages", words).await.status, 401, "{forged}");
        assert_eq!(wren.post(&wren.id, forged, "tickets", json!({})).await.status, 401, "{forged}");
    }
    for rest in ["entries"] {
        let answer = robin.get(&wren.id, &robin.token, rest).await;
        assert_eq!(answer.status, 403);
        assert!(!answer.text.contains("private"));
    }
    let words = json!({"text": "hi", "key": "k"});
    assert_eq!(robin.post(&wren.id, &robin.token, "messages", words).await.status, 403);
    assert_eq!(robin.post(&wren.id, &robin.token, "tickets", json!({})).await.status, 403);
    assert!(robin.entries(0).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_who_returns_goes_on_where_they_were() {
    let world = Box::pin(World::start()).await;
    let inbox = world.web().await;
    let wren = world.visitor(&inbox, "Wren").await;
    wren.says("1", "first visit").await;
    wren.sees("first visit").await;
    let again = json!({"inbox": inbox, "token": wren.token});
    let answer = Visitor::try_arrive(&world.base(), &world.http, again).await.expect(200);
    assert_eq!(answer.body["visitor"], json!(wren.id));
    assert!(answer.body["conversation"].as_str().unwrap().starts_with("cnv_"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_site_vouches_for_its_own_users_and_nobody_else_can() {
    let world = Box::pin(World::start()).await;
    let inbox = world.web().await;
    let hash = identity_hash("site-secret", "user-7");
    let arrive = async |hash: &str| {
        let body = json!({"inbox": inbox, "identity": {"id": "user-7", "hash": hash, "name": "Wren"}});
        Visitor::try_arrive(&world.base(), &world.http, body).await
    };
    let (first, second) = (arrive(&hash).await.expect(200), arrive(&hash).await.expect(200));
    assert_eq!(first.body["visitor"], second.body["visitor"]);
    assert_eq!(arrive(&identity_hash("guessed", "user-7")).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_origin_is_kept_out() {
    let world = Box::pin(World::start()).await;
    let settings = json!({"allowed_origins": ["https://shop.example.com"]});
    let inbox = world.inbox("web", settings).await["id"].as_str().unwrap().to_owned();
    for (origin, status) in [("https://shop.example.com", 200), ("https://evil.example.com", 403)] {
        let request = world.http.post(world.host().url("/v1/visitors")).header("origin", origin);
        let answer = colloquy_tests::Answer::to(request.json(&json!({"inbox": inbox}))).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_visitor_writes_must_say_something_and_not_too_much() {
    let world = Box::pin(World::start()).await;
    let inbox = world.web().await;
    let wren = world.visitor(&inbox, "Wren").await;
    for (words, field) in [
        (json!({"text": " ", "key": "k"}), "text"),
        (json!({"text": "x".repeat(8_001), "key": "k"}), "text"),
        (json!({"text": "hi", "key": "no spaces"}), "key"),
        (json!({"text": "hi"}), "key"),
    ] {
        let answer = wren.post(&wren.id, &wren.token, "messages", words).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.detail().contains(field), "{}", answer.text);
    }
    let visitors = world.http.post(world.host().url("/v1/visitors")).body("{\"inbox\":");
    let answer = colloquy_tests::Answer::to(visitors).await;
    assert!((400..500).contains(&answer.status), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitors_socket_does_nothing_of_an_agents() {
    let world = Box::pin(World::start()).await;
    let inbox = world.web().await;
    let (wren, robin) = (world.visitor(&inbox, "Wren").await, world.visitor(&inbox, "Robin").await);
    wren.says("1", "this is private").await;
    let conversation = world.admin.found("queue:que_general").await["id"].as_str().unwrap().to_owned();
    let mut page = robin.connect().await;
    for frame in [
        json!({"action": "note", "conversation": conversation, "text": "x", "key": "k"}),
        json!({"action": "presence", "state": "available"}),
        json!({"action": "accept", "conversation": conversation}),
    ] {
        page.send(frame).await;
        assert_eq!(page.error().await["status"], 403);
    }
    // Naming another's conversation leads to one's own, which is not there.
    page.send(json!({"action": "resume", "conversation": conversation, "after": 0})).await;
    page.ping().await;
    assert!(!page.log.iter().any(|event| event.to_string().contains("private")));
}
