//! Sealing: AES-256-GCM under a key that the sealed bytes commit to, bound to the place they are stored in.
//!
//! Format, version 1: `1 | commitment, 16 bytes | nonce, 12 bytes | ciphertext | tag, 16 bytes`. From each secret,
//! HKDF-SHA256 derives the cipher's key and the commitment, since AES-GCM alone lets one ciphertext open under two keys
//! (the AWS Encryption SDK's suites with key commitment do the same). Nonces are random, which NIST SP 800-38D allows
//! for 2^32 messages under one key. Where keys come from is `vault`'s business.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    constant_time, hkdf,
};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    Entropy, StoreError,
    deflate::{deflate, inflate},
    keys::ItemKey,
};

const VERSION: u8 = 1;
const COMMITMENT: usize = 16;
const NONCE: usize = 12;
const TAG: usize = 16;
const HEADER: usize = 1 + COMMITMENT + NONCE;

/// What a sealed JSON document may grow to when inflated, in bytes.
const INFLATED_MAX: u64 = 1 << 20;

/// Where sealed bytes are stored: opening them anywhere else fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Vec<u8>);

impl Place {
    /// An attribute of an item. `table` is the table's role, not its physical name, so that a table restored under
    /// another name still opens.
    pub(crate) fn item(table: &str, key: &ItemKey, attribute: &str) -> Self {
        Self::of(&["item", table, &key.pk, &key.sk, attribute])
    }

    /// A message body on the queue of this name.
    #[must_use]
    pub fn queue(name: &str) -> Self {
        Self::of(&["queue", name])
    }

    /// A value that travels outside, such as a token, by what it is for.
    #[must_use]
    pub fn outside(purpose: &str) -> Self {
        Self::of(&["outside", purpose])
    }

    /// Each part with its length before it, so that no two places share their bytes.
    fn of(parts: &[&str]) -> Self {
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
        for part in parts {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Self(bytes)
    }
}

/// A key that seals. Its secret never leaves it and is wiped from memory with it.
pub struct Key {
    cipher: LessSafeKey,
    commitment: [u8; COMMITMENT],
    entropy: Entropy,
}

impl Key {
    /// The key derived from a 32-byte secret.
    pub(crate) fn new(secret: &[u8; 32], entropy: Entropy) -> Self {
        let mut cipher = Zeroizing::new([0; 32]);
        let mut commitment = [0; COMMITMENT];
        derive(secret, b"cipher", &mut *cipher);
        derive(secret, b"commitment", &mut commitment);
        Self { cipher: cipher_of(&cipher), commitment, entropy }
    }

    /// Seals `plain` for `place`. Sealing the same twice gives different bytes.
    #[must_use]
    pub fn seal(&self, place: &Place, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        (self.entropy)(&mut nonce);
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.commitment);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = encrypt(&self.cipher, nonce, place, &mut sealed[HEADER..]);
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when another key sealed it, which means that its own was destroyed;
    /// [`StoreError::Corrupt`] when it was changed, cut, or sealed for another place.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        if sealed.len() < HEADER + TAG || sealed[0] != VERSION {
            return Err(StoreError::corrupt("a sealed value"));
        }
        let (header, body) = sealed.split_at(HEADER);
        let (commitment, nonce) = header[1..].split_at(COMMITMENT);
        if constant_time::verify_slices_are_equal(commitment, &self.commitment).is_err() {
            return Err(StoreError::Erased);
        }
        let corrupt = |_| StoreError::corrupt("a sealed value");
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(corrupt)?;
        let mut plain = body.to_vec();
        let length = self.cipher.open_in_place(nonce, Aad::from(&place.0), &mut plain).map_err(corrupt)?.len();
        plain.truncate(length);
        Ok(plain)
    }

    /// Seals a value as deflated JSON.
    pub(crate) fn seal_json<T: Serialize>(&self, place: &Place, value: &T) -> Result<Vec<u8>, StoreError> {
        let json = serde_json::to_vec(value).map_err(|_| StoreError::Invalid("a value is not JSON".to_owned()))?;
        if json.len() as u64 > INFLATED_MAX {
            return Err(StoreError::Invalid(format!("a value of {} bytes is over the limit", json.len())));
        }
        let deflated = deflate(&json).map_err(|_| StoreError::Invalid("a value cannot be deflated".to_owned()))?;
        Ok(self.seal(place, &deflated))
    }

    /// Opens what [`Key::seal_json`] sealed. `what` names it in errors.
    pub(crate) fn open_json<T: DeserializeOwned>(
        &self,
        place: &Place,
        sealed: &[u8],
        what: &str,
    ) -> Result<T, StoreError> {
        let deflated = self.open(place, sealed)?;
        let json = inflate(&deflated, INFLATED_MAX).map_err(|_| StoreError::corrupt(what))?;
        serde_json::from_slice(&json).map_err(|_| StoreError::corrupt(what))
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[expect(clippy::expect_used, reason = "HKDF-SHA256 gives any length up to 8,160 bytes")]
fn derive(secret: &[u8; 32], purpose: &[u8], out: &mut [u8]) {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"colloquy sealing v1").extract(secret);
    let info = [purpose];
    prk.expand(&info, Length(out.len())).and_then(|okm| okm.fill(out)).expect("the length is allowed");
}

#[expect(clippy::expect_used, reason = "the length is AES-256's")]
fn cipher_of(secret: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, secret).expect("a key of 32 bytes"))
}

#[expect(clippy::expect_used, reason = "AES-GCM refuses only plaintexts of 64 GiB and more")]
fn encrypt(cipher: &LessSafeKey, nonce: [u8; NONCE], place: &Place, plain: &mut [u8]) -> [u8; TAG] {
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = cipher.seal_in_place_separate_tag(nonce, Aad::from(&place.0), plain).expect("it is short enough");
    let mut bytes = [0; TAG];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, sync::Arc};

    use flate2::{Compression, write::DeflateEncoder};

    use super::*;

    fn key(secret: u8) -> Key {
        Key::new(&[secret; 32], Arc::new(|bytes| aws_lc_rs::rand::fill(bytes).unwrap()))
    }

    fn place(pk: &str, sk: &str) -> Place {
        Place::item("conversations", &ItemKey::new(pk, sk), "sealed")
    }

    #[test]
    fn what_was_sealed_opens_in_its_place() {
        let here = place("C#cnv_1", "E#0000000001");
        let sealed = key(1).seal(&here, b"hello");
        assert_eq!(key(1).open(&here, &sealed).unwrap(), b"hello");
        assert_eq!(sealed.len(), HEADER + 5 + TAG);
    }

    #[test]
    fn sealing_twice_gives_different_bytes() {
        let here = place("a", "b");
        assert_ne!(key(1).seal(&here, b"hello"), key(1).seal(&here, b"hello"));
    }

    #[test]
    fn nothing_opens_in_another_place() {
        let sealed = key(1).seal(&place("C#cnv_1", "E#0000000001"), b"hello");
        for other in [place("C#cnv_1", "E#0000000002"), place("C#cnv_1E", "#0000000001"), Place::queue("turns.fifo")] {
            assert!(matches!(key(1).open(&other, &sealed), Err(StoreError::Corrupt(_))));
        }
    }

    #[test]
    fn a_changed_bit_anywhere_is_noticed() {
        let here = place("a", "b");
        let sealed = key(1).seal(&here, b"hello");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key(1).open(&here, &changed).is_err(), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert!(key(1).open(&here, &sealed[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn another_key_is_told_apart_from_a_changed_text() {
        let here = place("a", "b");
        assert_eq!(key(2).open(&here, &key(1).seal(&here, b"hello")), Err(StoreError::Erased));
    }

    #[test]
    fn a_value_that_inflates_without_end_is_refused() {
        let here = place("a", "b");
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b' '; (INFLATED_MAX + 1) as usize]).unwrap();
        encoder.write_all(b"1").unwrap();
        let sealed = key(1).seal(&here, &encoder.finish().unwrap());
        assert!(matches!(key(1).open_json::<u8>(&here, &sealed, "a number"), Err(StoreError::Corrupt(_))));
    }

    #[test]
    fn a_json_value_reads_back() {
        let here = place("a", "b");
        let sealed = key(1).seal_json(&here, &vec!["你好".to_owned()]).unwrap();
        assert_eq!(key(1).open_json::<Vec<String>>(&here, &sealed, "words").unwrap(), ["你好"]);
    }
}
