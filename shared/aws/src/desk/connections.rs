//! Live connections: whose each is, and who watches which conversation.
//!
//! Items outlive a connection by minutes at most: what `$disconnect` misses expires. Whoever finds a connection gone
//! when pushing calls [`Desk::found_gone`].

use aws_sdk_dynamodb::types::AttributeValue;
use colloquy_domain::ConversationId;

use super::{Desk, Owner, Session};
use crate::{
    StoreError,
    keys::{self, CONNECTION_PREFIX},
    table::{Attributes as _, Item, Written, is_expired, n, number, pages, parsed, s, set, text},
};

/// How long a connection's items are kept, in seconds: API Gateway closes every socket after two hours.
const KEPT_S: i64 = 2 * 3600 + 600;

/// How long `$connect` may take, in seconds: API Gateway waits 29 for it, and calls the connection gone until it ended.
const CONNECTING_S: i64 = 30;

/// A live connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub session: Session,
    /// The conversations it watches.
    pub conversations: Vec<ConversationId>,
}

/// A connection that watches a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Its id.
    pub connection: String,
    /// Whose it is.
    pub owner: Owner,
}

impl Desk {
    /// Keeps a new connection.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn connect(&self, connection: &str, session: &Session) -> Result<(), StoreError> {
        let expires = n(self.table.now().seconds() + KEPT_S);
        let owned = keys::owned(&session.owner.to_string(), connection);
        // The pointer first: a connection found by its id is found by its owner too.
        self.table.put(&owned, Item::new().and("expires", expires.clone())).await?;
        self.table.put(&keys::connection(connection), session.write().and("expires", expires)).await
    }

    /// A connection and what it watches.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn connection(&self, connection: &str) -> Result<Option<Connection>, StoreError> {
        let item = self.table.get(&keys::connection(connection)).await?;
        let Some(item) = item.filter(|item| !is_expired(item, self.table.now())) else { return Ok(None) };
        read(connection, &item).map(Some)
    }

    /// Forgets a connection and all it watches.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn disconnect(&self, connection: &str) -> Result<(), StoreError> {
        match self.table.get(&keys::connection(connection)).await? {
            Some(item) => self.forget_connection(connection, &item).await,
            None => Ok(()),
        }
    }

    /// Forgets a connection that a push found gone, unless it is so new that `$connect` may not have ended: a push in
    /// that moment is told the same.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn found_gone(&self, connection: &str) -> Result<(), StoreError> {
        let Some(item) = self.table.get(&keys::connection(connection)).await? else { return Ok(()) };
        let since_s = number::<i64>(&item, "expires")? - KEPT_S;
        if self.table.now().seconds() - since_s < CONNECTING_S {
            return Ok(());
        }
        self.forget_connection(connection, &item).await
    }

    async fn forget_connection(&self, connection: &str, item: &Item) -> Result<(), StoreError> {
        let at = keys::connection(connection);
        let found = read(connection, item)?;
        for conversation in &found.conversations {
            self.table.delete(&keys::subscription(conversation, connection)).await?;
        }
        self.table.delete(&keys::owned(&found.session.owner.to_string(), connection)).await?;
        // Last, since it says what else there is: a call cut short can be made again.
        self.table.delete(&at).await
    }

    /// The live connections of an owner.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn connections_of(&self, owner: &Owner) -> Result<Vec<String>, StoreError> {
        let items = pages(self.table.query(&keys::owner_pk(&owner.to_string()), CONNECTION_PREFIX), usize::MAX).await?;
        let now = self.table.now();
        items.iter().filter(|item| !is_expired(item, now)).map(connection_of).collect()
    }

    /// Lets a connection watch a conversation. False when there is no such connection any more.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscribe(&self, connection: &Connection, conversation: &ConversationId) -> Result<bool, StoreError> {
        let update = self
            .table
            .update(&keys::connection(&connection.id), "ADD conversations :set")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":set", one(conversation));
        if let Written::Kept(_) = self.table.run(update).await? {
            return Ok(false);
        }
        let item = Item::new()
            .and("owner", s(connection.session.owner.to_string()))
            .and("expires", n(self.table.now().seconds() + KEPT_S));
        self.table.put(&keys::subscription(conversation, &connection.id), item).await?;
        Ok(true)
    }

    /// Lets a connection watch a conversation no longer.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn unsubscribe(&self, connection: &str, conversation: &ConversationId) -> Result<(), StoreError> {
        self.table.delete(&keys::subscription(conversation, connection)).await?;
        let update = self
            .table
            .update(&keys::connection(connection), "DELETE conversations :set")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":set", one(conversation));
        self.table.run(update).await.map(drop)
    }

    /// The connections that watch a conversation.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn subscribers(&self, conversation: &ConversationId) -> Result<Vec<Subscriber>, StoreError> {
        let query = self.table.query(&keys::subscription_pk(conversation), CONNECTION_PREFIX);
        let now = self.table.now();
        let items = pages(query, usize::MAX).await?;
        let live = items.iter().filter(|item| !is_expired(item, now));
        live.map(|item| Ok(Subscriber { connection: connection_of(item)?, owner: parsed(item, "owner")? })).collect()
    }
}

fn read(connection: &str, item: &Item) -> Result<Connection, StoreError> {
    let conversations = set(item, "conversations").iter().map(|id| id.parse()).collect::<Result<_, _>>();
    Ok(Connection {
        id: connection.to_owned(),
        session: Session::read(item)?,
        conversations: conversations.map_err(|_| StoreError::corrupt("a connection"))?,
    })
}

fn connection_of(item: &Item) -> Result<String, StoreError> {
    let id = text(item, "sk")?.strip_prefix(CONNECTION_PREFIX);
    id.map(str::to_owned).ok_or_else(|| StoreError::corrupt("a connection"))
}

fn one(conversation: &ConversationId) -> AttributeValue {
    AttributeValue::Ss(vec![conversation.to_string()])
}
