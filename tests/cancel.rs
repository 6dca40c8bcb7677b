//! Cancelling runs.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use shared::attributes::text;
use shared::auth::Role;
use shared::keys::key;
use shared::model::{Item, Timestamp};

use crate::support::records::{ForkKey, branch_step, execution, step, time};
use crate::support::{Answer, TestApp, token_id};

mod full_records;
mod runs_below;

async fn cancel(app: &TestApp, token: &str, id: &str, body: &str) -> Answer {
    let path = format!("/api/executions/{id}/cancel");
    app.call(Method::POST, token, &path, body).await
}

/// A run that is in progress.
fn open(id: &str, attributes: Value) -> Item {
    let mut own = json!({"status": "RUNNING", "endTime": null});
    let members = own.as_object_mut().expect("an object");
    members.extend(attributes.as_object().expect("an object").clone());
    execution(id, own)
}

fn subflow(id: &str, parent: &str) -> Item {
    open(
        id,
        json!({"executionType": "SUBFLOW", "parentExecutionId": parent, "flowId": "flow-2"}),
    )
}

#[tokio::test]
async fn a_cancel_records_the_caller_the_time_and_the_reason() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    let by = format!("token:{}", token_id(&token));
    app.write([
        open("running", json!({"durationMs": 17})),
        open("pending", json!({"status": "PENDING", "startTime": null})),
    ])
    .await;
    let before = Timestamp::now().to_string();
    for (id, body, reason) in [
        (
            "running",
            r#"{"reason": "The order was withdrawn 🚫", "other": 1}"#,
            json!("The order was withdrawn 🚫"),
        ),
        ("pending", "", Value::Null),
    ] {
        let answer = cancel(&app, &token, id, body).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
        assert!(!answer.headers.contains_key("content-type"));
        let item = app.item(id).await;
        assert_eq!(item["status"], "CANCELLED", "{id}");
        assert_eq!(item["cancelledBy"], by, "{id}");
        assert_eq!(item["cancelReason"], reason, "{id}");
        assert_eq!(
            item["durationMs"],
            Value::Null,
            "the earlier value is removed"
        );
        let end = item["endTime"].as_str().expect("a time").to_owned();
        assert!((before.clone()..=Timestamp::now().to_string()).contains(&end));
        let metadata = app.get(&token, &format!("/flow-executions/{id}")).await;
        let metadata = metadata.ok()["data"]["metadata"].take();
        assert_eq!(metadata["cancelledBy"], by);
        assert_eq!(metadata["cancelReason"], reason);
    }
    let list = app.get(&token, "/api/executions/team/team-a?status=CANCELLED");
    assert_eq!(list.await.ok()["totalElements"], 2);
}

#[tokio::test]
async fn an_ended_run_is_unchanged_and_the_answer_has_its_status() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    for (status, word) in [
        ("COMPLETED", "SUCCESS"),
        ("FAILED", "FAILED"),
        ("CANCELLED", "CANCELLED"),
        ("PAUSED", "in an unknown state"),
    ] {
        app.write([execution("ended", json!({"status": status}))])
            .await;
        let before = app.item("ended").await;
        let answer = cancel(&app, &token, "ended", r#"{"reason": "late"}"#).await;
        assert_eq!(
            answer.problem(),
            (409, "EXECUTION_NOT_CANCELLABLE".to_owned())
        );
        let message = answer.json()["message"].to_string();
        assert!(
            message.contains(&format!("Execution ended is {word}.")),
            "{message}"
        );
        assert_eq!(app.item("ended").await, before);
    }
}

#[tokio::test]
async fn unknown_and_forbidden_runs_are_not_cancelled() {
    let app = TestApp::new().await;
    let now = Timestamp::now().seconds();
    app.write([
        open("run-1", json!({})),
        open("expired", json!({"expiresAt": now - 10})),
        open("theirs", json!({"teamId": "team-b"})),
    ])
    .await;
    let operator = app.token("team-a", Role::Operator, None).await;
    let viewer = app.viewer("team-a").await;
    let limited = app.token("team-a", Role::Admin, Some(&["flow-2"])).await;
    for (token, id, expected) in [
        (&operator, "unknown", (404, "EXECUTION_NOT_FOUND")),
        (&operator, "expired", (404, "EXECUTION_NOT_FOUND")),
        (&operator, "theirs", (404, "EXECUTION_NOT_FOUND")),
        (&operator, "a%23b", (400, "INVALID_PARAMETER")),
        (&viewer, "run-1", (403, "FORBIDDEN")),
        (&limited, "run-1", (403, "FORBIDDEN")),
    ] {
        let answer = cancel(&app, token, id, "").await;
        let (status, code) = expected;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{id}");
    }
    assert_eq!(app.item("run-1").await["status"], "RUNNING");
}

#[tokio::test]
async fn an_invalid_reason_is_refused() {
    let app = TestApp::new().await;
    app.write([open("run-1", json!({}))]).await;
    let operator = app.token("team-a", Role::Operator, None).await;
    let long = format!(r#"{{"reason": "{}"}}"#, "ä".repeat(501));
    for (body, parameter) in [
        ("{", "body"),
        ("[]", "body"),
        ("why", "body"),
        (r#"{"reason": 5}"#, "body"),
        (r#"{"reason": ""}"#, "reason"),
        (r#"{"reason": " \n "}"#, "reason"),
        (long.as_str(), "reason"),
    ] {
        let answer = cancel(&app, &operator, "run-1", body).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{body}"
        );
        assert_eq!(answer.json()["parameter"], parameter, "{body}");
    }
    assert_eq!(app.item("run-1").await["status"], "RUNNING");
    let longest = format!(r#"{{"reason": "{}"}}"#, "ä".repeat(500));
    assert_eq!(cancel(&app, &operator, "run-1", &longest).await.status, 200);
    let null = r#"{"reason": null}"#;
    app.write([open("run-1", json!({}))]).await;
    assert_eq!(cancel(&app, &operator, "run-1", null).await.status, 200);
}

const FORK: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "fork",
    offset: 200,
};

/// The statuses of the steps of `run-1` in five responses.
async fn shown_statuses(app: &TestApp, token: &str) -> [Vec<String>; 5] {
    let flow = app.get(token, "/flow-executions/run-1").await.ok();
    let branch = app.get(token, &FORK.branch_steps_path()).await.ok();
    let whole = app.get(token, "/api/executions/run-1").await.ok();
    let history = app.get(token, "/api/history/executions/run-1").await.ok();
    let list = app.get(token, "/api/history/executions").await.ok();
    let statuses = |steps: &Value| -> Vec<String> {
        let steps = steps.as_array().expect("steps");
        let status = |step: &Value| step["status"].as_str().expect("a word").to_owned();
        steps.iter().map(status).collect()
    };
    [
        statuses(&flow["data"]["steps"]),
        statuses(&branch["data"]["branch"]["steps"]),
        statuses(&whole["nodeExecutions"]),
        statuses(&history["execution"]["steps"]),
        statuses(&list["executions"][0]["steps"]),
    ]
}

#[tokio::test]
async fn open_steps_of_a_cancelled_run_are_shown_as_cancelled() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    let is_open = json!({"status": "RUNNING", "endTime": null, "durationMs": null});
    app.write([
        open("run-1", json!({})),
        step("run-1", "done", 100, json!({})),
        step("run-1", "fork", 200, is_open.clone()),
        branch_step(&FORK, "branch", "inner", 210, is_open.clone()),
    ])
    .await;
    let before = shown_statuses(&app, &token).await;
    assert_eq!(before[0], ["COMPLETED", "RUNNING"]);
    assert_eq!(before[1], ["RUNNING"]);
    assert_eq!(cancel(&app, &token, "run-1", "").await.status, 200);
    let after = shown_statuses(&app, &token).await;
    assert_eq!(after[0], ["COMPLETED", "CANCELLED"]);
    assert_eq!(after[1], ["CANCELLED"]);
    assert_eq!(after[2], ["SUCCESS", "CANCELLED", "CANCELLED"]);
    assert_eq!(after[3], ["PASSED", "CANCELLED"]);
    assert_eq!(after[4], ["PASSED", "CANCELLED"]);
    let flow = app.get(&token, "/flow-executions/run-1").await.ok();
    let (metadata, fork) = (&flow["data"]["metadata"], &flow["data"]["steps"][1]);
    assert_eq!(fork["endTime"], metadata["endTime"]);
}

/// Completes a run as docs/record-format.md describes. `true` if the run was still open.
async fn complete(app: &TestApp, id: &str) -> bool {
    let answer = app
        .store
        .client()
        .update_item()
        .table_name(app.store.table())
        .set_key(Some(key(format!("EXEC#{id}"), "EXECUTION")))
        .update_expression("SET #status = :completed, endTime = :end")
        .condition_expression("teamId = :team AND #status IN (:pending, :running)")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":team", text("team-a"))
        .expression_attribute_values(":pending", text("PENDING"))
        .expression_attribute_values(":running", text("RUNNING"))
        .expression_attribute_values(":completed", text("COMPLETED"))
        .expression_attribute_values(":end", text(time(2_400)))
        .send()
        .await;
    answer.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_of_completion_and_cancel_wins() {
    const RUNS: usize = 1_000;
    let app = Arc::new(TestApp::new().await);
    let token = app.token("team-a", Role::Operator, None).await;
    app.write((0..RUNS).map(|number| open(&format!("run-{number}"), json!({}))))
        .await;
    let mut cancelled = 0;
    for number in 0..RUNS {
        let id = format!("run-{number}");
        let engine = tokio::spawn({
            let (app, id) = (app.clone(), id.clone());
            async move {
                // The delay varies, so that each of the two is sometimes first.
                for _ in 0..number % 6 {
                    app.item(&id).await;
                }
                complete(&app, &id).await
            }
        });
        let answer = cancel(&app, &token, &id, "").await;
        let has_completed = engine.await.expect("the engine");
        match answer.status.as_u16() {
            200 => cancelled += 1,
            409 => assert!(answer.body.contains("SUCCESS"), "{}", answer.body),
            other => panic!("{other}: {}", answer.body),
        }
        assert_ne!(
            answer.status == 200,
            has_completed,
            "{id}: exactly one wins"
        );
        let expected = if has_completed {
            "COMPLETED"
        } else {
            "CANCELLED"
        };
        assert_eq!(app.item(&id).await["status"], expected, "{id}");
    }
    println!("of {RUNS} races the cancel won {cancelled}");
    assert!(
        (1..RUNS).contains(&cancelled),
        "each of the two wins sometimes"
    );
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
    let path = "/api/history/execution-stats?startDate=2026-02-01";
    let stats = app.get(&token, path).await.ok()["stats"]["statusBreakdown"].take();
    let count = |word: &str| stats[word].as_u64().unwrap_or_default() as usize;
    assert_eq!(count("CANCELLED"), cancelled);
    assert_eq!(count("PASSED"), RUNS - cancelled);
}
