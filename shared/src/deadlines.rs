//! When open runs are to be looked at: at the moment at which they time out, and, where a
//! team closes runs that give no sign of life, at the one at which that is long enough.
//!
//! `timeoutAt` stays in a run after its end, and most runs have none, so no index of the
//! table holds just those that matter. The consumer of the table's stream
//! ([`crate::reap`]) keeps an entry for each moment ([`follow`]), in the order of time, and
//! the sweeper ([`crate::sweep`]) reads those that are due. A run without `timeoutAt` and
//! `heartbeatAt` costs nothing.
//!
//! An entry says when to look, and nothing else: what is done the run decides, as it is
//! then. So an entry too many costs a look, and none is written twice.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::Result;
use crate::keys;
use crate::model::{Execution, ExecutionId, Item, TeamId, Timestamp};
use crate::stalled;
use crate::store::{Store, Writes, key};
use crate::stream::Change;
use crate::table::{HEARTBEAT_AT, PARTITION_KEY, SORT_KEY, TIMEOUT_AT};

/// What of a run says when it is to be looked at.
const ATTRIBUTES: &[&str] = &[
    PARTITION_KEY,
    SORT_KEY,
    "teamId",
    "flowId",
    "status",
    TIMEOUT_AT,
    HEARTBEAT_AT,
];

/// An open run that can come to be closed.
pub(crate) struct Watched {
    pub(crate) execution_id: ExecutionId,
    pub(crate) team_id: TeamId,
    pub(crate) flow_id: Option<String>,
    pub(crate) timeout_at: Option<Timestamp>,
    pub(crate) heartbeat_at: Option<Timestamp>,
}

impl Watched {
    /// `None` of anything else.
    pub(crate) fn of(item: &Item) -> Option<Self> {
        if !item.contains_key(TIMEOUT_AT) && !item.contains_key(HEARTBEAT_AT) {
            return None;
        }
        let execution = Execution::from_item(item.clone())?;
        execution.status.filter(|status| status.is_open())?;
        Some(Self {
            execution_id: execution.execution_id.parse().ok()?,
            team_id: execution.team_id?.parse().ok()?,
            flow_id: execution.flow_id,
            timeout_at: execution.timeout_at,
            heartbeat_at: execution.heartbeat_at,
        })
    }

    /// When the run has been without a sign of life for so long that its team has it
    /// closed, if there comes no other.
    ///
    /// # Errors
    /// Those of the table.
    pub(crate) async fn closes_at(&self, store: &Store) -> Result<Option<Timestamp>> {
        let Some(heartbeat_at) = self.heartbeat_at else {
            return Ok(None);
        };
        let limits = stalled::limits_of(store, &self.team_id).await?;
        let seconds = limits.close_after(self.flow_id.as_deref());
        Ok(seconds.and_then(|seconds| later(heartbeat_at, seconds)))
    }
}

/// A moment so many seconds later.
pub(crate) fn later(time: Timestamp, seconds: u32) -> Option<Timestamp> {
    Timestamp::from_milliseconds(time.milliseconds() + i64::from(seconds) * 1_000)
}

/// The keys of the entry that says to look at a run then.
pub(crate) fn entry(time: Timestamp, execution_id: &ExecutionId) -> (String, String) {
    (
        keys::deadline_partition(keys::deadline_shard(execution_id)),
        keys::deadline_entry(time, execution_id),
    )
}

/// Whether an entry follows from a change, or goes with it.
pub(crate) fn concern(change: &Change) -> bool {
    let [old, new] = [&change.old, &change.new].map(|image| image.as_ref().and_then(Watched::of));
    timeout_entry(old.as_ref()) != timeout_entry(new.as_ref()) || begins_to_live(&old, &new)
}

fn timeout_entry(run: Option<&Watched>) -> Option<(String, String)> {
    let run = run?;
    Some(entry(run.timeout_at?, &run.execution_id))
}

/// Whether a run has given its first sign of life. The next ones are no writes: whoever
/// looks at the run when that one is old sees them.
fn begins_to_live(old: &Option<Watched>, new: &Option<Watched>) -> bool {
    let lives = |run: &Option<Watched>| run.as_ref().is_some_and(|run| run.heartbeat_at.is_some());
    lives(new) && !lives(old)
}

/// Brings the entries up to some changes of the table, which are in the order of the
/// stream. To do it again changes nothing.
///
/// # Errors
/// Those of the table. Changes of which some were followed are to be handed over again.
pub(crate) async fn follow(store: &Store, changes: &[Change]) -> Result<usize> {
    let mut writes = Writes::new();
    for change in changes {
        let [old, new] =
            [&change.old, &change.new].map(|image| image.as_ref().and_then(Watched::of));
        let (had, has) = (timeout_entry(old.as_ref()), timeout_entry(new.as_ref()));
        if had != has {
            writes.extend(had.map(|entry| (entry, None)));
            writes.extend(has.map(written));
        }
        if begins_to_live(&old, &new)
            && let Some(run) = &new
            && let Some(time) = run.closes_at(store).await?
        {
            writes.extend([written(entry(time, &run.execution_id))]);
        }
    }
    store.write_each(writes).await
}

fn written((pk, sk): (String, String)) -> ((String, String), Option<Item>) {
    let item = key(&pk, &sk);
    ((pk, sk), Some(item))
}

/// Enters all open runs of a team, or of all teams: those that were there before the stream
/// was followed, whose changes were given up, or that lived before their team closed any.
/// Returns how many entries there are for them.
///
/// # Errors
/// Those of the table.
pub async fn enter_all(store: &Store, team_id: Option<&TeamId>) -> Result<usize> {
    let (mut entered, mut start) = (0, None);
    loop {
        let page = store.runs(team_id, ATTRIBUTES, start).await?;
        let mut writes = Writes::new();
        for run in page.items.iter().filter_map(Watched::of) {
            let closes_at = run.closes_at(store).await?;
            let times = [run.timeout_at, closes_at].into_iter().flatten();
            writes.extend(times.map(|time| written(entry(time, &run.execution_id))));
        }
        // One that ended meanwhile has an entry too many, which the sweeper removes.
        entered += store.write_each(writes).await?;
        start = page.last_key;
        if start.is_none() {
            return Ok(entered);
        }
    }
}

/// A value of a run that has to be the same still when the run is closed because of it.
pub(crate) fn still(run: &Item, attribute: &'static str) -> Option<(&'static str, AttributeValue)> {
    Some((attribute, run.get(attribute)?.clone()))
}
