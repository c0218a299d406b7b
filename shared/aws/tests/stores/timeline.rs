use colloquy_aws::{
    StoreError, keys,
    timeline::{Claim, Guarded, PutTurn, Raised, Refusal, Sent, ThreadItem},
};
use colloquy_domain::{Delivery, DeliveryState, Holder, Status, Thread, TurnId};
use colloquy_local::engine::fault::Fault;

use crate::{IDENTITY, World, conversation, head, turn};

#[tokio::test]
async fn a_turn_is_written_once_and_the_first_one_stays() {
    let world = World::new();
    let (timeline, id) = (world.timeline(), conversation("1"));
    let (first, second) = (turn("a", 1, 2), turn("b", 1, 1));
    assert_eq!(timeline.put_turn(&id, IDENTITY, 1, &first, "{}").await.unwrap(), PutTurn::New);
    for late in [&first, &second] {
        let put = timeline.put_turn(&id, IDENTITY, 1, late, "{}").await.unwrap();
        assert_eq!(put, PutTurn::Taken(first.clone()));
    }
    assert_eq!(timeline.turn_at(&id, IDENTITY, 1).await.unwrap(), Some(first.clone()));
    assert_eq!(timeline.turn_at(&id, IDENTITY, 2).await.unwrap(), None);
    assert_eq!(timeline.find_turn(&id, IDENTITY, &first.key).await.unwrap(), Some(first));
    assert_eq!(timeline.find_turn(&id, IDENTITY, &second.key).await.unwrap(), None);
}

#[tokio::test]
async fn a_turn_whose_answer_was_lost_is_found_by_the_next_try() {
    let world = World::new();
    let (timeline, id, written) = (world.timeline(), conversation("1"), turn("a", 1, 2));
    world.vault().identity(IDENTITY).await.unwrap();
    let lose = |call: colloquy_local::engine::fault::Call<'_>| {
        if call.operation == "PutItem" { Fault::LoseAnswer } else { Fault::None }
    };
    world.engine.faults().inject(lose);
    let lost = timeline.put_turn(&id, IDENTITY, 1, &written, "{}").await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))));
    world.engine.faults().clear();
    let again = timeline.put_turn(&id, IDENTITY, 1, &written, "{}").await.unwrap();
    assert_eq!(again, PutTurn::Taken(written));
}

#[tokio::test]
async fn a_client_gets_exactly_what_it_missed_even_from_the_middle_of_a_turn() {
    let world = World::new();
    let (timeline, id) = (world.timeline(), conversation("1"));
    for (key, first, count) in [("a", 1, 3), ("b", 4, 1), ("c", 5, 2), ("d", 7, 1)] {
        timeline.put_turn(&id, IDENTITY, first, &turn(key, first, count), "{}").await.unwrap();
    }
    for after in 0..=8_u64 {
        for limit in 0..=9_usize {
            let entries = timeline.entries(&id, IDENTITY, after, limit).await.unwrap();
            let numbers: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
            let expected: Vec<u64> = (after + 1..=7).take(limit).collect();
            assert_eq!(numbers, expected, "after {after}, at most {limit}");
        }
    }
    assert_eq!(timeline.entry(&id, IDENTITY, 6).await.unwrap().unwrap().seq, 6);
    assert!(timeline.entry(&id, IDENTITY, 8).await.unwrap().is_none());
    assert!(timeline.entries(&conversation("2"), "nobody", 0, 5).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_erased_timeline_cannot_be_read_and_lists_go_on_without_it() {
    let world = World::new();
    let (timeline, id) = (world.timeline(), conversation("1"));
    timeline.put_turn(&id, IDENTITY, 1, &turn("a", 1, 1), "{}").await.unwrap();
    timeline.put_head(&head(&id), None).await.unwrap();
    let mut other = head(&conversation("2"));
    other.identity = "BBBBBBBBBBBBBBBBBBBBBB".to_owned();
    timeline.put_head(&other, None).await.unwrap();
    world.vault().erase_identity(IDENTITY).await.unwrap();
    let reader = world.timeline();
    assert_eq!(reader.entries(&id, IDENTITY, 0, 10).await, Err(StoreError::Erased));
    assert_eq!(reader.head(&id).await, Err(StoreError::Erased));
    assert_eq!(reader.heads(&[id, other.id.clone()]).await.unwrap(), [other]);
}

#[tokio::test]
async fn only_one_of_two_writers_moves_a_head_on() {
    let world = World::new();
    let (timeline, id) = (world.timeline(), conversation("1"));
    let first = head(&id);
    assert!(timeline.put_head(&first, None).await.unwrap());
    assert!(!timeline.put_head(&first, None).await.unwrap());
    let mut second = first.clone();
    second.seq = 2;
    assert!(timeline.put_head(&second, Some(1)).await.unwrap());
    assert!(!timeline.put_head(&second, Some(1)).await.unwrap());
    assert_eq!(timeline.head(&id).await.unwrap(), Some(second));
    assert_eq!(timeline.head(&conversation("2")).await.unwrap(), None);
}

#[tokio::test]
async fn heads_come_in_the_order_asked_for() {
    let world = World::new();
    let timeline = world.timeline();
    let ids: Vec<_> = (0..130).map(|at| conversation(&format!("{at:03}"))).collect();
    for id in &ids {
        timeline.put_head(&head(id), None).await.unwrap();
    }
    let mut asked: Vec<_> = ids.iter().rev().cloned().collect();
    asked.push(conversation("none"));
    asked.push(ids[0].clone());
    let heads = timeline.heads(&asked).await.unwrap();
    assert_eq!(heads.len(), 131);
    assert_eq!((heads[0].id.clone(), heads[130].id.clone()), (ids[129].clone(), ids[0].clone()));
    assert!(timeline.heads(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_conversation_is_on_the_list_of_its_holder_alone() {
    let world = World::new();
    let (timeline, id) = (world.timeline(), conversation("1"));
    let mut now = head(&id);
    timeline.put_head(&now, None).await.unwrap();
    let agent = "agt_li".parse().unwrap();
    for (seq, holder, status, list) in [
        (1, Holder::Bot, Status::Bot, Some("bot")),
        (2, Holder::Queue { queue: "que_a".parse().unwrap() }, Status::Queued, Some("queue:que_a")),
        (3, Holder::Agent { agent }, Status::Open, Some("agent:agt_li")),
        (4, Holder::Nobody, Status::Resolved, Some("resolved:2026-11-23")),
        (5, Holder::Nobody, Status::Snoozed, None),
    ] {
        let before = now.seq;
        (now.seq, now.holder, now.status) = (seq, holder, status);
        assert!(timeline.put_head(&now, Some(before)).await.unwrap());
        assert_eq!(keys::list_of(&now).as_deref(), list);
        for asked in ["bot", "queue:que_a", "agent:agt_li", "resolved:2026-11-23"] {
            let found = timeline.list(asked, None, 10, false).await.unwrap().conversations;
            assert_eq!(found.len(), usize::from(list == Some(asked)), "{asked} at {seq}");
        }
    }
}

#[tokio::test]
async fn a_list_is_read_page_by_page_in_either_order() {
    let world = World::new();
    let timeline = world.timeline();
    for at in 0..5 {
        let mut head = head(&conversation(&at.to_string()));
        head.since = head.since.plus(std::time::Duration::from_secs(at));
        timeline.put_head(&head, None).await.unwrap();
    }
    for newest_first in [false, true] {
        let (mut all, mut cursor, mut pages) = (Vec::new(), None, 0);
        while pages == 0 || cursor.is_some() {
            let page = timeline.list("bot", cursor.as_deref(), 2, newest_first).await.unwrap();
            all.extend(page.conversations);
            cursor = page.cursor;
            pages += 1;
        }
        let mut expected: Vec<_> = (0..5).map(|at| conversation(&at.to_string())).collect();
        if newest_first {
            expected.reverse();
        }
        assert_eq!(all, expected);
    }
    assert!(matches!(timeline.list("bot", Some("made up"), 2, false).await, Err(StoreError::Invalid(_))));
}

#[tokio::test]
async fn a_customers_turn_keeps_its_number_for_ever() {
    let world = World::new();
    let (timeline, id, other) = (world.timeline(), conversation("1"), conversation("2"));
    let (thread, key): (Thread, TurnId) = ("thr_1".parse().unwrap(), "trn_a".parse().unwrap());
    assert_eq!(timeline.guarded(&thread, &key).await.unwrap(), Guarded::New);
    assert_eq!(timeline.guard(&thread, &key, &id, 3).await.unwrap(), Guarded::New);
    world.pass(8 * 86_400);
    let known = Guarded::Known { conversation: id.clone(), seq: 3 };
    assert_eq!(timeline.guard(&thread, &key, &other, 9).await.unwrap(), known);
    assert!(!timeline.reguard(&thread, &key, (&id, 4), (&other, 1)).await.unwrap());
    assert!(timeline.reguard(&thread, &key, (&id, 3), (&other, 1)).await.unwrap());
    let moved = Guarded::Known { conversation: other, seq: 1 };
    assert_eq!(timeline.guarded(&thread, &key).await.unwrap(), moved);
}

#[tokio::test]
async fn a_thread_has_one_running_conversation() {
    let world = World::new();
    let (timeline, thread) = (world.timeline(), "thr_1".parse().unwrap());
    assert_eq!(timeline.thread(&thread).await.unwrap(), None);
    let item = |name: &str| ThreadItem {
        conversation: conversation(name),
        identity: IDENTITY.to_owned(),
        contact: "cnt_1".parse().unwrap(),
        inbox: "inb_web".parse().unwrap(),
    };
    timeline.put_thread(&thread, &item("1")).await.unwrap();
    timeline.put_thread(&thread, &item("2")).await.unwrap();
    assert_eq!(timeline.thread(&thread).await.unwrap(), Some(item("2")));
}

#[tokio::test]
async fn a_refusal_can_be_asked_for_during_a_day() {
    let world = World::new();
    let (timeline, id, key) = (world.timeline(), conversation("1"), "trn_a".parse().unwrap());
    let refusal = Refusal { code: "held_by_other".to_owned(), detail: "agt_li has it".to_owned() };
    timeline.put_refusal(&id, &key, &refusal).await.unwrap();
    assert_eq!(timeline.refusal(&id, &key).await.unwrap(), Some(refusal));
    world.pass(86_400);
    assert_eq!(timeline.refusal(&id, &key).await.unwrap(), None);
}

fn news(world: &World, state: DeliveryState, attempt: u32) -> Delivery {
    Delivery { seq: 5, state, at: world.now(), attempt, reason: None }
}

#[tokio::test]
async fn a_message_is_sent_by_one_and_never_again_once_settled() {
    let world = World::new();
    let (timeline, id) = (world.timeline(), conversation("1"));
    assert_eq!(timeline.claim(&id, 5, 1).await.unwrap(), Claim::Mine);
    assert_eq!(timeline.claim(&id, 5, 1).await.unwrap(), Claim::InDoubt);
    assert!(timeline.release(&id, 5, 1).await.unwrap());
    assert!(!timeline.release(&id, 5, 1).await.unwrap());
    assert_eq!(timeline.claim(&id, 5, 1).await.unwrap(), Claim::Mine);
    let sent = news(&world, DeliveryState::Sent, 1);
    assert_eq!(timeline.raise(&id, &sent).await.unwrap(), Raised::Now(sent.clone()));
    assert_eq!(timeline.claim(&id, 5, 1).await.unwrap(), Claim::Settled(sent.clone()));
    assert!(!timeline.release(&id, 5, 1).await.unwrap());
    assert_eq!(timeline.claim(&id, 5, 2).await.unwrap(), Claim::Mine);
    let second = Delivery { attempt: 2, ..news(&world, DeliveryState::Sending, 2) };
    assert_eq!(timeline.claim(&id, 5, 1).await.unwrap(), Claim::Settled(second));
}

#[tokio::test]
async fn receipts_only_ever_raise_a_delivery_whatever_their_order() {
    use DeliveryState::{Delivered, Failed, Queued, Read, Sending, Sent, Unknown};
    let states = [Queued, Sending, Sent, Delivered, Read, Failed, Unknown];
    for (at, (from, to)) in states.iter().flat_map(|from| states.map(|to| (*from, to))).enumerate() {
        let world = World::new();
        let (timeline, id) = (world.timeline(), conversation(&at.to_string()));
        let (first, next) = (news(&world, from, 1), news(&world, to, 1));
        assert_eq!(timeline.raise(&id, &first).await.unwrap(), Raised::Now(first.clone()));
        let raised = timeline.raise(&id, &next).await.unwrap();
        let (expected, stands) =
            if from.rises_to(to) { (Raised::Now(next.clone()), next) } else { (Raised::Kept(first.clone()), first) };
        assert_eq!(raised, expected, "{from:?} to {to:?}");
        assert_eq!(timeline.delivery(&id, 5).await.unwrap(), Some(stands));
    }
}

#[tokio::test]
async fn a_later_attempt_begins_anew_and_an_earlier_ones_receipt_is_late() {
    let world = World::new();
    let (timeline, id) = (world.timeline(), conversation("1"));
    let failed = Delivery { reason: Some("131026".to_owned()), ..news(&world, DeliveryState::Failed, 1) };
    timeline.raise(&id, &failed).await.unwrap();
    assert_eq!(timeline.deliveries(&id).await.unwrap(), [failed]);
    let again = news(&world, DeliveryState::Queued, 2);
    assert_eq!(timeline.raise(&id, &again).await.unwrap(), Raised::Now(again.clone()));
    let late = news(&world, DeliveryState::Read, 1);
    assert_eq!(timeline.raise(&id, &late).await.unwrap(), Raised::Kept(again.clone()));
    assert_eq!(timeline.deliveries(&id).await.unwrap(), [again]);
}

#[tokio::test]
async fn a_platforms_id_leads_back_to_our_message() {
    let world = World::new();
    let timeline = world.timeline();
    let sent = Sent {
        conversation: conversation("1"),
        seq: 5,
        attempt: 1,
        thread: "thr_1".parse().unwrap(),
        identity: IDENTITY.to_owned(),
    };
    let vault = world.vault();
    let hash = vault.index().await.unwrap().provider_id(&"inb_1".parse().unwrap(), "wamid.1");
    assert_eq!(timeline.provider_id(&hash).await.unwrap(), None);
    timeline.put_provider_id(&hash, &sent).await.unwrap();
    assert_eq!(timeline.provider_id(&hash).await.unwrap(), Some(sent));
}

#[tokio::test]
async fn an_ordinary_turn_and_its_head_cost_one_write_unit_each() {
    let world = World::new();
    let (timeline, id) = (world.timeline(), conversation("01KAS0000000000000000000"));
    world.vault().identity(IDENTITY).await.unwrap();
    world.engine.ledger().reset();
    timeline.put_turn(&id, IDENTITY, 1, &turn("AAAAAAAAAAAAAAAAAAAAAA", 1, 2), "{}").await.unwrap();
    timeline.put_head(&head(&id), None).await.unwrap();
    let snapshot = world.engine.ledger().snapshot();
    let rows = snapshot["operations"].as_array().unwrap();
    let puts = rows.iter().find(|row| row["operation"] == "PutItem" && row["resource"] == "conversations").unwrap();
    assert_eq!(puts["calls"], 2);
    // A third unit is the holder index's, which a new head is put on.
    assert!(puts["units"].as_f64().unwrap() <= 3.0, "{puts}");
}
