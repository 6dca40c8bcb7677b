//! OTLP as JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).
//!
//! Spans, and everything inside them, are decoded into the official messages, as for protobuf.
//! Protobuf's JSON allows more omissions and spellings than `opentelemetry-proto` accepts;
//! [`normalize`] converts them into the form that it accepts.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::spans::{ReadSpans, SpanSource};

/// An `ExportTraceServiceRequest`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow, default)]
    resource_spans: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default)]
    scope_spans: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeSpans<'a> {
    #[serde(borrow, default)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, default)]
    spans: Option<Vec<&'a RawValue>>,
}

/// Decodes the spans of a body.
///
/// # Errors
/// The reason why the body is not a valid `ExportTraceServiceRequest`.
pub(super) fn spans(body: &[u8]) -> Result<ReadSpans, String> {
    // Serde does not validate the members that it skips.
    str::from_utf8(body).map_err(|error| error.to_string())?;
    read(body).map_err(|error| error.to_string())
}

fn read(body: &[u8]) -> Result<ReadSpans, serde_json::Error> {
    let mut read = ReadSpans::default();
    let request: Request<'_> = object(body)?;
    for resource_spans in request.resource_spans.into_iter().flatten() {
        let resource_spans: ResourceSpans<'_> = object(resource_spans.get().as_bytes())?;
        let resource: Resource = message(resource_spans.resource)?;
        let mut source = SpanSource::from_resource(&resource);
        for scope_spans in resource_spans.scope_spans.into_iter().flatten() {
            let scope_spans: ScopeSpans<'_> = object(scope_spans.get().as_bytes())?;
            source.set_scope(message::<InstrumentationScope>(scope_spans.scope)?);
            for span in scope_spans.spans.into_iter().flatten() {
                if read.has_room_for(span.get().len()) {
                    read.add(message::<Span>(Some(span))?, &source);
                }
            }
        }
    }
    Ok(read)
}

/// Parses a struct from a JSON object. Serde alone would also accept an array of the members'
/// values.
fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, serde_json::Error> {
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err(serde::de::Error::custom("expected a JSON object"));
    }
    serde_json::from_slice(json)
}

/// Parses a message. A missing message, and `null`, are an empty one.
fn message<T: Default + DeserializeOwned>(json: Option<&RawValue>) -> Result<T, serde_json::Error> {
    let Some(json) = json.filter(|json| json.get() != "null") else {
        return Ok(T::default());
    };
    let members: Map<String, Value> = serde_json::from_str(json.get())?;
    serde_json::from_value(Value::Object(normalize(members)))
}

/// Converts the members of a message into the form that `opentelemetry-proto` accepts.
fn normalize(members: Map<String, Value>) -> Map<String, Value> {
    let members = members.into_iter().filter_map(|(name, value)| {
        let value = match (name.as_str(), value) {
            // In protobuf's JSON, null means that the member is missing.
            (_, Value::Null) => return None,
            // The crate requires all of their members, and nothing here uses them.
            ("entityRefs", _) => return None,
            // Empty lists may be left out.
            ("arrayValue" | "kvlistValue", Value::Object(list)) => {
                let mut list = normalize(list);
                list.entry("values")
                    .or_insert_with(|| Value::Array(Vec::new()));
                Value::Object(list)
            }
            // Numbers may be texts. Those that JSON does not have, such as NaN, always are.
            ("doubleValue", Value::String(number)) => number.parse::<f64>().ok()?.into(),
            (name, Value::String(number)) if is_small_integer(name) => {
                match number.parse::<i64>() {
                    Ok(number) => number.into(),
                    Err(_) => Value::String(number),
                }
            }
            (_, Value::Object(members)) => Value::Object(normalize(members)),
            (_, Value::Array(values)) => values.into_iter().map(normalize_value).collect(),
            (_, value) => value,
        };
        Some((name, value))
    });
    members.collect()
}

fn normalize_value(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(normalize(members)),
        value => value,
    }
}

/// Whether a member is a 32-bit integer, which `opentelemetry-proto` accepts only as a number.
fn is_small_integer(name: &str) -> bool {
    matches!(name, "flags" | "kind" | "code") || name.starts_with("dropped")
}
