//! The requests that real engines sent (tests/engines/samples) become the runs that the engines
//! report.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/engines/samples")
}

fn read(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).expect(file)
}

/// Sends all requests of a sample, in the order in which the engine sent them. All spans are
/// accepted.
async fn replay(sample: &str) -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    for request in read(&format!("{sample}.jsonl")).lines() {
        let answer = app.call(Method::POST, &token, "/v1/traces", request).await;
        assert_eq!(answer.ok(), json!({}), "{sample}");
    }
    (app, token)
}

/// The details of all runs.
async fn runs(app: &TestApp, token: &str) -> Vec<Value> {
    let list = app.get(token, "/api/history/executions?limit=500").await;
    let list = list.ok()["executions"].take();
    let mut runs = Vec::new();
    for run in list.as_array().expect("runs") {
        let id = run["id"].as_str().expect("an id");
        let path = format!("/flow-executions/{}", id.replace(':', "%3A"));
        runs.push(app.get(token, &path).await.ok()["data"]["metadata"].take());
    }
    runs
}

#[tokio::test]
async fn all_recorded_spans_are_accepted() {
    let files = std::fs::read_dir(folder()).expect("samples");
    let mut samples = 0;
    for file in files {
        let name = file.expect("a file").file_name();
        let name = name.to_str().expect("a name");
        if let Some(sample) = name.strip_suffix(".jsonl") {
            replay(sample).await;
            samples += 1;
        }
    }
    assert!(samples >= 40, "{samples}");
}

/// Every run that the engine started has the flow and the status that the engine reports.
async fn assert_agrees(sample: &str, label: &str) {
    let (app, token) = replay(sample).await;
    let runs = runs(&app, &token).await;
    let truth: Value = serde_json::from_str(&read(&format!("{sample}.truth.json"))).expect("JSON");
    let truth = truth["runs"].as_array().expect("runs");
    // A run below another one is a part of its trace.
    for expected in truth.iter().filter(|run| run["parent"].is_null()) {
        let id = &expected["id"];
        let found = runs.iter().find(|run| run["labels"][label] == *id);
        let found = found.unwrap_or_else(|| panic!("{sample}: {id} is missing in {runs:#?}"));
        assert_eq!(found["flowName"], expected["flow"], "{sample}: {id}");
        assert_eq!(found["status"], expected["status"], "{sample}: {id}");
    }
}

#[tokio::test]
async fn runs_have_the_flow_and_status_of_the_engine() {
    for (sample, label) in [
        ("airflow-default", "runId"),
        ("airflow-detailed", "runId"),
        ("celery-default", "taskId"),
        ("celery-worker-only", "taskId"),
        ("dbos-legacy", "workflowId"),
        ("dbos-semconv", "workflowId"),
        ("temporal-interceptor", "runId"),
        ("temporal-interceptor-always", "runId"),
        ("temporal-interceptor-replayed", "runId"),
        ("temporal-plugin", "runId"),
        ("temporal-plugin-replayed", "runId"),
        ("temporal-typescript-plugin", "runId"),
        ("temporal-typescript-worker-only", "runId"),
    ] {
        assert_agrees(sample, label).await;
    }
}

/// The steps of a run, and those directly below them.
async fn with_steps_below(app: &TestApp, token: &str, run: &str) -> Vec<Value> {
    let path = format!("/flow-executions/{run}");
    let steps = app.get(token, &path).await.ok()["data"]["steps"].take();
    let mut steps = steps.as_array().expect("steps").clone();
    for step in steps
        .clone()
        .iter()
        .filter(|step| step["hasBranches"] == true)
    {
        let text = |name: &str| step[name].as_str().expect("a text");
        let (id, start) = (text("stepInstanceId"), text("startTime"));
        let query = format!("parentStepInstanceId={id}&parentStepStartTime={start}");
        let below = app
            .get(token, &format!("{path}/branch-steps?{query}"))
            .await
            .ok();
        for lane in below["data"].as_object().expect("lanes").values() {
            steps.extend(lane["steps"].as_array().expect("steps").clone());
        }
    }
    steps
}

/// Every step that the engine has started has the status and the attempts that it reports.
async fn assert_steps_agree(sample: &str, label: &str) {
    let (app, token) = replay(sample).await;
    let runs = runs(&app, &token).await;
    let truth: Value = serde_json::from_str(&read(&format!("{sample}.truth.json"))).expect("JSON");
    for expected in truth["runs"].as_array().expect("runs") {
        let run = runs
            .iter()
            .find(|run| run["labels"][label] == expected["id"]);
        let id = run.expect("a run")["flowExecutionId"]
            .as_str()
            .expect("an id");
        let steps = with_steps_below(&app, &token, &id.replace(':', "%3A")).await;
        let found = |step: &Value| {
            // Airflow adds the number of a mapped task.
            let name = step["stepName"].as_str().expect("a name").split('[').next();
            (
                json!(name),
                step["status"].clone(),
                step["retryCount"].clone(),
            )
        };
        let found: Vec<_> = steps.iter().map(found).collect();
        let begun = |step: &&Value| step["attempts"] != 0;
        for step in expected["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .filter(begun)
        {
            let retries = step["attempts"].as_u64().unwrap_or(1) - 1;
            let step = (step["name"].clone(), step["status"].clone(), json!(retries));
            assert!(
                found.contains(&step),
                "{sample}: {step:?} is not in {found:#?}"
            );
        }
    }
}

#[tokio::test]
async fn steps_have_the_status_and_attempts_of_the_engine() {
    assert_steps_agree("airflow-default", "runId").await;
}

#[tokio::test]
async fn runs_of_a_prefect_flow_are_in_one_flow() {
    let (app, token) = replay("prefect-plugin").await;
    let runs = runs(&app, &token).await;
    for run in &runs {
        let flow = run["flowDefinitionId"].as_str().expect("a flow");
        assert!(flow.parse::<uuid::Uuid>().is_ok(), "{flow}");
    }
    assert_eq!(runs.len(), 5);
}

/// The steps of all runs, with the steps of their branches.
async fn steps(app: &TestApp, token: &str) -> Vec<Value> {
    let mut steps = Vec::new();
    for run in runs(app, token).await {
        let id = run["flowExecutionId"].as_str().expect("an id");
        let path = format!("/api/executions/{}", id.replace(':', "%3A"));
        let nodes = app.get(token, &path).await.ok()["nodeExecutions"].take();
        steps.extend(nodes.as_array().expect("nodes").clone());
    }
    steps
}

#[tokio::test]
async fn the_calls_of_agents_have_a_type_an_input_and_an_output() {
    for (sample, expected) in [
        ("langgraph-default", &["LLM", "TOOL", "RETRIEVER"][..]),
        ("openai-content", &["LLM", "TOOL"]),
        ("openllmetry-default", &["LLM", "TOOL", "RETRIEVER"]),
        ("pydantic-ai-default", &["LLM", "TOOL"]),
        ("vercel-ai-json", &["LLM", "TOOL", "EMBEDDING"]),
        ("vercel-ai-7-default", &["LLM", "TOOL", "EMBEDDING"]),
    ] {
        let (app, token) = replay(sample).await;
        let steps = steps(&app, &token).await;
        let types: BTreeSet<_> = steps
            .iter()
            .filter_map(|it| it["nodeType"].as_str())
            .collect();
        for kind in expected {
            assert!(types.contains(kind), "{sample}: {kind} is not in {types:?}");
        }
        let is_call = |step: &&Value| step["nodeType"] == "LLM" && step["status"] == "SUCCESS";
        for call in steps.iter().filter(is_call) {
            assert!(!call["inputData"].is_null(), "{sample}: {call}");
            assert!(!call["outputData"].is_null(), "{sample}: {call}");
        }
    }
}

#[tokio::test]
async fn the_errors_of_agents_have_one_line() {
    let (app, token) = replay("langgraph-default").await;
    let runs = runs(&app, &token).await;
    let failed: Vec<_> = runs
        .iter()
        .filter(|run| run["status"] == "FAILED")
        .collect();
    let errors: Vec<_> = failed.iter().map(|run| &run["errorMessage"]).collect();
    assert_eq!(errors, ["ValueError: no carrier for Atlantis"]);
    assert_eq!(failed[0]["labels"]["sessionId"], "session-1");
}
