use colloquy_aws::{Pushed, Sockets};
use colloquy_local::engine::fault::Fault;
use serde_json::json;

use crate::World;

#[tokio::test]
async fn a_push_says_whether_the_connection_is_still_there() {
    let world = World::new();
    let sockets = Sockets::new(&world.clients, "https://socket.colloquy.test/live");
    let (frames, mut received) = tokio::sync::mpsc::channel(4);
    let _closed = world.engine.sockets().register("c1=", frames);
    assert_eq!(sockets.push("c1=", &json!({"type": "pong"})).await, Pushed::Sent);
    assert_eq!(received.recv().await.unwrap(), "{\"type\":\"pong\"}");
    assert_eq!(sockets.push("c2=", &json!({})).await, Pushed::Gone);
    assert_eq!(sockets.push("c1=", &json!("x".repeat(200_000))).await, Pushed::Failed);
    world.engine.faults().inject(|_| Fault::Throttle);
    assert_eq!(sockets.push("c1=", &json!({})).await, Pushed::Failed);
    world.engine.faults().clear();
    sockets.close("c1=").await.unwrap();
    sockets.close("c1=").await.unwrap();
}
