//! The stored records of a trace: its state, its run, and its spans with their positions.

use std::collections::BTreeMap;

use format::Result;
use format::attributes::{
    PARTITION_KEY, PINNED_AT, PINNED_BY, SEQUENCE_NUMBER, SORT_KEY, STEP_INSTANCE_ID, STEP_TYPE,
    TEAM_ID, TIME_TO_LIVE,
};
use format::keys;
use format::model::{Item, Timestamp, is_expired};
use store::Range;

use super::attributes::{get_expiry, get_number, get_text};
use super::plan::StepPlacement;
use super::{ROUND, SPAN_ID, Trace};
use crate::otlp::SpanId;
use crate::otlp::records::{Facts, SPAN};

/// The attributes of a trace's records that are read, because the layout needs them.
const READ_ATTRIBUTES: &[&str] = &[
    PARTITION_KEY,
    SORT_KEY,
    STEP_INSTANCE_ID,
    STEP_TYPE,
    SEQUENCE_NUMBER,
    TEAM_ID,
    TIME_TO_LIVE,
    PINNED_AT,
    PINNED_BY,
    ROUND,
    SPAN,
    SPAN_ID,
];

/// The stored records of a trace.
pub(super) struct StoredTrace {
    /// The trace's state; empty if it has none.
    pub(super) state: Item,
    pub(super) run: Option<Item>,
    pub(super) spans: BTreeMap<SpanId, StoredSpan>,
}

/// A stored span.
pub(super) struct StoredSpan {
    pub(super) facts: Facts,
    /// Its steps: one, unless a round has stopped halfway.
    pub(super) copies: Vec<Copy>,
}

/// One stored copy of a step.
#[derive(Clone)]
pub(super) struct Copy {
    pub(super) sk: String,
    pub(super) round: String,
    step_type: Option<String>,
    sequence_number: Option<String>,
    expires_at: Option<String>,
}

impl Trace<'_> {
    /// Reads the stored records of the trace, the state first.
    pub(super) async fn read(&self) -> Result<StoredTrace> {
        let state = self.store.get_latest(&self.pk, keys::TRACE).await?;
        let mut stored = StoredTrace {
            state: state.unwrap_or_default(),
            run: None,
            spans: BTreeMap::new(),
        };
        let now = Timestamp::now();
        let below = Range::of_execution(&self.execution_id, keys::BRANCHES, Some(keys::EXECUTION));
        let steps = Range::of_execution(&self.execution_id, keys::STEPS, None);
        for range in [below, steps] {
            let range = range.latest().only(READ_ATTRIBUTES);
            let add = |item| stored.add(item, now);
            self.store.for_each(&range, add).await?;
        }
        Ok(stored)
    }
}

impl StoredTrace {
    fn add(&mut self, item: Item, now: Timestamp) {
        if keys::is_execution(&item) {
            self.run = Some(item);
            return;
        }
        // Steps without a span belong to an engine.
        if let Some((id, facts, copy)) = stored_span(&item).filter(|_| !is_expired(&item, now)) {
            let known = self.spans.entry(id).or_insert(StoredSpan {
                facts,
                copies: Vec::new(),
            });
            known.copies.push(copy);
        }
    }
}

fn stored_span(item: &Item) -> Option<(SpanId, Facts, Copy)> {
    let facts = serde_dynamo::from_attribute_value(item.get(SPAN)?.clone()).ok()?;
    let id = get_text(item, STEP_INSTANCE_ID)?.parse().ok()?;
    let copy = Copy {
        sk: keys::sort_key(item)?.to_owned(),
        round: get_text(item, ROUND)?.to_owned(),
        step_type: get_text(item, STEP_TYPE).map(str::to_owned),
        sequence_number: get_number(item, SEQUENCE_NUMBER).map(str::to_owned),
        expires_at: get_expiry(item).map(str::to_owned),
    };
    Some((id, facts, copy))
}

impl Copy {
    /// Whether the step waits for its run. A step that expires together with the run does
    /// not wait.
    pub(super) fn is_waiting(&self, run_expiry: Option<&str>) -> bool {
        self.expires_at.is_some() && self.expires_at.as_deref() != run_expiry
    }

    /// Whether the step is at its position, and waits exactly if the run is not listed.
    pub(super) fn is_at(
        &self,
        place: &StepPlacement,
        is_listed: bool,
        run_expiry: Option<&str>,
    ) -> bool {
        self.sk == place.sk
            && self.step_type.as_deref() == Some(&place.step_type)
            && self.sequence_number.as_deref() == Some(&place.sequence_number)
            && self.is_waiting(run_expiry) != is_listed
    }
}
