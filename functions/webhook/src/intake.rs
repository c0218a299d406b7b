//! What was received, safely on its queues: messages to `inbound.fifo`, receipts to `receipts`.
//!
//! Addresses and platforms' ids leave here as keyed hashes or sealed.

use colloquy_aws::{
    Clients, Vault,
    queues::{Outgoing, Queue},
};
use colloquy_domain::{
    Channel, Inbound, InboundMessage, InboxId, TurnId,
    queue::{Arrival, Confirmation, Confirmed},
};
use colloquy_edge::{ConfigurationError, Failure, Wiring};

/// Where what was received goes.
pub struct Intake {
    inbound: Queue,
    receipts: Queue,
    vault: Vault,
    clients: Clients,
}

impl Intake {
    /// Reads the configuration: `INBOUND_QUEUE_URL` and `RECEIPTS_QUEUE_URL`.
    ///
    /// # Errors
    /// When one is missing.
    pub fn start(wiring: &Wiring<'_>, clients: &Clients) -> Result<Self, ConfigurationError> {
        Ok(Self {
            inbound: wiring.queue("INBOUND_QUEUE_URL")?,
            receipts: wiring.queue("RECEIPTS_QUEUE_URL")?,
            vault: wiring.vault(),
            clients: clients.clone(),
        })
    }

    /// Queues a webhook's elements: the messages in their order, then the receipts.
    ///
    /// # Errors
    /// When a queue did not take all of them; the platform sends the webhook again.
    pub async fn take_all(&self, inbox: &InboxId, channel: Channel, inbound: Vec<Inbound>) -> Result<(), Failure> {
        let mut arrivals = Vec::new();
        let mut receipts = Vec::new();
        for element in inbound {
            match element {
                Inbound::Message(message) => arrivals.push(self.arrival(inbox, channel, message).await?),
                Inbound::Receipt(receipt) => receipts.push(receipt),
            }
        }
        match arrivals.as_slice() {
            [] => {}
            [one] => self.inbound.send(&one.group, &one.dedup, &one.body).await?,
            several => self.inbound.send_batch(several).await?,
        }
        for receipt in receipts {
            self.confirm(inbox, Confirmed::Receipt(receipt)).await?;
        }
        Ok(())
    }

    /// Queues one message of a visitor; its key is the visitor's own, so it counts within their thread.
    ///
    /// # Errors
    /// When the queue did not take it.
    pub async fn take_visitor(&self, inbox: &InboxId, mut message: InboundMessage) -> Result<TurnId, Failure> {
        message.provider_id = format!("{}:{}", message.sender.address, message.provider_id);
        let arrival = self.arrival(inbox, Channel::Web, message).await?;
        self.inbound.send(&arrival.group, &arrival.dedup, &arrival.body).await?;
        Ok(arrival.body.key)
    }

    /// Queues what is known of our own messages.
    ///
    /// # Errors
    /// When the queue did not take it.
    pub async fn confirm(&self, inbox: &InboxId, about: Confirmed) -> Result<(), Failure> {
        let confirmation = Confirmation { inbox: inbox.clone(), at: self.clients.now(), about };
        Ok(self.receipts.send_standard(&confirmation, 0).await?)
    }

    async fn arrival(
        &self,
        inbox: &InboxId,
        channel: Channel,
        message: InboundMessage,
    ) -> Result<Outgoing<Arrival>, Failure> {
        let index = self.vault.index().await?;
        let address = &message.sender.address;
        let arrival = Arrival {
            key: index.turn_key(inbox, &message.provider_id),
            at: self.clients.now(),
            thread: index.thread(inbox, address),
            inbox: inbox.clone(),
            channel,
            identity: index.identity(&scope(inbox, channel), address),
            message,
        };
        Ok(Outgoing { group: arrival.thread.to_string(), dedup: arrival.key.to_string(), body: arrival })
    }
}

/// Within what an address means one person: phone numbers everywhere, a platform's own ids on one inbox.
#[must_use]
pub fn scope(inbox: &InboxId, channel: Channel) -> String {
    match channel {
        Channel::WhatsApp => "phone".to_owned(),
        Channel::Web | Channel::WeChat => inbox.to_string(),
    }
}
