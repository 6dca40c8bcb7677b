//! Responses.

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use serde::Serialize;
use shared::Error;
use shared::payload::UnreadablePayload;

use crate::problem::Problem;

/// The body of a response: complete, or a stream that can fail on the way. If it fails, the
/// server closes the connection, so that clients notice that the body is incomplete.
pub type Body = UnsyncBoxBody<Bytes, Error>;

/// A response.
pub type Reply = Response<Body>;

/// Why a request was refused. Every error response has it as an extension, for those who do not
/// read the body.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The error code, for programs.
    pub code: &'static str,
    /// What to do.
    pub message: String,
}

/// The header that says which pages may load a response without the CORS protocol
/// (<https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header>).
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The number of seconds before a caller retries a request that the table could not serve.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// A successful response with a view as its JSON.
///
/// # Errors
/// [`Error::Internal`] if the view cannot be written as JSON.
pub fn json(view: &impl Serialize) -> Result<Reply, Problem> {
    let body = serde_json::to_vec(view).map_err(Error::internal)?;
    Ok(reply(StatusCode::OK, body))
}

/// A successful response whose body is streamed.
pub fn stream(
    content_type: &'static str,
    chunks: impl Stream<Item = shared::Result<Bytes>> + Send + 'static,
) -> Reply {
    let body = StreamBody::new(chunks.map_ok(Frame::data)).boxed_unsync();
    reply_of(StatusCode::OK, HeaderValue::from_static(content_type), body)
}

/// The response 201 to a request that created something, with a view of it as its JSON.
///
/// # Errors
/// [`Error::Internal`] if the view cannot be written as JSON.
pub fn created(view: &impl Serialize) -> Result<Reply, Problem> {
    with_status(StatusCode::CREATED, view)
}

/// The response 202 to a request whose work continues in the background, with a view as its
/// JSON.
///
/// # Errors
/// [`Error::Internal`] if the view cannot be written as JSON.
pub fn accepted(view: &impl Serialize) -> Result<Reply, Problem> {
    with_status(StatusCode::ACCEPTED, view)
}

fn with_status(status: StatusCode, view: &impl Serialize) -> Result<Reply, Problem> {
    let mut reply = json(view)?;
    *reply.status_mut() = status;
    Ok(reply)
}

/// A successful response without a body.
pub fn empty() -> Reply {
    let mut reply = reply(StatusCode::OK, Vec::new());
    reply.headers_mut().remove(CONTENT_TYPE);
    reply
}

/// The `warnings` of a response: payloads that exist but cannot be shown.
pub fn warnings(unreadable: &[UnreadablePayload]) -> Vec<String> {
    unreadable
        .iter()
        .map(UnreadablePayload::to_string)
        .collect()
}

/// The `totalIsExact` of a response: `false` if there are more executions than were counted, and
/// otherwise absent, because the APIs' documents do not have it.
pub fn inexact(is_exact: bool) -> Option<bool> {
    (!is_exact).then_some(false)
}

/// Adds the headers that protect every response in browsers: the browser must not guess the
/// type, and pages of other origins may read the response only by the CORS protocol, which
/// [`crate::cors`] implements.
pub fn guard(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
}

/// The error response for a problem. Logs server errors, with their causes.
pub fn problem(problem: &Problem, request_id: &str) -> Reply {
    if let Problem::Operation(error) = problem
        && problem.status().is_server_error()
    {
        tracing::error!(request_id, error = error.with_causes(), "request failed");
    }
    logged_problem(problem, request_id)
}

/// The error response for a problem that is already logged.
pub fn logged_problem(problem: &Problem, request_id: &str) -> Reply {
    let status = problem.status();
    let body = serde_json::to_vec(&problem.view(request_id)).unwrap_or_default();
    let mut reply = reply(status, body);
    let refusal = Refusal {
        code: problem.code(),
        message: problem.message(request_id),
    };
    reply.extensions_mut().insert(refusal);
    let headers = reply.headers_mut();
    match (status, problem) {
        (StatusCode::SERVICE_UNAVAILABLE, _) => {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        (StatusCode::TOO_MANY_REQUESTS, _) => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("60"));
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

/// A complete body.
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
    // A shared cache must not keep what a token may see, and it changes every second.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
