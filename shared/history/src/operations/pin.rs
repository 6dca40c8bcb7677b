//! Pins a run: it is kept until it is unpinned, even if it would otherwise expire.

use std::time::Duration;

use format::attributes::{PINNED_AT, PINNED_BY, TIME_TO_LIVE, number, text};
use format::model::{ExecutionId, Status, Timestamp};
use format::{Error, Result, keys};
use store::{Condition, Store, Update, Write};
use team::audit::{Action, Entry};
use team::auth::Caller;
use tokio::time::timeout;

use super::read_own;
use crate::expiry::settle_children;

/// How often a run is read again because it changed between the read and the write.
const MAX_ATTEMPTS: usize = 5;

/// How long a request works on the steps and payloads of the run that it pins. The stream
/// consumer does the rest.
const CHILDREN_TIME: Duration = Duration::from_secs(10);

/// The result of pinning a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pinned {
    /// The run is pinned, now or since an earlier request.
    Since {
        /// When it was pinned. `None` if the record has no time.
        at: Option<Timestamp>,
        /// Who pinned it.
        by: Option<String>,
    },
    /// The run has not ended; `None` if the record has an unknown status. It is
    /// not pinned, because a run does not expire before its end, and the engine may overwrite
    /// the record until then.
    NotEnded(Option<Status>),
}

/// Pins a run that has ended. The run, its steps and its payloads lose their `expiresAt`.
///
/// # Errors
/// - [`Error::ExecutionNotFound`]: the run does not exist for this caller.
/// - [`Error::Forbidden`]: the caller has no access to the run's flow.
pub async fn pin_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
) -> Result<Pinned> {
    for _ in 0..MAX_ATTEMPTS {
        let execution = read_own(store, caller, execution_id).await?;
        if !execution.status.is_some_and(Status::is_terminal) {
            return Ok(Pinned::NotEnded(execution.status));
        }
        if execution.is_pinned {
            return Ok(Pinned::Since {
                at: execution.pinned_at,
                by: execution.pinned_by,
            });
        }
        let now = Timestamp::now();
        let entry = Entry::new(caller, Action::ExecutionPinned, execution_id.as_str())?;
        let pin = pin(caller, execution_id, now);
        match entry.record_with(store, vec![pin]).await {
            Ok(true) => {
                keep_children(store, execution_id).await;
                return Ok(Pinned::Since {
                    at: Some(now),
                    by: Some(caller.principal.clone()),
                });
            }
            Ok(false) => {}
            // DynamoDB and compatible databases differ in how they reject a transaction with an
            // item that is too large.
            Err(error @ (Error::TooLarge(_) | Error::Refused(_))) => {
                make_room(store, execution_id, error).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Err(Error::Unavailable("the run keeps changing".into()))
}

/// Makes room for the pin in the run's item. Returns `refusal` if that is not possible.
async fn make_room(store: &Store, execution_id: &ExecutionId, refusal: Error) -> Result<()> {
    let pk = keys::execution_partition(execution_id);
    match store.make_room(&pk, keys::EXECUTION).await? {
        true => Ok(()),
        false => Err(refusal),
    }
}

/// The write that pins a run. It fails if the run is pinned already or has expired.
fn pin(caller: &Caller, execution_id: &ExecutionId, now: Timestamp) -> Write {
    let update = team_update(caller, execution_id)
        .set(PINNED_AT, text(now.to_string()))
        .set(PINNED_BY, text(&caller.principal))
        .remove(TIME_TO_LIVE)
        .only_if(!Condition::has(PINNED_AT))
        .only_if(!Condition::AtMost(
            TIME_TO_LIVE.into(),
            number(now.seconds()),
        ));
    update.into()
}

/// Removes the `expiresAt` of a pinned run's steps and payloads, as far as time allows.
async fn keep_children(store: &Store, execution_id: &ExecutionId) {
    let pk = keys::execution_partition(execution_id);
    match timeout(CHILDREN_TIME, settle_children(store, &pk)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error = error.with_causes();
            tracing::warn!(%execution_id, error, "failed to update the steps and payloads of a pinned run now; the stream consumer updates them");
        }
        Err(_) => {
            tracing::warn!(%execution_id, "no time left for the steps and payloads of a pinned run; the stream consumer updates them")
        }
    }
}

/// Unpins a run, if it is pinned. Shortly afterwards the retention rules apply to it again;
/// they leave it at least one more day.
///
/// # Errors
/// The errors of [`pin_execution`].
pub async fn unpin_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
) -> Result<()> {
    for _ in 0..MAX_ATTEMPTS {
        if !read_own(store, caller, execution_id).await?.is_pinned {
            return Ok(());
        }
        let entry = Entry::new(caller, Action::ExecutionUnpinned, execution_id.as_str())?;
        let update = team_update(caller, execution_id)
            .remove(PINNED_AT)
            .remove(PINNED_BY)
            .only_if(Condition::has(PINNED_AT));
        if entry.record_with(store, vec![update.into()]).await? {
            return Ok(());
        }
    }
    Err(Error::Unavailable("the run keeps changing".into()))
}

/// An update of a run that fails if the run does not belong to the caller's team.
fn team_update(caller: &Caller, execution_id: &ExecutionId) -> Update {
    Update::new(keys::execution_partition(execution_id), keys::EXECUTION)
        .only_if(Condition::of_team(&caller.team_id))
}
