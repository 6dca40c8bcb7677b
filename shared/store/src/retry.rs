//! The waits between attempts of a write.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// The most attempts of a write that the table accepts only in part or not for now. Together they
/// take about ten seconds.
const MAX_ATTEMPTS: usize = 12;

/// The waits between the attempts: increasing, and with jitter.
pub fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(2))
        .with_max_times(MAX_ATTEMPTS)
        .with_jitter()
        .build()
}
