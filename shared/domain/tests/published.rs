//! Every kind of entry serialises exactly as `events/published/entries` says, and reads back.
//!
//! These are what clients and stored timelines rely on: changing a file here is a decision, not a repair.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use colloquy_domain::{
    Assigned, Author, Channel, Entry, HandoffReason, Holder, Message, Mood, Part, PartKind, ResolvedBy, Timestamp,
    Understanding, What,
};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/published/entries")
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn message(author: Author, text: &str) -> Message {
    Message { author, agent: None, text: text.to_owned(), parts: Vec::new(), understanding: None, key: None }
}

/// One of each, by the name of its file.
fn entries() -> Vec<(&'static str, What)> {
    let li = || id("agt_li");
    let (general, vip) = (|| id("que_general"), || id("que_vip"));
    vec![
        (
            "conversation.opened",
            What::Opened {
                episode: 1,
                thread: id("thr_2uVKX0z1uZxvYpAhpIEnEg"),
                inbox: id("inb_whatsapp"),
                channel: Channel::WhatsApp,
                contact: id("cnt_01M83PA8TGK4K6C420PY1AFWXF"),
                identity: "c29tZWJvZHkgd2l0aCBhIGtleQ".to_owned(),
                name: Some("Zoë Zhang".to_owned()),
            },
        ),
        (
            "message.contact",
            What::Message(Message {
                parts: vec![Part {
                    media: Some("1013859600285441".to_owned()),
                    mime: Some("image/jpeg".to_owned()),
                    label: Some("parcel.jpg".to_owned()),
                    ..Part::new(PartKind::Image)
                }],
                understanding: Some(Understanding {
                    language: "en".to_owned(),
                    intent: Some("order_status".to_owned()),
                    confidence: 0.75,
                    mood: Mood::Neutral,
                    entities: vec![json!({"kind": "order", "text": "1042"})],
                }),
                ..message(Author::Contact, "Where is my order 1042?")
            }),
        ),
        ("message.bot", What::Message(message(Author::Bot, "Hello! One moment, I am fetching a colleague."))),
        ("conversation.handed_off", What::HandedOff { queue: general(), reason: HandoffReason::NoAnswer }),
        ("conversation.offered", What::Offered { agent: li(), until: Timestamp::from_ms(1_795_415_670_000) }),
        ("offer.expired", What::OfferExpired { agent: li() }),
        ("offer.declined", What::OfferDeclined { agent: li() }),
        ("conversation.assigned.offer", What::Assigned { agent: li(), by: Assigned::Offer }),
        ("conversation.assigned.taken", What::Assigned { agent: li(), by: Assigned::Taken }),
        ("conversation.assigned.given", What::Assigned { agent: li(), by: Assigned::Given(id("agt_sam")) }),
        (
            "message.agent",
            What::Message(Message {
                agent: Some(li()),
                key: Some("k-1".to_owned()),
                ..message(Author::Agent, "It left our warehouse this morning.")
            }),
        ),
        ("note", What::Note { agent: li(), text: "Carrier was called.".to_owned(), key: Some("k-2".to_owned()) }),
        ("delivery.failed", What::DeliveryFailed { message: 11, attempt: 1, reason: "no such recipient".to_owned() }),
        ("delivery.unknown", What::DeliveryUnknown { message: 11, attempt: 1, reason: "no answer came".to_owned() }),
        ("delivery.retried", What::DeliveryRetried { message: 11, attempt: 2, by: li() }),
        ("conversation.transferred.queue", What::Transferred { by: li(), to: Holder::Queue { queue: vip() } }),
        ("conversation.transferred.bot", What::Transferred { by: li(), to: Holder::Bot }),
        (
            "conversation.resolved.agent",
            What::Resolved { by: ResolvedBy::Agent(li()), disposition: Some("answered".to_owned()) },
        ),
        ("conversation.resolved.silence", What::Resolved { by: ResolvedBy::Silence, disposition: None }),
        ("conversation.reopened", What::Reopened { by: li() }),
    ]
}

/// The kind as it is published. A new kind fails to compile here until it has a file.
const fn kind(what: &What) -> &'static str {
    match what {
        What::Message(_) => "message",
        What::Note { .. } => "note",
        What::Opened { .. } => "conversation.opened",
        What::HandedOff { .. } => "conversation.handed_off",
        What::Offered { .. } => "conversation.offered",
        What::OfferExpired { .. } => "offer.expired",
        What::OfferDeclined { .. } => "offer.declined",
        What::Assigned { .. } => "conversation.assigned",
        What::Transferred { .. } => "conversation.transferred",
        What::Resolved { .. } => "conversation.resolved",
        What::Reopened { .. } => "conversation.reopened",
        What::DeliveryFailed { .. } => "delivery.failed",
        What::DeliveryUnknown { .. } => "delivery.unknown",
        What::DeliveryRetried { .. } => "delivery.retried",
    }
}

#[test]
fn every_kind_of_entry_is_what_was_published() {
    for (seq, (name, what)) in (1..).zip(entries()) {
        let path = folder().join(format!("{name}.json"));
        let published = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let published: Value = serde_json::from_str(&published).unwrap();
        let entry = Entry { seq, at: Timestamp::from_ms(1_795_415_624_123), what };
        assert_eq!(serde_json::to_value(&entry).unwrap(), published, "{name}");
        assert_eq!(serde_json::from_value::<Entry>(published.clone()).unwrap(), entry, "{name}");
        assert_eq!(published["kind"], kind(&entry.what), "{name}");
        assert!(name.starts_with(kind(&entry.what)), "{name}");
    }
}

#[test]
fn nothing_is_published_that_no_code_writes() {
    let written: BTreeSet<String> = entries().iter().map(|(name, _)| format!("{name}.json")).collect();
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<String>>(), written);
}
