//! Deleting runs: one, or all of a flow.
//!
//! The execution item goes first, and with it the run is gone from every list and
//! every count. What else lies in its partition goes afterwards, by the consumer of
//! the table's stream ([`crate::reap`]), whatever hand removed the run.
//!
//! The deletion of a flow is an item of its own, written before anything is
//! removed. It says how far the deletion is, and whoever takes it up goes on from
//! there: the request that began it, the next one, or the consumer of the stream,
//! which sees each step of it. So it ends, whatever crashes.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::time::timeout_at;

use super::read_own;
use crate::audit::{Action, Entry, Outcome};
use crate::auth::Caller;
use crate::cursor::{self, StartKey};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{ExecutionId, FlowId, Item, TeamId, Timestamp, is_expired};
use crate::store::{MAX_ITEMS_A_BATCH, Range, Replaced, Store, key};
use crate::table::{BY_FLOW, CREATED_AT, PARTITION_KEY};

/// How many runs are removed between two notes of how far a deletion is. Their ids
/// stand in the note, and an item ends at 400 KB.
const RUNS_A_STEP: usize = 400;

/// The most write units that a deletion takes of an index in a second: a run of up
/// to 1 KB is one. One value of an index's partition key takes 1,000, and the flow's
/// writers need their part of it.
const UNITS_A_SECOND: u32 = 700;

/// How many batches are under way at a time.
const BATCHES_AT_A_TIME: usize = 4;

/// How long whoever works on a deletion has it to itself. Each step takes the
/// lease anew, and takes a fraction of it.
const LEASE_MS: i64 = 10_000;

/// How long to wait before looking again at a deletion that another works on.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long what a deletion has removed by itself is remembered for whoever asks, in
/// seconds.
const REMEMBERED_SECONDS: i64 = 3_600;

/// How long a step may take that a request began before its time was over.
const GRACE: Duration = Duration::from_secs(4);

/// Deletes one run. With `cascade` the runs that it started, on all levels, are
/// deleted too, a moment later.
///
/// # Errors
/// [`Error::ExecutionNotFound`]; [`Error::Forbidden`] for a run of a flow that the
/// caller is kept from, and for a cascade where it is kept from any; and those of
/// the table.
pub async fn delete_execution(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    cascade: bool,
) -> Result<()> {
    require_cascade(caller, cascade)?;
    let pk = keys::execution_partition(execution_id);
    let execution = read_own(store, caller, execution_id).await?;
    let event = Entry::new(caller, Action::ExecutionDeleted, execution_id.as_str())?
        .detail_if_any("flowId", execution.flow_id)
        .detail("cascade", cascade)
        .begin(store)
        .await?;
    let result = delete_runs(store, &[pk], cascade).await;
    match &result {
        Ok(()) => event.end(Outcome::Done).await,
        Err(error) => event.end_with(error).await,
    }
    result
}

/// A cascade reaches runs of any flow.
fn require_cascade(caller: &Caller, cascade: bool) -> Result<()> {
    if cascade {
        caller.require_all_flows()?;
    }
    Ok(())
}

/// Removes the execution items in these partitions. The rest of each follows by the
/// stream; with `cascade` so do the runs that these have started.
pub(crate) async fn delete_runs(store: &Store, pks: &[String], cascade: bool) -> Result<()> {
    let deletes = pks.chunks(MAX_ITEMS_A_BATCH).map(|some| {
        let executions = some.iter().map(|pk| key(pk, keys::EXECUTION));
        match cascade {
            false => store.delete_all(executions.collect()).boxed(),
            // Together, or the mark of a deletion that failed would reach into a later
            // one, which does not cascade. So would that of a run which is gone already.
            true => {
                let marks = some.iter().map(|pk| key(pk, keys::CASCADE));
                store.replace_all(executions.zip(marks).collect()).boxed()
            }
        }
    });
    run_batches(deletes.collect()).await
}

/// Removes items by their keys.
pub(crate) async fn delete_items(store: &Store, keys: &[Item]) -> Result<()> {
    let batches = keys.chunks(MAX_ITEMS_A_BATCH);
    let deletes = batches.map(|some| store.delete_all(some.to_vec()).boxed());
    run_batches(deletes.collect()).await
}

async fn run_batches(batches: Vec<BoxFuture<'_, Result<()>>>) -> Result<()> {
    stream::iter(batches)
        .buffer_unordered(BATCHES_AT_A_TIME)
        .try_collect()
        .await
}

/// How far the deletion of a flow's runs is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowDeletion {
    /// How many runs it has removed, since it was first asked for.
    pub deleted: u64,
    /// Whether that was all. Where it was not, it goes on by itself.
    pub is_done: bool,
}

/// Deletes all runs that a flow has, or goes on with a deletion that is under way,
/// and tells how far it is once it is done, or at `until`.
///
/// Runs that are created meanwhile stay. With `cascade` the runs that these started
/// are deleted too, on all levels, a moment later; they are not counted.
///
/// # Errors
/// [`Error::Forbidden`] for a flow that the caller is kept from, and for a cascade
/// where it is kept from any; and those of the table.
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
            event.tell("deletedCount", deletion.deleted);
            let outcome = match deletion.is_done {
                true => Outcome::Done,
                // It goes on by itself, and ends.
                false => Outcome::Started,
            };
            event.end(outcome).await;
        }
        Err(error) => event.end_with(error).await,
    }
    result
}

/// Works on a deletion, or waits for whoever does.
async fn delete_until(
    store: &Store,
    id: DeletionId,
    cascade: bool,
    until: Instant,
) -> Result<FlowDeletion> {
    let mut joined = false;
    loop {
        let found = id.read(store).await?;
        let mut state = match found {
            Some(state) if state.is_done && (joined || state.is_to_be_told()) => {
                let told = state.told();
                let mut deletion = Deletion::new(store, id, state);
                deletion.state.is_told = true;
                deletion.note(false).await?;
                return Ok(told);
            }
            // Another works on it, which does not keep a cascade from beginning.
            Some(state) if state.is_leased() && (state.cascade || !cascade) => {
                if Instant::now() >= until {
                    return Ok(state.told());
                }
                joined = true;
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            Some(state) if state.is_done => State {
                version: state.version,
                ..State::default()
            },
            Some(state) => state,
            None => State::default(),
        };
        state.cascade |= cascade;
        let mut deletion = Deletion::new(store, id.clone(), state);
        if deletion.note(true).await? {
            let ran = timeout_at((until + GRACE).into(), deletion.run(until, true)).await;
            let Ok(is_ours) = ran else {
                // A table that hardly answers. Whoever sees that nobody works on it
                // goes on from the last note.
                return Ok(FlowDeletion {
                    deleted: deletion.noted,
                    is_done: false,
                });
            };
            if is_ours? {
                return Ok(deletion.state.told());
            }
        }
        // Another has taken it up.
        joined = true;
    }
}

/// Which deletion: its keys.
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

    async fn read(&self, store: &Store) -> Result<Option<State>> {
        let pk = keys::deletion_partition(&self.team_id);
        let sk = keys::deletion_entry(&self.flow_id);
        let item = store.get_latest(&pk, &sk).await?;
        item.map(State::of).transpose()
    }
}

/// How far a deletion is, as its item says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct State {
    /// Grows with each note, so that of two who work on it only one goes on.
    version: u64,
    /// Runs that were removed.
    deleted: u64,
    /// Whether the runs that these started go too.
    cascade: bool,
    /// The partitions of the runs that are being removed. They were noted before, so
    /// that whoever goes on after a crash removes and counts them, and no other.
    pending: Vec<String>,
    /// How many of them are not expired, and so are counted.
    pending_count: u64,
    /// When the newest was created of the runs that there were at the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    /// After which item of the index the next are found, as a page token; from the
    /// newest on where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// Whether the index was read to its end.
    is_read: bool,
    /// Whether all are removed.
    is_done: bool,
    /// Whether someone was told so.
    is_told: bool,
    /// Until when, in milliseconds since 1970 began, someone works on it.
    leased_until: i64,
    /// Made of chance with each note, by which its writer knows it again.
    note_id: u64,
    /// From which second on one that is done is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

impl State {
    fn of(item: Item) -> Result<Self> {
        serde_dynamo::from_item(item).map_err(Error::internal)
    }

    fn is_leased(&self) -> bool {
        let left_ms = self.leased_until - Timestamp::now().milliseconds();
        // One that ends later was taken by a clock that is wrong.
        !self.is_done && (1..=LEASE_MS).contains(&left_ms)
    }

    /// Whether it was done without anyone being told, lately.
    fn is_to_be_told(&self) -> bool {
        let now = Timestamp::now().seconds();
        !self.is_told && self.expires_at.is_some_and(|second| second > now)
    }

    fn told(&self) -> FlowDeletion {
        FlowDeletion {
            deleted: self.deleted,
            is_done: self.is_done,
        }
    }
}

/// A deletion in someone's hands.
pub(crate) struct Deletion<'a> {
    store: &'a Store,
    id: DeletionId,
    state: State,
    /// How many runs were removed by its last note.
    noted: u64,
}

impl<'a> Deletion<'a> {
    fn new(store: &'a Store, id: DeletionId, state: State) -> Self {
        Self {
            store,
            id,
            noted: state.deleted,
            state,
        }
    }

    /// The deletion that a change of its item tells of, once nobody else works on
    /// it. `None` when the change is not its last: a later one tells of it.
    ///
    /// # Errors
    /// Those of the table.
    pub(crate) async fn of_change(store: &'a Store, new: &Item) -> Result<Option<Self>> {
        let Some((team_id, flow_id)) = keys::deletion_of(new) else {
            return Ok(None);
        };
        let seen = match State::of(new.clone()) {
            Ok(seen) => seen,
            Err(error) => {
                let error = error.with_causes();
                tracing::error!(%team_id, %flow_id, error, "a deletion cannot be read");
                return Ok(None);
            }
        };
        let id = DeletionId { team_id, flow_id };
        loop {
            let found = id.read(store).await?;
            let Some(state) = found.filter(|state| state.version == seen.version) else {
                return Ok(None);
            };
            if state.is_done {
                return Ok(None);
            }
            if state.is_leased() {
                // Whoever has it may have crashed: then this is the last change.
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            let mut deletion = Self::new(store, id, state);
            return Ok(deletion.note(true).await?.then_some(deletion));
        }
    }

    /// Removes runs until all are, or until a moment; then another goes on. Returns
    /// `false` where another has taken the deletion up already. `told` says whether
    /// whoever asked for it is waiting.
    ///
    /// # Errors
    /// Those of the table.
    pub(crate) async fn run(&mut self, until: Instant, told: bool) -> Result<bool> {
        loop {
            let began = Instant::now();
            self.remove_pending().await?;
            let units = self.find_pending().await?;
            if self.state.pending.is_empty() && self.state.is_read {
                self.state.is_done = true;
                self.state.is_told = told;
                let remembered_until = Timestamp::now().seconds() + REMEMBERED_SECONDS;
                self.state.expires_at = Some(remembered_until);
                return self.note(false).await;
            }
            let pace = Duration::from_secs(1) * units / UNITS_A_SECOND;
            let is_time = Instant::now() + pace < until;
            if !self.note(is_time).await? {
                return Ok(false);
            }
            if !is_time {
                return Ok(true);
            }
            tokio::time::sleep_until((began + pace).into()).await;
        }
    }

    /// Writes how far the deletion is, if nobody else has since: returns whether
    /// that is so. With `leased` it is, or stays, in our hands.
    async fn note(&mut self, leased: bool) -> Result<bool> {
        let before = self.state.version;
        self.state.version += 1;
        self.state.note_id = getrandom::u64().map_err(Error::internal)?;
        self.state.leased_until = match leased {
            true => Timestamp::now().milliseconds() + LEASE_MS,
            false => 0,
        };
        let state: Item = serde_dynamo::to_item(&self.state).map_err(Error::internal)?;
        let mut item = self.id.key();
        item.extend(state);
        let replaced = match before {
            0 => Replaced::Nothing,
            before => Replaced::With("version", AttributeValue::N(before.to_string())),
        };
        let is_ours = self.store.put_if(item, replaced).await? || self.is_noted().await?;
        if is_ours {
            self.noted = self.state.deleted;
        }
        Ok(is_ours)
    }

    /// Whether the last note is there: the answer to its write may have been lost, and
    /// then the SDK's next try finds it in its way.
    async fn is_noted(&self) -> Result<bool> {
        let found = self.id.read(self.store).await?;
        Ok(found.is_some_and(|found| found.note_id == self.state.note_id))
    }

    async fn remove_pending(&mut self) -> Result<()> {
        delete_runs(self.store, &self.state.pending, self.state.cascade).await?;
        self.state.pending.clear();
        self.state.deleted += std::mem::take(&mut self.state.pending_count);
        Ok(())
    }

    /// Finds the runs that are removed next. Returns about how many write units that
    /// takes in each index.
    async fn find_pending(&mut self) -> Result<u32> {
        if self.state.is_read {
            return Ok(0);
        }
        let (team_id, flow_id) = (&self.id.team_id, &self.id.flow_id);
        let range = Range::index(&BY_FLOW, [team_id.to_string(), flow_id.to_string()])
            .between(None, self.state.newest.clone());
        let start = match &self.state.after {
            // One of another release cannot be read. What it stands behind is gone.
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

/// About how many units an item takes in each index that it is removed from.
fn write_units(item: &Item) -> u32 {
    let value = AttributeValue::M(item.clone());
    let bytes = crate::model::Value::Native(value).approximate_size();
    u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX)
}
