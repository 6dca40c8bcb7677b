//! The consumers of the table's stream, as Lambda functions.

use std::time::Instant;

use aws_lambda_events::event::dynamodb::{Event, EventRecord, TimeWindowEvent};
use lambda_runtime::{Error, LambdaEvent};
use serde::Serialize;
use shared::counters::Counter;
use shared::labels;
use shared::model::Item;
use shared::reap::Reaper;
use shared::stream::Change;

/// What Lambda is told of a batch in a tumbling window. The counters keep their
/// state in the table, so the window carries none.
#[derive(Debug, Default, Serialize)]
pub struct WindowReply {
    state: NoState,
}

#[derive(Debug, Default, Serialize)]
struct NoState {}

/// Applies a batch of the stream to the entries of labels and to the counters.
///
/// The window is there for the id of its shard alone, which Lambda passes with
/// no other kind of batch.
///
/// # Errors
/// Those of the table, after which Lambda hands over the batch again, whole or
/// in halves; and an event without a shard id, which a tumbling window always
/// has.
pub async fn count(
    counter: &Counter,
    event: LambdaEvent<TimeWindowEvent>,
) -> Result<WindowReply, Error> {
    let records = event.payload.dynamo_db_event.records;
    // A window's last event can be without records.
    if records.is_empty() {
        return Ok(WindowReply::default());
    }
    let shard_id = event.payload.time_window_properties.shard_id;
    let shard_id =
        shard_id.ok_or("the event has no shard id: its source needs a tumbling window")?;
    let changes: Vec<_> = records.into_iter().filter_map(change).collect();
    let given = changes.len();
    let request_id = event.context.request_id;
    let (start, before) = (Instant::now(), counter.store().usage());
    let taken_in = async {
        let labels = labels::follow(counter.store(), &changes).await?;
        Ok::<_, shared::Error>((labels, counter.apply(&shard_id, &changes).await?))
    };
    match taken_in.await {
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

/// Does what follows from a batch of the stream.
///
/// # Errors
/// Those of the table, after which Lambda hands over the batch again, whole or in
/// halves.
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
    Some(Change {
        sequence_number: record.sequence_number?,
        old: image(record.old_image),
        new: image(record.new_image),
    })
}

/// An image that is absent reads as one without attributes.
fn image(item: serde_dynamo::Item) -> Option<Item> {
    let item: Item = item.into();
    (!item.is_empty()).then_some(item)
}
