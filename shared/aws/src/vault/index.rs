//! The blind index: keyed hashes under which addresses and platforms' ids are looked up.
//!
//! What they stand for cannot be found again without the key, not even by trying every phone number.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use colloquy_domain::{InboxId, Thread, TurnId};

/// Keyed hashes: HMAC-SHA256 cut to 16 bytes. What is looked up must be in one spelling; only e-mail addresses are
/// brought into one here.
pub struct Index {
    key: hmac::Key,
}

impl Index {
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// The hash of `text` as a thing of this kind; the same text of another kind has another.
    #[must_use]
    pub fn hash(&self, kind: &str, text: &str) -> [u8; 16] {
        self.hash_of(&[kind, text])
    }

    /// Whether `hash` is [`Index::hash`] of this, compared in constant time.
    #[must_use]
    pub fn is_hash(&self, kind: &str, text: &str, hash: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.hash(kind, text), hash).is_ok()
    }

    /// The thread of an address on an inbox.
    #[must_use]
    pub fn thread(&self, inbox: &InboxId, address: &str) -> Thread {
        Thread::from_hash(&self.hash_of(&["thread", inbox.as_str(), address]))
    }

    /// The identity of an address within a scope: 22 characters. The scope is what makes two inboxes' users the same
    /// person: a phone number's is its channel, a site visitor's their inbox.
    #[must_use]
    pub fn identity(&self, scope: &str, address: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.hash_of(&["identity", scope, address]))
    }

    /// The key of the turn that takes in the message with this platform's id.
    #[must_use]
    pub fn turn_key(&self, inbox: &InboxId, provider_id: &str) -> TurnId {
        TurnId::from_hash(&self.hash_of(&["turn", inbox.as_str(), provider_id]))
    }

    /// An e-mail address, whatever its case: 22 characters.
    #[must_use]
    pub fn email(&self, address: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.hash_of(&["email", &address.trim().to_lowercase()]))
    }

    /// The subject of an OIDC token: 22 characters.
    #[must_use]
    pub fn subject(&self, subject: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.hash_of(&["subject", subject]))
    }

    /// A platform's id of a message of ours: 22 characters.
    #[must_use]
    pub fn provider_id(&self, inbox: &InboxId, provider_id: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.hash_of(&["provider id", inbox.as_str(), provider_id]))
    }

    /// Each part goes in with its length, so that no two lists of parts are hashed as the same bytes.
    fn hash_of(&self, parts: &[&str]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut hash = [0; 16];
        hash.copy_from_slice(&context.sign().as_ref()[..16]);
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(secret: u8) -> Index {
        Index::new(&[secret; 32])
    }

    #[test]
    fn a_hash_depends_on_the_key_the_kind_and_the_text() {
        let hash = index(1).hash("a", "b");
        assert_eq!(hash, index(1).hash("a", "b"));
        for other in
            [index(2).hash("a", "b"), index(1).hash("ab", ""), index(1).hash("", "ab"), index(1).hash("b", "a")]
        {
            assert_ne!(hash, other);
        }
    }

    #[test]
    fn an_address_on_two_inboxes_has_two_threads() {
        let [one, two] = ["inb_1", "inb_2"].map(|inbox| index(1).thread(&inbox.parse().unwrap(), "+4912345"));
        assert_ne!(one, two);
        assert_eq!(one.as_str().len(), 26);
        assert_eq!(one.as_str().parse(), Ok(one.clone()));
    }

    #[test]
    fn an_e_mail_address_is_the_same_in_any_case() {
        assert_eq!(index(1).email(" Ann@Example.com"), index(1).email("ann@example.com"));
        assert_eq!(index(1).email("ann@example.com").len(), 22);
    }
}
