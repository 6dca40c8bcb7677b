//! Updates the records of a trace to match its spans.
//!
//! A request with spans of a trace reads the stored spans, lays out all spans together, and
//! writes the differences. Other requests may do the same at the same time, and any of them
//! may stop halfway. Three rules make the result consistent:
//!
//! - The state of the trace ([`keys::TRACE`]) names the round that wrote last. It is read
//!   before everything else and replaced after everything else, on condition that it has
//!   not changed. If it has changed, another request has written something that this round
//!   has not seen, and another round follows. The very last round has therefore seen
//!   everything that was written.
//! - A step that moves is written at its new position before it is removed from its old
//!   one, and it is removed only if the old record has not changed. A step may therefore
//!   exist twice for a moment, but never not at all.
//! - A repeated request writes nothing but the state. A round that has not seen the first
//!   request's incomplete result therefore cannot become the last one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use format::keys;
use format::model::{ExecutionId, MAX_ID_LENGTH, TeamId};
use format::{Error, Result};
use futures_util::{FutureExt, StreamExt, stream};
use history::run_changes::remove_children;
use store::{Store, backoff};
use team::auth::Caller;

use super::records::SpanRecord;
use super::{MAX_SPANS_A_TRACE, Rejection, Rejections, Span, SpanId, TraceId};

mod attributes;
mod execute;
mod plan;
mod stored;

use plan::Plan;

/// How many traces are written at a time.
const TRACES_AT_A_TIME: usize = 8;

/// The attribute that names the round that wrote an item.
const ROUND: &str = "round";
/// The attribute of a run, and of a trace's state, that names the span of the run.
const SPAN_ID: &str = "spanId";

/// Writes spans into the runs of their traces. Returns the rejected spans.
///
/// After an error, the records written so far stay, and a request with the same spans
/// continues from there.
///
/// # Errors
/// - [`Error::Forbidden`]: the caller is limited to flows. The flow of a span is only known
///   from its root, which arrives last.
/// - [`Error::InvalidMember`]: the team's id is too long to be part of a run's id.
/// - [`Error::Throttled`]: other requests keep writing to the same trace.
pub async fn write_spans(store: &Store, caller: &Caller, spans: Vec<Span>) -> Result<Rejections> {
    caller.require_whole_team("The runs of traces")?;
    let mut traces: BTreeMap<TraceId, Vec<Span>> = BTreeMap::new();
    for span in spans {
        traces.entry(span.trace_id).or_default().push(span);
    }
    // The futures are created one by one, because a request may contain as many traces as
    // spans.
    let mut writes = stream::iter(traces)
        .map(|(trace_id, spans)| write_trace(store, caller, trace_id, spans).boxed())
        .buffer_unordered(TRACES_AT_A_TIME);
    let mut rejections = Rejections::default();
    let mut failure = None;
    // An error in one trace does not stop the others.
    while let Some(written) = writes.next().await {
        match written {
            Ok(others) => rejections.add_all(&others),
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(rejections), Err)
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

async fn write_trace(
    store: &Store,
    caller: &Caller,
    trace_id: TraceId,
    spans: Vec<Span>,
) -> Result<Rejections> {
    let execution_id = run_id(caller, trace_id)?;
    let mut records = BTreeMap::new();
    let (mut too_many, mut too_large) = (0, 0);
    for span in spans {
        if records.len() == MAX_SPANS_A_TRACE && !records.contains_key(&span.id) {
            too_many += 1;
            continue;
        }
        // If a span occurs twice, the first one is used.
        if let Entry::Vacant(place) = records.entry(span.id) {
            // The only possible error: a payload exceeds the limit of the record format.
            match SpanRecord::from_span(span, &execution_id) {
                Ok(record) => {
                    place.insert(record);
                }
                Err(_) => too_large += 1,
            }
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
    rejections.add(Rejection::TooLarge, too_large);
    Ok(rejections)
}

/// A trace, with its spans that are to be written.
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
            let stored = self.read().await?;
            let (accepted, rejections) = self.accept(&stored);
            if accepted.is_empty() {
                // Removes what earlier rounds have written for a run that was deleted
                // since, which the reaper may have missed.
                if has_written {
                    remove_children(self.store, &self.pk).await?;
                }
                return Ok(rejections);
            }
            has_written = true;
            let plan = self.plan(&stored, &accepted)?;
            if self.execute(&stored, &plan).await? && self.is_run_present(&plan).await? {
                return Ok(rejections);
            }
            tokio::time::sleep(wait).await;
        }
        Err(Error::Throttled(
            "other requests keep writing to this trace".into(),
        ))
    }

    /// Whether the run still exists, if steps without an expiry were written for it. A
    /// later deletion of the run finds these steps.
    async fn is_run_present(&self, plan: &Plan<'_>) -> Result<bool> {
        if !plan.is_listed {
            return Ok(true);
        }
        let run = self.store.get_latest(&self.pk, keys::EXECUTION).await?;
        Ok(run.is_some())
    }
}
