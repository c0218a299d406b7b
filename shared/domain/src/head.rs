//! What is true of a conversation now: the fold of its entries.
//!
//! Nothing is in a head that its entries do not say; [`Head::apply`] is the only thing that changes one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, Author, Channel, Committed, ContactId, ConversationId, Effect, Entry, InboxId, QueueId, Thread, Timestamp,
    TurnId, What,
};

/// Where an episode stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The bot answers.
    Bot,
    /// It waits for an agent.
    Queued,
    /// An agent has it.
    Open,
    /// Set aside until later.
    Snoozed,
    /// Ended.
    Resolved,
}

/// Who has the conversation. Exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Holder {
    /// The machine that answers first.
    Bot,
    /// Waiting work.
    Queue {
        /// Which queue.
        queue: QueueId,
    },
    /// A person.
    Agent {
        /// Who.
        agent: AgentId,
    },
    /// Nobody.
    Nobody,
}

/// A standing offer to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// To whom.
    pub agent: AgentId,
    /// Until when.
    pub until: Timestamp,
}

/// What is true of a conversation now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The conversation.
    pub id: ConversationId,
    /// Its thread.
    pub thread: Thread,
    /// The inbox.
    pub inbox: InboxId,
    /// The channel.
    pub channel: Channel,
    /// The customer.
    pub contact: ContactId,
    /// The keyed hash of the customer's address; its key seals the timeline.
    pub identity: String,
    /// The customer's name, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The number of the last entry; also the version.
    pub seq: u64,
    /// The running episode, from 1.
    pub episode: u32,
    /// Where it stands.
    pub status: Status,
    /// Who has it.
    pub holder: Holder,
    /// Rises with each change of holder.
    pub lease: u32,
    /// When the episode began.
    pub opened_at: Timestamp,
    /// When the last entry was committed.
    pub updated_at: Timestamp,
    /// When holder or status last changed.
    pub since: Timestamp,
    /// When the customer began to wait for people in this queueing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<Timestamp>,
    /// Since when people owe the first answer of this episode: its last handoff before one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited_at: Option<Timestamp>,
    /// When the episode ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// When the customer last wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_at: Option<Timestamp>,
    /// When a person first answered in this episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_reply_at: Option<Timestamp>,
    /// The number of the last message a person sent; 0 for none. The bot does not speak after it unasked.
    #[serde(default)]
    pub agent_seq: u64,
    /// Messages of ours since the customer last wrote.
    #[serde(default)]
    pub replies: u32,
    /// The customer's messages that no person has answered.
    #[serde(default)]
    pub unread: u32,
    /// The customer's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The beginning of the last message that a person wrote; the bot's only until one did.
    #[serde(default)]
    pub preview: String,
    /// Whose words the preview shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_by: Option<Author>,
    /// The standing offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Agents who let an offer of this queueing pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<AgentId>,
    /// When silence ends the episode: a person spoke last and the customer has not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_at: Option<Timestamp>,
    /// The earliest wake-up under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<Timestamp>,
    /// The keys of the last remembered turns, short, latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<String>,
    /// A turn accepted before this may have left `recent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgot: Option<Timestamp>,
}

/// How many turns a head remembers: enough that whoever sends a turn again after a lost answer finds it here.
const RECENT: usize = 48;
/// How long a customer may be silent before the episode ends.
pub(crate) const SILENCE: Duration = Duration::from_secs(24 * 3600);
/// Characters of a message shown in lists.
const PREVIEW: usize = 80;

impl Head {
    /// The head after a conversation's first entry.
    ///
    /// Returns nothing when `entry` opens no conversation.
    #[must_use]
    pub fn open(id: ConversationId, entry: &Entry) -> Option<Self> {
        let What::Opened { thread, inbox, channel, contact, identity, name, .. } = &entry.what else { return None };
        let mut head = Self {
            id,
            thread: thread.clone(),
            inbox: inbox.clone(),
            channel: *channel,
            contact: contact.clone(),
            identity: identity.clone(),
            name: name.clone(),
            seq: 0,
            episode: 0,
            status: Status::Bot,
            holder: Holder::Bot,
            lease: 0,
            opened_at: entry.at,
            updated_at: entry.at,
            since: entry.at,
            queued_at: None,
            awaited_at: None,
            resolved_at: None,
            contact_at: None,
            first_reply_at: None,
            agent_seq: 0,
            replies: 0,
            unread: 0,
            language: None,
            preview: String::new(),
            preview_by: None,
            offer: None,
            passed: Vec::new(),
            silent_at: None,
            armed: None,
            recent: Vec::new(),
            forgot: None,
        };
        head.apply(entry);
        Some(head)
    }

    /// The head after a conversation's first turn.
    ///
    /// Returns nothing when the turn opens no conversation.
    #[must_use]
    pub fn begin(id: &ConversationId, committed: &Committed) -> Option<Self> {
        let mut head = Self::fold(id, &committed.entries)?;
        head.settle(committed);
        Some(head)
    }

    /// The head of a conversation whose entries are these, from number 1 on.
    #[must_use]
    pub fn fold(id: &ConversationId, entries: &[Entry]) -> Option<Self> {
        let (first, rest) = entries.split_first()?;
        let mut head = Self::open(id.clone(), first)?;
        rest.iter().for_each(|entry| head.apply(entry));
        Some(head)
    }

    /// Takes in a committed turn.
    pub fn roll(&mut self, committed: &Committed) {
        committed.entries.iter().for_each(|entry| self.apply(entry));
        self.settle(committed);
    }

    /// Takes in what a committed turn says beside its entries.
    pub(crate) fn settle(&mut self, committed: &Committed) {
        if committed.remembered {
            self.remember(&committed.key);
        }
        for effect in &committed.effects {
            if let Effect::Wake { at } = effect {
                self.armed = Some(*at);
            }
        }
    }

    /// Takes in the next entry.
    pub fn apply(&mut self, entry: &Entry) {
        let at = entry.at;
        self.seq = entry.seq;
        self.updated_at = at;
        match &entry.what {
            What::Message(message) => self.take_message(entry, message),
            What::Note { .. }
            | What::DeliveryFailed { .. }
            | What::DeliveryUnknown { .. }
            | What::DeliveryRetried { .. } => {}
            What::Opened { episode, name, .. } => {
                self.episode = *episode;
                self.opened_at = at;
                self.resolved_at = None;
                self.first_reply_at = None;
                self.awaited_at = None;
                self.name = name.clone().or(self.name.take());
                self.hold(at, Status::Bot, Holder::Bot);
            }
            What::HandedOff { queue, .. } => self.wait_in(at, queue),
            What::Offered { agent, until } => self.offer = Some(Offer { agent: agent.clone(), until: *until }),
            What::OfferExpired { agent } | What::OfferDeclined { agent } => {
                self.offer = None;
                self.passed.push(agent.clone());
            }
            What::Assigned { agent, .. } => self.hold(at, Status::Open, Holder::Agent { agent: agent.clone() }),
            What::Transferred { to: Holder::Queue { queue }, .. } => self.wait_in(at, queue),
            What::Transferred { to, .. } => self.hold(at, Status::Bot, to.clone()),
            What::Resolved { .. } => {
                self.resolved_at = Some(at);
                self.unread = 0;
                self.hold(at, Status::Resolved, Holder::Nobody);
            }
            What::Reopened { by } => {
                self.resolved_at = None;
                self.hold(at, Status::Open, Holder::Agent { agent: by.clone() });
            }
        }
        if self.armed.is_some_and(|armed| armed <= at) {
            self.armed = None;
        }
    }

    fn take_message(&mut self, entry: &Entry, message: &crate::Message) {
        // What the bot says must not hide what the customer wants.
        if message.author != Author::Bot || matches!(self.preview_by, None | Some(Author::Bot)) {
            self.preview = message.text.chars().take(PREVIEW).collect();
            self.preview_by = Some(message.author);
        }
        match message.author {
            Author::Contact => {
                self.contact_at = Some(entry.at);
                self.replies = 0;
                self.unread += 1;
                self.silent_at = None;
                if let Some(read) = message.understanding.as_ref().filter(|read| read.language != "und") {
                    self.language = Some(read.language.clone());
                }
            }
            Author::Bot => self.replies += 1,
            Author::Agent => {
                self.replies += 1;
                self.unread = 0;
                self.agent_seq = entry.seq;
                self.first_reply_at.get_or_insert(entry.at);
                self.silent_at = Some(entry.at.plus(SILENCE));
            }
        }
    }

    fn wait_in(&mut self, at: Timestamp, queue: &QueueId) {
        self.hold(at, Status::Queued, Holder::Queue { queue: queue.clone() });
        self.queued_at = Some(at);
        if self.first_reply_at.is_none() {
            self.awaited_at = Some(at);
        }
    }

    fn hold(&mut self, at: Timestamp, status: Status, holder: Holder) {
        if self.holder != holder {
            self.lease += 1;
        }
        self.status = status;
        self.holder = holder;
        self.since = at;
        self.queued_at = None;
        self.offer = None;
        self.passed.clear();
        if status != Status::Open {
            self.silent_at = None;
        }
    }

    /// The next moment at which something falls due by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        [self.offer.as_ref().map(|offer| offer.until), self.silent_at].into_iter().flatten().min()
    }

    /// Whether a turn with this key was taken lately.
    #[must_use]
    pub fn remembers(&self, key: &TurnId) -> bool {
        self.recent.iter().any(|known| known == short(key))
    }

    /// Whether a turn accepted at `at` is old enough to have been forgotten.
    #[must_use]
    pub fn may_have_forgotten(&self, at: Timestamp) -> bool {
        self.forgot.is_some_and(|forgot| at <= forgot)
    }

    /// Remembers a turn, forgetting the eldest when there are too many.
    fn remember(&mut self, key: &TurnId) {
        if self.recent.len() == RECENT {
            self.recent.remove(0);
            self.forgot = Some(self.updated_at);
        }
        self.recent.push(short(key).to_owned());
    }

    /// The agent who holds it, if one does.
    #[must_use]
    pub const fn agent(&self) -> Option<&AgentId> {
        match &self.holder {
            Holder::Agent { agent } => Some(agent),
            Holder::Bot | Holder::Queue { .. } | Holder::Nobody => None,
        }
    }
}

/// The last 4 characters of a turn's key: 20 bits. Two alike only cost a look at the timeline, which has whole keys.
fn short(key: &TurnId) -> &str {
    let text = key.as_str();
    &text[text.len().saturating_sub(4)..]
}
