//! Who may ask at all: tokens of the issuer, for people who are known here.

use std::time::Duration;

use colloquy_tests::{Answer, World};
use serde_json::{Value, json};

async fn with(world: &World, token: &str) -> Answer {
    Answer::to(world.http.get(world.host().url("/v1/me")).bearer_auth(token)).await
}

/// The claims of a good token, changed.
fn claims(world: &World, more: &Value) -> Value {
    let now = world.clock.seconds();
    let mut claims = json!({
        "iss": world.base(), "aud": "colloquy", "sub": "someone", "email": "admin@colloquy.test",
        "email_verified": true, "token_use": "id", "iat": now, "exp": now + 600,
    });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_old_foreign_or_forged_is_unauthorized() {
    let world = Box::pin(World::start()).await;
    let now = world.clock.seconds();
    let sign = |more: Value| world.host().issuer().sign(&claims(&world, &more)).unwrap();
    assert_eq!(with(&world, &sign(json!({}))).await.status, 200);
    for more in [
        json!({"exp": now - 1}),
        json!({"exp": null}),
        json!({"nbf": now + 600}),
        json!({"iss": "https://elsewhere.example.com"}),
        json!({"aud": "another"}),
    ] {
        let answer = with(&world, &sign(more.clone())).await;
        assert_eq!((answer.status, answer.body["message"].as_str()), (401, Some("Unauthorized")), "{more}");
    }
    let good = sign(json!({}));
    let (front, signature) = good.rsplit_once('.').unwrap();
    let (_, said) = front.split_once('.').unwrap();
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{said}.");
    let other = sign(json!({"sub": "another"}));
    let swapped = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    for forged in [unsigned, swapped, front.to_owned(), "x".to_owned(), String::new(), "a.b.c".to_owned()] {
        assert_eq!(with(&world, &forged).await.status, 401, "{forged}");
    }
    for path in ["/v1/me", "/v1/conversations", "/v1/contacts/cnt_1", "/v1/reports/overview", "/v1/inboxes"] {
        assert_eq!(world.get(path).await.status, 401, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_when_it_says_so() {
    let world = Box::pin(World::start()).await;
    let token = world.admin.token().await;
    assert_eq!(with(&world, &token).await.status, 200);
    world.advance(Duration::from_secs(13 * 3600));
    assert_eq!(with(&world, &token).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn someone_nobody_invited_is_forbidden() {
    let world = Box::pin(World::start()).await;
    let sign = |more: Value| world.host().issuer().sign(&claims(&world, &more)).unwrap();
    for more in [
        json!({"sub": "stranger", "email": "stranger@elsewhere.example.com"}),
        json!({"sub": "stranger", "email": null}),
        // An address that was never verified proves nothing.
        json!({"sub": "impostor", "email_verified": false}),
    ] {
        let answer = with(&world, &sign(more.clone())).await;
        assert_eq!(answer.status, 403, "{more}: {}", answer.text);
        assert_eq!(answer.body["title"], "Forbidden");
    }
}
