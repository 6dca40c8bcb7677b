//! The history API: `/api/history`.

use serde_json::{Value, json};
use shared::operations::MAX_STEPS_OF_A_RUN;

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, payload, step, time};

mod statistics;

const MINUTE: i64 = 60_000;

const HOUR: i64 = 60 * MINUTE;

/// A completed run with two top-level steps and a branch step, and a running run without
/// steps.
async fn with_two_runs() -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "step-1",
        offset: 50,
    };
    let launch = json!({"stepType": "launch_app", "durationMs": 2_000});
    let failed = json!({"status": "FAILED", "sequenceNumber": 2});
    let running = json!({"createdAt": time(-1), "status": "RUNNING", "endTime": null});
    let named = json!({"flowName": "Login Flow", "deviceId": "device-789"});
    app.write([
        execution("run-1", named),
        step("run-1", "step-1", 50, launch),
        step("run-1", "step-2", 60, failed),
        branch_step(&fork, "branch", "hidden", 70, json!({})),
        execution("run-0", running),
    ])
    .await;
    app.count().await;
    (app, token)
}

#[tokio::test]
async fn lists_show_the_top_level_steps_of_each_run() {
    let (app, token) = with_two_runs().await;
    let answer = app.get(&token, "/api/history/executions").await;
    let body = answer.ok();
    assert_eq!(
        body["executions"],
        json!([
            {
                "id": "run-1", "flowId": "flow-1", "deviceId": "device-789", "status": "PASSED",
                "executionType": "PARENT", "startTime": time(50), "endTime": time(2_400),
                "durationMs": 2350, "durationFormatted": "2.35s",
                "stepSummary": {"total": 2, "passed": 1, "failed": 1},
                "steps": [
                    {"id": "step-1", "sequenceNumber": 1, "action": "launch_app",
                     "status": "PASSED", "durationMs": 2000},
                    {"id": "step-2", "sequenceNumber": 2, "action": "IF_ELSE",
                     "status": "FAILED", "durationMs": 5},
                ],
                "flow": {"name": "Login Flow"}, "createdAt": time(0),
            },
            {
                "id": "run-0", "flowId": "flow-1", "deviceId": null, "status": "RUNNING",
                "executionType": "PARENT", "startTime": time(50), "endTime": null,
                "durationMs": null, "durationFormatted": null,
                "stepSummary": {"total": 0, "passed": 0, "failed": 0},
                "steps": [], "flow": {"name": null}, "createdAt": time(-1),
            },
        ])
    );
    assert_eq!(
        answer.usage.requests, 4,
        "the counters, the page, and each run's steps"
    );
}

#[tokio::test]
async fn lite_lists_read_and_show_no_steps() {
    let (app, token) = with_two_runs().await;
    let lite = app.get(&token, "/api/history/executions?lite=true").await;
    assert_eq!(lite.usage.requests, 2);
    let lite = lite.ok();
    assert_eq!(lite["executions"][0].get("steps"), None);
    assert_eq!(
        lite["executions"][0]["stepSummary"],
        Value::Null,
        "the run has no stored summary"
    );
    assert_eq!(lite["filters"]["lite"], true);
}

#[tokio::test]
async fn truncated_steps_of_a_list_are_flagged() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let most = MAX_STEPS_OF_A_RUN as i64;
    app.write([
        execution("run-1", json!({})),
        execution("run-0", json!({"createdAt": time(-1)})),
    ])
    .await;
    app.write((0..=most).map(|n| step("run-1", &format!("step-{n:04}"), n, json!({}))))
        .await;
    app.write((0..most).map(|n| step("run-0", &format!("step-{n:04}"), n, json!({}))))
        .await;
    let body = app
        .get(&token, "/api/history/executions/flows/flow-1")
        .await
        .ok();
    let [full, complete] = [&body["executions"][0], &body["executions"][1]];
    for run in [full, complete] {
        assert_eq!(
            run["steps"].as_array().map(Vec::len),
            Some(MAX_STEPS_OF_A_RUN)
        );
    }
    for (status, runs) in [("PASSED", 2), ("FAILED", 0)] {
        let path = format!("/api/history/executions/flows/flow-1?status={status}");
        let listed = app.get(&token, &path).await.ok();
        assert_eq!(listed["executions"].as_array().map(Vec::len), Some(runs));
    }
    assert_eq!(full["stepsTruncated"], true);
    assert_eq!(complete.get("stepsTruncated"), None);
    let list = app.get(&token, "/api/history/executions").await.ok();
    assert_eq!(list["executions"][0]["stepSummary"], Value::Null);
    assert_eq!(list["executions"][1]["stepSummary"]["total"], most);
}

#[tokio::test]
async fn applied_filters_are_returned_as_parsed() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let path = "/api/history/executions?status=PASSED&flowId=f&deviceId=d&startDate=2026-02-17\
                &endDate=2026-02-18T01:00:00%2B01:00&executionType=SUBFLOW&limit=5&offset=2";
    let body = app.get(&token, path).await.ok();
    assert_eq!(
        body["filters"],
        json!({
            "status": "PASSED", "flowId": "f", "deviceId": "d",
            "startDate": "2026-02-17T00:00:00.000Z", "endDate": "2026-02-18T00:00:00.000Z",
            "executionType": "SUBFLOW", "lite": false,
        })
    );
    let dates = app
        .get(&token, "/api/history/executions?endDate=2026-02-17")
        .await
        .ok();
    assert_eq!(dates["filters"]["endDate"], "2026-02-17T23:59:59.999Z");
}

#[tokio::test]
async fn details_contain_the_documented_fields() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let failed =
        json!({"status": "FAILED", "errorMessage": "No such button", "endTime": time(15_050)});
    app.write([
        execution("run-1", failed),
        step(
            "run-1",
            "step-1",
            50,
            json!({"executionData": {"screen": 1}}),
        ),
        step(
            "run-1",
            "step-2",
            60,
            json!({"status": "FAILED", "errorMessage": "No such button"}),
        ),
        payload("run-1", "data", 0, json!({"value": {"app": "1.2"}})),
    ])
    .await;
    app.remember_masking("team-a").await;
    let answer = app.get(&token, "/api/history/executions/run-1").await;
    assert_eq!(answer.usage.requests, 1);
    let mut body = answer.ok();
    assert!(body["timestamp"].take().is_string());
    assert_eq!(
        body,
        json!({
            "success": true,
            "execution": {
                "id": "run-1", "flowId": "flow-1", "deviceId": null, "status": "FAILED",
                "executionType": "PARENT", "startTime": time(50), "endTime": time(15_050),
                "durationMs": 15000, "durationFormatted": "15.00s",
                "stepSummary": {"total": 2, "passed": 1, "failed": 1},
                "steps": [
                    {"id": "step-1", "sequenceNumber": 1, "action": "IF_ELSE", "status": "PASSED",
                     "durationMs": 5, "executionData": {"screen": 1}, "errorMessage": null,
                     "hasBranches": false},
                    {"id": "step-2", "sequenceNumber": 1, "action": "IF_ELSE", "status": "FAILED",
                     "durationMs": 5, "executionData": null, "errorMessage": "No such button",
                     "hasBranches": false},
                ],
                "executionData": {"app": "1.2"}, "errorMessage": "No such button",
                "flow": {"name": null}, "createdAt": time(0), "updatedAt": time(15_050),
            },
            "message": "Flow execution details retrieved successfully",
            "timestamp": null,
        })
    );
    let missing = app.get(&token, "/api/history/executions/exec-123").await;
    assert_eq!(missing.problem(), (404, "EXECUTION_NOT_FOUND".to_owned()));
    let missing = missing.json();
    assert_eq!(missing["error"], "Flow execution not found");
    assert_eq!(
        missing["message"],
        "Flow execution with ID exec-123 not found"
    );
}

#[tokio::test]
async fn extended_lists_add_the_other_attributes_of_a_run() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let more = json!({
        "flowVersion": 3, "trigger": "WEBHOOK", "parentExecutionId": "run-0",
        "labels": {"orderId": "42", "count": 7, "odd": ["x"]}, "errorMessage": "no stock",
        "cancelledBy": "ann", "cancelReason": "by hand", "droppedSteps": 12,
        "usage": [{"model": "m", "inputTokens": 5, "outputTokens": 6}],
    });
    let bare = json!({"createdAt": time(-1)});
    app.write([execution("run-1", more), execution("run-2", bare)])
        .await;
    app.count().await;
    let path = "/api/history/executions?lite=true";
    let plain = app.get(&token, path).await.ok();
    let extended = app.get(&token, &format!("{path}&extended=true")).await.ok();
    let added = [
        json!({
            "flowVersion": 3, "trigger": "WEBHOOK", "parentExecutionId": "run-0",
            "labels": {"orderId": "42", "count": "7"}, "errorMessage": "no stock",
            "cancelledBy": "ann", "cancelReason": "by hand", "droppedSteps": 12,
            "usage": [{"model": "m", "inputTokens": 5, "outputTokens": 6}],
        }),
        json!({
            "flowVersion": null, "trigger": null, "parentExecutionId": null, "labels": {},
            "errorMessage": null, "cancelledBy": null, "cancelReason": null,
        }),
    ];
    for (row, added) in added.into_iter().enumerate() {
        let mut expected = plain["executions"][row].clone();
        let members = added.as_object().expect("an object").clone();
        expected.as_object_mut().expect("an object").extend(members);
        assert_eq!(extended["executions"][row], expected);
    }
    let wrong = app.get(&token, &format!("{path}&extended=yes")).await;
    assert_eq!(wrong.problem(), (400, "INVALID_PARAMETER".to_owned()));
}
