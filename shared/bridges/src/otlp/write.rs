//! Writes the spans of a request into the runs of their traces.
//!
//! A request reads and writes in proportion to its own spans. It takes the lease of the trace
//! ([`lease`]), which contains a summary of all spans so far ([`state`]), looks up which of its
//! spans are stored already ([`known`]), plans the writes ([`plan`]), and executes them:
//!
//! 1. the payloads and steps of new spans, and of newer versions of stored ones;
//! 2. the run, which is computed from the summary ([`run`]);
//! 3. the new summary, which returns the lease.
//!
//! A request may stop at any point. Its exporter sends the spans again, and everything that the
//! saved summary does not include is written once more, under the same keys.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{
    PARENT_STEP_INSTANCE_ID, PARTITION_KEY, SORT_KEY, STEP_INSTANCE_ID, TIME_TO_LIVE, text,
};
use format::keys::{self, key};
use format::model::{ExecutionId, Item, MAX_ID_LENGTH, TeamId};
use format::payload::RunPayload;
use format::{Error, Result};
use futures_util::{FutureExt, StreamExt, stream};
use history::operations::delete_items;
use history::run_changes::remove_children;
use store::{Range, Store};
use team::auth::Caller;
use team::profiles::{TeamProfiles, profiles_of};

use super::records::{SPAN, SpanRecord, SpanVersion};
use super::{Rejection, Rejections, Span, SpanId, SpanKey, TraceId};

mod index;
mod join;
mod known;
mod lease;
mod plan;
mod run;
mod state;

use index::Index;
use known::{KnownSpans, places_item};
use lease::{Lease, Opened};
use plan::{Move, Plan, PlannedSpan};
use run::{Owner, write_run};
use state::TraceState;

/// How many runs are written at a time.
const RUNS_AT_A_TIME: usize = 8;

/// How many batches of a trace are written at a time.
const BATCHES_AT_A_TIME: usize = 8;

/// How many spans of a trace are converted to records at a time. It limits the memory.
const SPANS_AT_A_TIME: usize = 250;

/// The longest chain of joined traces that is followed.
const MAX_JOINS: usize = 32;

/// What became of the spans of a request.
#[derive(Debug, Default)]
pub struct WrittenSpans {
    /// The rejected spans, by reason.
    pub rejections: Rejections,
    /// The runs that the other spans belong to.
    pub runs: BTreeSet<ExecutionId>,
}

/// Writes spans into the runs of their traces.
///
/// After an error, the records written so far stay, and a request with the same spans
/// continues from there.
///
/// # Errors
/// - [`Error::Forbidden`]: the caller is limited to flows. The flow of a span is only known
///   from its root, which arrives last.
/// - [`Error::InvalidMember`]: the team's id is too long to be part of a run's id.
/// - [`Error::Throttled`]: other requests keep writing to the same trace.
pub async fn write_spans(store: &Store, caller: &Caller, spans: Vec<Span>) -> Result<WrittenSpans> {
    caller.require_whole_team("The runs of traces")?;
    let profiles = profiles_of(store, &caller.team_id).await?;
    let mut traces: BTreeMap<TraceId, Vec<Span>> = BTreeMap::new();
    for span in spans {
        traces.entry(span.trace_id).or_default().push(span);
    }
    // Traces of one run are written one after another, because they need the same lease.
    let mut runs: BTreeMap<String, Vec<(TraceId, Versions)>> = BTreeMap::new();
    for (trace_id, spans) in traces {
        let versions = Versions::new(spans, &profiles)?;
        let run = versions.latest.iter().flat_map(|it| &it.runs).next();
        let run = run.cloned().unwrap_or_else(|| trace_id.to_string());
        runs.entry(run).or_default().push((trace_id, versions));
    }
    // The futures are created one by one, because a request may contain as many traces as
    // spans.
    let mut writes = stream::iter(runs.into_values())
        .map(|traces| write_traces(store, caller, traces).boxed())
        .buffer_unordered(RUNS_AT_A_TIME);
    let (mut written, mut failure) = (WrittenSpans::default(), None);
    // An error in one trace does not stop the others.
    while let Some(traces) = writes.next().await {
        for trace in traces {
            match trace {
                Ok((run, rejections)) => {
                    written.rejections.add_all(&rejections);
                    written.runs.insert(run);
                }
                Err(error) => failure = Some(error),
            }
        }
    }
    failure.map_or(Ok(written), Err)
}

/// Returns the id of a trace's run. It contains the team, so that a trace cannot reach
/// another team's run.
fn run_id(caller: &Caller, trace_id: TraceId) -> Result<ExecutionId> {
    let id = format!("{}:{trace_id}", caller.team_id);
    id.parse().map_err(|_| {
        let most = MAX_ID_LENGTH - (id.len() - caller.team_id.as_str().len());
        let reason = format!("The team's id has more than {most} characters.");
        Error::invalid_member("resourceSpans", reason)
    })
}

/// Writes the spans of some traces, one after another.
async fn write_traces(
    store: &Store,
    caller: &Caller,
    traces: Vec<(TraceId, Versions)>,
) -> Vec<Result<(ExecutionId, Rejections)>> {
    let mut written = Vec::new();
    for (trace_id, versions) in traces {
        written.push(write_trace(store, caller, trace_id, versions).await);
    }
    written
}

/// Writes the spans of a trace. Returns its run, and the rejected spans.
async fn write_trace(
    store: &Store,
    caller: &Caller,
    trace_id: TraceId,
    mut versions: Versions,
) -> Result<(ExecutionId, Rejections)> {
    let mut execution_id = run_id(caller, trace_id)?;
    for _ in 0..MAX_JOINS {
        let pk = keys::execution_partition(&execution_id);
        match Lease::take(store, &pk).await? {
            Opened::Joined(run) => execution_id = run,
            Opened::Deleted => {
                let rejections = reject(Rejection::RunDeleted, versions.latest.len());
                return Ok((execution_id, rejections));
            }
            Opened::Leased(lease, state) => {
                let trace = Trace {
                    store,
                    team_id: &caller.team_id,
                    execution_id: &execution_id,
                    pk: &pk,
                };
                match trace.write_or_join(lease, *state, &mut versions).await? {
                    Target::This(rejections) => return Ok((execution_id, rejections)),
                    Target::Other(run) => execution_id = run,
                }
            }
        }
    }
    Err(join::too_long())
}

fn reject(rejection: Rejection, spans: usize) -> Rejections {
    let mut rejections = Rejections::default();
    rejections.add(rejection, spans);
    rejections
}

/// Where spans were written.
enum Target {
    /// To the run of their trace, except the rejected ones.
    This(Rejections),
    /// Nowhere yet: their trace is a part of this run.
    Other(ExecutionId),
}

/// The spans of a request, of one trace.
#[derive(Debug, Default)]
struct Versions {
    /// The version of each span that ended last.
    latest: Vec<SpanRecord>,
    older: Vec<SpanRecord>,
}

impl Versions {
    /// Prepares spans for writing.
    fn new(spans: Vec<Span>, profiles: &TeamProfiles) -> Result<Self> {
        let mut latest: BTreeMap<SpanKey, SpanRecord> = BTreeMap::new();
        let mut older = Vec::new();
        for span in spans {
            let record = SpanRecord::from_span(span, profiles)?;
            match latest.entry(record.key()) {
                Entry::Vacant(place) => {
                    place.insert(record);
                }
                Entry::Occupied(mut place) if place.get().version() < record.version() => {
                    older.push(place.insert(record));
                }
                Entry::Occupied(_) => older.push(record),
            }
        }
        Ok(Self {
            latest: latest.into_values().collect(),
            older,
        })
    }
}

/// A trace that this request may write to.
struct Trace<'a> {
    store: &'a Store,
    team_id: &'a TeamId,
    execution_id: &'a ExecutionId,
    pk: &'a str,
}

impl Trace<'_> {
    /// Writes the spans, or makes the trace a part of another run. Returns the lease in any case.
    async fn write_or_join(
        &self,
        mut lease: Lease<'_>,
        state: TraceState,
        versions: &mut Versions,
    ) -> Result<Target> {
        let all = versions.latest.len();
        let done = self.write_or_join_leased(&mut lease, state, versions).await;
        let target = self.end(lease, done).await?;
        Ok(target.unwrap_or_else(|| Target::This(reject(Rejection::RunDeleted, all))))
    }

    async fn write_or_join_leased(
        &self,
        lease: &mut Lease<'_>,
        state: TraceState,
        versions: &mut Versions,
    ) -> Result<(Target, Option<TraceState>)> {
        let mut claim = self.claim_ids(&state, &versions.latest).await?;
        // An earlier request may have stopped while it moved the trace.
        claim.run = lease.moving_to.take().or(claim.run);
        if let Some(run) = claim.run
            && self.join(lease, &state, &run).await?
        {
            return Ok((Target::Other(run), None));
        }
        let mut joined = state.clone();
        joined.joins.extend(claim.ids);
        let (rejections, next) = self.write(lease, joined, std::mem::take(versions)).await?;
        let next = next.filter(|next| !state.is_unreadable && !next.is_same_as(&state));
        Ok((Target::This(rejections), next))
    }

    /// Saves the state, if there is one, and returns the lease. Returns `None` if the run was
    /// deleted in the meantime.
    async fn end<T>(
        &self,
        lease: Lease<'_>,
        done: Result<(T, Option<TraceState>)>,
    ) -> Result<Option<T>> {
        match done {
            Ok((value, None)) => {
                lease.return_unused().await?;
                Ok(Some(value))
            }
            Ok((value, Some(state))) => {
                if lease.save(&state).await? {
                    return Ok(Some(value));
                }
                // The records of the run were removed, but not those written since.
                remove_children(self.store, self.pk).await?;
                Ok(None)
            }
            Err(error) => {
                // The lease ends by itself, but later.
                if let Err(error) = lease.give_up().await {
                    let error = error.with_causes();
                    tracing::warn!(pk = self.pk, error, "failed to return the lease of a trace");
                }
                Err(error)
            }
        }
    }

    /// Writes spans. Returns the rejected ones and, unless these are all, the new state.
    async fn write(
        &self,
        lease: &mut Lease<'_>,
        state: TraceState,
        versions: Versions,
    ) -> Result<(Rejections, Option<TraceState>)> {
        let all = versions.latest.len();
        let (run, known) = tokio::try_join!(
            self.store.get_latest(self.pk, keys::EXECUTION),
            KnownSpans::look_up(self.store, self.pk, &state, &versions.latest),
        )?;
        let owner = Owner::of_run(run.as_ref(), self.team_id, state.is_listed);
        let rejection = match owner {
            Owner::Trace | Owner::Other => None,
            Owner::OtherTeam => Some(Rejection::IdTaken),
            Owner::Deleted => Some(Rejection::RunDeleted),
        };
        if let Some(rejection) = rejection {
            return Ok((reject(rejection, all), None));
        }
        let plan = Plan::new(&state, &known, versions, lease.attempt)?;
        let (mut next, rejections) = (plan.state, plan.rejections);
        let writer = RunWriter {
            trace: self,
            expiry: run.as_ref().and_then(|run| run.get(TIME_TO_LIVE).cloned()),
            revision: next.revision,
        };
        for step in plan.moves {
            lease.extend().await?;
            writer.move_step(&state, step).await?;
        }
        let writes_run = owner == Owner::Trace && !state.is_unreadable;
        let had_root = state.root.is_some();
        writer
            .write_steps(lease, plan.spans, writes_run, had_root)
            .await?;
        writer.write_places(plan.places).await?;
        next.is_listed |= writes_run || run.is_some();
        if writes_run {
            let is_written = write_run(self.store, self.team_id, self.execution_id, &next, run);
            if !is_written.await? {
                remove_children(self.store, self.pk).await?;
                return Ok((reject(Rejection::RunDeleted, all), None));
            }
        }
        Ok((rejections, Some(next)))
    }
}

/// Writes the records of a run.
struct RunWriter<'a> {
    trace: &'a Trace<'a>,
    /// When the run expires. Its steps expire with it.
    expiry: Option<AttributeValue>,
    /// The revision of the trace's state that includes these records.
    revision: u64,
}

impl RunWriter<'_> {
    fn store(&self) -> &Store {
        self.trace.store
    }

    fn with_expiry(&self, mut item: Item) -> Item {
        if let Some(expiry) = &self.expiry {
            item.insert(TIME_TO_LIVE.to_owned(), expiry.clone());
        }
        item
    }

    async fn put_all(&self, items: Vec<Item>) -> Result<()> {
        let items = items.into_iter().map(|item| self.with_expiry(item));
        self.store().put_many(items, BATCHES_AT_A_TIME).await
    }

    /// Writes the records of spans.
    async fn write_steps(
        &self,
        lease: &mut Lease<'_>,
        spans: Vec<PlannedSpan>,
        writes_run: bool,
        had_root: bool,
    ) -> Result<()> {
        let Trace {
            store,
            pk,
            execution_id,
            ..
        } = *self.trace;
        for spans in spans.chunks(SPANS_AT_A_TIME) {
            lease.extend().await?;
            let (mut steps, mut payloads, mut outdated) = (Vec::new(), Vec::new(), Vec::new());
            for span in spans {
                let items = span.record.step(execution_id, &span.place, self.revision)?;
                if span.is_replacement {
                    self.remove_payloads(&step_payloads(&span.place.step_id))
                        .await?;
                }
                payloads.extend(items.payloads());
                if span.is_root && writes_run {
                    if had_root {
                        self.remove_run_payloads().await?;
                    }
                    payloads.extend(items.run_payloads(execution_id));
                }
                steps.push(items.item);
                outdated.extend(span.outdated.as_ref().map(|sk| key(pk, sk.as_str())));
            }
            // The payloads are written first, so that a visible step is complete.
            self.put_all(payloads).await?;
            self.put_all(steps).await?;
            delete_items(store, &outdated).await?;
        }
        Ok(())
    }

    async fn remove_run_payloads(&self) -> Result<()> {
        for payload in [RunPayload::Input, RunPayload::Output, RunPayload::Data] {
            self.remove_payloads(&keys::payload_parts(payload.name()))
                .await?;
        }
        Ok(())
    }

    /// Removes payloads, because the new ones may have fewer parts.
    async fn remove_payloads(&self, prefix: &str) -> Result<()> {
        let range = Range::with_prefix(self.trace.execution_id, prefix);
        let keys = range.latest().only(&[PARTITION_KEY, SORT_KEY]);
        let items = self.store().all(&keys).await?;
        delete_items(self.store(), &items).await
    }

    /// Moves a stored step, with its payloads if it gets another id.
    ///
    /// An earlier attempt of this request may have moved it, and written another span in its place.
    async fn move_step(&self, state: &TraceState, step: Move) -> Result<()> {
        let Trace {
            store,
            pk,
            execution_id,
            ..
        } = *self.trace;
        let (old_id, new_id) = (&step.step_id, &step.place.step_id);
        let stored = store.get_latest(pk, &step.sort_key).await?;
        let is_included = |item: &Item| {
            let version = item.get(SPAN).cloned();
            let version = version.and_then(|it| serde_dynamo::from_attribute_value(it).ok());
            version.is_none_or(|it: SpanVersion| state.includes(it.revision))
        };
        let Some(mut item) = stored.filter(is_included) else {
            return Ok(());
        };
        item.insert(SORT_KEY.to_owned(), text(&step.place.sort_key));
        item.insert(STEP_INSTANCE_ID.to_owned(), text(new_id));
        if let Some(parent) = &step.place.parent {
            item.insert(PARENT_STEP_INSTANCE_ID.to_owned(), text(parent));
        }
        let mut outdated = Vec::new();
        if old_id != new_id {
            let (old, new) = (step_payloads(old_id), step_payloads(new_id));
            let range = Range::with_prefix(execution_id, &old).latest();
            let mut payloads = store.all(&range).await?;
            for payload in &mut payloads {
                let sk = keys::sort_key(payload).unwrap_or_default().to_owned();
                let part = sk.strip_prefix(&old).unwrap_or_default();
                payload.insert(SORT_KEY.to_owned(), text(format!("{new}{part}")));
                outdated.push(key(pk, sk));
            }
            self.put_all(payloads).await?;
        }
        self.put_all(vec![item]).await?;
        if step.sort_key != step.place.sort_key {
            outdated.push(key(pk, step.sort_key));
        }
        delete_items(store, &outdated).await
    }

    /// Writes where the spans are that the state does not list.
    async fn write_places(&self, places: BTreeMap<SpanId, Index>) -> Result<()> {
        let pk = self.trace.pk;
        let items = places
            .iter()
            .map(|(id, index)| places_item(pk, *id, index, self.revision));
        self.put_all(items.collect::<Result<_>>()?).await
    }
}

/// The prefix of the keys of a step's payloads.
fn step_payloads(step_id: &str) -> String {
    format!("{}{step_id}:", keys::STEP_PAYLOADS)
}

/// Returns the text in an attribute.
fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}
