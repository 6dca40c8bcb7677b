//! The runs and steps that the sample executions become.

use serde_json::{Value, json};
use shared::step_functions::Imported;

use super::{Bridge, Sample};

/// Each sample, the status of its run, and its steps as [`Bridge::outline`] returns them.
const SAMPLES: &[(&str, &str, &[&str])] = &[
    (
        "success",
        "COMPLETED",
        &[
            "TASK Validate order COMPLETED 12..310",
            "CHOICE Valid? COMPLETED 310..310",
            "WAIT Cool down COMPLETED 310..2310",
            "PASS Shape COMPLETED 2315..2315",
            "SUCCEED Done COMPLETED 2315..2315",
        ],
    ),
    (
        "retried",
        "COMPLETED",
        &["TASK Charge COMPLETED 10..3390 retries=2"],
    ),
    (
        "caught",
        "FAILED",
        &[
            "TASK Charge FAILED 10..6160 retries=1 error=States.Timeout",
            "TASK Notify COMPLETED 6170..6315",
            "FAIL Not charged FAILED 6315..6315 error=NotCharged: The card could not be charged.",
        ],
    ),
    (
        "map",
        "COMPLETED",
        &[
            "PARALLEL_FORK_MANAGER Each invoice COMPLETED 10..490",
            "Each invoice[0] PASS Read COMPLETED 15..15",
            "Each invoice[0] TASK Book COMPLETED 25..170",
            "Each invoice[1] PASS Read COMPLETED 175..175",
            "Each invoice[1] TASK Book COMPLETED 185..330",
            "Each invoice[2] PASS Read COMPLETED 335..335",
            "Each invoice[2] TASK Book COMPLETED 345..490",
        ],
    ),
    (
        "parallel",
        "COMPLETED",
        &[
            "PARALLEL_FORK_MANAGER Prepare COMPLETED 10..245",
            "Prepare[Reserve] TASK Reserve COMPLETED 10..245",
            "Prepare[Label] PASS Label COMPLETED 10..10",
            "Prepare[Label] TASK Print COMPLETED 30..115",
            "PASS Ship COMPLETED 250..250",
        ],
    ),
    (
        "nested-failure",
        "FAILED",
        &[
            "PARALLEL_FORK_MANAGER Collect FAILED 10..175 error=RegionDown: us does not answer",
            "Collect[Each region] PARALLEL_FORK_MANAGER Each region FAILED 10..175 \
             error=RegionDown: us does not answer",
            "Collect[Each region] Each region[0] TASK Query CANCELLED 15..175",
            "Collect[Each region] Each region[1] TASK Query FAILED 15..175 \
             error=RegionDown: us does not answer",
            "Collect[Grace] WAIT Grace CANCELLED 10..175",
        ],
    ),
    ("parent", "COMPLETED", &["TASK Render COMPLETED 10..180"]),
    ("child", "COMPLETED", &["PASS Draw COMPLETED 5..5"]),
    ("aborted", "CANCELLED", &["TASK Ask CANCELLED 10..60710"]),
    (
        "timed-out",
        "FAILED",
        &["WAIT Until signed FAILED 10..30010 error=States.Timeout"],
    ),
    (
        "map-caught",
        "COMPLETED",
        &[
            "PARALLEL_FORK_MANAGER Each invoice FAILED 10..5010 error=States.Timeout",
            "Each invoice[0] TASK Book CANCELLED 10..5010",
            "Each invoice[1] TASK Book FAILED 10..5010 error=States.Timeout",
            "Each invoice[2] TASK Book CANCELLED 10..5010",
            "PASS Report COMPLETED 5015..5015",
        ],
    ),
    (
        "distributed-map",
        "FAILED",
        &["PARALLEL_FORK_MANAGER Each video FAILED 10..9110 \
             error=States.ExceedToleratedFailureThreshold: \
             The specified tolerated failure threshold was exceeded"],
    ),
    (
        "redriven",
        "FAILED",
        &[
            "PASS Prepare COMPLETED 5..5",
            "TASK Charge FAILED 15..145 error=Bank.Closed: It is night.",
        ],
    ),
];

/// The word of the executions API for a status.
fn word_of_executions(status: &str) -> &str {
    match status {
        "COMPLETED" => "SUCCESS",
        other => other,
    }
}

#[tokio::test]
async fn every_sample_becomes_steps_that_all_three_apis_show() {
    for (name, status, expected) in SAMPLES {
        let (bridge, sample) = Bridge::with(name).await;
        let id = &sample.arn;
        let details = bridge.details(id).await;
        let metadata = &details["metadata"];
        assert_eq!(metadata["status"], *status, "{name}");
        assert_eq!(bridge.outline(id).await, *expected, "{name}");
        let count = |word: &str| expected.iter().filter(|line| line.contains(word)).count();
        assert_eq!(
            metadata["stepSummary"],
            json!({
                "total": expected.len(), "passed": count(" COMPLETED "), "failed": count(" FAILED "),
            }),
            "{name}"
        );
        let execution = bridge.get(&format!("/api/executions/{id}")).await;
        assert_eq!(execution["status"], word_of_executions(status), "{name}");
        assert_eq!(nodes_of(&execution), expected_nodes(expected), "{name}");
        let input = sample.events[0]["detail"]["input"].as_str();
        let input: Value = serde_json::from_str(input.expect("a text")).expect("JSON");
        assert_eq!(execution["inputData"], input, "{name}");
        let history = bridge.get(&format!("/api/history/executions/{id}")).await;
        let steps = history["execution"]["steps"].as_array().expect("steps");
        let found: Vec<_> = steps.iter().map(|step| step["status"].clone()).collect();
        assert_eq!(found, expected_history(expected), "{name}");
    }
}

/// Type, name and status of each node in the executions API, sorted.
fn nodes_of(execution: &Value) -> Vec<String> {
    let nodes = execution["nodeExecutions"].as_array().expect("nodes");
    let line = |node: &Value| {
        let text = |name: &str| node[name].as_str().expect("a text");
        format!(
            "{} {} {}",
            text("nodeType"),
            text("nodeName"),
            text("status")
        )
    };
    let mut lines: Vec<_> = nodes.iter().map(line).collect();
    lines.sort();
    lines
}

/// The nodes that these lines of [`SAMPLES`] have in the executions API, sorted.
fn expected_nodes(lines: &[&str]) -> Vec<String> {
    let node = |line: &&str| {
        let (_, step) = line.rsplit_once("] ").unwrap_or(("", line));
        let (step, _) = step.split_once("..").expect("times");
        let (step, _) = step.rsplit_once(' ').expect("a status");
        let (step, status) = step.rsplit_once(' ').expect("a status");
        format!("{step} {}", word_of_executions(status))
    };
    let mut nodes: Vec<_> = lines.iter().map(node).collect();
    nodes.sort();
    nodes
}

/// The statuses that the top-level steps of these lines have in the history API.
fn expected_history(lines: &[&str]) -> Vec<&'static str> {
    let word = |line: &&str| match line {
        line if line.contains(" COMPLETED ") => "PASSED",
        line if line.contains(" FAILED ") => "FAILED",
        _ => "CANCELLED",
    };
    let top_level = lines.iter().filter(|line| !line.contains("] "));
    top_level.map(word).collect()
}

#[tokio::test]
async fn runs_and_steps_contain_the_values_of_the_execution() {
    let (bridge, sample) = Bridge::with("success").await;
    let details = bridge.details(&sample.arn).await;
    let name = "3b7c6c1e-0001-4f6a-9a61-000000000001";
    assert_eq!(
        details["metadata"],
        json!({
            "flowExecutionId": sample.arn, "flowDefinitionId": "orders", "flowName": "orders",
            "flowVersion": "7", "executionType": "PARENT", "parentFlowExecutionId": null,
            "parentStepInstanceId": null, "teamId": "team-a", "deviceId": null,
            "trigger": "STEP_FUNCTIONS", "status": "COMPLETED",
            "createdAt": "2026-02-17T10:30:00.000Z", "startTime": "2026-02-17T10:30:00.000Z",
            "endTime": "2026-02-17T10:30:02.320Z", "durationMs": 2320, "errorMessage": null,
            "stepSummary": {"total": 5, "passed": 5, "failed": 0},
            "labels": {"executionName": name}, "timeoutAt": null, "heartbeatAt": null,
            "cancelledBy": null, "cancelReason": null,
        })
    );
    assert_eq!(
        details["steps"][0],
        json!({
            "stepInstanceId": "00002-Validate-order", "stepId": "Validate order",
            "stepName": "Validate order", "stepType": "TASK", "sequenceNumber": 1,
            "status": "COMPLETED", "startTime": "2026-02-17T10:30:00.012Z",
            "endTime": "2026-02-17T10:30:00.310Z", "durationMs": 298, "retryCount": 0,
            "input": {"orderId": "42", "total": 129.5}, "output": {"orderId": "42", "valid": true},
            "executionData": {
                "stateType": "TASK",
                "resource": "arn:aws:lambda:eu-west-1:123456789012:function:validate",
            },
            "errorMessage": null, "subflowExecutionId": null, "hasBranches": false,
        })
    );
    let execution = bridge.get(&format!("/api/executions/{}", sample.arn)).await;
    assert_eq!(execution["outputData"], json!({"orderId": "42"}));
}

#[tokio::test]
async fn steps_contain_the_attempts_of_a_state() {
    let (bridge, sample) = Bridge::with("caught").await;
    let details = bridge.details(&sample.arn).await;
    let message = "NotCharged: The card could not be charged.";
    assert_eq!(details["metadata"]["errorMessage"], message);
    let cause = r#"{"errorMessage":"card expired","errorType":"CardError","trace":["at charge (index.js:7)"]}"#;
    assert_eq!(
        details["steps"][0]["executionData"],
        json!({
            "stateType": "TASK", "resource": "lambda:invoke", "caught": true,
            "attempts": [
                {
                    "startTime": "2026-02-17T10:30:00.020Z", "endTime": "2026-02-17T10:30:00.140Z",
                    "error": "CardError", "cause": cause,
                },
                {
                    "startTime": "2026-02-17T10:30:01.140Z", "endTime": "2026-02-17T10:30:06.160Z",
                    "error": "States.Timeout",
                },
            ],
        })
    );
}

#[tokio::test]
async fn an_aborted_execution_has_a_reason_and_no_principal() {
    let (bridge, sample) = Bridge::with("aborted").await;
    let metadata = bridge.details(&sample.arn).await["metadata"].take();
    assert_eq!(
        metadata["cancelReason"],
        "Withdrawn: The document was withdrawn."
    );
    // A principal is named only when the API cancelled the run and the runs below it.
    assert_eq!(metadata["cancelledBy"], Value::Null);
}

#[tokio::test]
async fn a_distributed_map_contains_the_arn_of_its_map_run() {
    let (bridge, sample) = Bridge::with("distributed-map").await;
    let steps = bridge.details(&sample.arn).await["steps"].take();
    let run = "arn:aws:states:eu-west-1:123456789012:mapRun:archive/EachVideo:9f3b1f2e-0000-4000-8000-000000000001";
    assert_eq!(steps[0]["executionData"]["mapRunArn"], run);
}

#[tokio::test]
async fn nested_executions_link_to_each_other() {
    let (bridge, parent) = Bridge::with("parent").await;
    let child = Sample::of("child");
    bridge.set_history(&child);
    for event in &child.events {
        bridge.follow(event).await.expect("imported");
    }
    let steps = bridge.details(&parent.arn).await["steps"].take();
    assert_eq!(steps[0]["subflowExecutionId"], child.arn);
    let metadata = bridge.details(&child.arn).await["metadata"].take();
    assert_eq!(metadata["executionType"], "SUBFLOW");
    assert_eq!(metadata["parentFlowExecutionId"], parent.arn);
    let path = format!("/api/history/executions?parentExecutionId={}", parent.arn);
    let below = bridge.get(&path).await["executions"].take();
    assert_eq!(below.as_array().map(Vec::len), Some(1), "{below}");
    assert_eq!(below[0]["id"], child.arn);
}

#[tokio::test]
async fn a_redrive_is_a_separate_run_with_its_own_steps() {
    let (bridge, sample) = Bridge::with("redriven").await;
    let id = format!("{}:redrive:1", sample.arn);
    let metadata = bridge.details(&id).await["metadata"].take();
    assert_eq!(metadata["status"], "COMPLETED");
    assert_eq!(metadata["labels"]["redriveOf"], sample.arn);
    assert_eq!(metadata["startTime"], "2026-02-17T11:30:00.145Z");
    assert_eq!(metadata["durationMs"], 145);
    assert_eq!(
        bridge.outline(&id).await,
        ["TASK Charge COMPLETED 3600145..3600285"]
    );
    let before = bridge.details(&sample.arn).await["metadata"].take();
    assert_eq!(before["status"], "FAILED", "a terminal status is final");
    assert_eq!(bridge.items(&id).await.len(), 4, "run, step, input, output");
    // An event that does not lead to another run.
    let mut pending = sample.last().clone();
    pending["detail"]["status"] = json!("PENDING_REDRIVE");
    let imported = bridge.follow(&pending).await.expect("ignored");
    assert_eq!(imported, Imported::Nothing);
}
