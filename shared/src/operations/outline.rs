//! The steps of many runs at once, without their payloads.

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::error::Result;
use crate::keys;
use crate::model::{Execution, ExecutionId, Step, StepSummary, Timestamp, is_expired};
use crate::store::{MAX_ITEMS_A_QUERY, Range, Store};

/// How many runs' steps are read at a time: a usual page takes one round trip.
const RUNS_AT_A_TIME: usize = 50;

/// The most steps of a run that a list shows. With it a page of 500 runs stays
/// below 30 MB.
pub const MAX_STEPS_OF_A_RUN: usize = 500;

/// The most Queries for one run's steps: 4 MB, as its steps can carry payloads
/// that are read and not shown.
const MAX_QUERIES_A_RUN: usize = 4;

/// What a list shows of a step.
const SHOWN: &[&str] = &[
    "pk",
    "sk",
    "stepInstanceId",
    "stepName",
    "stepType",
    "sequenceNumber",
    "status",
    "startTime",
    "endTime",
    "durationMs",
    "expiresAt",
];

/// The top-level steps of one run, without their payloads.
#[derive(Debug, Default)]
pub struct StepOutline {
    /// The steps, in order of time: up to [`MAX_STEPS_OF_A_RUN`].
    pub steps: Vec<Step>,
    /// Whether these are all.
    pub is_complete: bool,
}

impl StepOutline {
    /// How the steps ended. `None` where not all of them are in hand.
    pub fn summary(&self) -> Option<StepSummary> {
        self.is_complete.then(|| StepSummary::of(&self.steps))
    }
}

/// Reads the top-level steps of each of these runs, many at a time, in the runs'
/// order.
///
/// # Errors
/// Those of the table.
pub async fn outline_steps(store: &Store, executions: &[Execution]) -> Result<Vec<StepOutline>> {
    let outline = |execution: &Execution| outline_of(store, execution.clone()).boxed();
    let reads: Vec<_> = executions.iter().map(outline).collect();
    stream::iter(reads)
        .buffered(RUNS_AT_A_TIME)
        .try_collect()
        .await
}

async fn outline_of(store: &Store, execution: Execution) -> Result<StepOutline> {
    // An id out of a key that is malformed has no steps that could be asked for.
    let Ok(execution_id) = execution.execution_id.parse::<ExecutionId>() else {
        return Ok(StepOutline::default());
    };
    let range = Range::with_prefix(&execution_id, keys::STEPS).only(SHOWN);
    let now = Timestamp::now();
    let mut outline = StepOutline::default();
    let mut start = None;
    for _ in 0..MAX_QUERIES_A_RUN {
        let limit = MAX_STEPS_OF_A_RUN + 1 - outline.steps.len();
        let page = store.query(&range, start, limit).await?;
        let visible = page.items.into_iter().filter(|item| !is_expired(item, now));
        outline.steps.extend(visible.filter_map(Step::from_item));
        start = page.last_key;
        if start.is_none() || outline.steps.len() > MAX_STEPS_OF_A_RUN {
            break;
        }
    }
    outline.is_complete = start.is_none() && outline.steps.len() <= MAX_STEPS_OF_A_RUN;
    outline.steps.truncate(MAX_STEPS_OF_A_RUN);
    for step in &mut outline.steps {
        step.ended_with(&execution);
    }
    Ok(outline)
}

/// The number of steps of each of these runs, those of branches among them: as
/// its writer summed it up, else counted, many runs at a time. `None` where it
/// would take more than 8 MB of reading.
///
/// # Errors
/// Those of the table.
pub async fn count_steps(store: &Store, executions: &[Execution]) -> Result<Vec<Option<u64>>> {
    let counts: Vec<_> = executions
        .iter()
        .map(|execution| count_of(store, execution).boxed())
        .collect();
    stream::iter(counts)
        .buffered(RUNS_AT_A_TIME)
        .try_collect()
        .await
}

async fn count_of(store: &Store, execution: &Execution) -> Result<Option<u64>> {
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
