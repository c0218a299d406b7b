//! The word by which everything the host runs is told to end.
//!
//! It deliberately cannot be taken back.

use tokio::sync::watch;

/// Says it.
#[derive(Debug)]
pub(super) struct Stopper(watch::Sender<bool>);

/// Hears it, from a [`Stopper`] that says it or is dropped. Clones hear the same.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stopper {
    pub(super) fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    pub(super) fn say(&self) {
        self.0.send_replace(true);
    }

    /// Waits until nobody listens any more: whatever runs holds a [`Stop`].
    pub(super) async fn nobody_left(&self) {
        self.0.closed().await;
    }
}

impl Stop {
    /// Waits until it is said.
    pub(super) async fn heard(&mut self) {
        // An error means that there is no host any more.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Whether it was said.
    pub(super) fn is_said(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}
