//! Plans the writes of a round: the changes after which all spans of a trace are at their
//! positions.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::{
    BRANCH_EXECUTION_ID, BRANCH_ID, PARENT_STEP_INSTANCE_ID, PARENT_STEP_START_TIME,
    SEQUENCE_NUMBER, SORT_KEY, STEP_TYPE, TEAM_ID,
};
use format::keys;
use format::model::{Item, Timestamp};
use format::record::{BranchPosition, FORK};
use format::{Error, Result};

use super::attributes::{get_expiry, get_text, with_text};
use super::stored::{Copy, StoredTrace};
use super::{SPAN_ID, Trace};
use crate::otlp::layout::{Layout, Location, Placement, lay_out};
use crate::otlp::records::{Facts, SpanRecord};
use crate::otlp::{MAX_SPANS_A_TRACE, Rejection, Rejections, SpanId};

/// The attributes that only a step of a branch has.
const OF_A_BRANCH: [&str; 4] = [
    BRANCH_EXECUTION_ID,
    BRANCH_ID,
    PARENT_STEP_INSTANCE_ID,
    PARENT_STEP_START_TIME,
];

/// The planned writes of a round.
#[derive(Default)]
pub(super) struct Plan<'a> {
    /// Whether the run exists after these writes.
    pub(super) is_listed: bool,
    pub(super) run: Option<&'a SpanRecord>,
    pub(super) moves: Vec<Move<'a>>,
    /// Copies of steps at outdated positions.
    pub(super) stale: Vec<Copy>,
    /// Whether payloads have waited for the run, which is written now.
    pub(super) keeps_payloads: bool,
}

/// A step that is written at a position.
pub(super) struct Move<'a> {
    pub(super) source: Source<'a>,
    pub(super) place: StepPlacement,
}

/// The source of a step's other attributes.
pub(super) enum Source<'a> {
    New(&'a SpanRecord),
    Stored(Vec<Copy>),
}

/// The position of a step, as its record contains it.
pub(super) struct StepPlacement {
    pub(super) sk: String,
    branch: Item,
    pub(super) step_type: String,
    pub(super) sequence_number: String,
}

impl Trace<'_> {
    /// Returns the spans that are accepted in addition to the stored ones, and the rejected
    /// spans.
    pub(super) fn accept(&self, stored: &StoredTrace) -> (BTreeSet<SpanId>, Rejections) {
        let mut rejections = Rejections::default();
        let all = self.records.len();
        if let Some(run) = &stored.run
            && get_text(run, TEAM_ID) != Some(self.team_id.as_str())
        {
            rejections.add(Rejection::IdTaken, all);
            return (BTreeSet::new(), rejections);
        }
        // The rest of the deleted run is about to be removed, and these spans would be
        // removed with it.
        if stored.run.is_none() && stored.state.contains_key(SPAN_ID) {
            rejections.add(Rejection::RunDeleted, all);
            return (BTreeSet::new(), rejections);
        }
        let ids = self.records.keys().copied();
        let (known, new): (Vec<_>, Vec<_>) = ids.partition(|id| stored.spans.contains_key(id));
        let room = MAX_SPANS_A_TRACE.saturating_sub(stored.spans.len());
        rejections.add(Rejection::TraceFull, new.len().saturating_sub(room));
        let accepted = known.into_iter().chain(new.into_iter().take(room));
        (accepted.collect(), rejections)
    }

    /// Plans the writes after which all spans are at their positions.
    pub(super) fn plan(
        &self,
        stored: &StoredTrace,
        accepted: &BTreeSet<SpanId>,
    ) -> Result<Plan<'_>> {
        let mut facts: BTreeMap<SpanId, &Facts> = BTreeMap::new();
        let new = self.records.iter().filter(|(id, _)| accepted.contains(id));
        facts.extend(new.map(|(id, record)| (*id, &record.facts)));
        facts.extend(stored.spans.iter().map(|(id, it)| (*id, &it.facts)));
        let nodes = facts.iter().map(|(id, facts)| (*id, facts.node()));
        let layout = lay_out(&nodes.collect());
        let run = self.run_to_write(stored, &layout, accepted);
        let is_listed = stored.run.is_some() || run.is_some();
        let mut plan = Plan {
            is_listed,
            run,
            ..Plan::default()
        };
        let run_expiry = stored.run.as_ref().and_then(get_expiry);
        for (id, placement) in &layout.placements {
            let place = place_step(*id, placement, &facts)?;
            let known = stored.spans.get(id);
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
            plan.keeps_payloads |= is_listed && was_waiting && facts[id].has_payload_items;
        }
        Ok(plan)
    }

    /// Returns the span of this request that must be written as the run, if the stored run
    /// is different. A span of another request is written by that request.
    fn run_to_write(
        &self,
        stored: &StoredTrace,
        layout: &Layout,
        accepted: &BTreeSet<SpanId>,
    ) -> Option<&SpanRecord> {
        let record = self.records.get(&layout.run?)?;
        let is_there = |run: &Item| match get_text(run, SPAN_ID) {
            // A run that an engine has written itself stays as it is.
            None => true,
            Some(span_id) => span_id == record.id().to_string(),
        };
        let is_missing = !stored.run.as_ref().is_some_and(is_there);
        (is_missing && accepted.contains(&record.id())).then_some(record)
    }
}

fn place_step(
    id: SpanId,
    placement: &Placement,
    facts: &BTreeMap<SpanId, &Facts>,
) -> Result<StepPlacement> {
    let start_time = facts[&id].start_time()?;
    let step = id.to_string();
    let (sk, branch) = match placement.location {
        Location::Run => (keys::span_of_run(start_time, &step), Item::new()),
        Location::TopLevel => (keys::step(start_time, &step), Item::new()),
        Location::Lane { fork, lane } => {
            let branch = branch_position(fork, lane, facts[&fork].start_time()?)?;
            let sk = branch.sort_key(start_time, &step);
            (sk, serde_dynamo::to_item(&branch).map_err(Error::internal)?)
        }
    };
    let step_type = match placement.is_fork {
        true => FORK,
        false => &facts[&id].step_type,
    };
    Ok(StepPlacement {
        sk,
        branch,
        step_type: step_type.to_owned(),
        sequence_number: placement.sequence_number.to_string(),
    })
}

fn branch_position(
    fork: SpanId,
    lane: usize,
    fork_start_time: Timestamp,
) -> Result<BranchPosition> {
    let branch_execution_id = format!("{fork}.{lane}");
    Ok(BranchPosition {
        parent_step_start_time: fork_start_time,
        parent_step_instance_id: fork.to_string().parse().map_err(Error::internal)?,
        branch_execution_id: branch_execution_id.parse().map_err(Error::internal)?,
        branch_id: Some(format!("lane-{lane}")),
    })
}

impl StepPlacement {
    /// Moves a step's item to this position, regardless of its old position.
    pub(super) fn apply_to(&self, mut item: Item) -> Item {
        for name in OF_A_BRANCH {
            item.remove(name);
        }
        item.extend(self.branch.clone());
        let number = AttributeValue::N(self.sequence_number.clone());
        item.insert(SEQUENCE_NUMBER.to_owned(), number);
        let item = with_text(item, STEP_TYPE, &self.step_type);
        with_text(item, SORT_KEY, &self.sk)
    }
}
