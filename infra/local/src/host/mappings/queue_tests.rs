use std::sync::{
    Mutex,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use aws_sdk_sqs::Client;
use serde_json::json;
use tokio::sync::mpsc;

use super::*;
use crate::{
    engine::queues::{QueueSpec, Redrive},
    host::{
        lambda::{Failure, tests::toy},
        stop::Stopper,
    },
    template::plan::Source,
};

/// An engine with a virtual clock, a queue and its dead-letter queue, and what was invoked.
struct Bench {
    engine: Engine,
    now: Arc<AtomicI64>,
    queue: String,
    stop: (Stopper, Stop),
}

impl Bench {
    fn new(queue: &str) -> Self {
        let now = Arc::new(AtomicI64::new(1_795_415_624_000));
        let clock = Arc::clone(&now);
        let engine = Engine::in_memory(Arc::new(move || clock.load(Ordering::SeqCst))).unwrap();
        let dead = format!("dead-{queue}");
        engine.queues().create(&QueueSpec::new(&dead)).unwrap();
        let redrive = Redrive { dead_letter_arn: QueueSpec::new(&dead).arn(), max_receive_count: 2 };
        engine.queues().create(&QueueSpec { redrive: Some(redrive), ..QueueSpec::new(queue) }).unwrap();
        Self { engine, now, queue: queue.to_owned(), stop: Stopper::new() }
    }

    async fn send(&self, body: &str, group: Option<&str>) {
        let url = QueueSpec::new(&self.queue).url();
        let send = Client::new(&self.engine.sdk_config()).send_message().queue_url(url).message_body(body);
        let send = match group {
            Some(group) => send.message_group_id(group).message_deduplication_id(body),
            None => send,
        };
        send.send().await.unwrap();
    }

    fn feed(&self, function: Function, change: impl FnOnce(&mut Mapping)) -> tokio::task::JoinHandle<()> {
        let mut mapping = Mapping {
            name: "M".to_owned(),
            function: function.name().to_owned(),
            source: Source::Queue(self.queue.clone()),
            batch_size: 10,
            window_s: 0,
            partial_batch: true,
            max_concurrency: None,
            filters: Vec::new(),
            stream: None,
        };
        change(&mut mapping);
        let filter = Filter::read(&mapping.filters).unwrap();
        let poller = Poller::new(&self.queue, &mapping, filter, function, self.engine.clone());
        tokio::spawn(poller.run(self.stop.1.clone()))
    }

    /// Moves the clock past the visibility time.
    fn later(&self) {
        self.now.fetch_add(31_000, Ordering::SeqCst);
        self.engine.clock_moved();
    }

    async fn stop(&self, running: tokio::task::JoinHandle<()>) {
        self.stop.0.say();
        running.await.unwrap();
    }
}

fn bodies(event: &Value) -> Vec<String> {
    event["Records"].as_array().unwrap().iter().map(|record| record["body"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn one_groups_messages_are_handled_one_after_the_other_and_two_groups_at_once() {
    let bench = Bench::new("turns.fifo");
    for (body, group) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")] {
        bench.send(body, Some(group)).await;
    }
    let (begun, mut begins) = mpsc::unbounded_channel();
    let at_once = Arc::new(Mutex::new((0_usize, 0_usize)));
    let seen = Arc::clone(&at_once);
    let gate = Arc::new(tokio::sync::Barrier::new(2));
    let converse = toy("Converse", move |event| {
        let (begun, seen, gate) = (begun.clone(), Arc::clone(&seen), Arc::clone(&gate));
        async move {
            let body = bodies(&event).join(",");
            {
                let mut seen = seen.lock().unwrap();
                seen.0 += 1;
                seen.1 = seen.1.max(seen.0);
            }
            // Both groups' first messages meet here: neither waits for the other to end.
            if body.ends_with('1') {
                gate.wait().await;
            }
            seen.lock().unwrap().0 -= 1;
            begun.send(body).unwrap();
            Ok(Value::Null)
        }
    });
    let running = bench.feed(converse, |mapping| mapping.batch_size = 1);
    let mut order = Vec::new();
    for _ in 0..4 {
        order.push(begins.recv().await.unwrap());
    }
    let of_a: Vec<&str> = order.iter().map(String::as_str).filter(|body| body.starts_with('a')).collect();
    assert_eq!(of_a, ["a1", "a2", "a3"]);
    assert_eq!(at_once.lock().unwrap().1, 2);
    bench.stop(running).await;
    assert_eq!(bench.engine.queues().depths()[&bench.queue], Default::default(), "everything handled is deleted");
}

#[tokio::test]
async fn what_a_function_names_as_failed_comes_again_after_the_visibility_time_and_the_rest_does_not() {
    let bench = Bench::new("receipts");
    for body in ["good", "bad"] {
        bench.send(body, None).await;
    }
    let (told, mut events) = mpsc::unbounded_channel();
    let deliver = toy("Deliver", move |event| {
        let failed: Vec<Value> = event["Records"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|record| record["body"] == "bad")
            .map(|record| json!({ "itemIdentifier": record["messageId"] }))
            .collect();
        told.send(event).unwrap();
        async move { Ok(json!({ "batchItemFailures": failed })) }
    });
    let running = bench.feed(deliver, |_| {});
    assert_eq!(bodies(&events.recv().await.unwrap()), ["good", "bad"]);
    bench.later();
    let again = events.recv().await.unwrap();
    assert_eq!(bodies(&again), ["bad"]);
    assert_eq!(again["Records"][0]["attributes"]["ApproximateReceiveCount"], "2");
    bench.stop(running).await;
}

#[tokio::test]
async fn a_batch_whose_function_fails_comes_again_whole_and_at_last_goes_to_the_dead_letters() {
    let bench = Bench::new("timers");
    for body in ["one", "two"] {
        bench.send(body, None).await;
    }
    let (told, mut events) = mpsc::unbounded_channel();
    let sweep = toy("Sweep", move |event| {
        told.send(event).unwrap();
        async { Err(Failure::Refused("no".to_owned())) }
    });
    let running = bench.feed(sweep, |_| {});
    assert_eq!(bodies(&events.recv().await.unwrap()), ["one", "two"]);
    bench.later();
    assert_eq!(bodies(&events.recv().await.unwrap()), ["one", "two"]);
    bench.later();
    bench.stop(running).await;
    let left = bench.engine.queues().receive("timers", 10, None).unwrap();
    assert!(left.is_empty(), "received twice, the most the queue allows");
    assert_eq!(bench.engine.queues().receive("dead-timers", 10, None).unwrap().len(), 2);
}

#[tokio::test]
async fn no_more_invocations_run_at_once_than_the_mapping_allows() {
    let bench = Bench::new("receipts");
    for at in 0..6 {
        bench.send(&at.to_string(), None).await;
    }
    let (running_now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (done, mut ends) = mpsc::unbounded_channel();
    let (counter, peak) = (Arc::clone(&running_now), Arc::clone(&most));
    let deliver = toy("Deliver", move |_| {
        let (counter, peak, done) = (Arc::clone(&counter), Arc::clone(&peak), done.clone());
        async move {
            peak.fetch_max(counter.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            counter.fetch_sub(1, Ordering::SeqCst);
            done.send(()).unwrap();
            Ok(Value::Null)
        }
    });
    let running = bench.feed(deliver, |mapping| {
        mapping.batch_size = 1;
        mapping.max_concurrency = Some(2);
    });
    for _ in 0..6 {
        ends.recv().await.unwrap();
    }
    bench.stop(running).await;
    assert!(most.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn what_a_filter_keeps_out_is_deleted_unseen() {
    let bench = Bench::new("receipts");
    bench.send("{\"kind\":\"other\"}", None).await;
    bench.send("{\"kind\":\"wanted\"}", None).await;
    let (told, mut events) = mpsc::unbounded_channel();
    let deliver = toy("Deliver", move |event| {
        told.send(event).unwrap();
        async { Ok(Value::Null) }
    });
    let running = bench.feed(deliver, |mapping| mapping.filters = vec![json!({ "body": { "kind": ["wanted"] } })]);
    assert_eq!(bodies(&events.recv().await.unwrap()), ["{\"kind\":\"wanted\"}"]);
    bench.stop(running).await;
    assert_eq!(bench.engine.queues().depths()["receipts"], Default::default());
}
