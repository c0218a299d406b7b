//! Committing a turn once, whatever crashes and comes again: guard, turn item, thread, head.
//!
//! The turn item, written if absent under its first number, is the moment of commitment. Whatever comes after it
//! (thread, head, effects) can be done again from it; whatever comes before it has changed nothing.

use colloquy_aws::{
    StoreError,
    desk::{Identity, Inbox, Queue},
    timeline::{Guarded, PutTurn, ThreadItem},
};
use colloquy_domain::{
    Command, Committed, ConversationId, Decision, Effect, Head, Policy, Refusal, Status, Thread, Turn, TurnId, What,
    decide, insight,
};
use colloquy_edge::Failure;

use crate::App;

/// What became of a turn.
pub(crate) enum Outcome {
    /// It is in the timeline, now or since an earlier attempt.
    Committed(Box<Done>),
    /// It changed nothing; these effects put right what was expected of it.
    Nothing { head: Box<Head>, effects: Vec<Effect> },
    /// It may not be done.
    Refused(Refusal),
}

/// A committed turn and the head with it.
pub(crate) struct Done {
    /// The head, at least as far as the turn.
    pub(crate) head: Head,
    /// What was stored.
    pub(crate) committed: Committed,
}

/// What the permanent guard says of a customer's message.
enum Known {
    /// It was not committed before; its number is kept for it now.
    No,
    /// It was, as this turn of this conversation.
    Committed(ConversationId, Committed),
    /// It was, and then the customer was erased.
    Erased,
}

/// A crash can leave one turn ahead of the head; more than a few attempts mean that two writers are at work.
const ATTEMPTS: usize = 4;

impl App {
    pub(crate) async fn commit(&self, turn: &Turn, suspect: bool) -> Result<Outcome, Failure> {
        for _ in 0..ATTEMPTS {
            if let Some(outcome) = Box::pin(self.attempt(turn, suspect)).await? {
                return Ok(outcome);
            }
        }
        Err(Failure::Unavailable("the conversation kept changing under the turn".to_owned()))
    }

    /// One attempt; nothing when the head was behind and has been rolled forward, so that the turn is decided anew.
    async fn attempt(&self, turn: &Turn, suspect: bool) -> Result<Option<Outcome>, Failure> {
        // What is told again of a customer who was erased brings nothing of them back.
        let Some((turn, head)) = self.load(turn).await? else {
            return Ok(Some(Outcome::Refused(Refusal::NoConversation)));
        };
        if let Some(head) = &head
            && self.may_be_known(&turn, head, suspect)
            && let Some(committed) = self.timeline.find_turn(&head.id, &head.identity, &turn.key).await?
        {
            return self.again(head.id.clone(), committed).await.map(Some);
        }
        let policy = self.policy(&turn, head.as_ref()).await?;
        match decide(head.clone(), &turn, &policy, self.clients.now()) {
            Ok(Decision::Commit { head: after, committed }) => {
                self.write(&turn, head.as_ref(), *after, committed).await
            }
            Ok(Decision::Nothing(effects)) => {
                let Some(head) = head else { return Ok(Some(Outcome::Refused(Refusal::NoConversation))) };
                if self.catch_up(&head).await? {
                    return Ok(None);
                }
                Ok(Some(Outcome::Nothing { head: Box::new(head), effects }))
            }
            Err(refusal) => match head {
                Some(head) if self.catch_up(&head).await? => Ok(None),
                _ => Ok(Some(Outcome::Refused(refusal))),
            },
        }
    }

    /// The head the turn is for; for a customer's message, the thread's current conversation and the resolved contact.
    /// Nothing when the message was taken in before and has been erased since.
    async fn load(&self, turn: &Turn) -> Result<Option<(Turn, Option<Head>)>, Failure> {
        let mut turn = turn.clone();
        let Command::Receive { inbox, channel, identity, contact, message, .. } = &mut turn.command else {
            let Some(conversation) = &turn.conversation else { return Ok(Some((turn, None))) };
            let head = readable(self.timeline.head(conversation).await)?.flatten();
            return Ok(Some((turn, head)));
        };
        if let Some(thread) = self.timeline.thread(&turn.thread).await? {
            match readable(self.timeline.head(&thread.conversation).await)? {
                Some(Some(head)) => {
                    contact.clone_from(&thread.contact);
                    return Ok(Some((turn, Some(head))));
                }
                // The thread was pointed at the conversation and its head not written: its turns are the truth.
                Some(None) => {
                    let head = self.catch_up_from(&thread.conversation, &thread.identity, None).await?;
                    contact.clone_from(&thread.contact);
                    return Ok(Some((turn, Some(head))));
                }
                // Erased: who writes now is a stranger again.
                None if self.is_erased(&turn.thread, &turn.key, identity).await? => return Ok(None),
                None => {}
            }
        }
        // Whoever was here first keeps the contact; a second attempt finds its own.
        let new = Identity {
            identity: identity.clone(),
            contact: contact.clone(),
            channel: *channel,
            inbox: inbox.clone(),
            address: message.sender.address.clone(),
            name: message.sender.name.clone(),
        };
        *contact = match readable(self.desk.identity(identity).await)?.flatten() {
            Some(known) => known.contact,
            None => self.desk.create_identity(&new).await?,
        };
        Ok(Some((turn, None)))
    }

    /// Whether a customer's message was taken in and then erased.
    async fn is_erased(&self, thread: &Thread, turn: &TurnId, identity: &str) -> Result<bool, Failure> {
        let Guarded::Known { conversation, seq } = self.timeline.guarded(thread, turn).await? else {
            return Ok(false);
        };
        Ok(readable(self.timeline.turn_at(&conversation, identity, seq).await)?.is_none())
    }

    /// Whether the turn may have been committed before: remembered by the head, or perhaps forgotten, or come again.
    /// Trouble with a delivery may be told again at any time, and is rare.
    fn may_be_known(&self, turn: &Turn, head: &Head, suspect: bool) -> bool {
        match &turn.command {
            Command::Receive { .. } => false,
            Command::Undelivered { .. } => true,
            _ => suspect || head.remembers(&turn.key) || head.may_have_forgotten(turn.at),
        }
    }

    async fn policy(&self, turn: &Turn, head: Option<&Head>) -> Result<Policy, Failure> {
        match (&turn.command, head) {
            (Command::Receive { inbox, .. }, _) => {
                let queue = match self.desk.get::<Inbox>(inbox).await?.and_then(|inbox| inbox.queue) {
                    Some(queue) => Some(queue),
                    None => self.desk.list::<Queue>().await?.into_iter().map(|queue| queue.id).min(),
                };
                Ok(Policy { queue, superseded: false })
            }
            (Command::Reopen { .. } | Command::Say { .. }, Some(head)) if head.status == Status::Resolved => {
                let thread = self.timeline.thread(&head.thread).await?;
                Ok(Policy { queue: None, superseded: thread.is_some_and(|thread| thread.conversation != head.id) })
            }
            _ => Ok(Policy::default()),
        }
    }

    async fn write(
        &self,
        turn: &Turn,
        before: Option<&Head>,
        after: Head,
        committed: Committed,
    ) -> Result<Option<Outcome>, Failure> {
        let before = before.filter(|before| before.id == after.id);
        let first = before.map_or(0, |before| before.seq) + 1;
        if matches!(turn.command, Command::Receive { .. }) {
            match self.guard(turn, &after, first).await? {
                Known::No => {}
                Known::Committed(conversation, stored) => return self.again(conversation, stored).await.map(Some),
                Known::Erased => return Ok(Some(Outcome::Refused(Refusal::NoConversation))),
            }
        }
        let facts = serde_json::to_string(&insight::facts(before, &committed, &after))
            .map_err(|error| Failure::Internal(error.to_string()))?;
        match self.timeline.put_turn(&after.id, &after.identity, first, &committed, &facts).await? {
            PutTurn::New => {}
            // An earlier attempt at this very turn, or a turn that the head has not caught up with.
            PutTurn::Taken(stored) if stored.key == committed.key => {
                return self.again(after.id, stored).await.map(Some);
            }
            PutTurn::Taken(_) => {
                self.catch_up_from(&after.id, &after.identity, before.cloned()).await?;
                return Ok(None);
            }
        }
        self.settle(before, &after, &committed).await?;
        Ok(Some(Outcome::Committed(Box::new(Done { head: after, committed }))))
    }

    /// The permanent guard of a customer's message: the number its id was given, when it was given one before and the
    /// turn there is its own.
    async fn guard(&self, turn: &Turn, after: &Head, first: u64) -> Result<Known, Failure> {
        let Guarded::Known { conversation, seq } =
            self.timeline.guard(&turn.thread, &turn.key, &after.id, first).await?
        else {
            return Ok(Known::No);
        };
        match readable(self.timeline.turn_at(&conversation, &after.identity, seq).await)? {
            None => return Ok(Known::Erased),
            Some(Some(stored)) if stored.key == turn.key => return Ok(Known::Committed(conversation, stored)),
            // The guard was set and the turn never written; the number may be another turn's by now.
            Some(_) => {}
        }
        let (from, to) = ((&conversation, seq), (&after.id, first));
        if from != to && !self.timeline.reguard(&turn.thread, &turn.key, from, to).await? {
            return Err(Failure::Unavailable("the same message is being taken in elsewhere".to_owned()));
        }
        Ok(Known::No)
    }

    /// A turn committed before: whatever an earlier attempt left undone after the commit is done now.
    async fn again(&self, conversation: ConversationId, committed: Committed) -> Result<Outcome, Failure> {
        let last = committed.entries.last().map_or(0, |entry| entry.seq);
        let identity = committed.entries.iter().find_map(|entry| match &entry.what {
            What::Opened { identity, .. } => Some(identity.clone()),
            _ => None,
        });
        let head = match (self.timeline.head(&conversation).await?, identity) {
            (Some(head), _) if head.seq >= last => head,
            (Some(head), _) => self.catch_up_from(&head.id.clone(), &head.identity.clone(), Some(head)).await?,
            (None, Some(identity)) => self.catch_up_from(&conversation, &identity, None).await?,
            (None, None) => return Err(Failure::Internal(format!("{conversation} has a turn and no beginning"))),
        };
        Ok(Outcome::Committed(Box::new(Done { head, committed })))
    }

    /// Rolls the head forward over turns that were committed without it; says whether there were any.
    async fn catch_up(&self, head: &Head) -> Result<bool, Failure> {
        let behind = self.timeline.turn_at(&head.id, &head.identity, head.seq + 1).await?.is_some();
        if behind {
            self.catch_up_from(&head.id, &head.identity, Some(head.clone())).await?;
        }
        Ok(behind)
    }

    async fn catch_up_from(
        &self,
        conversation: &ConversationId,
        identity: &str,
        mut head: Option<Head>,
    ) -> Result<Head, Failure> {
        loop {
            let next = head.as_ref().map_or(0, |head| head.seq) + 1;
            let Some(committed) = self.timeline.turn_at(conversation, identity, next).await? else { break };
            let before = head.clone();
            let after = roll(conversation, head, &committed)
                .ok_or_else(|| Failure::Internal(format!("{conversation} does not begin by opening")))?;
            self.settle(before.as_ref(), &after, &committed).await?;
            // Its writer died before asking the others, or while doing so.
            Box::pin(self.emit(&Done { head: after.clone(), committed })).await?;
            head = Some(after);
        }
        head.ok_or_else(|| Failure::Unavailable("the conversation is not there yet".to_owned()))
    }

    /// After the commit: a new conversation becomes the thread's current one and the contact's latest; then the head.
    async fn settle(&self, before: Option<&Head>, after: &Head, committed: &Committed) -> Result<(), Failure> {
        if before.is_none() {
            let current = ThreadItem {
                conversation: after.id.clone(),
                identity: after.identity.clone(),
                contact: after.contact.clone(),
                inbox: after.inbox.clone(),
            };
            self.timeline.put_thread(&after.thread, &current).await?;
            self.desk.link_conversation(&after.contact, &after.id).await?;
        }
        let written = self.timeline.put_head(after, before.map(|before| before.seq)).await?;
        let last = committed.entries.last().map_or(0, |entry| entry.seq);
        if !written && self.timeline.head(&after.id).await?.is_none_or(|head| head.seq < last) {
            return Err(Failure::Unavailable("the head changed under the turn".to_owned()));
        }
        Ok(())
    }
}

/// What was read; nothing when its key was destroyed.
fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::Erased) => Ok(None),
        Err(error) => Err(error),
    }
}

fn roll(conversation: &ConversationId, head: Option<Head>, committed: &Committed) -> Option<Head> {
    match head {
        Some(mut head) => {
            head.roll(committed);
            Some(head)
        }
        None => Head::begin(conversation, committed),
    }
}
