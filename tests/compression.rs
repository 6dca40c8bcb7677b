//! Compressed answers for clients that accept gzip.

use std::io::Read;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::records::{execution, payload, step, time};

const RUNS: i64 = 50;

async fn with_runs() -> TestApp {
    let app = TestApp::new().await;
    app.write((0..RUNS).map(|n| {
        let labels = json!({"orderId": format!("order-{n}")});
        let attributes = json!({
            "createdAt": time(n),
            "flowName": "Order processing",
            "labels": labels,
        });
        execution(&format!("run-{n}"), attributes)
    }))
    .await;
    let large = json!({"value": vec!["a line of the log"; 10_000]});
    let steps = (0..40).map(|n| step("run-0", &format!("step-{n}"), n, json!({})));
    app.write(steps.chain([payload("run-0", "context", 0, large)]))
        .await;
    app.count().await;
    app
}

async fn fetch(app: &TestApp, token: &str, path: &str, accepted: &str) -> (HeaderMap, Vec<u8>) {
    let request = Request::get(path)
        .header("Authorization", format!("Bearer {token}"))
        .header("Accept-Encoding", accepted)
        .body(Body::empty());
    let answer = app.open(request.expect("a request")).await;
    let headers = answer.headers().clone();
    let body = answer.into_body().collect().await.expect("a body");
    (headers, body.to_bytes().to_vec())
}

fn unzip(bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    let read = GzDecoder::new(bytes).read_to_end(&mut whole);
    read.expect("gzip");
    whole
}

/// The JSON without the time of the answer.
fn without_timestamp(bytes: &[u8]) -> Value {
    let mut json: Value = serde_json::from_slice(bytes).expect("JSON");
    if let Some(members) = json.as_object_mut() {
        members.remove("timestamp");
    }
    json
}

#[tokio::test]
async fn json_of_every_api_is_compressed() {
    let app = with_runs().await;
    let token = app.viewer("team-a").await;
    for path in [
        "/flow-executions?flowDefinitionId=flow-1&limit=50",
        "/flow-executions/run-0",
        "/api/executions/team/team-a?size=50",
        "/api/executions/run-0",
        "/api/history/executions?limit=50",
        "/api/history/executions/run-0",
        "/api/history/execution-stats?days=365&interval=day",
    ] {
        let (headers, plain) = fetch(&app, &token, path, "identity").await;
        assert_eq!(headers.get("content-encoding"), None, "{path}");
        let (headers, compressed) = fetch(&app, &token, path, "gzip, br").await;
        assert_eq!(headers["content-encoding"], "gzip", "{path}");
        assert_eq!(headers["vary"], "accept-encoding", "{path}");
        assert_eq!(
            without_timestamp(&unzip(&compressed)),
            without_timestamp(&plain),
            "{path}"
        );
        let ratio = plain.len() as f64 / compressed.len() as f64;
        assert!(ratio > 3.0, "{path}: {ratio:.1}");
    }
}

#[tokio::test]
async fn a_small_answer_is_not_compressed() {
    let app = with_runs().await;
    let token = app.viewer("team-a").await;
    for path in ["/api/caller", "/api/executions/unknown"] {
        let (headers, body) = fetch(&app, &token, path, "gzip").await;
        assert_eq!(headers.get("content-encoding"), None, "{path}");
        without_timestamp(&body);
    }
}
