//! Traces that are one run, because they have the engine's id of it.

use serde_json::{Value, json};

use super::{export_in_order, run_id, span, trace_id, with_engine};
use crate::support::TestApp;

/// A span of a workflow of Temporal, in a trace of its own.
fn part(trace: u64, number: u64, parent: Option<u64>, name: &str, at: i64, code: u8) -> Value {
    let attributes = json!([{"key": "temporalRunID", "value": {"stringValue": "r-1"}}]);
    let members = json!({
        "traceId": trace_id(trace), "name": name, "attributes": attributes,
        "status": {"code": code, "message": "card declined"},
    });
    span(number, parent, at, at + 10, members)
}

/// The runs of these traces.
async fn runs(app: &TestApp, token: &str, traces: &[u64]) -> Vec<Value> {
    let mut runs = Vec::new();
    for trace in traces {
        let path = format!("/flow-executions/{}", run_id(&trace_id(*trace)));
        let answer = app.get(token, &path).await;
        if answer.status == 200 {
            runs.push(answer.ok()["data"].take());
        }
    }
    runs
}

#[tokio::test]
async fn traces_with_one_run_id_are_one_run_in_any_order() {
    let spans = [
        part(1, 1, None, "RunWorkflow:Order", 0, 0),
        part(2, 2, None, "RunActivity:charge", 10, 2),
        part(3, 3, None, "RunActivity:charge", 30, 0),
        part(4, 4, None, "CompleteWorkflow:Order", 50, 0),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        let (app, token) = with_engine().await;
        let viewer = app.viewer("team-a").await;
        export_in_order(&app, &token, &spans, order).await;
        let runs = runs(&app, &viewer, &[1, 2, 3, 4]).await;
        assert_eq!(runs.len(), 1, "{order:?}");
        let metadata = &runs[0]["metadata"];
        assert_eq!(metadata["flowName"], "Order", "{order:?}");
        assert_eq!(
            metadata["status"], "COMPLETED",
            "the last attempt decides: {order:?}"
        );
        assert_eq!(metadata["durationMs"], 60);
        let names: Vec<_> = runs[0]["steps"].as_array().expect("steps").iter().collect();
        assert_eq!(names.len(), 3, "{order:?}: {names:#?}");
        app.reap().await;
        app.count().await;
        assert_eq!(app.verify().await.differences, []);
    }
}

#[tokio::test]
async fn a_trace_that_turns_out_to_be_a_part_moves_to_its_run() {
    // A request in an activity has no id of the run, and may come before its activity.
    let http = |trace: u64| {
        let attributes =
            json!([{"key": "input.value", "value": {"stringValue": "y".repeat(20_000)}}]);
        let members =
            json!({"traceId": trace_id(trace), "name": "POST /charge", "attributes": attributes});
        span(7, Some(2), 12, 15, members)
    };
    let own_root = span(
        9,
        None,
        1,
        100,
        json!({"traceId": trace_id(2), "name": "poll"}),
    );
    for order in [[0, 1, 2, 3], [1, 2, 0, 3], [1, 0, 3, 2], [3, 1, 2, 0]] {
        let (app, token) = with_engine().await;
        let viewer = app.viewer("team-a").await;
        let spans = [
            part(1, 1, None, "RunWorkflow:Order", 0, 0),
            http(2),
            part(2, 2, Some(9), "RunActivity:charge", 10, 0),
            own_root.clone(),
        ];
        export_in_order(&app, &token, &spans, order).await;
        app.reap().await;
        let runs = runs(&app, &viewer, &[1, 2]).await;
        assert_eq!(runs.len(), 1, "{order:?}");
        assert_eq!(runs[0]["metadata"]["flowName"], "Order", "{order:?}");
        assert_eq!(runs[0]["metadata"]["status"], "COMPLETED", "{order:?}");
        let id = runs[0]["metadata"]["flowExecutionId"]
            .as_str()
            .expect("an id");
        let path = format!("/api/executions/{id}");
        let details = app.get(&viewer, &path).await.ok();
        let nodes = details["nodeExecutions"].as_array().expect("nodes").clone();
        let mut names: Vec<_> = nodes
            .iter()
            .filter_map(|it| it["nodeName"].as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["POST /charge", "charge", "poll"],
            "{order:?}: {details}"
        );
        let http = nodes.iter().find(|it| it["nodeName"] == "POST /charge");
        let input = http.expect("a node")["inputData"].as_str().map(str::len);
        assert_eq!(input, Some(20_000), "{order:?}");
        let other = if id.ends_with('1') { 2 } else { 1 };
        let left = app.records_of(&run_id(&trace_id(other))).await;
        assert_eq!(left, ["TRACE"], "{order:?}");
        app.count().await;
        assert_eq!(app.verify().await.differences, []);
    }
}

#[tokio::test]
async fn traces_that_claim_the_ids_of_each_other_are_one_run() {
    let (app, token) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    for pair in 0..10 {
        let of = |trace: u64, number: u64, id: u64| {
            let id = format!("{pair}-{id}");
            let attributes = json!([{"key": "temporalRunID", "value": {"stringValue": id}}]);
            let members = json!({"traceId": trace_id(trace), "attributes": attributes});
            span(number, None, number as i64, 10, members)
        };
        let (one, other) = (2 * pair + 1, 2 * pair + 2);
        let spans = [
            of(one, 1, 1),
            of(one, 2, 2),
            of(other, 3, 2),
            of(other, 4, 1),
        ];
        let mut answers = Vec::new();
        for _ in 0..3 {
            answers.push(super::export(&app, &token, &spans).await.status.as_u16());
        }
        // Both may try to join the other one at the same time; then the exporter tries again.
        assert!(
            answers[..2].iter().all(|it| [200, 503].contains(it)),
            "{answers:?}"
        );
        assert_eq!(answers[2], 200);
        assert_eq!(runs(&app, &viewer, &[one, other]).await.len(), 1);
    }
}
