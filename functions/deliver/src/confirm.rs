//! Taking in what a platform or a visitor says of our messages: delivered, read, failed. Late and repeated receipts
//! change nothing, since states only rise.

use std::time::Duration;

use colloquy_aws::timeline::Raised;
use colloquy_domain::{
    Author, ConversationId, Delivery, DeliveryState, InboxId, Receipt, Timestamp, What,
    queue::{Confirmation, Confirmed},
};
use colloquy_edge::{Failure, batch::Record};
use tracing::info;

use crate::App;

/// How many entries before the last one seen are looked through for a message of ours.
const LOOK_BACK: u64 = 30;
/// How long a receipt may be ahead of what we know of its message.
const AHEAD: Duration = Duration::from_secs(25);

impl App {
    pub(crate) async fn confirm(&self, record: Record) -> Result<(), Failure> {
        let confirmation: Confirmation = self.receipts.open(&record.body).await?;
        match confirmation.about {
            Confirmed::Receipt(receipt) => self.receipt(&record, &confirmation.inbox, confirmation.at, receipt).await,
            Confirmed::Seen { conversation, seq } => self.seen(&conversation, seq).await,
        }
    }

    async fn receipt(
        &self,
        record: &Record,
        inbox: &InboxId,
        accepted: Timestamp,
        receipt: Receipt,
    ) -> Result<(), Failure> {
        let hash = self.vault.index().await?.provider_id(inbox, &receipt.provider_id);
        let Some(sent) = self.timeline.provider_id(&hash).await? else {
            let age = self.clients.now().since(accepted);
            if let Some(left) = AHEAD.checked_sub(age).filter(|left| !left.is_zero()) {
                // Soon at first; then once more at the end, so that waiting alone never makes it a dead letter.
                let whole_s = u32::try_from(left.as_secs() + 1).unwrap_or(u32::MAX);
                let wait_s = if record.receives < 3 { whole_s.min(1 << record.receives) } else { whole_s };
                self.receipts.defer(&record.receipt, wait_s).await?;
                return Err(Failure::Unavailable("a receipt came before its message was known".to_owned()));
            }
            // Sent by another system with the same account, or before this one.
            info!(inbox.id = %inbox, state = ?receipt.state, "receipt of a message that is not ours");
            return Ok(());
        };
        let news = Delivery {
            seq: sent.seq,
            state: receipt.state,
            at: receipt.at.unwrap_or(accepted),
            attempt: sent.attempt,
            reason: receipt.reason,
        };
        match self.timeline.raise(&sent.conversation, &news).await? {
            Raised::Now(delivery) => self.tell(&sent.conversation, &sent.thread, &delivery).await,
            // The same news again: whatever an attempt cut short left untold is told now.
            Raised::Kept(kept) if kept.state == news.state => self.tell(&sent.conversation, &sent.thread, &kept).await,
            Raised::Kept(_) => Ok(()),
        }
    }

    /// A visitor has seen the conversation up to here: the delivery of our last message there stands for those before.
    async fn seen(&self, conversation: &ConversationId, seq: u64) -> Result<(), Failure> {
        let Some(head) = self.timeline.head(conversation).await? else { return Ok(()) };
        let after = seq.min(head.seq).saturating_sub(LOOK_BACK);
        let entries = self.timeline.entries(conversation, &head.identity, after, LOOK_BACK as usize).await?;
        let ours = entries.iter().rev().find(|entry| {
            entry.seq <= seq && matches!(&entry.what, What::Message(said) if said.author != Author::Contact)
        });
        let Some(seq) = ours.map(|entry| entry.seq) else { return Ok(()) };
        let now = self.clients.now();
        let news = Delivery { seq, state: DeliveryState::Read, at: now, attempt: 1, reason: None };
        match self.timeline.raise(conversation, &news).await? {
            Raised::Now(delivery) => self.tell(conversation, &head.thread, &delivery).await,
            Raised::Kept(_) => Ok(()),
        }
    }
}
