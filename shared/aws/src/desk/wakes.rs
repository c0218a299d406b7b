//! Wake-ups, by the minute they are due in.
//!
//! Nothing is ever cancelled: whoever is woken looks whether something is due.

use colloquy_domain::{ConversationId, Thread, Timestamp};

use super::Desk;
use crate::{
    StoreError, keys,
    table::{Attributes as _, Item, n, number, pages, parsed, s},
};

/// How long a wake-up that nobody removed is kept past its time, in seconds.
const KEPT_S: i64 = 30 * 86_400;

/// A wake-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wake {
    /// When.
    pub at: Timestamp,
    /// The thread of what is to be woken.
    pub thread: Thread,
    /// What is to be woken.
    pub conversation: ConversationId,
}

impl Desk {
    /// Keeps a wake-up. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn put_wake(&self, wake: &Wake) -> Result<(), StoreError> {
        let item = Item::new()
            .and("at", n(wake.at.ms()))
            .and("thread", s(wake.thread.as_str()))
            .and("conversation", s(wake.conversation.as_str()))
            .and("expires", n(wake.at.seconds() + KEPT_S));
        self.table.put(&keys::wake(wake.at, &wake.conversation), item).await
    }

    /// The wake-ups due in a minute (see [`Timestamp::minute`]), in order.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn due_wakes(&self, minute: i64) -> Result<Vec<Wake>, StoreError> {
        let items = pages(self.table.query(&keys::wake_pk(minute), ""), usize::MAX).await?;
        items.iter().map(read).collect()
    }

    /// Forgets a wake-up, once it has been sent.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn delete_wake(&self, wake: &Wake) -> Result<(), StoreError> {
        self.table.delete(&keys::wake(wake.at, &wake.conversation)).await
    }

    /// The last minute whose wake-ups were all sent; nothing before the first sweep.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn swept_minute(&self) -> Result<Option<i64>, StoreError> {
        self.table.get(&keys::swept()).await?.map(|item| number(&item, "minute")).transpose()
    }

    /// Remembers the last minute whose wake-ups were all sent.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn set_swept_minute(&self, minute: i64) -> Result<(), StoreError> {
        self.table.put(&keys::swept(), Item::new().and("minute", n(minute))).await
    }
}

fn read(item: &Item) -> Result<Wake, StoreError> {
    Ok(Wake {
        at: Timestamp::from_ms(number(item, "at")?),
        thread: parsed(item, "thread")?,
        conversation: parsed(item, "conversation")?,
    })
}
