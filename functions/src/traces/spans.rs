//! The spans of a request, out of OTLP's messages.

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
use shared::traces::{Attributes, Rejection, Rejections, Span, SpanId, TraceId};

use super::MAX_SPAN_BYTES;

/// What was read of a body.
#[derive(Debug, Default)]
pub(super) struct ReadSpans {
    pub(super) spans: Vec<Span>,
    pub(super) rejections: Rejections,
}

impl ReadSpans {
    /// Whether a span of so many bytes is to be read; otherwise it is noted.
    pub(super) fn has_room_for(&mut self, bytes: usize) -> bool {
        let has_room = bytes <= MAX_SPAN_BYTES;
        if !has_room {
            self.rejections.add(Rejection::TooLarge, 1);
        }
        has_room
    }

    pub(super) fn take_in(&mut self, message: Message, around: &Surroundings) {
        match span(message, around) {
            Ok(span) => self.spans.push(span),
            Err(rejection) => self.rejections.add(rejection, 1),
        }
    }
}

/// What a span comes from.
pub(super) struct Surroundings {
    resource: Arc<Attributes>,
    scope: Arc<Attributes>,
}

impl Surroundings {
    pub(super) fn of_resource(resource: &Resource) -> Self {
        Self {
            resource: Arc::new(attributes(&resource.attributes)),
            scope: Arc::default(),
        }
    }

    pub(super) fn enter_scope(&mut self, scope: InstrumentationScope) {
        let mut members = Map::new();
        insert_text(&mut members, "name", scope.name);
        insert_text(&mut members, "version", scope.version);
        insert_attributes(&mut members, &scope.attributes);
        self.scope = Arc::new(members);
    }
}

fn span(message: Message, around: &Surroundings) -> Result<Span, Rejection> {
    let trace_id = TraceId::of(&message.trace_id).ok_or(Rejection::InvalidTraceId)?;
    let id = SpanId::of(&message.span_id).ok_or(Rejection::InvalidSpanId)?;
    let parent_id = parent(&message.parent_span_id)?;
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
        // A clock can be set back, and an end can be missing.
        end_ns: message.end_time_unix_nano.max(message.start_time_unix_nano),
        failure: failure(&message),
        attributes: attributes(&message.attributes),
        resource: around.resource.clone(),
        scope: around.scope.clone(),
        details,
        name: message.name,
    })
}

/// A span without a parent has none, or one of zeros.
fn parent(id: &[u8]) -> Result<Option<SpanId>, Rejection> {
    if id.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let id = SpanId::of(id).ok_or(Rejection::InvalidParentId)?;
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

/// Why a span failed: as its status says, else as its last exception does.
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

/// What an event says of an exception: its type, its message, or both.
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

/// What there is to know of a span beside what it is and has as attributes.
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
    members.insert("traceId".to_owned(), json!(TraceId::of(&link.trace_id)));
    members.insert("spanId".to_owned(), json!(SpanId::of(&link.span_id)));
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

/// An attribute as JSON: bytes as base64, and null for numbers that JSON does not have.
fn value(any: Option<&AnyValue>) -> Value {
    match any.and_then(|any| any.value.as_ref()) {
        Some(Any::StringValue(text)) => text.as_str().into(),
        Some(Any::BoolValue(truth)) => (*truth).into(),
        Some(Any::IntValue(number)) => (*number).into(),
        Some(Any::DoubleValue(number)) => (*number).into(),
        Some(Any::ArrayValue(array)) => array.values.iter().map(|it| value(Some(it))).collect(),
        Some(Any::KvlistValue(list)) => attributes(&list.values).into(),
        Some(Any::BytesValue(bytes)) => BASE64.encode(bytes).into(),
        // Of profiles alone.
        Some(Any::StringValueStrindex(_)) | None => Value::Null,
    }
}
