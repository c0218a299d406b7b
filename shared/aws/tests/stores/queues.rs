use std::time::Duration;

use colloquy_aws::{
    StoreError,
    queues::{self, Outgoing},
};
use serde_json::Value;

use crate::World;

fn receive(world: &World, queue: &str) -> Vec<(String, String, String)> {
    let received = world.engine.queues().receive(queue, 10, Some(Duration::from_secs(30))).unwrap();
    let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
    received
        .into_iter()
        .map(|received| (text(&received.record, "body"), text(&received.record, "eventSourceARN"), received.handle))
        .collect()
}

#[tokio::test]
async fn a_body_is_sealed_on_the_queue_and_opens_for_its_receiver() {
    let world = World::new();
    let queue = world.queue("turns.fifo");
    queue.send("thr_1", "trn_1", &"a secret word").await.unwrap();
    queue.send("thr_1", "trn_1", &"a secret word").await.unwrap();
    let received = receive(&world, "turns.fifo");
    assert_eq!(received.len(), 1, "one deduplication id is one message");
    let (body, arn, _) = &received[0];
    assert!(body.starts_with("{\"v\":1,\"key\":\"2026-11-23\",\"sealed\":\"") && !body.contains("secret"));
    assert_eq!(queues::open::<String>(&world.vault(), arn, body).await.unwrap(), "a secret word");
    assert_eq!(world.queue("turns.fifo").open::<String>(body).await.unwrap(), "a secret word");
}

#[tokio::test]
async fn a_body_from_elsewhere_or_changed_is_refused() {
    let world = World::new();
    world.queue("turns.fifo").send("thr_1", "trn_1", &"words").await.unwrap();
    let (body, ..) = receive(&world, "turns.fifo").remove(0);
    let outbound = world.queue("outbound.fifo");
    let changed = body.replace("\"v\":1", "\"v\":2");
    for bad in [body.as_str(), changed.as_str(), "", "{}", "{\"v\":1,\"key\":\"../../x\",\"sealed\":\"\"}"] {
        assert!(matches!(outbound.open::<String>(bad).await, Err(StoreError::Corrupt(_))), "{bad}");
    }
    assert!(matches!(world.queue("turns.fifo").open::<u8>(&body).await, Err(StoreError::Corrupt(_))));
    world.pass(15 * 86_400);
    assert_eq!(world.queue("turns.fifo").open::<String>(&body).await, Err(StoreError::Erased));
}

#[tokio::test]
async fn a_large_batch_arrives_whole_and_in_order() {
    let world = World::new();
    let queue = world.queue("turns.fifo");
    let message = |at: usize| Outgoing { group: "thr_1".to_owned(), dedup: format!("trn_{at}"), body: at };
    queue.send_batch(&(0..23).map(message).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(world.engine.ledger().calls("sqs", "SendMessageBatch"), 3);
    let mut all = Vec::new();
    loop {
        let received = receive(&world, "turns.fifo");
        if received.is_empty() {
            break;
        }
        let mut handles = Vec::new();
        for (body, _, handle) in received {
            all.push(queue.open::<usize>(&body).await.unwrap());
            handles.push(handle);
        }
        world.engine.queues().delete("turns.fifo", &handles).unwrap();
    }
    assert_eq!(all, (0..23).collect::<Vec<_>>());
    queue.send_batch::<usize>(&[]).await.unwrap();
}

#[tokio::test]
async fn a_body_too_large_is_refused_before_anything_is_sent() {
    let world = World::new();
    let queue = world.queue("turns.fifo");
    let message = |size: usize| Outgoing { group: "g".to_owned(), dedup: size.to_string(), body: "x".repeat(size) };
    let refused = queue.send_batch(&[message(1), message(queues::BODY_MAX)]).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))));
    assert!(receive(&world, "turns.fifo").is_empty());
    assert!(matches!(queue.send("g", "d", &"x".repeat(queues::BODY_MAX)).await, Err(StoreError::Invalid(_))));
}

#[tokio::test]
async fn a_message_may_come_later_and_be_put_off() {
    let world = World::new();
    let queue = world.queue("timers");
    queue.send_standard(&1, 0).await.unwrap();
    queue.send_standard(&2, 90).await.unwrap();
    let first = receive(&world, "timers");
    assert_eq!(first.len(), 1);
    queue.defer(&first[0].2, 200).await.unwrap();
    world.pass(90);
    let second = receive(&world, "timers");
    assert_eq!(second.len(), 1);
    assert_eq!(queue.open::<u8>(&second[0].0).await.unwrap(), 2);
    world.engine.queues().delete("timers", &[second[0].2.clone()]).unwrap();
    world.pass(110);
    assert_eq!(queue.open::<u8>(&receive(&world, "timers")[0].0).await.unwrap(), 1);
}
