//! Writes records as a flow engine does.

use futures_util::{TryStreamExt, stream};
use indicatif::ProgressBar;
use serde_json::Value;
use shared::attributes::{SORT_KEY, STATUS, text};
use shared::keys;
use shared::model::Item;
use shared::store::{Condition, MAX_ITEMS_A_BATCH, Store, Update};

use super::team_id;
use crate::embedded::{Embedded, ImportError};
use crate::terminal::Failure;

/// How many batches are written at a time.
const BATCHES_AT_A_TIME: usize = 4;

/// How many runs are written into an embedded table at a time. Other writers wait while
/// they are written.
const RUNS_AT_A_TIME: usize = 100;

/// Writes the records of runs into an embedded table. It does not use the SDK, whose
/// encoding takes most of the time in a build without optimization. Only the executions
/// leave a record in the stream, because the other records require no further work.
pub(super) async fn write_directly(
    embedded: &Embedded,
    table: &str,
    mut runs: Vec<Vec<Value>>,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let failed =
        |error: ImportError| Failure(format!("The demo data could not be written: {error}."));
    while !runs.is_empty() {
        let some: Vec<_> = runs.drain(..runs.len().min(RUNS_AT_A_TIME)).collect();
        let count = some.len() as u64;
        let is_execution = |record: &Value| record[SORT_KEY] == keys::EXECUTION;
        let (executions, others): (Vec<_>, Vec<_>) =
            some.into_iter().flatten().partition(is_execution);
        embedded
            .import_silently(table, others)
            .await
            .map_err(failed)?;
        embedded.import(table, executions).await.map_err(failed)?;
        bar.inc(count);
    }
    Ok(())
}

/// Writes the items of runs into any table.
pub(super) async fn write_batches(
    store: &Store,
    runs: Vec<Vec<Item>>,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let batches = batches(runs).into_iter().map(Ok);
    stream::iter(batches)
        .try_for_each_concurrent(BATCHES_AT_A_TIME, |(batch, runs)| async move {
            store.put_all(batch).await?;
            bar.inc(runs);
            Ok(())
        })
        .await
}

/// Groups the items of runs into batches, each with the number of runs that end in it.
fn batches(runs: Vec<Vec<Item>>) -> Vec<(Vec<Item>, u64)> {
    let mut batches = vec![(Vec::with_capacity(MAX_ITEMS_A_BATCH), 0)];
    for run in runs {
        for item in run {
            let is_full = batches
                .last()
                .is_none_or(|(items, _)| items.len() == MAX_ITEMS_A_BATCH);
            if is_full {
                batches.push((Vec::with_capacity(MAX_ITEMS_A_BATCH), 0));
            }
            if let Some((items, _)) = batches.last_mut() {
                items.push(item);
            }
        }
        if let Some((_, ended)) = batches.last_mut() {
            *ended += 1;
        }
    }
    batches
}

/// Ends a step that is running. A step that has ended or no longer exists stays as it is.
pub(super) async fn end_step_if_open(
    store: &Store,
    key: Item,
    message: &str,
    end_time: &str,
) -> Result<(), Failure> {
    let update = end_update(key, message, end_time);
    let is_running = Condition::is(STATUS, text("RUNNING"));
    store.update(update.only_if(is_running)).await?;
    Ok(())
}

/// Ends a run of the demo's team that is open. A run that has ended, belongs to another
/// team or no longer exists stays as it is.
pub(super) async fn end_run_if_open(
    store: &Store,
    key: Item,
    message: &str,
    end_time: &str,
) -> Result<(), Failure> {
    let update = end_update(key, message, end_time);
    store
        .update(update.only_if(Condition::open(&team_id())))
        .await?;
    Ok(())
}

/// Returns the update that ends an item, without its condition.
fn end_update(key: Item, message: &str, end_time: &str) -> Update {
    Update::with_key(key)
        .set(STATUS, text("FAILED"))
        .set("errorMessage", text(message))
        .set("endTime", text(end_time))
}
