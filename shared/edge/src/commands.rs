//! What agents ask of conversations, over REST and socket alike: checked as far as can be known now, then queued.
//!
//! The conversation's writer decides; its answer is an entry, or an error event with the client's key.

use colloquy_aws::{Clients, Desk, Timeline, queues::Queue};
use colloquy_domain::{Command, ConversationId, DeliveryState, Head, Refusal, Timestamp, Turn, TurnId, rules};

use crate::{Caller, Failure};

/// The longest text an agent writes at once, in characters.
const LONGEST: usize = 10_000;

/// What is needed to take agents' commands.
pub struct Commands {
    /// The conversations.
    pub timeline: Timeline,
    /// Who works here.
    pub desk: Desk,
    /// Where commands go.
    pub turns: Queue,
    /// The clock and randomness.
    pub clients: Clients,
}

/// How a command came in.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The client's key for it; what makes two requests one.
    pub key: Option<String>,
    /// The socket to tell when it is refused.
    pub connection: Option<String>,
}

impl Commands {
    /// A conversation this caller may see.
    ///
    /// # Errors
    /// [`Failure::NotFound`] or [`Failure::Forbidden`].
    pub async fn head(&self, caller: &Caller, conversation: &ConversationId) -> Result<Head, Failure> {
        let head = self.timeline.head(conversation).await?;
        let head = head.ok_or_else(|| Failure::NotFound("there is no such conversation".to_owned()))?;
        caller.may_see(&head, &self.desk).await?;
        Ok(head)
    }

    /// Words to the customer.
    ///
    /// # Errors
    /// Whatever can be known now to stand against it.
    pub async fn say(
        &self,
        caller: &Caller,
        conversation: &ConversationId,
        text: &str,
        origin: Origin,
    ) -> Result<TurnId, Failure> {
        let head = self.head(caller, conversation).await?;
        let text = written(text)?;
        let allowed = rules(head.channel).may_write(self.clients.now(), head.contact_at, head.replies);
        if let Some(reason) = allowed.reason {
            return Err(Refusal::MayNotWrite(reason).into());
        }
        self.queue(caller, &head, "say", origin, |key| Command::Say { agent: caller.id().clone(), text, key }).await
    }

    /// Words to colleagues.
    ///
    /// # Errors
    /// Whatever can be known now to stand against it.
    pub async fn note(
        &self,
        caller: &Caller,
        conversation: &ConversationId,
        text: &str,
        origin: Origin,
    ) -> Result<TurnId, Failure> {
        let head = self.head(caller, conversation).await?;
        let text = written(text)?;
        self.queue(caller, &head, "note", origin, |key| Command::Note { agent: caller.id().clone(), text, key }).await
    }

    /// Any other command.
    ///
    /// # Errors
    /// Whatever can be known now to stand against it.
    pub async fn act(
        &self,
        caller: &Caller,
        conversation: &ConversationId,
        command: Command,
        origin: Origin,
    ) -> Result<TurnId, Failure> {
        let head = self.head(caller, conversation).await?;
        let verb = serde_json::to_string(&command)?;
        self.queue(caller, &head, &verb, origin, |_| command).await
    }

    /// Sends a message again that did not arrive, or may not have.
    ///
    /// # Errors
    /// [`Failure::Conflict`] when it is under way or has arrived.
    pub async fn retry(
        &self,
        caller: &Caller,
        conversation: &ConversationId,
        message: u64,
        origin: Origin,
    ) -> Result<TurnId, Failure> {
        let head = self.head(caller, conversation).await?;
        let delivery = self.timeline.delivery(conversation, message).await?;
        let delivery = delivery.ok_or(Refusal::NoMessage)?;
        if !matches!(delivery.state, DeliveryState::Failed | DeliveryState::Unknown) {
            return Err(Failure::Conflict("this message is under way or has arrived".to_owned()));
        }
        let attempt = delivery.attempt + 1;
        // However many press the button, it is one retry.
        let origin = Origin { key: Some(format!("{message}-{attempt}")), ..origin };
        let key = turn_key("retry", "", conversation, origin.key.as_deref().unwrap_or_default());
        self.send(&head, key, origin, Command::Retry { message, attempt, by: caller.id().clone() }).await
    }

    async fn queue(
        &self,
        caller: &Caller,
        head: &Head,
        verb: &str,
        origin: Origin,
        command: impl FnOnce(String) -> Command,
    ) -> Result<TurnId, Failure> {
        let client = match &origin.key {
            Some(key) => checked(key)?,
            None => self.clients.random::<12>().iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let key = turn_key(verb, caller.id().as_str(), &head.id, &client);
        self.send(head, key, origin, command(client)).await
    }

    async fn send(&self, head: &Head, key: TurnId, origin: Origin, command: Command) -> Result<TurnId, Failure> {
        let turn = Turn {
            key,
            at: self.clients.now(),
            thread: head.thread.clone(),
            conversation: Some(head.id.clone()),
            connection: origin.connection,
            command,
        };
        self.turns.send(turn.thread.as_str(), turn.key.as_str(), &turn).await?;
        Ok(turn.key)
    }
}

/// The key of an agent's turn: the same request with the same client key is the same turn.
fn turn_key(verb: &str, agent: &str, conversation: &ConversationId, client: &str) -> TurnId {
    TurnId::derive(Timestamp::default(), format!("{verb}|{agent}|{conversation}|{client}").as_bytes())
}

fn written(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(Failure::Invalid("text is empty".to_owned())),
        length if length > LONGEST => {
            Err(Failure::Invalid(format!("text has {length} characters; at most {LONGEST} go at once")))
        }
        _ => Ok(text.to_owned()),
    }
}

fn checked(key: &str) -> Result<String, Failure> {
    let sound = (1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if sound {
        return Ok(key.to_owned());
    }
    Err(Failure::Invalid("the key must be 1 to 128 visible ASCII characters".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_must_say_something_and_not_too_much() {
        assert_eq!(written("  hello \n").unwrap(), "hello");
        assert_eq!(written(" \n"), Err(Failure::Invalid("text is empty".to_owned())));
        assert!(written(&"a".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn one_key_is_one_turn_for_one_agent_and_verb() {
        let conversation: ConversationId = "cnv_1".parse().unwrap();
        let key = |verb, agent, client| turn_key(verb, agent, &conversation, client);
        assert_eq!(key("say", "agt_a", "k"), key("say", "agt_a", "k"));
        assert_ne!(key("say", "agt_a", "k"), key("say", "agt_b", "k"));
        assert_ne!(key("say", "agt_a", "k"), key("note", "agt_a", "k"));
    }

    #[test]
    fn a_key_with_spaces_or_too_long_is_refused() {
        assert!(checked("a b").is_err() && checked("").is_err() && checked(&"k".repeat(129)).is_err());
        assert!(checked("3f1c-22").is_ok());
    }
}
