use aws_sdk_apigatewaymanagement::{Client, primitives::Blob};
use tokio::sync::mpsc;

use super::Bench;

fn client(bench: &Bench) -> Client {
    let config = aws_sdk_apigatewaymanagement::config::Builder::from(&bench.engine.sdk_config());
    Client::from_conf(config.endpoint_url("https://sockets.example/live").build())
}

#[tokio::test]
async fn a_push_reaches_its_connection_and_a_connection_that_left_is_gone() {
    let bench = Bench::new();
    let (sender, mut frames) = mpsc::channel(4);
    bench.engine.sockets().register("Ab=1", sender);
    let client = client(&bench);
    let push = |text: &str| client.post_to_connection().connection_id("Ab=1").data(Blob::new(text)).send();
    push("hello").await.unwrap();
    assert_eq!(frames.recv().await.unwrap(), "hello");
    client.get_connection().connection_id("Ab=1").send().await.unwrap().connected_at().unwrap();
    let large = "x".repeat(128 * 1024 + 1);
    assert!(push(&large).await.unwrap_err().into_service_error().is_payload_too_large_exception());
    bench.engine.sockets().unregister("Ab=1");
    assert!(push("hello").await.unwrap_err().into_service_error().is_gone_exception());
}

#[tokio::test]
async fn a_reader_that_does_not_keep_up_is_disconnected() {
    let bench = Bench::new();
    let (sender, mut frames) = mpsc::channel(1);
    let closed = bench.engine.sockets().register("slow", sender);
    let client = client(&bench);
    let push = || client.post_to_connection().connection_id("slow").data(Blob::new("x")).send();
    push().await.unwrap();
    assert!(push().await.unwrap_err().into_service_error().is_gone_exception());
    closed.wait().await;
    assert_eq!(frames.recv().await.as_deref(), Some("x"));
    assert_eq!(frames.recv().await, None);
    assert!(bench.engine.sockets().is_empty());
}

#[tokio::test]
async fn a_connection_can_be_closed_from_a_function() {
    let bench = Bench::new();
    let (sender, mut frames) = mpsc::channel(1);
    bench.engine.sockets().register("a", sender);
    client(&bench).delete_connection().connection_id("a").send().await.unwrap();
    assert_eq!(frames.recv().await, None);
    assert!(client(&bench).delete_connection().connection_id("a").send().await.is_err());
}
