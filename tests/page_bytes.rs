//! Pages of lists fit into an answer of a Lambda function, no matter what their runs contain.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::records::{execution, time};

/// Less than the 6 MB of Lambda, in which an answer is a JSON text.
const MOST_BYTES: usize = 5_000_000;

const RUNS: usize = 500;
const ERROR: usize = 13_000;

/// Runs with stack traces, and with labels that are almost as long as a list shows.
async fn with_large_runs() -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let trace = "\tat com.acme.\u{1b}[31m\"Gateway\"(Gateway.java:118)\n".repeat(ERROR / 45);
    let run = |number: usize| {
        // The note is too long for a search, so it has no entry that repeats the error.
        let labels = json!({"all": "yes", "note": "v".repeat(4_500)});
        let model = |n: usize| json!({"model": format!("model-{n:02}"), "inputTokens": n, "outputTokens": n});
        let usage: Vec<_> = (0..40).map(model).collect();
        let attributes = json!({
            "createdAt": time(number as i64),
            "status": "FAILED",
            "flowName": "An order's pipeline",
            "errorMessage": trace,
            "labels": labels,
            "usage": usage,
        });
        execution(&format!("run-{number:03}"), attributes)
    };
    // In small batches, because reading all records of the stream together would take long.
    for first in (0..RUNS).step_by(25) {
        app.write((first..first + 25).map(run)).await;
        app.count().await;
    }
    (app, token)
}

/// A page, which must be short enough, and its runs in this member.
async fn page(app: &TestApp, token: &str, path: &str, member: &str) -> (Value, Vec<Value>) {
    let answer = app.get(token, path).await;
    let escaped = serde_json::to_string(&answer.body).expect("a text");
    assert!(escaped.len() < MOST_BYTES, "{path}: {}", escaped.len());
    let body = answer.ok();
    let runs = body
        .pointer(member)
        .and_then(Value::as_array)
        .expect(member);
    (body.clone(), runs.clone())
}

fn expected_ids() -> Vec<String> {
    (0..RUNS)
        .rev()
        .map(|number| format!("run-{number:03}"))
        .collect()
}

fn ids(runs: &[Value], name: &str) -> Vec<String> {
    let id = |run: &Value| run[name].as_str().expect("an id").to_owned();
    runs.iter().map(id).collect()
}

/// A list with pages of 500 runs: its path, the member with the runs, the name of their id,
/// and whether it shows the error message.
type List = (&'static str, &'static str, &'static str, bool);

const LISTS: &[List] = &[
    (
        "/api/executions/team/team-a?from=2026-02-01&size=500",
        "/content",
        "id",
        true,
    ),
    (
        "/api/executions?workflowId=flow-1&size=500",
        "/content",
        "id",
        true,
    ),
    (
        "/api/history/executions?lite=true&limit=500",
        "/executions",
        "id",
        false,
    ),
    (
        "/api/history/executions?limit=500",
        "/executions",
        "id",
        false,
    ),
    (
        "/api/history/executions?lite=true&extended=true&limit=500",
        "/executions",
        "id",
        true,
    ),
    (
        "/api/history/executions?extended=true&limit=500&label=all%3Dyes",
        "/executions",
        "id",
        true,
    ),
    (
        "/api/history/executions/flows/flow-1?limit=500",
        "/executions",
        "id",
        false,
    ),
    (
        "/flow-executions?flowDefinitionId=flow-1&limit=500",
        "/data/items",
        "flowExecutionId",
        false,
    ),
];

#[tokio::test]
async fn a_page_of_500_runs_with_stack_traces_fits_in_every_list() {
    let (app, token) = with_large_runs().await;
    for (path, member, id, shows_error) in LISTS {
        let (_, runs) = page(&app, &token, path, member).await;
        assert_eq!(ids(&runs, id), expected_ids(), "{path}");
        for run in &runs {
            assert_eq!(
                run["shortened"].as_bool().unwrap_or(false),
                *shows_error,
                "{path}"
            );
            let length = run["errorMessage"].as_str().map_or(0, str::len);
            assert_eq!(length >= 500, *shows_error, "{path}: {length}");
            assert!(length <= 4_000, "{path}: {length}");
            if let Some(labels) = run["labels"].as_object() {
                assert_eq!(labels.len(), 2, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn shortened_pages_list_every_run_and_details_are_complete() {
    let (app, token) = with_large_runs().await;
    for size in [7, 100, 499] {
        let mut team = Vec::new();
        let mut history = Vec::new();
        for number in 0..RUNS.div_ceil(size) {
            let path =
                format!("/api/executions/team/team-a?from=2026-02-01&size={size}&page={number}");
            let (body, runs) = page(&app, &token, &path, "/content").await;
            assert_eq!(body["totalElements"], RUNS);
            team.extend(ids(&runs, "id"));
            let offset = number * size;
            let path = format!(
                "/api/history/executions?lite=true&extended=true&limit={size}&offset={offset}"
            );
            let (body, runs) = page(&app, &token, &path, "/executions").await;
            assert_eq!(body["pagination"]["total"], RUNS);
            history.extend(ids(&runs, "id"));
        }
        assert_eq!(team, expected_ids());
        assert_eq!(history, expected_ids());
    }
    let details = app.get(&token, "/api/executions/run-001").await.ok();
    let error = details["errorMessage"].as_str().expect("a text");
    assert!(error.len() > ERROR * 9 / 10, "{}", error.len());
    assert_eq!(details["shortened"], Value::Null);
    // On a page of the usual size, it is as long as in the statistics of steps.
    let path = "/api/executions/team/team-a?from=2026-02-01&size=20";
    let (_, runs) = page(&app, &token, path, "/content").await;
    assert_eq!(runs[0]["errorMessage"].as_str().map(str::len), Some(4_000));
}
