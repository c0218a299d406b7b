//! A connection's beginning and end. A ticket is good once, for a minute.

use colloquy_aws::desk::{Owner, Session};
use colloquy_edge::{
    Failure,
    socket::{policy, status},
};
use serde_json::Value;
use tracing::info;

use crate::App;

impl App {
    /// Redeems the ticket; what it was issued for travels to `$connect` in the authorizer's context.
    pub(crate) async fn authorize(&self, ticket: &str, method: &str) -> Result<Value, Failure> {
        let session = self.desk().redeem_ticket(ticket).await?;
        Ok(policy(session.map(|session| write(&session)).as_deref(), method))
    }

    pub(crate) async fn connect(&self, connection: &str, owner: &str) -> Result<Value, Failure> {
        let Some(session) = read(owner) else { return Ok(status(401)) };
        self.desk().connect(connection, &session).await?;
        info!(connection.id = %connection, "connected");
        Ok(status(200))
    }

    pub(crate) async fn disconnect(&self, connection: &str) -> Result<Value, Failure> {
        self.desk().disconnect(connection).await?;
        info!(connection.id = %connection, "disconnected");
        Ok(status(200))
    }
}

/// `agent:<agt>`, or `visitor:<vis>@<inb>`.
fn write(session: &Session) -> String {
    match &session.inbox {
        Some(inbox) => format!("{}@{inbox}", session.owner),
        None => session.owner.to_string(),
    }
}

fn read(text: &str) -> Option<Session> {
    let (owner, inbox) = text.split_once('@').map_or((text, None), |(owner, inbox)| (owner, Some(inbox)));
    let owner: Owner = owner.parse().ok()?;
    let inbox = inbox.map(str::parse).transpose().ok()?;
    Some(Session { owner, inbox })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_reads_back_as_it_was_written() {
        for text in ["agent:agt_li", "visitor:vis_x@inb_web"] {
            assert_eq!(read(text).map(|session| write(&session)).as_deref(), Some(text));
        }
        assert!(read("").is_none() && read("agent:que_x").is_none());
    }
}
