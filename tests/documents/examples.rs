//! The example programs of the documents.

use std::path::Path;
use std::process::{Command, Output};

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;

use crate::support::process::python;
use crate::support::records::execution;
use crate::support::{TestApp, token_id};

/// The first Python program of a document with this comment in its first line.
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

/// Runs a program of a document on this app's table. `None` without boto3.
async fn start_example(app: &TestApp, program: &str) -> Option<Output> {
    let python = python()?;
    let program = program
        .replace("http://127.0.0.1:8000", &app.endpoint_url().await)
        .replace("\"flowtrail\"", &format!("\"{}\"", app.store.table()));
    let run = move || Command::new(python).args(["-c", &program]).output();
    let output = tokio::task::spawn_blocking(run).await.expect("no panic");
    Some(output.expect("python runs"))
}

/// Runs a program of a document to its success, and returns its output. `None` without
/// boto3.
async fn run_example(app: &TestApp, program: &str) -> Option<String> {
    let output = start_example(app, program).await?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_complete_example_writes_the_documented_run() {
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
    assert_metadata_and_context(&data);
    assert_steps(data["steps"].as_array().expect("steps"));
    assert_branches(&app, &token, id, &data["steps"][1]).await;
    assert_any_sdk_reads(&app, id).await;
}

fn assert_metadata_and_context(data: &Value) {
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
}

fn assert_steps(steps: &[Value]) {
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
}

/// Checks the branches of a fork, one for each packed item.
async fn assert_branches(app: &TestApp, token: &str, id: &str, fork: &Value) {
    let text = |name: &str| fork[name].as_str().expect("a text").to_owned();
    let path = format!(
        "/flow-executions/{id}/branch-steps?parentStepInstanceId={}&parentStepStartTime={}",
        text("stepInstanceId"),
        text("startTime")
    );
    let branches = app.get(token, &path).await.ok()["data"].take();
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
}

/// Checks that a program without this project's code reads the run.
async fn assert_any_sdk_reads(app: &TestApp, id: &str) {
    let read = format!(
        "import boto3\n\
         table = boto3.resource('dynamodb', endpoint_url='http://127.0.0.1:8000', region_name='local',\n\
             aws_access_key_id='any', aws_secret_access_key='any').Table(\"flowtrail\")\n\
         item = table.get_item(Key={{'pk': 'EXEC#{id}', 'sk': 'EXECUTION'}})['Item']\n\
         print(item['status'], item['flowVersion'], item['labels']['orderId'])"
    );
    let printed = run_example(app, &read).await.expect("boto3");
    assert_eq!(printed.trim(), "COMPLETED 3 42");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_learns_of_a_cancel_in_three_documented_ways() {
    let app = TestApp::new().await;
    let program = example("docs/record-format.md", "# Learning of a cancel");
    let token = app.token("default", Role::Operator, None).await;
    let by = format!("token:{}", token_id(&token));
    let open = json!({"status": "RUNNING", "teamId": "default"});
    app.write([execution("run-1", open.clone()), execution("run-2", open)])
        .await;
    let Some(printed) = run_example(&app, &program).await else {
        return;
    };
    assert_eq!(printed, "None\nFalse\nset()\n", "the run continues");
    assert!(app.item("run-1").await["heartbeatAt"].is_string());
    let path = "/api/executions/run-1/cancel";
    let answer = app.call(Method::POST, &token, path, "").await;
    assert_eq!(answer.status, 200);
    let printed = run_example(&app, &program).await.expect("boto3");
    assert_eq!(printed, format!("CANCELLED by {by}\nTrue\n{{'run-1'}}\n"));

    // The run is deleted, and then another team uses its id.
    let deleted = app.store.delete("EXEC#run-1", "EXECUTION").await;
    deleted.expect("deleted");
    let printed = run_example(&app, &program).await.expect("boto3");
    assert_eq!(printed, "deleted\nTrue\n{'run-1'}\n");
    let other = execution("run-1", json!({"status": "RUNNING", "teamId": "team-b"}));
    app.write([other]).await;
    let before = app.item("run-1").await;
    let printed = run_example(&app, &program).await.expect("boto3");
    assert_eq!(printed, "the id belongs to another team\nTrue\n{'run-1'}\n");
    assert_eq!(app.item("run-1").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_does_not_overwrite_a_run_of_another_team() {
    let app = TestApp::new().await;
    let program = example("docs/record-format.md", "# A complete run");
    let begin = "\nput_execution(execution)\n";
    assert!(program.contains(begin));
    let thief = format!("\nexecution[\"teamId\"] = \"thief\"{begin}");
    let program = program
        .replace("str(uuid.uuid4())", "\"run-1\"")
        .replacen(begin, &thief, 1);
    let victim = json!({"status": "RUNNING", "teamId": "default"});
    app.write([execution("run-1", victim)]).await;
    let before = app.item("run-1").await;
    let Some(output) = start_example(&app, &program).await else {
        return;
    };
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        message.trim(),
        "The id belongs to another team: use another one."
    );
    assert_eq!(app.item("run-1").await, before);
    assert_eq!(app.records_of("run-1").await, ["EXECUTION"]);
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
async fn the_first_run_of_the_readme_is_listed() {
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
