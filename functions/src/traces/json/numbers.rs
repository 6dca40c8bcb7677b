//! Numbers, times and enumerations in JSON.
//!
//! Protobuf's JSON writes 64-bit integers as texts. Exporters also write numbers, and
//! opentelemetry-js has written `{"low": …, "high": …}` (open-telemetry/opentelemetry-js#4216).

use serde_json::{Map, Number, Value};
use shared::model::Timestamp;

const NS_A_SECOND: u64 = 1_000_000_000;

/// Returns a time in Unix nanoseconds, or 0 if it is missing. Returns `None` if the value is not a
/// time.
///
/// Besides an integer, a time may be a text in RFC 3339, a pair of seconds and nanoseconds, as in
/// opentelemetry-js, or an object of both, as in protobuf's `Timestamp`.
pub(super) fn to_nanoseconds(time: &Value) -> Option<u64> {
    match time {
        Value::Null => Some(0),
        Value::String(text) if text.trim().is_empty() => Some(0),
        Value::Array(pair) => match pair.as_slice() {
            [seconds, nanoseconds] => join(seconds, nanoseconds),
            _ => None,
        },
        Value::Object(members) if members.contains_key("seconds") => join(
            &members["seconds"],
            members.get("nanos").unwrap_or(&Value::Null),
        ),
        time => to_integer(time)
            .and_then(|number| number.as_u64())
            .or_else(|| parse_time(time.as_str()?)),
    }
}

fn join(seconds: &Value, nanoseconds: &Value) -> Option<u64> {
    let seconds = to_integer(seconds)?.as_u64()?;
    let nanoseconds = match nanoseconds {
        Value::Null => 0,
        nanoseconds => to_integer(nanoseconds)?.as_u64()?,
    };
    seconds.checked_mul(NS_A_SECOND)?.checked_add(nanoseconds)
}

/// Parses RFC 3339, with a precision of milliseconds.
fn parse_time(text: &str) -> Option<u64> {
    let time: Timestamp = text.trim().parse().ok()?;
    u64::try_from(time.milliseconds())
        .ok()?
        .checked_mul(1_000_000)
}

/// Returns an integer of 64 bits, with or without a sign. Returns `None` if the value is not one.
pub(super) fn to_integer(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) if number.is_f64() => round(number.as_f64()?),
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => parse_integer(text.trim()),
        Value::Object(members) => join_halves(members),
        _ => None,
    }
}

fn parse_integer(text: &str) -> Option<Number> {
    let number = text.parse::<i64>().map(Number::from);
    let number = number.or_else(|_| text.parse::<u64>().map(Number::from));
    number.ok().or_else(|| round(text.parse().ok()?))
}

/// Converts a whole number to an integer.
fn round(number: f64) -> Option<Number> {
    // Powers of two are exact, and 2^63 and 2^64 are the first numbers beyond the two types.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if number.fract() != 0.0 {
        return None;
    }
    match number {
        _ if (-LIMIT..LIMIT).contains(&number) => Some((number as i64).into()),
        _ if (LIMIT..2.0 * LIMIT).contains(&number) => Some((number as u64).into()),
        _ => None,
    }
}

/// Joins the two halves of an integer. Each is a 32-bit integer with or without a sign.
fn join_halves(members: &Map<String, Value>) -> Option<Number> {
    let half = |name: &str| members.get(name)?.as_i64();
    let low = half("low")? & 0xFFFF_FFFF;
    let high = half("high")?;
    // The type `Long` of JavaScript states whether it has a sign. Otherwise the sign of the upper
    // half decides.
    let is_unsigned = members.get("unsigned") == Some(&Value::Bool(true));
    let joined = high << 32 | low;
    match is_unsigned || high > i64::from(i32::MAX) {
        true => Some(u64::from_le_bytes(joined.to_le_bytes()).into()),
        false => Some(joined.into()),
    }
}

/// Returns a count, or 0 if it is missing or not a count.
pub(super) fn to_count(value: &Value) -> u32 {
    let count = to_integer(value).and_then(|count| count.as_u64());
    count
        .and_then(|count| u32::try_from(count).ok())
        .unwrap_or_default()
}

/// Returns the number of a value of an enumeration: a number, or a name with or without the prefix
/// of the enumeration, in any case. Python writes the name of the type before it:
/// `SpanKind.INTERNAL`. The position of a name in `names` is its number. Unknown values are 0,
/// which means that the value is not specified.
pub(super) fn to_enumerated(value: &Value, prefix: &str, names: &[&str]) -> i32 {
    if let Some(number) = to_integer(value) {
        let number = number
            .as_i64()
            .and_then(|number| i32::try_from(number).ok());
        return number.unwrap_or_default();
    }
    let name = value
        .as_str()
        .unwrap_or_default()
        .trim()
        .to_ascii_uppercase();
    let name = name.rsplit('.').next().unwrap_or(&name);
    let name = name.strip_prefix(prefix).unwrap_or(name);
    let position = names.iter().position(|known| *known == name);
    position
        .and_then(|number| i32::try_from(number).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_known_form_of_a_time_is_read() {
        let ns = 1_697_978_069_866_867_000_u64;
        let (high, low) = (
            395_341_326,
            i64::try_from(ns & 0xFFFF_FFFF).expect("32 bits"),
        );
        assert_eq!(ns >> 32, 395_341_326);
        for form in [
            json!(ns),
            json!(ns.to_string()),
            json!(format!(" {ns}\n")),
            json!({"low": low, "high": high}),
            json!({"low": low - (1 << 32), "high": high}),
            json!({"low": low, "high": high, "unsigned": true}),
            json!([1_697_978_069, 866_867_000]),
            json!({"seconds": "1697978069", "nanos": 866_867_000}),
        ] {
            assert_eq!(to_nanoseconds(&form), Some(ns), "{form}");
        }
        for form in ["2023-10-22T12:34:29.866Z", "2023-10-22T14:34:29.866+02:00"] {
            assert_eq!(
                to_nanoseconds(&json!(form)),
                Some(1_697_978_069_866_000_000)
            );
        }
        for form in [
            json!(1.5e18),
            json!("1.5e18"),
            json!("1500000000000000000.0"),
        ] {
            assert_eq!(
                to_nanoseconds(&form),
                Some(1_500_000_000_000_000_000),
                "{form}"
            );
        }
        for missing in [json!(null), json!(""), json!(0), json!("0"), json!(0.0)] {
            assert_eq!(to_nanoseconds(&missing), Some(0), "{missing}");
        }
        assert_eq!(
            to_nanoseconds(&json!("18446744073709551615")),
            Some(u64::MAX)
        );
    }

    #[test]
    fn other_values_are_no_times() {
        for other in [
            json!(-1),
            json!("1e30"),
            json!("soon"),
            json!(0.5),
            json!(true),
            json!([1]),
            json!([u64::MAX, 1]),
            json!({"low": 1}),
            json!({"seconds": "x"}),
            json!("NaN"),
            json!("1960-01-01T00:00:00Z"),
        ] {
            assert_eq!(to_nanoseconds(&other), None, "{other}");
        }
    }

    #[test]
    fn integers_have_64_bits_with_or_without_a_sign() {
        let integer = |value: Value| to_integer(&value).map(|number| number.to_string());
        for (value, text) in [
            (json!("-9223372036854775808"), "-9223372036854775808"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!({"low": -1, "high": -1}), "-1"),
            (
                json!({"low": -1, "high": -1, "unsigned": true}),
                "18446744073709551615",
            ),
            (
                json!({"low": 4_294_967_295_u32, "high": 4_294_967_295_u32}),
                "18446744073709551615",
            ),
            (json!({"low": 7, "high": 0, "unsigned": false}), "7"),
            (json!(5.0), "5"),
            (json!("1e3"), "1000"),
        ] {
            assert_eq!(integer(value.clone()).as_deref(), Some(text), "{value}");
        }
        for other in [
            json!("1e19.5"),
            json!(1e20),
            json!("18446744073709551616"),
            json!(0.5),
        ] {
            assert_eq!(integer(other.clone()), None, "{other}");
        }
    }

    #[test]
    fn enumerations_are_read_by_number_and_by_name() {
        let kind = |value: Value| to_enumerated(&value, "SPAN_KIND_", &["UNSPECIFIED", "INTERNAL"]);
        for value in [
            json!(1),
            json!("1"),
            json!(1.0),
            json!("INTERNAL"),
            json!("internal"),
            json!("SPAN_KIND_INTERNAL"),
            json!("SpanKind.INTERNAL"),
            json!(" Span_Kind_Internal "),
        ] {
            assert_eq!(kind(value.clone()), 1, "{value}");
        }
        assert_eq!(kind(json!(77)), 77);
        for value in [
            json!("OTHER"),
            json!(null),
            json!([]),
            json!(u64::MAX),
            json!(0.5),
        ] {
            assert_eq!(kind(value.clone()), 0, "{value}");
        }
        assert_eq!(to_count(&json!("3")), 3);
        assert_eq!(to_count(&json!(-3)), 0);
    }
}
