//! Waiting for what will be true soon.

use std::time::{Duration, Instant};

/// How long anything may take before the test fails: long, since machines that test are busy.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// How often a thing that gives no sign is looked at.
const PACE: Duration = Duration::from_millis(15);

/// Asks until there is an answer.
///
/// # Panics
/// When there is none after [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(PACE).await;
    }
}
