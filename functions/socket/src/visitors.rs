//! What visitors of a web inbox do over their sockets. They see their own conversation, and of it what is theirs.

use colloquy_aws::{desk::Connection, timeline::ThreadItem};
use colloquy_channels::web;
use colloquy_domain::{Author, Entry, InboundMessage, InboxId, Sender, VisitorId, queue::Confirmed};
use colloquy_edge::Failure;

use crate::{App, frame::Frame};

/// How many entries are read at once while a client catches up.
const PAGE: usize = 200;

impl App {
    pub(crate) async fn visitor_frame(
        &self,
        known: &Connection,
        visitor: &VisitorId,
        frame: Frame,
    ) -> Result<(), Failure> {
        let inbox = known.session.inbox.as_ref();
        let inbox = inbox.ok_or_else(|| Failure::Unauthenticated("this connection belongs to no inbox".to_owned()))?;
        match frame {
            Frame::Send { text, key, name, .. } => {
                let sender = Sender { address: visitor.to_string(), name: name.as_deref().and_then(web::name_of) };
                self.visitor_says(known, inbox, sender, &text, &key).await
            }
            Frame::Resume { after, .. } => self.visitor_resumes(known, visitor, inbox, after).await,
            Frame::Typing { .. } => {
                let Some(thread) = self.thread(visitor, inbox).await? else { return Ok(()) };
                self.typing(&known.id, &thread.conversation, Author::Contact).await
            }
            Frame::Seen { seq, .. } => {
                let Some(thread) = self.thread(visitor, inbox).await? else { return Ok(()) };
                self.intake.confirm(inbox, Confirmed::Seen { conversation: thread.conversation, seq }).await
            }
            Frame::Leave { conversation } => Ok(self.desk().unsubscribe(&known.id, &conversation).await?),
            Frame::Ping => Ok(()),
            Frame::Note { .. } | Frame::Presence { .. } | Frame::Accept { .. } | Frame::Decline { .. } => {
                Err(Failure::Forbidden("this is for agents".to_owned()))
            }
        }
    }

    async fn visitor_says(
        &self,
        known: &Connection,
        inbox: &InboxId,
        sender: Sender,
        text: &str,
        key: &str,
    ) -> Result<(), Failure> {
        let wrong = |rejected: colloquy_channels::Rejected| Failure::Invalid(rejected.to_string());
        let message = InboundMessage {
            provider_id: web::key(key).map_err(wrong)?.to_owned(),
            sender,
            sent_at: Some(self.commands.clients.now()),
            text: web::text(text).map_err(wrong)?.to_owned(),
            parts: Vec::new(),
            reply_to: None,
        };
        let turn = self.intake.take_visitor(inbox, message).await?;
        self.accepted(&known.id, Some(key), &turn).await;
        Ok(())
    }

    async fn visitor_resumes(
        &self,
        known: &Connection,
        visitor: &VisitorId,
        inbox: &InboxId,
        after: u64,
    ) -> Result<(), Failure> {
        let Some(thread) = self.thread(visitor, inbox).await? else { return Ok(()) };
        self.desk().subscribe(known, &thread.conversation).await?;
        let mut seen = Vec::new();
        let mut seq = after;
        loop {
            let page = self.timeline().entries(&thread.conversation, &thread.identity, seq, PAGE).await?;
            let Some(last) = page.last() else { break };
            seq = last.seq;
            seen.extend(page.iter().filter_map(Entry::for_visitor));
        }
        self.replay(&known.id, &thread.conversation, &seen, seq, None).await;
        Ok(())
    }

    async fn thread(&self, visitor: &VisitorId, inbox: &InboxId) -> Result<Option<ThreadItem>, Failure> {
        let thread = self.vault.index().await?.thread(inbox, visitor.as_str());
        Ok(self.timeline().thread(&thread).await?)
    }
}
