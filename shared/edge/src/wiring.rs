//! A function's stores and queues, opened from its configuration by the names the template gives them.

use colloquy_aws::{Clients, Desk, Insights, Sockets, Timeline, Vault, queues::Queue};

use crate::{Configuration, ConfigurationError};

/// Opens what a function works with. Each method reads one variable, and fails by naming it.
pub struct Wiring<'a> {
    configuration: &'a Configuration,
    clients: &'a Clients,
    vault: Vault,
}

impl<'a> Wiring<'a> {
    /// Reads `KEYS_TABLE` and `KMS_KEY_ID`: whatever a function reads or writes is sealed.
    ///
    /// # Errors
    /// When one is missing.
    pub fn new(configuration: &'a Configuration, clients: &'a Clients) -> Result<Self, ConfigurationError> {
        let vault = Vault::new(clients, configuration.required("KEYS_TABLE")?, configuration.required("KMS_KEY_ID")?);
        Ok(Self { configuration, clients, vault })
    }

    /// The keys.
    #[must_use]
    pub fn vault(&self) -> Vault {
        self.vault.clone()
    }

    /// The conversations, by `CONVERSATIONS_TABLE`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn timeline(&self) -> Result<Timeline, ConfigurationError> {
        Ok(Timeline::new(self.clients, self.configuration.required("CONVERSATIONS_TABLE")?, &self.vault))
    }

    /// Who works here and who writes, by `DESK_TABLE`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn desk(&self) -> Result<Desk, ConfigurationError> {
        Ok(Desk::new(self.clients, self.configuration.required("DESK_TABLE")?, &self.vault))
    }

    /// The reports' facts, by `INSIGHTS_TABLE`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn insights(&self) -> Result<Insights, ConfigurationError> {
        Ok(Insights::new(self.clients, self.configuration.required("INSIGHTS_TABLE")?))
    }

    /// The queue whose address this variable holds.
    ///
    /// # Errors
    /// When it is missing.
    pub fn queue(&self, variable: &str) -> Result<Queue, ConfigurationError> {
        Ok(Queue::new(self.clients, &self.vault, self.configuration.required(variable)?))
    }

    /// The open sockets, by `SOCKETS_ENDPOINT`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn sockets(&self) -> Result<Sockets, ConfigurationError> {
        Ok(Sockets::new(self.clients, self.configuration.required("SOCKETS_ENDPOINT")?))
    }
}
