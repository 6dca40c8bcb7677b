//! A DynamoDB that lacks something that Flowtrail needs is refused before any write.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use local::embedded::{Embedded, wire};
use tower::ServiceExt;

use crate::support::process::run;

const UNKNOWN: &str = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
const INVALID: &str = r#"{"__type":"com.amazon.coral.validate#ValidationException",
    "message":"KeySchema: expected at most 2 elements"}"#;

/// An endpoint that answers one operation with an error, and all others with the embedded
/// engine.
struct Lacking {
    url: String,
    embedded: Embedded,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Lacking {
    async fn start(operation: &'static str, error: &'static str) -> Self {
        let embedded = Embedded::in_memory().expect("a database in memory");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (engine, seen) = (wire::router(embedded.clone()), requests.clone());
        let answer = move |request: Request| {
            let target = request.headers()["x-amz-target"].to_str().expect("ASCII");
            let requested = target.rsplit('.').next().expect("a name").to_owned();
            seen.lock().expect("a lock").push(requested.clone());
            let engine = engine.clone();
            async move {
                if requested != operation {
                    return engine.oneshot(request).await.expect("an answer");
                }
                let mut refusal = Response::new(Body::from(error));
                *refusal.status_mut() = StatusCode::BAD_REQUEST;
                refusal
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        Self {
            url,
            embedded,
            requests,
        }
    }

    /// Runs the program with this endpoint. Returns whether it succeeded, and its errors.
    async fn run_program(&self, command: &'static [&'static str]) -> (bool, String) {
        let url = self.url.clone();
        let output = tokio::task::spawn_blocking(move || {
            let folder = tempfile::tempdir().expect("a folder");
            run(
                folder.path(),
                &[command, &["--endpoint-url", &url]].concat(),
            )
        });
        let output = output.await.expect("run");
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        (output.status.success(), text)
    }

    async fn tables(&self) -> Vec<String> {
        let tables = self.embedded.client().list_tables().send().await;
        tables.expect("tables").table_names.unwrap_or_default()
    }
}

const CREATE: &[&str] = &["table", "create"];
const SERVE: &[&str] = &["serve", "--port", "0", "--no-demo"];

#[tokio::test(flavor = "multi_thread")]
async fn an_incomplete_endpoint_is_reported_and_not_changed() {
    for (operation, error, words) in [
        (
            "TransactWriteItems",
            UNKNOWN,
            "transactions (TransactWriteItems)",
        ),
        ("ListStreams", UNKNOWN, "table streams (ListStreams)"),
        ("CreateTable", INVALID, "keys have several attributes"),
    ] {
        for command in [CREATE, SERVE] {
            let endpoint = Lacking::start(operation, error).await;
            let (succeeded, errors) = endpoint.run_program(command).await;
            assert!(!succeeded, "{operation}: {errors}");
            for words in [
                "This endpoint does not support",
                words,
                "Nothing was written.",
            ] {
                assert!(errors.contains(words), "{operation}: {errors}");
            }
            assert_eq!(endpoint.tables().await, [] as [&str; 0], "{operation}");
            let requests = endpoint.requests.lock().expect("a lock").clone();
            for write in [
                "PutItem",
                "UpdateItem",
                "BatchWriteItem",
                "UpdateTimeToLive",
            ] {
                assert!(
                    !requests.iter().any(|request| request == write),
                    "{requests:?}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_other_indexes_is_reported() {
    let endpoint = Lacking::start("Query", INVALID).await;
    let (succeeded, errors) = endpoint.run_program(CREATE).await;
    assert!(!succeeded, "{errors}");
    assert!(
        errors.contains("has no index by-flow with the partition key teamId, flowId"),
        "{errors}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_endpoint_gets_a_table() {
    let endpoint = Lacking::start("Nothing", UNKNOWN).await;
    let (succeeded, errors) = endpoint.run_program(CREATE).await;
    assert!(succeeded, "{errors}");
    assert_eq!(endpoint.tables().await, ["flowtrail"]);
}
