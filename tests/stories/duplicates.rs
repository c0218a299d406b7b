//! The same thing twice: from a platform that did not hear us, from an agent who pressed twice.

use std::time::Duration;

use serde_json::json;

use crate::shop::{KERRY, Shop, count, path};
use colloquy_tests::WhatsApp;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_comes_three_times_is_one_entry_also_eight_days_later() {
    let shop = Shop::open().await;
    let id = WhatsApp::id();
    for _ in 0..3 {
        shop.whatsapp.repeats(&id, KERRY, "once only").await;
    }
    let conversation = shop.world.admin.found("queue:que_general").await["id"].as_str().unwrap().to_owned();
    shop.world.quiet().await;
    let before = shop.world.admin.entries(&conversation).await;
    assert_eq!(count(&before, "once only"), 1);
    for later in [Duration::from_secs(400), DAY * 8] {
        shop.world.advance(later);
        shop.whatsapp.repeats(&id, KERRY, "once only").await;
        shop.world.quiet().await;
        assert_eq!(shop.world.admin.entries(&conversation).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_repeated_after_its_conversation_ended_begins_no_new_one() {
    let shop = Shop::open().await;
    let mut socket = shop.li.come().await;
    let id = WhatsApp::id();
    shop.whatsapp.repeats(&id, KERRY, "once only").await;
    let conversation = socket.accept().await;
    let ended = shop.li.put(&path(&conversation, "/resolution"), json!({})).await.expect(202);
    assert_eq!(shop.li.turn(&conversation, &ended).await["state"], "committed");
    let before = shop.li.entries(&conversation).await;
    for later in [Duration::from_secs(400), DAY * 8] {
        shop.world.advance(later);
        shop.whatsapp.repeats(&id, KERRY, "once only").await;
        shop.world.quiet().await;
        assert_eq!(shop.li.entries(&conversation).await, before);
        let running = shop.world.admin.get("/v1/conversations?holder=all").await.expect(200);
        assert!(running.items().is_empty(), "{}", running.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_agent_sends_twice_with_one_key_is_said_once() {
    let shop = Shop::open().await;
    let (mut socket, conversation) = shop.talk().await;
    let frame = json!({"action": "send", "conversation": conversation, "text": "said once", "key": "key-1"});
    for _ in 0..2 {
        socket.send(frame.clone()).await;
        socket.wait("the command to be taken", |event| event["type"] == "accepted" && event["key"] == "key-1").await;
    }
    let words = json!({"text": "said once"});
    let messages = path(&conversation, "/messages");
    let first = shop.li.post_once(&messages, "key-1", words.clone()).await.expect(202);
    let again = shop.li.post_once(&messages, "key-1", words.clone()).await.expect(202);
    assert_eq!(first.body, again.body);
    shop.li.turn(&conversation, &again).await;
    shop.world.quiet().await;
    assert_eq!(count(&shop.li.entries(&conversation).await, "said once"), 1);
    assert_eq!(shop.platform.taken("said once"), 1);

    // The queue forgets after five minutes, the head after a dozen turns; the conversation does not.
    for number in 0..14 {
        let note = json!({"text": format!("note {number}")});
        let note = shop.li.post(&path(&conversation, "/notes"), note).await.expect(202);
        shop.li.turn(&conversation, &note).await;
    }
    shop.world.advance(Duration::from_secs(400));
    let _ = shop.li.post_once(&messages, "key-1", words).await.expect(202);
    socket.send(frame).await;
    shop.world.quiet().await;
    assert_eq!(count(&shop.li.entries(&conversation).await, "said once"), 1);
    assert_eq!(shop.platform.taken("said once"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_words_with_another_key_are_said_again() {
    let shop = Shop::open().await;
    let (_socket, conversation) = shop.talk().await;
    for key in ["key-1", "key-2"] {
        let words = json!({"text": "said twice"});
        let answer = shop.li.post_once(&path(&conversation, "/messages"), key, words).await.expect(202);
        shop.li.turn(&conversation, &answer).await;
    }
    shop.platform.came("said twice", 2).await;
    assert_eq!(count(&shop.li.entries(&conversation).await, "said twice"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_of_two_visitors_is_two_messages() {
    let shop = Shop::open().await;
    let inbox = shop.world.web().await;
    for name in ["Wren", "Robin"] {
        let visitor = shop.world.visitor(&inbox, name).await;
        visitor.says("1", &format!("I am {name}")).await;
        visitor.sees(&format!("I am {name}")).await;
    }
}
