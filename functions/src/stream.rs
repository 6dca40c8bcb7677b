//! The Lambda functions that consume the table's stream.

use std::time::Instant;

use aws_lambda_events::event::dynamodb::{Event, EventRecord, TimeWindowEvent};
use lambda_runtime::{Error, LambdaEvent};
use serde::Serialize;
use shared::change::Change;
use shared::counters::{AppliedChanges, Counter};
use shared::labels;
use shared::run_changes::Reaper;

/// The response to a batch in a tumbling window. The counters keep their state in the table, so
/// the state of the window is empty.
#[derive(Debug, Default, Serialize)]
pub struct WindowReply {
    state: NoState,
}

#[derive(Debug, Default, Serialize)]
struct NoState {}

/// The error of an event from a source that is not configured correctly.
const NO_SHARD_ID: &str = "the event has no shard id: configure a tumbling window for its source";

/// Applies a batch of the stream to the counters, and then to the entries of labels. Entries need
/// more writes, so the totals do not wait for them. If either fails, Lambda passes the batch again:
/// the counters skip the changes that they have, and writing an entry twice is harmless.
///
/// The tumbling window serves only to get the shard id, which Lambda does not pass with any other
/// kind of batch.
///
/// # Errors
/// Returns an error if the table cannot be read or written. Lambda then passes the batch again,
/// whole or in halves. Also returns an error if the event has no shard id.
pub async fn count(
    counter: &Counter,
    event: LambdaEvent<TimeWindowEvent>,
) -> Result<WindowReply, Error> {
    let records = event.payload.dynamo_db_event.records;
    // The last event of a window may have no records.
    if records.is_empty() {
        return Ok(WindowReply::default());
    }
    let shard_id = event.payload.time_window_properties.shard_id;
    let shard_id = shard_id.ok_or(NO_SHARD_ID)?;
    let changes: Vec<_> = records.into_iter().filter_map(change).collect();
    let given = changes.len();
    let request_id = event.context.request_id;
    let (start, before) = (Instant::now(), counter.store().usage());
    match apply(counter, &shard_id, &changes).await {
        Ok((labels, applied)) => {
            let usage = counter.store().usage().since(before);
            tracing::info!(
                request_id,
                shard_id,
                given,
                changes = applied.changes,
                repeated = applied.repeated,
                transactions = applied.transactions,
                labels,
                duration_ms = start.elapsed().as_secs_f64() * 1_000.0,
                table_requests = usage.requests,
                capacity_units = usage.capacity_units,
                "counted"
            );
            Ok(WindowReply::default())
        }
        Err(error) => {
            let causes = error.with_causes();
            tracing::error!(request_id, shard_id, given, error = causes, "not counted");
            Err(error.into())
        }
    }
}

/// Applies changes to the counters and to the entries of labels. Returns the number of changed
/// entries and what was counted.
async fn apply(
    counter: &Counter,
    shard_id: &str,
    changes: &[Change],
) -> shared::Result<(usize, AppliedChanges)> {
    let applied = counter.apply(shard_id, changes).await;
    // The entries are written even if the counters fail, because Lambda drops a batch after
    // too many failures.
    let labels = labels::follow(counter.store(), changes).await;
    let applied = applied?;
    Ok((labels?, applied))
}

/// Completes the removals and cancellations in a batch of the stream.
///
/// # Errors
/// Returns an error if the table cannot be read or written. Lambda then passes the batch again,
/// whole or in halves.
pub async fn reap(reaper: &Reaper, event: LambdaEvent<Event>) -> Result<(), Error> {
    let records = event.payload.records;
    let changes: Vec<_> = records.into_iter().filter_map(change).collect();
    let given = changes.len();
    let request_id = event.context.request_id;
    let (start, before) = (Instant::now(), reaper.store().usage());
    match reaper.follow(&changes).await {
        Ok(reaped) => {
            let usage = reaper.store().usage().since(before);
            tracing::info!(
                request_id,
                given,
                removed = reaped.removed,
                cancelled = reaped.cancelled,
                turns = reaped.turns,
                limited = reaped.limited,
                duration_ms = start.elapsed().as_secs_f64() * 1_000.0,
                table_requests = usage.requests,
                capacity_units = usage.capacity_units,
                "reaped"
            );
            Ok(())
        }
        Err(error) => {
            let causes = error.with_causes();
            tracing::error!(request_id, given, error = causes, "not reaped");
            Err(error.into())
        }
    }
}

fn change(record: EventRecord) -> Option<Change> {
    let record = record.change;
    let sequence_number = record.sequence_number?;
    Some(Change::decode(
        sequence_number,
        record.old_image,
        record.new_image,
    ))
}
