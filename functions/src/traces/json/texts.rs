//! Converts a body to valid JSON text, as far as the intention of its sender is clear.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Deserializer;
use shared::record::replace_lone_surrogates;

use crate::traces::foreign::BOM;

/// Numbers that JSON does not have, but that the encoders of Python and Perl write.
const NUMBERS: [&str; 8] = [
    "-Infinity",
    "Infinity",
    "-NaN",
    "NaN",
    "-inf",
    "inf",
    "-nan",
    "nan",
];

/// Converts a body to JSON text. The result is not valid JSON if the body is no JSON at all.
///
/// - Bytes that are not UTF-8, and halves of surrogate pairs, become U+FFFD. Programs that cut texts
///   at a number of bytes or of UTF-16 units send them.
/// - Control characters in texts are escaped, and `NaN` and infinite numbers become texts, as in
///   protobuf's JSON.
/// - A byte order mark is removed.
pub(super) fn to_json(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(BOM).unwrap_or(body);
    let text = match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) => replace_lone_surrogates(text),
        Cow::Owned(text) => replace_lone_surrogates(&text).into_owned().into(),
    };
    match is_json(&text) {
        true => text,
        false => repair(&text).into(),
    }
}

/// Whether a text consists of JSON documents.
fn is_json(text: &str) -> bool {
    let mut documents = Deserializer::from_str(text).into_iter::<IgnoredAny>();
    documents.all(|document| document.is_ok())
}

/// Escapes control characters in texts, and converts the numbers that JSON does not have to texts.
fn repair(json: &str) -> String {
    let mut repaired = String::with_capacity(json.len());
    let mut is_in_text = false;
    let mut rest = json;
    while let Some(character) = rest.chars().next() {
        let mut numbers = NUMBERS.iter().filter(|_| !is_in_text);
        let length = match (character, numbers.find(|number| rest.starts_with(**number))) {
            // The escaped character is copied too, because it may be a quotation mark.
            ('\\', _) if is_in_text => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            (_, Some(number)) => {
                repaired.extend(["\"", number, "\""]);
                rest = &rest[number.len()..];
                continue;
            }
            (control, _) if is_in_text && control.is_ascii_control() => {
                repaired.push_str(&format!("\\u{:04x}", u32::from(control)));
                rest = &rest[1..];
                continue;
            }
            _ => character.len_utf8(),
        };
        is_in_text ^= character == '"';
        repaired.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    repaired
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_json_stays_as_it_is() {
        let json = r#" {"NaN": "Infinity \" \\", "a": ["é", "\ud83d\ude00"]} {} "#;
        assert!(matches!(to_json(json.as_bytes()), Cow::Borrowed(text) if text == json));
    }

    #[test]
    fn bytes_and_escapes_that_are_no_characters_are_replaced() {
        assert_eq!(
            to_json(b"\xef\xbb\xbf{\"a\": \"\xffb\"}"),
            "{\"a\": \"\u{FFFD}b\"}"
        );
        assert_eq!(
            to_json(br#"["\ud83d", "\ude00x"]"#),
            r#"["\ufffd", "\ufffdx"]"#
        );
        assert_eq!(to_json(b"[\"\xff\\ud83d\"]"), "[\"\u{FFFD}\\ufffd\"]");
    }

    #[test]
    fn control_characters_and_infinite_numbers_are_repaired() {
        let body = b"{\"a\x00b\": \"1\n2\\\"\t\",\n\"c\": [NaN, -Infinity, Infinity, \"NaN\", -inf, null]}";
        let json = r#"{"a\u0000b": "1\u000a2\"\u0009","#.to_owned()
            + "\n\"c\": [\"NaN\", \"-Infinity\", \"Infinity\", \"NaN\", \"-inf\", null]}";
        assert_eq!(to_json(body), json);
    }

    #[test]
    fn no_json_stays_no_json() {
        for body in ["", "{", "[\"a", "\\", "{\"a\": \"\\", "Infinit", "<p>"] {
            assert_eq!(to_json(body.as_bytes()), body);
        }
    }
}
