//! What writing can fail with.

use std::time::Duration;

use crate::outcome::Ended;

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why something is not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A member of a record is not what the record format allows. Nothing of the
    /// record is written.
    #[error("{member} is not valid: {reason}")]
    InvalidRecord {
        /// Its name in the record format, such as `flowId`.
        member: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A payload cannot be written. Nothing of its record is.
    #[error("{member} cannot be written: {reason}")]
    InvalidPayload {
        /// Its name in the record format, such as `input`.
        member: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A run of another team or of another flow has this id.
    #[error("a run of another team or flow has the id {execution_id}")]
    IdTaken {
        /// The id.
        execution_id: String,
    },
    /// The run that is to be started is there already, and has ended.
    #[error("the run has ended: {0}")]
    RunEnded(Ended),
    /// The step has ended, and in another way.
    #[error("the step has ended, and as {status}")]
    StepEnded {
        /// As what it has ended.
        status: &'static str,
    },
    /// The table has not taken it for this long. What was accepted is kept and tried
    /// on; the same call can be made again.
    #[error("the table has not answered for {} s", waited.as_secs())]
    Unavailable {
        /// How long was tried.
        waited: Duration,
        /// Why the last attempt failed, where there was one.
        #[source]
        cause: Option<shared::Error>,
    },
    /// The table refuses records for what they are. They are dropped; all others are
    /// written.
    #[error("the table refuses {} of the records, such as {}", .0.len(), .0[0])]
    Refused(Vec<RefusedRecord>),
    /// The table refuses the request, for its credentials, its permissions or its
    /// absence.
    #[error("the table refuses the request")]
    Table(#[source] shared::Error),
    /// The writer was closed, and the table has taken nothing for so long that the rest
    /// was given up.
    #[error("{records} records were not written before the writer was closed")]
    Lost {
        /// How many.
        records: usize,
        /// Why the last attempt failed, where that was not told before.
        #[source]
        cause: Option<shared::Error>,
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

/// A record that the table does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecord {
    /// Its partition key.
    pub pk: String,
    /// Its sort key.
    pub sk: String,
    /// What DynamoDB says of it.
    pub reason: String,
}

impl std::fmt::Display for RefusedRecord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}: {}", self.pk, self.sk, self.reason)
    }
}
