//! The runs that each API finds by label.

use serde_json::{Value, json};
use shared::attributes::text;
use shared::auth::Role;

use super::{found, ids};
use crate::support::records::{execution, step, time};
use crate::support::{TestApp, is_embedded};

const MINUTE: i64 = 60_000;

/// 23 runs, three minutes apart. Every second run has the label `tier=gold`, every third is
/// of `flow-1`, every fifth failed, and the version is the number modulo 4.
async fn with_tiers() -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    let runs = (0..23).map(|n| {
        let tier = if n % 2 == 0 { "gold" } else { "silver" };
        let flow = if n % 3 == 0 { "flow-1" } else { "flow-2" };
        let attributes = json!({
            "createdAt": time(n * 3 * MINUTE), "labels": {"tier": tier}, "flowId": flow,
            "status": if n % 5 == 0 { "FAILED" } else { "COMPLETED" },
            "flowVersion": n % 4,
        });
        execution(&format!("run-{n:02}"), attributes)
    });
    app.write(runs).await;
    app.write([step("run-04", "s", 1_000, json!({}))]).await;
    app.count().await;
    (app, token)
}

/// The ids of the gold runs that a condition keeps, newest first.
fn gold(keep: impl Fn(i64) -> bool) -> Vec<String> {
    let gold = (0..23).rev().filter(|n| n % 2 == 0 && keep(*n));
    gold.map(|n| format!("run-{n:02}")).collect()
}

#[tokio::test]
async fn numbered_pages_find_runs_by_label() {
    let (app, token) = with_tiers().await;
    let wanted = gold(|_| true);
    assert_eq!(found(&app, &token, "tier=gold").await, wanted);
    for size in [1, 5, 500] {
        let mut walked = Vec::new();
        let path = format!("/api/executions/team/team-a?label=tier=gold&size={size}");
        for page in 0..wanted.len().div_ceil(size) {
            let body = app.get(&token, &format!("{path}&page={page}")).await.ok();
            assert_eq!(body["totalElements"], wanted.len());
            assert_eq!(body["totalPages"], wanted.len().div_ceil(size));
            assert_eq!(body.get("totalIsExact"), None);
            walked.extend(ids(&body["content"]).into_iter().map(str::to_owned));
        }
        assert_eq!(walked, wanted, "at size {size}");
    }
    let completed_of_flow_2 = gold(|n| n % 3 != 0 && n % 5 != 0);
    let path = "/api/executions?workflowId=flow-2&label=tier=gold&status=SUCCESS";
    let body = app.get(&token, path).await.ok();
    assert_eq!(ids(&body["content"]), completed_of_flow_2);
    let path = "/api/history/executions/flows/flow-2?label=tier=gold&status=PASSED";
    let body = app.get(&token, path).await.ok();
    assert_eq!(ids(&body["executions"]), completed_of_flow_2);
}

#[tokio::test]
async fn pages_with_tokens_find_runs_by_label() {
    let (app, token) = with_tiers().await;
    let path = "/flow-executions?flowDefinitionId=flow-1&label=tier=gold";
    let walk = async |path: &str, limit: usize| {
        let items = app.walk(&token, path, limit).await;
        let id = |item: &Value| item["flowExecutionId"].as_str().map(str::to_owned);
        items.iter().filter_map(id).collect::<Vec<_>>()
    };
    for limit in [1, 2, 50] {
        let walked = walk(path, limit).await;
        assert_eq!(walked, gold(|n| n % 3 == 0), "at limit {limit}");
    }
    let walked = walk(&format!("{path}&flowVersion=2"), 1).await;
    assert_eq!(walked, gold(|n| n % 3 == 0 && n % 4 == 2));
}

#[tokio::test]
async fn exports_contain_the_runs_with_a_label() {
    let (app, token) = with_tiers().await;
    let path = "/api/executions/team/team-a/export?format=json&from=2026-02-17&label=tier=gold";
    let file = app.get(&token, path).await.ok();
    let exported = file.as_array().expect("an array");
    let exported_ids = exported
        .iter()
        .filter_map(|run| run["executionId"].as_str());
    assert_eq!(exported_ids.collect::<Vec<_>>(), gold(|_| true));
    let with_step = exported.iter().find(|run| run["executionId"] == "run-04");
    assert_eq!(
        with_step.expect("run-04")["nodeExecutions"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn statistics_cover_the_runs_with_a_label() {
    let (app, token) = with_tiers().await;
    let path = "/api/history/execution-stats?startDate=2026-02-17&endDate=2026-02-17&label=tier=gold&interval=hour";
    let stats = app.get(&token, path).await.ok()["stats"].take();
    let (all, failed) = (gold(|_| true).len(), gold(|n| n % 5 == 0).len());
    assert_eq!(
        stats["statusBreakdown"],
        json!({"PASSED": all - failed, "FAILED": failed})
    );
    assert_eq!(stats["averageExecutionTimeMs"], 2_350);
    assert_eq!(stats["series"][10]["totalExecutions"], 5, "until eleven");
    assert_eq!(stats["series"][11]["totalExecutions"], all - 5);
}

#[tokio::test]
async fn runs_started_by_a_run_are_found_and_counted() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let started = |id: &str, parent: &str, status: &str| {
        let attributes = json!({
            "executionType": "SUBFLOW", "parentExecutionId": parent, "status": status,
        });
        execution(id, attributes)
    };
    app.write([
        execution("run-1", json!({})),
        started("run-1a", "run-1", "COMPLETED"),
        started("run-1b", "run-1", "FAILED"),
        started("run-2a", "run-2", "FAILED"),
    ])
    .await;
    let path = "/api/history/executions?lite=true&parentExecutionId=run-1";
    let body = app.get(&token, path).await.ok();
    assert_eq!(ids(&body["executions"]), ["run-1b", "run-1a"]);
    assert_eq!(body["pagination"]["total"], 2);
    assert_eq!(body["filters"]["parentExecutionId"], "run-1");
    let path = "/api/history/execution-stats?startDate=2026-02-17&parentExecutionId=run-1";
    let stats = app.get(&token, path).await.ok()["stats"].take();
    assert_eq!(stats["statusBreakdown"], json!({"PASSED": 1, "FAILED": 1}));
    let wrong = "/api/history/executions?parentExecutionId=a%23b";
    assert_eq!(
        app.get(&token, wrong).await.json()["parameter"],
        "parentExecutionId"
    );
}

#[tokio::test]
async fn a_list_by_label_is_one_request() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let runs = (0..300).map(|n| {
        let labels = json!({"tier": "gold", "number": n.to_string()});
        execution(&format!("run-{n}"), json!({"labels": labels}))
    });
    app.write(runs).await;
    app.count().await;
    for (label, requests, items) in [("number=7", 1, 1), ("tier=gold", 2, 300)] {
        let path = format!("/api/history/executions?lite=true&label={label}");
        let answer = app.get(&token, &path).await;
        assert_eq!(answer.ok()["pagination"]["total"], items);
        assert_eq!(
            answer.usage.requests, requests,
            "{label}: the page, and the rest counted"
        );
        assert_eq!(answer.usage.items_read, items, "{label}");
    }
}

#[tokio::test]
async fn labels_need_a_name_and_a_value() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let long = format!("a={}", "b".repeat(512));
    for label in ["", "orderId", "=42", "orderId=", &long] {
        for path in [
            "/api/history/executions?",
            "/api/history/execution-stats?",
            "/api/executions/team/team-a?",
            "/flow-executions?flowDefinitionId=flow-1&",
        ] {
            let answer = app.get(&token, &format!("{path}label={label}")).await;
            assert_eq!(
                answer.problem(),
                (400, "INVALID_PARAMETER".to_owned()),
                "{path}{label}"
            );
            assert_eq!(answer.json()["parameter"], "label");
        }
    }
    let twice = "/api/history/executions?label=a=1&label=b=2";
    assert_eq!(app.get(&token, twice).await.status, 400);
    // No run has these labels.
    for label in ["a==", "%23=%23", "a%20b=c%0Ad", "\u{1F600}=\u{FFFF}"] {
        assert_eq!(
            found(&app, &token, &percent(label)).await,
            [""; 0],
            "{label}"
        );
    }
}

/// Percent-encodes the bytes that are not ASCII.
fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte.is_ascii() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[tokio::test]
async fn labels_find_only_runs_that_the_caller_may_see() {
    let app = TestApp::new().await;
    let labels = json!({"labels": {"orderId": "42"}});
    let mut other = execution("run-b", labels.clone());
    other.insert("teamId".to_owned(), text("team-b"));
    let mut hidden = execution("run-2", labels.clone());
    hidden.insert("flowId".to_owned(), text("flow-2"));
    app.write([execution("run-1", labels), hidden, other]).await;
    app.count().await;
    let limited = app.token("team-a", Role::Viewer, Some(&["flow-1"])).await;
    let path = "/api/history/executions?lite=true&label=orderId=42";
    assert_eq!(app.get(&limited, path).await.status, 403);
    let body = app
        .get(&limited, &format!("{path}&flowId=flow-1"))
        .await
        .ok();
    assert_eq!(ids(&body["executions"]), ["run-1"]);
    let stranger = app.viewer("team-c").await;
    assert_eq!(found(&app, &stranger, "orderId=42").await, [""; 0]);
    assert_eq!(
        found(&app, &stranger, "team-a%23orderId=42").await,
        [""; 0],
        "a label cannot address another team's key"
    );
}

#[tokio::test]
async fn totals_beyond_the_read_limit_are_marked_as_inexact() {
    // It would take minutes on another engine.
    if !is_embedded() {
        return;
    }
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // There are 24 MB of entries, and 16 MB of them are read.
    let message = "x".repeat(300_000);
    for n in 0..80 {
        let attributes = json!({
            "createdAt": time(n), "labels": {"tier": "gold"}, "errorMessage": message,
        });
        app.write([execution(&format!("run-{n}"), attributes)])
            .await;
    }
    app.count().await;
    let path = "/api/history/executions?lite=true&limit=2&label=tier=gold";
    let body = app.get(&token, path).await.ok();
    let pagination = &body["pagination"];
    assert_eq!(pagination["totalIsExact"], false);
    assert_eq!(pagination["hasMore"], true);
    let total = pagination["total"].as_u64().expect("a number");
    assert!((40..80).contains(&total), "{total}");
    assert_eq!(ids(&body["executions"]), ["run-79", "run-78"]);
    let path = "/api/history/execution-stats?startDate=2026-02-17&label=tier=gold";
    let stats = app.get(&token, path).await.ok()["stats"].take();
    assert_eq!(stats["totalIsExact"], false);
    let total = stats["totalExecutions"].as_u64().expect("a number");
    assert!((40..80).contains(&total), "{total}");
}
