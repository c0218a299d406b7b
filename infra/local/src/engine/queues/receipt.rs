//! Receipt handles: what a receiver shows to delete a message or to hide it longer.
//!
//! It deliberately signs nothing: a handle names its message and which receive it came from, and nobody else is here.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{message::State, queue::Queue, refusal::Refusal};

/// The handle of one receive of a message.
pub(super) fn write(queue: i64, row: u64, receipt: u64) -> String {
    STANDARD.encode(format!("{queue:x}/{row:x}/{receipt:x}"))
}

/// The row and the receive a handle of `queue` names.
pub(super) fn read(queue: i64, handle: &str) -> Result<(u64, u64), Refusal> {
    let parse = || {
        let bytes = STANDARD.decode(handle).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let mut parts = text.split('/').map(|part| u64::from_str_radix(part, 16).ok());
        let parts = (parts.next()??, parts.next()??, parts.next()??);
        (i64::try_from(parts.0) == Ok(queue)).then_some((parts.1, parts.2))
    };
    parse().ok_or_else(|| Refusal::handle(handle))
}

impl Queue {
    /// The row a receipt handle allows to delete; `None` when there is nothing left to delete.
    pub(super) fn deletable(&self, row: u64, receipt: u64, handle: &str) -> Result<Option<u64>, Refusal> {
        let Some(message) = self.messages.get(&row) else { return Ok(None) };
        let latest = message.receipt == Some(receipt);
        if self.fifo && !(latest && message.state == State::InFlight) {
            return Err(Refusal::value(handle, "ReceiptHandle", "The receipt handle has expired."));
        }
        Ok(latest.then_some(row))
    }

    /// Hides a message that is in flight until `now_ms + hidden_ms`.
    pub(super) fn rehide(
        &mut self,
        row: u64,
        receipt: u64,
        handle: &str,
        now_ms: i64,
        hidden_ms: i64,
    ) -> Result<(), Refusal> {
        let Some(message) = self.messages.get_mut(&row).filter(|message| message.receipt == Some(receipt)) else {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            return Err(Refusal::value(handle, "ReceiptHandle", reason));
        };
        if message.state != State::InFlight {
            let code = "AWS.SimpleQueueService.MessageNotInflight";
            return Err(Refusal::new("MessageNotInflight", code, "The message is not in flight."));
        }
        self.timed.remove(&(message.visible_ms, row));
        message.visible_ms = now_ms + hidden_ms;
        self.timed.insert((message.visible_ms, row));
        if hidden_ms == 0 {
            self.advance(now_ms);
        }
        Ok(())
    }
}
