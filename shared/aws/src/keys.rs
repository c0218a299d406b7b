//! Every key of every table, spelled here and nowhere else.
//!
//! Keys hold ids, numbers and keyed hashes; never addresses, e-mail addresses or platforms' ids. All tables have a
//! partition key `pk` and a sort key `sk`, both strings, and expire items by `expires` (epoch seconds).
//!
//! | table | access pattern | pk | sk |
//! |---|---|---|---|
//! | conversations | head of a conversation; batch of heads | `C#<cnv>` | `H` |
//! | | entries from a number on; the turn at a number | `C#<cnv>` | `E#<first number, 10 digits>` |
//! | | how far a message got; all of a conversation | `C#<cnv>` | `D#<number, 10 digits>` |
//! | | why a turn was refused (24 hours) | `C#<cnv>` | `R#<turn>` |
//! | | a thread's running conversation | `T#<thr>` | `T` |
//! | | the number a customer's turn was given, for ever | `T#<thr>` | `G#<turn>` |
//! | | which message of ours a platform's id means | `P#<hash>` | `P` |
//! | | a list: bot, queue, agent, resolved on a day | index `holder`: `list` | `since` |
//! | desk | agents, teams, queues, inboxes: one; all | `directory` | `<id>` |
//! | | the agent with this e-mail address / token subject | `M#<hash>` / `U#<hash>` | `M` / `U` |
//! | | an agent's presence and slots; batch | `A#<agt>` | `S` |
//! | | the contact behind an identity | `I#<identity>` | `I` |
//! | | a contact; its identities; its conversations | `N#<cnt>` | `N` / `I#<identity>` / `C#<cnv>` |
//! | | redeem a ticket | `K#<sha256>` | `K` |
//! | | a connection; those of an owner; those watching a conversation | `S#<conn>` / `O#<owner>` / `L#<cnv>` | `S` / `S#<conn>` |
//! | | who waits longest in a queue; one of them by conversation | `Q#<que>` | `W#<since>#<cnv>` / `C#<cnv>` |
//! | | wake-ups due in a minute; the last minute swept | `W#<minute>` / `sweep` | `<ms>#<cnv>` / `S` |
//! | | a channel's access token | `B#<inb>` | `T` |
//! | keys | the installation, settings and index keys | `installation` / `settings` / `index` | `K` |
//! | | the key of an identity / a contact / a day | `I#<identity>` / `N#<cnt>` / `transit#<day>` | `K` |
//! | insights | the facts of a day | `F#<day>` | `<hour>#<inb>#<agt or ->#<cnv>` |

use colloquy_domain::{
    AgentId, ContactId, ConversationId, Head, Holder, InboxId, QueueId, Status, Thread, Timestamp, TurnId,
};

/// The conversations table's role, as sealed values name it.
pub(crate) const CONVERSATIONS: &str = "conversations";
/// The desk table's role.
pub(crate) const DESK: &str = "desk";
/// The keys table's role.
pub(crate) const KEYS: &str = "keys";

/// The sparse index of conversations by holder.
pub(crate) const HOLDER_INDEX: &str = "holder";

/// What every turn item's sort key begins with; also the filter of the table's stream.
pub(crate) const TURN_PREFIX: &str = "E#";
/// What every delivery's sort key begins with.
pub(crate) const DELIVERY_PREFIX: &str = "D#";
/// What every waiting place's sort key begins with.
pub(crate) const WAITING_PREFIX: &str = "W#";
/// What a contact's identities' sort keys begin with.
pub(crate) const IDENTITY_PREFIX: &str = "I#";
/// What a contact's conversations' sort keys begin with.
pub(crate) const CONVERSATION_PREFIX: &str = "C#";
/// What connections' sort keys begin with.
pub(crate) const CONNECTION_PREFIX: &str = "S#";
/// The partition of agents, teams, queues and inboxes.
pub(crate) const DIRECTORY: &str = "directory";

/// The highest number that fits a key.
pub(crate) const LAST_SEQ: u64 = 9_999_999_999;

/// The key of an item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ItemKey {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl ItemKey {
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

pub(crate) fn conversation(id: &ConversationId) -> String {
    format!("{CONVERSATION_PREFIX}{id}")
}

pub(crate) fn head(id: &ConversationId) -> ItemKey {
    ItemKey::new(conversation(id), "H")
}

pub(crate) fn turn_sk(first_seq: u64) -> String {
    format!("{TURN_PREFIX}{first_seq:010}")
}

pub(crate) fn turn(id: &ConversationId, first_seq: u64) -> ItemKey {
    ItemKey::new(conversation(id), turn_sk(first_seq))
}

pub(crate) fn delivery(id: &ConversationId, seq: u64) -> ItemKey {
    ItemKey::new(conversation(id), format!("{DELIVERY_PREFIX}{seq:010}"))
}

pub(crate) fn refusal(id: &ConversationId, turn: &TurnId) -> ItemKey {
    ItemKey::new(conversation(id), format!("R#{turn}"))
}

pub(crate) fn thread(thread: &Thread) -> ItemKey {
    ItemKey::new(format!("T#{thread}"), "T")
}

pub(crate) fn guard(thread: &Thread, turn: &TurnId) -> ItemKey {
    ItemKey::new(format!("T#{thread}"), format!("G#{turn}"))
}

pub(crate) fn provider_id(hash: &str) -> ItemKey {
    ItemKey::new(format!("P#{hash}"), "P")
}

pub(crate) fn directory(id: &str) -> ItemKey {
    ItemKey::new(DIRECTORY, id)
}

pub(crate) fn email(hash: &str) -> ItemKey {
    ItemKey::new(format!("M#{hash}"), "M")
}

pub(crate) fn subject(hash: &str) -> ItemKey {
    ItemKey::new(format!("U#{hash}"), "U")
}

pub(crate) fn agent_state(agent: &AgentId) -> ItemKey {
    ItemKey::new(format!("A#{agent}"), "S")
}

pub(crate) fn identity(identity: &str) -> ItemKey {
    ItemKey::new(format!("{IDENTITY_PREFIX}{identity}"), "I")
}

pub(crate) fn contact_pk(contact: &ContactId) -> String {
    format!("N#{contact}")
}

pub(crate) fn contact(contact: &ContactId) -> ItemKey {
    ItemKey::new(contact_pk(contact), "N")
}

pub(crate) fn contact_identity(contact: &ContactId, identity: &str) -> ItemKey {
    ItemKey::new(contact_pk(contact), format!("{IDENTITY_PREFIX}{identity}"))
}

pub(crate) fn contact_conversation(contact: &ContactId, id: &ConversationId) -> ItemKey {
    ItemKey::new(contact_pk(contact), format!("{CONVERSATION_PREFIX}{id}"))
}

pub(crate) fn ticket(hash: &str) -> ItemKey {
    ItemKey::new(format!("K#{hash}"), "K")
}

pub(crate) fn connection(connection: &str) -> ItemKey {
    ItemKey::new(format!("{CONNECTION_PREFIX}{connection}"), "S")
}

pub(crate) fn owner_pk(owner: &str) -> String {
    format!("O#{owner}")
}

pub(crate) fn owned(owner: &str, connection: &str) -> ItemKey {
    ItemKey::new(owner_pk(owner), format!("{CONNECTION_PREFIX}{connection}"))
}

pub(crate) fn subscription_pk(id: &ConversationId) -> String {
    format!("L#{id}")
}

pub(crate) fn subscription(id: &ConversationId, connection: &str) -> ItemKey {
    ItemKey::new(subscription_pk(id), format!("{CONNECTION_PREFIX}{connection}"))
}

pub(crate) fn queue_pk(queue: &QueueId) -> String {
    format!("Q#{queue}")
}

pub(crate) fn waiting(queue: &QueueId, since: Timestamp, id: &ConversationId) -> ItemKey {
    ItemKey::new(queue_pk(queue), format!("{WAITING_PREFIX}{since}#{id}"))
}

pub(crate) fn waiting_place(queue: &QueueId, id: &ConversationId) -> ItemKey {
    ItemKey::new(queue_pk(queue), format!("{CONVERSATION_PREFIX}{id}"))
}

pub(crate) fn wake_pk(minute: i64) -> String {
    format!("W#{minute}")
}

pub(crate) fn wake(at: Timestamp, id: &ConversationId) -> ItemKey {
    ItemKey::new(wake_pk(at.minute()), format!("{:013}#{id}", at.ms()))
}

pub(crate) fn swept() -> ItemKey {
    ItemKey::new("sweep", "S")
}

pub(crate) fn channel_token(inbox: &InboxId) -> ItemKey {
    ItemKey::new(format!("B#{inbox}"), "T")
}

pub(crate) fn installation_key() -> ItemKey {
    ItemKey::new("installation", "K")
}

pub(crate) fn settings_key() -> ItemKey {
    ItemKey::new("settings", "K")
}

pub(crate) fn index_key() -> ItemKey {
    ItemKey::new("index", "K")
}

pub(crate) fn identity_key(identity: &str) -> ItemKey {
    ItemKey::new(format!("I#{identity}"), "K")
}

pub(crate) fn contact_key(contact: &ContactId) -> ItemKey {
    ItemKey::new(format!("N#{contact}"), "K")
}

pub(crate) fn transit_key(day: &str) -> ItemKey {
    ItemKey::new(format!("transit#{day}"), "K")
}

pub(crate) fn facts_pk(day: &str) -> String {
    format!("F#{day}")
}

pub(crate) fn facts(day: &str, hour: u8, inbox: &InboxId, agent: Option<&AgentId>, id: &ConversationId) -> ItemKey {
    let agent = agent.map_or("-", AgentId::as_str);
    ItemKey::new(facts_pk(day), format!("{hour:02}#{inbox}#{agent}#{id}"))
}

/// The list of a head in the sparse index `holder`; nothing when it is on none.
#[must_use]
pub fn list_of(head: &Head) -> Option<String> {
    match (&head.holder, head.status) {
        (Holder::Bot, _) => Some(bot_list().to_owned()),
        (Holder::Queue { queue }, _) => Some(queue_list(queue)),
        (Holder::Agent { agent }, _) => Some(agent_list(agent)),
        (Holder::Nobody, Status::Resolved) => Some(resolved_list(&head.resolved_at.unwrap_or(head.since).day())),
        (Holder::Nobody, Status::Bot | Status::Queued | Status::Open | Status::Snoozed) => None,
    }
}

/// The list of what the bot holds.
#[must_use]
pub const fn bot_list() -> &'static str {
    "bot"
}

/// The list of what waits in a queue.
#[must_use]
pub fn queue_list(queue: &QueueId) -> String {
    format!("queue:{queue}")
}

/// The list of what an agent holds.
#[must_use]
pub fn agent_list(agent: &AgentId) -> String {
    format!("agent:{agent}")
}

/// The list of what was resolved on a UTC day such as `2026-11-23`.
#[must_use]
pub fn resolved_list(day: &str) -> String {
    format!("resolved:{day}")
}

/// The conversation and first number a turn item's keys name; nothing for any other item.
#[must_use]
pub fn read_turn(pk: &str, sk: &str) -> Option<(ConversationId, u64)> {
    Some((read_conversation(pk)?, sk.strip_prefix(TURN_PREFIX)?.parse().ok()?))
}

/// The conversation a partition key `C#<cnv>` names.
pub(crate) fn read_conversation(pk: &str) -> Option<ConversationId> {
    pk.strip_prefix(CONVERSATION_PREFIX)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turns_keys_name_its_conversation_and_first_number() {
        let id: ConversationId = "cnv_1".parse().unwrap();
        let key = turn(&id, 42);
        assert_eq!((key.pk.as_str(), key.sk.as_str()), ("C#cnv_1", "E#0000000042"));
        assert_eq!(read_turn(&key.pk, &key.sk), Some((id.clone(), 42)));
        assert_eq!(read_turn(&key.pk, "H"), None);
        assert_eq!(read_turn(&delivery(&id, 42).pk, &delivery(&id, 42).sk), None);
    }

    #[test]
    fn who_waited_longer_sorts_first() {
        let (queue, id) = ("que_a".parse().unwrap(), "cnv_1".parse().unwrap());
        let [early, late] = [999, 1_000].map(|ms| waiting(&queue, Timestamp::from_ms(ms), &id));
        assert!(early.sk < late.sk);
    }

    #[test]
    fn a_wake_up_lies_in_its_minute() {
        let key = wake(Timestamp::from_ms(120_001), &"cnv_1".parse().unwrap());
        assert_eq!((key.pk.as_str(), key.sk.as_str()), ("W#2", "0000000120001#cnv_1"));
    }
}
