//! The outcome of a write that requires an open run.

use std::fmt;

use format::model::{Execution, Item, Status, Timestamp};

/// Whether a run accepted a heartbeat or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a run that has ended must be stopped"]
pub enum Outcome {
    /// It was written.
    Written,
    /// It was not written, because the run had already ended. Stop the run.
    Ended(Ended),
}

impl Outcome {
    /// How the run had ended, if it had.
    pub fn ended(&self) -> Option<&Ended> {
        match self {
            Self::Written => None,
            Self::Ended(ended) => Some(ended),
        }
    }
}

/// How a run ended other than by this writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The status; `None` for a run that was deleted.
    pub status: Option<Status>,
    /// The principal that cancelled it.
    pub cancelled_by: Option<String>,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
}

impl Ended {
    /// Reads how the run ended from its current record; without a record, the run was deleted.
    pub(crate) fn from_item(item: Option<Item>) -> Self {
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
