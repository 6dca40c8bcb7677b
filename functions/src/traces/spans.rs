//! Converts OTLP's messages to spans.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span as Message;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::{Map, Value, json};
use shared::model::Timestamp;
use shared::otlp::{Attributes, Rejection, Rejections, Span, SpanId, TraceId};

use super::MAX_SPAN_BYTES;

/// The spans of a body, and the number of rejected ones.
#[derive(Debug, Default)]
pub(super) struct ReadSpans {
    pub(super) spans: Vec<Span>,
    pub(super) rejections: Rejections,
}

impl ReadSpans {
    /// Whether a span of this size may be read. Otherwise counts it as rejected.
    pub(super) fn has_room_for(&mut self, bytes: usize) -> bool {
        let has_room = bytes <= MAX_SPAN_BYTES;
        if !has_room {
            self.rejections.add(Rejection::TooLarge, 1);
        }
        has_room
    }

    /// Adds a span, or counts it as rejected if it is not valid.
    pub(super) fn add(&mut self, message: Message, source: &SpanSource) {
        match span(message, source) {
            Ok(span) => self.spans.push(span),
            Err(rejection) => self.rejections.add(rejection, 1),
        }
    }
}

/// The resource and the instrumentation scope that a span comes from.
pub(super) struct SpanSource {
    resource: Arc<Attributes>,
    scope: Arc<Attributes>,
}

impl SpanSource {
    pub(super) fn from_resource(resource: &Resource) -> Self {
        Self {
            resource: Arc::new(attributes(&resource.attributes)),
            scope: Arc::default(),
        }
    }

    pub(super) fn set_scope(&mut self, scope: InstrumentationScope) {
        let mut members = Map::new();
        insert_text(&mut members, "name", scope.name);
        insert_text(&mut members, "version", scope.version);
        insert_attributes(&mut members, &scope.attributes);
        self.scope = Arc::new(members);
    }
}

fn span(message: Message, source: &SpanSource) -> Result<Span, Rejection> {
    let trace_id = TraceId::from_bytes(&message.trace_id).ok_or(Rejection::InvalidTraceId)?;
    let id = SpanId::from_bytes(&message.span_id).ok_or(Rejection::InvalidSpanId)?;
    let parent_id = parse_parent(&message.parent_span_id)?;
    if message.start_time_unix_nano == 0 {
        return Err(Rejection::NoStart);
    }
    let details = details(&message);
    Ok(Span {
        trace_id,
        id,
        parent_id,
        kind: kind(message.kind),
        start_ns: message.start_time_unix_nano,
        // The clock may have been set back, or the end may be missing.
        end_ns: message.end_time_unix_nano.max(message.start_time_unix_nano),
        failure: failure(&message),
        attributes: attributes(&message.attributes),
        resource: source.resource.clone(),
        scope: source.scope.clone(),
        details,
        name: message.name,
    })
}

/// Parses the id of the parent. A span without a parent has no id here, or one of zeros.
fn parse_parent(id: &[u8]) -> Result<Option<SpanId>, Rejection> {
    if id.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let id = SpanId::from_bytes(id).ok_or(Rejection::InvalidParentId)?;
    Ok(Some(id))
}

fn kind(kind: i32) -> &'static str {
    match SpanKind::try_from(kind) {
        Ok(SpanKind::Internal) => "INTERNAL",
        Ok(SpanKind::Server) => "SERVER",
        Ok(SpanKind::Client) => "CLIENT",
        Ok(SpanKind::Producer) => "PRODUCER",
        Ok(SpanKind::Consumer) => "CONSUMER",
        Ok(SpanKind::Unspecified) | Err(_) => "UNSPECIFIED",
    }
}

/// The error of a failed span: the message of its status, or else its last exception.
fn failure(message: &Message) -> Option<String> {
    let status = message.status.as_ref()?;
    if status.code() != StatusCode::Error {
        return None;
    }
    if !status.message.is_empty() {
        return Some(status.message.clone());
    }
    let exceptions = message.events.iter().rev();
    let exception = exceptions.map(exception).find(|text| !text.is_empty());
    Some(exception.unwrap_or_default())
}

/// The text of an exception event: the exception's type, its message, or both.
fn exception(event: &Event) -> String {
    if event.name != "exception" {
        return String::new();
    }
    let attributes = attributes(&event.attributes);
    let text = |name: &str| attributes.get(name)?.as_str().filter(|it| !it.is_empty());
    let parts = [text("exception.type"), text("exception.message")];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join(": ")
}

/// The other details of a span: its events, its links, its trace state, and how much was dropped.
fn details(message: &Message) -> Map<String, Value> {
    let mut details = Map::new();
    insert_list(&mut details, "events", message.events.iter().map(event));
    insert_list(&mut details, "links", message.links.iter().map(link));
    insert_text(&mut details, "traceState", message.trace_state.clone());
    for (name, count) in [
        ("droppedAttributesCount", message.dropped_attributes_count),
        ("droppedEventsCount", message.dropped_events_count),
        ("droppedLinksCount", message.dropped_links_count),
    ] {
        if count > 0 {
            details.insert(name.to_owned(), count.into());
        }
    }
    details
}

fn event(event: &Event) -> Value {
    let mut members = Map::new();
    let milliseconds = i64::try_from(event.time_unix_nano / 1_000_000).ok();
    let time = milliseconds.and_then(Timestamp::from_milliseconds);
    members.insert("time".to_owned(), json!(time));
    insert_text(&mut members, "name", event.name.clone());
    insert_attributes(&mut members, &event.attributes);
    members.into()
}

fn link(link: &Link) -> Value {
    let mut members = Map::new();
    members.insert(
        "traceId".to_owned(),
        json!(TraceId::from_bytes(&link.trace_id)),
    );
    members.insert(
        "spanId".to_owned(),
        json!(SpanId::from_bytes(&link.span_id)),
    );
    insert_text(&mut members, "traceState", link.trace_state.clone());
    insert_attributes(&mut members, &link.attributes);
    members.into()
}

fn insert_text(members: &mut Map<String, Value>, name: &str, text: String) {
    if !text.is_empty() {
        members.insert(name.to_owned(), text.into());
    }
}

fn insert_list(
    members: &mut Map<String, Value>,
    name: &str,
    values: impl ExactSizeIterator<Item = Value>,
) {
    if values.len() > 0 {
        members.insert(name.to_owned(), values.collect());
    }
}

fn insert_attributes(members: &mut Map<String, Value>, list: &[KeyValue]) {
    if !list.is_empty() {
        members.insert("attributes".to_owned(), attributes(list).into());
    }
}

fn attributes(list: &[KeyValue]) -> Attributes {
    list.iter()
        .map(|attribute| (attribute.key.clone(), value(attribute.value.as_ref())))
        .collect()
}

/// Converts the value of an attribute to JSON: bytes become base64, and numbers that JSON does
/// not have become null.
fn value(any: Option<&AnyValue>) -> Value {
    match any.and_then(|any| any.value.as_ref()) {
        Some(Any::StringValue(text)) => text.as_str().into(),
        Some(Any::BoolValue(truth)) => (*truth).into(),
        Some(Any::IntValue(number)) => (*number).into(),
        Some(Any::DoubleValue(number)) => (*number).into(),
        Some(Any::ArrayValue(array)) => array.values.iter().map(|it| value(Some(it))).collect(),
        Some(Any::KvlistValue(list)) => attributes(&list.values).into(),
        Some(Any::BytesValue(bytes)) => BASE64.encode(bytes).into(),
        // Only profiles have these.
        Some(Any::StringValueStrindex(_)) | None => Value::Null,
    }
}
