//! Joins the traces of one run.
//!
//! Some engines send each part of a run as a trace of its own, with an id of the run in it. The
//! first trace with such an id claims it, and the others become a part of its run. A trace that
//! already has spans when it turns out to be a part of another run moves there.

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{
    EXECUTION_ID, JOINED_RUN, PARTITION_KEY, SORT_KEY, TIME_TO_LIVE, number, text,
};
use format::keys::{self, key};
use format::model::{ExecutionId, Item, TeamId, Timestamp};
use format::{Error, Result};
use store::{Attempt, Condition, Range, Store, Write};

use super::known::REVISION;
use super::lease::{JOINED_SECONDS, Lease, Opened};
use super::run::{Owner, write_run};
use super::state::TraceState;
use super::{MAX_JOINS, RunWriter, Trace, get_text};
use crate::otlp::records::{SPAN, SpanRecord};

/// The most ids of runs of a trace. A workflow has one, and one for each workflow that it starts.
const MAX_IDS: usize = 64;

/// The longest id of a run, in bytes. Other texts are no ids.
const MAX_ID_BYTES: usize = 256;

/// The most spans of a trace that move to another run.
const MAX_MOVED_SPANS: usize = 2_000;

/// The most traces with spans that move to one run. Its state lists them.
const MAX_ABSORBED: usize = 256;

/// The ids of runs in the spans of a request that their trace did not have before.
pub(super) struct Claim {
    pub(super) ids: Vec<String>,
    /// The run of another trace that has one of these ids.
    pub(super) run: Option<ExecutionId>,
}

/// The error for a chain of joined traces that is too long to follow.
pub(super) fn too_long() -> Error {
    Error::Unavailable("the trace is a part of too many others".into())
}

/// Claims an id of a run for a trace, unless another trace has it. Returns the run that has it.
async fn claim_id(
    store: &Store,
    team_id: &TeamId,
    execution_id: &ExecutionId,
    id: &str,
) -> Result<ExecutionId> {
    let now = Timestamp::now().seconds();
    let mut claim = key(keys::run_id_partition(team_id, id), keys::RUN_ID);
    claim.insert(EXECUTION_ID.to_owned(), text(execution_id.as_str()));
    claim.insert(TIME_TO_LIVE.to_owned(), number(now + JOINED_SECONDS));
    let is_free = !Condition::AtLeast(TIME_TO_LIVE.into(), number(now));
    match store.put_or_read(claim, is_free).await? {
        Attempt::Written | Attempt::Refused(None) => Ok(execution_id.clone()),
        Attempt::Refused(Some(claim)) => {
            // A claim that cannot be read joins nothing.
            let run = get_text(&claim, EXECUTION_ID).and_then(|run| run.parse().ok());
            Ok(run.unwrap_or_else(|| execution_id.clone()))
        }
    }
}

/// Returns the run that a trace is a part of: usually its own.
async fn find_run(store: &Store, mut run: ExecutionId) -> Result<ExecutionId> {
    for _ in 0..MAX_JOINS {
        let pk = keys::execution_partition(&run);
        let trace = store.get_latest(&pk, keys::TRACE).await?;
        let joined = trace.as_ref().and_then(|it| get_text(it, JOINED_RUN));
        match joined.and_then(|joined| joined.parse().ok()) {
            None => return Ok(run),
            Some(joined) => run = joined,
        }
    }
    Err(too_long())
}

impl Trace<'_> {
    /// Claims the new ids of runs in these spans for this trace.
    pub(super) async fn claim_ids(
        &self,
        state: &TraceState,
        records: &[SpanRecord],
    ) -> Result<Claim> {
        let mut ids: Vec<String> = Vec::new();
        for id in records.iter().flat_map(|it| &it.runs) {
            let is_known = state.joins.contains(id) || ids.contains(id);
            let has_room = state.joins.len() + ids.len() < MAX_IDS;
            if !is_known && has_room && id.len() <= MAX_ID_BYTES {
                ids.push(id.clone());
            }
        }
        let mut run = None;
        for id in &ids {
            let owner = claim_id(self.store, self.team_id, self.execution_id, id).await?;
            run = run.or(Some(owner).filter(|owner| owner != self.execution_id));
        }
        Ok(Claim { ids, run })
    }

    /// Makes this trace a part of the run that another trace is a part of, and moves its spans there.
    /// Returns `false` if it must stay a run of its own: it is that run, it has too many spans, an
    /// engine has written its run, or the other run was deleted.
    pub(super) async fn join(
        &self,
        lease: &mut Lease<'_>,
        state: &TraceState,
        other: &ExecutionId,
    ) -> Result<bool> {
        let target = &find_run(self.store, other.clone()).await?;
        if target == self.execution_id {
            return Ok(false);
        }
        let run = self.store.get_latest(self.pk, keys::EXECUTION).await?;
        let owner = Owner::of_run(run.as_ref(), self.team_id, state.is_listed);
        if owner != Owner::Trace || state.is_unreadable || state.spans > MAX_MOVED_SPANS {
            return Ok(false);
        }
        if state.spans > 0 {
            lease.begin_move(target).await?;
            if !self.move_to(lease, state, target).await? {
                return Ok(false);
            }
        }
        let target_key = key(keys::execution_partition(target), keys::TRACE);
        let mut writes = vec![
            Write::from(lease.joining(target)),
            // Two traces must not become parts of each other.
            Write::Check(target_key, !Condition::has(JOINED_RUN)),
        ];
        if run.is_some() {
            let own = Condition::of_team(self.team_id);
            writes.push(Write::Delete(key(self.pk, keys::EXECUTION), Some(own)));
        }
        // The consumer of the stream removes the other records of a removed run.
        match self.store.write_together(writes).await? {
            true => Ok(true),
            false => Err(Error::Throttled("the trace was changed".into())),
        }
    }

    /// Moves this trace into another run. Returns `false` if that is not possible.
    async fn move_to(
        &self,
        lease: &mut Lease<'_>,
        state: &TraceState,
        target: &ExecutionId,
    ) -> Result<bool> {
        let mut target = target.clone();
        for _ in 0..MAX_JOINS {
            let pk = keys::execution_partition(&target);
            match Lease::take(self.store, &pk).await? {
                Opened::Joined(run) => target = run,
                Opened::Deleted => return Ok(false),
                Opened::Leased(mut other, other_state) => {
                    let into = Trace {
                        execution_id: &target,
                        pk: &pk,
                        ..*self
                    };
                    let merged = self.merge_into(&into, lease, &mut other, state, *other_state);
                    let merged = merged.await;
                    let merged = merged.map(|merged| (merged.is_some(), merged));
                    return Ok(into.end(other, merged).await?.unwrap_or_default());
                }
            }
        }
        Ok(false)
    }

    /// Copies all records of this trace to another run, and writes that run. Returns the state of
    /// both; `None` if an engine has written the other run, or if it was deleted.
    async fn merge_into(
        &self,
        into: &Trace<'_>,
        lease: &mut Lease<'_>,
        other: &mut Lease<'_>,
        state: &TraceState,
        mut merged: TraceState,
    ) -> Result<Option<TraceState>> {
        lease.extend().await?;
        let run = into.store.get_latest(into.pk, keys::EXECUTION).await?;
        let owner = Owner::of_run(run.as_ref(), self.team_id, merged.is_listed);
        if owner != Owner::Trace || merged.is_unreadable {
            return Ok(None);
        }
        let joins = merged.joins.len() + state.joins.len();
        if merged.absorbed.len() >= MAX_ABSORBED || joins > MAX_IDS {
            return Ok(None);
        }
        if !merged.absorbed.insert(self.execution_id.to_string()) {
            // An earlier attempt of this request has stopped after it.
            return Ok(Some(merged));
        }
        merged.begin(other.attempt);
        let writer = RunWriter {
            trace: into,
            expiry: run.as_ref().and_then(|run| run.get(TIME_TO_LIVE).cloned()),
            revision: merged.revision,
        };
        let old_root = merged.root.clone();
        let places = merged.absorb(state);
        let is_new_root = merged.root != old_root;
        if is_new_root {
            writer.remove_run_payloads().await?;
            if let Some(old) = &old_root {
                writer.move_step(&merged, old.to_step()?).await?;
            }
        }
        let range = Range::of_execution(self.execution_id, "", None).latest();
        let mut pages = self.store.pages(&range);
        while let Some(items) = pages.next().await? {
            lease.extend().await?;
            other.extend().await?;
            let items = items.into_iter();
            let items = items.filter_map(|item| moved_item(item, into.pk, is_new_root));
            writer.put_all(items.collect()).await?;
        }
        writer.write_places(places).await?;
        merged.is_listed = true;
        let is_written = write_run(into.store, into.team_id, into.execution_id, &merged, run);
        Ok(is_written.await?.then_some(merged))
    }
}

/// Returns the item of a record in the partition of another run. `None` if it does not move.
/// `is_root` is whether the root of its trace is the root of the other run as well.
fn moved_item(mut item: Item, pk: &str, is_root: bool) -> Option<Item> {
    let sk = keys::sort_key(&item)?.to_owned();
    let moved_key = match sk.split_once('#') {
        None => return None,
        Some(_) if is_root || sk.starts_with(keys::PLACES_OF_SPANS) => sk,
        Some((keys::TRACE, start_and_id)) => format!("{}{start_and_id}", keys::STEPS),
        Some(("PAYLOAD", _)) if !sk.starts_with(keys::STEP_PAYLOADS) => return None,
        Some(_) => sk,
    };
    item.insert(PARTITION_KEY.to_owned(), text(pk));
    item.insert(SORT_KEY.to_owned(), text(moved_key));
    // It expires with the other run, and every saved state of that run includes it.
    item.remove(TIME_TO_LIVE);
    set_first_revision(&mut item);
    Some(item)
}

/// Marks a record as a part of every state of its run.
fn set_first_revision(item: &mut Item) {
    if item.contains_key(REVISION) {
        item.insert(REVISION.to_owned(), number(0));
    }
    if let Some(AttributeValue::M(version)) = item.get_mut(SPAN) {
        version.insert(REVISION.to_owned(), number(0));
    }
}
