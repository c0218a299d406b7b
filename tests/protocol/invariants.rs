//! What single guards stand for, each seen to hold on its own.

use std::time::Duration;

use colloquy_aws::desk::Wake;
use colloquy_domain::{
    AgentId, Author, Command, DeliveryState, QueueId, Receipt, Turn,
    queue::{Confirmed, Dispatch, Routing, Timer},
    routing::Presence,
};
use colloquy_local::engine::fault::Fault;
use serde_json::{Value, json};

use crate::{
    check::{AGENTS, all_is_well, story, timelines},
    scenes::{act, holder, offered, say, write},
    world::{Customer, World},
};

/// A customer whom an agent has accepted.
async fn accepted(world: &World) -> Customer {
    let customer = world.customer();
    world.set_presence(&AGENTS, Presence::Available).await;
    write(world, &customer, "hello").await;
    act(world, &customer, Command::Accept { agent: offered(world, &customer).await }).await;
    customer
}

async fn count(world: &World, customer: &Customer, kind: &str) -> usize {
    story(&timelines(world, customer).await).iter().filter(|found| *found == kind).count()
}

/// Puts many turns and ten minutes between now and what went before.
async fn much_happens(world: &World, customer: &Customer, turns: usize) {
    let agent = holder(world, customer).await;
    for _ in 0..turns {
        let text = format!("note {}", world.unique());
        act(world, customer, Command::Note { agent: agent.clone(), text: text.clone(), key: text }).await;
    }
    world.pass(600);
}

#[tokio::test]
async fn trouble_with_a_delivery_told_again_much_later_is_told_once() {
    let world = World::new().await;
    let customer = accepted(&world).await;
    say(&world, &customer, holder(&world, &customer).await, "answer").await;
    world.drain().await;
    let message = world.head(&customer).await.agent_seq;
    let trouble = Command::Undelivered { message, attempt: 1, unknown: true, reason: "no answer".to_owned() };
    let turn = world.turn(&customer, trouble).await;
    world.send(&turn).await;
    world.drain().await;
    much_happens(&world, &customer, 60).await;
    world.send(&Turn { at: world.now(), ..turn }).await;
    world.drain().await;
    assert_eq!(count(&world, &customer, "delivery.unknown").await, 1);
}

#[tokio::test]
async fn words_sent_again_under_one_key_after_many_others_are_said_once() {
    let world = World::new().await;
    let customer = accepted(&world).await;
    let agent = holder(&world, &customer).await;
    let turn = world.turn(&customer, Command::Say { agent, text: "#once".to_owned(), key: "k".to_owned() }).await;
    world.send(&turn).await;
    world.drain().await;
    much_happens(&world, &customer, 40).await;
    world.send(&Turn { at: world.now(), ..turn }).await;
    world.drain().await;
    assert_eq!(count(&world, &customer, "message agent").await, 1);
    all_is_well(&world, &customer, "said again").await;
}

#[tokio::test]
async fn a_withdrawal_told_again_leaves_a_later_queueing_alone() {
    let world = World::new().await;
    let customer = world.customer();
    world.set_presence(&AGENTS, Presence::Away).await;
    write(&world, &customer, "hello").await;
    let head = world.head(&customer).await;
    for queue in ["que_vip", "que_general"] {
        world.pass(1);
        let by = "agt_sam".parse().unwrap();
        act(&world, &customer, Command::Transfer { queue: queue.parse().unwrap(), by, supervisor: true }).await;
    }
    let queue: QueueId = "que_general".parse().unwrap();
    world.route(&Routing::Withdraw { conversation: head.id, queue, since: head.queued_at.unwrap() }).await;
    world.drain().await;
    all_is_well(&world, &customer, "withdrawn again").await;
}

#[tokio::test]
async fn a_slot_freed_while_its_offer_is_under_way_is_taken_again() {
    let world = World::new().await;
    let customer = world.customer();
    world.set_presence(&AGENTS, Presence::Away).await;
    write(&world, &customer, "hello").await;
    world.set_presence(&AGENTS[..1], Presence::Available).await;
    world.route(&Routing::Drain { queue: "que_general".parse().unwrap(), returning: None }).await;
    world.drain_only("ROUTING_QUEUE_URL").await;
    let agent: AgentId = AGENTS[0].parse().unwrap();
    let conversation = world.head(&customer).await.id;
    assert!(world.desk.state(&agent).await.unwrap().held.contains(&conversation));
    world.route(&Routing::Settle { agent, conversation, lapsed: false }).await;
    world.drain_only("ROUTING_QUEUE_URL").await;
    world.drain().await;
    offered(&world, &customer).await;
    all_is_well(&world, &customer, "offered").await;
}

#[tokio::test]
async fn a_lapse_told_again_sends_no_agent_away() {
    let world = World::new().await;
    let customer = world.customer();
    world.set_presence(&AGENTS[..1], Presence::Available).await;
    write(&world, &customer, "hello").await;
    let (agent, conversation) = (offered(&world, &customer).await, world.head(&customer).await.id);
    world.pass(46);
    world.drain().await;
    assert_eq!(world.desk.state(&agent).await.unwrap().presence, Presence::Away, "the offer lapsed");
    act(
        &world,
        &customer,
        Command::Assign { agent: "agt_ann".parse().unwrap(), by: "agt_sam".parse().unwrap(), supervisor: true },
    )
    .await;
    world.set_presence(&AGENTS[..1], Presence::Available).await;
    world.route(&Routing::Settle { agent: agent.clone(), conversation, lapsed: true }).await;
    world.drain().await;
    assert_eq!(world.desk.state(&agent).await.unwrap().presence, Presence::Available);
}

#[tokio::test]
async fn an_offer_that_comes_after_someone_answered_gives_its_slot_back() {
    let world = World::new().await;
    let customer = world.customer();
    world.set_presence(&AGENTS, Presence::Away).await;
    write(&world, &customer, "hello").await;
    world.set_presence(&AGENTS[..1], Presence::Available).await;
    // The agent's words are ahead of the offer in the thread's turns.
    say(&world, &customer, "agt_ann".parse().unwrap(), "answer").await;
    world.route(&Routing::Drain { queue: "que_general".parse().unwrap(), returning: None }).await;
    world.drain_only("ROUTING_QUEUE_URL").await;
    world.drain().await;
    assert_eq!(holder(&world, &customer).await.as_str(), "agt_ann");
    all_is_well(&world, &customer, "answered first").await;
}

#[tokio::test]
async fn a_supervisor_gives_an_agent_more_than_they_can_have_and_every_slot_is_counted() {
    let world = World::new().await;
    world.set_presence(&AGENTS, Presence::Away).await;
    let mut customers = Vec::new();
    for _ in 0..5 {
        let customer = world.customer();
        write(&world, &customer, "hello").await;
        let (agent, by) = (AGENTS[0].parse().unwrap(), "agt_sam".parse().unwrap());
        act(&world, &customer, Command::Assign { agent, by, supervisor: true }).await;
        customers.push(customer);
    }
    assert_eq!(world.desk.state(&AGENTS[0].parse().unwrap()).await.unwrap().held.len(), 5);
    for customer in &customers {
        all_is_well(&world, customer, "given").await;
    }
}

#[tokio::test]
async fn two_agents_who_accept_at_once_leave_one_holder() {
    let world = World::new().await;
    let customer = world.customer();
    world.set_presence(&AGENTS, Presence::Available).await;
    write(&world, &customer, "hello").await;
    let first = offered(&world, &customer).await;
    for agent in AGENTS {
        let turn = world.turn(&customer, Command::Accept { agent: agent.parse().unwrap() }).await;
        world.send(&turn).await;
    }
    world.drain().await;
    assert_eq!(holder(&world, &customer).await, first);
    all_is_well(&world, &customer, "accepted twice").await;
}

#[tokio::test]
async fn what_the_bot_said_and_was_sent_is_not_withheld_when_told_again() {
    let world = World::new().await;
    let customer = accepted(&world).await;
    let head = world.head(&customer).await;
    let entries = timelines(&world, &customer).await.remove(0).1;
    let greeting = entries.iter().find_map(|entry| match &entry.what {
        colloquy_domain::What::Message(said) if said.author == Author::Bot => Some((entry.seq, said.text.clone())),
        _ => None,
    });
    let (message, text) = greeting.unwrap();
    say(&world, &customer, holder(&world, &customer).await, "answer").await;
    world.drain().await;
    world.pass(600);
    let dispatch = Dispatch {
        conversation: head.id.clone(),
        thread: customer.thread.clone(),
        inbox: head.inbox,
        channel: head.channel,
        identity: customer.identity.clone(),
        message,
        attempt: 1,
        author: Author::Bot,
        text: text.clone(),
    };
    world.dispatch(&dispatch).await;
    world.drain().await;
    assert_eq!(world.timeline.delivery(&head.id, message).await.unwrap().unwrap().state, DeliveryState::Sent);
    assert_eq!(world.sent.lock().unwrap().iter().filter(|sent| sent.1 == text).count(), 1);
    assert_eq!(count(&world, &customer, "delivery.failed").await, 0);
}

#[tokio::test]
async fn a_receipt_for_a_first_attempt_says_nothing_of_the_second() {
    let world = World::new().await;
    let customer = accepted(&world).await;
    let agent = holder(&world, &customer).await;
    say(&world, &customer, agent.clone(), "answer").await;
    world.drain().await;
    let first = format!("wamid.{}", world.sent.lock().unwrap().len());
    let message = world.head(&customer).await.agent_seq;
    act(&world, &customer, Command::Retry { message, attempt: 2, by: agent }).await;
    let receipt = |provider_id: &str, state| {
        let address = customer.address.clone();
        Confirmed::Receipt(Receipt { provider_id: provider_id.to_owned(), address, state, at: None, reason: None })
    };
    world.confirm(receipt(&first, DeliveryState::Failed)).await;
    world.drain().await;
    let conversation = world.head(&customer).await.id;
    let delivery = world.timeline.delivery(&conversation, message).await.unwrap().unwrap();
    assert_eq!((delivery.state, delivery.attempt), (DeliveryState::Sent, 2));
    let second = format!("wamid.{}", world.sent.lock().unwrap().len());
    for state in [DeliveryState::Read, DeliveryState::Delivered, DeliveryState::Read] {
        world.confirm(receipt(&second, state)).await;
    }
    world.drain().await;
    let delivery = world.timeline.delivery(&conversation, message).await.unwrap().unwrap();
    assert_eq!((delivery.state, delivery.attempt), (DeliveryState::Read, 2));
    all_is_well(&world, &customer, "retried").await;
}

#[tokio::test]
async fn what_a_customer_has_seen_is_ours_and_not_their_own() {
    let world = World::new().await;
    let customer = accepted(&world).await;
    say(&world, &customer, holder(&world, &customer).await, "answer").await;
    world.drain().await;
    write(&world, &customer, "thanks").await;
    let head = world.head(&customer).await;
    world.confirm(Confirmed::Seen { conversation: head.id.clone(), seq: head.seq + 5 }).await;
    world.drain().await;
    assert_eq!(world.timeline.delivery(&head.id, head.seq).await.unwrap(), None, "their own message is not delivered");
    let ours = world.timeline.delivery(&head.id, head.agent_seq).await.unwrap().unwrap();
    assert_eq!(ours.state, DeliveryState::Read);
}

#[tokio::test]
async fn every_wake_up_comes_once_and_at_its_time() {
    let world = World::new().await;
    let mut put = Vec::new();
    let mut came = Vec::new();
    for second in 0..900_i64 {
        world.pass(1);
        if second < 600 {
            // From the nearest that is put in the table, over both ends of a minute, to some minutes ahead.
            let at = world.now().plus(Duration::from_millis(90_000 + (second as u64 * 7_919) % 120_000));
            let conversation = format!("cnv_{second}").parse().unwrap();
            world.desk.put_wake(&Wake { at, thread: "thr_1".parse().unwrap(), conversation }).await.unwrap();
            put.push(format!("cnv_{second}"));
        }
        if second % 60 == 29 {
            assert!(world.sweep().await);
        }
        for timer in world.timers().await {
            let Timer::Wake { at, conversation, .. } = timer else { panic!("only wake-ups") };
            let late_ms = world.now().ms() - at.ms();
            assert!((0..=1_500).contains(&late_ms), "{conversation} came {late_ms} ms late");
            came.push(conversation.to_string());
        }
    }
    put.sort();
    came.sort();
    assert_eq!(came, put);
}

#[tokio::test]
async fn a_sweep_that_fails_anywhere_loses_no_wake_up() {
    let world = World::new().await;
    for fault in [Fault::LoseRequest, Fault::LoseAnswer] {
        for call in 1.. {
            let at = world.now().plus(Duration::from_secs(100));
            let conversation: colloquy_domain::ConversationId = format!("cnv_{}", world.unique()).parse().unwrap();
            let wake = Wake { at, thread: "thr_1".parse().unwrap(), conversation: conversation.clone() };
            world.desk.put_wake(&wake).await.unwrap();
            world.pass(60);
            world.set_trap(call, fault);
            let done = world.sweep().await;
            let sprung = world.clear_trap();
            assert!(done || sprung);
            world.pass(60);
            assert!(world.sweep().await);
            let came = world.timers().await;
            assert!(!came.is_empty(), "{fault:?} at call {call}: the wake-up was lost");
            assert!(
                came.iter().all(|timer| matches!(timer, Timer::Wake { conversation: c, .. } if *c == conversation))
            );
            if !sprung {
                assert!(call > 4);
                break;
            }
        }
    }
}

#[tokio::test]
async fn the_reports_count_every_turn_once_however_the_stream_is_cut() {
    let world = World::new().await;
    for _ in 0..3 {
        let customer = accepted(&world).await;
        say(&world, &customer, holder(&world, &customer).await, "answer").await;
        world.drain().await;
        write(&world, &customer, "more").await;
        world.put_away(&customer).await;
    }
    let records = world.stream();
    assert!(records.len() > 15);
    for size in 1..7 {
        for (at, batch) in records.chunks(size).enumerate() {
            let call = (at as u64 % 4) + 1;
            world.set_trap(call, if at % 2 == 0 { Fault::LoseRequest } else { Fault::LoseAnswer });
            let answer = world.call("Rollup", json!({ "Records": batch })).await.unwrap();
            world.clear_trap();
            // Whatever was said to have failed comes again, and so does the rest behind it.
            let failed = answer["batchItemFailures"][0]["itemIdentifier"].as_str();
            let from = failed.and_then(|id| batch.iter().position(|r| r["dynamodb"]["SequenceNumber"] == id));
            let again: Vec<Value> = batch[from.unwrap_or(batch.len())..].to_vec();
            let answer = world.call("Rollup", json!({ "Records": again })).await.unwrap();
            assert_eq!(answer["batchItemFailures"], json!([]));
        }
    }
    let totals = world.totals().await;
    let total = |name: &str| totals.get(name).copied().unwrap_or(0);
    assert_eq!((total("conversations"), total("resolved"), total("messages_in")), (3, 3, 6));
    assert_eq!((total("messages_bot"), total("messages_out"), total("first_responses")), (3, 3, 3));
}
