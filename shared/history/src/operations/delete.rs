//! Deletes runs: one run, or all runs of a flow ([`flow`]).
//!
//! The execution item is removed first, which removes the run from every list and every
//! count. The consumer of the table's stream then removes the other records in its
//! partition ([`crate::run_changes`]), no matter who removed the run.

use format::Result;
use format::attributes::FLOW_ID;
use format::keys::{self, key};
use format::model::{ExecutionId, Item, TeamId};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use store::{MAX_ITEMS_A_BATCH, Store};
use team::audit::{Action, Entry, EventOutcome};
use team::auth::Caller;

use super::read_own;

mod flow;

pub(crate) use flow::Deletion;
pub use flow::{FlowDeletion, delete_flow_executions};

/// How many batches are processed at a time.
const BATCHES_AT_A_TIME: usize = 4;

/// Deletes one run. With `cascade`, the runs below it, on all levels, are deleted shortly
/// afterwards.
///
/// # Errors
/// - [`format::Error::ExecutionNotFound`]: the run does not exist for this caller.
/// - [`format::Error::Forbidden`]: the caller has no access to the run's flow or, for a
///   cascade, not to all flows.
pub async fn delete_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    cascade: bool,
) -> Result<()> {
    require_cascade(caller, cascade)?;
    let pk = keys::execution_partition(execution_id);
    let execution = read_own(store, caller, execution_id).await?;
    let event = Entry::new(caller, Action::ExecutionDeleted, execution_id.as_str())?
        .detail_if_any(FLOW_ID, execution.flow_id)
        .detail("cascade", cascade)
        .begin(store)
        .await?;
    let result = delete_runs(store, &caller.team_id, &[pk], cascade).await;
    match &result {
        Ok(()) => event.end(EventOutcome::Done).await,
        Err(error) => event.end_with(error).await,
    }
    result
}

/// Checks that the caller has access to all flows if the deletion cascades, because a
/// cascade may reach runs of any flow.
fn require_cascade(caller: &Caller, cascade: bool) -> Result<()> {
    if cascade {
        caller.require_all_flows()?;
    }
    Ok(())
}

/// Removes the execution items of a team in these partitions. The stream consumer removes
/// the rest of each partition and, with `cascade`, the runs that these runs started. If
/// another team has started a run under the same id since, that run stays.
pub(crate) async fn delete_runs(
    store: &Store,
    team_id: &TeamId,
    pks: &[String],
    cascade: bool,
) -> Result<()> {
    let deletes = pks.chunks(MAX_ITEMS_A_BATCH).map(|some| {
        let executions = some.iter().map(|pk| {
            // Both writes are one transaction. Otherwise the flag of a failed deletion, or
            // of a run that is already gone, would make a later deletion cascade that was
            // not requested to.
            let flag = cascade.then(|| key(pk, keys::CASCADE));
            (key(pk, keys::EXECUTION), flag)
        });
        store.remove_own(team_id, executions.collect()).boxed()
    });
    run_batches(deletes.collect()).await
}

/// Removes items by their keys.
pub async fn delete_items(store: &Store, keys: &[Item]) -> Result<()> {
    let batches = keys.chunks(MAX_ITEMS_A_BATCH);
    let deletes = batches.map(|some| store.delete_all(some.to_vec()).boxed());
    run_batches(deletes.collect()).await
}

async fn run_batches(batches: Vec<BoxFuture<'_, Result<()>>>) -> Result<()> {
    stream::iter(batches)
        .buffer_unordered(BATCHES_AT_A_TIME)
        .try_collect()
        .await
}
