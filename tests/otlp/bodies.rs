//! Request bodies: lenient JSON, protobuf, rejected spans, refused bodies and limits.

use std::io::Write;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use serde_json::{Map, Value, json};

use super::{
    JSON, PROTOBUF, TRACE, attributes, encoded, export, gzipped, nanoseconds, order, post,
    protobuf, records, request, run_id, span, trace_id, with_engine,
};

/// The paths of spans in [`request`].
fn paths(spans: &[usize]) -> String {
    let path = |span: &usize| format!("resourceSpans[0].scopeSpans[0].spans[{span}]");
    spans.iter().map(path).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn invalid_spans_are_rejected_and_the_others_are_written() {
    let (app, token) = with_engine().await;
    let bad = |number: u64, member: &str, value: Value| {
        let mut members = Map::new();
        members.insert(member.to_owned(), value);
        let start = number as i64;
        span(number, Some(1), start, start + 1, members.into())
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
    let message = format!(
        "3 spans: the trace id is not 16 bytes, or is all zero ({}); \
         2 spans: the span id is not 8 bytes, or is all zero ({}); \
         1 span: the parent's id is not 8 bytes ({}); \
         2 spans: the start time is missing ({})",
        paths(&[1, 2, 3]),
        paths(&[4, 5]),
        paths(&[6]),
        paths(&[7, 8])
    );
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
        (8, message.as_str())
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
    attributes[8]["value"] = json!({"doubleValue": null});
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

#[tokio::test]
async fn malformed_json_is_refused() {
    let deep_array = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let span = json!([[]]);
    assert_statuses(vec![
        (AS_JSON, b"".to_vec(), 400),
        (AS_JSON, b"{".to_vec(), 400),
        (AS_JSON, b"[]".to_vec(), 400),
        (AS_JSON, b"null".to_vec(), 400),
        (AS_JSON, b"{\"resourceSpans\": 1}".to_vec(), 400),
        (AS_JSON, b"{\"resourceSpans\": [1]}".to_vec(), 400),
        (
            AS_JSON,
            request(span.as_array().expect("spans"))
                .to_string()
                .into_bytes(),
            400,
        ),
        (AS_JSON, b"\xff\xfe".to_vec(), 400),
        (AS_JSON, deep_array.into_bytes(), 400),
        (AS_GZIPPED_JSON, b"{}".to_vec(), 400),
        (AS_GZIPPED_JSON, gzipped(b"{}")[..15].to_vec(), 400),
    ])
    .await;
}

#[tokio::test]
async fn malformed_protobuf_is_refused() {
    // Only the root, whose last byte is missing.
    let cut = encoded(&order()[..1], PROTOBUF);
    assert_statuses(vec![
        (AS_PROTOBUF, cut[..cut.len() - 1].to_vec(), 400),
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
    let (app, token) = with_engine().await;
    for (headers, depth) in [(AS_JSON, 35), (AS_PROTOBUF, 40)] {
        let body = match headers[0].1 {
            JSON => deep_request(depth).to_string().into_bytes(),
            _ => protobuf(&deep_request(depth)),
        };
        let exported = post(&app, &token, headers, body).await;
        assert_eq!(exported.status, 200);
        assert!(exported.body.len() <= 2, "all spans are written");
    }
    let body = deep_request(60).to_string().into_bytes();
    let partial = post(&app, &token, AS_JSON, body).await.json()["partialSuccess"].take();
    let message = format!(
        "1 span: the values of the span are nested too deeply ({})",
        paths(&[0])
    );
    assert_eq!(
        partial,
        json!({"rejectedSpans": "1", "errorMessage": message})
    );
}

/// The bytes of an id in hexadecimal.
fn id_bytes(id: &Value) -> Vec<u8> {
    let digits = id.as_str().expect("an id").as_bytes();
    let pairs = digits
        .chunks(2)
        .map(|pair| str::from_utf8(pair).expect("ASCII"));
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal"))
        .collect()
}

/// The spans of [`order`] with other forms of ids and times, and names in place of numbers.
fn order_as(to_id: fn(Vec<u8>) -> Value, to_time: fn(u64) -> Value) -> String {
    const KINDS: [&str; 4] = [
        "",
        "SPAN_KIND_INTERNAL",
        "SPAN_KIND_SERVER",
        "SPAN_KIND_CLIENT",
    ];
    let mut spans = order();
    for span in &mut spans {
        for name in ["traceId", "spanId", "parentSpanId"] {
            if let Some(id) = span.get_mut(name) {
                *id = to_id(id_bytes(id));
            }
        }
        for name in ["startTimeUnixNano", "endTimeUnixNano"] {
            let time = span[name].as_str().expect("a time").parse();
            span[name] = to_time(time.expect("a number"));
        }
        let kind = span["kind"]
            .as_u64()
            .and_then(|kind| usize::try_from(kind).ok());
        span["kind"] = KINDS[kind.expect("a kind")].into();
        if let Some(code) = span.pointer_mut("/status/code") {
            *code = "STATUS_CODE_ERROR".into();
        }
    }
    request(&spans).to_string()
}

/// Renames the members of a request.
fn renamed(request: String, names: &[(&str, &str)]) -> Vec<u8> {
    let rename = |text: String, (from, to): &(&str, &str)| {
        text.replace(&format!("\"{from}\":"), &format!("\"{to}\":"))
    };
    names.iter().fold(request, rename).into_bytes()
}

/// The request of [`order`] as Go's general encoder writes it, and as opentelemetry-js has written
/// it, with the names of old exporters.
fn order_of_other_exporters() -> [Vec<u8>; 2] {
    let go = order_as(|id| BASE64.encode(id).into(), |time| time.into());
    let go_names = [
        ("resourceSpans", "resource_spans"),
        ("scopeSpans", "scope_spans"),
        ("traceId", "trace_id"),
        ("spanId", "span_id"),
        ("parentSpanId", "parent_span_id"),
        ("startTimeUnixNano", "start_time_unix_nano"),
        ("endTimeUnixNano", "end_time_unix_nano"),
        ("timeUnixNano", "time_unix_nano"),
        ("stringValue", "string_value"),
        ("traceState", "trace_state"),
    ];
    let halves = |time: u64| {
        // JavaScript writes the lower half with a sign.
        let low = i64::try_from(time & 0xFFFF_FFFF).expect("32 bits");
        let sign = if low > i64::from(i32::MAX) {
            1 << 32
        } else {
            0
        };
        json!({"low": low - sign, "high": time >> 32})
    };
    let js = order_as(|id| id.into(), halves);
    let js_names = [
        ("scopeSpans", "instrumentationLibrarySpans"),
        ("scope", "instrumentationLibrary"),
    ];
    [renamed(go, &go_names), renamed(js, &js_names)]
}

#[tokio::test]
async fn every_known_spelling_leads_to_the_same_records() {
    let mut written = Vec::new();
    let [go, js] = order_of_other_exporters();
    for body in [encoded(&order(), JSON), go, js] {
        let (app, token) = with_engine().await;
        let exported = post(&app, &token, AS_JSON, body).await;
        assert_eq!(
            (exported.status.as_u16(), exported.json()),
            (200, json!({}))
        );
        written.push(records(&app, TRACE).await);
    }
    assert_eq!(written[0], written[1]);
    assert_eq!(written[0], written[2]);
}

#[tokio::test]
async fn broken_texts_become_replacement_characters() {
    let own = attributes(&[("note", "TEXT"), ("flowtrail.input", "TEXT")]);
    let body = request(&[
        span(1, None, 0, 9, json!({})),
        span(2, Some(1), 1, 2, json!({"name": "TEXT", "attributes": own})),
    ]);
    for (content_type, text) in [
        (JSON, &br"a\ud83d"[..]),
        (JSON, b"ab\xff"),
        (PROTOBUF, b"ab\xf0\x9f"),
    ] {
        let (app, token) = with_engine().await;
        let encoded = match content_type {
            JSON => body.to_string().into_bytes(),
            _ => protobuf(&body),
        };
        let encoded = with_text(&encoded, text);
        let exported = post(&app, &token, &[("content-type", content_type)], encoded).await;
        assert_eq!(exported.status, 200);
        assert!(exported.body.len() <= 2, "all spans are written");
        let viewer = app.viewer("team-a").await;
        let path = format!("/flow-executions/{}", run_id(TRACE));
        let data = app.get(&viewer, &path).await.ok()["data"].take();
        let texts = [
            &data["steps"][0]["stepName"],
            &data["steps"][0]["executionData"]["attributes"]["note"],
            &data["steps"][0]["input"],
        ];
        for text in texts {
            let text = text.as_str().expect("a text");
            assert!(
                text.starts_with('a') && text.ends_with('\u{FFFD}'),
                "{text:?}"
            );
        }
    }
}

/// Replaces `TEXT` in a body. In protobuf the replacement has to have the same length.
fn with_text(body: &[u8], text: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = body;
    while let Some(position) = rest.windows(4).position(|window| window == b"TEXT") {
        replaced.extend_from_slice(&rest[..position]);
        replaced.extend_from_slice(text);
        rest = &rest[position + 4..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

#[tokio::test]
async fn a_mixed_body_keeps_what_can_be_read() {
    let (app, token) = with_engine().await;
    let mut body = request(&[
        span(1, None, 0, 9, json!({})),
        span(
            2,
            Some(1),
            1,
            2,
            json!({"traceId": "W47/95gDgQPSabYzgT/GDA=="}),
        ),
        span(3, Some(1), 1, 2, json!({"parentSpanId": "xyz"})),
        span(4, Some(1), 1, 2, json!({"startTimeUnixNano": "soon"})),
        json!("a text"),
    ]);
    let resources = body["resourceSpans"].as_array_mut().expect("a list");
    resources.push(json!("a text"));
    let exported = post(&app, &token, AS_JSON, body.to_string().into_bytes()).await;
    let message = format!(
        "1 span: the parent's id is not 8 bytes ({}); \
         1 span: the start time is not a number of nanoseconds since 1970 ({}); \
         2 spans: the span cannot be decoded ({} and 1 more); resourceSpans[1] is not an object",
        paths(&[2]),
        paths(&[3]),
        paths(&[4])
    );
    assert_eq!(exported.status, 200);
    assert_eq!(
        exported.json(),
        json!({"partialSuccess": {"rejectedSpans": "4", "errorMessage": message}})
    );
    let viewer = app.viewer("team-a").await;
    let path = format!("/flow-executions/{}", run_id(TRACE));
    let data = app.get(&viewer, &path).await.ok()["data"].take();
    assert_eq!(data["steps"][0]["stepName"], "span 2");
}

#[tokio::test]
async fn a_part_without_spans_is_reported_as_a_warning() {
    let (app, token) = with_engine().await;
    let mut body = request(&[span(1, None, 0, 9, json!({}))]);
    body["resourceSpans"][0]["resource"] = json!("a text");
    let exported = post(&app, &token, AS_JSON, body.to_string().into_bytes()).await;
    let message = "resourceSpans[0].resource cannot be decoded, its spans are read without it";
    let partial = json!({"rejectedSpans": "0", "errorMessage": message});
    assert_eq!(exported.json(), json!({"partialSuccess": partial}));
}

#[tokio::test]
async fn refusals_name_the_mistake_and_the_expected_field() {
    let (app, token) = with_engine().await;
    for (headers, body, message) in [
        (AS_JSON, &br#"{"resourceLogs": []}"#[..], "has logs"),
        (AS_JSON, br#"{"resourceMetrics": []}"#, "has metrics"),
        (
            AS_JSON,
            br#"[{"traceId": "1", "id": "2"}]"#,
            "in the format of Zipkin",
        ),
        (AS_JSON, br#"{"data": []}"#, "in the format of Jaeger"),
        (AS_JSON, b"<html></html>", "HTML or XML"),
        (AS_JSON, br#"{"resourceSpans": [{}"#, "not valid JSON"),
    ] {
        let exported = post(&app, &token, headers, body.to_vec()).await;
        let problem = exported.json();
        let text = problem["message"].as_str().expect("a message");
        assert_eq!(
            (exported.status.as_u16(), &problem["code"]),
            (400, &json!("INVALID_PARAMETER"))
        );
        assert!(
            text.contains(message) && text.contains("resourceSpans"),
            "{text}"
        );
    }
    let as_protobuf = encoded(&order(), PROTOBUF);
    let problem = post(&app, &token, AS_JSON, as_protobuf).await.json();
    let text = problem["reason"].as_str();
    let expected = "The body is protobuf. Send it with Content-Type: application/x-protobuf.";
    assert_eq!(text, Some(expected));
    let exported = post(&app, &token, AS_PROTOBUF, encoded(&order(), JSON)).await;
    let text = String::from_utf8_lossy(&exported.body).into_owned();
    assert!(
        text.contains("Send it with Content-Type: application/json."),
        "{text}"
    );
}

#[tokio::test]
async fn media_types_and_compressions_of_exporters_are_read() {
    let json = encoded(&order(), JSON);
    let protobuf = encoded(&order(), PROTOBUF);
    let (app, token) = with_engine().await;
    let send = async |headers: &[(&str, &str)], body: &[u8]| {
        let exported = post(&app, &token, headers, body.to_vec()).await;
        let content_type = exported.headers["content-type"]
            .to_str()
            .expect("a text")
            .to_owned();
        (exported.status.as_u16(), content_type)
    };
    for (content_type, body, answer) in [
        ("application/json; charset=utf-8", &json, JSON),
        ("Application/JSON", &json, JSON),
        ("application/protobuf", &protobuf, PROTOBUF),
        (
            "application/x-protobuf; messageType=\"x\"",
            &protobuf,
            PROTOBUF,
        ),
    ] {
        let answered = send(&[("content-type", content_type)], body).await;
        assert_eq!(answered, (200, answer.to_owned()), "{content_type}");
    }
    assert_eq!(send(&[], &json).await, (200, JSON.to_owned()));
    assert_eq!(send(&[], &protobuf).await, (200, PROTOBUF.to_owned()));
    let zstd = zstd::bulk::compress(&protobuf, 1).expect("compressed");
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&protobuf).expect("written");
    let zlib = zlib.finish().expect("compressed");
    for (encoding, body) in [("zstd", &zstd), ("deflate", &zlib), ("ZLIB", &zlib)] {
        let headers = [("content-type", PROTOBUF), ("content-encoding", encoding)];
        assert_eq!(
            send(&headers, body).await,
            (200, PROTOBUF.to_owned()),
            "{encoding}"
        );
    }
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
async fn a_span_that_is_too_large_is_rejected() {
    let (app, token) = with_engine().await;
    let huge = attributes(&[("a", &"x".repeat(5_000_000))]);
    let huge = json!({"attributes": huge, "traceId": trace_id(1)});
    let huge = span(1, None, 0, 1, huge);
    let body = gzipped(&encoded(&[huge], JSON));
    let exported = post(&app, &token, AS_GZIPPED_JSON, body).await;
    let message = format!("1 span: the span is too large ({})", paths(&[0]));
    assert_eq!(exported.json()["partialSuccess"]["errorMessage"], message);
}
