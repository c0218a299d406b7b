//! The functions on an engine in memory: queues are drained by calling them with what the queues really hold.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use colloquy_aws::{
    Clients, Desk, Insights, Timeline, Vault,
    desk::{Agent, Inbox, Queue as WorkQueue, Role, Team},
    queues::Queue,
};
use colloquy_domain::{
    AgentId, Channel, Command, ContactId, ConversationId, Head, InboundMessage, Mood, Sender, Thread, Timestamp, Turn,
    TurnId, Understanding,
    queue::{Confirmation, Confirmed, Dispatch, Routing, Timer},
    routing::Presence,
};
use colloquy_edge::Configuration;
use colloquy_local::{
    engine::{Engine, fault::Fault},
    functions,
    host::{self, lambda::Started, resources},
    template::{Overrides, Template, plan::Plan},
};
use serde_json::{Value, json};

use crate::platform;

/// 2026-11-23T08:00:00Z.
const START_MS: i64 = 1_795_420_800_000;
const INBOX: &str = "inb_whatsapp";

/// Which SDK call goes wrong, counted from when the trap was set, and what became of it.
#[derive(Default)]
struct Trap {
    armed: Option<(u64, Fault)>,
    calls: u64,
    sprung: bool,
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clients: Clients,
    pub(crate) timeline: Timeline,
    pub(crate) desk: Desk,
    pub(crate) vault: Vault,
    pub(crate) sent: platform::Sent,
    clock: Arc<AtomicI64>,
    plan: Plan,
    renamed: BTreeMap<String, String>,
    warm: Mutex<BTreeMap<&'static str, Arc<dyn Started>>>,
    trap: Arc<Mutex<Trap>>,
    serial: AtomicU64,
    /// What failed and was set aside, when that is asked for.
    parked: Mutex<Option<Vec<(&'static str, Value)>>>,
}

/// A customer of `WhatsApp`, new to us.
#[derive(Clone)]
pub(crate) struct Customer {
    pub(crate) address: String,
    pub(crate) thread: Thread,
    pub(crate) identity: String,
}

/// Each queue's function, and its queue's variable in some function's environment.
const PIPES: [(&str, &str, &str); 6] = [
    ("TURNS_QUEUE_URL", "Converse", "converse"),
    ("ROUTING_QUEUE_URL", "Route", "route"),
    ("OUTBOUND_QUEUE_URL", "Deliver", "deliver"),
    ("RECEIPTS_QUEUE_URL", "Deliver", "deliver"),
    ("TIMERS_QUEUE_URL", "Sweep", "sweep"),
    ("", "Rollup", "rollup"),
];

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(AtomicI64::new(START_MS));
        let ticking = Arc::clone(&clock);
        let engine = Engine::in_memory(Arc::new(move || ticking.load(Ordering::Relaxed))).unwrap();
        let (address, sent) = platform::start().await;
        let template = Template::read(&host::root().join("template.yaml")).unwrap();
        let overrides = Overrides::default()
            .with("OidcIssuer", "http://issuer.test")
            .with("OidcAudience", host::AUDIENCE)
            .with("FirstAdministrator", host::FIRST_ADMINISTRATOR)
            .with("SandboxUrl", address);
        let plan = template.plan(&overrides).unwrap();
        let renamed = resources::create(&plan, &engine).unwrap();
        let ticking = Arc::clone(&clock);
        let clients =
            Clients::new(&engine.sdk_config(), Arc::new(move || Timestamp::from_ms(ticking.load(Ordering::Relaxed))));
        let environments = plan.functions.iter().map(|function| resources::rename(&function.environment, &renamed));
        let all: BTreeMap<String, String> = environments.flatten().collect();
        let vault = Vault::new(&clients, &all["KEYS_TABLE"], &all["KMS_KEY_ID"]);
        let world = Self {
            timeline: Timeline::new(&clients, &all["CONVERSATIONS_TABLE"], &vault),
            desk: Desk::new(&clients, &all["DESK_TABLE"], &vault),
            vault,
            engine,
            clients,
            sent,
            clock,
            plan,
            renamed,
            warm: Mutex::default(),
            trap: Arc::default(),
            serial: AtomicU64::new(0),
            parked: Mutex::default(),
        };
        world.people().await;
        world
    }

    async fn people(&self) {
        let team = Team { id: "tem_support".parse().unwrap(), name: "Support".to_owned() };
        self.desk.create(&team).await.unwrap();
        for id in ["que_general", "que_vip"] {
            let teams = vec![team.id.clone()];
            let queue = WorkQueue { id: id.parse().unwrap(), name: id.to_owned(), teams, offer_seconds: 45 };
            self.desk.create(&queue).await.unwrap();
        }
        for id in ["agt_li", "agt_ann"] {
            let agent = Agent {
                id: id.parse().unwrap(),
                name: id.to_owned(),
                email: format!("{id}@colloquy.test"),
                role: Role::Agent,
                teams: vec![team.id.clone()],
                capacity: 3,
                auto_accept: false,
                skills: BTreeMap::new(),
                disabled: false,
            };
            self.desk.create(&agent).await.unwrap();
        }
        let settings = json!({"phone_number_id": "1", "app_secret": "s", "verify_token": "v", "access_token": "t"});
        let inbox = Inbox {
            id: INBOX.parse().unwrap(),
            channel: Channel::WhatsApp,
            name: "WhatsApp".to_owned(),
            settings: settings.as_object().unwrap().clone(),
            queue: Some("que_general".parse().unwrap()),
        };
        self.desk.create(&inbox).await.unwrap();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clients.now()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000, Ordering::Relaxed);
        self.engine.clock_moved();
    }

    pub(crate) fn unique(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn customer(&self) -> Customer {
        let number = self.unique();
        Customer {
            address: format!("49151{number:08}"),
            thread: format!("thr_{number:022}").parse().unwrap(),
            identity: format!("{number:022}"),
        }
    }

    pub(crate) async fn set_presence(&self, agents: &[&str], presence: Presence) {
        for agent in agents {
            self.desk.set_presence(&agent.parse().unwrap(), presence).await.unwrap();
        }
    }

    /// The thread's conversation.
    pub(crate) async fn conversation(&self, customer: &Customer) -> Option<ConversationId> {
        self.timeline.thread(&customer.thread).await.unwrap().map(|thread| thread.conversation)
    }

    pub(crate) async fn head(&self, customer: &Customer) -> Head {
        let conversation = self.conversation(customer).await.expect("the thread has a conversation");
        self.timeline.head(&conversation).await.unwrap().expect("the conversation has a head")
    }

    /// A customer's message as `nlp` hands it on; the same `id` is the same message.
    pub(crate) fn message(&self, customer: &Customer, id: &str, text: &str) -> Turn {
        let key = TurnId::derive(Timestamp::default(), format!("{}|{id}", customer.address).as_bytes());
        let at = self.now();
        let message = InboundMessage {
            provider_id: id.to_owned(),
            sender: Sender { address: customer.address.clone(), name: Some("Ada".to_owned()) },
            sent_at: None,
            text: text.to_owned(),
            parts: Vec::new(),
            reply_to: None,
        };
        let understanding = Understanding {
            language: "en".to_owned(),
            intent: None,
            confidence: 0.0,
            mood: Mood::Neutral,
            entities: Vec::new(),
        };
        let contact = ContactId::derive(at, format!("{at}{id}{}", customer.address).as_bytes());
        let (inbox, channel, identity) = (INBOX.parse().unwrap(), Channel::WhatsApp, customer.identity.clone());
        let command = Command::Receive { inbox, channel, identity, contact, message, understanding };
        Turn { key, at, thread: customer.thread.clone(), conversation: None, connection: None, command }
    }

    /// A turn on the customer's running conversation.
    pub(crate) async fn turn(&self, customer: &Customer, command: Command) -> Turn {
        let seed = format!("turn {}", self.unique());
        let conversation = self.conversation(customer).await;
        let key = TurnId::derive(Timestamp::default(), seed.as_bytes());
        Turn { key, at: self.now(), thread: customer.thread.clone(), conversation, connection: None, command }
    }

    pub(crate) fn variable(&self, name: &str) -> String {
        let environments = self.plan.functions.iter().filter_map(|function| function.environment.get(name));
        environments.map(|value| self.renamed.get(value).unwrap_or(value).clone()).next().unwrap()
    }

    fn queue_name(&self, variable: &str) -> String {
        self.variable(variable).rsplit('/').next().unwrap().to_owned()
    }

    pub(crate) async fn send(&self, turn: &Turn) {
        let queue = Queue::new(&self.clients, &self.vault, self.variable("TURNS_QUEUE_URL"));
        queue.send(turn.thread.as_str(), turn.key.as_str(), turn).await.unwrap();
    }

    pub(crate) async fn route(&self, routing: &Routing) {
        let queue = Queue::new(&self.clients, &self.vault, self.variable("ROUTING_QUEUE_URL"));
        queue.send(routing.group(), &format!("test-{}", self.unique()), routing).await.unwrap();
    }

    /// From now on the `call`-th SDK call of the functions fails so.
    pub(crate) fn set_trap(&self, call: u64, fault: Fault) {
        *self.trap.lock().unwrap() = Trap { armed: Some((call, fault)), ..Trap::default() };
    }

    /// Whether the trap was sprung; nothing fails any more.
    pub(crate) fn clear_trap(&self) -> bool {
        std::mem::take(&mut *self.trap.lock().unwrap()).sprung
    }

    /// From now on what fails is set aside instead of coming again at once.
    pub(crate) fn park(&self) {
        *self.parked.lock().unwrap() = Some(Vec::new());
    }

    /// Puts what was set aside back on its queues, as a redrive of dead letters does: as new messages.
    pub(crate) async fn redrive(&self) {
        let parked = self.parked.lock().unwrap().take().unwrap_or_default();
        for (function, mut record) in parked {
            record["messageId"] = json!(format!("redriven-{}", self.unique()));
            record["attributes"]["ApproximateReceiveCount"] = json!("1");
            record["attributes"]["SentTimestamp"] = json!(self.now().ms().to_string());
            let again = self.invoke(function, record).await;
            assert!(again, "what was redriven failed again in {function}");
        }
    }

    /// Calls functions with what their queues hold until nothing is left that can be received now.
    pub(crate) async fn drain(&self) {
        for _ in 0..200 {
            let mut idle = true;
            for (variable, function, _) in PIPES.iter().filter(|(variable, ..)| !variable.is_empty()) {
                idle &= !self.drain_one(variable, function).await;
            }
            if idle {
                return;
            }
        }
        panic!("the functions keep each other busy");
    }

    async fn drain_one(&self, variable: &'static str, function: &'static str) -> bool {
        let queue = self.queue_name(variable);
        let received = self.engine.queues().receive(&queue, 1, None).unwrap();
        let Some(message) = received.into_iter().next() else { return false };
        assert!(message.receives < 5, "a message keeps failing in {function}");
        let handles = [message.handle.clone()];
        let done = self.invoke(function, message.record.clone()).await;
        let mut parked = self.parked.lock().unwrap();
        match parked.as_mut() {
            Some(parked) if !done => parked.push((function, message.record)),
            _ if done => {}
            _ => {
                self.engine.queues().release(&queue, &handles, Duration::ZERO).unwrap();
                return true;
            }
        }
        self.engine.queues().delete(&queue, &handles).unwrap();
        true
    }

    /// Calls a function with one record of its queue; whether it was handled. A function that failed starts cold.
    pub(crate) async fn invoke(&self, function: &'static str, record: Value) -> bool {
        let id = record["messageId"].clone();
        let answer = self.call(function, json!({ "Records": [record] })).await;
        let done = answer.is_some_and(|answer| answer["batchItemFailures"] == json!([]));
        if !done {
            self.warm.lock().unwrap().remove(function);
            assert!(!id.is_null());
        }
        done
    }

    /// Calls a function with any event.
    pub(crate) async fn call(&self, function: &'static str, event: Value) -> Option<Value> {
        let code = self.started(function);
        let trap = Arc::clone(&self.trap);
        self.engine.faults().inject(move |_| {
            let mut trap = trap.lock().unwrap();
            trap.calls += 1;
            match trap.armed {
                Some((call, fault)) if call == trap.calls => {
                    trap.sprung = true;
                    fault
                }
                _ => Fault::None,
            }
        });
        let answer = code.handle(event).await;
        self.engine.faults().clear();
        answer.ok()
    }

    fn started(&self, function: &'static str) -> Arc<dyn Started> {
        let mut warm = self.warm.lock().unwrap();
        let start = || {
            let (_, _, binary) = PIPES.iter().find(|(_, name, _)| *name == function).unwrap();
            let environment = &self.plan.function(function).unwrap().environment;
            let configuration = Configuration::from_map(resources::rename(environment, &self.renamed));
            functions::start(binary, &configuration, &self.clients).unwrap()
        };
        Arc::clone(warm.entry(function).or_insert_with(start))
    }

    /// One run of the schedule.
    pub(crate) async fn sweep(&self) -> bool {
        self.call("Sweep", json!({"source": "aws.scheduler"})).await.is_some()
    }

    /// Calls one queue's function until the queue is empty.
    pub(crate) async fn drain_only(&self, variable: &'static str) {
        let (_, function, _) = PIPES.iter().find(|(name, ..)| *name == variable).unwrap();
        while self.drain_one(variable, function).await {}
    }

    /// A message of ours on its way out.
    pub(crate) async fn dispatch(&self, dispatch: &Dispatch) {
        let queue = Queue::new(&self.clients, &self.vault, self.variable("OUTBOUND_QUEUE_URL"));
        queue.send(dispatch.thread.as_str(), &format!("test-{}", self.unique()), dispatch).await.unwrap();
    }

    /// Word of a message of ours.
    pub(crate) async fn confirm(&self, about: Confirmed) {
        let queue = Queue::new(&self.clients, &self.vault, self.variable("RECEIPTS_QUEUE_URL"));
        let confirmation = Confirmation { inbox: INBOX.parse().unwrap(), at: self.now(), about };
        queue.send_standard(&confirmation, 0).await.unwrap();
    }

    /// What is due in the timers' queue, taken off it.
    pub(crate) async fn timers(&self) -> Vec<Timer> {
        let (name, mut due) = (self.queue_name("TIMERS_QUEUE_URL"), Vec::new());
        let queue = Queue::new(&self.clients, &self.vault, self.variable("TIMERS_QUEUE_URL"));
        loop {
            let received = self.engine.queues().receive(&name, 10, None).unwrap();
            if received.is_empty() {
                return due;
            }
            for message in received {
                due.push(queue.open(message.record["body"].as_str().unwrap()).await.unwrap());
                self.engine.queues().delete(&name, &[message.handle]).unwrap();
            }
        }
    }

    /// What the table's stream brings `rollup`: every turn written so far.
    pub(crate) fn stream(&self) -> Vec<Value> {
        let table = self.variable("CONVERSATIONS_TABLE");
        let records = self.engine.tables().stream_records(&table, None, usize::MAX).unwrap();
        let turn = |event: &Value| {
            let sort = event["dynamodb"]["Keys"]["sk"]["S"].as_str().unwrap_or_default();
            event["eventName"] == "INSERT" && sort.starts_with("E#")
        };
        records.into_iter().map(|record| record.event).filter(turn).collect()
    }

    /// The sums of everything the reports count.
    pub(crate) async fn totals(&self) -> BTreeMap<String, i64> {
        let insights = Insights::new(&self.clients, self.variable("INSIGHTS_TABLE"));
        let mut totals = BTreeMap::new();
        for fact in insights.facts(&self.now().day()).await.unwrap() {
            for (name, amount) in fact.counters {
                *totals.entry(name).or_default() += amount;
            }
        }
        totals
    }

    /// Ends what a test began, so that the next finds the agents free.
    pub(crate) async fn put_away(&self, customer: &Customer) {
        let Some(conversation) = self.conversation(customer).await else { return };
        let Some(head) = self.timeline.head(&conversation).await.unwrap() else { return };
        if head.resolved_at.is_none() {
            let by: AgentId = "agt_sam".parse().unwrap();
            let command = Command::Resolve { by, supervisor: true, disposition: None };
            let turn = self.turn(customer, command).await;
            self.send(&turn).await;
            self.drain().await;
        }
    }
}
