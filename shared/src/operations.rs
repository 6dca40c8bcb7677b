//! What callers can do with executions: each operation once, for every surface.
//!
//! An operation takes the [`Caller`] and sees only what that caller may: the
//! team is part of every index's key, and a run read by its id is checked
//! against the caller before anything of it is returned.

use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{Execution, ExecutionId, Item, Timestamp};
use crate::store::Store;

mod branches;
mod cancel;
mod delete;
mod export;
mod filter;
mod get;
mod list;
mod outline;
mod pin;
mod statistics;
mod step;
mod step_statistics;
mod steps;
mod whole;

pub use branches::{Branch, BranchSteps, Fork, list_branch_steps};
pub(crate) use cancel::{Cancellation, Child, children_of};
pub use cancel::{Cancelled, MAX_REASON_LENGTH, cancel_execution};
pub(crate) use delete::{Deletion, delete_items, delete_runs};
pub use delete::{FlowDeletion, delete_execution, delete_flow_executions};
pub use export::{ExportPiece, export_executions};
pub use filter::ExecutionFilter;
pub use get::{ExecutionDetails, ShownPayloads, get_execution};
pub use list::{ExecutionPage, Total, Window, list_executions};
pub use outline::{MAX_STEPS_OF_A_RUN, StepOutline, count_steps, outline_steps};
pub use pin::{Pinned, pin_execution, unpin_execution};
pub use statistics::{
    Interval, MAX_PERIODS, Period, Statistics, StatusCounts, execution_statistics,
};
pub use step::{BranchPlace, StepDetails, StepPlace, get_step};
pub use step_statistics::{
    MAX_STEPS_READ, MAX_STEPS_TOLD, StepFailure, StepFigures, StepStatistics, step_statistics,
};
pub use steps::{STEP_BYTES_A_PAGE, STEPS_ASKED_A_PAGE};
pub use whole::{WholeExecution, get_whole_execution};

/// The run of an item, if it is one that this caller may see now: of the
/// caller's team, of a flow the caller is not kept from, and not expired.
///
/// # Errors
/// [`Error::ExecutionNotFound`] in every other case: a caller does not learn
/// that another team's run exists.
fn visible_execution(
    caller: &Caller,
    execution_id: &ExecutionId,
    item: Option<Item>,
    now: Timestamp,
) -> Result<Execution> {
    execution_of_team(caller, item, now)
        .filter(|execution| caller.may_see(execution))
        .ok_or_else(|| Error::ExecutionNotFound(execution_id.clone()))
}

/// The run of an item, if it is of the caller's team and not expired.
fn execution_of_team(caller: &Caller, item: Option<Item>, now: Timestamp) -> Option<Execution> {
    item.filter(|item| !crate::model::is_expired(item, now))
        .and_then(Execution::from_item)
        .filter(|execution| execution.team_id.as_deref() == Some(caller.team_id.as_str()))
}

/// A run as it is now, if this caller may change it.
///
/// # Errors
/// [`Error::ExecutionNotFound`] for a run that is expired or of another team;
/// [`Error::Forbidden`] for one of a flow that the caller is kept from; and those of the
/// table.
async fn read_own(store: &Store, caller: &Caller, execution_id: &ExecutionId) -> Result<Execution> {
    let pk = keys::execution_partition(execution_id);
    let item = store.get_latest(&pk, keys::EXECUTION).await?;
    let execution = execution_of_team(caller, item, Timestamp::now())
        .ok_or_else(|| Error::ExecutionNotFound(execution_id.clone()))?;
    if caller.may_see(&execution) {
        return Ok(execution);
    }
    // Of which flow the run is, is not for who does not see it.
    let message = "The token is limited to other flows than that of the run.";
    Err(Error::Forbidden(message.to_owned()))
}
