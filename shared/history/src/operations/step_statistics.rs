//! Shows which steps of a flow fail, and which take the most time.

use std::collections::HashMap;

use format::Result;
use format::model::{Execution, PageSize, Step, StepStatus};
use futures_util::{StreamExt, TryStreamExt, stream};
use store::Store;
use team::auth::Caller;

use super::run_stream::{RunPiece, with_steps};
use super::shorten::MAX_ERROR_LENGTH;
use super::step_failures::{FirstFailure, MAX_LISTED_FAILURES_IN_TOTAL, StepFailure, keep_newest};
use super::{ExecutionFilter, Window, list_executions};

/// The most steps that are read, regardless of the number of runs.
pub const MAX_STEPS_READ: usize = 100_000;

/// The most steps of a flow that are listed. A flow has this many if its engine invents a
/// new step name for each run.
pub const MAX_LISTED_STEPS: usize = 500;

/// The statistics of the steps of some runs.
#[derive(Debug, Clone, PartialEq)]
pub struct StepStatistics {
    /// How many runs were read. They are the newest ones.
    pub runs: usize,
    /// Whether these are all runs.
    pub is_exact: bool,
    /// The steps of the flow, sorted by failures and then by total time, in descending
    /// order; at most [`MAX_LISTED_STEPS`].
    pub steps: Vec<StepFigures>,
    /// Whether `steps` contains all steps of the flow.
    pub has_all_steps: bool,
}

/// The figures of one step of a flow over all runs, including its runs in branches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepFigures {
    /// The step's id in the flow's definition.
    pub step_id: Option<String>,
    /// The step's name, as it was in the newest run.
    pub step_name: Option<String>,
    /// The type of the step.
    pub step_type: Option<String>,
    /// How often it was started, regardless of the outcome.
    pub begun: u64,
    /// How often it completed.
    pub completed: u64,
    /// How often it failed.
    pub failed: u64,
    /// How often it was skipped because the flow took another path.
    pub skipped: u64,
    /// In how many runs it failed before any other step did.
    pub failed_first: u64,
    /// Its last failure.
    pub last_failure: Option<StepFailure>,
    /// Its newest failures, newest first, with the beginnings of their error messages; at
    /// most [`MAX_LISTED_FAILURES`](super::MAX_LISTED_FAILURES), and at most
    /// [`MAX_LISTED_FAILURES_IN_TOTAL`] for all steps together.
    pub failures: Vec<StepFailure>,
    /// The durations of its completed and failed runs, in milliseconds, in ascending order.
    durations_ms: Vec<u64>,
}

impl StepFigures {
    /// The total time, in milliseconds. An engine may write any number as a duration, so
    /// the sum stops at the largest number.
    pub fn total_ms(&self) -> u64 {
        self.durations_ms
            .iter()
            .copied()
            .fold(0, u64::saturating_add)
    }

    /// The mean duration, in milliseconds. `None` if no duration is known.
    pub fn mean_ms(&self) -> Option<u64> {
        let count = self.durations_ms.len() as u64;
        (count > 0).then(|| self.total_ms().saturating_add(count / 2) / count)
    }

    /// The exact quantile of the duration, in milliseconds. `part` is between 0 and 1.
    pub fn quantile_ms(&self, part: f64) -> Option<u64> {
        let rank = (part * self.durations_ms.len() as f64).ceil() as usize;
        self.durations_ms.get(rank.max(1) - 1).copied()
    }

    fn describe(&mut self, step: &Step) {
        let set_if_missing = |own: &mut Option<String>, found: &Option<String>| {
            if own.is_none() {
                own.clone_from(found);
            }
        };
        set_if_missing(&mut self.step_id, &step.step_id);
        set_if_missing(&mut self.step_name, &step.step_name);
        set_if_missing(&mut self.step_type, &step.step_type);
    }

    fn add(&mut self, step: &Step, run: &str) {
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
        if status != StepStatus::Failed {
            return;
        }
        // Runs are passed from newest to oldest; within one run the last failure counts.
        let is_newest = |last: &StepFailure| last.execution_id == run;
        if self.last_failure.as_ref().is_none_or(is_newest) {
            self.last_failure = Some(StepFailure::from_step(step, run, MAX_ERROR_LENGTH));
        }
        keep_newest(&mut self.failures, step, run);
    }
}

/// Sums up the steps of the newest runs that match a filter. Reads at most `runs` runs, which
/// are the first page of their list, and stops after [`MAX_STEPS_READ`] steps. There
/// are no counters of steps, because they would cost more than writing the steps
/// themselves. Each run takes one Query, or several if it does not fit into one.
///
/// # Errors
/// The errors of [`super::list_executions`].
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
    let mut summed = Figures::default();
    let (mut run, mut read, mut steps_read) = (String::new(), 0, 0);
    while let Some(piece) = pieces.try_next().await? {
        match piece {
            RunPiece::Execution(_) if steps_read >= MAX_STEPS_READ => {
                is_exact = false;
                break;
            }
            RunPiece::Execution(execution) => {
                summed.end_run();
                let Execution { execution_id, .. } = *execution;
                run = execution_id;
                read += 1;
            }
            RunPiece::Steps(steps) => {
                steps_read += steps.len();
                for step in &steps {
                    summed.add(step, &run);
                }
            }
        }
    }
    let (steps, has_all_steps) = summed.worst_first();
    Ok(StepStatistics {
        runs: read,
        is_exact,
        steps,
        has_all_steps,
    })
}

/// The sums over the runs that were read so far.
#[derive(Default)]
struct Figures {
    steps: HashMap<Identity, StepFigures>,
    first: FirstFailure<Identity>,
}

impl Figures {
    fn add(&mut self, step: &Step, run: &str) {
        self.first.add(step, || identity(step));
        let figures = self.steps.entry(identity(step)).or_default();
        figures.describe(step);
        figures.add(step, run);
    }

    fn end_run(&mut self) {
        let first = self.first.take();
        if let Some(figures) = first.and_then(|first| self.steps.get_mut(&first)) {
            figures.failed_first += 1;
        }
    }

    /// Returns the steps in the order of [`StepStatistics::steps`], and whether these are
    /// all of them.
    fn worst_first(mut self) -> (Vec<StepFigures>, bool) {
        self.end_run();
        let mut steps: Vec<_> = self.steps.into_values().collect();
        for step in &mut steps {
            step.durations_ms.sort_unstable();
        }
        steps.sort_by(|one, other| {
            let worst = |step: &StepFigures| (step.failed, step.total_ms());
            let by_name =
                || (&one.step_name, &one.step_id).cmp(&(&other.step_name, &other.step_id));
            worst(other).cmp(&worst(one)).then_with(by_name)
        });
        let has_all_steps = steps.len() <= MAX_LISTED_STEPS;
        steps.truncate(MAX_LISTED_STEPS);
        let mut left = MAX_LISTED_FAILURES_IN_TOTAL;
        for step in &mut steps {
            step.failures.truncate(left);
            left -= step.failures.len();
        }
        (steps, has_all_steps)
    }
}

/// Identifies a step across runs: by its id in the flow's definition, or by name and type
/// if the engine writes no id.
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
