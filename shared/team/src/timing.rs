//! Delays responses to fixed ticks, so that their time does not reveal what they hide.

use std::time::{Duration, Instant};

/// Waits until the next whole multiple of `every` since `begin`.
pub async fn wait_for_tick(begin: Instant, every: Duration) {
    let ticks = begin.elapsed().as_micros() / every.as_micros().max(1) + 1;
    let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
    tokio::time::sleep_until((begin + every * ticks).into()).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_at_the_next_tick() {
        let begin = Instant::now();
        let every = Duration::from_millis(20);
        wait_for_tick(begin, every).await;
        assert!(begin.elapsed() >= every);
        wait_for_tick(begin, every).await;
        assert!(begin.elapsed() >= every * 2);
    }
}
