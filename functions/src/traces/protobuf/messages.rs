//! OTLP's messages from the span downwards, with bytes in place of texts.
//!
//! Protobuf encodes both in the same way. Bytes of a text that are not UTF-8 become U+FFFD.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use prost::{Message, Oneof};
use serde_json::Value;
use shared::otlp::Attributes;

use crate::traces::spans::{self, SentEvent, SentLink, SentSpan, SentStatus};

#[derive(Clone, PartialEq, Message)]
pub(super) struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Scope {
    #[prost(bytes = "bytes", tag = "1")]
    name: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    version: Bytes,
    #[prost(message, repeated, tag = "3")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Span {
    #[prost(bytes = "bytes", tag = "1")]
    trace_id: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    span_id: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    trace_state: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    parent_span_id: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    name: Bytes,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(uint32, tag = "10")]
    dropped_attributes_count: u32,
    #[prost(message, repeated, tag = "11")]
    events: Vec<Event>,
    #[prost(uint32, tag = "12")]
    dropped_events_count: u32,
    #[prost(message, repeated, tag = "13")]
    links: Vec<Link>,
    #[prost(uint32, tag = "14")]
    dropped_links_count: u32,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(fixed64, tag = "1")]
    time_unix_nano: u64,
    #[prost(bytes = "bytes", tag = "2")]
    name: Bytes,
    #[prost(message, repeated, tag = "3")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct Link {
    #[prost(bytes = "bytes", tag = "1")]
    trace_id: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    span_id: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    trace_state: Bytes,
    #[prost(message, repeated, tag = "4")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    /// The code of exporters before OTLP 0.7.
    #[prost(int32, tag = "1")]
    deprecated_code: i32,
    #[prost(bytes = "bytes", tag = "2")]
    message: Bytes,
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "Any", tags = "1, 2, 3, 4, 5, 6, 7")]
    value: Option<Any>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Any {
    #[prost(bytes = "bytes", tag = "1")]
    Text(Bytes),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(int64, tag = "3")]
    Int(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    Array(ArrayValue),
    #[prost(message, tag = "6")]
    Map(KeyValueList),
    #[prost(bytes = "bytes", tag = "7")]
    Bytes(Bytes),
}

#[derive(Clone, PartialEq, Message)]
struct ArrayValue {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValueList {
    #[prost(message, repeated, tag = "1")]
    values: Vec<KeyValue>,
}

impl Resource {
    pub(super) fn into_attributes(self) -> Attributes {
        to_attributes(self.attributes)
    }
}

impl Scope {
    /// The scope's name, its version and its attributes.
    pub(super) fn into_parts(self) -> (String, String, Attributes) {
        let attributes = to_attributes(self.attributes);
        (to_text(&self.name), to_text(&self.version), attributes)
    }
}

impl Span {
    pub(super) fn into_sent(self) -> SentSpan {
        let status = self.status.unwrap_or_default();
        SentSpan {
            trace_id: self.trace_id.into(),
            id: self.span_id.into(),
            parent_id: self.parent_span_id.into(),
            name: to_text(&self.name),
            trace_state: to_text(&self.trace_state),
            kind: self.kind,
            start_ns: self.start_time_unix_nano,
            end_ns: self.end_time_unix_nano,
            status: SentStatus {
                code: status.code,
                deprecated_code: status.deprecated_code,
                message: to_text(&status.message),
            },
            attributes: to_attributes(self.attributes),
            events: self.events.into_iter().map(Event::into_sent).collect(),
            links: self.links.into_iter().map(Link::into_sent).collect(),
            dropped_attributes: self.dropped_attributes_count,
            dropped_events: self.dropped_events_count,
            dropped_links: self.dropped_links_count,
        }
    }
}

impl Event {
    fn into_sent(self) -> SentEvent {
        SentEvent {
            time_ns: self.time_unix_nano,
            name: to_text(&self.name),
            attributes: to_attributes(self.attributes),
        }
    }
}

impl Link {
    fn into_sent(self) -> SentLink {
        SentLink {
            trace_id: self.trace_id.into(),
            span_id: self.span_id.into(),
            trace_state: to_text(&self.trace_state),
            attributes: to_attributes(self.attributes),
        }
    }
}

fn to_text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn to_attributes(list: Vec<KeyValue>) -> Attributes {
    let attribute = |it: KeyValue| (to_text(&it.key), to_value(it.value.unwrap_or_default()));
    list.into_iter().map(attribute).collect()
}

/// Converts the value of an attribute to JSON. Bytes become base64.
fn to_value(any: AnyValue) -> Value {
    match any.value {
        Some(Any::Text(text)) => to_text(&text).into(),
        Some(Any::Bool(truth)) => truth.into(),
        Some(Any::Int(number)) => number.into(),
        Some(Any::Double(number)) => spans::double(number),
        Some(Any::Array(array)) => array.values.into_iter().map(to_value).collect(),
        Some(Any::Map(list)) => to_attributes(list.values).into(),
        Some(Any::Bytes(bytes)) => BASE64.encode(bytes).into(),
        // A value without contents, or of a type that only profiles have.
        None => Value::Null,
    }
}
