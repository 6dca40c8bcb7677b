//! Where the spans of a trace are stored.
//!
//! A span is identified by its id and its kind, and its record also by its start, which differs
//! between the attempts of a task that repeats its span. So the place of a span must be looked
//! up. The first spans of a trace are listed in its state, which is read and written anyway.

use std::fmt;

use format::keys;
use format::model::Timestamp;
use format::{Error, Result};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::otlp::records::SpanRecord;
use crate::otlp::{HexId, Kind, SpanId, SpanKey};

/// How many spans are listed in the state of their trace. They have 3 KB.
pub(super) const MAX_LISTED: usize = 128;

/// Where a span is stored, and which version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: SpanKey,
    /// The start of its step, in Unix milliseconds.
    pub(super) start_ms: i64,
    pub(super) end_ns: u64,
    pub(super) has_failed: bool,
    /// Whether its step is named after its kind as well, because another span has its id.
    pub(super) is_renamed: bool,
}

impl Entry {
    /// The bytes of an entry: id, kind, flags, start and end.
    const BYTES: usize = 26;

    pub(super) fn of_record(record: &SpanRecord, is_renamed: bool) -> Self {
        Self {
            key: record.key(),
            start_ms: record.start_time.milliseconds(),
            end_ns: record.span.end_ns,
            has_failed: record.has_failed(),
            is_renamed,
        }
    }

    /// The id of its step.
    pub(super) fn step_id(&self) -> String {
        step_id(self.key, self.is_renamed)
    }

    /// The sort key of its record: of the run's span, or of a step.
    pub(super) fn sort_key(&self, is_root: bool) -> Result<String> {
        let start_time = Timestamp::from_milliseconds(self.start_ms);
        let start_time = start_time.ok_or_else(|| Error::internal("a start is not a time"))?;
        Ok(sort_key(start_time, &self.step_id(), is_root))
    }

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let flags = u8::from(self.has_failed) | u8::from(self.is_renamed) << 1;
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.key.id.0);
        bytes[8..10].copy_from_slice(&[self.key.kind.0, flags]);
        bytes[10..18].copy_from_slice(&self.start_ms.to_be_bytes());
        bytes[18..].copy_from_slice(&self.end_ns.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let ([kind, flags], rest) = rest.split_first_chunk()?;
        let (start_ms, rest) = rest.split_first_chunk()?;
        let has = |position: u8| flags >> position & 1 == 1;
        Some(Self {
            key: SpanKey {
                id: HexId(*id),
                kind: Kind(*kind),
            },
            start_ms: i64::from_be_bytes(*start_ms),
            end_ns: u64::from_be_bytes(*rest.first_chunk()?),
            has_failed: has(0),
            is_renamed: has(1),
        })
    }
}

/// The id of a span's step. If spans of several kinds have one id, all but the innermost are also
/// named after their kind.
pub(super) fn step_id(key: SpanKey, is_renamed: bool) -> String {
    match is_renamed {
        true => format!("{}.{}", key.id, key.kind.name()),
        false => key.id.to_string(),
    }
}

/// The sort key of a span's record: of the run's span, or of a step.
pub(super) fn sort_key(start_time: Timestamp, step_id: &str, is_root: bool) -> String {
    match is_root {
        true => keys::span_of_run(start_time, step_id),
        false => keys::step(start_time, step_id),
    }
}

/// Entries of spans, stored as bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Index(Vec<Entry>);

impl Index {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the list in a trace's state has no room for more spans.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_LISTED
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// The entries of spans with this id.
    pub(super) fn of_id(&self, id: SpanId) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(move |entry| entry.key.id == id)
    }

    /// Adds an entry, or replaces the one with its key.
    pub(super) fn insert(&mut self, entry: Entry) {
        match self.0.iter_mut().find(|it| it.key == entry.key) {
            Some(old) => *old = entry,
            None => self.0.push(entry),
        }
    }

    /// When the span with this id ended without a failure, as far as it is listed.
    pub(super) fn completed_at(&self, id: Option<SpanId>) -> Option<u64> {
        let entries = self.of_id(id?).filter(|entry| !entry.has_failed);
        entries.map(|entry| entry.end_ns).max()
    }
}

impl FromIterator<Entry> for Index {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl Serialize for Index {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|entry| entry.to_bytes()).collect();
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Index;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the bytes of an index")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> std::result::Result<Index, E> {
                let entries = bytes.chunks_exact(Entry::BYTES);
                Ok(Index(entries.filter_map(Entry::from_bytes).collect()))
            }
        }

        deserializer.deserialize_byte_buf(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u8) -> Entry {
        Entry {
            key: SpanKey {
                id: HexId([number; 8]),
                kind: Kind(3),
            },
            start_ms: 1_771_324_200_123,
            end_ns: 1_771_324_200_456_789_012,
            has_failed: number.is_multiple_of(2),
            is_renamed: number.is_multiple_of(3),
        }
    }

    #[test]
    fn entries_survive_their_bytes() {
        let index: Index = (1..=30).map(entry).collect();
        let value = serde_dynamo::to_attribute_value(&index).expect("an attribute");
        let value: aws_sdk_dynamodb::types::AttributeValue = value;
        assert_eq!(
            value.as_b().expect("bytes").as_ref().len(),
            30 * Entry::BYTES
        );
        let read: Index = serde_dynamo::from_attribute_value(value).expect("an index");
        assert_eq!(read, index);
    }

    #[test]
    fn a_span_has_one_entry() {
        let mut index = Index::default();
        let mut later = entry(1);
        later.end_ns += 1;
        index.insert(entry(1));
        index.insert(entry(2));
        index.insert(later);
        assert_eq!(index.iter().collect::<Vec<_>>(), [&later, &entry(2)]);
        assert_eq!(index.completed_at(Some(HexId([1; 8]))), Some(later.end_ns));
        assert_eq!(index.completed_at(Some(HexId([2; 8]))), None);
    }

    #[test]
    fn the_key_of_a_record_tells_the_root_and_the_kind() {
        let mut one = entry(1);
        let step = "STEP#2026-02-17T10:30:00.123Z#0101010101010101";
        assert_eq!(one.sort_key(false).expect("a key"), step);
        one.is_renamed = true;
        let run = "TRACE#2026-02-17T10:30:00.123Z#0101010101010101.CLIENT";
        assert_eq!(one.sort_key(true).expect("a key"), run);
    }
}
