//! `GET /flow-executions/{flowExecutionId}`.

use serde_json::{Value, json};
use shared::model::Item;

use crate::support::records::{execution, payload, payload_parts, step, time};
use crate::support::{TestApp, read_units};

/// An execution with every attribute, and one that the format does not know.
fn complete_execution() -> Item {
    execution(
        "run-1",
        json!({
            "flowName": "Order Processing",
            "flowVersion": 3,
            "executionType": "SUBFLOW",
            "parentExecutionId": "run-0",
            "parentStepInstanceId": "step-9",
            "deviceId": "device-1",
            "trigger": "WEBHOOK",
            "status": "FAILED",
            "durationMs": 2300,
            "errorMessage": "Card declined",
            "stepSummary": {"total": 2, "passed": 1, "failed": 1},
            "labels": {"orderId": "42"},
            "timeoutAt": time(60_000),
            "heartbeatAt": time(2_000),
            "cancelledBy": "maria",
            "cancelReason": "twice",
            "somethingElse": {"kept": true},
        }),
    )
}

fn shown_metadata() -> Value {
    json!({
        "flowExecutionId": "run-1",
        "flowDefinitionId": "flow-1",
        "flowName": "Order Processing",
        "flowVersion": 3,
        "executionType": "SUBFLOW",
        "parentFlowExecutionId": "run-0",
        "parentStepInstanceId": "step-9",
        "teamId": "team-a",
        "deviceId": "device-1",
        "trigger": "WEBHOOK",
        "status": "FAILED",
        "createdAt": "2026-02-17T10:30:00.000Z",
        "startTime": "2026-02-17T10:30:00.050Z",
        "endTime": "2026-02-17T10:30:02.400Z",
        "durationMs": 2300,
        "errorMessage": "Card declined",
        "stepSummary": {"total": 2, "passed": 1, "failed": 1},
        "labels": {"orderId": "42"},
        "timeoutAt": "2026-02-17T10:31:00.000Z",
        "heartbeatAt": "2026-02-17T10:30:02.000Z",
        "cancelledBy": "maria",
        "cancelReason": "twice",
    })
}

fn shown_steps() -> Value {
    json!([
        {
            "stepInstanceId": "step-1",
            "stepId": "step-1-definition",
            "stepName": "Step step-1",
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
            "subflowExecutionId": null,
            "hasBranches": false,
        },
        {
            "stepInstanceId": "step-2",
            "stepId": "step-2-definition",
            "stepName": "Step step-2",
            "stepType": "IF_ELSE",
            "sequenceNumber": 2,
            "status": "FAILED",
            "startTime": "2026-02-17T10:30:00.125Z",
            "endTime": "2026-02-17T10:30:00.130Z",
            "durationMs": 5,
            "retryCount": 2,
            "input": {"orderId": 42},
            "output": null,
            "executionData": {"attempts": [1, 2, 3]},
            "errorMessage": "Card declined",
            "subflowExecutionId": "run-2",
            "hasBranches": false,
        },
    ])
}

#[tokio::test]
async fn details_have_every_written_attribute() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        complete_execution(),
        step("run-1", "step-1", 50, json!({})),
        step(
            "run-1",
            "step-2",
            125,
            json!({
                "sequenceNumber": 2,
                "status": "FAILED",
                "retryCount": 2,
                "executionData": {"attempts": [1, 2, 3]},
                "output": null,
                "errorMessage": "Card declined",
                "subflowExecutionId": "run-2",
            }),
        ),
        payload(
            "run-1",
            "context",
            0,
            json!({"value": {"order": {"id": 42}, "done": false}}),
        ),
    ])
    .await;
    let answer = app.get(&token, "/flow-executions/run-1").await;
    assert_eq!(
        answer.ok(),
        json!({
            "success": true,
            "data": {
                "metadata": shown_metadata(),
                "steps": shown_steps(),
                "resolvedFinalContextData": {"order": {"id": 42}, "done": false},
                "executionData": null,
            },
        })
    );
}

#[tokio::test]
async fn details_of_twenty_steps_cost_one_request_and_their_bytes() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let padding = "x".repeat(2_000);
    app.write([execution("run-1", json!({}))]).await;
    app.write((0..20).map(|n| {
        step(
            "run-1",
            &format!("step-{n:02}"),
            n,
            json!({"output": padding}),
        )
    }))
    .await;
    app.remember_masking("team-a").await;
    let answer = app.get(&token, "/flow-executions/run-1").await;
    let body = answer.ok();
    assert_eq!(body["data"]["steps"].as_array().map(Vec::len), Some(20));
    assert_eq!(answer.usage.requests, 1);
    // Each step has 2,000 bytes of output and about 400 other bytes.
    let bytes_cost = read_units(20 * 2_400);
    assert!(
        answer.usage.capacity_units <= bytes_cost * 1.1,
        "{} units for {bytes_cost}",
        answer.usage.capacity_units
    );
}

#[tokio::test]
async fn steps_are_ordered_by_time_in_pages_of_any_limit() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        payload("run-1", "context", 0, json!({"value": 7})),
    ])
    .await;
    // The steps are written backwards. Steps with equal times are ordered by id.
    app.write(
        (0..23)
            .rev()
            .map(|n| step("run-1", &format!("step-{n:02}"), n / 2, json!({}))),
    )
    .await;
    let expected: Vec<_> = (0..23).map(|n| format!("step-{n:02}")).collect();
    for limit in [1, 7, 23, 500] {
        let mut path = format!("/flow-executions/run-1?limit={limit}");
        let mut seen = Vec::new();
        let mut pages = 0;
        loop {
            let data = app.get(&token, &path).await.ok()["data"].take();
            let is_first = pages == 0;
            pages += 1;
            assert_eq!(data["metadata"]["flowExecutionId"], "run-1");
            let context = if is_first { json!(7) } else { Value::Null };
            assert_eq!(
                data["resolvedFinalContextData"], context,
                "only the first page has the context"
            );
            for step in data["steps"].as_array().expect("steps") {
                seen.push(step["stepInstanceId"].as_str().expect("an id").to_owned());
            }
            match data["nextToken"].as_str() {
                Some(next) => {
                    path = format!("/flow-executions/run-1?limit={limit}&nextToken={next}")
                }
                None => break,
            }
        }
        assert_eq!(seen, expected, "limit {limit}");
        assert_eq!(pages, 23_usize.div_ceil(limit), "limit {limit}");
    }
}

#[tokio::test]
async fn a_large_field_of_a_step_comes_from_its_payload() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let big = json!({"rows": (0..2_000).map(|n| format!("row {n}")).collect::<Vec<_>>()});
    let json_text = big.to_string();
    let packed = zstd::encode_all(json_text.as_bytes(), 3).expect("zstd");
    app.write([execution("run-1", json!({}))]).await;
    // The id of one step is a prefix of the other's.
    app.write(["a", "a:b"].map(|id| step("run-1", id, 1, json!({"input": null, "output": null}))))
        .await;
    app.write(payload_parts(
        "run-1",
        "step:a:output",
        json_text.as_bytes(),
        "json",
        9_000,
    ))
    .await;
    app.write(payload_parts(
        "run-1",
        "step:a:b:output",
        &packed,
        "json+zstd",
        900,
    ))
    .await;
    app.write([payload(
        "run-1",
        "step:a:input",
        0,
        json!({"value": {"small": true}}),
    )])
    .await;
    // An attribute has precedence over a payload of the same name.
    app.write([
        step("run-1", "c", 2, json!({"input": "own"})),
        payload("run-1", "step:c:input", 0, json!({"value": "payload"})),
    ])
    .await;
    let steps = app.get(&token, "/flow-executions/run-1").await.ok()["data"]["steps"].take();
    assert_eq!(steps[0]["stepInstanceId"], "a");
    assert_eq!(steps[0]["input"], json!({"small": true}));
    assert_eq!(steps[0]["output"], big);
    assert_eq!(steps[1]["stepInstanceId"], "a:b");
    assert_eq!(steps[1]["input"], Value::Null);
    assert_eq!(steps[1]["output"], big);
    assert_eq!(steps[2]["input"], "own");
}

#[tokio::test]
async fn a_number_of_38_digits_is_shown_completely() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let digits = "12345678901234567890123456789012345678";
    let mut context = payload("run-1", "context", 0, json!({}));
    let value = aws_sdk_dynamodb::types::AttributeValue::N(digits.to_owned());
    context.insert("value".to_owned(), value);
    app.write([execution("run-1", json!({})), context]).await;
    let answer = app.get(&token, "/flow-executions/run-1").await;
    let shown = format!(r#""resolvedFinalContextData":{digits}"#);
    assert!(answer.body.contains(&shown), "{}", answer.body);
}

#[tokio::test]
async fn a_run_in_progress_has_null_for_unknown_values() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({"status": "RUNNING", "endTime": null})),
        step(
            "run-1",
            "step-1",
            1,
            json!({"status": "RUNNING", "endTime": null, "durationMs": null}),
        ),
    ])
    .await;
    let data = app.get(&token, "/flow-executions/run-1").await.ok()["data"].take();
    assert_eq!(data["metadata"]["status"], "RUNNING");
    assert_eq!(data["metadata"]["endTime"], Value::Null);
    assert_eq!(data["metadata"]["durationMs"], Value::Null);
    assert_eq!(data["steps"][0]["status"], "RUNNING");
    assert_eq!(data["steps"][0]["durationMs"], Value::Null);
    assert_eq!(data["resolvedFinalContextData"], Value::Null);
}

#[tokio::test]
async fn an_expired_run_or_one_without_its_item_is_not_found() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        step("orphan", "step-1", 1, json!({})),
        payload("orphan", "context", 0, json!({"value": 1})),
        execution("expired", json!({"expiresAt": 1})),
    ])
    .await;
    for id in ["orphan", "expired", "never-was"] {
        let answer = app.get(&token, &format!("/flow-executions/{id}")).await;
        assert_eq!(
            answer.problem(),
            (404, "EXECUTION_NOT_FOUND".to_owned()),
            "{id}"
        );
    }
}

#[tokio::test]
async fn an_id_with_every_allowed_character_is_found() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("a.b_c:d@e/f+g=h-1", json!({}))]).await;
    let answer = app
        .get(&token, "/flow-executions/a.b_c:d@e%2Ff+g=h-1")
        .await;
    assert_eq!(
        answer.ok()["data"]["metadata"]["flowExecutionId"],
        "a.b_c:d@e/f+g=h-1"
    );
}

#[tokio::test]
async fn details_have_the_tokens_and_dropped_steps_of_a_run() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let usage = json!([
        {"model": "large", "inputTokens": 1_000, "outputTokens": 20},
        {"inputTokens": 5, "outputTokens": 7},
        {"model": "malformed", "inputTokens": "5"},
    ]);
    app.write([
        execution("run-1", json!({"usage": usage, "droppedSteps": 12})),
        execution("run-2", json!({"usage": [], "droppedSteps": "many"})),
    ])
    .await;
    let shown = json!([
        {"model": "large", "inputTokens": 1_000, "outputTokens": 20},
        {"model": null, "inputTokens": 5, "outputTokens": 7},
    ]);
    for (path, member) in [
        ("/flow-executions/", "/data/metadata"),
        ("/api/executions/", ""),
        ("/api/history/executions/", "/execution"),
    ] {
        let body = app.get(&token, &format!("{path}run-1")).await.ok();
        let run = body.pointer(member).expect("a run");
        assert_eq!(run["usage"], shown, "{path}");
        assert_eq!(run["droppedSteps"], 12, "{path}");
        let body = app.get(&token, &format!("{path}run-2")).await.ok();
        let run = body.pointer(member).expect("a run");
        assert_eq!(
            (run.get("usage"), run.get("droppedSteps")),
            (None, None),
            "{path}"
        );
    }
    app.count().await;
    for path in [
        "/flow-executions?flowDefinitionId=flow-1",
        "/api/executions?workflowId=flow-1",
        "/api/history/executions",
        "/api/history/executions/flows/flow-1",
    ] {
        let body = app.get(&token, path).await.ok();
        assert!(!body.to_string().contains("droppedSteps"), "{path}: {body}");
    }
}
