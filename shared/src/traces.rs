//! Traces as runs: the spans that an OpenTelemetry exporter sends become the records of
//! a run. docs/opentelemetry.md says which attribute comes from where.
//!
//! The spans of a trace come in any order, in many requests, from several services at
//! once. [`layout`] says where each span stands, as a function of all of them and of
//! nothing else, so that every order ends in the same records. [`write`] brings the
//! records to that state.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod layout;
mod records;
mod write;

pub use write::write_spans;

/// The most spans of one trace: all of them are looked at with each request.
pub const MAX_SPANS_A_TRACE: usize = 10_000;

/// An id of OpenTelemetry: so many bytes, written in hexadecimal, and not all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HexId<const N: usize>([u8; N]);

/// The id of a trace.
pub type TraceId = HexId<16>;
/// The id of a span, unique in its trace.
pub type SpanId = HexId<8>;

/// Why a text is no [`HexId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not an id in hexadecimal digits")]
pub struct InvalidHexId;

impl<const N: usize> HexId<N> {
    /// The id of these bytes. `None` for another number of them, and where all are zero.
    pub fn of(bytes: &[u8]) -> Option<Self> {
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
            .filter(|_| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|bytes| Self::of(&bytes))
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

/// The attributes of a span, or of what it comes from.
pub type Attributes = Map<String, Value>;

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub id: SpanId,
    /// The span that it was started in, of this or of another service.
    pub parent_id: Option<SpanId>,
    /// What it did, in its program's words.
    pub name: String,
    /// Its kind, in upper case: `INTERNAL`, `CLIENT`, ….
    pub kind: &'static str,
    /// When it began, in nanoseconds since 1970 began.
    pub start_ns: u64,
    /// When it ended.
    pub end_ns: u64,
    /// Why it failed, as far as it says; `None` where it did not.
    pub failure: Option<String>,
    /// Its own attributes.
    pub attributes: Attributes,
    /// The attributes of the program, or of the machine, that it comes from.
    pub resource: Arc<Attributes>,
    /// The part of the program that it comes from.
    pub scope: Arc<Attributes>,
    /// What else there is to know of it: its events, its links, ….
    pub details: Map<String, Value>,
}

/// Why a span is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Rejection {
    /// Its trace has no id that can be.
    #[error("the trace id is not 16 bytes, or is all zero")]
    InvalidTraceId,
    /// It has no id that can be.
    #[error("the span id is not 8 bytes, or is all zero")]
    InvalidSpanId,
    /// What stands for its parent's id cannot be one.
    #[error("the parent's id is not 8 bytes")]
    InvalidParentId,
    /// It does not say when it began.
    #[error("the start time is missing")]
    NoStart,
    /// It is larger than a span may be.
    #[error("the span is too large")]
    TooLarge,
    /// Its trace has as many spans as a trace may have.
    #[error("the trace has {MAX_SPANS_A_TRACE} spans already")]
    TraceFull,
    /// Its run has been deleted a moment ago.
    #[error("the run was deleted")]
    RunDeleted,
    /// Another team has a run under the id of its run.
    #[error("the run's id is taken")]
    IdTaken,
}

/// How many spans were not taken, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejections(BTreeMap<Rejection, usize>);

impl Rejections {
    /// Adds so many spans.
    pub fn add(&mut self, rejection: Rejection, spans: usize) {
        if spans > 0 {
            *self.0.entry(rejection).or_default() += spans;
        }
    }

    /// Adds others.
    pub fn add_all(&mut self, others: &Self) {
        for (rejection, spans) in &others.0 {
            self.add(*rejection, *spans);
        }
    }

    /// How many there are.
    pub fn spans(&self) -> usize {
        self.0.values().sum()
    }
}

impl fmt::Display for Rejections {
    /// Such as `2 spans: the start time is missing; 1 span: the run was deleted`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (rejection, spans)) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            let plural = if *spans == 1 { "" } else { "s" };
            write!(formatter, "{separator}{spans} span{plural}: {rejection}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_its_length_and_not_zero() {
        assert_eq!(SpanId::of(&[0; 8]), None);
        assert_eq!(SpanId::of(&[1; 7]), None);
        let id = SpanId::of(&[0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff]).expect("an id");
        assert_eq!(id.to_string(), "00010203fcfdfeff");
        assert_eq!("00010203FCFDFEFF".parse(), Ok(id));
        for text in ["", "00", "00010203fcfdfeffaa", "+001020304050607", "ß"] {
            assert_eq!(text.parse::<SpanId>(), Err(InvalidHexId), "{text}");
        }
    }

    #[test]
    fn rejections_say_how_many_and_why() {
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
}
