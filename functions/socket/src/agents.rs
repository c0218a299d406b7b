//! What agents do over their sockets.

use colloquy_aws::desk::Connection;
use colloquy_domain::{AgentId, Author, Command, ConversationId, queue::Routing, routing::Presence};
use colloquy_edge::{Caller, Failure, Origin, view};

use crate::{App, frame::Frame};

/// How many entries are read at once while a client catches up.
const PAGE: usize = 200;

impl App {
    pub(crate) async fn agent_frame(&self, known: &Connection, agent: &AgentId, frame: Frame) -> Result<(), Failure> {
        let connection = known.id.as_str();
        // Looked up with each frame, so that a change of role or a removal counts at once.
        let caller = Caller::known(agent, self.desk()).await?;
        let origin = |key: Option<&String>| Origin { key: key.cloned(), connection: Some(connection.to_owned()) };
        match frame {
            Frame::Send { conversation, text, key, .. } => {
                let conversation =
                    conversation.ok_or_else(|| Failure::Invalid("conversation is missing".to_owned()))?;
                let turn = self.commands.say(&caller, &conversation, &text, origin(Some(&key))).await?;
                self.accepted(connection, Some(&key), &turn).await;
            }
            Frame::Note { conversation, text, key } => {
                let turn = self.commands.note(&caller, &conversation, &text, origin(Some(&key))).await?;
                self.accepted(connection, Some(&key), &turn).await;
            }
            Frame::Accept { conversation, key } => {
                let command = Command::Accept { agent: agent.clone() };
                let turn = self.commands.act(&caller, &conversation, command, origin(key.as_ref())).await?;
                self.accepted(connection, key.as_deref(), &turn).await;
            }
            Frame::Decline { conversation, key } => {
                let command = Command::Decline { agent: agent.clone() };
                let turn = self.commands.act(&caller, &conversation, command, origin(key.as_ref())).await?;
                self.accepted(connection, key.as_deref(), &turn).await;
            }
            Frame::Resume { conversation, after } => {
                let conversation =
                    conversation.ok_or_else(|| Failure::Invalid("conversation is missing".to_owned()))?;
                self.resume(known, &caller, &conversation, after).await?;
            }
            Frame::Leave { conversation } => self.desk().unsubscribe(connection, &conversation).await?,
            Frame::Presence { state } => self.presence(&caller, state).await?,
            Frame::Typing { conversation } => {
                let conversation =
                    conversation.ok_or_else(|| Failure::Invalid("conversation is missing".to_owned()))?;
                self.commands.head(&caller, &conversation).await?;
                self.typing(connection, &conversation, Author::Agent).await?;
            }
            Frame::Seen { .. } | Frame::Ping => {}
        }
        Ok(())
    }

    /// Subscribes first and reads then, so that nothing falls between; what comes twice has its number.
    async fn resume(
        &self,
        known: &Connection,
        caller: &Caller,
        conversation: &ConversationId,
        after: u64,
    ) -> Result<(), Failure> {
        let head = self.commands.head(caller, conversation).await?;
        self.desk().subscribe(known, conversation).await?;
        let mut entries = Vec::new();
        let mut seq = after;
        loop {
            let page = self.timeline().entries(conversation, &head.identity, seq, PAGE).await?;
            let Some(last) = page.last() else { break };
            seq = last.seq;
            entries.extend(page);
        }
        let deliveries = self.timeline().deliveries(conversation).await?;
        let head = self.timeline().head(conversation).await?.unwrap_or(head);
        let head = view::head(&head, self.commands.clients.now());
        self.replay(&known.id, conversation, &entries, seq, Some((&deliveries, &head))).await;
        Ok(())
    }

    async fn presence(&self, caller: &Caller, state: Presence) -> Result<(), Failure> {
        self.desk().set_presence(caller.id(), state).await?;
        let event = view::presence_event(caller.id(), state);
        let owner = colloquy_aws::desk::Owner::Agent(caller.id().clone());
        for connection in self.desk().connections_of(&owner).await? {
            self.sockets.push(&connection, &event).await;
        }
        if state == Presence::Available {
            for queue in caller.queues(self.desk()).await? {
                let drain = Routing::Drain { queue: queue.id, returning: Some(caller.id().clone()) };
                let nonce: [u8; 8] = self.commands.clients.random();
                let dedup: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
                self.routing.send(drain.group(), &dedup, &drain).await?;
            }
        }
        Ok(())
    }
}
