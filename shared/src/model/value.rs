//! A payload: a value of any shape that an engine wrote.

use std::collections::BTreeMap;
use std::io;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A value of any shape, kept as it was written until it is shown.
///
/// Serializes as JSON. Of a native value: `N` as a number with all its 38
/// digits, `B` as base64 text, the sets as arrays, `NULL` as null.
#[derive(Debug, Clone)]
pub enum Value {
    /// A native DynamoDB value.
    Native(AttributeValue),
    /// Text that is known to be one JSON value.
    Json(Box<RawValue>),
}

impl Value {
    /// About how many bytes the value takes as JSON. Exact for JSON text;
    /// of a native value without the escapes inside its texts.
    pub fn approximate_size(&self) -> usize {
        match self {
            Self::Native(value) => approximate_size(value),
            Self::Json(text) => text.get().len(),
        }
    }

    /// How many bytes the value takes as JSON, exactly.
    pub fn json_size(&self) -> usize {
        let mut size = ByteCount(0);
        match self {
            Self::Json(text) => text.get().len(),
            Self::Native(value) => match serde_json::to_writer(&mut size, &Native(value)) {
                Ok(()) => size.0,
                // Nothing native is no JSON, and a count does not fail.
                Err(_) => self.approximate_size(),
            },
        }
    }
}

/// Counts what is written, and keeps none of it.
struct ByteCount(usize);

impl io::Write for ByteCount {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A payload that an answer leaves out, because it is longer than its caller takes.
/// Serializes as the number of its bytes, or null.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct OmittedPayload {
    /// How many bytes its JSON has, or about so many where its parts were not read.
    /// `None` where nobody has looked, so that there may be no such payload at all.
    pub bytes: Option<usize>,
}

/// Payloads that an answer leaves out, by the names of their fields.
pub type OmittedPayloads = BTreeMap<&'static str, OmittedPayload>;

impl PartialEq for Value {
    /// Equal when they are the same JSON.
    fn eq(&self, other: &Self) -> bool {
        let (left, right) = (serde_json::to_value(self), serde_json::to_value(other));
        matches!((left, right), (Ok(left), Ok(right)) if left == right)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Native(value) => Native(value).serialize(serializer),
            Self::Json(text) => text.serialize(serializer),
        }
    }
}

/// Writes an attribute value straight into the JSON answer, with no tree of
/// JSON values in between.
struct Native<'a>(&'a AttributeValue);

impl Serialize for Native<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            AttributeValue::S(text) => serializer.serialize_str(text),
            AttributeValue::N(digits) => serialize_number(digits, serializer),
            AttributeValue::Bool(truth) => serializer.serialize_bool(*truth),
            AttributeValue::B(bytes) => serializer.serialize_str(&BASE64.encode(bytes)),
            AttributeValue::L(values) => serializer.collect_seq(values.iter().map(Native)),
            AttributeValue::M(entries) => {
                // A DynamoDB map has no order; ours is the names', so that the
                // same record always reads the same.
                let mut names: Vec<_> = entries.keys().collect();
                names.sort_unstable();
                let mut map = serializer.serialize_map(Some(names.len()))?;
                for name in names {
                    map.serialize_entry(name, &Native(&entries[name]))?;
                }
                map.end()
            }
            AttributeValue::Ss(texts) => serializer.collect_seq(texts),
            AttributeValue::Ns(numbers) => {
                let mut sequence = serializer.serialize_seq(Some(numbers.len()))?;
                for digits in numbers {
                    sequence.serialize_element(&Native(&AttributeValue::N(digits.clone())))?;
                }
                sequence.end()
            }
            AttributeValue::Bs(blobs) => {
                serializer.collect_seq(blobs.iter().map(|bytes| BASE64.encode(bytes)))
            }
            // NULL, and any type that a later SDK may know.
            _ => serializer.serialize_unit(),
        }
    }
}

/// DynamoDB numbers have up to 38 digits, more than any Rust number: the text
/// itself goes into the answer, where it is JSON.
fn serialize_number<S: Serializer>(digits: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match digits.parse::<i64>() {
        Ok(number) => serializer.serialize_i64(number),
        Err(_) => match RawValue::from_string(digits.to_owned()) {
            Ok(number) => number.serialize(serializer),
            Err(_) => serializer.serialize_str(digits),
        },
    }
}

/// As [`Value::approximate_size`], of a native value.
pub fn approximate_size(value: &AttributeValue) -> usize {
    // Two quotes, or two brackets, and a comma.
    const AROUND: usize = 3;
    AROUND
        + match value {
            AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
            AttributeValue::B(bytes) => bytes.as_ref().len() * 4 / 3,
            AttributeValue::L(values) => values.iter().map(approximate_size).sum(),
            AttributeValue::M(entries) => entries
                .iter()
                .map(|(name, value)| name.len() + AROUND + approximate_size(value))
                .sum(),
            AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => {
                texts.iter().map(|text| text.len() + AROUND).sum()
            }
            AttributeValue::Bs(blobs) => blobs
                .iter()
                .map(|bytes| bytes.as_ref().len() * 4 / 3 + AROUND)
                .sum(),
            _ => 2,
        }
}
