//! Records with unusual values that engines write. Every API shows them in the same way.

use serde_json::{Value, json};
use shared::auth::Role;
use shared::labels;
use shared::model::TeamId;

use crate::support::TestApp;
use crate::support::records::{
    ForkKey, branch_step, execution, payload_parts, step, step_path, time,
};

const UNFINISHED: &str = "The step did not finish: its run ended before it.";

const FORK: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "fork",
    offset: 100,
};

/// A run that ended with this status at 2,400 ms, and has open steps at the top and in a
/// branch.
async fn with_open_steps(status: &str) -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let open = json!({"status": "RUNNING", "endTime": null});
    app.write([
        execution("run-1", json!({"status": status})),
        step("run-1", "fork", 100, json!({})),
        step("run-1", "open", 400, open.clone()),
        branch_step(&FORK, "branch-1", "inner", 500, open),
        step(
            "run-1",
            "waiting",
            600,
            json!({"status": "PENDING", "endTime": null}),
        ),
    ])
    .await;
    app.count().await;
    (app, token)
}

/// The members of a step with its status, error, end and duration.
fn shown(step: &Value, names: [&str; 4]) -> [Value; 4] {
    names.map(|name| step[name].clone())
}

fn find<'a>(steps: &'a Value, member: &str, id: &str) -> &'a Value {
    let steps = steps.as_array().expect("steps");
    let step = steps.iter().find(|step| step[member] == id);
    step.unwrap_or_else(|| panic!("no {id} in {steps:?}"))
}

#[tokio::test]
async fn open_steps_of_an_ended_run_are_shown_as_ended() {
    for (run, word, message) in [
        ("FAILED", "FAILED", json!(UNFINISHED)),
        ("COMPLETED", "CANCELLED", json!(UNFINISHED)),
        ("CANCELLED", "CANCELLED", Value::Null),
    ] {
        let (app, token) = with_open_steps(run).await;
        let expected = [
            json!(word),
            message.clone(),
            json!(time(2_400)),
            json!(2_000),
        ];
        let in_branch = [json!(word), message, json!(time(2_400)), json!(1_900)];
        let names = ["status", "errorMessage", "endTime", "durationMs"];

        let details = app.get(&token, "/flow-executions/run-1").await.ok();
        let steps = &details["data"]["steps"];
        assert_eq!(
            shown(find(steps, "stepInstanceId", "open"), names),
            expected,
            "{run}"
        );
        assert_eq!(
            find(steps, "stepInstanceId", "waiting")["status"],
            "CANCELLED"
        );
        let one = app.get(&token, &step_path("run-1", "open", 400)).await.ok();
        assert_eq!(shown(&one["data"], names), expected, "{run}");
        let branches = app.get(&token, &FORK.branch_steps_path()).await.ok();
        let inner = &branches["data"]["branch-1"]["steps"][0];
        assert_eq!(shown(inner, names), in_branch, "{run}");

        let nodes = app.get(&token, "/api/executions/run-1").await.ok()["nodeExecutions"].take();
        let names = ["status", "errorMessage", "completedAt", "durationMs"];
        assert_eq!(shown(find(&nodes, "id", "open"), names), expected, "{run}");
        assert_eq!(
            shown(find(&nodes, "id", "inner"), names),
            in_branch,
            "{run}"
        );

        let path = "/api/history/executions/run-1";
        let history = app.get(&token, path).await.ok()["execution"].take();
        let open = find(&history["steps"], "id", "open");
        assert_eq!(open["status"], word, "{run}");
        assert_eq!(open["durationMs"], 2_000, "{run}");
        let list = app.get(&token, "/api/history/executions").await.ok();
        let open = find(&list["executions"][0]["steps"], "id", "open").clone();
        assert_eq!(
            (&open["status"], &open["durationMs"]),
            (&json!(word), &json!(2_000))
        );
    }
}

#[tokio::test]
async fn open_steps_of_an_ended_run_are_exported_as_ended() {
    for (run, word, error, failed) in [
        ("FAILED", "FAILED", UNFINISHED, 1),
        ("COMPLETED", "CANCELLED", UNFINISHED, 0),
        ("CANCELLED", "CANCELLED", "", 0),
    ] {
        let (app, token) = with_open_steps(run).await;
        let path = "/api/executions/team/team-a/export?from=2026-02-17";
        let csv = app.get(&token, path).await.body;
        let row = csv.lines().find(|row| row.contains("open-definition"));
        let (start, end) = (time(400), time(2_400));
        let cells = format!("Step open,{word},{start},{end},2000,{error},,,");
        assert!(row.expect("a row").ends_with(&cells), "{csv}");
        let file = app.get(&token, &format!("{path}&format=json")).await.ok();
        let node = find(&file[0]["nodeExecutions"], "nodeId", "open-definition").clone();
        assert_eq!(
            (&node["status"], &node["durationMs"]),
            (&json!(word), &json!(2_000))
        );

        let path = "/api/history/step-stats?flowId=flow-1&startDate=2026-02-17";
        let steps = app.get(&token, path).await.ok()["stats"]["steps"].take();
        let figures = find(&steps, "stepId", "open-definition");
        assert_eq!(
            (&figures["totalExecutions"], &figures["failed"]),
            (&json!(1), &json!(failed))
        );
        let rate = if failed == 1 {
            json!("0.0%")
        } else {
            Value::Null
        };
        assert_eq!(figures["successRate"], rate, "{run}");
    }
}

#[tokio::test]
async fn lone_surrogates_are_returned_as_replacement_characters() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let json = br#"{"\ud83d":"cut \uD83D","whole":"\ud83d\ude00"}"#;
    let mut items = vec![
        execution("run-1", json!({})),
        step("run-1", "s", 400, json!({"input": null, "output": null})),
    ];
    for name in ["input", "context", "data", "step:s:input"] {
        items.extend(payload_parts("run-1", name, json, "json", 9));
    }
    let packed = zstd::encode_all(&json[..], 3).expect("zstd");
    items.extend(payload_parts(
        "run-1",
        "step:s:output",
        &packed,
        "json+zstd",
        1_000,
    ));
    app.write(items).await;
    // `serde_json` and other strict readers refuse lone surrogates.
    let expected = json!({"\u{FFFD}": "cut \u{FFFD}", "whole": "\u{1F600}"});
    let details = app.get(&token, "/flow-executions/run-1").await.ok()["data"].take();
    assert_eq!(details["resolvedFinalContextData"], expected);
    assert_eq!(details["steps"][0]["input"], expected);
    assert_eq!(details["steps"][0]["output"], expected);
    let one = app.get(&token, &step_path("run-1", "s", 400)).await.ok();
    assert_eq!(one["data"]["output"], expected);
    let whole = app.get(&token, "/api/executions/run-1").await.ok();
    assert_eq!(whole["inputData"], expected);
    assert_eq!(whole["nodeExecutions"][0]["inputData"], expected);
    let history = app.get(&token, "/api/history/executions/run-1").await.ok();
    assert_eq!(history["execution"]["executionData"], expected);
    // A caller without the permission to reveal sees the same.
    let viewer = app.viewer("team-a").await;
    let whole = app.get(&viewer, "/api/executions/run-1").await.ok();
    assert_eq!(whole["inputData"], expected);
}

#[tokio::test]
async fn number_and_boolean_labels_are_found_and_shown_as_text() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let labels = json!({"orderId": 42, "price": -0.5, "urgent": true, "tags": ["a"], "none": null});
    app.write([
        execution("run-1", json!({"labels": labels})),
        execution("run-2", json!({"labels": {"orderId": "42"}})),
        execution("run-3", json!({"labels": {"orderId": 43, "urgent": false}})),
    ])
    .await;
    app.count().await;
    for (label, found) in [
        ("orderId=42", ["run-2", "run-1"].as_slice()),
        ("orderId=43", &["run-3"]),
        ("price=-0.5", &["run-1"]),
        ("urgent=true", &["run-1"]),
        ("urgent=false", &["run-3"]),
        ("orderId=4", &[]),
    ] {
        let path = format!("/api/history/executions?lite=true&extended=true&label={label}");
        let list = app.get(&token, &path).await.ok();
        let runs = list["executions"].as_array().expect("runs");
        let ids: Vec<_> = runs
            .iter()
            .map(|run| run["id"].as_str().expect("an id"))
            .collect();
        assert_eq!(ids, found, "{label}");
    }
    let shown = json!({"orderId": "42", "price": "-0.5", "urgent": "true"});
    let details = app.get(&token, "/flow-executions/run-1").await.ok();
    assert_eq!(details["data"]["metadata"]["labels"], shown);
    // Entering the labels again finds nothing to enter.
    let team: TeamId = "team-a".parse().expect("a team");
    let entered = labels::enter_all(&app.store, Some(&team)).await;
    assert_eq!(entered.expect("entered"), 0);
}

#[tokio::test]
async fn implausible_durations_are_ignored() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let lasts = |id: &str, ms: Value| execution(id, json!({"durationMs": ms}));
    app.write([
        lasts("run-1", json!(1_771_324_200_000_i64)),
        lasts("run-2", json!(-5)),
        lasts("run-3", json!(1e30)),
        lasts("run-4", json!(100)),
        execution("run-5", json!({"durationMs": 1e12, "startTime": null})),
    ])
    .await;
    app.count().await;
    let path = "/api/history/execution-stats?startDate=2026-02-17&endDate=2026-02-17";
    let stats = app.get(&token, path).await.ok()["stats"].take();
    // Three runs with 2,350 ms from start to end, and one with 100 ms.
    assert_eq!(stats["averageExecutionTimeMs"], (3 * 2_350 + 100 + 2) / 4);
    assert_eq!(stats["totalExecutions"], 5);
    let list = app.get(&token, "/api/executions/team/team-a").await.ok();
    for run in list["content"].as_array().expect("runs") {
        let expected = match run["id"].as_str() {
            Some("run-4") => json!(100),
            Some("run-5") => Value::Null,
            _ => json!(2_350),
        };
        assert_eq!(run["durationMs"], expected, "{run}");
    }
    assert_eq!(app.verify().await.differences, []);
}

#[tokio::test]
async fn whole_number_versions_are_numbers_in_the_executions_api() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    for (written, shown) in [
        (json!("3"), json!(3)),
        (json!(3), json!(3)),
        (json!("2.1"), json!("2.1")),
        (json!(2.5), json!(2.5)),
        (json!("v3"), json!("v3")),
        (json!("03"), json!("03")),
        (json!(true), Value::Null),
        (Value::Null, Value::Null),
    ] {
        app.write([execution("run-1", json!({"flowVersion": written.clone()}))])
            .await;
        let whole = app.get(&token, "/api/executions/run-1").await.ok();
        assert_eq!(whole["workflowVersion"], shown, "{written}");
        let details = app.get(&token, "/flow-executions/run-1").await.ok();
        let as_written = if shown.is_null() {
            Value::Null
        } else {
            written.clone()
        };
        assert_eq!(details["data"]["metadata"]["flowVersion"], as_written);
    }
}

#[tokio::test]
async fn the_success_rate_is_null_until_a_run_ends() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let rate = async || {
        let path = "/api/history/execution-stats?startDate=2026-02-17";
        app.get(&token, path).await.ok()["stats"]["successRate"].take()
    };
    assert_eq!(rate().await, Value::Null);
    let open = json!({"status": "RUNNING", "endTime": null});
    app.write([
        execution("run-1", open),
        execution("run-2", json!({"status": "CANCELLED"})),
    ])
    .await;
    app.count().await;
    assert_eq!(rate().await, Value::Null);
    app.write([execution("run-3", json!({"status": "FAILED"}))])
        .await;
    app.count().await;
    assert_eq!(rate().await, "0.0%");
    app.write([execution("run-4", json!({}))]).await;
    app.count().await;
    assert_eq!(rate().await, "50.0%");
}
