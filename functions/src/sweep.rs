//! The Lambda function that closes runs whose time limit has passed. A schedule starts it.

use std::time::{Duration, Instant};

use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;
use shared::sweep::Sweeper;

/// How long a sweep starts to close runs: less than the function's timeout of a minute. The next
/// sweep closes the rest.
const SWEPT_WITHIN: Duration = Duration::from_secs(45);

/// Closes the runs whose time limit has passed. The content of the event is not used.
///
/// # Errors
/// Returns an error if the table cannot be read or written. The next sweep continues.
pub async fn sweep(sweeper: &Sweeper, event: LambdaEvent<Value>) -> Result<(), Error> {
    let request_id = event.context.request_id;
    let (start, before) = (Instant::now(), sweeper.store().usage());
    match sweeper.sweep(start + SWEPT_WITHIN).await {
        Ok(swept) => {
            let usage = sweeper.store().usage().since(before);
            tracing::info!(
                request_id,
                looked_at = swept.looked_at,
                timed_out = swept.timed_out,
                stalled = swept.stalled,
                is_cut_short = swept.is_cut_short,
                duration_ms = start.elapsed().as_secs_f64() * 1_000.0,
                table_requests = usage.requests,
                capacity_units = usage.capacity_units,
                "swept"
            );
            Ok(())
        }
        Err(error) => {
            let causes = error.with_causes();
            tracing::error!(request_id, error = causes, "not swept");
            Err(error.into())
        }
    }
}
