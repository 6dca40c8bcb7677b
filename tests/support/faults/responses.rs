//! The responses of a table that fails.

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// The answer of a table that accepts no item of a batch.
pub(super) fn unprocessed(request: &HttpRequest) -> HttpResponse {
    let body = request.body().bytes().expect("a body in hand");
    let mut body: Value = serde_json::from_slice(body).expect("JSON");
    response(
        200,
        json!({"UnprocessedItems": body["RequestItems"].take()}),
    )
}

/// Writes the first half of a batch, and returns the second half as unprocessed.
pub(super) async fn half_taken(
    inner: &SharedHttpConnector,
    mut request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let body = request.body().bytes().expect("a body in hand");
    let mut body: Value = serde_json::from_slice(body).expect("JSON");
    let tables = body["RequestItems"].as_object_mut().expect("tables");
    let mut left = json!({});
    for (table, items) in tables {
        let items = items.as_array_mut().expect("items");
        left[table] = json!(items.split_off(items.len().div_ceil(2)));
    }
    *request.body_mut() = SdkBody::from(body.to_string());
    inner.call(request).await?;
    let is_left = |items: &Value| items.as_array().is_some_and(|items| !items.is_empty());
    let left = match left
        .as_object()
        .is_some_and(|left| left.values().all(is_left))
    {
        true => left,
        false => json!({}),
    };
    Ok(response(200, json!({"UnprocessedItems": left})))
}

/// The answer to a request that conflicts with another transaction.
pub(super) fn conflict(request: &HttpRequest, is_transaction: bool) -> HttpResponse {
    if !is_transaction {
        return error(400, "TransactionConflictException");
    }
    let body = request.body().bytes().expect("a body in hand");
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let actions = body["TransactItems"].as_array().expect("actions").len();
    let mut reasons = vec![json!({"Code": "None"}); actions];
    reasons[0] = json!({"Code": "TransactionConflict", "Message": "Another has it."});
    response(
        400,
        json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons}),
    )
}

/// An answer with the first half of its body.
pub(super) fn cut(mut answer: HttpResponse) -> HttpResponse {
    let body = answer.body().bytes().expect("a body in hand");
    let body = body[..body.len() / 2].to_vec();
    *answer.body_mut() = SdkBody::from(body);
    answer
}

/// The error page of a proxy.
pub(super) fn bad_gateway() -> HttpResponse {
    let status = 502.try_into().expect("a status");
    HttpResponse::new(status, SdkBody::from("<html><h1>Bad Gateway</h1></html>"))
}

/// An error of DynamoDB.
pub(super) fn error(status: u16, name: &str) -> HttpResponse {
    response(status, json!({"__type": name}))
}

fn response(status: u16, body: Value) -> HttpResponse {
    let status = status.try_into().expect("a status");
    HttpResponse::new(status, SdkBody::from(body.to_string()))
}
