//! DynamoDB's wire endpoint, for flow engines and for the AWS CLI.
//!
//! It takes any credentials, as DynamoDB Local does, and so it must only be
//! reachable from this machine: it listens on loopback, and it refuses what a
//! web page in this machine's browser could send. Such a request has an
//! `Origin` header or, after a DNS rebinding, a `Host` that is not loopback.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use shared::config::is_loopback_authority;

use super::Embedded;
use crate::connections::{UnreadBody, read_body};

/// The largest request that DynamoDB takes, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// The endpoint's router.
pub fn router(embedded: Embedded) -> Router {
    Router::new().route("/", post(answer)).with_state(embedded)
}

async fn answer(State(embedded): State<Embedded>, headers: HeaderMap, body: Body) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_local = text(header::HOST.as_str()).is_some_and(is_loopback_authority);
    if !is_local || headers.contains_key(header::ORIGIN) {
        let words = "This endpoint serves programs on this machine, not web pages.\n";
        return (StatusCode::FORBIDDEN, words).into_response();
    }
    let target = text("x-amz-target").unwrap_or_default().to_owned();
    let body = match read_body(body, MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(UnreadBody::TooLarge) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(UnreadBody::TooSlow) => return StatusCode::REQUEST_TIMEOUT.into_response(),
        Err(UnreadBody::Broken) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let Ok(answer) = embedded.request(target, body).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, content_type, answer.body).into_response()
}
