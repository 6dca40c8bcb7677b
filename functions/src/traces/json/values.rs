//! Attributes and their values in JSON.
//!
//! No value makes an attribute unreadable: what is not in a known form is kept as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};
use shared::otlp::Attributes;

use super::ids::{collect_bytes, parse_base64};
use super::members::{Members, is_named};
use super::numbers::to_integer;
use crate::traces::spans;

/// Converts the content of one type of value.
type Convert = fn(Value) -> Value;

/// The types of values: the member that contains the value, and how it is converted.
const TYPES: [(&str, Convert); 7] = [
    ("stringValue", to_text),
    ("boolValue", to_bool),
    ("intValue", |value| {
        to_integer(&value).map_or(value, Value::Number)
    }),
    ("doubleValue", to_double),
    ("arrayValue", to_array),
    ("kvlistValue", |value| {
        to_attributes(take_values(value)).into()
    }),
    ("bytesValue", to_base64),
];

/// Converts attributes: a list of keys and values, or an object.
///
/// An element of the list that is not an attribute is kept under its position.
pub(super) fn to_attributes(attributes: Value) -> Attributes {
    let list = match attributes {
        Value::Null => return Attributes::new(),
        // A list with one attribute may be this attribute.
        Value::Object(members) if is_one_attribute(&members) => vec![members.into()],
        Value::Object(members) => {
            let members = members.into_iter();
            return members
                .map(|(name, value)| (name, to_value(value)))
                .collect();
        }
        Value::Array(list) => list,
        value => vec![value],
    };
    let mut attributes = Attributes::new();
    for (position, attribute) in list.into_iter().enumerate() {
        match to_attribute(attribute) {
            Ok((key, value)) => attributes.insert(key, value),
            Err(other) => attributes.insert(position.to_string(), to_value(other)),
        };
    }
    attributes
}

fn is_one_attribute(members: &Map<String, Value>) -> bool {
    let has = |name, is_valid: fn(&Value) -> bool| {
        let mut members = members.iter();
        members.any(|(member, value)| is_named(member, name) && is_valid(value))
    };
    members.len() == 2 && has("key", Value::is_string) && has("value", |_| true)
}

/// Converts an attribute: an object with a key and a value, or a pair of both, as the entries of a
/// JavaScript `Map` are written.
fn to_attribute(attribute: Value) -> Result<(String, Value), Value> {
    match attribute {
        Value::Object(members) => {
            let is_attribute =
                |member: &String| is_named(member, "key") || is_named(member, "value");
            // Encoders leave out an empty key.
            if !members.is_empty() && !members.keys().any(is_attribute) {
                return Err(members.into());
            }
            let mut members = Members::from(members);
            Ok((members.take_text("key"), to_value(members.take("value"))))
        }
        Value::Array(mut pair) if pair.len() == 2 && pair[0].is_string() => {
            let value = to_value(pair[1].take());
            match pair[0].take() {
                Value::String(key) => Ok((key, value)),
                other => Err(other),
            }
        }
        other => Err(other),
    }
}

/// Converts the value of an attribute: an `AnyValue`, or a plain value in place of it.
pub(super) fn to_value(any: Value) -> Value {
    match any {
        Value::Object(members) => to_typed(members),
        Value::Array(values) => values.into_iter().map(to_value).collect(),
        plain => plain,
    }
}

/// Converts an `AnyValue`. Encoders that write unused types too write them as null, or with their
/// defaults.
fn to_typed(mut members: Map<String, Value>) -> Value {
    if members.len() == 1
        && let Some(inner) = unwrap(&mut members)
    {
        return to_typed(inner);
    }
    if !is_typed(&members) {
        let members = members.into_iter();
        let members = members.map(|(name, value)| (name, to_value(value)));
        return Value::Object(members.collect());
    }
    let mut empty = None;
    for (name, convert) in TYPES {
        let found = members
            .iter_mut()
            .find(|(member, _)| is_named(member, name));
        let Some(value) = found.map(|(_, value)| value.take()) else {
            continue;
        };
        if !is_default(&value) {
            return convert(value);
        }
        if !value.is_null() {
            empty.get_or_insert_with(|| convert(value));
        }
    }
    empty.unwrap_or_default()
}

/// Whether an object is an `AnyValue`: it is empty, or has one of the types. OTLP may add members.
fn is_typed(members: &Map<String, Value>) -> bool {
    let is_type = |member: &String| TYPES.iter().any(|(name, _)| is_named(member, name));
    members.is_empty() || members.keys().any(is_type)
}

/// Returns the content of the object around a value that Go's general encoder writes:
/// `{"Value": {"StringValue": "a"}}`.
fn unwrap(members: &mut Map<String, Value>) -> Option<Map<String, Value>> {
    let is_type = |member: &String| TYPES.iter().any(|(name, _)| is_named(member, name));
    let mut only = members
        .iter_mut()
        .filter(|(name, _)| is_named(name, "value"));
    match only.next() {
        Some((_, Value::Object(inner))) if inner.keys().any(is_type) => Some(std::mem::take(inner)),
        _ => None,
    }
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "0",
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

/// Converts a value to a text, except for null.
pub(super) fn to_text(value: Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value,
        other => other.to_string().into(),
    }
}

fn to_bool(value: Value) -> Value {
    match &value {
        Value::String(text) if text.eq_ignore_ascii_case("true") => true.into(),
        Value::String(text) if text.eq_ignore_ascii_case("false") => false.into(),
        Value::Number(number) if number.as_f64() == Some(0.0) => false.into(),
        Value::Number(number) if number.as_f64() == Some(1.0) => true.into(),
        _ => value,
    }
}

/// Converts a number, which may be a text, also `NaN` or an infinite one.
fn to_double(value: Value) -> Value {
    let number = match &value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    number.map_or(value, spans::double)
}

fn to_array(value: Value) -> Value {
    match take_values(value) {
        Value::Null => Value::Array(Vec::new()),
        Value::Array(values) => values.into_iter().map(to_value).collect(),
        value => Value::Array(vec![to_value(value)]),
    }
}

/// Returns the values of an `ArrayValue` or a `KeyValueList`, which may be written without the
/// object around them.
fn take_values(list: Value) -> Value {
    match list {
        Value::Object(mut members) => {
            let name = members
                .keys()
                .find(|member| is_named(member, "values"))
                .cloned();
            match name {
                Some(name) => members.remove(&name).unwrap_or_default(),
                None if members.is_empty() => Value::Null,
                None => members.into(),
            }
        }
        values => values,
    }
}

/// Converts bytes to base64 in its standard form.
fn to_base64(value: Value) -> Value {
    let bytes = match &value {
        Value::String(text) => parse_base64(text.trim()),
        value => collect_bytes(value),
    };
    bytes.map_or(value, |bytes| BASE64.encode(bytes).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn typed_values_are_read_in_every_known_form() {
        for (any, value) in [
            (json!({"stringValue": "a"}), json!("a")),
            (json!({"string_value": 42}), json!("42")),
            (json!({"Value": {"StringValue": "a"}}), json!("a")),
            (json!({"value": {"intValue": "7"}}), json!(7)),
            (json!({"stringValue": ""}), json!("")),
            (json!({"stringValue": "0"}), json!("0")),
            (json!({"boolValue": "True"}), json!(true)),
            (json!({"boolValue": false}), json!(false)),
            (json!({"intValue": {"low": -5, "high": -1}}), json!(-5)),
            (json!({"intValue": "18446744073709551615"}), json!(u64::MAX)),
            (
                json!({"intValue": "99999999999999999999"}),
                json!("99999999999999999999"),
            ),
            (json!({"intValue": 5.0}), json!(5)),
            (json!({"intValue": "many"}), json!("many")),
            (json!({"intValue": 0}), json!(0)),
            (json!({"doubleValue": "0.5"}), json!(0.5)),
            (json!({"doubleValue": 5}), json!(5.0)),
            (json!({"doubleValue": "-Infinity"}), json!("-Infinity")),
            (json!({"doubleValue": "nan"}), json!("NaN")),
            (json!({"doubleValue": "many"}), json!("many")),
            (json!({"doubleValue": null}), json!(null)),
            (json!({"bytesValue": "_-8"}), json!("/+8=")),
            (json!({"bytesValue": {"0": 0, "1": 255}}), json!("AP8=")),
            (json!({"bytesValue": "no base64!"}), json!("no base64!")),
            (json!({"arrayValue": {}}), json!([])),
            (json!({"arrayValue": null}), json!(null)),
            (
                json!({"arrayValue": {"values": [{"intValue": 1}, {}, 2]}}),
                json!([1, null, 2]),
            ),
            (json!({"arrayValue": ["a"]}), json!(["a"])),
            (
                json!({"arrayValue": {"values": {"stringValue": "a"}}}),
                json!(["a"]),
            ),
            (json!({"kvlistValue": {}}), json!({})),
            (
                json!({"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": true}}]}}),
                json!({"a": true}),
            ),
            (
                json!({"kvlistValue": {"a": {"stringValue": "b"}}}),
                json!({"a": "b"}),
            ),
            (
                json!({"stringValue": "a", "value": "stringValue"}),
                json!("a"),
            ),
            (
                json!({"stringValue": "", "boolValue": false, "intValue": "3", "doubleValue": 0}),
                json!(3),
            ),
            (json!({}), json!(null)),
        ] {
            assert_eq!(to_value(any.clone()), value, "{any}");
        }
    }

    #[test]
    fn plain_values_stay_as_they_are() {
        for plain in [
            json!("a"),
            json!(1.5),
            json!([1, "a"]),
            json!({"a": {"b": 1}}),
            json!(null),
        ] {
            assert_eq!(to_value(plain.clone()), plain);
        }
        let nested = json!({"value": {"a": 1}, "other": {"stringValue": "x"}});
        assert_eq!(to_value(nested), json!({"value": {"a": 1}, "other": "x"}));
        let plain = json!({"value": {"a": 1}});
        assert_eq!(to_value(plain.clone()), plain);
        let two = json!({"value": {"intValue": 1}, "x": 2});
        assert_eq!(to_value(two), json!({"value": 1, "x": 2}));
    }

    #[test]
    fn attributes_are_a_list_or_an_object() {
        for (attributes, expected) in [
            (
                json!([{"key": "a", "value": {"intValue": 1}}, {"key": "b"}]),
                json!({"a": 1, "b": null}),
            ),
            (
                json!([{"Key": "a", "Value": {"Value": {"IntValue": 1}}}]),
                json!({"a": 1}),
            ),
            (
                json!({"key": "a", "value": {"stringValue": "x"}}),
                json!({"a": "x"}),
            ),
            (
                json!({"a": 1, "b": {"stringValue": "x"}}),
                json!({"a": 1, "b": "x"}),
            ),
            (
                json!([["a", 1], ["b", {"boolValue": true}]]),
                json!({"a": 1, "b": true}),
            ),
            (
                json!([{"value": {"intValue": 1}}, 5, {"a": {"intValue": 2}}]),
                json!({"": 1, "1": 5, "2": {"a": 2}}),
            ),
            (
                json!([{"key": 5, "value": "x"}, {"key": null}]),
                json!({"5": "x", "": null}),
            ),
            (
                json!([{"key": "a", "value": 1}, {"key": "a", "value": 2}]),
                json!({"a": 2}),
            ),
            (json!("odd"), json!({"0": "odd"})),
            (json!(null), json!({})),
        ] {
            assert_eq!(
                Value::Object(to_attributes(attributes.clone())),
                expected,
                "{attributes}"
            );
        }
    }
}
