//! Deletion of all runs of a flow.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::auth::Role;
use shared::model::Timestamp;
use shared::operations::FlowDeletion;

use super::{NOTHING, delete_flow, leased_note, left_of, run_records, runs, sized, total};
use crate::support::TestApp;
use crate::support::records::{execution, step};

#[tokio::test]
async fn a_run_with_an_invalid_id_is_deleted_with_its_flow() {
    let app = TestApp::new().await;
    let long = "x".repeat(200);
    for id in ["a#b", long.as_str()] {
        app.write([
            execution(id, json!({"flowId": "flow-x"})),
            step(id, "a", 1, json!({})),
        ])
        .await;
    }
    let answer = delete_flow(&app.store, Duration::from_secs(18)).await;
    assert_eq!((answer.deleted, answer.is_done), (2, true));
    app.reap().await;
    assert_eq!(app.records_of("a#b").await, NOTHING);
    assert_eq!(app.records_of(&long).await, NOTHING);
}

#[tokio::test]
async fn all_runs_of_a_flow_are_deleted_and_counted_exactly() {
    let count = sized(1_003, 103);
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(runs("flow-x", count)).await;
    app.write(runs("flow-y", 30)).await;
    let expired = Timestamp::now().seconds() - 10;
    app.write(run_records(
        "flow-x-expired",
        json!({"flowId": "flow-x", "expiresAt": expired}),
    ))
    .await;
    app.write(run_records(
        "flow-x-theirs",
        json!({"flowId": "flow-x", "teamId": "team-b"}),
    ))
    .await;
    app.count().await;
    let path = "/api/history/executions/flows/flow-x";
    let mut body = app.delete(&token, path).await.ok();
    body["timestamp"].take();
    assert_eq!(
        body,
        json!({
            "success": true,
            "flowId": "flow-x",
            "deletedCount": count,
            "message": format!("Successfully deleted {count} execution records for flow flow-x"),
            "timestamp": null,
        })
    );
    let list = "/flow-executions?flowDefinitionId=flow-x";
    let items = app.get(&token, list).await.ok()["data"]["items"].take();
    assert_eq!(items, json!([]));
    let again = app.delete(&token, path).await.ok();
    assert_eq!(again["deletedCount"], 0);

    assert_eq!(app.reap().await.removed as i64, count + 1);
    assert_eq!(
        left_of(&app, "flow-x").await,
        (1, 3),
        "the run of the other team"
    );
    assert_eq!(left_of(&app, "flow-y").await, (30, 90));
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
    assert_eq!(total(&app, &token).await, 30);
}

#[tokio::test]
async fn the_deletion_of_a_large_flow_continues_automatically() {
    let app = TestApp::new().await;
    app.write(runs("flow-x", 1_300)).await;
    let first = delete_flow(&app.store, Duration::from_millis(1_400)).await;
    assert!(
        !first.is_done && (1..1_300).contains(&first.deleted),
        "{first:?}"
    );
    // The deletion completes without another request.
    let reaped = app.reap().await;
    assert!(reaped.turns >= 1 && reaped.removed == 1_300, "{reaped:?}");
    assert_eq!(left_of(&app, "flow-x").await, (0, 0));
    // The next request returns the full count, once. Later runs belong to another deletion.
    app.write(runs("flow-x", 7)).await;
    for (deleted, left) in [(1_300, 7), (7, 0), (0, 0)] {
        let answer = delete_flow(&app.store, Duration::from_secs(18)).await;
        let is_done = true;
        assert_eq!(answer, FlowDeletion { deleted, is_done });
        assert_eq!(left_of(&app, "flow-x").await.0, left);
    }
}

#[tokio::test]
async fn an_unfinished_deletion_answers_202_with_the_current_count() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(runs("flow-x", 3)).await;
    // Another request holds the lease and renews it.
    let store = app.store.clone();
    let holder = tokio::spawn(async move {
        for version in 5.. {
            store.put(leased_note(version)).await.expect("written");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    while app
        .store
        .get("DELETION#team-a", "F#flow-x")
        .await
        .expect("read")
        .is_none()
    {
        tokio::task::yield_now().await;
    }
    let answer = app
        .delete(&token, "/api/history/executions/flows/flow-x")
        .await;
    assert_eq!(answer.status, 202);
    let mut body = answer.json();
    body["timestamp"].take();
    body["message"].take();
    assert_eq!(
        body,
        json!({
            "success": true,
            "flowId": "flow-x",
            "deletedCount": 1_200,
            "status": "IN_PROGRESS",
            "message": null,
            "timestamp": null,
        })
    );
    holder.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_deletions_of_a_flow_count_each_run_once() {
    let app = Arc::new(TestApp::new().await);
    let count = sized(700, 70);
    app.write(runs("flow-x", count)).await;
    let both: Vec<_> = (0..2)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { delete_flow(&app.store, Duration::from_secs(18)).await })
        })
        .collect();
    for one in both {
        let answer = one.await.expect("no panic");
        assert_eq!(
            answer,
            FlowDeletion {
                deleted: count as u64,
                is_done: true
            }
        );
    }
    app.reap().await;
    assert_eq!(left_of(&app, "flow-x").await, (0, 0));
}
