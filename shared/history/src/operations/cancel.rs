//! Cancels a run and the open runs below it.
//!
//! A cancellation is one conditional write: if the engine has already written the run's
//! end, the cancellation fails and never overwrites it. The request then cancels the runs
//! below, as many as its time allows. Even if the request fails or is cut off, the consumer
//! of the table's stream sees that the run was cancelled, and cancels the others
//! ([`crate::run_changes`]).

use std::collections::HashSet;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{
    CANCEL_REASON, CANCELLED_BY, DURATION_MS, END_TIME, ERROR_MESSAGE, PARTITION_KEY, SORT_KEY,
    STATUS, text,
};
use format::model::{Execution, ExecutionId, Item, Status, TeamId, Timestamp};
use format::{Error, Result, keys};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use store::table::BY_PARENT;
use store::{Condition, Range, Store, Update};
use team::audit::{Action, Entry, EventOutcome};
use team::auth::Caller;

use super::read_own;

/// The longest reason, in characters. It is limited because every index holds the whole
/// execution.
pub const MAX_REASON_LENGTH: usize = 500;

/// The most attempts to cancel a run whose engine keeps writing to it between the read and
/// the write.
const MAX_ATTEMPTS: usize = 5;

/// How long a request looks for runs below the run that it cancels. This keeps the response
/// well within the 29 seconds after which API Gateway gives up.
const SUBFLOW_TIME: Duration = Duration::from_secs(15);

/// How many runs are queried for their sub-flows, or cancelled, at a time.
const RUNS_AT_A_TIME: usize = 16;

/// The result of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The run was open, and is now cancelled.
    Now,
    /// The run had ended before, in this state; `None` if the record has an unknown state.
    EndedBefore(Option<Status>),
}

/// Cancels a run that is pending or running, and all open runs below it.
///
/// If the run was cancelled before, the open runs below it are cancelled, so a request that
/// was cut off can be repeated.
///
/// # Errors
/// - [`Error::ExecutionNotFound`]: the run does not exist for this caller.
/// - [`Error::Forbidden`]: the caller has no access to the run's flow.
pub async fn cancel_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    reason: Option<&str>,
) -> Result<Cancelled> {
    let cancellation = Cancellation {
        by: caller.principal.clone(),
        reason: reason.map(str::to_owned),
        at: Some(Timestamp::now()),
        message: None,
    };
    let execution = read_own(store, caller, execution_id).await?;
    let found = cancellation.find_end(&execution);
    if let Some((outcome, None)) = found {
        return Ok(outcome);
    }
    let event = Entry::new(caller, Action::ExecutionCancelled, execution_id.as_str())?
        .detail_if_any("reason", cancellation.reason.as_deref());
    let mut event = event.begin(store).await?;
    let ended_before = found.map(|(outcome, _)| outcome);
    let result = cancel_with_runs_below(store, caller, execution_id, cancellation, ended_before);
    let result = result.await;
    match &result {
        Ok(Cancelled::Now) => event.end(EventOutcome::Done).await,
        Ok(Cancelled::EndedBefore(status)) => {
            event.set_detail(STATUS, status.map_or("unknown", Status::as_str));
            event.end(EventOutcome::Failed).await;
        }
        Err(error) => event.end_with(error).await,
    }
    result
}

/// Cancels an open run and the open runs below it. If the run was cancelled before, only
/// the runs below it are cancelled.
async fn cancel_with_runs_below(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    cancellation: Cancellation,
    ended_before: Option<Cancelled>,
) -> Result<Cancelled> {
    let (outcome, cancellation) = match ended_before {
        Some(outcome) => (outcome, Some(cancellation)),
        None => cancel_open(store, caller, execution_id, cancellation).await?,
    };
    if let Some(cancellation) = cancellation {
        let until = Some(Instant::now() + SUBFLOW_TIME);
        let below = cancellation.apply_below(store, &caller.team_id, execution_id, until);
        if let Err(error) = below.await {
            // The run itself is cancelled, so the stream consumer cancels the others.
            let error = error.with_causes();
            tracing::warn!(%execution_id, error, "failed to cancel all sub-flows now; the stream consumer cancels the others");
        }
    }
    Ok(outcome)
}

/// Cancels a run that was open when it was last read. Also returns the cancellation that
/// ended the run, which may be an earlier one.
async fn cancel_open(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    cancellation: Cancellation,
) -> Result<(Cancelled, Option<Cancellation>)> {
    for _ in 0..MAX_ATTEMPTS {
        let is_ours = cancellation.apply(store, &caller.team_id, execution_id);
        if is_ours.await? {
            return Ok((Cancelled::Now, Some(cancellation)));
        }
        let execution = read_own(store, caller, execution_id).await?;
        if let Some(ended) = cancellation.find_end(&execution) {
            return Ok(ended);
        }
    }
    Err(Error::Unavailable("the run keeps changing".into()))
}

/// Who cancels a run, why, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cancellation {
    by: String,
    reason: Option<String>,
    at: Option<Timestamp>,
    /// The run's error message. A cancellation that a caller requested has none.
    message: Option<String>,
}

impl Cancellation {
    /// Creates a cancellation that no caller requested, with the run's error message.
    pub(crate) fn by_system(by: &str, message: String) -> Self {
        Self {
            by: by.to_owned(),
            reason: None,
            at: Some(Timestamp::now()),
            message: Some(message),
        }
    }

    /// Returns the cancellation that ended this run; `None` if the run ended otherwise, or
    /// if the engine wrote its end without `cancelledBy`.
    pub(crate) fn from_execution(execution: &Execution) -> Option<Self> {
        (execution.status == Some(Status::Cancelled)).then_some(())?;
        Some(Self {
            by: execution.cancelled_by.clone()?,
            reason: execution.cancel_reason.clone(),
            at: execution.end_time,
            message: None,
        })
    }

    /// Returns the outcome for a run that has already ended, and the cancellation that
    /// ended it. `None` while the run is open.
    fn find_end(&self, execution: &Execution) -> Option<(Cancelled, Option<Self>)> {
        if execution.status.is_some_and(Status::is_open) {
            return None;
        }
        let found = Self::from_execution(execution);
        // The response to our own write may have been lost, and the SDK then repeats the
        // write.
        let outcome = match found.as_ref() == Some(self) {
            true => Cancelled::Now,
            false => Cancelled::EndedBefore(execution.status),
        };
        Some((outcome, found))
    }

    /// Cancels a team's run if it is open. Returns whether it was open.
    async fn apply(
        &self,
        store: &Store,
        team_id: &TeamId,
        execution_id: &ExecutionId,
    ) -> Result<bool> {
        self.apply_while(store, team_id, execution_id, None).await
    }

    /// Cancels a team's run if it is open and the given attribute still has the given
    /// value. Returns whether it was cancelled. If another team has started a run under the
    /// same id since the read, that run stays as it is.
    pub(crate) async fn apply_while(
        &self,
        store: &Store,
        team_id: &TeamId,
        execution_id: &ExecutionId,
        still: Option<(&str, AttributeValue)>,
    ) -> Result<bool> {
        let at = self.at.unwrap_or_else(Timestamp::now);
        let mut update = Update::new(keys::execution_partition(execution_id), keys::EXECUTION)
            .set(STATUS, text(Status::Cancelled.as_str()))
            .set(CANCELLED_BY, text(&self.by))
            .set(END_TIME, text(at.to_string()))
            .set_if_some(CANCEL_REASON, self.reason.as_ref().map(text))
            .set_if_some(ERROR_MESSAGE, self.message.as_ref().map(text))
            // A duration that was written before this end is no longer correct.
            .remove(DURATION_MS)
            .only_if(Condition::open(team_id));
        if let Some((attribute, value)) = still {
            update = update.only_if(Condition::is(attribute, value));
        }
        store.update_with_room(update).await
    }

    /// Cancels a run as [`Self::apply`] does. A run that has no room for the cancellation
    /// stays open, so that it does not block the other runs.
    async fn apply_if_possible(
        &self,
        store: &Store,
        team_id: &TeamId,
        execution_id: &ExecutionId,
    ) -> Result<bool> {
        match self.apply(store, team_id, execution_id).await {
            Err(error @ Error::TooLarge(_)) => {
                let error = error.with_causes();
                tracing::error!(%execution_id, error, "a sub-flow is too large to be cancelled, and stays open");
                Ok(false)
            }
            other => other,
        }
    }

    /// Cancels the open runs below a run, on all levels, until a point in time.
    ///
    /// The runs below a run that has already ended are included, because a run may end
    /// without waiting for the runs that it started.
    pub(crate) async fn apply_below(
        &self,
        store: &Store,
        team_id: &TeamId,
        execution_id: &ExecutionId,
        until: Option<Instant>,
    ) -> Result<()> {
        let below = Self {
            at: Some(Timestamp::now()),
            by: self.by.clone(),
            message: None,
            reason: Some(self.reason.clone().unwrap_or_else(|| {
                format!("The run {execution_id}, which this run belongs to, was cancelled.")
            })),
        };
        let below = &below;
        // Engines write the parent's id, so a run may be its own ancestor.
        let mut seen = HashSet::from([execution_id.clone()]);
        let mut parents = vec![execution_id.clone()];
        let has_time = || until.is_none_or(|until| Instant::now() < until);
        while !parents.is_empty() && has_time() {
            let some = parents.split_off(parents.len().saturating_sub(RUNS_AT_A_TIME));
            let children = list_all_children(store, team_id, some, until).await?;
            let cancels: Vec<_> = children
                .iter()
                .filter(|child| child.is_open)
                .map(|child| {
                    let child = &child.execution_id;
                    below.apply_if_possible(store, team_id, child).boxed()
                })
                .collect();
            {
                let mut cancels = stream::iter(cancels).buffer_unordered(RUNS_AT_A_TIME);
                while has_time() && cancels.try_next().await?.is_some() {}
            }
            let ids = children.into_iter().map(|child| child.execution_id);
            parents.extend(ids.filter(|id| seen.insert(id.clone())));
        }
        Ok(())
    }
}

/// A sub-flow's run, as found in the index of parents.
pub(crate) struct Child {
    pub(crate) execution_id: ExecutionId,
    is_open: bool,
}

async fn list_all_children(
    store: &Store,
    team_id: &TeamId,
    parents: Vec<ExecutionId>,
    until: Option<Instant>,
) -> Result<Vec<Child>> {
    let reads: Vec<_> = parents
        .into_iter()
        .map(|parent| async move { list_children(store, team_id, &parent, until).await }.boxed())
        .collect();
    stream::iter(reads)
        .buffer_unordered(RUNS_AT_A_TIME)
        .try_concat()
        .await
}

/// Reads the direct children of a run. Stops after the page during which `until` is
/// reached.
pub(crate) async fn list_children(
    store: &Store,
    team_id: &TeamId,
    parent: &ExecutionId,
    until: Option<Instant>,
) -> Result<Vec<Child>> {
    let range = Range::index(&BY_PARENT, [team_id.to_string(), parent.to_string()]).only(&[
        PARTITION_KEY,
        SORT_KEY,
        STATUS,
    ]);
    let (mut children, mut pages) = (Vec::new(), store.pages(&range));
    while let Some(items) = pages.next().await? {
        children.extend(items.iter().filter_map(child));
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
    }
    Ok(children)
}

fn child(item: &Item) -> Option<Child> {
    let execution = Execution::from_item(item.clone())?;
    Some(Child {
        execution_id: execution.execution_id.parse().ok()?,
        is_open: execution.status.is_some_and(Status::is_open),
    })
}
