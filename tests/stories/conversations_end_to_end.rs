//! A customer writes on each channel, an agent answers, the channel's API gets the answer.

use colloquy_tests::{Socket, World};
use serde_json::{Value, json};

use crate::shop::{KERRY, Shop, assert_numbered, kinds, path};

const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

/// Li sees what was said, accepts, answers and sees the answer; the answer's number.
async fn answer(li: &mut Socket, text: &str) -> (String, u64) {
    let conversation = li.offer().await;
    let seen = li.resume(&conversation, 0).await;
    assert_numbered(&seen, 1);
    assert_eq!(kinds(&seen)[..4], ["conversation.opened", "message", "message", "conversation.handed_off"]);
    assert_eq!((&seen[1]["author"], &seen[2]["author"]), (&json!("contact"), &json!("bot")));
    assert!(seen[1]["understanding"]["language"].is_string());
    li.send(json!({"action": "accept", "conversation": conversation, "key": "a"})).await;
    li.entry(&conversation, "conversation.assigned").await;
    li.send(json!({"action": "send", "conversation": conversation, "text": text, "key": "k"})).await;
    li.wait("the command to be taken", |event| event["type"] == "accepted" && event["key"] == "k").await;
    let said = li.words(text).await;
    assert_eq!((&said["author"], &said["key"]), (&json!("agent"), &json!("k")));
    let mut numbers = li.numbers(&conversation);
    numbers.sort_unstable();
    numbers.dedup();
    let last = said["seq"].as_u64().unwrap();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    (conversation, last)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_on_whatsapp_is_answered_through_the_cloud_api() {
    let shop = Shop::open().await;
    let mut li = shop.li.come().await;
    shop.whatsapp.says(KERRY, "Wo ist meine Bestellung geblieben?").await;
    let (conversation, seq) = answer(&mut li, "Sie kommt morgen 🎁").await;

    let call = shop.platform.got("Sie kommt morgen 🎁").await;
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/106540352242922/messages"));
    assert_eq!(call.header("authorization"), "Bearer whatsapp-access-token");
    assert_eq!(call.body["messaging_product"], "whatsapp");
    assert_eq!(call.body["recipient_type"], "individual");
    assert_eq!((&call.body["to"], &call.body["type"]), (&json!(KERRY), &json!("text")));
    assert!(call.body["biz_opaque_callback_data"].as_str().unwrap().starts_with(&conversation));
    li.delivery(seq, "sent").await;
    shop.li.delivered(&conversation, seq, "sent").await;
    // The bot's greeting went out too, before.
    let messages = shop.platform.messages();
    assert_eq!(messages.len(), 2);
    assert!(messages[0].text().starts_with("Hallo!"), "{}", messages[0].text());
    let head = shop.li.head(&conversation).await;
    assert_eq!((&head["status"], &head["holder"]["agent"]), (&json!("open"), &json!(shop.li.id)));
    assert_eq!((&head["language"], &head["may_write"]["allowed"]), (&json!("de"), &json!(true)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_delivered_never_overwrites_read() {
    let shop = Shop::open().await;
    let (mut li, conversation) = shop.talk().await;
    let seq = shop.li.say(&conversation, "here is your answer").await;
    let id = shop.platform.got("here is your answer").await.id;
    shop.li.delivered(&conversation, seq, "sent").await;
    shop.whatsapp.reports(&id, "read").await;
    li.resume(&conversation, 0).await;
    shop.li.delivered(&conversation, seq, "read").await;
    for late in ["delivered", "sent", "failed", "delivered"] {
        shop.whatsapp.reports(&id, late).await;
    }
    shop.world.quiet().await;
    assert_eq!(shop.li.delivery(&conversation, seq).await.unwrap()["state"], "read");
    assert!(!kinds(&shop.li.entries(&conversation).await).contains(&"delivery.failed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statuses_in_their_order_raise_a_message_step_by_step() {
    let shop = Shop::open().await;
    let (mut li, conversation) = shop.talk().await;
    li.resume(&conversation, 0).await;
    let seq = shop.li.say(&conversation, "one step after the other").await;
    let id = shop.platform.got("one step after the other").await.id;
    shop.li.delivered(&conversation, seq, "sent").await;
    for state in ["delivered", "read"] {
        shop.whatsapp.reports(&id, state).await;
        shop.li.delivered(&conversation, seq, state).await;
        li.delivery(seq, state).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_receipt_becomes_an_entry_with_its_reason() {
    let shop = Shop::open().await;
    let (mut li, conversation) = shop.talk().await;
    let seq = shop.li.say(&conversation, "does this reach you?").await;
    let id = shop.platform.got("does this reach you?").await.id;
    shop.li.delivered(&conversation, seq, "sent").await;
    shop.whatsapp.reports(&id, "failed").await;
    let failed = li.entry(&conversation, "delivery.failed").await;
    assert_eq!((&failed["message"], &failed["attempt"]), (&json!(seq), &json!(1)));
    assert!(failed["reason"].as_str().unwrap().contains("131026"), "{failed}");
    let delivery = shop.li.delivered(&conversation, seq, "failed").await;
    assert!(delivery["reason"].as_str().unwrap().contains("cannot receive"), "{delivery}");
    // The same receipt again says nothing new.
    shop.whatsapp.reports(&id, "failed").await;
    shop.world.quiet().await;
    let entries = shop.li.entries(&conversation).await;
    assert_eq!(kinds(&entries).iter().filter(|kind| **kind == "delivery.failed").count(), 1);
}

async fn on_wechat(aes_key: Option<&str>) {
    let world = Box::pin(World::start()).await;
    let platform = world.platform().await;
    let wechat = world.wechat(&platform, aes_key).await;
    let li = world.hire("Li", json!({})).await;
    let mut socket = li.come().await;
    wechat.says("oSnowy_1", "我的订单在哪里？").await;
    let (conversation, seq) = answer(&mut socket, "您好，明天送到 & <准时>").await;
    let call = platform.got("您好，明天送到 & <准时>").await;
    assert_eq!(call.path, "/cgi-bin/message/custom/send?access_token=token-1");
    let wanted: Value =
        json!({"touser": "oSnowy_1", "msgtype": "text", "text": {"content": "您好，明天送到 & <准时>"}});
    assert_eq!(call.body, wanted);
    assert!(call.raw.contains("您好"), "WeChat shows escapes as they are: {}", call.raw);
    socket.delivery(seq, "sent").await;
    assert_eq!(platform.token_calls().len(), 1);
    assert_eq!(li.head(&conversation).await["channel"], "wechat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_on_wechat_in_plain_mode_is_answered_by_customer_service_message() {
    on_wechat(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_on_wechat_in_safe_mode_is_answered_by_customer_service_message() {
    on_wechat(Some(AES_KEY)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_of_the_site_is_answered_over_their_socket() {
    let world = Box::pin(World::start()).await;
    let (inbox, li) = (world.web().await, world.hire("Li", json!({})).await);
    let mut socket = li.come().await;
    let visitor = world.visitor(&inbox, "Wren").await;
    let mut page = visitor.connect().await;
    page.send(json!({"action": "send", "text": "Do you ship to Norway?", "key": "v1"})).await;
    page.wait("the message to be taken", |event| event["type"] == "accepted" && event["key"] == "v1").await;
    let own = page.words("Do you ship to Norway?").await;
    assert!(own.get("understanding").is_none(), "{own}");

    let (conversation, seq) = answer(&mut socket, "We do, within a week.").await;
    let _ = li.post(&path(&conversation, "/notes"), json!({"text": "asks about Norway"})).await.expect(202);
    li.entry_after(&conversation, seq, "note").await;
    let said = page.words("We do, within a week.").await;
    assert_eq!(said["author"], "agent");
    page.ping().await;
    let shown: Vec<&Value> = page.log.iter().filter(|event| event["type"] == "entry").collect();
    assert!(shown.iter().all(|event| {
        ["message", "conversation.assigned", "conversation.resolved"]
            .contains(&event["entry"]["kind"].as_str().unwrap())
            && event.get("head").is_none()
            && event["entry"].get("understanding").is_none()
    }));
    assert!(!page.log.iter().any(|event| event.to_string().contains("asks about Norway")));
    // Seen by the visitor is seen.
    page.send(json!({"action": "seen", "seq": seq})).await;
    li.delivered(&conversation, seq, "read").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_without_websockets_is_answered_by_polling() {
    let world = Box::pin(World::start()).await;
    let (inbox, li) = (world.web().await, world.hire("Li", json!({})).await);
    let mut socket = li.come().await;
    let visitor = world.visitor(&inbox, "Wren").await;
    assert!(visitor.entries(0).await.is_empty());
    visitor.says("v1", "Do you ship to Norway?").await;
    visitor.says("v1", "Do you ship to Norway?").await;
    let (conversation, _) = answer(&mut socket, "We do, within a week.").await;
    let _ = li.post(&path(&conversation, "/notes"), json!({"text": "asks about Norway"})).await.expect(202);
    let said = visitor.sees("We do, within a week.").await;
    visitor.says("v2", "Thanks!").await;
    visitor.sees("Thanks!").await;
    let all = visitor.entries(0).await;
    assert_eq!(all.iter().filter(|entry| entry["text"] == "Do you ship to Norway?").count(), 1);
    assert!(!json!(all).to_string().contains("understanding") && !json!(all).to_string().contains("asks about"));
    assert_eq!(li.head(&conversation).await["name"], "Wren");
    let later = visitor.entries(said["seq"].as_u64().unwrap()).await;
    assert!(later.iter().all(|entry| entry["seq"].as_u64() > said["seq"].as_u64()), "{later:?}");
}
