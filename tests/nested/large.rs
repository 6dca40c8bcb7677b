//! Runs with many nested steps.

use serde_json::json;

use super::{below, lanes, nested, outline};
use crate::support::TestApp;
use crate::support::records::{execution, step};

/// The steps below `early`, which fill several MB between two top-level steps.
const NESTED: i64 = 6_000;

async fn write_large_run(app: &TestApp) {
    app.write([
        execution("run-1", json!({})),
        step("run-1", "early", 0, json!({})),
        step("run-1", "without", 1, json!({})),
        step("run-1", "last", 50_000, json!({})),
        step("run-1", "end", 60_000, json!({})),
        // The only step below `without` is at the end of the run.
        nested("late", "without", 50_001, 1),
    ])
    .await;
    let steps = (0..NESTED).map(|n| nested(&format!("n-{n:04}"), "early", 2 + n, 1));
    app.write(steps).await;
    let steps = (0..40).map(|n| nested(&format!("m-{n:02}"), "last", 50_100 + n, 1));
    app.write(steps).await;
}

#[tokio::test]
async fn the_top_level_of_a_large_run_is_read_by_its_keys() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    write_large_run(&app).await;
    app.remember_masking("team-a").await;
    for path in ["/flow-executions/run-1", "/flow-executions/run-1?limit=2"] {
        let steps = app.walk_steps(&token, path, |_, answer| {
            // One Query for each MB of steps, and a few others.
            assert!(answer.usage.requests <= 10, "{:?}", answer.usage);
        });
        let steps = json!(steps.await);
        let expected = ["early+", "without+", "last+", "end"];
        assert_eq!(outline(&steps, "stepInstanceId"), expected, "{path}");
    }
    let path = "/flow-executions/run-1?stepStatus=COMPLETED&limit=1";
    let steps = app.walk_steps(&token, path, |_, _| ()).await;
    let expected = ["early+", "without+", "last+", "end"];
    assert_eq!(outline(&json!(steps), "stepInstanceId"), expected);
    let body = app.get(&token, "/api/history/executions/run-1").await.ok();
    let expected = ["early+", "without+", "last+", "end"];
    assert_eq!(outline(&body["execution"]["steps"], "id"), expected);
}

#[tokio::test]
async fn a_child_in_the_last_mb_makes_its_parent_a_fork() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        step("run-1", "parent", 0, json!({})),
        nested("late", "parent", 50_000, 1),
    ])
    .await;
    app.write((0..4_000).map(|n| step("run-1", &format!("s-{n:04}"), 1 + n, json!({}))))
        .await;
    for path in [
        "/flow-executions/run-1?limit=2",
        "/api/executions/run-1?limit=2",
    ] {
        let body = app.get(&token, path).await.ok();
        let (steps, id) = match body["nodeExecutions"].is_array() {
            true => (&body["nodeExecutions"], "id"),
            false => (&body["data"]["steps"], "stepInstanceId"),
        };
        assert_eq!(outline(steps, id), ["parent+", "s-0000"], "{path}");
    }
    let body = app.get(&token, &below("parent", 0)).await.ok();
    assert_eq!(lanes(&body).len(), 1);
    let path = "/flow-executions/run-1?limit=500";
    let steps = app.walk_steps(&token, path, |_, _| ()).await;
    assert_eq!(steps.len(), 4_001, "the nested step is not among them");
}

#[tokio::test]
async fn thousands_of_nested_steps_are_returned_page_by_page() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    write_large_run(&app).await;
    let (mut found, mut next) = (Vec::new(), String::new());
    loop {
        let path = format!("{}&limit=500{next}", below("early", 0));
        let body = app.get(&token, &path).await.ok();
        for (_, _, steps) in lanes(&body) {
            found.extend(steps);
        }
        match body["nextToken"].as_str() {
            Some(token) => next = format!("&nextToken={token}"),
            None => break,
        }
    }
    let expected: Vec<_> = (0..NESTED).map(|n| format!("n-{n:04}")).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_sparse_lane_is_read_by_its_keys() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({}))]).await;
    app.write((0..8_000).map(|n| {
        let id = format!("s-{n:04}");
        match n % 400 {
            399 => nested(&id, "s-0000", n, 1),
            _ => step("run-1", &id, n, json!({})),
        }
    }))
    .await;
    let body = app.get(&token, &below("s-0000", 0)).await.ok();
    let expected: Vec<_> = (0..20).map(|n| format!("s-{:04}", n * 400 + 399)).collect();
    assert_eq!(lanes(&body)[0].2, expected);
}
