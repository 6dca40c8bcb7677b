//! Values of any shape to write into the table.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde_json::value::RawValue;

use super::surrogates::replace_lone_surrogates;
use crate::attributes::{BYTES, ENCODING, PARTS, VALUE, text};
use crate::keys::{self, key};
use crate::model::{ExecutionId, Item};
use crate::payload::MAX_DECODED_BYTES;

/// The longest JSON text, in bytes, of a value that is written as a native attribute of its record.
/// A step is written twice, at its start and at its end, each time completely; a longer value is
/// compressed and written once.
pub const INLINE_BYTES: usize = 8 * 1_024;

/// The bytes in one part of a payload. With the keys they stay below the limit of 400 KB for an
/// item.
pub const PART_BYTES: usize = 390_000;

/// The deepest nesting of a native value. DynamoDB supports 32 levels, and the item and some
/// readers add a few.
const MAX_DEPTH: usize = 28;

/// The most digits of a DynamoDB number.
const MAX_DIGITS: usize = 38;

/// The exponents of a number's first digit: DynamoDB supports 1E-130 to 9.99…E+125.
const MAGNITUDES: std::ops::RangeInclusive<i64> = -130..=125;

/// zstd's default. It is three times as fast as the level that would save another 10 %.
const COMPRESSION_LEVEL: i32 = 3;

/// Why a value cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum UnwritablePayload {
    /// It cannot be JSON, such as a map whose keys are not texts.
    #[error("the value cannot be JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is longer than readers accept.
    #[error("the value has {bytes} bytes of JSON; at most {MAX_DECODED_BYTES} are allowed")]
    TooLarge {
        /// The length of its JSON.
        bytes: usize,
    },
}

/// A value of any shape. It is a native attribute if it is small and DynamoDB can store it
/// unchanged, otherwise a JSON text in separate items.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    json: Vec<u8>,
    native: Option<AttributeValue>,
}

impl Payload {
    /// Converts a value to JSON, native up to [`INLINE_BYTES`].
    pub fn from_value(value: &(impl Serialize + ?Sized)) -> Result<Self, UnwritablePayload> {
        Self::from_json(serde_json::to_string(value)?, INLINE_BYTES)
    }

    /// Creates the payload of a text that is known to be JSON, native up to `inline_bytes` bytes.
    /// The escape of a lone surrogate is replaced with the escape of U+FFFD.
    ///
    /// # Errors
    /// Returns [`UnwritablePayload::TooLarge`].
    pub fn from_json(json: String, inline_bytes: usize) -> Result<Self, UnwritablePayload> {
        if json.len() > MAX_DECODED_BYTES {
            return Err(UnwritablePayload::TooLarge { bytes: json.len() });
        }
        let json = match replace_lone_surrogates(&json) {
            Cow::Borrowed(_) => json,
            Cow::Owned(replaced) => replaced,
        };
        let native = match json.len() <= inline_bytes {
            true => native(&json, MAX_DEPTH),
            false => None,
        };
        Ok(Self {
            json: json.into_bytes(),
            native,
        })
    }

    /// The native value, if there is one.
    pub fn native(&self) -> Option<&AttributeValue> {
        self.native.as_ref()
    }

    /// The payload's items under a name: one with the native value, or the parts of the JSON text,
    /// compressed if that makes it smaller.
    pub fn items(&self, execution_id: &ExecutionId, name: &str) -> Vec<Item> {
        let item = |part: usize, attributes: Vec<(&str, AttributeValue)>| {
            // 64 MiB need fewer than 200 parts.
            let sk = keys::payload(name, u32::try_from(part).unwrap_or(u32::MAX));
            let mut item = key(keys::execution_partition(execution_id), sk);
            let attributes = attributes.into_iter();
            item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
            item
        };
        if let Some(native) = &self.native {
            return vec![item(0, vec![(VALUE, native.clone())])];
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
                let mut attributes = vec![(BYTES, AttributeValue::B(Blob::new(bytes)))];
                if part == 0 {
                    attributes.push((ENCODING, text(encoding)));
                    attributes.push((PARTS, AttributeValue::N(count.to_string())));
                }
                item(part, attributes)
            })
            .collect()
    }
}

/// Converts a JSON text to a native DynamoDB value. Returns `None` if the value would change:
/// numbers of more than 38 digits or out of DynamoDB's range, members without a name, and values
/// that are nested too deeply. The escape of a lone surrogate becomes U+FFFD.
pub fn native_of(json: &str) -> Option<AttributeValue> {
    native(&replace_lone_surrogates(json), MAX_DEPTH)
}

fn native(json: &str, depth: usize) -> Option<AttributeValue> {
    let deeper = |json: &RawValue| native(json.get(), depth.checked_sub(1)?);
    match json.bytes().next()? {
        b'{' => {
            // The members are parsed one by one as raw JSON, because numbers keep all their digits
            // only as texts.
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
        _ => is_dynamodb_number(json).then(|| AttributeValue::N(json.to_owned())),
    }
}

/// Returns whether DynamoDB stores a JSON number unchanged.
fn is_dynamodb_number(number: &str) -> bool {
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

    /// The JSON that a reader gets from the payload's items. It is compared as text, because
    /// serde_json does not parse every number exactly.
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
        fn any_value_is_read_back_unchanged(value in any_json(), inline in 0_usize..200) {
            let payload = Payload::from_json(value.to_string(), inline).expect("a payload");
            prop_assert_eq!(read_back(&payload), value.to_string());
        }
    }

    #[test]
    fn a_number_that_dynamodb_would_change_is_not_native() {
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
            assert!(is_dynamodb_number(&number), "{number}");
        }
        for number in changed {
            assert!(!is_dynamodb_number(&number), "{number}");
        }
    }

    #[test]
    fn a_small_value_is_native_if_dynamodb_supports_it() {
        let is_native = |value: &Value| {
            Payload::from_value(value)
                .expect("a payload")
                .native()
                .is_some()
        };
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
    fn a_large_value_is_compressed_and_split_into_parts() {
        let mut noise = vec![0; 600_000];
        getrandom::fill(&mut noise).expect("noise");
        let value = json!({"noise": noise, "text": "x".repeat(500_000)});
        let payload = Payload::from_value(&value).expect("a payload");
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
    fn a_value_that_compression_does_not_shrink_stays_plain() {
        let payload = Payload::from_json(r#""ab""#.to_owned(), 0).expect("a payload");
        let items = payload.items(&run(), "context");
        assert_eq!(items[0]["encoding"], text("json"));
        assert_eq!(items[0]["bytes"], AttributeValue::B(Blob::new(r#""ab""#)));
    }

    #[test]
    fn a_value_that_readers_would_refuse_is_refused() {
        let text: String = std::iter::repeat_n('x', MAX_DECODED_BYTES - 2).collect();
        assert!(Payload::from_value(&text).is_ok());
        let error = Payload::from_value(&format!("{text}x")).expect_err("one byte too many");
        assert!(matches!(error, UnwritablePayload::TooLarge { bytes } if bytes == 67_108_865));
        let no_text = std::collections::HashMap::from([(vec![1_u8], 1)]);
        assert!(matches!(
            Payload::from_value(&no_text),
            Err(UnwritablePayload::NotJson(_))
        ));
    }

    #[test]
    fn a_number_that_json_cannot_express_becomes_null() {
        let mut text = String::new();
        let payload = Payload::from_value(&f64::NAN).expect("a payload");
        payload
            .json
            .as_slice()
            .read_to_string(&mut text)
            .expect("text");
        assert_eq!(text, "null");
    }
}
