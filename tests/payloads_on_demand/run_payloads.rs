//! `runPayloads`: the payloads of the run itself.

use serde_json::{Value, json};

use super::{ALL, RUN, parts, rows, size, with, within};
use crate::support::TestApp;
use crate::support::records::{execution, payload, step};

#[tokio::test]
async fn requested_payloads_of_the_run_are_returned() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let own = [
        ("input", "input", json!({"orderId": 42, "password": "x"})),
        ("output", "output", json!("done")),
        ("data", "executionData", json!([1, 2])),
        ("context", "resolvedFinalContextData", json!({"a": true})),
    ];
    app.write([
        execution("run-1", json!({})),
        step("run-1", "a", 10, json!({})),
        step("run-1", "b", 20, json!({})),
    ])
    .await;
    let items = own
        .iter()
        .map(|(name, _, value)| payload("run-1", name, 0, json!({"value": value})));
    app.write(items).await;

    let plain = app.get(&token, RUN).await.ok()["data"].take();
    assert_eq!(plain["resolvedFinalContextData"], own[3].2);
    assert_eq!(plain["executionData"], own[2].2);
    for (_, field, _) in &own[..2] {
        assert!(plain.get(field).is_none(), "{field} was not requested");
    }
    let all = own.each_ref().map(|(_, field, _)| *field).join(",");
    let path = with(&with(RUN, &format!("runPayloads={all}")), "limit=1");
    let data = app.get(&token, &path).await.ok()["data"].take();
    assert_eq!(
        data["input"],
        json!({"orderId": 42, "password": "[REDACTED:secret]"})
    );
    for (_, field, value) in &own[1..] {
        assert_eq!(data[field], *value, "{field}");
    }
    // Only the first page has them. Payloads that are not requested are not read.
    let next = format!("nextToken={}", data["nextToken"].as_str().expect("a token"));
    let later = app.get(&token, &with(&path, &next)).await.ok()["data"].take();
    for (_, field, _) in &own {
        assert_eq!(later.get(field), Some(&Value::Null), "{field}");
    }
    let data = app.get(&token, &with(RUN, "runPayloads=output")).await.ok()["data"].take();
    assert_eq!(data["output"], own[1].2);
    assert_eq!(data["resolvedFinalContextData"], Value::Null);
    assert!(data.get("input").is_none());
    assert!(data.get("executionData").is_none());
}

#[tokio::test]
async fn the_runs_own_data_is_shown_by_default() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        step("run-1", "a", 10, json!({})),
        step("run-1", "b", 20, json!({})),
        execution("run-2", json!({})),
    ])
    .await;
    let attributes = json!({"queue": "orders", "apiKey": "hunter2", "text": "x".repeat(500)});
    app.write([payload("run-1", "data", 0, json!({"value": attributes}))])
        .await;
    app.remember_masking("team-a").await;
    let masked = |shown: &Value| {
        assert_eq!(shown["queue"], "orders");
        assert_eq!(shown["apiKey"], "[REDACTED:secret]");
        assert_eq!(shown["text"].as_str().map(str::len), Some(500));
    };
    let answer = app.get(&token, &with(RUN, "limit=1")).await;
    let data = answer.ok()["data"].take();
    masked(&data["executionData"]);
    assert_eq!(answer.usage.requests, 1, "it is read together with the run");
    let next = format!("nextToken={}", data["nextToken"].as_str().expect("a token"));
    let later = app.get(&token, &with(RUN, &next)).await.ok()["data"].take();
    assert_eq!(later.get("executionData"), Some(&Value::Null));
    let body = app.get(&token, "/api/history/executions/run-1").await.ok();
    masked(&body["execution"]["executionData"]);

    let data = app.get(&token, &within(RUN, 100)).await.ok()["data"].take();
    assert_eq!(data["executionData"], Value::Null);
    let bytes = data["omittedPayloads"]["executionData"].as_u64();
    assert!(
        bytes.is_some_and(|bytes| (550..600).contains(&bytes)),
        "{bytes:?}"
    );
    let data = app.get(&token, "/flow-executions/run-2").await.ok()["data"].take();
    assert_eq!(data.get("executionData"), Some(&Value::Null));
}

#[tokio::test]
async fn payloads_of_the_run_are_omitted_with_their_sizes() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let input = rows(30_000);
    app.write([
        execution("run-1", json!({})),
        payload("run-1", "output", 0, json!({"value": "small"})),
        payload("run-1", "context", 0, json!({"value": "not requested"})),
    ])
    .await;
    app.write(parts("input", &input)).await;
    let path = with(RUN, "runPayloads=input,output,executionData");
    let data = app.get(&token, &within(&path, 1_000)).await.ok()["data"].take();
    assert_eq!(data["input"], Value::Null);
    assert_eq!(data["output"], "small");
    assert_eq!(data["executionData"], Value::Null, "the run has none");
    assert_eq!(data["omittedPayloads"], json!({"input": size(&input)}));
    let data = app.get(&token, &within(&path, ALL)).await.ok()["data"].take();
    assert_eq!(data["input"], input);
    assert_eq!(data["omittedPayloads"], Value::Null);
}
