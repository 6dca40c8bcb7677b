//! OTLP as protobuf.
//!
//! Spans, and everything inside them, are decoded into the official messages. The messages above
//! them are declared here: they have the same fields, but keep their contents encoded. If they
//! were decoded as a whole, a body with two bytes for each span would need 200 times as much
//! memory.

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::{DecodeError, Message};

use super::spans::{ReadSpans, SpanSource};

/// An `ExportTraceServiceRequest`.
#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    resource_spans: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    scope_spans: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    scope: Option<InstrumentationScope>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    spans: Vec<Bytes>,
}

/// Decodes the spans of a body.
///
/// # Errors
/// The reason why the body is not a valid `ExportTraceServiceRequest`.
pub(super) fn spans(body: Bytes) -> Result<ReadSpans, String> {
    read(body).map_err(|error| error.to_string())
}

fn read(body: Bytes) -> Result<ReadSpans, DecodeError> {
    let mut read = ReadSpans::default();
    for resource_spans in Request::decode(body)?.resource_spans {
        let resource_spans = ResourceSpans::decode(resource_spans)?;
        let resource = resource_spans.resource.unwrap_or_default();
        let mut source = SpanSource::from_resource(&resource);
        for scope_spans in resource_spans.scope_spans {
            let scope_spans = ScopeSpans::decode(scope_spans)?;
            source.set_scope(scope_spans.scope.unwrap_or_default());
            for span in scope_spans.spans {
                if read.has_room_for(span.len()) {
                    read.add(Span::decode(span)?, &source);
                }
            }
        }
    }
    Ok(read)
}
