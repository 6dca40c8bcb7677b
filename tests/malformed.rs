//! Records that break the format: each costs only what it breaks.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::records::{
    ForkKey, branch_step, execution, payload, payload_parts, step, time,
};

#[tokio::test]
async fn a_malformed_run_is_listed_with_what_can_be_read_among_its_neighbours() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("newest", json!({"createdAt": time(9_000)})),
        execution(
            "broken",
            json!({
                "createdAt": time(8_000),
                "executionId": 7,
                "status": "DONE",
                "startTime": {"at": "noon"},
                "endTime": "yesterday",
                "durationMs": "long",
                "labels": ["a"],
                "stepSummary": "many",
                "expiresAt": "soon",
                "executionType": 3,
            }),
        ),
        execution(
            "no-times",
            json!({"createdAt": time(7_000), "startTime": null, "endTime": null}),
        ),
        execution("odd-created", json!({"createdAt": "long ago"})),
        execution("oldest", json!({"createdAt": time(0)})),
    ])
    .await;
    let items = app
        .walk(&token, "/flow-executions?flowDefinitionId=flow-1", 2)
        .await;
    let ids: Vec<_> = items
        .iter()
        .map(|item| item["flowExecutionId"].as_str().expect("an id"))
        .collect();
    // "long ago" is no time, and sorts as the text that it is.
    assert_eq!(
        ids,
        ["odd-created", "newest", "broken", "no-times", "oldest"]
    );
    assert_eq!(
        items[2],
        json!({
            "flowExecutionId": "broken",
            "status": null,
            "startTime": null,
            "endTime": null,
            "durationMs": null,
        })
    );
    for id in ids {
        let data = app
            .get(&token, &format!("/flow-executions/{id}"))
            .await
            .ok()["data"]
            .take();
        assert_eq!(data["metadata"]["flowExecutionId"], id);
    }
}

#[tokio::test]
async fn an_item_of_another_kind_in_the_index_is_not_in_the_list() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // Steps must not carry these three; this engine did not read the format.
    let stray = json!({"teamId": "team-a", "flowId": "flow-1", "createdAt": time(500)});
    app.write([
        execution("run-1", json!({"createdAt": time(900)})),
        step("run-1", "step-1", 10, stray.clone()),
        step("run-1", "step-2", 20, stray),
        execution("run-2", json!({"createdAt": time(100)})),
    ])
    .await;
    for limit in [1, 2, 50] {
        let items = app
            .walk(&token, "/flow-executions?flowDefinitionId=flow-1", limit)
            .await;
        let ids: Vec<_> = items
            .iter()
            .map(|item| item["flowExecutionId"].clone())
            .collect();
        assert_eq!(ids, ["run-1", "run-2"], "limit {limit}");
    }
}

#[tokio::test]
async fn malformed_steps_are_shown_with_what_their_keys_say() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 100,
    };
    let bare = json!({
        "stepInstanceId": null, "startTime": null, "endTime": 5, "status": "?", "retryCount": "two",
        "sequenceNumber": {}, "durationMs": -1,
    });
    let mut odd_key = step("run-1", "x", 30, json!({}));
    odd_key.insert(
        "sk".to_owned(),
        aws_sdk_dynamodb::types::AttributeValue::S("STEP#odd".to_owned()),
    );
    app.write([
        execution("run-1", json!({})),
        step("run-1", "step-1", 10, bare.clone()),
        step("run-1", "step-2", 20, json!({})),
        odd_key,
        branch_step(&fork, "branch", "b", 110, bare),
    ])
    .await;
    let steps = app.get(&token, "/flow-executions/run-1").await.ok()["data"]["steps"].take();
    assert_eq!(steps.as_array().map(Vec::len), Some(3));
    assert_eq!(steps[0]["stepInstanceId"], "step-1");
    assert_eq!(steps[0]["startTime"], "2026-02-17T10:30:00.010Z");
    for name in ["status", "endTime", "durationMs", "sequenceNumber"] {
        assert_eq!(steps[0][name], Value::Null, "{name}");
    }
    assert_eq!(steps[0]["retryCount"], 0);
    assert_eq!(steps[1]["status"], "COMPLETED");
    let path = format!(
        "/flow-executions/run-1/branch-steps?parentStepInstanceId=fork-1&parentStepStartTime={}",
        time(100)
    );
    let body = app.get(&token, &path).await.ok();
    assert_eq!(body["data"]["branch"]["steps"][0]["stepInstanceId"], "b");
}

#[tokio::test]
async fn an_unreadable_payload_leaves_its_place_empty_and_says_why() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        step("run-1", "step-1", 10, json!({"output": null})),
        payload("run-1", "context", 0, json!({"encoding": "json"})),
    ])
    .await;
    let mut parts = payload_parts("run-1", "step:step-1:output", b"[1,2,3]", "json", 3);
    parts.remove(1);
    app.write(parts).await;
    let data = app.get(&token, "/flow-executions/run-1").await.ok()["data"].take();
    assert_eq!(data["resolvedFinalContextData"], Value::Null);
    assert_eq!(data["steps"][0]["output"], Value::Null);
    assert_eq!(data["steps"][0]["input"], json!({"orderId": 42}));
    assert_eq!(
        data["warnings"],
        json!([
            "payload context: part 0000 has no bytes",
            "payload step:step-1:output: part 0001 of 3 is missing",
        ])
    );
}

#[tokio::test]
async fn a_decompression_bomb_is_a_warning() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let zeros = std::io::Read::take(std::io::repeat(b'0'), 200 << 20);
    let bomb = zstd::encode_all(zeros, 1).expect("zstd");
    app.write([execution("run-1", json!({}))]).await;
    app.write(payload_parts(
        "run-1",
        "context",
        &bomb,
        "json+zstd",
        390_000,
    ))
    .await;
    let data = app.get(&token, "/flow-executions/run-1").await.ok()["data"].take();
    assert_eq!(data["resolvedFinalContextData"], Value::Null);
    assert_eq!(
        data["warnings"][0],
        "payload context: it is larger than 67108864 bytes"
    );
}
