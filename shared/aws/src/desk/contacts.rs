//! Contacts and their identities: who stands behind an address, sealed with keys that can be destroyed.
//!
//! Two identities are never joined here by likeness; an identity is bound to a contact once, when it is first seen.

use colloquy_domain::{Channel, ContactId, ConversationId, InboxId};
use serde::{Deserialize, Serialize};

use super::Desk;
use crate::{
    Place, StoreError,
    keys::{self, DESK, ItemKey},
    table::{Attributes as _, Item, Written, b, bytes, pages, parsed, s, text},
};

/// A person who writes to us. Personal data, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Their id.
    pub id: ContactId,
    /// Their name, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An address on a channel and whose it is. Personal data, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The keyed hash of the address.
    pub identity: String,
    /// Whose it is.
    pub contact: ContactId,
    /// The channel.
    pub channel: Channel,
    /// The inbox it was first seen on.
    pub inbox: InboxId,
    /// The address itself.
    pub address: String,
    /// The name the channel showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Desk {
    /// The identity with this keyed hash.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when it is there but its key is not; otherwise when the tables cannot be reached.
    pub async fn identity(&self, identity: &str) -> Result<Option<Identity>, StoreError> {
        let at = keys::identity(identity);
        let Some(item) = self.table.get(&at).await? else { return Ok(None) };
        let key = self.vault.existing_identity(identity).await?.ok_or(StoreError::Erased)?;
        key.open_json(&place(&at), bytes(&item, "sealed")?, "an identity").map(Some)
    }

    /// Binds an identity to its contact, making both; whose it is now: another's when it was bound before. One that
    /// was erased is bound anew, since nothing remains that could be bound again.
    ///
    /// The contact is written first, so that an identity never points to nobody. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn create_identity(&self, new: &Identity) -> Result<ContactId, StoreError> {
        let contact = Contact { id: new.contact.clone(), name: new.name.clone() };
        self.create_contact(&contact).await?;
        self.table.put(&keys::contact_identity(&new.contact, &new.identity), Item::new()).await?;
        let at = keys::identity(&new.identity);
        let key = self.vault.identity(&new.identity).await?;
        let item =
            Item::new().and("contact", s(new.contact.as_str())).and("sealed", b(key.seal_json(&place(&at), new)?));
        let Written::Kept(mut kept) = self.table.put_new(&at, item.clone()).await? else {
            return Ok(new.contact.clone());
        };
        if let Err(StoreError::Erased) = key.open_json::<Identity>(&place(&at), bytes(&kept, "sealed")?, "an identity")
        {
            let erased = Item::new().and(":erased", b(bytes(&kept, "sealed")?.to_vec()));
            match self.table.put_if(&at, item, "sealed = :erased", erased).await? {
                Written::Now => return Ok(new.contact.clone()),
                Written::Kept(item) => kept = item,
            }
        }
        let owner: ContactId = parsed(&kept, "contact")?;
        if owner != new.contact {
            // Ours lost the race: the contact just made would be known by nothing.
            self.table.delete(&keys::contact_identity(&new.contact, &new.identity)).await?;
            self.table.delete(&keys::contact(&new.contact)).await?;
        }
        Ok(owner)
    }

    /// The contact with this id.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when it is there but its key is not; otherwise when the tables cannot be reached.
    pub async fn contact(&self, contact: &ContactId) -> Result<Option<Contact>, StoreError> {
        let at = keys::contact(contact);
        let Some(item) = self.table.get(&at).await? else { return Ok(None) };
        let key = self.vault.existing_contact(contact).await?.ok_or(StoreError::Erased)?;
        key.open_json(&place(&at), bytes(&item, "sealed")?, "a contact").map(Some)
    }

    /// Keeps what is known of a contact.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn put_contact(&self, contact: &Contact) -> Result<(), StoreError> {
        let at = keys::contact(&contact.id);
        let item = self.sealed_contact(&at, contact).await?;
        self.table.put(&at, item).await
    }

    /// A contact's identities; those that were erased are left out.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn identities_of(&self, contact: &ContactId) -> Result<Vec<Identity>, StoreError> {
        let mut identities = Vec::new();
        for name in self.linked(contact, keys::IDENTITY_PREFIX).await? {
            match self.identity(&name).await {
                Ok(found) => identities.extend(found),
                Err(StoreError::Erased) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(identities)
    }

    /// Counts a conversation among a contact's. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn link_conversation(
        &self,
        contact: &ContactId,
        conversation: &ConversationId,
    ) -> Result<(), StoreError> {
        self.table.put(&keys::contact_conversation(contact, conversation), Item::new()).await
    }

    /// A contact's conversations, the eldest first.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn conversations_of(&self, contact: &ContactId) -> Result<Vec<ConversationId>, StoreError> {
        let ids = self.linked(contact, keys::CONVERSATION_PREFIX).await?;
        ids.iter().map(|id| id.parse().map_err(|_| StoreError::corrupt("a contact"))).collect()
    }

    async fn create_contact(&self, contact: &Contact) -> Result<(), StoreError> {
        let at = keys::contact(&contact.id);
        let item = self.sealed_contact(&at, contact).await?;
        self.table.put_new(&at, item).await.map(drop)
    }

    async fn sealed_contact(&self, at: &ItemKey, contact: &Contact) -> Result<Item, StoreError> {
        let key = self.vault.contact(&contact.id).await?;
        Ok(Item::new().and("sealed", b(key.seal_json(&place(at), contact)?)))
    }

    async fn linked(&self, contact: &ContactId, prefix: &str) -> Result<Vec<String>, StoreError> {
        let items = pages(self.table.query(&keys::contact_pk(contact), prefix), usize::MAX).await?;
        items.iter().map(|item| Ok(text(item, "sk")?.trim_start_matches(prefix).to_owned())).collect()
    }
}

fn place(at: &ItemKey) -> Place {
    Place::item(DESK, at, "sealed")
}
