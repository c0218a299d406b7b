//! Nothing that anybody wrote lies readable on the disk.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::{Value, json};

use crate::shop::{Shop, path};

/// The ways a text could lie in a file.
fn disguises(text: &str) -> Vec<Vec<u8>> {
    let mut ways = vec![text.as_bytes().to_vec()];
    let escaped: String = text
        .encode_utf16()
        .map(|unit| if unit < 128 { String::from(char::from(unit as u8)) } else { format!("\\u{unit:04x}") })
        .collect();
    ways.push(escaped.into_bytes());
    ways.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    ways.push(text.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
    for lead in 0..3 {
        // What base64 makes of it wherever it begins; the characters at its ends depend on its neighbors.
        let shifted = [&vec![b' '; lead][..], text.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(&shifted);
        let from = [0, 2, 3][lead];
        let until = encoded.len() - usize::from(shifted.len() % 3 != 0);
        ways.push(encoded.as_bytes()[from..until].to_vec());
    }
    ways.retain(|way| way.len() >= 6);
    ways.sort();
    ways.dedup();
    ways
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    let (first, rest) = needle.split_first().unwrap();
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first) {
        if bytes[from + at + 1..].starts_with(rest) {
            return true;
        }
        from += at + 1;
    }
    false
}

#[test]
fn a_text_is_found_in_every_disguise() {
    let text = "Grüße 42";
    let base64 = STANDARD_NO_PAD.encode(format!("ab{text}cd"));
    let json = "x Gr\\u00fc\\u00dfe 42 y";
    for bytes in [base64.as_bytes(), json.as_bytes(), "say Grüße 42!".as_bytes()] {
        assert!(disguises(text).iter().any(|way| holds(bytes, way)), "{bytes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_word_name_address_or_secret_lies_readable_in_the_data_folder() {
    let mut shop = Shop::open().await;
    let phone = "4915199887766";
    let wechat = shop.world.wechat(&shop.platform, Some("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")).await;
    let web = shop.world.web().await;
    let rosa = shop.world.hire("Rosalind Quimby", json!({})).await;
    let mut socket = rosa.come().await;

    shop.whatsapp.says(phone, "Mein Paket zerbröselte unterwegs").await;
    let conversation = socket.accept().await;
    rosa.say(&conversation, "Wir schicken Ersatz für das Paket").await;
    let _ =
        rosa.post(&path(&conversation, "/notes"), json!({"text": "zerbröselt: Karton war weich"})).await.expect(202);
    let ended = json!({"disposition": "ersatz-verschickt"});
    let ended = rosa.put(&path(&conversation, "/resolution"), ended).await.expect(202);
    rosa.turn(&conversation, &ended).await;
    wechat.says("oSecretOpenId_77", "包裹在路上碎掉了怎么办").await;
    let on_wechat = socket.accept().await;
    rosa.say(&on_wechat, "马上给您补发一个新的").await;
    let visitor = shop.world.visitor(&web, "Wilhelmina Ashgrove").await;
    visitor.says("1", "My parcel crumbled on the way").await;
    let on_web = socket.accept().await;
    rosa.say(&on_web, "A replacement is coming at once").await;
    visitor.sees("A replacement is coming at once").await;
    // What cannot be delivered stays in queues and entries.
    shop.platform.fail(colloquy_tests::Fault::Status(429, Some(800), Value::Null));
    shop.whatsapp.says(phone, "Und wann kommt der Ersatz?").await;
    let again = socket.accept().await;
    shop.platform
        .came("Hallo! Ihre Nachricht ist angekommen. Ich verbinde Sie mit unserem Team, bitte einen Moment Geduld.", 2)
        .await;
    rosa.say(&again, "Liegt schon beim Fahrer").await;
    shop.world.stop().await;

    let mut found = Vec::new();
    files(shop.world.folder(), &mut found);
    let contents: Vec<_> = found.iter().map(|file| (file, fs::read(file).unwrap())).collect();
    // What is not secret is found, so that finding nothing means something.
    assert!(contents.iter().any(|(_, bytes)| holds(bytes, conversation.as_bytes())));
    for secret in [
        "Mein Paket zerbröselte unterwegs",
        "zerbrösel",
        "Ersatz für das Paket",
        "Karton war weich",
        "ersatz-verschickt",
        "包裹在路上碎掉了怎么办",
        "马上给您补发一个新的",
        "My parcel crumbled",
        "replacement is coming",
        "wann kommt der Ersatz",
        "Liegt schon beim Fahrer",
        "Ihre Nachricht ist angekommen",
        "Wilhelmina Ashgrove",
        "Wilhelmina",
        phone,
        &format!("Kerry {phone}"),
        "oSecretOpenId_77",
        "Rosalind Quimby",
        "rosalind.quimby@colloquy.test",
        "the-app-secret-of-whatsapp",
        "whatsapp-access-token",
        "wechat-app-secret",
        "site-secret",
        "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
        &visitor.token,
    ] {
        for way in disguises(secret) {
            for (file, bytes) in &contents {
                assert!(!holds(bytes, &way), "`{secret}` lies readable in {}", file.display());
            }
        }
    }
}
