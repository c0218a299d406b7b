//! What routing, timers and deliveries do to a conversation. They are never refused: what came too late is put right.

use super::Draft;
use crate::{Assigned, Command, Effect, Head, Holder, Offer, ResolvedBy, Status, What};

pub(super) fn act(draft: &mut Draft, command: &Command) {
    let Some(head) = draft.head.clone() else { return };
    match command {
        Command::Offer { agent, queue, lease, until, accepted } => {
            let expected = head.lease == *lease && head.holder == Holder::Queue { queue: queue.clone() };
            match &head.offer {
                // The same offer again, or its agent has it by now: the slot is rightly theirs.
                Some(offer) if offer.agent == *agent => {}
                _ if head.agent() == Some(agent) => {}
                None if expected && *until > draft.now => {
                    draft.write(What::Offered { agent: agent.clone(), until: *until });
                    if *accepted {
                        draft.write(What::Assigned { agent: agent.clone(), by: Assigned::Offer });
                    }
                    // Whoever looked at the head before this may have freed the slot.
                    draft.ask(Effect::Hold { agent: agent.clone() });
                }
                // It came too late for the agent to answer, and routing counts the conversation as offered.
                None if expected => {
                    draft.ask(Effect::Release { agent: agent.clone() });
                    draft.seek();
                }
                _ => draft.ask(Effect::Release { agent: agent.clone() }),
            }
        }
        Command::Wake => wake(draft, &head),
        Command::Undelivered { message, attempt, unknown, reason } => {
            let (message, attempt, reason) = (*message, *attempt, reason.clone());
            draft.write(if *unknown {
                What::DeliveryUnknown { message, attempt, reason }
            } else {
                What::DeliveryFailed { message, attempt, reason }
            });
        }
        _ => {}
    }
}

/// A timer only asks to look: what is due is read off the head.
fn wake(draft: &mut Draft, head: &Head) {
    if let Some(Offer { agent, .. }) = head.offer.as_ref().filter(|offer| offer.until <= draft.now) {
        draft.write(What::OfferExpired { agent: agent.clone() });
        draft.ask(Effect::Lapse { agent: agent.clone() });
        draft.seek();
    }
    if head.status == Status::Open && head.silent_at.is_some_and(|silent| silent <= draft.now) {
        draft.let_go(None);
        draft.write(What::Resolved { by: ResolvedBy::Silence, disposition: None });
    }
}
