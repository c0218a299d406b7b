//! WeChat's encryption: any text is refused or opened, and what we encrypt is opened as it was.
#![no_main]

use colloquy_channels::wechat::{AesKey, decrypt_unverified, encrypt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(key) = AesKey::read("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C") else { panic!("the key is a key") };
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = decrypt_unverified(&key, text);
        let _ = AesKey::read(text);
    }
    let sealed = encrypt(&key, [7; 16], bytes, "wx5823bf96d3bd56c7");
    assert_eq!(decrypt_unverified(&key, &sealed), Some((bytes.to_vec(), "wx5823bf96d3bd56c7".to_owned())));
});
