//! Reads the steps of many runs in one call, without their payloads.

use format::attributes;
use format::model::{Execution, ExecutionId, Step, StepSummary, Timestamp, is_expired};
use format::{Result, keys};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use store::{MAX_ITEMS_A_QUERY, Range, Store};

use super::nesting::{PLACE, has_unknown_parents, is_nested, tree_step};
use super::step_tree::{StepTree, TreeStep};

/// How many runs' steps are read at a time. A usual page takes one round trip.
const RUNS_AT_A_TIME: usize = 50;

/// The most steps of a run that a list shows. A large page shows fewer, see
/// [`shorten_outlines`](super::shorten_outlines).
pub const MAX_STEPS_OF_A_RUN: usize = 500;

/// The most steps that are read of a run with nested steps, which are read but not shown.
/// Normally a step starts after its parent, so the nested ones are known without the others.
const MAX_NESTED_STEPS_OF_A_RUN: usize = 2_500;

/// The most Queries for one run's steps: 4 MB. The steps may contain payloads, which are
/// read but not shown.
const MAX_QUERIES_A_RUN: usize = 4;

/// The attributes of a step that a list shows.
const SHOWN: &[&str] = &[
    attributes::PARTITION_KEY,
    attributes::SORT_KEY,
    attributes::STEP_INSTANCE_ID,
    attributes::PARENT_STEP_INSTANCE_ID,
    attributes::STEP_NAME,
    attributes::STEP_TYPE,
    attributes::SEQUENCE_NUMBER,
    attributes::STATUS,
    attributes::START_TIME,
    attributes::END_TIME,
    attributes::DURATION_MS,
    attributes::TIME_TO_LIVE,
];

/// The top-level steps of one run, without their payloads.
#[derive(Debug, Default)]
pub struct StepOutline {
    /// The steps in order of time: at most [`MAX_STEPS_OF_A_RUN`].
    pub steps: Vec<Step>,
    /// Whether `steps` contains all top-level steps of the run.
    pub is_complete: bool,
}

impl StepOutline {
    /// Counts the steps by outcome. `None` if not all steps were read.
    pub fn summary(&self) -> Option<StepSummary> {
        self.is_complete.then(|| StepSummary::count(&self.steps))
    }
}

/// Reads the top-level steps of each of these runs, many runs at a time. The result has the
/// order of the runs.
pub async fn outline_steps(store: &Store, executions: &[Execution]) -> Result<Vec<StepOutline>> {
    let outline = |execution: &Execution| read_outline(store, execution.clone()).boxed();
    let reads: Vec<_> = executions.iter().map(outline).collect();
    stream::iter(reads)
        .buffered(RUNS_AT_A_TIME)
        .try_collect()
        .await
}

async fn read_outline(store: &Store, execution: Execution) -> Result<StepOutline> {
    // An id from a malformed key has no steps that could be read.
    let Ok(execution_id) = execution.execution_id.parse::<ExecutionId>() else {
        return Ok(StepOutline::default());
    };
    let range = Range::with_prefix(&execution_id, keys::STEPS).only(SHOWN);
    let now = Timestamp::now();
    let mut steps = Vec::new();
    let (mut pages, mut has_nested) = (store.pages(&range), false);
    for _ in 0..MAX_QUERIES_A_RUN {
        let most = match has_nested {
            true => MAX_NESTED_STEPS_OF_A_RUN,
            false => MAX_STEPS_OF_A_RUN + 1,
        };
        if steps.len() >= most {
            break;
        }
        let Some(items) = pages.next_of(most - steps.len()).await? else {
            break;
        };
        has_nested |= items.iter().any(is_nested);
        let visible = items.into_iter().filter(|item| !is_expired(item, now));
        steps.extend(visible.filter_map(Step::from_item));
    }
    let is_at_end = pages.is_at_end();
    if has_nested {
        let tree = read_tree(store, &execution_id, &execution, &steps, is_at_end).await?;
        steps.retain(|step| tree.is_top_level(&step.sk));
        steps.extend(tree.added_forks().filter_map(Step::from_item));
        steps.sort_by(|one, other| one.sk.cmp(&other.sk));
        steps.iter_mut().for_each(|step| tree.place(step));
    }
    let is_complete = is_at_end && steps.len() <= MAX_STEPS_OF_A_RUN;
    steps.truncate(MAX_STEPS_OF_A_RUN);
    // A page of runs keeps the steps of all of them in memory.
    steps.shrink_to_fit();
    for step in &mut steps {
        step.ended_with(&execution);
    }
    Ok(StepOutline { steps, is_complete })
}

/// Returns the tree of these steps. If they are all steps outside of branches, and a parent is
/// missing, it may be in a branch: the first MB of the branches is then read as well.
async fn read_tree(
    store: &Store,
    execution_id: &ExecutionId,
    execution: &Execution,
    steps: &[Step],
    is_complete: bool,
) -> Result<StepTree> {
    let mut places: Vec<_> = steps.iter().map(TreeStep::from_step).collect();
    let root_span_id = execution.root_span_id.as_deref();
    if is_complete && has_unknown_parents(&places, root_span_id) {
        let range = Range::with_prefix(execution_id, keys::BRANCHES).only(PLACE);
        let branches = store.query(&range, None, MAX_ITEMS_A_QUERY).await?;
        places.extend(branches.items.iter().filter_map(tree_step));
    }
    Ok(StepTree::new(places))
}

/// Returns the number of steps of each of these runs, including the steps of branches. The
/// number comes from the writer's summary; without one the steps are counted, many runs at
/// a time. `None` if counting would read more than 8 MB.
pub async fn count_steps(store: &Store, executions: &[Execution]) -> Result<Vec<Option<u64>>> {
    let counts: Vec<_> = executions
        .iter()
        .map(|execution| count_run_steps(store, execution).boxed())
        .collect();
    stream::iter(counts)
        .buffered(RUNS_AT_A_TIME)
        .try_collect()
        .await
}

async fn count_run_steps(store: &Store, execution: &Execution) -> Result<Option<u64>> {
    if let Some(total) = execution.step_summary.and_then(|summary| summary.total) {
        return Ok(Some(total));
    }
    let Ok(execution_id) = execution.execution_id.parse::<ExecutionId>() else {
        return Ok(None);
    };
    let (top, branches) = tokio::try_join!(
        count_prefix(store, &execution_id, keys::STEPS),
        count_prefix(store, &execution_id, keys::BRANCHES),
    )?;
    Ok(top.zip(branches).map(|(top, branches)| top + branches))
}

async fn count_prefix(
    store: &Store,
    execution_id: &ExecutionId,
    prefix: &str,
) -> Result<Option<u64>> {
    let range = Range::with_prefix(execution_id, prefix);
    let (mut count, mut start) = (0, None);
    for _ in 0..MAX_QUERIES_A_RUN {
        let (more, end) = store.count_items(&range, start, MAX_ITEMS_A_QUERY).await?;
        count += more as u64;
        start = end;
        if start.is_none() {
            return Ok(Some(count));
        }
    }
    Ok(None)
}
