//! Every socket event and the problem document are exactly what `events/published` says.
//!
//! These are what clients rely on: changing a file there is a decision, not a repair.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use colloquy_domain::{
    AgentId, Author, ConversationId, Delivery, DeliveryState, Entry, Head, QueueId, Refusal, Timestamp, TurnId,
    routing::Presence,
};
use colloquy_edge::{Failure, view};
use serde_json::{Value, json};

fn published() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/published")
}

fn read(name: &str) -> Value {
    let path = published().join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn entry(seq: u64, name: &str) -> Entry {
    let entry: Entry = serde_json::from_value(read(&format!("entries/{name}"))).unwrap();
    Entry { seq, ..entry }
}

/// A conversation that waits in a queue and is offered to Li.
fn head() -> (Head, Vec<Entry>) {
    let names =
        ["conversation.opened", "message.contact", "message.bot", "conversation.handed_off", "conversation.offered"];
    let entries: Vec<Entry> = (1..).zip(names).map(|(seq, name)| entry(seq, name)).collect();
    let conversation: ConversationId = "cnv_01M83PA8TGK4K6C420PY1AFWXF".parse().unwrap();
    (Head::fold(&conversation, &entries).unwrap(), entries)
}

fn events() -> Vec<(&'static str, Value)> {
    let now = Timestamp::from_ms(1_795_415_624_123);
    let (head, entries) = head();
    let (conversation, message, shown) = (&head.id, &entries[1], view::head(&head, now));
    let li: AgentId = "agt_li".parse().unwrap();
    let queue: QueueId = "que_general".parse().unwrap();
    let turn: TurnId = "trn_01M83PA8TGK4K6C420PY1AFWXF".parse().unwrap();
    let failed = Some("the platform does not know this number".to_owned());
    let delivery = |state, reason| Delivery { seq: 3, state, at: now, attempt: 1, reason };
    let sent = [delivery(DeliveryState::Sent, None)];
    let refusal = Failure::from(Refusal::HeldByOther("agt_ann".parse().unwrap()));
    vec![
        ("accepted", view::accepted_event(Some("k-1"), &turn)),
        ("delivery", view::delivery_event(conversation, &delivery(DeliveryState::Delivered, None))),
        ("delivery.failed", view::delivery_event(conversation, &delivery(DeliveryState::Failed, failed))),
        ("entry", view::entry_event(conversation, message, Some(&shown))),
        ("entry.visitor", view::entry_event(conversation, &message.for_visitor().unwrap(), None)),
        ("error", view::error_event(&refusal, Some("k-1"), Some(conversation))),
        ("head", view::head_event(conversation, &shown)),
        ("list", view::list_event(&queue)),
        ("offer", view::offer_event(conversation, head.offer.as_ref().unwrap().until, &shown)),
        ("pong", view::pong_event()),
        ("presence", view::presence_event(&li, Presence::Available)),
        ("resumed", view::resumed_event(conversation, head.seq, Some((&sent, &shown)))),
        ("resumed.visitor", view::resumed_event(conversation, head.seq, None)),
        ("typing", view::typing_event(conversation, Author::Contact)),
    ]
}

#[test]
fn every_socket_event_is_what_was_published() {
    for (name, event) in events() {
        assert_eq!(event, read(&format!("socket/{name}")), "{name}");
        assert!(name.starts_with(event["type"].as_str().unwrap()), "{name}");
    }
}

#[test]
fn no_event_is_published_that_no_code_sends() {
    let sent: BTreeSet<String> = events().iter().map(|(name, _)| format!("{name}.json")).collect();
    let files = fs::read_dir(published().join("socket")).unwrap();
    let files: BTreeSet<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, sent);
}

#[test]
fn a_problem_is_what_was_published() {
    let answer = Failure::Invalid("text is empty".to_owned()).answer().into_value();
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!((&answer["statusCode"], body), (&json!(422), read("problem")));
}
