//! What follows of itself when a run is removed or cancelled.
//!
//! The consumer of the table's stream behind it sees every run that is removed, by
//! a request, by an engine or by DynamoDB's time to live, and removes what else
//! lies in the run's partition. It sees every run that is cancelled, and cancels
//! what is open below it. And it sees each step of a flow's deletion, and goes on
//! with one that nobody works on. And it sees every run that ends, and lets it expire
//! as the rules of its team say ([`crate::retention`]). It keeps the moments at which open
//! runs are looked at ([`crate::deadlines`]).
//!
//! All of it can be done again, so a batch that failed half way is simply repeated.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{FutureExt, StreamExt, stream};

use crate::deadlines;
use crate::error::Result;
use crate::keys;
use crate::model::{Execution, ExecutionId, Item, Status, TeamId, Timestamp, is_expired};
use crate::operations::{Cancellation, Child, Deletion, children_of, delete_items, delete_runs};
use crate::retention;
use crate::store::{Range, Store, key};
use crate::stream::Change;
use crate::table::{PARTITION_KEY, TIME_TO_LIVE, text};

/// How many runs are followed at a time.
const RUNS_AT_A_TIME: usize = 8;

/// How many records of a run are removed before it is looked again whether the run
/// was written anew.
const KEYS_A_PAGE: usize = 500;

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
    /// Runs that have ended, and were given a time at which they expire.
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

/// What there is to do for a change.
enum Task<'a> {
    RemoveChildren {
        pk: &'a str,
        old: &'a Item,
    },
    CancelBelow {
        execution_id: ExecutionId,
        team_id: TeamId,
        cancellation: Cancellation,
    },
    GoOnDeleting(&'a Item),
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

    /// Whether anything follows from a change.
    pub fn concerns(change: &Change) -> bool {
        deadlines::concern(change) || !tasks_of(change).is_empty()
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
        deadlines::follow(&self.store, changes).await?;
        let tasks: Vec<_> = changes
            .iter()
            .flat_map(tasks_of)
            .map(|task| self.perform(task).boxed())
            .collect();
        let mut reaped = Reaped::default();
        let mut failure = None;
        let mut tasks = stream::iter(tasks).buffer_unordered(RUNS_AT_A_TIME);
        // One that fails does not keep the others from their end.
        while let Some(done) = tasks.next().await {
            match done {
                Ok(done) => reaped += done,
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
            Task::GoOnDeleting(item) => {
                if let Some(mut deletion) = Deletion::of_change(&self.store, item).await? {
                    deletion.run(Instant::now() + TURN, false).await?;
                    reaped.turns = 1;
                }
            }
            Task::ApplyRetention { run, was_pinned } => {
                let is_limited = retention::apply(&self.store, run, was_pinned).await?;
                reaped.limited = usize::from(is_limited);
            }
            Task::SettleChildren(pk) => retention::settle_children(&self.store, pk).await?,
        }
        Ok(reaped)
    }

    /// Removes the runs that a run started, if they were to go with it. What these
    /// started follows from that.
    async fn remove_subflows(&self, pk: &str, old: &Item) -> Result<()> {
        if self.store.get_latest(pk, keys::CASCADE).await?.is_none() {
            return Ok(());
        }
        let execution = Execution::from_item(old.clone());
        let ids = execution.and_then(|execution| {
            let team_id: TeamId = execution.team_id?.parse().ok()?;
            Some((team_id, execution.execution_id.parse().ok()?))
        });
        if let Some((team_id, execution_id)) = ids {
            let children = children_of(&self.store, &team_id, &execution_id, None).await?;
            let pk_of = |child: Child| keys::execution_partition(&child.execution_id);
            let pks: Vec<_> = children.into_iter().map(pk_of).collect();
            delete_runs(&self.store, &pks, true).await?;
        }
        // Also where the run is there again: its next deletion is another one.
        self.store.delete(pk, keys::CASCADE).await
    }
}

/// Removes what is left of a run that is gone. A run that was written anew under
/// its id keeps what it has from then on; and what has expired with the run is left to
/// DynamoDB, which takes nothing for it.
///
/// # Errors
/// Those of the table.
pub(crate) async fn remove_children(store: &Store, pk: &str) -> Result<()> {
    let range = Range::expiries_of_run(pk);
    let mut start = None;
    loop {
        let page = store.query(&range, start, KEYS_A_PAGE).await?;
        if store.get_latest(pk, keys::EXECUTION).await?.is_some() {
            return Ok(());
        }
        let now = Timestamp::now();
        let left = page.items.iter().filter(|item| !is_expired(item, now));
        let sort_keys = left.filter_map(keys::sort_key);
        let children = sort_keys.filter(|sk| *sk != keys::EXECUTION);
        let children: Vec<_> = children.map(|sk| key(pk, sk)).collect();
        delete_items(store, &children).await?;
        start = page.last_key;
        if start.is_none() {
            return Ok(());
        }
    }
}

fn tasks_of(change: &Change) -> Vec<Task<'_>> {
    match (&change.old, &change.new) {
        (Some(old), None) if keys::is_execution(old) => {
            let removal = partition_key(old).map(|pk| Task::RemoveChildren { pk, old });
            removal.into_iter().collect()
        }
        (old, Some(new)) if keys::is_execution(new) => {
            let old = old.as_ref();
            let retention = retention::is_due(new).then_some(Task::ApplyRetention {
                run: new,
                was_pinned: old.is_some_and(retention::is_pinned),
            });
            let settles = old.is_some_and(|old| retention::concerns_children(old, new));
            let children = partition_key(new).filter(|_| settles);
            let children = children.map(Task::SettleChildren);
            let tasks = [cancel_below(old, new), retention, children];
            tasks.into_iter().flatten().collect()
        }
        (_, Some(new)) if keys::deletion_of(new).is_some() => vec![Task::GoOnDeleting(new)],
        _ => Vec::new(),
    }
}

fn partition_key(item: &Item) -> Option<&str> {
    item.get(PARTITION_KEY)?.as_s().ok().map(String::as_str)
}

/// What follows for the runs below one that was cancelled by this change.
fn cancel_below<'a>(old: Option<&Item>, new: &Item) -> Option<Task<'a>> {
    let is_cancelled = |item: &Item| {
        let status = item.get("status").and_then(|status| status.as_s().ok());
        status.is_some_and(|status| status == Status::Cancelled.as_str())
    };
    if !is_cancelled(new) || old.is_some_and(is_cancelled) {
        return None;
    }
    let execution = Execution::from_item(new.clone())?;
    Some(Task::CancelBelow {
        cancellation: Cancellation::of(&execution)?,
        execution_id: execution.execution_id.parse().ok()?,
        team_id: execution.team_id?.parse().ok()?,
    })
}
