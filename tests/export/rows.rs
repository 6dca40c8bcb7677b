//! The runs and nodes in an export, and the form of its rows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ALL, COLUMNS, HOUR, MINUTE, operator, rows, rows_of_json, vary, with_runs};
use crate::support::TestApp;
use crate::support::records::{execution, step, time};

/// Every item of the team's list with these filters, read page by page.
async fn walk_list(app: &TestApp, token: &str, filters: &str) -> Vec<Value> {
    let mut items = Vec::new();
    for page in 0.. {
        let path = format!("/api/executions/team/team-a?size=7&page={page}{filters}");
        let list = app.get(token, &path).await.ok();
        let content = list["content"].as_array().expect("content");
        if content.is_empty() {
            assert_eq!(list["totalElements"], items.len(), "{filters}");
            break;
        }
        items.extend(content.iter().cloned());
    }
    items
}

/// Whether a filter keeps a run of [`with_runs`], by the run's number.
type Keep = fn(i64) -> bool;

const FILTERS: [(&str, Keep); 7] = [
    ("", |_| true),
    ("&workflowId=flow-1", |n| n % 3 == 1),
    ("&workflowId=flow-9", |_| false),
    ("&deviceId=device-2", |n| n % 4 == 2),
    ("&executionType=SUBFLOW", |n| n % 5 == 0),
    ("&label=tier=gold", |n| n % 7 == 0),
    (
        "&workflowId=flow-0&deviceId=device-1&executionType=PARENT&label=tier=gold",
        |n| n % 3 == 0 && n % 4 == 1 && n % 5 != 0 && n % 7 == 0,
    ),
];

/// Values of `from` and `to`, in milliseconds after the start of the tests' runs.
const RANGES: [(Option<i64>, Option<i64>); 6] = [
    (None, None),
    (Some(13 * MINUTE), None),
    (None, Some(50 * HOUR + 17 * MINUTE)),
    (Some(20 * HOUR), Some(44 * HOUR + 1)),
    (Some(HOUR), Some(HOUR)),
    (Some(-10 * HOUR), Some(-9 * HOUR)),
];

/// The name of an attribute of a run in the export, and its name in the list.
const NAMES_IN_EXPORT_AND_LIST: [(&str, &str); 8] = [
    ("executionId", "id"),
    ("workflowId", "workflowId"),
    ("workflowName", "workflowName"),
    ("status", "status"),
    ("trigger", "triggerType"),
    ("startedAt", "startedAt"),
    ("completedAt", "finishedAt"),
    ("durationMs", "durationMs"),
];

#[tokio::test]
async fn an_export_has_the_rows_of_the_list_with_the_same_filters() {
    let app = with_runs().await;
    let token = operator(&app).await;
    let mut found = BTreeSet::new();
    for (flow, keeps) in FILTERS {
        for status in ["", "&status=SUCCESS", "&status=PENDING"] {
            for (from, to) in RANGES {
                let bound = |name: &str, bound: Option<i64>| {
                    bound.map_or(String::new(), |at| format!("&{name}={}", time(at)))
                };
                let filters = format!("{flow}{status}{}{}", bound("from", from), bound("to", to));
                let listed = walk_list(&app, &token, &filters).await;
                if filters == flow {
                    let kept = (0..120).filter(|n| keeps(*n)).count();
                    assert_eq!(listed.len(), kept, "{flow}");
                }
                assert_export_equals_list(&app, &token, &filters, &listed).await;
                found.insert(listed.len());
            }
        }
    }
    assert!(found.contains(&0) && found.contains(&120), "{found:?}");
}

/// Checks that both formats of an export have exactly the items of a list.
async fn assert_export_equals_list(app: &TestApp, token: &str, filters: &str, listed: &[Value]) {
    let path = "/api/executions/team/team-a/export?days=3660";
    let json = app
        .get(token, &format!("{path}&format=json{filters}"))
        .await
        .ok();
    let exported = json.as_array().expect("executions");
    assert_eq!(exported.len(), listed.len(), "{filters}");
    for (exported, listed) in exported.iter().zip(listed) {
        for (name, in_list) in NAMES_IN_EXPORT_AND_LIST {
            assert_eq!(exported[name], listed[in_list], "{filters}: {name}");
        }
        let nodes = exported["nodeExecutions"].as_array().expect("nodes");
        assert_eq!(json!(nodes.len()), listed["nodeCount"], "{filters}");
    }
    let csv = app.get(token, &format!("{path}{filters}")).await;
    assert_eq!(rows(&csv.body), rows_of_json(&json), "{filters}");
}

/// A run with two nodes, and one with none.
async fn with_documented_runs() -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let named = json!({"flowName": "Order Processing", "trigger": "WEBHOOK"});
    app.write([
        execution("run-1", named),
        step(
            "run-1",
            "webhook",
            0,
            json!({"stepType": "WEBHOOK_TRIGGER", "stepName": "Webhook Trigger"}),
        ),
        step(
            "run-1",
            "check",
            10,
            json!({"status": "FAILED", "errorMessage": "No stock", "durationMs": null}),
        ),
        execution(
            "run-0",
            json!({"createdAt": time(-1), "status": "DONE", "endTime": null}),
        ),
    ])
    .await;
    (app, token)
}

#[tokio::test]
async fn a_json_file_has_the_documented_form_and_name() {
    let (app, token) = with_documented_runs().await;
    let path = format!("{ALL}&to=2026-02-17&format=json");
    let json = app.get(&token, &path).await;
    assert_eq!(json.headers["content-type"], "application/json");
    assert_eq!(
        json.headers["content-disposition"],
        "attachment; filename=\"flowtrail-team-a-2026-02-01-to-2026-02-17.json\""
    );
    assert_eq!(
        json.ok(),
        json!([
            {
                "executionId": "run-1", "workflowId": "flow-1",
                "workflowName": "Order Processing", "status": "SUCCESS", "trigger": "WEBHOOK",
                "startedAt": time(50), "completedAt": time(2_400), "durationMs": 2350,
                "nodeExecutions": [
                    {
                        "nodeId": "webhook-definition", "nodeType": "WEBHOOK_TRIGGER",
                        "nodeName": "Webhook Trigger", "status": "SUCCESS",
                        "startedAt": time(0), "completedAt": time(5), "durationMs": 5,
                        "error": null,
                    },
                    {
                        "nodeId": "check-definition", "nodeType": "IF_ELSE",
                        "nodeName": "Step check", "status": "FAILED",
                        "startedAt": time(10), "completedAt": time(15), "durationMs": 5,
                        "error": "No stock",
                    },
                ],
            },
            {
                "executionId": "run-0", "workflowId": "flow-1", "workflowName": null,
                "status": null, "trigger": null, "startedAt": time(50), "completedAt": null,
                "durationMs": null, "nodeExecutions": [],
            },
        ])
    );
}

#[tokio::test]
async fn a_csv_file_has_the_documented_form() {
    let (app, token) = with_documented_runs().await;
    let csv = app.get(&token, &format!("{ALL}&to=2026-02-17")).await;
    assert_eq!(
        csv.headers["content-type"],
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(csv.headers["cache-control"], "no-store");
    assert_eq!(vary(&csv.headers), ["accept", "accept-encoding"]);
    assert_eq!(csv.headers.get("content-encoding"), None);
    let run_1 = format!(
        "run-1,flow-1,Order Processing,SUCCESS,WEBHOOK,{},{},2350",
        time(50),
        time(2_400)
    );
    let expected = [
        COLUMNS.join(","),
        format!(
            "{run_1},webhook-definition,WEBHOOK_TRIGGER,Webhook Trigger,SUCCESS,{},{},5,,,,",
            time(0),
            time(5)
        ),
        format!(
            "{run_1},check-definition,IF_ELSE,Step check,FAILED,{},{},5,No stock,,,",
            time(10),
            time(15)
        ),
        format!("run-0,flow-1,,,,{},,,,,,,,,,,,,", time(50)),
        String::new(),
    ];
    assert_eq!(csv.body, expected.join("\r\n"));
}

#[tokio::test]
async fn an_export_without_runs_is_an_empty_table_or_list() {
    let (app, token) = with_documented_runs().await;
    let empty = app.get(&token, &format!("{ALL}&workflowId=none")).await;
    assert_eq!(empty.body, format!("{}\r\n", COLUMNS.join(",")));
    let path = format!("{ALL}&workflowId=none&format=json");
    assert_eq!(app.get(&token, &path).await.ok(), json!([]));
}

#[tokio::test]
async fn days_count_back_from_the_end_and_from_overrides_them() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let now = shared::model::Timestamp::now().milliseconds();
    let ago = |days: i64| {
        let moment = now - days * 24 * HOUR - HOUR;
        shared::model::Timestamp::from_milliseconds(moment)
            .expect("a moment")
            .to_string()
    };
    let days_ago = [0, 1, 2, 29, 30, 31, 400];
    app.write(
        days_ago.map(|days| execution(&format!("run-{days}"), json!({"createdAt": ago(days)}))),
    )
    .await;
    let exported = async |query: String| {
        let path = format!("/api/executions/team/team-a/export?format=json{query}");
        let json = app.get(&token, &path).await.ok();
        let ids = json.as_array().expect("executions").iter().map(|run| {
            let id = run["executionId"].as_str().expect("an id");
            id["run-".len()..].parse::<i64>().expect("a number")
        });
        ids.collect::<Vec<_>>()
    };
    assert_eq!(exported(String::new()).await, days_ago[..4]);
    assert_eq!(exported("&days=2".to_owned()).await, days_ago[..2]);
    assert_eq!(exported("&days=3660".to_owned()).await, days_ago);
    let to = format!("&to={}", ago(1));
    assert_eq!(exported(format!("&days=2{to}")).await, days_ago[1..3]);
    let from = format!("&from={}", ago(31));
    assert_eq!(exported(format!("&days=1{from}")).await, days_ago[..6]);
    assert_eq!(exported(format!("{from}{to}")).await, days_ago[1..6]);
}

#[tokio::test]
async fn expired_records_are_omitted_and_open_nodes_are_cancelled() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    app.write([
        execution("run-2", json!({"expiresAt": 1_000})),
        execution("run-1", json!({"status": "CANCELLED"})),
        step("run-1", "done", 0, json!({})),
        step("run-1", "gone", 1, json!({"expiresAt": 1_000})),
        step(
            "run-1",
            "open",
            2,
            json!({"status": "RUNNING", "endTime": null}),
        ),
        step("run-1", "waiting", 3, json!({"status": "PENDING"})),
        step("run-1", "skipped", 4, json!({"status": "SKIPPED"})),
        execution("run-0", json!({"createdAt": time(-1), "status": "RUNNING"})),
        step("run-0", "open", 2, json!({"status": "RUNNING"})),
        // A key without a run's id has no steps.
        execution("#", json!({"createdAt": time(-2)})),
    ])
    .await;
    let csv = app.get(&token, ALL).await;
    let rows = rows(&csv.body);
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row[0].as_str(),
                row[3].as_str(),
                row[8].as_str(),
                row[11].as_str(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("run-1", "CANCELLED", "done-definition", "SUCCESS"),
            ("run-1", "CANCELLED", "open-definition", "CANCELLED"),
            ("run-1", "CANCELLED", "waiting-definition", "CANCELLED"),
            ("run-1", "CANCELLED", "skipped-definition", "SKIPPED"),
            ("run-0", "RUNNING", "open-definition", "RUNNING"),
            ("#", "SUCCESS", "", ""),
        ]
    );
}

#[tokio::test]
async fn both_formats_have_the_tokens_and_dropped_steps_of_a_run() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let usage = json!([
        {"model": "large", "inputTokens": 1_000, "outputTokens": 20},
        {"inputTokens": 5, "outputTokens": 7},
    ]);
    app.write([
        execution("run-1", json!({"usage": usage, "droppedSteps": 12})),
        step("run-1", "a", 1, json!({})),
        step("run-1", "b", 2, json!({})),
        execution("run-2", json!({"createdAt": time(-1), "usage": "odd"})),
    ])
    .await;
    app.count().await;
    let csv = rows(&app.get(&token, ALL).await.body);
    let added: Vec<_> = csv.iter().map(|row| &row[16..]).collect();
    assert_eq!(
        added,
        [["1005", "27", "12"], ["1005", "27", "12"], ["", "", ""]]
    );
    let json = app.get(&token, &format!("{ALL}&format=json")).await.ok();
    assert_eq!(rows_of_json(&json), csv);
    let shown = json!([
        {"model": "large", "inputTokens": 1_000, "outputTokens": 20},
        {"model": null, "inputTokens": 5, "outputTokens": 7},
    ]);
    assert_eq!(json[0]["usage"], shown);
    assert_eq!(json[0]["droppedSteps"], 12);
    assert_eq!(
        (json[1].get("usage"), json[1].get("droppedSteps")),
        (None, None)
    );
}
