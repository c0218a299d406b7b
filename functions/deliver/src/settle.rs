//! Writing down how far a message got, and telling whoever has to know: sockets always, the conversation when a
//! message failed or cannot be known.

use colloquy_aws::timeline::{Raised, Sent};
use colloquy_domain::{
    Command, ConversationId, Delivery, DeliveryState, Outcome, Thread, Timestamp, Turn, TurnId, queue::Dispatch,
};
use colloquy_edge::{Failure, view};
use futures_util::future::join_all;
use tracing::warn;

use crate::{App, send::is_trouble};

impl App {
    /// Writes down how sending ended.
    pub(crate) async fn settle(&self, dispatch: &Dispatch, outcome: Outcome) -> Result<(), Failure> {
        let (state, reason) = match outcome {
            Outcome::Sent(provider_id) => {
                // First, so that no receipt finds a sent message that nobody knows.
                if let Some(id) = provider_id {
                    let hash = self.vault.index().await?.provider_id(&dispatch.inbox, &id);
                    self.timeline.put_provider_id(&hash, &sent(dispatch)).await?;
                }
                (DeliveryState::Sent, None)
            }
            Outcome::Never(reason) | Outcome::TokenExpired(reason) => (DeliveryState::Failed, Some(reason)),
            Outcome::TryAgain { reason, .. } => (DeliveryState::Failed, Some(reason)),
            Outcome::Unknown(reason) => (DeliveryState::Unknown, Some(reason)),
        };
        let news = Delivery { seq: dispatch.message, state, at: self.clients.now(), attempt: dispatch.attempt, reason };
        let (Raised::Now(stands) | Raised::Kept(stands)) = self.timeline.raise(&dispatch.conversation, &news).await?;
        self.report(dispatch, &stands).await
    }

    /// Tells of a delivery as it stands.
    pub(crate) async fn report(&self, dispatch: &Dispatch, delivery: &Delivery) -> Result<(), Failure> {
        self.tell(&dispatch.conversation, &dispatch.thread, delivery).await
    }

    pub(crate) async fn tell(
        &self,
        conversation: &ConversationId,
        thread: &Thread,
        delivery: &Delivery,
    ) -> Result<(), Failure> {
        if is_trouble(delivery.state) {
            let turn = Turn {
                key: trouble_key(conversation, delivery),
                at: self.clients.now(),
                thread: thread.clone(),
                conversation: Some(conversation.clone()),
                connection: None,
                command: Command::Undelivered {
                    message: delivery.seq,
                    attempt: delivery.attempt,
                    unknown: delivery.state == DeliveryState::Unknown,
                    reason: delivery.reason.clone().unwrap_or_default(),
                },
            };
            self.turns.send(turn.thread.as_str(), turn.key.as_str(), &turn).await?;
        }
        self.show(conversation, delivery).await;
        Ok(())
    }

    async fn show(&self, conversation: &ConversationId, delivery: &Delivery) {
        let event = view::delivery_event(conversation, delivery);
        match self.desk.subscribers(conversation).await {
            Ok(watchers) => {
                join_all(watchers.iter().map(|watcher| self.sockets.push(&watcher.connection, &event))).await;
            }
            Err(error) => warn!(conversation.id = %conversation, %error, "sockets could not be told"),
        }
    }
}

/// One trouble of one attempt is one turn, however often it is told.
fn trouble_key(conversation: &ConversationId, delivery: &Delivery) -> TurnId {
    let seed = format!("{:?}|{conversation}|{}|{}", delivery.state, delivery.seq, delivery.attempt);
    TurnId::derive(Timestamp::default(), seed.as_bytes())
}

fn sent(dispatch: &Dispatch) -> Sent {
    Sent {
        conversation: dispatch.conversation.clone(),
        seq: dispatch.message,
        attempt: dispatch.attempt,
        thread: dispatch.thread.clone(),
        identity: dispatch.identity.clone(),
    }
}
