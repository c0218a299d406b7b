//! The customers and their platforms: each message is sent until it is acknowledged, as platforms do, and now and then
//! once more after that.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use colloquy_tests::outside::{Customer, Desk, Rest, Sent, Webhook};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use crate::{chance::Chance, known::Known};

/// Customers of each inbox.
const EACH: usize = 4;

pub(crate) fn start(
    rest: &Rest,
    desk: &Desk,
    known: &Arc<Known>,
    taken: mpsc::UnboundedReceiver<Sent>,
    chance: &mut Chance,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let mut by_address = BTreeMap::new();
    for (at, inbox) in desk.inboxes.iter().enumerate() {
        for number in 0..EACH {
            let address = match inbox.channel {
                "whatsapp" => format!("4915500{at}{number:03}"),
                _ => format!("open-id-{at}-{number}"),
            };
            let customer = Customer { inbox: inbox.clone(), address };
            by_address.insert(customer.address.clone(), customer.clone());
            tasks.spawn(write(customer, rest.clone(), Arc::clone(known), chance.apart()));
        }
    }
    // Receipts go on until the end, and end with the channel.
    tokio::spawn(confirm(by_address, rest.clone(), Arc::clone(known), taken, chance.apart()));
    tasks
}

async fn write(customer: Customer, rest: Rest, known: Arc<Known>, mut chance: Chance) {
    let mut next = 0_u64;
    while known.customers_go_on() {
        let several = customer.inbox.channel == "whatsapp" && chance.percent(25);
        let messages: Vec<(String, String)> = (0..if several { 3 } else { 1 })
            .map(|_| {
                next += 1;
                let seed: u64 = customer.address.bytes().fold(7, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte));
                (format!("{}{next:05}", 10_000_000 + seed), format!("{} says {next:05} 你好 ✓", customer.address))
            })
            .collect();
        let webhook = customer.writes(&messages);
        until_taken(&rest, &webhook, &mut chance).await;
        let texts = messages.into_iter().map(|(_, text)| text);
        known.told().acknowledged.entry(customer.address.clone()).or_default().extend(texts);
        if chance.percent(10) {
            // The platform did not hear the answer and sends it again.
            until_taken(&rest, &webhook, &mut chance).await;
        }
        sleep(Duration::from_millis(chance.within(20, 400))).await;
    }
}

async fn until_taken(rest: &Rest, webhook: &Webhook, chance: &mut Chance) {
    while !matches!(rest.webhook(webhook).await, Ok(200)) {
        sleep(Duration::from_millis(chance.within(20, 200))).await;
    }
}

/// Meta says of each message that it was delivered and read, in whatever order.
async fn confirm(
    customers: BTreeMap<String, Customer>,
    rest: Rest,
    known: Arc<Known>,
    mut taken: mpsc::UnboundedReceiver<Sent>,
    mut chance: Chance,
) {
    while let Some(sent) = taken.recv().await {
        let Some(customer) = customers.get(&sent.to).filter(|customer| customer.inbox.channel == "whatsapp") else {
            continue;
        };
        let states = if chance.percent(50) { ["delivered", "read"] } else { ["read", "delivered"] };
        let (customer, rest, known, mut chance) = (customer.clone(), rest.clone(), Arc::clone(&known), chance.apart());
        tokio::spawn(async move {
            for state in states {
                sleep(Duration::from_millis(chance.within(0, 300))).await;
                until_taken(&rest, &customer.status(&sent.id, state), &mut chance).await;
            }
            known.told().confirmed.insert(sent.id);
        });
    }
}
