//! Several versions of a span, and spans of several kinds with one id.

use serde_json::{Value, json};

use super::{
    TRACE, export_in_order, export_whole, id, in_trace, records, run_id, span, trace_id,
    with_engine,
};
use crate::support::TestApp;

/// An attempt of a task, as Airflow sends it: under the same id, with a start of its own.
fn attempt(number: u64, start: i64, end: i64, state: &str) -> Value {
    let attributes = json!([
        {"key": "airflow.task_id", "value": {"stringValue": "charge"}},
        {"key": "airflow.task_instance.try_number", "value": {"intValue": number}},
        {"key": "airflow.task_instance.state", "value": {"stringValue": state}},
    ]);
    let code = if state == "success" { 1 } else { 2 };
    let members = json!({"name": "task_run.charge", "attributes": attributes,
        "status": {"code": code, "message": state}});
    span(2, Some(1), start, end, members)
}

async fn steps(app: &TestApp, token: &str, trace: &str) -> Vec<Value> {
    let path = format!("/flow-executions/{}", run_id(trace));
    let steps = app.get(token, &path).await.ok()["data"]["steps"].take();
    steps.as_array().expect("steps").clone()
}

#[tokio::test]
async fn the_last_attempt_is_the_step_in_any_order() {
    let (app, token) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    let spans = [
        attempt(1, 0, 100, "up_for_retry"),
        attempt(2, 150, 250, "up_for_retry"),
        attempt(3, 300, 400, "success"),
        span(1, None, 0, 350, json!({"name": "dag_run.order"})),
    ];
    let mut first = None;
    for (number, order) in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]]
        .into_iter()
        .enumerate()
    {
        let trace = trace_id(number as u64 + 1);
        let spans = in_trace(&spans, &trace);
        export_in_order(&app, &token, &spans, order).await;
        let steps = steps(&app, &viewer, &trace).await;
        assert_eq!(steps.len(), 1, "{order:?}");
        assert_eq!(steps[0]["status"], "COMPLETED", "{order:?}");
        assert_eq!(steps[0]["retryCount"], 2);
        assert_eq!(steps[0]["durationMs"], 100);
        let run = app.item(&run_id(&trace)).await;
        assert_eq!(
            (&run["status"], &run["durationMs"]),
            (&json!("COMPLETED"), &json!(400))
        );
        let written = records(&app, &trace).await;
        assert_eq!(*first.get_or_insert(written.clone()), written, "{order:?}");
    }
}

#[tokio::test]
async fn attempts_are_found_in_a_large_trace() {
    let (app, token) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    let others: Vec<_> = (10..210)
        .map(|it| span(it, Some(1), it as i64, it as i64 + 1, json!({})))
        .collect();
    export_whole(&app, &token, &others).await;
    export_whole(&app, &token, &[attempt(1, 500, 600, "up_for_retry")]).await;
    export_whole(&app, &token, &[attempt(2, 700, 800, "success")]).await;
    export_whole(&app, &token, &[attempt(1, 500, 600, "up_for_retry")]).await;
    export_whole(&app, &token, &[span(1, None, 0, 900, json!({}))]).await;
    let steps = steps(&app, &viewer, TRACE).await;
    let charge = steps.iter().filter(|step| step["stepInstanceId"] == id(2));
    let charge: Vec<_> = charge
        .map(|it| (&it["status"], &it["retryCount"]))
        .collect();
    assert_eq!(charge, [(&json!("COMPLETED"), &json!(1))]);
}

#[tokio::test]
async fn a_client_and_a_server_with_one_id_are_two_steps() {
    let (app, token) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    let spans = [
        span(1, None, 0, 100, json!({})),
        span(2, Some(1), 10, 90, json!({"kind": 3, "name": "call"})),
        span(2, Some(1), 10, 80, json!({"kind": 2, "name": "serve"})),
        span(3, Some(2), 30, 40, json!({"name": "query"})),
    ];
    for (number, order) in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 1, 0], [1, 0, 3, 2]]
        .into_iter()
        .enumerate()
    {
        let trace = trace_id(number as u64 + 1);
        let spans = in_trace(&spans, &trace);
        export_in_order(&app, &token, &spans, order).await;
        let run = run_id(&trace);
        let top = steps(&app, &viewer, &trace).await;
        assert_eq!(top.len(), 1, "{order:?}: {top:#?}");
        assert_eq!(top[0]["stepName"], "call");
        let serve = below(&app, &viewer, &run, &top[0]).await;
        assert_eq!(serve["stepName"], "serve");
        assert_eq!(serve["stepInstanceId"], id(2));
        let query = below(&app, &viewer, &run, &serve).await;
        assert_eq!(query["stepName"], "query");
    }
}

/// The only step below another one.
async fn below(app: &TestApp, token: &str, run: &str, parent: &Value) -> Value {
    let text = |name: &str| parent[name].as_str().expect("a text").to_owned();
    let (parent, start) = (text("stepInstanceId"), text("startTime"));
    let path = format!(
        "/flow-executions/{run}/branch-steps?parentStepInstanceId={parent}&parentStepStartTime={start}"
    );
    let lanes = app.get(token, &path).await.ok()["data"].take();
    let lane = &lanes[format!("{parent}.1")]["steps"];
    assert_eq!(lane.as_array().map(Vec::len), Some(1), "{lanes:#?}");
    lane[0].clone()
}
