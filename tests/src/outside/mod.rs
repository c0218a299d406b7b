//! A colloquy process of its own, seen from outside only: started and killed, written to by customers, answered by
//! agents, sending to a channel API that the test plays.
//!
//! For what needs a real process (kills, measurements); stories run a host in their own process instead.

mod customer;
mod desk;
mod platform;
mod process;
mod rest;
mod socket;

pub use customer::{Customer, Webhook};
pub use desk::{Desk, Inbox};
pub use platform::{Manners, Platform, Sent};
pub use process::{Process, binary, free_port};
pub use rest::Rest;
pub use socket::Socket;

/// Whatever went wrong; a test ends with it.
pub type Problem = Box<dyn std::error::Error + Send + Sync>;
