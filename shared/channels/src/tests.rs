use colloquy_domain::{Channel, Outcome};
use serde_json::{Value, json};

use super::*;

pub(crate) fn settings(value: Value) -> Settings {
    match value {
        Value::Object(map) => Settings::new(map),
        _ => panic!("settings are an object"),
    }
}

pub(crate) fn demo(channel: Channel) -> Settings {
    settings(match channel {
        Channel::Web => json!({"allowed_origins": ["*"], "identity_secret": "demo-web-identity-secret"}),
        Channel::WhatsApp => json!({"phone_number_id": "106540352242922", "app_secret": "demo-whatsapp-app-secret",
            "verify_token": "demo-whatsapp-verify", "access_token": "demo-whatsapp-token"}),
        Channel::WeChat => json!({"app_id": "wx5823bf96d3bd56c7", "app_secret": "demo-wechat-app-secret",
            "token": "demo-wechat-token", "encoding_aes_key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"}),
    })
}

/// The fixtures of a channel: their names and bytes.
pub(crate) fn fixtures(channel: Channel) -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/channels").join(channel.as_str());
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut found: Vec<_> = files
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

pub(crate) fn fixture(channel: Channel, name: &str) -> Vec<u8> {
    fixtures(channel).into_iter().find(|(found, _)| found == name).unwrap().1
}

fn wrong(channel: Channel, change: &Value) -> String {
    let mut map = demo(channel).into_inner();
    for (name, value) in change.as_object().unwrap() {
        map.insert(name.clone(), value.clone());
    }
    validate(channel, &Settings::new(map)).unwrap_err().field
}

#[test]
fn the_demo_settings_of_every_channel_are_right() {
    for channel in Channel::ALL {
        assert_eq!(validate(*channel, &demo(*channel)), Ok(()));
    }
    let plain = json!({"app_id": "wx2421b1c4370ec43b", "app_secret": "s", "token": "t", "encoding_aes_key": null});
    assert_eq!(validate(Channel::WeChat, &settings(plain)), Ok(()));
    assert_eq!(validate(Channel::Web, &Settings::default()), Ok(()));
}

#[test]
fn a_wrong_setting_is_refused_by_name_and_never_repeated() {
    let refused = [
        (Channel::WhatsApp, json!({"phone_number_id": ""}), "phone_number_id"),
        (Channel::WhatsApp, json!({"phone_number_id": "../me"}), "phone_number_id"),
        (Channel::WhatsApp, json!({"access_token": "two words"}), "access_token"),
        (Channel::WhatsApp, json!({"access_token": "line\r\nbreak"}), "access_token"),
        (Channel::WhatsApp, json!({"app_secret": 7}), "app_secret"),
        (Channel::WhatsApp, json!({"acess_token": "typo"}), "acess_token"),
        (Channel::WhatsApp, json!({"api_base": "ftp://example.com"}), "api_base"),
        (Channel::WhatsApp, json!({"api_base": "https://user@example.com"}), "api_base"),
        (Channel::WeChat, json!({"encoding_aes_key": "short"}), "encoding_aes_key"),
        (Channel::WeChat, json!({"token": null}), "token"),
        (Channel::Web, json!({"allowed_origins": "https://shop.example.com"}), "allowed_origins"),
        (Channel::Web, json!({"allowed_origins": ["shop.example.com"]}), "allowed_origins"),
        (Channel::Web, json!({"allowed_origins": ["https://shop.example.com/path"]}), "allowed_origins"),
    ];
    for (channel, change, field) in refused {
        assert_eq!(wrong(channel, &change), field, "{change}");
    }
    let error = validate(Channel::WhatsApp, &settings(json!({"phone_number_id": "se cret"}))).unwrap_err();
    assert!(!error.to_string().contains("cret") && error.to_string().starts_with("setting phone_number_id"), "{error}");
}

#[test]
fn secrets_are_shown_as_set_and_survive_being_written_back() {
    let before = demo(Channel::WhatsApp);
    let mut shown = before.redacted(Channel::WhatsApp);
    assert_eq!(shown["access_token"], true);
    assert_eq!(shown["phone_number_id"], "106540352242922");
    shown.insert("phone_number_id".to_owned(), json!("42"));
    let after = Settings::new(shown).keeping_secrets(Channel::WhatsApp, &before);
    assert_eq!(after.text("access_token").unwrap(), "demo-whatsapp-token");
    assert_eq!(after.text("phone_number_id").unwrap(), "42");
    assert!(
        Settings::new(json!({"token": true}).as_object().unwrap().clone())
            .keeping_secrets(Channel::WeChat, &Settings::default())
            .value("token")
            .is_none()
    );
}

#[test]
fn an_inboxs_own_api_base_wins_over_the_platforms() {
    let own = settings(json!({"api_base": "http://127.0.0.1:8787/sandbox/whatsapp"}));
    assert_eq!(own.api_base(Channel::WhatsApp), Some("http://127.0.0.1:8787/sandbox/whatsapp"));
    assert_eq!(Settings::default().api_base(Channel::WeChat), Some("https://api.weixin.qq.com"));
    assert_eq!(Settings::default().api_base(Channel::Web), None);
}

#[test]
fn visitors_are_reached_by_socket_and_nothing_is_called() {
    let message = Outgoing { api_base: "", to: "vis_1", text: "hello", reference: "r", token: None };
    assert!(render(Channel::Web, &demo(Channel::Web), &message).is_ok_and(|calls| calls.is_empty()));
    assert_eq!(judge(Channel::Web, 200, &[], b""), Outcome::Sent(None));
}

#[test]
fn every_refusal_has_a_status() {
    let settings = SettingsError::new("token", "is missing");
    assert_eq!(Rejected::Settings(settings).status(), 503);
    assert_eq!(Rejected::Forged("").status(), 401);
    assert_eq!(Rejected::Forbidden("").status(), 403);
    assert_eq!(http::limit(&[0; 5], 4).unwrap_err().status(), 413);
}
