//! Converts traces to runs: the spans of an OpenTelemetry exporter become the records of a
//! run. docs/opentelemetry.md lists the source of each attribute.
//!
//! The spans of a trace arrive in any order, in many requests, and from several services in
//! parallel. Each span is one step that names its parent, so a request reads and writes only the
//! records of its own spans; readers compute the tree. [`write`] keeps a summary of the trace,
//! from which the run is computed, so that every order of arrival leads to the same records.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use format::model::SPAN_KINDS;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod profile;
mod records;
mod write;

pub use write::{WrittenSpans, write_spans};

/// The most spans of one trace that are stored. After that, only its root and failed spans are.
pub const MAX_SPANS_A_TRACE: usize = 50_000;

/// The most spans of one trace that are stored, including failed ones.
const MAX_FAILED_SPANS_A_TRACE: usize = 2 * MAX_SPANS_A_TRACE;

/// An OpenTelemetry id: a fixed number of bytes in hexadecimal, not all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HexId<const N: usize>([u8; N]);

/// The id of a trace.
pub type TraceId = HexId<16>;
/// The id of a span, unique in its trace.
pub type SpanId = HexId<8>;

/// The error for a text that is not a valid [`HexId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is not an id of hexadecimal digits")]
pub struct InvalidHexId;

impl<const N: usize> HexId<N> {
    /// Creates an id from its bytes. `None` for the wrong number of bytes, or if all are
    /// zero.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; N] = bytes.try_into().ok()?;
        bytes.iter().any(|byte| *byte != 0).then_some(Self(bytes))
    }
}

impl<const N: usize> fmt::Display for HexId<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl<const N: usize> FromStr for HexId<N> {
    type Err = InvalidHexId;

    fn from_str(text: &str) -> Result<Self, InvalidHexId> {
        let digit = |pair: &[u8]| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(digit).collect();
        bytes
            .filter(|_| text.len() == 2 * N)
            .filter(|_| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|bytes| Self::from_bytes(&bytes))
            .ok_or(InvalidHexId)
    }
}

impl<const N: usize> From<HexId<N>> for String {
    fn from(id: HexId<N>) -> Self {
        id.to_string()
    }
}

impl<const N: usize> TryFrom<String> for HexId<N> {
    type Error = InvalidHexId;

    fn try_from(text: String) -> Result<Self, InvalidHexId> {
        text.parse()
    }
}

/// The kind of a span: its position in [`SPAN_KINDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Kind(u8);

impl Kind {
    /// The kind with a name of [`SPAN_KINDS`].
    fn from_name(name: &str) -> Self {
        let position = SPAN_KINDS.iter().position(|kind| *kind == name);
        Self(position.and_then(|it| u8::try_from(it).ok()).unwrap_or(0))
    }

    fn name(self) -> &'static str {
        SPAN_KINDS
            .get(usize::from(self.0))
            .unwrap_or(&SPAN_KINDS[0])
    }

    /// The order of spans with the same id: a server is called by its client, and a consumer
    /// gets what a producer has sent, so these are first.
    fn rank(self) -> u8 {
        match self.name() {
            "SERVER" => 0,
            "CONSUMER" => 1,
            "INTERNAL" => 2,
            "PRODUCER" => 4,
            "CLIENT" => 5,
            _ => 3,
        }
    }

    /// Whether the span serves another one, which may have the same id.
    fn is_served(self) -> bool {
        self.rank() <= 1
    }

    /// Whether the span calls another one, which may have the same id.
    fn is_caller(self) -> bool {
        self.rank() >= 4
    }
}

/// What identifies a span in its trace. Some tracers give both sides of a call the same id, so
/// spans of different kinds are different spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct SpanKey {
    id: SpanId,
    kind: Kind,
}

/// The attributes of a span, or of its source.
pub type Attributes = Map<String, Value>;

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub id: SpanId,
    /// The span in which it was started, in this or another service.
    pub parent_id: Option<SpanId>,
    /// The span's name, as chosen by the program.
    pub name: String,
    /// The span's kind in upper case: `INTERNAL`, `CLIENT`, ….
    pub kind: &'static str,
    /// When the span started, in Unix nanoseconds.
    pub start_ns: u64,
    /// When the span ended, in Unix nanoseconds.
    pub end_ns: u64,
    /// The message of the status of a failed span, which may be empty; `None` if it did not fail.
    pub failure: Option<String>,
    /// The span's own attributes.
    pub attributes: Attributes,
    /// The attributes of the program or machine that sent the span.
    pub resource: Arc<Attributes>,
    /// The part of the program that sent the span.
    pub scope: Arc<Attributes>,
    /// Further data of the span: its events, its links, ….
    pub details: Map<String, Value>,
}

impl Span {
    fn key(&self) -> SpanKey {
        SpanKey {
            id: self.id,
            kind: Kind::from_name(self.kind),
        }
    }

    /// Whether the span has an attribute of its own with a value. An empty text is none.
    fn has(&self, name: &str) -> bool {
        let value = self.attributes.get(name);
        value.is_some_and(|value| !value.is_null() && value != "")
    }

    /// Returns an attribute of the span or, if the span does not have it, of its resource, as a
    /// text that is not empty.
    fn text(&self, name: &str) -> Option<String> {
        let attribute = self.attributes.get(name);
        to_text(attribute.or_else(|| self.resource.get(name))?)
    }

    /// Returns the text, number or boolean in an attribute of the span or, if the span does not
    /// have it, of its resource, as a text that is not empty. Takes the same time for any length.
    fn scalar(&self, name: &str) -> Option<Cow<'_, str>> {
        let attribute = self.attributes.get(name);
        to_scalar(attribute.or_else(|| self.resource.get(name))?)
    }

    /// Returns the text, number or boolean in an attribute of the span itself, as
    /// [`scalar`](Self::scalar) does.
    fn own_scalar(&self, name: &str) -> Option<Cow<'_, str>> {
        to_scalar(self.attributes.get(name)?)
    }

    /// Returns the events, in the order in which they were sent: each with its `time`, `name`
    /// and `attributes`.
    fn events(&self) -> impl DoubleEndedIterator<Item = &Value> {
        let events = self.details.get("events").and_then(Value::as_array);
        events.into_iter().flatten()
    }
}

/// Returns a text, number or boolean as a text that is not empty.
fn to_scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => (!text.is_empty()).then_some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns a value as a text that is not empty.
fn to_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => return None,
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// Why a span is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Rejection {
    /// The trace id is invalid.
    #[error("the trace id is not 16 bytes, or is all zero")]
    InvalidTraceId,
    /// The span id is invalid.
    #[error("the span id is not 8 bytes, or is all zero")]
    InvalidSpanId,
    /// The parent's id is invalid.
    #[error("the parent's id is not 8 bytes")]
    InvalidParentId,
    /// The start time is missing.
    #[error("the start time is missing")]
    NoStart,
    /// The start time is not a time.
    #[error("the start time is not a number of nanoseconds since 1970")]
    InvalidStart,
    /// The end time is not a time.
    #[error("the end time is not a number of nanoseconds since 1970")]
    InvalidEnd,
    /// The span is not a message.
    #[error("the span cannot be decoded")]
    Unreadable,
    /// The values of the span's attributes exceed the limit of the decoder.
    #[error("the values of the span are nested too deeply")]
    TooDeep,
    /// The span exceeds the size limit.
    #[error("the span is too large")]
    TooLarge,
    /// The trace has the maximum number of spans.
    #[error("the trace has {MAX_SPANS_A_TRACE} spans already")]
    TraceFull,
    /// The span's run was deleted recently.
    #[error("the run was deleted")]
    RunDeleted,
    /// Another team has a run with the id of the span's run.
    #[error("the run's id is taken")]
    IdTaken,
}

/// The position of a span in the body of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpanPosition {
    /// The number of the request, from 0, in a body with several requests.
    pub request: usize,
    /// The position in the request's `resourceSpans`, from 0.
    pub resource: usize,
    /// The position in the resource's `scopeSpans`, from 0.
    pub scope: usize,
    /// The position in the scope's `spans`, from 0.
    pub span: usize,
}

impl SpanPosition {
    /// The path of the resource, such as `resourceSpans[0]`.
    pub fn resource_path(&self) -> String {
        match self.request {
            0 => format!("resourceSpans[{}]", self.resource),
            request => format!("requests[{request}].resourceSpans[{}]", self.resource),
        }
    }

    /// The path of the scope, such as `resourceSpans[0].scopeSpans[1]`.
    pub fn scope_path(&self) -> String {
        format!("{}.scopeSpans[{}]", self.resource_path(), self.scope)
    }
}

impl fmt::Display for SpanPosition {
    /// Formats the path of the span, such as `resourceSpans[0].scopeSpans[1].spans[3]`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.spans[{}]", self.scope_path(), self.span)
    }
}

/// How many positions are listed for each reason. More would fill the log of the exporter.
const MAX_POSITIONS: usize = 3;

/// The rejected spans of one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct RejectedSpans {
    count: usize,
    /// The first known positions.
    positions: Vec<SpanPosition>,
}

/// The number of rejected spans, by reason, and the positions of the first ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejections(BTreeMap<Rejection, RejectedSpans>);

impl Rejections {
    /// Adds this number of spans, whose positions are unknown.
    pub fn add(&mut self, rejection: Rejection, spans: usize) {
        if spans > 0 {
            self.0.entry(rejection).or_default().count += spans;
        }
    }

    /// Adds the span at a position.
    pub fn add_at(&mut self, rejection: Rejection, position: SpanPosition) {
        let rejected = self.0.entry(rejection).or_default();
        rejected.count += 1;
        if rejected.positions.len() < MAX_POSITIONS {
            rejected.positions.push(position);
        }
    }

    /// Adds all spans of `others`.
    pub fn add_all(&mut self, others: &Self) {
        for (rejection, others) in &others.0 {
            let rejected = self.0.entry(*rejection).or_default();
            rejected.count += others.count;
            rejected.positions.extend(&others.positions);
            rejected.positions.truncate(MAX_POSITIONS);
        }
    }

    /// The number of rejected spans.
    pub fn spans(&self) -> usize {
        self.0.values().map(|rejected| rejected.count).sum()
    }
}

impl fmt::Display for RejectedSpans {
    /// Formats the positions, such as ` (resourceSpans[0].scopeSpans[1].spans[3] and 7 more)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.positions.is_empty() {
            return Ok(());
        }
        let positions: Vec<_> = self.positions.iter().map(ToString::to_string).collect();
        write!(formatter, " ({}", positions.join(", "))?;
        match self.count - positions.len() {
            0 => write!(formatter, ")"),
            others => write!(formatter, " and {others} more)"),
        }
    }
}

impl fmt::Display for Rejections {
    /// Formats the rejections, such as `2 spans: the run was deleted; 1 span: the start time is
    /// missing (resourceSpans[0].scopeSpans[1].spans[3])`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (rejection, rejected)) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            let count = rejected.count;
            let plural = if count == 1 { "" } else { "s" };
            write!(
                formatter,
                "{separator}{count} span{plural}: {rejection}{rejected}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_a_fixed_length_and_is_not_zero() {
        assert_eq!(SpanId::from_bytes(&[0; 8]), None);
        assert_eq!(SpanId::from_bytes(&[1; 7]), None);
        let id = SpanId::from_bytes(&[0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff]).expect("an id");
        assert_eq!(id.to_string(), "00010203fcfdfeff");
        assert_eq!("00010203FCFDFEFF".parse(), Ok(id));
        for text in ["", "00", "00010203fcfdfeffaa", "+001020304050607", "ß"] {
            assert_eq!(text.parse::<SpanId>(), Err(InvalidHexId), "{text}");
        }
    }

    #[test]
    fn rejections_list_numbers_and_reasons() {
        let mut rejections = Rejections::default();
        rejections.add(Rejection::RunDeleted, 1);
        rejections.add(Rejection::NoStart, 2);
        rejections.add(Rejection::TooLarge, 0);
        assert_eq!(rejections.spans(), 3);
        assert_eq!(
            rejections.to_string(),
            "2 spans: the start time is missing; 1 span: the run was deleted"
        );
    }

    #[test]
    fn rejections_list_the_first_positions() {
        let mut rejections = Rejections::default();
        let position = |span| SpanPosition {
            span,
            scope: 1,
            ..SpanPosition::default()
        };
        rejections.add_at(Rejection::NoStart, position(4));
        assert_eq!(
            rejections.to_string(),
            "1 span: the start time is missing (resourceSpans[0].scopeSpans[1].spans[4])"
        );
        let mut others = Rejections::default();
        for span in 0..1_000 {
            others.add_at(Rejection::NoStart, position(span));
        }
        rejections.add_all(&others);
        assert_eq!(rejections.spans(), 1_001);
        assert_eq!(
            rejections.to_string(),
            "1001 spans: the start time is missing (resourceSpans[0].scopeSpans[1].spans[4], \
             resourceSpans[0].scopeSpans[1].spans[0], resourceSpans[0].scopeSpans[1].spans[1] \
             and 998 more)"
        );
    }

    #[test]
    fn a_position_names_the_request_after_the_first() {
        let mut position = SpanPosition::default();
        assert_eq!(position.scope_path(), "resourceSpans[0].scopeSpans[0]");
        position.request = 1;
        let path = "requests[1].resourceSpans[0].scopeSpans[0].spans[0]";
        assert_eq!(position.to_string(), path);
    }
}
