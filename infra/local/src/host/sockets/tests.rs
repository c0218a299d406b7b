use std::{collections::BTreeMap, net::SocketAddr};

use axum::{Router, extract::ConnectInfo, routing::any};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, protocol::frame::coding::CloseCode},
};

use super::*;
use crate::{
    host::{lambda::tests::toy, stop::Stopper},
    template::plan::SocketRoute,
};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Bench {
    address: SocketAddr,
    engine: Engine,
    events: mpsc::UnboundedReceiver<Value>,
    _stop: Stopper,
}

/// The API with one function for everything, which lets in the ticket `good` and fails on the text `fail`.
async fn bench() -> Bench {
    let (told, events) = mpsc::unbounded_channel();
    let socket = toy("Socket", move |event| {
        let ticket = event["queryStringParameters"]["ticket"].as_str().unwrap_or_default().to_owned();
        let answer = match (&event["type"], event["body"].as_str()) {
            (_, Some("fail")) => Err(Failure::Refused("no".to_owned())),
            (kind, _) if kind == "REQUEST" => match ticket.as_str() {
                "stranger" => Err(Failure::Refused("Unauthorized".to_owned())),
                "broken" => Err(Failure::Refused("something else".to_owned())),
                _ => Ok(json!({
                    "principalId": "agent:agt_li",
                    "policyDocument": { "Statement": [{ "Effect": if ticket == "good" { "Allow" } else { "Deny" } }] },
                    "context": { "owner": "agent:agt_li", "level": 3 },
                })),
            },
            _ => Ok(json!({ "statusCode": 200 })),
        };
        told.send(event).unwrap();
        async { answer }
    });
    serve([socket].into_iter().collect(), events).await
}

async fn serve(functions: Functions, events: mpsc::UnboundedReceiver<Value>) -> Bench {
    let route = |key: &str, authorizer: Option<&str>| SocketRoute {
        key: key.to_owned(),
        function: "Socket".to_owned(),
        authorizer: authorizer.map(str::to_owned),
        timeout_ms: 29_000,
    };
    let tickets = RequestAuthorizer {
        function: "Socket".to_owned(),
        identity_source: vec!["route.request.querystring.ticket".to_owned()],
    };
    let plan = SocketPlan {
        id: "api".to_owned(),
        stage: "socket".to_owned(),
        selection_expression: "$request.body.action".to_owned(),
        endpoint: String::new(),
        routes: vec![
            route("$connect", Some("Tickets")),
            route("$disconnect", None),
            route("$default", None),
            route("ping", None),
        ],
        authorizers: BTreeMap::from([("Tickets".to_owned(), tickets)]),
    };
    let engine = Engine::in_memory(Arc::new(|| 1_795_415_624_000)).unwrap();
    let (stop, stopped) = Stopper::new();
    let api = SocketApi::new(plan, functions, engine.clone(), stopped);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |ConnectInfo(source): ConnectInfo<SocketAddr>, request: Request<Body>| {
        let api = api.clone();
        async move { api.connect(request, source.ip()).await }
    };
    let router = Router::new().route("/socket", any(answer)).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Bench { address, engine, events, _stop: stop }
}

impl Bench {
    async fn connect(&self, query: &str) -> Result<Client, u16> {
        match connect_async(format!("ws://{}/socket{query}", self.address)).await {
            Ok((client, _)) => Ok(client),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn event(&mut self) -> Value {
        self.events.recv().await.unwrap()
    }

    /// Connects with the good ticket; the connection's id.
    async fn connected(&mut self) -> (Client, String) {
        let client = self.connect("?ticket=good").await.unwrap();
        self.event().await;
        let connect = self.event().await;
        (client, connect["requestContext"]["connectionId"].as_str().unwrap().to_owned())
    }
}

async fn close_code(client: &mut Client) -> CloseCode {
    loop {
        if let Message::Close(Some(frame)) = client.next().await.unwrap().unwrap() {
            return frame.code;
        }
    }
}

#[tokio::test]
async fn a_ticket_decides_before_the_socket_opens() {
    let mut bench = bench().await;
    assert_eq!(bench.connect("").await.err(), Some(401), "without a ticket nobody is asked");
    assert!(bench.events.try_recv().is_err());
    assert_eq!(bench.connect("?ticket=bad").await.err(), Some(403));
    assert_eq!(bench.connect("?ticket=stranger").await.err(), Some(401));
    assert_eq!(bench.connect("?ticket=broken").await.err(), Some(500));
    assert!(bench.engine.sockets().is_empty());
}

#[tokio::test]
async fn a_connection_tells_its_functions_who_it_is_from_first_to_last() {
    let mut bench = bench().await;
    let mut client = bench.connect("?ticket=good&x=1").await.unwrap();
    let asked = bench.event().await;
    assert_eq!(asked["type"], "REQUEST");
    assert!(asked["methodArn"].as_str().unwrap().ends_with(":api/socket/$connect"));
    assert_eq!(asked["queryStringParameters"], json!({ "ticket": "good", "x": "1" }));
    let connect = bench.event().await;
    assert_eq!(connect["requestContext"]["eventType"], "CONNECT");
    assert_eq!(connect["requestContext"]["routeKey"], "$connect");
    assert_eq!(connect["requestContext"]["authorizer"]["owner"], "agent:agt_li");
    assert_eq!(connect["requestContext"]["authorizer"]["level"], "3");
    assert_eq!(connect["requestContext"]["authorizer"]["principalId"], "agent:agt_li");
    client.send(Message::text("{\"action\":\"send\"}")).await.unwrap();
    let message = bench.event().await;
    assert_eq!(message["requestContext"]["routeKey"], "$default");
    assert_eq!(message["requestContext"]["eventType"], "MESSAGE");
    assert_eq!(message["requestContext"]["connectionId"], connect["requestContext"]["connectionId"]);
    assert_eq!(message["requestContext"]["authorizer"]["owner"], "agent:agt_li");
    assert_eq!(message["body"], "{\"action\":\"send\"}");
    client.send(Message::text("{\"action\":\"ping\"}")).await.unwrap();
    assert_eq!(bench.event().await["requestContext"]["routeKey"], "ping");
    client.send(Message::text("{\"action\":\"$disconnect\"}")).await.unwrap();
    assert_eq!(bench.event().await["requestContext"]["routeKey"], "$default", "no one chooses the system's routes");
    client.close(None).await.unwrap();
    let gone = bench.event().await;
    assert_eq!(gone["requestContext"]["eventType"], "DISCONNECT");
    assert_eq!(gone["requestContext"]["routeKey"], "$disconnect");
    assert!(bench.engine.sockets().is_empty());
}

#[tokio::test]
async fn a_push_reaches_the_client_and_a_deleted_connection_is_closed() {
    let mut bench = bench().await;
    let (mut client, id) = bench.connected().await;
    let sdk = bench.engine.sdk_config();
    let endpoint = aws_sdk_apigatewaymanagement::config::Builder::from(&sdk).endpoint_url("https://api.test/socket");
    let management = aws_sdk_apigatewaymanagement::Client::from_conf(endpoint.build());
    for text in ["one", "two"] {
        let data = aws_sdk_apigatewaymanagement::primitives::Blob::new(text);
        management.post_to_connection().connection_id(&id).data(data).send().await.unwrap();
    }
    assert_eq!(client.next().await.unwrap().unwrap(), Message::text("one"));
    assert_eq!(client.next().await.unwrap().unwrap(), Message::text("two"));
    management.delete_connection().connection_id(&id).send().await.unwrap();
    assert_eq!(close_code(&mut client).await, CloseCode::Normal);
    assert_eq!(bench.event().await["requestContext"]["eventType"], "DISCONNECT");
}

#[tokio::test]
async fn a_frame_over_the_limit_ends_the_connection_and_one_at_the_limit_does_not() {
    let mut bench = bench().await;
    let (mut client, _) = bench.connected().await;
    client.send(Message::text("a".repeat(FRAME_LIMIT_BYTES))).await.unwrap();
    assert_eq!(bench.event().await["body"].as_str().unwrap().len(), FRAME_LIMIT_BYTES);
    client.send(Message::text("a".repeat(FRAME_LIMIT_BYTES + 1))).await.unwrap();
    assert_eq!(close_code(&mut client).await, CloseCode::Size);
    let gone = bench.event().await;
    assert_eq!(gone["requestContext"]["disconnectStatusCode"], 1009);
}

#[tokio::test]
async fn a_failing_route_tells_the_client_without_saying_why() {
    let mut bench = bench().await;
    let (mut client, id) = bench.connected().await;
    client.send(Message::text("fail")).await.unwrap();
    let Message::Text(text) = client.next().await.unwrap().unwrap() else { panic!("no text") };
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told, json!({ "message": "Internal server error", "connectionId": id }));
}

#[tokio::test]
async fn a_few_frames_of_one_connection_run_at_once_and_no_more() {
    let (told, events) = mpsc::unbounded_channel();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let slow = {
        let gate = Arc::clone(&gate);
        toy("Socket", move |event| {
            let (told, gate) = (told.clone(), Arc::clone(&gate));
            async move {
                let body = event["body"].clone();
                let allow = json!({ "policyDocument": { "Statement": [{ "Effect": "Allow" }] }, "statusCode": 200 });
                if body.is_string() {
                    told.send(body).unwrap();
                    gate.acquire().await.unwrap().forget();
                }
                Ok(allow)
            }
        })
    };
    let mut bench = serve([slow].into_iter().collect::<Functions>(), events).await;
    let mut client = bench.connect("?ticket=good").await.unwrap();
    for at in 0..6 {
        client.send(Message::text(at.to_string())).await.unwrap();
    }
    let mut begun = Vec::new();
    for _ in 0..4 {
        begun.push(bench.event().await.as_str().unwrap().to_owned());
    }
    begun.sort();
    assert_eq!(begun, ["0", "1", "2", "3"]);
    assert!(bench.events.try_recv().is_err(), "the fifth waits");
    gate.add_permits(2);
    bench.event().await;
    bench.event().await;
    gate.add_permits(4);
}

#[test]
fn only_an_explicit_allow_lets_in() {
    let with = |effects: &[&str]| {
        let statements: Vec<Value> = effects.iter().map(|effect| json!({ "Effect": effect })).collect();
        allowed(json!({ "principalId": "p", "policyDocument": { "Statement": statements } }))
    };
    assert!(with(&["Allow"]).is_some());
    assert!(with(&["Allow", "Deny"]).is_none());
    assert!(with(&[]).is_none());
    assert!(allowed(json!({ "isAuthorized": true })).is_none());
    assert!(allowed(Value::Null).is_none());
}
