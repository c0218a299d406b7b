//! `/v1/reports/overview`: how many conversations and messages, how fast they were answered and resolved; by hour,
//! day, inbox or agent.
//!
//! Sums facts when asked; counts nothing itself. Figures are the rollup's, defined in `colloquy_domain::insight`.

use std::collections::BTreeMap;

use colloquy_aws::{Clients, Desk, Insights, insights::Fact};
use colloquy_domain::Timestamp;
use colloquy_edge::{
    Caller, Configuration, ConfigurationError, Failure, Function, Wiring,
    http::{Answer, Request, respond},
};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

/// The longest span of one report, in days.
const DAYS: usize = 100;
const DAY_MS: i64 = 86_400_000;

/// The function, started.
pub struct App {
    desk: Desk,
    insights: Insights,
    clients: Clients,
    first_administrator: Option<String>,
}

impl Function for App {
    fn start(configuration: &Configuration, clients: &Clients) -> Result<Self, ConfigurationError> {
        let wiring = Wiring::new(configuration, clients)?;
        Ok(Self {
            desk: wiring.desk()?,
            insights: wiring.insights()?,
            clients: clients.clone(),
            first_administrator: configuration.optional("FIRST_ADMINISTRATOR"),
        })
    }

    async fn handle(&self, event: Value) -> Result<Value, Failure> {
        let request = Request::read(event)?;
        Ok(respond(self.answer(&request).await))
    }
}

/// What rows are by.
#[derive(Clone, Copy)]
enum By {
    Hour,
    Day,
    Inbox,
    Agent,
}

impl App {
    async fn answer(&self, request: &Request) -> Result<Answer, Failure> {
        let caller = Caller::of(request, &self.desk, &self.clients, self.first_administrator.as_deref()).await?;
        let segments = request.segments();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["v1", "reports", "overview"]) => {}
            (_, ["v1", "reports", "overview"]) => return Err(Failure::unhandled(Some("GET"))),
            _ => return Err(Failure::NotFound("there is no such report".to_owned())),
        }
        caller.supervise()?;
        let now = self.clients.now();
        let to = day(request, "to", now)?;
        let from = day(request, "from", Timestamp::from_ms(to.ms() - 29 * DAY_MS))?;
        let by = match request.query("by").unwrap_or("day") {
            "hour" => By::Hour,
            "day" => By::Day,
            "inbox" => By::Inbox,
            "agent" => By::Agent,
            other => return Err(Failure::Invalid(format!("by `{other}` is not one of hour, day, inbox, agent"))),
        };
        let days = days(from, to)?;
        let facts = try_join_all(days.iter().map(|day| self.insights.facts(day))).await?.concat();
        Ok(Answer::json(200, &report(from, to, by, &days, &facts)))
    }
}

fn report(from: Timestamp, to: Timestamp, by: By, days: &[String], facts: &[Fact]) -> Value {
    let mut total = BTreeMap::new();
    let mut rows: BTreeMap<String, BTreeMap<&str, i64>> = match by {
        By::Day => days.iter().map(|day| (day.clone(), BTreeMap::new())).collect(),
        By::Hour | By::Inbox | By::Agent => BTreeMap::new(),
    };
    for fact in facts {
        let key = &fact.key;
        let row = match by {
            By::Hour => Some(format!("{}T{:02}", key.day, key.hour)),
            By::Day => Some(key.day.clone()),
            By::Inbox => Some(key.inbox.to_string()),
            By::Agent => key.agent.as_ref().map(ToString::to_string),
        };
        add(&mut total, &fact.counters);
        if let Some(row) = row {
            add(rows.entry(row).or_default(), &fact.counters);
        }
    }
    let rows: Vec<Value> = rows
        .iter()
        .map(|(key, sums)| {
            let mut row = figures(sums);
            row["key"] = json!(key);
            row
        })
        .collect();
    json!({"from": from.day(), "to": to.day(), "total": figures(&total), "rows": rows})
}

fn add<'a>(sums: &mut BTreeMap<&'a str, i64>, counters: &'a BTreeMap<String, i64>) {
    for (name, amount) in counters {
        *sums.entry(name).or_default() += amount;
    }
}

fn figures(sums: &BTreeMap<&str, i64>) -> Value {
    let sum = |name: &str| sums.get(name).copied().unwrap_or(0);
    let mean = |total: &str, count: &str| json!({"count": sum(count), "mean": sum(total).checked_div(sum(count))});
    json!({
        "conversations": sum("conversations"),
        "messages_in": sum("messages_in"),
        "messages_out": sum("messages_out"),
        "messages_bot": sum("messages_bot"),
        "handoffs": sum("handoffs"),
        "resolved": sum("resolved"),
        "first_response_ms": mean("first_response_ms", "first_responses"),
        "resolution_ms": mean("resolution_ms", "resolved"),
    })
}

fn day(request: &Request, name: &str, default: Timestamp) -> Result<Timestamp, Failure> {
    match request.query(name) {
        None | Some("") => Ok(default),
        Some(text) => format!("{text}T00:00:00Z")
            .parse()
            .map_err(|_| Failure::Invalid(format!("{name} `{text}` is not a day like 2026-11-23"))),
    }
}

fn days(from: Timestamp, to: Timestamp) -> Result<Vec<String>, Failure> {
    let count = (to.ms().div_euclid(DAY_MS) - from.ms().div_euclid(DAY_MS)) + 1;
    match usize::try_from(count) {
        Ok(count @ 1..=DAYS) => {
            let at = |day: usize| Timestamp::from_ms(from.ms() + i64::try_from(day).unwrap_or(0) * DAY_MS);
            Ok((0..count).map(|day| at(day).day()).collect())
        }
        Ok(0) | Err(_) => Err(Failure::Invalid("from is after to".to_owned())),
        Ok(count) => Err(Failure::Invalid(format!("{count} days are asked for; at most {DAYS} are reported at once"))),
    }
}
