//! Payloads: a written payload is read unchanged, and invalid bytes are reported as invalid.
//!
//! The first three bytes of the input are the encoding, the size of the parts, and the error in
//! the number of parts that the first part states. The rest is the payload.
#![no_main]

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use shared::attributes::text;
use shared::keys;
use shared::model::{ExecutionId, Item};
use shared::payload::Payloads;
use shared::record::{INLINE_BYTES, Payload, replace_lone_surrogates};

fuzz_target!(|input: &[u8]| {
    let [packing, size, count_error, rest @ ..] = input else {
        return;
    };
    read_foreign(rest, *packing, usize::from(*size) + 1, *count_error);
    if let Ok(json) = serde_json::from_slice::<&RawValue>(rest) {
        read_written(json.get());
    }
});

/// Checks that any bytes are read as valid JSON or not at all.
fn read_foreign(bytes: &[u8], packing: u8, size: usize, count_error: u8) {
    let packed = match packing % 4 {
        2 => zstd::bulk::compress(bytes, 1).expect("zstd"),
        _ => bytes.to_owned(),
    };
    let encoding = ["json", "json+zstd", "json+zstd", "cbor"][usize::from(packing % 4)];
    let parts: Vec<_> = packed.chunks(size).collect();
    let mut payloads = Payloads::default();
    for (number, part) in parts.iter().enumerate().rev() {
        let sk = keys::payload("context", u32::try_from(number).expect("few parts"));
        let mut item = Item::from([
            ("sk".to_owned(), text(sk)),
            ("bytes".to_owned(), AttributeValue::B(Blob::new(*part))),
        ]);
        if number == 0 {
            let count = parts
                .len()
                .wrapping_add_signed(isize::from(count_error as i8));
            item.insert("encoding".to_owned(), text(encoding));
            item.insert("parts".to_owned(), AttributeValue::N(count.to_string()));
        }
        payloads.insert(item);
    }
    let _ = payloads.is_complete("context");
    let _ = payloads.longer_than("context", 10);
    let Ok(Some(value)) = payloads.take("context") else {
        return;
    };
    let shown = serde_json::to_string(&value).expect("JSON");
    assert!(serde_json::from_str::<&RawValue>(&shown).is_ok(), "{shown}");
    // Bytes that are not UTF-8 can only be read if they contain surrogates, which are replaced.
    if count_error == 0
        && encoding == "json"
        && let Ok(written) = std::str::from_utf8(bytes)
    {
        // The value is unchanged, apart from white space around it.
        let written = written.trim_matches([' ', '\t', '\r', '\n']);
        assert_eq!(shown, replace_lone_surrogates(written));
    }
}

/// Checks that a payload of the writer is read as the same value.
fn read_written(json: &str) {
    let execution_id: ExecutionId = "run-1".parse().expect("an id");
    for inline_bytes in [0, INLINE_BYTES] {
        let payload = Payload::from_json(json.to_owned(), inline_bytes).expect("it is short");
        let mut payloads = Payloads::default();
        for item in payload.items(&execution_id, "context") {
            payloads.insert(item);
        }
        assert!(payloads.is_complete("context"));
        let value = payloads.take("context").expect("readable").expect("there");
        let read = serde_json::to_string(&value).expect("JSON");
        let expected = replace_lone_surrogates(json);
        assert!(is_same(&expected, &read), "{json} was read as {read}");
    }
}

/// Whether two JSON texts are the same value. Numbers are compared with all their digits.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    match one.as_bytes().first() {
        Some(b'{') => {
            let [one, other] = [one, other].map(parse_members);
            one.len() == other.len()
                && one
                    .iter()
                    .zip(&other)
                    .all(|((name, one), (other_name, other))| {
                        name == other_name && is_same(one.get(), other.get())
                    })
        }
        Some(b'[') => {
            let [one, other] = [one, other].map(parse_values);
            let mut pairs = one.iter().zip(&other);
            one.len() == other.len() && pairs.all(|(one, other)| is_same(one.get(), other.get()))
        }
        Some(b'"') => {
            let [one, other] = [one, other].map(serde_json::from_str::<String>);
            one.expect("a text") == other.expect("a text")
        }
        Some(b't' | b'f' | b'n') => one == other,
        _ => normalize_number(one) == normalize_number(other),
    }
}

fn parse_members(json: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(json).expect("an object")
}

fn parse_values(json: &str) -> Vec<&RawValue> {
    serde_json::from_str(json).expect("an array")
}

/// Splits a number into its sign, its digits without leading and trailing zeros, and the power of
/// ten of the last digit. DynamoDB has no negative zero.
fn normalize_number(text: &str) -> (bool, String, i128) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    let short = digits.trim_end_matches('0');
    let significant = short.trim_start_matches('0');
    if significant.is_empty() {
        return (false, String::new(), 0);
    }
    let dropped = digits.len() - short.len();
    let shift = i128::try_from(dropped).expect("few digits")
        - i128::try_from(fraction.len()).expect("few digits");
    // A larger exponent is not converted, so the texts are equal.
    let exponent: i128 = exponent.parse().unwrap_or(i128::MAX / 2);
    (
        whole.starts_with('-'),
        significant.to_owned(),
        exponent + shift,
    )
}
