use std::sync::Mutex;

use axum::body::Body;
use serde_json::{Value, json};

use super::*;
use crate::{
    host::{
        issuer::{Issuer, LocalAgent},
        lambda::{Failure, Function, tests::toy},
    },
    template::plan::{HttpRoute, JwtAuthorizer},
};

const NOW_MS: i64 = 1_795_415_624_000;
const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn route(key: &str, function: &str, authorizer: Option<&str>) -> HttpRoute {
    HttpRoute {
        key: key.to_owned(),
        method: None,
        path: key.split_once(' ').unwrap().1.to_owned(),
        function: function.to_owned(),
        authorizer: authorizer.map(str::to_owned),
        timeout_ms: 30_000,
    }
}

struct Bench {
    api: HttpApi,
    issuer: Issuer,
    _directory: tempfile::TempDir,
}

fn bench(functions: Vec<Function>, cors: Option<Cors>) -> Bench {
    let clock: Clock = Arc::new(|| NOW_MS);
    let directory = tempfile::tempdir().unwrap();
    let issuer = Issuer::open(directory.path(), "http://127.0.0.1:1", "colloquy", Arc::clone(&clock)).unwrap();
    let jwt = JwtAuthorizer {
        issuer: issuer.name().to_owned(),
        audience: vec!["colloquy".to_owned()],
        identity_source: vec!["$request.header.Authorization".to_owned()],
    };
    let plan = HttpPlan {
        id: "api".to_owned(),
        stage: "$default".to_owned(),
        endpoint: String::new(),
        routes: vec![
            route("ANY /webhooks/whatsapp/{inbox}", "Webhook", None),
            route("ANY /v1/me", "Directory", Some("Token")),
            route("ANY /v1/lost", "Webhook", Some("Nobody")),
            HttpRoute { timeout_ms: 5, ..route("ANY /slow", "Webhook", None) },
        ],
        authorizers: BTreeMap::new(),
        cors,
    };
    let authorizers = BTreeMap::from([("Token".to_owned(), Authorizer::new(&jwt, &issuer, Arc::clone(&clock)))]);
    let api = HttpApi::new(plan, authorizers, functions.into_iter().collect(), clock);
    Bench { api, issuer, _directory: directory }
}

async fn ask(
    api: &HttpApi,
    request: http::request::Builder,
    body: impl Into<Body>,
) -> Option<(u16, HeaderMap, String)> {
    let answer = api.answer(request.body(body.into()).unwrap(), SOURCE).await.ok()?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    Some((status, headers, String::from_utf8(body.to_vec()).unwrap()))
}

#[tokio::test]
async fn a_webhook_reaches_its_function_as_the_bytes_it_was_sent_as() {
    let seen = Arc::new(Mutex::new(Value::Null));
    let sink = Arc::clone(&seen);
    let webhook = toy("Webhook", move |event| {
        *sink.lock().unwrap() = event;
        async { Ok(json!({ "statusCode": 200, "body": "success" })) }
    });
    let bench = bench(vec![webhook], None);
    let request = Request::post("/webhooks/whatsapp/inb_a?x=1").header("content-type", "application/json");
    let (status, _, body) = ask(&bench.api, request, "{ \"a\" :\t1 }").await.unwrap();
    assert_eq!((status, body.as_str()), (200, "success"));
    let seen = seen.lock().unwrap();
    assert_eq!(seen["body"], "{ \"a\" :\t1 }");
    assert_eq!(seen["pathParameters"]["inbox"], "inb_a");
    assert_eq!(seen["requestContext"]["http"]["sourceIp"], "127.0.0.1");
}

#[tokio::test]
async fn a_route_with_an_authorizer_is_closed_to_everyone_without_a_token() {
    let directory = toy("Directory", |event| async move {
        Ok(json!({ "statusCode": 200, "body": event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] }))
    });
    let bench = bench(vec![directory], None);
    let (status, _, body) = ask(&bench.api, Request::get("/v1/me"), "").await.unwrap();
    assert_eq!((status, body.as_str()), (401, "{\"message\":\"Unauthorized\"}"));
    let agent = LocalAgent { id: "agt_li".to_owned(), email: "li@colloquy.test".to_owned(), name: "Li".to_owned() };
    let token = bench.issuer.token(&agent).unwrap();
    let request = Request::get("/v1/me").header("authorization", format!("Bearer {token}"));
    assert_eq!(ask(&bench.api, request, "").await.unwrap().2, "agt_li");
    let request = Request::get("/v1/lost").header("authorization", format!("Bearer {token}"));
    assert_eq!(ask(&bench.api, request, "").await.unwrap().0, 401, "an authorizer that is missing lets nobody in");
}

#[tokio::test]
async fn what_no_route_takes_is_given_back() {
    let bench = bench(vec![], None);
    assert!(ask(&bench.api, Request::get("/elsewhere"), "").await.is_none());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_the_function_sees_it() {
    let bench = bench(vec![toy("Webhook", |_| async { Ok(Value::Null) })], None);
    let binary = Request::post("/webhooks/whatsapp/a").header("content-type", "application/octet-stream");
    let (status, ..) = ask(&bench.api, binary, vec![0_u8; 5 * 1024 * 1024]).await.unwrap();
    assert_eq!(status, 413);
    let text = Request::post("/webhooks/whatsapp/a").header("content-type", "text/plain");
    assert_eq!(ask(&bench.api, text, vec![b'a'; 11 * 1024 * 1024]).await.unwrap().0, 413);
}

#[tokio::test]
async fn a_function_that_fails_shows_nothing_of_why() {
    let bench = bench(vec![toy("Webhook", |_| async { Err(Failure::Refused("secret".to_owned())) })], None);
    let (status, _, body) = ask(&bench.api, Request::post("/webhooks/whatsapp/a"), "").await.unwrap();
    assert_eq!((status, body.as_str()), (500, "{\"message\":\"Internal Server Error\"}"));
}

#[tokio::test]
async fn the_gateway_gives_up_when_the_integrations_time_is_over() {
    let code = crate::host::lambda::tests::Toy(|_: Value| async { std::future::pending().await });
    let slow = Function::new("Webhook", "arn", Duration::from_secs(900), None, Arc::new(code));
    let bench = bench(vec![slow], None);
    let (status, _, body) = ask(&bench.api, Request::post("/slow"), "").await.unwrap();
    assert_eq!((status, body.as_str()), (503, "{\"message\":\"Service Unavailable\"}"));
}

#[tokio::test]
async fn the_gateway_answers_preflights_when_the_template_says_so() {
    let cors = Cors {
        origins: vec!["https://shop.example".to_owned()],
        methods: vec!["POST".to_owned()],
        headers: vec!["content-type".to_owned()],
        max_age_s: 60,
        ..Cors::default()
    };
    let bench = bench(vec![toy("Webhook", |_| async { Ok(json!({ "statusCode": 200 })) })], Some(cors));
    let preflight = |origin: &str| {
        Request::options("/webhooks/whatsapp/a")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let (status, headers, _) = ask(&bench.api, preflight("https://shop.example"), "").await.unwrap();
    assert_eq!((status, headers["access-control-allow-methods"].to_str().unwrap()), (204, "POST"));
    let (_, headers, _) = ask(&bench.api, preflight("https://evil.example"), "").await.unwrap();
    assert!(!headers.contains_key("access-control-allow-origin"));
    let post = Request::post("/webhooks/whatsapp/a").header("origin", "https://shop.example");
    let (_, headers, _) = ask(&bench.api, post, "").await.unwrap();
    assert_eq!(headers["access-control-allow-origin"], "https://shop.example");
}
