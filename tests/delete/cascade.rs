//! Deletion with the runs below.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use shared::auth::Role;
use shared::model::Item;
use shared::operations;
use shared::store::Store;

use super::{NOTHING, admin, leased_note, run_records};
use crate::support::TestApp;
use crate::support::faults::{Fault, Faulty};

/// A run with runs below it on three levels, and two runs that are not below it.
fn tree() -> Vec<Item> {
    let below = |id: &str, parent: &str| {
        run_records(
            id,
            json!({"flowId": "other", "executionType": "SUBFLOW", "parentExecutionId": parent}),
        )
    };
    [
        run_records("root", json!({})),
        below("a", "root"),
        below("a-a", "a"),
        below("a-a-a", "a-a"),
        below("b", "root"),
        below("stranger", "someone"),
        run_records(
            "theirs",
            json!({"teamId": "team-b", "parentExecutionId": "root"}),
        ),
    ]
    .concat()
}

#[tokio::test]
async fn runs_below_stay_unless_the_deletion_cascades() {
    let below = ["a", "a-a", "a-a-a", "b"];
    for (path, cascades) in [
        ("/api/history/executions/root", false),
        ("/api/history/executions/root?cascade=false", false),
        ("/api/history/executions/root?cascade=true", true),
        ("/api/history/executions/flows/flow-1", false),
        ("/api/history/executions/flows/flow-1?cascade=true", true),
    ] {
        let app = TestApp::new().await;
        let token = app.token("team-a", Role::Admin, None).await;
        app.write(tree()).await;
        let body = app.delete(&token, path).await.ok();
        if path.contains("flows") {
            assert_eq!(
                body["deletedCount"], 1,
                "the runs of the flow alone are counted"
            );
        }
        app.reap().await;
        assert_eq!(app.records_of("root").await, NOTHING, "{path}");
        for id in below {
            let left = app.records_of(id).await.len();
            assert_eq!(left, if cascades { 0 } else { 4 }, "{path}: {id}");
        }
        for id in ["stranger", "theirs"] {
            assert_eq!(app.records_of(id).await.len(), 4, "{path}: {id}");
        }
        app.count().await;
        assert_eq!(app.verify().await.differences, [], "{path}");
    }
}

#[tokio::test]
async fn a_failed_cascade_does_not_affect_a_later_deletion() {
    for (fault, path) in [
        (Fault::CrashBefore, "root"),
        (Fault::CrashBefore, "flows/flow-1"),
        (Fault::CrashAfter, ""),
    ] {
        let app = TestApp::new().await;
        let token = app.token("team-a", Role::Admin, None).await;
        app.write(tree()).await;
        let (faulty, client) = Faulty::client(app.store.client(), &["TransactWriteItems"]);
        let store = Store::new(client, app.store.table());
        faulty.plan([fault]);
        let (caller, root) = (admin(), "root".parse().expect("an id"));
        tokio::select! {
            _ = operations::delete_execution(&store, &caller, &root, true) => panic!("it crashes"),
            () = faulty.crash() => {}
        }
        let is_gone = fault == Fault::CrashAfter;
        let details = app.get(&token, "/flow-executions/root").await;
        assert_eq!(details.status, if is_gone { 404 } else { 200 });
        if !is_gone {
            let path = format!("/api/history/executions/{path}");
            app.delete(&token, &path).await.ok();
        }
        app.reap().await;
        assert_eq!(app.records_of("root").await, NOTHING);
        let left = if is_gone { 0 } else { 4 };
        assert_eq!(app.records_of("a").await.len(), left, "{fault:?} {path}");
    }
}

#[tokio::test]
async fn a_token_limited_to_flows_cannot_cascade_into_others() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, Some(&["flow-1"])).await;
    app.write(tree()).await;
    for path in ["root", "flows/flow-1"] {
        let path = format!("/api/history/executions/{path}");
        let answer = app.delete(&token, &format!("{path}?cascade=true")).await;
        assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()));
        assert_eq!(app.records_of("root").await.len(), 4);
    }
    app.delete(&token, "/api/history/executions/root")
        .await
        .ok();
}

#[tokio::test]
async fn a_cascade_can_start_during_a_deletion_without_one() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(tree()).await;
    let mut item = leased_note(5);
    item.insert("sk".to_owned(), AttributeValue::S("F#flow-1".to_owned()));
    app.store.put(item).await.expect("written");
    let path = "/api/history/executions/flows/flow-1?cascade=true";
    let body = app.delete(&token, path).await.ok();
    assert_eq!(
        body["deletedCount"], 1_201,
        "including the runs that the other process deleted"
    );
    app.reap().await;
    for id in ["root", "a", "a-a", "a-a-a", "b"] {
        assert_eq!(app.records_of(id).await, NOTHING, "{id}");
    }
}

#[tokio::test]
async fn a_cascade_recreates_no_run_that_is_already_removed() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(tree()).await;
    // These runs are removed with all their records, but no caller has the count yet.
    let pending = ["gone-1", "root", "gone-2"].map(|id| AttributeValue::S(format!("EXEC#{id}")));
    let mut item = leased_note(5);
    item.extend(HashMap::from([
        ("sk".to_owned(), AttributeValue::S("F#flow-1".to_owned())),
        ("leasedUntil".to_owned(), AttributeValue::N("0".to_owned())),
        ("cascade".to_owned(), AttributeValue::Bool(true)),
        ("pending".to_owned(), AttributeValue::L(pending.into())),
        ("pendingCount".to_owned(), AttributeValue::N("3".to_owned())),
        ("isRead".to_owned(), AttributeValue::Bool(true)),
    ]));
    app.store.put(item).await.expect("written");
    let path = "/api/history/executions/flows/flow-1?cascade=true";
    let body = app.delete(&token, path).await.ok();
    assert_eq!(body["deletedCount"], 1_203);
    app.reap().await;
    for id in ["gone-1", "gone-2", "root", "a", "a-a", "a-a-a", "b"] {
        assert_eq!(app.records_of(id).await, NOTHING, "{id}");
    }
}
