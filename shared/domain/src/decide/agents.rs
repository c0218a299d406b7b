//! What agents do to a conversation.

use super::{Draft, Policy, Refusal};
use crate::{AgentId, Assigned, Author, Command, Effect, Head, Holder, Message, ResolvedBy, Status, What, rules};

pub(super) fn act(draft: &mut Draft, command: &Command, policy: &Policy) -> Result<(), Refusal> {
    let Some(head) = draft.head.clone() else { return Err(Refusal::NoConversation) };
    match command {
        Command::Say { agent, text, key } => say(draft, &head, policy, agent, text, key),
        Command::Note { agent, text, key } => {
            draft.write(What::Note { agent: agent.clone(), text: text.clone(), key: Some(key.clone()) });
            Ok(())
        }
        Command::Accept { agent } => accept(draft, &head, agent),
        Command::Decline { agent } => decline(draft, &head, agent),
        Command::Assign { agent, by, supervisor } => {
            must_be_running(&head)?;
            must_be_free_for(&head, by, *supervisor)?;
            let how = if agent == by { Assigned::Taken } else { Assigned::Given(by.clone()) };
            assign(draft, &head, agent, how);
            Ok(())
        }
        Command::Transfer { queue, by, supervisor } => {
            must_be_running(&head)?;
            must_be_free_for(&head, by, *supervisor)?;
            let to = Holder::Queue { queue: queue.clone() };
            if head.holder != to {
                draft.let_go(None);
                draft.write(What::Transferred { by: by.clone(), to });
                draft.seek();
            }
            Ok(())
        }
        Command::Return { by, supervisor } => {
            must_be_running(&head)?;
            must_be_free_for(&head, by, *supervisor)?;
            if head.holder != Holder::Bot {
                draft.let_go(None);
                draft.write(What::Transferred { by: by.clone(), to: Holder::Bot });
            }
            Ok(())
        }
        Command::Resolve { by, supervisor, disposition } => {
            must_be_running(&head)?;
            must_be_free_for(&head, by, *supervisor)?;
            draft.let_go(None);
            let disposition = disposition.clone();
            draft.write(What::Resolved { by: ResolvedBy::Agent(by.clone()), disposition });
            Ok(())
        }
        Command::Reopen { by } => reopen(draft, &head, policy, by),
        Command::Retry { message, attempt, by } => {
            if *message == 0 || *message > head.seq {
                return Err(Refusal::NoMessage);
            }
            must_be_allowed(draft, &head)?;
            draft.write(What::DeliveryRetried { message: *message, attempt: *attempt, by: by.clone() });
            draft.deliver(*message, *attempt);
            Ok(())
        }
        Command::Receive { .. } | Command::Offer { .. } | Command::Wake | Command::Undelivered { .. } => Ok(()),
    }
}

/// An agent's words. Speaking takes the conversation from a queue, the bot or nobody, never from a colleague.
fn say(draft: &mut Draft, head: &Head, policy: &Policy, agent: &AgentId, text: &str, key: &str) -> Result<(), Refusal> {
    must_be_free_for(head, agent, false)?;
    must_be_allowed(draft, head)?;
    if head.status == Status::Resolved {
        reopen(draft, head, policy, agent)?;
    } else if head.agent() != Some(agent) {
        let offered = head.offer.as_ref().is_some_and(|offer| offer.agent == *agent);
        assign(draft, head, agent, if offered { Assigned::Offer } else { Assigned::Taken });
    }
    let said = draft.write(What::Message(Message {
        author: Author::Agent,
        agent: Some(agent.clone()),
        text: text.to_owned(),
        parts: Vec::new(),
        understanding: None,
        key: Some(key.to_owned()),
    }));
    draft.deliver(said, 1);
    Ok(())
}

fn accept(draft: &mut Draft, head: &Head, agent: &AgentId) -> Result<(), Refusal> {
    if head.agent() == Some(agent) {
        return Ok(());
    }
    let stands = head.offer.as_ref().is_some_and(|offer| offer.agent == *agent && draft.now <= offer.until);
    if !stands {
        return Err(Refusal::NoOffer);
    }
    assign(draft, head, agent, Assigned::Offer);
    Ok(())
}

fn decline(draft: &mut Draft, head: &Head, agent: &AgentId) -> Result<(), Refusal> {
    if head.offer.as_ref().is_none_or(|offer| offer.agent != *agent) {
        return Err(Refusal::NoOffer);
    }
    draft.write(What::OfferDeclined { agent: agent.clone() });
    draft.ask(Effect::Release { agent: agent.clone() });
    draft.seek();
    Ok(())
}

fn assign(draft: &mut Draft, head: &Head, agent: &AgentId, how: Assigned) {
    if head.agent() == Some(agent) {
        return;
    }
    draft.let_go(Some(agent));
    draft.write(What::Assigned { agent: agent.clone(), by: how });
    draft.ask(Effect::Hold { agent: agent.clone() });
}

fn reopen(draft: &mut Draft, head: &Head, policy: &Policy, by: &AgentId) -> Result<(), Refusal> {
    if head.status != Status::Resolved {
        return Err(Refusal::NotResolved);
    }
    if policy.superseded {
        return Err(Refusal::Superseded);
    }
    draft.write(What::Reopened { by: by.clone() });
    draft.ask(Effect::Hold { agent: by.clone() });
    Ok(())
}

const fn must_be_running(head: &Head) -> Result<(), Refusal> {
    match head.status {
        Status::Resolved => Err(Refusal::AlreadyResolved),
        Status::Bot | Status::Queued | Status::Open | Status::Snoozed => Ok(()),
    }
}

fn must_be_free_for(head: &Head, agent: &AgentId, supervisor: bool) -> Result<(), Refusal> {
    match head.agent() {
        Some(holder) if holder != agent && !supervisor => Err(Refusal::HeldByOther(holder.clone())),
        _ => Ok(()),
    }
}

fn must_be_allowed(draft: &Draft, head: &Head) -> Result<(), Refusal> {
    let permission = rules(head.channel).may_write(draft.now, head.contact_at, head.replies);
    permission.reason.map_or(Ok(()), |reason| Err(Refusal::MayNotWrite(reason)))
}
