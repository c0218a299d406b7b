use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::tests::{demo, fixture, settings};

const NOW: Timestamp = Timestamp::from_ms(1_795_415_700_000);

fn visitor() -> VisitorId {
    "vis_01JDEMO".parse().unwrap()
}

fn said(text: &str, key: &str) -> Result<InboundMessage, Rejected> {
    message(json!({"text": text, "key": key}).to_string().as_bytes(), &visitor(), NOW)
}

#[test]
fn a_visitors_message_has_their_words_and_their_key() {
    let message = message(&fixture(Channel::Web, "message"), &visitor(), NOW).unwrap();
    assert_eq!(message.text, "Where is my order #1042? 🙂");
    assert_eq!((message.provider_id.as_str(), message.sender.address.as_str()), ("k-01J9ZQ.1:a_b", "vis_01JDEMO"));
    assert_eq!(message.sent_at, Some(NOW));
}

#[test]
fn a_message_without_words_or_with_too_many_is_refused_by_field() {
    for (text, key, field) in [
        ("", "k", "text"),
        (" \n\t ", "k", "text"),
        (&*"x".repeat(8_001), "k", "text"),
        ("x", "", "key"),
        ("x", "a b", "key"),
        ("x", &*"k".repeat(65), "key"),
        ("x", "ключ", "key"),
    ] {
        let error = said(text, key).unwrap_err();
        assert!(matches!(&error, Rejected::Invalid { field: found, .. } if *found == field), "{error}");
        assert_eq!(error.status(), 422);
    }
    assert!(said(&"🙂".repeat(8_000), &"k".repeat(64)).is_ok());
}

#[test]
fn what_is_not_json_or_too_long_is_refused() {
    for body in [&b""[..], b"{", b"\xff", b"{\"text\":\"\xff\"}"] {
        assert_eq!(message(body, &visitor(), NOW).unwrap_err().status(), 400);
    }
    for body in [&b"[]"[..], b"null", b"{\"text\":7,\"key\":\"k\"}"] {
        assert_eq!(message(body, &visitor(), NOW).unwrap_err().status(), 422);
    }
    assert_eq!(message(&vec![b' '; LIMIT_BYTES + 1], &visitor(), NOW).unwrap_err().status(), 413);
}

fn post(settings: &Settings, path: &str, origin: Option<&str>) -> Result<Received, Rejected> {
    let headers: BTreeMap<_, _> = origin.map(|origin| ("origin".to_owned(), origin.to_owned())).into_iter().collect();
    let body = fixture(Channel::Web, "message");
    receive(settings, &Request { method: "POST", path, query: &[], headers: &headers, body: &body }, NOW)
}

#[test]
fn a_message_is_taken_from_its_path_and_page() {
    let path = "/v1/visitors/vis_01JDEMO/messages";
    let shop = settings(json!({"allowed_origins": ["https://shop.example.com"]}));
    assert!(
        matches!(post(&shop, path, Some("https://shop.example.com")), Ok(Received::Batch { inbound, .. }) if inbound.len() == 1)
    );
    assert_eq!(post(&shop, path, Some("https://evil.example.com")).unwrap_err().status(), 403);
    assert_eq!(post(&shop, "/v1/visitors/agt_1/messages", Some("https://shop.example.com")).unwrap_err().status(), 404);
    assert_eq!(post(&demo(Channel::Web), "/v1/visitors", None).unwrap_err().status(), 404);
}

#[test]
fn only_the_named_origins_may_talk_to_an_inbox() {
    let allowed = |origins: Value, origin: Option<&str>| {
        is_origin_allowed(&settings(json!({"allowed_origins": origins})), origin)
    };
    assert!(allowed(json!(["*"]), None));
    assert!(is_origin_allowed(&Settings::default(), Some("https://any.example")));
    assert!(allowed(json!(["https://a.example", "https://b.example:8443"]), Some("https://b.example:8443")));
    assert!(allowed(json!(["https://*.example.com"]), Some("https://shop.example.com")));
    for (pattern, origin) in [
        ("https://a.example", Some("http://a.example")),
        ("https://a.example", Some("https://a.example.evil.test")),
        ("https://a.example", Some("null")),
        ("https://a.example", None),
        ("https://*.example.com", Some("https://example.com")),
        ("https://*.example.com", Some("https://evilexample.com")),
        ("https://*.example.com", Some("https://evil.test/.example.com")),
    ] {
        assert!(!allowed(json!([pattern]), origin), "{pattern} {origin:?}");
    }
    assert!(!allowed(json!([]), Some("https://a.example")));
}

#[test]
fn a_site_vouches_for_its_user_by_the_hash_of_their_id() {
    let identity = arrival(&fixture(Channel::Web, "arrival_identified"))
        .unwrap_or_else(|error| panic!("{error}"))
        .identity
        .unwrap();
    assert_eq!(verify_identity(&demo(Channel::Web), &identity), Ok(()));
    assert_eq!(identity.name.as_deref(), Some("Ann Smith"));
    let wrong = |id: &str, hash: &str| Identity { id: id.to_owned(), hash: hash.to_owned(), name: None };
    for claim in
        [wrong("user-43", &identity.hash), wrong("user-42", ""), wrong("user-42", &identity.hash.to_uppercase())]
    {
        assert_eq!(verify_identity(&demo(Channel::Web), &claim).unwrap_err().status(), 403);
    }
    let other = settings(json!({"identity_secret": "another-secret"}));
    assert_eq!(verify_identity(&other, &identity).unwrap_err().status(), 403);
    assert_eq!(verify_identity(&Settings::default(), &identity).unwrap_err().status(), 403);
    assert_eq!(
        verify_identity(&demo(Channel::Web), &wrong("", &identity_hash("demo-web-identity-secret", "")))
            .unwrap_err()
            .status(),
        422
    );
}

#[test]
fn an_arrival_names_its_inbox() {
    let read = |name: &str| arrival(&fixture(Channel::Web, name)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((read("arrival").inbox.as_str(), read("arrival").name.as_deref()), ("inb_web", Some("Ann")));
    assert_eq!(read("arrival_returning").token.as_deref(), Some("an-earlier-token"));
    for body in [&b"{}"[..], b"{\"inbox\":\"que_1\"}", b"[]"] {
        assert_eq!(arrival(body).err().map(|error| error.status()), Some(422));
    }
    assert_eq!(arrival(b"{").err().map(|error| error.status()), Some(400));
}

#[test]
fn a_name_is_tidied() {
    assert_eq!(name_of("  Zo\u{eb}\n Z ").as_deref(), Some("Zo\u{eb} Z"));
    assert_eq!(name_of(" \u{0} "), None);
    assert_eq!(name_of(&"x".repeat(200)).map(|name| name.len()), Some(100));
}

proptest! {
    #[test]
    fn nothing_makes_reading_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = message(&body, &visitor(), NOW);
        let _ = arrival(&body);
    }
}
