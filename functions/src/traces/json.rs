//! OTLP as JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).
//!
//! The official messages are read from the span down, as in the form of protobuf.
//! `opentelemetry-proto` does not take all that the JSON of protobuf may leave out or
//! write in another way; [`regular`] brings that into the form that it takes.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::spans::{ReadSpans, Surroundings};

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

/// The spans of a body.
///
/// # Errors
/// That it is no `ExportTraceServiceRequest`.
pub(super) fn spans(body: &[u8]) -> Result<ReadSpans, String> {
    // Serde does not look into the members that it passes by.
    str::from_utf8(body).map_err(|error| error.to_string())?;
    read(body).map_err(|error| error.to_string())
}

fn read(body: &[u8]) -> Result<ReadSpans, serde_json::Error> {
    let mut read = ReadSpans::default();
    let request: Request<'_> = object(body)?;
    for resource_spans in request.resource_spans.into_iter().flatten() {
        let resource_spans: ResourceSpans<'_> = object(resource_spans.get().as_bytes())?;
        let resource: Resource = message(resource_spans.resource)?;
        let mut around = Surroundings::of_resource(&resource);
        for scope_spans in resource_spans.scope_spans.into_iter().flatten() {
            let scope_spans: ScopeSpans<'_> = object(scope_spans.get().as_bytes())?;
            around.enter_scope(message::<InstrumentationScope>(scope_spans.scope)?);
            for span in scope_spans.spans.into_iter().flatten() {
                if read.has_room_for(span.get().len()) {
                    read.take_in(message::<Span>(Some(span))?, &around);
                }
            }
        }
    }
    Ok(read)
}

/// A struct of a JSON object. Serde would take an array for the members in their order.
fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, serde_json::Error> {
    if !json.trim_ascii_start().starts_with(b"{") {
        let error = "there is something else where an object should be";
        return Err(serde::de::Error::custom(error));
    }
    serde_json::from_slice(json)
}

/// A message; of none, and of null, one that is empty.
fn message<T: Default + DeserializeOwned>(json: Option<&RawValue>) -> Result<T, serde_json::Error> {
    let Some(json) = json.filter(|json| json.get() != "null") else {
        return Ok(T::default());
    };
    let members: Map<String, Value> = serde_json::from_str(json.get())?;
    serde_json::from_value(Value::Object(regular(members)))
}

/// The members of a message in the form that `opentelemetry-proto` reads.
fn regular(members: Map<String, Value>) -> Map<String, Value> {
    let members = members.into_iter().filter_map(|(name, value)| {
        let value = match (name.as_str(), value) {
            // What is null is as if it were not there.
            (_, Value::Null) => return None,
            // It demands all of their members, and we have no use for them.
            ("entityRefs", _) => return None,
            // Lists that are empty may be left out.
            ("arrayValue" | "kvlistValue", Value::Object(list)) => {
                let mut list = regular(list);
                list.entry("values")
                    .or_insert_with(|| Value::Array(Vec::new()));
                Value::Object(list)
            }
            // Its own numbers can be texts, and those that JSON does not have are.
            ("doubleValue", Value::String(number)) => number.parse::<f64>().ok()?.into(),
            (name, Value::String(number)) if is_small_integer(name) => {
                match number.parse::<i64>() {
                    Ok(number) => number.into(),
                    Err(_) => Value::String(number),
                }
            }
            (_, Value::Object(members)) => Value::Object(regular(members)),
            (_, Value::Array(values)) => values.into_iter().map(regular_value).collect(),
            (_, value) => value,
        };
        Some((name, value))
    });
    members.collect()
}

fn regular_value(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(regular(members)),
        value => value,
    }
}

/// Whether a member is an integer of 32 bits, which `opentelemetry-proto` reads as a
/// number alone.
fn is_small_integer(name: &str) -> bool {
    matches!(name, "flags" | "kind" | "code") || name.starts_with("dropped")
}
