//! OTLP as protobuf.
//!
//! The messages are declared here and in [`messages`]: they have the fields of the official ones,
//! with two differences. The messages above the spans keep their contents encoded. If they were
//! decoded as a whole, a body with two bytes for each span would need 200 times as much memory, and
//! one unreadable span would make all others unreadable. And texts are bytes, because programs
//! send texts that are not UTF-8, and protobuf decoders refuse a whole message with such a text.

use bytes::Bytes;
use prost::{DecodeError, Message};
use shared::otlp::{Rejection, SpanPosition};

use super::foreign;
use super::spans::{ReadSpans, SpanSource};

mod messages;

use messages::{Resource, Scope, Span};

/// An `ExportTraceServiceRequest`.
#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    resource_spans: Vec<Bytes>,
}

/// A `ResourceSpans`. A field that occurs several times has the contents of all of them, so that
/// joining the encoded occurrences of the resource merges them, as protobuf specifies.
#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    resource: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    scope_spans: Vec<Bytes>,
    /// The field of exporters before OTLP 0.19. It is ignored if the new field is used.
    #[prost(bytes = "bytes", repeated, tag = "1000")]
    instrumentation_library_spans: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    scope: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    spans: Vec<Bytes>,
}

/// Whether a body has the form of an `ExportTraceServiceRequest` with contents.
pub(super) fn is_request(body: &[u8]) -> bool {
    !body.is_empty() && Request::decode(body).is_ok_and(|it| !it.resource_spans.is_empty())
}

/// Decodes the spans of a body.
///
/// # Errors
/// The reason why nothing can be read, and what was expected, as sentences.
pub(super) fn spans(body: Bytes) -> Result<ReadSpans, String> {
    let decoded = match foreign::find_json(&body) {
        Some(other) => Err(other),
        None => Request::decode(body.clone()).map_err(|error| foreign::find_other(&body, &error)),
    };
    let request = decoded?;
    let mut reader = Reader::default();
    for (number, resource_spans) in request.resource_spans.iter().enumerate() {
        reader.position.resource = number;
        reader.read_resource_spans(resource_spans);
    }
    let read = reader.read;
    if read.spans.is_empty()
        && let Some(signal) = reader
            .first_rejected
            .as_deref()
            .and_then(foreign::find_signal)
    {
        return Err(signal);
    }
    match read.is_unreadable() {
        true => Err(foreign::nothing_readable(&read)),
        false => Ok(read),
    }
}

/// Reads a request from the outside in.
#[derive(Default)]
struct Reader {
    read: ReadSpans,
    source: SpanSource,
    position: SpanPosition,
    /// The first span that was rejected, which may be no span at all.
    first_rejected: Option<Bytes>,
}

impl Reader {
    fn read_resource_spans(&mut self, bytes: &Bytes) {
        let position = self.position;
        let resource_spans = match ResourceSpans::decode(bytes.clone()) {
            Ok(resource_spans) => resource_spans,
            Err(error) => return self.reject(|| position.resource_path(), &error),
        };
        let path = || format!("{}.resource", position.resource_path());
        let resource: Resource = self.read_source(&resource_spans.resource, path);
        self.source = SpanSource::from_resource(resource.into_attributes());
        let scopes = match resource_spans.scope_spans.is_empty() {
            true => &resource_spans.instrumentation_library_spans,
            false => &resource_spans.scope_spans,
        };
        for (number, scope_spans) in scopes.iter().enumerate() {
            self.position.scope = number;
            self.read_scope_spans(scope_spans);
        }
    }

    fn read_scope_spans(&mut self, bytes: &Bytes) {
        let position = self.position;
        let scope_spans = match ScopeSpans::decode(bytes.clone()) {
            Ok(scope_spans) => scope_spans,
            Err(error) => return self.reject(|| position.scope_path(), &error),
        };
        let path = || format!("{}.scope", position.scope_path());
        let scope: Scope = self.read_source(&scope_spans.scope, path);
        let (name, version, attributes) = scope.into_parts();
        self.source.set_scope(name, version, attributes);
        for (number, span) in scope_spans.spans.into_iter().enumerate() {
            self.position.span = number;
            self.read_span(&span);
        }
    }

    /// Decodes the joined occurrences of a resource or a scope. An unreadable one is empty, so that
    /// its spans are not lost.
    fn read_source<T: Message + Default>(
        &mut self,
        occurrences: &[Bytes],
        path: impl Fn() -> String,
    ) -> T {
        let bytes = occurrences.iter().map(Bytes::len).sum();
        if !self.read.has_room_for_source(bytes, &path) {
            return T::default();
        }
        T::decode(occurrences.concat().as_slice()).unwrap_or_else(|_| {
            let warning = "cannot be decoded, its spans are read without it";
            self.read.warn(|| format!("{} {warning}", path()));
            T::default()
        })
    }

    fn reject(&mut self, path: impl FnOnce() -> String, error: &DecodeError) {
        let warning = || format!("{} cannot be decoded: {error}", path());
        self.read.reject_part(warning);
    }

    fn read_span(&mut self, bytes: &Bytes) {
        if !self.read.has_room_for(bytes.len(), self.position) {
            return;
        }
        let span = Span::decode(bytes.clone()).map_err(|error| to_rejection(&error));
        let rejected = self.read.rejections.spans();
        let sent = span.map(Span::into_sent);
        self.read.add(sent, &self.source, self.position);
        if self.read.rejections.spans() > rejected && self.first_rejected.is_none() {
            self.first_rejected = Some(bytes.clone());
        }
    }
}

/// The crate does not distinguish its errors by type.
fn to_rejection(error: &DecodeError) -> Rejection {
    match error.to_string().contains("recursion limit") {
        true => Rejection::TooDeep,
        false => Rejection::Unreadable,
    }
}

#[cfg(test)]
mod tests;
