//! The records that a trace becomes, in any order and split of its spans.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::{
    JSON, PROTOBUF, TRACE, attributes, encoded, export_whole, gzipped, id, in_trace, order, post,
    records, run_id, span, trace_id, with_engine,
};
use crate::support::TestApp;
use crate::support::records::time;

#[tokio::test]
async fn json_and_protobuf_write_the_same_records() {
    let spans = order();
    let mut written = Vec::new();
    for (content_type, is_packed) in [
        (JSON, false),
        (JSON, true),
        (PROTOBUF, false),
        (PROTOBUF, true),
    ] {
        let (app, token) = with_engine().await;
        let encoding = if is_packed { "gzip" } else { "identity" };
        let headers = [
            ("content-type", content_type),
            ("content-encoding", encoding),
        ];
        let body = encoded(&spans, content_type);
        let body = if is_packed { gzipped(&body) } else { body };
        let exported = post(&app, &token, &headers, body).await;
        assert_eq!(exported.status, 200);
        match content_type {
            PROTOBUF => assert_eq!(exported.protobuf(), ExportTraceServiceResponse::default()),
            _ => assert_eq!(exported.json(), json!({})),
        }
        written.push(records(&app, TRACE).await);
    }
    assert!(written.windows(2).all(|pair| pair[0] == pair[1]));
    let keys: Vec<_> = written[0].keys().cloned().collect();
    assert_eq!(keys, keys_of_order());
}

/// The sort keys of all records of [`order`].
fn keys_of_order() -> Vec<String> {
    let step = |at: i64, number: u64| format!("STEP#{}#{}", time(at), id(number));
    vec![
        "EXECUTION".to_owned(),
        "PAYLOAD#data#0000".to_owned(),
        "PAYLOAD#input#0000".to_owned(),
        "PAYLOAD#output#0000".to_owned(),
        format!("PAYLOAD#step:{}:executionData#0000", id(1)),
        step(5, 8),
        step(10, 2),
        step(100, 3),
        step(110, 4),
        step(120, 5),
        step(210, 6),
        step(220, 7),
        "TRACE".to_owned(),
        format!("TRACE#{}#{}", time(0), id(1)),
    ]
}

#[tokio::test]
async fn a_trace_is_a_run_in_every_api() {
    let (app, engine) = with_engine().await;
    export_whole(&app, &engine, &order()).await;
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
    let token = app.viewer("team-a").await;
    assert_run_is_shown(&app, &token).await;
    assert_lanes_are_shown(&app, &token).await;
    assert_other_apis_show_the_run(&app, &token).await;
}

/// Name, type and status of each step.
fn outline(steps: &Value) -> Vec<Value> {
    let steps = steps.as_array().expect("steps").iter();
    let line = |it: &Value| json!([it["stepName"], it["stepType"], it["status"]]);
    steps.map(line).collect()
}

/// The flow-executions API shows the run of [`order`] with its top-level steps.
async fn assert_run_is_shown(app: &TestApp, token: &str) {
    let path = format!("/flow-executions/{}", run_id(TRACE));
    let data = app.get(token, &path).await.ok()["data"].take();
    let metadata = &data["metadata"];
    assert_eq!(metadata["flowDefinitionId"], "shop/order");
    assert_eq!(metadata["flowName"], "order");
    assert_eq!(metadata["status"], "COMPLETED");
    assert_eq!(metadata["trigger"], "OTEL");
    assert_eq!(metadata["createdAt"], time(0));
    assert_eq!(metadata["durationMs"], 1_000);
    assert_eq!(metadata["labels"], json!({"traceId": TRACE}));
    assert_eq!(
        outline(&data["steps"]),
        [
            json!(["span 8", "INTERNAL", "COMPLETED"]),
            json!(["validate", "INTERNAL", "COMPLETED"]),
            json!(["pack", "PARALLEL_FORK_MANAGER", "COMPLETED"]),
        ]
    );
    let scope = json!({"name": "shop.orders", "version": "1"});
    assert_eq!(
        data["steps"][0]["executionData"],
        json!({
            "kind": "INTERNAL", "parentSpanId": id(99), "traceState": "a=b",
            "resource": {"service.name": "shop"}, "scope": scope,
        })
    );
}

/// Spans of [`order`] that overlap are steps of different lanes of a fork.
async fn assert_lanes_are_shown(app: &TestApp, token: &str) {
    let run = run_id(TRACE);
    let fork = format!(
        "parentStepInstanceId={}&parentStepStartTime={}",
        id(3),
        time(100)
    );
    let path = format!("/flow-executions/{run}/branch-steps?{fork}");
    let lanes = app.get(token, &path).await.ok()["data"].take();
    let lane = |number: u8| &lanes[format!("{}.{number}", id(3))];
    assert_eq!(lane(1)["branchId"], "lane-1");
    assert_eq!(
        outline(&lane(1)["steps"]),
        [json!(["span 4", "INTERNAL", "FAILED"])]
    );
    assert_eq!(
        lane(1)["steps"][0]["errorMessage"],
        "TimeoutError: no answer"
    );
    assert_eq!(
        outline(&lane(2)["steps"]),
        [
            json!(["span 5", "HTTP", "COMPLETED"]),
            json!(["span 6", "PARALLEL_FORK_MANAGER", "COMPLETED"]),
        ]
    );
    assert_eq!(lane(2)["steps"][0]["input"], json!([1, 2]));
}

/// The executions and history APIs, and all lists, show the run of [`order`].
async fn assert_other_apis_show_the_run(app: &TestApp, token: &str) {
    let run = run_id(TRACE);
    let details = app.get(token, &format!("/api/executions/{run}")).await.ok();
    assert!(details.to_string().contains("\"orderId\":42"), "{details}");
    let history = format!("/api/history/executions/{run}");
    let history = app.get(token, &history).await.ok();
    let steps = history["execution"]["steps"].as_array().map(Vec::len);
    assert_eq!(steps, Some(3));
    for list in [
        "/flow-executions?flowDefinitionId=shop/order".to_owned(),
        "/api/executions/team/team-a?workflowId=shop/order".to_owned(),
        "/api/history/executions?flowId=shop/order".to_owned(),
        format!("/flow-executions?flowDefinitionId=shop/order&label=traceId={TRACE}"),
    ] {
        let list = app.get(token, &list).await.ok();
        assert!(list.to_string().contains(TRACE), "{list}");
    }
}

/// All orders of `count` things.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let with_last = |rest: Vec<usize>| {
        (0..count).map(move |position| {
            let mut order = rest.clone();
            order.insert(position, last);
            order
        })
    };
    permutations(last).into_iter().flat_map(with_last).collect()
}

#[tokio::test]
async fn the_order_of_requests_does_not_change_the_records() {
    let (app, token) = with_engine().await;
    let spans = order();
    // The run; the fork with a step; a lane and the nested fork; the rest.
    let requests: [&[usize]; 4] = [&[0], &[1, 2], &[3, 5], &[4, 6, 7]];
    export_whole(&app, &token, &spans).await;
    let expected = records(&app, TRACE).await;
    for (number, order) in permutations(requests.len()).into_iter().enumerate() {
        let trace = trace_id(number as u64 + 1);
        let spans = in_trace(&spans, &trace);
        for request in &order {
            let some: Vec<_> = requests[*request]
                .iter()
                .map(|it| spans[*it].clone())
                .collect();
            export_whole(&app, &token, &some).await;
        }
        assert_eq!(records(&app, &trace).await, expected, "{order:?}");
    }
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
}

/// A random trace with several roots, cycles, parents that never arrive, several versions of a
/// span, and spans of several kinds with one id.
fn any_trace(random: &mut StdRng) -> Vec<Value> {
    let ids = random.random_range(1..12);
    let mut spans = Vec::new();
    for _ in 0..random.random_range(1..14) {
        let number = random.random_range(1..=ids);
        let parent = random.random_range(0..ids + 2);
        let kind = random.random_range(1..6);
        if spans
            .iter()
            .any(|it: &Value| it["spanId"] == id(number) && it["kind"] == kind)
        {
            continue;
        }
        let start = random.random_range(0..50);
        let marked = json!([{"key": "flowtrail.run", "value": {"boolValue": true}}]);
        let marked = if random.random_bool(0.1) {
            marked
        } else {
            json!([])
        };
        let mut end = start;
        // Each version ends later than the one before.
        for _ in 0..random.random_range(1..4) {
            end += random.random_range(1..30);
            let status = json!({"code": random.random_range(0..3), "message": format!("at {end}")});
            let members = json!({"kind": kind, "status": status, "attributes": marked});
            spans.push(span(
                number,
                (parent > 0).then_some(parent),
                start,
                end,
                members,
            ));
        }
    }
    spans
}

#[tokio::test]
async fn the_split_into_requests_does_not_change_the_records() {
    let (app, token) = with_engine().await;
    for seed in 0..120 {
        let mut random = StdRng::seed_from_u64(seed);
        let whole = trace_id(2 * seed + 1_000);
        let spans = any_trace(&mut random);
        export_whole(&app, &token, &in_trace(&spans, &whole)).await;
        let parts = trace_id(2 * seed + 1_001);
        let mut spans = in_trace(&spans, &parts);
        spans.shuffle(&mut random);
        let size = random.random_range(1..=spans.len());
        for some in spans.chunks(size) {
            export_whole(&app, &token, some).await;
        }
        let [one, other] = [records(&app, &whole).await, records(&app, &parts).await];
        for (sk, record) in one.iter().chain(&other) {
            assert_eq!(one.get(sk), other.get(sk), "seed {seed}: {sk}: {record}");
        }
    }
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
}

#[tokio::test]
async fn an_earlier_root_replaces_the_run_completely() {
    let (app, token) = with_engine().await;
    let big = attributes(&[("flowtrail.input", &noise(1_000_000))]);
    let later = span(1, None, 50, 60, json!({"attributes": big, "name": "later"}));
    let earlier = span(2, None, 10, 100, json!({"name": "earlier"}));
    export_whole(&app, &token, std::slice::from_ref(&later)).await;
    assert_eq!(app.item(&run_id(TRACE)).await["flowName"], "later");
    export_whole(&app, &token, &[earlier]).await;
    let run = app.item(&run_id(TRACE)).await;
    assert_eq!(
        (&run["flowName"], &run["createdAt"]),
        (&json!("earlier"), &json!(time(10)))
    );
    let written = records(&app, TRACE).await;
    assert!(!written.keys().any(|sk| sk.starts_with("PAYLOAD#input")));
    assert!(written.contains_key(&format!("STEP#{}#{}", time(50), id(1))));
    // A repeated later root does not become the run again.
    export_whole(&app, &token, &[later]).await;
    assert_eq!(records(&app, TRACE).await, written);
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
    let viewer = app.viewer("team-a").await;
    let flow = |flow: &str| format!("/flow-executions?flowDefinitionId=shop/{flow}");
    let items = async |flow: String| app.get(&viewer, &flow).await.ok()["data"]["items"].take();
    assert_eq!(items(flow("later")).await, json!([]));
    assert_eq!(
        items(flow("earlier")).await.as_array().map(Vec::len),
        Some(1)
    );
}

/// A text that cannot be compressed.
fn noise(bytes: usize) -> String {
    let mut random = StdRng::seed_from_u64(1);
    let noise: Vec<u8> = (0..bytes * 3 / 4).map(|_| random.random()).collect();
    BASE64.encode(noise)
}
