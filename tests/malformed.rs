//! Records that violate the format. Only the violating values are lost.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::attributes::text;
use shared::auth::Caller;
use shared::operations::{ShownPayloads, StepQuery, get_execution};
use shared::payload::RunPayload;

use crate::support::TestApp;
use crate::support::records::{
    ForkKey, branch_step, execution, payload, payload_parts, step, time,
};

#[tokio::test]
async fn malformed_runs_are_listed_with_their_readable_values() {
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
    // "long ago" is not a time, and is sorted as a text.
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
async fn items_of_another_kind_in_the_index_are_not_listed() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // The format forbids these three attributes in steps.
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
async fn malformed_steps_are_shown_with_the_values_of_their_keys() {
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
    odd_key.insert("sk".to_owned(), text("STEP#odd"));
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
    let path = fork.branch_steps_path();
    let body = app.get(&token, &path).await.ok();
    assert_eq!(body["data"]["branch"]["steps"][0]["stepInstanceId"], "b");
}

#[tokio::test]
async fn unreadable_payloads_are_null_with_a_warning() {
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
async fn unknown_keys_are_ignored() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let with_sk = |sk: &str| {
        let mut item = payload("run-1", "x", 0, json!({"note": "not of the format"}));
        item.insert("sk".to_owned(), text(sk));
        item
    };
    app.write([
        execution("run-1", json!({})),
        step("run-1", "step-1", 10, json!({})),
    ])
    .await;
    app.write(
        [
            "AUDIT",
            "EXECUTION#2",
            "NOTES#1",
            "PAYLOAD",
            "STEP",
            "TAGS",
            "ZZZ",
        ]
        .map(with_sk),
    )
    .await;
    let mut prefixless = execution("run-2", json!({"createdAt": time(5_000)}));
    prefixless.insert("pk".to_owned(), text("run-2"));
    app.write([prefixless]).await;
    for path in ["/flow-executions/run-1", "/flow-executions/run-1?limit=1"] {
        let data = app.get(&token, path).await.ok()["data"].take();
        assert_eq!(data["steps"].as_array().map(Vec::len), Some(1), "{path}");
        assert_eq!(data["steps"][0]["stepInstanceId"], "step-1");
        assert_eq!(data.get("nextToken"), None, "{path}");
    }
    let items = app
        .walk(&token, "/flow-executions?flowDefinitionId=flow-1", 1)
        .await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["flowExecutionId"], "run-1");
}

#[tokio::test]
async fn branch_steps_with_malformed_keys_are_shown() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 100,
    };
    let odd = |branch: Value, tail: &str| {
        let mut item = branch_step(&fork, "x", "a", 110, json!({"branchExecutionId": branch}));
        item.insert(
            "sk".to_owned(),
            text(format!("BRANCH#{}#fork-1#{tail}", time(100))),
        );
        item
    };
    app.write([
        execution("run-1", json!({})),
        odd(json!("branch-1"), "a"),
        odd(json!(7), "b#c#d#e"),
    ])
    .await;
    let path = fork.branch_steps_path();
    let data = app.get(&token, &path).await.ok()["data"].take();
    assert_eq!(data["branch-1"]["steps"][0]["stepInstanceId"], "a");
    assert_eq!(data["unknown"]["steps"][0]["stepInstanceId"], "a");
}

#[tokio::test]
async fn payloads_too_large_to_show_are_not_read_completely() {
    let app = TestApp::new().await;
    app.write([
        execution("run-1", json!({})),
        step("run-1", "step-1", 10, json!({})),
    ])
    .await;
    let large = vec![b'1'; 72 << 20];
    app.write(payload_parts("run-1", "context", &large, "json", 390_000))
        .await;
    // Without the route, whose time limit a busy machine may reach.
    let caller = Caller::operator("team-a".parse().expect("an id"), "test");
    let shown = ShownPayloads {
        of_run: &[RunPayload::Context],
        of_steps: &[],
        most_bytes: None,
    };
    let before = app.store.usage();
    let id = "run-1".parse().expect("an id");
    let read = get_execution(&app.store, &caller, &id, shown, StepQuery::default()).await;
    let details = read.expect("details");
    assert!(details.payload(RunPayload::Context).is_none());
    let [unreadable] = &details.unreadable[..] else {
        panic!("{:?}", details.unreadable);
    };
    assert_eq!(unreadable.name, "context");
    assert_eq!(unreadable.reason, "it is larger than 67108864 bytes");
    assert_eq!(details.steps.len(), 1);
    // Some 64 of the 72 MB are read, in Queries of at most 1 MB.
    let usage = app.store.usage().since(before);
    assert!(usage.capacity_units < 8_800.0, "{usage:?}");
}

#[tokio::test]
async fn a_null_attribute_does_not_hide_its_payload() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let mut with_null = step("run-1", "step-1", 10, json!({}));
    with_null.insert("output".to_owned(), AttributeValue::Null(true));
    app.write([execution("run-1", json!({})), with_null]).await;
    app.write(payload_parts(
        "run-1",
        "step:step-1:output",
        b"[1]",
        "json",
        9,
    ))
    .await;
    let data = app.get(&token, "/flow-executions/run-1").await.ok()["data"].take();
    assert_eq!(data["steps"][0]["output"], json!([1]));
}

#[tokio::test]
async fn a_decompression_bomb_causes_a_warning() {
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
