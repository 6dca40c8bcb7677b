//! `stepStatus`, which selects the steps of a run with one status.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, step};

const FORK: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "fork-1",
    offset: 100,
};

fn ids(steps: &[Value]) -> Vec<&str> {
    steps
        .iter()
        .map(|step| step["stepInstanceId"].as_str().expect("an id"))
        .collect()
}

/// The status of the step with this number. Every hundredth step failed.
fn status(n: i64) -> &'static str {
    match n % 100 {
        99 => "FAILED",
        50 => "SKIPPED",
        _ => "COMPLETED",
    }
}

#[tokio::test]
async fn every_page_size_returns_the_steps_with_a_status() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({"status": "FAILED"}))])
        .await;
    let named = |n: i64| format!("step-{n:04}");
    app.write((0..1_000).map(|n| step("run-1", &named(n), n, json!({"status": status(n)}))))
        .await;
    for state in ["FAILED", "SKIPPED", "COMPLETED", "RUNNING"] {
        let expected: Vec<_> = (0..1_000)
            .filter(|n| status(*n) == state)
            .map(named)
            .collect();
        for limit in [1, 3, 10, 500] {
            if state == "COMPLETED" && limit < 500 {
                continue;
            }
            let path = format!("/flow-executions/run-1?stepStatus={state}&limit={limit}");
            let walked = app.walk_steps(&token, &path, |_, _| ()).await;
            assert_eq!(ids(&walked), expected, "{state} at {limit}");
        }
    }
}

#[tokio::test]
async fn steps_with_another_status_are_not_sent() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({"status": "FAILED"}))])
        .await;
    let text = "x".repeat(2_000);
    app.write((0..2_000).map(|n| {
        let status = if n == 1_900 { "FAILED" } else { "COMPLETED" };
        let fields = json!({"status": status, "output": text});
        step("run-1", &format!("step-{n:04}"), n, fields)
    }))
    .await;
    app.remember_masking("team-a").await;
    let answer = app
        .get(&token, "/flow-executions/run-1?stepStatus=FAILED&limit=10")
        .await;
    let data = answer.ok()["data"].take();
    assert_eq!(ids(data["steps"].as_array().expect("steps")), ["step-1900"]);
    assert_eq!(data["nextToken"], Value::Null);
    assert!(answer.body.len() < 5_000, "{} bytes", answer.body.len());
    // The requests are pages of DynamoDB with 4.4 MB together, not pages of steps.
    assert!(answer.usage.requests <= 7, "{}", answer.usage.requests);
}

#[tokio::test]
async fn steps_are_selected_by_the_status_that_is_shown() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({"status": "CANCELLED"})),
        step("run-1", "done", 10, json!({})),
        step(
            "run-1",
            "open",
            20,
            json!({"status": "RUNNING", "endTime": null}),
        ),
        step("run-1", "odd", 30, json!({"status": "ODD"})),
    ])
    .await;
    for (state, expected) in [("CANCELLED", vec!["open"]), ("RUNNING", vec![])] {
        let path = format!("/flow-executions/run-1?stepStatus={state}");
        let data = app.get(&token, &path).await.ok()["data"].take();
        assert_eq!(ids(data["steps"].as_array().expect("steps")), expected);
    }
}

#[tokio::test]
async fn branch_steps_can_be_selected_by_status() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({"status": "FAILED"})),
        branch_step(&FORK, "branch-1", "a", 110, json!({})),
        branch_step(&FORK, "branch-1", "b", 120, json!({"status": "FAILED"})),
        branch_step(&FORK, "branch-2", "c", 110, json!({})),
        branch_step(&FORK, "branch-3", "d", 110, json!({"status": "FAILED"})),
    ])
    .await;
    let path = format!("{}&stepStatus=FAILED", FORK.branch_steps_path());
    let data = app.get(&token, &path).await.ok()["data"].take();
    let branches = data.as_object().expect("a map");
    assert_eq!(
        branches.keys().collect::<Vec<_>>(),
        ["branch-1", "branch-3"]
    );
    let steps = data["branch-1"]["steps"].as_array().expect("steps");
    assert_eq!(ids(steps), ["b"]);
}

#[tokio::test]
async fn a_page_token_is_valid_for_its_status_only() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({"status": "FAILED"}))])
        .await;
    app.write((0..4).map(|n| {
        step(
            "run-1",
            &format!("step-{n}"),
            n,
            json!({"status": "FAILED"}),
        )
    }))
    .await;
    let path = "/flow-executions/run-1?stepStatus=FAILED&limit=2";
    let data = app.get(&token, path).await.ok()["data"].take();
    let next = data["nextToken"].as_str().expect("a token");
    for other in ["", "&stepStatus=SKIPPED"] {
        let path = format!("/flow-executions/run-1?limit=2{other}&nextToken={next}");
        let (status, code) = app.get(&token, &path).await.problem();
        assert_eq!((status, code.as_str()), (400, "INVALID_NEXT_TOKEN"));
    }
}
