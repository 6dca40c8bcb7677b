//! The times at which open runs must be checked: when they time out and, if their team closes runs
//! without a heartbeat, when the last heartbeat is too old.
//!
//! A run keeps `timeoutAt` after its end, and most runs have none, so no index of the table has
//! exactly the runs that matter. The consumer of the table's stream (`history::run_changes`) writes
//! an entry for each time ([`follow`]), ordered by time, and the sweeper (`history::sweep`) reads
//! the entries whose time has come. A run without `timeoutAt` and `heartbeatAt` costs nothing.
//!
//! An entry only says when to check a run. The sweeper decides by the run's state at that time, so
//! an unnecessary entry costs one check, and no entry is updated.

use aws_sdk_dynamodb::types::AttributeValue;
use format::Result;
use format::attributes::{
    FLOW_ID, HEARTBEAT_AT, PARTITION_KEY, SORT_KEY, STATUS, TEAM_ID, TIMEOUT_AT,
};
use format::change::{Change, Image};
use format::keys::{self, key};
use format::model::{ExecutionId, Item, TeamId, Timestamp};
use store::{Store, Writes};
use team::stalled;

/// The attributes of a run that decide when it is checked.
const ATTRIBUTES: &[&str] = &[
    PARTITION_KEY,
    SORT_KEY,
    TEAM_ID,
    FLOW_ID,
    STATUS,
    TIMEOUT_AT,
    HEARTBEAT_AT,
];

/// An open run that may be closed at some time.
pub struct WatchedRun {
    /// The run.
    pub execution_id: ExecutionId,
    /// Its team.
    pub team_id: TeamId,
    /// Its flow.
    pub flow_id: Option<String>,
    /// When it is closed if it is still open.
    pub timeout_at: Option<Timestamp>,
    /// Its last heartbeat.
    pub heartbeat_at: Option<Timestamp>,
}

impl WatchedRun {
    /// Reads a run's item. Returns `None` for any other item, and for a run that is never checked.
    pub fn from_item(item: Item) -> Option<Self> {
        Self::from_image(&Image::from(item))
    }

    /// Reads a run's item in the stream.
    pub fn from_image(image: &Image) -> Option<Self> {
        if !image.contains_key(TIMEOUT_AT) && !image.contains_key(HEARTBEAT_AT) {
            return None;
        }
        let execution = image.execution()?;
        execution.status.filter(|status| status.is_open())?;
        Some(Self {
            execution_id: execution.execution_id.parse().ok()?,
            team_id: execution.team_id.as_ref()?.parse().ok()?,
            flow_id: execution.flow_id.clone(),
            timeout_at: execution.timeout_at,
            heartbeat_at: execution.heartbeat_at,
        })
    }

    /// When the run will be closed if it sends no further heartbeat; `None` if its team does not
    /// close such runs.
    ///
    /// # Errors
    /// Returns an error if the team's settings cannot be read.
    pub async fn closes_at(&self, store: &Store) -> Result<Option<Timestamp>> {
        let Some(heartbeat_at) = self.heartbeat_at else {
            return Ok(None);
        };
        let limits = stalled::limits_of(store, &self.team_id).await?;
        let seconds = limits.close_after(self.flow_id.as_deref());
        Ok(seconds.and_then(|seconds| heartbeat_at.plus_seconds(seconds)))
    }
}

/// The keys of the entry for checking a run at this time.
pub fn entry(time: Timestamp, execution_id: &ExecutionId) -> (String, String) {
    (
        keys::deadline_partition(keys::deadline_shard(execution_id)),
        keys::deadline_entry(time, execution_id),
    )
}

/// Returns whether a change creates or removes an entry.
pub fn is_affected_by(change: &Change) -> bool {
    let [old, new] =
        [&change.old, &change.new].map(|image| image.as_ref().and_then(WatchedRun::from_image));
    timeout_entry(old.as_ref()) != timeout_entry(new.as_ref()) || has_first_heartbeat(&old, &new)
}

fn timeout_entry(run: Option<&WatchedRun>) -> Option<(String, String)> {
    let run = run?;
    Some(entry(run.timeout_at?, &run.execution_id))
}

/// Returns whether a run has sent its first heartbeat. Later heartbeats need no entry: when the time
/// of the first entry comes, the sweeper reads the run with its latest heartbeat.
fn has_first_heartbeat(old: &Option<WatchedRun>, new: &Option<WatchedRun>) -> bool {
    let has_heartbeat =
        |run: &Option<WatchedRun>| run.as_ref().is_some_and(|run| run.heartbeat_at.is_some());
    has_heartbeat(new) && !has_heartbeat(old)
}

/// Updates the entries after some changes of the table, which have the order of the stream.
/// Repeating it changes nothing.
///
/// # Errors
/// Returns an error if the table cannot be written. The same changes must be delivered again then.
pub async fn follow(store: &Store, changes: &[Change]) -> Result<usize> {
    let mut writes = Writes::new();
    for change in changes {
        let [old, new] =
            [&change.old, &change.new].map(|image| image.as_ref().and_then(WatchedRun::from_image));
        let (had, has) = (timeout_entry(old.as_ref()), timeout_entry(new.as_ref()));
        if had != has {
            writes.extend(had.map(|entry| (entry, None)));
            writes.extend(has.map(put_entry));
        }
        if has_first_heartbeat(&old, &new)
            && let Some(run) = &new
            && let Some(time) = run.closes_at(store).await?
        {
            writes.extend([put_entry(entry(time, &run.execution_id))]);
        }
    }
    store.write_each(writes).await
}

fn put_entry((pk, sk): (String, String)) -> ((String, String), Option<Item>) {
    let item = key(&pk, &sk);
    ((pk, sk), Some(item))
}

/// Writes the entries of all open runs of a team or of all teams. This is needed for runs that are
/// older than the consumer, runs whose changes were skipped, and runs that sent heartbeats before
/// their team closed any. Returns the number of entries.
pub async fn enter_all(store: &Store, team_id: Option<&TeamId>) -> Result<usize> {
    let (mut entered, mut pages) = (0, store.runs(team_id, ATTRIBUTES));
    while let Some(items) = pages.next().await? {
        let mut writes = Writes::new();
        for run in items.into_iter().filter_map(WatchedRun::from_item) {
            let closes_at = run.closes_at(store).await?;
            let times = [run.timeout_at, closes_at].into_iter().flatten();
            writes.extend(times.map(|time| put_entry(entry(time, &run.execution_id))));
        }
        // A run that has ended since it was read has an unnecessary entry, which the sweeper
        // removes.
        entered += store.write_each(writes).await?;
    }
    Ok(entered)
}

/// An attribute of a run with its current value. The sweeper bases its decision on the attribute,
/// and closes the run only while the value is the same.
pub fn expected_value(
    run: &Item,
    attribute: &'static str,
) -> Option<(&'static str, AttributeValue)> {
    Some((attribute, run.get(attribute)?.clone()))
}
