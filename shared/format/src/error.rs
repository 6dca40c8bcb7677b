//! The errors of operations on the table, independent of HTTP.
//!
//! The text of a variant is for the caller. Its cause is in `source()`, for the log only.

use crate::model::{ExecutionId, StepInstanceId};

/// The boxed cause of a failure, kept for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A page token that does not belong to the query. The text says what is wrong.
    #[error("{0}")]
    InvalidNextToken(&'static str),
    /// The credentials do not authenticate a caller.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The caller is authenticated but lacks a permission.
    #[error("{0}")]
    Forbidden(String),
    /// No execution that the caller may see has this id.
    #[error("no execution has the id {0}")]
    ExecutionNotFound(ExecutionId),
    /// The execution has no such step.
    #[error("the execution has no step with the id {0}")]
    StepNotFound(StepInstanceId),
    /// No token has this id.
    #[error("no token has the id {0}")]
    TokenNotFound(String),
    /// A member of a request body is not valid.
    #[error("{0}")]
    InvalidMember(InvalidMember),
    /// Another caller has changed the same item since this caller read it.
    #[error("{0} have changed since they were read")]
    Conflict(&'static str),
    /// This release cannot read settings of the team on which the operation depends.
    #[error("the {0} settings in the table cannot be read")]
    UnreadableSettings(&'static str),
    /// The item is too large for the change.
    #[error("the item is too large for the change")]
    TooLarge(#[source] Cause),
    /// The table is throttled, and the retries are used up.
    #[error("the table is throttled")]
    Throttled(#[source] Cause),
    /// The keys of the JWTs' issuer cannot be fetched.
    #[error("the issuer of JWTs cannot be reached")]
    IssuerUnavailable,
    /// The table did not respond in time, and the retries are used up.
    #[error("the table cannot be reached")]
    Unavailable(#[source] Cause),
    /// The table refuses a write because of its contents.
    #[error("the table refuses the contents of the request")]
    Refused(#[source] Cause),
    /// Any other error: a bug, or a fault of the deployment.
    #[error("an unexpected error")]
    Internal(#[source] Cause),
}

/// A member of a request body that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the member {member} is not valid: {reason}")]
pub struct InvalidMember {
    /// The position of the member in the body, such as `roles[0].name`.
    pub member: String,
    /// What is wrong, as a sentence.
    pub reason: String,
}

impl Error {
    /// Creates an [`Error::InvalidMember`].
    pub fn invalid_member(member: impl Into<String>, reason: impl Into<String>) -> Self {
        let (member, reason) = (member.into(), reason.into());
        Self::InvalidMember(InvalidMember { member, reason })
    }

    /// Creates an [`Error::Internal`] from any cause.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// Returns whether the contents of one item cause the error, so that a retry is useless and
    /// other items are not affected.
    pub fn is_caused_by_item(&self) -> bool {
        matches!(self, Self::TooLarge(_) | Self::Refused(_))
    }

    /// The text of this error with the texts of all its causes, for a log or an operator's
    /// terminal. It must never be part of an HTTP response.
    pub fn with_causes(&self) -> String {
        with_causes(self)
    }
}

/// The text of any error with the texts of all its causes, like [`Error::with_causes`].
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
