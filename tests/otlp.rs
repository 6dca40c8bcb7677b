//! OpenTelemetry traces, sent to `POST /v1/traces`, become runs.

use std::collections::BTreeMap;
use std::io::Write;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::keys;
use shared::model::Item;
use shared::store::{Condition, Range, Update};

use crate::support::records::START;
use crate::support::{Answer, TestApp};

mod attempts;
mod bodies;
mod check;
mod engines;
mod exporters;
mod grpc;
mod joins;
mod open_runs;
mod ownership;
mod profiles;
mod records;
mod retries;
mod wrong_ports;

const TRACE: &str = "5b8efff798038103d269b633813fc60c";

const PROTOBUF: &str = "application/x-protobuf";

const JSON: &str = "application/json";

/// The span id of a small number.
fn id(number: u64) -> String {
    format!("{number:016x}")
}

/// Nanoseconds since the epoch, `offset` milliseconds after [`START`].
fn nanoseconds(offset: i64) -> String {
    format!("{}000000", START + offset)
}

/// A span, with `members` over the default ones.
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

/// Attributes whose values are texts.
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

/// A request with these spans, in a form that OTLP allows.
fn encoded(spans: &[Value], content_type: &str) -> Vec<u8> {
    match content_type {
        PROTOBUF => protobuf(&request(spans)),
        _ => request(spans).to_string().into_bytes(),
    }
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).expect("written");
    encoder.finish().expect("compressed")
}

/// Puts a message into a frame of gRPC, without compression.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a length");
    [&[0][..], &length.to_be_bytes(), message].concat()
}

/// The answer to an exporter.
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

/// Sends a body unchanged.
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

/// Sends spans, all of which are accepted.
async fn export_whole(app: &TestApp, token: &str, spans: &[Value]) {
    assert_eq!(export(app, token, spans).await.ok(), json!({}));
}

/// Sends spans one by one, in the order of these positions. All of them are accepted.
async fn export_in_order(
    app: &TestApp,
    token: &str,
    spans: &[Value],
    order: impl IntoIterator<Item = usize>,
) {
    for position in order {
        export_whole(app, token, &spans[position..=position]).await;
    }
}

fn run_id(trace: &str) -> String {
    format!("team-a:{trace}")
}

/// All records of a trace by their sort keys, without values that differ with the order of the
/// requests, with the time, or with the id of the trace.
async fn records(app: &TestApp, trace: &str) -> BTreeMap<String, Value> {
    let execution_id = run_id(trace).parse().expect("an id");
    let range = Range::of_execution(&execution_id, "A", None).latest();
    let items = app.store.all(&range).await.expect("read");
    let record = |mut item: Item| {
        for name in [
            "traceRevision",
            "heartbeatAt",
            "timeoutAt",
            "revision",
            "savedBy",
            "attempts",
        ] {
            item.remove(name);
        }
        for name in ["state", "span"] {
            if let Some(AttributeValue::M(members)) = item.get_mut(name) {
                members.remove("revision");
                members.remove("unsaved");
            }
        }
        let sk = keys::sort_key(&item).expect("a key").to_owned();
        let value = to_json(AttributeValue::M(item));
        let text = value.to_string().replace(trace, "TRACE");
        (sk, serde_json::from_str(&text).expect("JSON"))
    };
    items.into_iter().map(record).collect()
}

/// Converts an attribute to JSON, with bytes as base64. The places of spans, which have 26 bytes
/// each, are sorted.
fn to_json(value: AttributeValue) -> Value {
    match value {
        AttributeValue::M(members) => {
            let member = |(name, value): (String, AttributeValue)| match (name.as_str(), value) {
                ("index" | "places", AttributeValue::B(bytes)) => {
                    let mut places: Vec<_> = bytes.as_ref().chunks(26).collect();
                    places.sort_unstable();
                    (name, BASE64.encode(places.concat()).into())
                }
                (_, value) => (name, to_json(value)),
            };
            Value::Object(members.into_iter().map(member).collect())
        }
        AttributeValue::L(values) => values.into_iter().map(to_json).collect(),
        AttributeValue::B(bytes) => BASE64.encode(bytes.as_ref()).into(),
        other => serde_dynamo::from_attribute_value(other).expect("JSON"),
    }
}

/// Ends the lease of a request that has stopped, which otherwise takes ten seconds.
async fn end_lease(app: &TestApp, trace: &str) {
    let pk = format!("EXEC#{}", run_id(trace));
    let update = Update::new(pk, keys::TRACE)
        .remove("lease")
        .remove("leasedUntil");
    let update = update.only_if(Condition::exists());
    app.store.update(update).await.expect("updated");
}

async fn with_engine() -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Engine, None).await;
    (app, token)
}

/// A trace of eight spans with nested lanes, failures, payloads and an orphan.
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
                ("input.mime_type", "application/json"),
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
