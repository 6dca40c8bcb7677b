//! Bringing the records of a trace to the state that its spans say.
//!
//! Whoever has spans of a trace reads what is there, lays it out together with them, and
//! writes what differs. Others may do the same at that moment, and anybody may end in the
//! middle. Three rules make all of it come to one end:
//!
//! - The state of the trace ([`keys::TRACE`]) names the round that wrote last. It is read
//!   before everything else and replaced after everything else, under the condition that
//!   it is still the same. Where it is not, somebody has written what this round has not
//!   seen, and another round follows. So the last round of all has seen what all wrote.
//! - A step that moves is written in its new place before it is removed from its old one,
//!   and removed only while the old one is what was read. So a step can stand twice for a
//!   moment, and never nowhere.
//! - A request that comes again writes nothing but the state, so that a round which has
//!   not seen what the first time has left, half done, does not end as the last.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::layout::{Layout, Placement, Seat, lay_out};
use super::records::{Facts, SPAN, SpanRecord};
use super::{MAX_SPANS_A_TRACE, Rejection, Rejections, Span, SpanId, TraceId};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{ExecutionId, Item, MAX_ID_LENGTH, TeamId, Timestamp, is_expired};
use crate::operations::delete_items;
use crate::payload::RunPayload;
use crate::reap::remove_children;
use crate::record::{Branch, FORK};
use crate::store::{Range, Replaced, Store, backoff, key};
use crate::table::{PARTITION_KEY, PINNED_AT, PINNED_BY, SORT_KEY, TIME_TO_LIVE, text};

/// How many traces are written at a time.
const TRACES_AT_A_TIME: usize = 8;

/// How many batches, or single items, of a trace are written at a time.
const WRITES_AT_A_TIME: usize = 8;

/// How many steps are in memory, whole, on their way to their places.
const MOVES_AT_A_TIME: usize = 250;

/// How long steps wait for their run, in seconds.
const WAITING_SECONDS: i64 = 7 * 24 * 3_600;

/// The attribute with the round that has written an item.
const ROUND: &str = "round";
/// The attribute of a run, and of a trace's state, with the span that is the run.
const SPAN_ID: &str = "spanId";
/// The attributes that only a step of a branch has.
const OF_A_BRANCH: [&str; 4] = [
    "branchExecutionId",
    "branchId",
    "parentStepInstanceId",
    "parentStepStartTime",
];

/// What is read of the records of a trace: what laying it out takes.
const LOOKED_AT: &[&str] = &[
    PARTITION_KEY,
    SORT_KEY,
    "stepInstanceId",
    "stepType",
    "sequenceNumber",
    "teamId",
    TIME_TO_LIVE,
    PINNED_AT,
    PINNED_BY,
    ROUND,
    SPAN,
    SPAN_ID,
];

/// Writes spans into the runs that their traces are. Returns those that were not taken.
///
/// What is written before an error stays; the same spans given again go on from there.
///
/// # Errors
/// [`Error::Forbidden`] for a caller who is limited to flows: of which flow a span is,
/// its root tells, which comes last; [`Error::InvalidMember`] where the team's id is too
/// long to be part of a run's; [`Error::Throttled`] while others keep writing to the same
/// trace; and those of the table.
pub async fn write_spans(store: &Store, caller: &Caller, spans: Vec<Span>) -> Result<Rejections> {
    caller.require_whole_team("The runs of traces")?;
    let mut traces: BTreeMap<TraceId, Vec<Span>> = BTreeMap::new();
    for span in spans {
        traces.entry(span.trace_id).or_default().push(span);
    }
    // Made one by one: a request can have as many traces as spans.
    let mut writes = stream::iter(traces)
        .map(|(trace_id, spans)| write_trace(store, caller, trace_id, spans).boxed())
        .buffer_unordered(TRACES_AT_A_TIME);
    let mut rejections = Rejections::default();
    let mut failure = None;
    // One that fails does not keep the others from their end.
    while let Some(written) = writes.next().await {
        match written {
            Ok(others) => rejections.add_all(&others),
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(rejections), Err)
}

/// The run that a trace is. The team is part of its id, so that no trace reaches the run
/// of another team.
fn execution_id_of(caller: &Caller, trace_id: TraceId) -> Result<ExecutionId> {
    let id = format!("{}:{trace_id}", caller.team_id);
    id.parse().map_err(|_| {
        let most = MAX_ID_LENGTH - (id.len() - caller.team_id.as_str().len());
        let reason = format!("The team's id has more than {most} characters.");
        Error::invalid_member("resourceSpans", reason)
    })
}

async fn write_trace(
    store: &Store,
    caller: &Caller,
    trace_id: TraceId,
    spans: Vec<Span>,
) -> Result<Rejections> {
    let execution_id = execution_id_of(caller, trace_id)?;
    let mut records = BTreeMap::new();
    let mut too_many = 0;
    for span in spans {
        if records.len() == MAX_SPANS_A_TRACE && !records.contains_key(&span.id) {
            too_many += 1;
            continue;
        }
        // Of a span that is there twice, the first.
        if let Entry::Vacant(place) = records.entry(span.id) {
            place.insert(SpanRecord::of(span, &execution_id)?);
        }
    }
    let trace = Trace {
        store,
        team_id: &caller.team_id,
        pk: keys::execution_partition(&execution_id),
        execution_id,
        records,
    };
    let mut rejections = trace.write().await?;
    rejections.add(Rejection::TraceFull, too_many);
    Ok(rejections)
}

/// A trace, and the spans of it that are to be written.
struct Trace<'a> {
    store: &'a Store,
    team_id: &'a TeamId,
    execution_id: ExecutionId,
    pk: String,
    records: BTreeMap<SpanId, SpanRecord>,
}

impl Trace<'_> {
    async fn write(&self) -> Result<Rejections> {
        let mut has_written = false;
        for wait in backoff() {
            let found = self.read().await?;
            let (taken, rejections) = self.taken(&found);
            if taken.is_empty() {
                // Of a run that was deleted meanwhile, perhaps behind the reaper's back.
                if has_written {
                    remove_children(self.store, &self.pk).await?;
                }
                return Ok(rejections);
            }
            has_written = true;
            let plan = self.plan(&found, &taken)?;
            if self.carry_out(&found, &plan).await? && self.stays(&plan).await? {
                return Ok(rejections);
            }
            tokio::time::sleep(wait).await;
        }
        Err(Error::Throttled("others keep writing to this trace".into()))
    }

    /// Whether the run is still there, for which steps were written that do not expire.
    /// Who deletes it from now on finds them.
    async fn stays(&self, plan: &Plan<'_>) -> Result<bool> {
        if !plan.is_listed {
            return Ok(true);
        }
        let run = self.store.get_latest(&self.pk, keys::EXECUTION).await?;
        Ok(run.is_some())
    }

    /// Reads what there is of the trace, its state first.
    async fn read(&self) -> Result<Found> {
        let state = self.store.get_latest(&self.pk, keys::TRACE).await?;
        let mut found = Found {
            state: state.unwrap_or_default(),
            run: None,
            spans: BTreeMap::new(),
        };
        let now = Timestamp::now();
        let below = Range::of_execution(&self.execution_id, keys::BRANCHES, Some(keys::EXECUTION));
        let steps = Range::of_execution(&self.execution_id, keys::STEPS, None);
        for range in [below, steps] {
            let range = range.latest().only(LOOKED_AT);
            let take_in = |item| found.take_in(item, now);
            self.store.for_each(&range, take_in).await?;
        }
        Ok(found)
    }

    /// The spans that are taken into what is there, and how many are not.
    fn taken(&self, found: &Found) -> (BTreeSet<SpanId>, Rejections) {
        let mut rejections = Rejections::default();
        let all = self.records.len();
        if let Some(run) = &found.run
            && text_in(run, "teamId") != Some(self.team_id.as_str())
        {
            rejections.add(Rejection::IdTaken, all);
            return (BTreeSet::new(), rejections);
        }
        // What is left of it is removed in a moment, and these with it.
        if found.run.is_none() && found.state.contains_key(SPAN_ID) {
            rejections.add(Rejection::RunDeleted, all);
            return (BTreeSet::new(), rejections);
        }
        let ids = self.records.keys().copied();
        let (known, new): (Vec<_>, Vec<_>) = ids.partition(|id| found.spans.contains_key(id));
        let room = MAX_SPANS_A_TRACE.saturating_sub(found.spans.len());
        rejections.add(Rejection::TraceFull, new.len().saturating_sub(room));
        let taken = known.into_iter().chain(new.into_iter().take(room));
        (taken.collect(), rejections)
    }

    /// What is to be written so that all spans stand where they belong.
    fn plan(&self, found: &Found, taken: &BTreeSet<SpanId>) -> Result<Plan<'_>> {
        let mut facts: BTreeMap<SpanId, &Facts> = BTreeMap::new();
        let new = self.records.iter().filter(|(id, _)| taken.contains(id));
        facts.extend(new.map(|(id, record)| (*id, &record.facts)));
        facts.extend(found.spans.iter().map(|(id, it)| (*id, &it.facts)));
        let nodes = facts.iter().map(|(id, facts)| (*id, facts.node()));
        let layout = lay_out(&nodes.collect());
        let run = self.run_to_write(found, &layout, taken);
        let is_listed = found.run.is_some() || run.is_some();
        let mut plan = Plan {
            is_listed,
            run,
            ..Plan::default()
        };
        let run_expiry = found.run.as_ref().and_then(expiry_of);
        for (id, placement) in &layout.placements {
            let place = place_of(*id, placement, &facts)?;
            let known = found.spans.get(id);
            let copies = known.map_or(&[][..], |known| &known.copies);
            let is_right = |copy: &&Copy| copy.is_at(&place, is_listed, run_expiry);
            let stale = copies.iter().filter(|copy| copy.sk != place.sk);
            plan.stale.extend(stale.cloned());
            if copies.iter().any(|copy| is_right(&copy)) {
                continue;
            }
            let source = match (known, self.records.get(id)) {
                (None, Some(record)) => Source::New(record),
                _ => Source::Stored(copies.to_vec()),
            };
            plan.moves.push(Move { source, place });
            let was_waiting = copies.iter().any(|copy| copy.is_waiting(run_expiry));
            plan.frees_payloads |= is_listed && was_waiting && facts[id].has_payload_items;
        }
        Ok(plan)
    }

    /// The span of these that is to be the run, where it is not. One that another
    /// request has brought is that request's to write.
    fn run_to_write(
        &self,
        found: &Found,
        layout: &Layout,
        taken: &BTreeSet<SpanId>,
    ) -> Option<&SpanRecord> {
        let record = self.records.get(&layout.run?)?;
        let is_there = |run: &Item| match text_in(run, SPAN_ID) {
            // A run that its engine writes itself stays as it is.
            None => true,
            Some(span_id) => span_id == record.id().to_string(),
        };
        let is_missing = !found.run.as_ref().is_some_and(is_there);
        (is_missing && taken.contains(&record.id())).then_some(record)
    }

    /// Writes what is planned. Returns `false` where others have written meanwhile, so
    /// that it has to be planned again.
    async fn carry_out(&self, found: &Found, plan: &Plan<'_>) -> Result<bool> {
        let round = new_round()?;
        let expiry = Timestamp::now().seconds() + WAITING_SECONDS;
        let expiry = (!plan.is_listed).then_some(expiry);
        if plan.frees_payloads {
            self.free_payloads().await?;
        }
        for moves in plan.moves.chunks(MOVES_AT_A_TIME) {
            let Some(moved) = self.moved(moves, &round, expiry).await? else {
                return Ok(false);
            };
            let (steps, payloads): (Vec<_>, Vec<_>) = moved.into_iter().unzip();
            // First, so that a step that is there is whole.
            let payloads = payloads.into_iter().flatten();
            self.store.put_many(payloads, WRITES_AT_A_TIME).await?;
            self.store.put_many(steps, WRITES_AT_A_TIME).await?;
        }
        if let Some(record) = plan.run
            && !self.put_run(found, record).await?
        {
            return Ok(false);
        }
        self.remove(&plan.stale).await?;
        self.put_state(found, plan, &round, expiry).await
    }

    /// The items of steps in their new places, each with those of its payloads that are
    /// new. `None` where one is gone meanwhile.
    async fn moved(
        &self,
        moves: &[Move<'_>],
        round: &str,
        expiry: Option<i64>,
    ) -> Result<Option<Vec<(Item, Vec<Item>)>>> {
        let moves = moves.iter().map(|step| {
            async move {
                let records = match &step.source {
                    Source::New(record) => Some(record.step(&self.execution_id)?),
                    Source::Stored(copies) => {
                        let stored = self.stored(copies).await?;
                        stored.map(|item| (item, Vec::new()))
                    }
                };
                let placed = |(item, payloads): (Item, Vec<Item>)| {
                    let item = with_expiry(step.place.given_to(item), expiry);
                    let payloads = payloads.into_iter();
                    let payloads = payloads.map(|item| with_expiry(item, expiry));
                    (with_text(item, ROUND, round), payloads.collect())
                };
                Ok(records.map(placed))
            }
            .boxed()
        });
        let moves: Vec<_> = moves.collect();
        let items: Result<Vec<_>> = stream::iter(moves)
            .buffer_unordered(WRITES_AT_A_TIME)
            .try_collect()
            .await;
        Ok(items?.into_iter().collect())
    }

    /// A step as it is stored, with all that it has.
    async fn stored(&self, copies: &[Copy]) -> Result<Option<Item>> {
        for copy in copies {
            let item = self.store.get_latest(&self.pk, &copy.sk).await?;
            if item.is_some() {
                return Ok(item);
            }
        }
        Ok(None)
    }

    /// Lets the payloads stay whose steps have waited for their run.
    async fn free_payloads(&self) -> Result<()> {
        const WAITING: &[&str] = &[PARTITION_KEY, SORT_KEY, TIME_TO_LIVE];
        let range = Range::with_prefix(&self.execution_id, keys::STEP_PAYLOADS);
        let items = self.store.all(&range.latest().only(WAITING)).await?;
        let waiting = items.iter().filter(|item| item.contains_key(TIME_TO_LIVE));
        let updates: Vec<_> = waiting
            .filter_map(keys::sort_key)
            .map(|sk| self.free_payload(sk).boxed())
            .collect();
        stream::iter(updates)
            .buffer_unordered(WRITES_AT_A_TIME)
            .try_collect()
            .await
    }

    async fn free_payload(&self, sk: &str) -> Result<()> {
        let update = Update::builder()
            .table_name(self.store.table())
            .set_key(Some(key(&self.pk, sk)))
            .update_expression("REMOVE #expiry")
            // What is gone is not made anew.
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#expiry", TIME_TO_LIVE)
            .build();
        self.store.update(update.map_err(Error::internal)?).await?;
        Ok(())
    }

    /// Writes the run, in place of the one that was read. Returns whether that was still
    /// there.
    async fn put_run(&self, found: &Found, record: &SpanRecord) -> Result<bool> {
        let replaced = found.run.as_ref().and_then(|run| text_in(run, SPAN_ID));
        if replaced.is_some() {
            self.remove_run_payloads().await?;
        }
        let (run, payloads) = record.run(self.team_id, &self.execution_id)?;
        self.store.put_many(payloads, WRITES_AT_A_TIME).await?;
        let mut run = with_text(run, SPAN_ID, &record.id().to_string());
        // What people have done with the run is no span's.
        let kept = |name: &str| Some((name.to_owned(), found.run.as_ref()?.get(name)?.clone()));
        run.extend([PINNED_AT, PINNED_BY].into_iter().filter_map(kept));
        let replaced = match replaced {
            None => Replaced::Nothing,
            Some(span_id) => Replaced::With(SPAN_ID, text(span_id)),
        };
        self.store.put_if(run, replaced).await
    }

    /// Removes what another span has told of the run: its payloads need not have as many
    /// parts.
    async fn remove_run_payloads(&self) -> Result<()> {
        const KEYS: &[&str] = &[PARTITION_KEY, SORT_KEY];
        for payload in [RunPayload::Input, RunPayload::Output, RunPayload::Data] {
            let prefix = keys::payload_parts(payload.name());
            let range = Range::with_prefix(&self.execution_id, &prefix);
            let items = self.store.all(&range.latest().only(KEYS)).await?;
            delete_items(self.store, &items).await?;
        }
        Ok(())
    }

    async fn remove(&self, stale: &[Copy]) -> Result<()> {
        let removals: Vec<_> = stale
            .iter()
            .map(|copy| {
                let round = text(&copy.round);
                self.store
                    .delete_with(&self.pk, &copy.sk, ROUND, round)
                    .boxed()
            })
            .collect();
        stream::iter(removals)
            .buffer_unordered(WRITES_AT_A_TIME)
            .try_collect()
            .await
    }

    /// Notes that this round wrote last, unless another has since the trace was read.
    async fn put_state(
        &self,
        found: &Found,
        plan: &Plan<'_>,
        round: &str,
        expiry: Option<i64>,
    ) -> Result<bool> {
        let mut state = with_expiry(key(&self.pk, keys::TRACE), expiry);
        let run = plan.run.map(|record| record.id().to_string());
        let found_run = found.run.as_ref().and_then(|run| text_in(run, SPAN_ID));
        if let Some(run) = run.as_deref().or(found_run) {
            state = with_text(state, SPAN_ID, run);
        }
        let replaced = match text_in(&found.state, ROUND) {
            None => Replaced::Nothing,
            Some(seen) => Replaced::With(ROUND, text(seen)),
        };
        let state = with_text(state, ROUND, round);
        self.store.put_if(state, replaced).await
    }
}

/// What there is of a trace.
struct Found {
    /// Its state; empty where it has none.
    state: Item,
    run: Option<Item>,
    spans: BTreeMap<SpanId, Known>,
}

/// A span that is stored.
struct Known {
    facts: Facts,
    /// Where it stands: in one place, unless a round has not come to its end.
    copies: Vec<Copy>,
}

/// A stored step.
#[derive(Clone)]
struct Copy {
    sk: String,
    round: String,
    step_type: Option<String>,
    sequence_number: Option<String>,
    expires_at: Option<String>,
}

impl Found {
    fn take_in(&mut self, item: Item, now: Timestamp) {
        if keys::is_execution(&item) {
            self.run = Some(item);
            return;
        }
        // Steps that are not of spans are their engine's own.
        if let Some((id, facts, copy)) = stored_span(&item).filter(|_| !is_expired(&item, now)) {
            let known = self.spans.entry(id).or_insert(Known {
                facts,
                copies: Vec::new(),
            });
            known.copies.push(copy);
        }
    }
}

fn stored_span(item: &Item) -> Option<(SpanId, Facts, Copy)> {
    let facts = serde_dynamo::from_attribute_value(item.get(SPAN)?.clone()).ok()?;
    let id = text_in(item, "stepInstanceId")?.parse().ok()?;
    let copy = Copy {
        sk: keys::sort_key(item)?.to_owned(),
        round: text_in(item, ROUND)?.to_owned(),
        step_type: text_in(item, "stepType").map(str::to_owned),
        sequence_number: number_in(item, "sequenceNumber").map(str::to_owned),
        expires_at: expiry_of(item).map(str::to_owned),
    };
    Some((id, facts, copy))
}

impl Copy {
    /// Whether it waits for its run. Who is there to go with the run does not.
    fn is_waiting(&self, run_expiry: Option<&str>) -> bool {
        self.expires_at.is_some() && self.expires_at.as_deref() != run_expiry
    }

    /// Whether it stands as it should, and waits only where the run is not listed.
    fn is_at(&self, place: &Place, is_listed: bool, run_expiry: Option<&str>) -> bool {
        self.sk == place.sk
            && self.step_type.as_deref() == Some(&place.step_type)
            && self.sequence_number.as_deref() == Some(&place.sequence_number)
            && self.is_waiting(run_expiry) != is_listed
    }
}

/// What a round is to write.
#[derive(Default)]
struct Plan<'a> {
    /// Whether the run is there once this is written.
    is_listed: bool,
    run: Option<&'a SpanRecord>,
    moves: Vec<Move<'a>>,
    /// Steps in places that are not theirs.
    stale: Vec<Copy>,
    /// Whether payloads have waited for the run that now comes.
    frees_payloads: bool,
}

/// A step that is to stand somewhere.
struct Move<'a> {
    source: Source<'a>,
    place: Place,
}

/// Where the rest of a step comes from.
enum Source<'a> {
    New(&'a SpanRecord),
    Stored(Vec<Copy>),
}

/// Where a step stands, as its record says it.
struct Place {
    sk: String,
    branch: Item,
    step_type: String,
    sequence_number: String,
}

fn place_of(id: SpanId, placement: &Placement, facts: &BTreeMap<SpanId, &Facts>) -> Result<Place> {
    let start_time = facts[&id].start_time()?;
    let step = id.to_string();
    let (sk, branch) = match placement.seat {
        Seat::Run => (keys::span_of_run(start_time, &step), Item::new()),
        Seat::TopLevel => (keys::step(start_time, &step), Item::new()),
        Seat::Lane { fork, lane } => {
            let branch = branch_of(fork, lane, facts[&fork].start_time()?)?;
            let sk = branch.sort_key(start_time, &step);
            (sk, serde_dynamo::to_item(&branch).map_err(Error::internal)?)
        }
    };
    let step_type = match placement.is_fork {
        true => FORK,
        false => &facts[&id].step_type,
    };
    Ok(Place {
        sk,
        branch,
        step_type: step_type.to_owned(),
        sequence_number: placement.sequence_number.to_string(),
    })
}

fn branch_of(fork: SpanId, lane: usize, fork_start_time: Timestamp) -> Result<Branch> {
    let branch_execution_id = format!("{fork}.{lane}");
    Ok(Branch {
        parent_step_start_time: fork_start_time,
        parent_step_instance_id: fork.to_string().parse().map_err(Error::internal)?,
        branch_execution_id: branch_execution_id.parse().map_err(Error::internal)?,
        branch_id: Some(format!("lane-{lane}")),
    })
}

impl Place {
    /// The step's item in this place, whatever place it had.
    fn given_to(&self, mut item: Item) -> Item {
        for name in OF_A_BRANCH {
            item.remove(name);
        }
        item.extend(self.branch.clone());
        let number = AttributeValue::N(self.sequence_number.clone());
        item.insert("sequenceNumber".to_owned(), number);
        let item = with_text(item, "stepType", &self.step_type);
        with_text(item, SORT_KEY, &self.sk)
    }
}

fn with_text(mut item: Item, name: &str, value: &str) -> Item {
    item.insert(name.to_owned(), text(value));
    item
}

/// The same item, which is gone from that second on; with `None` it stays.
fn with_expiry(mut item: Item, expiry: Option<i64>) -> Item {
    match expiry {
        Some(second) => {
            let second = AttributeValue::N(second.to_string());
            item.entry(TIME_TO_LIVE.to_owned()).or_insert(second);
        }
        None => {
            item.remove(TIME_TO_LIVE);
        }
    }
    item
}

fn text_in<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

fn number_in<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_n().ok().map(String::as_str)
}

fn expiry_of(item: &Item) -> Option<&str> {
    number_in(item, TIME_TO_LIVE)
}

/// A name that no other round has.
fn new_round() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
