//! Which steps of a flow fail, and which take their time.

use serde_json::{Value, json};
use shared::model::Item;

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, step, time};

const MINUTE: i64 = 60_000;
const PATH: &str = "/api/history/step-stats?startDate=2026-02-17&flowId=flow-1";

/// A run with three steps, of which the second took `took` milliseconds.
fn run(n: i64, took: i64, failure: Option<&str>) -> Vec<Item> {
    let id = format!("run-{n:02}");
    let at = n * MINUTE;
    let own = |name: &str, rest: Value| {
        let mut attributes = json!({"stepId": name, "stepName": format!("Do {name}")});
        let members = rest.as_object().expect("an object").clone();
        attributes
            .as_object_mut()
            .expect("an object")
            .extend(members);
        attributes
    };
    let second = json!({
        "stepType": "HTTP", "durationMs": took, "errorMessage": failure,
        "status": if failure.is_some() { "FAILED" } else { "COMPLETED" },
    });
    let third = json!({"status": if failure.is_some() { "SKIPPED" } else { "RUNNING" }});
    vec![
        execution(&id, json!({"createdAt": time(at)})),
        step(
            &id,
            &format!("{id}-a"),
            at,
            own("first", json!({"durationMs": 5})),
        ),
        step(&id, &format!("{id}-b"), at + 10, own("second", second)),
        step(&id, &format!("{id}-c"), at + 20, own("third", third)),
    ]
}

#[tokio::test]
async fn the_steps_that_fail_most_come_first_with_their_last_failure() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let runs = (0..20).flat_map(|n| {
        let failure = (n % 5 == 3).then(|| format!("no stock in {n}"));
        run(n, 100 * (n + 1), failure.as_deref())
    });
    app.write(runs).await;
    app.write([
        execution("other-flow", json!({"flowId": "flow-2"})),
        step(
            "other-flow",
            "x",
            0,
            json!({"stepId": "second", "status": "FAILED"}),
        ),
    ])
    .await;
    let answer = app.get(&token, PATH).await;
    let body = answer.ok();
    let stats = &body["stats"];
    assert_eq!(stats["runs"], 20);
    assert_eq!(stats.get("totalIsExact"), None);
    let steps = stats["steps"].as_array().expect("steps");
    let names: Vec<_> = steps.iter().map(|step| step["name"].as_str()).collect();
    assert_eq!(
        names,
        [Some("Do second"), Some("Do first"), Some("Do third")]
    );
    assert_eq!(
        steps[0],
        json!({
            "stepId": "second", "name": "Do second", "action": "HTTP",
            "totalExecutions": 20, "passed": 16, "failed": 4, "skipped": 0,
            "successRate": "80.0%",
            "totalTimeMs": 21_000, "averageTimeMs": 1_050,
            "durationPercentiles": {"p50Ms": 1_000, "p95Ms": 1_900, "p99Ms": 2_000},
            "maxTimeMs": 2_000,
            "lastFailure": {
                "executionId": "run-18", "startTime": time(18 * MINUTE + 10),
                "errorMessage": "no stock in 18",
            },
        })
    );
    let third = &steps[2];
    assert_eq!(third["totalExecutions"], 16, "those that were begun");
    assert_eq!(third["skipped"], 4);
    assert_eq!(third["successRate"], "0.0%");
    for unknown in [
        "averageTimeMs",
        "durationPercentiles",
        "maxTimeMs",
        "lastFailure",
    ] {
        assert_eq!(third[unknown], Value::Null, "{unknown}");
    }
    assert_eq!(body["filters"]["flowId"], "flow-1");
    // The list, and one request for each run.
    assert_eq!(answer.usage.requests, 21);
}

#[tokio::test]
async fn the_newest_runs_are_read_and_no_more_than_asked_for() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write((0..30).flat_map(|n| run(n, 100 * (n + 1), None)))
        .await;
    for (runs, exact) in [(1, false), (29, false), (30, true), (500, true)] {
        let stats = app.get(&token, &format!("{PATH}&runs={runs}")).await.ok()["stats"].take();
        let read = runs.min(30);
        assert_eq!(stats["runs"], read);
        let told = stats.get("totalIsExact").cloned();
        assert_eq!(told, (!exact).then_some(json!(false)), "{runs}");
        let second = stats["steps"].as_array().expect("steps").iter();
        let mut second = second.filter(|step| step["stepId"] == "second");
        let second = second.next().expect("a step");
        assert_eq!(second["totalExecutions"], read);
        assert_eq!(second["maxTimeMs"], 3_000, "the newest took longest");
        let last = second["durationPercentiles"]["p50Ms"]
            .as_u64()
            .expect("a number");
        assert!(last >= 100 * (30 - read + 1), "{last}");
    }
    let failed = app.get(&token, &format!("{PATH}&status=FAILED")).await.ok();
    assert_eq!(failed["stats"], json!({"runs": 0, "steps": []}));
    let labelled = json!({
        "labels": {"orderId": "42"}, "deviceId": "device-1", "parentExecutionId": "run-0",
    });
    app.write([execution("run-99", labelled)]).await;
    app.count().await;
    for filter in [
        "label=orderId=42",
        "deviceId=device-1",
        "parentExecutionId=run-0",
    ] {
        let body = app.get(&token, &format!("{PATH}&{filter}")).await.ok();
        assert_eq!(body["stats"]["runs"], 1, "{filter}");
    }
}

#[tokio::test]
async fn steps_of_branches_count_and_those_without_an_id_go_by_their_name() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 10,
    };
    let of_branch = |branch: &str, status: &str| {
        let attributes = json!({
            "stepId": "charge", "status": status, "durationMs": 40, "errorMessage": "declined",
        });
        branch_step(&fork, branch, &format!("{branch}-1"), 30, attributes)
    };
    app.write([
        execution("run-1", json!({})),
        step(
            "run-1",
            "a",
            0,
            json!({"stepId": null, "stepName": "Wait", "durationMs": 1}),
        ),
        step(
            "run-1",
            "b",
            9,
            json!({"stepId": null, "stepName": "Wait", "durationMs": 3}),
        ),
        of_branch("branch-1", "COMPLETED"),
        of_branch("branch-2", "FAILED"),
    ])
    .await;
    let stats = app.get(&token, PATH).await.ok()["stats"].take();
    let steps = stats["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[0]["stepId"], "charge");
    assert_eq!(steps[0]["passed"], 1);
    assert_eq!(steps[0]["failed"], 1);
    assert_eq!(steps[0]["lastFailure"]["errorMessage"], "declined");
    assert_eq!(steps[1]["stepId"], Value::Null);
    assert_eq!(steps[1]["name"], "Wait");
    assert_eq!(steps[1]["totalExecutions"], 2);
    assert_eq!(steps[1]["averageTimeMs"], 2);
}

#[tokio::test]
async fn a_flow_has_to_be_named_and_a_number_of_runs_be_one() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let missing = app.get(&token, "/api/history/step-stats").await;
    assert_eq!(missing.problem(), (400, "MISSING_PARAMETER".to_owned()));
    for runs in ["0", "501", "-1", "many", ""] {
        let answer = app.get(&token, &format!("{PATH}&runs={runs}")).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{runs}"
        );
        assert_eq!(answer.json()["parameter"], "runs");
    }
}

#[tokio::test]
async fn what_an_engine_writes_as_durations_names_and_errors_harms_nothing() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let long = format!("ä{}", "x".repeat(10_000));
    let of_type = |id: Value| {
        json!({
            "stepId": id, "stepName": null, "stepType": "HTTP", "status": "FAILED",
            "durationMs": u64::MAX, "errorMessage": long,
        })
    };
    let named = (0..600).map(|n| {
        let attributes = json!({"stepId": null, "stepName": format!("Order {n}"), "durationMs": 1});
        step("run-1", &format!("n{n}"), 1_000 + n, attributes)
    });
    app.write([
        execution("run-1", json!({})),
        step("run-1", "a", 0, of_type(Value::Null)),
        step("run-1", "b", 1, of_type(Value::Null)),
        step("run-1", "c", 2, of_type("HTTP".into())),
    ])
    .await;
    app.write(named).await;
    let stats = app.get(&token, PATH).await.ok()["stats"].take();
    assert_eq!(stats["stepsTruncated"], true);
    let steps = stats["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 500);
    let told = |step: &Value| (step["stepId"].clone(), step["failed"].clone());
    assert_eq!(told(&steps[0]), (Value::Null, 2.into()));
    assert_eq!(told(&steps[1]), ("HTTP".into(), 1.into()));
    assert_eq!(steps[0]["totalTimeMs"], u64::MAX);
    let error = steps[0]["lastFailure"]["errorMessage"]
        .as_str()
        .expect("a text");
    assert_eq!(error.len(), 4_000);
    assert!(long.starts_with(error));
}
