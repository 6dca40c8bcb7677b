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
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::own_execution;
use crate::auth::Caller;
use crate::cursor::{self, StartKey};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{ExecutionId, FlowId, Item, TeamId, Timestamp, is_expired};
use crate::store::{MAX_ITEMS_A_BATCH, Range, Store, key};
use crate::table::{BY_FLOW, TIME_TO_LIVE};

/// How many runs are removed between two notes of how far a deletion is. Their ids
/// stand in the note, and an item ends at 400 KB.
const RUNS_A_STEP: usize = 400;

/// The most runs that a deletion removes in a second. One value of an index's
/// partition key takes 1,000 writes a second, and the flow's writers need their
/// part of it.
const RUNS_A_SECOND: u32 = 700;

/// How many batches are under way at a time.
const BATCHES_AT_A_TIME: usize = 4;

/// How long whoever works on a deletion has it to itself. Each step takes the
/// lease anew, and takes a fraction of it.
const LEASE_MS: i64 = 10_000;

/// How long to wait before looking again at a deletion that another works on.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long what a deletion has removed is remembered for whoever asks, and how
/// long the mark of a cascade lasts, in seconds.
const REMEMBERED_SECONDS: i64 = 24 * 3_600;

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
    let range = Range::of_execution(execution_id, keys::CASCADE, Some(keys::EXECUTION)).latest();
    let mut items = store.all(&range).await?;
    let is = |sk: &'static str| move |item: &Item| keys::sort_key(item) == Some(sk);
    let is_marked = items.iter().any(is(keys::CASCADE));
    let item = items.pop_if(|item| is(keys::EXECUTION)(item));
    own_execution(caller, execution_id, item, Timestamp::now())?;
    match (cascade, is_marked) {
        (true, _) => mark_cascades(store, &[execution_id.clone()]).await?,
        // Of a deletion that did not come to its end.
        (false, true) => {
            store.delete(&pk, keys::CASCADE).await?;
        }
        (false, false) => {}
    }
    match store.delete(&pk, keys::EXECUTION).await? {
        true => Ok(()),
        false => Err(Error::ExecutionNotFound(execution_id.clone())),
    }
}

/// A cascade reaches runs of any flow.
fn require_cascade(caller: &Caller, cascade: bool) -> Result<()> {
    if cascade {
        caller.require_all_flows()?;
    }
    Ok(())
}

/// Notes of runs that their sub-flows are deleted with them.
pub(crate) async fn mark_cascades(store: &Store, execution_ids: &[ExecutionId]) -> Result<()> {
    for some in execution_ids.chunks(MAX_ITEMS_A_BATCH) {
        let marks = some.iter().map(|execution_id| {
            let mut mark = key(keys::execution_partition(execution_id), keys::CASCADE);
            mark.insert(
                TIME_TO_LIVE.to_owned(),
                AttributeValue::N(expiry().to_string()),
            );
            mark
        });
        store.put_all(marks.collect()).await?;
    }
    Ok(())
}

fn expiry() -> i64 {
    Timestamp::now().seconds() + REMEMBERED_SECONDS
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
    let id = DeletionId {
        team_id: caller.team_id.clone(),
        flow_id: flow_id.clone(),
        cascade,
    };
    let mut joined = false;
    loop {
        let found = id.read(store).await?;
        let state = match &found {
            Some(state) if state.is_done && joined => {
                let mut deletion = Deletion {
                    store,
                    id,
                    state: state.clone(),
                };
                deletion.state.is_told = true;
                deletion.note(false).await?;
                return Ok(state.told());
            }
            Some(state) if state.is_leased() => {
                if Instant::now() >= until {
                    return Ok(state.told());
                }
                joined = true;
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            Some(state) => state.resumed(),
            None => State::default(),
        };
        let mut deletion = Deletion {
            store,
            id: id.clone(),
            state,
        };
        if deletion.note(true).await? && deletion.run(until, true).await? {
            return Ok(deletion.state.told());
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
    cascade: bool,
}

impl DeletionId {
    fn key(&self) -> Item {
        let entry = keys::deletion_entry(&self.flow_id, self.cascade);
        key(keys::deletion_partition(&self.team_id), entry)
    }

    async fn read(&self, store: &Store) -> Result<Option<State>> {
        let pk = keys::deletion_partition(&self.team_id);
        let sk = keys::deletion_entry(&self.flow_id, self.cascade);
        let item = store.get_latest(&pk, &sk).await?;
        item.map(State::of).transpose()
    }
}

/// How far a deletion is, as its item says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    /// Grows with each note, so that of two who work on it only one goes on.
    version: u64,
    /// Runs that were removed.
    deleted: u64,
    /// The runs that are being removed. They were noted before, so that whoever goes
    /// on after a crash removes and counts them, and no other.
    pending: Vec<String>,
    /// How many of them are not expired, and so are counted.
    pending_count: u64,
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
    /// From which second on one that is done is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

impl State {
    fn of(item: Item) -> Result<Self> {
        serde_dynamo::from_item(item).map_err(Error::internal)
    }

    fn is_leased(&self) -> bool {
        !self.is_done && Timestamp::now().milliseconds() < self.leased_until
    }

    /// What a request goes on from: of a deletion that was done without anyone being
    /// told, once more from the beginning, and with its count.
    fn resumed(&self) -> Self {
        if !self.is_done {
            return self.clone();
        }
        let now = Timestamp::now().seconds();
        let is_over = self.is_told || self.expires_at.is_some_and(|second| second <= now);
        Self {
            version: self.version,
            deleted: if is_over { 0 } else { self.deleted },
            ..Self::default()
        }
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
}

impl<'a> Deletion<'a> {
    /// The deletion that a change of its item tells of, once nobody else works on
    /// it. `None` when the change is not its last: a later one tells of it.
    ///
    /// # Errors
    /// Those of the table.
    pub(crate) async fn of_change(store: &'a Store, new: &Item) -> Result<Option<Self>> {
        let Some((team_id, flow_id, cascade)) = keys::deletion_of(new) else {
            return Ok(None);
        };
        let seen = State::of(new.clone())?;
        let id = DeletionId {
            team_id,
            flow_id,
            cascade,
        };
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
            let mut deletion = Self { store, id, state };
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
            self.find_pending().await?;
            if self.state.pending.is_empty() && self.state.is_read {
                self.state.is_done = true;
                self.state.is_told = told;
                self.state.expires_at = Some(expiry());
                return self.note(false).await;
            }
            let pace = Duration::from_secs(1) * self.state.pending.len() as u32 / RUNS_A_SECOND;
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
        self.state.leased_until = match leased {
            true => Timestamp::now().milliseconds() + LEASE_MS,
            false => 0,
        };
        let state: Item = serde_dynamo::to_item(&self.state).map_err(Error::internal)?;
        let mut item = self.id.key();
        item.extend(state);
        let before = (before > 0).then(|| AttributeValue::N(before.to_string()));
        self.store.put_if(item, "version", before).await
    }

    async fn remove_pending(&mut self) -> Result<()> {
        let ids = self.state.pending.iter().map(|id| id.parse());
        let ids: Vec<ExecutionId> = ids.collect::<std::result::Result<_, _>>().map_err(
            // They were ids when they were noted.
            |_| Error::internal("the item of a deletion names a run by what is no id"),
        )?;
        if self.id.cascade {
            mark_cascades(self.store, &ids).await?;
        }
        delete_executions(self.store, &ids).await?;
        self.state.pending.clear();
        self.state.deleted += std::mem::take(&mut self.state.pending_count);
        Ok(())
    }

    async fn find_pending(&mut self) -> Result<()> {
        if self.state.is_read {
            return Ok(());
        }
        let (team_id, flow_id) = (&self.id.team_id, &self.id.flow_id);
        let range = Range::index(&BY_FLOW, [team_id.to_string(), flow_id.to_string()]);
        let start = match &self.state.after {
            Some(token) => Some(cursor::read(&range, token)?),
            None => None,
        };
        let page = self.store.query(&range, start, RUNS_A_STEP).await?;
        let now = Timestamp::now();
        for item in page.items.iter().filter(|item| keys::is_execution(item)) {
            let pk = item.get("pk").and_then(|pk| pk.as_s().ok());
            let Some(id) = pk.and_then(|pk| keys::execution_id_of(pk)) else {
                continue;
            };
            // Its run could not be asked for by that.
            if id.parse::<ExecutionId>().is_err() {
                continue;
            }
            self.state.pending.push(id.to_owned());
            self.state.pending_count += u64::from(!is_expired(item, now));
        }
        let mint = |key: &StartKey| cursor::mint(&range, key);
        self.state.after = page.last_key.as_ref().map(mint).transpose()?;
        self.state.is_read = page.last_key.is_none();
        Ok(())
    }
}

/// Removes the execution items of runs. The rest of each follows by the stream.
pub(crate) async fn delete_executions(store: &Store, execution_ids: &[ExecutionId]) -> Result<()> {
    let key = |id: &ExecutionId| key(keys::execution_partition(id), keys::EXECUTION);
    let keys = execution_ids.iter().map(key).collect();
    delete_in_batches(store, keys).await
}

/// Removes items by their keys, some batches at a time.
pub(crate) async fn delete_in_batches(store: &Store, keys: Vec<Item>) -> Result<()> {
    let batches: Vec<_> = keys
        .chunks(MAX_ITEMS_A_BATCH)
        .map(|some| store.delete_all(some.to_vec()).boxed())
        .collect();
    stream::iter(batches)
        .buffer_unordered(BATCHES_AT_A_TIME)
        .try_collect()
        .await
}
