//! Traces of OpenTelemetry, sent to `POST /v1/traces`, as runs.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join_all;
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};
use shared::auth::Role;
use shared::keys;
use shared::model::{Item, Timestamp};
use shared::store::Range;

use crate::lambda::{event, function};
use crate::support::faults::{Fault, Faulty};
use crate::support::process::{DEADLINE, Server, flowtrail, python_with};
use crate::support::records::{START, execution, step, time};
use crate::support::runtime::http_answer;
use crate::support::{Answer, TestApp};

const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// The id of a span, of a small number.
fn id(number: u64) -> String {
    format!("{number:016x}")
}

/// Nanoseconds, so many milliseconds after [`START`].
fn nanoseconds(offset: i64) -> String {
    format!("{}000000", START + offset)
}

/// A span, with other members in place of its own.
fn span(number: u64, parent: Option<u64>, start: i64, end: i64, members: Value) -> Value {
    let mut span = json!({
        "traceId": TRACE, "spanId": id(number), "name": format!("span {number}"), "kind": 1,
        "startTimeUnixNano": nanoseconds(start), "endTimeUnixNano": nanoseconds(end),
    });
    if let Some(parent) = parent {
        span["parentSpanId"] = id(parent).into();
    }
    for (name, value) in members.as_object().expect("members") {
        span[name] = value.clone();
    }
    span
}

/// Attributes of texts.
fn attributes(texts: &[(&str, &str)]) -> Value {
    let attribute =
        |(key, text): &(&str, &str)| json!({"key": key, "value": {"stringValue": text}});
    texts.iter().map(attribute).collect()
}

/// A request with spans of one service.
fn request(spans: &[Value]) -> Value {
    json!({"resourceSpans": [{
        "resource": {"attributes": attributes(&[("service.name", "shop")])},
        "scopeSpans": [{"scope": {"name": "shop.orders", "version": "1"}, "spans": spans}],
    }]})
}

fn protobuf(request: &Value) -> Vec<u8> {
    let request: ExportTraceServiceRequest =
        serde_json::from_value(request.clone()).expect("a request");
    request.encode_to_vec()
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("written");
    encoder.finish().expect("compressed")
}

/// What an exporter gets.
struct Exported {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Exported {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn protobuf(&self) -> ExportTraceServiceResponse {
        assert_eq!(self.headers[header::CONTENT_TYPE], PROTOBUF);
        ExportTraceServiceResponse::decode(self.body.as_slice()).expect("a response")
    }
}

/// Sends a body as it is.
async fn post(app: &TestApp, token: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Exported {
    let mut request =
        Request::post("/v1/traces").header(header::AUTHORIZATION, format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).expect("a request");
    let exported = crate::support::actions::as_function("ingest_traces", async {
        let (parts, body) = app.open(request).await.into_parts();
        (parts, body.collect().await.expect("a body").to_bytes())
    });
    let (parts, body) = exported.await;
    Exported {
        status: parts.status,
        headers: parts.headers,
        body: body.into(),
    }
}

/// Sends spans as JSON.
async fn export(app: &TestApp, token: &str, spans: &[Value]) -> Answer {
    let body = request(spans).to_string();
    app.call(Method::POST, token, "/v1/traces", &body).await
}

/// Sends spans that are all taken.
async fn export_whole(app: &TestApp, token: &str, spans: &[Value]) {
    assert_eq!(export(app, token, spans).await.ok(), json!({}));
}

fn run_id(trace: &str) -> String {
    format!("team-a:{trace}")
}

/// All records of a trace by their sort keys, but for what differs with each writing, and
/// with the trace's own id.
async fn records(app: &TestApp, trace: &str) -> BTreeMap<String, Value> {
    let execution_id = run_id(trace).parse().expect("an id");
    let range = Range::of_execution(&execution_id, "A", None).latest();
    let items = app.store.all(&range).await.expect("read");
    let record = |mut item: Item| {
        item.remove("round");
        if let Some(AttributeValue::B(bytes)) = item.get("bytes") {
            let bytes = BASE64.encode(bytes.as_ref());
            item.insert("bytes".to_owned(), AttributeValue::S(bytes));
        }
        let sk = keys::sort_key(&item).expect("a key").to_owned();
        let mut record: Value = serde_dynamo::from_item(item).expect("JSON");
        if let Some(expiry) = record.get_mut("expiresAt") {
            *expiry = "waiting".into();
        }
        if sk == keys::TRACE {
            // Of a time in which it waited, which says nothing afterwards.
            record.as_object_mut().expect("members").remove("expiresAt");
        }
        let text = record.to_string().replace(trace, "TRACE");
        (sk, serde_json::from_str(&text).expect("JSON"))
    };
    items.into_iter().map(record).collect()
}

async fn with_engine() -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Engine, None).await;
    (app, token)
}

/// A trace with everything: nested lanes, failures, payloads, an orphan.
fn order() -> Vec<Value> {
    let input = attributes(&[
        ("flowtrail.input", r#"{"orderId": 42}"#),
        ("output.value", "done"),
        ("noise", &"x".repeat(20_000)),
    ]);
    let failed = json!({
        "status": {"code": 2},
        "events": [
            {"timeUnixNano": nanoseconds(1), "name": "retry", "attributes": []},
            {"timeUnixNano": nanoseconds(2), "name": "exception", "attributes": attributes(&[
                ("exception.type", "TimeoutError"), ("exception.message", "no answer"),
            ])},
        ],
    });
    vec![
        span(
            1,
            None,
            0,
            1_000,
            json!({"kind": 2, "name": "order", "attributes": input}),
        ),
        span(2, Some(1), 10, 100, json!({"name": "validate"})),
        span(3, Some(1), 100, 900, json!({"name": "pack"})),
        span(4, Some(3), 110, 300, failed),
        span(
            5,
            Some(3),
            120,
            200,
            json!({"kind": 3, "attributes": attributes(&[
                ("flowtrail.step.type", "HTTP"), ("input.value", "[1, 2]"),
            ])}),
        ),
        span(6, Some(3), 210, 400, json!({})),
        span(
            7,
            Some(6),
            220,
            230,
            json!({"links": [{"traceId": "f".repeat(32), "spanId": id(9)}]}),
        ),
        span(8, Some(99), 5, 6, json!({"traceState": "a=b"})),
    ]
}

/// The same spans in another trace.
fn in_trace(spans: &[Value], trace: &str) -> Vec<Value> {
    let moved = |span: &Value| {
        let mut span = span.clone();
        span["traceId"] = trace.into();
        span
    };
    spans.iter().map(moved).collect()
}

fn trace_id(number: u64) -> String {
    format!("{number:032x}")
}

#[tokio::test]
async fn json_and_protobuf_packed_or_not_write_the_same_records() {
    let spans = order();
    let mut written = Vec::new();
    let form = |content_type: &'static str, is_packed: bool| {
        let body = match content_type {
            PROTOBUF => protobuf(&request(&spans)),
            _ => request(&spans).to_string().into_bytes(),
        };
        match is_packed {
            true => gzipped(&body),
            false => body,
        }
    };
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
        let exported = post(&app, &token, &headers, form(content_type, is_packed)).await;
        assert_eq!(exported.status, 200);
        match content_type {
            PROTOBUF => assert_eq!(exported.protobuf(), ExportTraceServiceResponse::default()),
            _ => assert_eq!(exported.json(), json!({})),
        }
        written.push(records(&app, TRACE).await);
    }
    assert!(written.windows(2).all(|pair| pair[0] == pair[1]));
    let keys: Vec<_> = written[0].keys().map(String::as_str).collect();
    let (pack, six) = (time(100), time(210));
    let branch = |lane: u8, at: i64, step: u64| {
        let fork = id(3);
        format!(
            "BRANCH#{pack}#{fork}#{fork}.{lane}#{}#{}",
            time(at),
            id(step)
        )
    };
    assert_eq!(
        keys,
        [
            &branch(1, 110, 4),
            &branch(2, 120, 5),
            &branch(2, 210, 6),
            &format!("BRANCH#{six}#{0}#{0}.1#{1}#{2}", id(6), time(220), id(7)),
            "EXECUTION",
            "PAYLOAD#data#0000",
            "PAYLOAD#input#0000",
            "PAYLOAD#output#0000",
            &format!("PAYLOAD#step:{}:executionData#0000", id(1)),
            &format!("STEP#{}#{}", time(5), id(8)),
            &format!("STEP#{}#{}", time(10), id(2)),
            &format!("STEP#{pack}#{}", id(3)),
            "TRACE",
            &format!("TRACE#{}#{}", time(0), id(1)),
        ]
    );
}

#[tokio::test]
async fn a_trace_is_a_run_on_every_surface() {
    let (app, engine) = with_engine().await;
    export_whole(&app, &engine, &order()).await;
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
    let token = app.viewer("team-a").await;
    let run = run_id(TRACE);

    let data = app
        .get(&token, &format!("/flow-executions/{run}"))
        .await
        .ok()["data"]
        .take();
    let metadata = &data["metadata"];
    assert_eq!(metadata["flowDefinitionId"], "shop/order");
    assert_eq!(metadata["flowName"], "order");
    assert_eq!(metadata["status"], "COMPLETED");
    assert_eq!(metadata["trigger"], "OTEL");
    assert_eq!(metadata["createdAt"], time(0));
    assert_eq!(metadata["durationMs"], 1_000);
    assert_eq!(metadata["labels"], json!({"traceId": TRACE}));
    let outline = |steps: &Value| -> Vec<_> {
        let steps = steps.as_array().expect("steps").iter();
        let line = |it: &Value| {
            json!([
                it["stepName"],
                it["stepType"],
                it["sequenceNumber"],
                it["status"]
            ])
        };
        steps.map(line).collect()
    };
    assert_eq!(
        outline(&data["steps"]),
        [
            json!(["span 8", "INTERNAL", 1, "COMPLETED"]),
            json!(["validate", "INTERNAL", 2, "COMPLETED"]),
            json!(["pack", "PARALLEL_FORK_MANAGER", 3, "COMPLETED"]),
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

    let fork = format!(
        "parentStepInstanceId={}&parentStepStartTime={}",
        id(3),
        time(100)
    );
    let lanes = app
        .get(
            &token,
            &format!("/flow-executions/{run}/branch-steps?{fork}"),
        )
        .await
        .ok()["data"]
        .take();
    let lane = |number: u8| &lanes[format!("{}.{number}", id(3))];
    assert_eq!(lane(1)["branchId"], "lane-1");
    assert_eq!(
        outline(&lane(1)["steps"]),
        [json!(["span 4", "INTERNAL", 1, "FAILED"])]
    );
    assert_eq!(
        lane(1)["steps"][0]["errorMessage"],
        "TimeoutError: no answer"
    );
    assert_eq!(
        outline(&lane(2)["steps"]),
        [
            json!(["span 5", "HTTP", 1, "COMPLETED"]),
            json!(["span 6", "PARALLEL_FORK_MANAGER", 2, "COMPLETED"]),
        ]
    );
    assert_eq!(lane(2)["steps"][0]["input"], json!([1, 2]));

    let details = app
        .get(&token, &format!("/api/executions/{run}"))
        .await
        .ok();
    assert!(details.to_string().contains("\"orderId\":42"), "{details}");
    let history = format!("/api/history/executions/{run}");
    let history = app.get(&token, &history).await.ok();
    let steps = history["execution"]["steps"].as_array().map(Vec::len);
    assert_eq!(steps, Some(3));
    for list in [
        "/flow-executions?flowDefinitionId=shop/order".to_owned(),
        "/api/executions/team/team-a?workflowId=shop/order".to_owned(),
        "/api/history/executions?flowId=shop/order".to_owned(),
        format!("/flow-executions?flowDefinitionId=shop/order&label=traceId={TRACE}"),
    ] {
        let list = app.get(&token, &list).await.ok();
        assert!(list.to_string().contains(TRACE), "{list}");
    }
}

/// All orders of so many things.
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
async fn the_spans_of_a_trace_end_in_the_same_records_in_whatever_order_they_come() {
    let (app, token) = with_engine().await;
    let spans = order();
    // The run, the fork with a step, a lane and its fork's step, the rest.
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

/// A trace by chance, with several roots, circles, and parents that never come.
fn any_trace(random: &mut StdRng) -> Vec<Value> {
    let count = random.random_range(1..14);
    let numbers = 1..=count;
    let any_span = |number: u64| {
        let parent = random.random_range(0..count + 2);
        let start = random.random_range(0..50);
        let end = start + random.random_range(0..30);
        let marked = json!({"attributes": [
            {"key": "flowtrail.run", "value": {"boolValue": true}},
        ]});
        let members = if random.random_bool(0.1) {
            marked
        } else {
            json!({})
        };
        span(number, (parent > 0).then_some(parent), start, end, members)
    };
    numbers.map(any_span).collect()
}

#[tokio::test]
async fn any_trace_in_any_requests_ends_as_it_does_in_one() {
    let (app, token) = with_engine().await;
    for seed in 0..60 {
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
        assert_eq!(one, other, "seed {seed}");
    }
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_moment_lose_nothing() {
    let (app, token) = with_engine().await;
    let spans = order();
    export_whole(&app, &token, &spans).await;
    let expected = records(&app, TRACE).await;
    for number in 0..10 {
        let trace = trace_id(number + 1);
        let spans = in_trace(&spans, &trace);
        let requests = spans.chunks(1 + number as usize % 3);
        let exports = requests.map(|some| export(&app, &token, some));
        for answer in join_all(exports).await {
            // Who finds too many others is told to try again, and does.
            assert!(
                [200, 503].contains(&answer.status.as_u16()),
                "{}",
                answer.body
            );
            if answer.status == 503 {
                export_whole(&app, &token, &spans).await;
            }
        }
        assert_eq!(records(&app, &trace).await, expected);
    }
}

#[tokio::test]
async fn a_request_that_comes_again_changes_nothing_and_asks_for_little() {
    let (app, token) = with_engine().await;
    let first = export(&app, &token, &order()[..3]).await;
    assert_eq!(first.status, 200);
    // The state, two Queries; the run's payloads, the step's own, the steps; the run, the
    // state; and whether it is still there.
    assert_eq!(first.usage.requests, 9);
    let before = records(&app, TRACE).await;
    let again = export(&app, &token, &order()[..3]).await;
    assert_eq!(again.ok(), json!({}));
    assert_eq!(again.usage.requests, 5);
    assert_eq!(records(&app, TRACE).await, before);
}

#[tokio::test]
async fn a_crash_anywhere_is_mended_by_the_next_try() {
    const WRITES: &[&str] = &["BatchWriteItem", "PutItem", "DeleteItem", "UpdateItem"];
    let spans = order();
    // First what comes under the fork, and with a payload; then all the rest.
    let mut early = vec![spans[3].clone(), spans[6].clone()];
    early[0]["attributes"] = attributes(&[("input.value", &"y".repeat(20_000))]);
    let mut spans = spans;
    spans[3] = early[0].clone();
    let (app, token) = with_engine().await;
    export_whole(&app, &token, &spans).await;
    let expected = records(&app, TRACE).await;
    let mut crashes = 0;
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        for position in 0.. {
            let trace = trace_id(crashes + 1);
            let (early, spans) = (in_trace(&early, &trace), in_trace(&spans, &trace));
            export_whole(&app, &token, &early).await;
            let (faulty, client) = Faulty::client(app.store.client(), WRITES);
            let broken = app.over(client);
            faulty.plan(std::iter::repeat_n(Fault::None, position).chain([fault]));
            let has_crashed = tokio::select! {
                answer = export(&broken, &token, &spans) => {
                    assert_eq!(answer.ok(), json!({}));
                    false
                }
                () = faulty.crash() => true,
            };
            if has_crashed {
                crashes += 1;
                export_whole(&app, &token, &spans).await;
            }
            assert_eq!(
                records(&app, &trace).await,
                expected,
                "{fault:?} at {position}"
            );
            if !has_crashed {
                break;
            }
        }
    }
    assert!(crashes > 12, "{crashes}");
}

#[tokio::test]
async fn what_a_crashed_request_left_is_not_overlooked_by_one_that_read_before_it() {
    let (app, token) = with_engine().await;
    let spans = order();
    export_whole(&app, &token, &spans).await;
    let expected = records(&app, TRACE).await;
    let trace = trace_id(1);
    let spans = in_trace(&spans, &trace);
    // One has read, and is about to write.
    let (slow, client) = Faulty::client(app.store.client(), &["BatchWriteItem"]);
    let late = app.over(client);
    slow.plan([Fault::Delayed]);
    let late_export = export(&late, &token, &spans[4..]);
    let others = async {
        slow.crash().await;
        // Another writes all of its own, and ends before it notes that.
        let (faulty, client) = Faulty::client(app.store.client(), &["PutItem"]);
        let broken = app.over(client);
        faulty.plan([Fault::None, Fault::CrashBefore]);
        tokio::select! {
            _ = export(&broken, &token, &spans[..4]) => panic!("it crashes"),
            () = faulty.crash() => {}
        }
        export_whole(&app, &token, &spans[..4]).await;
        slow.go_on();
    };
    let (answer, ()) = tokio::join!(late_export, others);
    assert_eq!(answer.ok(), json!({}));
    assert_eq!(records(&app, &trace).await, expected);
}

#[tokio::test]
async fn steps_wait_for_their_run_and_not_for_ever() {
    let (app, token) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    let spans = order();
    let mut early = spans[1..4].to_vec();
    early[0]["attributes"] = attributes(&[("input.value", &"y".repeat(20_000))]);
    export_whole(&app, &token, &early).await;
    let path = format!("/flow-executions/{}", run_id(TRACE));
    assert_eq!(app.get(&viewer, &path).await.status, 404);
    let list = "/flow-executions?flowDefinitionId=shop/order";
    assert_eq!(
        app.get(&viewer, list).await.ok()["data"]["items"],
        json!([])
    );
    let execution_id = run_id(TRACE).parse().expect("an id");
    let range = Range::of_execution(&execution_id, "A", None).latest();
    let items = app.store.all(&range).await.expect("read");
    let week = Timestamp::now().seconds() + 7 * 24 * 3_600;
    assert_eq!(items.len(), 5, "three steps, a payload, the state");
    for item in items {
        let expiry: i64 = item["expiresAt"]
            .as_n()
            .expect("a number")
            .parse()
            .expect("one");
        assert!((week - 100..=week).contains(&expiry), "{item:?}");
    }
    export_whole(&app, &token, &spans[..1]).await;
    for (sk, record) in records(&app, TRACE).await {
        assert_eq!(record.get("expiresAt"), None, "{sk}");
    }
    let data = app.get(&viewer, &path).await.ok()["data"].take();
    assert_eq!(
        data["steps"][0]["input"].as_str().map(str::len),
        Some(20_000)
    );
}

#[tokio::test]
async fn an_earlier_root_takes_the_place_of_the_run_and_leaves_nothing_of_it() {
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
    // What comes again later is no run either.
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

/// A text that compression does not make shorter.
fn noise(bytes: usize) -> String {
    let mut random = StdRng::seed_from_u64(1);
    let noise: Vec<u8> = (0..bytes * 3 / 4).map(|_| random.random()).collect();
    BASE64.encode(noise)
}

#[tokio::test]
async fn a_run_that_was_deleted_stays_so_until_it_is_sent_anew() {
    let (app, token) = with_engine().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let spans = order();
    export_whole(&app, &token, &spans[..3]).await;
    let path = format!("/api/history/executions/{}", run_id(TRACE));
    app.delete(&admin, &path).await.ok();
    // Before the rest of it is removed.
    let late = export(&app, &token, &spans).await.ok();
    assert_eq!(
        late,
        json!({"partialSuccess": {
            "rejectedSpans": "8", "errorMessage": "8 spans: the run was deleted",
        }})
    );
    app.reap().await;
    assert_eq!(app.records_of(&run_id(TRACE)).await, [""; 0]);
    export_whole(&app, &token, &spans[3..]).await;
    assert_eq!(
        app.get(&admin, &format!("/flow-executions/{}", run_id(TRACE)))
            .await
            .status,
        404
    );
    export_whole(&app, &token, &spans).await;
    app.get(&admin, &format!("/flow-executions/{}", run_id(TRACE)))
        .await
        .ok();
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
}

#[tokio::test]
async fn what_is_written_while_a_run_is_removed_goes_with_it() {
    let (app, token) = with_engine().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let spans = order();
    export_whole(&app, &token, &spans[..3]).await;
    let (faulty, client) = Faulty::client(app.store.client(), &["BatchWriteItem"]);
    let slow = app.over(client);
    faulty.plan([Fault::Delayed]);
    let removal = async {
        faulty.crash().await;
        let path = format!("/api/history/executions/{}", run_id(TRACE));
        app.delete(&admin, &path).await.ok();
        app.reap().await;
        faulty.go_on();
    };
    let (answer, ()) = tokio::join!(export(&slow, &token, &spans[3..]), removal);
    answer.ok();
    for (sk, record) in records(&app, TRACE).await {
        assert!(
            sk == "TRACE" || record["expiresAt"] == "waiting",
            "{sk}: {record}"
        );
    }
    // The same, but that the state is still there when the round ends.
    let trace = trace_id(1);
    let spans = in_trace(&spans, &trace);
    export_whole(&app, &token, &spans[..3]).await;
    faulty.plan([Fault::Delayed]);
    let removal = async {
        faulty.crash().await;
        let path = format!("/api/history/executions/{}", run_id(&trace));
        app.delete(&admin, &path).await.ok();
        faulty.go_on();
    };
    let (answer, ()) = tokio::join!(export(&slow, &token, &spans[3..]), removal);
    assert_eq!(answer.ok()["partialSuccess"]["rejectedSpans"], "5");
    assert_eq!(app.records_of(&run_id(&trace)).await, [""; 0]);
}

#[tokio::test]
async fn a_run_that_its_engine_writes_itself_stays_as_it_is() {
    let (app, token) = with_engine().await;
    let operator = app.token("team-a", Role::Operator, None).await;
    let run = run_id(TRACE);
    app.write([
        execution(&run, json!({"status": "RUNNING", "endTime": null})),
        step(&run, "own", 20, json!({})),
    ])
    .await;
    let cancel = format!("/api/executions/{run}/cancel");
    let answer = app.call(Method::POST, &operator, &cancel, "").await;
    assert_eq!(answer.status, 200);
    let cancelled = app.item(&run).await;
    export_whole(&app, &token, &order()).await;
    assert_eq!(app.item(&run).await, cancelled);
    let data = app
        .get(&operator, &format!("/flow-executions/{run}"))
        .await
        .ok()["data"]
        .take();
    let steps = data["steps"].as_array().map(Vec::len);
    assert_eq!(steps, Some(4), "its own step, and three spans");
    // Who has the table's keys can write another team's run under that id.
    let other = trace_id(7);
    app.write([execution(&run_id(&other), json!({"teamId": "team-b"}))])
        .await;
    let refused = export(&app, &token, &in_trace(&order(), &other)).await.ok();
    let message = "8 spans: the run's id is taken";
    assert_eq!(refused["partialSuccess"]["errorMessage"], message);
    assert_eq!(app.records_of(&run_id(&other)).await, ["EXECUTION"]);
}

#[tokio::test]
async fn a_trace_of_two_teams_is_a_run_of_each() {
    let (app, token) = with_engine().await;
    let other = app.token("team-b", Role::Engine, None).await;
    export_whole(&app, &token, &order()).await;
    let before = records(&app, TRACE).await;
    export_whole(&app, &other, &order()[..2]).await;
    assert_eq!(records(&app, TRACE).await, before);
    let viewer = app.viewer("team-b").await;
    let path = |team: &str| format!("/flow-executions/{team}:{TRACE}");
    assert_eq!(app.get(&viewer, &path("team-a")).await.status, 404);
    let steps = app.get(&viewer, &path("team-b")).await.ok()["data"]["steps"].take();
    assert_eq!(steps.as_array().map(Vec::len), Some(1));
    let long = "t".repeat(96);
    let token = app.token(&long, Role::Engine, None).await;
    let refused = export(&app, &token, &order()).await;
    assert_eq!(refused.problem(), (400, "INVALID_PARAMETER".to_owned()));
    let token = app.token(&long[..95], Role::Engine, None).await;
    export_whole(&app, &token, &order()).await;
}

#[tokio::test]
async fn an_engines_token_writes_and_reads_nothing() {
    let (app, token) = with_engine().await;
    export_whole(&app, &token, &order()).await;
    for path in [
        format!("/flow-executions/{}", run_id(TRACE)),
        "/api/executions/team/team-a".to_owned(),
        "/api/tokens".to_owned(),
    ] {
        assert_eq!(app.get(&token, &path).await.problem().0, 403, "{path}");
    }
    for role in [Role::Viewer, Role::Operator] {
        let token = app.token("team-a", role, None).await;
        assert_eq!(export(&app, &token, &order()).await.problem().0, 403);
    }
    let limited = app
        .token("team-a", Role::Admin, Some(&["shop/order"]))
        .await;
    let refused = export(&app, &limited, &order()).await;
    assert_eq!(refused.problem(), (403, "FORBIDDEN".to_owned()));
    // The refusal of a protobuf request is protobuf.
    let body = protobuf(&request(&order()));
    let refused = post(&app, &limited, &[("content-type", PROTOBUF)], body).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.headers["content-type"], PROTOBUF);
    assert_eq!(refused.body[..2], [0x08, 7], "the code PERMISSION_DENIED");
}

#[tokio::test]
async fn spans_that_cannot_be_are_rejected_and_the_others_are_written() {
    let (app, token) = with_engine().await;
    let bad = |number: u64, member: &str, value: Value| {
        let mut members = Map::new();
        members.insert(member.to_owned(), value);
        span(number, Some(1), 1, 2, members.into())
    };
    let spans = [
        order()[0].clone(),
        bad(2, "traceId", json!("00")),
        bad(2, "traceId", json!("0".repeat(32))),
        bad(2, "traceId", json!("")),
        bad(3, "spanId", json!("0".repeat(16))),
        bad(4, "spanId", json!("ab".repeat(9))),
        bad(5, "parentSpanId", json!("abcd")),
        bad(6, "startTimeUnixNano", json!("0")),
        bad(7, "startTimeUnixNano", json!(0)),
        // These can be.
        bad(8, "parentSpanId", json!("0000000000000000")),
        bad(9, "endTimeUnixNano", json!("1")),
        bad(10, "startTimeUnixNano", json!("18446744073709551615")),
        bad(11, "kind", json!(77)),
        bad(12, "name", json!("n".repeat(1_000_000))),
        bad(
            13,
            "status",
            json!({"code": 2, "message": "e".repeat(1_000_000)}),
        ),
    ];
    let message = "3 spans: the trace id is not 16 bytes, or is all zero; \
                   2 spans: the span id is not 8 bytes, or is all zero; \
                   1 span: the parent's id is not 8 bytes; \
                   2 spans: the start time is missing";
    let answer = export(&app, &token, &spans).await.ok();
    assert_eq!(
        answer,
        json!({"partialSuccess": {"rejectedSpans": "8", "errorMessage": message}})
    );
    let body = protobuf(&request(&spans));
    let exported = post(&app, &token, &[("content-type", PROTOBUF)], body).await;
    let partial = exported.protobuf().partial_success.expect("partial");
    assert_eq!(
        (partial.rejected_spans, partial.error_message.as_str()),
        (8, message)
    );
    let viewer = app.viewer("team-a").await;
    let path = format!("/flow-executions/{}", run_id(TRACE));
    let data = app.get(&viewer, &path).await.ok()["data"].take();
    let steps = data["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 6);
    assert_eq!(steps[1]["durationMs"], 0, "a clock that was set back");
    let last = steps.last().expect("steps");
    assert_eq!(last["startTime"], "2554-07-21T23:34:33.709Z");
}

#[tokio::test]
async fn attributes_of_every_kind_are_kept_in_both_forms_as_lenient_as_protobuf_is() {
    let values = json!([
        {"key": "text", "value": {"stringValue": "ß"}},
        {"key": "int", "value": {"intValue": "-9223372036854775808"}},
        {"key": "int2", "value": {"intValue": 7}},
        {"key": "double", "value": {"doubleValue": 0.5}},
        {"key": "bool", "value": {"boolValue": true}},
        {"key": "bytes", "value": {"bytesValue": "AAEC"}},
        {"key": "array", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "a"}]}}},
        {"key": "map", "value": {"kvlistValue": {"values": [{"key": "", "value": {"boolValue": false}}]}}},
        {"key": "nothing", "value": {}},
        {"key": "empty"},
        {"key": "noValues", "value": {"arrayValue": {"values": []}}},
    ]);
    let expected = json!({
        "text": "ß", "int": i64::MIN, "int2": 7, "double": 0.5, "bool": true, "bytes": "AAEC",
        "array": [1, "a"], "map": {"": false}, "nothing": null, "empty": null, "noValues": [],
    });
    // What opentelemetry-proto alone would refuse.
    let mut lenient = values.clone();
    lenient[10]["value"] = json!({"arrayValue": {}});
    lenient[8]["value"] = json!({"doubleValue": "NaN"});
    lenient[9]["value"] = Value::Null;
    lenient[3]["value"] = json!({"doubleValue": "0.5", "unknown": [{"a": null}]});
    let root = span(2, None, 0, 9, json!({}));
    let plain = span(1, Some(2), 0, 9, json!({"attributes": values}));
    let mut other = plain.clone();
    for (name, value) in [
        ("attributes", lenient),
        ("kind", json!("1")),
        ("flags", json!("257")),
        ("events", Value::Null),
        ("droppedLinksCount", json!("0")),
        ("unknown", json!({"deep": [[[{"a": 1}]]]})),
        (
            "startTimeUnixNano",
            json!(nanoseconds(0).parse::<u64>().expect("a number")),
        ),
        ("traceId", json!(TRACE.to_uppercase())),
    ] {
        other[name] = value;
    }
    let mut lenient = request(&[other, root.clone()]);
    lenient["resourceSpans"][0]["resource"]["entityRefs"] = json!([{"type": "service"}]);
    lenient["resourceSpans"][0]["schemaUrl"] = json!("a");
    lenient["unknown"] = json!(1);
    let mut written = Vec::new();
    for (content_type, body) in [
        (PROTOBUF, protobuf(&request(&[plain.clone(), root.clone()]))),
        (JSON, request(&[plain, root]).to_string().into_bytes()),
        (JSON, lenient.to_string().into_bytes()),
    ] {
        let (app, token) = with_engine().await;
        let exported = post(&app, &token, &[("content-type", content_type)], body).await;
        assert_eq!(
            exported.status,
            200,
            "{}",
            String::from_utf8_lossy(&exported.body)
        );
        let token = app.viewer("team-a").await;
        let path = format!("/flow-executions/{}", run_id(TRACE));
        let data = app.get(&token, &path).await.ok()["data"].take();
        let kept = &data["steps"][0]["executionData"]["attributes"];
        assert_eq!(*kept, expected, "{content_type}");
        written.push(records(&app, TRACE).await);
    }
    assert_eq!(written[0], written[1]);
    assert_eq!(written[0], written[2]);
}

#[tokio::test]
async fn no_body_is_a_fault_of_ours() {
    let (app, token) = with_engine().await;
    let deep = |depth: usize| {
        let nested = (0..depth).fold(
            json!({"intValue": "1"}),
            |value, _| json!({"arrayValue": {"values": [value]}}),
        );
        let attribute = json!([{"key": "deep", "value": nested}]);
        request(&[span(1, None, 0, 1, json!({"attributes": attribute}))])
    };
    let bomb = gzipped(&vec![b' '; 17 * 1024 * 1024]);
    let large = vec![b' '; 4 * 1024 * 1024 + 1];
    let wrong = |member: &str, value: Value| {
        let mut body = request(&[span(1, None, 0, 1, json!({}))]);
        body["resourceSpans"][0]["scopeSpans"][0]["spans"][0][member] = value;
        body.to_string().into_bytes()
    };
    let json = [("content-type", JSON)];
    let gzip = [("content-type", JSON), ("content-encoding", "gzip")];
    let proto = [("content-type", PROTOBUF)];
    let proto_gzip = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    let (bad, too_large, other) = (400, 413, 415);
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: Vec<(Headers<'_>, Vec<u8>, u16)> = vec![
        (&json, b"".to_vec(), bad),
        (&json, b"{".to_vec(), bad),
        (&json, b"[]".to_vec(), bad),
        (&json, b"null".to_vec(), bad),
        (&json, b"{\"resourceSpans\": 1}".to_vec(), bad),
        (&json, b"{\"resourceSpans\": [1]}".to_vec(), bad),
        (
            &json,
            b"{\"resourceSpans\": [{\"scopeSpans\": [{\"spans\": [[]]}]}]}".to_vec(),
            bad,
        ),
        (&json, b"\xff\xfe".to_vec(), bad),
        (&json, wrong("traceId", json!("xyz")), bad),
        (&json, wrong("traceId", json!(1)), bad),
        (&json, wrong("startTimeUnixNano", json!(-1)), bad),
        (&json, wrong("startTimeUnixNano", json!("1e30")), bad),
        (&json, wrong("kind", json!("SPAN_KIND_SERVER")), bad),
        (&json, wrong("attributes", json!({"a": 1})), bad),
        (&json, deep(60).to_string().into_bytes(), bad),
        (
            &json,
            format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes(),
            bad,
        ),
        (&json, large.clone(), too_large),
        (&proto, large, too_large),
        (&gzip, b"{}".to_vec(), bad),
        (&gzip, gzipped(b"{}")[..15].to_vec(), bad),
        (&gzip, bomb.clone(), too_large),
        (&proto_gzip, bomb, too_large),
        (&proto, b"\xff\xff\xff\xff".to_vec(), bad),
        (&proto, protobuf(&request(&order()))[..200].to_vec(), bad),
        (&proto, b"{\"resourceSpans\": []}".to_vec(), bad),
        (&[("content-type", "text/plain")], b"{}".to_vec(), other),
        (&[("content-type", "application/grpc")], b"".to_vec(), other),
        (
            &[("content-type", JSON), ("content-encoding", "br")],
            b"{}".to_vec(),
            other,
        ),
        (&json, b"{}".to_vec(), 200),
        (&json, b"{\"resourceSpans\": null}".to_vec(), 200),
        (
            &json,
            b"{\"resourceSpans\": [{\"scopeSpans\": [{\"spans\": [{}]}]}]}".to_vec(),
            200,
        ),
        (&json, deep(35).to_string().into_bytes(), 200),
        (&proto, b"".to_vec(), 200),
        (&proto, protobuf(&deep(40)), 200),
    ];
    for (headers, body, status) in cases {
        let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let exported = post(&app, &token, headers, body).await;
        assert_eq!(exported.status.as_u16(), status, "{headers:?} {start}");
        let is_protobuf = headers[0].1 == PROTOBUF;
        assert_eq!(
            exported.headers["content-type"],
            if is_protobuf { PROTOBUF } else { JSON },
            "{start}"
        );
        if is_protobuf && status != 200 {
            // A google.rpc.Status: its code, then a message.
            let code = if status == too_large { 8 } else { 3 };
            assert_eq!(exported.body[..3], [0x08, code, 0x12], "{start}");
        }
    }
    let answer = app.call(Method::GET, &token, "/v1/traces", "").await;
    assert_eq!(answer.problem(), (405, "METHOD_NOT_ALLOWED".to_owned()));
}

#[tokio::test]
async fn a_trace_has_so_many_spans_and_a_span_so_many_bytes() {
    let (app, token) = with_engine().await;
    let many: Vec<_> = (1..=10_003)
        .map(|number| {
            span(
                number,
                (number > 1).then_some(1),
                0,
                1,
                json!({"name": "s"}),
            )
        })
        .collect();
    let headers = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    let send = async |spans: &[Value]| {
        let body = gzipped(&protobuf(&request(spans)));
        let deadline = Instant::now() + DEADLINE;
        loop {
            let exported = post(&app, &token, &headers, body.clone()).await;
            // A table that is slow for so many: exporters try again.
            if exported.status != 503 {
                return exported.protobuf().partial_success;
            }
            assert!(Instant::now() < deadline, "the table stays slow");
        }
    };
    for some in many[..10_000].chunks(1_000) {
        assert_eq!(send(some).await, None);
    }
    let partial = send(&many[9_990..]).await.expect("partial");
    let message = "3 spans: the trace has 10000 spans already";
    assert_eq!(
        (partial.rejected_spans, partial.error_message.as_str()),
        (3, message)
    );
    assert_eq!(app.records_of(&run_id(TRACE)).await.len(), 10_003);

    let huge = attributes(&[("a", &"x".repeat(5_000_000))]);
    let huge = span(
        1,
        None,
        0,
        1,
        json!({"attributes": huge, "traceId": trace_id(1)}),
    );
    let body = gzipped(request(&[huge]).to_string().as_bytes());
    let headers = [("content-type", JSON), ("content-encoding", "gzip")];
    let exported = post(&app, &token, &headers, body).await;
    let message = "1 span: the span is too large";
    assert_eq!(exported.json()["partialSuccess"]["errorMessage"], message);
}

#[tokio::test]
async fn a_table_at_its_limit_has_the_exporter_try_again() {
    let (app, token) = with_engine().await;
    let (faulty, client) = Faulty::client(app.store.client(), &["PutItem"]);
    let throttled = app.over(client);
    for content_type in [JSON, PROTOBUF] {
        faulty.plan([Fault::Throttled]);
        let body = match content_type {
            PROTOBUF => protobuf(&request(&order())),
            _ => request(&order()).to_string().into_bytes(),
        };
        let exported = post(&throttled, &token, &[("content-type", content_type)], body).await;
        assert_eq!(exported.status, 503);
        assert_eq!(exported.headers["retry-after"], "2");
        assert_eq!(exported.headers["content-type"], content_type);
    }
    // One trace that fails does not keep the others from their end.
    faulty.plan([Fault::Throttled]);
    let both = [
        in_trace(&order(), &trace_id(1)),
        in_trace(&order(), &trace_id(2)),
    ]
    .concat();
    assert_eq!(export(&throttled, &token, &both).await.problem().0, 503);
    let written = [
        records(&app, &trace_id(1)).await,
        records(&app, &trace_id(2)).await,
    ];
    assert_eq!(
        written
            .iter()
            .filter(|it| it.contains_key("EXECUTION"))
            .count(),
        1
    );
    export_whole(&throttled, &token, &both).await;
    assert_eq!(
        records(&app, &trace_id(1)).await,
        records(&app, &trace_id(2)).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lambda_function_takes_protobuf_as_the_gateway_hands_it_over() {
    let (app, token) = with_engine().await;
    export_whole(&app, &token, &order()).await;
    let expected = records(&app, TRACE).await;
    let (other, _) = with_engine().await;
    let mut event = event("ingest_traces");
    event["headers"]["Content-Type"] = PROTOBUF.into();
    event["headers"]["Content-Encoding"] = "gzip".into();
    event["multiValueHeaders"]["Content-Type"] = json!([PROTOBUF]);
    event["multiValueHeaders"]["Content-Encoding"] = json!(["gzip"]);
    event["requestContext"]["authorizer"]["teamId"] = "team-a".into();
    event["isBase64Encoded"] = true.into();
    event["body"] = BASE64.encode(gzipped(&protobuf(&request(&order())))).into();
    let answer = function(&other, "ingest_traces").await.invoke(&event).await;
    let (head, body) = http_answer(&answer);
    assert_eq!((&head["statusCode"], body), (&json!(200), Value::Null));
    assert_eq!(head["headers"]["content-type"], PROTOBUF);
    assert_eq!(records(&other, TRACE).await, expected);
}

/// What a program of the OpenTelemetry SDK is, in forty lines.
const PROGRAM: &str = r#"
from concurrent.futures import ThreadPoolExecutor

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("shop.orders", "1.0")


def pack(here, number):
    token = context.attach(here)
    try:
        with tracer.start_as_current_span(f"pack {number}") as span:
            barrier.wait()
            span.set_attribute("items", [number, number + 1])
            if number == 2:
                raise ValueError("too heavy")
    except ValueError:
        pass
    finally:
        context.detach(token)


import threading

barrier = threading.Barrier(3, timeout=60)
with tracer.start_as_current_span("order", kind=trace.SpanKind.SERVER) as order:
    order.set_attribute("flowtrail.input", '{"orderId": 42}')
    order.set_attribute("flowtrail.label.orderId", "42")
    with tracer.start_as_current_span("validate"):
        pass
    with tracer.start_as_current_span("pack all"):
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(pack, [context.get_current()] * 3, range(3)))
print(format(order.get_span_context().trace_id, "032x"))
assert provider.force_flush(60_000)
provider.shutdown()
"#;

#[test]
fn the_sdk_of_python_exports_a_trace_to_a_running_server() {
    let module = "opentelemetry.exporter.otlp.proto.http.trace_exporter";
    let Some(python) = python_with(module, "opentelemetry-exporter-otlp-proto-http") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let create = ["token", "create", "--role", "engine", "--team", "default"];
    let created = flowtrail(folder.path()).args(create).output().expect("run");
    let created = String::from_utf8(created.stdout).expect("UTF-8");
    let token = created.split_whitespace().last().expect("a token");
    let run = |compression: &str| {
        let output = Command::new(&python)
            .args(["-c", PROGRAM])
            .env(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("http://127.0.0.1:{}", server.port),
            )
            .env(
                "OTEL_EXPORTER_OTLP_HEADERS",
                format!("Authorization=Bearer%20{token}"),
            )
            .env("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
            .env("OTEL_SERVICE_NAME", "shop")
            .output()
            .expect("python runs");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && errors.is_empty(), "{errors}");
        String::from_utf8(output.stdout)
            .expect("UTF-8")
            .trim()
            .to_owned()
    };
    for compression in ["none", "gzip"] {
        let run = format!("default:{}", run(compression));
        let get = |path: &str| {
            let url = format!("http://127.0.0.1:{}{path}", server.port);
            crate::support::http::get(&url, server.token()).json()
        };
        let data = get(&format!("/flow-executions/{run}"))["data"].take();
        let metadata = &data["metadata"];
        assert_eq!(metadata["flowDefinitionId"], "shop/order", "{data}");
        assert_eq!(metadata["labels"]["orderId"], "42");
        assert_eq!(metadata["status"], "COMPLETED");
        // In the order of the keys, which is none within a millisecond.
        let mut steps = data["steps"].as_array().expect("steps").clone();
        steps.sort_by_key(|step| step["sequenceNumber"].as_i64());
        let names: Vec<_> = steps.iter().map(|step| &step["stepName"]).collect();
        assert_eq!(names, ["validate", "pack all"]);
        let text = |name: &str| steps[1][name].as_str().expect("a text").to_owned();
        let lanes = get(&format!(
            "/flow-executions/{run}/branch-steps?parentStepInstanceId={}&parentStepStartTime={}",
            text("stepInstanceId"),
            text("startTime"),
        ));
        let lanes = lanes["data"].as_object().expect("lanes").values();
        let mut packed: Vec<_> = lanes
            .flat_map(|lane| lane["steps"].as_array().expect("steps"))
            .map(|step| {
                let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
                (text("stepName"), text("status"), text("errorMessage"))
            })
            .collect();
        packed.sort();
        let line = |name: &str, status: &str, error: &str| {
            (name.to_owned(), status.to_owned(), error.to_owned())
        };
        assert_eq!(
            packed,
            [
                line("pack 0", "COMPLETED", ""),
                line("pack 1", "COMPLETED", ""),
                line("pack 2", "FAILED", "ValueError: too heavy"),
            ]
        );
        assert_eq!(steps.len() + packed.len(), 5);
    }
}
