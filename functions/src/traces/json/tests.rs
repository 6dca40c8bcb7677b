//! Bodies in every form that known exporters write, and bodies that are not OTLP.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const TRACE: &str = "5b8efff798038103d269b633813fc60c";

fn span(number: u64, members: Value) -> Value {
    let mut span = json!({
        "traceId": TRACE, "spanId": format!("{number:016x}"), "name": "a",
        "startTimeUnixNano": "1771324200050000000", "endTimeUnixNano": "1771324202400000000",
    });
    for (name, value) in members.as_object().expect("members") {
        span[name] = value.clone();
    }
    span
}

fn request(spans: Value) -> Value {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
}

fn read(body: &Value) -> ReadSpans {
    spans(body.to_string().as_bytes()).expect("readable")
}

/// Reads a span with these members, next to a good span.
fn read_one(members: Value) -> ReadSpans {
    read(&request(json!([span(1, members), span(2, json!({}))])))
}

fn reason(body: impl AsRef<[u8]>) -> String {
    spans(body.as_ref()).expect_err("not readable")
}

#[test]
fn a_span_of_gos_general_encoder_is_read() {
    // As in open-telemetry/opentelemetry-collector#8720.
    let read = read(&json!({"resource_spans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"Value": {"StringValue": "shop"}}}]},
        "scope_spans": [{"scope": {"name": "s", "version": "1"}, "spans": [{
            "trace_id": "Z6z8LqVvEI+kU1/Ci6mXBQ==", "span_id": "gMEgDJS+EXg=", "name": "Simple",
            "parent_span_id": null, "kind": 1, "start_time_unix_nano": 1_697_982_593_201_336_000_u64,
            "end_time_unix_nano": 1_697_982_593_201_347_750_u64, "status": {},
            "dropped_attributes_count": 3,
        }]}],
        "schema_url": "a",
    }]}));
    assert_eq!(read.message(), "");
    let span = &read.spans[0];
    assert_eq!(
        span.trace_id.to_string(),
        "67acfc2ea56f108fa4535fc28ba99705"
    );
    assert_eq!(span.id.to_string(), "80c1200c94be1178");
    assert_eq!(
        (span.parent_id, span.kind, span.failure.as_ref()),
        (None, "INTERNAL", None)
    );
    assert_eq!(span.start_ns, 1_697_982_593_201_336_000);
    assert_eq!(span.end_ns, 1_697_982_593_201_347_750);
    assert_eq!(span.resource["service.name"], "shop");
    assert_eq!(json!(*span.scope), json!({"name": "s", "version": "1"}));
    assert_eq!(span.details["droppedAttributesCount"], 3);
}

#[test]
fn spans_of_old_exporters_are_read() {
    // As in open-telemetry/opentelemetry-collector#3195.
    let library = |name: &str| {
        json!([{"instrumentationLibrary": {"name": name}, "spans": [span(1, json!({
            "kind": "SPAN_KIND_CLIENT", "status": {"deprecatedCode": "DEPRECATED_STATUS_CODE_ABORTED"},
        }))]}])
    };
    let no_scopes = json!({"resource": {}, "spans": [span(1, json!({}))]});
    assert_eq!(read(&json!({"resourceSpans": [no_scopes]})).spans.len(), 1);
    let old = read(&json!({"resourceSpans": [{"instrumentationLibrarySpans": library("old")}]}));
    let span = &old.spans[0];
    assert_eq!(span.scope["name"], "old");
    assert_eq!((span.kind, span.failure.as_deref()), ("CLIENT", Some("")));
    // Some exporters sent the same spans twice.
    let both = json!({"scopeSpans": library("new"), "instrumentationLibrarySpans": library("old")});
    let both = read(&json!({"resourceSpans": [both]}));
    assert_eq!(both.spans.len(), 1);
    assert_eq!(both.spans[0].scope["name"], "new");
    let both = json!({"scopeSpans": [ ], "instrumentationLibrarySpans": library("old")});
    assert_eq!(read(&json!({"resourceSpans": [both]})).spans.len(), 1);
}

#[test]
fn ids_are_read_in_every_known_form() {
    let bytes = [0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0x74];
    for id in [
        json!("EEE19B7EC3C1B174"),
        json!("7uGbfsPBsXQ="),
        // The digits in base64, as in open-telemetry/opentelemetry-swift#537.
        json!("ZWVlMTliN2VjM2MxYjE3NA=="),
        // The digits decoded as base64, and written in hexadecimal.
        json!("79e7b5f5bede7377356f5ef8"),
        json!(bytes),
        json!({"0": 0xee, "1": 0xe1, "2": 0x9b, "3": 0x7e, "4": 0xc3, "5": 0xc1, "6": 0xb1, "7": 0x74}),
    ] {
        let read = read_one(json!({"spanId": id, "parentSpanId": id}));
        assert_eq!(read.spans[0].id.to_string(), "eee19b7ec3c1b174", "{id}");
        assert_eq!(read.spans[0].parent_id, Some(read.spans[0].id), "{id}");
    }
    let links = json!([{"traceId": vec![9; 16], "spanId": bytes}, {"traceId": "x"}, "odd"]);
    let read = read_one(json!({"links": links}));
    let zeros = json!({"traceId": null, "spanId": null});
    assert_eq!(
        read.spans[0].details["links"],
        json!([{"traceId": "09".repeat(16), "spanId": "eee19b7ec3c1b174"}, zeros, zeros])
    );
}

#[test]
fn an_unreadable_span_is_rejected_alone_and_by_name() {
    let reason = |members: Value| {
        let read = read_one(members);
        assert_eq!((read.spans.len(), read.rejections.spans()), (1, 1));
        let message = read.message();
        let position = " (resourceSpans[0].scopeSpans[0].spans[0])";
        let message = message.strip_suffix(position).expect("a position");
        message
            .strip_prefix("1 span: ")
            .expect("a number")
            .to_owned()
    };
    for (members, expected) in [
        (
            json!({"traceId": "xyz"}),
            "the trace id is not 16 bytes, or is all zero",
        ),
        (
            json!({"traceId": 1}),
            "the trace id is not 16 bytes, or is all zero",
        ),
        (
            json!({"traceId": null}),
            "the trace id is not 16 bytes, or is all zero",
        ),
        (
            json!({"spanId": 12_345_678_901_234_567_u64}),
            "the span id is not 8 bytes, or is all zero",
        ),
        (
            json!({"parentSpanId": "xyz"}),
            "the parent's id is not 8 bytes",
        ),
        (
            json!({"parentSpanId": true}),
            "the parent's id is not 8 bytes",
        ),
        (
            json!({"startTimeUnixNano": null}),
            "the start time is missing",
        ),
        (
            json!({"startTimeUnixNano": -1}),
            "the start time is not a number of nanoseconds since 1970",
        ),
        (
            json!({"startTimeUnixNano": "1e30"}),
            "the start time is not a number of nanoseconds since 1970",
        ),
        (
            json!({"endTimeUnixNano": "later"}),
            "the end time is not a number of nanoseconds since 1970",
        ),
    ] {
        assert_eq!(reason(members.clone()), expected, "{members}");
    }
}

#[test]
fn spans_that_are_no_objects_are_rejected() {
    let read = read(&request(json!([1, null, [], "a", span(1, json!({}))])));
    assert_eq!(read.spans.len(), 1);
    let path = |span: usize| format!("resourceSpans[0].scopeSpans[0].spans[{span}]");
    let message = format!(
        "4 spans: the span cannot be decoded ({}, {}, {} and 1 more)",
        path(0),
        path(1),
        path(2)
    );
    assert_eq!(read.message(), message);
}

#[test]
fn deep_values_are_rejected_with_their_span() {
    let deep = |depth| {
        let nested = (0..depth).fold(
            json!({"intValue": "1"}),
            |value, _| json!({"arrayValue": {"values": [value]}}),
        );
        read_one(json!({"attributes": [{"key": "deep", "value": nested}]}))
    };
    assert_eq!(deep(35).spans.len(), 2);
    assert_eq!(deep(60).spans.len(), 1);
    assert!(
        deep(60)
            .message()
            .starts_with("1 span: the values of the span are nested too deeply")
    );
    let depth = 500_000;
    let attributes = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let body = request(json!([
        span(1, json!({"attributes": "DEEP"})),
        span(2, json!({}))
    ]));
    let body = body.to_string().replace("\"DEEP\"", &attributes);
    assert_eq!(spans(body.as_bytes()).expect("readable").spans.len(), 1);
}

#[test]
fn statuses_and_kinds_are_read_by_name_and_number() {
    for status in [
        json!({"code": 2}),
        json!({"code": "2"}),
        json!({"code": "STATUS_CODE_ERROR"}),
        json!({"code": "Error"}),
        json!({"deprecatedCode": 13}),
        json!("ERROR"),
        json!(2),
    ] {
        let read = read_one(json!({"status": status, "kind": "server"}));
        assert_eq!(read.spans[0].failure.as_deref(), Some(""), "{status}");
        assert_eq!(read.spans[0].kind, "SERVER");
    }
    for status in [
        json!(null),
        json!({"code": 0}),
        json!({"code": 77}),
        json!({"code": "STATUS_CODE_OK", "deprecatedCode": 2}),
        json!({"code": "nonsense", "message": "m"}),
    ] {
        let read = read_one(json!({"status": status, "kind": 77}));
        assert_eq!(read.spans[0].failure, None, "{status}");
        assert_eq!(read.spans[0].kind, "UNSPECIFIED");
    }
}

#[test]
fn texts_and_events_are_read_whatever_their_types() {
    let read = read_one(json!({
        "name": 5, "traceState": {"a": 1}, "flags": "257", "unknown": {"a": [null]},
        "status": {"code": 2, "message": ""},
        "events": [
            {"timeUnixNano": {"low": 0, "high": 395_341_276}, "name": "exception", "attributes": {
                "exception.type": "E", "exception.message": "a\u{0}b",
            }},
            {"timeUnixNano": "soon", "name": null},
            "odd",
        ],
    }));
    let span = &read.spans[0];
    assert_eq!(
        (span.name.as_str(), span.details["traceState"].as_str()),
        ("5", Some(r#"{"a":1}"#))
    );
    assert_eq!(span.failure.as_deref(), Some(""));
    let events = &span.details["events"];
    assert_eq!(events[0]["attributes"]["exception.message"], "a\u{0}b");
    assert_eq!(events[0]["time"], "2023-10-22T12:30:51.178Z");
    assert_eq!(events[1], json!({"time": "1970-01-01T00:00:00.000Z"}));
    assert_eq!(events[2]["name"], "odd");
    assert_eq!(read_one(json!({"name": null})).spans[0].name, "");
}

#[test]
fn broken_texts_do_not_lose_a_span() {
    let body = request(json!([
        span(1, json!({"name": "NAME"})),
        span(2, json!({}))
    ]));
    for (name, expected) in [
        (&br"a\ud83d"[..], "a\u{FFFD}"),
        (&b"a\xf0\x9f"[..], "a\u{FFFD}"),
        (&b"a\xffb"[..], "a\u{FFFD}b"),
        (&b"a\0b\tc"[..], "a\0b\tc"),
        (&br"a\u0000"[..], "a\0"),
    ] {
        let body = body.to_string();
        let (start, end) = body.split_once("NAME").expect("a name");
        let body = [start.as_bytes(), name, end.as_bytes()].concat();
        let read = spans(&body).expect("readable");
        assert_eq!(read.spans.len(), 2);
        assert_eq!(read.spans[0].name, expected);
    }
}

#[test]
fn unreadable_sources_do_not_lose_their_spans() {
    let read = read(&json!({"resourceSpans": [
        {"resource": "odd", "scopeSpans": [{"scope": [1], "spans": [span(1, json!({}))]}]},
        {"resource": {"attributes": {"service.name": "shop"}}, "scopeSpans": {"spans": span(2, json!({}))}},
        5,
        null,
        {"resource": null, "scopeSpans": [null, "a", {"scope": null, "spans": 7}]},
    ]}));
    assert_eq!(read.spans.len(), 2);
    assert_eq!(read.spans[1].resource["service.name"], "shop");
    assert_eq!(read.rejections.spans(), 3);
    assert_eq!(
        read.message(),
        "3 spans: the span cannot be decoded; \
         resourceSpans[0].resource cannot be decoded, its spans are read without it; \
         resourceSpans[0].scopeSpans[0].scope cannot be decoded, its spans are read without it; \
         resourceSpans[2] is not an object; \
         resourceSpans[4].scopeSpans[1] is not an object; \
         resourceSpans[4].scopeSpans[2].spans is not a list"
    );
}

#[test]
fn the_last_of_equal_members_is_used() {
    let span = span(1, json!({}))
        .to_string()
        .replace("\"name\":\"a\"", "\"name\":\"b\",\"name\":\"c\"");
    let body = format!(
        r#"{{"resourceSpans":1,"resourceSpans":[{{"scopeSpans":[],"scopeSpans":[{{"spans":null,"spans":[{span}],"spans":null}}]}}]}}"#
    );
    let read = spans(body.as_bytes()).expect("readable");
    assert_eq!(read.spans[0].name, "c");
}

#[test]
fn several_requests_in_a_body_are_read() {
    let one = request(json!([span(1, json!({}))]));
    let other = request(json!([
        span(2, json!({"traceId": "00"})),
        span(3, json!({}))
    ]));
    let body = format!("\u{FEFF}{one}\n{{}}\n{other}\n\n");
    let read = spans(body.as_bytes()).expect("readable");
    assert_eq!(read.spans.len(), 2);
    assert!(
        read.message()
            .ends_with("(requests[2].resourceSpans[0].scopeSpans[0].spans[0])")
    );
    // What could be read is kept if the rest is cut.
    let read = spans(&body.as_bytes()[..body.len() - 10]).expect("readable");
    assert_eq!(read.spans.len(), 1);
    assert!(
        read.message()
            .starts_with("requests[2]: The body is not valid JSON: EOF")
    );
}

#[test]
fn requests_without_spans_are_accepted() {
    for body in [
        "{}",
        " {} \n",
        r#"{"resourceSpans": null}"#,
        r#"{"resourceSpans": []}"#,
        r#"{"resourceSpans": [{}], "unknown": 1}"#,
        r#"{"resourceSpans": [{"scopeSpans": [{"spans": []}]}]}"#,
    ] {
        let read = spans(body.as_bytes()).expect("readable");
        assert_eq!(
            (read.spans.len(), read.message().as_str()),
            (0, ""),
            "{body}"
        );
    }
}

#[test]
fn other_documents_are_named() {
    let expected =
        r#"Expected a JSON object with the field resourceSpans, such as {"resourceSpans": []}."#;
    for (body, reason_of_body) in [
        ("", "The body is not valid JSON: it is empty."),
        (" \n", "The body is not valid JSON: it is empty."),
        ("[]", "The body is not a request for traces in OTLP."),
        ("\"x\"", "The body is not a request for traces in OTLP."),
        ("null", "The body is not a request for traces in OTLP."),
        (
            r#"{"unknown": 1}"#,
            "The body is not a request for traces in OTLP.",
        ),
        ("<html><p>502</p></html>", "The body is HTML or XML."),
        (
            r#"{"resourceLogs": []}"#,
            "The body has logs, and this endpoint takes only traces.",
        ),
        (
            r#"{"resource_metrics": []}"#,
            "The body has metrics, and this endpoint takes only traces.",
        ),
        (
            r#"{"resourceProfiles": []}"#,
            "The body has profiles, and this endpoint takes only traces.",
        ),
        (
            r#"[{"traceId": "1", "id": "2", "localEndpoint": {}}]"#,
            "The body has spans in the format of Zipkin, and this endpoint takes only OTLP.",
        ),
        (
            r#"{"data": [{"traceID": "1", "spans": [], "processes": {}}]}"#,
            "The body has spans in the format of Jaeger, and this endpoint takes only OTLP.",
        ),
        (
            r#"[{"resourceSpans": []}]"#,
            "The body is a list of requests. Send them one by one.",
        ),
        (
            r#"{"resourceSpans": 1}"#,
            "The field resourceSpans is not a list.",
        ),
        (
            r#"{"spans": [{}]}"#,
            "The body has spans outside resourceSpans.",
        ),
    ] {
        assert_eq!(
            reason(body),
            format!("{reason_of_body} {expected}"),
            "{body}"
        );
    }
}

#[test]
fn other_encodings_and_empty_requests_are_named() {
    assert_eq!(
        reason(r#"{"resourceSpans": [1]}"#),
        "Nothing in the body can be read: 1 span: the span cannot be decoded; \
         resourceSpans[0] is not an object."
    );
    let gzip = "The body is compressed. Send it with Content-Encoding: gzip.";
    assert_eq!(reason(b"\x1f\x8b\x08\0\0"), gzip);
    let protobuf = "The body is protobuf. Send it with Content-Type: application/x-protobuf.";
    assert_eq!(reason(b"\n\0"), protobuf);
}

#[test]
fn cut_bodies_are_refused() {
    let body = request(json!([span(1, json!({})), span(2, json!({}))])).to_string();
    for length in 1..body.len() {
        let reason = reason(&body[..length]);
        assert!(
            reason.starts_with("The body is not valid JSON: EOF"),
            "{length}: {reason}"
        );
    }
}

/// Any JSON, with the names and values that occur in spans.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "traceId",
        "span_id",
        "parentSpanId",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "kind",
        "status",
        "code",
        "attributes",
        "events",
        "links",
        "key",
        "value",
        "values",
        "low",
        "high",
        "seconds",
        "stringValue",
        "intValue",
        "doubleValue",
        "kvlistValue",
        "bytesValue",
        "0",
        "",
    ]);
    let text = prop::sample::select(vec![
        TRACE,
        "eee19b7ec3c1b174",
        "7uGbfsPBsXQ=",
        "1771324200050000000",
        "ERROR",
        "1e400",
        "-1",
        "NaN",
        "\u{0}",
        "ß-_",
        "0x",
        "2026-02-17T10:30:00Z",
        "é23456789012345678901234567890123456",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..12)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_span_is_read_or_rejected(spans in prop::collection::vec(any_json(), 0..4)) {
        let sent = spans.len() + 1;
        let spans: Vec<_> = spans.into_iter().chain([span(1, json!({}))]).collect();
        let read = read(&request(json!(spans)));
        prop_assert_eq!(read.spans.len() + read.rejections.spans(), sent);
        prop_assert!(!read.spans.is_empty());
    }

    #[test]
    fn no_document_stops_the_reader(document in any_json(), cut in 0_usize..200) {
        let body = json!({"resourceSpans": document.clone()}).to_string().into_bytes();
        let _ = spans(&body);
        let _ = spans(&body[..cut.min(body.len())]);
        let _ = spans(document.to_string().as_bytes());
    }
}

#[test]
fn errors_one_after_another_take_linear_time() {
    let body = format!("{{}}{}", "0-".repeat(1_000_000));
    let began = std::time::Instant::now();
    let reason = spans(body.as_bytes()).expect_err("nothing to read");
    assert!(reason.contains("requests[1]"), "{reason}");
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

#[test]
fn many_events_are_dropped_and_counted() {
    let events: Vec<_> = (0..1_500).map(|number| json!({"name": number})).collect();
    let read = read_one(json!({"events": events, "droppedEventsCount": 1}));
    let details = &read.spans[0].details;
    assert_eq!(details["events"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(details["events"][999]["name"], "1499");
    assert_eq!(details["droppedEventsCount"], 501);
}

#[test]
fn a_span_of_too_many_objects_is_rejected_alone() {
    let objects = vec![json!({"": 0}); 220_000];
    let large = json!([{"key": "a", "value": {"arrayValue": {"values": objects}}}]);
    let body = request(json!([
        span(1, json!({"attributes": large})),
        span(2, json!({}))
    ]));
    let read = spans(body.to_string().as_bytes()).expect("readable");
    assert_eq!((read.spans.len(), read.rejections.spans()), (1, 1));
}

#[test]
fn a_large_resource_is_left_out_with_a_warning() {
    let resource = json!({"attributes": {"a": "x".repeat(300_000)}});
    let read = read(&json!({"resourceSpans": [
        {"resource": resource, "scopeSpans": [{"spans": [span(1, json!({}))]}]},
    ]}));
    assert_eq!((read.spans.len(), read.rejections.spans()), (1, 0));
    let warning = "resourceSpans[0].resource has more than 256 KB, its spans are read without it";
    assert_eq!(read.message(), warning);
}
