use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use axum::{Router, body::Bytes, extract::RawQuery, http::HeaderMap, routing::post};
use colloquy_channels::{Received, Request, Settings};
use colloquy_domain::Inbound;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::*;

fn inbox(id: &str, channel: Channel, settings: Value) -> SimulatedInbox {
    let Value::Object(settings) = settings else { panic!("settings are an object") };
    SimulatedInbox { id: id.to_owned(), channel, name: id.to_owned(), settings }
}

fn demo() -> Vec<SimulatedInbox> {
    let wechat = |app: &str| json!({"app_id": app, "app_secret": "wechat-secret", "token": "wechat-token"});
    let mut safe = wechat("wx5823bf96d3bd56c7");
    safe["encoding_aes_key"] = json!("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C");
    vec![
        inbox(
            "inb_whatsapp",
            Channel::WhatsApp,
            json!({"phone_number_id": "106540352242922", "app_secret": "whatsapp-secret", "verify_token": "v", "access_token": "whatsapp-token"}),
        ),
        inbox("inb_wechat", Channel::WeChat, safe),
        inbox("inb_wechat_plain", Channel::WeChat, wechat("wx2421b1c4370ec43b")),
        inbox("inb_web", Channel::Web, json!({})),
    ]
}

/// What our webhook was sent.
struct Heard {
    path: String,
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    body: Bytes,
}

struct World {
    address: SocketAddr,
    client: reqwest::Client,
    webhooks: mpsc::UnboundedReceiver<Heard>,
    now: Arc<std::sync::atomic::AtomicI64>,
}

impl World {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let now = Arc::new(std::sync::atomic::AtomicI64::new(1_795_415_624_000));
        let clock = Arc::clone(&now);
        let sandbox = Sandbox::new(
            Arc::new(move || Timestamp::from_ms(clock.load(std::sync::atomic::Ordering::SeqCst))),
            Arc::new(|| Box::pin(async { demo() })),
            format!("http://{address}"),
        )
        .unwrap();
        let (heard, webhooks) = mpsc::unbounded_channel();
        let hear = post(async move |uri: http::Uri, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes| {
            let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
            let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
            let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            heard.send(Heard { path: uri.path().to_owned(), query, headers, body }).unwrap();
            "success"
        });
        let router = router(sandbox).merge(Router::new().route("/webhooks/{channel}/{inbox}", hear));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, client: reqwest::Client::builder().no_proxy().build().unwrap(), webhooks, now }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let answer = self.client.post(self.url(path)).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        self.client.get(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    async fn whatsapp(&self, token: &str, body: &Value) -> (u16, Value) {
        let call = self.client.post(self.url("/sandbox/whatsapp/106540352242922/messages"));
        let answer = call.bearer_auth(token).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn token(&self) -> String {
        let credentials =
            json!({"grant_type": "client_credential", "appid": "wx5823bf96d3bd56c7", "secret": "wechat-secret"});
        let (_, answer) = self.post("/sandbox/wechat/cgi-bin/stable_token", credentials).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn wechat(&self, token: &str, text: &str) -> Value {
        let body = json!({"touser": "o1", "msgtype": "text", "text": {"content": text}});
        self.post(&format!("/sandbox/wechat/cgi-bin/message/custom/send?access_token={token}"), body).await.1
    }

    async fn fault(&self, fault: Value) {
        assert_eq!(self.post("/sandbox/faults", fault).await.0, 201);
    }

    /// What the real channel code makes of the webhook we were sent.
    async fn understood(&mut self) -> Inbound {
        let heard = self.webhooks.recv().await.unwrap();
        let inbox = demo().into_iter().find(|inbox| heard.path.ends_with(&format!("/{}", inbox.id))).unwrap();
        let headers = heard.headers;
        let request =
            Request { method: "POST", path: &heard.path, query: &heard.query, headers: &headers, body: &heard.body };
        let settings = Settings::new(inbox.settings);
        let Ok(Received::Batch { mut inbound, unreadable, .. }) =
            colloquy_channels::receive(inbox.channel, &settings, &request, Timestamp::from_ms(0))
        else {
            panic!("our own webhook refuses what the sandbox sent")
        };
        assert!(unreadable.is_empty() && inbound.len() == 1);
        inbound.remove(0)
    }
}

fn hello() -> Value {
    json!({"messaging_product": "whatsapp", "to": "16505551234", "type": "text", "text": {"body": "hello"}})
}

#[tokio::test]
async fn a_message_that_whatsapp_takes_gets_an_id_and_is_listed_with_its_body() {
    let world = World::start().await;
    let (status, answer) = world.whatsapp("whatsapp-token", &hello()).await;
    assert_eq!(status, 200);
    assert!(answer["messages"][0]["id"].as_str().unwrap().starts_with("wamid."));
    assert_eq!(answer["contacts"][0], json!({"input": "16505551234", "wa_id": "16505551234"}));
    let calls = world.get("/sandbox/calls?channel=whatsapp").await;
    let call = &calls["items"][0];
    assert_eq!(call["body"], hello());
    assert_eq!((&call["status"], &call["response"]), (&json!(200), &answer));
    assert_eq!(call["path"], "/sandbox/whatsapp/106540352242922/messages");
    assert_eq!(call["headers"]["authorization"], "Bearer whatsapp-token");
    assert_eq!(serde_json::from_str::<Value>(call["raw"].as_str().unwrap()).unwrap(), hello());
    assert_eq!(world.get("/sandbox/calls?channel=wechat").await["items"], json!([]));
    assert_eq!(world.get("/sandbox/calls?after=1").await, json!({"items": [], "last": 1, "newest": 1}));
}

#[tokio::test]
async fn whatsapp_refuses_a_wrong_token_and_a_body_it_cannot_take() {
    let world = World::start().await;
    let (status, answer) = world.whatsapp("another", &hello()).await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!(190)));
    let broken = [
        ("/messaging_product", json!("x")),
        ("/to", json!("")),
        ("/type", json!("smell")),
        ("/text", Value::Null),
        ("/text/body", json!("x".repeat(4_097))),
    ];
    for (pointer, value) in broken {
        let mut body = hello();
        *body.pointer_mut(pointer).unwrap() = value;
        let (status, answer) = world.whatsapp("whatsapp-token", &body).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(100)), "{pointer}");
    }
    let call = world.client.post(world.url("/sandbox/whatsapp/v23.0/106540352242922/messages"));
    assert_eq!(call.bearer_auth("whatsapp-token").body("not json").send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_wechat_token_is_fetched_kept_and_ends() {
    let world = World::start().await;
    let token = world.token().await;
    assert_eq!(world.token().await, token);
    assert_eq!(world.wechat(&token, "你好").await, json!({"errcode": 0, "errmsg": "ok"}));
    assert_eq!(world.wechat("made-up", "你好").await["errcode"], 40_001);
    assert_eq!(world.wechat(&token.replace('.', "_"), "你好").await["errcode"], 40_001);
    assert_eq!(world.wechat("", "你好").await["errcode"], 41_001);
    assert_eq!(world.wechat(&token, &"好".repeat(683)).await["errcode"], 45_002);
    world.now.fetch_add(7_200_000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(world.wechat(&token, "你好").await["errcode"], 42_001);
    let wrong = "/sandbox/wechat/cgi-bin/token?grant_type=client_credential&appid=wx5823bf96d3bd56c7&secret=guess";
    assert_eq!(world.get(wrong).await["errcode"], 40_125);
    let right =
        "/sandbox/wechat/cgi-bin/token?grant_type=client_credential&appid=wx5823bf96d3bd56c7&secret=wechat-secret";
    let plain = world.get(right).await;
    assert_eq!(plain["expires_in"], 7_200);
    assert_eq!(world.wechat(plain["access_token"].as_str().unwrap(), "hi").await["errcode"], 0);
}

#[tokio::test]
async fn an_ordered_fault_meets_the_next_calls_and_no_more() {
    let world = World::start().await;
    world.fault(json!({"channel": "whatsapp", "fail": "429", "retry_after": 2})).await;
    world.fault(json!({"channel": "whatsapp", "fail": "500"})).await;
    world.fault(json!({"channel": "whatsapp", "fail": "token"})).await;
    let call = world.client.post(world.url("/sandbox/whatsapp/106540352242922/messages"));
    let answer = call.bearer_auth("whatsapp-token").json(&hello()).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "2"));
    assert_eq!(world.whatsapp("whatsapp-token", &hello()).await.0, 500);
    assert_eq!(world.whatsapp("whatsapp-token", &hello()).await.0, 401);
    assert_eq!(world.whatsapp("whatsapp-token", &hello()).await.0, 200);
    assert_eq!(world.post("/sandbox/faults", json!({"channel": "whatsapp", "fail": "explode"})).await.0, 422);
}

#[tokio::test]
async fn a_token_that_a_fault_ended_is_renewed_by_fetching_another() {
    let world = World::start().await;
    let token = world.token().await;
    world.fault(json!({"channel": "wechat", "fail": "token"})).await;
    assert_eq!(world.wechat(&token, "hi").await["errcode"], 40_001);
    assert_eq!(world.wechat(&token, "hi").await["errcode"], 40_001);
    let renewed = world.token().await;
    assert_ne!(renewed, token);
    assert_eq!(world.wechat(&renewed, "hi").await["errcode"], 0);
}

#[tokio::test]
async fn a_dropped_connection_gives_not_one_byte_and_the_call_is_still_listed() {
    let world = World::start().await;
    world.fault(json!({"channel": "whatsapp", "fail": "close"})).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let body = hello().to_string();
    let head =
        format!("POST /sandbox/whatsapp/1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert_eq!(answer, b"");
    let call = &world.get("/sandbox/calls").await["items"][0];
    assert_eq!((&call["status"], &call["fault"], &call["body"]), (&Value::Null, &json!("close"), &hello()));
}

#[tokio::test]
async fn a_hanging_call_never_answers_and_is_listed_at_once() {
    let world = World::start().await;
    world.fault(json!({"channel": "whatsapp", "fail": "hang"})).await;
    let call = world.client.post(world.url("/sandbox/whatsapp/1/messages")).bearer_auth("t").json(&hello());
    assert!(call.timeout(Duration::from_millis(200)).send().await.unwrap_err().is_timeout());
    assert_eq!(world.get("/sandbox/calls").await["items"][0]["fault"], "hang");
}

#[tokio::test]
async fn what_a_simulated_customer_writes_is_what_our_channel_code_reads() {
    let mut world = World::start().await;
    let text = "Where is my order? 我的订单呢 😀 ]]> <b>&amp;";
    let inboxes = [("inb_whatsapp", "16505551234"), ("inb_wechat", "oABC-1_x"), ("inb_wechat_plain", "oABC-2")];
    for (inbox, from) in inboxes {
        let written = json!({"inbox": inbox, "from": from, "name": "Wei", "text": text});
        let (status, told) = world.post("/channels/send", written).await;
        assert_eq!((status, &told["status"], &told["answer"]), (200, &json!(200), &json!("success")), "{inbox}");
        let Inbound::Message(message) = world.understood().await else { panic!("{inbox}: not a message") };
        assert_eq!((message.text.as_str(), message.sender.address.as_str()), (text, from));
    }
    for kind in ["image", "audio", "video", "file", "location", "sticker", "unsupported"] {
        for (inbox, from) in inboxes {
            let written = json!({"inbox": inbox, "from": from, "kind": kind});
            assert_eq!(world.post("/channels/send", written).await.0, 200);
            let Inbound::Message(message) = world.understood().await else { panic!("{inbox}: not a message") };
            assert_eq!(message.parts.len(), 1, "{inbox} {kind}");
        }
    }
}

#[tokio::test]
async fn a_status_is_sent_for_a_message_that_the_sandbox_took() {
    let mut world = World::start().await;
    let (_, answer) = world.whatsapp("whatsapp-token", &hello()).await;
    let id = answer["messages"][0]["id"].clone();
    for status in ["delivered", "read", "failed"] {
        let (code, told) = world.post("/sandbox/whatsapp/statuses", json!({"id": id, "status": status})).await;
        assert_eq!((code, &told["status"]), (200, &json!(200)));
        let Inbound::Receipt(receipt) = world.understood().await else { panic!("not a receipt") };
        assert_eq!(json!(receipt.provider_id), id);
        assert_eq!(json!(receipt.state), json!(status));
    }
    assert_eq!(world.post("/sandbox/whatsapp/statuses", json!({"id": "wamid.x", "status": "read"})).await.0, 404);
}

#[tokio::test]
async fn the_page_is_told_inboxes_without_their_secrets() {
    let world = World::start().await;
    let inboxes = world.get("/channels/inboxes").await;
    assert_eq!(
        inboxes["items"][0],
        json!({"id": "inb_whatsapp", "channel": "whatsapp", "name": "inb_whatsapp", "account": "106540352242922"})
    );
    assert!(!inboxes.to_string().contains("secret"));
    let (status, _) = world.post("/channels/send", json!({"inbox": "inb_none", "from": "1", "text": "x"})).await;
    assert_eq!(status, 404);
}
