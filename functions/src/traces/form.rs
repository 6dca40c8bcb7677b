//! The two encodings of OTLP over HTTP, and the responses in them.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::json;
use shared::otlp::Rejections;

use crate::problem::Problem;
use crate::reply::{self, Reply};

pub(super) const PROTOBUF: &str = "application/x-protobuf";
pub(super) const JSON: &str = "application/json";

/// The encoding of a request, and of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Protobuf,
    Json,
}

impl Form {
    /// Parses the encoding from a request's headers. Without a `Content-Type` it is JSON, as on
    /// every other endpoint.
    ///
    /// # Errors
    /// [`Problem::UnsupportedMediaType`] for any other type.
    pub(super) fn parse(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(content_type) = headers.get(CONTENT_TYPE) else {
            return Ok(Self::Json);
        };
        let content_type = content_type.to_str().unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            PROTOBUF => Ok(Self::Protobuf),
            JSON => Ok(Self::Json),
            _ => Err(Problem::UnsupportedMediaType {
                message: "Send application/x-protobuf or application/json.",
            }),
        }
    }

    /// The response to a request, with the spans that were rejected. All other spans are written.
    ///
    /// # Errors
    /// [`Error::Internal`](shared::Error::Internal) if the response cannot be written as JSON.
    pub(super) fn reply(self, rejections: &Rejections) -> Result<Reply, Problem> {
        let rejected = rejections.spans();
        let message = rejections.to_string();
        match (self, rejected) {
            (Self::Json, 0) => reply::json(&json!({})),
            // Protobuf's JSON writes 64-bit integers as texts.
            (Self::Json, _) => reply::json(&json!({"partialSuccess": {
                "rejectedSpans": rejected.to_string(), "errorMessage": message,
            }})),
            (Self::Protobuf, _) => {
                let partial_success = (rejected > 0).then(|| ExportTracePartialSuccess {
                    rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
                    error_message: message,
                });
                let response = ExportTraceServiceResponse { partial_success };
                Ok(with_protobuf(reply::empty(), &response))
            }
        }
    }
}

/// A `google.rpc.Status`, by which OTLP over HTTP reports errors, as gRPC does.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// Replaces the body of an error response by a `google.rpc.Status`.
pub(super) fn status(problem: &Problem, request_id: &str, reply: Reply) -> Reply {
    // The numbers of `google.rpc.Code`.
    let code = match problem.status() {
        StatusCode::UNAUTHORIZED => 16,
        StatusCode::FORBIDDEN => 7,
        StatusCode::PAYLOAD_TOO_LARGE => 8,
        StatusCode::SERVICE_UNAVAILABLE => 14,
        status if status.is_client_error() => 3,
        _ => 13,
    };
    let message = problem.message(request_id);
    with_protobuf(reply, &Status { code, message })
}

fn with_protobuf(reply: Reply, message: &impl Message) -> Reply {
    let (mut parts, _) = reply.into_parts();
    let content_type = HeaderValue::from_static(PROTOBUF);
    parts.headers.insert(CONTENT_TYPE, content_type);
    Reply::from_parts(parts, reply::whole(message.encode_to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_read_in_any_case_and_with_parameters() {
        let form = |content_type: &'static str| {
            let content_type = HeaderValue::from_static(content_type);
            Form::parse(&HeaderMap::from_iter([(CONTENT_TYPE, content_type)])).ok()
        };
        assert_eq!(form("application/x-protobuf"), Some(Form::Protobuf));
        assert_eq!(form("Application/JSON; charset=utf-8"), Some(Form::Json));
        for other in ["", "text/plain", "application/grpc", "application/jsonl"] {
            assert_eq!(form(other), None, "{other}");
        }
        assert_eq!(Form::parse(&HeaderMap::new()).ok(), Some(Form::Json));
    }
}
