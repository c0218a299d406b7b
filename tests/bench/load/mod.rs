//! Offering a load and timing what comes out at the other end.

mod agents;

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use colloquy_tests::outside::{Customer, Desk, Problem, Rest, Sent};
use hdrhistogram::Histogram;
use tokio::{sync::mpsc, time::timeout};

use self::agents::{Agents, Seen};

/// How long what was sent may take to arrive after the last of it was sent.
const LAST: Duration = Duration::from_secs(5);

/// Which way messages go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From a customer to an agent.
    In,
    /// From an agent to a customer.
    Out,
}

impl Way {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::In => "webhook -> agent's socket",
            Self::Out => "agent's socket -> channel API",
        }
    }
}

/// How one load went.
pub(crate) struct Measured {
    pub(crate) sent: u64,
    times_us: Histogram<u64>,
}

impl Measured {
    pub(crate) fn arrived(&self) -> u64 {
        self.times_us.len()
    }

    pub(crate) fn at(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.times_us.value_at_quantile(quantile))
    }

    pub(crate) fn is_sustained(&self, p99: Duration) -> bool {
        self.arrived() == self.sent && self.at(0.99) < p99
    }
}

/// A desk with conversations under way.
pub(crate) struct Bench {
    rest: Rest,
    customers: Vec<Customer>,
    agents: Agents,
    seen: mpsc::UnboundedReceiver<Seen>,
    taken: mpsc::UnboundedReceiver<Sent>,
    /// Conversations, each with the agent who has it.
    held: Vec<(String, usize)>,
    next: u64,
}

impl Bench {
    /// Lets every customer write once and waits until an agent has each.
    pub(crate) async fn start(
        rest: &Rest,
        desk: &Desk,
        taken: mpsc::UnboundedReceiver<Sent>,
        customers: usize,
    ) -> Result<Self, Problem> {
        let inbox = desk.inboxes.first().ok_or("no inbox")?;
        let customers =
            (0..customers).map(|number| Customer { inbox: inbox.clone(), address: format!("49155{number:07}") });
        let (agents, seen) = Agents::start(rest, desk).await?;
        let mut bench =
            Self { rest: rest.clone(), customers: customers.collect(), agents, seen, taken, held: Vec::new(), next: 0 };
        for number in 0..bench.customers.len() {
            bench.write(number).await?;
        }
        let mut held = HashMap::new();
        while held.len() < bench.customers.len() {
            let seen = timeout(Duration::from_secs(60), bench.seen.recv()).await?.ok_or("the agents are gone")?;
            if let Seen::Assigned { conversation, agent } = seen {
                held.insert(conversation, agent);
            }
        }
        bench.held = held.into_iter().collect();
        bench.quiet().await;
        Ok(bench)
    }

    async fn write(&mut self, customer: usize) -> Result<(), Problem> {
        let message = self.message();
        let webhook = self.customers[customer].writes(&[message]);
        match self.rest.webhook(&webhook).await? {
            200 => Ok(()),
            status => Err(format!("a webhook was answered {status}").into()),
        }
    }

    /// The next message: its id and its text.
    fn message(&mut self) -> (String, String) {
        self.next += 1;
        (format!("wamid.in{}", self.next), text(self.next))
    }

    /// Waits until nothing has come for a while, and forgets what came.
    async fn quiet(&mut self) {
        let more = async |seen: &mut mpsc::UnboundedReceiver<Seen>, taken: &mut mpsc::UnboundedReceiver<Sent>| {
            tokio::select! {
                _ = seen.recv() => {}
                _ = taken.recv() => {}
            }
        };
        while timeout(Duration::from_secs(1), more(&mut self.seen, &mut self.taken)).await.is_ok() {}
    }

    /// Offers `rate` messages a second for `lasts_s` seconds.
    pub(crate) async fn measure(&mut self, way: Way, rate: u32, lasts_s: u32) -> Result<Measured, Problem> {
        self.quiet().await;
        let first = self.next + 1;
        let count = u64::from(rate * lasts_s);
        let begin = tokio::time::Instant::now();
        let due = |number: u64| begin + Duration::from_secs_f64((number - first) as f64 / f64::from(rate));
        let mut times_us = Histogram::new(3)?;
        let mut arrived = |number: u64, at: Instant, missing: &mut BTreeSet<u64>| {
            if missing.remove(&number) {
                let taken = at.saturating_duration_since(due(number).into_std());
                // Values beyond what a histogram holds cannot come of a run this long.
                let _ = times_us.record(u64::try_from(taken.as_micros()).unwrap_or(u64::MAX));
            }
        };
        let deadline = due(first + count) + LAST;
        let mut left = count;
        let mut missing: BTreeSet<u64> = (first..first + count).collect();
        while !missing.is_empty() {
            tokio::select! {
                () = tokio::time::sleep_until(due(first + count - left)), if left > 0 => {
                    left -= 1;
                    self.offer(way)?;
                }
                Some(seen) = self.seen.recv() => {
                    if let (Way::In, Seen::Message { text, at }) = (way, seen) && let Some(number) = number(&text) {
                        arrived(number, at, &mut missing);
                    }
                }
                Some(sent) = self.taken.recv() => {
                    if let (Way::Out, Some(number)) = (way, number(&sent.text)) {
                        arrived(number, sent.at, &mut missing);
                    }
                }
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        Ok(Measured { sent: count, times_us })
    }

    fn offer(&mut self, way: Way) -> Result<(), Problem> {
        let (id, text) = self.message();
        match way {
            Way::In => {
                let customer = &self.customers[usize::try_from(self.next)? % self.customers.len()];
                let (rest, webhook) = (self.rest.clone(), customer.writes(&[(id, text)]));
                // One that is refused or lost does not arrive, and is missed at the end.
                tokio::spawn(async move { rest.webhook(&webhook).await });
            }
            Way::Out => {
                let (conversation, agent) = &self.held[usize::try_from(self.next)? % self.held.len()];
                self.agents.say(*agent, conversation, &text, self.next);
            }
        }
        Ok(())
    }
}

/// A message's text; what comes out is known by its number.
fn text(number: u64) -> String {
    format!("#{number} Hello, I ordered a blue jacket last week and would like to know when it arrives.")
}

fn number(text: &str) -> Option<u64> {
    text.strip_prefix('#')?.split(' ').next()?.parse().ok()
}
