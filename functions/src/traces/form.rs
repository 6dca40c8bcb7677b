//! The two encodings of OTLP over HTTP, and the responses in them.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::json;

use super::grpc::Code;
use super::spans::ReadSpans;
use super::{json, protobuf};
use crate::parameters::invalid;
use crate::problem::Problem;
use crate::reply::{self, Reply};

pub(super) const PROTOBUF: &str = "application/x-protobuf";
pub(super) const JSON: &str = "application/json";

/// The media types of both encodings: OTLP's own, and the registered name of protobuf.
const MEDIA_TYPES: [(&str, Form); 3] = [
    (PROTOBUF, Form::Protobuf),
    ("application/protobuf", Form::Protobuf),
    (JSON, Form::Json),
];

/// What to do about another media type.
pub(super) const UNSUPPORTED: &str = "Send the body with Content-Type: application/x-protobuf or \
                                      application/json. gRPC has a port of its own, \
                                      4317 of flowtrail serve.";

/// The encoding of a request, and of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The binary encoding.
    Protobuf,
    /// The JSON encoding.
    Json,
}

impl Form {
    /// Parses the encoding from a request's headers. Returns `None` without a `Content-Type`.
    ///
    /// # Errors
    /// [`Problem::UnsupportedMediaType`] for any other type.
    pub(super) fn parse(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let content_type = String::from_utf8_lossy(content_type.unwrap_or_default());
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.is_empty() {
            return Ok(None);
        }
        let mut known = MEDIA_TYPES.iter();
        let known = known.find(|(name, _)| essence.eq_ignore_ascii_case(name));
        let message = UNSUPPORTED;
        let (_, form) = known.ok_or(Problem::UnsupportedMediaType { message })?;
        Ok(Some(*form))
    }

    /// Finds the encoding of a body.
    pub(super) fn detect(body: &[u8]) -> Self {
        // A request in protobuf begins with a line break, which may also precede JSON.
        let text = body.trim_ascii();
        let is_object = text.starts_with(b"{") && text.ends_with(b"}");
        match !is_object && protobuf::is_request(body) {
            true => Self::Protobuf,
            false => Self::Json,
        }
    }

    /// Reads the spans of a decompressed body, which is an `ExportTraceServiceRequest`. Each span is
    /// either read or counted as rejected.
    ///
    /// # Errors
    /// [`Problem::InvalidParameter`] if nothing in the body can be read. It names the mistake, and
    /// what was expected.
    pub fn read(self, body: Bytes) -> Result<ReadSpans, Problem> {
        let read = match self {
            Self::Protobuf => protobuf::spans(body),
            Self::Json => json::spans(&body),
        };
        read.map_err(|reason| invalid("body", reason))
    }

    /// The response to a request, with the number of rejected spans and what else was not read. All
    /// other spans are written. Without rejected spans, the message is a warning.
    ///
    /// # Errors
    /// [`Error::Internal`](shared::Error::Internal) if the response cannot be written as JSON.
    pub(super) fn reply(self, read: &ReadSpans) -> Result<Reply, Problem> {
        let (rejected, message) = (read.rejections.spans(), read.message());
        let is_complete = rejected == 0 && message.is_empty();
        match self {
            Self::Json if is_complete => reply::json(&json!({})),
            // Protobuf's JSON writes 64-bit integers as texts.
            Self::Json => reply::json(&json!({"partialSuccess": {
                "rejectedSpans": rejected.to_string(), "errorMessage": message,
            }})),
            Self::Protobuf => {
                let partial_success = (!is_complete).then(|| ExportTracePartialSuccess {
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
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// A `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// A `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Duration>,
}

/// A `google.protobuf.Duration` of whole seconds.
#[derive(Clone, PartialEq, Message)]
struct Duration {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

/// Replaces the body of an error response by a `google.rpc.Status`.
pub(super) fn status(problem: &Problem, request_id: &str, reply: Reply) -> Reply {
    let code = Code::from_status(problem.status());
    let message = problem.message(request_id);
    let retry_after = reply.headers().get(RETRY_AFTER);
    let details = retry_after.and_then(retry_info).into_iter().collect();
    let status = Status {
        code: code as i32,
        message,
        details,
    };
    with_protobuf(reply, &status)
}

/// The detail that says when to retry, for a `Retry-After` in seconds.
fn retry_info(retry_after: &HeaderValue) -> Option<Any> {
    let seconds = retry_after.to_str().ok()?.parse().ok()?;
    let retry_delay = Some(Duration { seconds });
    Some(Any {
        type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
        value: RetryInfo { retry_delay }.encode_to_vec(),
    })
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

    fn form(content_type: &'static str) -> Option<Option<Form>> {
        let content_type = HeaderValue::from_static(content_type);
        Form::parse(&HeaderMap::from_iter([(CONTENT_TYPE, content_type)])).ok()
    }

    #[test]
    fn media_types_are_read_in_any_case_and_with_parameters() {
        for (content_type, expected) in [
            ("application/x-protobuf", Form::Protobuf),
            ("application/protobuf;proto=opentelemetry", Form::Protobuf),
            ("APPLICATION/X-PROTOBUF", Form::Protobuf),
            ("Application/JSON; charset=utf-8", Form::Json),
            (" application/json ;", Form::Json),
        ] {
            assert_eq!(form(content_type), Some(Some(expected)), "{content_type}");
        }
        for other in ["text/plain", "application/grpc", "application/jsonl"] {
            assert_eq!(form(other), None, "{other}");
        }
    }

    #[test]
    fn without_a_media_type_the_body_decides() {
        assert_eq!(form(""), Some(None));
        assert_eq!(form("; charset=utf-8"), Some(None));
        assert_eq!(Form::parse(&HeaderMap::new()).ok(), Some(None));
        for json in [
            "",
            "{}",
            "\n{}",
            "\n\n{\"resourceSpans\": []}",
            "\u{FEFF}{}",
            "<p>",
        ] {
            assert_eq!(Form::detect(json.as_bytes()), Form::Json, "{json:?}");
        }
        // The second byte would be the length of a message, which is complete.
        let json = format!("\n{{\"resourceSpans\": [{}]}}", " ".repeat(103));
        assert!(protobuf::is_request(json.as_bytes()));
        assert_eq!(Form::detect(json.as_bytes()), Form::Json);
        // Two empty `ResourceSpans`, and an unknown field of one.
        assert_eq!(Form::detect(b"\n\0\n\0"), Form::Protobuf);
        assert_eq!(Form::detect(b"\n\x02\x78\x01"), Form::Protobuf);
    }
}
