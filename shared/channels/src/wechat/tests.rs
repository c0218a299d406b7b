use std::collections::BTreeMap;

use colloquy_domain::{Inbound, InboundMessage, PartKind};
use serde_json::Value;

use super::*;
use crate::{
    Unreadable,
    tests::{demo, fixture, fixtures, settings},
};

const NOW: Timestamp = Timestamp::from_ms(1_795_415_700_000);
const APP: &str = "wx5823bf96d3bd56c7";
const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

fn plain_inbox() -> Settings {
    settings(json!({"app_id": "wx2421b1c4370ec43b", "app_secret": "s", "token": "demo-wechat-token"}))
}

fn ask(method: &str, inbox: &Settings, query: &[(&str, &str)], body: &[u8]) -> Result<Received, Rejected> {
    let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request =
        Request { method, path: "/webhooks/wechat/inb_wechat", query: &query, headers: &BTreeMap::new(), body };
    receive(inbox, &request, NOW)
}

fn plain(body: &[u8]) -> Result<Received, Rejected> {
    let signature = sign("demo-wechat-token", "1795415624", "n1", None);
    ask("POST", &plain_inbox(), &[("signature", &signature), ("timestamp", "1795415624"), ("nonce", "n1")], body)
}

fn safe(inbox: &Settings, sealed: &str, token: &str) -> Result<Received, Rejected> {
    let signature = sign(token, "1795415624", "n1", Some(sealed));
    let body = format!("<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>");
    let query = [("encrypt_type", "aes"), ("msg_signature", &signature), ("timestamp", "1795415624"), ("nonce", "n1")];
    ask("POST", inbox, &query, body.as_bytes())
}

fn batch(received: Result<Received, Rejected>) -> (Vec<Inbound>, Vec<Unreadable>) {
    match received {
        Ok(Received::Batch { inbound, unreadable, answer }) => {
            assert_eq!(answer, Answer::text("success"));
            (inbound, unreadable)
        }
        other => panic!("{other:?}"),
    }
}

fn message(name: &str) -> InboundMessage {
    match batch(plain(&fixture(Channel::WeChat, name))).0.as_slice() {
        [Inbound::Message(message)] => message.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn every_kind_of_push_is_answered_success() {
    for (name, body) in fixtures(Channel::WeChat).into_iter().filter(|(name, _)| !name.starts_with("encrypted")) {
        let (inbound, unreadable) = batch(plain(&body));
        let quiet = name.starts_with("event_") && name != "event_click" && name != "event_unknown";
        assert_eq!(inbound.len() + unreadable.len(), usize::from(!quiet), "{name}");
    }
}

#[test]
fn a_text_has_its_words_its_sender_and_its_time() {
    let text = message("text");
    assert_eq!(text.text, "你好，这件有别的颜色吗？ <b>🍮</b> & more");
    assert_eq!((text.sender.address.as_str(), text.sender.name), ("oia2TjjewbmiOUlr6X-1crbLOvLw", None));
    assert_eq!(text.sent_at, Some(Timestamp::from_ms(1_795_415_624_000)));
    assert!(text.provider_id.starts_with("2383406083"));
}

#[test]
fn media_places_and_links_become_parts() {
    let voice = message("voice_recognized");
    assert_eq!((voice.text.as_str(), voice.parts[0].mime.as_deref()), ("我想退货", Some("audio/speex")));
    assert_eq!(message("image").parts[0].media.as_deref(), Some("media-image-1"));
    assert_eq!(message("shortvideo").parts[0].kind, PartKind::Video);
    let place = message("location").parts.remove(0);
    assert_eq!((place.place.as_deref(), place.label.as_deref()), (Some("23.134521,113.358803"), Some("广州市天河区")));
    let link = message("link");
    assert_eq!(
        (link.text.as_str(), link.parts[0].media.as_deref()),
        ("公众平台官网", Some("https://mp.weixin.qq.com/"))
    );
    assert_eq!(message("file").parts[0].label.as_deref(), Some("invoice.pdf"));
    assert_eq!(message("unknown_type").parts[0].label.as_deref(), Some("hologram"));
}

#[test]
fn a_menu_click_is_the_customer_speaking_and_an_unknown_event_is_counted() {
    let click = message("event_click");
    assert_eq!((click.text.as_str(), click.parts[0].label.as_deref()), ("人工客服", Some("menu click")));
    assert_eq!(click.provider_id, "oia2TjjewbmiOUlr6X-1crbLOvLw-1795415624-event-CLICK-人工客服");
    let (_, unreadable) = batch(plain(&fixture(Channel::WeChat, "event_unknown")));
    assert!(unreadable[0].reason.contains("`holiday`"));
    let (_, unreadable) = batch(plain(&fixture(Channel::WeChat, "without_sender")));
    assert!(unreadable[0].reason.contains("no usable sender"));
}

#[test]
fn the_platforms_own_sample_is_read() {
    // 消息加解密: the key, token and signature published with the sample code.
    let inbox = settings(json!({"app_id": APP, "app_secret": "s", "token": "QDG6eK", "encoding_aes_key": KEY}));
    let query = [
        ("encrypt_type", "aes"),
        ("msg_signature", "477715d11cdb4164915debcba66cb864d751f3e6"),
        ("timestamp", "1409659813"),
        ("nonce", "1372623149"),
    ];
    let (inbound, _) = batch(ask("POST", &inbox, &query, &fixture(Channel::WeChat, "encrypted_official")));
    let [Inbound::Message(message)] = inbound.as_slice() else { panic!("{inbound:?}") };
    assert_eq!((message.text.as_str(), message.sender.address.as_str()), ("hello", "mycreate"));
}

#[test]
fn an_encrypted_message_is_read_and_a_tampered_one_is_not() {
    let inbox = demo(Channel::WeChat);
    let key = AesKey::read(KEY).unwrap();
    let sealed = encrypt(&key, [7; 16], &fixture(Channel::WeChat, "text"), APP);
    let (inbound, _) = batch(safe(&inbox, &sealed, "demo-wechat-token"));
    assert!(matches!(inbound.as_slice(), [Inbound::Message(message)] if message.text.starts_with("你好")));

    let forged = |sealed: &str, token: &str| safe(&inbox, sealed, token).unwrap_err().status();
    assert_eq!(forged(&sealed, "another-token"), 401);
    let for_another_app = encrypt(&key, [7; 16], &fixture(Channel::WeChat, "text"), "wx0000000000000000");
    assert_eq!(forged(&for_another_app, "demo-wechat-token"), 401);
    let other_key = AesKey::read(&KEY.replace('j', "k")).unwrap();
    assert_eq!(forged(&encrypt(&other_key, [7; 16], b"<xml/>", APP), "demo-wechat-token"), 401);
    assert_eq!(forged(&sealed[..sealed.len() - 4], "demo-wechat-token"), 401);
    assert_eq!(forged("", "demo-wechat-token"), 400);
    let junk = encrypt(&key, [7; 16], b"not xml", APP);
    assert_eq!(forged(&junk, "demo-wechat-token"), 400);

    let signature = sign("demo-wechat-token", "1795415624", "n1", Some(&sealed));
    let flipped = format!("<xml><Encrypt>{}</Encrypt></xml>", sealed.replacen('A', "B", 1));
    let query =
        [("encrypt_type", "aes"), ("msg_signature", signature.as_str()), ("timestamp", "1795415624"), ("nonce", "n1")];
    assert_eq!(ask("POST", &inbox, &query, flipped.as_bytes()).unwrap_err().status(), 401);
    let upper = signature.to_uppercase();
    let query =
        [("encrypt_type", "aes"), ("msg_signature", upper.as_str()), ("timestamp", "1795415624"), ("nonce", "n1")];
    let body = format!("<xml><Encrypt>{sealed}</Encrypt></xml>");
    assert_eq!(ask("POST", &inbox, &query, body.as_bytes()).unwrap_err().status(), 401);
}

#[test]
fn an_inbox_with_a_key_takes_no_message_in_the_clear() {
    let signature = sign("demo-wechat-token", "1795415624", "n1", None);
    let query = [("signature", signature.as_str()), ("timestamp", "1795415624"), ("nonce", "n1")];
    let body = fixture(Channel::WeChat, "text");
    assert_eq!(ask("POST", &demo(Channel::WeChat), &query, &body).unwrap_err().status(), 401);
    let raw = [query[0], query[1], query[2], ("encrypt_type", "raw")];
    assert_eq!(ask("POST", &demo(Channel::WeChat), &raw, &body).unwrap_err().status(), 401);
}

#[test]
fn of_a_message_that_comes_both_ways_only_what_is_encrypted_is_read() {
    let sealed = encrypt(&AesKey::read(KEY).unwrap(), [7; 16], &fixture(Channel::WeChat, "image"), APP);
    let both = String::from_utf8(fixture(Channel::WeChat, "text")).unwrap();
    let both = both.replace("</xml>", &format!("<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"));
    let signature = sign("demo-wechat-token", "1795415624", "n1", Some(&sealed));
    let query =
        [("encrypt_type", "aes"), ("msg_signature", signature.as_str()), ("timestamp", "1795415624"), ("nonce", "n1")];
    let (inbound, _) = batch(ask("POST", &demo(Channel::WeChat), &query, both.as_bytes()));
    assert!(matches!(inbound.as_slice(), [Inbound::Message(message)] if message.parts[0].kind == PartKind::Image));
}

#[test]
fn an_encrypted_message_to_an_inbox_without_a_key_says_what_is_missing() {
    let error = plain(b"<xml><ToUserName>gh</ToUserName><Encrypt>AAAA</Encrypt></xml>").unwrap_err();
    assert!(error.status() == 400 && error.to_string().contains("encoding_aes_key"));
}

#[test]
fn a_push_without_the_right_signature_is_refused() {
    let body = fixture(Channel::WeChat, "text");
    let right = sign("demo-wechat-token", "1795415624", "n1", None);
    let other = sign("another-token", "1795415624", "n1", None);
    let nothing = sign("demo-wechat-token", "", "", None);
    let upper = right.to_uppercase();
    let wrong: [&[(&str, &str)]; 6] = [
        &[],
        &[("timestamp", "1795415624"), ("nonce", "n1")],
        &[("signature", &other), ("timestamp", "1795415624"), ("nonce", "n1")],
        &[("signature", &right), ("timestamp", "1795415625"), ("nonce", "n1")],
        &[("signature", &upper), ("timestamp", "1795415624"), ("nonce", "n1")],
        &[("signature", &nothing)],
    ];
    for query in wrong {
        assert_eq!(ask("POST", &plain_inbox(), query, &body).unwrap_err().status(), 401, "{query:?}");
        assert_eq!(ask("GET", &plain_inbox(), query, b"").unwrap_err().status(), 403, "{query:?}");
    }
}

#[test]
fn a_signed_push_that_cannot_be_read_is_refused() {
    let body = fixture(Channel::WeChat, "text");
    for broken in [&body[..body.len() / 2], b"", b"\xff\xfe", b"{}"] {
        assert_eq!(plain(broken).unwrap_err().status(), 400);
    }
    assert_eq!(plain(&vec![b' '; LIMIT_BYTES + 1]).unwrap_err().status(), 413);
}

#[test]
fn wechats_question_is_answered_in_both_modes() {
    let signature = sign("demo-wechat-token", "1795415624", "n1", None);
    let query = [
        ("signature", signature.as_str()),
        ("timestamp", "1795415624"),
        ("nonce", "n1"),
        ("echostr", "4375120948345356249"),
    ];
    for inbox in [plain_inbox(), demo(Channel::WeChat)] {
        assert_eq!(ask("GET", &inbox, &query, b""), Ok(Received::Challenge(Answer::text("4375120948345356249"))));
    }
    assert_eq!(ask("GET", &plain_inbox(), &query[..3], b"").unwrap_err().status(), 400);
    assert_eq!(ask("PUT", &plain_inbox(), &query, b"").unwrap_err().status(), 405);
}

#[test]
fn a_reply_is_raw_utf8_and_cut_at_2048_bytes() {
    let text = "您的订单已经发货。".repeat(200);
    let message = Outgoing {
        api_base: "https://api.weixin.qq.com",
        to: "oid",
        text: &text,
        reference: "r",
        token: Some("a+b/c="),
    };
    let calls = render(&message).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(calls[0].url, "https://api.weixin.qq.com/cgi-bin/message/custom/send?access_token=a%2Bb%2Fc%3D");
    let mut whole = String::new();
    for call in &calls {
        assert!(!String::from_utf8_lossy(&call.body).contains("\\u"));
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        assert_eq!((&body["touser"], &body["msgtype"]), (&json!("oid"), &json!("text")));
        let piece = body["text"]["content"].as_str().unwrap();
        assert!(piece.len() <= 2_048 && piece.ends_with('。'));
        whole.push_str(piece);
    }
    assert_eq!(whole, text);
    assert!(matches!(render(&Outgoing { token: None, ..message }), Err(RenderError::NoToken)));
}

#[test]
fn a_token_is_asked_for_the_stable_way_first() {
    let calls = token_calls(&demo(Channel::WeChat), "http://127.0.0.1:8787/sandbox/wechat/").unwrap_or_default();
    assert_eq!(
        (calls[0].method, calls[0].url.as_str()),
        ("POST", "http://127.0.0.1:8787/sandbox/wechat/cgi-bin/stable_token")
    );
    let body: Value = serde_json::from_slice(&calls[0].body).unwrap();
    assert_eq!(body, json!({"grant_type": "client_credential", "appid": APP, "secret": "demo-wechat-app-secret"}));
    assert_eq!(calls[1].method, "GET");
    assert!(calls[1].url.ends_with(
        "/cgi-bin/token?grant_type=client_credential&appid=wx5823bf96d3bd56c7&secret=demo-wechat-app-secret"
    ));
}
