//! What becomes of a write that only an open run takes.

use std::fmt;

use shared::model::{Execution, Item, Status, Timestamp};

/// Whether a run took a sign of life or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a run that was cancelled is to be stopped"]
pub enum Outcome {
    /// It is written.
    Written,
    /// It is not: the run has ended before. Stop it.
    Ended(Ended),
}

impl Outcome {
    /// How the run has ended before, if it has.
    pub fn ended(&self) -> Option<&Ended> {
        match self {
            Self::Written => None,
            Self::Ended(ended) => Some(ended),
        }
    }
}

/// How a run has ended, without this writer's doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its state; `None` for a run that was deleted.
    pub status: Option<Status>,
    /// Who cancelled it.
    pub cancelled_by: Option<String>,
    /// Why they did.
    pub cancel_reason: Option<String>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
}

impl Ended {
    /// Of the record as it stands; without one, of a run that was deleted.
    pub(crate) fn of(item: Option<Item>) -> Self {
        let run = item.and_then(Execution::from_item);
        let Some(run) = run else {
            return Self {
                status: None,
                cancelled_by: None,
                cancel_reason: None,
                end_time: None,
            };
        };
        Self {
            status: run.status,
            cancelled_by: run.cancelled_by,
            cancel_reason: run.cancel_reason,
            end_time: run.end_time,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, &self.cancelled_by) {
            (None, _) => formatter.write_str("it was deleted"),
            (Some(Status::Cancelled), Some(by)) => write!(formatter, "cancelled by {by}"),
            (Some(status), _) => formatter.write_str(status.as_str()),
        }
    }
}
