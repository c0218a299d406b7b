//! How a head comes of its entries, one after the other.

use std::time::Duration;

use super::{Head, Holder, Offer, Status, short};
use crate::{Author, Committed, ConversationId, Effect, Entry, QueueId, Timestamp, TurnId, What};

/// How many turns a head remembers: enough that whoever sends a turn again after a lost answer finds it here.
const RECENT: usize = 48;
/// How long a customer may be silent before the episode ends.
const SILENCE: Duration = Duration::from_secs(24 * 3600);
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

    /// Remembers a turn, forgetting the eldest when there are too many.
    fn remember(&mut self, key: &TurnId) {
        if self.recent.len() == RECENT {
            self.recent.remove(0);
            self.forgot = Some(self.updated_at);
        }
        self.recent.push(short(key).to_owned());
    }
}
