//! Request bodies: lenient JSON, protobuf, rejected spans, refused bodies and limits.

use std::time::Instant;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{
    JSON, PROTOBUF, TRACE, attributes, encoded, export, gzipped, nanoseconds, order, post,
    protobuf, records, request, run_id, span, trace_id, with_engine,
};
use crate::support::process::DEADLINE;

#[tokio::test]
async fn invalid_spans_are_rejected_and_the_others_are_written() {
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
        // These are valid.
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

/// Attributes of every kind, as OTLP in JSON writes them.
fn every_attribute() -> Value {
    json!([
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
    ])
}

/// The same request as `request(&[span, root])`, written in other ways that protobuf's
/// JSON mapping allows. The crate opentelemetry-proto alone would refuse it.
fn lenient_request(span: &Value, root: &Value) -> Value {
    let mut attributes = every_attribute();
    attributes[10]["value"] = json!({"arrayValue": {}});
    attributes[8]["value"] = json!({"doubleValue": "NaN"});
    attributes[9]["value"] = Value::Null;
    attributes[3]["value"] = json!({"doubleValue": "0.5", "unknown": [{"a": null}]});
    let start: u64 = nanoseconds(0).parse().expect("a number");
    let mut span = span.clone();
    for (name, value) in [
        ("attributes", attributes),
        ("kind", json!("1")),
        ("flags", json!("257")),
        ("events", Value::Null),
        ("droppedLinksCount", json!("0")),
        ("unknown", json!({"deep": [[[{"a": 1}]]]})),
        ("startTimeUnixNano", json!(start)),
        ("traceId", json!(TRACE.to_uppercase())),
    ] {
        span[name] = value;
    }
    let mut lenient = request(&[span, root.clone()]);
    lenient["resourceSpans"][0]["resource"]["entityRefs"] = json!([{"type": "service"}]);
    lenient["resourceSpans"][0]["schemaUrl"] = json!("a");
    lenient["unknown"] = json!(1);
    lenient
}

#[tokio::test]
async fn json_is_read_as_leniently_as_protobuf() {
    let expected = json!({
        "text": "ß", "int": i64::MIN, "int2": 7, "double": 0.5, "bool": true, "bytes": "AAEC",
        "array": [1, "a"], "map": {"": false}, "nothing": null, "empty": null, "noValues": [],
    });
    let root = span(2, None, 0, 9, json!({}));
    let plain = span(1, Some(2), 0, 9, json!({"attributes": every_attribute()}));
    let lenient = lenient_request(&plain, &root);
    let spans = [plain, root];
    let mut written = Vec::new();
    for (content_type, body) in [
        (PROTOBUF, encoded(&spans, PROTOBUF)),
        (JSON, encoded(&spans, JSON)),
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

type Headers = &'static [(&'static str, &'static str)];

const AS_JSON: Headers = &[("content-type", JSON)];

const AS_GZIPPED_JSON: Headers = &[("content-type", JSON), ("content-encoding", "gzip")];

const AS_PROTOBUF: Headers = &[("content-type", PROTOBUF)];

const AS_GZIPPED_PROTOBUF: Headers = &[("content-type", PROTOBUF), ("content-encoding", "gzip")];

/// A request whose only attribute is nested this deep.
fn deep_request(depth: usize) -> Value {
    let nested = (0..depth).fold(
        json!({"intValue": "1"}),
        |value, _| json!({"arrayValue": {"values": [value]}}),
    );
    let attribute = json!([{"key": "deep", "value": nested}]);
    request(&[span(1, None, 0, 1, json!({"attributes": attribute}))])
}

/// A request with a span of which one member has the wrong type.
fn with_wrong_member(member: &str, value: Value) -> Vec<u8> {
    let mut body = request(&[span(1, None, 0, 1, json!({}))]);
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0][member] = value;
    body.to_string().into_bytes()
}

#[tokio::test]
async fn malformed_json_is_refused() {
    let deep_array = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_statuses(vec![
        (AS_JSON, b"".to_vec(), 400),
        (AS_JSON, b"{".to_vec(), 400),
        (AS_JSON, b"[]".to_vec(), 400),
        (AS_JSON, b"null".to_vec(), 400),
        (AS_JSON, b"{\"resourceSpans\": 1}".to_vec(), 400),
        (AS_JSON, b"{\"resourceSpans\": [1]}".to_vec(), 400),
        (
            AS_JSON,
            b"{\"resourceSpans\": [{\"scopeSpans\": [{\"spans\": [[]]}]}]}".to_vec(),
            400,
        ),
        (AS_JSON, b"\xff\xfe".to_vec(), 400),
        (AS_JSON, with_wrong_member("traceId", json!("xyz")), 400),
        (AS_JSON, with_wrong_member("traceId", json!(1)), 400),
        (
            AS_JSON,
            with_wrong_member("startTimeUnixNano", json!(-1)),
            400,
        ),
        (
            AS_JSON,
            with_wrong_member("startTimeUnixNano", json!("1e30")),
            400,
        ),
        (
            AS_JSON,
            with_wrong_member("kind", json!("SPAN_KIND_SERVER")),
            400,
        ),
        (
            AS_JSON,
            with_wrong_member("attributes", json!({"a": 1})),
            400,
        ),
        (AS_JSON, deep_request(60).to_string().into_bytes(), 400),
        (AS_JSON, deep_array.into_bytes(), 400),
        (AS_GZIPPED_JSON, b"{}".to_vec(), 400),
        (AS_GZIPPED_JSON, gzipped(b"{}")[..15].to_vec(), 400),
    ])
    .await;
}

#[tokio::test]
async fn malformed_protobuf_is_refused() {
    assert_statuses(vec![
        (AS_PROTOBUF, b"\xff\xff\xff\xff".to_vec(), 400),
        (
            AS_PROTOBUF,
            encoded(&order(), PROTOBUF)[..200].to_vec(),
            400,
        ),
        (AS_PROTOBUF, b"{\"resourceSpans\": []}".to_vec(), 400),
    ])
    .await;
}

#[tokio::test]
async fn large_bodies_and_other_types_are_refused() {
    let bomb = gzipped(&vec![b' '; 17 * 1024 * 1024]);
    let large = vec![b' '; 4 * 1024 * 1024 + 1];
    assert_statuses(vec![
        (AS_JSON, large.clone(), 413),
        (AS_PROTOBUF, large, 413),
        (AS_GZIPPED_JSON, bomb.clone(), 413),
        (AS_GZIPPED_PROTOBUF, bomb, 413),
        (&[("content-type", "text/plain")], b"{}".to_vec(), 415),
        (&[("content-type", "application/grpc")], b"".to_vec(), 415),
        (
            &[("content-type", JSON), ("content-encoding", "br")],
            b"{}".to_vec(),
            415,
        ),
    ])
    .await;
}

#[tokio::test]
async fn requests_without_spans_are_accepted() {
    assert_statuses(vec![
        (AS_JSON, b"{}".to_vec(), 200),
        (AS_JSON, b"{\"resourceSpans\": null}".to_vec(), 200),
        (
            AS_JSON,
            b"{\"resourceSpans\": [{\"scopeSpans\": [{\"spans\": [{}]}]}]}".to_vec(),
            200,
        ),
        (AS_PROTOBUF, b"".to_vec(), 200),
    ])
    .await;
}

#[tokio::test]
async fn nested_attributes_are_accepted_to_a_depth() {
    assert_statuses(vec![
        (AS_JSON, deep_request(35).to_string().into_bytes(), 200),
        (AS_PROTOBUF, protobuf(&deep_request(40)), 200),
    ])
    .await;
}

#[tokio::test]
async fn only_post_is_allowed() {
    let (app, token) = with_engine().await;
    let answer = app.call(Method::GET, &token, "/v1/traces", "").await;
    assert_eq!(answer.problem(), (405, "METHOD_NOT_ALLOWED".to_owned()));
}

/// Each body gets its status, in an answer of the request's own type.
async fn assert_statuses(cases: Vec<(Headers, Vec<u8>, u16)>) {
    let (app, token) = with_engine().await;
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
            let code = if status == 413 { 8 } else { 3 };
            assert_eq!(exported.body[..3], [0x08, code, 0x12], "{start}");
        }
    }
}

#[tokio::test]
async fn a_trace_has_at_most_10_000_spans() {
    let (app, token) = with_engine().await;
    let short_span = |number: u64| {
        let parent = (number > 1).then_some(1);
        span(number, parent, 0, 1, json!({"name": "s"}))
    };
    let many: Vec<_> = (1..=10_003).map(short_span).collect();
    let send = async |spans: &[Value]| {
        let body = gzipped(&encoded(spans, PROTOBUF));
        let deadline = Instant::now() + DEADLINE;
        loop {
            let exported = post(&app, &token, AS_GZIPPED_PROTOBUF, body.clone()).await;
            // The table may be slow during this many writes. Exporters try again.
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
}

#[tokio::test]
async fn a_span_that_is_too_large_is_rejected() {
    let (app, token) = with_engine().await;
    let huge = attributes(&[("a", &"x".repeat(5_000_000))]);
    let huge = json!({"attributes": huge, "traceId": trace_id(1)});
    let huge = span(1, None, 0, 1, huge);
    let body = gzipped(&encoded(&[huge], JSON));
    let exported = post(&app, &token, AS_GZIPPED_JSON, body).await;
    let message = "1 span: the span is too large";
    assert_eq!(exported.json()["partialSuccess"]["errorMessage"], message);
}
