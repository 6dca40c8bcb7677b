//! Spans in JSON.

use serde_json::Value;
use shared::model::SPAN_KINDS;
use shared::otlp::Rejection;

use super::members::Members;
use super::{ids, numbers, take_attributes};
use crate::traces::spans::{SentEvent, SentLink, SentSpan, SentStatus};

/// The codes of a status, by their numbers.
const CODES: [&str; 3] = ["UNSET", "OK", "ERROR"];

/// The codes of a status before OTLP 0.7, by their numbers. gRPC has the same codes.
const DEPRECATED_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN_ERROR",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL_ERROR",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Reads a span.
///
/// # Errors
/// The reason why an id or a time is not readable. Everything else is read somehow.
pub(super) fn read(mut span: Members) -> Result<SentSpan, Rejection> {
    let mut id = |name: &str, rejection| ids::to_bytes(&span.take(name)).ok_or(rejection);
    let trace_id = id("traceId", Rejection::InvalidTraceId)?;
    let span_id = id("spanId", Rejection::InvalidSpanId)?;
    let parent_id = id("parentSpanId", Rejection::InvalidParentId)?;
    let mut time =
        |name: &str, rejection| numbers::to_nanoseconds(&span.take(name)).ok_or(rejection);
    let start_ns = time("startTimeUnixNano", Rejection::InvalidStart)?;
    let end_ns = time("endTimeUnixNano", Rejection::InvalidEnd)?;
    let events = span.take_list("events").into_iter();
    let links = span.take_list("links").into_iter();
    Ok(SentSpan {
        trace_id,
        id: span_id,
        parent_id,
        name: span.take_text("name"),
        trace_state: span.take_text("traceState"),
        kind: numbers::to_enumerated(&span.take("kind"), "SPAN_KIND_", &SPAN_KINDS),
        start_ns,
        end_ns,
        status: read_status(span.take("status")),
        attributes: take_attributes(&mut span),
        events: events.map(read_event).collect(),
        links: links.map(read_link).collect(),
        dropped_attributes: numbers::to_count(&span.take("droppedAttributesCount")),
        dropped_events: numbers::to_count(&span.take("droppedEventsCount")),
        dropped_links: numbers::to_count(&span.take("droppedLinksCount")),
    })
}

/// Reads a status, or its code alone.
fn read_status(status: Value) -> SentStatus {
    let mut status = match status {
        Value::Object(members) => Members::from(members),
        code => {
            let code = to_code(&code);
            return SentStatus {
                code,
                ..SentStatus::default()
            };
        }
    };
    let deprecated_code = status.take("deprecatedCode");
    let prefix = "DEPRECATED_STATUS_CODE_";
    SentStatus {
        code: to_code(&status.take("code")),
        deprecated_code: numbers::to_enumerated(&deprecated_code, prefix, &DEPRECATED_CODES),
        message: status.take_text("message"),
    }
}

fn to_code(code: &Value) -> i32 {
    numbers::to_enumerated(code, "STATUS_CODE_", &CODES)
}

/// Reads an event. Anything but an object is its name.
fn read_event(event: Value) -> SentEvent {
    let mut event = match event {
        Value::Object(members) => Members::from(members),
        name => {
            let name = super::values::to_text(name);
            return SentEvent {
                name: name.as_str().unwrap_or_default().to_owned(),
                ..SentEvent::default()
            };
        }
    };
    SentEvent {
        time_ns: numbers::to_nanoseconds(&event.take("timeUnixNano")).unwrap_or_default(),
        name: event.take_text("name"),
        attributes: take_attributes(&mut event),
    }
}

/// Reads a link. An id that is not readable is missing.
fn read_link(link: Value) -> SentLink {
    let mut link = match link {
        Value::Object(members) => Members::from(members),
        _ => Members::default(),
    };
    SentLink {
        trace_id: ids::to_bytes(&link.take("traceId")).unwrap_or_default(),
        span_id: ids::to_bytes(&link.take("spanId")).unwrap_or_default(),
        trace_state: link.take_text("traceState"),
        attributes: take_attributes(&mut link),
    }
}
