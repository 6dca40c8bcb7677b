//! Cancelling the runs below a run.

use serde_json::json;
use shared::auth::Role;

use super::{cancel, open, subflow};
use crate::support::records::execution;
use crate::support::{TestApp, token_id};

/// `root` with open runs below it on three levels, one of them below an ended run, and runs
/// that are not below it.
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
        // Two runs that are each other's parent, as a faulty engine may write them.
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
        "The run x, which this run belongs to, was cancelled."
    );
}

#[tokio::test]
async fn a_limited_token_cancels_runs_below_in_other_flows() {
    let app = with_tree().await;
    let token = app.token("team-a", Role::Operator, Some(&["flow-1"])).await;
    assert_eq!(cancel(&app, &token, "root", "").await.status, 200);
    assert_eq!(app.item("a").await["status"], "CANCELLED");
    assert_eq!(app.item("a").await["flowId"], "flow-2");
}

#[tokio::test]
async fn the_stream_or_a_second_call_finishes_an_interrupted_cancel() {
    for is_called_again in [false, true] {
        let app = with_tree().await;
        // The state that a request leaves if it ends after its first write.
        app.write([open(
            "root",
            json!({"status": "CANCELLED", "cancelledBy": "token:1", "cancelReason": "first"}),
        )])
        .await;
        // Each run has the id of the caller that cancelled it.
        let (by, reason) = if is_called_again {
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
async fn a_cancel_by_the_engine_does_not_reach_runs_below() {
    let app = with_tree().await;
    app.write([open("root", json!({"status": "CANCELLED"}))])
        .await;
    let token = app.token("team-a", Role::Operator, None).await;
    assert_eq!(cancel(&app, &token, "root", "").await.problem().0, 409);
    assert_eq!(app.reap().await.cancelled, 0);
    assert_eq!(app.item("a").await["status"], "RUNNING");
}
