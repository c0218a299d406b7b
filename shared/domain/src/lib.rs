//! What a conversation is and how it goes on, decided purely: state in, entries and effects out.
//!
//! Nothing here does IO, reads a clock or draws a random number: time, ids and keys come in as arguments.

mod clock;
mod id;

mod message;

mod entry;
mod turn;

mod head;

mod decide;
mod delivery;
mod rules;
mod words;

pub mod insight;
pub mod queue;
pub mod routing;

pub use clock::Timestamp;
pub use decide::{Decision, Policy, RESUMES_WITHIN, Refusal, decide};
pub use delivery::{Delivery, DeliveryState, Outcome};
pub use entry::{Assigned, Entry, HandoffReason, Message, ResolvedBy, What};
pub use head::{Head, Holder, Offer, Status};
pub use id::{AgentId, ContactId, ConversationId, InboxId, InvalidId, QueueId, TeamId, Thread, TurnId, VisitorId};
pub use message::{Author, Channel, Inbound, InboundMessage, Mood, Part, PartKind, Receipt, Sender, Understanding};
pub use rules::{Permission, Rules, Unit, rules};
pub use turn::{Command, Committed, Effect, Turn};
pub use words::greeting;
