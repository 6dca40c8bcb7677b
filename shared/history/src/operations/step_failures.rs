//! The failures of a flow's steps: the newest failures of each step, and the step that
//! failed first.

use std::cmp::{Ordering, Reverse};

use format::model::{Step, StepStatus, Timestamp};

use super::shorten::shorten;

/// The most failures that are listed for one step.
pub const MAX_LISTED_FAILURES: usize = 20;

/// The most failures that are listed for all steps together. The steps that failed most
/// often come first.
pub const MAX_LISTED_FAILURES_IN_TOTAL: usize = 1_000;

/// The most bytes of an error message in a listed failure.
const MAX_ERROR_LENGTH: usize = 300;

/// A failure of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// The run in which the step failed.
    pub execution_id: String,
    /// When the step started.
    pub start_time: Option<Timestamp>,
    /// Why the step failed; only the beginning of a long text.
    pub error_message: Option<String>,
}

impl StepFailure {
    /// Creates the failure of a step. Keeps at most `longest` bytes of the error message.
    pub(super) fn from_step(step: &Step, run: &str, longest: usize) -> Self {
        let shortened = |error: &String| {
            let mut error = error.clone();
            shorten(&mut error, longest);
            error
        };
        Self {
            execution_id: run.to_owned(),
            start_time: step.start_time(),
            error_message: step.error_message.as_ref().map(shortened),
        }
    }
}

/// Adds a failure and keeps the newest ones. Runs are passed from newest to oldest; the
/// steps of one run in order of time.
pub(super) fn keep_newest(failures: &mut Vec<StepFailure>, step: &Step, run: &str) {
    let is_of_run = |failure: &StepFailure| failure.execution_id == run;
    let at = failures.iter().position(is_of_run);
    let at = at.unwrap_or(failures.len());
    if at < MAX_LISTED_FAILURES {
        failures.insert(at, StepFailure::from_step(step, run, MAX_ERROR_LENGTH));
        failures.truncate(MAX_LISTED_FAILURES);
    }
}

/// The step of a run that failed before all others. A fork fails after the step in its
/// branch; if both end in the same millisecond, the inner step is the one that started
/// later, or the one that is in a branch or nested, or the one that is below the other.
#[derive(Debug)]
pub(super) struct FirstFailure<T>(Option<First<T>>);

#[derive(Debug)]
struct First<T> {
    order: Order,
    id: Option<String>,
    identity: T,
}

impl<T> Default for FirstFailure<T> {
    fn default() -> Self {
        Self(None)
    }
}

type Order = (i64, Reverse<Option<Timestamp>>, Reverse<bool>);

impl<T> FirstFailure<T> {
    /// Adds a step, with its identity, if the step failed.
    pub(super) fn add(&mut self, step: &Step, identity: impl FnOnce() -> T) {
        if step.status != Some(StepStatus::Failed) {
            return;
        }
        let order = order(step);
        let is_earlier = |first: &First<T>| match order.cmp(&first.order) {
            Ordering::Less => true,
            Ordering::Equal => first.id.is_some() && step.nested_below() == first.id.as_deref(),
            Ordering::Greater => false,
        };
        if self.0.as_ref().is_none_or(is_earlier) {
            self.0 = Some(First {
                order,
                id: step.id().map(str::to_owned),
                identity: identity(),
            });
        }
    }

    /// Returns the identity of the step that failed first, once all steps of the run were
    /// added.
    pub(super) fn take(&mut self) -> Option<T> {
        self.0.take().map(|first| first.identity)
    }
}

fn order(step: &Step) -> Order {
    let end = step.end_milliseconds().unwrap_or(i64::MAX);
    let is_inner = step.branch_execution_id().is_some() || step.nested_below().is_some();
    (end, Reverse(step.start_time()), Reverse(is_inner))
}
