//! The follow-up work after a run is removed, is cancelled or ends.
//!
//! The consumer of the table's stream calls this module for every change:
//!
//! - After a run is removed, by a request, by an engine or by DynamoDB's time to live, the
//!   other records in the run's partition are removed.
//! - After a run is cancelled, the open runs below it are cancelled.
//! - After each step of a flow's deletion, the deletion is continued, unless another worker
//!   is processing it.
//! - After a run ends, its expiry is set as the rules of its team define
//!   ([`crate::expiry`]).
//! - The entries with the times at which open runs are checked are updated
//!   ([`derived::deadlines`]).
//!
//! All of this work can be repeated, so a batch that failed halfway is processed again.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use derived::{checkpoint, deadlines};
use format::Result;
use format::attributes::{IS_DELETED, JOINED_RUN, PARTITION_KEY, TIME_TO_LIVE, number};
use format::change::{Change, Image};
use format::keys::{self, key};
use format::model::{ExecutionId, Item, Status, TeamId, Timestamp, is_expired};
use futures_util::{FutureExt, StreamExt};
use store::{Condition, Range, Store};

use crate::expiry;
use crate::operations::{Cancellation, Child, Deletion, delete_items, delete_runs, list_children};

/// How many runs are processed at a time.
const RUNS_AT_A_TIME: usize = 8;

/// How many records of a run are removed before the consumer checks again whether the run
/// was created a second time.
const KEYS_A_PAGE: usize = 500;

/// How long the consumer works on a flow's deletion before it continues with the stream.
/// The removed runs appear in the stream as well, and their children are removed only when
/// the consumer reaches them.
const TURN: Duration = Duration::from_secs(5);

/// The consumer of the stream that does the follow-up work.
#[derive(Debug, Clone)]
pub struct Reaper {
    store: Store,
}

/// How much work some changes required.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Runs that were removed, and whose children were removed.
    pub removed: usize,
    /// Runs that were cancelled together with the runs below them.
    pub cancelled: usize,
    /// Turns in which a flow's deletion was continued.
    pub turns: usize,
    /// Runs that have ended, and whose `expiresAt` was set.
    pub limited: usize,
}

impl AddAssign for Reaped {
    fn add_assign(&mut self, more: Self) {
        self.removed += more.removed;
        self.cancelled += more.cancelled;
        self.turns += more.turns;
        self.limited += more.limited;
    }
}

/// The work that a change requires.
enum Task<'a> {
    RemoveChildren {
        pk: &'a str,
        old: &'a Image,
    },
    CancelBelow {
        execution_id: ExecutionId,
        team_id: TeamId,
        cancellation: Cancellation,
    },
    ContinueDeletion(&'a Item),
    ApplyRetention {
        run: &'a Item,
        was_pinned: bool,
    },
    SettleChildren(&'a str),
}

impl Reaper {
    /// A consumer that works on this table.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns whether a change requires any work.
    pub fn concerns(change: &Change) -> bool {
        deadlines::is_affected_by(change) || !tasks_for(change).is_empty()
    }

    /// Returns the sequence number up to which a shard's changes were processed, as stored
    /// by [`Self::set_checkpoint`]. AWS Lambda keeps this position itself.
    pub async fn checkpoint(&self, shard_id: &str) -> Result<Option<String>> {
        checkpoint::read_position(&self.store, shard_id, keys::REAP).await
    }

    /// Stores the sequence number up to which a shard's changes were processed.
    pub async fn set_checkpoint(&self, shard_id: &str, sequence_number: &str) -> Result<()> {
        checkpoint::write_position(&self.store, shard_id, keys::REAP, sequence_number).await
    }

    /// Does the work that these changes require. After an error, the same changes can be
    /// passed again.
    pub async fn follow(&self, changes: &[Change]) -> Result<Reaped> {
        deadlines::follow(&self.store, changes).await?;
        let tasks: Vec<_> = changes
            .iter()
            .flat_map(tasks_for)
            .map(|task| self.perform(task).boxed())
            .collect();
        let mut reaped = Reaped::default();
        let mut failure = None;
        let mut tasks = futures_util::stream::iter(tasks).buffer_unordered(RUNS_AT_A_TIME);
        // One failure does not stop the other tasks.
        while let Some(done) = tasks.next().await {
            match done {
                Ok(done) => reaped += done,
                // A retry would fail every time, and block every team's changes behind it.
                Err(error) if error.is_caused_by_item() => {
                    let error = error.with_causes();
                    tracing::error!(error, "the work for a change failed and is skipped");
                }
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(reaped), Err)
    }

    async fn perform(&self, task: Task<'_>) -> Result<Reaped> {
        let mut reaped = Reaped::default();
        match task {
            Task::RemoveChildren { pk, old } => {
                self.remove_subflows(pk, old).await?;
                remove_children(&self.store, pk).await?;
                reaped.removed = 1;
            }
            Task::CancelBelow {
                execution_id,
                team_id,
                cancellation,
            } => {
                cancellation
                    .apply_below(&self.store, &team_id, &execution_id, None)
                    .await?;
                reaped.cancelled = 1;
            }
            Task::ContinueDeletion(item) => {
                if let Some(mut deletion) = Deletion::from_change(&self.store, item).await? {
                    deletion.run(Instant::now() + TURN, false).await?;
                    reaped.turns = 1;
                }
            }
            Task::ApplyRetention { run, was_pinned } => {
                let is_limited = expiry::apply(&self.store, run, was_pinned).await?;
                reaped.limited = usize::from(is_limited);
            }
            Task::SettleChildren(pk) => expiry::settle_children(&self.store, pk).await?,
        }
        Ok(reaped)
    }

    /// Removes the runs that a run started, if its deletion was a cascade. Their own
    /// removal leads to the removal of the runs below them.
    async fn remove_subflows(&self, pk: &str, old: &Image) -> Result<()> {
        if self.store.get_latest(pk, keys::CASCADE).await?.is_none() {
            return Ok(());
        }
        let ids = old.execution().and_then(|execution| {
            let team_id: TeamId = execution.team_id.as_ref()?.parse().ok()?;
            Some((team_id, execution.execution_id.parse().ok()?))
        });
        if let Some((team_id, execution_id)) = ids {
            let children = list_children(&self.store, &team_id, &execution_id, None).await?;
            let pk_of = |child: Child| keys::execution_partition(&child.execution_id);
            let pks: Vec<_> = children.into_iter().map(pk_of).collect();
            delete_runs(&self.store, &team_id, &pks, true).await?;
        }
        // The flag is removed even if the run was created again: a later deletion of the run
        // must not cascade because of this one.
        self.store.delete(pk, keys::CASCADE).await
    }
}

/// Removes the remaining records of a removed run. If a run is created again under the same
/// id, it keeps the records written since. Records that have expired with the run are left
/// to DynamoDB, which removes them free of charge.
pub async fn remove_children(store: &Store, pk: &str) -> Result<()> {
    let range = Range::expiries_of_run(pk);
    let mut pages = store.pages(&range).limited_to(KEYS_A_PAGE);
    while let Some(items) = pages.next().await? {
        if store.get_latest(pk, keys::EXECUTION).await?.is_some() {
            break;
        }
        let now = Timestamp::now();
        let left = items.iter().filter(|item| !is_expired(item, now));
        let sort_keys: Vec<_> = left.filter_map(keys::sort_key).collect();
        let is_child = |sk: &&&str| ![keys::EXECUTION, keys::TRACE].contains(sk);
        let children = sort_keys.iter().filter(is_child);
        let children: Vec<_> = children.map(|sk| key(pk, *sk)).collect();
        delete_items(store, &children).await?;
        if sort_keys.contains(&keys::TRACE) {
            keep_deleted(store, pk).await?;
        }
    }
    Ok(())
}

/// For how long spans of a deleted run are rejected, in seconds. Exporters send late spans for
/// minutes, and a program that is still running sends new ones.
const DELETED_SECONDS: i64 = 7 * 24 * 3_600;

/// Replaces the state of a trace by the fact that its run was deleted. So late spans do not create
/// the run again. A trace that has become a part of another run stays one.
async fn keep_deleted(store: &Store, pk: &str) -> Result<()> {
    let mut item = key(pk, keys::TRACE);
    item.insert(IS_DELETED.to_owned(), AttributeValue::Bool(true));
    let until = Timestamp::now().seconds() + DELETED_SECONDS;
    item.insert(TIME_TO_LIVE.to_owned(), number(until));
    let is_own = Condition::exists().and(!Condition::has(JOINED_RUN));
    store.put_if(item, is_own).await?;
    Ok(())
}

fn tasks_for(change: &Change) -> Vec<Task<'_>> {
    match (&change.old, &change.new) {
        (Some(old), None) if keys::is_execution(old) => {
            let removal = partition_key(old).map(|pk| Task::RemoveChildren { pk, old });
            removal.into_iter().collect()
        }
        (old, Some(new)) if keys::is_execution(new) => {
            let old = old.as_ref();
            let retention = expiry::needs_expiry(new).then_some(Task::ApplyRetention {
                run: new,
                was_pinned: old.is_some_and(|old| expiry::is_pinned(old)),
            });
            let settles = old.is_some_and(|old| expiry::concerns_children(old, new));
            let children = partition_key(new).filter(|_| settles);
            let children = children.map(Task::SettleChildren);
            let tasks = [cancel_below(old, new), retention, children];
            tasks.into_iter().flatten().collect()
        }
        (_, Some(new)) if keys::deletion_of(new).is_some() => vec![Task::ContinueDeletion(new)],
        _ => Vec::new(),
    }
}

fn partition_key(item: &Item) -> Option<&str> {
    item.get(PARTITION_KEY)?.as_s().ok().map(String::as_str)
}

/// Returns the task that cancels the runs below a run, if this change cancelled that run.
fn cancel_below<'a>(old: Option<&Image>, new: &Image) -> Option<Task<'a>> {
    let is_cancelled = |image: &Image| {
        let execution = image.execution();
        execution.is_some_and(|execution| execution.status == Some(Status::Cancelled))
    };
    if !is_cancelled(new) || old.is_some_and(is_cancelled) {
        return None;
    }
    let execution = new.execution()?;
    Some(Task::CancelBelow {
        cancellation: Cancellation::from_execution(execution)?,
        execution_id: execution.execution_id.parse().ok()?,
        team_id: execution.team_id.as_ref()?.parse().ok()?,
    })
}
