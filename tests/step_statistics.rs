//! Statistics of steps: which steps of a flow fail, and which are slow.

use serde_json::{Value, json};
use shared::model::Item;

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, step, time};

const MINUTE: i64 = 60_000;
const PATH: &str = "/api/history/step-stats?startDate=2026-02-17&flowId=flow-1";

/// A run with three steps. The second takes `took` milliseconds.
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

fn failure_of(n: i64) -> Value {
    json!({
        "executionId": format!("run-{n:02}"), "startTime": time(n * MINUTE + 10),
        "errorMessage": format!("no stock in {n}"),
    })
}

/// Twenty runs of `flow-1`, of which the second step of every fifth failed, and a failed step
/// of another flow.
async fn with_failures() -> (TestApp, String) {
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
    (app, token)
}

#[tokio::test]
async fn steps_are_ordered_by_failures_with_the_last_one() {
    let (app, token) = with_failures().await;
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
    let failures: Vec<_> = [18, 13, 8, 3].into_iter().map(failure_of).collect();
    assert_eq!(
        steps[0],
        json!({
            "stepId": "second", "name": "Do second", "action": "HTTP",
            "totalExecutions": 20, "passed": 16, "failed": 4, "skipped": 0,
            "successRate": "80.0%",
            "totalTimeMs": 21_000, "averageTimeMs": 1_050,
            "durationPercentiles": {"p50Ms": 1_000, "p95Ms": 1_900, "p99Ms": 2_000},
            "maxTimeMs": 2_000,
            "failedFirst": 4,
            "lastFailure": failure_of(18),
            "failures": failures,
        })
    );
    assert_eq!(body["filters"]["flowId"], "flow-1");
    // The list, and one request for each run.
    assert_eq!(answer.usage.requests, 21);
}

#[tokio::test]
async fn skipped_and_open_steps_have_no_rate_or_duration() {
    let (app, token) = with_failures().await;
    let stats = app.get(&token, PATH).await.ok()["stats"].take();
    let third = &stats["steps"][2];
    assert_eq!(third["name"], "Do third");
    assert_eq!(
        third["totalExecutions"], 16,
        "skipped steps are not executions"
    );
    assert_eq!(third["skipped"], 4);
    assert_eq!(third["successRate"], Value::Null, "no third step has ended");
    for unknown in [
        "averageTimeMs",
        "durationPercentiles",
        "maxTimeMs",
        "lastFailure",
    ] {
        assert_eq!(third[unknown], Value::Null, "{unknown}");
    }
}

#[tokio::test]
async fn only_the_requested_number_of_newest_runs_is_read() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write((0..30).flat_map(|n| run(n, 100 * (n + 1), None)))
        .await;
    for (runs, exact) in [(1, false), (29, false), (30, true), (500, true)] {
        let stats = app.get(&token, &format!("{PATH}&runs={runs}")).await.ok()["stats"].take();
        let read = runs.min(30);
        assert_eq!(stats["runs"], read);
        let is_exact = stats.get("totalIsExact").cloned();
        assert_eq!(is_exact, (!exact).then_some(json!(false)), "{runs}");
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
async fn branch_steps_count_and_steps_without_an_id_use_their_name() {
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
async fn the_flow_is_required_and_the_number_of_runs_is_checked() {
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
async fn unusual_durations_names_and_errors_are_limited() {
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
    let failed = |step: &Value| (step["stepId"].clone(), step["failed"].clone());
    assert_eq!(failed(&steps[0]), (Value::Null, 2.into()));
    assert_eq!(failed(&steps[1]), ("HTTP".into(), 1.into()));
    // An implausible duration is replaced by the time from start to end.
    assert_eq!(steps[0]["totalTimeMs"], 10);
    let error = steps[0]["lastFailure"]["errorMessage"]
        .as_str()
        .expect("a text");
    assert_eq!(error.len(), 4_000);
    assert!(long.starts_with(error));
}

/// A run whose fork fails because a step of its branch fails. The fork ends `ends`
/// milliseconds after its start. With `later`, a top-level step fails afterwards.
fn forked(id: &str, at: i64, ends: i64, later: bool) -> Vec<Item> {
    let fork = ForkKey {
        execution_id: id,
        id: "fork-1",
        offset: at,
    };
    let failed = |name: &str, end: i64| json!({"stepId": name, "status": "FAILED", "endTime": time(end), "errorMessage": name});
    let mut items = vec![
        execution(id, json!({"createdAt": time(at)})),
        step(id, "fork-1", at, failed("fork", at + ends)),
        branch_step(&fork, "branch-1", "b1", at, failed("reserve", at + 50)),
    ];
    if later {
        items.push(step(id, "after", at + 60, failed("clean-up", at + 90)));
    }
    items
}

#[tokio::test]
async fn the_first_failed_step_is_distinguished_from_its_fork() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(forked("run-1", 0, 80, false)).await;
    // The fork and the step start and end in the same millisecond.
    app.write(forked("run-2", MINUTE, 50, true)).await;
    app.write(forked("run-3", 2 * MINUTE, 51, true)).await;
    let stats = app.get(&token, PATH).await.ok()["stats"].take();
    let steps = stats["steps"].as_array().expect("steps");
    let mut first: Vec<_> = steps
        .iter()
        .map(|step| {
            (
                step["stepId"].as_str(),
                step["failed"].as_u64(),
                step["failedFirst"].as_u64(),
            )
        })
        .collect();
    first.sort_unstable();
    assert_eq!(
        first,
        [
            (Some("clean-up"), Some(2), Some(0)),
            (Some("fork"), Some(3), Some(0)),
            (Some("reserve"), Some(3), Some(3)),
        ]
    );
}

#[tokio::test]
async fn the_twenty_newest_failures_of_a_step_are_listed() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let long = "x".repeat(1_000);
    app.write((0..25).flat_map(|n| run(n, 10, Some(&long))))
        .await;
    // The last failure of a run is the newest.
    let again = json!({"stepId": "second", "status": "FAILED", "errorMessage": "again"});
    app.write([step("run-24", "z", 24 * MINUTE + 30, again)])
        .await;
    let stats = app.get(&token, PATH).await.ok()["stats"].take();
    let second = &stats["steps"][0];
    assert_eq!(second["failed"], 26);
    let failures = second["failures"].as_array().expect("failures");
    let runs: Vec<_> = failures
        .iter()
        .map(|failure| failure["executionId"].as_str().expect("a run"))
        .collect();
    let newest: Vec<_> = (6..25).rev().map(|n| format!("run-{n:02}")).collect();
    assert_eq!(runs[0], "run-24");
    assert_eq!(runs[1..], newest);
    assert_eq!(failures[0]["errorMessage"], "again");
    assert_eq!(
        failures[1]["errorMessage"].as_str().map(str::len),
        Some(300)
    );
    assert_eq!(second["lastFailure"]["errorMessage"], "again");
}
