//! The commit protocol at every point where it can break: each SDK call of each kind of turn fails once, in each way,
//! and what was asked must have happened once all the same.
//!
//! No host and no socket: the functions are called with the events their queues hold, on a clock the test moves. What
//! a killed process leaves is the crash test's business, what agents see the stories'.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod check;
mod erased;
mod every_call;
mod invariants;
mod platform;
mod scenes;
mod units;
mod weeks_later;
mod world;
