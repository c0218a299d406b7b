//! WeChat's signature and message encryption.
//!
//! Source: 消息加解密说明. The key is 43 characters of base64 for 32 bytes; AES-256-CBC with the key's first 16 bytes as
//! IV; the plaintext is 16 random bytes, the message's length as a big-endian u32, the message, and the app id; PKCS#7
//! padding to 32 bytes, not to AES's 16. Nothing here proves who sent a message: [`sign`] does, and comes first.

use aes::Aes256;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _, block_padding::NoPadding};
use sha1::{Digest as _, Sha1};

use crate::seal;

/// 43 characters hold 258 bits; the two beyond 32 bytes are whatever WeChat drew, so they must be let pass.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What messages are padded to.
const BLOCK: usize = 32;
/// Random bytes and length, before the message.
const HEAD: usize = 20;

/// An inbox's key for messages.
#[derive(Clone)]
pub struct AesKey([u8; 32]);

impl AesKey {
    /// The key that an `encoding_aes_key` of 43 characters stands for.
    #[must_use]
    pub fn read(encoding_aes_key: &str) -> Option<Self> {
        let text = Some(encoding_aes_key).filter(|text| text.len() == 43)?;
        KEY_BASE64.decode(text).ok()?.try_into().ok().map(Self)
    }

    fn iv(&self) -> [u8; 16] {
        let mut iv = [0; 16];
        iv.copy_from_slice(&self.0[..16]);
        iv
    }
}

/// The signature over what WeChat signs: SHA-1 of the parts, sorted, in hexadecimal. `sealed` is the text of `Encrypt`
/// for a `msg_signature`, and nothing for a `signature`.
#[must_use]
pub fn sign(token: &str, timestamp: &str, nonce: &str, sealed: Option<&str>) -> String {
    let mut parts: Vec<&str> = [token, timestamp, nonce].into_iter().chain(sealed).collect();
    parts.sort_unstable();
    seal::hex(&Sha1::digest(parts.concat().as_bytes()))
}

/// A message as it stands in `Encrypt`; `random` must be fresh for each.
#[must_use]
pub fn encrypt(key: &AesKey, random: [u8; 16], message: &[u8], app_id: &str) -> String {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut plain = [&random[..], &length, message, app_id.as_bytes()].concat();
    let padding = BLOCK - plain.len() % BLOCK;
    plain.extend(std::iter::repeat_n(u8::try_from(padding).unwrap_or_default(), padding));
    let cipher = cbc::Encryptor::<Aes256>::new(&key.0.into(), &key.iv().into());
    let length = plain.len();
    // Never fails: it is padded to a multiple of the cipher's block already.
    STANDARD.encode(cipher.encrypt_padded::<NoPadding>(&mut plain, length).unwrap_or_default())
}

/// The message in an `Encrypt`, and the app id it is for; nothing when it was not encrypted with this key.
pub(super) fn decrypt(key: &AesKey, sealed: &str) -> Option<(Vec<u8>, String)> {
    let mut buffer = STANDARD.decode(sealed.trim()).ok()?;
    let cipher = cbc::Decryptor::<Aes256>::new(&key.0.into(), &key.iv().into());
    let plain = unpad(cipher.decrypt_padded::<NoPadding>(&mut buffer).ok()?)?;
    let length: [u8; 4] = plain.get(16..HEAD)?.try_into().ok()?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    let (message, receiver) = plain.get(HEAD..)?.split_at_checked(length)?;
    Some((message.to_vec(), str::from_utf8(receiver).ok()?.to_owned()))
}

fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let last = *padded.last()?;
    let padding = usize::from(last);
    let (plain, tail) = padded.split_at(padded.len().checked_sub(padding)?);
    ((1..=BLOCK).contains(&padding) && tail.iter().all(|byte| *byte == last)).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

    #[test]
    fn a_key_whose_last_character_has_bits_to_spare_is_a_key() {
        let key = AesKey::read(KEY).unwrap();
        assert_eq!(key.0, AesKey::read(&format!("{}A", &KEY[..42])).unwrap().0);
        assert!(AesKey::read(&KEY[..42]).is_none());
        assert!(AesKey::read(&format!("{KEY}=")).is_none());
        assert!(AesKey::read(&KEY.replace('j', "-")).is_none());
    }

    #[test]
    fn the_signature_does_not_depend_on_the_order_of_its_parts() {
        assert_eq!(sign("b", "a", "c", None), sign("c", "b", "a", None));
        // SHA-1 of "abc", from FIPS 180.
        assert_eq!(sign("b", "a", "c", None), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn a_message_with_wrong_padding_or_length_is_none() {
        let key = AesKey::read(KEY).unwrap();
        let seal_raw = |plain: &[u8]| {
            let mut plain = plain.to_vec();
            let (length, cipher) = (plain.len(), cbc::Encryptor::<Aes256>::new(&key.0.into(), &key.iv().into()));
            STANDARD.encode(cipher.encrypt_padded::<NoPadding>(&mut plain, length).unwrap())
        };
        let mut plain = [0; 64];
        assert!(decrypt(&key, &seal_raw(&plain)).is_none(), "padding 0");
        plain[63] = 33;
        assert!(decrypt(&key, &seal_raw(&plain)).is_none(), "padding 33");
        plain[63] = 2;
        assert!(decrypt(&key, &seal_raw(&plain)).is_none(), "padding that does not agree");
        plain[63] = 1;
        plain[16] = 0xff;
        assert!(decrypt(&key, &seal_raw(&plain)).is_none(), "a length beyond the message");
        assert!(decrypt(&key, &seal_raw(&[1; 16])).is_none(), "no room for a head");
        for broken in ["", "AAAA", "not base64!", "AAAAAAAAAAAAAAAAAAAAAA=="] {
            assert!(decrypt(&key, broken).is_none());
        }
    }

    proptest! {
        #[test]
        fn what_is_encrypted_is_read_back(message in prop::collection::vec(any::<u8>(), 0..300), random: [u8; 16]) {
            let key = AesKey::read(KEY).unwrap();
            let sealed = encrypt(&key, random, &message, "wx5823bf96d3bd56c7");
            prop_assert_eq!(decrypt(&key, &sealed), Some((message, "wx5823bf96d3bd56c7".to_owned())));
        }

        #[test]
        fn another_inboxs_key_reads_nothing_sensible(message in "[a-z]{0,80}", random: [u8; 16]) {
            let key = AesKey::read(KEY).unwrap();
            let other = AesKey::read(&KEY.replace('j', "k")).unwrap();
            let sealed = encrypt(&key, random, message.as_bytes(), "wx5823bf96d3bd56c7");
            prop_assert_ne!(decrypt(&other, &sealed).map(|opened| opened.1), Some("wx5823bf96d3bd56c7".to_owned()));
        }

        #[test]
        fn nothing_makes_decryption_panic(sealed in "[A-Za-z0-9+/]{0,200}={0,2}") {
            let _ = decrypt(&AesKey::read(KEY).unwrap(), &sealed);
        }
    }
}
