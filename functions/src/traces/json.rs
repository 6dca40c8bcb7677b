//! OTLP as JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>), in every form
//! that known exporters and libraries for protobuf write.
//!
//! - Names of members are in camel case, in snake case as in the messages' definitions, or in Pascal
//!   case, as the serializers of some languages write them.
//! - `null` is a missing member, and unknown members are ignored. If a member occurs several times,
//!   the last one is used.
//! - A list with one element may be this element.
//! - A body may have several requests one after another, as the Collector's file exporter writes
//!   them.
//!
//! The lists above the spans are read element by element, so that the body is never decoded as a
//! whole.

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Value};
use shared::otlp::{Attributes, Rejection, SpanPosition};

use super::foreign;
use super::spans::{ReadSpans, SentSpan, SpanSource};

mod ids;
mod members;
mod numbers;
mod span;
mod texts;
mod values;

use members::Members;
pub(super) use members::is_named;

/// How many bytes of a span an object in it counts as. With the largest span, this allows some
/// 200,000 objects, which need 130 MB while the span is decoded.
const BYTES_AN_OBJECT: usize = 20;

/// Decodes the spans of a body.
///
/// # Errors
/// The reason why nothing can be read, and what was expected, as sentences.
pub(super) fn spans(body: &[u8]) -> Result<ReadSpans, String> {
    let text = texts::to_json(body);
    let mut reader = Reader::default();
    for document in Deserializer::from_str(&text).into_iter::<&RawValue>() {
        let reason = || match &document {
            Ok(document) => foreign::find_in_json(document.get()),
            Err(error) => foreign::find_no_json(body, error),
        };
        let request = document.as_ref().ok();
        let is_read = request.and_then(|request| reader.read_request(request));
        let number = reader.position.request;
        match is_read {
            Some(()) => {}
            None if number == 0 => return Err(reason()),
            None => reader
                .read
                .warn(|| format!("requests[{number}]: {}", reason())),
        }
        reader.position.request += 1;
        // The crate can go on after an error, but searches for its position from the start.
        if document.is_err() {
            break;
        }
    }
    if reader.position.request == 0 {
        return Err(foreign::find_no_json(body, &"it is empty"));
    }
    match reader.read.is_unreadable() {
        true => Err(foreign::nothing_readable(&reader.read)),
        false => Ok(reader.read),
    }
}

/// Reads a request from the outside in.
#[derive(Default)]
struct Reader {
    read: ReadSpans,
    source: SpanSource,
    position: SpanPosition,
}

impl Reader {
    /// Reads an `ExportTraceServiceRequest`. Returns `None` for any other document.
    fn read_request(&mut self, request: &RawValue) -> Option<()> {
        let [list] = find_members(request, ["resourceSpans"])?;
        let Some(list) = list else {
            return has_no_members(request).then_some(());
        };
        for_each(list, |number, resource_spans| {
            self.position.resource = number;
            self.read_resource_spans(resource_spans);
        })
    }

    fn read_resource_spans(&mut self, resource_spans: &RawValue) {
        let position = self.position;
        let names = [
            "resource",
            "scopeSpans",
            "instrumentationLibrarySpans",
            "spans",
        ];
        let Some([resource, scopes, libraries, spans]) = find_members(resource_spans, names) else {
            return self.reject_unless_null(resource_spans, || position.resource_path());
        };
        let path = || format!("{}.resource", position.resource_path());
        let mut resource = self.read_source(resource, path);
        self.source = SpanSource::from_resource(take_attributes(&mut resource));
        // Exporters before OTLP 0.19 use the second name, and some of them sent the same spans
        // under both names. The first versions of OTLP had no scopes.
        let lists = [scopes, libraries, spans.map(|_| resource_spans)];
        let mut lists = lists.into_iter().flatten();
        let list = lists.find(|list| !is_empty_list(list));
        let read = list.map_or(Some(()), |list| {
            for_each(list, |number, scope_spans| {
                self.position.scope = number;
                self.read_scope_spans(scope_spans);
            })
        });
        if read.is_none() {
            let warning = || format!("{}.scopeSpans is not a list", position.resource_path());
            self.read.reject_part(warning);
        }
    }

    fn read_scope_spans(&mut self, scope_spans: &RawValue) {
        let position = self.position;
        let names = ["scope", "instrumentationLibrary", "spans"];
        let Some([scope, library, spans]) = find_members(scope_spans, names) else {
            return self.reject_unless_null(scope_spans, || position.scope_path());
        };
        let scope = scope.filter(|scope| !is_null(scope)).or(library);
        let mut scope = self.read_source(scope, || format!("{}.scope", position.scope_path()));
        let attributes = take_attributes(&mut scope);
        self.source.set_scope(
            scope.take_text("name"),
            scope.take_text("version"),
            attributes,
        );
        let read = spans.map_or(Some(()), |spans| {
            for_each(spans, |number, span| {
                self.position.span = number;
                self.read_span(span);
            })
        });
        if read.is_none() {
            let warning = || format!("{}.spans is not a list", position.scope_path());
            self.read.reject_part(warning);
        }
    }

    fn read_span(&mut self, span: &RawValue) {
        // An object needs some hundred times the memory of its braces.
        let objects = span.get().bytes().filter(|byte| *byte == b'{').count();
        let bytes = span.get().len().max(objects * BYTES_AN_OBJECT);
        if self.read.has_room_for(bytes, self.position) {
            self.read.add(parse_span(span), &self.source, self.position);
        }
    }

    /// Reads a resource or a scope. An unreadable one has no members, so that its spans are not
    /// lost.
    fn read_source(&mut self, json: Option<&RawValue>, path: impl Fn() -> String) -> Members {
        let Some(json) = json.filter(|json| !is_null(json)) else {
            return Members::default();
        };
        if !self.read.has_room_for_source(json.get().len(), &path) {
            return Members::default();
        }
        match serde_json::from_str(json.get()) {
            Ok(Value::Object(members)) => members.into(),
            _ => {
                let warning = "cannot be decoded, its spans are read without it";
                self.read.warn(|| format!("{} {warning}", path()));
                Members::default()
            }
        }
    }

    fn reject_unless_null(&mut self, json: &RawValue, path: impl FnOnce() -> String) {
        if !is_null(json) {
            let warning = || format!("{} is not an object", path());
            self.read.reject_part(warning);
        }
    }
}

fn take_attributes(members: &mut Members) -> Attributes {
    values::to_attributes(members.take("attributes"))
}

fn parse_span(json: &RawValue) -> Result<SentSpan, Rejection> {
    match serde_json::from_str(json.get()) {
        Ok(Value::Object(members)) => span::read(members.into()),
        Ok(_) => Err(Rejection::Unreadable),
        // The text is valid JSON, so that only two reasons remain. The crate does not distinguish
        // its errors by type.
        Err(error) if error.to_string().starts_with("recursion limit") => Err(Rejection::TooDeep),
        Err(_) => Err(Rejection::Unreadable),
    }
}

fn is_null(json: &RawValue) -> bool {
    json.get() == "null"
}

fn is_empty_list(json: &RawValue) -> bool {
    let inside = json
        .get()
        .strip_prefix('[')
        .and_then(|it| it.strip_suffix(']'));
    is_null(json) || inside.is_some_and(|inside| inside.trim().is_empty())
}

/// Calls a function with each element of a list, and its position. A single object is a list of
/// one. Returns `None` if the value is neither.
fn for_each(list: &RawValue, visit: impl FnMut(usize, &RawValue)) -> Option<()> {
    struct Each<F>(F);

    impl<'de, F: FnMut(usize, &RawValue)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
            let mut number = 0;
            while let Some(element) = list.next_element::<&RawValue>()? {
                (self.0)(number, element);
                number += 1;
            }
            Ok(())
        }
    }

    let mut visit = visit;
    match list.get().as_bytes().first() {
        Some(b'[') => Deserializer::from_str(list.get())
            .deserialize_seq(Each(visit))
            .ok(),
        Some(b'{') => {
            visit(0, list);
            Some(())
        }
        _ => is_null(list).then_some(()),
    }
}

/// Finds members of an object by their names. Returns `None` if the value is not an object.
fn find_members<'a, const N: usize>(
    object: &'a RawValue,
    names: [&str; N],
) -> Option<[Option<&'a RawValue>; N]> {
    struct Find<'n, const N: usize>([&'n str; N]);

    impl<'de, const N: usize> Visitor<'de> for Find<'_, N> {
        type Value = [Option<&'de RawValue>; N];

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = [None; N];
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                let position = self.0.iter().position(|known| is_named(&name, known));
                // A missing member does not replace one that has been found.
                if let Some(position) = position
                    && !(found[position].is_some() && is_null(value))
                {
                    found[position] = Some(value);
                }
            }
            Ok(found)
        }
    }

    Deserializer::from_str(object.get())
        .deserialize_map(Find(names))
        .ok()
}

/// Whether a value is an object without members.
fn has_no_members(json: &RawValue) -> bool {
    let inside = json
        .get()
        .strip_prefix('{')
        .and_then(|it| it.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

#[cfg(test)]
mod tests;
