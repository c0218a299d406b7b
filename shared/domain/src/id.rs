//! Prefixed, typed ids: `cnv_` + ULID and its kin, and the keyed hash that names a thread.
//!
//! An id is derived from the key of the turn that makes it, so that a turn tried twice makes it once.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::Timestamp;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form {prefix}…")]
pub struct InvalidId {
    text: String,
    prefix: &'static str,
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A ULID whose time is `at` and whose 80 random bits are a hash of `seed`.
fn ulid(at: Timestamp, seed: &[u8]) -> String {
    let digest = Sha256::digest(seed);
    let time = u128::from(u64::try_from(at.ms()).unwrap_or(0)) & 0xffff_ffff_ffff;
    let random = digest[..10].iter().fold(0u128, |acc, byte| acc << 8 | u128::from(*byte));
    let value = time << 80 | random;
    (0..26).rev().map(|digit| char::from(CROCKFORD[usize::try_from(value >> (digit * 5) & 31).unwrap_or(0)])).collect()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What every such id begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id made at `at` by whatever `seed` names; the same seed gives the same id.
            #[must_use]
            pub fn derive(at: Timestamp, seed: &[u8]) -> Self {
                Self(format!("{}{}", $prefix, ulid(at, seed)))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// # Errors
            /// When the prefix is another, or what follows is not 1 to 40 letters, digits, `_` or `-`.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let rest = text.strip_prefix($prefix).unwrap_or_default();
                let sound = (1..=40).contains(&rest.len())
                    && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
                if sound { Ok(Self(text.to_owned())) } else { Err(InvalidId { text: text.chars().take(60).collect(), prefix: $prefix }) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A person who writes to us.
    ContactId "cnt_";
    /// A conversation: successive episodes on one thread.
    ConversationId "cnv_";
    /// A person who answers.
    AgentId "agt_";
    /// People who work together.
    TeamId "tem_";
    /// Waiting work.
    QueueId "que_";
    /// One configured address on a channel.
    InboxId "inb_";
    /// A visitor of a web inbox; their address on it.
    VisitorId "vis_";
    /// One command to a conversation.
    TurnId "trn_";
    /// Inbox and identity as a keyed hash: what a message group is. Never derived from anything but the hash.
    Thread "thr_";
}

impl TurnId {
    /// The turn named by the first 16 bytes of a keyed hash.
    #[must_use]
    pub fn from_hash(hash: &[u8; 16]) -> Self {
        use base64::Engine as _;
        Self(format!("trn_{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash)))
    }
}

impl Thread {
    /// The thread named by the first 16 bytes of a keyed hash.
    #[must_use]
    pub fn from_hash(hash: &[u8; 16]) -> Self {
        use base64::Engine as _;
        Self(format!("thr_{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_derives_from_its_seed_alone() {
        let at = Timestamp::from_ms(1_795_415_624_123);
        let id = ConversationId::derive(at, b"turn");
        assert_eq!(id, ConversationId::derive(at, b"turn"));
        assert_ne!(id, ConversationId::derive(at, b"other"));
        assert_eq!(id.as_str().len(), 30);
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
    }

    #[test]
    fn ids_sort_by_their_time() {
        let [early, late] = [1_000, 2_000].map(|ms| AgentId::derive(Timestamp::from_ms(ms), b"x"));
        assert!(early < late);
    }

    #[test]
    fn an_id_of_another_kind_is_refused_by_name() {
        let error = "agt_01".parse::<QueueId>().unwrap_err();
        assert_eq!(error.to_string(), "`agt_01` is not an id of the form que_…");
        assert!("que_".parse::<QueueId>().is_err());
        assert!("que_a b".parse::<QueueId>().is_err());
        assert!(format!("que_{}", "a".repeat(41)).parse::<QueueId>().is_err());
    }
}
