use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, PutRequest, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    WriteRequest,
};

use super::Bench;
use crate::engine::{
    fault::Fault,
    tables::{TableSpec, Tables},
};

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn item(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))])
}

fn desk() -> TableSpec {
    TableSpec::new("desk", "pk", Some("sk"))
        .with_index("holder", "holder", Some("at"))
        .with_stream("NEW_AND_OLD_IMAGES")
}

fn create(tables: &Tables) {
    tables.create(&desk()).unwrap();
    tables.create(&TableSpec::new("keys", "pk", Some("sk"))).unwrap();
}

#[tokio::test]
async fn a_failed_condition_returns_the_item_that_was_there() {
    let bench = Bench::new();
    create(bench.engine.tables());
    let dynamo = bench.dynamo();
    let put = || dynamo.put_item().table_name("desk").set_item(Some(item("cnv_1", "head"))).item("version", n(1));
    put().send().await.unwrap();
    let refused = put()
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(failed.item().unwrap()["version"], n(1));
    assert_eq!(bench.engine.ledger().calls("dynamodb", "PutItem"), 2);
    assert!(bench.engine.ledger().usd() > 0.0);
}

#[tokio::test]
async fn a_transaction_names_the_part_that_failed_and_writes_nothing() {
    let bench = Bench::new();
    create(bench.engine.tables());
    let dynamo = bench.dynamo();
    dynamo.put_item().table_name("desk").set_item(Some(item("a", "1"))).send().await.unwrap();
    let put = |table: &str, pk: &str| {
        let put = Put::builder().table_name(table).set_item(Some(item(pk, "1")));
        let put = put
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    };
    let both = [put("desk", "b"), put("desk", "a")];
    let refused = dynamo.transact_write_items().set_transact_items(Some(both.to_vec())).send().await.unwrap_err();
    let refused = refused.into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        canceled,
    ) = refused
    else {
        panic!("{refused:?}");
    };
    let codes: Vec<_> = canceled.cancellation_reasons().iter().map(|reason| reason.code().unwrap()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert!(canceled.cancellation_reasons()[1].item().is_some());
    let absent = dynamo.get_item().table_name("desk").set_key(Some(item("b", "1"))).send().await.unwrap();
    assert!(absent.item().is_none());

    let two_tables = [put("desk", "c"), put("keys", "c")];
    let refused = dynamo.transact_write_items().set_transact_items(Some(two_tables.to_vec())).send().await;
    let message = format!("{:?}", refused.unwrap_err());
    assert!(message.contains("desk`, `keys"), "{message}");
}

#[tokio::test]
async fn a_transaction_repeated_with_its_token_is_not_carried_out_again() {
    let bench = Bench::new();
    create(bench.engine.tables());
    let dynamo = bench.dynamo();
    let put = Put::builder().table_name("desk").set_item(Some(item("a", "1")));
    let put = put.condition_expression("attribute_not_exists(pk)").build().unwrap();
    let part = TransactWriteItem::builder().put(put).build();
    let send = || dynamo.transact_write_items().transact_items(part.clone()).client_request_token("token-1").send();
    send().await.unwrap();
    send().await.unwrap();
    bench.pass(601);
    send().await.unwrap_err();
}

#[tokio::test]
async fn an_index_is_read_in_order_and_in_pages() {
    let bench = Bench::new();
    create(bench.engine.tables());
    let dynamo = bench.dynamo();
    for number in 0..5 {
        let put = dynamo.put_item().table_name("desk").set_item(Some(item(&format!("cnv_{number}"), "head")));
        put.item("holder", s("bot")).item("at", s(&format!("{number}"))).send().await.unwrap();
    }
    let mut seen = Vec::new();
    let mut from = None;
    loop {
        let page = dynamo
            .query()
            .table_name("desk")
            .index_name("holder")
            .key_condition_expression("holder = :holder")
            .expression_attribute_values(":holder", s("bot"))
            .scan_index_forward(false)
            .limit(2)
            .set_exclusive_start_key(from)
            .send()
            .await
            .unwrap();
        seen.extend(page.items().iter().map(|item| item["at"].as_s().unwrap().clone()));
        from = page.last_evaluated_key;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"]);
}

#[tokio::test]
async fn a_batch_may_span_tables() {
    let bench = Bench::new();
    create(bench.engine.tables());
    let dynamo = bench.dynamo();
    let put = |pk: &str| {
        let put = PutRequest::builder().set_item(Some(item(pk, "1"))).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let write = dynamo.batch_write_item().request_items("desk", vec![put("a"), put("b")]);
    write.request_items("keys", vec![put("a")]).send().await.unwrap();
    let keys = |pks: &[&str]| {
        let keys = pks.iter().map(|pk| item(pk, "1")).collect();
        KeysAndAttributes::builder().set_keys(Some(keys)).build().unwrap()
    };
    let read = dynamo.batch_get_item().request_items("desk", keys(&["a", "b"]));
    let read = read.request_items("keys", keys(&["a"])).send().await.unwrap();
    let responses = read.responses().unwrap();
    assert_eq!((responses["desk"].len(), responses["keys"].len()), (2, 1));
}

#[tokio::test]
async fn a_table_on_disk_is_there_after_a_restart_and_takes_a_new_index() {
    let directory = tempfile::tempdir().unwrap();
    let first = Bench::on_disk(directory.path());
    first.engine.tables().create(&TableSpec::new("desk", "pk", Some("sk"))).unwrap();
    let put = first.dynamo().put_item().table_name("desk").set_item(Some(item("a", "1")));
    put.item("holder", s("bot")).item("at", s("1")).send().await.unwrap();
    drop(first);

    let second = Bench::on_disk(directory.path());
    assert_eq!(second.engine.tables().names(), ["desk"]);
    second.engine.tables().create(&desk()).unwrap();
    second.engine.tables().create(&desk()).unwrap();
    let query = second.dynamo().query().table_name("desk").index_name("holder");
    let query = query.key_condition_expression("holder = :holder").expression_attribute_values(":holder", s("bot"));
    assert_eq!(query.send().await.unwrap().count(), 1);
    let other_key = TableSpec::new("desk", "pk", None);
    assert!(second.engine.tables().create(&other_key).unwrap_err().to_string().contains("another key"));
}

#[tokio::test]
async fn what_does_not_exist_is_refused_by_name() {
    let bench = Bench::new();
    let missing = bench.dynamo().get_item().table_name("desk").set_key(Some(item("a", "1"))).send().await;
    assert!(missing.unwrap_err().into_service_error().is_resource_not_found_exception());
    create(bench.engine.tables());
    let described = bench.dynamo().describe_table().table_name("desk").send().await.unwrap();
    assert!(described.table().unwrap().table_arn().unwrap().contains("us-east-1"));
    let statement = bench.dynamo().execute_statement().statement("SELECT * FROM desk").send().await;
    assert!(format!("{:?}", statement.unwrap_err()).contains("ExecuteStatement"));
}

#[tokio::test]
async fn history_is_imported_in_bulk_past_the_stream() {
    let bench = Bench::new();
    create(bench.engine.tables());
    let old = |number: usize| serde_json::json!({ "pk": {"S": "old"}, "sk": {"S": format!("{number:05}")} });
    assert_eq!(bench.engine.tables().import("desk", (0..2000).map(old).collect()).unwrap(), 2000);
    let count = bench.dynamo().query().table_name("desk").key_condition_expression("pk = :pk");
    let count = count.expression_attribute_values(":pk", s("old")).send().await.unwrap();
    assert_eq!(count.count(), 2000);
    assert!(bench.engine.tables().stream_records("desk", None, 10).unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_a_write_that_was_made() {
    let bench = Bench::new();
    create(bench.engine.tables());
    bench.engine.faults().inject(|call| match call.operation {
        "PutItem" => Fault::LoseAnswer,
        "DeleteItem" => Fault::LoseRequest,
        "Query" => Fault::Throttle,
        _ => Fault::None,
    });
    let dynamo = bench.dynamo();
    dynamo.put_item().table_name("desk").set_item(Some(item("a", "1"))).send().await.unwrap_err();
    dynamo.delete_item().table_name("desk").set_key(Some(item("a", "1"))).send().await.unwrap_err();
    let query = dynamo.query().table_name("desk").key_condition_expression("pk = :pk");
    query.expression_attribute_values(":pk", s("a")).send().await.unwrap_err();
    bench.engine.faults().clear();
    let there = dynamo.get_item().table_name("desk").set_key(Some(item("a", "1"))).send().await.unwrap();
    assert!(there.item().is_some());
}
