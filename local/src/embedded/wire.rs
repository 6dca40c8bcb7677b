//! DynamoDB's wire endpoint, for flow engines and for the AWS CLI.
//!
//! It accepts any credentials, as DynamoDB Local does, so it must only be reachable from
//! this machine: it listens on loopback, and refuses requests that a web page in this
//! machine's browser could send. Such a request has an `Origin` header or, after a DNS
//! rebinding, a `Host` that is not loopback.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use functions::bodies::BodyBudget;
use shared::auth;
use shared::loopback::is_loopback_authority;
use shared::store::Store;

use super::Embedded;
use crate::connections::{MAX_BODIES_BYTES, UnreadBody, discard, read_body};
use crate::server::guarded;

/// The largest request that DynamoDB accepts, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// The largest request that is searched for a write of a token or of roles, in bytes. Roles
/// take at most one item.
const MAX_CALLER_CHANGE_BYTES: usize = 1024 * 1024;

/// How many seconds a client should wait before it repeats a request for which there was no
/// memory.
const RETRY_AFTER_SECONDS: &str = "2";

/// The state of the endpoint.
#[derive(Clone)]
struct Endpoint {
    embedded: Embedded,
    budget: BodyBudget,
    /// The table as used by this process's API, with the callers that the API has cached.
    served: Option<Store>,
}

/// Returns the endpoint's router if nothing else in this process uses the table.
pub fn router(embedded: Embedded) -> Router {
    router_for(Endpoint {
        embedded,
        budget: BodyBudget::new(MAX_BODIES_BYTES),
        served: None,
    })
}

/// Returns the endpoint's router for a table that an API serves. When a program changes
/// tokens or roles, for example with `flowtrail token revoke`, the API applies the change
/// immediately. The memory for bodies comes from the budget.
pub fn router_beside(embedded: Embedded, served: Store, budget: BodyBudget) -> Router {
    router_for(Endpoint {
        embedded,
        budget,
        served: Some(served),
    })
}

fn router_for(endpoint: Endpoint) -> Router {
    guarded(Router::new().route("/", post(answer)).with_state(endpoint))
}

async fn answer(State(endpoint): State<Endpoint>, headers: HeaderMap, mut body: Body) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_local = text(header::HOST.as_str()).is_some_and(is_loopback_authority);
    if !is_local || headers.contains_key(header::ORIGIN) {
        let words = "This endpoint serves programs on this machine, not web pages.\n";
        return (StatusCode::FORBIDDEN, words).into_response();
    }
    let target = text("x-amz-target").unwrap_or_default().to_owned();
    let read = read_body(&mut body, MAX_BODY_BYTES, &endpoint.budget).await;
    let (request, _reservation) = match read {
        Ok(read) => read,
        Err(unread) => {
            discard(&mut body, &headers).await;
            return refused(unread);
        }
    };
    let changes_callers = changes_callers(&target, &request);
    let Ok(answer) = endpoint.embedded.request(target, request).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Some(store) = endpoint.served.filter(|_| changes_callers) {
        auth::forget_callers(&store);
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, content_type, answer.body).into_response()
}

fn refused(unread: UnreadBody) -> Response {
    match unread {
        UnreadBody::TooLarge => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        UnreadBody::TooSlow => StatusCode::REQUEST_TIMEOUT.into_response(),
        UnreadBody::Broken => StatusCode::BAD_REQUEST.into_response(),
        // The SDKs repeat a request after any 5xx status.
        UnreadBody::Busy => {
            let retry_after = [(header::RETRY_AFTER, RETRY_AFTER_SECONDS)];
            (StatusCode::SERVICE_UNAVAILABLE, retry_after).into_response()
        }
    }
}

/// Whether a request may write a token or a team's roles. A false positive only costs one
/// read in the next request of each caller.
fn changes_callers(target: &str, request: &Bytes) -> bool {
    let operation = target.rsplit('.').next().unwrap_or_default();
    let is_read = ["Get", "BatchGet", "Query", "Scan", "List", "Describe"];
    let names = |kind: &[u8]| request.windows(kind.len()).any(|window| window == kind);
    !is_read.iter().any(|verb| operation.starts_with(verb))
        && request.len() <= MAX_CALLER_CHANGE_BYTES
        && (names(b"TOKEN#") || names(b"SETTINGS#"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_of_tokens_and_roles_are_detected() {
        let token = Bytes::from_static(br#"{"Key":{"pk":{"S":"TOKEN#1"}}}"#);
        let roles = Bytes::from_static(br#"{"Item":{"pk":{"S":"SETTINGS#a"}}}"#);
        let run = Bytes::from_static(br#"{"Item":{"pk":{"S":"EXEC#1"}}}"#);
        for (operation, request, expected) in [
            ("UpdateItem", &token, true),
            ("TransactWriteItems", &token, true),
            ("BatchWriteItem", &roles, true),
            ("ExecuteStatement", &token, true),
            ("GetItem", &token, false),
            ("BatchGetItem", &token, false),
            ("Query", &roles, false),
            ("PutItem", &run, false),
        ] {
            let target = format!("DynamoDB_20120810.{operation}");
            assert_eq!(changes_callers(&target, request), expected, "{operation}");
        }
    }
}
