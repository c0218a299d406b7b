//! Stories: what customers, agents and platforms live through, told from outside through real handlers on the embedded
//! engine. Each starts a host of its own; time is the host's clock, and moves when a story says so.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod shop;

mod conversations_end_to_end;
mod deliveries;
mod directory;
mod duplicates;
mod episodes;
mod holders;
mod offers;
mod redelivery;
mod reports;
mod sealing;
mod sockets;
mod tokens;
mod turns;
mod visitors;
mod webhooks;
mod wechat_tokens;
