//! The binaries that follow the stream or a schedule.

use serde_json::{Value, json};

use super::{event, function, with_sample_run};
use crate::support::TestApp;
use crate::support::records::{execution, step};

#[tokio::test(flavor = "multi_thread")]
async fn the_count_binary_counts_a_repeated_event_once() {
    let app = TestApp::new().await;
    let token = app.viewer("default").await;
    let mut event = event("count");
    let function = function(&app, "count").await;
    let stats = async || {
        let path = "/api/history/execution-stats?startDate=2026-02-01";
        app.get(&token, path).await.ok()["stats"].take()
    };
    for _ in 0..2 {
        let answer: Value = serde_json::from_slice(&function.invoke(&event).await).expect("JSON");
        assert_eq!(answer, json!({"state": {}}));
        let stats = stats().await;
        assert_eq!(stats["statusBreakdown"], json!({"PASSED": 1}));
        assert_eq!(stats["averageExecutionTimeMs"], 2_350);
    }
    // The last event of a window may have no records.
    event["Records"] = json!([]);
    event["isFinalInvokeForWindow"] = json!(true);
    let answer: Value = serde_json::from_slice(&function.invoke(&event).await).expect("JSON");
    assert_eq!(answer, json!({"state": {}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reap_binary_removes_and_cancels_below_its_event() {
    let app = with_sample_run().await;
    app.write([
        step("run-45", "a", 50, json!({})),
        execution(
            "below",
            json!({"teamId": "default", "status": "RUNNING", "parentExecutionId": "run-44"}),
        ),
    ])
    .await;
    app.store
        .delete("EXEC#run-45", "EXECUTION")
        .await
        .expect("removed");
    let function = function(&app, "reap").await;
    for _ in 0..2 {
        let answer: Value =
            serde_json::from_slice(&function.invoke(&event("reap")).await).expect("JSON");
        assert_eq!(answer, Value::Null);
        assert_eq!(app.records_of("run-45").await, [] as [String; 0]);
        assert_eq!(app.item("below").await["status"], "CANCELLED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_binary_closes_runs_past_their_timeout() {
    let app = TestApp::new().await;
    let late = json!({"status": "RUNNING", "timeoutAt": "2026-02-17T10:30:00.000Z"});
    app.write([execution("late", late)]).await;
    app.reap().await;
    let function = function(&app, "sweep").await;
    for _ in 0..2 {
        let answer: Value =
            serde_json::from_slice(&function.invoke(&event("sweep")).await).expect("JSON");
        assert_eq!(answer, Value::Null);
        assert_eq!(app.item("late").await["status"], "CANCELLED");
    }
}
