//! What agents read: lists by holder and status, a head, entries after a number, what became of a turn.

use colloquy_aws::{desk::Agent, keys};
use colloquy_domain::{AgentId, ConversationId, Head, QueueId, Status, Timestamp};
use colloquy_edge::{
    Caller, Failure,
    http::{Answer, Request},
    view,
};
use serde_json::{Value, json};

use crate::App;

/// How many conversations one page holds.
const PAGE: usize = 50;
/// How many entries one answer holds at most.
const ENTRIES: usize = 500;
/// How far back resolved conversations are listed, in days.
const DAYS: i64 = 90;
const DAY_MS: i64 = 86_400_000;

impl App {
    pub(crate) async fn head(&self, caller: &Caller, id: &ConversationId) -> Result<Answer, Failure> {
        let head = self.commands.head(caller, id).await?;
        Ok(Answer::json(200, &view::head(&head, self.commands.clients.now())))
    }

    pub(crate) async fn entries(
        &self,
        caller: &Caller,
        id: &ConversationId,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let after = number(request, "after", 0)?;
        let limit = usize::try_from(number(request, "limit", 200)?).unwrap_or(ENTRIES).clamp(1, ENTRIES);
        let head = self.commands.head(caller, id).await?;
        let items = self.commands.timeline.entries(id, &head.identity, after, limit).await?;
        let deliveries = self.commands.timeline.deliveries(id).await?;
        let head = view::head(&head, self.commands.clients.now());
        Ok(Answer::json(200, &json!({"items": items, "deliveries": deliveries, "head": head})))
    }

    pub(crate) async fn turn(&self, caller: &Caller, id: &ConversationId, turn: &str) -> Result<Answer, Failure> {
        let head = self.commands.head(caller, id).await?;
        let turn = turn.parse().map_err(|_| Failure::NotFound("there is no such turn".to_owned()))?;
        if let Some(refusal) = self.commands.timeline.refusal(id, &turn).await? {
            let (code, detail) = (refusal.code, refusal.detail);
            let refused = json!({"turn": turn, "state": "refused", "code": code, "detail": detail});
            return Ok(Answer::json(200, &refused));
        }
        let committed = self.commands.timeline.find_turn(id, &head.identity, &turn).await?;
        Ok(Answer::json(
            200,
            &match committed {
                Some(committed) => {
                    let seq = committed.entries.last().map(|entry| entry.seq);
                    json!({"turn": turn, "state": "committed", "seq": seq})
                }
                None => json!({"turn": turn, "state": "pending"}),
            },
        ))
    }

    pub(crate) async fn list(&self, caller: &Caller, request: &Request) -> Result<Answer, Failure> {
        let holder = request.query("holder").unwrap_or("me");
        let status = match request.query("status") {
            None | Some("") => None,
            Some(text) => Some(serde_json::from_value::<Status>(json!(text)).map_err(|_| {
                Failure::Invalid(format!("status `{text}` is not one of bot, queued, open, snoozed, resolved"))
            })?),
        };
        let lists = self.lists(caller, holder, status).await?;
        let (mut at, mut cursor) = read_cursor(request.query("cursor"), lists.len())?;
        let mut heads: Vec<Head> = Vec::new();
        while at < lists.len() && heads.len() < PAGE {
            let newest_first = lists[at].starts_with("resolved:");
            let listed = self.commands.timeline.list(&lists[at], cursor.as_deref(), PAGE, newest_first).await?;
            let found = self.commands.timeline.heads(&listed.conversations).await?;
            heads.extend(found.into_iter().filter(|head| wanted(head, holder, status, caller)));
            cursor = listed.cursor;
            if cursor.is_none() {
                at += 1;
            }
        }
        let now = self.commands.clients.now();
        let items: Vec<Value> = heads.iter().map(|head| view::head(head, now)).collect();
        let next = (at < lists.len()).then(|| format!("{at}.{}", cursor.unwrap_or_default()));
        Ok(Answer::json(200, &json!({"items": items, "cursor": next})))
    }

    /// The index lists that hold what is asked for, in the order they are read.
    async fn lists(&self, caller: &Caller, holder: &str, status: Option<Status>) -> Result<Vec<String>, Failure> {
        if status == Some(Status::Resolved) {
            let now = self.commands.clients.now().ms();
            let days = (0..DAYS).map(|back| Timestamp::from_ms(now - back * DAY_MS).day());
            return Ok(days.map(|day| keys::resolved_list(&day)).collect());
        }
        let desk = &self.commands.desk;
        Ok(match holder.split_once(':') {
            None if holder == "me" => vec![keys::agent_list(caller.id())],
            None if holder == "bot" => vec![keys::bot_list().to_owned()],
            None if holder == "all" => {
                let queues = caller.queue_ids(desk).await?;
                let mut lists: Vec<String> = queues.iter().map(keys::queue_list).collect();
                if caller.supervise().is_ok() {
                    lists.extend(desk.list::<Agent>().await?.iter().map(|agent| keys::agent_list(&agent.id)));
                } else {
                    lists.push(keys::agent_list(caller.id()));
                }
                lists.push(keys::bot_list().to_owned());
                lists
            }
            Some(("queue", id)) => {
                let id: QueueId = id.parse().map_err(|error| Failure::Invalid(format!("holder: {error}")))?;
                if !caller.queue_ids(desk).await?.contains(&id) {
                    return Err(Failure::Forbidden("this queue is not one of yours".to_owned()));
                }
                vec![keys::queue_list(&id)]
            }
            Some(("agent", id)) => {
                let id: AgentId = id.parse().map_err(|error| Failure::Invalid(format!("holder: {error}")))?;
                if id != *caller.id() {
                    caller.supervise()?;
                }
                vec![keys::agent_list(&id)]
            }
            _ => {
                let shape = "me, bot, all, queue:<id> or agent:<id>";
                return Err(Failure::Invalid(format!("holder `{holder}` is not {shape}")));
            }
        })
    }
}

/// The index may lag behind the head by a moment, and a list may hold more than is asked for.
fn wanted(head: &Head, holder: &str, status: Option<Status>, caller: &Caller) -> bool {
    let right_holder = match holder {
        "me" => status == Some(Status::Resolved) || head.agent() == Some(caller.id()),
        _ => true,
    };
    right_holder && status.is_none_or(|status| head.status == status)
}

fn number(request: &Request, name: &str, default: u64) -> Result<u64, Failure> {
    match request.query(name) {
        None | Some("") => Ok(default),
        Some(text) => text.parse().map_err(|_| Failure::Invalid(format!("{name} `{text}` is not a number"))),
    }
}

/// `<which list>.<where in it>`.
fn read_cursor(cursor: Option<&str>, lists: usize) -> Result<(usize, Option<String>), Failure> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else { return Ok((0, None)) };
    let read = cursor.split_once('.').and_then(|(at, rest)| Some((at.parse().ok().filter(|at| *at < lists)?, rest)));
    let (at, rest) = read.ok_or_else(|| Failure::Invalid("cursor is not one that was given out".to_owned()))?;
    Ok((at, (!rest.is_empty()).then(|| rest.to_owned())))
}
