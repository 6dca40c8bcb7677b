//! Deletion of one run.

use serde_json::json;
use shared::auth::Role;
use shared::change::Change;
use shared::model::{Status, Timestamp};
use shared::operations::{self, Cancelled};
use shared::run_changes::Reaper;
use shared::store::Store;

use super::{NOTHING, admin, run_records, sized, total};
use crate::support::TestApp;
use crate::support::faults::{Fault, Faulty};
use crate::support::records::{ForkKey, branch_step, execution, step, time};

#[tokio::test]
async fn a_deleted_run_is_hidden_immediately_and_removed_later() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(run_records("run-1", json!({"deviceId": "device-1"})))
        .await;
    app.write(run_records("run-2", json!({"createdAt": time(1)})))
        .await;
    app.count().await;
    let path = "/api/history/executions/run-1";
    let mut body = app.delete(&token, path).await.ok();
    let timestamp = body["timestamp"].take();
    assert!(timestamp.as_str().expect("a time").ends_with('Z'));
    assert_eq!(
        body,
        json!({
            "success": true,
            "executionId": "run-1",
            "message": "Successfully deleted execution run-1",
            "timestamp": null,
        })
    );
    for list in [
        "/flow-executions?flowDefinitionId=flow-1",
        "/api/executions/team/team-a",
        "/api/history/executions?deviceId=device-1",
    ] {
        let answer = app.get(&token, list).await;
        assert!(!answer.body.contains("run-1"), "{}", answer.body);
    }
    let details = app.get(&token, "/flow-executions/run-1").await;
    assert_eq!(details.problem().0, 404);
    let again = app.delete(&token, path).await;
    assert_eq!(again.problem(), (404, "EXECUTION_NOT_FOUND".to_owned()));
    assert_eq!(app.records_of("run-1").await.len(), 3);

    assert_eq!(app.reap().await.removed, 1);
    assert_eq!(app.records_of("run-1").await, NOTHING);
    assert_eq!(app.records_of("run-2").await.len(), 4);
    app.count().await;
    assert_eq!(total(&app, &token).await, 1);
    assert_eq!(app.verify().await.differences, []);
}

#[tokio::test]
async fn a_deletion_needs_the_id_of_an_existing_run() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(run_records("run-1", json!({}))).await;
    let expired = json!({"expiresAt": Timestamp::now().seconds() - 10});
    app.write(run_records("expired", expired)).await;
    let base = "/api/history/executions";
    for (path, status, code) in [
        (format!("{base}/"), 400, "MISSING_EXECUTION_ID"),
        (format!("{base}/%20"), 400, "MISSING_EXECUTION_ID"),
        (format!("{base}/flows/"), 400, "MISSING_FLOW_ID"),
        (format!("{base}/flows/%20%20"), 400, "MISSING_FLOW_ID"),
        (format!("{base}/a%23b"), 400, "INVALID_PARAMETER"),
        (format!("{base}/flows/a%23b"), 400, "INVALID_PARAMETER"),
        (format!("{base}/run-1?cascade=1"), 400, "INVALID_PARAMETER"),
        (
            format!("{base}/flows/flow-1?cascade=yes"),
            400,
            "INVALID_PARAMETER",
        ),
        (format!("{base}/unknown"), 404, "EXECUTION_NOT_FOUND"),
        (format!("{base}/expired"), 404, "EXECUTION_NOT_FOUND"),
        (format!("{base}/flows"), 404, "EXECUTION_NOT_FOUND"),
        (base.to_owned(), 405, "METHOD_NOT_ALLOWED"),
    ] {
        let answer = app.delete(&token, &path).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{path}");
    }
    let missing = app.delete(&token, &format!("{base}/")).await.json();
    assert_eq!(missing["error"], "executionId is required");
    assert_eq!(
        missing["message"],
        "Execution ID is required to delete execution"
    );
    let missing = app.delete(&token, &format!("{base}/flows/")).await.json();
    assert_eq!(missing["error"], "flowId is required");
    assert_eq!(
        missing["message"],
        "Flow ID is required to delete execution history"
    );
    assert_eq!(app.records_of("run-1").await.len(), 4);
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_succeeds() {
    let app = TestApp::new().await;
    app.write([
        execution("delete", json!({})),
        execution("cancel", json!({"status": "RUNNING"})),
    ])
    .await;
    const OPERATIONS: &[&str] = &["UpdateItem", "TransactWriteItems"];
    let (faulty, client) = Faulty::client(app.store.client(), OPERATIONS);
    let store = Store::new(Faulty::persistent(&client), app.store.table());
    faulty.plan([Fault::Unanswered]);
    let id = "delete".parse().expect("an id");
    let deleted = operations::delete_execution(&store, &admin(), &id, false).await;
    deleted.expect("deleted");
    faulty.plan([Fault::Unanswered]);
    let id = "cancel".parse().expect("an id");
    let cancelled = operations::cancel_execution(&store, &admin(), &id, Some("why")).await;
    assert_eq!(cancelled.expect("cancelled"), Cancelled::Now);
    let again = operations::cancel_execution(&store, &admin(), &id, Some("why")).await;
    let ended = Cancelled::EndedBefore(Some(Status::Cancelled));
    assert_eq!(again.expect("answered"), ended);
}

#[tokio::test]
async fn records_of_a_run_removed_by_others_are_removed_too() {
    let app = TestApp::new().await;
    for id in ["removed", "rewritten"] {
        app.write(run_records(id, json!({}))).await;
        let removed = app.store.delete(&format!("EXEC#{id}"), "EXECUTION").await;
        removed.expect("removed");
    }
    app.write([execution("rewritten", json!({"status": "RUNNING"}))])
        .await;
    // The removal of a step's record has no consequences.
    app.write([step("lone", "a", 1, json!({}))]).await;
    let sk = app.records_of("lone").await.remove(0);
    app.store.delete("EXEC#lone", &sk).await.expect("removed");
    assert_eq!(app.reap().await.removed, 2);
    assert_eq!(app.records_of("removed").await, NOTHING);
    assert_eq!(app.records_of("rewritten").await.len(), 4);
}

#[tokio::test]
async fn a_run_rewritten_during_its_removal_stays() {
    let app = TestApp::new().await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork",
        offset: 0,
    };
    let old = execution("run-1", json!({}));
    let branches = (0..600).map(|number| {
        let id = format!("step-{number}");
        branch_step(&fork, "branch", &id, number, json!({"input": null}))
    });
    app.write(branches).await;
    let (faulty, client) = Faulty::client(app.store.client(), &["BatchWriteItem"]);
    let store = Store::new(client, app.store.table());
    let change = Change::new("1", Some(old.clone()), None);
    // Four batches are written concurrently, so some are complete before the crash.
    faulty.plan([Fault::None; 6].into_iter().chain([Fault::CrashBefore]));
    let (reaper, changes) = (Reaper::new(store), [change]);
    tokio::select! {
        outcome = reaper.follow(&changes) => panic!("no crash: {outcome:?}"),
        () = faulty.crash() => {}
    }
    app.write([old, step("run-1", "new", 1, json!({}))]).await;
    faulty.plan([]);
    reaper.follow(&changes).await.expect("followed");
    let records = app.records_of("run-1").await;
    // The run, its step, and the old records that were not removed yet.
    assert!((3..602).contains(&records.len()), "{}", records.len());
    assert!(records.iter().any(|sk| sk == "EXECUTION"));
    assert!(records.iter().any(|sk| sk.ends_with("#new")));
}

#[tokio::test]
async fn a_run_with_thousands_of_records_leaves_nothing() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(run_records("large", json!({}))).await;
    let steps = (0..sized(6_000, 1_200)).map(|number| {
        let id = format!("step-{number}");
        step("large", &id, number, json!({"input": null, "output": null}))
    });
    app.write(steps).await;
    app.delete(&token, "/api/history/executions/large")
        .await
        .ok();
    app.reap().await;
    assert_eq!(app.records_of("large").await, NOTHING);
}
