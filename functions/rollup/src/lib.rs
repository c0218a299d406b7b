//! Sums what turns add to the reports: the conversations' stream in, facts out. Only counts.
//!
//! Exact however batches are sliced and repeated: a fact holds the number of the last turn it has taken in, and each
//! conversation's turns come in order.

use std::collections::BTreeMap;

use colloquy_aws::{
    Clients, Insights,
    insights::{Added, FactKey},
    timeline::StreamedTurn,
};
use colloquy_domain::insight::Facts;
use colloquy_edge::{Configuration, ConfigurationError, Failure, Function};
use serde_json::{Value, json};
use tracing::{error, warn};

/// The function, started.
pub struct App {
    insights: Insights,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        Ok(Self { insights: Insights::new(clients, configuration.required("INSIGHTS_TABLE")?) })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        let records = event["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut failed = Vec::new();
        for (key, turns) in by_fact(records) {
            if let Err(failure) = self.add(&key, &turns).await {
                warn!(conversation.id = %key.conversation, error = %failure, "turns will be counted again");
                failed.extend(turns.iter().map(|turn| turn.record));
            }
        }
        // A stream is taken up again from the first that failed; what is counted already is known there.
        let first = failed.into_iter().min().and_then(|at| records[at]["dynamodb"]["SequenceNumber"].as_str());
        Ok(json!({"batchItemFailures": first.iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()}))
    }
}

/// A turn of a batch, by its place in it.
struct Counted {
    record: usize,
    facts: Facts,
}

impl App {
    /// Adds turns to one fact in one write; those it has taken in before are left out.
    async fn add(&self, key: &FactKey, turns: &[Counted]) -> Result<(), Failure> {
        let mut seen = 0;
        loop {
            let fresh: Vec<&Counted> = turns.iter().filter(|turn| turn.facts.first > seen).collect();
            let (Some(first), Some(last)) = (fresh.first(), fresh.last()) else { return Ok(()) };
            let mut counters: BTreeMap<String, i64> = BTreeMap::new();
            for (name, amount) in fresh.iter().flat_map(|turn| &turn.facts.counts) {
                *counters.entry(name.clone()).or_default() += amount;
            }
            match self.insights.add(key, first.facts.first, last.facts.last, &counters).await? {
                Added::Now => return Ok(()),
                Added::Already(last) if last > seen => seen = last,
                Added::Already(_) => return Err(Failure::Internal("a fact went backwards".to_owned())),
            }
        }
    }
}

fn by_fact(records: &[Value]) -> Vec<(FactKey, Vec<Counted>)> {
    let mut found: Vec<(FactKey, Vec<Counted>)> = Vec::new();
    for (record, value) in records.iter().enumerate() {
        let Some(turn) = StreamedTurn::read(&value["dynamodb"]) else { continue };
        let facts: Facts = match serde_json::from_str(&turn.facts) {
            Ok(facts) => facts,
            Err(cause) => {
                error!(conversation.id = %turn.conversation, seq = turn.first_seq, %cause, "facts cannot be read");
                continue;
            }
        };
        let key = FactKey {
            day: facts.at.day(),
            hour: facts.at.hour(),
            inbox: facts.inbox.clone(),
            agent: facts.agent.clone(),
            conversation: turn.conversation,
        };
        let counted = Counted { record, facts };
        match found.iter_mut().find(|(known, _)| *known == key) {
            Some((_, turns)) => turns.push(counted),
            None => found.push((key, vec![counted])),
        }
    }
    found
}
