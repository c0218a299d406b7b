//! Two months of conversations, decided turn by turn as they would have been.
//!
//! Deterministic from the moment the seeding began: one that was cut short writes the same items again.

use std::time::Duration;

use colloquy_aws::{StoreError, desk::Identity, timeline::ThreadItem};
use colloquy_domain::{
    AgentId, Channel, Command, ContactId, Decision, Head, InboundMessage, InboxId, Mood, Policy, QueueId, Sender,
    Timestamp, Turn, TurnId, Understanding, decide, insight,
};

use super::{
    Stores,
    words::{EXCHANGES, Exchange, NAMES},
};

const DAYS: u64 = 60;
const CUSTOMERS: u64 = 120;

/// Writes the history of the two months before `begun`.
pub(crate) async fn write(stores: &Stores, begun: Timestamp) -> Result<(), StoreError> {
    let midnight = Timestamp::from_ms(begun.ms().div_euclid(86_400_000) * 86_400_000);
    let mut dice = Dice(0x5eed);
    for day in 0..DAYS {
        let morning = Timestamp::from_ms(midnight.ms() - i64::try_from((DAYS - day) * 86_400_000).unwrap_or(0));
        // Busier on weekdays, and slowly growing.
        let weekday = (morning.ms().div_euclid(86_400_000) + 3).rem_euclid(7);
        let many = if weekday < 5 { 9 + day / 12 } else { 4 };
        for _ in 0..many + dice.below(4) {
            // Two peaks, late in the morning and early in the evening, UTC.
            let hour = [8, 9, 9, 10, 10, 10, 11, 13, 14, 15, 16, 16, 17, 19, 21][dice.index(15)];
            let at = morning.plus(Duration::from_secs(hour * 3600 + dice.below(3600)));
            Box::pin(conversation(stores, &mut dice, at)).await?;
        }
    }
    Ok(())
}

/// A customer of the demo shop, always the same for the same number.
struct Customer {
    inbox: &'static str,
    channel: Channel,
    address: String,
    name: &'static str,
    language: &'static str,
}

fn customer(number: u64) -> Customer {
    let index = usize::try_from(number).unwrap_or(0);
    let (inbox, channel, address) = match number % 3 {
        0 => ("inb_whatsapp", Channel::WhatsApp, format!("4915550{number:06}")),
        1 => ("inb_wechat", Channel::WeChat, format!("oDemo{number:022}")),
        _ => ("inb_web", Channel::Web, format!("vis_demo{number:06}")),
    };
    let (name, language) = NAMES[index % NAMES.len()];
    Customer { inbox, channel, address, name, language }
}

/// One conversation from the first question to its end.
async fn conversation(stores: &Stores, dice: &mut Dice, at: Timestamp) -> Result<(), StoreError> {
    let Customer { inbox, channel, address, name, language } = customer(dice.below(CUSTOMERS));
    let spoken: Vec<&Exchange> = EXCHANGES.iter().filter(|exchange| exchange.language == language).collect();
    let exchange = spoken[dice.index(spoken.len())];
    let invalid = |error: colloquy_domain::InvalidId| StoreError::Invalid(error.to_string());
    let inbox: InboxId = inbox.parse().map_err(invalid)?;
    let index = stores.vault.index().await?;
    let (thread, identity) =
        (index.thread(&inbox, &address), index.identity(webhook::scope(&inbox, channel).as_str(), &address));
    let new = Identity {
        identity: identity.clone(),
        contact: ContactId::derive(at, identity.as_bytes()),
        channel,
        inbox: inbox.clone(),
        address: address.clone(),
        name: Some(name.to_owned()),
    };
    let contact = match stores.desk.identity(&identity).await? {
        Some(known) => known.contact,
        None => stores.desk.create_identity(&new).await?,
    };
    let mut told =
        Told { head: None, at, thread: thread.clone(), turns: 0, queue: "que_general".parse().map_err(invalid)? };
    let agent: AgentId = AGENTS[dice.index(AGENTS.len())].parse().map_err(invalid)?;
    let customer_says = |text: &str| Command::Receive {
        inbox: inbox.clone(),
        channel,
        identity: identity.clone(),
        contact: contact.clone(),
        message: message(text, &address, name),
        understanding: understanding(exchange),
    };
    let agent_says =
        |text: &str| Command::Say { agent: agent.clone(), text: text.to_owned(), key: text.len().to_string() };
    let wait = |dice: &mut Dice, least: u64, most: u64| Duration::from_secs(least + dice.below(most - least));

    told.turn(stores, customer_says(exchange.lines[0])).await?;
    told.at = told.at.plus(wait(dice, 5, 40));
    let (lease, until) = (told.head.as_ref().map_or(0, |head| head.lease), told.at.plus(Duration::from_secs(45)));
    let offer = Command::Offer { agent: agent.clone(), queue: told.queue.clone(), lease, until, accepted: true };
    told.turn(stores, offer).await?;
    told.at = told.at.plus(wait(dice, 20, 400));
    told.turn(stores, agent_says(exchange.lines[1])).await?;
    told.at = told.at.plus(wait(dice, 30, 900));
    told.turn(stores, customer_says(exchange.lines[2])).await?;
    told.at = told.at.plus(wait(dice, 15, 200));
    told.turn(stores, agent_says(exchange.lines[3])).await?;
    told.at = told.at.plus(wait(dice, 10, 120));
    let disposition = Some(exchange.disposition.to_owned());
    told.turn(stores, Command::Resolve { by: agent.clone(), supervisor: false, disposition }).await?;
    told.close(stores).await
}

const AGENTS: [&str; 3] = ["agt_li", "agt_ann", "agt_maria"];

/// A conversation being told.
struct Told {
    head: Option<Head>,
    at: Timestamp,
    thread: colloquy_domain::Thread,
    turns: u64,
    queue: QueueId,
}

impl Told {
    async fn turn(&mut self, stores: &Stores, command: Command) -> Result<(), StoreError> {
        self.turns += 1;
        let turn = Turn {
            key: TurnId::derive(self.at, format!("{}|{}", self.thread, self.turns).as_bytes()),
            at: self.at,
            thread: self.thread.clone(),
            conversation: None,
            connection: None,
            command,
        };
        let policy = Policy { queue: Some(self.queue.clone()), superseded: false };
        let decided = decide(self.head.clone(), &turn, &policy, self.at);
        let Ok(Decision::Commit { head, committed }) = decided else { return Ok(()) };
        let first = self.head.as_ref().map_or(0, |head| head.seq) + 1;
        let facts = serde_json::to_string(&insight::facts(self.head.as_ref(), &committed, &head))
            .map_err(|error| StoreError::Invalid(error.to_string()))?;
        stores.timeline.put_turn(&head.id, &head.identity, first, &committed, &facts).await?;
        self.head = Some(*head);
        Ok(())
    }

    /// Writes what the timeline comes to, once.
    async fn close(self, stores: &Stores) -> Result<(), StoreError> {
        let Some(head) = self.head else { return Ok(()) };
        let current = ThreadItem {
            conversation: head.id.clone(),
            identity: head.identity.clone(),
            contact: head.contact.clone(),
            inbox: head.inbox.clone(),
        };
        stores.timeline.put_thread(&head.thread, &current).await?;
        stores.desk.link_conversation(&head.contact, &head.id).await?;
        stores.timeline.put_head(&head, None).await.map(drop)
    }
}

fn message(text: &str, address: &str, name: &str) -> InboundMessage {
    InboundMessage {
        provider_id: String::new(),
        sender: Sender { address: address.to_owned(), name: Some(name.to_owned()) },
        sent_at: None,
        text: text.to_owned(),
        parts: Vec::new(),
        reply_to: None,
    }
}

fn understanding(exchange: &Exchange) -> Understanding {
    Understanding {
        language: exchange.language.to_owned(),
        intent: None,
        confidence: 0.0,
        mood: Mood::Neutral,
        entities: Vec::new(),
    }
}

/// A small generator (SplitMix64): the same history every time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap_or(1))).unwrap_or(0)
    }
}
