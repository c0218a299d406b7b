//! What stories, benchmarks and crash tests are told with: a host in a folder of its own, people who sign in, customers
//! who write, a platform that answers as it is told to.
//!
//! Everything goes through the same doors as from outside: HTTP, sockets, signed webhooks. Nothing here decides what is
//! right; the tests do. A wait ends when what is waited for is there, or fails the test after [`PATIENCE`].

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "what fails here fails the test")]

mod clock;
mod platform;
mod recorder;
mod rest;
mod socket;
mod visitor;
mod wait;
mod wechat;
mod whatsapp;
mod world;

pub use clock::VirtualClock;
pub use platform::{Call, Fault, Platform};
pub use recorder::Recorder;
pub use rest::{Answer, Person};
pub use socket::Socket;
pub use visitor::Visitor;
pub use wait::{PATIENCE, eventually};
pub use wechat::WeChat;
pub use whatsapp::WhatsApp;
pub use world::World;

pub mod outside;
