//! Payloads: what was written is read again, and what is none is said to be none.
//!
//! The input's first bytes say how it is packed, into parts of which size, and of how many
//! its first part tells. The rest is the payload.
#![no_main]

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use shared::keys;
use shared::model::{ExecutionId, Item};
use shared::payload::Payloads;
use shared::record::{INLINE_BYTES, Payload};
use shared::table::text;

fuzz_target!(|input: &[u8]| {
    let [packing, size, lie, rest @ ..] = input else {
        return;
    };
    foreign(rest, *packing, usize::from(*size) + 1, *lie);
    if let Ok(json) = serde_json::from_slice::<&RawValue>(rest) {
        written(json.get());
    }
});

/// Of any bytes, JSON comes or nothing.
fn foreign(bytes: &[u8], packing: u8, size: usize, lie: u8) {
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
            let count = parts.len().wrapping_add_signed(isize::from(lie as i8));
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
    if lie == 0 && encoding == "json" {
        // As it was written, white space around it apart.
        let written = std::str::from_utf8(bytes).expect("UTF-8");
        assert_eq!(shown, written.trim_matches([' ', '\t', '\r', '\n']));
    }
}

/// What the writer has packed is read as the value that it was.
fn written(json: &str) {
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
        assert!(is_same(json, &read), "{json} was read as {read}");
    }
}

/// Whether two texts of JSON are one value, to whom a number has any number of digits.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    // Half a surrogate is JSON, and no text.
    if one == other {
        return true;
    }
    match one.as_bytes().first() {
        Some(b'{') => {
            let [one, other] = [one, other].map(members);
            one.len() == other.len()
                && one
                    .iter()
                    .zip(&other)
                    .all(|((name, one), (other_name, other))| {
                        name == other_name && is_same(one.get(), other.get())
                    })
        }
        Some(b'[') => {
            let [one, other] = [one, other].map(values);
            let mut pairs = one.iter().zip(&other);
            one.len() == other.len() && pairs.all(|(one, other)| is_same(one.get(), other.get()))
        }
        Some(b'"') => {
            let [one, other] = [one, other].map(serde_json::from_str::<String>);
            one.expect("a text") == other.expect("a text")
        }
        Some(b't' | b'f' | b'n') => one == other,
        _ => number(one) == number(other),
    }
}

fn members(json: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(json).expect("an object")
}

fn values(json: &str) -> Vec<&RawValue> {
    serde_json::from_str(json).expect("an array")
}

/// A number's sign, its digits without zeros around them, and the power of ten of the
/// last one. DynamoDB knows one zero.
fn number(text: &str) -> (bool, String, i128) {
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
    // An exponent beyond this is a text that nobody changes.
    let exponent: i128 = exponent.parse().unwrap_or(i128::MAX / 2);
    (
        whole.starts_with('-'),
        significant.to_owned(),
        exponent + shift,
    )
}
