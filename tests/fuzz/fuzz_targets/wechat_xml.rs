//! WeChat's pushes: any bytes are refused or read, and one push is at most one message.
#![no_main]

use colloquy_channels::{Received, wechat};
use colloquy_domain::{Inbound, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let now = Timestamp::from_ms(1_795_415_700_000);
    if let Ok(Received::Batch { inbound, unreadable, .. }) = wechat::read_unverified(body, now) {
        assert!(inbound.len() <= 1 || body.len() > 32_000);
        assert!(inbound.is_empty() || unreadable.is_empty());
        for element in inbound {
            let Inbound::Message(message) = element else { panic!("WeChat sends no receipts") };
            assert!(!message.provider_id.is_empty() && !message.sender.address.is_empty());
        }
    }
});
