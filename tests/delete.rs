//! Deleting: one run, all runs of a flow, and what lies below and inside them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};
use shared::auth::{Caller, Role};
use shared::model::{FlowId, Item, Status, Timestamp};
use shared::operations::{self, Cancelled, FlowDeletion};
use shared::reap::Reaper;
use shared::store::{Store, key};
use shared::stream::Change;

use crate::support::faults::{Fault, Faulty};
use crate::support::records::{ForkKey, branch_step, execution, payload, step, time};
use crate::support::{TestApp, is_embedded};

const NOTHING: [String; 0] = [];

/// How many records a test writes: fewer where each is slow.
fn sized(embedded: i64, elsewhere: i64) -> i64 {
    if is_embedded() { embedded } else { elsewhere }
}

/// A run with three records beside its own.
fn run(id: &str, attributes: Value) -> Vec<Item> {
    let fork = ForkKey {
        execution_id: id,
        id: "fork",
        offset: 100,
    };
    vec![
        execution(id, attributes),
        step(id, "fork", 100, json!({})),
        branch_step(&fork, "branch", "inner", 110, json!({})),
        payload(id, "context", 0, json!({"value": 5})),
    ]
}

fn runs(flow: &str, count: i64) -> Vec<Item> {
    let of = |number: i64| {
        let id = format!("{flow}-{number:05}");
        let attributes = json!({"flowId": flow, "createdAt": time(number * 977)});
        run(&id, attributes)
    };
    (0..count).flat_map(of).collect()
}

/// What is left of a flow: its runs in the list, and the records of these and all
/// other runs of it in the table.
async fn left_of(app: &TestApp, flow: &str) -> (usize, usize) {
    let scan = app.store.client().scan().table_name(app.store.table());
    let mut pages = scan.into_paginator().items().send();
    let (mut executions, mut others) = (0, 0);
    while let Some(item) = pages.next().await {
        let item = item.expect("an item");
        let pk = item["pk"].as_s().expect("text");
        if !pk.starts_with(&format!("EXEC#{flow}-")) {
            continue;
        }
        match item["sk"].as_s().expect("text").as_str() {
            "EXECUTION" => executions += 1,
            _ => others += 1,
        }
    }
    (executions, others)
}

async fn total(app: &TestApp, token: &str) -> Value {
    app.get(token, "/api/executions/team/team-a").await.ok()["totalElements"].take()
}

#[tokio::test]
async fn a_deleted_run_is_gone_from_every_list_at_once_and_from_the_table_a_moment_later() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(run("run-1", json!({"deviceId": "device-1"})))
        .await;
    app.write(run("run-2", json!({"createdAt": time(1)}))).await;
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
async fn what_is_to_be_deleted_has_to_be_named_and_to_be_there() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(run("run-1", json!({}))).await;
    let expired = json!({"expiresAt": Timestamp::now().seconds() - 10});
    app.write(run("expired", expired)).await;
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

fn tree() -> Vec<Item> {
    let below = |id: &str, parent: &str| {
        run(
            id,
            json!({"flowId": "other", "executionType": "SUBFLOW", "parentExecutionId": parent}),
        )
    };
    [
        run("root", json!({})),
        below("a", "root"),
        below("a-a", "a"),
        below("a-a-a", "a-a"),
        below("b", "root"),
        below("stranger", "someone"),
        run(
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
            assert_eq!(body["deletedCount"], 1, "what the flow has");
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
async fn a_cascade_that_failed_does_not_reach_into_a_later_deletion() {
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
async fn an_answer_that_was_lost_is_asked_for_again_and_is_a_success() {
    let app = TestApp::new().await;
    app.write([
        execution("delete", json!({})),
        execution("cancel", json!({"status": "RUNNING"})),
    ])
    .await;
    let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem", "BatchWriteItem"]);
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
async fn what_another_hand_removed_leaves_nothing_either_and_a_run_written_anew_keeps_its_own() {
    let app = TestApp::new().await;
    for id in ["by-hand", "anew"] {
        app.write(run(id, json!({}))).await;
        let removed = app.store.delete(&format!("EXEC#{id}"), "EXECUTION").await;
        removed.expect("removed");
    }
    app.write([execution("anew", json!({"status": "RUNNING"}))])
        .await;
    // A steps' record that was removed concerns nobody.
    app.write([step("lone", "a", 1, json!({}))]).await;
    let sk = app.records_of("lone").await.remove(0);
    app.store.delete("EXEC#lone", &sk).await.expect("removed");
    assert_eq!(app.reap().await.removed, 2);
    assert_eq!(app.records_of("by-hand").await, NOTHING);
    assert_eq!(app.records_of("anew").await.len(), 4);
}

#[tokio::test]
async fn a_run_that_is_written_anew_while_its_old_records_go_stays() {
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
    let change = Change {
        sequence_number: "1".to_owned(),
        old: Some(old.clone()),
        new: None,
    };
    // Four batches are under way at a time, so some are over by then.
    faulty.plan([Fault::None; 6].into_iter().chain([Fault::CrashBefore]));
    let (reaper, changes) = (Reaper::new(store), [change]);
    tokio::select! {
        _ = reaper.follow(&changes) => panic!("it crashes"),
        () = faulty.crash() => {}
    }
    app.write([old, step("run-1", "new", 1, json!({}))]).await;
    faulty.plan([]);
    reaper.follow(&changes).await.expect("followed");
    let records = app.records_of("run-1").await;
    // The run and its step, and those of its old records that had not gone yet.
    assert!((3..602).contains(&records.len()), "{}", records.len());
    assert!(records.iter().any(|sk| sk == "EXECUTION"));
    assert!(records.iter().any(|sk| sk.ends_with("#new")));
}

#[tokio::test]
async fn a_run_whose_id_is_none_goes_with_its_flow_all_the_same() {
    let app = TestApp::new().await;
    let long = "x".repeat(200);
    for id in ["a#b", long.as_str()] {
        app.write([
            execution(id, json!({"flowId": "flow-x"})),
            step(id, "a", 1, json!({})),
        ])
        .await;
    }
    let told = delete_flow(&app.store, Duration::from_secs(18)).await;
    assert_eq!((told.deleted, told.is_done), (2, true));
    app.reap().await;
    assert_eq!(app.records_of("a#b").await, NOTHING);
    assert_eq!(app.records_of(&long).await, NOTHING);
}

#[tokio::test]
async fn a_run_with_thousands_of_records_leaves_nothing() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(run("large", json!({}))).await;
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

fn admin() -> Caller {
    Caller::operator("team-a".parse().expect("a team"), "token:test")
}

fn flow(id: &str) -> FlowId {
    id.parse().expect("a flow")
}

#[tokio::test]
async fn all_runs_of_a_flow_are_deleted_and_counted_exactly() {
    let count = sized(1_003, 103);
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(runs("flow-x", count)).await;
    app.write(runs("flow-y", 30)).await;
    let expired = Timestamp::now().seconds() - 10;
    app.write(run(
        "flow-x-expired",
        json!({"flowId": "flow-x", "expiresAt": expired}),
    ))
    .await;
    app.write(run(
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
    assert_eq!(left_of(&app, "flow-x").await, (1, 3), "the other team's");
    assert_eq!(left_of(&app, "flow-y").await, (30, 90));
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
    assert_eq!(total(&app, &token).await, 30);
}

#[tokio::test]
async fn a_flow_too_large_for_a_request_says_so_and_its_deletion_goes_on_by_itself() {
    let app = TestApp::new().await;
    app.write(runs("flow-x", 1_300)).await;
    let first = delete_flow(&app.store, Duration::from_millis(1_400)).await;
    assert!(
        !first.is_done && (1..1_300).contains(&first.deleted),
        "{first:?}"
    );
    // Nobody asks again, until it is over.
    let reaped = app.reap().await;
    assert!(reaped.turns >= 1 && reaped.removed == 1_300, "{reaped:?}");
    assert_eq!(left_of(&app, "flow-x").await, (0, 0));
    // Whoever asks then is told of all of it, once. What came later is another
    // deletion's.
    app.write(runs("flow-x", 7)).await;
    for (deleted, left) in [(1_300, 7), (7, 0), (0, 0)] {
        let told = delete_flow(&app.store, Duration::from_secs(18)).await;
        let is_done = true;
        assert_eq!(told, FlowDeletion { deleted, is_done });
        assert_eq!(left_of(&app, "flow-x").await.0, left);
    }
}

async fn delete_flow(store: &Store, time: Duration) -> FlowDeletion {
    let until = Instant::now() + time;
    operations::delete_flow_executions(store, &admin(), &flow("flow-x"), false, until)
        .await
        .expect("deleted")
}

/// A deletion that another has in its hands.
fn held(version: i64) -> Item {
    let number = |value: i64| AttributeValue::N(value.to_string());
    let leased_until = Timestamp::now().milliseconds() + 10_000;
    let mut item = key("DELETION#team-a", "F#flow-x");
    item.extend(HashMap::from([
        ("version".to_owned(), number(version)),
        ("deleted".to_owned(), number(1_200)),
        ("leasedUntil".to_owned(), number(leased_until)),
    ]));
    item
}

#[tokio::test]
async fn a_cascade_begins_also_where_a_deletion_without_it_is_under_way() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(tree()).await;
    let mut item = held(5);
    item.insert("sk".to_owned(), AttributeValue::S("F#flow-1".to_owned()));
    app.store.put(item).await.expect("written");
    let path = "/api/history/executions/flows/flow-1?cascade=true";
    let body = app.delete(&token, path).await.ok();
    assert_eq!(body["deletedCount"], 1_201, "with what the other has done");
    app.reap().await;
    for id in ["root", "a", "a-a", "a-a-a", "b"] {
        assert_eq!(app.records_of(id).await, NOTHING, "{id}");
    }
}

#[tokio::test]
async fn a_cascade_marks_no_run_that_is_gone_already() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(tree()).await;
    // Its removal was answered to nobody, and what follows from it has followed.
    let pending = ["gone-1", "root", "gone-2"].map(|id| AttributeValue::S(format!("EXEC#{id}")));
    let mut item = held(5);
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

#[tokio::test]
async fn a_lease_that_a_wrong_clock_gave_is_none() {
    let app = TestApp::new().await;
    app.write(runs("flow-x", 3)).await;
    let mut item = held(5);
    let ahead = Timestamp::now().milliseconds() + 3_600_000;
    item.insert(
        "leasedUntil".to_owned(),
        AttributeValue::N(ahead.to_string()),
    );
    app.store.put(item).await.expect("written");
    let told = delete_flow(&app.store, Duration::from_secs(18)).await;
    assert_eq!((told.deleted, told.is_done), (1_203, true));
}

#[tokio::test]
async fn a_note_that_another_release_wrote_does_not_stop_a_deletion() {
    let app = TestApp::new().await;
    app.write(runs("flow-x", 3)).await;
    let mut item = held(5);
    item.insert("leasedUntil".to_owned(), AttributeValue::N("0".to_owned()));
    item.insert("after".to_owned(), AttributeValue::S("nonsense".to_owned()));
    item.insert("unknown".to_owned(), AttributeValue::Bool(true));
    app.store.put(item).await.expect("written");
    app.reap().await;
    assert_eq!(left_of(&app, "flow-x").await, (0, 0));
}

#[tokio::test]
async fn what_the_table_does_not_take_at_once_is_deleted_and_counted_once() {
    let app = TestApp::new().await;
    app.write(runs("flow-x", 60)).await;
    let (faulty, client) = Faulty::client(app.store.client(), &["BatchWriteItem"]);
    let store = Store::new(client, app.store.table());
    faulty.plan([
        Fault::Unprocessed,
        Fault::Throttled,
        Fault::None,
        Fault::Unprocessed,
        Fault::Throttled,
    ]);
    let told = delete_flow(&store, Duration::from_secs(18)).await;
    assert_eq!((told.deleted, told.is_done), (60, true));
    assert_eq!(left_of(&app, "flow-x").await.0, 0);
}

#[tokio::test]
async fn the_answer_of_a_deletion_that_goes_on_is_202_with_the_count_so_far() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(runs("flow-x", 3)).await;
    // As another request has it in its hands, and keeps it.
    let store = app.store.clone();
    let holder = tokio::spawn(async move {
        for version in 5.. {
            store.put(held(version)).await.expect("written");
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
async fn two_who_delete_a_flow_at_once_delete_and_count_it_once() {
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
        let told = one.await.expect("told");
        assert_eq!(
            told,
            FlowDeletion {
                deleted: count as u64,
                is_done: true
            }
        );
    }
    app.reap().await;
    assert_eq!(left_of(&app, "flow-x").await, (0, 0));
}

/// What lets go of a deletion whose process has ended, ten seconds early.
async fn end_lease(app: &TestApp) {
    let update = app.store.client().update_item();
    let update = update
        .table_name(app.store.table())
        .set_key(Some(key("DELETION#team-a", "F#flow-x")))
        .update_expression("SET leasedUntil = :zero")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_values(":zero", AttributeValue::N("0".to_owned()));
    // A process may have ended before it wrote anything.
    let _ = update.send().await;
}

/// Of a deletion of 430 runs: what the audit is told, two notes, 16 batches, a note, 2
/// batches, a note.
const LAST_NOTE: usize = 22;

/// Deletes a flow with a process that meets this fault after so many writes, and
/// then goes on, by a second request alone or by the stream before it.
async fn end_in_the_middle(fault: Fault, position: usize, goes_on_by_itself: bool) {
    const OPERATIONS: &[&str] = &["PutItem", "BatchWriteItem", "DeleteItem"];
    const RUNS: i64 = 430;
    let at = format!("{fault:?} at {position}");
    let app = TestApp::new().await;
    let of = |number: i64| {
        let attributes = json!({"flowId": "flow-x", "createdAt": time(number * 977)});
        execution(&format!("flow-x-{number}"), attributes)
    };
    app.write((0..RUNS).map(of)).await;
    let (faulty, client) = Faulty::client(app.store.client(), OPERATIONS);
    let store = Store::new(client, app.store.table());
    faulty.plan((0..position).map(|_| Fault::None).chain([fault]));
    let until = Instant::now() + Duration::from_secs(18);
    let (caller, flow) = (admin(), flow("flow-x"));
    let deletion = operations::delete_flow_executions(&store, &caller, &flow, false, until);
    let answered = tokio::select! {
        answer = deletion => answer.ok(),
        () = faulty.crash() => None,
    };
    assert_eq!(answered, None, "{at}");
    end_lease(&app).await;
    if goes_on_by_itself {
        app.reap().await;
        // Of nothing begun nothing is known.
        let has_begun = position > 1 || (position == 1 && fault != Fault::CrashBefore);
        let left = if has_begun { 0 } else { RUNS as usize };
        assert_eq!(left_of(&app, "flow-x").await.0, left, "{at}");
    }
    let told = delete_flow(&app.store, Duration::from_secs(18)).await;
    // The last note says as well that the one who asked was told.
    let was_told = position == LAST_NOTE && fault != Fault::CrashBefore;
    let deleted = if was_told { 0 } else { RUNS as u64 };
    assert_eq!((told.deleted, told.is_done), (deleted, true), "{at}");
    assert_eq!(left_of(&app, "flow-x").await.0, 0, "{at}");
}

#[tokio::test]
async fn wherever_the_process_ends_a_flows_deletion_ends_too_with_its_exact_count() {
    let mut cases = Vec::new();
    // Elsewhere a few: what is tried is the order of our own writes.
    let positions: &[usize] = match is_embedded() {
        true => &[0, 1, 2, 3, 10, 18, 19, 20, 21, LAST_NOTE],
        false => &[10],
    };
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::Unanswered] {
        for &position in positions {
            let goes_on_by_itself = cases.len() % 2 == 0;
            cases.push(end_in_the_middle(fault, position, goes_on_by_itself).boxed());
        }
    }
    // Each waits much, for its pace.
    let at_a_time = if is_embedded() { 6 } else { 1 };
    stream::iter(cases)
        .buffer_unordered(at_a_time)
        .collect::<()>()
        .await;
}
