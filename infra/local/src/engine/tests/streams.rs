use aws_sdk_dynamodb::types::AttributeValue;

use super::Bench;
use crate::engine::tables::TableSpec;

fn create(bench: &Bench) {
    let spec = TableSpec::new("desk", "pk", None).with_stream("NEW_AND_OLD_IMAGES").with_ttl("expires");
    bench.engine.tables().create(&spec).unwrap();
}

async fn put(bench: &Bench, pk: &str, expires_seconds: i64) {
    let put = bench.dynamo().put_item().table_name("desk").item("pk", AttributeValue::S(pk.to_owned()));
    put.item("expires", AttributeValue::N(expires_seconds.to_string())).send().await.unwrap();
}

fn pks(bench: &Bench, after: Option<&str>) -> Vec<String> {
    let records = bench.engine.tables().stream_records("desk", after, 100).unwrap();
    records.iter().map(|record| record.event["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn changes_are_read_in_the_order_they_were_made_from_where_the_reader_was() {
    let bench = Bench::new();
    create(&bench);
    for pk in ["a", "b", "a", "c"] {
        put(&bench, pk, 0).await;
    }
    assert_eq!(pks(&bench, None), ["a", "b", "a", "c"]);
    let records = bench.engine.tables().stream_records("desk", None, 3).unwrap();
    let names: Vec<_> = records.iter().map(|record| record.event_name.as_str()).collect();
    assert_eq!(names, ["INSERT", "INSERT", "MODIFY"]);
    assert!(records.windows(2).all(|pair| pair[0].sequence_number < pair[1].sequence_number));
    assert_eq!(pks(&bench, Some(&records[2].sequence_number)), ["c"]);
    let event = &records[2].event;
    assert_eq!(event["eventSource"], "aws:dynamodb");
    assert_eq!(event["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert!(
        event["eventSourceARN"].as_str().unwrap().starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/desk/")
    );
    assert!(event["dynamodb"]["OldImage"]["pk"]["S"].is_string());
}

#[tokio::test]
async fn numbering_goes_on_after_everything_was_pruned() {
    let bench = Bench::new();
    create(&bench);
    for pk in ["a", "b", "c"] {
        put(&bench, pk, 0).await;
    }
    let tables = bench.engine.tables();
    let last = tables.last_sequence("desk").unwrap().unwrap();
    assert_eq!(tables.prune_stream("desk", &last).unwrap(), 2);
    // The clock stands still, so the next number can only follow from the record that was kept.
    put(&bench, "d", 0).await;
    assert_eq!(pks(&bench, Some(&last)), ["d"]);
    assert!(tables.last_sequence("desk").unwrap().unwrap() > last);
}

#[tokio::test]
async fn a_checkpoint_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let first = Bench::on_disk(directory.path());
    create(&first);
    put(&first, "a", 0).await;
    put(&first, "b", 0).await;
    let records = first.engine.tables().stream_records("desk", None, 1).unwrap();
    first.engine.tables().set_checkpoint("rollup", &records[0].sequence_number).unwrap();
    drop(first);
    let second = Bench::on_disk(directory.path());
    let checkpoint = second.engine.tables().checkpoint("rollup").unwrap();
    assert_eq!(second.engine.tables().checkpoint("relay").unwrap(), None);
    assert_eq!(pks(&second, checkpoint.as_deref()), ["b"]);
}

#[tokio::test]
async fn a_reader_is_told_of_a_change_and_not_of_a_failed_one() {
    let bench = Bench::new();
    create(&bench);
    let mut changed = bench.engine.tables().changed("desk").unwrap();
    assert!(!changed.has_changed().unwrap());
    put(&bench, "a", 0).await;
    changed.changed().await.unwrap();
    changed.mark_unchanged();
    let refused = bench.dynamo().delete_item().table_name("desk").key("pk", AttributeValue::S("a".to_owned()));
    refused.condition_expression("attribute_exists(nothing)").send().await.unwrap_err();
    assert!(!changed.has_changed().unwrap());
}

#[tokio::test]
async fn an_expired_item_is_swept_and_its_record_says_so() {
    let bench = Bench::new();
    create(&bench);
    let now = bench.engine.now_ms() / 1000;
    for number in 0..60 {
        put(&bench, &format!("early-{number}"), now + 10).await;
    }
    put(&bench, "late", now + 1000).await;
    assert_eq!(bench.engine.tables().sweep_ttl().unwrap(), 0);
    let before = bench.engine.tables().last_sequence("desk").unwrap();
    bench.pass(11);
    assert_eq!(bench.engine.tables().sweep_ttl().unwrap(), 60);
    let records = bench.engine.tables().stream_records("desk", before.as_deref(), 100).unwrap();
    assert_eq!(records.len(), 60);
    assert!(records.iter().all(|record| {
        record.event_name == "REMOVE" && record.event["userIdentity"]["principalId"] == "dynamodb.amazonaws.com"
    }));
    assert_eq!(bench.dynamo().scan().table_name("desk").send().await.unwrap().count(), 1);
}
