//! What the documents say: their samples are answered, their examples run.

use std::path::Path;
use std::process::Command;

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::model::Item;

use crate::support::TestApp;
use crate::support::process::python;
use crate::support::records::{ForkKey, branch_step, execution, payload, step, step_path, time};

/// A sample of the flow-executions API's document: `...` stands for any text,
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

/// Demands that an answer has the sample's members, each of the sample's type,
/// in the sample's order, and below a non-empty object no others.
fn matches_sample(answer: &Value, sample: &Value, path: &str) {
    match (answer, sample) {
        (Value::Object(answer), Value::Object(sample)) => {
            for (name, value) in sample {
                let found = answer
                    .get(name)
                    .unwrap_or_else(|| panic!("{path}.{name} is missing"));
                matches_sample(found, value, &format!("{path}.{name}"));
            }
            if !sample.is_empty() {
                let (found, expected): (Vec<_>, Vec<_>) =
                    (answer.keys().collect(), sample.keys().collect());
                assert_eq!(found, expected, "{path}");
            }
        }
        (Value::Array(answer), Value::Array(sample)) => {
            if let Some(sample) = sample.first() {
                assert!(!answer.is_empty(), "{path} is empty");
                for (position, value) in answer.iter().enumerate() {
                    matches_sample(value, sample, &format!("{path}[{position}]"));
                }
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_))
        // The document does not say of which type it is where it is there.
        | (_, Value::Null) => {}
        _ => panic!("{path}: {answer} is not of the type of {sample}"),
    }
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn each_sample_of_the_flow_executions_document_is_answered_in_its_form() {
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
    matches_sample(&list, &sample(LIST_SAMPLE), "list");
    let details = app.get(&token, "/flow-executions/run-1").await.ok();
    matches_sample(&details, &sample(DETAILS_SAMPLE), "details");
    let branches = fork.branch_steps_path();
    let branches = app.get(&token, &branches).await.ok();
    matches_sample(&branches, &sample(BRANCH_STEPS_SAMPLE), "branch steps");
    let step = app.get(&token, &step_path("run-1", "fork-1", 100)).await;
    matches_sample(&step.ok(), &sample(STEP_SAMPLE), "step");
}

/// A sample of a document, as it stands there.
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

/// Two runs, of which one has every attribute that the samples show.
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
async fn each_sample_of_the_executions_document_is_answered_in_its_form() {
    let (app, token) = with_documented_runs().await;
    for path in [
        "/api/executions/team/team-a?size=1",
        "/api/executions?workflowId=flow-1&size=1",
    ] {
        let list = app.get(&token, path).await.ok();
        matches_sample(&list, &sample_file("executions-list.json"), path);
    }
    let details = app.get(&token, "/api/executions/run-1").await.ok();
    matches_sample(&details, &sample_file("executions-details.json"), "details");
    let operator = app.token("team-a", Role::Operator, None).await;
    // A run of its own, which has every attribute.
    let path = "/api/executions/team/team-a/export?format=json";
    let path = format!("{path}&from={0}&to={0}", time(0));
    let export = app.get(&operator, &path).await.ok();
    matches_sample(&export, &sample_file("executions-export.json"), "export");
}

#[tokio::test]
async fn each_sample_of_the_history_document_is_answered_in_its_form() {
    let (app, token) = with_documented_runs().await;
    let list = "/api/history/executions?status=PASSED&limit=50&offset=0";
    let list = app.get(&token, list).await.ok();
    matches_sample(&list, &sample_file("history-list.json"), "list");

    let flow = app.get(&token, "/api/history/executions/flows/flow-1?limit=1");
    let flow = flow.await.ok();
    matches_sample(&flow, &sample_file("history-flow-list.json"), "flow");

    let details = app.get(&token, "/api/history/executions/run-1").await.ok();
    matches_sample(&details, &sample_file("history-details.json"), "details");

    let statistics = "/api/history/execution-stats?days=3660";
    let mut statistics = app.get(&token, statistics).await.ok();
    // What the document does not have.
    let stats = statistics["stats"].as_object_mut().expect("stats");
    assert!(stats.remove("durationPercentiles").is_some());
    matches_sample(
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

/// The first Python program of a document whose first line is this comment.
fn example(document: &str, first_line: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(document);
    let text = std::fs::read_to_string(path).expect("a document");
    let mut programs = text.split("```python\n").skip(1);
    let program = programs.find_map(|rest| {
        let program = rest.split("```").next()?;
        program.starts_with(first_line).then_some(program)
    });
    program
        .unwrap_or_else(|| panic!("{document} has no program {first_line}"))
        .to_owned()
}

/// Runs a program of a document on this app's table, and returns what it
/// printed. `None` where there is no boto3 to run it with.
async fn run_example(app: &TestApp, program: &str) -> Option<String> {
    let python = python()?;
    let program = program
        .replace("http://127.0.0.1:8000", &app.endpoint_url().await)
        .replace("\"flowtrail\"", &format!("\"{}\"", app.store.table()));
    let run = tokio::task::spawn_blocking(move || {
        Command::new(python)
            .args(["-c", &program])
            .output()
            .expect("python runs")
    });
    let output = run.await.expect("no panic");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_complete_example_of_the_record_format_writes_a_run_that_reads_back_exactly() {
    let app = TestApp::new().await;
    let program = example("docs/record-format.md", "# A complete run");
    let Some(printed) = run_example(&app, &program).await else {
        return;
    };
    let id = printed.trim();
    let token = app.viewer("default").await;
    let list = app
        .get(&token, "/flow-executions?flowDefinitionId=order-pipeline")
        .await
        .ok();
    assert_eq!(list["data"]["items"][0]["flowExecutionId"], id);
    assert_eq!(list["data"]["items"][0]["status"], "COMPLETED");

    let data = app
        .get(&token, &format!("/flow-executions/{id}"))
        .await
        .ok()["data"]
        .take();
    let metadata = &data["metadata"];
    assert_eq!(metadata["flowName"], "Order processing");
    assert_eq!(metadata["flowVersion"], 3);
    assert_eq!(metadata["labels"], json!({"orderId": "42"}));
    assert_eq!(
        metadata["stepSummary"],
        json!({"total": 5, "passed": 5, "failed": 0})
    );
    assert_eq!(
        data["resolvedFinalContextData"],
        json!({"orderId": 42, "total": 129.5, "items": ["A", "B", "C"], "done": true})
    );
    let steps = data["steps"].as_array().expect("steps");
    let outline: Vec<_> = steps
        .iter()
        .map(|step| (&step["stepName"], &step["stepType"], &step["status"]))
        .collect();
    assert_eq!(
        outline,
        [
            (&json!("Validate"), &json!("IF_ELSE"), &json!("COMPLETED")),
            (
                &json!("For each item"),
                &json!("PARALLEL_FORK_MANAGER"),
                &json!("COMPLETED")
            ),
        ]
    );
    assert_eq!(steps[0]["input"], json!({"orderId": 42}));
    assert_eq!(steps[0]["output"], json!({"branch": "true"}));

    let fork = |name: &str| steps[1][name].as_str().expect("a text").to_owned();
    let path = format!(
        "/flow-executions/{id}/branch-steps?parentStepInstanceId={}&parentStepStartTime={}",
        fork("stepInstanceId"),
        fork("startTime")
    );
    let branches = app.get(&token, &path).await.ok()["data"].take();
    let branches = branches.as_object().expect("branches");
    let mut outputs: Vec<_> = branches
        .values()
        .map(|branch| {
            assert_eq!(branch["branchId"], "process_item");
            assert_eq!(branch["steps"].as_array().map(Vec::len), Some(1));
            let step = &branch["steps"][0];
            assert_eq!(
                (&step["stepName"], &step["status"]),
                (&json!("Pack"), &json!("COMPLETED"))
            );
            step["output"]["packed"]
                .as_str()
                .expect("a text")
                .to_owned()
        })
        .collect();
    outputs.sort();
    assert_eq!(outputs, ["A", "B", "C"]);

    // Any SDK reads the same table.
    let read = format!(
        "import boto3\n\
         table = boto3.resource('dynamodb', endpoint_url='http://127.0.0.1:8000', region_name='local',\n\
             aws_access_key_id='any', aws_secret_access_key='any').Table(\"flowtrail\")\n\
         item = table.get_item(Key={{'pk': 'EXEC#{id}', 'sk': 'EXECUTION'}})['Item']\n\
         print(item['status'], item['flowVersion'], item['labels']['orderId'])"
    );
    let printed = run_example(&app, &read)
        .await
        .expect("boto3 was there a moment ago");
    assert_eq!(printed.trim(), "COMPLETED 3 42");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_learns_of_a_cancel_in_the_three_ways_of_the_record_format() {
    let app = TestApp::new().await;
    let program = example("docs/record-format.md", "# Learning of a cancel");
    let token = app.token("team-a", Role::Operator, None).await;
    let by = format!("token:{}", token.split('_').nth(1).expect("an id"));
    app.write([
        execution("run-1", json!({"status": "RUNNING"})),
        execution("run-2", json!({"status": "RUNNING"})),
    ])
    .await;
    let Some(printed) = run_example(&app, &program).await else {
        return;
    };
    assert_eq!(printed, "False\nset()\n", "it goes on");
    let path = "/api/executions/run-1/cancel";
    let answer = app.call(Method::POST, &token, path, "").await;
    assert_eq!(answer.status, 200);
    let printed = run_example(&app, &program).await.expect("boto3");
    assert_eq!(printed, format!("CANCELLED by {by}\nTrue\n{{'run-1'}}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_a_large_payload_reads_back_exactly() {
    let app = TestApp::new().await;
    app.write([execution("run-1", json!({"teamId": "default"}))])
        .await;
    let program = example("docs/record-format.md", "# A large payload");
    if run_example(&app, &program).await.is_none() {
        return;
    }
    let token = app.viewer("default").await;
    let data = app.get(&token, "/flow-executions/run-1").await.ok()["data"].take();
    let rows = data["resolvedFinalContextData"]["rows"]
        .as_array()
        .expect("rows");
    assert_eq!(rows.len(), 50_000);
    assert_eq!(rows[49_999], json!({"number": 49_999, "text": "row 49999"}));
    assert_eq!(data.get("warnings"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_first_record_is_listed() {
    let app = TestApp::new().await;
    let program = example("README.md", "# A first run");
    if run_example(&app, &program).await.is_none() {
        return;
    }
    let token = app.viewer("default").await;
    let list = app
        .get(&token, "/flow-executions?flowDefinitionId=hello")
        .await
        .ok();
    assert_eq!(list["data"]["items"][0]["flowExecutionId"], "hello-1");
    assert_eq!(list["data"]["items"][0]["status"], "COMPLETED");
    assert_eq!(list["data"]["items"][0]["durationMs"], 1_500);
}
