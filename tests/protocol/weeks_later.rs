//! Dead letters put back when FIFO queues have long forgotten them, and webhooks that come again eight days later.

use colloquy_domain::{queue::Routing, routing::Presence};
use colloquy_local::engine::fault::Fault;

use crate::{
    check::{AGENTS, all_is_well, story, timelines},
    scenes::{FORGOTTEN, Scene, write},
    world::World,
};

/// Whatever fails is set aside; the customer and the agents go on; then it is put back.
async fn is_redriven(scene: Scene, fault: Fault) {
    let world = World::new().await;
    for call in 1.. {
        let what = format!("{scene:?}, {fault:?} at call {call}, redriven later");
        let customer = world.customer();
        scene.begin(&world, &customer).await;
        world.park();
        world.set_trap(call, fault);
        world.drain().await;
        let sprung = world.clear_trap();
        write(&world, &customer, "anyone there?").await;
        world.pass(i64::try_from(FORGOTTEN.as_secs()).unwrap());
        world.drain().await;
        world.redrive().await;
        world.set_presence(&AGENTS, Presence::Available).await;
        world.route(&Routing::Drain { queue: "que_general".parse().unwrap(), returning: None }).await;
        world.route(&Routing::Drain { queue: "que_vip".parse().unwrap(), returning: None }).await;
        world.drain().await;
        all_is_well(&world, &customer, &what).await;
        let words = match scene {
            Scene::FirstMessage | Scene::LaterMessage | Scene::NewEpisode | Scene::NewConversation => "#message",
            Scene::Say | Scene::SayOverAnOffer => "#answer",
            Scene::Note => "#note",
            _ => "",
        };
        let told = serde_json::to_string(&timelines(&world, &customer).await).unwrap();
        assert!(told.contains(words), "{what}: it is there");
        world.put_away(&customer).await;
        if !sprung {
            break;
        }
    }
}

macro_rules! redriven {
    ($($name:ident $scene:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            is_redriven(Scene::$scene, Fault::LoseRequest).await;
            is_redriven(Scene::$scene, Fault::LoseAnswer).await;
        }
    )*};
}

redriven! {
    a_first_message_put_back_later_is_there_once FirstMessage;
    a_later_message_put_back_later_is_there_once LaterMessage;
    a_message_after_the_end_put_back_later_is_there_once NewEpisode;
    a_message_long_after_the_end_put_back_later_is_there_once NewConversation;
    an_answer_put_back_later_is_there_once Say;
    an_answer_over_an_offer_put_back_later_is_there_once SayOverAnOffer;
    a_note_put_back_later_is_there_once Note;
    an_offer_put_back_later_leaves_no_slot_taken Offer;
    an_acceptance_put_back_later_leaves_no_slot_taken Accept;
    a_refused_offer_put_back_later_leaves_no_slot_taken Decline;
    an_expired_offer_put_back_later_leaves_no_slot_taken OfferExpires;
    a_transfer_put_back_later_leaves_it_with_one_holder Transfer;
    an_assignment_put_back_later_leaves_it_with_one_holder Assign;
    a_resolution_put_back_later_leaves_no_slot_taken Resolve;
    a_reopening_put_back_later_leaves_it_with_one_holder Reopen;
    a_retry_put_back_later_is_sent_once Retry;
}

#[tokio::test]
async fn a_webhook_that_comes_again_eight_days_later_changes_nothing() {
    let world = World::new().await;
    for scene in Scene::ALL {
        let customer = world.customer();
        world.set_presence(&AGENTS, Presence::Available).await;
        let first = write(&world, &customer, "first").await;
        world.put_away(&customer).await;
        scene.begin(&world, &customer).await;
        world.drain().await;
        let before = story(&timelines(&world, &customer).await);
        let contact = world.head(&customer).await.contact;
        let away = world.set_presence(&AGENTS, Presence::Away);
        away.await;
        world.pass(8 * 86_400);
        world.send(&colloquy_domain::Turn { at: world.now(), ..first.clone() }).await;
        world.drain().await;
        let after = story(&timelines(&world, &customer).await);
        assert_eq!(after[..before.len()], before, "{scene:?}");
        // A timer that had not fired yet may have fired since; nobody wrote anything.
        assert!(!after[before.len()..].iter().any(|kind| kind.starts_with("message")), "{scene:?}: {after:?}");
        assert_eq!(world.head(&customer).await.contact, contact);
        all_is_well(&world, &customer, &format!("{scene:?}, first message again")).await;
        world.put_away(&customer).await;
    }
}
