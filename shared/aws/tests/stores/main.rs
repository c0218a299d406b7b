//! The stores against the embedded engine: every key, condition and sealed attribute as DynamoDB, SQS and KMS see them.
//!
//! What functions do with the stores is tested where the functions are.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod desk;
mod insights;
mod queues;
mod sockets;
mod timeline;
mod vault;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use colloquy_aws::{Clients, Desk, Insights, Timeline, Vault, queues::Queue};
use colloquy_domain::{Author, Channel, Committed, ConversationId, Entry, Head, Message, Timestamp, What};
use colloquy_local::engine::{
    Engine,
    queues::QueueSpec,
    tables::{Projection, TableSpec},
};

/// The moment every test begins at: 2026-11-23T08:00:00Z.
const START_MS: i64 = 1_795_420_800_000;
const IDENTITY: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// An engine with this project's tables, queues and key, on a clock the test moves.
struct World {
    engine: Engine,
    clock: Arc<AtomicI64>,
    clients: Clients,
    kms_key: String,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(AtomicI64::new(START_MS));
        let ticking = Arc::clone(&clock);
        let engine = Engine::in_memory(Arc::new(move || ticking.load(Ordering::Relaxed))).unwrap();
        let table = |name: &str| TableSpec::new(name, "pk", Some("sk")).with_ttl("expires");
        let mut conversations = table("conversations").with_index("holder", "list", Some("since"));
        conversations.global_secondary_indexes[0].projection =
            Projection { projection_type: "KEYS_ONLY".to_owned(), non_key_attributes: None };
        engine.tables().create(&conversations.with_stream("NEW_AND_OLD_IMAGES")).unwrap();
        for name in ["desk-table", "keys-table", "insights"] {
            engine.tables().create(&table(name)).unwrap();
        }
        for name in ["turns.fifo", "outbound.fifo", "timers"] {
            engine.queues().create(&QueueSpec::new(name)).unwrap();
        }
        let kms_key = engine.keys().create("alias/colloquy").unwrap();
        let clients = Self::clients_of(&engine, &clock);
        Self { engine, clock, clients, kms_key }
    }

    fn clients_of(engine: &Engine, clock: &Arc<AtomicI64>) -> Clients {
        let ticking = Arc::clone(clock);
        let clock = Arc::new(move || Timestamp::from_ms(ticking.load(Ordering::Relaxed)));
        Clients::new(&engine.sdk_config(), clock)
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000, Ordering::Relaxed);
        self.engine.clock_moved();
    }

    fn now(&self) -> Timestamp {
        self.clients.now()
    }

    /// The keys, as a process that has just started sees them.
    fn vault(&self) -> Vault {
        Vault::new(&self.clients, "keys-table", &self.kms_key)
    }

    fn timeline(&self) -> Timeline {
        Timeline::new(&self.clients, "conversations", &self.vault())
    }

    fn desk(&self) -> Desk {
        Desk::new(&self.clients, "desk-table", &self.vault())
    }

    fn insights(&self) -> Insights {
        Insights::new(&self.clients, "insights")
    }

    fn queue(&self, name: &str) -> Queue {
        Queue::new(&self.clients, &self.vault(), QueueSpec::new(name).url())
    }
}

fn conversation(name: &str) -> ConversationId {
    format!("cnv_{name}").parse().unwrap()
}

/// A turn of `count` messages from number `first` on.
fn turn(key: &str, first: u64, count: u64) -> Committed {
    let entry = |seq: u64| Entry {
        seq,
        at: Timestamp::from_ms(START_MS),
        what: What::Message(Message {
            author: Author::Contact,
            agent: None,
            text: format!("message {seq}"),
            parts: Vec::new(),
            understanding: None,
            key: None,
        }),
    };
    let entries = (first..first + count).map(entry).collect();
    Committed { key: format!("trn_{key}").parse().unwrap(), remembered: false, entries, effects: Vec::new() }
}

/// The head of a conversation that has just begun.
fn head(id: &ConversationId) -> Head {
    let opened = What::Opened {
        episode: 1,
        thread: "thr_1".parse().unwrap(),
        inbox: "inb_web".parse().unwrap(),
        channel: Channel::Web,
        contact: "cnt_1".parse().unwrap(),
        identity: IDENTITY.to_owned(),
        name: Some("Ada".to_owned()),
    };
    Head::open(id.clone(), &Entry { seq: 1, at: Timestamp::from_ms(START_MS), what: opened }).unwrap()
}
