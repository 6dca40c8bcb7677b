//! Records with wrong values, deeply nested payloads, and payloads that are bombs.

use std::io::Read;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::Method;
use serde_json::json;
use shared::auth::Role;
use shared::model::Item;

use super::{assert_modest, started};
use crate::support::records::{
    ForkKey, branch_step, execution, payload, payload_parts, step, step_path, time,
};
use crate::support::{TestApp, http, is_embedded};

/// Values that no attribute should have, of different types and sizes.
fn wrong_values() -> Vec<(&'static str, AttributeValue)> {
    let number = |digits: &str| AttributeValue::N(digits.to_owned());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let map = |value: AttributeValue| AttributeValue::M([("a".to_owned(), value)].into());
    let deep = (0..30).fold(number("1"), |value, _| map(value));
    let listed = (0..30).fold(text("x"), |value, _| AttributeValue::L(vec![value]));
    vec![
        ("null", AttributeValue::Null(true)),
        ("a boolean", AttributeValue::Bool(true)),
        ("zero", number("0")),
        ("a negative number", number("-1")),
        (
            "the least number",
            number("-9.9999999999999999999999999999999999999E+125"),
        ),
        (
            "the greatest number",
            number("9.9999999999999999999999999999999999999E+125"),
        ),
        ("the smallest number", number("1E-130")),
        ("38 digits", number(&"9".repeat(38))),
        ("9999", number("9999")),
        ("4294967296", number("4294967296")),
        ("a half", number("0.5")),
        ("an empty text", text("")),
        ("a long text", text(&"x".repeat(100_000))),
        (
            "a text of special characters",
            text("\u{0}\u{7f}\u{202e}\u{feff}\"'<script>=cmd|' /C calc'!A0"),
        ),
        ("a text of #", text("a#b#c#d")),
        ("a distant time", text("9999-12-31T23:59:59.999Z")),
        ("an invalid time", text("2026-02-30T25:61:00Z")),
        ("a number as a text", text("-1")),
        ("bytes", AttributeValue::B(Blob::new([0xff, 0xfe, 0]))),
        ("many bytes", AttributeValue::B(Blob::new(vec![0; 100_000]))),
        (
            "texts",
            AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()]),
        ),
        (
            "numbers",
            AttributeValue::Ns(vec!["1".to_owned(), "2".to_owned()]),
        ),
        ("a set of bytes", AttributeValue::Bs(vec![Blob::new([1])])),
        ("an empty list", AttributeValue::L(Vec::new())),
        ("an empty map", AttributeValue::M(Default::default())),
        ("a deep map", deep),
        ("a deep list", listed),
        (
            "a long list",
            AttributeValue::L(vec![AttributeValue::Null(true); 10_000]),
        ),
    ]
}

/// Each attribute gets one in this many of the wrong values.
const VALUES_APART: usize = 9;

const EXECUTION_ATTRIBUTES: &[&str] = &[
    "executionId",
    "teamId",
    "flowId",
    "flowVersion",
    "deviceId",
    "createdAt",
    "status",
    "startTime",
    "endTime",
    "durationMs",
    "executionType",
    "parentExecutionId",
    "labels",
    "errorMessage",
    "currentStepId",
    "cancelledBy",
    "cancelReason",
    "heartbeatAt",
    "expiresAt",
];

const STEP_ATTRIBUTES: &[&str] = &[
    "stepInstanceId",
    "stepId",
    "stepName",
    "stepType",
    "sequenceNumber",
    "status",
    "startTime",
    "endTime",
    "durationMs",
    "retryCount",
    "input",
    "output",
    "executionData",
    "errorMessage",
    "branchExecutionId",
    "branchName",
    "subFlowExecutionId",
    "expiresAt",
];

const PAYLOAD_ATTRIBUTES: &[&str] = &["value", "bytes", "encoding", "parts", "expiresAt"];

const FORK: ForkKey<'static> = ForkKey {
    execution_id: "",
    id: "fork-1",
    offset: 100,
};

/// A run with a record of each kind. Every attribute with this name has this value.
fn wrong_run(id: &str, attribute: &str, value: &AttributeValue) -> Vec<Item> {
    let fork = ForkKey {
        execution_id: id,
        ..FORK
    };
    let created = json!({"createdAt": time(1), "flowVersion": "1", "labels": {"a": "b"}});
    let mut items = vec![
        execution(id, created),
        step(id, "step-1", 10, json!({"output": null})),
        step(id, "fork-1", 100, json!({})),
        branch_step(&fork, "branch", "inner", 110, json!({})),
        payload(id, "context", 0, json!({"value": {"a": 1}})),
    ];
    items.extend(payload_parts(
        id,
        "step:step-1:output",
        b"{\"a\": [1, 2]}",
        "json",
        5,
    ));
    for item in &mut items {
        let known = match item["sk"].as_s().map(String::as_str) {
            Ok("EXECUTION") => EXECUTION_ATTRIBUTES,
            Ok(sk) if sk.starts_with("PAYLOAD#") => PAYLOAD_ATTRIBUTES,
            _ => STEP_ATTRIBUTES,
        };
        if known.contains(&attribute) {
            item.insert(attribute.to_owned(), value.clone());
        }
    }
    items
}

/// Writes the records that the table accepts, and returns how many: some attributes are
/// keys of its indexes, and must be texts.
async fn write_if_accepted(app: &TestApp, items: Vec<Item>) -> usize {
    let mut taken = 0;
    for item in items {
        taken += usize::from(app.store.put(item).await.is_ok());
    }
    taken
}

/// A run with a wrong value, and a description of it.
struct WrongRun {
    id: String,
    description: String,
}

#[tokio::test]
async fn wrong_values_in_records_affect_only_their_run() {
    if !is_embedded() {
        eprintln!("not run: it writes some thousand records one by one");
        return;
    }
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let (runs, records) = write_wrong_runs(&app).await;
    app.write([execution("honest", json!({}))]).await;
    app.count().await;
    app.reap().await;
    let report = app.verify().await;
    assert_eq!(report.differences, [], "{report:?}");
    let details = assert_details_are_answered(&app, &token, &runs).await;
    let lists = assert_lists_are_answered(&app, &token).await;
    eprintln!(
        "{} wrong values in {records} records, {} answers",
        runs.len(),
        details + lists
    );
    assert_all_can_be_cancelled_and_deleted(&app, &token, &runs).await;
    app.reap().await;
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
}

/// Writes a run for each attribute with each of some wrong values. Each attribute gets a
/// part of the values, and all attributes together get each value many times.
async fn write_wrong_runs(app: &TestApp) -> (Vec<WrongRun>, usize) {
    let mut names: Vec<_> = [EXECUTION_ATTRIBUTES, STEP_ATTRIBUTES, PAYLOAD_ATTRIBUTES].concat();
    names.sort_unstable();
    names.dedup();
    let (mut runs, mut records) = (Vec::new(), 0);
    let values = wrong_values();
    for (first, name) in names.into_iter().enumerate() {
        let some = values
            .iter()
            .skip(first % VALUES_APART)
            .step_by(VALUES_APART);
        for (what, value) in some {
            let id = format!("lie-{:04}", runs.len());
            records += write_if_accepted(app, wrong_run(&id, name, value)).await;
            let description = format!("{name} is {what}");
            runs.push(WrongRun { id, description });
        }
    }
    (runs, records)
}

/// Returns how many requests were answered.
async fn assert_details_are_answered(app: &TestApp, token: &str, runs: &[WrongRun]) -> usize {
    let mut answered = 0;
    for WrongRun { id, description } in runs {
        let fork = ForkKey {
            execution_id: id,
            ..FORK
        };
        for path in [
            format!("/flow-executions/{id}"),
            format!("/flow-executions/{id}?limit=1&maxPayloadBytes=10"),
            fork.branch_steps_path(),
            step_path(id, "step-1", 10),
            format!("/api/executions/{id}"),
            format!("/api/history/executions/{id}"),
        ] {
            let answer = app.get(token, &path).await;
            // A run with a wrong team belongs to nobody, and one with a wrong expiry may
            // have expired.
            let is_known = [200, 404].contains(&answer.status.as_u16());
            assert!(
                is_known,
                "{description}: {path}: {} {:.300}",
                answer.status, answer.body
            );
            answer.json();
            answered += 1;
        }
    }
    answered
}

/// Lists, statistics and exports that include the wrong runs.
const LISTS: &[&str] = &[
    "/flow-executions?flowDefinitionId=flow-1&limit=500",
    "/api/executions/team/team-a?size=500",
    "/api/executions/team/team-a?size=500&page=1",
    "/api/executions?workflowId=flow-1&size=500",
    "/api/history/executions?limit=500",
    "/api/history/executions?limit=100&lite=false",
    "/api/history/executions/flows/flow-1?limit=100",
    "/api/history/execution-stats?startDate=2026-02-01&interval=day",
    "/api/history/step-stats?flowId=flow-1&startDate=2026-02-01",
    "/api/executions/team/team-a?label=a%3Db&size=500",
    "/api/executions/team/team-a/export?from=2026-02-01&format=json",
];

/// Returns how many requests were answered.
async fn assert_lists_are_answered(app: &TestApp, token: &str) -> usize {
    for path in LISTS {
        app.get(token, path).await.ok();
    }
    let csv = "/api/executions/team/team-a/export?from=2026-02-01";
    let csv = app.get(token, csv).await;
    assert_eq!(csv.status, 200);
    let mut reader = csv::Reader::from_reader(csv.body.as_bytes());
    for row in reader.records() {
        for cell in row.expect("a row").iter() {
            assert!(!cell.starts_with(['=', '@']), "{cell:.100}");
        }
    }
    LISTS.len()
}

async fn assert_all_can_be_cancelled_and_deleted(app: &TestApp, token: &str, runs: &[WrongRun]) {
    for WrongRun { id, description } in runs {
        let path = format!("/api/executions/{id}/cancel");
        let cancelled = app.call(Method::POST, token, &path, "").await;
        let cancelled = cancelled.status.as_u16();
        assert!(
            [200, 404, 409].contains(&cancelled),
            "{description}: {cancelled}"
        );
        let path = format!("/api/history/executions/{id}?cascade=true");
        let deleted = app.delete(token, &path).await.status.as_u16();
        assert!([200, 404].contains(&deleted), "{description}: {deleted}");
    }
}

/// Payloads nested too deeply for a recursive reader.
#[tokio::test]
async fn deeply_nested_payloads_are_returned_unchanged() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        step("run-1", "step-1", 10, json!({"output": null})),
    ])
    .await;
    let depth = 200_000;
    let deep = "{\"a\":[".repeat(depth) + "\"password\"" + &"]}".repeat(depth);
    let packed = zstd::encode_all(deep.as_bytes(), 3).expect("zstd");
    for name in ["context", "input", "output", "step:step-1:output"] {
        app.write(payload_parts("run-1", name, &packed, "json+zstd", 390_000))
            .await;
    }
    for path in [
        "/flow-executions/run-1",
        "/api/executions/run-1",
        &step_path("run-1", "step-1", 10),
    ] {
        let answer = app.get(&token, path).await;
        assert_eq!(answer.status, 200, "{path}: {:.300}", answer.body);
        assert!(answer.body.contains(&deep), "{path}: {:.300}", answer.body);
    }
}

/// The run has a few kilobytes. Each of its hundred payloads has 60 MB when decompressed.
#[test]
fn a_run_of_compressed_bombs_needs_bounded_memory() {
    let (_folder, server) = started();
    let token = server.token();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let url = format!("http://127.0.0.1:{}", server.table_port);
        let store =
            shared::store::Store::new(shared::config::client(Some(&url)).await, "flowtrail");
        let zeros = std::io::repeat(b'0').take(60 << 20);
        let text = Read::chain(&b"\""[..], zeros).chain(&b"\""[..]);
        let bomb = zstd::encode_all(text, 1).expect("zstd");
        let of_default = json!({"teamId": "default"});
        let mut items = vec![execution("bombs", of_default)];
        for number in 0..100 {
            let id = format!("step-{number}");
            items.push(step("bombs", &id, number, json!({"output": null})));
            let name = format!("step:{id}:output");
            items.extend(payload_parts("bombs", &name, &bomb, "json+zstd", 390_000));
        }
        crate::support::records::write(&store, items).await;
    });
    for path in [
        "/flow-executions/bombs",
        "/flow-executions/bombs?maxPayloadBytes=1000",
        "/api/executions/bombs",
    ] {
        let answer = http::get(&server.url(path), token);
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            answer.body.len() < 70 << 20,
            "{path}: {} bytes",
            answer.body.len()
        );
    }
    assert_modest(&server);
}
