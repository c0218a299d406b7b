//! The web's visitors: who they are, their messages and entries where WebSockets are blocked.
//!
//! `POST /v1/visitors`, and under `/v1/visitors/{visitor}`: `POST messages`, `GET entries`, `POST tickets`. A visitor's
//! token says who they are and which inbox they came by; it is theirs alone and proves nothing else.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use colloquy_aws::{
    Timeline,
    desk::{Inbox, Owner, Session},
};
use colloquy_channels::{Settings, web};
use colloquy_domain::{InboxId, VisitorId};
use colloquy_edge::{
    Failure,
    http::{Answer, Request},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{App, raw, refused};

/// How many entries one answer holds.
const PAGE: usize = 200;

/// What a visitor's token says.
#[derive(Serialize, Deserialize)]
struct Pass {
    visitor: VisitorId,
    inbox: InboxId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl App {
    pub(crate) async fn visitor(&self, timeline: &Timeline, request: &Request) -> Result<Answer, Failure> {
        match (request.method.as_str(), request.segments().as_slice()) {
            ("POST", ["v1", "visitors"]) => self.arrive(timeline, request).await,
            ("POST", ["v1", "visitors", visitor, "messages"]) => self.message(request, visitor).await,
            ("GET", ["v1", "visitors", visitor, "entries"]) => self.entries(timeline, request, visitor).await,
            ("POST", ["v1", "visitors", visitor, "tickets"]) => {
                let pass = self.admit(request, visitor).await?;
                let ticket = self.desk.issue_ticket(&session(&pass)).await?;
                Ok(Answer::json(200, &json!({"ticket": ticket.ticket, "expires_at": ticket.expires_at})))
            }
            (_, ["v1", "visitors"] | ["v1", "visitors", _, "messages" | "tickets"]) => {
                Err(Failure::unhandled(Some("POST")))
            }
            (_, ["v1", "visitors", _, "entries"]) => Err(Failure::unhandled(Some("GET"))),
            _ => Err(Failure::unhandled(None)),
        }
    }

    /// A visitor comes: with a token of an earlier visit, vouched for by the site, or as someone new.
    async fn arrive(&self, timeline: &Timeline, request: &Request) -> Result<Answer, Failure> {
        let arrival = web::arrival(&request.body).map_err(|rejected| refused(&rejected))?;
        let inbox = self.inbox(arrival.inbox.as_str()).await?;
        let settings = Settings::new(inbox.settings.clone());
        must_come_from_the_site(&settings, request)?;
        let index = self.vault.index().await?;
        let known = match &arrival.token {
            Some(token) => self.read(token).await?.filter(|pass| pass.inbox == inbox.id),
            None => None,
        };
        let mut name = arrival.name;
        let visitor = match (&arrival.identity, known) {
            (Some(identity), _) => {
                web::verify_identity(&settings, identity).map_err(|rejected| refused(&rejected))?;
                name = identity.name.clone().or(name);
                let hash = index.hash("visitor", &format!("{}|{}", inbox.id, identity.id));
                id(&hash)?
            }
            (None, Some(pass)) => {
                name = name.or(pass.name);
                pass.visitor
            }
            (None, None) => id(&self.clients.random::<16>())?,
        };
        let pass = Pass { visitor, inbox: inbox.id, name };
        let ticket = self.desk.issue_ticket(&session(&pass)).await?;
        let thread = timeline.thread(&index.thread(&pass.inbox, pass.visitor.as_str())).await?;
        Ok(Answer::json(
            200,
            &json!({
                "visitor": pass.visitor,
                "token": self.write(&pass).await?,
                "ticket": ticket.ticket,
                "conversation": thread.map(|thread| thread.conversation),
            }),
        ))
    }

    async fn message(&self, request: &Request, visitor: &str) -> Result<Answer, Failure> {
        let pass = self.admit(request, visitor).await?;
        let message = web::message(&request.body, &pass.visitor, self.clients.now());
        let mut message = message.map_err(|rejected| refused(&rejected))?;
        message.sender.name = pass.name;
        let turn = self.intake.take_visitor(&pass.inbox, message).await?;
        Ok(Answer::json(202, &json!({ "turn": turn })))
    }

    async fn entries(&self, timeline: &Timeline, request: &Request, visitor: &str) -> Result<Answer, Failure> {
        let pass = self.admit(request, visitor).await?;
        let after = request
            .query("after")
            .unwrap_or("0")
            .parse()
            .map_err(|_| Failure::Invalid("after is not the number of an entry".to_owned()))?;
        let thread = self.vault.index().await?.thread(&pass.inbox, pass.visitor.as_str());
        let Some(thread) = timeline.thread(&thread).await? else {
            return Ok(Answer::json(200, &json!({"conversation": null, "items": [], "seq": 0})));
        };
        let entries = timeline.entries(&thread.conversation, &thread.identity, after, PAGE).await?;
        let seq = entries.last().map_or(after, |entry| entry.seq);
        let items: Vec<_> = entries.iter().filter_map(colloquy_domain::Entry::for_visitor).collect();
        Ok(Answer::json(200, &json!({"conversation": thread.conversation, "items": items, "seq": seq})))
    }

    /// The visitor whose token the request bears, if it is the one the path names.
    async fn admit(&self, request: &Request, visitor: &str) -> Result<Pass, Failure> {
        let nobody = || Failure::Unauthenticated("a visitor's token is needed: `Authorization: Visitor …`".to_owned());
        let header = raw(request).header("authorization").unwrap_or_default();
        let pass = self.read(header.strip_prefix("Visitor ").ok_or_else(nobody)?).await?.ok_or_else(nobody)?;
        if pass.visitor.as_str() != visitor {
            return Err(Failure::Forbidden("this token is another visitor's".to_owned()));
        }
        let inbox = self.desk.get::<Inbox>(&pass.inbox).await?.ok_or_else(nobody)?;
        must_come_from_the_site(&Settings::new(inbox.settings), request)?;
        Ok(pass)
    }

    async fn write(&self, pass: &Pass) -> Result<String, Failure> {
        let said = URL_SAFE_NO_PAD.encode(serde_json::to_vec(pass)?);
        let mark = URL_SAFE_NO_PAD.encode(self.vault.index().await?.hash("visitor token", &said));
        Ok(format!("{said}.{mark}"))
    }

    async fn read(&self, token: &str) -> Result<Option<Pass>, Failure> {
        let Some((said, mark)) = token.split_once('.') else { return Ok(None) };
        let Ok(mark) = URL_SAFE_NO_PAD.decode(mark) else { return Ok(None) };
        if !self.vault.index().await?.is_hash("visitor token", said, &mark) {
            return Ok(None);
        }
        Ok(URL_SAFE_NO_PAD.decode(said).ok().and_then(|said| serde_json::from_slice(&said).ok()))
    }
}

fn session(pass: &Pass) -> Session {
    Session { owner: Owner::Visitor(pass.visitor.clone()), inbox: Some(pass.inbox.clone()) }
}

fn id(hash: &[u8; 16]) -> Result<VisitorId, Failure> {
    let id = format!("{}{}", VisitorId::PREFIX, URL_SAFE_NO_PAD.encode(hash));
    id.parse().map_err(|_| Failure::Internal("a visitor's id could not be made".to_owned()))
}

fn must_come_from_the_site(settings: &Settings, request: &Request) -> Result<(), Failure> {
    if web::is_origin_allowed(settings, request.header("origin")) {
        return Ok(());
    }
    Err(Failure::Forbidden("this page's origin is not one of the inbox's allowed_origins".to_owned()))
}
