//! The AWS clients of one process, with the clock and the source of randomness everything here uses.
//!
//! No table or queue is named here; time-outs and retries are whatever the `SdkConfig` says.

use std::sync::Arc;

use aws_config::SdkConfig;
use colloquy_domain::Timestamp;

/// What tells the time; a simulation passes a virtual one.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What fills a slice with random bytes; a simulation passes a seeded one.
pub type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The AWS clients. Clones share connections.
#[derive(Clone)]
pub struct Clients {
    pub(crate) sdk: SdkConfig,
    pub(crate) dynamo: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
}

impl Clients {
    /// Clients that reach AWS as `sdk` says and read the time from `clock`.
    #[must_use]
    pub fn new(sdk: &SdkConfig, clock: Clock) -> Self {
        Self {
            sdk: sdk.clone(),
            dynamo: aws_sdk_dynamodb::Client::new(sdk),
            sqs: aws_sdk_sqs::Client::new(sdk),
            kms: aws_sdk_kms::Client::new(sdk),
            clock,
            entropy: Arc::new(secure_random),
        }
    }

    /// Clients that reach AWS as the environment says, with the machine's clock.
    pub async fn from_environment() -> Self {
        let sdk = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
        Self::new(&sdk, Arc::new(machine_time))
    }

    /// The same clients drawing randomness from `entropy`.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Entropy) -> Self {
        self.entropy = entropy;
        self
    }

    /// The moment it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The clock itself.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Arc::clone(&self.clock)
    }

    /// `N` random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.entropy)(&mut bytes);
        bytes
    }
}

#[expect(clippy::expect_used, reason = "without randomness nothing may be sealed, so the process must not go on")]
fn secure_random(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the system's random number generator answers");
}

/// The machine's time.
#[must_use]
pub fn machine_time() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
