//! Runs whose root has not arrived, or has ended before other spans.

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::Method;
use serde_json::{Value, json};
use shared::attributes::{TIMEOUT_AT, number, text};
use shared::auth::Role;
use shared::keys;
use shared::store::Update;

use super::{
    TRACE, export_in_order, export_whole, id, in_trace, run_id, span, trace_id, with_engine,
};
use crate::support::TestApp;
use crate::support::records::time;

async fn metadata(app: &TestApp, token: &str, trace: &str) -> Value {
    let path = format!("/flow-executions/{}", run_id(trace));
    app.get(token, &path).await.ok()["data"]["metadata"].take()
}

fn failed(message: &str) -> Value {
    json!({"status": {"code": 2, "message": message}})
}

#[tokio::test]
async fn a_run_exists_from_its_first_span() {
    let (app, token) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    export_whole(
        &app,
        &token,
        &[span(3, Some(2), 20, 30, json!({"name": "query"}))],
    )
    .await;
    let run = metadata(&app, &viewer, TRACE).await;
    assert_eq!(
        (&run["status"], &run["flowName"]),
        (&json!("RUNNING"), &json!("query"))
    );
    export_whole(
        &app,
        &token,
        &[span(2, Some(1), 10, 40, json!({"name": "charge"}))],
    )
    .await;
    let run = metadata(&app, &viewer, TRACE).await;
    assert_eq!(
        (&run["status"], &run["flowName"]),
        (&json!("RUNNING"), &json!("charge"))
    );
    assert_eq!(
        (&run["createdAt"], &run["endTime"]),
        (&json!(time(10)), &Value::Null)
    );
    export_whole(
        &app,
        &token,
        &[span(1, None, 5, 50, json!({"name": "order"}))],
    )
    .await;
    let run = metadata(&app, &viewer, TRACE).await;
    assert_eq!(
        (&run["status"], &run["flowName"]),
        (&json!("COMPLETED"), &json!("order"))
    );
    assert_eq!(
        (&run["createdAt"], &run["endTime"]),
        (&json!(time(5)), &json!(time(50)))
    );
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
}

#[tokio::test]
async fn cycles_and_spans_below_themselves_are_open_runs() {
    let (app, token) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    let cycle = [
        span(1, Some(2), 10, 20, json!({"name": "one"})),
        span(2, Some(1), 15, 20, json!({"name": "two"})),
    ];
    export_whole(&app, &token, &cycle).await;
    let own = in_trace(
        &[span(1, Some(1), 10, 20, json!({"name": "own"}))],
        &trace_id(1),
    );
    export_whole(&app, &token, &own).await;
    for (trace, name, steps) in [(TRACE, "one", 2), (&trace_id(1), "own", 1)] {
        let run = metadata(&app, &viewer, trace).await;
        assert_eq!(
            (&run["status"], &run["flowName"]),
            (&json!("RUNNING"), &json!(name))
        );
        let path = format!("/flow-executions/{}", run_id(trace));
        let shown = app.get(&viewer, &path).await.ok()["data"]["steps"].take();
        assert_eq!(shown.as_array().map(Vec::len), Some(steps), "{trace}");
    }
}

/// Closes a run because it had no span for a week.
async fn sweep(app: &TestApp, trace: &str) {
    let run = format!("EXEC#{}", run_id(trace));
    let over = Update::new(run, keys::EXECUTION).set(TIMEOUT_AT, text(time(0)));
    app.store.update(over).await.expect("updated");
    app.reap().await;
    assert_eq!(app.sweep().await.timed_out, 1);
}

#[tokio::test]
async fn a_stalled_run_ends_again_with_its_root() {
    let (app, token) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    let work = span(2, Some(1), 10, 40, json!({"name": "charge"}));
    export_whole(&app, &token, std::slice::from_ref(&work)).await;
    sweep(&app, TRACE).await;
    let run = metadata(&app, &viewer, TRACE).await;
    assert_eq!(run["status"], "CANCELLED");
    let message = run["errorMessage"].as_str().expect("a message");
    assert!(
        message.ends_with("The root span of its trace has not arrived."),
        "{message}"
    );
    // More spans do not open it again; the root does.
    export_whole(&app, &token, &[span(3, Some(1), 10, 60, json!({}))]).await;
    assert_eq!(metadata(&app, &viewer, TRACE).await["status"], "CANCELLED");
    export_whole(
        &app,
        &token,
        &[span(1, None, 0, 50, json!({"name": "order"}))],
    )
    .await;
    let run = metadata(&app, &viewer, TRACE).await;
    assert_eq!(
        (&run["status"], &run["errorMessage"]),
        (&json!("COMPLETED"), &Value::Null)
    );
    assert_eq!(run["endTime"], time(60));
    assert_eq!(app.item(&run_id(TRACE)).await.get("cancelledBy"), None);
}

#[tokio::test]
async fn a_run_that_a_user_has_cancelled_stays_cancelled() {
    let (app, token) = with_engine().await;
    let operator = app.token("team-a", Role::Operator, None).await;
    export_whole(&app, &token, &[span(2, Some(1), 10, 40, json!({}))]).await;
    let cancel = format!("/api/executions/{}/cancel", run_id(TRACE));
    assert_eq!(
        app.call(Method::POST, &operator, &cancel, "").await.status,
        200
    );
    let before = app.item(&run_id(TRACE)).await;
    export_whole(
        &app,
        &token,
        &[span(1, None, 0, 50, json!({"name": "order"}))],
    )
    .await;
    let run = app.item(&run_id(TRACE)).await;
    for name in ["status", "endTime", "cancelledBy"] {
        assert_eq!(run[name], before[name], "{name}");
    }
    assert_eq!(run["flowName"], "order");
}

#[tokio::test]
async fn a_late_failure_is_told_at_the_run_in_any_order() {
    let (app, token) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    let root = span(1, None, 0, 1_000, json!({"name": "send"}));
    let late = span(2, Some(1), 500, 61_000, failed("no carrier"));
    for (number, order) in [[&root, &late], [&late, &root]].into_iter().enumerate() {
        let trace = trace_id(number as u64 + 1);
        for span in order {
            export_whole(&app, &token, &in_trace(std::slice::from_ref(span), &trace)).await;
        }
        let run = metadata(&app, &viewer, &trace).await;
        assert_eq!(
            (&run["status"], &run["errorMessage"]),
            (&json!("FAILED"), &json!("no carrier"))
        );
        assert_eq!(run["durationMs"], 61_000);
    }
}

#[tokio::test]
async fn a_late_failure_that_was_handled_or_repeated_is_none() {
    let (app, token) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    let root = span(1, None, 0, 1_000, json!({}));
    let job = span(2, Some(1), 500, 9_000, json!({}));
    let handled = span(3, Some(2), 2_000, 3_000, failed("once"));
    let again = span(4, Some(1), 2_000, 3_000, failed("first attempt"));
    let done = span(4, Some(1), 2_000, 5_000, json!({}));
    let spans = [root, job, handled, again, done];
    for (number, order) in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 1, 3, 0]]
        .into_iter()
        .enumerate()
    {
        let trace = trace_id(number as u64 + 1);
        let spans = in_trace(&spans, &trace);
        export_in_order(&app, &token, &spans, order).await;
        let run = metadata(&app, &viewer, &trace).await;
        assert_eq!(
            (&run["status"], &run["durationMs"]),
            (&json!("COMPLETED"), &json!(9_000)),
            "{order:?}"
        );
    }
}

#[tokio::test]
async fn a_full_trace_takes_its_root_and_failures_and_tells_what_it_lacks() {
    let (app, token) = with_engine().await;
    export_whole(&app, &token, &[span(2, Some(1), 10, 20, json!({}))]).await;
    let pk = format!("EXEC#{}", run_id(TRACE));
    let trace = app.store.get(&pk, keys::TRACE).await.expect("read");
    let mut trace = trace.expect("a trace");
    let Some(AttributeValue::M(state)) = trace.get_mut("state") else {
        panic!("a state");
    };
    state.insert("spans".to_owned(), number(50_000));
    app.store.put(trace).await.expect("written");
    let more = [
        span(1, None, 0, 100, json!({"name": "order"})),
        span(3, Some(1), 10, 20, failed("boom")),
        span(4, Some(1), 10, 20, json!({})),
        span(5, Some(1), 10, 20, json!({})),
    ];
    let answer = super::export(&app, &token, &more).await.ok();
    let message = "2 spans: the trace has 50000 spans already";
    assert_eq!(
        answer,
        json!({"partialSuccess": {"rejectedSpans": "2", "errorMessage": message}})
    );
    let run = app.item(&run_id(TRACE)).await;
    assert_eq!(
        (&run["flowName"], &run["droppedSteps"]),
        (&json!("order"), &json!(2))
    );
    let keys = app.records_of(&run_id(TRACE)).await;
    let steps: Vec<_> = keys.iter().filter(|sk| sk.starts_with("STEP#")).collect();
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert!(
        steps
            .iter()
            .all(|sk| !sk.contains(&id(4)) && !sk.contains(&id(5)))
    );
}
