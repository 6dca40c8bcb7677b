//! The operations that callers perform on executions. Each exists once, for every API.
//!
//! An operation takes the [`Caller`] and returns only what that caller may see: the team is
//! part of every index's key, and a run that is read by its id is checked against the
//! caller before any of its data is returned.

use format::model::{Execution, ExecutionId, Item, Timestamp};
use format::{Error, Result, keys};
use store::Store;
use team::auth::Caller;

mod branches;
mod cancel;
mod delete;
mod export;
mod filter;
mod get;
mod list;
mod nesting;
mod outline;
mod pin;
mod run_reader;
mod run_stream;
mod shorten;
mod statistics;
mod step;
mod step_failures;
mod step_statistics;
mod step_tree;
mod steps;
mod top_level_steps;
mod whole_execution;

// The operations are what these modules declare as `pub`; what they share is `pub(super)`.
pub use branches::*;
pub use cancel::*;
pub(crate) use cancel::{Cancellation, Child, list_children};
pub use delete::*;
pub(crate) use delete::{Deletion, delete_runs};
pub use export::*;
pub use filter::*;
pub use get::*;
pub use list::*;
pub use outline::*;
pub use pin::*;
pub use shorten::*;
pub use statistics::*;
pub use step::*;
pub use step_failures::*;
pub use step_statistics::*;
pub use steps::*;
pub use whole_execution::*;

/// Returns the run of an item, if the caller may see it now: the run belongs to the
/// caller's team and to a flow that the caller has access to, and has not expired.
///
/// # Errors
/// Returns [`Error::ExecutionNotFound`] in every other case, so that a caller does not
/// learn that another team's run exists.
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

/// Returns the run of an item, if it belongs to the caller's team and has not expired.
fn execution_of_team(caller: &Caller, item: Option<Item>, now: Timestamp) -> Option<Execution> {
    item.filter(|item| !format::model::is_expired(item, now))
        .and_then(Execution::from_item)
        .filter(|execution| execution.team_id.as_deref() == Some(caller.team_id.as_str()))
}

/// Reads the current state of a run that the caller may change.
///
/// # Errors
/// - [`Error::ExecutionNotFound`]: the run has expired or belongs to another team.
/// - [`Error::Forbidden`]: the caller has no access to the run's flow.
async fn read_own(store: &Store, caller: &Caller, execution_id: &ExecutionId) -> Result<Execution> {
    let pk = keys::execution_partition(execution_id);
    let item = store.get_latest(&pk, keys::EXECUTION).await?;
    let execution = execution_of_team(caller, item, Timestamp::now())
        .ok_or_else(|| Error::ExecutionNotFound(execution_id.clone()))?;
    if caller.may_see(&execution) {
        return Ok(execution);
    }
    // The message does not name the run's flow, because the caller must not see it.
    let message = "This token has no access to the run's flow.";
    Err(Error::Forbidden(message.to_owned()))
}
