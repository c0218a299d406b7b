//! Pushing to live WebSocket connections through API Gateway's management API.
//!
//! A push is best effort: what a client misses it gets when it resumes.

use aws_sdk_apigatewaymanagement::{
    Client,
    config::Builder,
    operation::{delete_connection::DeleteConnectionError, post_to_connection::PostToConnectionError},
    primitives::Blob,
};
use serde_json::Value;

use crate::{Clients, StoreError};

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Handed over.
    Sent,
    /// The connection is no more: forget it.
    Gone,
    /// Not handed over; it may be there still.
    Failed,
}

/// The live connections of one WebSocket API.
#[derive(Clone)]
pub struct Sockets {
    client: Client,
}

impl Sockets {
    /// The connections of the API at this endpoint, `https://…/<stage>`.
    #[must_use]
    pub fn new(clients: &Clients, endpoint: impl Into<String>) -> Self {
        Self { client: Client::from_conf(Builder::from(&clients.sdk).endpoint_url(endpoint).build()) }
    }

    /// Pushes an event to a connection.
    pub async fn push(&self, connection: &str, event: &Value) -> Pushed {
        self.push_text(connection, &event.to_string()).await
    }

    /// Pushes an event that is JSON text already, as when many connections get the same.
    pub async fn push_text(&self, connection: &str, event: &str) -> Pushed {
        let sent = self.client.post_to_connection().connection_id(connection).data(Blob::new(event.as_bytes()));
        match sent.send().await {
            Ok(_) => Pushed::Sent,
            Err(error) if error.as_service_error().is_some_and(PostToConnectionError::is_gone_exception) => {
                Pushed::Gone
            }
            Err(error) => {
                tracing::debug!(error = %StoreError::of("PostToConnection", &error), "a push was not taken");
                Pushed::Failed
            }
        }
    }

    /// Closes a connection, if it is there.
    ///
    /// # Errors
    /// When the API cannot be reached.
    pub async fn close(&self, connection: &str) -> Result<(), StoreError> {
        match self.client.delete_connection().connection_id(connection).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(DeleteConnectionError::is_gone_exception) => Ok(()),
            Err(error) => Err(StoreError::of("DeleteConnection", &error)),
        }
    }
}
