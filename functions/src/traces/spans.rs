//! Converts sent spans to spans of the record format, for both encodings.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use shared::model::{SPAN_KINDS, Timestamp};
use shared::otlp::{Attributes, HexId, Rejection, Rejections, Span, SpanId, SpanPosition, TraceId};

use super::MAX_SPAN_BYTES;
use super::receipt::Sources;

/// The largest resource or scope, in bytes. Every span repeats a part of it.
const MAX_SOURCE_BYTES: usize = 256 * 1024;

/// The most events of a span, and the most links, that are kept: the last ones, because the error
/// of a span is in its last event.
const MAX_EVENTS: usize = 1_000;

/// The approximate memory of all decoded spans of a body, in bytes.
const MAX_DECODED_BYTES: usize = 256 * 1024 * 1024;

/// How many warnings are listed. More would fill the log of the exporter.
const MAX_WARNINGS: usize = 5;

/// A span as it was sent, in either encoding, before its ids and times are checked.
#[derive(Debug, Default)]
pub(super) struct SentSpan {
    pub(super) trace_id: Vec<u8>,
    pub(super) id: Vec<u8>,
    pub(super) parent_id: Vec<u8>,
    pub(super) name: String,
    pub(super) trace_state: String,
    /// The position in [`SPAN_KINDS`]. Other numbers mean `UNSPECIFIED`.
    pub(super) kind: i32,
    /// In Unix nanoseconds; 0 if it is missing.
    pub(super) start_ns: u64,
    /// In Unix nanoseconds; 0 if it is missing.
    pub(super) end_ns: u64,
    pub(super) status: SentStatus,
    pub(super) attributes: Attributes,
    pub(super) events: Vec<SentEvent>,
    pub(super) links: Vec<SentLink>,
    pub(super) dropped_attributes: u32,
    pub(super) dropped_events: u32,
    pub(super) dropped_links: u32,
}

/// The status of a span.
#[derive(Debug, Default)]
pub(super) struct SentStatus {
    pub(super) code: i32,
    /// The code of exporters before OTLP 0.7, which is a code of gRPC.
    pub(super) deprecated_code: i32,
    pub(super) message: String,
}

impl SentStatus {
    /// The number of the code `ERROR`.
    const ERROR: i32 = 2;

    /// Whether the span failed. OTLP defines how the two codes are combined.
    fn is_error(&self) -> bool {
        self.code == Self::ERROR || (self.code == 0 && self.deprecated_code != 0)
    }
}

/// An event of a span.
#[derive(Debug, Default)]
pub(super) struct SentEvent {
    /// In Unix nanoseconds; 0 if it is missing or not readable.
    pub(super) time_ns: u64,
    pub(super) name: String,
    pub(super) attributes: Attributes,
}

/// A link from a span to another one.
#[derive(Debug, Default)]
pub(super) struct SentLink {
    pub(super) trace_id: Vec<u8>,
    pub(super) span_id: Vec<u8>,
    pub(super) trace_state: String,
    pub(super) attributes: Attributes,
}

/// The spans of a body, the rejected ones, and the parts without spans that cannot be read.
#[derive(Debug, Default)]
pub struct ReadSpans {
    /// The valid spans.
    pub spans: Vec<Span>,
    /// The number of the other spans, with the reasons.
    pub rejections: Rejections,
    /// The services and scopes of all spans.
    pub(super) sources: Sources,
    /// What else cannot be read.
    warnings: Vec<String>,
    /// The number of warnings that are not in `warnings`.
    further_warnings: usize,
    /// Whether at least one span was decoded, even if it was rejected later.
    has_decoded: bool,
    /// The approximate memory of `spans`, in bytes.
    decoded_bytes: usize,
}

impl ReadSpans {
    /// Whether a span of this size may be read. Otherwise counts it as rejected.
    pub(super) fn has_room_for(&mut self, bytes: usize, position: SpanPosition) -> bool {
        let has_room = bytes <= MAX_SPAN_BYTES;
        if !has_room {
            self.reject(Rejection::TooLarge, position);
        }
        has_room
    }

    /// Adds a span, or counts it as rejected if it is not valid.
    pub(super) fn add(
        &mut self,
        sent: Result<SentSpan, Rejection>,
        source: &SpanSource,
        position: SpanPosition,
    ) {
        self.sources.add(&source.resource, &source.scope);
        match sent.and_then(|sent| to_span(sent, source)) {
            Ok(span) => {
                self.has_decoded = true;
                let bytes = map_bytes(&span.attributes) + map_bytes(&span.details);
                if self.decoded_bytes + bytes > MAX_DECODED_BYTES {
                    return self.reject(Rejection::TooLarge, position);
                }
                self.decoded_bytes += bytes;
                self.spans.push(span);
            }
            Err(rejection) => self.reject(rejection, position),
        }
    }

    /// Counts a part of the body with an unknown number of spans as a rejected one, and adds a
    /// warning about it.
    pub(super) fn reject_part(&mut self, warning: impl FnOnce() -> String) {
        self.rejections.add(Rejection::Unreadable, 1);
        self.warn(warning);
    }

    /// Whether a resource or a scope of this size may be read. Otherwise adds a warning.
    pub(super) fn has_room_for_source(
        &mut self,
        bytes: usize,
        path: impl FnOnce() -> String,
    ) -> bool {
        let has_room = bytes <= MAX_SOURCE_BYTES;
        if !has_room {
            let most = MAX_SOURCE_BYTES >> 10;
            let warning = || {
                let path = path();
                format!("{path} has more than {most} KB, its spans are read without it")
            };
            self.warn(warning);
        }
        has_room
    }

    fn reject(&mut self, rejection: Rejection, position: SpanPosition) {
        self.has_decoded |= rejection != Rejection::Unreadable;
        self.rejections.add_at(rejection, position);
    }

    /// Adds a warning about a part of the body that is not a span.
    pub(super) fn warn(&mut self, warning: impl FnOnce() -> String) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(warning());
        } else {
            self.further_warnings += 1;
        }
    }

    /// Whether the body has contents of which nothing could be read.
    pub(super) fn is_unreadable(&self) -> bool {
        let has_problems = self.rejections.spans() > 0 || !self.warnings.is_empty();
        has_problems && !self.has_decoded
    }

    /// Describes the rejected spans, then the warnings. Empty if there are none.
    pub fn message(&self) -> String {
        let mut parts = Vec::new();
        if self.rejections.spans() > 0 {
            parts.push(self.rejections.to_string());
        }
        parts.extend_from_slice(&self.warnings);
        if self.further_warnings > 0 {
            parts.push(format!("{} more warnings", self.further_warnings));
        }
        parts.join("; ")
    }
}

/// The resource and the instrumentation scope that a span comes from.
#[derive(Debug, Default)]
pub(super) struct SpanSource {
    resource: Arc<Attributes>,
    scope: Arc<Attributes>,
}

impl SpanSource {
    pub(super) fn from_resource(resource: Attributes) -> Self {
        Self {
            resource: Arc::new(resource),
            scope: Arc::default(),
        }
    }

    pub(super) fn set_scope(&mut self, name: String, version: String, attributes: Attributes) {
        let mut members = Map::new();
        insert_text(&mut members, "name", name);
        insert_text(&mut members, "version", version);
        insert_attributes(&mut members, attributes);
        self.scope = Arc::new(members);
    }
}

fn to_span(sent: SentSpan, source: &SpanSource) -> Result<Span, Rejection> {
    let trace_id: TraceId = to_id(&sent.trace_id).ok_or(Rejection::InvalidTraceId)?;
    let id: SpanId = to_id(&sent.id).ok_or(Rejection::InvalidSpanId)?;
    let parent_id = to_parent(&sent.parent_id)?;
    if sent.start_ns == 0 {
        return Err(Rejection::NoStart);
    }
    let failure = sent.status.is_error().then_some(sent.status.message);
    let (events, dropped_events) = keep_last(sent.events, sent.dropped_events);
    let (links, dropped_links) = keep_last(sent.links, sent.dropped_links);
    let dropped = [sent.dropped_attributes, dropped_events, dropped_links];
    let details = details(events, links, sent.trace_state, dropped);
    let kind = usize::try_from(sent.kind).ok();
    let kind = kind.and_then(|kind| SPAN_KINDS.get(kind));
    let kind = kind.unwrap_or(&SPAN_KINDS[0]);
    Ok(Span {
        trace_id,
        id,
        parent_id,
        kind,
        start_ns: sent.start_ns,
        // The clock may have been set back, or the end may be missing.
        end_ns: sent.end_ns.max(sent.start_ns),
        failure,
        resource: source.resource.clone(),
        scope: source.scope.clone(),
        details,
        attributes: sent.attributes,
        name: sent.name,
    })
}

/// Keeps the last events or links, and adds the others to the dropped ones.
fn keep_last<T>(mut list: Vec<T>, dropped: u32) -> (Vec<T>, u32) {
    let more = list.len().saturating_sub(MAX_EVENTS);
    list.drain(..more);
    let more = u32::try_from(more).unwrap_or(u32::MAX);
    (list, dropped.saturating_add(more))
}

/// Converts the bytes of an id. Besides the id itself, they may be
/// - its hexadecimal digits as a text, which opentelemetry-swift sends, and
/// - these digits decoded as if they were base64, which relays do that parse OTLP's JSON with a
///   general library for protobuf.
///
/// The three differ in length.
fn to_id<const N: usize>(bytes: &[u8]) -> Option<HexId<N>> {
    match bytes.len() {
        length if length == N => HexId::from_bytes(bytes),
        length if length == 2 * N => str::from_utf8(bytes).ok()?.parse().ok(),
        length if 2 * length == 3 * N => BASE64.encode(bytes).parse().ok(),
        _ => None,
    }
}

/// Converts the id of the parent. A span without a parent has no id here, or one of zeros.
fn to_parent(id: &[u8]) -> Result<Option<SpanId>, Rejection> {
    let is_zero = |zero: u8| id.iter().all(|byte| *byte == zero);
    if is_zero(0) || is_zero(b'0') {
        return Ok(None);
    }
    let id = to_id(id).ok_or(Rejection::InvalidParentId)?;
    Ok(Some(id))
}

/// The approximate memory of an object, in bytes. Most of it is the node of its tree, which an
/// object with one member has too.
fn map_bytes(members: &Map<String, Value>) -> usize {
    const BYTES_A_NODE: usize = 650;
    let member = |(name, value): (&String, &Value)| name.len() + value_bytes(value);
    let members = members.iter().map(member).sum::<usize>();
    BYTES_A_NODE + members
}

fn value_bytes(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Object(members) => map_bytes(members),
            Value::Array(values) => values.iter().map(value_bytes).sum(),
            Value::String(text) => text.len(),
            _ => 0,
        }
}

/// The other details of a span: its events, its links, its trace state, and how many attributes,
/// events and links the program dropped.
fn details(
    events: Vec<SentEvent>,
    links: Vec<SentLink>,
    trace_state: String,
    dropped: [u32; 3],
) -> Map<String, Value> {
    let mut details = Map::new();
    insert_list(&mut details, "events", events.into_iter().map(event));
    insert_list(&mut details, "links", links.into_iter().map(link));
    insert_text(&mut details, "traceState", trace_state);
    let names = [
        "droppedAttributesCount",
        "droppedEventsCount",
        "droppedLinksCount",
    ];
    for (name, count) in names.into_iter().zip(dropped) {
        if count > 0 {
            details.insert(name.to_owned(), count.into());
        }
    }
    details
}

fn event(event: SentEvent) -> Value {
    let mut members = Map::new();
    let milliseconds = i64::try_from(event.time_ns / 1_000_000).ok();
    let time = milliseconds.and_then(Timestamp::from_milliseconds);
    members.insert("time".to_owned(), json!(time));
    insert_text(&mut members, "name", event.name);
    insert_attributes(&mut members, event.attributes);
    members.into()
}

fn link(link: SentLink) -> Value {
    let mut members = Map::new();
    let trace_id: Option<TraceId> = to_id(&link.trace_id);
    members.insert("traceId".to_owned(), json!(trace_id));
    let span_id: Option<SpanId> = to_id(&link.span_id);
    members.insert("spanId".to_owned(), json!(span_id));
    insert_text(&mut members, "traceState", link.trace_state);
    insert_attributes(&mut members, link.attributes);
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

fn insert_attributes(members: &mut Map<String, Value>, attributes: Attributes) {
    if !attributes.is_empty() {
        members.insert("attributes".to_owned(), attributes.into());
    }
}

/// Converts a number to JSON. JSON has no infinite numbers and no NaN, so that these become the
/// texts of protobuf's JSON: `NaN`, `Infinity`, `-Infinity`.
pub(super) fn double(number: f64) -> Value {
    let text = if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    serde_json::Number::from_f64(number).map_or_else(|| text.into(), Value::Number)
}
