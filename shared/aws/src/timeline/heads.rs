//! Heads, by version, and the sparse index of who holds what.
//!
//! The index moves only when holder or status changes, since `list` and `since` are all it knows of a head.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use colloquy_domain::{ConversationId, Head, Timestamp};

use super::Timeline;
use crate::{
    Key, Place, StoreError,
    keys::{self, CONVERSATIONS, HOLDER_INDEX, ItemKey},
    table::{Attributes as _, Item, Written, b, bytes, n, page, s, text},
};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The conversations on it.
    pub conversations: Vec<ConversationId>,
    /// Where the next page begins, when there may be one.
    pub cursor: Option<String>,
}

impl Timeline {
    /// What is true of a conversation now.
    ///
    /// # Errors
    /// [`StoreError::Erased`] when it is there but its key is not; otherwise when the tables cannot be reached.
    pub async fn head(&self, conversation: &ConversationId) -> Result<Option<Head>, StoreError> {
        let at = keys::head(conversation);
        let Some(item) = self.table.get(&at).await? else { return Ok(None) };
        open(&*self.key(text(&item, "identity")?).await?, &at, &item).map(Some)
    }

    /// The heads of many conversations, in the order asked for; those that are not there or were erased are left out.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn heads(&self, conversations: &[ConversationId]) -> Result<Vec<Head>, StoreError> {
        let mut wanted: Vec<ItemKey> = conversations.iter().map(keys::head).collect();
        // DynamoDB refuses a batch that names an item twice.
        wanted.sort_by(|a, b| a.pk.cmp(&b.pk));
        wanted.dedup();
        let items = self.table.get_all(&wanted).await?;
        let identities = items.iter().map(|item| text(item, "identity").map(str::to_owned));
        self.vault.prepare_identities(&identities.collect::<Result<Vec<_>, _>>()?).await?;
        let mut heads = HashMap::with_capacity(items.len());
        for item in &items {
            let at = ItemKey::new(text(item, "pk")?, text(item, "sk")?);
            let Some(key) = self.vault.existing_identity(text(item, "identity")?).await? else { continue };
            match open(&key, &at, item) {
                Ok(head) => drop(heads.insert(head.id.clone(), head)),
                Err(StoreError::Erased) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(conversations.iter().filter_map(|id| heads.get(id).cloned()).collect())
    }

    /// Writes a head if the one there has number `expected_seq`, or none is there when that is nothing. False when
    /// someone else was first.
    ///
    /// # Errors
    /// When the tables cannot be reached.
    pub async fn put_head(&self, head: &Head, expected_seq: Option<u64>) -> Result<bool, StoreError> {
        let at = keys::head(&head.id);
        let key = self.vault.identity(&head.identity).await?;
        let list = keys::list_of(head);
        let item = Item::new()
            .and("seq", n(head.seq))
            .and("identity", s(&head.identity))
            .and("sealed", b(key.seal_json(&place(&at), head)?))
            .and_some("since", list.as_ref().map(|_| s(head.since.to_string())))
            .and_some("list", list.map(s));
        let written = match expected_seq {
            Some(seq) => self.table.put_if(&at, item, "seq = :seq", Item::new().and(":seq", n(seq))).await?,
            None => self.table.put_new(&at, item).await?,
        };
        Ok(matches!(written, Written::Now))
    }

    /// The conversations on a list (see `keys::list_of`), by when they came to it. The index may lag by a moment.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the cursor is not one of ours; otherwise when the table cannot be reached.
    pub async fn list(
        &self,
        list: &str,
        cursor: Option<&str>,
        limit: usize,
        newest_first: bool,
    ) -> Result<Listed, StoreError> {
        let from = cursor.map(|cursor| read_cursor(list, cursor)).transpose()?;
        let query = self.table.query_index(HOLDER_INDEX, "list", list).scan_index_forward(!newest_first);
        let query = query.limit(i32::try_from(limit.clamp(1, 1_000)).unwrap_or(1_000));
        let (items, next) = page(query.set_exclusive_start_key(from)).await?;
        let read =
            |item: &Item| keys::read_conversation(text(item, "pk")?).ok_or_else(|| StoreError::corrupt("a list"));
        Ok(Listed {
            conversations: items.iter().map(read).collect::<Result<_, _>>()?,
            cursor: next.map(|next| write_cursor(&next)).transpose()?,
        })
    }
}

fn place(at: &ItemKey) -> Place {
    Place::item(CONVERSATIONS, at, "sealed")
}

fn open(key: &Key, at: &ItemKey, item: &Item) -> Result<Head, StoreError> {
    key.open_json(&place(at), bytes(item, "sealed")?, "a head")
}

fn write_cursor(next: &Item) -> Result<String, StoreError> {
    let id = keys::read_conversation(text(next, "pk")?).ok_or_else(|| StoreError::corrupt("a list"))?;
    Ok(URL_SAFE_NO_PAD.encode(format!("{} {id}", text(next, "since")?)))
}

fn read_cursor(list: &str, cursor: &str) -> Result<Item, StoreError> {
    let decoded = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let read = decoded.as_deref().and_then(|text| {
        let (since, id) = text.split_once(' ')?;
        Some((since.parse::<Timestamp>().ok()?, id.parse::<ConversationId>().ok()?))
    });
    let (since, id) = read.ok_or_else(|| StoreError::Invalid("the cursor is not one of ours".to_owned()))?;
    let head = keys::head(&id);
    Ok(Item::new().and("pk", s(head.pk)).and("sk", s(head.sk)).and("list", s(list)).and("since", s(since.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_a_made_up_one_is_refused() {
        let head = keys::head(&"cnv_1".parse().unwrap());
        let since = Timestamp::from_ms(1_000).to_string();
        let next = Item::new().and("pk", s(head.pk)).and("sk", s(head.sk)).and("list", s("bot")).and("since", s(since));
        let cursor = write_cursor(&next).unwrap();
        assert_eq!(read_cursor("bot", &cursor), Ok(next));
        for made_up in ["", "x", "!", &URL_SAFE_NO_PAD.encode("a b")] {
            assert!(matches!(read_cursor("bot", made_up), Err(StoreError::Invalid(_))));
        }
    }
}
