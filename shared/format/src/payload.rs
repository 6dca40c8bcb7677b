//! Payloads: values that are too large for their record, in parts, with or without compression.
//!
//! A payload is either a native value in part 0, or the bytes of a JSON text, joined from its
//! parts. A payload that cannot be read does not affect anything else: it is left out, and an
//! [`UnreadablePayload`] says why.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::value::RawValue;

use crate::attributes::{BYTES, ENCODING, INPUT, OUTPUT, PARTS, VALUE};
use crate::keys;
use crate::model::{Item, OmittedPayload, Value};
use crate::record::replace_lone_surrogates_in;

/// The largest payload, in bytes of its JSON text. It limits the memory of a reader, and so the
/// effect of a decompression bomb.
pub const MAX_DECODED_BYTES: usize = 64 * 1024 * 1024;

/// The largest window that a frame may request from the decompressor, as a power of two: the size
/// of the largest payload.
const MAX_WINDOW_LOG: u32 = 26;

/// A payload of a run itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunPayload {
    /// The input of the run.
    Input,
    /// The output of the run.
    Output,
    /// The resolved context at the end of the run.
    Context,
    /// Other data of the run.
    Data,
}

impl RunPayload {
    /// The payload's name in the record format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => INPUT,
            Self::Output => OUTPUT,
            Self::Context => "context",
            Self::Data => "data",
        }
    }
}

/// A payload that exists but cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("payload {name}: {reason}")]
pub struct UnreadablePayload {
    /// The payload's name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The parts of payloads, collected by name. Each payload is limited to [`MAX_DECODED_BYTES`],
/// because a longer one can never be shown.
#[derive(Debug, Default)]
pub struct Payloads {
    by_name: HashMap<String, Parts>,
}

#[derive(Debug, Default)]
struct Parts {
    by_number: BTreeMap<u32, Item>,
    /// The size of all parts that were inserted, kept or not.
    bytes: usize,
}

impl Payloads {
    /// Adds a part. An item that does not have the key of a payload is dropped.
    pub fn insert(&mut self, item: Item) {
        let Some(key) = keys::sort_key(&item).and_then(keys::payload_of) else {
            return;
        };
        let (name, part) = (key.name.to_owned(), key.part);
        let parts = self.by_name.entry(name).or_default();
        parts.bytes += part_bytes(&item).map_or(0, <[u8]>::len);
        if parts.bytes > MAX_DECODED_BYTES {
            parts.by_number.clear();
        } else {
            parts.by_number.insert(part, item);
        }
    }

    /// Returns whether a payload is too large to be shown, so that reading more of it is useless.
    pub fn is_too_large(&self, name: &str) -> bool {
        let parts = self.by_name.get(name);
        parts.is_some_and(|parts| parts.bytes > MAX_DECODED_BYTES)
    }

    /// Returns whether any part of a payload was inserted.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Returns whether all parts of a payload were inserted, according to its first part.
    pub fn is_complete(&self, name: &str) -> bool {
        let parts = self.by_name.get(name);
        parts.is_some_and(|parts| match parts.first() {
            Some(first) if first.contains_key(VALUE) => true,
            // Additional parts remain of an earlier, longer payload.
            Some(first) => part_count(first).is_some_and(|count| parts.by_number.len() >= count),
            None => false,
        })
    }

    /// Returns a payload that is longer than `most` bytes, according to its first part.
    pub fn longer_than(&self, name: &str, most: usize) -> Option<OmittedPayload> {
        let first = self.by_name.get(name)?.first()?;
        let stored = part_count(first)?.saturating_mul(part_bytes(first)?.len());
        let omitted = OmittedPayload {
            bytes: decoded_size(first, stored),
        };
        (omitted.bytes.unwrap_or(stored) > most).then_some(omitted)
    }

    /// Drops a payload that is left out. Its size is known if its first part contains the size.
    pub fn leave_out(&mut self, name: &str) -> OmittedPayload {
        let omitted = self.longer_than(name, 0).unwrap_or_default();
        self.by_name.remove(name);
        omitted
    }

    /// Moves the parts of a payload to another collection.
    pub fn move_to(&mut self, name: &str, other: &mut Self) {
        if let Some((name, parts)) = self.by_name.remove_entry(name) {
            other.by_name.insert(name, parts);
        }
    }

    /// Removes a payload and returns it joined and decompressed. Returns `None` if it has no part.
    ///
    /// # Errors
    /// Returns an error if a part is missing or of a wrong type, the encoding is unknown, the bytes
    /// do not match the encoding, or there are more than [`MAX_DECODED_BYTES`] of them.
    pub fn take(&mut self, name: &str) -> Result<Option<Value>, UnreadablePayload> {
        let is_too_large = self.is_too_large(name);
        let Some(parts) = self.by_name.remove(name) else {
            return Ok(None);
        };
        let decoded = match is_too_large {
            true => Err(too_large()),
            false => decode(parts.by_number),
        };
        decoded.map(Some).map_err(|reason| UnreadablePayload {
            name: name.to_owned(),
            reason,
        })
    }
}

impl Parts {
    fn first(&self) -> Option<&Item> {
        self.by_number.get(&0)
    }
}

/// The number of parts of the payload with this first part, if it can be read.
fn part_count(first: &Item) -> Option<usize> {
    match first.get(PARTS) {
        None => Some(1),
        Some(count) => count.as_n().ok()?.parse().ok(),
    }
}

fn part_bytes(part: &Item) -> Option<&[u8]> {
    let bytes = part.get(BYTES)?.as_b().ok()?;
    Some(bytes.as_ref())
}

/// The approximate size of the JSON of the payload with this first part, which is stored in about
/// `stored` bytes. A compressed payload contains its size if the compressor knew it.
fn decoded_size(first: &Item, stored: usize) -> Option<usize> {
    match first.get(ENCODING)?.as_s().ok()?.as_str() {
        "json" => Some(stored),
        "json+zstd" => {
            let size = zstd::zstd_safe::get_frame_content_size(part_bytes(first)?).ok()??;
            usize::try_from(size).ok()
        }
        _ => None,
    }
}

fn decode(mut parts: BTreeMap<u32, Item>) -> Result<Value, String> {
    let first = parts.get_mut(&0).ok_or("part 0000 is missing")?;
    if let Some(value) = first.remove(VALUE) {
        return Ok(Value::Native(value));
    }
    let encoding = match first.get(ENCODING) {
        Some(AttributeValue::S(encoding)) => encoding.clone(),
        _ => return Err("part 0000 has neither a value nor an encoding".to_owned()),
    };
    let count: u32 = match first.get(PARTS) {
        None => 1,
        Some(AttributeValue::N(count)) => count.parse().map_err(|_| "parts is not a count")?,
        Some(_) => return Err("parts is not a number".to_owned()),
    };
    let bytes = join(&parts, count)?;
    let mut text = match encoding.as_str() {
        "json" => bytes,
        "json+zstd" => decompress(&bytes)?,
        other => return Err(format!("the encoding {other:?} is unknown")),
    };
    replace_lone_surrogates_in(&mut text);
    let text = String::from_utf8(text).map_err(|_| "the text is not UTF-8")?;
    RawValue::from_string(text)
        .map(Value::Json)
        .map_err(|error| format!("the text is not JSON: {error}"))
}

fn join(parts: &BTreeMap<u32, Item>, count: u32) -> Result<Vec<u8>, String> {
    let mut joined = Vec::new();
    for part in 0..count {
        let item = parts
            .get(&part)
            .ok_or_else(|| format!("part {part:04} of {count} is missing"))?;
        let Some(AttributeValue::B(bytes)) = item.get(BYTES) else {
            return Err(format!("part {part:04} has no bytes"));
        };
        joined.extend_from_slice(bytes.as_ref());
    }
    Ok(joined)
}

fn decompress(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let not_zstd = |error: std::io::Error| format!("the bytes are not zstd: {error}");
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(not_zstd)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(not_zstd)?;
    let mut text = Vec::new();
    decoder
        .take(MAX_DECODED_BYTES as u64 + 1)
        .read_to_end(&mut text)
        .map_err(not_zstd)?;
    if text.len() > MAX_DECODED_BYTES {
        return Err(too_large());
    }
    Ok(text)
}

fn too_large() -> String {
    format!("it is larger than {MAX_DECODED_BYTES} bytes")
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;
    use proptest::prelude::*;

    use super::*;
    use crate::attributes::text;

    fn part(name: &str, part: u32, attributes: &[(&str, AttributeValue)]) -> Item {
        let mut item: Item = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        item.insert(
            "sk".to_owned(),
            text(format!("{}{part:04}", keys::payload_parts(name))),
        );
        item
    }

    fn split(bytes: &[u8], encoding: &str, size: usize) -> Payloads {
        let chunks: Vec<_> = bytes.chunks(size).collect();
        let mut payloads = Payloads::default();
        // In reverse, because the order of arrival must not matter.
        for (number, chunk) in chunks.iter().enumerate().rev() {
            let mut attributes = vec![("bytes", AttributeValue::B(Blob::new(*chunk)))];
            if number == 0 {
                attributes.push(("encoding", text(encoding)));
                attributes.push(("parts", AttributeValue::N(chunks.len().to_string())));
            }
            payloads.insert(part("context", number as u32, &attributes));
        }
        payloads
    }

    fn reason(mut payloads: Payloads) -> String {
        payloads.take("context").expect_err("unreadable").reason
    }

    proptest! {
        #[test]
        fn any_json_survives_splitting_and_compression(
            words in proptest::collection::vec(".{0,20}", 1..20), size in 1_usize..200,
        ) {
            let json = serde_json::to_string(&words).expect("JSON");
            let packed = zstd::encode_all(json.as_bytes(), 3).expect("zstd");
            for (bytes, encoding) in [(json.as_bytes(), "json"), (&packed, "json+zstd")] {
                let value = split(bytes, encoding, size).take("context").expect("readable");
                let read = serde_json::to_string(&value).expect("JSON");
                prop_assert_eq!(&read, &json);
            }
        }

        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for encoding in ["json", "json+zstd"] {
                let _ = split(&bytes, encoding, 50).take("context");
            }
        }
    }

    #[test]
    fn a_lone_surrogate_in_a_payload_is_replaced() {
        let json = r#"{"\ud83d":"cut \ud83d"}"#;
        for (bytes, encoding) in [
            (json.as_bytes().to_vec(), "json"),
            (
                zstd::encode_all(json.as_bytes(), 3).expect("zstd"),
                "json+zstd",
            ),
        ] {
            let value = split(&bytes, encoding, 7)
                .take("context")
                .expect("readable");
            let read: serde_json::Value =
                serde_json::from_str(&serde_json::to_string(&value).expect("JSON"))
                    .expect("JSON that is strict");
            assert_eq!(read, serde_json::json!({"\u{FFFD}": "cut \u{FFFD}"}));
        }
    }

    #[test]
    fn a_native_value_is_shown_as_json() {
        let mut payloads = Payloads::default();
        let value = AttributeValue::M(
            [
                (
                    "big".to_owned(),
                    AttributeValue::N("12345678901234567890.123456789".to_owned()),
                ),
                ("none".to_owned(), AttributeValue::Null(true)),
                (
                    "bytes".to_owned(),
                    AttributeValue::B(Blob::new([1, 2, 255])),
                ),
            ]
            .into(),
        );
        payloads.insert(part("input", 0, &[("value", value)]));
        let value = payloads
            .take("input")
            .expect("readable")
            .expect("a payload");
        assert_eq!(
            serde_json::to_string(&value).expect("JSON"),
            r#"{"big":12345678901234567890.123456789,"bytes":"AQL/","none":null}"#
        );
    }

    #[test]
    fn an_absent_payload_is_not_an_error() {
        assert_eq!(Payloads::default().take("context"), Ok(None));
    }

    #[test]
    fn a_missing_part_is_named() {
        let mut payloads = split(br#"["0123456789"]"#, "json", 5);
        let parts = payloads.by_name.get_mut("context").expect("parts");
        parts.by_number.remove(&1);
        assert_eq!(reason(payloads), "part 0001 of 3 is missing");
    }

    #[test]
    fn an_unknown_encoding_is_named() {
        assert_eq!(
            reason(split(b"{}", "cbor", 5)),
            r#"the encoding "cbor" is unknown"#
        );
    }

    #[test]
    fn a_decompression_bomb_is_refused() {
        let bomb = zstd::encode_all(std::io::repeat(b' ').take(1 << 30), 1).expect("zstd");
        assert!(bomb.len() < 200_000, "a gigabyte in {} bytes", bomb.len());
        assert_eq!(reason(split(&bomb, "json+zstd", 100_000)), too_large());
    }

    #[test]
    fn the_parts_of_a_too_large_payload_are_dropped() {
        let mut payloads = Payloads::default();
        let megabyte = AttributeValue::B(Blob::new(vec![b' '; 1 << 20]));
        for number in 0..=64 {
            assert!(!payloads.is_too_large("context"), "after {number} MB");
            let attributes = [
                ("bytes", megabyte.clone()),
                ("encoding", text("json")),
                ("parts", AttributeValue::N("65".to_owned())),
            ];
            payloads.insert(part("context", number, &attributes));
        }
        assert!(payloads.is_too_large("context"));
        assert!(payloads.by_name["context"].by_number.is_empty());
        assert_eq!(reason(payloads), too_large());
    }

    #[test]
    fn text_that_is_not_exactly_one_json_value_is_refused() {
        assert!(reason(split(br#"{"a":1} {"b":2}"#, "json", 5)).contains("not JSON"));
        assert!(reason(split(b"\"\xff\"", "json", 5)).contains("not UTF-8"));
    }
}
