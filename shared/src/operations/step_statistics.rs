//! Which steps of a flow fail, and which take their time.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::export::{ExportPiece, with_steps};
use super::{ExecutionFilter, Window, list_executions};
use crate::auth::Caller;
use crate::error::Result;
use crate::model::{Execution, PageSize, Step, StepStatus, Timestamp};
use crate::store::Store;

/// The most steps that are read, whatever the number of runs.
pub const MAX_STEPS_READ: usize = 100_000;

/// The most steps of a flow that are told of. An engine that makes up a name for each run of
/// a step has as many as there were.
pub const MAX_STEPS_TOLD: usize = 500;

/// The most bytes of an error that are told.
const MAX_ERROR_LENGTH: usize = 4_000;

/// The statistics of the steps of some runs.
#[derive(Debug, Clone, PartialEq)]
pub struct StepStatistics {
    /// How many runs were read: the newest.
    pub runs: usize,
    /// Whether these are all.
    pub is_exact: bool,
    /// The steps of the flow, those that failed most often first, and of these those that
    /// took longest together; at most [`MAX_STEPS_TOLD`].
    pub steps: Vec<StepFigures>,
    /// Whether these are all.
    pub are_all_told: bool,
}

/// What became of one step of a flow in all of its runs, in branches as well.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepFigures {
    /// The step's id in the flow's definition.
    pub step_id: Option<String>,
    /// Its name for people, as it was in the newest run.
    pub step_name: Option<String>,
    /// What kind of step it is.
    pub step_type: Option<String>,
    /// How often it was begun, however it ended.
    pub begun: u64,
    /// How often it completed.
    pub completed: u64,
    /// How often it failed.
    pub failed: u64,
    /// How often the flow went another way.
    pub skipped: u64,
    /// When it failed last.
    pub last_failure: Option<StepFailure>,
    /// How long it took where it completed or failed, in milliseconds, in order.
    durations_ms: Vec<u64>,
}

/// A failure of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// The run in which it failed.
    pub execution_id: String,
    /// When the step began.
    pub start_time: Option<Timestamp>,
    /// Why it failed; of a long text the beginning.
    pub error_message: Option<String>,
}

impl StepFigures {
    /// How long it took together, in milliseconds. What an engine has written as a duration
    /// may be any number, so this stops at the highest.
    pub fn total_ms(&self) -> u64 {
        self.durations_ms
            .iter()
            .copied()
            .fold(0, u64::saturating_add)
    }

    /// How long it took on average, in milliseconds. `None` where no duration is known.
    pub fn mean_ms(&self) -> Option<u64> {
        let count = self.durations_ms.len() as u64;
        (count > 0).then(|| self.total_ms().saturating_add(count / 2) / count)
    }

    /// How long it took at most in a part of all cases, from 0 to 1, in milliseconds; exact.
    pub fn quantile_ms(&self, part: f64) -> Option<u64> {
        let rank = (part * self.durations_ms.len() as f64).ceil() as usize;
        self.durations_ms.get(rank.max(1) - 1).copied()
    }

    fn describe(&mut self, step: &Step) {
        let describe = |mine: &mut Option<String>, its: &Option<String>| {
            if mine.is_none() {
                mine.clone_from(its);
            }
        };
        describe(&mut self.step_id, &step.step_id);
        describe(&mut self.step_name, &step.step_name);
        describe(&mut self.step_type, &step.step_type);
    }

    fn add(&mut self, step: Step, run: &str) {
        let Some(status) = step.status else { return };
        if status == StepStatus::Skipped {
            self.skipped += 1;
            return;
        }
        if status == StepStatus::Pending {
            return;
        }
        self.begun += 1;
        match status {
            StepStatus::Completed => self.completed += 1,
            StepStatus::Failed => self.failed += 1,
            _ => return,
        }
        self.durations_ms.extend(step.duration_ms());
        // Runs come newest first; within one, the last failure is the one that counts.
        let is_newest = |last: &StepFailure| last.execution_id == run;
        if status == StepStatus::Failed && self.last_failure.as_ref().is_none_or(is_newest) {
            self.last_failure = Some(StepFailure {
                execution_id: run.to_owned(),
                start_time: step.start_time(),
                error_message: step.error_message.map(shortened),
            });
        }
    }
}

/// Sums up the steps of the newest runs that meet a filter: up to `runs` of them, those on the
/// first page of their list, and no further ones once [`MAX_STEPS_READ`] steps were read. No
/// counter is kept of steps, which would cost more than to write them; each run is one Query,
/// or some more where it does not fit into one.
///
/// # Errors
/// Those of [`super::list_executions`].
pub async fn step_statistics(
    store: &Store,
    caller: &Caller,
    filter: &ExecutionFilter,
    runs: PageSize,
) -> Result<StepStatistics> {
    let page = list_executions(store, caller, filter, runs, Window::After(None)).await?;
    let mut is_exact = page.next_token.is_none();
    let runs = stream::iter(page.executions.into_iter().map(Ok)).boxed();
    let mut pieces = with_steps(store.clone(), runs);
    let mut figures: HashMap<Identity, StepFigures> = HashMap::new();
    let (mut run, mut read, mut steps_read) = (String::new(), 0, 0);
    while let Some(piece) = pieces.try_next().await? {
        match piece {
            ExportPiece::Execution(_) if steps_read >= MAX_STEPS_READ => {
                is_exact = false;
                break;
            }
            ExportPiece::Execution(execution) => {
                let Execution { execution_id, .. } = *execution;
                run = execution_id;
                read += 1;
            }
            ExportPiece::Steps(steps) => {
                steps_read += steps.len();
                for step in steps {
                    let figures = figures.entry(identity(&step)).or_default();
                    figures.describe(&step);
                    figures.add(step, &run);
                }
            }
        }
    }
    let mut steps: Vec<_> = figures.into_values().collect();
    for step in &mut steps {
        step.durations_ms.sort_unstable();
    }
    steps.sort_by(|one, other| {
        let worst = |step: &StepFigures| (step.failed, step.total_ms());
        let by_name = || (&one.step_name, &one.step_id).cmp(&(&other.step_name, &other.step_id));
        worst(other).cmp(&worst(one)).then_with(by_name)
    });
    let are_all_told = steps.len() <= MAX_STEPS_TOLD;
    steps.truncate(MAX_STEPS_TOLD);
    Ok(StepStatistics {
        runs: read,
        is_exact,
        steps,
        are_all_told,
    })
}

/// What makes two runs of a step those of one step: the definition's id, or the name and the
/// type where the engine writes none.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Id(String),
    Name(Option<String>, Option<String>),
}

fn identity(step: &Step) -> Identity {
    match &step.step_id {
        Some(step_id) => Identity::Id(step_id.clone()),
        None => Identity::Name(step.step_name.clone(), step.step_type.clone()),
    }
}

fn shortened(mut error: String) -> String {
    error.truncate(error.floor_char_boundary(MAX_ERROR_LENGTH));
    error
}
