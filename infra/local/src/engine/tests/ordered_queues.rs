use std::time::Duration;

use super::Bench;
use crate::engine::queues::{QueueSpec, Received, Redrive};

const TURNS: &str = "turns.fifo";

fn create(bench: &Bench) {
    bench.engine.queues().create(&QueueSpec::new("letters.fifo")).unwrap();
    let mut turns = QueueSpec::new(TURNS);
    turns.deduplication_per_group = true;
    let dead_letter_arn = QueueSpec::new("letters.fifo").arn();
    turns.redrive = Some(Redrive { dead_letter_arn, max_receive_count: 2 });
    bench.engine.queues().create(&turns).unwrap();
}

async fn send(bench: &Bench, group: &str, body: &str) -> String {
    send_as(bench, TURNS, group, body, body).await
}

async fn send_as(bench: &Bench, queue: &str, group: &str, body: &str, key: &str) -> String {
    let send = bench.sqs().send_message().queue_url(QueueSpec::new(queue).url()).message_body(body);
    let sent = send.message_group_id(group).message_deduplication_id(key).send().await.unwrap();
    sent.sequence_number.unwrap()
}

fn receive(bench: &Bench, max: usize) -> Vec<Received> {
    bench.engine.queues().receive(TURNS, max, None).unwrap()
}

fn bodies(received: &[Received]) -> Vec<&str> {
    received.iter().map(|received| received.record["body"].as_str().unwrap()).collect()
}

fn handles(received: &[Received]) -> Vec<String> {
    received.iter().map(|received| received.handle.clone()).collect()
}

#[tokio::test]
async fn a_group_is_received_in_order_and_locked_while_any_of_it_is_in_flight() {
    let bench = Bench::new();
    create(&bench);
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3"), ("b", "b2")] {
        send(&bench, group, body).await;
    }
    let first = receive(&bench, 2);
    assert_eq!(bodies(&first), ["a1", "a2"]);
    let second = receive(&bench, 10);
    assert_eq!(bodies(&second), ["b1", "b2"]);
    assert!(receive(&bench, 10).is_empty());
    let queues = bench.engine.queues();
    queues.delete(TURNS, &handles(&first[..1])).unwrap();
    assert!(receive(&bench, 10).is_empty());
    queues.delete(TURNS, &handles(&first[1..])).unwrap();
    assert_eq!(bodies(&receive(&bench, 10)), ["a3"]);
}

#[tokio::test]
async fn a_message_that_was_let_go_comes_again_before_those_behind_it() {
    let bench = Bench::new();
    create(&bench);
    for body in ["1", "2", "3"] {
        send(&bench, "a", body).await;
    }
    let both = receive(&bench, 2);
    bench.engine.queues().release(TURNS, &handles(&both), Duration::ZERO).unwrap();
    assert_eq!(bodies(&receive(&bench, 10)), ["1", "2", "3"]);
    bench.pass(30);
    // The two were received twice already and go to the dead letters; the third goes on.
    assert_eq!(bodies(&receive(&bench, 10)), ["3"]);
    let dead = bench.engine.queues().receive("letters.fifo", 10, None).unwrap();
    assert_eq!(bodies(&dead), ["1", "2"]);
    assert_eq!(dead[0].group.as_deref(), Some("a"));
    assert_eq!(dead[0].record["attributes"]["MessageDeduplicationId"], "1");
}

#[tokio::test]
async fn a_duplicate_within_five_minutes_is_accepted_and_has_no_effect() {
    let bench = Bench::new();
    create(&bench);
    let first = send(&bench, "a", "x").await;
    assert_eq!(send(&bench, "a", "x").await, first);
    // The queue's scope is the group, so another group may use the same id.
    assert!(send(&bench, "b", "x").await > first);
    assert_eq!(receive(&bench, 10).len(), 2);
    bench.pass(299);
    assert_eq!(send(&bench, "a", "x").await, first);
    bench.pass(1);
    assert!(send(&bench, "a", "x").await > first);
}

#[tokio::test]
async fn a_duplicate_is_known_across_groups_where_the_scope_is_the_queue() {
    let bench = Bench::new();
    bench.engine.queues().create(&QueueSpec::new("all.fifo")).unwrap();
    let first = send_as(&bench, "all.fifo", "a", "x", "key").await;
    assert_eq!(send_as(&bench, "all.fifo", "b", "y", "key").await, first);
}

#[tokio::test]
async fn a_duplicate_is_known_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let first = Bench::on_disk(directory.path());
    create(&first);
    let number = send(&first, "a", "x").await;
    let received = receive(&first, 1);
    first.engine.queues().delete(TURNS, &handles(&received)).unwrap();
    drop(first);
    let second = Bench::on_disk(directory.path());
    assert_eq!(send(&second, "a", "x").await, number);
    assert!(receive(&second, 10).is_empty());
    assert!(send(&second, "a", "y").await > number);
}

#[tokio::test]
async fn a_receipt_that_expired_deletes_nothing() {
    let bench = Bench::new();
    create(&bench);
    send(&bench, "a", "x").await;
    let received = receive(&bench, 1);
    bench.pass(30);
    let delete = bench.sqs().delete_message().queue_url(QueueSpec::new(TURNS).url());
    let refused = delete.receipt_handle(&received[0].handle).send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("expired"));
    assert_eq!(bodies(&receive(&bench, 1)), ["x"]);
}

#[tokio::test]
async fn an_ordered_queue_demands_a_group_and_an_id_and_forbids_a_delay() {
    let bench = Bench::new();
    create(&bench);
    let send = || bench.sqs().send_message().queue_url(QueueSpec::new(TURNS).url()).message_body("x");
    send().message_deduplication_id("x").send().await.unwrap_err();
    send().message_group_id("a").send().await.unwrap_err();
    send().message_group_id("a").message_deduplication_id("x").delay_seconds(1).send().await.unwrap_err();
    let mut by_content = QueueSpec::new("content.fifo");
    by_content.content_based_deduplication = true;
    bench.engine.queues().create(&by_content).unwrap();
    let send = || bench.sqs().send_message().queue_url(by_content.url()).message_body("x").message_group_id("a").send();
    let first = send().await.unwrap();
    assert_eq!(send().await.unwrap().message_id(), first.message_id());
}
