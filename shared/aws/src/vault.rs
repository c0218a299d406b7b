//! Where keys come from: one installation key wrapped by KMS, and under it every other key, wrapped by it.
//!
//! The keys table holds only wrapped keys. The installation key is unwrapped once per process; the others are kept
//! unwrapped for at most five minutes, so that a key destroyed elsewhere is soon gone here. Whoever loses the race to
//! create a key uses the winner's. What is sealed with these keys is the other files' business.

use std::sync::{Arc, Mutex};

use aws_sdk_kms::{primitives::Blob, types::DataKeySpec};
use colloquy_domain::{ContactId, Timestamp};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use self::cache::Cache;
pub use self::index::Index;
use crate::{
    Clients, Key, Place, StoreError,
    keys::{self, ItemKey},
    table::{Attributes as _, Item, Table, Written, b, bytes, is_expired, n, text},
};

mod cache;
mod index;

/// How long a day's transit key outlives its day, in seconds: what a queue keeps longest, 14 days.
const TRANSIT_KEPT_S: i64 = 14 * 86_400;
const CONTEXT: (&str, &str) = ("colloquy", "installation");

type Secret = Zeroizing<[u8; 32]>;

/// The keys. Clones share one cache.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    table: Table,
    kms_key_id: String,
    installation: OnceCell<Key>,
    keys: Mutex<Cache<Arc<Key>>>,
    index: OnceCell<Index>,
}

impl Vault {
    /// The keys in this table, under this KMS key. Nothing is read before a key is asked for.
    #[must_use]
    pub fn new(clients: &Clients, keys_table: impl Into<String>, kms_key_id: impl Into<String>) -> Self {
        Self {
            inner: Arc::new(Inner {
                table: Table::new(clients, keys_table),
                kms_key_id: kms_key_id.into(),
                installation: OnceCell::new(),
                keys: Mutex::default(),
                index: OnceCell::new(),
            }),
        }
    }

    /// The key of an identity, made when there is none yet.
    ///
    /// # Errors
    /// When the keys table or KMS cannot be reached.
    pub async fn identity(&self, identity: &str) -> Result<Arc<Key>, StoreError> {
        self.obtain(&keys::identity_key(identity), None).await
    }

    /// The key of an identity; nothing when there never was one or it was erased.
    ///
    /// # Errors
    /// When the keys table or KMS cannot be reached.
    pub async fn existing_identity(&self, identity: &str) -> Result<Option<Arc<Key>>, StoreError> {
        self.existing(&keys::identity_key(identity)).await
    }

    /// Reads the keys of many identities at once, so that asking for each soon after costs nothing.
    ///
    /// # Errors
    /// When the keys table or KMS cannot be reached.
    pub async fn prepare_identities(&self, identities: &[String]) -> Result<(), StoreError> {
        let mut missing: Vec<ItemKey> = identities.iter().map(|identity| keys::identity_key(identity)).collect();
        missing.sort_by(|a, b| a.pk.cmp(&b.pk));
        missing.dedup();
        missing.retain(|key| self.cached(key).is_none());
        for item in self.inner.table.get_all(&missing).await? {
            let key = ItemKey::new(text(&item, "pk")?, text(&item, "sk")?);
            let secret = self.unwrap(&key, &item).await?;
            self.keep(&key, &secret);
        }
        Ok(())
    }

    /// Destroys the key of an identity: whatever it sealed can never be read again. Other processes notice within five
    /// minutes.
    ///
    /// # Errors
    /// When the keys table cannot be reached.
    pub async fn erase_identity(&self, identity: &str) -> Result<(), StoreError> {
        self.erase(&keys::identity_key(identity)).await
    }

    /// The key of a contact, made when there is none yet.
    ///
    /// # Errors
    /// When the keys table or KMS cannot be reached.
    pub async fn contact(&self, contact: &ContactId) -> Result<Arc<Key>, StoreError> {
        self.obtain(&keys::contact_key(contact), None).await
    }

    /// The key of a contact; nothing when there never was one or it was erased.
    ///
    /// # Errors
    /// When the keys table or KMS cannot be reached.
    pub async fn existing_contact(&self, contact: &ContactId) -> Result<Option<Arc<Key>>, StoreError> {
        self.existing(&keys::contact_key(contact)).await
    }

    /// Destroys the key of a contact.
    ///
    /// # Errors
    /// When the keys table cannot be reached.
    pub async fn erase_contact(&self, contact: &ContactId) -> Result<(), StoreError> {
        self.erase(&keys::contact_key(contact)).await
    }

    /// Today's transit key and its name, the UTC day.
    ///
    /// # Errors
    /// When the keys table or KMS cannot be reached.
    pub async fn transit(&self) -> Result<(String, Arc<Key>), StoreError> {
        let now = self.inner.table.now();
        let day = now.day();
        let day_end = (now.seconds().div_euclid(86_400) + 1) * 86_400;
        let key = self.obtain(&keys::transit_key(&day), Some(day_end + TRANSIT_KEPT_S)).await?;
        Ok((day, key))
    }

    /// The transit key of a UTC day; nothing when it was destroyed.
    ///
    /// # Errors
    /// When the keys table or KMS cannot be reached.
    pub async fn transit_of(&self, day: &str) -> Result<Option<Arc<Key>>, StoreError> {
        self.existing(&keys::transit_key(day)).await
    }

    /// The key of settings, secrets and the directory.
    ///
    /// # Errors
    /// When the keys table or KMS cannot be reached.
    pub async fn settings(&self) -> Result<Arc<Key>, StoreError> {
        self.obtain(&keys::settings_key(), None).await
    }

    /// The keyed hashes under which things are looked up. Read once per process: this key is never destroyed, since
    /// every guard depends on it.
    ///
    /// # Errors
    /// When the keys table or KMS cannot be reached.
    pub async fn index(&self) -> Result<&Index, StoreError> {
        self.inner
            .index
            .get_or_try_init(|| async {
                let secret = Box::pin(self.obtain_secret(&keys::index_key(), None)).await?;
                Ok(Index::new(&secret))
            })
            .await
    }

    async fn obtain(&self, key: &ItemKey, expires_s: Option<i64>) -> Result<Arc<Key>, StoreError> {
        if let Some(found) = self.cached(key) {
            return Ok(found);
        }
        let secret = Box::pin(self.obtain_secret(key, expires_s)).await?;
        Ok(self.keep(key, &secret))
    }

    async fn existing(&self, key: &ItemKey) -> Result<Option<Arc<Key>>, StoreError> {
        if let Some(found) = self.cached(key) {
            return Ok(Some(found));
        }
        let Some(item) = self.inner.table.get(key).await?.filter(|item| !is_expired(item, self.inner.table.now()))
        else {
            return Ok(None);
        };
        let secret = self.unwrap(key, &item).await?;
        Ok(Some(self.keep(key, &secret)))
    }

    async fn obtain_secret(&self, key: &ItemKey, expires_s: Option<i64>) -> Result<Secret, StoreError> {
        if let Some(item) = self.inner.table.get(key).await? {
            return self.unwrap(key, &item).await;
        }
        let secret = Zeroizing::new(self.inner.table.clients().random::<32>());
        let sealed = self.installation().await?.seal(&place(key), secret.as_slice());
        let item = Item::new().and("sealed", b(sealed)).and_some("expires", expires_s.map(n));
        match self.inner.table.put_new(key, item).await? {
            Written::Now => Ok(secret),
            Written::Kept(item) => self.unwrap(key, &item).await,
        }
    }

    async fn unwrap(&self, key: &ItemKey, item: &Item) -> Result<Secret, StoreError> {
        let opened = self.installation().await?.open(&place(key), bytes(item, "sealed")?);
        // Another key's commitment here would mean another installation's table, never an erasure.
        let opened = Zeroizing::new(opened.map_err(|_| StoreError::corrupt("a key"))?);
        secret_of(&opened)
    }

    async fn installation(&self) -> Result<&Key, StoreError> {
        self.inner.installation.get_or_try_init(|| Box::pin(self.unwrap_installation())).await
    }

    async fn unwrap_installation(&self) -> Result<Key, StoreError> {
        let (table, key) = (&self.inner.table, keys::installation_key());
        let secret = match table.get(&key).await? {
            Some(item) => self.decrypt(bytes(&item, "wrapped")?).await?,
            None => {
                let (secret, wrapped) = self.generate().await?;
                match table.put_new(&key, Item::new().and("wrapped", b(wrapped))).await? {
                    Written::Now => secret,
                    Written::Kept(item) => self.decrypt(bytes(&item, "wrapped")?).await?,
                }
            }
        };
        Ok(Key::new(&secret, Arc::clone(&table.clients().entropy)))
    }

    async fn generate(&self) -> Result<(Secret, Vec<u8>), StoreError> {
        let kms = &self.inner.table.clients().kms;
        let sent = kms.generate_data_key().key_id(&self.inner.kms_key_id).key_spec(DataKeySpec::Aes256);
        let answer = sent.encryption_context(CONTEXT.0, CONTEXT.1).send().await;
        let answer = answer.map_err(|error| StoreError::of("GenerateDataKey", &error))?;
        let plain = Zeroizing::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default());
        Ok((secret_of(&plain)?, answer.ciphertext_blob.map(Blob::into_inner).unwrap_or_default()))
    }

    async fn decrypt(&self, wrapped: &[u8]) -> Result<Secret, StoreError> {
        let kms = &self.inner.table.clients().kms;
        let sent = kms.decrypt().key_id(&self.inner.kms_key_id).ciphertext_blob(Blob::new(wrapped));
        let answer = sent.encryption_context(CONTEXT.0, CONTEXT.1).send().await;
        let answer = answer.map_err(|error| StoreError::of("Decrypt", &error))?;
        secret_of(&Zeroizing::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default()))
    }

    async fn erase(&self, key: &ItemKey) -> Result<(), StoreError> {
        self.inner.table.delete(key).await?;
        cache::lock(&self.inner.keys).remove(&key.pk);
        Ok(())
    }

    fn cached(&self, key: &ItemKey) -> Option<Arc<Key>> {
        cache::lock(&self.inner.keys).get(&key.pk, self.inner.table.now())
    }

    fn keep(&self, key: &ItemKey, secret: &Secret) -> Arc<Key> {
        let made = Arc::new(Key::new(secret, Arc::clone(&self.inner.table.clients().entropy)));
        cache::lock(&self.inner.keys).put(&key.pk, Arc::clone(&made), self.inner.table.now());
        made
    }
}

fn place(key: &ItemKey) -> Place {
    Place::item(keys::KEYS, key, "sealed")
}

fn secret_of(plain: &[u8]) -> Result<Secret, StoreError> {
    plain.try_into().map(Zeroizing::new).map_err(|_| StoreError::corrupt("a key"))
}

/// What a UTC day looks like, `2026-11-23`; names of transit keys come from outside, in queue bodies.
pub(crate) fn is_day(text: &str) -> bool {
    text.len() == 10 && format!("{text}T00:00:00Z").parse::<Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_day_names_a_transit_key() {
        assert!(is_day("2026-11-23"));
        assert!(!is_day("2026-13-23") && !is_day("") && !is_day("20261123Z0"));
    }
}
