//! Masking a payload by the names of its fields, and by the names of secrets inside its texts.

use std::borrow::Cow;
use std::convert::Infallible;
use std::ops::{ControlFlow, Range};

use aws_sdk_dynamodb::types::AttributeValue;
use format::model::Value;
use masking::{Masker, REDACTED_KEY};
use serde_json::value::RawValue;

/// How many texts that are JSON may be inside one another, so that each is masked by the names of
/// its fields. Each level is one more pass over the text. Deeper texts are masked like any text.
const MAX_TEXTS_WITHIN: usize = 4;

/// Replaces the value of each field whose name marks it as a secret, at any depth, also in texts that
/// are JSON themselves; and the values beside such names inside other texts, such as `password=…`.
/// `null`, `true`, `false` and the empty text stay, so that a person who investigates a failure can
/// see whether there was a value.
pub(super) fn mask(payload: Value, masker: &Masker) -> Value {
    match payload {
        Value::Native(mut value) => {
            mask_native(&mut value, masker);
            Value::Native(value)
        }
        Value::Json(text) => match mask_json(text.get(), masker, Texts::Everything) {
            None => Value::Json(text),
            // The replacement is JSON, so the text is still one JSON value.
            Some(masked) => match RawValue::from_string(masked) {
                Ok(masked) => Value::Json(masked),
                Err(_) => Value::Native(AttributeValue::S(REDACTED_KEY.to_owned())),
            },
        },
    }
}

/// Returns whether [`mask`] would change the payload.
pub(super) fn holds_secret(payload: &Value, masker: &Masker) -> bool {
    match payload {
        Value::Native(value) => native_holds_secret(value, masker),
        Value::Json(text) => {
            let found = |_: Range<usize>, _: &str| ControlFlow::Break(());
            visit_secrets(text.get(), masker, Texts::Everything, found).is_break()
        }
    }
}

fn native_holds_secret(value: &AttributeValue, masker: &Masker) -> bool {
    match value {
        AttributeValue::M(entries) => entries.iter().any(|(name, value)| {
            (masker.secret_key(name) && native_hides_something(value))
                || native_holds_secret(value, masker)
        }),
        AttributeValue::L(values) => {
            let mut values = values.iter();
            values.any(|value| native_holds_secret(value, masker))
        }
        AttributeValue::S(text) => matches!(mask_text(text, masker), Cow::Owned(_)),
        _ => false,
    }
}

/// Recursion is safe: DynamoDB nests at most 32 levels.
fn mask_native(value: &mut AttributeValue, masker: &Masker) {
    match value {
        AttributeValue::M(entries) => {
            for (name, value) in entries {
                if masker.secret_key(name) && native_hides_something(value) {
                    *value = AttributeValue::S(REDACTED_KEY.to_owned());
                } else {
                    mask_native(value, masker);
                }
            }
        }
        AttributeValue::L(values) => {
            for value in values {
                mask_native(value, masker);
            }
        }
        AttributeValue::S(text) => {
            if let Cow::Owned(masked) = mask_text(text, masker) {
                *text = masked;
            }
        }
        _ => {}
    }
}

/// What is masked in the texts of a JSON value.
#[derive(Clone, Copy)]
enum Texts {
    /// All secrets.
    Everything,
    /// In texts that are JSON: the values of secret names. The number is how many such texts may be
    /// inside one another.
    ByNames(usize),
}

/// Masks any text: first as JSON, if it is a JSON object or array, and then the values beside the
/// names of secrets in any notation.
fn mask_text<'t>(text: &'t str, masker: &Masker) -> Cow<'t, str> {
    match mask_by_names(text, masker, MAX_TEXTS_WITHIN) {
        None => masker.mask_secrets(text),
        Some(masked) => Cow::Owned(masker.mask_secrets(&masked).into_owned()),
    }
}

/// Masks a text that is a JSON object or array by the names of its fields. Returns `None` for any
/// other text, and if there is nothing to mask.
fn mask_by_names(text: &str, masker: &Masker, texts_within: usize) -> Option<String> {
    let inner = texts_within.checked_sub(1)?;
    let is_container = text.trim_start().starts_with(['{', '[']);
    if !is_container || serde_json::from_str::<&RawValue>(text).is_err() {
        return None;
    }
    mask_json(text, masker, Texts::ByNames(inner))
}

/// Masks a text that is known to be one JSON value. Returns `None` if there is nothing to mask.
fn mask_json(text: &str, masker: &Masker, texts: Texts) -> Option<String> {
    let mut masked = String::new();
    let mut copied = 0;
    let found = |value: Range<usize>, replacement: &str| -> ControlFlow<Infallible> {
        masked.push_str(&text[copied..value.start]);
        masked.push_str(replacement);
        copied = value.end;
        ControlFlow::Continue(())
    };
    let ControlFlow::Continue(()) = visit_secrets(text, masker, texts, found);
    if copied == 0 {
        return None;
    }
    masked.push_str(&text[copied..]);
    Some(masked)
}

/// Visits the positions of the values to mask, in order, and the JSON that replaces them, in a text
/// that is known to be one JSON value, until `found` breaks.
///
/// It is a single pass without a tree of values and without recursion: a payload may have 64 MiB,
/// and its numbers up to 38 digits, which no number type here can hold.
fn visit_secrets<B>(
    text: &str,
    masker: &Masker,
    texts: Texts,
    mut found: impl FnMut(Range<usize>, &str) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let bytes = text.as_bytes();
    let mut is_object = Vec::new();
    let mut is_name = false;
    let mut position = 0;
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'{' | b'[' => {
                is_name = *byte == b'{';
                is_object.push(is_name);
            }
            b'}' | b']' => {
                is_object.pop();
            }
            b',' => is_name = is_object.last() == Some(&true),
            b'"' => {
                let end = end_of_text(bytes, position);
                if is_name {
                    position = visit_member(text, position..end, masker, &mut found)?;
                } else {
                    if let Some(masked) = mask_quoted(&text[position..end], masker, texts) {
                        found(position..end, &masked)?;
                    }
                    position = end;
                }
                is_name = false;
                continue;
            }
            _ => {}
        }
        position += 1;
    }
    ControlFlow::Continue(())
}

/// Visits the member of an object that has this name. Returns where the walk continues: after the
/// value of a secret name, and at the value of any other name.
fn visit_member<B>(
    text: &str,
    name: Range<usize>,
    masker: &Masker,
    found: &mut impl FnMut(Range<usize>, &str) -> ControlFlow<B>,
) -> ControlFlow<B, usize> {
    let start = start_of_value(text.as_bytes(), name.end);
    if !masker.secret_key(&unescape(&text[name])) {
        return ControlFlow::Continue(start);
    }
    let end = end_of_value(text.as_bytes(), start);
    if hides_something(&text[start..end]) {
        found(start..end, &format!("\"{REDACTED_KEY}\""))?;
    }
    ControlFlow::Continue(end)
}

/// Masks a text of JSON, which has quotes and escapes. Returns `None` if there is nothing to mask.
fn mask_quoted(quoted: &str, masker: &Masker, texts: Texts) -> Option<String> {
    let text = unescape(quoted);
    let masked = match texts {
        Texts::Everything => match mask_text(&text, masker) {
            Cow::Borrowed(_) => None,
            Cow::Owned(masked) => Some(masked),
        },
        Texts::ByNames(texts_within) => mask_by_names(&text, masker, texts_within),
    };
    serde_json::to_string(&masked?).ok()
}

/// Returns whether a value under a secret name has anything to hide.
fn native_hides_something(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::Null(_) | AttributeValue::Bool(_) => false,
        AttributeValue::S(text) => !text.is_empty(),
        _ => true,
    }
}

/// Returns the same as [`native_hides_something`], for a value's JSON.
fn hides_something(value: &str) -> bool {
    !matches!(value, "null" | "true" | "false" | "\"\"")
}

/// The text without quotes and escapes.
fn unescape(name: &str) -> Cow<'_, str> {
    if name.contains('\\') {
        // It is known to be JSON. A text that cannot be read anyway is used as it is.
        if let Ok(name) = serde_json::from_str::<String>(name) {
            return Cow::Owned(name);
        }
    }
    Cow::Borrowed(name.trim_matches('"'))
}

/// The position after the closing quote of the text that starts here.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut position = start + 1;
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'\\' => position += 2,
            b'"' => return position + 1,
            _ => position += 1,
        }
    }
    bytes.len()
}

/// The position of the value that follows a name: after the colon and the white space around it.
fn start_of_value(bytes: &[u8], end_of_name: usize) -> usize {
    let is_between = |byte: &u8| matches!(byte, b':' | b' ' | b'\t' | b'\n' | b'\r');
    let between = bytes[end_of_name..]
        .iter()
        .take_while(|byte| is_between(byte));
    end_of_name + between.count()
}

/// The position after the value that starts here.
fn end_of_value(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut position = start;
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'"' => {
                position = end_of_text(bytes, position);
                if depth == 0 {
                    return position;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return position,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return position + 1;
                }
            }
            b',' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return position,
            _ => {}
        }
        position += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn masked(payload: Value) -> serde_json::Value {
        let masked = mask(payload, &Masker::builtin());
        serde_json::to_value(masked).expect("JSON")
    }

    fn json_payload(text: &str) -> Value {
        Value::Json(RawValue::from_string(text.to_owned()).expect("JSON"))
    }

    fn native_payload(value: serde_json::Value) -> Value {
        Value::Native(serde_dynamo::to_attribute_value(value).expect("a value"))
    }

    #[test]
    fn secret_values_are_masked_at_any_depth_in_both_forms() {
        let payload = json!({
            "user": "anna",
            "password": "hunter2",
            "headers": [{"Authorization": "Bearer x", "Accept": "*/*"}],
            "db": {"clientSecret": {"a": [1, "]}"], "b": "\\\""}, "port": 5432},
            "pin": 1234,
            "apiKey": ["a", "b"],
            "accessToken": null,
            "token": "",
            "secret": false,
            "tokenCount": 12,
            "text": "\"password\": \"in a text\"",
            "last": -1.5e3,
        });
        let expected = json!({
            "user": "anna",
            "password": REDACTED_KEY,
            "headers": [{"Authorization": REDACTED_KEY, "Accept": "*/*"}],
            "db": {"clientSecret": REDACTED_KEY, "port": 5432},
            "pin": REDACTED_KEY,
            "apiKey": REDACTED_KEY,
            "accessToken": null,
            "token": "",
            "secret": false,
            "tokenCount": 12,
            "text": "\"password\": \"[REDACTED:secret]\"",
            "last": -1500.0,
        });
        assert_eq!(masked(json_payload(&payload.to_string())), expected);
        let pretty = serde_json::to_string_pretty(&payload).expect("JSON");
        assert_eq!(masked(json_payload(&pretty)), expected);
        let mut native = expected.clone();
        native["last"] = json!(-1500);
        assert_eq!(masked(native_payload(payload.clone())), native);
        let holds = |payload| holds_secret(&payload, &Masker::builtin());
        for (value, is_secret) in [
            (&payload, true),
            (&expected, true),
            (&json!({"a": [1]}), false),
        ] {
            assert_eq!(holds(json_payload(&value.to_string())), is_secret);
            assert_eq!(holds(native_payload(value.clone())), is_secret);
        }
    }

    #[test]
    fn an_escaped_name_is_compared_unescaped() {
        let text = r#"{"\u0070assword" : "hunter2", "a\"b": 1}"#;
        let mask = mask_json(text, &Masker::builtin(), Texts::Everything);
        let expected = r#"{"\u0070assword" : "[REDACTED:secret]", "a\"b": 1}"#;
        assert_eq!(mask.as_deref(), Some(expected));
    }

    #[test]
    fn a_payload_without_secrets_stays_unchanged() {
        for text in [
            r#"{"a": 123456789012345678901234567890.12345678, "b": [{}, [], ""]}"#,
            r#""password""#,
            "[1, 2]",
            "null",
            r#"["password", "hunter2"]"#,
        ] {
            assert_eq!(
                mask_json(text, &Masker::builtin(), Texts::Everything),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn a_value_with_a_million_levels_is_masked() {
        let depth = 1_000_000;
        let text = format!(
            "{}{{\"token\": [1, {{\"token\": 2}}]}}{}",
            "{\"a\":[".repeat(depth),
            "]}".repeat(depth)
        );
        let mask = mask_json(&text, &Masker::builtin(), Texts::Everything).expect("masked");
        assert!(mask.contains(r#"{"token": "[REDACTED:secret]"}"#));
    }

    #[test]
    fn secrets_inside_texts_are_masked() {
        let payload = json!({
            "message": "login failed: user=anna password=hunter2",
            "body": "{\"user\": \"anna\", \"password\": \"hunter2\", \"note\": \"ünïcode\"}",
            "list": ["Authorization: Bearer abcdef0123456789abcdef", "anna@example.com"],
        });
        let expected = json!({
            "message": "login failed: user=anna password=[REDACTED:secret]",
            "body": "{\"user\": \"anna\", \"password\": \"[REDACTED:secret]\", \"note\": \"ünïcode\"}",
            "list": ["Authorization: Bearer [REDACTED:bearer-token]", "anna@example.com"],
        });
        assert_eq!(masked(json_payload(&payload.to_string())), expected);
        assert_eq!(masked(native_payload(payload.clone())), expected);
        assert!(holds_secret(
            &json_payload(&payload.to_string()),
            &Masker::builtin()
        ));
        // As in a payload, the value of a secret name counts as a secret also if it is masked.
        let texts = json!([expected["message"], expected["list"]]);
        assert!(!holds_secret(
            &json_payload(&texts.to_string()),
            &Masker::builtin()
        ));
    }

    #[test]
    fn a_text_that_is_json_is_masked_by_the_names_of_its_fields() {
        let inner = json!({"token": [1], "note": "\"quoted\""}).to_string();
        let deep = (0..9).fold(
            json!({"apiKey": {"id": "deep"}}),
            |value, _| json!({"body": value.to_string()}),
        );
        let payload = json!({
            "object": " {\"apiKey\": {\"id\": \"x\"}, \"pin\": 1.50, \"token\": null} \n",
            "list": "[{\"Authorization\": \"Basic x\"}]",
            "inner": json!({"body": inner}).to_string(),
            "cut": "{\"apiKey\": {\"id\": \"x\"}",
            "lines": "{\"a\": 1}\n{\"a\": 2}",
            "plain": "[a] apiKey",
            "deep": deep,
        });
        let expected_inner = json!({"token": REDACTED_KEY, "note": "\"quoted\""}).to_string();
        let mut expected = payload.clone();
        expected["object"] = json!(
            " {\"apiKey\": \"[REDACTED:secret]\", \"pin\": \"[REDACTED:secret]\", \"token\": null} \n"
        );
        expected["list"] = json!("[{\"Authorization\": \"[REDACTED:secret]\"}]");
        expected["inner"] = json!(json!({"body": expected_inner}).to_string());
        assert_eq!(masked(json_payload(&payload.to_string())), expected);
        assert_eq!(masked(native_payload(payload.clone())), expected);
        let only = json!({"a": payload["object"]});
        for payload in [
            json_payload(&only.to_string()),
            native_payload(only.clone()),
        ] {
            assert!(holds_secret(&payload, &Masker::builtin()));
        }
    }

    #[test]
    fn a_text_with_a_million_levels_is_masked() {
        let depth = 1_000_000;
        let (open, close) = ("{\"a\":[".repeat(depth), "]}".repeat(depth));
        let text = format!("{open}{{\"token\": [1]}}{close}");
        let masked = mask_text(&text, &Masker::builtin());
        assert!(masked.contains(r#"{"token": "[REDACTED:secret]"}"#));
    }

    /// Masks a tree of values, as a model of the masking of a text.
    fn model(value: &mut serde_json::Value, masker: &Masker, mask: fn(&mut String, &Masker)) {
        match value {
            serde_json::Value::Object(members) => {
                for (name, value) in members {
                    if masker.secret_key(name) && hides_something(&value.to_string()) {
                        *value = json!(REDACTED_KEY);
                    } else {
                        model(value, masker, mask);
                    }
                }
            }
            serde_json::Value::Array(values) => {
                for value in values {
                    model(value, masker, mask);
                }
            }
            serde_json::Value::String(text) => mask(text, masker),
            _ => {}
        }
    }

    fn model_of_text(text: &mut String, masker: &Masker) {
        model_of_names(text, masker);
        *text = masker.mask_secrets(text).into_owned();
    }

    /// Masks a text that is an object or array in the form of `serde_json`.
    fn model_of_names(text: &mut String, masker: &Masker) {
        let parsed = serde_json::from_str::<serde_json::Value>(text).ok();
        let Some(value) = parsed.filter(|value| value.is_object() || value.is_array()) else {
            return;
        };
        let mut masked = value.clone();
        model(&mut masked, masker, model_of_names);
        if masked != value {
            *text = masked.to_string();
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|truth| json!(truth)),
            any::<i64>().prop_map(|number| json!(number)),
            "(\\PC{0,8}|password=[a-z0-9\"]{6,9})".prop_map(|text| json!(text)),
            (".{0,3}", any::<u8>(), any::<bool>()).prop_map(|(name, number, is_twice)| {
                let text = json!({name: [number], "secret": {"a": number}}).to_string();
                match is_twice {
                    true => json!(json!([text]).to_string()),
                    false => json!(text),
                }
            }),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let name = prop_oneof![Just("secret".to_owned()), ".{0,4}"];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(|values| json!(values)),
                proptest::collection::btree_map(name, inner, 0..5)
                    .prop_map(|members| json!(members)),
            ]
        })
    }

    proptest! {
        #[test]
        fn masked_text_equals_the_masked_tree(value in any_json(), pretty in any::<bool>()) {
            let text = match pretty {
                true => serde_json::to_string_pretty(&value),
                false => serde_json::to_string(&value),
            };
            let text = text.expect("JSON");
            let masker = Masker::builtin();
            let masked = mask_json(&text, &masker, Texts::Everything);
            let found = visit_secrets(&text, &masker, Texts::Everything, |_, _| ControlFlow::Break(()));
            prop_assert_eq!(found.is_break(), masked.is_some());
            let masked = masked.unwrap_or(text);
            let mut expected = value;
            model(&mut expected, &masker, model_of_text);
            let masked: serde_json::Value = serde_json::from_str(&masked).expect("still JSON");
            prop_assert_eq!(masked, expected);
        }
    }
}
