//! A payload: a value of any shape from an engine.

use std::collections::BTreeMap;
use std::io;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A value of any shape, stored as written until it is shown.
///
/// It serializes as JSON. For a native value, `N` becomes a number with all its up to 38 digits,
/// `B` a base64 text, a set an array, and `NULL` null.
#[derive(Debug, Clone)]
pub enum Value {
    /// A native DynamoDB value.
    Native(AttributeValue),
    /// Text that is known to be one JSON value.
    Json(Box<RawValue>),
}

impl Value {
    /// The approximate size of the value as JSON, in bytes. It is exact for a JSON text, and
    /// ignores the escapes in the texts of a native value.
    pub fn approximate_size(&self) -> usize {
        match self {
            Self::Native(value) => approximate_size(value),
            Self::Json(text) => text.get().len(),
        }
    }

    /// The whole number in a native number or text: `3` or `3.0` as a number, but only `3` as a
    /// text, because `03` and `3.0` are different versions. `None` for any other value, and for a
    /// number that some JSON parsers do not read exactly.
    pub fn as_whole_number(&self) -> Option<i64> {
        const MOST: i64 = 1 << 53;
        let number = match self {
            Self::Native(AttributeValue::S(text)) => {
                let number = text.parse::<i64>().ok();
                number.filter(|number| number.to_string() == *text)?
            }
            Self::Native(AttributeValue::N(digits)) => match digits.parse() {
                Ok(number) => number,
                Err(_) => {
                    let number: f64 = digits.parse().ok()?;
                    let is_whole = number.fract() == 0.0 && number.abs() < MOST as f64;
                    is_whole.then_some(number as i64)?
                }
            },
            _ => return None,
        };
        (-MOST..=MOST).contains(&number).then_some(number)
    }

    /// The exact size of the value as JSON, in bytes.
    pub fn json_size(&self) -> usize {
        let mut size = ByteCount(0);
        match self {
            Self::Json(text) => text.get().len(),
            Self::Native(value) => match serde_json::to_writer(&mut size, &Native(value)) {
                Ok(()) => size.0,
                // Every native value can be JSON, and counting bytes cannot fail.
                Err(_) => self.approximate_size(),
            },
        }
    }
}

/// Counts the bytes that are written, and discards them.
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

/// A payload that a response leaves out, because it is longer than the caller accepts. It
/// serializes as the number of its bytes, or null.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct OmittedPayload {
    /// The size of its JSON in bytes, approximate if its parts were not read. `None` if the payload
    /// was not looked up, and so may not exist.
    pub bytes: Option<usize>,
}

/// The payloads that a response leaves out, by the names of their fields.
pub type OmittedPayloads = BTreeMap<&'static str, OmittedPayload>;

impl PartialEq for Value {
    /// Two values are equal if they are the same JSON.
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

/// Serializes an attribute value directly as JSON, without building a tree of JSON values.
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
                // A DynamoDB map has no order. Sorting by name makes the output deterministic.
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
            // NULL, and any type of a later SDK.
            _ => serializer.serialize_unit(),
        }
    }
}

/// Serializes a number of DynamoDB. It may have 38 digits, more than any Rust number, so its text
/// is written if it is a valid JSON number.
fn serialize_number<S: Serializer>(digits: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match digits.parse::<i64>() {
        Ok(number) => serializer.serialize_i64(number),
        Err(_) => match RawValue::from_string(digits.to_owned()) {
            Ok(number) => number.serialize(serializer),
            Err(_) => serializer.serialize_str(digits),
        },
    }
}

/// The approximate size of a native value, like [`Value::approximate_size`].
pub fn approximate_size(value: &AttributeValue) -> usize {
    // Two quotes or brackets, and a comma.
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
