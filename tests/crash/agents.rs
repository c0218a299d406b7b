//! The agents: each answers what customers write, as the console would. A reply counts once it was accepted; one that
//! was not is sent again with its key. After a break they resume every conversation where they stood.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use colloquy_tests::outside::{Desk, Problem, Rest, Socket};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    chance::Chance,
    known::{Known, Reply},
};

/// How often an agent looks for conversations that came without a word.
const LOOK: Duration = Duration::from_secs(3);
/// After how long a reply that was not accepted is sent again.
const AGAIN: Duration = Duration::from_secs(5);

/// Where an agent stands in one conversation.
#[derive(Default)]
struct View {
    /// Up to here every entry was seen.
    whole: u64,
    /// What was seen beyond.
    beyond: BTreeSet<u64>,
    /// Replies not accepted yet; the first is under way.
    outbox: VecDeque<String>,
    sent: Option<Instant>,
}

struct Agent {
    name: String,
    token: String,
    rest: Rest,
    known: Arc<Known>,
    chance: Chance,
    views: BTreeMap<String, View>,
    replies: u64,
}

pub(crate) fn start(rest: &Rest, desk: &Desk, known: &Arc<Known>, chance: &mut Chance) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for (number, (_, token)) in desk.agents.iter().enumerate() {
        let mut agent = Agent {
            name: format!("agent{number}"),
            token: token.clone(),
            rest: rest.clone(),
            known: Arc::clone(known),
            chance: chance.apart(),
            views: BTreeMap::new(),
            replies: 0,
        };
        tasks.spawn(async move {
            while agent.known.agents_go_on() {
                // Every break is followed by a new socket; what was under way is in the outboxes.
                let _ = agent.attend().await;
                sleep(Duration::from_millis(50)).await;
            }
        });
    }
    tasks
}

impl Agent {
    async fn attend(&mut self) -> Result<(), Problem> {
        let mut socket = Socket::open(&self.rest, &self.token).await?;
        socket.send(&json!({"action": "presence", "state": "available"})).await?;
        for view in self.views.values_mut() {
            view.sent = None;
        }
        let mut looked = None;
        while self.known.agents_go_on() {
            if looked.is_none_or(|at: Instant| at.elapsed() > LOOK) {
                self.look(&mut socket).await?;
                looked = Some(Instant::now());
            }
            if let Some(event) = socket.event(Duration::from_millis(100)).await? {
                self.take(&event).await?;
            }
            self.send(&mut socket).await?;
        }
        Ok(())
    }

    /// Resumes every conversation this agent has.
    async fn look(&mut self, socket: &mut Socket) -> Result<(), Problem> {
        let mine = self.rest.must("GET", "/v1/conversations?holder=me", &self.token, None).await?;
        for head in mine["items"].as_array().into_iter().flatten() {
            let conversation = head["id"].as_str().unwrap_or_default();
            let view = self.views.entry(conversation.to_owned()).or_default();
            if head["seq"].as_u64() > Some(view.whole) {
                let frame = json!({"action": "resume", "conversation": conversation, "after": view.whole});
                socket.send(&frame).await?;
            }
        }
        Ok(())
    }

    async fn take(&mut self, event: &Value) -> Result<(), Problem> {
        let conversation = event["conversation"].as_str().unwrap_or_default().to_owned();
        match event["type"].as_str().unwrap_or_default() {
            "entry" => {
                let seq = event["seq"].as_u64().ok_or("an entry without a number")?;
                if !self.see(&conversation, seq) {
                    return Ok(());
                }
                let entry = &event["entry"];
                if entry["author"] == "contact" && self.chance.percent(60) {
                    self.replies += 1;
                    let key = format!("{}-{}", self.name, self.replies);
                    self.views.entry(conversation).or_default().outbox.push_back(key);
                } else if entry["kind"] == "delivery.unknown" && self.chance.percent(50) {
                    self.retry(&conversation, entry).await;
                }
            }
            "accepted" => {
                self.accepted(event["key"].as_str().unwrap_or_default(), event["turn"].as_str().unwrap_or_default());
            }
            "error" => self.refused(event),
            _ => {}
        }
        Ok(())
    }

    /// Notes an entry; whether it is new.
    fn see(&mut self, conversation: &str, seq: u64) -> bool {
        let view = self.views.entry(conversation.to_owned()).or_default();
        if seq <= view.whole || !view.beyond.insert(seq) {
            return false;
        }
        while view.beyond.remove(&(view.whole + 1)) {
            view.whole += 1;
        }
        true
    }

    fn accepted(&mut self, key: &str, turn: &str) {
        for (conversation, view) in &mut self.views {
            if view.outbox.front().is_some_and(|first| first == key) {
                view.outbox.pop_front();
                view.sent = None;
                let reply = Reply { conversation: conversation.clone(), key: key.to_owned() };
                self.known.told().accepted.insert(reply, turn.to_owned());
            }
        }
    }

    fn refused(&mut self, event: &Value) {
        let status = event["status"].as_u64().unwrap_or(500);
        let Some(key) = event["key"].as_str().filter(|_| status < 500) else { return };
        let code = event["code"].as_str().unwrap_or_default().to_owned();
        for (conversation, view) in &mut self.views {
            if view.outbox.front().is_some_and(|first| first == key) {
                view.outbox.pop_front();
                view.sent = None;
                // The channel's own rule: so many messages and no more until the customer writes again.
                if code != "may_not_write" {
                    let reply = Reply { conversation: conversation.clone(), key: key.to_owned() };
                    self.known.told().refused.insert(reply, code.clone());
                }
            }
        }
    }

    /// One press of the button at a message whose fate is not known.
    async fn retry(&self, conversation: &str, entry: &Value) {
        let Some(message) = entry["message"].as_u64() else { return };
        // Asking counts, whatever the answer: the process may die between doing and saying so.
        self.known.told().retried.insert((conversation.to_owned(), message));
        let path = format!("/v1/conversations/{conversation}/messages/{message}/retries");
        let _ = self.rest.call("POST", &path, &self.token, Some(&json!({}))).await;
    }

    /// Sends the first reply of each outbox, once, and again when nothing came of it.
    async fn send(&mut self, socket: &mut Socket) -> Result<(), Problem> {
        for (conversation, view) in &mut self.views {
            let Some(key) = view.outbox.front().filter(|_| view.sent.is_none_or(|at| at.elapsed() > AGAIN)) else {
                continue;
            };
            let text = format!("{key} answers 您好");
            let frame = json!({"action": "send", "conversation": conversation, "text": text, "key": key});
            view.sent = Some(Instant::now());
            socket.send(&frame).await?;
        }
        Ok(())
    }
}
