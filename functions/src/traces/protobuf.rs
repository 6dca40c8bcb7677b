//! OTLP as protobuf.
//!
//! The official messages are read from the span down. Above it stand envelopes of the
//! same fields that keep what is in them packed: as a whole, a body of two bytes a span
//! would be 200 times as large in memory.

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::{DecodeError, Message};

use super::spans::{ReadSpans, Surroundings};

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

/// The spans of a body.
///
/// # Errors
/// That it is no `ExportTraceServiceRequest`.
pub(super) fn spans(body: Bytes) -> Result<ReadSpans, String> {
    read(body).map_err(|error| error.to_string())
}

fn read(body: Bytes) -> Result<ReadSpans, DecodeError> {
    let mut read = ReadSpans::default();
    for resource_spans in Request::decode(body)?.resource_spans {
        let resource_spans = ResourceSpans::decode(resource_spans)?;
        let resource = resource_spans.resource.unwrap_or_default();
        let mut around = Surroundings::of_resource(&resource);
        for scope_spans in resource_spans.scope_spans {
            let scope_spans = ScopeSpans::decode(scope_spans)?;
            around.enter_scope(scope_spans.scope.unwrap_or_default());
            for span in scope_spans.spans {
                if read.has_room_for(span.len()) {
                    read.take_in(Span::decode(span)?, &around);
                }
            }
        }
    }
    Ok(read)
}
