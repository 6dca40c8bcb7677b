//! What is known about a trace as a whole: a summary of all its spans that the run is computed
//! from.
//!
//! Every part of it is the smallest or the largest of something, so the order in which spans
//! arrive, and spans that arrive twice, make no difference. Only the numbers of spans and the
//! usage are sums: they are added once for each stored span.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use format::Result;
use format::model::Status;
use format::record::{MAX_EXECUTION_ERROR_BYTES, shortened};
use serde::{Deserialize, Serialize};

use super::index::{Index, sort_key};
use super::plan::Move;
use crate::otlp::records::{Place, RunFacts, SpanRecord, Tokens, Usage, to_timestamp};
use crate::otlp::{SpanId, SpanKey};

/// How many failed spans are remembered: those that ended last.
const MAX_FAILURES: usize = 8;

/// The most bytes of the error of a failed span that is not the root.
const MAX_ERROR_BYTES: usize = 256;

/// The most ranges of requests that did not save their state.
const MAX_UNSAVED: usize = 64;

/// The most models whose usage is summed separately. A run has a few.
const MAX_MODELS: usize = 20;

/// What is known about a trace. It is stored in the item with the key
/// [`TRACE`](format::keys::TRACE).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TraceState {
    /// The number of the request that saved the state. Every record has the number of the request
    /// that wrote it.
    pub(super) revision: u64,
    /// The numbers of requests that did not save their state, in ranges. Their records are not
    /// included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsaved: Vec<(u64, u64)>,
    /// The number of stored spans.
    pub(super) spans: usize,
    /// The number of spans that were not stored, because the trace has too many.
    pub(super) dropped: usize,
    /// Whether the run was seen in the table.
    pub(super) is_listed: bool,
    /// What the earliest span says about the run. It names the run until there is a root.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<RunFacts>,
    /// The root span, which is the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) root: Option<Root>,
    /// The last end of a span, in Unix nanoseconds.
    last_end_ns: u64,
    /// The last span that decides about the status of the run, according to its profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    /// The failed spans that ended last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Failure>,
    /// The tokens that model calls have used, sorted by model.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) usage: Vec<Usage>,
    /// The ids by which this trace is joined with others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) joins: Vec<String>,
    /// The runs of other traces that have become a part of this one.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) absorbed: BTreeSet<String>,
    /// Whether the stored state cannot be read. Then neither it nor the run is changed.
    #[serde(skip)]
    pub(super) is_unreadable: bool,
    /// Where the first spans are stored.
    #[serde(skip_serializing_if = "Index::is_empty")]
    pub(super) index: Index,
}

/// The span that is the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Root {
    pub(super) key: SpanKey,
    /// Whether it is marked as the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_marked: bool,
    pub(super) facts: RunFacts,
    /// The id of its step, which names the run's span.
    pub(super) step_id: String,
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Root {
    fn from_record(record: &SpanRecord) -> Self {
        Self {
            key: record.key(),
            is_marked: record.is_run,
            facts: record.run_facts(),
            step_id: record.span.id.to_string(),
            status: record.run_status(),
            error: record
                .error
                .as_ref()
                .map(|it| shortened(it, MAX_EXECUTION_ERROR_BYTES)),
        }
    }

    /// Makes the root an ordinary step, because another span is the run now.
    ///
    /// # Errors
    /// [`Error::Internal`](format::Error::Internal), but never in practice: its start is a time.
    pub(super) fn to_step(&self) -> Result<Move> {
        let start_time = to_timestamp(self.facts.start_ns)?;
        Ok(Move {
            sort_key: sort_key(start_time, &self.step_id, true),
            step_id: self.step_id.clone(),
            place: Place {
                sort_key: sort_key(start_time, &self.step_id, false),
                step_id: self.step_id.clone(),
                parent: None,
            },
        })
    }

    /// The order of candidates: the first one is the run. A marked span comes before others, an
    /// earlier one before later ones, and the caller before the called.
    fn rank(&self) -> impl Ord {
        let start_ns = self.facts.start_ns;
        (
            !self.is_marked,
            start_ns,
            self.key.id,
            Reverse(self.key.kind.rank()),
        )
    }
}

/// A span whose outcome is the outcome of the run if it ended after the root.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    end_ns: u64,
    id: SpanId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// A failed span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    key: SpanKey,
    end_ns: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<SpanId>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    error: String,
    /// When a parent that completed in spite of this failure ended, in Unix nanoseconds; 0 if
    /// there is none, or if the state lists the parent.
    #[serde(default, skip_serializing_if = "is_zero")]
    handled_ns: u64,
}

fn short_error(record: &SpanRecord) -> Option<String> {
    record
        .error
        .as_ref()
        .map(|it| shortened(it, MAX_ERROR_BYTES))
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How a run has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) status: Status,
    /// In Unix nanoseconds.
    pub(super) end_ns: u64,
    pub(super) error: Option<String>,
}

impl TraceState {
    pub(super) fn unreadable() -> Self {
        Self {
            is_unreadable: true,
            ..Self::default()
        }
    }

    /// Whether this state says the same about the trace as an earlier one.
    pub(super) fn is_same_as(&self, earlier: &Self) -> bool {
        let same = Self {
            revision: earlier.revision,
            unsaved: earlier.unsaved.clone(),
            ..self.clone()
        };
        same == *earlier
    }

    /// Makes this the state that a request will save.
    pub(super) fn begin(&mut self, attempt: u64) {
        if attempt > self.revision + 1 {
            self.unsaved.push((self.revision + 1, attempt - 1));
            let excess = self.unsaved.len().saturating_sub(MAX_UNSAVED);
            self.unsaved.drain(..excess);
        }
        self.revision = attempt;
    }

    /// Whether the state includes the records that a request has written.
    pub(super) fn includes(&self, revision: u64) -> bool {
        let is_unsaved = |(first, last): &(u64, u64)| (*first..=*last).contains(&revision);
        revision <= self.revision && !self.unsaved.iter().any(is_unsaved)
    }

    /// Adds what a span says about the run.
    pub(super) fn add(&mut self, record: &SpanRecord) {
        self.last_end_ns = self.last_end_ns.max(record.span.end_ns);
        self.add_start(record);
        if record.decides {
            let failure = || short_error(record).unwrap_or_default();
            self.add_decision(Decision {
                end_ns: record.span.end_ns,
                id: record.span.id,
                failure: record.has_failed().then(failure),
            });
        }
        self.add_outcome(record);
    }

    /// Adds when a span has started: the run may have started with it.
    pub(super) fn add_start(&mut self, record: &SpanRecord) {
        let span = &record.span;
        if self.is_first(span.start_ns, span.end_ns, span.id) {
            self.first = Some(record.run_facts());
        }
    }

    fn add_first(&mut self, facts: RunFacts) {
        if self.is_first(facts.start_ns, facts.end_ns, facts.id) {
            self.first = Some(facts);
        }
    }

    /// Whether a span is before all others, as long as there is no root.
    fn is_first(&self, start_ns: u64, end_ns: u64, id: SpanId) -> bool {
        // A span that surrounds others which started at the same time is their parent.
        let is_earlier = |first: &RunFacts| {
            (start_ns, Reverse(end_ns), id) < (first.start_ns, Reverse(first.end_ns), first.id)
        };
        self.root.is_none() && self.first.as_ref().is_none_or(is_earlier)
    }

    fn add_decision(&mut self, decision: Decision) {
        let rank = |it: &Decision| (it.end_ns, it.id);
        if self
            .decision
            .as_ref()
            .is_none_or(|it| rank(it) < rank(&decision))
        {
            self.decision = Some(decision);
        }
    }

    /// Adds a failure, or that a failed attempt was repeated, or that the span completed in spite
    /// of a failure below it.
    fn add_outcome(&mut self, record: &SpanRecord) {
        let (span, key) = (&record.span, record.key());
        self.failures.retain(|it| it.key != key);
        if record.has_failed() {
            self.add_failures([Failure {
                key,
                end_ns: span.end_ns,
                parent: span.parent_id.filter(|parent| *parent != span.id),
                error: short_error(record).unwrap_or_default(),
                handled_ns: 0,
            }]);
            return;
        }
        for failure in &mut self.failures {
            if failure.parent == Some(span.id) {
                failure.handled_ns = failure.handled_ns.max(span.end_ns);
            }
        }
    }

    fn add_failures(&mut self, failures: impl IntoIterator<Item = Failure>) {
        self.failures.extend(failures);
        self.failures.sort_by_key(|it| Reverse((it.end_ns, it.key)));
        self.failures.truncate(MAX_FAILURES);
    }

    /// Makes a span the run if it is a better candidate than the root so far.
    pub(super) fn elect(&mut self, record: &SpanRecord) {
        if record.is_run || record.span.parent_id.is_none() {
            self.add_root(Root::from_record(record));
        }
    }

    fn add_root(&mut self, new: Root) {
        let is_better = |root: &Root| root.key == new.key || new.rank() < root.rank();
        if self.root.as_ref().is_none_or(is_better) {
            self.root = Some(new);
            self.first = None;
        }
    }

    /// Adds the state of a trace that has become a part of this one. Returns the entries of its
    /// spans that this state has no room for.
    pub(super) fn absorb(&mut self, other: &Self) -> BTreeMap<SpanId, Index> {
        self.spans += other.spans;
        self.dropped += other.dropped;
        self.last_end_ns = self.last_end_ns.max(other.last_end_ns);
        other
            .root
            .iter()
            .cloned()
            .for_each(|root| self.add_root(root));
        other
            .first
            .iter()
            .cloned()
            .for_each(|facts| self.add_first(facts));
        other
            .decision
            .iter()
            .cloned()
            .for_each(|it| self.add_decision(it));
        self.add_failures(other.failures.iter().cloned());
        for usage in &other.usage {
            self.add_usage(usage);
        }
        let new = other.joins.iter().filter(|id| !self.joins.contains(id));
        let new: Vec<_> = new.cloned().collect();
        self.joins.extend(new);
        self.absorbed.extend(other.absorbed.iter().cloned());
        let mut places: BTreeMap<SpanId, Index> = BTreeMap::new();
        for entry in other.index.iter() {
            let index = match self.index.is_full() {
                true => places.entry(entry.key.id).or_default(),
                false => &mut self.index,
            };
            index.insert(*entry);
        }
        places
    }

    /// Adds the tokens that a call has used.
    pub(super) fn add_usage(&mut self, usage: &Usage) {
        let position = self.usage.binary_search_by(|it| it.model.cmp(&usage.model));
        match position {
            _ if usage.tokens == Tokens::default() => {}
            Ok(position) => self.usage[position].tokens += usage.tokens,
            Err(_) if self.usage.len() == MAX_MODELS => {}
            Err(position) => self.usage.insert(position, usage.clone()),
        }
    }

    /// Takes back the tokens of a call whose span was replaced.
    pub(super) fn subtract_usage(&mut self, usage: &Usage) {
        for used in self
            .usage
            .iter_mut()
            .filter(|used| used.model == usage.model)
        {
            used.tokens -= usage.tokens;
        }
        self.usage.retain(|used| used.tokens != Tokens::default());
    }

    /// What names the run: the root or, until it has arrived, the earliest span.
    pub(super) fn facts(&self) -> Option<&RunFacts> {
        let root = self.root.as_ref().map(|root| &root.facts);
        root.or(self.first.as_ref())
    }

    /// When the parent of a failed span completed in spite of the failure; 0 if it did not.
    fn handled_at(&self, failure: &Failure) -> u64 {
        let listed = self.index.completed_at(failure.parent);
        listed.unwrap_or_default().max(failure.handled_ns)
    }

    /// Forgets what the list of spans says as well, also of their later versions.
    pub(super) fn forget_listed(&mut self) {
        for failure in &mut self.failures {
            let is_listed = |parent| self.index.of_id(parent).next().is_some();
            if failure.parent.is_some_and(is_listed) {
                failure.handled_ns = 0;
            }
        }
    }

    /// Returns how the run has ended. `None` if its root has not arrived.
    ///
    /// Work below the root may go on after the root has ended: the root of a message is its
    /// sender. Then the run ends with the last span. It has failed if the profile of a late span
    /// says so, or if a late span has failed and no late parent completed in spite of it.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let root = self.root.as_ref()?;
        let (mut status, mut error) = (root.status, root.error.clone());
        let mut fail = |message: &str| {
            status = Status::Failed;
            error = Some(message.to_owned()).filter(|it| !it.is_empty());
        };
        let is_late = |end_ns: u64| end_ns > root.facts.end_ns;
        let failure = |it: &&Failure| is_late(it.end_ns) && self.handled_at(it) < it.end_ns;
        let decision = self.decision.as_ref().filter(|it| is_late(it.end_ns));
        match decision {
            _ if root.status == Status::Failed => {}
            Some(Decision {
                failure: Some(message),
                ..
            }) => fail(message),
            Some(_) => {}
            None => {
                if let Some(failure) = self.failures.iter().find(failure) {
                    fail(&failure.error);
                }
            }
        }
        Some(Outcome {
            status,
            end_ns: self.last_end_ns.max(root.facts.end_ns),
            error,
        })
    }
}
