//! The words of the history API for the statuses of runs and steps.

use shared::model::{Status, StepStatus};

use crate::openapi::words;

/// The word of the history API for a status.
pub(in crate::history) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Completed => "PASSED",
        other => other.as_str(),
    }
}

/// The word of the history API for the status of a step.
pub(super) fn step_status_word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Completed => "PASSED",
        other => other.as_str(),
    }
}

words! {
    pub(super) StatusWord,
    "HistoryStatus",
    "The status of an execution.",
    Status::ALL.map(status_word)
}

words! {
    pub(super) StepStatusWord,
    "HistoryStepStatus",
    "The status of a step: one of an execution's statuses, or `SKIPPED`.",
    StepStatus::ALL.map(step_status_word)
}
