//! Taking traces in, in OpenAPI.

use http::StatusCode;
use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::form::{JSON, PROTOBUF};
use super::{MAX_BODY_BYTES, MAX_UNPACKED_BYTES};
use crate::openapi::{Describe, Operation, parameter};
use crate::problem::Problem;
use crate::route::{self, Route};

/// The operation, with its route.
pub(crate) const OPERATIONS: &[(&Route, Describe)] = &[(&route::INGEST_TRACES, ingest_traces)];

fn ingest_traces(schemas: &mut SchemaGenerator) -> Operation {
    let about = format!(
        "Takes traces of OpenTelemetry as runs: OTLP over HTTP, of at most {} MB, and {} MB when \
         unpacked. The answer has the type of the request. Spans that cannot be are rejected, and \
         the others written.",
        MAX_BODY_BYTES >> 20,
        MAX_UNPACKED_BYTES >> 20,
    );
    let encoding = parameter::one_of("Content-Encoding", ["gzip", "identity", "none", ""])
        .in_header()
        .about("How the body is packed.");
    let unsupported = Problem::UnsupportedMediaType {
        message: "Send application/x-protobuf or application/json.",
    };
    let written = "The `ExportTraceServiceResponse`: empty where all spans are written.";
    Operation::new("Take traces in", about)
        .parameters([encoding])
        .content(true, JSON, json!({"schema": request(), "example": trace()}))
        .content(true, PROTOBUF, message("ExportTraceServiceRequest"))
        .answer_of(StatusCode::OK, written, JSON, response())
        .answer_of(
            StatusCode::OK,
            written,
            PROTOBUF,
            message("ExportTraceServiceResponse"),
        )
        .problems(schemas, [unsupported])
}

/// How a problem is told to protobuf.
pub(crate) fn problem() -> (&'static str, Value) {
    (PROTOBUF, message("google.rpc.Status"))
}

fn message(name: &str) -> Value {
    json!({"schema": {
        "type": "string",
        "format": "binary",
        "description": format!("The protobuf message `{name}`."),
    }})
}

/// What is read of a request; OTLP has more, and new fields at any time.
fn request() -> Value {
    json!({
        "type": "object",
        "description": "An `ExportTraceServiceRequest` in the JSON of OTLP.",
        "properties": {"resourceSpans": {"type": "array", "items": {"type": "object"}}},
    })
}

fn response() -> Value {
    let schema = json!({
        "type": "object",
        "properties": {"partialSuccess": {
            "type": "object",
            "properties": {
                "rejectedSpans": {"type": "string", "pattern": "^[0-9]+$"},
                "errorMessage": {"type": "string"},
            },
            "required": ["rejectedSpans", "errorMessage"],
        }},
    });
    json!({"schema": schema, "example": {"partialSuccess": {
        "rejectedSpans": "2",
        "errorMessage": "2 spans: the start time is missing",
    }}})
}

fn trace() -> Value {
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "checkout"}},
        ]},
        "scopeSpans": [{"spans": [{
            "traceId": "5b8efff798038103d269b633813fc60c",
            "spanId": "eee19b7ec3c1b174",
            "name": "POST /orders",
            "kind": 2,
            "startTimeUnixNano": "1771324200050000000",
            "endTimeUnixNano": "1771324202400000000",
        }]}],
    }]})
}
