//! A value of any shape on its way into the table.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::keys;
use crate::model::{ExecutionId, Item};
use crate::payload::MAX_DECODED_BYTES;
use crate::store::key;
use crate::table::text;

/// The longest JSON text, in bytes, of a value that is written as a native attribute
/// of its record. A step is written twice, at its begin and at its end, and both times
/// whole; what is longer is compressed, and written once.
pub const INLINE_BYTES: usize = 8 * 1_024;

/// The bytes in one part of a payload: with its keys below the 400 KB of an item.
pub const PART_BYTES: usize = 390_000;

/// How deep a native value may be nested. DynamoDB takes 32 levels, and the value has
/// its item and a few of a reader's own around it.
const MAX_DEPTH: usize = 28;

/// The digits of a number of DynamoDB.
const MAX_DIGITS: usize = 38;

/// The powers of ten of a number's first digit: DynamoDB takes 1E-130 to
/// 9.99…E+125.
const MAGNITUDES: std::ops::RangeInclusive<i64> = -130..=125;

/// zstd's own default: three times as fast as the level that would save another tenth.
const COMPRESSION_LEVEL: i32 = 3;

/// Why a value cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum UnwritablePayload {
    /// It cannot be JSON, as a map whose keys are no texts.
    #[error("the value cannot be JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is longer than a reader takes.
    #[error("the value has {bytes} bytes of JSON, and {MAX_DECODED_BYTES} are the most")]
    TooLarge {
        /// Its length as JSON.
        bytes: usize,
    },
}

/// A value of any shape: a native attribute where it is small and DynamoDB can hold it
/// as it is, else a JSON text for items of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    json: Vec<u8>,
    native: Option<AttributeValue>,
}

impl Payload {
    /// What `value` is as JSON, native up to [`INLINE_BYTES`].
    ///
    /// # Errors
    /// See [`UnwritablePayload`].
    pub fn of(value: &(impl Serialize + ?Sized)) -> Result<Self, UnwritablePayload> {
        Self::from_json(serde_json::to_string(value)?, INLINE_BYTES)
    }

    /// The value of a text that is known to be JSON, native up to so many bytes.
    ///
    /// # Errors
    /// [`UnwritablePayload::TooLarge`].
    pub fn from_json(json: String, inline_bytes: usize) -> Result<Self, UnwritablePayload> {
        if json.len() > MAX_DECODED_BYTES {
            return Err(UnwritablePayload::TooLarge { bytes: json.len() });
        }
        let native = match json.len() <= inline_bytes {
            true => native_of(&json),
            false => None,
        };
        Ok(Self {
            json: json.into_bytes(),
            native,
        })
    }

    /// The native value, where there is one.
    pub fn native(&self) -> Option<&AttributeValue> {
        self.native.as_ref()
    }

    /// The length of its JSON text in bytes.
    pub fn json_bytes(&self) -> usize {
        self.json.len()
    }

    /// Its items under a name: one with the native value, or the parts of the JSON
    /// text, compressed where that makes it smaller.
    pub fn items(&self, execution_id: &ExecutionId, name: &str) -> Vec<Item> {
        let item = |part: usize, attributes: Vec<(&str, AttributeValue)>| {
            // 64 MiB are fewer than 200 parts.
            let sk = keys::payload(name, u32::try_from(part).unwrap_or(u32::MAX));
            let mut item = key(keys::execution_partition(execution_id), sk);
            let attributes = attributes.into_iter();
            item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
            item
        };
        if let Some(native) = &self.native {
            return vec![item(0, vec![("value", native.clone())])];
        }
        let compressed = zstd::bulk::compress(&self.json, COMPRESSION_LEVEL)
            .ok()
            .filter(|compressed| compressed.len() < self.json.len());
        let (bytes, encoding) = match &compressed {
            Some(compressed) => (compressed, "json+zstd"),
            None => (&self.json, "json"),
        };
        let parts = bytes.chunks(PART_BYTES);
        let count = parts.len();
        parts
            .enumerate()
            .map(|(part, bytes)| {
                let mut attributes = vec![("bytes", AttributeValue::B(Blob::new(bytes)))];
                if part == 0 {
                    attributes.push(("encoding", text(encoding)));
                    attributes.push(("parts", AttributeValue::N(count.to_string())));
                }
                item(part, attributes)
            })
            .collect()
    }
}

/// The value of a JSON text as DynamoDB's own; `None` where it would not be the same:
/// numbers of more than 38 digits or out of DynamoDB's range, nameless members, values that
/// are nested too deep.
pub fn native_of(json: &str) -> Option<AttributeValue> {
    native(json, MAX_DEPTH)
}

fn native(json: &str, depth: usize) -> Option<AttributeValue> {
    let deeper = |json: &RawValue| native(json.get(), depth.checked_sub(1)?);
    match json.bytes().next()? {
        b'{' => {
            // Not a map of texts at once: numbers keep all their digits only as texts.
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
            let members = members.into_iter().map(|(name, json)| {
                let is_named = !name.is_empty();
                is_named.then_some((name, deeper(json)?))
            });
            members.collect::<Option<_>>().map(AttributeValue::M)
        }
        b'[' => {
            let values: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let values = values.into_iter().map(deeper);
            values.collect::<Option<_>>().map(AttributeValue::L)
        }
        b'"' => serde_json::from_str(json).ok().map(AttributeValue::S),
        b't' => Some(AttributeValue::Bool(true)),
        b'f' => Some(AttributeValue::Bool(false)),
        b'n' => Some(AttributeValue::Null(true)),
        _ => is_number_of_dynamodb(json).then(|| AttributeValue::N(json.to_owned())),
    }
}

/// Whether DynamoDB keeps a number of JSON as it is.
fn is_number_of_dynamodb(number: &str) -> bool {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let Ok(exponent) = exponent.parse::<i64>() else {
        return false;
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('-').trim_start_matches('0');
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return true;
    }
    let zeros = (digits.len() - significant.len()) as i64;
    let magnitude = exponent.saturating_add(whole.len() as i64 - 1 - zeros);
    significant.trim_end_matches('0').len() <= MAX_DIGITS && MAGNITUDES.contains(&magnitude)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::payload::Payloads;

    fn run() -> ExecutionId {
        "run-1".parse().expect("an id")
    }

    /// The JSON that a reader gets from its items. As text: serde_json does not read
    /// every number to its last bit.
    fn read_back(payload: &Payload) -> String {
        let mut payloads = Payloads::default();
        for item in payload.items(&run(), "context") {
            payloads.insert(item);
        }
        let value = payloads.take("context").expect("readable").expect("there");
        serde_json::to_string(&value).expect("JSON")
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_read_back_as_it_was(value in any_json(), inline in 0_usize..200) {
            let payload = Payload::from_json(value.to_string(), inline).expect("a payload");
            prop_assert_eq!(read_back(&payload), value.to_string());
        }
    }

    #[test]
    fn what_dynamodb_would_change_is_no_native_value() {
        let digits = |count: usize| "9".repeat(count);
        let kept = [
            "0",
            "-0.0",
            "1",
            "-1.5",
            "1e125",
            "9.99E+125",
            "1e-130",
            "0.000",
            "0e999",
            &digits(38),
            &format!("{}000", digits(38)),
            &format!("0.00{}", digits(38)),
        ]
        .map(str::to_owned);
        let changed = [
            "1e126",
            "10e125",
            "1e-131",
            "0.1e-130",
            &digits(39),
            &format!("0.{}", digits(39)),
            "1e99999999999999999999",
        ]
        .map(str::to_owned);
        for number in kept {
            assert!(is_number_of_dynamodb(&number), "{number}");
        }
        for number in changed {
            assert!(!is_number_of_dynamodb(&number), "{number}");
        }
    }

    #[test]
    fn what_is_small_is_native_and_what_cannot_be_is_not() {
        let is_native = |value: &Value| Payload::of(value).expect("a payload").native().is_some();
        assert!(is_native(&json!({"a": [1, null, {"b": ""}]})));
        assert!(!is_native(&json!({"": 1})));
        assert!(!is_native(&json!(1e300)));
        let nested = |depth: usize| (0..depth).fold(json!(1), |value, _| json!([value]));
        assert!(is_native(&nested(28)));
        assert!(!is_native(&nested(29)));
        let longest = "x".repeat(INLINE_BYTES - 2);
        assert!(is_native(&json!(longest)));
        assert!(!is_native(&json!(format!("{longest}x"))));
    }

    #[test]
    fn a_large_value_is_compressed_and_lies_in_parts() {
        let mut noise = vec![0; 600_000];
        getrandom::fill(&mut noise).expect("noise");
        let value = json!({"noise": noise, "text": "x".repeat(500_000)});
        let payload = Payload::of(&value).expect("a payload");
        let items = payload.items(&run(), "context");
        assert!(items.len() > 1 && items.len() < 5, "{}", items.len());
        assert_eq!(items[0]["encoding"], text("json+zstd"));
        assert_eq!(
            items[0]["parts"],
            AttributeValue::N(items.len().to_string())
        );
        assert_eq!(read_back(&payload), value.to_string());
    }

    #[test]
    fn what_compression_does_not_make_smaller_stays_as_it_is() {
        let payload = Payload::from_json(r#""ab""#.to_owned(), 0).expect("a payload");
        let items = payload.items(&run(), "context");
        assert_eq!(items[0]["encoding"], text("json"));
        assert_eq!(items[0]["bytes"], AttributeValue::B(Blob::new(r#""ab""#)));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let text: String = std::iter::repeat_n('x', MAX_DECODED_BYTES - 2).collect();
        assert!(Payload::of(&text).is_ok());
        let error = Payload::of(&format!("{text}x")).expect_err("one byte too many");
        assert!(matches!(error, UnwritablePayload::TooLarge { bytes } if bytes == 67_108_865));
        let no_text = std::collections::HashMap::from([(vec![1_u8], 1)]);
        assert!(matches!(
            Payload::of(&no_text),
            Err(UnwritablePayload::NotJson(_))
        ));
    }

    #[test]
    fn no_number_of_json_is_read_as_infinite() {
        let mut text = String::new();
        let payload = Payload::of(&f64::NAN).expect("a payload");
        payload
            .json
            .as_slice()
            .read_to_string(&mut text)
            .expect("text");
        assert_eq!(text, "null");
    }
}
