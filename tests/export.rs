//! The export: the list's own rows, as CSV and as JSON, whole or visibly not.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, header};
use flate2::read::GzDecoder;
use functions::app::App;
use functions::problem::Problem;
use functions::route::{EXPORT_TEAM_EXECUTIONS, RequestId, Route};
use futures_util::TryStreamExt;
use http_body_util::BodyExt;
use lambda_http::RequestExt;
use serde_json::{Value, json};
use shared::auth::{Caller, Role};
use shared::operations::{ExecutionFilter, ExportPiece, export_executions};
use shared::store::Store;

use crate::support::TestApp;
use crate::support::faults::{Faulty, breaking_endpoint};
use crate::support::log::Log;
use crate::support::process::{DEADLINE, Server, run};
use crate::support::records::{ForkKey, branch_step, execution, payload, step, time, write};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// The columns, as the API's document has them.
const COLUMNS: [&str; 16] = [
    "execution_id",
    "workflow_id",
    "workflow_name",
    "status",
    "trigger",
    "started_at",
    "completed_at",
    "duration_ms",
    "node_id",
    "node_type",
    "node_name",
    "node_status",
    "node_started_at",
    "node_completed_at",
    "node_duration_ms",
    "node_error",
];

/// All of the tests' runs, which lie some months back.
const ALL: &str = "/api/executions/team/team-a/export?from=2026-02-01";

async fn operator(app: &TestApp) -> String {
    app.token("team-a", Role::Operator, None).await
}

/// The records of a CSV text, without its header, which is checked.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().expect("a header"), &COLUMNS[..]);
    let cells = |row: csv::StringRecord| row.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|row| cells(row.expect("a row")))
        .collect()
}

/// The rows that a JSON export makes as CSV, where no cell needs to change.
fn rows_of_json(executions: &Value) -> Vec<Vec<String>> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let cells = |value: &Value, names: [&str; 8]| names.map(|name| text(&value[name]));
    let mut rows = Vec::new();
    for execution in executions.as_array().expect("executions") {
        let run = cells(
            execution,
            [
                "executionId",
                "workflowId",
                "workflowName",
                "status",
                "trigger",
                "startedAt",
                "completedAt",
                "durationMs",
            ],
        );
        let nodes = execution["nodeExecutions"].as_array().expect("nodes");
        for node in nodes {
            let names = [
                "nodeId",
                "nodeType",
                "nodeName",
                "status",
                "startedAt",
                "completedAt",
                "durationMs",
                "error",
            ];
            rows.push([run.clone(), cells(node, names)].concat());
        }
        if nodes.is_empty() {
            rows.push([run, [const { String::new() }; 8]].concat());
        }
    }
    rows
}

/// 120 runs of three flows over three days, some in one moment, with 0 to 3 steps.
async fn with_runs() -> TestApp {
    let app = TestApp::new().await;
    let statuses = [
        "COMPLETED",
        "FAILED",
        "RUNNING",
        "CANCELLED",
        "PENDING",
        "DONE",
    ];
    let mut items = Vec::new();
    for n in 0..120_i64 {
        let id = format!("run-{n:03}");
        let created = if n < 5 {
            HOUR
        } else {
            (n * n * 7_919) % (72 * HOUR)
        };
        items.push(execution(
            &id,
            json!({
                "flowId": format!("flow-{}", n % 3),
                "flowName": format!("Flow {}", n % 3),
                "trigger": "API",
                "deviceId": format!("device-{}", n % 4),
                "executionType": (n % 5 == 0).then_some("SUBFLOW"),
                "labels": (n % 7 == 0).then(|| json!({"tier": "gold"})),
                "status": statuses[(n * 5 % 6) as usize],
                "createdAt": time(created),
            }),
        ));
        items.extend((0..n % 4).map(|m| step(&id, &format!("step-{m}"), m, json!({}))));
    }
    // Neighbours, and items of another kind that have strayed into the indexes.
    items.push(execution(
        "other",
        json!({"teamId": "team-b", "flowId": "flow-1"}),
    ));
    items.push(execution(
        "stray",
        json!({"sk": "NOTE", "flowId": "flow-1"}),
    ));
    app.write(items).await;
    app.count().await;
    app
}

/// Every item of the team's list with these filters, walked page by page.
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

#[tokio::test]
async fn an_export_holds_exactly_the_rows_of_the_list_with_the_same_filters() {
    let app = with_runs().await;
    let token = operator(&app).await;
    let mut found = BTreeSet::new();
    type Keep = fn(i64) -> bool;
    let own: [(&str, Keep); 7] = [
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
    for (flow, keeps) in own {
        for status in ["", "&status=SUCCESS", "&status=PENDING"] {
            for (from, to) in [
                (None, None),
                (Some(13 * MINUTE), None),
                (None, Some(50 * HOUR + 17 * MINUTE)),
                (Some(20 * HOUR), Some(44 * HOUR + 1)),
                (Some(HOUR), Some(HOUR)),
                (Some(-10 * HOUR), Some(-9 * HOUR)),
            ] {
                let bound = |name: &str, bound: Option<i64>| {
                    bound.map_or(String::new(), |at| format!("&{name}={}", time(at)))
                };
                let filters = format!("{flow}{status}{}{}", bound("from", from), bound("to", to));
                let listed = walk_list(&app, &token, &filters).await;
                if filters == flow {
                    assert_eq!(
                        listed.len(),
                        (0..120).filter(|n| keeps(*n)).count(),
                        "{flow}"
                    );
                }
                let path = "/api/executions/team/team-a/export?days=3660";
                let json = app
                    .get(&token, &format!("{path}&format=json{filters}"))
                    .await;
                let json = json.ok();
                let exported = json.as_array().expect("executions");
                assert_eq!(exported.len(), listed.len(), "{filters}");
                for (exported, listed) in exported.iter().zip(&listed) {
                    let names = [
                        ("executionId", "id"),
                        ("workflowId", "workflowId"),
                        ("workflowName", "workflowName"),
                        ("status", "status"),
                        ("trigger", "triggerType"),
                        ("startedAt", "startedAt"),
                        ("completedAt", "finishedAt"),
                        ("durationMs", "durationMs"),
                    ];
                    for (name, in_list) in names {
                        assert_eq!(exported[name], listed[in_list], "{filters}: {name}");
                    }
                    let nodes = exported["nodeExecutions"].as_array().expect("nodes");
                    assert_eq!(json!(nodes.len()), listed["nodeCount"], "{filters}");
                }
                let csv = app.get(&token, &format!("{path}{filters}")).await;
                assert_eq!(rows(&csv.body), rows_of_json(&json), "{filters}");
                found.insert(listed.len());
            }
        }
    }
    assert!(found.contains(&0) && found.contains(&120), "{found:?}");
}

#[tokio::test]
async fn a_file_has_the_documented_form_and_a_telling_name() {
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
    let csv = app.get(&token, &format!("{ALL}&to=2026-02-17")).await;
    assert_eq!(
        csv.headers["content-type"],
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(csv.headers["cache-control"], "no-store");
    assert_eq!(csv.headers["vary"], "accept-encoding");
    assert_eq!(csv.headers.get("content-encoding"), None);
    let run_1 = format!(
        "run-1,flow-1,Order Processing,SUCCESS,WEBHOOK,{},{},2350",
        time(50),
        time(2_400)
    );
    let expected = [
        COLUMNS.join(","),
        format!(
            "{run_1},webhook-definition,WEBHOOK_TRIGGER,Webhook Trigger,SUCCESS,{},{},5,",
            time(0),
            time(5)
        ),
        format!(
            "{run_1},check-definition,IF_ELSE,Step check,FAILED,{},{},5,No stock",
            time(10),
            time(15)
        ),
        format!("run-0,flow-1,,,,{},,,,,,,,,,", time(50)),
        String::new(),
    ];
    assert_eq!(csv.body, expected.join("\r\n"));
    let empty = app.get(&token, &format!("{ALL}&workflowId=none")).await;
    assert_eq!(empty.body, format!("{}\r\n", COLUMNS.join(",")));
    let path = format!("{ALL}&workflowId=none&format=json");
    assert_eq!(app.get(&token, &path).await.ok(), json!([]));
}

#[tokio::test]
async fn days_look_back_from_now_or_from_the_end_and_a_beginning_outweighs_them() {
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

fn caller() -> Caller {
    Caller::operator("team-a".parse().expect("an id"), "test")
}

/// The ids of an export's runs, each with its steps' ids.
async fn pieces(store: &Store) -> Vec<(String, Vec<String>)> {
    let filter = ExecutionFilter::default();
    let pieces = export_executions(store, &caller(), &filter).await;
    let pieces: Vec<_> = pieces
        .expect("a beginning")
        .try_collect()
        .await
        .expect("an end");
    let mut runs: Vec<(String, Vec<String>)> = Vec::new();
    for piece in pieces {
        match piece {
            ExportPiece::Execution(run) => runs.push((run.execution_id, Vec::new())),
            ExportPiece::Steps(steps) => {
                let ids = steps
                    .iter()
                    .map(|step| step.id().expect("an id").to_owned());
                runs.last_mut().expect("a run").1.extend(ids);
            }
        }
    }
    runs
}

#[tokio::test]
async fn the_nodes_of_all_branches_are_in_order_of_time_and_a_run_takes_one_query() {
    let app = TestApp::new().await;
    let fork = |id, offset| ForkKey {
        execution_id: "run-1",
        id,
        offset,
    };
    let (outer, inner) = (fork("fork-1", 100), fork("fork-2", 120));
    app.write([
        execution("run-1", json!({})),
        execution("run-0", json!({"createdAt": time(-1)})),
        step("run-1", "begin", 50, json!({})),
        step("run-1", "fork-1", 100, json!({})),
        branch_step(&outer, "branch-b", "b-1", 105, json!({})),
        branch_step(&outer, "branch-a", "a-1", 110, json!({})),
        branch_step(&outer, "branch-a", "fork-2", 120, json!({})),
        branch_step(&inner, "branch-c", "c-1", 125, json!({})),
        branch_step(&outer, "branch-b", "b-2", 130, json!({})),
        step("run-1", "end", 200, json!({})),
        payload("run-1", "input", 0, json!({"value": {"a": 1}})),
    ])
    .await;
    let store = app.store.metered();
    let runs = pieces(&store).await;
    let ids = [
        "begin", "fork-1", "b-1", "a-1", "fork-2", "c-1", "b-2", "end",
    ];
    assert_eq!(runs[0], ("run-1".to_owned(), ids.map(str::to_owned).into()));
    assert_eq!(runs[1], ("run-0".to_owned(), Vec::new()));
    assert_eq!(
        store.usage().requests,
        5,
        "the runs, each run, and the audit before and after"
    );
}

#[tokio::test]
async fn runs_are_read_many_at_a_time_and_come_in_order() {
    let app = TestApp::new().await;
    app.write((0..60).map(|n| execution(&format!("run-{n:02}"), json!({"createdAt": time(-n)}))))
        .await;
    // The newest has the most to read.
    app.write((0..200).map(|n| step("run-00", &format!("step-{n:03}"), n, json!({}))))
        .await;
    let (faulty, client) = Faulty::client(app.store.client(), &[]);
    faulty.gather_queries(16);
    let runs = pieces(&Store::new(client, app.store.table())).await;
    let expected: Vec<_> = (0..60).map(|n| format!("run-{n:02}")).collect();
    assert!(runs.iter().map(|(id, _)| id).eq(&expected));
    assert_eq!(runs[0].1.len(), 200);
    let most = faulty.most_queries_at_a_time();
    assert!((16..=17).contains(&most), "{most} at a time");
}

#[tokio::test]
async fn a_run_larger_than_a_page_is_in_order_of_time_and_its_payloads_are_stepped_over() {
    let app = TestApp::new().await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 0,
    };
    app.write([execution("run-1", json!({}))]).await;
    let id = |n: i64| format!("step-{n:04}");
    app.write((0..3_000).map(|n| match n % 3 {
        0 => step("run-1", &id(n), n, json!({})),
        branch => branch_step(
            &fork,
            &format!("branch-{}", 3 - branch),
            &id(n),
            n,
            json!({}),
        ),
    }))
    .await;
    let large = "x".repeat(300_000);
    for part in 0..20 {
        let part = payload("run-1", "context", part, json!({"value": large}));
        app.write([part]).await;
    }
    let store = app.store.metered();
    let runs = pieces(&store).await;
    let expected: Vec<_> = (0..3_000).map(id).collect();
    assert_eq!(runs, [("run-1".to_owned(), expected)]);
    // 3,000 steps of half a kilobyte, not the 6 MB of payloads.
    let units = store.usage().capacity_units;
    assert!(units < 500.0, "{units}");
}

#[tokio::test]
async fn a_run_of_25_000_steps_comes_whole_its_branches_after_its_top_level_steps() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 0,
    };
    app.write([
        execution("run-1", json!({})),
        execution("run-0", json!({"createdAt": time(-1)})),
        step("run-0", "other", 0, json!({})),
    ])
    .await;
    let id = |n: i64| format!("step-{n:05}");
    app.write((0..25_000).map(|n| match n % 5 {
        0 => branch_step(&fork, "branch", &id(n), n, json!({})),
        _ => step("run-1", &id(n), n, json!({})),
    }))
    .await;
    let csv = app.get(&token, ALL).await;
    let rows = rows(&csv.body);
    assert_eq!(rows.len(), 25_001);
    let nodes: Vec<_> = rows
        .iter()
        .map(|row| (row[0].as_str(), row[8].clone()))
        .collect();
    let expected = (0..25_000)
        .filter(|n| n % 5 != 0)
        .chain((0..25_000).filter(|n| n % 5 == 0))
        .map(|n| ("run-1", format!("{}-definition", id(n))))
        .chain([("run-0", "other-definition".to_owned())]);
    assert!(nodes.into_iter().eq(expected));
}

#[tokio::test]
async fn what_has_expired_is_left_out_and_open_nodes_of_a_cancelled_run_are_cancelled() {
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
        // A key that names no run has no steps.
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
async fn every_free_text_is_masked_and_no_id_is() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let text = "of anna@example.com";
    app.write([
        execution(
            "anna@example.com",
            json!({"flowName": text, "trigger": text, "flowId": "bob@example.com"}),
        ),
        step(
            "anna@example.com",
            "step",
            0,
            json!({
                "stepName": text, "stepType": text, "errorMessage": text,
                "stepId": "carl@example.com",
            }),
        ),
    ])
    .await;
    let csv = app.get(&token, ALL).await;
    let json = app.get(&token, &format!("{ALL}&format=json")).await.ok();
    for rows in [rows(&csv.body), rows_of_json(&json)] {
        for (column, cell) in COLUMNS.iter().zip(&rows[0]) {
            match *column {
                "workflow_name" | "trigger" | "node_name" | "node_type" | "node_error" => {
                    assert_eq!(cell, "of [REDACTED:email]", "{column}");
                }
                "execution_id" => assert_eq!(cell, "anna@example.com"),
                "workflow_id" => assert_eq!(cell, "bob@example.com"),
                "node_id" => assert_eq!(cell, "carl@example.com"),
                _ => assert!(!cell.contains("REDACTED"), "{column}"),
            }
        }
    }
}

#[tokio::test]
async fn a_teams_own_patterns_are_masked_as_well() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let settings = json!({"patterns": [{"name": "customer", "pattern": "C-[0-9]+"}]});
    let path = "/api/settings/masking";
    app.call(Method::PUT, &token, path, &settings.to_string())
        .await
        .ok();
    app.write([execution("run-1", json!({"flowName": "For C-42"}))])
        .await;
    let csv = app.get(&token, ALL).await;
    assert_eq!(rows(&csv.body)[0][2], "For [REDACTED:customer]");
}

#[tokio::test]
async fn a_teams_own_settings_hold_for_its_exports() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let attributes = json!({"flowName": "KD-12345678 of anna@example.com at 93.184.216.34"});
    app.write([execution("run-1", attributes)]).await;
    let name = async || {
        let json = app.get(&token, &format!("{ALL}&format=json")).await.ok();
        json[0]["workflowName"].as_str().expect("a name").to_owned()
    };
    let builtin = "KD-12345678 of [REDACTED:email] at [REDACTED:ip-address]";
    assert_eq!(name().await, builtin);
    let settings = json!({
        "patterns": [{"name": "customer", "pattern": "KD-[0-9]{8}"}],
        "allowedPatterns": [".*@example\\.com"],
        "allowedRules": ["ip-address"],
    });
    let path = "/api/settings/masking";
    let settings = settings.to_string();
    app.call(Method::PUT, &token, path, &settings).await.ok();
    let own = "[REDACTED:customer] of anna@example.com at 93.184.216.34";
    assert_eq!(name().await, own);
}

/// Texts that break a careless writer or reader of CSV.
const HOSTILE: [&str; 16] = [
    "=1+1",
    "=HYPERLINK(\"http://example.com\",\"x\")",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "＝1+1",
    "a,b;c\td",
    "\"quoted\" and \"\"twice\"\"",
    "two\nlines",
    "two\r\nlines",
    "\"",
    "nul\0here",
    "naïve 🚀 日本語 e\u{301} \u{202e}right to left",
    " spaces ",
    "'apostrophe",
];

/// What the CSV has for such a text.
fn in_csv(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '＝']);
    let apostrophe = if is_formula { "'" } else { "" };
    format!("{apostrophe}{}", text.replace('\0', "␀"))
}

/// An export whose nodes are hostile, and the error cells that it should have.
async fn hostile_csv() -> (String, Vec<String>) {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    app.write([execution(
        "run-1",
        json!({"flowName": "=evil()", "trigger": "a\"b"}),
    )])
    .await;
    app.write((0..).zip(HOSTILE).map(|(n, text)| {
        let attributes = json!({"stepName": text, "stepType": text, "errorMessage": text});
        step("run-1", &format!("step-{n}"), n, attributes)
    }))
    .await;
    let csv = app.get(&token, ALL).await.body;
    let json = app.get(&token, &format!("{ALL}&format=json")).await.ok();
    let nodes = json[0]["nodeExecutions"].as_array().expect("nodes");
    for (node, text) in nodes.iter().zip(HOSTILE) {
        for name in ["nodeName", "nodeType", "error"] {
            assert_eq!(node[name], text, "JSON has texts as they are");
        }
    }
    (csv, HOSTILE.map(in_csv).into())
}

#[tokio::test]
async fn pythons_reader_gives_back_hostile_cells() {
    let (csv, expected) = hostile_csv().await;
    let python = std::env::var("FLOWTRAIL_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let program = "import csv, json, sys\n\
                   text = open(0, newline='', encoding='utf-8').read()\n\
                   assert text.replace('\\r\\n', '').count('\\0') == 0\n\
                   print(json.dumps(list(csv.reader(text.splitlines(keepends=True), strict=True))))";
    let child = Command::new(&python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        let must = std::env::var_os("FLOWTRAIL_TEST_REQUIRE_ALL").is_some();
        assert!(!must, "there is no {python}, and every test is required");
        eprintln!("not run: there is no {python}");
        return;
    };
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(csv.as_bytes()).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success());
    let read: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(read[0], COLUMNS);
    for (row, cell) in read[1..].iter().zip(&expected) {
        assert_eq!(row[2], "'=evil()");
        assert_eq!(row[4], "a\"b");
        assert_eq!([&row[9], &row[10], &row[15]], [cell; 3]);
    }
    assert_eq!(read.len(), HOSTILE.len() + 1);
}

/// Whether there is a LibreOffice to open files with. Without it a test says so,
/// and is not run, unless every test is required.
fn has_libreoffice() -> bool {
    let version = Command::new("soffice")
        .args(["--headless", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if version.is_ok_and(|status| status.success()) {
        return true;
    }
    let must = std::env::var_os("FLOWTRAIL_TEST_REQUIRE_ALL").is_some();
    assert!(!must, "there is no soffice, and every test is required");
    eprintln!("not run: there is no soffice (apt install libreoffice-calc-nogui)");
    false
}

/// Opens a CSV file in LibreOffice as a person does, and returns its cells.
fn open_in_libreoffice(folder: &Path, csv: &str) -> Vec<Vec<String>> {
    std::fs::write(folder.join("export.csv"), csv).expect("written");
    // Comma, double quote, UTF-8; and out again with every cell quoted.
    let status = Command::new("soffice")
        .arg(format!(
            "-env:UserInstallation=file://{}/profile",
            folder.display()
        ))
        .args(["--headless", "--infilter=CSV:44,34,76,1"])
        .args(["--convert-to", "ods", "--outdir"])
        .args([folder, &folder.join("export.csv")])
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("soffice runs").success());
    let status = Command::new("soffice")
        .arg(format!(
            "-env:UserInstallation=file://{}/profile",
            folder.display()
        ))
        .args([
            "--headless",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true",
        ])
        .arg("--outdir")
        .args([folder.join("out"), folder.join("export.ods")])
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("soffice runs").success());
    let text = std::fs::read_to_string(folder.join("out/export.csv")).expect("read");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let cells = |row: csv::StringRecord| row.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|row| cells(row.expect("a row")))
        .collect()
}

#[tokio::test]
async fn libreoffice_opens_hostile_cells_as_texts() {
    if !has_libreoffice() {
        return;
    }
    let (csv, expected) = hostile_csv().await;
    let folder = tempfile::tempdir().expect("a folder");
    let read = open_in_libreoffice(folder.path(), &csv);
    assert_eq!(read[0], COLUMNS);
    assert_eq!(read.len(), HOSTILE.len() + 1);
    for (row, cell) in read[1..].iter().zip(&expected) {
        assert_eq!((row[0].as_str(), row[2].as_str()), ("run-1", "'=evil()"));
        // Inside its cells there is one kind of line, and no tab.
        let cell = cell.replace("\r\n", "\n").replace('\t', "");
        assert_eq!([&row[9], &row[10], &row[15]], [&cell; 3]);
    }
}

fn request(token: &str, path: &str, accept_encoding: &str) -> Request<Body> {
    Request::get(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::ACCEPT_ENCODING, accept_encoding)
        .body(Body::empty())
        .expect("a request")
}

/// A body as it leaves, chunk by chunk.
async fn chunks(body: Body) -> Vec<Bytes> {
    body.into_data_stream().try_collect().await.expect("a body")
}

#[tokio::test]
async fn gzip_is_for_those_who_take_it_and_its_first_bytes_can_be_read_at_once() {
    let app = with_runs().await;
    let token = operator(&app).await;
    for format in ["csv", "json"] {
        let path = format!("{ALL}&format={format}");
        let plain = app.send(request(&token, &path, "gzip;q=0")).await;
        assert_eq!(plain.headers.get("content-encoding"), None);
        let answer = app.open(request(&token, &path, "br, gzip")).await;
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        assert_eq!(answer.headers()["vary"], "accept-encoding");
        let chunks = chunks(answer.into_body()).await;
        let mut text = String::new();
        GzDecoder::new(&chunks.concat()[..])
            .read_to_string(&mut text)
            .expect("gzip");
        assert_eq!(text, plain.body);
        // What the first chunk holds, without the others.
        let mut first = [0; 13];
        let begin = if format == "csv" { 13 } else { 1 };
        GzDecoder::new(&chunks[0][..])
            .read_exact(&mut first[..begin])
            .expect("readable at once");
        assert!(plain.body.as_bytes().starts_with(&first[..begin]));
    }
}

#[tokio::test]
async fn an_export_leaves_in_chunks_the_first_of_which_is_the_header() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let error = "x".repeat(5_000);
    app.write((0..100).map(|n| execution(&format!("run-{n}"), json!({"createdAt": time(n)}))))
        .await;
    app.write((0..100).map(|n| {
        step(
            &format!("run-{n}"),
            "step",
            0,
            json!({"errorMessage": error}),
        )
    }))
    .await;
    let answer = app.open(request(&token, ALL, "")).await;
    let chunks = chunks(answer.into_body()).await;
    let sizes: Vec<_> = chunks.iter().map(Bytes::len).collect();
    assert_eq!(sizes[0], COLUMNS.join(",").len() + 2);
    let (_, full) = sizes[1..].split_last().expect("chunks");
    assert!(full.len() > 4, "{sizes:?}");
    let bounds = 48 * 1024..=96 * 1024;
    assert!(full.iter().all(|size| bounds.contains(size)), "{sizes:?}");
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_before_anything_is_sent() {
    let app = with_runs().await;
    let token = operator(&app).await;
    for (query, parameter) in [
        ("format=xml", "format"),
        ("format=CSV", "format"),
        ("format=csv&format=json", "format"),
        ("days=0", "days"),
        ("days=3661", "days"),
        ("days=-1", "days"),
        ("days=ten", "days"),
        ("days=", "days"),
        ("status=COMPLETED", "status"),
        ("status=", "status"),
        ("workflowId=a%23b", "workflowId"),
        ("workflowId=", "workflowId"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-02-18&to=2026-02-17", "from"),
        ("from=2026-02-17&days=0", "days"),
    ] {
        let path = format!("/api/executions/team/team-a/export?{query}");
        let answer = app.get(&token, &path).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{query}"
        );
        assert_eq!(answer.json()["parameter"], parameter, "{query}");
        assert_eq!(answer.usage.requests, 0, "{query}");
    }
    let viewer = app.viewer("team-a").await;
    let limited = app.token("team-a", Role::Admin, Some(&["flow-1"])).await;
    let other = app.token("team-b", Role::Admin, None).await;
    for token in [&viewer, &limited, &other] {
        let answer = app.get(token, ALL).await;
        assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()));
        assert_eq!(answer.usage.requests, 0);
    }
    let own = app.get(&limited, &format!("{ALL}&workflowId=flow-1")).await;
    assert!(rows(&own.body).iter().all(|row| row[1] == "flow-1"));
}

/// A server over a table whose connection breaks after so many Queries.
async fn serve_breaking(app: &TestApp, queries: usize) -> String {
    let (faulty, client) = Faulty::client(app.store.client(), &[]);
    faulty.break_after_queries(queries);
    let store = Store::new(client, app.store.table());
    let router = local::server::router(Arc::new(App::new(store)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// What arrives over a socket, and how it ended.
fn download(url: &str, token: &str, accept_encoding: &str) -> (u16, Vec<u8>, bool) {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.timeout_global(Some(DEADLINE)).build().into();
    let answer = agent
        .get(url)
        .header("Authorization", format!("Bearer {token}"))
        .header("Accept-Encoding", accept_encoding)
        .call();
    let mut answer = answer.expect("an answer");
    let mut bytes = Vec::new();
    let end = answer.body_mut().as_reader().read_to_end(&mut bytes);
    (answer.status().as_u16(), bytes, end.is_ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_the_middle_cuts_the_connection_and_leaves_no_file_that_looks_whole() {
    let app = with_runs().await;
    let token = operator(&app).await;
    for (format, encoding) in [("csv", ""), ("csv", "gzip"), ("json", ""), ("json", "gzip")] {
        let path = format!("{ALL}&format={format}");
        let whole = app.send(request(&token, &path, "")).await.body;
        let url = serve_breaking(&app, 60).await + &path;
        let token = token.clone();
        let download = tokio::task::spawn_blocking(move || download(&url, &token, encoding));
        let (status, bytes, is_whole) = download.await.expect("no panic");
        assert_eq!(status, 200);
        assert!(!is_whole, "{format} {encoding}: the client sees no failure");
        let text = match encoding {
            "gzip" => {
                let mut text = Vec::new();
                let unpacked = GzDecoder::new(&bytes[..]).read_to_end(&mut text);
                assert!(unpacked.is_err(), "{format}: the trailer is missing");
                String::from_utf8(text).expect("UTF-8")
            }
            _ => String::from_utf8(bytes).expect("UTF-8"),
        };
        let text = match format {
            "csv" => text
                .strip_suffix("EXPORT CUT OFF: the rows above are not all\r\n")
                .unwrap_or_else(|| panic!("it does not say so: {text:?}")),
            _ => &text,
        };
        assert!(!text.is_empty() && text.len() < whole.len());
        assert!(whole.starts_with(text), "{format} {encoding}");
        if format == "json" {
            assert!(serde_json::from_str::<Value>(text).is_err());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_ends_with_an_error_when_an_export_is_cut_off() {
    let app = with_runs().await;
    let token = operator(&app).await;
    let url = serve_breaking(&app, 60).await + ALL;
    let curl = tokio::task::spawn_blocking(move || {
        Command::new("curl")
            .args(["-sS", "-H", &format!("Authorization: Bearer {token}"), &url])
            .output()
    });
    let Ok(output) = curl.await.expect("no panic") else {
        eprintln!("not run: there is no curl");
        return;
    };
    assert_eq!(output.status.code(), Some(18), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_before_the_first_byte_is_an_ordinary_problem() {
    let app = with_runs().await;
    let token = operator(&app).await;
    let url = serve_breaking(&app, 0).await + ALL;
    let download = tokio::task::spawn_blocking(move || download(&url, &token, "gzip"));
    let (status, bytes, is_whole) = download.await.expect("no panic");
    let problem: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!((status, &problem["code"]), (503, &json!("UNAVAILABLE")));
    assert!(is_whole);
}

/// A request of the export's route, as API Gateway hands it over.
fn route_request(token: &str, query: &[(&str, &str)]) -> lambda_http::Request {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), vec![(*value).to_owned()]);
    let path: HashMap<_, _> = [owned(&("teamId", "team-a"))].into();
    let query: HashMap<_, _> = query.iter().map(owned).collect();
    let request = Request::get("/")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(lambda_http::Body::Empty)
        .expect("a request");
    let request = request.with_path_parameters(path);
    let mut request = request.with_query_string_parameters(query);
    request
        .extensions_mut()
        .insert(RequestId("request-1".to_owned()));
    request
}

fn export_route() -> &'static Route {
    &EXPORT_TEAM_EXECUTIONS
}

#[tokio::test]
async fn the_log_has_the_end_of_each_export_once_under_its_request_id() {
    let app = with_runs().await;
    let token = operator(&app).await;
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber());
    let request = route_request(&token, &[("from", "2026-02-01")]);
    let reply = export_route()
        .answer(&App::new(app.store.clone()), &request)
        .await;
    reply.into_body().collect().await.expect("a whole body");
    let (faulty, client) = Faulty::client(app.store.client(), &[]);
    faulty.break_after_queries(60);
    let broken = App::new(Store::new(client, app.store.table()));
    let reply = export_route().answer(&broken, &request).await;
    assert!(reply.into_body().collect().await.is_err());
    faulty.break_after_queries(60);
    let reply = export_route().answer(&broken, &request).await;
    let collected = functions::lambda::collect(reply).await;
    assert!(matches!(
        collected,
        Err(Problem::Operation(shared::Error::Unavailable(_)))
    ));
    let lines = log.lines();
    let ends: Vec<_> = lines
        .iter()
        .filter(|line| line["request_id"] == "request-1")
        .filter(|line| line["message"] != "answered" && line["message"] != "audit")
        .collect();
    let outline: Vec<_> = ends
        .iter()
        .map(|line| (line["level"].as_str(), line["message"].as_str()))
        .collect();
    let cut_off = (Some("ERROR"), Some("the export was cut off"));
    assert_eq!(
        outline,
        [(Some("INFO"), Some("exported")), cut_off, cut_off]
    );
    assert_eq!(ends[0]["table_requests"], 124);
    let cause = ends[1]["error"].as_str().expect("a text");
    assert!(cause.contains("the connection is broken"), "{cause}");
}

/// An app whose export is some 4 MB; that of the flow `small` is not.
async fn with_large_export() -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let error = "x".repeat(300_000);
    for n in 0..14 {
        let id = format!("run-{n}");
        app.write([
            execution(&id, json!({})),
            step(&id, "step", 0, json!({"errorMessage": error})),
        ])
        .await;
    }
    app.write([execution("small", json!({"flowId": "small"}))])
        .await;
    (app, token)
}

#[tokio::test]
async fn a_gateway_that_wants_the_answer_whole_gets_a_clear_refusal_of_what_is_too_large() {
    let (app, token) = with_large_export().await;
    let app = App::new(app.store.clone());
    let reply = async |query: &[(&str, &str)]| {
        let request = route_request(&token, query);
        export_route().answer(&app, &request).await
    };
    let all = ("from", "2026-02-01");
    let large = functions::lambda::collect(reply(&[all]).await).await;
    assert!(matches!(large, Err(Problem::ExportTooLarge)));
    let small = reply(&[all, ("workflowId", "small")]).await;
    let small = functions::lambda::collect(small)
        .await
        .expect("small enough");
    let body = small
        .into_body()
        .collect()
        .await
        .expect("in hand")
        .to_bytes();
    assert_eq!(rows(std::str::from_utf8(&body).expect("UTF-8")).len(), 1);
}

/// The files in a folder that an export may have left.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name != ".flowtrail")
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_writes_the_endpoints_file_beside_a_server_and_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = Server::start(folder, &["--no-demo"]);
    let url = format!("http://127.0.0.1:{}", server.table_port);
    let store = Store::new(shared::config::client(Some(&url)).await, "flowtrail");
    let mut items = Vec::new();
    for n in 0..50 {
        let id = format!("run-{n}");
        let status = if n % 2 == 0 { "COMPLETED" } else { "FAILED" };
        let attributes = json!({"teamId": "default", "createdAt": time(n), "status": status});
        items.push(execution(&id, attributes));
        items.push(step(&id, "step", 0, json!({"stepName": "=1+1, or \"so\""})));
    }
    write(&store, items).await;
    let query = "from=2026-02-01&to=2026-02-17&status=FAILED";
    let path = "/api/executions/team/default/export";
    let url = format!("http://127.0.0.1:{}{path}?{query}", server.port);
    let (status, expected, _) = download(&url, server.token(), "");
    assert_eq!(status, 200);
    assert_eq!(
        rows(std::str::from_utf8(&expected).expect("UTF-8")).len(),
        25
    );
    let select = "--from 2026-02-01 --to 2026-02-17 --status FAILED";
    let export = |more: &str| {
        let arguments = format!("export {select} {more}");
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        run(folder, &arguments)
    };
    assert_eq!(export("").stdout, expected, "beside the server");
    drop(server);
    assert_eq!(export("--output -").stdout, expected, "alone");
    assert!(export("--output a.csv").status.success());
    assert_eq!(
        std::fs::read(folder.join("a.csv")).expect("a file"),
        expected
    );
    assert!(export("--output . --gzip").status.success());
    let named = "flowtrail-default-2026-02-01-to-2026-02-17.csv.gz";
    assert_eq!(files(folder), ["a.csv", named]);
    let mut unpacked = Vec::new();
    GzDecoder::new(std::fs::File::open(folder.join(named)).expect("a file"))
        .read_to_end(&mut unpacked)
        .expect("gzip");
    assert_eq!(unpacked, expected);

    let refused = export("--output a.csv --format json");
    assert_eq!(refused.status.code(), Some(1));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        text.contains("a.csv is there already") && text.contains("--force"),
        "{text}"
    );
    assert_eq!(
        std::fs::read(folder.join("a.csv")).expect("a file"),
        expected
    );
    assert!(
        export("--output a.csv --format json --force")
            .status
            .success()
    );
    let replaced = std::fs::read(folder.join("a.csv")).expect("a file");
    let replaced: Value = serde_json::from_slice(&replaced).expect("JSON");
    assert_eq!(replaced.as_array().map(Vec::len), Some(25));
    assert_eq!(files(folder), ["a.csv", named], "nothing else is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_cut_off_is_not_left_behind() {
    let app = with_runs().await;
    if app.embedded.is_none() {
        eprintln!("not run: the table's endpoint is another program");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let endpoint = breaking_endpoint(&app, 60).await;
    let table = app.store.table().to_owned();
    let path = folder.path().to_owned();
    let export = tokio::task::spawn_blocking(move || {
        let select = ["export", "--team", "team-a", "--days", "3660"];
        let place = ["--endpoint-url", &endpoint, "--table", &table];
        let to_file = run(
            &path,
            &[&select[..], &place, &["--output", "a.csv"]].concat(),
        );
        let to_stdout = run(&path, &[&select[..], &place].concat());
        [to_file, to_stdout]
    });
    for output in export.await.expect("no panic") {
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains("The table has failed"), "{text}");
    }
    assert_eq!(files(folder.path()), Vec::<String>::new());
}
