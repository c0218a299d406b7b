//! WeChat's access token: fetched once, kept, renewed before it ends and when it is refused.

use std::time::Duration;

use colloquy_tests::{Fault, Person, Platform, WeChat, World};
use serde_json::{Value, json};

struct Account {
    world: World,
    platform: Platform,
    wechat: WeChat,
    li: Person,
    conversation: String,
}

/// A customer on WeChat whom Li talks to; the bot's greeting has gone out.
async fn talking() -> Account {
    let world = Box::pin(World::start()).await;
    let platform = world.platform().await;
    let wechat = world.wechat(&platform, None).await;
    let li = world.hire("Li", json!({})).await;
    let mut socket = li.come().await;
    wechat.says("oSnowy_1", "在吗").await;
    let conversation = socket.accept().await;
    world.quiet().await;
    Account { world, platform, wechat, li, conversation }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_token_serves_many_messages() {
    let account = talking().await;
    for text in ["一", "二", "三"] {
        let seq = account.li.say(&account.conversation, text).await;
        account.li.delivered(&account.conversation, seq, "sent").await;
    }
    let calls = account.platform.token_calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].path, "/cgi-bin/stable_token");
    assert_eq!(calls[0].body["appid"], "wx5823bf96d3bd56c7");
    assert_eq!(account.platform.messages().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_wechat_refuses_is_renewed_and_the_message_goes_once() {
    let account = talking().await;
    account.platform.change_token("token-2");
    let seq = account.li.say(&account.conversation, "您好").await;
    account.li.delivered(&account.conversation, seq, "sent").await;
    assert_eq!(account.platform.taken("您好"), 1);
    let calls = account.platform.came("您好", 2).await;
    assert!(calls[0].path.ends_with("=token-1") && calls[1].path.ends_with("=token-2"));
    assert_eq!(account.platform.token_calls().len(), 2);
    let seq = account.li.say(&account.conversation, "再见").await;
    account.li.delivered(&account.conversation, seq, "sent").await;
    assert_eq!(account.platform.token_calls().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_renewed_before_it_ends() {
    let account = talking().await;
    account.world.advance(Duration::from_secs(6_800));
    let seq = account.li.say(&account.conversation, "还在").await;
    account.li.delivered(&account.conversation, seq, "sent").await;
    assert_eq!(account.platform.token_calls().len(), 1);
    account.world.advance(Duration::from_secs(200));
    let seq = account.li.say(&account.conversation, "马上").await;
    account.li.delivered(&account.conversation, seq, "sent").await;
    assert_eq!(account.platform.token_calls().len(), 2, "200 seconds before its end it is fetched anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_cannot_be_had_now_is_asked_for_again_and_the_message_goes_once() {
    let account = talking().await;
    account.platform.change_token("token-2");
    account.platform.fail_token(Fault::Status(500, None, Value::Null));
    account.platform.fail_token(Fault::Status(200, None, json!({"errcode": -1, "errmsg": "system error"})));
    let seq = account.li.say(&account.conversation, "您好").await;
    account
        .world
        .until("the message to be sent", Duration::from_secs(1), async || {
            let delivery = account.li.delivery(&account.conversation, seq).await;
            delivery.filter(|delivery| delivery["state"] == "sent")
        })
        .await;
    assert_eq!(account.platform.taken("您好"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sixth_answer_without_a_word_from_the_customer_is_refused_in_words() {
    let account = talking().await;
    let messages = format!("/v1/conversations/{}/messages", account.conversation);
    for number in 2..=5 {
        account.li.say(&account.conversation, &format!("answer {number}")).await;
    }
    let refused = account.li.post(&messages, json!({"text": "answer 6"})).await.expect(422);
    assert!(refused.detail().contains("all 5 messages"), "{}", refused.text);
    let head = account.li.head(&account.conversation).await;
    assert_eq!(head["may_write"]["allowed"], false);
    account.wechat.says("oSnowy_1", "谢谢").await;
    account.world.quiet().await;
    account.li.say(&account.conversation, "answer 6").await;
    account.platform.got("answer 6").await;
}
