use std::{collections::HashMap, time::Duration};

use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};

use super::Bench;
use crate::engine::queues::{Depth, QueueSpec};

const TIMERS: &str = "timers";

fn create(bench: &Bench) {
    bench.engine.queues().create(&QueueSpec::new("letters")).unwrap();
    let policy = serde_json::json!({ "RedrivePolicy": {
        "deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:letters", "maxReceiveCount": "2",
    }});
    let timers = QueueSpec::from_properties(TIMERS, &policy).unwrap();
    bench.engine.queues().create(&timers).unwrap();
}

async fn url(bench: &Bench, name: &str) -> String {
    bench.sqs().get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap()
}

async fn bodies(bench: &Bench, name: &str) -> Vec<String> {
    let url = url(bench, name).await;
    let received = bench.sqs().receive_message().queue_url(url).max_number_of_messages(10).send().await.unwrap();
    received.messages().iter().map(|message| message.body().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_received_message_is_hidden_until_its_time_is_over_and_gone_once_deleted() {
    let bench = Bench::new();
    create(&bench);
    let (sqs, url) = (bench.sqs(), url(&bench, TIMERS).await);
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("v").build().unwrap();
    let sent = sqs.send_message().queue_url(&url).message_body("This is a test message");
    let sent = sent.message_attributes("name", attribute).send().await.unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("fafb00f5732ab283681e124bf8747ed1"));
    let receive = || sqs.receive_message().queue_url(&url).visibility_timeout(5).message_attribute_names("All");
    let receive = || receive().message_system_attribute_names(MessageSystemAttributeName::All).send();
    let first = receive().await.unwrap();
    assert_eq!(first.messages()[0].md5_of_message_attributes(), sent.md5_of_message_attributes());
    assert!(receive().await.unwrap().messages().is_empty());
    bench.pass(5);
    let second = receive().await.unwrap();
    let message = &second.messages()[0];
    assert_eq!(message.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount], "2");
    let extend = sqs.change_message_visibility().queue_url(&url).receipt_handle(message.receipt_handle().unwrap());
    extend.visibility_timeout(60).send().await.unwrap();
    bench.pass(30);
    assert!(receive().await.unwrap().messages().is_empty());
    let delete = || sqs.delete_message().queue_url(&url).receipt_handle(message.receipt_handle().unwrap()).send();
    delete().await.unwrap();
    delete().await.unwrap();
    bench.pass(60);
    assert!(receive().await.unwrap().messages().is_empty());
    let wrong = sqs.delete_message().queue_url(&url).receipt_handle("nonsense").send().await.unwrap_err();
    assert!(wrong.into_service_error().is_receipt_handle_is_invalid());
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letters_and_back() {
    let bench = Bench::new();
    create(&bench);
    let (sqs, url) = (bench.sqs(), url(&bench, TIMERS).await);
    sqs.send_message().queue_url(&url).message_body("poison").send().await.unwrap();
    for _ in 0..2 {
        assert_eq!(bodies(&bench, TIMERS).await, ["poison"]);
        bench.pass(30);
    }
    assert!(bodies(&bench, TIMERS).await.is_empty());
    let dead = bench.engine.queues().receive("letters", 10, Some(Duration::ZERO)).unwrap();
    let attributes = &dead[0].record["attributes"];
    assert_eq!(attributes["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:000000000000:timers");
    let arn = |name: &str| format!("arn:aws:sqs:us-east-1:000000000000:{name}");
    sqs.start_message_move_task().source_arn(arn("letters")).send().await.unwrap();
    assert_eq!(bodies(&bench, TIMERS).await, ["poison"]);
    sqs.start_message_move_task().source_arn(arn(TIMERS)).send().await.unwrap_err();
}

#[tokio::test]
async fn a_delayed_message_comes_when_its_time_has_come() {
    let bench = Bench::new();
    create(&bench);
    let (sqs, url) = (bench.sqs(), url(&bench, TIMERS).await);
    sqs.send_message().queue_url(&url).message_body("later").delay_seconds(900).send().await.unwrap();
    sqs.send_message().queue_url(&url).message_body("never").delay_seconds(901).send().await.unwrap_err();
    assert_eq!(bench.engine.queues().depths()[TIMERS], Depth { delayed: 1, ..Depth::default() });
    bench.pass(899);
    assert!(bodies(&bench, TIMERS).await.is_empty());
    bench.pass(1);
    assert_eq!(bodies(&bench, TIMERS).await, ["later"]);
}

#[tokio::test]
async fn a_batch_is_refused_whole_for_its_shape_and_in_part_for_its_content() {
    let bench = Bench::new();
    create(&bench);
    let (sqs, url) = (bench.sqs(), url(&bench, TIMERS).await);
    let entry =
        |id: &str, body: &str| SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap();
    let send = |entries: Vec<SendMessageBatchRequestEntry>| {
        sqs.send_message_batch().queue_url(&url).set_entries(Some(entries)).send()
    };
    let eleven = (0..11).map(|number| entry(&number.to_string(), "x")).collect();
    assert!(send(eleven).await.unwrap_err().into_service_error().is_too_many_entries_in_batch_request());
    assert!(send(vec![]).await.unwrap_err().into_service_error().is_empty_batch_request());
    let twice = vec![entry("a", "x"), entry("a", "y")];
    assert!(send(twice).await.unwrap_err().into_service_error().is_batch_entry_ids_not_distinct());
    let large = "x".repeat(600_000);
    let long = vec![entry("a", &large), entry("b", &large)];
    assert!(send(long).await.unwrap_err().into_service_error().is_batch_request_too_long());
    let mixed = send(vec![entry("good", "x"), entry("bad", "\u{1}")]).await.unwrap();
    assert_eq!((mixed.successful()[0].id(), mixed.failed()[0].id()), ("good", "bad"));
    assert_eq!(mixed.failed()[0].code(), "InvalidMessageContents");
    assert_eq!(bodies(&bench, TIMERS).await, ["x"]);
    assert_eq!(bench.engine.ledger().calls("sqs", "SendMessageBatch"), 1);
}

#[tokio::test]
async fn a_message_over_the_queues_limit_is_refused() {
    let bench = Bench::new();
    create(&bench);
    let (sqs, url) = (bench.sqs(), url(&bench, TIMERS).await);
    let send = |size: usize| sqs.send_message().queue_url(&url).message_body("x".repeat(size)).send();
    send(1_048_576).await.unwrap();
    send(1_048_577).await.unwrap_err();
    let shrink = sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::MaximumMessageSize, "1024");
    shrink.send().await.unwrap();
    send(1025).await.unwrap_err();
}

#[tokio::test]
async fn a_receiver_that_waits_gets_the_message_when_it_is_sent() {
    let bench = Bench::new();
    create(&bench);
    let (sqs, url) = (bench.sqs(), url(&bench, TIMERS).await);
    let waiting = tokio::spawn(sqs.receive_message().queue_url(&url).wait_time_seconds(20).send());
    tokio::task::yield_now().await;
    let poller = {
        let engine = bench.engine.clone();
        tokio::spawn(async move { engine.queues().waiting("letters").await })
    };
    tokio::task::yield_now().await;
    sqs.send_message().queue_url(&url).message_body("now").send().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().messages()[0].body(), Some("now"));
    let letters = url.replace(TIMERS, "letters");
    sqs.send_message().queue_url(letters).message_body("soon").delay_seconds(60).send().await.unwrap();
    tokio::task::yield_now().await;
    assert!(!poller.is_finished());
    bench.pass(60);
    poller.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let first = Bench::on_disk(directory.path());
    create(&first);
    let (sqs, url) = (first.sqs(), url(&first, TIMERS).await);
    for body in ["kept", "deleted", "in flight"] {
        sqs.send_message().queue_url(&url).message_body(body).send().await.unwrap();
    }
    sqs.send_message().queue_url(&url).message_body("later").delay_seconds(60).send().await.unwrap();
    let received = sqs.receive_message().queue_url(&url).max_number_of_messages(3).send().await.unwrap();
    for message in received.messages().iter().filter(|message| message.body() == Some("deleted")) {
        sqs.delete_message().queue_url(&url).receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
    }
    drop((first, sqs));
    let second = Bench::on_disk(directory.path());
    assert_eq!(bodies(&second, TIMERS).await, ["kept", "in flight"]);
    second.pass(60);
    assert!(bodies(&second, TIMERS).await.contains(&"later".to_owned()));
}

#[tokio::test]
async fn what_was_put_off_stays_hidden_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let first = Bench::on_disk(directory.path());
    create(&first);
    let (sqs, url) = (first.sqs(), url(&first, TIMERS).await);
    sqs.send_message().queue_url(&url).message_body("put off").send().await.unwrap();
    let received = sqs.receive_message().queue_url(&url).send().await.unwrap();
    let receipt = received.messages()[0].receipt_handle().unwrap();
    let put_off = sqs.change_message_visibility().queue_url(&url).receipt_handle(receipt).visibility_timeout(20);
    put_off.send().await.unwrap();
    drop((first, sqs));
    let second = Bench::on_disk(directory.path());
    assert!(bodies(&second, TIMERS).await.is_empty());
    second.pass(20);
    assert_eq!(bodies(&second, TIMERS).await, ["put off"]);
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_process_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let first = Bench::on_disk(directory.path());
    create(&first);
    let table = crate::engine::tables::TableSpec::new("desk", "pk", None);
    first.engine.tables().create(&table).unwrap();
    let arn = first.engine.keys().create("alias/colloquy").unwrap();
    let url = url(&first, TIMERS).await;
    first.sqs().send_message().queue_url(url).message_body("kept").send().await.unwrap();
    let pk = aws_sdk_dynamodb::types::AttributeValue::S("a".to_owned());
    first.dynamo().put_item().table_name("desk").item("pk", pk).send().await.unwrap();
    // What a killed process leaves are its files as they are, nothing closed and nothing flushed.
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let second = Bench::on_disk(copy.path());
    assert_eq!(bodies(&second, TIMERS).await, ["kept"]);
    assert_eq!(second.dynamo().scan().table_name("desk").send().await.unwrap().count(), 1);
    assert_eq!(second.engine.keys().create("alias/colloquy").unwrap(), arn);
}

#[tokio::test]
async fn a_message_is_kept_as_long_as_the_queue_says() {
    let bench = Bench::new();
    create(&bench);
    let (sqs, url) = (bench.sqs(), url(&bench, TIMERS).await);
    sqs.send_message().queue_url(&url).message_body("old").send().await.unwrap();
    bench.pass(345_600);
    assert_eq!(bench.engine.queues().depths()[TIMERS], Depth::default());
    assert!(bodies(&bench, TIMERS).await.is_empty());
}

#[tokio::test]
async fn a_queue_is_made_once_and_described_as_it_was_declared() {
    let bench = Bench::new();
    let sqs = bench.sqs();
    let make = |seconds: &str| {
        let attributes = HashMap::from([
            (QueueAttributeName::FifoQueue, "true".to_owned()),
            (QueueAttributeName::VisibilityTimeout, seconds.to_owned()),
        ]);
        sqs.create_queue().queue_name("turns.fifo").set_attributes(Some(attributes)).send()
    };
    let url = make("30").await.unwrap().queue_url.unwrap();
    assert_eq!(make("30").await.unwrap().queue_url.unwrap(), url);
    assert!(make("31").await.unwrap_err().into_service_error().is_queue_name_exists());
    assert!(make("43201").await.is_err());
    let missing = sqs.get_queue_url().queue_name("none").send().await.unwrap_err();
    assert!(missing.into_service_error().is_queue_does_not_exist());
    let described = sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All).send();
    let described = described.await.unwrap();
    assert_eq!(described.attributes().unwrap()[&QueueAttributeName::VisibilityTimeout], "30");
    sqs.purge_queue().queue_url(&url).send().await.unwrap();
    assert!(
        sqs.purge_queue().queue_url(&url).send().await.unwrap_err().into_service_error().is_purge_queue_in_progress()
    );
    let properties = serde_json::json!({ "QueueName": "x.fifo", "FifoQueue": true, "VisibilityTimeout": 30,
        "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId", "SqsManagedSseEnabled": true });
    assert!(QueueSpec::from_properties("x.fifo", &properties).unwrap().deduplication_per_group);
    assert!(QueueSpec::from_properties("x", &properties).is_err());
}

#[tokio::test]
async fn a_poller_gets_the_record_a_function_would() {
    let bench = Bench::new();
    create(&bench);
    let (sqs, url) = (bench.sqs(), url(&bench, TIMERS).await);
    sqs.send_message().queue_url(&url).message_body("{}").send().await.unwrap();
    let queues = bench.engine.queues();
    let received = queues.receive(TIMERS, 10, None).unwrap();
    let record = &received[0].record;
    assert_eq!(record["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:timers");
    assert_eq!((&record["body"], &record["eventSource"]), (&"{}".into(), &"aws:sqs".into()));
    queues.release(TIMERS, &[received[0].handle.clone()], Duration::from_secs(3)).unwrap();
    bench.pass(3);
    let again = queues.receive(TIMERS, 10, None).unwrap();
    assert_eq!(again[0].receives, 2);
    queues.delete(TIMERS, &[again[0].handle.clone()]).unwrap();
    assert_eq!(queues.depths()[TIMERS], Depth::default());
}
