//! The input and the output of a span: which attributes contain them, and whether a text in them
//! is JSON.

use format::record::Payload;
use format::{Error, Result};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::otlp::Span;
use crate::otlp::profile::{Meaning, Source};

/// The attributes that may contain a step's input and output, before those of the profiles. A
/// text in them that is JSON is a JSON value.
pub(super) const OWN_INPUT: &str = "flowtrail.input";
pub(super) const OWN_OUTPUT: &str = "flowtrail.output";

/// An attribute with a payload, and how its value is read.
pub(super) struct PayloadSource<'a> {
    pub(super) attribute: &'a str,
    value: &'a Value,
    /// Whether a text with any JSON value in it is that value.
    is_json: bool,
    /// Whether a text with a JSON object or array in it is that object or array.
    is_json_structure: bool,
}

pub(super) fn find_input<'a>(span: &'a Span, meaning: &'a Meaning) -> Option<PayloadSource<'a>> {
    find_payload(span, OWN_INPUT, meaning.input.as_ref())
}

pub(super) fn find_output<'a>(span: &'a Span, meaning: &'a Meaning) -> Option<PayloadSource<'a>> {
    find_payload(span, OWN_OUTPUT, meaning.output.as_ref())
}

fn find_payload<'a>(
    span: &'a Span,
    own: &'static str,
    known: Option<&'a Source>,
) -> Option<PayloadSource<'a>> {
    if let Some(value) = span.attributes.get(own) {
        return Some(PayloadSource {
            attribute: own,
            value,
            is_json: true,
            is_json_structure: true,
        });
    }
    let Source {
        attribute,
        media_type,
        is_json,
    } = known?;
    let media_type = media_type.as_ref().and_then(|name| span.text(name));
    Some(PayloadSource {
        attribute,
        value: span.attributes.get(attribute)?,
        is_json: media_type.is_some_and(|it| is_json_type(&it)),
        is_json_structure: *is_json,
    })
}

/// Whether a media type is JSON, such as `application/json; charset=utf-8` and
/// `application/problem+json`.
fn is_json_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default();
    let subtype = essence.trim().rsplit(['/', '+']).next().unwrap_or_default();
    subtype.eq_ignore_ascii_case("json")
}

/// Converts an attribute to a payload.
pub(super) fn to_payload(source: Option<&PayloadSource<'_>>) -> Result<Option<Payload>> {
    let Some(source) = source else {
        return Ok(None);
    };
    let text = source.value.as_str().map(str::trim_start);
    let is_structure = text.is_some_and(|text| text.starts_with(['{', '[']));
    let is_read = source.is_json || (source.is_json_structure && is_structure);
    let json = source.value.as_str().filter(|_| is_read);
    let json = json.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    let payload = match json {
        Some(json) => Payload::from_value(json),
        None => Payload::from_value(source.value),
    };
    payload.map(Some).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_of_json_are_recognised() {
        for json in [
            "application/json",
            "Application/JSON; a=b",
            "application/problem+json",
        ] {
            assert!(is_json_type(json), "{json}");
        }
        for other in ["", "text/plain", "json-seq/x", "application/jsonl"] {
            assert!(!is_json_type(other), "{other}");
        }
    }
}
