//! Our readers read what AWS sends: the samples in `events/aws`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::PathBuf, sync::Mutex};

use colloquy_aws::timeline::StreamedTurn;
use colloquy_domain::insight::Facts;
use colloquy_edge::{batch, http::Request, socket::Event};
use serde_json::{Value, json};

fn sample(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../events/aws/{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_request_of_the_http_api_is_read() {
    let request = Request::read(sample("http_api")).unwrap();
    assert_eq!(request.method, "POST");
    assert_eq!(request.segments(), ["v1", "conversations", "cnv_01M83PA8TGK4K6C420PY1AFWXF", "messages"]);
    assert_eq!((request.query("after"), request.query("status")), (Some("12"), Some("open")));
    assert_eq!(request.header("idempotency-key"), Some("k-1"));
    assert_eq!((request.claims["sub"].as_str(), request.claims["email_verified"].as_str()), ("3f0c9a1e", "true"));
    assert_eq!(request.json::<Value>().unwrap(), json!({"text": "您好"}));
}

#[test]
fn a_webhook_that_the_http_api_took_for_binary_is_read() {
    let request = Request::read(sample("http_api_base64")).unwrap();
    assert_eq!(request.parameters["inbox"], "inb_wechat");
    assert_eq!(request.query("msg_signature"), Some("477715d11cdb4164915debcba66cb864d751f3e6"));
    assert!(request.body.starts_with(b"<xml>"));
    assert!(request.claims.is_empty());
}

#[test]
fn the_web_socket_apis_events_are_told_apart() {
    let (connection, owner) = ("JKJaXmPLvHcESHA=".to_owned(), "agent:agt_li".to_owned());
    let method = "arn:aws:execute-api:eu-central-1:123456789012:wss1abcdef/socket/$connect".to_owned();
    let ticket = "dSZCx8JpMjWNv9GdQT4F_AOVAikN4L8E-yu9BR4bsvQ".to_owned();
    let body = r#"{"action":"ping"}"#.to_owned();
    let read = |name: &str| Event::read(&sample(name)).unwrap();
    assert_eq!(read("websocket_authorizer"), Event::Authorize { ticket, method });
    assert_eq!(read("websocket_connect"), Event::Connect { connection: connection.clone(), owner: owner.clone() });
    assert_eq!(read("websocket_message"), Event::Frame { connection: connection.clone(), owner, body });
    assert_eq!(read("websocket_disconnect"), Event::Disconnect { connection });
}

#[tokio::test]
async fn messages_of_a_fifo_queue_are_read_in_their_order() {
    let seen = Mutex::new(Vec::new());
    let answer = batch::each(&sample("sqs_fifo"), async |record: batch::Record| {
        seen.lock().unwrap().push((record.group.unwrap(), record.receives, record.sent_at.ms(), record.queue));
        Ok(())
    })
    .await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let queue = || "colloquy-turns.fifo".to_owned();
    let group = || "thr_2uVKX0z1uZxvYpAhpIEnEg".to_owned();
    let expected = [(group(), 1, 1_795_415_624_123, queue()), (group(), 2, 1_795_415_624_456, queue())];
    assert_eq!(seen.into_inner().unwrap(), expected);
}

#[test]
fn a_turn_is_read_from_the_tables_stream() {
    let event = sample("dynamodb_stream");
    let turns: Vec<_> = event["Records"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|record| StreamedTurn::read(&record["dynamodb"]))
        .collect();
    assert_eq!(turns.len(), 1, "the head's change is not a turn");
    assert_eq!((turns[0].conversation.as_str(), turns[0].first_seq), ("cnv_01M83PA8TGK4K6C420PY1AFWXF", 1));
    let facts: Facts = serde_json::from_str(&turns[0].facts).unwrap();
    assert_eq!((facts.first, facts.last, facts.counts["conversations"]), (1, 4, 1));
}

#[test]
fn a_schedules_event_is_no_batch() {
    assert!(sample("schedule")["Records"].is_null());
}
