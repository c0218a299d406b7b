//! The embedded AWS engine: DynamoDB, SQS, KMS and the WebSocket management API answered inside this process.
//!
//! Real SDK clients talk to it through [`Engine::sdk_config`]; nothing listens on a socket. State lives in SQLite files
//! and survives a killed process, not a power cut (`journal_mode=WAL`, `synchronous=NORMAL`). It deliberately does not
//! check signatures, does not throttle, and answers only the operations this project uses: what is
//! missing is refused by name, never guessed.

pub mod fault;
mod http;
pub mod kms;
pub mod ledger;
pub mod permission;
pub mod queues;
pub mod sockets;
pub mod tables;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::{
    rt::sleep::{SharedAsyncSleep, TokioSleep},
    time::{SharedTimeSource, TimeSource},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use self::{fault::Faults, kms::Keys, ledger::Ledger, queues::Queues, sockets::Sockets, tables::Tables};

/// The region every resource of the engine is in.
pub const REGION: &str = "us-east-1";

/// The account every resource of the engine belongs to.
pub const ACCOUNT: &str = "000000000000";

/// Milliseconds since 1970-01-01 UTC. The only time the engine knows; a simulation passes a virtual one.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Why the engine could not do what its host asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("the engine's database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// The table engine refused.
    #[error("the table engine failed: {0}")]
    Table(#[from] dynoxide::DynoxideError),
    /// A table, queue or key that was never created.
    #[error("there is no {kind} `{name}`")]
    Missing {
        /// `table`, `queue` or `key`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A declaration that cannot be carried out, or that contradicts what is on disk.
    #[error("{0}")]
    Invalid(String),
}

/// Where the engine keeps its state.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Directory(PathBuf),
    Memory,
}

impl Place {
    /// Opens a database of the engine's own, in the mode that survives a killed process.
    fn database(&self, name: &str) -> Result<rusqlite::Connection, EngineError> {
        let connection = match self {
            Self::Directory(directory) => rusqlite::Connection::open(directory.join(name))?,
            Self::Memory => rusqlite::Connection::open_in_memory()?,
        };
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 8000)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }
}

/// The engine. Clones share one state.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    tables: Tables,
    queues: Queues,
    keys: Keys,
    sockets: Sockets,
    ledger: Ledger,
    faults: Faults,
}

impl Engine {
    /// Opens the engine whose state is in `directory`, which is made if it is not there.
    ///
    /// # Errors
    /// When the directory cannot be made or a file in it cannot be read.
    pub fn open(directory: &Path, clock: Clock) -> Result<Self, EngineError> {
        std::fs::create_dir_all(directory)
            .map_err(|source| EngineError::File { path: directory.to_owned(), source })?;
        Self::at(&Place::Directory(directory.to_owned()), clock)
    }

    /// An engine that forgets everything when its last clone is dropped.
    ///
    /// # Errors
    /// When SQLite cannot open a database in memory.
    pub fn in_memory(clock: Clock) -> Result<Self, EngineError> {
        Self::at(&Place::Memory, clock)
    }

    fn at(place: &Place, clock: Clock) -> Result<Self, EngineError> {
        let ledger = Ledger::default();
        Ok(Self {
            inner: Arc::new(Inner {
                tables: Tables::open(place, Arc::clone(&clock), ledger.clone())?,
                queues: Queues::open(place, Arc::clone(&clock), ledger.clone())?,
                keys: Keys::open(place, Arc::clone(&clock), ledger.clone())?,
                sockets: Sockets::new(Arc::clone(&clock), ledger.clone()),
                ledger,
                faults: Faults::default(),
                clock,
            }),
        })
    }

    /// What an SDK client needs to talk to this engine: static credentials, no retries, the engine's clock.
    #[must_use]
    pub fn sdk_config(&self) -> SdkConfig {
        self.sdk_config_with(None)
    }

    /// The same for a caller who may do no more than `permission` says.
    #[must_use]
    pub fn sdk_config_for(&self, permission: permission::Permission) -> SdkConfig {
        self.sdk_config_with(Some(permission))
    }

    fn sdk_config_with(&self, permission: Option<permission::Permission>) -> SdkConfig {
        let credentials = Credentials::from_keys("AKIALOCAL", "local", None);
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http::client(self.clone(), permission))
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(SharedTimeSource::new(EngineTime(Arc::clone(&self.inner.clock))))
            .disable_request_compression(true)
            .build()
    }

    /// The HTTP client through which SDK clients reach this engine.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        http::client(self.clone(), None)
    }

    /// The engine's moment, in milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        (self.inner.clock)()
    }

    /// Tells whoever waits for a moment (a long poll, a delayed message) that the virtual clock has moved.
    ///
    /// A host on the real clock never needs it.
    pub fn clock_moved(&self) {
        self.inner.queues.wake_all();
    }

    /// The tables.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.inner.tables
    }

    /// The queues.
    #[must_use]
    pub fn queues(&self) -> &Queues {
        &self.inner.queues
    }

    /// The KMS keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// The live WebSocket connections.
    #[must_use]
    pub fn sockets(&self) -> &Sockets {
        &self.inner.sockets
    }

    /// What has been asked of the engine, and what AWS would charge for it.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// The faults a simulation injects.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// The engine's clock, as the SDK signs requests with it.
struct EngineTime(Clock);

impl TimeSource for EngineTime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from((self.0)()).unwrap_or(0))
    }
}

impl fmt::Debug for EngineTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EngineTime")
    }
}

/// A random identifier in the shape of a version 4 UUID.
pub(crate) fn random_id() -> String {
    let mut bytes = [0_u8; 16];
    // The identifier only has to differ from the others; a failing generator would fail every cipher long before.
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        tracing::error!("the random number generator failed");
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests;
