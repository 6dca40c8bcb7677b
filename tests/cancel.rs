//! Cancelling: who wins, what is written, and what lies below.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::model::Timestamp;
use shared::store::key;
use shared::table::text;

use crate::support::records::{ForkKey, branch_step, execution, step, time};
use crate::support::{Answer, TestApp, token_id};

async fn cancel(app: &TestApp, token: &str, id: &str, body: &str) -> Answer {
    let path = format!("/api/executions/{id}/cancel");
    app.call(Method::POST, token, &path, body).await
}

/// A run that is in progress.
fn open(id: &str, attributes: Value) -> shared::model::Item {
    let mut own = json!({"status": "RUNNING", "endTime": null});
    let members = own.as_object_mut().expect("an object");
    members.extend(attributes.as_object().expect("an object").clone());
    execution(id, own)
}

fn subflow(id: &str, parent: &str) -> shared::model::Item {
    open(
        id,
        json!({"executionType": "SUBFLOW", "parentExecutionId": parent, "flowId": "flow-2"}),
    )
}

#[tokio::test]
async fn an_open_run_is_cancelled_with_who_and_when_and_why() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    let by = format!("token:{}", token.split('_').nth(1).expect("an id"));
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
        assert_eq!(item["durationMs"], Value::Null, "what was written before");
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
async fn a_run_that_has_ended_stays_as_it_is_and_the_answer_names_what_won() {
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
async fn what_cannot_be_cancelled_says_why() {
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

/// `root` with open runs on three levels, one of them below a run that has ended,
/// and runs that are not below it.
async fn with_tree() -> TestApp {
    let app = TestApp::new().await;
    app.write([
        open("root", json!({})),
        subflow("a", "root"),
        subflow("a-a", "a"),
        subflow("a-a-a", "a-a"),
        execution(
            "ended",
            json!({"executionType": "SUBFLOW", "parentExecutionId": "root"}),
        ),
        subflow("below-ended", "ended"),
        // Its own grandparent, as a confused engine may have it.
        subflow("x", "y"),
        subflow("y", "x"),
        subflow("other", "another-root"),
        open(
            "theirs",
            json!({"teamId": "team-b", "parentExecutionId": "root"}),
        ),
    ])
    .await;
    app
}

#[tokio::test]
async fn the_open_runs_below_are_cancelled_on_all_levels() {
    let app = with_tree().await;
    let token = app.token("team-a", Role::Operator, None).await;
    let answer = cancel(&app, &token, "root", r#"{"reason": "no more"}"#).await;
    assert_eq!(answer.status, 200);
    let by = app.item("root").await["cancelledBy"].clone();
    for id in ["a", "a-a", "a-a-a", "below-ended"] {
        let item = app.item(id).await;
        assert_eq!(item["status"], "CANCELLED", "{id}");
        assert_eq!(
            (&item["cancelledBy"], &item["cancelReason"]),
            (&by, &json!("no more"))
        );
    }
    assert_eq!(app.item("ended").await["status"], "COMPLETED");
    for id in ["other", "theirs", "x"] {
        assert_eq!(app.item(id).await["status"], "RUNNING", "{id}");
    }
    assert_eq!(cancel(&app, &token, "x", "").await.status, 200);
    let item = app.item("y").await;
    assert_eq!(item["status"], "CANCELLED");
    assert_eq!(
        item["cancelReason"],
        "The run x, to which this one belongs, was cancelled."
    );
}

#[tokio::test]
async fn a_sub_flow_without_room_for_it_does_not_keep_the_others_from_being_cancelled() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    let mut full = subflow("full", "root");
    let room = 409_600 - 400;
    full.insert("errorMessage".to_owned(), text("x".repeat(room)));
    let others = (0..40).map(|number| subflow(&format!("sub-{number}"), "root"));
    app.write([open("root", json!({}))]).await;
    app.store.put(full).await.expect("written");
    app.write(others).await;
    let reason = format!(r#"{{"reason": "{}"}}"#, "r".repeat(500));
    assert_eq!(cancel(&app, &token, "root", &reason).await.status, 200);
    for number in 0..40 {
        let item = app.item(&format!("sub-{number}")).await;
        assert_eq!(item["status"], "CANCELLED", "{number}");
    }
    assert_eq!(app.item("full").await["status"], "RUNNING");
    // Nor does it stop what follows the stream.
    app.reap().await;
}

#[tokio::test]
async fn a_token_limited_to_a_runs_flow_cancels_what_that_run_has_started_in_others() {
    let app = with_tree().await;
    let token = app.token("team-a", Role::Operator, Some(&["flow-1"])).await;
    assert_eq!(cancel(&app, &token, "root", "").await.status, 200);
    assert_eq!(app.item("a").await["status"], "CANCELLED");
    assert_eq!(app.item("a").await["flowId"], "flow-2");
}

#[tokio::test]
async fn a_cancel_that_was_cut_off_is_finished_by_the_stream_or_by_a_second_call() {
    for is_asked_again in [false, true] {
        let app = with_tree().await;
        // What a request that ended after its first write leaves behind.
        app.write([open(
            "root",
            json!({"status": "CANCELLED", "cancelledBy": "token:1", "cancelReason": "first"}),
        )])
        .await;
        // Each run names the one who cancelled it.
        let (by, reason) = if is_asked_again {
            let token = app.token("team-a", Role::Operator, None).await;
            let answer = cancel(&app, &token, "root", r#"{"reason": "second"}"#).await;
            assert_eq!(answer.problem().0, 409);
            (format!("token:{}", token_id(&token)), "second")
        } else {
            assert!(app.reap().await.cancelled >= 1);
            ("token:1".to_owned(), "first")
        };
        for id in ["a", "a-a", "a-a-a", "below-ended"] {
            let item = app.item(id).await;
            assert_eq!(item["status"], "CANCELLED", "{id}");
            assert_eq!(item["cancelledBy"], by);
            assert_eq!(item["cancelReason"], reason);
        }
        assert_eq!(app.item("other").await["status"], "RUNNING");
    }
}

#[tokio::test]
async fn a_run_that_its_engine_cancelled_leaves_those_below_to_the_engine() {
    let app = with_tree().await;
    app.write([open("root", json!({"status": "CANCELLED"}))])
        .await;
    let token = app.token("team-a", Role::Operator, None).await;
    assert_eq!(cancel(&app, &token, "root", "").await.problem().0, 409);
    assert_eq!(app.reap().await.cancelled, 0);
    assert_eq!(app.item("a").await["status"], "RUNNING");
}

#[tokio::test]
async fn a_step_still_open_is_shown_as_cancelled_with_its_run_everywhere() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork",
        offset: 200,
    };
    let is_open = json!({"status": "RUNNING", "endTime": null, "durationMs": null});
    app.write([
        open("run-1", json!({})),
        step("run-1", "done", 100, json!({})),
        step("run-1", "fork", 200, is_open.clone()),
        branch_step(&fork, "branch", "inner", 210, is_open.clone()),
    ])
    .await;
    let shown = async || {
        let flow = app.get(&token, "/flow-executions/run-1").await.ok();
        let branch = app.get(&token, &fork.branch_steps_path()).await.ok();
        let whole = app.get(&token, "/api/executions/run-1").await.ok();
        let history = app.get(&token, "/api/history/executions/run-1").await.ok();
        let list = app.get(&token, "/api/history/executions").await.ok();
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
    };
    let before = shown().await;
    assert_eq!(before[0], ["COMPLETED", "RUNNING"]);
    assert_eq!(before[1], ["RUNNING"]);
    assert_eq!(cancel(&app, &token, "run-1", "").await.status, 200);
    let after = shown().await;
    assert_eq!(after[0], ["COMPLETED", "CANCELLED"]);
    assert_eq!(after[1], ["CANCELLED"]);
    assert_eq!(after[2], ["SUCCESS", "CANCELLED", "CANCELLED"]);
    assert_eq!(after[3], ["PASSED", "CANCELLED"]);
    assert_eq!(after[4], ["PASSED", "CANCELLED"]);
    let flow = app.get(&token, "/flow-executions/run-1").await.ok();
    let (metadata, fork) = (&flow["data"]["metadata"], &flow["data"]["steps"][1]);
    assert_eq!(fork["endTime"], metadata["endTime"]);
}

/// The engine's end of a run, as docs/record-format.md has it. `true` if it won.
async fn complete(app: &TestApp, id: &str) -> bool {
    let answer = app
        .store
        .client()
        .update_item()
        .table_name(app.store.table())
        .set_key(Some(key(format!("EXEC#{id}"), "EXECUTION")))
        .update_expression("SET #status = :completed, endTime = :end")
        .condition_expression("#status IN (:pending, :running)")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":completed", text("COMPLETED"))
        .expression_attribute_values(":pending", text("PENDING"))
        .expression_attribute_values(":running", text("RUNNING"))
        .expression_attribute_values(":end", text(time(2_400)))
        .send()
        .await;
    answer.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_completion_and_a_cancel_exactly_one_wins_a_thousand_times() {
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
                // Neither is always the first.
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
        assert_ne!(answer.status == 200, has_completed, "{id}: exactly one");
        let expected = if has_completed {
            "COMPLETED"
        } else {
            "CANCELLED"
        };
        assert_eq!(app.item(&id).await["status"], expected, "{id}");
    }
    println!("of {RUNS} races the cancel won {cancelled}");
    assert!((1..RUNS).contains(&cancelled), "a race has two ends");
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
    let path = "/api/history/execution-stats?startDate=2026-02-01";
    let stats = app.get(&token, path).await.ok()["stats"]["statusBreakdown"].take();
    let count = |word: &str| stats[word].as_u64().unwrap_or_default() as usize;
    assert_eq!(count("CANCELLED"), cancelled);
    assert_eq!(count("PASSED"), RUNS - cancelled);
}
