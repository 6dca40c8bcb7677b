//! Runs past their timeout.

use std::time::Instant;

use serde_json::json;
use shared::model::Timestamp;
use shared::sweep::{Sweeper, Swept};

use super::{MINUTE, deadlines_of, from_now, open};
use crate::support::TestApp;
use crate::support::faults::{Fault, Faulty};
use crate::support::records::{execution, step, time};

/// Two runs past their timeout, a run below one of them, a run in time, and four runs that
/// are not due. Returns the two timeouts as well.
async fn with_late_runs() -> (TestApp, String, String) {
    let app = TestApp::new().await;
    let (past, future) = (time(10_000), from_now(10 * MINUTE));
    let below = json!({"executionType": "SUBFLOW", "parentExecutionId": "late"});
    let pending = json!({"timeoutAt": past, "status": "PENDING", "startTime": null});
    app.write([
        open("late", json!({"timeoutAt": past, "durationMs": 5})),
        step(
            "late",
            "a",
            100,
            json!({"status": "RUNNING", "endTime": null}),
        ),
        open("pending", pending),
        open("below", below),
        open("in-time", json!({"timeoutAt": future})),
        open("free", json!({})),
        open("malformed", json!({"timeoutAt": "soon"})),
        execution("ended", json!({"timeoutAt": past})),
    ])
    .await;
    app.reap().await;
    (app, past, future)
}

#[tokio::test]
async fn runs_past_their_timeout_are_cancelled_with_a_message() {
    let (app, past, future) = with_late_runs().await;
    assert_eq!(
        deadlines_of(&app).await,
        [
            format!("{past}#late"),
            format!("{past}#pending"),
            format!("{future}#in-time"),
        ]
    );
    let before = Timestamp::now().to_string();
    let swept = app.sweep().await;
    let expected = Swept {
        looked_at: 2,
        timed_out: 2,
        ..Swept::default()
    };
    assert_eq!(swept, expected);
    for id in ["late", "pending"] {
        let run = app.item(id).await;
        assert_eq!(run["status"], "CANCELLED", "{id}");
        assert_eq!(run["cancelledBy"], "flowtrail sweep");
        let message = format!("The run timed out: it did not end by {past}.");
        assert_eq!(run["errorMessage"], message.as_str());
        let end = run["endTime"].as_str().expect("a time");
        assert!((before.as_str()..=Timestamp::now().to_string().as_str()).contains(&end));
        assert_eq!(
            run.get("durationMs"),
            None,
            "the duration follows from start and end"
        );
    }
    for (id, status) in [
        ("in-time", "RUNNING"),
        ("free", "RUNNING"),
        ("malformed", "RUNNING"),
        ("ended", "COMPLETED"),
    ] {
        assert_eq!(app.item(id).await["status"], status, "{id}");
    }
}

#[tokio::test]
async fn runs_below_a_timed_out_run_and_its_steps_are_cancelled() {
    let (app, _, future) = with_late_runs().await;
    app.sweep().await;
    app.reap().await;
    assert_eq!(app.item("below").await["status"], "CANCELLED");
    assert_eq!(deadlines_of(&app).await, [format!("{future}#in-time")]);
    let token = app.viewer("team-a").await;
    let details = app.get(&token, "/flow-executions/late").await.ok();
    assert_eq!(details["data"]["steps"][0]["status"], "CANCELLED");
    assert!(details["data"]["metadata"]["durationMs"].as_i64() > Some(10_000));
    assert_eq!(app.sweep().await, Swept::default());
}

#[tokio::test]
async fn an_outdated_deadline_is_removed_and_closes_nothing() {
    let app = TestApp::new().await;
    let (past, future) = (time(0), from_now(MINUTE));
    app.write([
        open("run-1", json!({"timeoutAt": past})),
        open("gone", json!({"timeoutAt": past})),
    ])
    .await;
    app.reap().await;
    // The engine moves one timeout and removes the other run, before the stream is followed.
    app.write([open("run-1", json!({"timeoutAt": future}))])
        .await;
    app.store
        .delete("EXEC#gone", "EXECUTION")
        .await
        .expect("removed");
    let swept = app.sweep().await;
    assert_eq!((swept.looked_at, swept.timed_out), (2, 0));
    assert_eq!(app.item("run-1").await["status"], "RUNNING");
    assert!(app.records_of("gone").await.is_empty());
    assert_eq!(deadlines_of(&app).await, [format!("{future}#run-1")]);
}

#[tokio::test]
async fn the_engine_wins_over_a_concurrent_sweep() {
    let future = from_now(MINUTE);
    for (written, status) in [
        (
            execution("run-1", json!({"timeoutAt": time(0)})),
            "COMPLETED",
        ),
        (open("run-1", json!({"timeoutAt": future})), "RUNNING"),
    ] {
        let app = TestApp::new().await;
        app.write([open("run-1", json!({"timeoutAt": time(0)}))])
            .await;
        app.reap().await;
        let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem"]);
        let slow = Sweeper::new(app.over(client).store_as_served());
        faulty.plan([Fault::Delayed]);
        let sweep = slow.sweep(Instant::now() + crate::support::process::DEADLINE);
        let engine = async {
            faulty.crash().await;
            app.write([written]).await;
            faulty.go_on();
        };
        let (swept, ()) = tokio::join!(sweep, engine);
        let swept = swept.expect("swept");
        assert_eq!((swept.looked_at, swept.timed_out), (1, 0));
        assert_eq!(app.item("run-1").await["status"], status);
        assert_eq!(app.item("run-1").await.get("cancelledBy"), None);
    }
}

#[tokio::test]
async fn concurrent_and_crashed_sweepers_close_each_run_once() {
    let operations = &["UpdateItem", "BatchWriteItem"];
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        for crash_at in 0..3 {
            let app = TestApp::new().await;
            let runs = ["a", "b"].map(|id| open(id, json!({"timeoutAt": time(0)})));
            app.write(runs).await;
            app.reap().await;
            let (faulty, client) = Faulty::client(app.store.client(), operations);
            let broken = Sweeper::new(app.over(client).store_as_served());
            faulty.plan([Fault::None; 3].into_iter().take(crash_at).chain([fault]));
            tokio::select! {
                _ = broken.sweep(Instant::now() + crate::support::process::DEADLINE) => {
                    panic!("the sweeper must crash")
                }
                () = faulty.crash() => {}
            }
            let closed = async |id| app.item(id).await["endTime"].clone();
            let before = [closed("a").await, closed("b").await];
            let (one, other) = tokio::join!(app.sweep(), app.sweep());
            assert!(one.timed_out + other.timed_out <= 2);
            for (id, before) in ["a", "b"].into_iter().zip(before) {
                assert_eq!(
                    app.item(id).await["status"],
                    "CANCELLED",
                    "{crash_at} {fault:?}"
                );
                let end = closed(id).await;
                assert!(before.is_null() || before == end, "the run is closed once");
            }
            assert_eq!(deadlines_of(&app).await, [""; 0]);
        }
    }
}

#[tokio::test]
async fn a_sweep_ends_in_time_and_the_next_one_continues() {
    let app = TestApp::new().await;
    let runs = (0..40).map(|n| open(&format!("run-{n}"), json!({"timeoutAt": time(n)})));
    app.write(runs).await;
    app.reap().await;
    let sweeper = Sweeper::new(app.store.clone());
    let swept = sweeper.sweep(Instant::now()).await.expect("swept");
    assert_eq!(
        swept,
        Swept {
            is_cut_short: true,
            ..Swept::default()
        }
    );
    let swept = app.sweep().await;
    assert_eq!((swept.timed_out, swept.is_cut_short), (40, false));
    assert_eq!(app.sweep().await.looked_at, 0);
}
