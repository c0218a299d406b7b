//! Agents' commands over REST; each answers `202 {"turn":…}` at once.

use colloquy_aws::desk::{Agent, Queue};
use colloquy_domain::{AgentId, Command, ContactId, ConversationId, QueueId};
use colloquy_edge::{
    Caller, Failure, Origin,
    http::{Answer, Request},
};
use serde::Deserialize;
use serde_json::json;

use crate::App;

#[derive(Deserialize)]
struct Words {
    text: String,
}

/// To whom a conversation is given: exactly one of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct To {
    agent: Option<AgentId>,
    queue: Option<QueueId>,
    #[serde(default)]
    bot: bool,
}

#[derive(Deserialize)]
struct Resolution {
    disposition: Option<String>,
}

#[derive(Deserialize)]
struct Answering {
    accept: bool,
}

/// Whom an agent wants to write to first.
#[derive(Deserialize)]
struct Beginning {
    contact: ContactId,
    text: String,
}

/// The longest outcome code, in characters.
const DISPOSITION: usize = 60;

impl App {
    pub(crate) async fn say(&self, caller: &Caller, id: &ConversationId, request: &Request) -> Result<Answer, Failure> {
        let words: Words = request.json()?;
        queued(&self.commands.say(caller, id, &words.text, origin(request)).await?)
    }

    pub(crate) async fn note(
        &self,
        caller: &Caller,
        id: &ConversationId,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let words: Words = request.json()?;
        queued(&self.commands.note(caller, id, &words.text, origin(request)).await?)
    }

    pub(crate) async fn retry(
        &self,
        caller: &Caller,
        id: &ConversationId,
        message: &str,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let message = message.parse().map_err(|_| Failure::NotFound("there is no such message".to_owned()))?;
        queued(&self.commands.retry(caller, id, message, origin(request)).await?)
    }

    pub(crate) async fn offer(
        &self,
        caller: &Caller,
        id: &ConversationId,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let agent = caller.id().clone();
        let command =
            if request.json::<Answering>()?.accept { Command::Accept { agent } } else { Command::Decline { agent } };
        self.act(caller, id, command, request).await
    }

    pub(crate) async fn hand_over(
        &self,
        caller: &Caller,
        id: &ConversationId,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let (by, supervisor) = (caller.id().clone(), caller.supervise().is_ok());
        let command = match request.json::<To>()? {
            To { agent: Some(agent), queue: None, bot: false } => {
                let known = self.commands.desk.get::<Agent>(&agent).await?;
                if known.is_none_or(|agent| agent.disabled) {
                    return Err(Failure::Invalid(format!("there is no agent {agent}")));
                }
                let head = self.commands.head(caller, id).await?;
                let offered = head.offer.is_some_and(|offer| offer.agent == agent);
                // Taking what one was offered is accepting the offer.
                if agent == by && offered {
                    Command::Accept { agent }
                } else {
                    Command::Assign { agent, by, supervisor }
                }
            }
            To { agent: None, queue: Some(queue), bot: false } => {
                if self.commands.desk.get::<Queue>(&queue).await?.is_none() {
                    return Err(Failure::Invalid(format!("there is no queue {queue}")));
                }
                Command::Transfer { queue, by, supervisor }
            }
            To { agent: None, queue: None, bot: true } => Command::Return { by, supervisor },
            _ => return Err(Failure::Invalid("name one of agent, queue, bot".to_owned())),
        };
        self.act(caller, id, command, request).await
    }

    pub(crate) async fn resolve(
        &self,
        caller: &Caller,
        id: &ConversationId,
        request: &Request,
    ) -> Result<Answer, Failure> {
        let Resolution { disposition } = request.json()?;
        if disposition.as_ref().is_some_and(|code| code.chars().count() > DISPOSITION) {
            return Err(Failure::Invalid(format!("disposition has more than {DISPOSITION} characters")));
        }
        let disposition = disposition.filter(|code| !code.trim().is_empty());
        let command = Command::Resolve { by: caller.id().clone(), supervisor: caller.supervise().is_ok(), disposition };
        self.act(caller, id, command, request).await
    }

    pub(crate) async fn reopen(
        &self,
        caller: &Caller,
        id: &ConversationId,
        request: &Request,
    ) -> Result<Answer, Failure> {
        self.act(caller, id, Command::Reopen { by: caller.id().clone() }, request).await
    }

    /// An agent writes first: into the contact's latest conversation, where the channel lets us.
    pub(crate) async fn begin(&self, caller: &Caller, request: &Request) -> Result<Answer, Failure> {
        let beginning: Beginning = request.json()?;
        let conversations = self.commands.desk.conversations_of(&beginning.contact).await?;
        // Ids sort by their time.
        let Some(latest) = conversations.into_iter().max() else {
            return Err(Failure::NotFound("there is no such contact".to_owned()));
        };
        let turn = self.commands.say(caller, &latest, &beginning.text, origin(request)).await?;
        Ok(Answer::json(202, &json!({"turn": turn, "conversation": latest})))
    }

    async fn act(
        &self,
        caller: &Caller,
        id: &ConversationId,
        command: Command,
        request: &Request,
    ) -> Result<Answer, Failure> {
        queued(&self.commands.act(caller, id, command, origin(request)).await?)
    }
}

fn origin(request: &Request) -> Origin {
    Origin { key: request.header("idempotency-key").map(str::to_owned), connection: None }
}

#[expect(clippy::unnecessary_wraps, reason = "every act ends by it")]
fn queued(turn: &colloquy_domain::TurnId) -> Result<Answer, Failure> {
    Ok(Answer::json(202, &json!({ "turn": turn })))
}
