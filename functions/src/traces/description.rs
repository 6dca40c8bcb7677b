//! The OpenAPI description of the ingestion of traces.

use http::StatusCode;
use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::form::{JSON, PROTOBUF, UNSUPPORTED};
use super::{MAX_BODY_BYTES, MAX_UNPACKED_BYTES};
use crate::openapi::Operation;
use crate::problem::Problem;

pub(crate) fn ingest_traces(schemas: &mut SchemaGenerator) -> Operation {
    let about = format!(
        "Accepts OpenTelemetry traces in OTLP over HTTP, and stores them as runs. The body can \
         have up to {} MB, and up to {} MB when decompressed. The response has the media type of \
         the request. The JSON may have any form that known exporters write, such as names in \
         snake case, ids in base64, and enumerations by name. A span that cannot be read is \
         rejected alone; the others are written. The status is 400 only if nothing can be read.",
        MAX_BODY_BYTES >> 20,
        MAX_UNPACKED_BYTES >> 20,
    );
    let unsupported = Problem::UnsupportedMediaType {
        message: UNSUPPORTED,
    };
    let written = "The `ExportTraceServiceResponse`. It is empty if all spans were written. With \
                   `rejectedSpans` 0, the message is a warning about a part without spans.";
    Operation::new("Ingest traces", about)
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

/// The body of an error response to a protobuf request.
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

/// The part of a request that is read. OTLP has more fields, and adds new ones at any time.
fn request() -> Value {
    json!({
        "type": "object",
        "description": "An `ExportTraceServiceRequest` in OTLP's JSON encoding.",
        "properties": {"resourceSpans": {"type": "array", "items": {"type": "object"}}},
        "required": ["resourceSpans"],
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
        "errorMessage": "2 spans: the start time is missing \
            (resourceSpans[0].scopeSpans[0].spans[3], resourceSpans[0].scopeSpans[0].spans[7])",
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
