//! Inboxes, agents, teams and queues: checked when they are written, never showing a secret, not removed while in use.

use colloquy_tests::{Answer, World};
use serde_json::{Value, json};

use crate::shop::Shop;

const SECRETS: [&str; 3] = ["very-secret-app-secret", "very-secret-verify-token", "very-secret-access-token"];

fn settings() -> Value {
    json!({
        "phone_number_id": "106540352242922", "app_secret": SECRETS[0], "verify_token": SECRETS[1],
        "access_token": SECRETS[2],
    })
}

fn assert_secret(answer: &Answer) {
    for secret in SECRETS {
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inboxes_secrets_are_never_shown_again() {
    let world = Box::pin(World::start()).await;
    let inbox = json!({"channel": "whatsapp", "name": "Shop", "settings": settings(), "queue": "que_general"});
    let made = world.admin.post("/v1/inboxes", inbox).await.expect(201);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.body["webhook"], format!("/webhooks/whatsapp/{id}"));
    assert_eq!(made.body["settings"]["app_secret"], true);
    let at = format!("/v1/inboxes/{id}");
    let shown = world.admin.get(&at).await.expect(200);
    // What was read is written back: the secrets stay.
    let mut again = shown.body.clone();
    again["name"] = json!("Renamed");
    let changed = world.admin.put(&at, again).await.expect(200);
    for answer in [&made, &shown, &changed, &world.admin.get("/v1/inboxes").await.expect(200)] {
        assert_secret(answer);
    }
    assert_eq!(changed.body["name"], "Renamed");
    let url = world
        .host()
        .url(&format!("/webhooks/whatsapp/{id}?hub.mode=subscribe&hub.verify_token={}&hub.challenge=7", SECRETS[1]));
    assert_eq!(Answer::to(world.http.get(url)).await.expect(200).text, "7");
    // A new secret replaces the old one.
    world.forget();
    let mut newer = shown.body["settings"].clone();
    newer["verify_token"] = json!("another");
    let _ = world.admin.put(&at, json!({"settings": newer})).await.expect(200);
    world.forget();
    let url = world
        .host()
        .url(&format!("/webhooks/whatsapp/{id}?hub.mode=subscribe&hub.verify_token={}&hub.challenge=7", SECRETS[1]));
    assert_eq!(Answer::to(world.http.get(url)).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_that_is_not_right_is_named() {
    let world = Box::pin(World::start()).await;
    let wechat = json!({"app_id": "wx1", "app_secret": "s", "token": "t"});
    let changed = |base: &Value, name: &str, value: Value| {
        let mut settings = base.clone();
        settings[name] = value;
        settings
    };
    let whatsapp = settings();
    for (channel, settings, named) in [
        ("whatsapp", changed(&whatsapp, "app_secret", Value::Null), "app_secret"),
        ("whatsapp", changed(&whatsapp, "app_secret", json!("")), "app_secret"),
        ("whatsapp", changed(&whatsapp, "phone_number_id", json!("1/2")), "phone_number_id"),
        ("whatsapp", changed(&whatsapp, "access_token", json!(7)), "access_token"),
        ("whatsapp", changed(&whatsapp, "acess_token", json!("x")), "acess_token"),
        ("whatsapp", changed(&whatsapp, "api_base", json!("file:///etc/passwd")), "api_base"),
        ("wechat", changed(&wechat, "token", Value::Null), "token"),
        ("wechat", changed(&wechat, "encoding_aes_key", json!("short")), "encoding_aes_key"),
        ("web", json!({"allowed_origins": "everywhere"}), "allowed_origins"),
        ("web", json!({"allowed_origins": ["ftp://x"]}), "allowed_origins"),
        ("pigeon", json!({}), "channel"),
    ] {
        let inbox = json!({"channel": channel, "name": "Shop", "settings": settings});
        let answer = world.admin.post("/v1/inboxes", inbox).await.expect(422);
        assert!(answer.detail().contains(named), "{named}: {}", answer.text);
        assert_secret(&answer);
    }
    for (path, body, named) in [
        ("/v1/inboxes", json!({"channel": "web", "name": " ", "settings": {}}), "name"),
        ("/v1/inboxes", json!({"channel": "web", "name": "x", "settings": {}, "queue": "que_nowhere"}), "queue"),
        ("/v1/queues", json!({"name": ""}), "name"),
        ("/v1/queues", json!({"name": "x", "teams": ["tem_nowhere"]}), "teams"),
        ("/v1/queues", json!({"name": "x", "offer_seconds": 1}), "offer_seconds"),
        ("/v1/teams", json!({"name": "x".repeat(101)}), "name"),
        ("/v1/agents", json!({"name": "x", "email": "no address"}), "email"),
        ("/v1/agents", json!({"name": "x", "email": "a@b.test", "capacity": 101}), "capacity"),
        ("/v1/agents", json!({"name": "x", "email": "a@b.test", "skills": {"zh": 6}}), "skills.zh"),
        ("/v1/agents", json!({"name": "x", "email": "a@b.test", "role": "king"}), "role"),
        ("/v1/agents", json!({"name": "x", "email": "a@b.test", "wage": 1}), "wage"),
    ] {
        let answer = world.admin.post(path, body).await.expect(422);
        let said = answer.detail();
        assert!(said.contains(named) || (named == "role" && said.contains("king")), "{named}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_use_is_not_removed_and_by_what_is_said() {
    let shop = Shop::open().await;
    let admin = &shop.world.admin;
    let (_socket, _) = shop.talk().await;
    shop.world.quiet().await;
    for (path, by) in [
        ("/v1/teams/tem_support".to_owned(), "General"),
        ("/v1/queues/que_general".to_owned(), "Our whatsapp"),
        (format!("/v1/agents/{}", shop.li.id), "1 conversation"),
    ] {
        let answer = admin.delete(&path).await.expect(409);
        assert!(answer.detail().contains("in use by") && answer.detail().contains(by), "{}", answer.text);
    }
    let team =
        admin.post("/v1/teams", json!({"name": "Spare"})).await.expect(201).body["id"].as_str().unwrap().to_owned();
    let _ = admin.delete(&format!("/v1/teams/{team}")).await.expect(204);
    assert_eq!(admin.get(&format!("/v1/teams/{team}")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_change_the_directory() {
    let shop = Shop::open().await;
    let sam = shop.world.hire("Sam", json!({"role": "supervisor"})).await;
    for person in [&shop.li, &sam] {
        for (path, body) in [
            ("/v1/agents", json!({"name": "x", "email": "x@colloquy.test", "role": "administrator"})),
            ("/v1/teams", json!({"name": "x"})),
            ("/v1/queues", json!({"name": "x"})),
            ("/v1/inboxes", json!({"channel": "web", "name": "x", "settings": {}})),
        ] {
            assert_eq!(person.post(path, body).await.status, 403, "{path}");
        }
        let own = format!("/v1/agents/{}", person.id);
        assert_eq!(person.put(&own, json!({"role": "administrator"})).await.status, 403);
        assert_eq!(person.delete(&own).await.status, 403);
        assert_eq!(person.delete(&format!("/v1/inboxes/{}", shop.whatsapp.inbox)).await.status, 403);
        assert_eq!(person.get("/v1/queues").await.status, 200);
    }
    let twice = json!({"name": "Li again", "email": "LI@colloquy.test"});
    let answer = shop.world.admin.post("/v1/agents", twice).await.expect(409);
    assert!(answer.detail().contains("email"));
    let own = format!("/v1/agents/{}", shop.world.admin.id);
    assert_eq!(shop.world.admin.put(&own, json!({"role": "agent"})).await.status, 409);
}
