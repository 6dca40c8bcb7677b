//! Answers.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use shared::Error;
use shared::payload::UnreadablePayload;

use crate::problem::Problem;

/// The body of an answer.
pub type Body = Full<Bytes>;

/// An answer.
pub type Reply = Response<Body>;

/// How many seconds a caller waits before it asks a struggling table again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// A success with a view as its JSON.
///
/// # Errors
/// [`Error::Internal`] when the view cannot be written as JSON.
pub fn json(view: &impl Serialize) -> Result<Reply, Problem> {
    let body = serde_json::to_vec(view).map_err(Error::internal)?;
    Ok(reply(StatusCode::OK, body))
}

/// A success that has yet to come to its end, with a view as its JSON.
///
/// # Errors
/// Those of [`json`].
pub fn accepted(view: &impl Serialize) -> Result<Reply, Problem> {
    let mut reply = json(view)?;
    *reply.status_mut() = StatusCode::ACCEPTED;
    Ok(reply)
}

/// A success with nothing to say.
pub fn empty() -> Reply {
    let mut reply = reply(StatusCode::OK, Vec::new());
    reply.headers_mut().remove(CONTENT_TYPE);
    reply
}

/// What an answer says of payloads that are there and cannot be shown.
pub fn warnings(unreadable: &[UnreadablePayload]) -> Vec<String> {
    unreadable
        .iter()
        .map(UnreadablePayload::to_string)
        .collect()
}

/// The answer that tells of a problem. The log has it too, with its cause when
/// it is ours.
pub fn problem(problem: &Problem, request_id: &str) -> Reply {
    let status = problem.status();
    if let Problem::Operation(error) = problem
        && status.is_server_error()
    {
        tracing::error!(request_id, error = error.with_causes(), "request failed");
    }
    let body = serde_json::to_vec(&problem.view(request_id)).unwrap_or_default();
    let mut reply = reply(status, body);
    let headers = reply.headers_mut();
    match (status, problem) {
        (StatusCode::SERVICE_UNAVAILABLE, _) => {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        (StatusCode::UNAUTHORIZED, _) => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        (_, Problem::MethodNotAllowed { allow }) => {
            if let Ok(allow) = allow.parse() {
                headers.insert(ALLOW, allow);
            }
        }
        _ => {}
    }
    reply
}

fn reply(status: StatusCode, body: Vec<u8>) -> Reply {
    let mut reply = Response::new(Full::from(body));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // What a token may see is not for a shared cache, and changes by the second.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
