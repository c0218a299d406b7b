//! Key material: where it is kept, and the only place that ciphers with it.
//!
//! It deliberately keeps the material in one file of mode 0600 and in memory; nothing prints it.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::engine::EngineError;

/// What a ciphertext begins with: the format's version.
const VERSION: u8 = 1;

/// How long the id of a key is, as text.
const ID_LEN: usize = 36;

/// What a key may be used for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    Enabled,
    Disabled,
    PendingDeletion { at_ms: i64 },
}

/// One key.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Key {
    material: String,
    pub(super) state: State,
    pub(super) created_ms: i64,
    pub(super) description: String,
}

impl Key {
    pub(super) fn generate(created_ms: i64, description: &str) -> Result<Self, EngineError> {
        let mut material = [0_u8; 32];
        fill(&mut material)?;
        let material = STANDARD.encode(material);
        Ok(Self { material, state: State::Enabled, created_ms, description: description.to_owned() })
    }

    /// A ciphertext that names its key, readable only with the same context.
    pub(super) fn encrypt(&self, id: &str, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, EngineError> {
        let mut nonce = [0_u8; NONCE_LEN];
        fill(&mut nonce)?;
        let mut sealed = plaintext.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut sealed)
            .map_err(|_| EngineError::Invalid("the plaintext could not be encrypted".to_owned()))?;
        let mut blob = Vec::with_capacity(1 + ID_LEN + NONCE_LEN + sealed.len());
        blob.push(VERSION);
        blob.extend_from_slice(id.as_bytes());
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(&sealed);
        Ok(blob)
    }

    /// The plaintext, unless a byte or the context differs.
    pub(super) fn decrypt(&self, context: &[u8], blob: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = blob.get(1 + ID_LEN..)?.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut opened = sealed.to_vec();
        let length = self.cipher().ok()?.open_in_place(nonce, Aad::from(context), &mut opened).ok()?.len();
        opened.truncate(length);
        Some(opened)
    }

    fn cipher(&self) -> Result<LessSafeKey, EngineError> {
        let broken = || EngineError::Invalid("the key file holds a key that is none".to_owned());
        let material = STANDARD.decode(&self.material).map_err(|_| broken())?;
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &material).map_err(|_| broken())?))
    }
}

/// The id of the key a ciphertext was made with.
pub(super) fn key_of(blob: &[u8]) -> Option<&str> {
    if blob.first() != Some(&VERSION) {
        return None;
    }
    std::str::from_utf8(blob.get(1..=ID_LEN)?).ok()
}

/// All keys and their aliases.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Keyring {
    pub(super) keys: BTreeMap<String, Key>,
    pub(super) aliases: BTreeMap<String, String>,
}

impl Keyring {
    pub(super) fn load(file: &Path) -> Result<Self, EngineError> {
        match std::fs::read(file) {
            Ok(json) => serde_json::from_slice(&json)
                .map_err(|error| EngineError::Invalid(format!("{} is not a key file: {error}", file.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(EngineError::File { path: file.to_owned(), source }),
        }
    }

    /// Replaces the file at once, so that a crash leaves the old keys or the new ones.
    pub(super) fn save(&self, file: &Path) -> Result<(), EngineError> {
        let json = serde_json::to_vec(self).map_err(|error| EngineError::Invalid(error.to_string()))?;
        let temporary: PathBuf = file.with_extension("json.new");
        let failed = |source| EngineError::File { path: file.to_owned(), source };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut written = options.open(&temporary).map_err(failed)?;
        written.write_all(&json).and_then(|()| written.sync_all()).map_err(failed)?;
        std::fs::rename(&temporary, file).map_err(failed)
    }

    /// Destroys the keys whose waiting period is over; whether there were any.
    pub(super) fn destroy_due(&mut self, now_ms: i64) -> bool {
        let due = |key: &Key| matches!(key.state, State::PendingDeletion { at_ms } if at_ms <= now_ms);
        let before = self.keys.len();
        self.keys.retain(|_, key| !due(key));
        let keys = &self.keys;
        self.aliases.retain(|_, id| keys.contains_key(id));
        self.keys.len() != before
    }
}

pub(super) fn fill(bytes: &mut [u8]) -> Result<(), EngineError> {
    rand::fill(bytes).map_err(|_| EngineError::Invalid("the random number generator failed".to_owned()))
}
