//! The export: the same rows as the list, as CSV and as JSON. A file is complete or
//! visibly cut off.

use std::io::Read;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use serde_json::{Value, json};
use shared::auth::Role;

use crate::support::TestApp;
use crate::support::process::DEADLINE;
use crate::support::records::{execution, step, time};

mod cells;
mod failures;
mod gateway;
mod masking;
mod node_order;
mod program;
mod response;
mod rows;

const MINUTE: i64 = 60_000;

const HOUR: i64 = 60 * MINUTE;

/// The columns, as documented for the API.
const COLUMNS: [&str; 19] = [
    "execution_id",
    "workflow_id",
    "workflow_name",
    "status",
    "trigger",
    "started_at",
    "completed_at",
    "duration_ms",
    "node_id",
    "node_type",
    "node_name",
    "node_status",
    "node_started_at",
    "node_completed_at",
    "node_duration_ms",
    "node_error",
    "input_tokens",
    "output_tokens",
    "dropped_steps",
];

/// The export of all runs of the tests, which are some months old.
const ALL: &str = "/api/executions/team/team-a/export?from=2026-02-01";

async fn operator(app: &TestApp) -> String {
    app.token("team-a", Role::Operator, None).await
}

fn vary(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(header::VARY).iter();
    values.map(|value| value.to_str().expect("ASCII")).collect()
}

/// The rows of a CSV text, after a check of its header.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().expect("a header"), &COLUMNS[..]);
    let cells = |row: csv::StringRecord| row.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|row| cells(row.expect("a row")))
        .collect()
}

/// The columns of a run in a JSON export, in the order of the CSV.
const RUN_NAMES: [&str; 8] = [
    "executionId",
    "workflowId",
    "workflowName",
    "status",
    "trigger",
    "startedAt",
    "completedAt",
    "durationMs",
];

/// The columns of a node in a JSON export, in the order of the CSV.
const NODE_NAMES: [&str; 8] = [
    "nodeId",
    "nodeType",
    "nodeName",
    "status",
    "startedAt",
    "completedAt",
    "durationMs",
    "error",
];

/// The CSV rows of a JSON export, if no cell is changed for CSV.
fn rows_of_json(executions: &Value) -> Vec<Vec<String>> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let cells = |value: &Value, names: [&str; 8]| names.map(|name| text(&value[name]));
    let mut rows = Vec::new();
    for execution in executions.as_array().expect("executions") {
        let run = cells(execution, RUN_NAMES);
        let nodes = execution["nodeExecutions"].as_array().expect("nodes");
        let total = |name: &str| {
            let models = execution["usage"].as_array()?.iter();
            models
                .filter_map(|model| model[name].as_u64())
                .reduce(|one, other| one + other)
        };
        let totals = [
            total("inputTokens"),
            total("outputTokens"),
            execution["droppedSteps"].as_u64(),
        ];
        let added = totals.map(|number| number.map_or(String::new(), |number| number.to_string()));
        for node in nodes {
            let own = [run.clone(), cells(node, NODE_NAMES)].concat();
            rows.push([&own[..], &added].concat());
        }
        if nodes.is_empty() {
            let own = [run, [const { String::new() }; 8]].concat();
            rows.push([&own[..], &added].concat());
        }
    }
    rows
}

/// 120 runs of three flows within three days, some with the same time, with 0 to 3 steps.
async fn with_runs() -> TestApp {
    let app = TestApp::new().await;
    let statuses = [
        "COMPLETED",
        "FAILED",
        "RUNNING",
        "CANCELLED",
        "PENDING",
        "DONE",
    ];
    let mut items = Vec::new();
    for n in 0..120_i64 {
        let id = format!("run-{n:03}");
        let created = if n < 5 {
            HOUR
        } else {
            (n * n * 7_919) % (72 * HOUR)
        };
        items.push(execution(
            &id,
            json!({
                "flowId": format!("flow-{}", n % 3),
                "flowName": format!("Flow {}", n % 3),
                "trigger": "API",
                "deviceId": format!("device-{}", n % 4),
                "executionType": (n % 5 == 0).then_some("SUBFLOW"),
                "labels": (n % 7 == 0).then(|| json!({"tier": "gold"})),
                "status": statuses[(n * 5 % 6) as usize],
                "createdAt": time(created),
            }),
        ));
        items.extend((0..n % 4).map(|m| step(&id, &format!("step-{m}"), m, json!({}))));
    }
    // A run of another team, and an item of another kind that is in the indexes by mistake.
    items.push(execution(
        "other",
        json!({"teamId": "team-b", "flowId": "flow-1"}),
    ));
    items.push(execution(
        "stray",
        json!({"sk": "NOTE", "flowId": "flow-1"}),
    ));
    app.write(items).await;
    app.count().await;
    app
}

fn request(token: &str, path: &str, accept_encoding: &str) -> Request<Body> {
    Request::get(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::ACCEPT_ENCODING, accept_encoding)
        .body(Body::empty())
        .expect("a request")
}

/// Downloads over a socket. Returns the status, the bytes, and whether the body is complete.
fn download(url: &str, token: &str, accept_encoding: &str) -> (u16, Vec<u8>, bool) {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.timeout_global(Some(DEADLINE)).build().into();
    let answer = agent
        .get(url)
        .header("Authorization", format!("Bearer {token}"))
        .header("Accept-Encoding", accept_encoding)
        .call();
    let mut answer = answer.expect("an answer");
    let mut bytes = Vec::new();
    let end = answer.body_mut().as_reader().read_to_end(&mut bytes);
    (answer.status().as_u16(), bytes, end.is_ok())
}
