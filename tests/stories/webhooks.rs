//! What platforms post, and what only looks like it.

use colloquy_channels::{wechat, whatsapp::sign};
use colloquy_tests::{Answer, WeChat, WhatsApp, World};
use serde_json::json;

use crate::shop::{KERRY, Shop, assert_numbered, count};

async fn challenge(shop: &Shop, query: &str) -> Answer {
    Answer::to(shop.world.http.get(format!("{}?{query}", shop.whatsapp.url))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meta_gets_its_challenge_back_with_the_right_token_only() {
    let shop = Shop::open().await;
    let right = "hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=1158201444";
    let answer = challenge(&shop, right).await.expect(200);
    assert_eq!(answer.text, "1158201444");
    for wrong in [
        "hub.mode=subscribe&hub.verify_token=verify-you&hub.challenge=1158201444",
        "hub.mode=subscribe&hub.challenge=1158201444",
        "hub.mode=unsubscribe&hub.verify_token=verify-me&hub.challenge=1158201444",
        "",
    ] {
        let answer = challenge(&shop, wrong).await.expect(403);
        assert!(!answer.text.contains("1158201444"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wechat_gets_its_echo_back_when_it_is_signed() {
    let world = Box::pin(World::start()).await;
    let platform = world.platform().await;
    let wechat = world.wechat(&platform, None).await;
    assert_eq!(wechat.challenge("wechat-token", "echo-4711").await.expect(200).text, "echo-4711");
    let refused = wechat.challenge("another-token", "echo-4711").await.expect(403);
    assert!(!refused.text.contains("echo-4711"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_webhook_is_turned_away_and_leaves_nothing() {
    let shop = Shop::open().await;
    let other = shop.world.whatsapp_with(&shop.platform.url(), "another-inboxes-secret").await;
    let body = shop.whatsapp.webhook(&[shop.whatsapp.text(&WhatsApp::id(), KERRY, "forged 🎭 https://x.y/z")], &[]);
    let right = sign(&shop.whatsapp.secret, &body);
    let upper = right.to_uppercase();
    let bare = right.trim_start_matches("sha256=").to_owned();
    let mut flipped = right.clone();
    let last = if flipped.ends_with('0') { "1" } else { "0" };
    flipped.replace_range(flipped.len() - 1.., last);
    let foreign = sign(&other.secret, &body);
    for signature in [None, Some(""), Some("sha256="), Some(&upper), Some(&bare), Some(&flipped), Some(&foreign)] {
        assert_eq!(
            shop.whatsapp.post_signed(body.clone(), signature.map(|x| x as _)).await.status,
            401,
            "{signature:?}"
        );
    }
    // One byte more, one less, another one: not what was signed.
    for changed in [[body.as_slice(), b" "].concat(), body[..body.len() - 1].to_vec(), [b" ", body.as_slice()].concat()]
    {
        assert_eq!(shop.whatsapp.post_signed(changed, Some(&right)).await.status, 401);
    }
    shop.world.quiet().await;
    let all = shop.world.admin.get("/v1/conversations?holder=all").await.expect(200);
    assert!(all.items().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_counts_for_the_bytes_that_were_sent_and_not_for_the_same_json_written_otherwise() {
    let shop = Shop::open().await;
    let id = WhatsApp::id();
    let plain = shop.whatsapp.webhook(&[shop.whatsapp.text(&id, KERRY, "Grüße 🎭 a/b")], &[]);
    // As Meta writes it: not ASCII escaped, slashes too.
    let escaped = String::from_utf8(plain.clone()).unwrap().replace("a/b", "a\\/b").replace('ü', "\\u00fc");
    let escaped = escaped.replace('ß', "\\u00df").replace('🎭', "\\ud83c\\udfad").into_bytes();
    let over_plain = sign(&shop.whatsapp.secret, &plain);
    assert_eq!(shop.whatsapp.post_signed(escaped.clone(), Some(&over_plain)).await.status, 401);
    assert_eq!(shop.whatsapp.post(escaped).await.status, 200);
    let conversation = shop.world.admin.found("queue:que_general").await;
    assert!(shop.world.admin.entries(conversation["id"].as_str().unwrap()).await[1]["text"] == "Grüße 🎭 a/b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_signed_and_cannot_be_read_is_said_to_be_wrong() {
    let shop = Shop::open().await;
    let body = shop.whatsapp.webhook(&[shop.whatsapp.text(&WhatsApp::id(), KERRY, "cut short")], &[]);
    let mut garbled = body.clone();
    let at = garbled.windows(3).position(|window| window == b"cut").unwrap();
    garbled[at] = 0xff;
    for wrong in [body[..body.len() / 2].to_vec(), garbled, b"[]".to_vec(), b"null".to_vec(), vec![0xff, 0xfe, 0x00]] {
        let answer = shop.whatsapp.post(wrong).await;
        assert!(matches!(answer.status, 400 | 422), "{} {}", answer.status, answer.text);
        assert!(!answer.detail().is_empty());
    }
    // The whole one is still taken.
    assert_eq!(shop.whatsapp.post(body).await.status, 200);
    shop.world.admin.found("queue:que_general").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_megabytes_are_too_large() {
    let shop = Shop::open().await;
    let body = shop.whatsapp.webhook(&[shop.whatsapp.text(&WhatsApp::id(), KERRY, &"x".repeat(5_000_000))], &[]);
    assert_eq!(shop.whatsapp.post(body).await.status, 413);
    // Seven are so before anybody looks at them.
    assert_eq!(shop.whatsapp.post(vec![b'x'; 7_000_000]).await.status, 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_type_in_the_middle_of_a_batch_blocks_nobody() {
    let shop = Shop::open().await;
    let at = shop.world.clock.seconds().to_string();
    let hologram =
        json!({"from": KERRY, "id": WhatsApp::id(), "timestamp": at, "type": "hologram", "hologram": {"id": 1}});
    let broken = json!({"id": 7, "from": [], "type": "text"});
    let messages = [
        shop.whatsapp.text(&WhatsApp::id(), KERRY, "before"),
        hologram,
        broken,
        json!("not even an object"),
        shop.whatsapp.text(&WhatsApp::id(), KERRY, "after"),
    ];
    assert_eq!(shop.whatsapp.post(shop.whatsapp.webhook(&messages, &[])).await.status, 200);
    let conversation = shop.world.admin.found("queue:que_general").await["id"].as_str().unwrap().to_owned();
    shop.world.quiet().await;
    let entries = shop.world.admin.entries(&conversation).await;
    assert_numbered(&entries, 1);
    let said: Vec<_> = entries.iter().filter(|entry| entry["author"] == "contact").collect();
    assert_eq!(said.len(), 3, "{said:#?}");
    assert_eq!((&said[0]["text"], &said[2]["text"]), (&json!("before"), &json!("after")));
    assert_eq!(
        (&said[1]["parts"][0]["kind"], &said[1]["parts"][0]["label"]),
        (&json!("unsupported"), &json!("hologram"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_and_status_of_a_batch_is_taken() {
    let shop = Shop::open().await;
    let (_socket, conversation) = shop.talk().await;
    let mut sent = Vec::new();
    for text in ["first answer", "second answer"] {
        let seq = shop.li.say(&conversation, text).await;
        sent.push((seq, shop.platform.got(text).await.id));
        shop.li.delivered(&conversation, seq, "sent").await;
    }
    let messages: Vec<_> = (0..12)
        .map(|number| {
            let from = if number % 2 == 0 { KERRY } else { "4915112345678" };
            shop.whatsapp.text(&WhatsApp::id(), from, &format!("part {number}"))
        })
        .collect();
    let statuses = [shop.whatsapp.status(&sent[0].1, "delivered"), shop.whatsapp.status(&sent[1].1, "read")];
    assert_eq!(shop.whatsapp.post(shop.whatsapp.webhook(&messages, &statuses)).await.status, 200);
    shop.li.delivered(&conversation, sent[0].0, "delivered").await;
    shop.li.delivered(&conversation, sent[1].0, "read").await;
    shop.world.quiet().await;
    let entries = shop.li.entries(&conversation).await;
    assert_numbered(&entries, 1);
    let parts: Vec<_> = entries.iter().filter_map(|entry| entry["text"].as_str()?.strip_prefix("part ")).collect();
    assert_eq!(parts, ["0", "2", "4", "6", "8", "10"]);
    let mut others = shop.world.admin.get("/v1/conversations?holder=all").await.expect(200).items();
    others.retain(|head| head["id"] != json!(conversation));
    assert_eq!(others.len(), 1);
    let entries = shop.world.admin.entries(others[0]["id"].as_str().unwrap()).await;
    let parts: Vec<_> = entries.iter().filter_map(|entry| entry["text"].as_str()?.strip_prefix("part ")).collect();
    assert_eq!(parts, ["1", "3", "5", "7", "9", "11"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_that_is_not_there_is_not_found_on_any_channel() {
    let shop = Shop::open().await;
    let body = shop.whatsapp.webhook(&[shop.whatsapp.text(&WhatsApp::id(), KERRY, "hi")], &[]);
    let inbox = &shop.whatsapp.inbox;
    for path in [
        "/webhooks/whatsapp/inb_nowhere",
        "/webhooks/whatsapp/x",
        "/webhooks/wechat/inb_nowhere",
        &format!("/webhooks/wechat/{inbox}"),
    ] {
        let request = shop.world.http.post(shop.world.host().url(path)).body(body.clone());
        let request = request.header("x-hub-signature-256", sign(&shop.whatsapp.secret, &body));
        assert_eq!(Answer::to(request).await.status, 404, "{path}");
    }
    assert_eq!(shop.world.get("/webhooks/telegram/inb_nowhere").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wechat_push_that_is_not_wechats_is_turned_away() {
    let world = Box::pin(World::start()).await;
    let platform = world.platform().await;
    let safe = world.wechat(&platform, Some("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")).await;
    let mut plain = safe.clone();
    plain.aes_key = None;
    let xml = safe.text(WeChat::id(), "oSnowy_1", "hello");

    let (query, body) = plain.sealed(&xml);
    assert_eq!(safe.post(&query, body.clone()).await.status, 401, "a plain body where safe mode is set");
    let (query, body) = safe.sealed(&xml);
    let other = body.replacen("<Encrypt><![CDATA[", "<Encrypt><![CDATA[A", 1);
    assert_eq!(safe.post(&query, other).await.status, 401, "a body that is not the signed one");
    let unsigned: String =
        query.split('&').filter(|pair| !pair.starts_with("msg_signature")).collect::<Vec<_>>().join("&");
    assert_eq!(safe.post(&unsigned, body.clone()).await.status, 401, "no signature over the body");
    // Encrypted with the right key for another account, and rightly signed.
    let mut foreign = safe.clone();
    "wx0000000000000000".clone_into(&mut foreign.app_id);
    let (foreign_query, foreign_body) = foreign.sealed(&xml);
    assert_eq!(safe.post(&foreign_query, foreign_body).await.status, 401, "for another account");
    for wrong in [body.as_bytes()[..body.len() / 2].to_vec(), vec![0xff, 0xfe], Vec::new(), vec![b'<'; 2_000_000]] {
        let status = safe.post(&query, wrong).await.status;
        assert!(matches!(status, 400 | 401 | 413 | 422), "{status}");
    }
    let at = "1700000000";
    let signed = format!("signature={}&timestamp={at}&nonce=1", wechat::sign("guessed", at, "1", None));
    assert_eq!(safe.post(&signed, xml).await.status, 401);
    world.quiet().await;
    assert!(world.admin.get("/v1/conversations?holder=all").await.expect(200).items().is_empty());
    // And the real one is taken.
    assert_eq!(safe.post(&query, body).await.expect(200).text, "success");
    world.admin.found("queue:que_general").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_longer_than_a_queue_carries_is_split_and_nothing_of_it_is_lost() {
    let shop = Shop::open().await;
    let long: String = (0..9_000).map(|number| format!("{number:07} ")).collect();
    shop.whatsapp.says(KERRY, long.trim()).await;
    let conversation = shop.world.admin.found("queue:que_general").await["id"].as_str().unwrap().to_owned();
    shop.world.quiet().await;
    let entries = shop.world.admin.entries(&conversation).await;
    let said: Vec<&str> = entries
        .iter()
        .filter(|entry| entry["author"] == "contact")
        .filter_map(|entry| entry["text"].as_str())
        .collect();
    assert!(said.len() > 1);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&said.join(" ")), words(&long));
    assert_eq!(count(&entries, long.trim()), 0);
}
