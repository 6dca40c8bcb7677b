//! The sample answers of the API documents.

use std::path::Path;

use serde_json::{Value, json};
use shared::auth::Role;
use shared::model::Item;

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, payload, step, step_path, time};

/// A sample from the document of the flow executions API: `...` stands for any text,
/// `{...}` for any object, `[...]` for any array.
const LIST_SAMPLE: &str = r#"{
  "success": true,
  "data": {
    "items": [
      {
        "flowExecutionId": "...",
        "status": "COMPLETED",
        "startTime": "...",
        "endTime": "...",
        "durationMs": 1234
      }
    ],
    "nextToken": "ey...base64...token"
  }
}"#;

const DETAILS_SAMPLE: &str = r#"{
  "success": true,
  "data": {
    "metadata": {},
    "steps": [],
    "resolvedFinalContextData": {}
  }
}"#;

const BRANCH_STEPS_SAMPLE: &str = r#"{
  "success": true,
  "data": {
    "branch-exec-1": {"branchId": "process_item", "steps": []},
    "branch-exec-2": {"branchId": "process_item", "steps": []}
  }
}"#;

const STEP_SAMPLE: &str = r#"{
  "success": true,
  "data": {
    "stepInstanceId": "e84b93cf-9b3a-4621-bf35-b5d54c0eb017",
    "stepId": "validate",
    "stepName": "Validate",
    "stepType": "IF_ELSE",
    "sequenceNumber": 1,
    "status": "COMPLETED",
    "startTime": "2026-02-17T10:30:00.050Z",
    "endTime": "2026-02-17T10:30:00.055Z",
    "durationMs": 5,
    "retryCount": 0,
    "input": {"orderId": 42},
    "output": {"branch": "true"},
    "executionData": null,
    "errorMessage": null,
    "subflowExecutionId": null
  }
}"#;

/// Members that docs/api.md declares as additions to the API documents.
const ADDITIONS: &[&str] = &["hasBranches", "executionData"];

/// Checks that an answer has the members of the sample with the same types and order, and no
/// other members except [`ADDITIONS`], unless the object of the sample is empty.
fn assert_matches(answer: &Value, sample: &Value, path: &str) {
    match (answer, sample) {
        (Value::Object(answer), Value::Object(sample)) => {
            for (name, value) in sample {
                let found = answer
                    .get(name)
                    .unwrap_or_else(|| panic!("{path}.{name} is missing"));
                assert_matches(found, value, &format!("{path}.{name}"));
            }
            if !sample.is_empty() {
                let is_expected = |name: &&String| {
                    sample.contains_key(*name) || !ADDITIONS.contains(&name.as_str())
                };
                let found = answer.keys().filter(is_expected);
                let (found, expected): (Vec<_>, Vec<_>) = (found.collect(), sample.keys().collect());
                assert_eq!(found, expected, "{path}");
            }
        }
        (Value::Array(answer), Value::Array(sample)) => {
            if let Some(sample) = sample.first() {
                assert!(!answer.is_empty(), "{path} is empty");
                for (position, value) in answer.iter().enumerate() {
                    assert_matches(value, sample, &format!("{path}[{position}]"));
                }
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_))
        // The sample does not show the type of a value that is null.
        | (_, Value::Null) => {}
        _ => panic!("{path}: {answer} is not of the type of {sample}"),
    }
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn answers_of_flow_executions_match_the_documented_samples() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 100,
    };
    app.write([
        execution("run-1", json!({})),
        execution("run-0", json!({"createdAt": time(-1)})),
        step(
            "run-1",
            "fork-1",
            100,
            json!({"stepType": "PARALLEL_FORK_MANAGER"}),
        ),
        branch_step(&fork, "branch-exec-1", "a", 110, json!({})),
        branch_step(&fork, "branch-exec-2", "b", 110, json!({})),
        payload("run-1", "context", 0, json!({"value": {"total": 1}})),
    ])
    .await;
    let list = app
        .get(&token, "/flow-executions?flowDefinitionId=flow-1&limit=1")
        .await
        .ok();
    assert_matches(&list, &sample(LIST_SAMPLE), "list");
    let details = app.get(&token, "/flow-executions/run-1").await.ok();
    assert_matches(&details, &sample(DETAILS_SAMPLE), "details");
    let branches = fork.branch_steps_path();
    let branches = app.get(&token, &branches).await.ok();
    assert_matches(&branches, &sample(BRANCH_STEPS_SAMPLE), "branch steps");
    let step = app.get(&token, &step_path("run-1", "fork-1", 100)).await;
    assert_matches(&step.ok(), &sample(STEP_SAMPLE), "step");
}

/// A sample of a document.
fn sample_file(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/samples");
    sample(&std::fs::read_to_string(path.join(name)).expect("a sample"))
}

/// A step with every attribute that the samples show.
fn node(id: &str, offset: i64) -> Item {
    let attributes = json!({
        "stepType": "launch_app",
        "input": {"body": {"orderId": 42}},
        "output": {"orderId": 42, "customer": "Acme Corp"},
        "executionData": {"screen": 1},
    });
    step("run-1", id, offset, attributes)
}

/// Three runs. One has every attribute that the samples show.
async fn with_documented_runs() -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let attributes = json!({
        "flowName": "Order Processing", "flowVersion": 3, "trigger": "WEBHOOK",
        "deviceId": "device-789", "stepSummary": {"total": 2, "passed": 2, "failed": 0},
    });
    app.write([
        execution("run-1", attributes),
        execution("run-0", json!({"createdAt": time(-1), "status": "FAILED"})),
        execution(
            "run-2",
            json!({"createdAt": time(-2), "status": "RUNNING", "flowId": "flow-2"}),
        ),
        node("step-1", 50),
        node("step-2", 60),
        payload(
            "run-1",
            "input",
            0,
            json!({"value": {"body": {"orderId": 42}}}),
        ),
        payload(
            "run-1",
            "output",
            0,
            json!({"value": {"result": "processed"}}),
        ),
        payload("run-1", "data", 0, json!({"value": {"screen": 1}})),
    ])
    .await;
    app.count().await;
    (app, token)
}

#[tokio::test]
async fn answers_of_executions_match_the_documented_samples() {
    let (app, token) = with_documented_runs().await;
    for path in [
        "/api/executions/team/team-a?size=1",
        "/api/executions?workflowId=flow-1&size=1",
    ] {
        let list = app.get(&token, path).await.ok();
        assert_matches(&list, &sample_file("executions-list.json"), path);
    }
    let details = app.get(&token, "/api/executions/run-1").await.ok();
    assert_matches(&details, &sample_file("executions-details.json"), "details");
    let operator = app.token("team-a", Role::Operator, None).await;
    // The range selects the one run with every attribute.
    let path = "/api/executions/team/team-a/export?format=json";
    let path = format!("{path}&from={0}&to={0}", time(0));
    let export = app.get(&operator, &path).await.ok();
    assert_matches(&export, &sample_file("executions-export.json"), "export");
}

#[tokio::test]
async fn answers_of_history_match_the_documented_samples() {
    let (app, token) = with_documented_runs().await;
    let list = "/api/history/executions?status=PASSED&limit=50&offset=0";
    let list = app.get(&token, list).await.ok();
    assert_matches(&list, &sample_file("history-list.json"), "list");

    let flow = app.get(&token, "/api/history/executions/flows/flow-1?limit=1");
    let flow = flow.await.ok();
    assert_matches(&flow, &sample_file("history-flow-list.json"), "flow");

    let details = app.get(&token, "/api/history/executions/run-1").await.ok();
    assert_matches(&details, &sample_file("history-details.json"), "details");

    let statistics = "/api/history/execution-stats?days=3660";
    let mut statistics = app.get(&token, statistics).await.ok();
    // The document does not have this member.
    let stats = statistics["stats"].as_object_mut().expect("stats");
    assert!(stats.remove("durationPercentiles").is_some());
    assert_matches(
        &statistics,
        &sample_file("history-statistics.json"),
        "statistics",
    );

    let mut missing = app
        .get(&token, "/api/history/executions/exec-123")
        .await
        .json();
    missing
        .as_object_mut()
        .expect("an object")
        .remove("requestId");
    assert_eq!(missing, sample_file("history-not-found.json"));
}
