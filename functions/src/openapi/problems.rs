//! Examples of problems that many operations share.

use shared::Error;
use shared::model::ExecutionId;

use crate::problem::Problem;

/// The execution in the examples.
pub(crate) fn execution_id() -> ExecutionId {
    "exec-123".parse().expect("an id")
}

/// A required parameter is missing.
pub(crate) fn missing(parameter: &'static str) -> Problem {
    Problem::MissingParameter {
        parameter,
        message: format!("Send the parameter {parameter}."),
    }
}

/// A page token belongs to another list.
pub(crate) fn next_token() -> Problem {
    Error::InvalidNextToken("The token belongs to another list.").into()
}

/// The execution does not exist.
pub(crate) fn not_found() -> Problem {
    Error::ExecutionNotFound(execution_id()).into()
}

/// The execution exists, but does not have the step.
pub(crate) fn step_not_found() -> Problem {
    let step = "e84b93cf-9b3a-4621-bf35-b5d54c0eb017".parse();
    Error::StepNotFound(step.expect("an id")).into()
}
