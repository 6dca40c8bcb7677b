//! Error responses: one form and one list of codes in all APIs.

use std::time::Duration;

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use shared::model::ExecutionId;
use shared::{Error, InvalidMember};

/// The reason why a request fails.
#[derive(Debug)]
pub enum Problem {
    /// A required parameter is missing.
    MissingParameter {
        /// The parameter's name.
        parameter: &'static str,
        /// What to send.
        message: String,
    },
    /// A parameter has an invalid value.
    InvalidParameter {
        /// The parameter's name.
        parameter: &'static str,
        /// The valid values, as a sentence.
        reason: String,
    },
    /// The endpoint does not have this parameter.
    UnknownParameter {
        /// The parameter's name, as it was sent.
        parameter: String,
        /// What to send instead.
        message: String,
    },
    /// A missing id, in the words of the history API's document.
    MissingId {
        /// The parameter's name.
        parameter: &'static str,
        /// What is wrong, in a few words.
        error: &'static str,
        /// The error code, for programs.
        code: &'static str,
        /// What to send.
        message: &'static str,
    },
    /// The run has already ended.
    NotCancellable {
        /// The run.
        execution_id: ExecutionId,
        /// How it ended, in the API's word.
        status: &'static str,
    },
    /// The run has not ended yet.
    NotEnded {
        /// The run.
        execution_id: ExecutionId,
        /// Its status, in the API's word.
        status: &'static str,
    },
    /// No route has this path.
    NoSuchPath,
    /// The path does not have this method. The `Allow` header lists its methods.
    MethodNotAllowed {
        /// The methods of the path, separated by commas.
        allow: String,
    },
    /// The request body is too large for the endpoint.
    BodyTooLarge {
        /// The limit, in bytes.
        most: usize,
    },
    /// The request body did not arrive in time.
    BodyTooSlow {
        /// The time limit.
        within: Duration,
    },
    /// The path and query are too long.
    UriTooLong {
        /// The limit for both together, in bytes.
        most: usize,
    },
    /// The endpoint does not accept the media type or the content encoding of the request
    /// body.
    UnsupportedMediaType {
        /// What it accepts.
        message: &'static str,
    },
    /// The export is too large for a gateway that buffers responses.
    ExportTooLarge,
    /// Other requests occupy all the memory for request bodies.
    Busy,
    /// The server does not serve the host that the request names.
    WrongHost {
        /// The `Host` header.
        host: String,
    },
    /// The port takes other requests.
    WrongPort {
        /// Where to send the request.
        message: String,
    },
    /// The code of a sign-in link was used, has expired, or never existed.
    SignInLinkEnded,
    /// Too many recent sign-in codes were wrong.
    TooManySignIns,
    /// The operation failed.
    Operation(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Operation(error)
    }
}

/// The body of every error response.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub struct ProblemView<'a> {
    success: bool,
    /// What is wrong, in a few words.
    error: &'static str,
    /// The word for programs.
    code: &'static str,
    /// What to do.
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    /// The valid values of `parameter`, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    request_id: &'a str,
}

impl Problem {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MissingParameter { .. }
            | Self::InvalidParameter { .. }
            | Self::UnknownParameter { .. }
            | Self::MissingId { .. }
            | Self::Operation(Error::InvalidNextToken(_) | Error::InvalidMember(_)) => {
                StatusCode::BAD_REQUEST
            }
            Self::NotCancellable { .. }
            | Self::NotEnded { .. }
            | Self::Operation(
                Error::Conflict(_) | Error::UnreadableSettings(_) | Error::TooLarge(_),
            ) => StatusCode::CONFLICT,
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
            Self::WrongHost { .. } | Self::WrongPort { .. } => StatusCode::MISDIRECTED_REQUEST,
            Self::SignInLinkEnded => StatusCode::GONE,
            Self::TooManySignIns => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy
            | Self::Operation(
                Error::Throttled(_) | Error::Unavailable(_) | Error::IssuerUnavailable,
            ) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Operation(Error::Internal(_) | Error::Refused(_)) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// The body. For an internal error it contains only the request id, with which the details can
    /// be found in the log.
    pub fn view<'a>(&'a self, request_id: &'a str) -> ProblemView<'a> {
        ProblemView {
            success: false,
            error: self.title(),
            code: self.code(),
            message: self.message(request_id),
            parameter: self.parameter(),
            reason: self.reason(),
            request_id,
        }
    }

    /// The parameter or the member of the body that is missing, unknown or not valid.
    fn parameter(&self) -> Option<&str> {
        match self {
            Self::MissingParameter { parameter, .. }
            | Self::InvalidParameter { parameter, .. }
            | Self::MissingId { parameter, .. } => Some(parameter),
            Self::UnknownParameter { parameter, .. } => Some(parameter),
            Self::Operation(Error::InvalidNextToken(_)) => Some("nextToken"),
            Self::Operation(Error::InvalidMember(invalid)) => Some(&invalid.member),
            _ => None,
        }
    }

    /// The valid values of that parameter, as a sentence.
    fn reason(&self) -> Option<&str> {
        match self {
            Self::InvalidParameter { reason, .. } => Some(reason),
            Self::Operation(Error::InvalidMember(invalid)) => Some(&invalid.reason),
            _ => None,
        }
    }

    /// The error code, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingParameter { .. } => "MISSING_PARAMETER",
            Self::InvalidParameter { .. } | Self::Operation(Error::InvalidMember(_)) => {
                "INVALID_PARAMETER"
            }
            Self::UnknownParameter { .. } => "UNKNOWN_PARAMETER",
            Self::MissingId { code, .. } => code,
            Self::NotCancellable { .. } => "EXECUTION_NOT_CANCELLABLE",
            Self::NotEnded { .. } => "EXECUTION_NOT_ENDED",
            Self::NoSuchPath | Self::Operation(Error::TokenNotFound(_)) => "NOT_FOUND",
            Self::MethodNotAllowed { .. } => "METHOD_NOT_ALLOWED",
            Self::BodyTooLarge { .. } => "BODY_TOO_LARGE",
            Self::BodyTooSlow { .. } => "BODY_TOO_SLOW",
            Self::UriTooLong { .. } => "URI_TOO_LONG",
            Self::UnsupportedMediaType { .. } => "UNSUPPORTED_MEDIA_TYPE",
            Self::ExportTooLarge => "EXPORT_TOO_LARGE",
            Self::WrongHost { .. } => "WRONG_HOST",
            Self::WrongPort { .. } => "WRONG_PORT",
            Self::SignInLinkEnded => "SIGN_IN_LINK_ENDED",
            Self::TooManySignIns | Self::Operation(Error::Throttled(_)) => "THROTTLED",
            Self::Operation(Error::InvalidNextToken(_)) => "INVALID_NEXT_TOKEN",
            Self::Operation(Error::Conflict(_)) => "CONFLICT",
            Self::Operation(Error::UnreadableSettings(_)) => "SETTINGS_UNREADABLE",
            Self::Operation(Error::Unauthenticated(_)) => "UNAUTHENTICATED",
            Self::Operation(Error::Forbidden(_)) => "FORBIDDEN",
            Self::Operation(Error::ExecutionNotFound(_)) => "EXECUTION_NOT_FOUND",
            Self::Operation(Error::StepNotFound(_)) => "STEP_NOT_FOUND",
            Self::Busy | Self::Operation(Error::IssuerUnavailable | Error::Unavailable(_)) => {
                "UNAVAILABLE"
            }
            Self::Operation(Error::TooLarge(_)) => "RECORD_FULL",
            Self::Operation(Error::Internal(_) | Error::Refused(_)) => "INTERNAL",
        }
    }

    /// What is wrong, in a few words.
    fn title(&self) -> &'static str {
        match self {
            Self::MissingParameter { .. } => "Missing parameter",
            Self::InvalidParameter { .. } | Self::Operation(Error::InvalidMember(_)) => {
                "Invalid parameter"
            }
            Self::UnknownParameter { .. } => "Unknown parameter",
            Self::MissingId { error, .. } => error,
            Self::NotCancellable { .. } => "The execution has already ended",
            Self::NotEnded { .. } => "The execution has not ended yet",
            Self::NoSuchPath => "Path not found",
            Self::MethodNotAllowed { .. } => "Method not allowed",
            Self::BodyTooLarge { .. } => "The request body is too large",
            Self::BodyTooSlow { .. } => "The request body arrived too slowly",
            Self::UriTooLong { .. } => "The URL is too long",
            Self::UnsupportedMediaType { .. } => "Unsupported type of request body",
            Self::ExportTooLarge => "The export is too large for this gateway",
            Self::Busy => "The server is handling too many large requests",
            Self::WrongHost { .. } => "Unknown host name",
            Self::WrongPort { .. } => "Wrong port",
            Self::SignInLinkEnded => "The sign-in link has expired or was already used",
            Self::TooManySignIns => "Too many failed sign-ins",
            Self::Operation(Error::InvalidNextToken(_)) => "Invalid page token",
            Self::Operation(Error::Conflict(_)) => "Someone else has changed this",
            Self::Operation(Error::UnreadableSettings(_)) => "Unreadable settings",
            Self::Operation(Error::Unauthenticated(_)) => "Not signed in",
            Self::Operation(Error::Forbidden(_)) => "Permission denied",
            Self::Operation(Error::ExecutionNotFound(_)) => "Flow execution not found",
            Self::Operation(Error::StepNotFound(_)) => "Step not found",
            Self::Operation(Error::TokenNotFound(_)) => "Token not found",
            Self::Operation(Error::Throttled(_)) => "The table is at its capacity limit",
            Self::Operation(Error::IssuerUnavailable) => "The identity provider does not respond",
            Self::Operation(Error::Unavailable(_)) => "The table does not respond",
            Self::Operation(Error::TooLarge(_)) => "The record is full",
            Self::Operation(Error::Internal(_) | Error::Refused(_)) => "Internal error",
        }
    }

    /// What to do.
    pub fn message(&self, request_id: &str) -> String {
        match self {
            Self::MissingParameter { message, .. }
            | Self::UnknownParameter { message, .. }
            | Self::WrongPort { message } => message.clone(),
            Self::InvalidParameter { parameter, reason } => {
                format!("The parameter {parameter} is not valid. {reason}")
            }
            Self::MissingId { message, .. } | Self::UnsupportedMediaType { message } => {
                (*message).to_owned()
            }
            Self::NotCancellable {
                execution_id,
                status,
            } => format!(
                "Execution {execution_id} is {status}. Only an execution that is PENDING or \
                 RUNNING can be cancelled."
            ),
            Self::NotEnded {
                execution_id,
                status,
            } => format!(
                "Execution {execution_id} is {status}. Pin it after it has ended; it does not \
                 expire before."
            ),
            Self::NoSuchPath => "Check the path. In an id, write a slash as %2F.".to_owned(),
            Self::MethodNotAllowed { allow } => format!("Use one of these methods: {allow}."),
            Self::BodyTooLarge { most } => format!("Send at most {} MB.", most / (1024 * 1024)),
            Self::BodyTooSlow { within } => {
                format!("Send the body within {} seconds.", within.as_secs())
            }
            Self::UriTooLong { most } => {
                format!(
                    "Send a path and query of at most {} KB together.",
                    most / 1024
                )
            }
            Self::ExportTooLarge => "Export less at a time: fewer days, a shorter range from \
                                     `from` to `to`, one workflow, or one status. A gateway that \
                                     streams responses has no such limit."
                .to_owned(),
            Self::WrongHost { host } => format!(
                "The server does not serve the host {host:?}. Use the address that flowtrail \
                 serve prints. Behind a proxy, pass its host name with --allowed-hosts."
            ),
            Self::SignInLinkEnded => "A sign-in link works once, within ten minutes. On the \
                                      machine that runs flowtrail serve, get a new link with: \
                                      flowtrail sign-in"
                .to_owned(),
            Self::TooManySignIns => "Wait a minute, then try again.".to_owned(),
            Self::Busy => RETRY.to_owned(),
            Self::Operation(error) => operation_message(error, request_id),
        }
    }
}

const RETRY: &str = "Retry after the number of seconds in the Retry-After header.";

fn operation_message(error: &Error, request_id: &str) -> String {
    match error {
        Error::InvalidNextToken(reason) => format!(
            "{reason} Send nextToken exactly as the previous page returned it, with the same \
             parameters, or leave it out to start at the first page."
        ),
        Error::InvalidMember(InvalidMember { member, reason }) => {
            format!("The member {member} of the body is not valid. {reason}")
        }
        Error::Conflict(what) => {
            format!("{what} have changed since you read them. Read them again, then retry.")
        }
        Error::UnreadableSettings(kind) => format!(
            "This release cannot read the {kind} settings of your team. Save them again with PUT \
             /api/settings/{kind}, or return to the release that wrote them."
        ),
        Error::Unauthenticated(message) => (*message).to_owned(),
        Error::Forbidden(message) => message.clone(),
        Error::ExecutionNotFound(execution_id) => {
            format!("Flow execution with ID {execution_id} not found")
        }
        Error::StepNotFound(step_instance_id) => format!(
            "The flow execution has no step with ID {step_instance_id}, this start time and this \
             branch."
        ),
        Error::TokenNotFound(token_id) => format!("Token with ID {token_id} not found"),
        Error::Throttled(_) | Error::IssuerUnavailable | Error::Unavailable(_) => RETRY.to_owned(),
        Error::TooLarge(_) => "The execution's record has reached the table's limit of 400 KB, \
                               and no text in it can be shortened. Remove an attribute from the \
                               record, then retry."
            .to_owned(),
        Error::Internal(_) | Error::Refused(_) => format!(
            "Retry. If the error persists, give the request id {request_id} to the operator: the \
             log has the details."
        ),
    }
}
