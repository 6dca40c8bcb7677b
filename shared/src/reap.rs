//! What follows of itself when a run is removed or cancelled.
//!
//! The consumer of the table's stream behind it sees every run that is removed, by
//! a request, by an engine or by DynamoDB's time to live, and removes what else
//! lies in the run's partition. It sees every run that is cancelled, and cancels
//! what is open below it. And it sees each step of a flow's deletion, and goes on
//! with one that nobody works on.
//!
//! All of it can be done again, so a batch that failed half way is simply repeated.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::error::Result;
use crate::keys;
use crate::model::{Execution, ExecutionId, Item, Status, TeamId, Timestamp, is_expired};
use crate::operations::{
    Cancellation, Deletion, children_of, delete_executions, delete_in_batches, mark_cascades,
};
use crate::store::{MAX_ITEMS_A_QUERY, Range, Store, key};
use crate::stream::Change;
use crate::table::{TIME_TO_LIVE, text};

/// How many runs are followed at a time.
const RUNS_AT_A_TIME: usize = 8;

/// How long a flow's deletion is worked on at a time. Then the children of the runs
/// that it has removed have their turn, which are behind it in the stream.
const TURN: Duration = Duration::from_secs(5);

/// How long a checkpoint is kept after its last note, in seconds. A stream keeps its
/// records for one day.
const CHECKPOINT_KEPT_SECONDS: i64 = 7 * 24 * 3_600;

const SEQUENCE_NUMBER: &str = "sequenceNumber";

/// The consumer of the stream.
#[derive(Debug, Clone)]
pub struct Reaper {
    store: Store,
}

/// What some changes have led to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Runs that were removed, and whose children were.
    pub removed: usize,
    /// Runs that were cancelled, and those below them.
    pub cancelled: usize,
    /// Turns in which a flow's deletion was worked on.
    pub turns: usize,
}

impl AddAssign for Reaped {
    fn add_assign(&mut self, more: Self) {
        self.removed += more.removed;
        self.cancelled += more.cancelled;
        self.turns += more.turns;
    }
}

/// What there is to do for a change.
enum Task<'a> {
    RemoveChildren {
        execution_id: ExecutionId,
        team_id: Option<TeamId>,
    },
    CancelBelow {
        execution_id: ExecutionId,
        team_id: TeamId,
        cancellation: Cancellation,
    },
    GoOnDeleting(&'a Item),
}

impl Reaper {
    /// A consumer that works on this table.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Whether anything follows from a change.
    pub fn concerns(change: &Change) -> bool {
        task_of(change).is_some()
    }

    /// The sequence number up to which a shard's changes were followed, as
    /// [`Self::set_checkpoint`] noted. AWS Lambda keeps it itself.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn checkpoint(&self, shard_id: &str) -> Result<Option<String>> {
        let pk = keys::checkpoint_partition(shard_id);
        let item = self.store.get_latest(&pk, keys::REAP).await?;
        let noted = item.and_then(|mut item| item.remove(SEQUENCE_NUMBER));
        Ok(noted.and_then(|noted| noted.as_s().ok().cloned()))
    }

    /// Notes up to where a shard's changes were followed.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn set_checkpoint(&self, shard_id: &str, sequence_number: &str) -> Result<()> {
        let mut item = key(keys::checkpoint_partition(shard_id), keys::REAP);
        item.insert(SEQUENCE_NUMBER.to_owned(), text(sequence_number));
        let expiry = Timestamp::now().seconds() + CHECKPOINT_KEPT_SECONDS;
        item.insert(
            TIME_TO_LIVE.to_owned(),
            AttributeValue::N(expiry.to_string()),
        );
        self.store.put(item).await
    }

    /// Does what follows from these changes. What fails can be given again, whole.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn follow(&self, changes: &[Change]) -> Result<Reaped> {
        let tasks: Vec<_> = changes
            .iter()
            .filter_map(task_of)
            .map(|task| self.perform(task).boxed())
            .collect();
        let mut reaped = Reaped::default();
        let mut tasks = stream::iter(tasks).buffer_unordered(RUNS_AT_A_TIME);
        while let Some(done) = tasks.try_next().await? {
            reaped += done;
        }
        Ok(reaped)
    }

    async fn perform(&self, task: Task<'_>) -> Result<Reaped> {
        let mut reaped = Reaped::default();
        match task {
            Task::RemoveChildren {
                execution_id,
                team_id,
            } => {
                self.remove_children(&execution_id, team_id.as_ref())
                    .await?;
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
            Task::GoOnDeleting(item) => {
                if let Some(mut deletion) = Deletion::of_change(&self.store, item).await? {
                    deletion.run(Instant::now() + TURN, false).await?;
                    reaped.turns = 1;
                }
            }
        }
        Ok(reaped)
    }

    /// Removes what is left of a run that is gone.
    async fn remove_children(
        &self,
        execution_id: &ExecutionId,
        team_id: Option<&TeamId>,
    ) -> Result<()> {
        let pk = keys::execution_partition(execution_id);
        // A run that was written anew under its id keeps its records.
        if self.store.get_latest(&pk, keys::EXECUTION).await?.is_some() {
            return Ok(());
        }
        if let Some(team_id) = team_id
            && self.cascades(&pk).await?
        {
            self.remove_subflows(execution_id, team_id).await?;
        }
        let range = Range::keys_of_execution(execution_id);
        let mut start = None;
        loop {
            let page = self.store.query(&range, start, MAX_ITEMS_A_QUERY).await?;
            delete_in_batches(&self.store, page.items).await?;
            start = page.last_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether the run's sub-flows were to go with it.
    async fn cascades(&self, pk: &str) -> Result<bool> {
        let mark = self.store.get_latest(pk, keys::CASCADE).await?;
        Ok(mark.is_some_and(|mark| !is_expired(&mark, Timestamp::now())))
    }

    /// Removes the runs that a run started; what these started follows from that.
    async fn remove_subflows(&self, execution_id: &ExecutionId, team_id: &TeamId) -> Result<()> {
        let children = children_of(&self.store, team_id, execution_id).await?;
        let ids: Vec<_> = children
            .into_iter()
            .map(|child| child.execution_id)
            .collect();
        mark_cascades(&self.store, &ids).await?;
        delete_executions(&self.store, &ids).await
    }
}

fn task_of(change: &Change) -> Option<Task<'_>> {
    match (&change.old, &change.new) {
        (Some(old), None) if keys::is_execution(old) => {
            let execution = Execution::from_item(old.clone())?;
            Some(Task::RemoveChildren {
                execution_id: execution.execution_id.parse().ok()?,
                team_id: execution.team_id.and_then(|team_id| team_id.parse().ok()),
            })
        }
        (old, Some(new)) if keys::is_execution(new) => {
            let is_cancelled = |item: &Item| {
                let status = item.get("status").and_then(|status| status.as_s().ok());
                status.is_some_and(|status| status == Status::Cancelled.as_str())
            };
            if !is_cancelled(new) || old.as_ref().is_some_and(is_cancelled) {
                return None;
            }
            let execution = Execution::from_item(new.clone())?;
            Some(Task::CancelBelow {
                cancellation: Cancellation::of(&execution)?,
                execution_id: execution.execution_id.parse().ok()?,
                team_id: execution.team_id?.parse().ok()?,
            })
        }
        (_, Some(new)) if keys::deletion_of(new).is_some() => Some(Task::GoOnDeleting(new)),
        _ => None,
    }
}
