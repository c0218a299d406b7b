//! Channels' access tokens, sealed with the settings key, so that all of us use the same one.
//!
//! Fetching and renewing them is `deliver`'s business.

use colloquy_domain::{InboxId, Timestamp};

use super::Desk;
use crate::{
    Place, StoreError,
    keys::{self, DESK, ItemKey},
    table::{Attributes as _, Item, b, bytes, n, parsed, s},
};

/// A channel's access token. A secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The token itself.
    pub token: String,
    /// Until when the platform takes it.
    pub until: Timestamp,
}

impl Desk {
    /// The inbox's access token; nothing when there is none or it is past its time.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn token(&self, inbox: &InboxId) -> Result<Option<Token>, StoreError> {
        let at = keys::channel_token(inbox);
        let Some(item) = self.table.get(&at).await? else { return Ok(None) };
        let until: Timestamp = parsed(&item, "until")?;
        if until <= self.table.now() {
            return Ok(None);
        }
        let token = self.vault.settings().await?.open(&place(&at), bytes(&item, "sealed")?)?;
        let token = String::from_utf8(token).map_err(|_| StoreError::corrupt("a token"))?;
        Ok(Some(Token { token, until }))
    }

    /// Keeps the inbox's access token.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn put_token(&self, inbox: &InboxId, token: &Token) -> Result<(), StoreError> {
        let at = keys::channel_token(inbox);
        let sealed = self.vault.settings().await?.seal(&place(&at), token.token.as_bytes());
        let item = Item::new()
            .and("sealed", b(sealed))
            .and("until", s(token.until.to_string()))
            .and("expires", n(token.until.seconds()));
        self.table.put(&at, item).await
    }

    /// Forgets a token the platform refused, unless it was renewed since.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn forget_token(&self, inbox: &InboxId, refused: &Token) -> Result<(), StoreError> {
        let until = s(refused.until.to_string());
        self.table.delete_if(&keys::channel_token(inbox), "until", until).await.map(drop)
    }
}

fn place(at: &ItemKey) -> Place {
    Place::item(DESK, at, "sealed")
}
