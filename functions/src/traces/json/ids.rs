//! Ids in JSON.
//!
//! OTLP writes them in hexadecimal. General encoders of protobuf write base64 (Go, Swift, Dart,
//! Python), and others write the bytes one by one: as a list (Rust), as an object with numbers as
//! names (a `Uint8Array` of JavaScript), or as `{"type": "Buffer", "data": […]}` (Node.js).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

/// Decodes base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The number of hexadecimal digits of the two kinds of ids, and of ids whose digits a relay has
/// decoded as if they were base64. As base64, texts of these lengths would be no ids.
const HEX_LENGTHS: [usize; 4] = [16, 32, 24, 48];

/// Returns the bytes of an id, of any length; none for a missing one. Returns `None` if the value
/// is not an id.
pub(super) fn to_bytes(id: &Value) -> Option<Vec<u8>> {
    match id {
        Value::Null => Some(Vec::new()),
        Value::String(text) => parse(text.trim()),
        // The parent of a root in the formats of Datadog and Jaeger.
        Value::Number(number) if number.as_u64() == Some(0) => Some(vec![0]),
        id => collect_bytes(id),
    }
}

fn parse(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    // The form of a UUID.
    let is_uuid = text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4;
    let plain = is_uuid.then(|| text.replace('-', ""));
    let text = plain.as_deref().unwrap_or(text);
    if text.bytes().all(|byte| byte == b'0') {
        return Some(vec![0; text.len()]);
    }
    match HEX_LENGTHS.contains(&text.len()) {
        true => parse_hex(text).or_else(|| parse_base64(text)),
        // Digits without leading zeros are no base64.
        false if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => None,
        false => parse_base64(text),
    }
}

fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pair = |pair: &[u8]| u8::try_from(digit(&pair[0])? << 4 | digit(&pair[1])?).ok();
    text.as_bytes().chunks_exact(2).map(pair).collect()
}

/// Decodes base64 in the standard or the URL alphabet.
pub(super) fn parse_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.replace('-', "+").replace('_', "/");
    BASE64.decode(text).ok()
}

/// Returns bytes that are written one by one. `None` if the value is something else.
pub(super) fn collect_bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Array(bytes) => bytes.iter().map(to_byte).collect(),
        Value::Object(members) => match members.get("data") {
            Some(data) if members.len() == 2 && members.contains_key("type") => collect_bytes(data),
            _ => collect_members(members),
        },
        _ => None,
    }
}

/// Returns the bytes of an object whose members are named by their positions.
fn collect_members(members: &Map<String, Value>) -> Option<Vec<u8>> {
    let bytes = (0..members.len()).map(|position| to_byte(members.get(&position.to_string())?));
    bytes.collect()
}

fn to_byte(value: &Value) -> Option<u8> {
    u8::try_from(value.as_u64()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_known_form_of_an_id_is_read() {
        let bytes = [0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0xfb];
        let members: Map<_, _> = (0..8)
            .map(|at| (at.to_string(), json!(bytes[at])))
            .collect();
        for form in [
            json!("eee19b7ec3c1b1fb"),
            json!(" EEE19B7EC3C1B1FB\n"),
            json!("0xeee19b7ec3c1b1fb"),
            json!("7uGbfsPBsfs="),
            json!("7uGbfsPBsfs"),
            json!(bytes),
            json!(members),
            json!({"type": "Buffer", "data": bytes}),
        ] {
            assert_eq!(to_bytes(&form).as_deref(), Some(&bytes[..]), "{form}");
        }
        let id = to_bytes(&json!("5b8efff7-9803-8103-d269-b633813fc60c"));
        assert_eq!(id, to_bytes(&json!("W47/95gDgQPSabYzgT/GDA==")));
        assert_eq!(id, to_bytes(&json!("W47_95gDgQPSabYzgT_GDA")));
        assert_eq!(id.map(|id| id.len()), Some(16));
    }

    #[test]
    fn a_missing_id_has_no_bytes_and_a_zero_one_only_zeros() {
        for missing in [json!(null), json!(""), json!([]), json!({})] {
            assert_eq!(to_bytes(&missing), Some(Vec::new()), "{missing}");
        }
        assert_eq!(to_bytes(&json!("0")), Some(vec![0]));
        assert_eq!(to_bytes(&json!(0)), Some(vec![0]));
        assert_eq!(to_bytes(&json!("0000000000000000")), Some(vec![0; 16]));
    }

    #[test]
    fn other_values_are_no_ids() {
        for other in [
            json!(12345),
            json!(true),
            json!("x yz"),
            json!("g".repeat(17)),
            json!([256]),
            json!([-1]),
            json!(["a"]),
            json!({"1": 2}),
        ] {
            assert_eq!(to_bytes(&other), None, "{other}");
        }
    }
}
