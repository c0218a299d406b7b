//! Customers who were erased: nothing of them comes back, and who writes from their address is a stranger.

use colloquy_aws::StoreError;
use colloquy_domain::{Author, Command, Turn, queue::Dispatch, routing::Presence};
use colloquy_local::engine::fault::Fault;

use crate::{
    check::{AGENTS, all_is_well, story, timelines},
    scenes::{send, write},
    world::{Customer, World},
};

/// Destroys a customer's keys, as an erasure does, and lets every process forget them.
async fn erase(world: &World, customer: &Customer) {
    let contact = world.head(customer).await.contact;
    world.vault.erase_identity(&customer.identity).await.unwrap();
    world.vault.erase_contact(&contact).await.unwrap();
    world.pass(301);
}

/// A customer whose conversation ended and who was erased then; their first message.
async fn erased_customer(world: &World) -> (Customer, Turn) {
    let customer = world.customer();
    world.set_presence(&AGENTS, Presence::Available).await;
    let first = write(world, &customer, "first").await;
    world.put_away(&customer).await;
    erase(world, &customer).await;
    (customer, first)
}

#[tokio::test]
async fn who_writes_from_an_erased_address_is_a_stranger_whatever_fails() {
    let world = World::new().await;
    for fault in [Fault::LoseRequest, Fault::LoseAnswer] {
        for call in 1.. {
            let what = format!("{fault:?} at call {call}");
            let (customer, first) = erased_customer(&world).await;
            let before = world.timeline.thread(&customer.thread).await.unwrap().unwrap();
            world.set_trap(call, fault);
            write(&world, &customer, "again").await;
            let sprung = world.clear_trap();
            let after = world.timeline.thread(&customer.thread).await.unwrap().unwrap();
            assert_ne!((&after.conversation, &after.contact), (&before.conversation, &before.contact), "{what}");
            assert_eq!(timelines(&world, &customer).await.len(), 1, "{what}: a conversation of their own");
            all_is_well(&world, &customer, &what).await;
            assert_eq!(world.timeline.head(&before.conversation).await, Err(StoreError::Erased), "{what}");

            let told = story(&timelines(&world, &customer).await);
            world.send(&Turn { at: world.now(), ..first }).await;
            world.drain().await;
            assert_eq!(story(&timelines(&world, &customer).await), told, "{what}: the erased message told again");
            world.put_away(&customer).await;
            if !sprung {
                assert!(call > 30, "{what}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn an_erased_message_told_again_brings_nobody_back() {
    let world = World::new().await;
    let (customer, first) = erased_customer(&world).await;
    let before = world.timeline.thread(&customer.thread).await.unwrap();
    world.send(&Turn { at: world.now(), ..first }).await;
    world.drain().await;
    assert_eq!(world.timeline.thread(&customer.thread).await.unwrap(), before);
    assert!(matches!(world.desk.identity(&customer.identity).await, Err(StoreError::Erased)));
}

#[tokio::test]
async fn what_is_under_way_for_an_erased_customer_ends_without_harm() {
    let world = World::new().await;
    let customer = world.customer();
    world.set_presence(&AGENTS, Presence::Available).await;
    write(&world, &customer, "first").await;
    let head = world.head(&customer).await;
    erase(&world, &customer).await;
    send(&world, &customer, Command::Accept { agent: "agt_li".parse().unwrap() }).await;
    world
        .dispatch(&Dispatch {
            conversation: head.id.clone(),
            thread: customer.thread.clone(),
            inbox: head.inbox.clone(),
            channel: head.channel,
            identity: customer.identity.clone(),
            message: 9,
            attempt: 1,
            author: Author::Agent,
            text: "#too late".to_owned(),
        })
        .await;
    // The offer's time is up, too.
    world.pass(60);
    world.drain().await;
    assert!(!world.sent.lock().unwrap().iter().any(|(_, text)| text == "#too late"));
    assert!(world.engine.queues().depths().values().all(|depth| depth.visible + depth.in_flight == 0));
}
