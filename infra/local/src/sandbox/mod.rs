//! Stands in for the channels' own APIs on one machine: records what they were sent and answers as they would, faults
//! included; and plays the customer on the other side, with correctly signed webhooks.
//!
//! Everything it knows lives in memory and is gone with the process: it is the outside world, not our state. It checks
//! what the platforms check (tokens, shapes, lengths), not what they charge for (templates, windows, quotas).

mod calls;
mod customer;
mod faults;
mod reply;
mod routes;
mod wechat;
mod whatsapp;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use colloquy_domain::{Channel, Timestamp};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use self::{calls::Calls, faults::Faults, wechat::Tokens};

pub use self::routes::router;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Tells which inboxes there are, with their settings unsealed.
pub type Inboxes = Arc<dyn Fn() -> BoxFuture<'static, Vec<SimulatedInbox>> + Send + Sync>;

/// An inbox as the sandbox needs it. No `Debug`: its settings hold secrets.
#[derive(Clone)]
pub struct SimulatedInbox {
    /// Its id, as in the webhook's address.
    pub id: String,
    /// Its channel.
    pub channel: Channel,
    /// Its name.
    pub name: String,
    /// Its settings, secrets included.
    pub settings: Map<String, Value>,
}

impl SimulatedInbox {
    /// A setting that is a text; empty when it is missing.
    fn setting(&self, name: &str) -> &str {
        self.settings.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The sandbox: cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    clock: Clock,
    inboxes: Inboxes,
    /// Inboxes as last seen, so that a thousand sends do not ask a thousand times.
    known: Mutex<Arc<Vec<SimulatedInbox>>>,
    /// Where the host answers, such as `http://127.0.0.1:8787`.
    origin: String,
    client: reqwest::Client,
    calls: Mutex<Calls>,
    faults: Mutex<Faults>,
    tokens: Mutex<Tokens>,
}

/// How long the simulated platform waits for our webhook: Meta's and WeChat's own limits are 5 to 10 s.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

impl Sandbox {
    /// A sandbox without memories. `origin` is where the host answers, without a slash at its end.
    ///
    /// # Errors
    /// When no HTTP client can be made, which is a defect of the machine.
    pub fn new(clock: Clock, inboxes: Inboxes, origin: impl Into<String>) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().no_proxy().timeout(WEBHOOK_TIMEOUT).build()?;
        Ok(Self(Arc::new(Inner {
            clock,
            inboxes,
            known: Mutex::default(),
            origin: origin.into(),
            client,
            calls: Mutex::default(),
            faults: Mutex::default(),
            tokens: Mutex::default(),
        })))
    }

    fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// Every inbox, as of now.
    async fn inboxes(&self) -> Arc<Vec<SimulatedInbox>> {
        let inboxes = Arc::new((self.0.inboxes)().await);
        *lock(&self.0.known) = Arc::clone(&inboxes);
        inboxes
    }

    /// Every inbox, as of some time ago.
    fn known_inboxes(&self) -> Arc<Vec<SimulatedInbox>> {
        Arc::clone(&lock(&self.0.known))
    }
}

/// What a panic left behind is still a list of calls.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Random bytes, for ids and nonces.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "the system's source of randomness does not fail once it has started")]
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness");
    bytes
}

#[cfg(test)]
mod tests;
