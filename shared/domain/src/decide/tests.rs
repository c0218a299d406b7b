use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    Assigned, Author, Channel, HandoffReason, InboundMessage, Mood, ResolvedBy, Sender, Status, Thread, TurnId,
    Understanding,
};

const HOUR: Duration = Duration::from_secs(3600);

fn agent(name: &str) -> AgentId {
    format!("agt_{name}").parse().unwrap()
}

fn queue(name: &str) -> QueueId {
    format!("que_{name}").parse().unwrap()
}

/// A conversation driven from outside: each turn a key of its own, time as told.
struct Desk {
    head: Option<Head>,
    timeline: Vec<Entry>,
    now: Timestamp,
    turns: u64,
    channel: Channel,
}

impl Desk {
    fn new(channel: Channel) -> Self {
        Self { head: None, timeline: Vec::new(), now: Timestamp::from_ms(1_700_000_000_000), turns: 0, channel }
    }

    fn turn(&mut self, command: Command) -> Result<Vec<Effect>, Refusal> {
        self.turns += 1;
        let turn = Turn {
            key: TurnId::derive(self.now, &self.turns.to_be_bytes()),
            at: self.now,
            thread: Thread::from_hash(&[7; 16]),
            conversation: None,
            connection: None,
            command,
        };
        let policy = Policy { queue: Some(queue("general")), superseded: false };
        match decide(self.head.clone(), &turn, &policy, self.now)? {
            Decision::Nothing(effects) => Ok(effects),
            Decision::Commit { head, committed } => {
                if self.head.as_ref().is_some_and(|old| old.id != head.id) {
                    self.timeline.clear();
                }
                self.timeline.extend(committed.entries);
                self.head = Some(*head);
                Ok(committed.effects)
            }
        }
    }

    fn write(&mut self, text: &str) -> Vec<Effect> {
        let command = Command::Receive {
            inbox: "inb_one".parse().unwrap(),
            channel: self.channel,
            identity: "identity".to_owned(),
            contact: "cnt_one".parse().unwrap(),
            message: InboundMessage {
                provider_id: "vis_1:p".to_owned(),
                sender: Sender { address: "1".to_owned(), name: Some("Wei".to_owned()) },
                sent_at: None,
                text: text.to_owned(),
                parts: Vec::new(),
                reply_to: None,
            },
            understanding: Understanding {
                language: "zh".to_owned(),
                intent: None,
                confidence: 0.0,
                mood: Mood::Neutral,
                entities: Vec::new(),
            },
        };
        self.turn(command).unwrap()
    }

    fn say(&mut self, name: &str) -> Result<Vec<Effect>, Refusal> {
        self.turn(Command::Say { agent: agent(name), text: "hello".to_owned(), key: "k".to_owned() })
    }

    fn offer(&mut self, name: &str) -> Result<Vec<Effect>, Refusal> {
        let (lease, until) = (self.head().lease, self.now.plus(Duration::from_secs(30)));
        self.turn(Command::Offer { agent: agent(name), queue: queue("general"), lease, until, accepted: false })
    }

    fn resolve(&mut self, name: &str) -> Result<Vec<Effect>, Refusal> {
        self.turn(Command::Resolve { by: agent(name), supervisor: false, disposition: None })
    }

    fn head(&self) -> &Head {
        self.head.as_ref().unwrap()
    }

    fn pass(&mut self, duration: Duration) {
        self.now = self.now.plus(duration);
    }
}

#[test]
fn a_first_message_is_greeted_and_handed_to_people_with_a_reason() {
    let mut desk = Desk::new(Channel::WhatsApp);
    let effects = desk.write("你好");
    assert_eq!((desk.head().status, desk.head().seq, desk.head().unread), (Status::Queued, 4, 1));
    let said = &desk.timeline[2].what;
    assert!(matches!(said, What::Message(m) if m.author == Author::Bot && m.text == crate::greeting("zh")));
    let reason = HandoffReason::NoAnswer;
    assert_eq!(desk.timeline[3].what, What::HandedOff { queue: queue("general"), reason });
    assert!(matches!(effects[..], [Effect::Deliver { message: 3, attempt: 1 }, Effect::Seek { .. }]));
}

#[test]
fn the_web_is_not_sent_to() {
    let mut desk = Desk::new(Channel::Web);
    assert!(matches!(desk.write("hi")[..], [Effect::Seek { .. }]));
}

#[test]
fn a_customer_who_writes_again_meanwhile_is_not_greeted_twice() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("one");
    assert!(desk.write("two").is_empty());
    assert_eq!((desk.head().seq, desk.head().unread), (5, 2));
}

#[test]
fn an_offer_is_accepted_by_its_agent_only() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.offer("li").unwrap();
    assert_eq!(desk.turn(Command::Accept { agent: agent("ann") }), Err(Refusal::NoOffer));
    let effects = desk.turn(Command::Accept { agent: agent("li") }).unwrap();
    assert_eq!(desk.head().agent(), Some(&agent("li")));
    assert!(effects.contains(&Effect::Hold { agent: agent("li") }));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Release { .. })));
}

#[test]
fn an_offer_for_what_has_changed_gives_the_slot_back() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.say("ann").unwrap();
    let effects = desk.offer("li").unwrap();
    assert_eq!(effects, [Effect::Release { agent: agent("li") }]);
    assert_eq!(desk.head().agent(), Some(&agent("ann")));
}

#[test]
fn an_offer_takes_its_slot_again_once_it_stands() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    let effects = desk.offer("li").unwrap();
    assert_eq!(effects[0], Effect::Hold { agent: agent("li") });
}

#[test]
fn an_offer_that_comes_after_its_time_is_made_to_someone_again() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    let (lease, until) = (desk.head().lease, desk.now);
    desk.pass(HOUR);
    let late = Command::Offer { agent: agent("li"), queue: queue("general"), lease, until, accepted: false };
    let effects = desk.turn(late).unwrap();
    assert_eq!(effects[0], Effect::Release { agent: agent("li") });
    assert!(matches!(effects[1], Effect::Seek { .. }));
    assert_eq!(desk.head().offer, None);
}

#[test]
fn an_offer_that_expires_passes_on_and_the_agent_counts_as_away() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    let armed = desk.offer("li").unwrap();
    assert!(matches!(armed[..], [Effect::Hold { .. }, Effect::Wake { .. }]));
    assert_eq!(desk.turn(Command::Wake).unwrap(), [], "the timer that is under way is not armed again");
    desk.pass(Duration::from_secs(30));
    let effects = desk.turn(Command::Wake).unwrap();
    assert_eq!(effects[0], Effect::Lapse { agent: agent("li") });
    assert!(matches!(&effects[1], Effect::Seek { not, .. } if not == &[agent("li")]));
    assert_eq!(desk.turn(Command::Accept { agent: agent("li") }), Err(Refusal::NoOffer));
}

#[test]
fn replying_to_an_offer_accepts_it() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.offer("li").unwrap();
    desk.say("li").unwrap();
    let assigned = What::Assigned { agent: agent("li"), by: Assigned::Offer };
    assert_eq!(desk.timeline[5].what, assigned);
    assert_eq!((desk.head().unread, desk.head().first_reply_at), (0, Some(desk.now)));
}

#[test]
fn taking_what_was_offered_to_another_frees_their_slot() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.offer("li").unwrap();
    let effects = desk.say("ann").unwrap();
    assert!(effects.contains(&Effect::Release { agent: agent("li") }));
    assert!(effects.contains(&Effect::Withdraw { queue: queue("general"), since: desk.now }));
    assert!(effects.contains(&Effect::Hold { agent: agent("ann") }));
}

#[test]
fn nobody_speaks_over_the_agent_who_holds_it() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.say("li").unwrap();
    assert_eq!(desk.say("ann"), Err(Refusal::HeldByOther(agent("li"))));
    assert_eq!(desk.resolve("ann"), Err(Refusal::HeldByOther(agent("li"))));
    desk.turn(Command::Assign { agent: agent("ann"), by: agent("sam"), supervisor: true }).unwrap();
    desk.say("ann").unwrap();
}

#[test]
fn a_resolved_conversation_cannot_be_resolved_again() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.say("li").unwrap();
    assert!(desk.resolve("li").unwrap().contains(&Effect::Release { agent: agent("li") }));
    assert_eq!(desk.resolve("li"), Err(Refusal::AlreadyResolved));
}

#[test]
fn a_customer_back_within_three_days_goes_on_in_a_new_episode() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.say("li").unwrap();
    desk.resolve("li").unwrap();
    let id = desk.head().id.clone();
    desk.pass(72 * HOUR);
    desk.write("again");
    assert_eq!((&desk.head().id, desk.head().episode, desk.head().status), (&id, 2, Status::Queued));
    assert_eq!(desk.head().first_reply_at, None);
}

#[test]
fn a_customer_back_later_begins_a_new_conversation() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.resolve("li").unwrap();
    let id = desk.head().id.clone();
    desk.pass(72 * HOUR + Duration::from_millis(1));
    desk.write("again");
    assert_ne!(desk.head().id, id);
    assert_eq!((desk.head().episode, desk.timeline[0].seq), (1, 1));
}

#[test]
fn silence_after_an_agent_s_words_ends_the_episode() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.say("li").unwrap();
    desk.pass(24 * HOUR);
    desk.turn(Command::Wake).unwrap();
    let by = ResolvedBy::Silence;
    assert_eq!(desk.timeline.last().unwrap().what, What::Resolved { by, disposition: None });
}

#[test]
fn a_timer_that_fires_early_ends_nothing_and_is_armed_again() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.say("li").unwrap();
    desk.pass(HOUR);
    desk.write("yes");
    desk.say("li").unwrap();
    desk.pass(23 * HOUR);
    let due = desk.now.plus(HOUR);
    assert_eq!(desk.turn(Command::Wake).unwrap(), [Effect::Wake { at: due }]);
    assert_eq!(desk.head().status, Status::Open);
}

#[test]
fn a_closed_window_refuses_with_what_would_work() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.pass(25 * HOUR);
    let Err(Refusal::MayNotWrite(reason)) = desk.say("li") else { panic!("the window is closed") };
    assert!(reason.contains("24 hours ago") && reason.contains("until they write again"));
}

#[test]
fn a_conversation_given_back_to_the_bot_is_handed_off_again_when_the_customer_writes() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.say("li").unwrap();
    desk.turn(Command::Return { by: agent("li"), supervisor: false }).unwrap();
    assert_eq!(desk.head().status, Status::Bot);
    desk.write("more");
    assert_eq!(desk.head().status, Status::Queued);
}

#[test]
fn an_agent_cannot_reopen_what_the_customer_has_moved_on_from() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("hi");
    desk.resolve("li").unwrap();
    let turn = Turn {
        key: TurnId::from_hash(&[1; 16]),
        at: desk.now,
        thread: Thread::from_hash(&[7; 16]),
        conversation: None,
        connection: None,
        command: Command::Reopen { by: agent("li") },
    };
    let policy = Policy { queue: None, superseded: true };
    assert_eq!(decide(desk.head.clone(), &turn, &policy, desk.now), Err(Refusal::Superseded));
}

#[test]
fn an_agent_s_turn_is_remembered_until_four_dozen_others_came() {
    let mut desk = Desk::new(Channel::Web);
    desk.write("hi");
    desk.say("li").unwrap();
    let at = desk.now;
    let key = TurnId::derive(at, &desk.turns.to_be_bytes());
    assert!(desk.head().remembers(&key) && !desk.head().may_have_forgotten(at));
    desk.pass(HOUR);
    for _ in 0..48 {
        desk.say("li").unwrap();
    }
    assert!(!desk.head().remembers(&key) && desk.head().may_have_forgotten(at));
}

#[derive(Clone, Debug)]
enum Act {
    Write,
    Say(u8),
    Note(u8),
    Offer(u8),
    Accept(u8),
    Decline(u8),
    Assign(u8, u8, bool),
    Transfer(u8),
    Return(u8),
    Resolve(u8, bool),
    Reopen(u8),
    Wake,
    Fail,
    Pass(u32),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let who = 0u8..3;
    let act = prop_oneof![
        4 => Just(Act::Write),
        3 => who.clone().prop_map(Act::Say),
        1 => who.clone().prop_map(Act::Note),
        3 => who.clone().prop_map(Act::Offer),
        2 => who.clone().prop_map(Act::Accept),
        1 => who.clone().prop_map(Act::Decline),
        1 => (who.clone(), who.clone(), any::<bool>()).prop_map(|(a, b, s)| Act::Assign(a, b, s)),
        1 => who.clone().prop_map(Act::Transfer),
        1 => who.clone().prop_map(Act::Return),
        2 => (who.clone(), any::<bool>()).prop_map(|(a, s)| Act::Resolve(a, s)),
        1 => who.prop_map(Act::Reopen),
        2 => Just(Act::Wake),
        1 => Just(Act::Fail),
        3 => (1u32..100_000_000).prop_map(Act::Pass),
    ];
    prop::collection::vec(act, 1..60)
}

fn person(number: u8) -> AgentId {
    agent(["li", "ann", "maria"][usize::from(number % 3)])
}

proptest! {
    #[test]
    fn whatever_happens_the_timeline_has_no_gap_and_the_head_is_its_fold(acts in acts()) {
        let mut desk = Desk::new(Channel::WhatsApp);
        // Whose slot counts this conversation, as `route` would keep it.
        let mut slots = std::collections::BTreeSet::new();
        for act in acts {
            let before = desk.head.clone();
            let command = match act {
                Act::Pass(ms) => { desk.pass(Duration::from_millis(ms.into())); continue }
                Act::Write => {
                    apply(&mut slots, &desk.write("hi"));
                    check(&desk, before.as_ref(), &slots)?;
                    continue;
                }
                _ if desk.head.is_none() => continue,
                Act::Say(a) => Command::Say { agent: person(a), text: "x".to_owned(), key: "k".to_owned() },
                Act::Note(a) => Command::Note { agent: person(a), text: "x".to_owned(), key: "k".to_owned() },
                Act::Offer(a) => {
                    slots.insert(person(a));
                    let until = desk.now.plus(Duration::from_secs(30));
                    let lease = desk.head().lease;
                    Command::Offer { agent: person(a), queue: queue("general"), lease, until, accepted: a == 2 }
                }
                Act::Accept(a) => Command::Accept { agent: person(a) },
                Act::Decline(a) => Command::Decline { agent: person(a) },
                Act::Assign(a, b, supervisor) => Command::Assign { agent: person(a), by: person(b), supervisor },
                Act::Transfer(a) => Command::Transfer { queue: queue("vip"), by: person(a), supervisor: false },
                Act::Return(a) => Command::Return { by: person(a), supervisor: false },
                Act::Resolve(a, supervisor) => Command::Resolve { by: person(a), supervisor, disposition: None },
                Act::Reopen(a) => Command::Reopen { by: person(a) },
                Act::Wake => Command::Wake,
                Act::Fail => Command::Undelivered { message: 1, attempt: 1, unknown: true, reason: "x".to_owned() },
            };
            match desk.turn(command) {
                Ok(effects) => apply(&mut slots, &effects),
                Err(_) => prop_assert_eq!(&desk.head, &before, "a refusal changes nothing"),
            }
            check(&desk, before.as_ref(), &slots)?;
        }
    }
}

fn apply(slots: &mut std::collections::BTreeSet<AgentId>, effects: &[Effect]) {
    for effect in effects {
        match effect {
            Effect::Hold { agent } => {
                slots.insert(agent.clone());
            }
            Effect::Release { agent } | Effect::Lapse { agent } => {
                slots.remove(agent);
            }
            Effect::Deliver { .. } | Effect::Seek { .. } | Effect::Withdraw { .. } | Effect::Wake { .. } => {}
        }
    }
}

fn check(desk: &Desk, before: Option<&Head>, slots: &std::collections::BTreeSet<AgentId>) -> Result<(), TestCaseError> {
    let head = desk.head();
    prop_assert!(desk.timeline.iter().map(|entry| entry.seq).eq(1..=head.seq));
    let mut folded = Head::fold(&head.id, &desk.timeline).unwrap();
    (folded.recent, folded.forgot, folded.armed) = (head.recent.clone(), head.forgot, head.armed);
    prop_assert_eq!(&folded, head);
    match (&head.holder, head.status) {
        (Holder::Bot, Status::Bot)
        | (Holder::Queue { .. }, Status::Queued)
        | (Holder::Agent { .. }, Status::Open)
        | (Holder::Nobody, Status::Resolved) => {}
        other => prop_assert!(false, "holder and status disagree: {other:?}"),
    }
    prop_assert!(head.offer.is_none() || head.status == Status::Queued);
    if let Some(before) = before.filter(|before| before.id == head.id && before.holder != head.holder) {
        prop_assert!(head.lease > before.lease);
    }
    // Slots follow holder and offer exactly.
    let expected: std::collections::BTreeSet<AgentId> =
        head.agent().into_iter().chain(head.offer.as_ref().map(|offer| &offer.agent)).cloned().collect();
    prop_assert_eq!(slots, &expected);
    // What falls due by itself has a wake-up no later than that.
    if let Some(due) = head.deadline() {
        prop_assert!(head.armed.is_some_and(|armed| armed <= due));
    }
    Ok(())
}

#[test]
fn a_list_shows_what_a_person_said_last_and_never_the_bot_in_its_place() {
    let mut desk = Desk::new(Channel::WhatsApp);
    desk.write("你好");
    assert_eq!((desk.head().preview.as_str(), desk.head().preview_by), ("你好", Some(Author::Contact)));
    desk.offer("li").unwrap();
    desk.turn(Command::Accept { agent: agent("li") }).unwrap();
    desk.say("li").unwrap();
    assert_eq!((desk.head().preview.as_str(), desk.head().preview_by), ("hello", Some(Author::Agent)));
}

#[test]
fn a_visitor_of_a_site_knows_their_own_message_by_its_key() {
    for (channel, key) in [(Channel::Web, Some("p")), (Channel::WhatsApp, None)] {
        let mut desk = Desk::new(channel);
        desk.write("hello");
        let said = desk.timeline.iter().find_map(|entry| match &entry.what {
            What::Message(message) if message.author == Author::Contact => Some(message.key.clone()),
            _ => None,
        });
        assert_eq!(said, Some(key.map(str::to_owned)));
    }
}
