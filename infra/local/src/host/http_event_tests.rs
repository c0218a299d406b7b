use axum::body::to_bytes;
use http::Request;

use super::*;

fn event_of(request: http::request::Builder, body: &[u8]) -> Option<Value> {
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let arrival = Arrival {
        api: "api",
        account: "000000000000",
        stage: "$default",
        route: "ANY /webhooks/whatsapp/{inbox}",
        parameters: BTreeMap::from([("inbox".to_owned(), "inb_whatsapp".to_owned())]),
        claims: None,
        source: IpAddr::from([127, 0, 0, 1]),
        at: Moment::from_ms(1_795_415_624_123),
        id: "r".to_owned(),
    };
    event(&parts, &Bytes::copy_from_slice(body), arrival)
}

async fn read(answer: Value) -> (u16, HeaderMap, String) {
    let response = response(answer);
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn a_request_is_the_payload_that_lambda_sees() {
    let request = Request::builder()
        .method("POST")
        .uri("/webhooks/whatsapp/inb_whatsapp?a=1&a=2&b=x%20y")
        .header("Host", "127.0.0.1:8787")
        .header("Content-Type", "application/json; charset=utf-8")
        .header("X-Two", "1")
        .header("X-Two", "2")
        .header("Cookie", "a=1; b=2")
        .header("User-Agent", "test");
    let event = event_of(request, "{\"text\":\"你好\"}".as_bytes()).unwrap();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "ANY /webhooks/whatsapp/{inbox}");
    assert_eq!(event["rawPath"], "/webhooks/whatsapp/inb_whatsapp");
    assert_eq!(event["rawQueryString"], "a=1&a=2&b=x%20y");
    assert_eq!(event["queryStringParameters"], json!({ "a": "1,2", "b": "x y" }));
    assert_eq!(event["pathParameters"], json!({ "inbox": "inb_whatsapp" }));
    assert_eq!(event["headers"]["x-two"], "1,2");
    assert_eq!(event["headers"].get("cookie"), None);
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(event["body"], "{\"text\":\"你好\"}");
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
    assert_eq!(event["requestContext"]["domainName"], "127.0.0.1");
    assert_eq!(event["requestContext"]["time"], "23/Nov/2026:06:33:44 +0000");
    assert_eq!(event["requestContext"].get("authorizer"), None);
}

#[test]
fn what_is_not_text_travels_in_base64() {
    let octets = event_of(Request::post("/x").header("content-type", "image/png"), &[0, 255]).unwrap();
    assert_eq!((&octets["body"], &octets["isBase64Encoded"]), (&json!("AP8="), &json!(true)));
    let form =
        event_of(Request::post("/x").header("content-type", "application/x-www-form-urlencoded"), b"a=1").unwrap();
    assert_eq!((&form["body"], &form["isBase64Encoded"]), (&json!("YT0x"), &json!(true)));
    let broken = event_of(Request::post("/x").header("content-type", "application/json"), &[0xff]).unwrap();
    assert_eq!(broken["isBase64Encoded"], true);
    let nothing = event_of(Request::get("/x"), b"").unwrap();
    assert_eq!((nothing.get("body"), &nothing["isBase64Encoded"]), (None, &json!(false)));
}

#[test]
fn a_body_that_lambda_would_not_take_is_no_event() {
    let text = vec![b'a'; EVENT_LIMIT_BYTES];
    assert!(event_of(Request::post("/x").header("content-type", "text/plain"), &text).is_some());
    assert!(event_of(Request::post("/x").header("content-type", "application/octet-stream"), &text).is_none());
    assert!(event_of(Request::post("/x").header("content-type", "text/plain"), &[text, vec![b'a']].concat()).is_none());
}

#[tokio::test]
async fn an_answer_is_sent_as_the_function_shaped_it() {
    let (status, headers, body) = read(json!({
        "statusCode": 202,
        "headers": { "Content-Type": "application/problem+json", "Content-Length": 3 },
        "multiValueHeaders": { "x-many": ["a", "b"] },
        "cookies": ["c=1"],
        "body": "eyJhIjoxfQ==",
        "isBase64Encoded": true,
    }))
    .await;
    assert_eq!((status, body.as_str()), (202, "{\"a\":1}"));
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers.get_all("x-many").iter().count(), 2);
    assert_eq!(headers["set-cookie"], "c=1");
    assert!(!headers.contains_key("content-length"));
}

#[tokio::test]
async fn an_answer_without_a_status_is_itself_the_body() {
    let (status, headers, body) = read(json!({ "a": 1 })).await;
    assert_eq!((status, body.as_str()), (200, "{\"a\":1}"));
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(read(json!("hello")).await.2, "hello");
}

#[tokio::test]
async fn a_malformed_answer_is_an_internal_server_error() {
    for answer in [
        json!({ "statusCode": "x" }),
        json!({ "statusCode": 200, "headers": [] }),
        json!({ "statusCode": 200, "body": { "not": "text" } }),
        json!({ "statusCode": 200, "body": "???", "isBase64Encoded": true }),
        json!({ "statusCode": 200, "headers": { "a b": "c" } }),
    ] {
        let (status, _, body) = read(answer).await;
        assert_eq!((status, body.as_str()), (500, "{\"message\":\"Internal Server Error\"}"));
    }
}
