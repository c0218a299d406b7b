//! Each SDK call that a turn and its consequences make fails once; what failed comes again at once.

use colloquy_local::engine::fault::Fault;

use crate::{
    check::{all_is_well, story, timelines},
    scenes::Scene,
    world::World,
};

async fn every_call_fails(scenes: &[Scene], fault: Fault) {
    let world = World::new().await;
    for scene in scenes {
        let customer = world.customer();
        scene.begin(&world, &customer).await;
        world.drain().await;
        all_is_well(&world, &customer, &format!("{scene:?} undisturbed")).await;
        let undisturbed = story(&timelines(&world, &customer).await);
        world.put_away(&customer).await;
        for call in 1.. {
            let what = format!("{scene:?}, {fault:?} at call {call}");
            let customer = world.customer();
            scene.begin(&world, &customer).await;
            world.set_trap(call, fault);
            world.drain().await;
            let sprung = world.clear_trap();
            all_is_well(&world, &customer, &what).await;
            let told = story(&timelines(&world, &customer).await);
            // What may have been sent is said to be in doubt; anything else is as if nothing had gone wrong.
            let told: Vec<_> = told.into_iter().filter(|kind| kind != "delivery.unknown").collect();
            assert_eq!(told, undisturbed, "{what}");
            world.put_away(&customer).await;
            if !sprung {
                assert!(call > 5, "{what}: the turn was carried out");
                break;
            }
        }
    }
}

macro_rules! each_way {
    ($($name:ident $scenes:expr;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn comes_out_right_when_a_request_is_lost() {
                every_call_fails(&$scenes, Fault::LoseRequest).await;
            }

            #[tokio::test]
            async fn comes_out_right_when_an_answer_is_lost() {
                every_call_fails(&$scenes, Fault::LoseAnswer).await;
            }

        }
    )*};
}

each_way! {
    a_customer_s_message [Scene::FirstMessage, Scene::LaterMessage, Scene::NewEpisode, Scene::NewConversation];
    an_agent_s_words [Scene::Say, Scene::SayOverAnOffer, Scene::Note, Scene::Reopen];
    an_offer [Scene::Offer, Scene::Accept, Scene::Decline, Scene::OfferExpires];
    a_change_of_holder [Scene::Transfer, Scene::Assign, Scene::Return, Scene::Resolve, Scene::Silence];
    a_delivery_in_trouble [Scene::Undelivered, Scene::Retry];
}

#[tokio::test]
async fn what_aws_is_too_busy_for_comes_out_right() {
    every_call_fails(&[Scene::FirstMessage, Scene::SayOverAnOffer], Fault::Throttle).await;
}
