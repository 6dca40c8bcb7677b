//! Deletes all runs of a flow.
//!
//! A deletion has its own item, which is written before any run is removed and records the
//! progress. Anyone can continue the deletion from there: the request that started it, a
//! later request, or the consumer of the stream, which sees each step. The deletion
//! therefore completes even after crashes.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{CREATED_AT, PARTITION_KEY, number};
use format::keys::{self, key};
use format::model::{FlowId, Item, TeamId, Timestamp, is_expired};
use format::{Error, Result};
use serde::{Deserialize, Serialize};
use store::cursor::{self, StartKey};
use store::table::BY_FLOW;
use store::{Condition, Range, Store};
use team::audit::{Action, Entry, EventOutcome};
use team::auth::Caller;
use tokio::time::timeout_at;

use super::{delete_runs, require_cascade};

/// How many runs are removed between two updates of the deletion's item. The item contains
/// their ids, and an item is limited to 400 KB.
const RUNS_A_STEP: usize = 400;

/// The most write units of an index that a deletion uses per second: a run of up to 1 KB
/// takes one. A partition key of an index is limited to 1,000 units per second, and the
/// flow's writers need their share.
const UNITS_A_SECOND: u32 = 700;

/// How long a worker has exclusive access to a deletion. Each step takes a fraction of this
/// time and renews the lease.
const LEASE_MS: i64 = 10_000;

/// How long to wait before checking again a deletion that another worker is processing.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long the result of a deletion that finished in the background is kept for the next
/// request, in seconds.
const REMEMBERED_SECONDS: i64 = 3_600;

/// How long a step may take beyond the request's time, if it started within that time.
const GRACE: Duration = Duration::from_secs(4);

/// The progress of the deletion of a flow's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowDeletion {
    /// How many runs were removed since the deletion was requested first.
    pub deleted: u64,
    /// Whether all runs were removed. If not, the deletion continues in the background.
    pub is_done: bool,
}

/// Deletes all runs of a flow, or continues a deletion that is in progress. Returns the
/// progress once the deletion is done, or at `until`.
///
/// Runs that are created during the deletion stay. With `cascade`, the runs below the
/// deleted runs are deleted shortly afterwards, on all levels; they are not counted.
///
/// # Errors
/// [`Error::Forbidden`] if the caller has no access to the flow or, for a cascade, not to
/// all flows.
pub async fn delete_flow_executions(
    store: &Store,
    caller: &Caller,
    flow_id: &FlowId,
    cascade: bool,
    until: Instant,
) -> Result<FlowDeletion> {
    caller.require_flow(flow_id)?;
    require_cascade(caller, cascade)?;
    let mut event = Entry::new(caller, Action::FlowExecutionsDeleted, flow_id.as_str())?
        .detail("cascade", cascade)
        .begin(store)
        .await?;
    let id = DeletionId {
        team_id: caller.team_id.clone(),
        flow_id: flow_id.clone(),
    };
    let result = delete_until(store, id, cascade, until).await;
    match &result {
        Ok(deletion) => {
            event.set_detail("deletedCount", deletion.deleted);
            let outcome = match deletion.is_done {
                true => EventOutcome::Done,
                // The deletion continues in the background, and completes there.
                false => EventOutcome::Started,
            };
            event.end(outcome).await;
        }
        Err(error) => event.end_with(error).await,
    }
    result
}

/// Works on a deletion until it is done or until a point in time, or waits for the worker that
/// is processing it.
async fn delete_until(
    store: &Store,
    id: DeletionId,
    cascade: bool,
    until: Instant,
) -> Result<FlowDeletion> {
    let mut joined = false;
    loop {
        let state = match id.read(store).await? {
            Some(state) if state.is_done && (joined || state.is_unreported()) => {
                return report_result(store, id, state).await;
            }
            // Another worker is processing it. A cascade must start nevertheless if that
            // worker does not cascade.
            Some(state) if state.is_leased() && (state.cascade || !cascade) => {
                if Instant::now() >= until {
                    return Ok(state.progress());
                }
                joined = true;
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            found => DeletionState::to_continue(found),
        };
        if let Some(progress) = take_and_run(store, &id, state, cascade, until).await? {
            return Ok(progress);
        }
        // Another worker has taken it.
        joined = true;
    }
}

/// Returns the result of a finished deletion, and records that it was reported.
async fn report_result(
    store: &Store,
    id: DeletionId,
    state: DeletionState,
) -> Result<FlowDeletion> {
    let result = state.progress();
    let mut deletion = Deletion::new(store, id, state);
    deletion.state.is_reported = true;
    deletion.save(false).await?;
    Ok(result)
}

/// Takes the lease of a deletion and works on it until a point in time. Returns `None` if
/// another worker has taken it.
async fn take_and_run(
    store: &Store,
    id: &DeletionId,
    mut state: DeletionState,
    cascade: bool,
    until: Instant,
) -> Result<Option<FlowDeletion>> {
    state.cascade |= cascade;
    let mut deletion = Deletion::new(store, id.clone(), state);
    if !deletion.save(true).await? {
        return Ok(None);
    }
    match timeout_at((until + GRACE).into(), deletion.run(until, true)).await {
        Ok(is_ours) => Ok(is_ours?.then(|| deletion.state.progress())),
        // The table responds too slowly. Once the lease has expired, another worker continues
        // from the last update.
        Err(_) => Ok(Some(FlowDeletion {
            deleted: deletion.saved_count,
            is_done: false,
        })),
    }
}

/// Identifies a deletion, and its item.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DeletionId {
    team_id: TeamId,
    flow_id: FlowId,
}

impl DeletionId {
    fn key(&self) -> Item {
        let entry = keys::deletion_entry(&self.flow_id);
        key(keys::deletion_partition(&self.team_id), entry)
    }

    async fn read(&self, store: &Store) -> Result<Option<DeletionState>> {
        let pk = keys::deletion_partition(&self.team_id);
        let sk = keys::deletion_entry(&self.flow_id);
        let item = store.get_latest(&pk, &sk).await?;
        Ok(item.as_ref().map(DeletionState::from_item))
    }
}

/// The progress of a deletion, as stored in its item.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeletionState {
    /// Incremented with each update, so that of two workers only one continues.
    version: u64,
    /// How many runs were removed.
    deleted: u64,
    /// Whether the runs below the removed runs are deleted too.
    cascade: bool,
    /// The partitions of the runs that are being removed. They are stored before the
    /// removal, so that a worker that continues after a crash removes and counts exactly
    /// these runs.
    pending: Vec<String>,
    /// How many of them have not expired. Only these are counted.
    pending_count: u64,
    /// The creation time of the newest run that existed when the deletion started.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    /// The page token with which the search for the next runs continues in the index. If it
    /// is missing, the search starts at the newest run.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// Whether the index was read to its end.
    is_read: bool,
    /// Whether all runs were removed.
    is_done: bool,
    /// Whether the result was returned to a caller.
    #[serde(rename = "isTold")]
    is_reported: bool,
    /// When the lease of the current worker ends, in Unix milliseconds.
    leased_until: i64,
    /// A random number that each update replaces, and by which the writer recognizes its own
    /// update.
    note_id: u64,
    /// When the result of a finished deletion expires, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    /// The version attribute as stored in the table, as an item with only this attribute;
    /// `None` if there is no item.
    #[serde(skip)]
    stored: Option<Item>,
    /// Why the item cannot be parsed. The progress is then unknown: the deletion starts
    /// again with the next request, and does not continue before that.
    #[serde(skip)]
    unreadable: Option<String>,
}

/// The attribute that contains a deletion's version.
const VERSION: &str = "version";

impl DeletionState {
    /// Returns the state from which a deletion continues: a finished one starts again.
    fn to_continue(found: Option<Self>) -> Self {
        match found {
            Some(state) if state.is_done => Self {
                version: state.version,
                stored: state.stored,
                ..Self::default()
            },
            Some(state) => state,
            None => Self::default(),
        }
    }

    fn from_item(item: &Item) -> Self {
        let version = item.get(VERSION);
        let stored = version.map(|version| (VERSION.to_owned(), version.clone()));
        let stored = Some(stored.into_iter().collect());
        match serde_dynamo::from_item::<_, Self>(item.clone()) {
            Ok(state) => Self { stored, ..state },
            Err(error) => Self {
                version: version
                    .and_then(|version| version.as_n().ok()?.parse().ok())
                    .unwrap_or_default(),
                cascade: item.get("cascade") == Some(&AttributeValue::Bool(true)),
                stored,
                unreadable: Some(error.to_string()),
                ..Self::default()
            },
        }
    }

    fn is_leased(&self) -> bool {
        let now = Timestamp::now().milliseconds();
        let left_ms = self.leased_until.saturating_sub(now);
        // A lease that ends later comes from a worker whose clock is wrong.
        !self.is_done && (1..=LEASE_MS).contains(&left_ms)
    }

    /// Whether it finished recently and the result has not been returned to a caller.
    fn is_unreported(&self) -> bool {
        let now = Timestamp::now().seconds();
        !self.is_reported && self.expires_at.is_some_and(|second| second > now)
    }

    fn progress(&self) -> FlowDeletion {
        FlowDeletion {
            deleted: self.deleted,
            is_done: self.is_done,
        }
    }
}

/// A deletion whose lease this worker holds.
pub(crate) struct Deletion<'a> {
    store: &'a Store,
    id: DeletionId,
    state: DeletionState,
    /// How many runs had been removed at the last update.
    saved_count: u64,
}

impl<'a> Deletion<'a> {
    fn new(store: &'a Store, id: DeletionId, state: DeletionState) -> Self {
        Self {
            store,
            id,
            saved_count: state.deleted,
            state,
        }
    }

    /// Takes the deletion whose item changed, once no other worker is processing it.
    /// Returns `None` if the item has changed again, because the later change leads to
    /// another call, or if there is nothing left to do.
    pub(crate) async fn from_change(store: &'a Store, new: &Item) -> Result<Option<Self>> {
        let Some((team_id, flow_id)) = keys::deletion_of(new) else {
            return Ok(None);
        };
        let seen = DeletionState::from_item(new);
        let id = DeletionId { team_id, flow_id };
        loop {
            let found = id.read(store).await?;
            let Some(state) = found.filter(|state| state.version == seen.version) else {
                return Ok(None);
            };
            if let Some(reason) = &state.unreadable {
                let DeletionId { team_id, flow_id } = &id;
                tracing::error!(%team_id, %flow_id, reason, "the item of a deletion cannot be parsed; the deletion waits for the next request");
                return Ok(None);
            }
            if state.is_done {
                return Ok(None);
            }
            if state.is_leased() {
                // The other worker may have crashed, and then there are no further changes.
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            let mut deletion = Self::new(store, id, state);
            return Ok(deletion.save(true).await?.then_some(deletion));
        }
    }

    /// Removes runs until all are removed or until a point in time, at which another worker
    /// continues. Returns `false` if another worker has taken the deletion. `has_caller`
    /// states whether a caller is waiting for the result.
    pub(crate) async fn run(&mut self, until: Instant, has_caller: bool) -> Result<bool> {
        loop {
            let began = Instant::now();
            self.remove_pending().await?;
            let units = self.find_pending().await?;
            if self.state.pending.is_empty() && self.state.is_read {
                self.state.is_done = true;
                self.state.is_reported = has_caller;
                let remembered_until = Timestamp::now().seconds() + REMEMBERED_SECONDS;
                self.state.expires_at = Some(remembered_until);
                return self.save(false).await;
            }
            let pace = Duration::from_secs(1) * units / UNITS_A_SECOND;
            let has_time = Instant::now() + pace < until;
            if !self.save(has_time).await? {
                return Ok(false);
            }
            if !has_time {
                return Ok(true);
            }
            tokio::time::sleep_until((began + pace).into()).await;
        }
    }

    /// Updates the deletion's item, unless another worker has updated it since. Returns
    /// whether it was updated. With `leased`, this worker takes or keeps the lease.
    async fn save(&mut self, leased: bool) -> Result<bool> {
        self.state.version = self.state.version.wrapping_add(1);
        self.state.note_id = getrandom::u64().map_err(Error::internal)?;
        self.state.leased_until = match leased {
            true => Timestamp::now().milliseconds() + LEASE_MS,
            false => 0,
        };
        let state: Item = serde_dynamo::to_item(&self.state).map_err(Error::internal)?;
        let mut item = self.id.key();
        item.extend(state);
        let unchanged = Condition::unchanged(self.state.stored.as_ref(), VERSION);
        let is_ours = self.store.put_if(item, unchanged).await? || self.is_saved().await?;
        if is_ours {
            let version = number(self.state.version);
            self.state.stored = Some([(VERSION.to_owned(), version)].into());
            self.saved_count = self.state.deleted;
        }
        Ok(is_ours)
    }

    /// Whether the last update was written. Its response may have been lost, and the SDK's
    /// retry then fails because of the update itself.
    async fn is_saved(&self) -> Result<bool> {
        let found = self.id.read(self.store).await?;
        Ok(found.is_some_and(|found| found.note_id == self.state.note_id))
    }

    async fn remove_pending(&mut self) -> Result<()> {
        let (pending, cascade) = (&self.state.pending, self.state.cascade);
        delete_runs(self.store, &self.id.team_id, pending, cascade).await?;
        self.state.pending.clear();
        let removed = std::mem::take(&mut self.state.pending_count);
        self.state.deleted = self.state.deleted.saturating_add(removed);
        Ok(())
    }

    /// Finds the runs that are removed next. Returns about how many write units the removal
    /// takes in each index.
    async fn find_pending(&mut self) -> Result<u32> {
        if self.state.is_read {
            return Ok(0);
        }
        let (team_id, flow_id) = (&self.id.team_id, &self.id.flow_id);
        let range = Range::index(&BY_FLOW, [team_id.to_string(), flow_id.to_string()])
            .between(None, self.state.newest.clone());
        let start = match &self.state.after {
            // A token from another release cannot be parsed. The runs before its position
            // are already removed.
            Some(token) => cursor::read(&range, token).ok(),
            None => None,
        };
        let page = self.store.query(&range, start, RUNS_A_STEP).await?;
        let now = Timestamp::now();
        let mut units = 0;
        for item in page.items.iter().filter(|item| keys::is_execution(item)) {
            let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
            self.state.newest = self.state.newest.take().or_else(|| text(CREATED_AT));
            self.state.pending.extend(text(PARTITION_KEY));
            self.state.pending_count += u64::from(!is_expired(item, now));
            units += write_units(item);
        }
        let mint = |key: &StartKey| cursor::mint(&range, key);
        self.state.after = page.last_key.as_ref().map(mint).transpose()?;
        self.state.is_read = page.last_key.is_none();
        Ok(units)
    }
}

/// Returns about how many write units the removal of an item takes in each index.
fn write_units(item: &Item) -> u32 {
    let value = AttributeValue::M(item.clone());
    let bytes = format::model::Value::Native(value).approximate_size();
    u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX)
}
