//! What must hold once everything has settled, read through the REST API and from what the channel API took.

use std::collections::{BTreeMap, BTreeSet};

use colloquy_tests::outside::{Desk, Platform, Problem, Rest};
use serde_json::Value;

use crate::known::{Known, Told};

/// A conversation as an administrator reads it.
struct Conversation {
    id: String,
    address: String,
    entries: Vec<Value>,
    deliveries: BTreeMap<u64, Value>,
}

/// Everything that does not hold; what is on its way still is among it.
pub(crate) async fn all(rest: &Rest, desk: &Desk, known: &Known, platform: &Platform) -> Result<Vec<String>, Problem> {
    // Before the timelines are read: what is acknowledged now must be in them.
    let told = {
        let told = known.told();
        Told {
            acknowledged: told.acknowledged.clone(),
            accepted: told.accepted.clone(),
            refused: told.refused.clone(),
            retried: told.retried.clone(),
            confirmed: told.confirmed.clone(),
            states: BTreeMap::new(),
        }
    };
    let conversations = read(rest, &desk.admin).await?;
    let mut wrong = Vec::new();
    numbered(&conversations, &mut wrong);
    customers(&conversations, &told, &mut wrong);
    replies(&conversations, &told, &mut wrong);
    accepted(&conversations, &told, rest, &desk.admin, &mut wrong).await?;
    sends(&conversations, &told, platform, &mut wrong);
    let deliveries = conversations.iter().flat_map(|one| one.deliveries.values());
    let mut states = BTreeMap::new();
    for delivery in deliveries {
        *states.entry(delivery["state"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    known.told().states = states;
    Ok(wrong)
}

async fn read(rest: &Rest, admin: &str) -> Result<Vec<Conversation>, Problem> {
    let mut conversations = Vec::new();
    let mut path = "/v1/conversations?holder=all".to_owned();
    loop {
        let page = rest.must("GET", &path, admin, None).await?;
        for head in page["items"].as_array().into_iter().flatten() {
            let id = head["id"].as_str().ok_or("a conversation without an id")?.to_owned();
            conversations.push(one(rest, admin, id, head["contact"].as_str().unwrap_or_default()).await?);
        }
        match page["cursor"].as_str() {
            Some(cursor) => path = format!("/v1/conversations?holder=all&cursor={cursor}"),
            None => return Ok(conversations),
        }
    }
}

async fn one(rest: &Rest, admin: &str, id: String, contact: &str) -> Result<Conversation, Problem> {
    let contact = rest.must("GET", &format!("/v1/contacts/{contact}"), admin, None).await?;
    let address = contact["identities"][0]["address"].as_str().unwrap_or_default().to_owned();
    let (mut entries, mut deliveries) = (Vec::<Value>::new(), BTreeMap::new());
    loop {
        let after = entries.last().and_then(|entry| entry["seq"].as_u64()).unwrap_or(0);
        let path = format!("/v1/conversations/{id}/entries?after={after}&limit=500");
        let mut page = rest.must("GET", &path, admin, None).await?;
        for delivery in page["deliveries"].as_array().into_iter().flatten() {
            deliveries.insert(delivery["seq"].as_u64().unwrap_or(0), delivery.clone());
        }
        match page["items"].take() {
            Value::Array(items) if !items.is_empty() => entries.extend(items),
            _ => break,
        }
    }
    Ok(Conversation { id, address, entries, deliveries })
}

/// Entries are numbered 1, 2, 3 … and one customer has one conversation.
fn numbered(conversations: &[Conversation], wrong: &mut Vec<String>) {
    let mut addresses = BTreeSet::new();
    for conversation in conversations {
        let seqs: Vec<u64> = conversation.entries.iter().filter_map(|entry| entry["seq"].as_u64()).collect();
        let expected: Vec<u64> = (1..=seqs.len() as u64).collect();
        if seqs != expected {
            wrong.push(format!("{} is numbered {seqs:?}", conversation.id));
        }
        if !addresses.insert(&conversation.address) {
            wrong.push(format!("{} has two conversations", conversation.address));
        }
    }
}

/// Every acknowledged message is there exactly once, and each customer's are in their order.
fn customers(conversations: &[Conversation], told: &Told, wrong: &mut Vec<String>) {
    let mut there: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for conversation in conversations {
        there.entry(&conversation.address).or_default().extend(texts(conversation, "contact"));
    }
    for (address, acknowledged) in &told.acknowledged {
        let empty = Vec::new();
        let there = there.get(address.as_str()).unwrap_or(&empty);
        for text in acknowledged {
            match there.iter().filter(|one| *one == text).count() {
                1 => {}
                count => wrong.push(format!("the acknowledged message `{text}` is there {count} times")),
            }
        }
        // A message may be there before its acknowledgement was heard; texts carry their numbers.
        if !there.is_sorted() {
            wrong.push(format!("the messages of {address} are out of order: {there:?}"));
        }
    }
}

/// No reply is there twice, whether or not it was accepted, and an agent's replies are in their order.
fn replies(conversations: &[Conversation], told: &Told, wrong: &mut Vec<String>) {
    let mut times: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for conversation in conversations {
        let mut order: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for entry in conversation.entries.iter().filter(|entry| entry["author"] == "agent") {
            let key = entry["key"].as_str().unwrap_or_default();
            *times.entry((&conversation.id, key)).or_default() += 1;
            if let Some((agent, number)) = key.rsplit_once('-') {
                order.entry(agent).or_default().push(number.parse().unwrap_or(0));
            }
        }
        for (agent, numbers) in order.iter().filter(|(_, numbers)| !numbers.is_sorted()) {
            wrong.push(format!("the replies of {agent} in {} are out of order: {numbers:?}", conversation.id));
        }
    }
    for ((conversation, key), times) in times.iter().filter(|(_, times)| **times > 1) {
        wrong.push(format!("the reply {key} is in {conversation} {times} times"));
    }
    for (reply, code) in &told.refused {
        wrong.push(format!("the reply {} in {} was refused: {code}", reply.key, reply.conversation));
    }
}

/// Every accepted reply is there, or its turn says that the channel's own rule stood against it.
async fn accepted(
    conversations: &[Conversation],
    told: &Told,
    rest: &Rest,
    admin: &str,
    wrong: &mut Vec<String>,
) -> Result<(), Problem> {
    let there: BTreeSet<(&str, &str)> = conversations
        .iter()
        .flat_map(|one| one.entries.iter().filter_map(|entry| Some((one.id.as_str(), entry["key"].as_str()?))))
        .collect();
    let missing = told.accepted.iter().filter(|(reply, _)| !there.contains(&(&reply.conversation, &reply.key)));
    for (reply, turn) in missing {
        let path = format!("/v1/conversations/{}/turns/{turn}", reply.conversation);
        let became = rest.must("GET", &path, admin, None).await?;
        if became["code"] != "may_not_write" {
            wrong.push(format!("the accepted reply {} is not in {}: {became}", reply.key, reply.conversation));
        }
    }
    Ok(())
}

/// Every message of ours has a state that stands, and reached the channel API at most once for each time asked.
fn sends(conversations: &[Conversation], told: &Told, platform: &Platform, wrong: &mut Vec<String>) {
    let mut taken: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut references: BTreeMap<String, usize> = BTreeMap::new();
    let mut confirmed: BTreeSet<String> = BTreeSet::new();
    for sent in platform.taken() {
        if told.confirmed.contains(&sent.id) {
            confirmed.extend(sent.reference.clone());
        }
        *taken.entry((sent.to, sent.text)).or_default() += 1;
        if let Some(reference) = sent.reference {
            *references.entry(reference).or_default() += 1;
        }
    }
    for (reference, times) in references.iter().filter(|(_, times)| **times > 1) {
        wrong.push(format!("the attempt {reference} reached the channel API {times} times"));
    }
    for conversation in conversations {
        for entry in &conversation.entries {
            if !(entry["kind"] == "message" && (entry["author"] == "agent" || entry["author"] == "bot")) {
                continue;
            }
            let (seq, text) = (entry["seq"].as_u64().unwrap_or(0), entry["text"].as_str().unwrap_or_default());
            let name = format!("message {seq} of {}", conversation.id);
            let times = taken.get(&(conversation.address.clone(), text.to_owned())).copied().unwrap_or(0);
            let Some(delivery) = conversation.deliveries.get(&seq) else {
                wrong.push(format!("{name} has no delivery"));
                continue;
            };
            let (state, attempt) = (delivery["state"].as_str().unwrap_or_default(), delivery["attempt"].as_u64());
            let attempt = usize::try_from(attempt.unwrap_or(0)).unwrap_or(0);
            match state {
                "sent" | "delivered" | "read" if times > 0 => {}
                "failed" | "unknown" => {}
                _ => wrong.push(format!("{name} is {state} and was taken {times} times")),
            }
            if attempt > 1 && !told.retried.contains(&(conversation.id.clone(), seq)) {
                wrong.push(format!("{name} was sent again and nobody asked"));
            }
            if times > attempt {
                wrong.push(format!("{name} was taken {times} times in {attempt} attempts"));
            }
            let reference = format!("{}-{seq}-{attempt}", conversation.id);
            if state == "sent" && confirmed.contains(&reference) {
                wrong.push(format!("{name} is sent, and its receipts were acknowledged"));
            }
        }
    }
}

fn texts<'a>(conversation: &'a Conversation, author: &'a str) -> impl Iterator<Item = &'a str> {
    let said = conversation.entries.iter().filter(move |entry| entry["author"] == author);
    said.filter_map(|entry| entry["text"].as_str())
}
