use std::collections::BTreeMap;

use colloquy_aws::insights::{Added, Fact, FactKey};

use crate::{World, conversation};

#[tokio::test]
async fn turns_are_counted_once_however_batches_are_cut() {
    let world = World::new();
    let insights = world.insights();
    let key = FactKey {
        day: "2026-11-23".to_owned(),
        hour: 8,
        inbox: "inb_web".parse().unwrap(),
        agent: Some("agt_li".parse().unwrap()),
        conversation: conversation("1"),
    };
    let counters = |messages: i64| BTreeMap::from([("messages_in".to_owned(), messages), ("resolved".to_owned(), 0)]);
    assert_eq!(insights.add(&key, 1, 3, &counters(3)).await.unwrap(), Added::Now);
    assert_eq!(insights.add(&key, 1, 3, &counters(3)).await.unwrap(), Added::Already(3));
    assert_eq!(insights.add(&key, 2, 5, &counters(4)).await.unwrap(), Added::Already(3));
    assert_eq!(insights.add(&key, 4, 5, &counters(2)).await.unwrap(), Added::Now);
    assert_eq!(insights.add(&key, 6, 6, &BTreeMap::new()).await.unwrap(), Added::Now);
    let bot = FactKey { agent: None, hour: 7, ..key.clone() };
    assert_eq!(insights.add(&bot, 1, 1, &counters(1)).await.unwrap(), Added::Now);
    let only = |messages| BTreeMap::from([("messages_in".to_owned(), messages)]);
    let expected = [Fact { key: bot, seq: 1, counters: only(1) }, Fact { key, seq: 6, counters: only(5) }];
    assert_eq!(insights.facts("2026-11-23").await.unwrap(), expected);
    assert!(insights.facts("2026-11-24").await.unwrap().is_empty());
}
