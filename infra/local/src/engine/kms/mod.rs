//! KMS: symmetric keys, data keys, and their life from enabled over disabled to destroyed.
//!
//! It deliberately has no asymmetric keys, grants, policies or rotation, and its ciphertexts are its own: AWS would not
//! decrypt them, as it would not those of another account.

mod material;
mod wire;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use self::material::{Key, Keyring, State};
use super::{ACCOUNT, Clock, EngineError, Place, REGION, http::Answer, ledger::Ledger, random_id};

/// The keys of an engine. Clones share them.
#[derive(Clone)]
pub struct Keys {
    inner: Arc<Inner>,
}

struct Inner {
    file: Option<PathBuf>,
    clock: Clock,
    ledger: Ledger,
    keyring: Mutex<Keyring>,
}

impl Keys {
    pub(crate) fn open(place: &Place, clock: Clock, ledger: Ledger) -> Result<Self, EngineError> {
        let file = match place {
            Place::Directory(directory) => Some(directory.join("keys.json")),
            Place::Memory => None,
        };
        let keyring = file.as_deref().map(Keyring::load).transpose()?.unwrap_or_default();
        Ok(Self { inner: Arc::new(Inner { file, clock, ledger, keyring: Mutex::new(keyring) }) })
    }

    /// The ARN of the key behind `alias` (`alias/…`), which is made if it is not there.
    ///
    /// # Errors
    /// When the key file cannot be written.
    pub fn create(&self, alias: &str) -> Result<String, EngineError> {
        let mut keyring = self.keyring();
        if let Some(id) = keyring.aliases.get(alias) {
            return Ok(arn(id));
        }
        let key = Key::generate((self.inner.clock)(), alias)?;
        let id = random_id();
        keyring.keys.insert(id.clone(), key);
        keyring.aliases.insert(alias.to_owned(), id.clone());
        self.save(&keyring)?;
        Ok(arn(&id))
    }

    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Answer {
        let outcome = match serde_json::from_slice::<Value>(body) {
            Ok(request) => self.run(operation, &request),
            Err(error) => Err(Refusal::new("SerializationException", &error.to_string())),
        };
        match outcome {
            Ok(answer) => Answer::json(JSON, 200, answer),
            Err(refusal) => {
                let status = if refusal.kind == "KMSInternalException" { 500 } else { 400 };
                Answer::refusal(JSON, status, refusal.kind, &refusal.message)
            }
        }
    }

    /// The keys, with those whose time has come destroyed.
    fn keyring(&self) -> MutexGuard<'_, Keyring> {
        let mut keyring = self.inner.keyring.lock().unwrap_or_else(PoisonError::into_inner);
        if keyring.destroy_due((self.inner.clock)())
            && let Err(error) = self.save(&keyring)
        {
            tracing::error!(%error, "the key file still holds destroyed keys");
        }
        keyring
    }

    fn save(&self, keyring: &Keyring) -> Result<(), EngineError> {
        self.inner.file.as_deref().map_or(Ok(()), |file| keyring.save(file))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

const JSON: &str = "application/x-amz-json-1.1";

/// Why KMS refuses.
#[derive(Debug)]
struct Refusal {
    kind: &'static str,
    message: String,
}

impl Refusal {
    fn new(kind: &'static str, message: &str) -> Self {
        Self { kind, message: message.to_owned() }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::new("KMSInternalException", &error.to_string())
    }
}

fn arn(id: &str) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}")
}
