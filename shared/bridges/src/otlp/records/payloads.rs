//! The input and the output of a span: which attributes contain them, and whether a text in them
//! is JSON.

use format::record::Payload;
use format::{Error, Result};
use serde_json::Value;
use serde_json::value::RawValue;
use team::profiles::PayloadAttribute;

use crate::otlp::Span;
use crate::otlp::profile::Meaning;

/// The attributes that may contain a step's input and output, before those of the profiles. A
/// text in them that is JSON is a JSON value.
pub(super) const OWN_INPUT: &str = "flowtrail.input";
pub(super) const OWN_OUTPUT: &str = "flowtrail.output";

/// An attribute with a payload.
pub(super) struct PayloadSource<'a> {
    pub(super) attribute: &'a str,
    value: &'a Value,
    /// The value as a text that may be JSON.
    json: Option<&'a str>,
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
    known: Option<&'a PayloadAttribute>,
) -> Option<PayloadSource<'a>> {
    if let Some(value) = span.attributes.get(own) {
        return Some(PayloadSource {
            attribute: own,
            value,
            json: value.as_str(),
        });
    }
    let source = known?;
    let value = span.attributes.get(&source.attribute)?;
    let media_type = source
        .media_type
        .as_ref()
        .and_then(|name| span.scalar(name));
    let is_json = media_type.is_some_and(|it| is_json_type(&it));
    let is_structure = |text: &str| text.trim_start().starts_with(['{', '[']);
    let is_read = |text: &&str| is_json || source.is_json && is_structure(text);
    Some(PayloadSource {
        attribute: &source.attribute,
        value,
        json: value.as_str().filter(is_read),
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
    let json = source
        .json
        .and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
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
