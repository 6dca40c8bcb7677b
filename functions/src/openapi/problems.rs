//! Problems that many operations have, as examples.

use shared::Error;
use shared::model::ExecutionId;

use crate::problem::Problem;

/// An execution that is told of.
pub(crate) fn execution_id() -> ExecutionId {
    "exec-123".parse().expect("an id")
}

/// A parameter that has to be there is not.
pub(crate) fn missing(parameter: &'static str) -> Problem {
    Problem::MissingParameter {
        parameter,
        message: format!("Send the parameter {parameter}."),
    }
}

/// A page token is of another list.
pub(crate) fn next_token() -> Problem {
    Error::InvalidNextToken("It is of another list.").into()
}

/// The execution is not there.
pub(crate) fn not_found() -> Problem {
    Error::ExecutionNotFound(execution_id()).into()
}

/// The execution is there, and has no such step.
pub(crate) fn step_not_found() -> Problem {
    let step = "e84b93cf-9b3a-4621-bf35-b5d54c0eb017".parse();
    Error::StepNotFound(step.expect("an id")).into()
}
