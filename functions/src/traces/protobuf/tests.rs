//! Bodies with unreadable parts, with fields of old exporters, and bodies that are not OTLP.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::trace::v1 as official;
use proptest::prelude::*;

use super::*;

const TRACE: [u8; 16] = [0x5b; 16];

fn span(number: u8) -> official::Span {
    official::Span {
        trace_id: TRACE.to_vec(),
        span_id: vec![number; 8],
        name: "NAME".to_owned(),
        start_time_unix_nano: 1_771_324_200_050_000_000,
        ..official::Span::default()
    }
}

/// Encodes a field that contains bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encode_length_delimiter(content.len(), &mut bytes).expect("encoded");
    bytes.extend_from_slice(content);
    bytes
}

/// Encodes a request with encoded spans, in one scope.
fn request(spans: &[Vec<u8>]) -> Vec<u8> {
    let spans: Vec<_> = spans.iter().map(|span| field(2, span)).collect();
    field(1, &field(2, &spans.concat()))
}

fn read(body: Vec<u8>) -> ReadSpans {
    spans(body.into()).expect("readable")
}

fn reason(body: Vec<u8>) -> String {
    spans(body.into()).expect_err("not readable")
}

fn any_value(value: Any) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn attribute(value: Any) -> KeyValue {
    KeyValue {
        key: "a".to_owned(),
        value: any_value(value),
        ..KeyValue::default()
    }
}

#[test]
fn the_official_messages_are_read() {
    let mut sent = span(1);
    sent.kind = 3;
    sent.end_time_unix_nano = sent.start_time_unix_nano + 5;
    sent.parent_span_id = vec![2; 8];
    sent.trace_state = "a=b".to_owned();
    sent.attributes = vec![attribute(Any::IntValue(i64::MIN)), KeyValue::default()];
    sent.dropped_links_count = 7;
    sent.status = Some(official::Status {
        code: 2,
        ..official::Status::default()
    });
    sent.events = vec![official::span::Event {
        name: "exception".to_owned(),
        attributes: vec![KeyValue {
            key: "exception.message".to_owned(),
            value: any_value(Any::StringValue("boom".to_owned())),
            ..KeyValue::default()
        }],
        ..official::span::Event::default()
    }];
    let request = ExportTraceServiceRequest {
        resource_spans: vec![official::ResourceSpans {
            scope_spans: vec![official::ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "shop".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans: vec![sent],
                ..official::ScopeSpans::default()
            }],
            ..official::ResourceSpans::default()
        }],
    };
    let read = read(request.encode_to_vec());
    let span = &read.spans[0];
    assert_eq!((span.kind, span.failure.as_deref()), ("CLIENT", Some("")));
    assert_eq!(span.end_ns - span.start_ns, 5);
    assert_eq!(
        span.parent_id.map(|id| id.to_string()),
        Some("02".repeat(8))
    );
    assert_eq!(span.attributes["a"], i64::MIN);
    assert_eq!(span.attributes[""], serde_json::Value::Null);
    assert_eq!(span.scope["name"], "shop");
    assert_eq!(span.details["droppedLinksCount"], 7);
    assert_eq!(span.details["traceState"], "a=b");
}

#[test]
fn texts_that_are_not_utf8_do_not_lose_a_span() {
    let mut bytes = span(1).encode_to_vec();
    let position = bytes.windows(4).position(|name| name == b"NAME");
    bytes[position.expect("a name") + 3] = 0xFF;
    let read = read(request(&[bytes, span(2).encode_to_vec()]));
    assert_eq!(read.spans.len(), 2);
    assert_eq!(read.spans[0].name, "NAM\u{FFFD}");
}

#[test]
fn an_unreadable_span_is_rejected_alone_and_by_name() {
    let mut cut = span(2).encode_to_vec();
    cut.truncate(30);
    let mut no_id = span(3);
    no_id.trace_id = vec![1; 15];
    let read = read(request(&[
        span(1).encode_to_vec(),
        cut,
        no_id.encode_to_vec(),
    ]));
    assert_eq!(read.spans.len(), 1);
    assert_eq!(
        read.message(),
        "1 span: the trace id is not 16 bytes, or is all zero \
         (resourceSpans[0].scopeSpans[0].spans[2]); \
         1 span: the span cannot be decoded (resourceSpans[0].scopeSpans[0].spans[1])"
    );
}

#[test]
fn deep_values_are_rejected_with_their_span() {
    let deep = |depth| {
        let value = (0..depth).fold(Any::IntValue(1), |value, _| {
            let values = vec![AnyValue { value: Some(value) }];
            Any::ArrayValue(ArrayValue { values })
        });
        let mut span = span(1);
        span.attributes = vec![attribute(value)];
        read(request(&[
            span.encode_to_vec(),
            self::span(2).encode_to_vec(),
        ]))
    };
    assert_eq!(deep(40).spans.len(), 2);
    assert_eq!(deep(2_000).spans.len(), 1);
    assert!(
        deep(2_000)
            .message()
            .starts_with("1 span: the values of the span are nested too deeply")
    );
}

#[test]
fn ids_that_are_texts_are_read() {
    let mut text = span(1);
    text.trace_id = "5b".repeat(16).into_bytes();
    text.span_id = b"EEE19B7EC3C1B174".to_vec();
    // These digits, decoded as base64.
    text.parent_span_id = vec![
        0x79, 0xe7, 0xb5, 0xf5, 0xbe, 0xde, 0x73, 0x77, 0x35, 0x6f, 0x5e, 0xf8,
    ];
    let read = read(request(&[text.encode_to_vec()]));
    let span = &read.spans[0];
    assert_eq!(span.trace_id.to_string(), "5b".repeat(16));
    assert_eq!(span.id.to_string(), "eee19b7ec3c1b174");
    assert_eq!(
        span.parent_id.map(|id| id.to_string()).as_deref(),
        Some("eee19b7ec3c1b174")
    );
}

#[test]
fn spans_of_old_exporters_are_read() {
    // A status with the old code alone, and the field 1000 for the spans of a library.
    let mut old = span(1).encode_to_vec();
    old.extend(field(15, b"\x08\x0d"));
    let scope_spans = [field(1, &field(1, b"old")), field(2, &old)].concat();
    let mut resource_spans = Vec::new();
    prost::encoding::encode_key(
        1000,
        prost::encoding::WireType::LengthDelimited,
        &mut resource_spans,
    );
    prost::encode_length_delimiter(scope_spans.len(), &mut resource_spans).expect("encoded");
    resource_spans.extend(&scope_spans);
    let only_old = read(field(1, &resource_spans));
    assert_eq!(only_old.spans[0].scope["name"], "old");
    assert_eq!(only_old.spans[0].failure.as_deref(), Some(""));
    // The new field replaces the old one.
    resource_spans.extend(field(2, &[]));
    assert_eq!(read(field(1, &resource_spans)).spans.len(), 0);
}

#[test]
fn unreadable_sources_do_not_lose_their_spans() {
    let spans = field(2, &span(1).encode_to_vec());
    let scope_spans = [field(1, b"\x0a"), spans.clone()].concat();
    let resource_spans = [field(1, b"\xff"), field(2, &scope_spans)].concat();
    let good = field(2, &field(2, &span(2).encode_to_vec()));
    let body = [
        field(1, &resource_spans),
        field(1, b"\x0a"),
        field(1, &good),
    ]
    .concat();
    let read = read(body);
    assert_eq!((read.spans.len(), read.rejections.spans()), (2, 1));
    let message = read.message();
    let warnings: Vec<_> = message.split("; ").collect();
    let starts = [
        "1 span: the span cannot be decoded",
        "resourceSpans[0].resource cannot be decoded, its spans are read without it",
        "resourceSpans[0].scopeSpans[0].scope cannot be decoded, its spans are read without it",
        "resourceSpans[1] cannot be decoded: ",
    ];
    assert_eq!(warnings.len(), starts.len(), "{message}");
    for (warning, start) in warnings.iter().zip(starts) {
        assert!(warning.starts_with(start), "{warning}");
    }
}

#[test]
fn occurrences_of_a_resource_are_merged() {
    let attribute = |key: &str| {
        let value = attribute(Any::BoolValue(true));
        let key = key.to_owned();
        field(1, &KeyValue { key, ..value }.encode_to_vec())
    };
    let resource_spans = [
        field(1, &attribute("a")),
        field(2, &field(2, &span(1).encode_to_vec())),
        field(1, &attribute("b")),
    ];
    let read = read(field(1, &resource_spans.concat()));
    let names: Vec<_> = read.spans[0].resource.keys().collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn infinite_numbers_are_texts() {
    for (number, expected) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        let mut sent = span(1);
        sent.attributes = vec![attribute(Any::DoubleValue(number))];
        let read = read(request(&[sent.encode_to_vec()]));
        assert_eq!(read.spans[0].attributes["a"], expected);
    }
}

#[test]
fn other_bodies_are_named() {
    assert_eq!(read(Vec::new()).message(), "");
    let json = "The body is JSON. Send it with Content-Type: application/json.";
    for body in [
        &b"{}"[..],
        b"[]",
        b"\n {\"resourceSpans\": []}",
        b"\xef\xbb\xbf{}",
    ] {
        assert_eq!(reason(body.to_vec()), json);
    }
    assert_eq!(
        reason(b"\x1f\x8b\x08\0\0".to_vec()),
        "The body is compressed. Send it with Content-Encoding: gzip."
    );
    let expected = "Expected the protobuf message ExportTraceServiceRequest, with the field \
                    resource_spans.";
    let garbage = reason(b"\xff\xff\xff\xff".to_vec());
    assert!(
        garbage.starts_with("The body is not valid protobuf: "),
        "{garbage}"
    );
    assert!(garbage.ends_with(expected), "{garbage}");
    let cut = request(&[span(1).encode_to_vec()]);
    assert!(reason(cut[..cut.len() - 1].to_vec()).ends_with(expected));
    let unreadable = reason(request(&[b"\xff".to_vec()]));
    assert_eq!(
        unreadable,
        "Nothing in the body can be read: 1 span: the span cannot be decoded \
         (resourceSpans[0].scopeSpans[0].spans[0])."
    );
    // A LogRecord with a time and a text, and a Metric with a name and a gauge.
    let log = [
        vec![0x09, 1, 2, 3, 4, 5, 6, 7, 8],
        field(5, &field(1, b"hello")),
    ]
    .concat();
    let metric = [
        field(1, b"requests"),
        field(5, &field(1, b"\x19\0\0\0\0\0\0\0\0")),
    ]
    .concat();
    for (body, signal) in [(log, "logs"), (metric, "metrics")] {
        let message =
            format!("The body has {signal}, and this endpoint takes only traces. {expected}");
        assert_eq!(reason(request(&[body])), message);
    }
}

proptest! {
    #[test]
    fn every_span_is_read_or_rejected(
        position in 0_usize..60,
        change in any::<[u8; 3]>(),
        other in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut changed = span(2).encode_to_vec();
        let position = position.min(changed.len());
        changed.splice(position..(position + 2).min(changed.len()), change);
        let body = request(&[changed, span(1).encode_to_vec(), other]);
        let read = read(body);
        prop_assert_eq!(read.spans.len() + read.rejections.spans(), 3);
        prop_assert!(!read.spans.is_empty());
    }

    #[test]
    fn no_body_stops_the_reader(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = spans(body.into());
    }
}
