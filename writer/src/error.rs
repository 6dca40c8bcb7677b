//! The errors of writing.

use std::time::Duration;

use crate::outcome::Ended;

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A member of a record does not conform to the record format. Nothing of the record is
    /// written.
    #[error("{member} is not valid: {reason}")]
    InvalidRecord {
        /// Its name in the record format, such as `flowId`.
        member: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A payload cannot be written. Nothing of its record is written.
    #[error("{member} cannot be written: {reason}")]
    InvalidPayload {
        /// Its name in the record format, such as `input`.
        member: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A run of another flow has this id.
    #[error("a run of another flow has the id {execution_id}: use another id")]
    IdTaken {
        /// The id.
        execution_id: String,
    },
    /// The id belongs to another team: ids are unique across all teams of a table. That team's run
    /// is not changed. At the start of a run, use another id. After a heartbeat or an end, the run
    /// was deleted and its id reused: stop the run.
    #[error("the execution id {execution_id} belongs to another team: use another id")]
    OtherTeam {
        /// The id.
        execution_id: String,
    },
    /// The run to start exists already and has ended.
    #[error("the run has ended: {0}")]
    RunEnded(Ended),
    /// The step has already ended with another status.
    #[error("the step has already ended as {status}")]
    StepEnded {
        /// The status with which it ended.
        status: &'static str,
    },
    /// The table has accepted nothing for this long. Accepted records are kept and sent again, and
    /// the same call can be repeated.
    #[error("the table has not answered for {} s", waited.as_secs())]
    Unavailable {
        /// How long the writer has tried.
        waited: Duration,
        /// Why the last attempt failed, if it did.
        #[source]
        cause: Option<format::Error>,
    },
    /// The table refuses records because of their contents. They are dropped; all others are
    /// written.
    #[error("the table refuses {} records, such as {}", .0.len(), .0[0])]
    Refused(Vec<RefusedRecord>),
    /// The table refuses the request, because of its credentials or permissions, or because it does
    /// not exist.
    #[error("the table refuses the request")]
    Table(#[source] format::Error),
    /// The writer was closed, and the table has accepted nothing for so long that the remaining
    /// records were dropped.
    #[error("{records} records were not written before the writer was closed")]
    Lost {
        /// The number of records.
        records: usize,
        /// Why the last attempt failed, if it has not been reported before.
        #[source]
        cause: Option<format::Error>,
    },
    /// The writer is closed.
    #[error("the writer is closed")]
    Closed,
}

impl Error {
    pub(crate) fn invalid(member: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidRecord {
            member,
            reason: reason.into(),
        }
    }
}

/// A record that the table refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecord {
    /// Its partition key.
    pub pk: String,
    /// Its sort key.
    pub sk: String,
    /// The reason from DynamoDB.
    pub reason: String,
}

impl std::fmt::Display for RefusedRecord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}: {}", self.pk, self.sk, self.reason)
    }
}
