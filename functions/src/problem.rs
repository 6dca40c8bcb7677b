//! What a caller is told when a request is not answered: one shape and one list
//! of codes on every surface.

use std::time::Duration;

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use shared::model::ExecutionId;
use shared::{Error, InvalidMember};

/// Why a request is not answered.
#[derive(Debug)]
pub enum Problem {
    /// A required parameter is not there.
    MissingParameter {
        /// The parameter's name.
        parameter: &'static str,
        /// What to send.
        message: String,
    },
    /// A parameter has a value that it cannot have.
    InvalidParameter {
        /// The parameter's name.
        parameter: &'static str,
        /// What it can have.
        message: String,
    },
    /// The history API's own words for an id that is not there.
    MissingId {
        /// The parameter's name.
        parameter: &'static str,
        /// A short sentence.
        error: &'static str,
        /// A word for programs.
        code: &'static str,
        /// What to send.
        message: &'static str,
    },
    /// The run has ended in another way, and stays as it is.
    NotCancellable {
        /// The run.
        execution_id: ExecutionId,
        /// The state that won, in the surface's word.
        status: &'static str,
    },
    /// The run has yet to end.
    NotEnded {
        /// The run.
        execution_id: ExecutionId,
        /// The state that it is in, in the surface's word.
        status: &'static str,
    },
    /// No route has this path.
    NoSuchPath,
    /// The path has other methods than this; they stand in the `Allow` header.
    MethodNotAllowed {
        /// The methods of the path, separated by commas.
        allow: String,
    },
    /// The request's body is larger than the endpoint takes.
    BodyTooLarge {
        /// The most bytes that it takes.
        most: usize,
    },
    /// The request's body does not come within the time that it has.
    BodyTooSlow {
        /// The time that it has.
        within: Duration,
    },
    /// The path and the query are longer than the server takes.
    UriTooLong {
        /// The most bytes that it takes.
        most: usize,
    },
    /// The request's body is of a type, or packed in a way, that the endpoint does not
    /// read.
    UnsupportedMediaType {
        /// What it reads.
        message: &'static str,
    },
    /// The export is larger than a gateway takes that wants it whole.
    ExportTooLarge,
    /// The operation failed.
    Operation(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Operation(error)
    }
}

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub struct ProblemView<'a> {
    success: bool,
    /// A short sentence.
    error: &'static str,
    /// A word for programs.
    code: &'static str,
    /// What to do.
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    request_id: &'a str,
}

impl Problem {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MissingParameter { .. }
            | Self::InvalidParameter { .. }
            | Self::MissingId { .. }
            | Self::Operation(Error::InvalidNextToken(_) | Error::InvalidMember(_)) => {
                StatusCode::BAD_REQUEST
            }
            Self::NotCancellable { .. }
            | Self::NotEnded { .. }
            | Self::Operation(Error::Conflict(_)) => StatusCode::CONFLICT,
            Self::Operation(Error::Unauthenticated(_)) => StatusCode::UNAUTHORIZED,
            Self::Operation(Error::Forbidden(_)) => StatusCode::FORBIDDEN,
            Self::NoSuchPath
            | Self::Operation(
                Error::ExecutionNotFound(_) | Error::StepNotFound(_) | Error::TokenNotFound(_),
            ) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::UriTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::BodyTooLarge { .. } | Self::ExportTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Operation(
                Error::Throttled(_) | Error::Unavailable(_) | Error::IssuerUnavailable,
            ) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Operation(Error::Internal(_) | Error::Refused(_) | Error::TooLarge(_)) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// The body. Of a fault's cause it holds nothing but the id under which the
    /// log has it.
    pub fn view<'a>(&'a self, request_id: &'a str) -> ProblemView<'a> {
        let (error, code, message) = self.texts(request_id);
        let parameter = match self {
            Self::MissingParameter { parameter, .. }
            | Self::InvalidParameter { parameter, .. }
            | Self::MissingId { parameter, .. } => Some(*parameter),
            Self::Operation(Error::InvalidNextToken(_)) => Some("nextToken"),
            Self::Operation(Error::InvalidMember(invalid)) => Some(invalid.member.as_str()),
            _ => None,
        };
        ProblemView {
            success: false,
            error,
            code,
            message,
            parameter,
            request_id,
        }
    }

    /// What to do, as [`Self::view`] tells it.
    pub fn message(&self, request_id: &str) -> String {
        let (.., message) = self.texts(request_id);
        message
    }

    fn texts(&self, request_id: &str) -> (&'static str, &'static str, String) {
        match self {
            Self::MissingParameter { message, .. } => (
                "A required parameter is missing",
                "MISSING_PARAMETER",
                message.clone(),
            ),
            Self::InvalidParameter { message, .. } => (
                "A parameter has an invalid value",
                "INVALID_PARAMETER",
                message.clone(),
            ),
            Self::MissingId {
                error,
                code,
                message,
                ..
            } => (error, code, (*message).to_owned()),
            Self::NotCancellable {
                execution_id,
                status,
            } => (
                "The execution has ended",
                "EXECUTION_NOT_CANCELLABLE",
                format!(
                    "Execution {execution_id} is {status}. Only one that is PENDING or RUNNING \
                     can be cancelled."
                ),
            ),
            Self::NotEnded {
                execution_id,
                status,
            } => (
                "The execution has not ended",
                "EXECUTION_NOT_ENDED",
                format!(
                    "Execution {execution_id} is {status}. Only one that has ended can be pinned; \
                     until then it does not expire."
                ),
            ),
            Self::NoSuchPath => (
                "Nothing is at this path",
                "NOT_FOUND",
                "Check the path. An id with a slash is written with %2F.".to_owned(),
            ),
            Self::MethodNotAllowed { allow } => (
                "The path does not have this method",
                "METHOD_NOT_ALLOWED",
                format!("Use one of: {allow}."),
            ),
            Self::BodyTooLarge { most } => (
                "The body is too large",
                "BODY_TOO_LARGE",
                format!("Send at most {} MB.", most / (1024 * 1024)),
            ),
            Self::BodyTooSlow { within } => (
                "The body comes too slowly",
                "BODY_TOO_SLOW",
                format!("Send it within {} seconds.", within.as_secs()),
            ),
            Self::UriTooLong { most } => (
                "The path and the query are too long",
                "URI_TOO_LONG",
                format!("Send at most {} KB of both together.", most / 1024),
            ),
            Self::UnsupportedMediaType { message } => (
                "The body is of another type",
                "UNSUPPORTED_MEDIA_TYPE",
                (*message).to_owned(),
            ),
            Self::ExportTooLarge => (
                "The export is too large for this gateway",
                "EXPORT_TOO_LARGE",
                "Ask for less at a time: fewer days, a narrower from and to, one workflow or one \
                 status. Behind a gateway that streams there is no such limit."
                    .to_owned(),
            ),
            Self::Operation(error) => operation_texts(error, request_id),
        }
    }
}

fn operation_texts(error: &Error, request_id: &str) -> (&'static str, &'static str, String) {
    match error {
        Error::InvalidNextToken(reason) => (
            "The page token is not valid",
            "INVALID_NEXT_TOKEN",
            format!(
                "{reason} Send nextToken exactly as the page before gave it, with the same \
                 parameters, or leave it out to begin at the first page."
            ),
        ),
        Error::InvalidMember(InvalidMember { member, reason }) => (
            "A parameter has an invalid value",
            "INVALID_PARAMETER",
            format!("The member {member} of the body is not valid. {reason}"),
        ),
        Error::Conflict(what) => (
            "It has been changed meanwhile",
            "CONFLICT",
            format!("{what} have been changed since you read them. Read them, and try again."),
        ),
        Error::Unauthenticated(message) => (
            "The caller is not known",
            "UNAUTHENTICATED",
            (*message).to_owned(),
        ),
        Error::Forbidden(message) => ("The caller may not do this", "FORBIDDEN", message.clone()),
        Error::ExecutionNotFound(execution_id) => (
            "Flow execution not found",
            "EXECUTION_NOT_FOUND",
            format!("Flow execution with ID {execution_id} not found"),
        ),
        Error::StepNotFound(step_instance_id) => (
            "Step not found",
            "STEP_NOT_FOUND",
            format!(
                "The flow execution has no step with ID {step_instance_id} that began then and \
                 there"
            ),
        ),
        Error::TokenNotFound(token_id) => (
            "Token not found",
            "NOT_FOUND",
            format!("Token with ID {token_id} not found"),
        ),
        Error::Throttled(_) => (
            "The table is at its limit",
            "THROTTLED",
            "Try again after the seconds that the Retry-After header names.".to_owned(),
        ),
        Error::IssuerUnavailable => (
            "The identity provider does not answer",
            "UNAVAILABLE",
            "Try again after the seconds that the Retry-After header names.".to_owned(),
        ),
        Error::Unavailable(_) => (
            "The table does not answer",
            "UNAVAILABLE",
            "Try again after the seconds that the Retry-After header names.".to_owned(),
        ),
        Error::Internal(_) | Error::Refused(_) | Error::TooLarge(_) => (
            "Something went wrong here",
            "INTERNAL",
            format!("The fault is in the log under the request id {request_id}."),
        ),
    }
}
