//! Cancelling a run, and the open runs below it.
//!
//! A cancel is one conditional write: it wins or loses against the end that the
//! engine writes, and never overwrites it. The runs below are cancelled at once
//! as far as the time of a request reaches. Whatever becomes of that request, the
//! consumer of the table's stream sees that a run was cancelled, and does the rest
//! ([`crate::reap`]).

use std::collections::HashSet;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::read_own;
use crate::audit::{Action, Entry, Outcome};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{Execution, ExecutionId, Item, Status, TeamId, Timestamp};
use crate::store::{MAX_ITEMS_A_QUERY, Range, Store, key};
use crate::table::{BY_PARENT, text};

/// The longest reason, in characters. An execution stands whole in every index,
/// so it stays small.
pub const MAX_REASON_LENGTH: usize = 500;

/// How often a run is read again that an engine wrote to between the reading and
/// the write.
const MAX_ATTEMPTS: usize = 5;

/// How long a request looks for runs below the one it cancels. It keeps the answer
/// well before the 29 seconds at which API Gateway gives up.
const SUBFLOW_TIME: Duration = Duration::from_secs(15);

/// How many runs are asked for their sub-flows, or cancelled, at a time.
const RUNS_AT_A_TIME: usize = 16;

/// What became of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The run was open, and is cancelled.
    Now,
    /// The run had ended before, in this state; `None` where the record has a word
    /// of no state.
    EndedBefore(Option<Status>),
}

/// Cancels a run that is pending or running, with all open runs below it.
///
/// Of a run that has been cancelled before, the runs below that are still open
/// are cancelled, so a call that was cut off can be made again.
///
/// # Errors
/// [`Error::ExecutionNotFound`]; [`Error::Forbidden`] for a run of a flow that the
/// caller is kept from; and those of the table.
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
    let found = cancellation.end_of(&execution);
    if let Some((outcome, None)) = found {
        return Ok(outcome);
    }
    let event = Entry::new(caller, Action::ExecutionCancelled, execution_id.as_str())?
        .detail_if_any("reason", cancellation.reason.as_deref());
    let mut event = event.begin(store).await?;
    let ended_before = found.map(|(outcome, _)| outcome);
    let result = cancel_with_those_below(store, caller, execution_id, cancellation, ended_before);
    let result = result.await;
    match &result {
        Ok(Cancelled::Now) => event.end(Outcome::Done).await,
        Ok(Cancelled::EndedBefore(status)) => {
            event.tell("status", status.map_or("unknown", Status::as_str));
            event.end(Outcome::Failed).await;
        }
        Err(error) => event.end_with(error).await,
    }
    result
}

/// Cancels a run that is open, and the open runs below it: these alone where the run
/// was cancelled before.
async fn cancel_with_those_below(
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
            // The run itself is cancelled, so the stream's consumer does the rest.
            let error = error.with_causes();
            tracing::warn!(%execution_id, error, "sub-flows are cancelled later");
        }
    }
    Ok(outcome)
}

/// Cancels a run that was open a moment ago. Returns as well the cancellation that it
/// has ended by, be it an earlier one.
async fn cancel_open(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    cancellation: Cancellation,
) -> Result<(Cancelled, Option<Cancellation>)> {
    for _ in 0..MAX_ATTEMPTS {
        if cancellation.apply(store, execution_id).await? {
            return Ok((Cancelled::Now, Some(cancellation)));
        }
        let execution = read_own(store, caller, execution_id).await?;
        if let Some(ended) = cancellation.end_of(&execution) {
            return Ok(ended);
        }
    }
    Err(Error::Unavailable("the run keeps changing".into()))
}

/// Who cancels, why, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cancellation {
    by: String,
    reason: Option<String>,
    at: Option<Timestamp>,
    /// What the run says of its end, as its error. Nobody's wish needs one.
    message: Option<String>,
}

impl Cancellation {
    /// One that nobody has asked for now, with what the run says of it.
    pub(crate) fn by_itself(by: &str, message: String) -> Self {
        Self {
            by: by.to_owned(),
            reason: None,
            at: Some(Timestamp::now()),
            message: Some(message),
        }
    }

    /// The cancellation that ended this run. `None` where it ended otherwise, or by
    /// its engine alone.
    pub(crate) fn of(execution: &Execution) -> Option<Self> {
        (execution.status == Some(Status::Cancelled)).then_some(())?;
        Some(Self {
            by: execution.cancelled_by.clone()?,
            reason: execution.cancel_reason.clone(),
            at: execution.end_time,
            message: None,
        })
    }

    /// How a run has ended that this would cancel, and the cancellation that it has
    /// ended by. `None` while it is open.
    fn end_of(&self, execution: &Execution) -> Option<(Cancelled, Option<Self>)> {
        if execution.status.is_some_and(Status::is_open) {
            return None;
        }
        let found = Self::of(execution);
        // The answer to our own write may have been lost, and the SDK repeats it.
        let outcome = match found.as_ref() == Some(self) {
            true => Cancelled::Now,
            false => Cancelled::EndedBefore(execution.status),
        };
        Some((outcome, found))
    }

    /// Cancels a run if it is open. Returns whether it was.
    async fn apply(&self, store: &Store, execution_id: &ExecutionId) -> Result<bool> {
        self.apply_while(store, execution_id, None).await
    }

    /// Cancels a run if it is open, and an attribute of it still has this value. Returns
    /// whether it was so.
    ///
    /// # Errors
    /// Those of the table.
    pub(crate) async fn apply_while(
        &self,
        store: &Store,
        execution_id: &ExecutionId,
        still: Option<(&str, AttributeValue)>,
    ) -> Result<bool> {
        let at = self.at.unwrap_or_else(Timestamp::now);
        // A duration that was written before the end is no longer right.
        let mut changes = "SET #status = :cancelled, cancelledBy = :by, endTime = :now".to_owned();
        let mut update = Update::builder()
            .table_name(store.table())
            .set_key(Some(key(
                keys::execution_partition(execution_id),
                keys::EXECUTION,
            )))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(Status::Pending.as_str()))
            .expression_attribute_values(":running", text(Status::Running.as_str()))
            .expression_attribute_values(":cancelled", text(Status::Cancelled.as_str()))
            .expression_attribute_values(":by", text(&self.by))
            .expression_attribute_values(":now", text(at.to_string()));
        if let Some(reason) = &self.reason {
            changes.push_str(", cancelReason = :reason");
            update = update.expression_attribute_values(":reason", text(reason));
        }
        if let Some(message) = &self.message {
            changes.push_str(", errorMessage = :message");
            update = update.expression_attribute_values(":message", text(message));
        }
        changes.push_str(" REMOVE durationMs");
        let mut condition = "#status IN (:pending, :running)".to_owned();
        if let Some((attribute, value)) = still {
            condition.push_str(" AND #still = :still");
            update = update
                .expression_attribute_names("#still", attribute)
                .expression_attribute_values(":still", value);
        }
        let update = update.condition_expression(condition);
        let update = update.update_expression(changes).build();
        store.update(update.map_err(Error::internal)?).await
    }

    /// The same of a run whose neighbours are cancelled too: one that has no room
    /// for it stays open, and does not keep them from their end.
    async fn apply_if_possible(&self, store: &Store, execution_id: &ExecutionId) -> Result<bool> {
        match self.apply(store, execution_id).await {
            Err(error @ Error::TooLarge(_)) => {
                let error = error.with_causes();
                tracing::error!(%execution_id, error, "a sub-flow could not be cancelled");
                Ok(false)
            }
            other => other,
        }
    }

    /// Cancels the open runs below a run, on all levels, until a moment.
    ///
    /// Runs below one that has ended are looked for as well: it need not have
    /// waited for them.
    ///
    /// # Errors
    /// Those of the table.
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
                format!("The run {execution_id}, to which this one belongs, was cancelled.")
            })),
        };
        let below = &below;
        // Engines write what names a parent, so a run may be below itself.
        let mut seen = HashSet::from([execution_id.clone()]);
        let mut parents = vec![execution_id.clone()];
        let is_time = || until.is_none_or(|until| Instant::now() < until);
        while !parents.is_empty() && is_time() {
            let some = parents.split_off(parents.len().saturating_sub(RUNS_AT_A_TIME));
            let children = children_of_all(store, team_id, some, until).await?;
            let cancels: Vec<_> = children
                .iter()
                .filter(|child| child.is_open)
                .map(|child| below.apply_if_possible(store, &child.execution_id).boxed())
                .collect();
            {
                let mut cancels = stream::iter(cancels).buffer_unordered(RUNS_AT_A_TIME);
                while is_time() && cancels.try_next().await?.is_some() {}
            }
            let ids = children.into_iter().map(|child| child.execution_id);
            parents.extend(ids.filter(|id| seen.insert(id.clone())));
        }
        Ok(())
    }
}

/// A sub-flow's run, as the index of parents has it.
pub(crate) struct Child {
    pub(crate) execution_id: ExecutionId,
    is_open: bool,
}

async fn children_of_all(
    store: &Store,
    team_id: &TeamId,
    parents: Vec<ExecutionId>,
    until: Option<Instant>,
) -> Result<Vec<Child>> {
    let reads: Vec<_> = parents
        .into_iter()
        .map(|parent| async move { children_of(store, team_id, &parent, until).await }.boxed())
        .collect();
    stream::iter(reads)
        .buffer_unordered(RUNS_AT_A_TIME)
        .try_concat()
        .await
}

/// The runs that a run started itself: all that are read until a moment.
pub(crate) async fn children_of(
    store: &Store,
    team_id: &TeamId,
    parent: &ExecutionId,
    until: Option<Instant>,
) -> Result<Vec<Child>> {
    let range = Range::index(&BY_PARENT, [team_id.to_string(), parent.to_string()])
        .only(&["pk", "sk", "status"]);
    let (mut children, mut start) = (Vec::new(), None);
    loop {
        let page = store.query(&range, start, MAX_ITEMS_A_QUERY).await?;
        children.extend(page.items.iter().filter_map(child));
        start = page.last_key;
        if start.is_none() || until.is_some_and(|until| Instant::now() >= until) {
            return Ok(children);
        }
    }
}

fn child(item: &Item) -> Option<Child> {
    let execution = Execution::from_item(item.clone())?;
    Some(Child {
        execution_id: execution.execution_id.parse().ok()?,
        is_open: execution.status.is_some_and(Status::is_open),
    })
}
