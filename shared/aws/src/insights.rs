//! The insights table: what the reports count, by day, hour, inbox, agent and conversation.
//!
//! A counter is added to only by turns past the item's watermark, so that a batch redelivered or cut differently adds
//! nothing twice. What is counted is `colloquy-domain`'s business. A day's facts share a partition, good for 1,000 turns
//! a second.

use std::collections::BTreeMap;

use colloquy_domain::{AgentId, ConversationId, InboxId};

use crate::{
    Clients, StoreError,
    keys::{self, ItemKey},
    table::{Item, Table, Written, n, number, optional, pages, parsed, s},
};

/// What counters' attributes begin with.
const COUNTER: &str = "c_";

/// What a fact is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactKey {
    /// The UTC day, `2026-11-23`.
    pub day: String,
    /// The UTC hour, 0 to 23.
    pub hour: u8,
    /// The inbox.
    pub inbox: InboxId,
    /// The agent it counts for, when one.
    pub agent: Option<AgentId>,
    /// The conversation.
    pub conversation: ConversationId,
}

/// What was counted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub key: FactKey,
    /// The number of the last entry counted.
    pub seq: u64,
    /// How much of what.
    pub counters: BTreeMap<String, i64>,
}

/// What became of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is counted now.
    Now,
    /// Entries up to this number were counted before: leave those turns out and add the rest.
    Already(u64),
}

/// The insights table.
#[derive(Clone)]
pub struct Insights {
    table: Table,
}

impl Insights {
    /// The facts in this table.
    #[must_use]
    pub fn new(clients: &Clients, insights_table: impl Into<String>) -> Self {
        Self { table: Table::new(clients, insights_table) }
    }

    /// Counts the turns of one conversation from entry `first_seq` to `last_seq`, if none of them was counted under
    /// this key before.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn add(
        &self,
        key: &FactKey,
        first_seq: u64,
        last_seq: u64,
        counters: &BTreeMap<String, i64>,
    ) -> Result<Added, StoreError> {
        let mut set = "SET seq = :last, #hour = :hour, inbox = :inbox, conversation = :conversation".to_owned();
        if key.agent.is_some() {
            set.push_str(", #agent = :agent");
        }
        let counters: Vec<_> = counters.iter().filter(|(_, amount)| **amount != 0).collect();
        if !counters.is_empty() {
            let parts: Vec<String> = (0..counters.len()).map(|at| format!("#c{at} :c{at}")).collect();
            set.push_str(&format!(" ADD {}", parts.join(", ")));
        }
        let mut update = self
            .table
            .update(&at(key), &set)
            .condition_expression("attribute_not_exists(seq) OR seq < :first")
            .expression_attribute_names("#hour", "hour")
            .expression_attribute_values(":first", n(first_seq))
            .expression_attribute_values(":last", n(last_seq))
            .expression_attribute_values(":hour", n(key.hour))
            .expression_attribute_values(":inbox", s(key.inbox.as_str()))
            .expression_attribute_values(":conversation", s(key.conversation.as_str()));
        if let Some(agent) = &key.agent {
            update = update
                .expression_attribute_names("#agent", "agent")
                .expression_attribute_values(":agent", s(agent.as_str()));
        }
        for (at, (name, amount)) in counters.into_iter().enumerate() {
            update = update
                .expression_attribute_names(format!("#c{at}"), format!("{COUNTER}{name}"))
                .expression_attribute_values(format!(":c{at}"), n(amount));
        }
        match self.table.run(update).await? {
            Written::Now => Ok(Added::Now),
            Written::Kept(item) => Ok(Added::Already(number(&item, "seq")?)),
        }
    }

    /// All facts of a UTC day, by hour.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn facts(&self, day: &str) -> Result<Vec<Fact>, StoreError> {
        let items = pages(self.table.query(&keys::facts_pk(day), ""), usize::MAX).await?;
        items.iter().map(|item| read(day, item)).collect()
    }
}

fn at(key: &FactKey) -> ItemKey {
    keys::facts(&key.day, key.hour, &key.inbox, key.agent.as_ref(), &key.conversation)
}

fn read(day: &str, item: &Item) -> Result<Fact, StoreError> {
    let key = FactKey {
        day: day.to_owned(),
        hour: number(item, "hour")?,
        inbox: parsed(item, "inbox")?,
        agent: optional(item, "agent")?,
        conversation: parsed(item, "conversation")?,
    };
    let names = item.keys().filter_map(|name| name.strip_prefix(COUNTER).map(|counter| (name, counter)));
    let counters = names.map(|(name, counter)| Ok((counter.to_owned(), number(item, name)?)));
    Ok(Fact { key, seq: number(item, "seq")?, counters: counters.collect::<Result<_, StoreError>>()? })
}
