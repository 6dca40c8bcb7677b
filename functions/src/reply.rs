//! Answers.

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use serde::Serialize;
use shared::Error;
use shared::payload::UnreadablePayload;

use crate::problem::Problem;

/// The body of an answer: whole, or a stream that can fail on the way. What then
/// carries it cuts the connection, so that nobody takes a part for the whole.
pub type Body = UnsyncBoxBody<Bytes, Error>;

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

/// A success whose body follows piece by piece.
pub fn stream(
    content_type: &'static str,
    chunks: impl Stream<Item = shared::Result<Bytes>> + Send + 'static,
) -> Reply {
    let body = StreamBody::new(chunks.map_ok(Frame::data)).boxed_unsync();
    reply_of(StatusCode::OK, HeaderValue::from_static(content_type), body)
}

/// A success that made something, with a view of it as its JSON.
///
/// # Errors
/// Those of [`json`].
pub fn created(view: &impl Serialize) -> Result<Reply, Problem> {
    with_status(StatusCode::CREATED, view)
}

/// A success that has yet to come to its end, with a view as its JSON.
///
/// # Errors
/// Those of [`json`].
pub fn accepted(view: &impl Serialize) -> Result<Reply, Problem> {
    with_status(StatusCode::ACCEPTED, view)
}

fn with_status(status: StatusCode, view: &impl Serialize) -> Result<Reply, Problem> {
    let mut reply = json(view)?;
    *reply.status_mut() = status;
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

/// `totalIsExact` of an answer: `false` where there are more executions than were counted,
/// and else not there, as in the APIs' documents.
pub fn inexact(is_exact: bool) -> Option<bool> {
    (!is_exact).then_some(false)
}

/// The answer that tells of a problem. The log has it too, with its cause when
/// it is ours.
pub fn problem(problem: &Problem, request_id: &str) -> Reply {
    if let Problem::Operation(error) = problem
        && problem.status().is_server_error()
    {
        tracing::error!(request_id, error = error.with_causes(), "request failed");
    }
    logged_problem(problem, request_id)
}

/// The same of a problem that the log has already.
pub fn logged_problem(problem: &Problem, request_id: &str) -> Reply {
    let status = problem.status();
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
    let content_type = HeaderValue::from_static("application/json");
    reply_of(status, content_type, whole(body))
}

/// A body that is in hand.
pub fn whole(body: Vec<u8>) -> Body {
    Full::from(body)
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn reply_of(status: StatusCode, content_type: HeaderValue, body: Body) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    // What a token may see is not for a shared cache, and changes by the second.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
