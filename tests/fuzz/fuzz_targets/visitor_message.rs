//! What a visitor's browser sends: any bytes are refused or read, and what is read keeps to the channel's limits.
#![no_main]

use colloquy_channels::web;
use colloquy_domain::{Timestamp, VisitorId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let visitor: VisitorId = match "vis_fuzz".parse() {
        Ok(visitor) => visitor,
        Err(error) => panic!("{error}"),
    };
    if let Ok(message) = web::message(body, &visitor, Timestamp::from_ms(1_795_415_700_000)) {
        assert!((1..=8_000).contains(&message.text.chars().count()));
        assert!((1..=64).contains(&message.provider_id.len()));
    }
    let _ = web::arrival(body);
});
