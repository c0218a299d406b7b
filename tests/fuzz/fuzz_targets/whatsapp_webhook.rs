//! Meta's webhooks: any bytes are refused or read, and what is read can be stored and answered.
#![no_main]

use colloquy_channels::{INBOUND_LENGTH, Received, whatsapp};
use colloquy_domain::{Inbound, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let now = Timestamp::from_ms(1_795_415_700_000);
    if let Ok(Received::Batch { inbound, .. }) = whatsapp::read_unverified(body, "106540352242922", now) {
        for element in inbound {
            if let Inbound::Message(message) = element {
                assert!(!message.provider_id.is_empty() && !message.sender.address.is_empty());
                assert!(message.text.chars().count() <= INBOUND_LENGTH);
                assert!(message.sent_at.is_none_or(|at| at <= now));
            }
        }
    }
});
