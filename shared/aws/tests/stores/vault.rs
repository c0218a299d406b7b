use std::sync::{Arc, Mutex};

use colloquy_aws::{Place, StoreError};
use colloquy_local::engine::fault::Fault;

use crate::{IDENTITY, World};

fn calls(world: &World) -> u64 {
    ["GenerateDataKey", "Decrypt"].iter().map(|operation| world.engine.ledger().calls("kms", operation)).sum()
}

#[tokio::test]
async fn kms_is_asked_once_per_process_however_many_keys_are_used() {
    let world = World::new();
    let first = world.vault();
    for identity in ["a", "b", "c"] {
        first.identity(identity).await.unwrap();
    }
    first.settings().await.unwrap();
    first.transit().await.unwrap();
    first.index().await.unwrap();
    assert_eq!(calls(&world), 1);
    world.pass(3_600);
    world.vault().identity("a").await.unwrap();
    first.identity("a").await.unwrap();
    assert_eq!(calls(&world), 2);
}

#[tokio::test]
async fn another_process_opens_what_this_one_sealed() {
    let world = World::new();
    let place = Place::outside("test");
    let sealed = world.vault().identity(IDENTITY).await.unwrap().seal(&place, b"hello");
    let opened = world.vault().existing_identity(IDENTITY).await.unwrap().unwrap().open(&place, &sealed);
    assert_eq!(opened.unwrap(), b"hello");
    let (one, two) = (world.vault(), world.vault());
    assert_eq!(one.index().await.unwrap().email("a@b.c"), two.index().await.unwrap().email("a@b.c"));
}

#[tokio::test]
async fn processes_that_start_together_agree_on_their_keys() {
    let world = World::new();
    let vaults = [world.vault(), world.vault(), world.vault()];
    let (a, b, c) = tokio::join!(vaults[0].settings(), vaults[1].settings(), vaults[2].settings());
    let place = Place::outside("test");
    let sealed = a.unwrap().seal(&place, b"hello");
    assert!(b.unwrap().open(&place, &sealed).is_ok() && c.unwrap().open(&place, &sealed).is_ok());
}

#[tokio::test]
async fn an_erased_identity_is_gone_for_good_and_may_begin_anew() {
    let world = World::new();
    let vault = world.vault();
    let place = Place::outside("test");
    let sealed = vault.identity(IDENTITY).await.unwrap().seal(&place, b"hello");
    vault.erase_identity(IDENTITY).await.unwrap();
    assert!(vault.existing_identity(IDENTITY).await.unwrap().is_none());
    assert_eq!(vault.identity(IDENTITY).await.unwrap().open(&place, &sealed), Err(StoreError::Erased));
}

#[tokio::test]
async fn a_key_erased_elsewhere_is_not_used_longer_than_five_minutes() {
    let world = World::new();
    let here = world.vault();
    here.identity(IDENTITY).await.unwrap();
    world.vault().erase_identity(IDENTITY).await.unwrap();
    world.pass(300);
    assert!(here.existing_identity(IDENTITY).await.unwrap().is_none());
}

#[tokio::test]
async fn a_days_transit_key_is_destroyed_two_weeks_after_the_day() {
    let world = World::new();
    let (day, _) = world.vault().transit().await.unwrap();
    assert_eq!(day, "2026-11-23");
    world.pass(14 * 86_400);
    assert!(world.vault().transit_of(&day).await.unwrap().is_some());
    world.pass(86_400);
    assert!(world.vault().transit_of(&day).await.unwrap().is_none());
}

#[tokio::test]
async fn no_secret_reaches_the_keys_table_in_the_clear() {
    let world = World::new();
    let random = Arc::new(Mutex::new(0_u8));
    let counted = Arc::clone(&random);
    let clients = world.clients.clone().with_entropy(Arc::new(move |bytes: &mut [u8]| {
        let mut next = counted.lock().unwrap();
        *next += 1;
        bytes.fill(*next);
    }));
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&bodies);
    world.engine.faults().inject(move |call| {
        seen.lock().unwrap().extend_from_slice(call.body);
        Fault::None
    });
    colloquy_aws::Vault::new(&clients, "keys-table", &world.kms_key).identity(IDENTITY).await.unwrap();
    let bodies = bodies.lock().unwrap();
    // Secrets are 32 equal bytes here; in base64 that is a run of one repeating group.
    let text = String::from_utf8_lossy(&bodies);
    assert!(text.contains("PutItem") || text.contains("sealed"));
    assert!(!text.contains("AQEBAQEBAQEBAQEBAQEBAQEBAQEB") && !text.contains("AgICAgICAgICAgICAgICAgICAgIC"));
}

#[tokio::test]
async fn throttling_and_server_errors_say_try_again() {
    let world = World::new();
    world.engine.faults().inject(|_| Fault::Throttle);
    assert!(matches!(world.vault().settings().await.map(drop), Err(StoreError::Unavailable(_))));
}
