//! Deletions of a flow that were interrupted, and how they resume.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{FutureExt, StreamExt, stream};
use serde_json::json;
use shared::keys::key;
use shared::model::Timestamp;
use shared::operations;
use shared::store::Store;

use super::{NOTHING, admin, delete_flow, flow_id, leased_note, left_of, run_records, runs};
use crate::support::faults::{Fault, Faulty};
use crate::support::records::{execution, time};
use crate::support::{TestApp, is_embedded};

#[tokio::test]
async fn a_lease_too_far_in_the_future_is_ignored() {
    let app = TestApp::new().await;
    app.write(runs("flow-x", 3)).await;
    let mut item = leased_note(5);
    let ahead = Timestamp::now().milliseconds() + 3_600_000;
    item.insert(
        "leasedUntil".to_owned(),
        AttributeValue::N(ahead.to_string()),
    );
    app.store.put(item).await.expect("written");
    let answer = delete_flow(&app.store, Duration::from_secs(18)).await;
    assert_eq!((answer.deleted, answer.is_done), (1_203, true));
}

#[tokio::test]
async fn a_note_of_another_release_does_not_stop_a_deletion() {
    let app = TestApp::new().await;
    app.write(runs("flow-x", 3)).await;
    let mut item = leased_note(5);
    item.insert("leasedUntil".to_owned(), AttributeValue::N("0".to_owned()));
    item.insert("after".to_owned(), AttributeValue::S("nonsense".to_owned()));
    item.insert("unknown".to_owned(), AttributeValue::Bool(true));
    app.store.put(item).await.expect("written");
    app.reap().await;
    assert_eq!(left_of(&app, "flow-x").await, (0, 0));
}

#[tokio::test]
async fn a_resumed_deletion_keeps_a_run_of_another_team() {
    for cascade in [false, true] {
        let app = TestApp::new().await;
        let theirs = json!({"teamId": "team-b", "status": "RUNNING", "flowId": "flow-x"});
        app.write(run_records("again", theirs)).await;
        app.write(run_records("ours", json!({"flowId": "flow-x"})))
            .await;
        let before = app.item("again").await;
        // The note of a process that ended after it had removed both runs.
        let pending = ["EXEC#again", "EXEC#ours"];
        let pending = pending.map(|pk| AttributeValue::S(pk.to_owned()));
        let mut item = leased_note(5);
        item.extend(HashMap::from([
            ("leasedUntil".to_owned(), AttributeValue::N("0".to_owned())),
            ("pending".to_owned(), AttributeValue::L(pending.to_vec())),
            ("cascade".to_owned(), AttributeValue::Bool(cascade)),
        ]));
        app.store.put(item).await.expect("written");
        app.reap().await;
        assert_eq!(app.records_of("ours").await, NOTHING, "{cascade}");
        assert_eq!(app.item("again").await, before, "{cascade}");
        assert_eq!(app.records_of("again").await.len(), 4, "{cascade}");
    }
}

#[tokio::test]
async fn runs_are_counted_once_after_conflicts_and_throttling() {
    let app = TestApp::new().await;
    app.write(runs("flow-x", 60)).await;
    let (faulty, client) = Faulty::client(app.store.client(), &["TransactWriteItems"]);
    let store = Store::new(client, app.store.table());
    faulty.plan([
        Fault::Conflict,
        Fault::Throttled,
        Fault::None,
        Fault::Conflict,
        Fault::Throttled,
    ]);
    let answer = delete_flow(&store, Duration::from_secs(18)).await;
    assert_eq!((answer.deleted, answer.is_done), (60, true));
    assert_eq!(left_of(&app, "flow-x").await.0, 0);
}

/// Ends the lease of a process that has ended, ten seconds early.
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

/// The position of the last write in a deletion of 430 runs: the audit event, two notes, 16
/// batches, a note, 2 batches, a note.
const LAST_NOTE: usize = 22;

/// Deletes a flow with a process that meets this fault at one write. The deletion resumes
/// by a second request alone, or by the stream before it.
async fn interrupt_and_resume(fault: Fault, position: usize, resumes_from_the_stream: bool) {
    const OPERATIONS: &[&str] = &["PutItem", "TransactWriteItems", "DeleteItem"];
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
    let (caller, id) = (admin(), flow_id("flow-x"));
    let deletion = operations::delete_flow_executions(&store, &caller, &id, false, until);
    let answered = tokio::select! {
        answer = deletion => answer.ok(),
        () = faulty.crash() => None,
    };
    assert_eq!(answered, None, "{at}");
    end_lease(&app).await;
    if resumes_from_the_stream {
        app.reap().await;
        // Without its first note a deletion is not resumed.
        let has_begun = position > 1 || (position == 1 && fault != Fault::CrashBefore);
        let left = if has_begun { 0 } else { RUNS as usize };
        assert_eq!(left_of(&app, "flow-x").await.0, left, "{at}");
    }
    let answer = delete_flow(&app.store, Duration::from_secs(18)).await;
    // The last note also records that the caller has the count.
    let was_answered = position == LAST_NOTE && fault != Fault::CrashBefore;
    let deleted = if was_answered { 0 } else { RUNS as u64 };
    assert_eq!((answer.deleted, answer.is_done), (deleted, true), "{at}");
    assert_eq!(left_of(&app, "flow-x").await.0, 0, "{at}");
}

#[tokio::test]
async fn an_interrupted_deletion_completes_with_the_exact_count() {
    let mut cases = Vec::new();
    // One position is enough elsewhere, because the order of our writes is the same.
    let positions: &[usize] = match is_embedded() {
        true => &[0, 1, 2, 3, 10, 18, 19, 20, 21, LAST_NOTE],
        false => &[10],
    };
    for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::Unanswered] {
        for &position in positions {
            let resumes_from_the_stream = cases.len() % 2 == 0;
            cases.push(interrupt_and_resume(fault, position, resumes_from_the_stream).boxed());
        }
    }
    // Each case waits most of the time, because deletions are paced.
    let at_a_time = if is_embedded() { 6 } else { 1 };
    stream::iter(cases)
        .buffer_unordered(at_a_time)
        .collect::<()>()
        .await;
}
