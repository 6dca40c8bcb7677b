//! What an operation on the table can fail with, free of HTTP.
//!
//! The text of a variant is for its caller. What caused it is in `source()`,
//! for the log, and never reaches a caller.

use crate::model::{ExecutionId, StepInstanceId};

/// The boxed cause of a failure, kept for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A page token that this query did not mint. The text says what is wrong.
    #[error("{0}")]
    InvalidNextToken(&'static str),
    /// No caller can be made of the credentials.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The caller is known, and may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// No execution of the caller's team, and within its flows, has this id.
    #[error("no execution has the id {0}")]
    ExecutionNotFound(ExecutionId),
    /// The execution has no such step.
    #[error("no step has the id {0} there")]
    StepNotFound(StepInstanceId),
    /// No token has this id.
    #[error("no token has the id {0}")]
    TokenNotFound(String),
    /// A member of what a caller sent cannot be.
    #[error("{0}")]
    InvalidMember(InvalidMember),
    /// What a caller would change has been changed since the caller read it.
    #[error("{0} have been changed meanwhile")]
    Conflict(&'static str),
    /// An item has no room left for what is to be written into it.
    #[error("the item is too large to be changed")]
    TooLarge(#[source] Cause),
    /// The table refuses work above its throughput; the retries are used up.
    #[error("the table is throttled")]
    Throttled(#[source] Cause),
    /// The issuer of JWTs does not tell its keys.
    #[error("the issuer of JWTs cannot be reached")]
    IssuerUnavailable,
    /// The table did not answer in time, or not at all; the retries are used up.
    #[error("the table cannot be reached")]
    Unavailable(#[source] Cause),
    /// The table refuses what it is asked to write, for what it is.
    #[error("the table refuses the request as it is")]
    Refused(#[source] Cause),
    /// Anything else: a fault of ours or of the deployment.
    #[error("an unexpected fault")]
    Internal(#[source] Cause),
}

/// What of a caller's body cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the member {member} is not valid: {reason}")]
pub struct InvalidMember {
    /// Its place in the body, such as `roles[0].name`.
    pub member: String,
    /// What is wrong, as a sentence.
    pub reason: String,
}

impl Error {
    /// An [`Error::InvalidMember`].
    pub fn invalid_member(member: impl Into<String>, reason: impl Into<String>) -> Self {
        let (member, reason) = (member.into(), reason.into());
        Self::InvalidMember(InvalidMember { member, reason })
    }

    /// An [`Error::Internal`] of anything that can be a cause.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// The text of this error with the texts of all its causes, for a log or
    /// for the terminal of an operator; never for an HTTP answer.
    pub fn with_causes(&self) -> String {
        with_causes(self)
    }
}

/// The text of any error with the texts of all its causes, as [`Error::with_causes`].
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
