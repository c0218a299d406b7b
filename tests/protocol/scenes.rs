//! The kinds of turns, each with what goes before it.

use std::time::Duration;

use colloquy_domain::{AgentId, Command, QueueId, Turn, queue::Routing, routing::Presence};

use crate::{
    check::AGENTS,
    world::{Customer, World},
};

/// A kind of turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    FirstMessage,
    LaterMessage,
    NewEpisode,
    NewConversation,
    Say,
    SayOverAnOffer,
    Note,
    Offer,
    Accept,
    Decline,
    OfferExpires,
    Silence,
    Transfer,
    Assign,
    Return,
    Resolve,
    Reopen,
    Undelivered,
    Retry,
}

impl Scene {
    pub(crate) const ALL: [Self; 19] = [
        Self::FirstMessage,
        Self::LaterMessage,
        Self::NewEpisode,
        Self::NewConversation,
        Self::Say,
        Self::SayOverAnOffer,
        Self::Note,
        Self::Offer,
        Self::Accept,
        Self::Decline,
        Self::OfferExpires,
        Self::Silence,
        Self::Transfer,
        Self::Assign,
        Self::Return,
        Self::Resolve,
        Self::Reopen,
        Self::Undelivered,
        Self::Retry,
    ];

    /// Plays what goes before, then sends the turn; nothing of it has happened yet.
    pub(crate) async fn begin(self, world: &World, customer: &Customer) {
        world.set_presence(&AGENTS, Presence::Available).await;
        match self {
            Self::FirstMessage => {}
            Self::Offer => {
                world.set_presence(&AGENTS, Presence::Away).await;
                write(world, customer, "hello").await;
                world.set_presence(&AGENTS[..1], Presence::Available).await;
            }
            _ => drop(write(world, customer, "hello").await),
        }
        if matches!(
            self,
            Self::Say
                | Self::LaterMessage
                | Self::Note
                | Self::Transfer
                | Self::Assign
                | Self::Return
                | Self::Resolve
                | Self::Silence
                | Self::NewEpisode
                | Self::NewConversation
                | Self::Reopen
                | Self::Undelivered
                | Self::Retry
        ) {
            act(world, customer, Command::Accept { agent: offered(world, customer).await }).await;
        }
        if matches!(self, Self::Silence | Self::Undelivered | Self::Retry) {
            say(world, customer, holder(world, customer).await, "before").await;
            world.drain().await;
        }
        if matches!(self, Self::NewEpisode | Self::NewConversation | Self::Reopen) {
            let by = holder(world, customer).await;
            act(world, customer, Command::Resolve { by, supervisor: false, disposition: None }).await;
        }
        match self {
            Self::NewConversation => world.pass(73 * 3600),
            Self::OfferExpires => world.pass(46),
            Self::Silence => world.pass(24 * 3600 + 1),
            Self::Retry => {
                let message = last_of_ours(world, customer).await;
                let failed = Command::Undelivered { message, attempt: 1, unknown: false, reason: "no".to_owned() };
                act(world, customer, failed).await;
            }
            _ => world.pass(10),
        }
        self.turn(world, customer).await;
    }

    async fn turn(self, world: &World, customer: &Customer) {
        let words = |what: &str| format!("#{what} {}", world.unique());
        match self {
            Self::FirstMessage | Self::LaterMessage | Self::NewEpisode | Self::NewConversation => {
                let text = words("message");
                world.send(&world.message(customer, &text, &text)).await;
            }
            Self::Say => say(world, customer, holder(world, customer).await, &words("answer")).await,
            Self::SayOverAnOffer => {
                let offered = offered(world, customer).await;
                say(world, customer, other(&offered), &words("answer")).await;
            }
            Self::Note => {
                let (agent, text) = (holder(world, customer).await, words("note"));
                send(world, customer, Command::Note { agent, text: text.clone(), key: text }).await;
            }
            Self::Offer => {
                world.route(&Routing::Drain { queue: "que_general".parse().unwrap(), returning: None }).await;
            }
            Self::Accept => send(world, customer, Command::Accept { agent: offered(world, customer).await }).await,
            Self::Decline => send(world, customer, Command::Decline { agent: offered(world, customer).await }).await,
            // The wake-up was sent to the timers' queue when the offer was made.
            Self::OfferExpires => {}
            Self::Silence => {
                // The schedule has run all day.
                world.desk.set_swept_minute(world.now().minute() - 1).await.unwrap();
                assert!(world.sweep().await);
            }
            Self::Transfer => {
                let queue: QueueId = "que_vip".parse().unwrap();
                let by = holder(world, customer).await;
                send(world, customer, Command::Transfer { queue, by, supervisor: false }).await;
            }
            Self::Assign => {
                let agent = other(&holder(world, customer).await);
                let by = "agt_sam".parse().unwrap();
                send(world, customer, Command::Assign { agent, by, supervisor: true }).await;
            }
            Self::Return => {
                let by = holder(world, customer).await;
                send(world, customer, Command::Return { by, supervisor: false }).await;
            }
            Self::Resolve => {
                let by = holder(world, customer).await;
                send(world, customer, Command::Resolve { by, supervisor: false, disposition: None }).await;
            }
            Self::Reopen => send(world, customer, Command::Reopen { by: "agt_li".parse().unwrap() }).await,
            Self::Undelivered => {
                let message = last_of_ours(world, customer).await;
                let reason = "no".to_owned();
                send(world, customer, Command::Undelivered { message, attempt: 1, unknown: false, reason }).await;
            }
            Self::Retry => {
                let message = last_of_ours(world, customer).await;
                let by = holder(world, customer).await;
                send(world, customer, Command::Retry { message, attempt: 2, by }).await;
            }
        }
    }
}

/// A customer's message, taken in.
pub(crate) async fn write(world: &World, customer: &Customer, text: &str) -> Turn {
    let text = format!("#{text} {}", world.unique());
    let turn = world.message(customer, &text, &text);
    world.send(&turn).await;
    world.drain().await;
    turn
}

/// A turn sent.
pub(crate) async fn send(world: &World, customer: &Customer, command: Command) {
    let turn = world.turn(customer, command).await;
    world.send(&turn).await;
}

/// A turn done.
pub(crate) async fn act(world: &World, customer: &Customer, command: Command) {
    send(world, customer, command).await;
    world.drain().await;
}

pub(crate) async fn say(world: &World, customer: &Customer, agent: AgentId, text: &str) {
    let text = if text.starts_with('#') { text.to_owned() } else { format!("#{text} {}", world.unique()) };
    send(world, customer, Command::Say { agent, text: text.clone(), key: text }).await;
}

pub(crate) async fn offered(world: &World, customer: &Customer) -> AgentId {
    let head = world.head(customer).await;
    head.offer.clone().unwrap_or_else(|| panic!("it is offered to someone: {head:?}")).agent
}

pub(crate) async fn holder(world: &World, customer: &Customer) -> AgentId {
    let head = world.head(customer).await;
    head.agent().cloned().unwrap_or_else(|| panic!("someone has it: {head:?}"))
}

fn other(agent: &AgentId) -> AgentId {
    let other = if agent.as_str() == AGENTS[0] { AGENTS[1] } else { AGENTS[0] };
    other.parse().unwrap()
}

async fn last_of_ours(world: &World, customer: &Customer) -> u64 {
    world.head(customer).await.agent_seq
}

/// Longer than FIFO queues know a message again.
pub(crate) const FORGOTTEN: Duration = Duration::from_secs(6 * 60);
