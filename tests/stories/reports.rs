//! Figures are sums of what the timelines say, however the stream was cut and repeated.

use std::{collections::BTreeMap, time::Duration};

use colloquy_aws::Insights;
use colloquy_domain::{Committed, Entry, Head, Timestamp, TurnId, insight};
use serde_json::{Value, json};

use crate::shop::{KERRY, Shop, path};

type Sums = BTreeMap<String, i64>;

/// What the timeline of a conversation adds up to, entry by entry.
fn recomputed(head: &Value, entries: &[Value], sums: &mut Sums) {
    let id = head["id"].as_str().unwrap().parse().unwrap();
    let mut before: Option<Head> = None;
    for entry in entries {
        let entry: Entry = serde_json::from_value(entry.clone()).unwrap();
        let after = match before.clone() {
            Some(mut head) => {
                head.apply(&entry);
                head
            }
            None => Head::open(colloquy_domain::ConversationId::clone(&id), &entry).unwrap(),
        };
        let key = TurnId::derive(entry.at, b"recomputed");
        let committed = Committed { key, remembered: false, entries: vec![entry], effects: Vec::new() };
        for (name, amount) in insight::facts(before.as_ref(), &committed, &after).counts {
            *sums.entry(name).or_default() += amount;
        }
        before = Some(after);
    }
}

/// What the insights table says, all in all.
async fn counted(shop: &Shop) -> Sums {
    let host = shop.world.host();
    let insights = Insights::new(host.clients(), host.configuration().required("INSIGHTS_TABLE").unwrap());
    let mut sums = Sums::new();
    let day_ms = 86_400_000;
    for back in 0..5 {
        let day = Timestamp::from_ms(shop.world.clock.ms() - back * day_ms).day();
        for fact in insights.facts(&day).await.unwrap() {
            for (name, amount) in fact.counters {
                *sums.entry(name).or_default() += amount;
            }
        }
    }
    sums.retain(|_, amount| *amount != 0);
    sums
}

/// Three conversations with a bit of everything; their ids.
async fn some_days(shop: &Shop) -> Vec<String> {
    let mut socket = shop.li.come().await;
    let mut conversations = Vec::new();
    for customer in [KERRY, "4915112345678", "34600111222"] {
        shop.whatsapp.says(customer, "hello there").await;
        let conversation = socket.accept().await;
        shop.world.advance(Duration::from_secs(90));
        shop.li.say(&conversation, "good morning").await;
        shop.whatsapp.says(customer, "thanks").await;
        socket.words("thanks").await;
        let _ = shop.li.post(&path(&conversation, "/notes"), json!({"text": "polite"})).await.expect(202);
        shop.world.advance(Duration::from_secs(600));
        shop.li.say(&conversation, "you are welcome").await;
        let ended = shop.li.put(&path(&conversation, "/resolution"), json!({})).await.expect(202);
        shop.li.turn(&conversation, &ended).await;
        conversations.push(conversation);
    }
    shop.whatsapp.says(KERRY, "one more question").await;
    assert_eq!(socket.accept().await, conversations[0]);
    let reopened = shop.li.delete(&path(&conversations[1], "/resolution")).await.expect(202);
    shop.li.turn(&conversations[1], &reopened).await;
    shop.world.quiet().await;
    conversations
}

async fn expected(shop: &Shop, conversations: &[String]) -> Sums {
    let mut sums = Sums::new();
    for conversation in conversations {
        let entries = shop.world.admin.entries(conversation).await;
        recomputed(&shop.world.admin.head(conversation).await, &entries, &mut sums);
    }
    sums.retain(|_, amount| *amount != 0);
    sums
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_are_exact_however_the_stream_is_cut_and_repeated() {
    let shop = Shop::open().await;
    let conversations = some_days(&shop).await;
    let wanted = expected(&shop, &conversations).await;
    assert_eq!((wanted["conversations"], wanted["messages_in"], wanted["resolved"]), (4, 7, 3));
    colloquy_tests::eventually("all turns to be counted", async || (counted(&shop).await == wanted).then_some(()))
        .await;

    let records = shop.world.recorder.records("rollup");
    assert!(records.len() > 10);
    for size in [records.len(), 1, 2, 3, 7] {
        for slice in records.chunks(size) {
            let answer = shop.world.invoke("Rollup", json!({"Records": slice})).await;
            assert_eq!(answer["batchItemFailures"], json!([]));
        }
        assert_eq!(counted(&shop).await, wanted, "in slices of {size}");
    }
    // Taken up again from anywhere.
    for from in (0..records.len()).step_by(3) {
        shop.world.invoke("Rollup", json!({"Records": records[from..]})).await;
    }
    assert_eq!(counted(&shop).await, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_shows_the_same_sums_by_day_hour_inbox_and_agent() {
    let shop = Shop::open().await;
    let conversations = some_days(&shop).await;
    let wanted = expected(&shop, &conversations).await;
    colloquy_tests::eventually("all turns to be counted", async || (counted(&shop).await == wanted).then_some(()))
        .await;
    for by in ["day", "hour", "inbox", "agent"] {
        let report = shop.world.admin.get(&format!("/v1/reports/overview?by={by}")).await.expect(200).body;
        for name in ["conversations", "messages_in", "messages_out", "messages_bot", "resolved"] {
            assert_eq!(report["total"][name], json!(wanted[name]), "{name} by {by}");
        }
        let mean = wanted["first_response_ms"] / wanted["first_responses"];
        assert_eq!(report["total"]["first_response_ms"], json!({"count": wanted["first_responses"], "mean": mean}));
        assert!(mean >= 90_000, "{mean}");
        if by != "agent" {
            let rows = report["rows"].as_array().unwrap().iter();
            let sum: i64 = rows.map(|row| row["messages_in"].as_i64().unwrap()).sum();
            assert_eq!(sum, wanted["messages_in"], "rows by {by}");
        }
    }
    for (query, named) in [("by=moon", "by"), ("from=yesterday", "from"), ("from=2026-02-01&to=2026-01-01", "from")] {
        let answer = shop.world.admin.get(&format!("/v1/reports/overview?{query}")).await.expect(422);
        assert!(answer.detail().contains(named), "{}", answer.text);
    }
}
