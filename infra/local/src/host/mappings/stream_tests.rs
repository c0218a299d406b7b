use tokio::sync::mpsc;

use super::*;
use crate::{
    engine::{queues::QueueSpec, tables::TableSpec},
    host::{
        lambda::{Failure, tests::toy},
        stop::Stopper,
    },
    template::plan::{Source, StreamRules},
};

const TABLE: &str = "conversations";

fn engine() -> Engine {
    let engine = Engine::in_memory(Arc::new(|| 1_795_415_624_000)).unwrap();
    engine.tables().create(&TableSpec::new(TABLE, "pk", Some("sk")).with_stream("NEW_AND_OLD_IMAGES")).unwrap();
    engine.queues().create(&QueueSpec::new("failures")).unwrap();
    engine
}

fn write(engine: &Engine, keys: &[&str]) {
    let items = keys.iter().map(|key| json!({ "pk": { "S": "c" }, "sk": { "S": key } })).collect();
    engine.tables().import_with_stream(TABLE, items).unwrap();
}

fn mapping(change: impl FnOnce(&mut Mapping, &mut StreamRules)) -> Mapping {
    let mut rules = StreamRules {
        starting_position: "TRIM_HORIZON".to_owned(),
        bisect: true,
        max_retries: Some(1),
        max_record_age_s: None,
        on_failure: Some("failures".to_owned()),
        parallelization: 1,
    };
    let mut mapping = Mapping {
        name: "RollupEntries".to_owned(),
        function: "Rollup".to_owned(),
        source: Source::Stream(TABLE.to_owned()),
        batch_size: 100,
        window_s: 0,
        partial_batch: true,
        max_concurrency: None,
        filters: Vec::new(),
        stream: None,
    };
    change(&mut mapping, &mut rules);
    mapping.stream = Some(rules);
    mapping
}

fn reader(engine: &Engine, mapping: &Mapping, function: Function) -> Reader {
    let filter = Filter::read(&mapping.filters).unwrap();
    let mut reader = Reader::new(TABLE, mapping, filter, function, engine.clone(), Arc::default()).unwrap();
    reader.first_wait = Duration::ZERO;
    reader
}

fn keys(event: &Value) -> Vec<String> {
    let records = event["Records"].as_array().unwrap();
    records.iter().map(|record| record["dynamodb"]["Keys"]["sk"]["S"].as_str().unwrap().to_owned()).collect()
}

/// A function that tells what it was given, and fails when `answer` says so.
fn telling<F>(answer: F) -> (Function, mpsc::UnboundedReceiver<Vec<String>>)
where
    F: Fn(&Value) -> Result<Value, Failure> + Send + Sync + 'static,
{
    let (told, events) = mpsc::unbounded_channel();
    let function = toy("Rollup", move |event| {
        told.send(keys(&event)).unwrap();
        let answer = answer(&event);
        async move { answer }
    });
    (function, events)
}

fn run(reader: Reader) -> (Stopper, tokio::task::JoinHandle<()>) {
    let (stop, stopped) = Stopper::new();
    (stop, tokio::spawn(reader.run(stopped)))
}

async fn stopped((stop, running): (Stopper, tokio::task::JoinHandle<()>)) {
    stop.say();
    running.await.unwrap();
}

#[tokio::test]
async fn records_come_in_order_filtered_and_not_again_after_a_restart() {
    let engine = engine();
    let entries = mapping(|mapping, _| {
        mapping.filters = vec![json!({ "dynamodb": { "Keys": { "sk": { "S": [{ "prefix": "E#" }] } } } })];
    });
    write(&engine, &["E#1", "H", "E#2"]);
    let (function, mut events) = telling(|_| Ok(Value::Null));
    let first = run(reader(&engine, &entries, function.clone()));
    assert_eq!(events.recv().await.unwrap(), ["E#1", "E#2"]);
    stopped(first).await;
    write(&engine, &["E#3"]);
    let second = run(reader(&engine, &entries, function));
    assert_eq!(events.recv().await.unwrap(), ["E#3"]);
    stopped(second).await;
}

#[tokio::test]
async fn a_failing_batch_is_halved_until_only_the_bad_record_is_left_and_that_is_given_up() {
    let engine = engine();
    write(&engine, &["E#1", "E#2", "bad", "E#4"]);
    let (function, mut events) = telling(|event| {
        if keys(event).contains(&"bad".to_owned()) { Err(Failure::Refused("no".to_owned())) } else { Ok(Value::Null) }
    });
    let running = run(reader(&engine, &mapping(|_, _| ()), function));
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(events.recv().await.unwrap().join(" "));
    }
    assert_eq!(seen, ["E#1 E#2 bad E#4", "E#1 E#2", "bad E#4", "bad", "bad", "E#4"]);
    engine.queues().waiting("failures").await.unwrap();
    let told = engine.queues().receive("failures", 10, None).unwrap();
    let told: Value = serde_json::from_str(told[0].record["body"].as_str().unwrap()).unwrap();
    assert_eq!(told["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(told["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(told["DDBStreamBatchInfo"]["batchSize"], 1);
    assert!(told["DDBStreamBatchInfo"]["startSequenceNumber"].is_string());
    stopped(running).await;
}

#[tokio::test]
async fn the_stream_goes_on_from_the_first_record_that_failed() {
    let engine = engine();
    write(&engine, &["E#1", "E#2", "E#3"]);
    let failed_once = std::sync::atomic::AtomicBool::new(false);
    let (function, mut events) = telling(move |event| {
        if failed_once.swap(true, std::sync::atomic::Ordering::SeqCst) {
            return Ok(Value::Null);
        }
        let second = &event["Records"][1]["dynamodb"]["SequenceNumber"];
        Ok(json!({ "batchItemFailures": [{ "itemIdentifier": second }] }))
    });
    let running = run(reader(&engine, &mapping(|_, _| ()), function));
    assert_eq!(events.recv().await.unwrap(), ["E#1", "E#2", "E#3"]);
    assert_eq!(events.recv().await.unwrap(), ["E#2", "E#3"]);
    stopped(running).await;
}

#[tokio::test]
async fn a_new_consumer_of_only_what_comes_does_not_see_what_was() {
    let engine = engine();
    write(&engine, &["E#1"]);
    let latest = mapping(|_, rules| rules.starting_position = "LATEST".to_owned());
    let (function, mut events) = telling(|_| Ok(Value::Null));
    // It begins when it is made, and what is written before it first runs is not skipped.
    drop(reader(&engine, &latest, function.clone()));
    write(&engine, &["E#2"]);
    let running = run(reader(&engine, &latest, function));
    assert_eq!(events.recv().await.unwrap(), ["E#2"]);
    stopped(running).await;
}

#[test]
fn only_what_every_consumer_is_past_is_pruned() {
    let progress = Progress::default();
    assert_eq!(progress.note("t", "a", "100").as_deref(), Some("100"));
    assert_eq!(progress.note("t", "b", "050").as_deref(), Some("050"));
    assert_eq!(progress.note("t", "b", "120").as_deref(), Some("100"));
}
