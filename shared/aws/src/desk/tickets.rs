//! Tickets: what lets a browser open one socket, once, within a minute.
//!
//! Only a ticket's SHA-256 is kept, so that reading the table lets nobody in.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use colloquy_domain::{AgentId, InboxId, Timestamp, VisitorId};

use super::Desk;
use crate::{
    StoreError,
    keys::{self, ItemKey},
    table::{Attributes as _, Item, n, number, optional, parsed, s},
};

/// How long a ticket is good for, in seconds.
const GOOD_FOR_S: i64 = 60;

/// Who a ticket or connection belongs to: `agent:<agt>` or `visitor:<vis>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// An agent.
    Agent(AgentId),
    /// A visitor of a web inbox.
    Visitor(VisitorId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(agent) => write!(f, "agent:{agent}"),
            Self::Visitor(visitor) => write!(f, "visitor:{visitor}"),
        }
    }
}

impl FromStr for Owner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = match text.split_once(':') {
            Some(("agent", id)) => id.parse().ok().map(Self::Agent),
            Some(("visitor", id)) => id.parse().ok().map(Self::Visitor),
            _ => None,
        };
        read.ok_or_else(|| "an owner is agent:<agt> or visitor:<vis>".to_owned())
    }
}

/// Who opens a socket, and for a visitor on which inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub owner: Owner,
    /// A visitor's inbox.
    pub inbox: Option<InboxId>,
}

impl Session {
    pub(super) fn write(&self) -> Item {
        let inbox = self.inbox.as_ref().map(|inbox| s(inbox.as_str()));
        Item::new().and("owner", s(self.owner.to_string())).and_some("inbox", inbox)
    }

    pub(super) fn read(item: &Item) -> Result<Self, StoreError> {
        Ok(Self { owner: parsed(item, "owner")?, inbox: optional(item, "inbox")? })
    }
}

/// A ticket. A secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// What to show when opening the socket.
    pub ticket: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl Desk {
    /// Makes a ticket for a session.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn issue_ticket(&self, session: &Session) -> Result<Ticket, StoreError> {
        let ticket = URL_SAFE_NO_PAD.encode(self.table.clients().random::<32>());
        let expires_s = self.table.now().seconds() + GOOD_FOR_S;
        self.table.put(&key(&ticket), session.write().and("expires", n(expires_s))).await?;
        Ok(Ticket { ticket, expires_at: Timestamp::from_ms(expires_s * 1_000) })
    }

    /// Uses a ticket up; whose it was, or nothing when it is not good.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn redeem_ticket(&self, ticket: &str) -> Result<Option<Session>, StoreError> {
        let taken = self.table.take(&key(ticket)).await?;
        let Some(item) = taken else { return Ok(None) };
        let expires_s: i64 = number(&item, "expires")?;
        if expires_s <= self.table.now().seconds() {
            return Ok(None);
        }
        Session::read(&item).map(Some)
    }
}

fn key(ticket: &str) -> ItemKey {
    keys::ticket(&URL_SAFE_NO_PAD.encode(digest(&SHA256, ticket.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_reads_back_and_nothing_else_is_one() {
        for text in ["agent:agt_li", "visitor:vis_1"] {
            assert_eq!(text.parse::<Owner>().unwrap().to_string(), text);
        }
        for text in ["", "agent:", "agent:vis_1", "agt_li", "admin:agt_li"] {
            assert!(text.parse::<Owner>().is_err(), "{text}");
        }
    }
}
