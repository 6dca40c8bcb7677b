//! Plans the writes of a request: which spans are written where, and which stored ones move.

use std::collections::{BTreeMap, BTreeSet};

use format::Result;

use super::Versions;
use super::index::{Entry, Index, sort_key, step_id};
use super::known::{KnownSpans, StoredSpan};
use super::state::TraceState;
use crate::otlp::records::{Place, SpanRecord};
use crate::otlp::{
    MAX_FAILED_SPANS_A_TRACE, MAX_SPANS_A_TRACE, Rejection, Rejections, SpanId, SpanKey,
};

/// The planned writes of a request.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The state of the trace after these writes.
    pub(super) state: TraceState,
    pub(super) spans: Vec<PlannedSpan>,
    pub(super) moves: Vec<Move>,
    /// The entries of spans that the state does not list, by id.
    pub(super) places: BTreeMap<SpanId, Index>,
    pub(super) rejections: Rejections,
}

/// A span to write.
#[derive(Debug)]
pub(super) struct PlannedSpan {
    pub(super) record: SpanRecord,
    pub(super) place: Place,
    pub(super) is_root: bool,
    /// The sort key of an older version, if it is another one.
    pub(super) outdated: Option<String>,
    /// Whether another version of it is stored, which may have more payloads.
    pub(super) is_replacement: bool,
}

/// A stored span that gets another place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Move {
    pub(super) sort_key: String,
    pub(super) step_id: String,
    /// The new place. Without a parent, the parent stays.
    pub(super) place: Place,
}

/// How spans of several kinds with one id are named: the innermost one, below which their steps
/// are, by the id alone. A span that serves a call is below the caller.
struct Naming(Vec<SpanKey>);

impl Naming {
    fn new(keys: impl IntoIterator<Item = SpanKey>) -> Self {
        let keys: BTreeSet<_> = keys.into_iter().map(|key| (key.kind.rank(), key)).collect();
        Self(keys.into_iter().map(|(_, key)| key).collect())
    }

    fn is_renamed(&self, key: SpanKey) -> bool {
        self.0.first().is_some_and(|first| *first != key)
    }

    fn step_id(&self, key: SpanKey) -> String {
        step_id(key, self.is_renamed(key))
    }

    /// The caller of a span that has the same id.
    fn caller(&self, key: SpanKey) -> Option<String> {
        let caller = self.0.iter().rev().find(|it| it.kind.is_caller());
        let caller = caller.filter(|_| key.kind.is_served());
        caller.map(|caller| self.step_id(*caller))
    }
}

impl Plan {
    /// Plans the writes of these spans.
    pub(super) fn new(
        state: &TraceState,
        known: &KnownSpans,
        versions: Versions,
        attempt: u64,
    ) -> Result<Self> {
        let mut plan = Self {
            state: state.clone(),
            ..Self::default()
        };
        plan.state.begin(attempt);
        let is_new = |record: &SpanRecord| {
            let stored = known.get(record.key());
            let is_stored = |it: &StoredSpan| match it.is_counted {
                true => it.entry.end_ns >= record.span.end_ns,
                false => it.entry.end_ns > record.span.end_ns,
            };
            !stored.is_some_and(is_stored)
        };
        let latest = versions.latest.into_iter();
        let (written, repeated): (Vec<_>, Vec<_>) = latest.partition(is_new);
        for record in repeated.iter().chain(&versions.older) {
            plan.state.add_start(record);
        }
        for record in &written {
            plan.state.elect(record);
        }
        let written = plan.drop_excess(written, known);
        plan.count(&written, known);
        plan.place(state, known, written)?;
        plan.state.forget_listed();
        Ok(plan)
    }

    fn is_root(&self, key: SpanKey) -> bool {
        self.state.root.as_ref().is_some_and(|root| root.key == key)
    }

    /// Rejects the spans that the trace has no room for: neither its root nor failed ones.
    fn drop_excess(&mut self, written: Vec<SpanRecord>, known: &KnownSpans) -> Vec<SpanRecord> {
        let mut spans = self.state.spans;
        let mut kept = Vec::with_capacity(written.len());
        for record in written {
            let is_counted = known.get(record.key()).is_some_and(|it| it.is_counted);
            let most = match record.has_failed() {
                true => MAX_FAILED_SPANS_A_TRACE,
                false => MAX_SPANS_A_TRACE,
            };
            if is_counted || spans < most || self.is_root(record.key()) {
                spans += usize::from(!is_counted);
                kept.push(record);
            } else {
                self.state.dropped += 1;
                self.state.add(&record);
                self.rejections.add(Rejection::TraceFull, 1);
            }
        }
        self.state.spans = spans;
        kept
    }

    /// Adds the spans to the state of the trace.
    fn count(&mut self, written: &[SpanRecord], known: &KnownSpans) {
        // A completed parent tells that the failure below it was handled, so it comes after it.
        let (failed, others): (Vec<_>, Vec<_>) =
            written.iter().partition(|record| record.has_failed());
        for record in failed.into_iter().chain(others) {
            self.state.add(record);
            let stored = known.get(record.key()).filter(|it| it.is_counted);
            if let Some(usage) = stored.and_then(|it| it.usage.as_ref()) {
                self.state.subtract_usage(usage);
            }
            if let Some(usage) = &record.usage {
                self.state.add_usage(usage);
            }
        }
    }

    /// Places the spans, and moves the stored ones whose places have changed.
    fn place(
        &mut self,
        before: &TraceState,
        known: &KnownSpans,
        written: Vec<SpanRecord>,
    ) -> Result<()> {
        let mut by_id: BTreeMap<SpanId, Vec<SpanRecord>> = BTreeMap::new();
        for record in written {
            by_id.entry(record.span.id).or_default().push(record);
        }
        let was_root = |key| before.root.as_ref().is_some_and(|root| root.key == key);
        let mut moved_root = false;
        for (id, records) in by_id {
            let stored = known.of_id(id);
            let new_keys: Vec<_> = records.iter().map(SpanRecord::key).collect();
            let stored_keys = || stored.iter().map(|it| it.entry.key);
            let naming = Naming::new(stored_keys().chain(new_keys.iter().copied()));
            let old_naming = Naming::new(stored_keys());
            for span in stored.iter().filter(|it| !new_keys.contains(&it.entry.key)) {
                let key = span.entry.key;
                moved_root |= was_root(key);
                let caller = naming.caller(key);
                let caller = caller.filter(|it| old_naming.caller(key).as_ref() != Some(it));
                self.keep(span, naming.is_renamed(key), caller, was_root(key))?;
            }
            for record in records {
                moved_root |= was_root(record.key());
                let stored = known.get(record.key());
                let outdated = stored.map(|it| it.entry.sort_key(was_root(record.key())));
                self.add_span(&naming, record, stored, outdated.transpose()?);
            }
        }
        let old_root = before.root.as_ref();
        if let Some(root) = old_root.filter(|it| !moved_root && !self.is_root(it.key)) {
            self.moves.push(root.to_step()?);
        }
        Ok(())
    }

    /// Keeps a stored span, and moves it if its name, its parent or its role has changed.
    fn keep(
        &mut self,
        stored: &StoredSpan,
        is_renamed: bool,
        parent: Option<String>,
        was_root: bool,
    ) -> Result<()> {
        let entry = Entry {
            is_renamed,
            ..stored.entry
        };
        let place = Place {
            sort_key: entry.sort_key(self.is_root(entry.key))?,
            step_id: entry.step_id(),
            parent,
        };
        self.name_root(entry.key, &place.step_id);
        let sort_key = stored.entry.sort_key(was_root)?;
        if sort_key != place.sort_key || place.parent.is_some() {
            self.moves.push(Move {
                sort_key,
                step_id: stored.entry.step_id(),
                place,
            });
        }
        self.index(entry, true);
        Ok(())
    }

    /// Notes the id of the root's step, if the span is the root.
    fn name_root(&mut self, key: SpanKey, step_id: &str) {
        if let Some(root) = self.state.root.as_mut().filter(|root| root.key == key) {
            step_id.clone_into(&mut root.step_id);
        }
    }

    fn add_span(
        &mut self,
        naming: &Naming,
        record: SpanRecord,
        stored: Option<&StoredSpan>,
        outdated: Option<String>,
    ) {
        let key = record.key();
        let (step_id, is_root) = (naming.step_id(key), self.is_root(key));
        self.name_root(key, &step_id);
        let own_parent = record.span.parent_id.filter(|parent| *parent != key.id);
        let place = Place {
            sort_key: sort_key(record.start_time, &step_id, is_root),
            parent: naming
                .caller(key)
                .or(own_parent.map(|parent| parent.to_string())),
            step_id,
        };
        let entry = Entry::of_record(&record, naming.is_renamed(key));
        self.index(entry, record.may_move());
        self.spans.push(PlannedSpan {
            is_root,
            outdated: outdated.filter(|it| *it != place.sort_key),
            is_replacement: stored.is_some(),
            place,
            record,
        });
    }

    /// Adds a span to the list of the trace or, if that is full, to the item of its id.
    fn index(&mut self, entry: Entry, may_move: bool) {
        let index = &mut self.state.index;
        if !index.is_full() || index.of_id(entry.key.id).next().is_some() {
            index.insert(entry);
        } else if may_move {
            let entries = self.places.entry(entry.key.id).or_default();
            entries.insert(entry);
        }
    }
}
