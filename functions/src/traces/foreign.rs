//! Recognises bodies that are not traces in the stated encoding, and says what to send instead.
//!
//! Exporters log the answer and do not try again, so the answer has to name the mistake.

use std::fmt::Display;

use bytes::Bytes;
use prost::{DecodeError, Message};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::json::is_named;
use super::protobuf;
use super::spans::ReadSpans;

const EXPECTED_JSON: &str =
    r#"Expected a JSON object with the field resourceSpans, such as {"resourceSpans": []}."#;

const EXPECTED_PROTOBUF: &str = "Expected the protobuf message ExportTraceServiceRequest, with the \
                                 field resource_spans.";

/// How many members of an object are searched for known names.
const MAX_NAMES: usize = 50;

/// The reason for a body of which nothing can be read.
pub(super) fn nothing_readable(read: &ReadSpans) -> String {
    // Some reasons are sentences.
    let message = read.message();
    let message = message.trim_end_matches('.');
    format!("Nothing in the body can be read: {message}.")
}

/// Recognises JSON in a body that should be protobuf. No message begins with these characters.
pub(super) fn find_json(body: &[u8]) -> Option<String> {
    let is_json = body.starts_with(b"{") || body.starts_with(b"[") || body.starts_with(BOM);
    is_json.then(|| "The body is JSON. Send it with Content-Type: application/json.".to_owned())
}

/// The byte order mark of UTF-8.
pub(super) const BOM: &[u8] = "\u{FEFF}".as_bytes();

/// The reason for a body that cannot be decoded as protobuf.
pub(super) fn find_other(body: &[u8], error: &DecodeError) -> String {
    find_json(body.trim_ascii_start())
        .or_else(|| find_compressed(body))
        .or_else(|| find_markup(body))
        .unwrap_or_else(|| format!("The body is not valid protobuf: {error}. {EXPECTED_PROTOBUF}"))
}

/// The reason for a body that cannot be parsed as JSON.
pub(super) fn find_no_json(body: &[u8], error: &dyn Display) -> String {
    if protobuf::is_request(body) {
        return "The body is protobuf. Send it with Content-Type: application/x-protobuf."
            .to_owned();
    }
    find_compressed(body)
        .or_else(|| find_markup(body))
        .unwrap_or_else(|| format!("The body is not valid JSON: {error}. {EXPECTED_JSON}"))
}

fn find_compressed(body: &[u8]) -> Option<String> {
    let formats: [(&[u8], &str); 2] = [(b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd")];
    let (_, name) = formats.iter().find(|(magic, _)| body.starts_with(magic))?;
    Some(format!(
        "The body is compressed. Send it with Content-Encoding: {name}."
    ))
}

fn find_markup(body: &[u8]) -> Option<String> {
    let is_markup = body.trim_ascii_start().starts_with(b"<");
    is_markup.then(|| format!("The body is HTML or XML. {EXPECTED_JSON}"))
}

/// The reason for a JSON document that is no request for traces.
pub(super) fn find_in_json(document: &str) -> String {
    let names = serde_json::from_str::<Names>(document).unwrap_or_default();
    let has = |name: &str| names.members.iter().any(|member| is_named(member, name));
    let other = match names.is_list {
        _ if has("resourceLogs") => "The body has logs, and this endpoint takes only traces.",
        _ if has("resourceMetrics") => "The body has metrics, and this endpoint takes only traces.",
        _ if has("resourceProfiles") => {
            "The body has profiles, and this endpoint takes only traces."
        }
        false if has("resourceSpans") => "The field resourceSpans is not a list.",
        true if has("resourceSpans") => "The body is a list of requests. Send them one by one.",
        true if has("traceId") && (has("localEndpoint") || has("id")) => {
            "The body has spans in the format of Zipkin, and this endpoint takes only OTLP."
        }
        false if has("data") || has("process") || has("processes") => {
            "The body has spans in the format of Jaeger, and this endpoint takes only OTLP."
        }
        false if has("spans") || has("scopeSpans") => "The body has spans outside resourceSpans.",
        _ => "The body is not a request for traces in OTLP.",
    };
    format!("{other} {EXPECTED_JSON}")
}

/// Returns the names of the members of a document. For a list, it uses the first object.
#[derive(Default)]
struct Names {
    is_list: bool,
    members: Vec<String>,
}

impl<'de> serde::Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor;

        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = Names;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object or a list of objects")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Names::default();
                while let Some((name, IgnoredAny)) = map.next_entry::<String, _>()? {
                    if names.members.len() < MAX_NAMES {
                        names.members.push(name);
                    }
                }
                Ok(names)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let first: Option<Value> = list.next_element()?;
                while list.next_element::<IgnoredAny>()?.is_some() {}
                let members = match first {
                    Some(Value::Object(members)) => members.into_iter().map(|it| it.0).collect(),
                    _ => Vec::new(),
                };
                Ok(Names {
                    is_list: true,
                    members,
                })
            }
        }

        deserializer.deserialize_any(NamesVisitor)
    }
}

/// Recognises logs and metrics. Their messages have the layers and field numbers of traces, so that
/// only what should be a span shows the difference.
pub(super) fn find_signal(span: &[u8]) -> Option<String> {
    let is_log = LogRecord::decode(span).is_ok_and(|log| log.has_time());
    let signal = match is_log {
        true => "logs",
        false if Metric::decode(span).is_ok_and(|metric| metric.is_valid()) => "metrics",
        false => return None,
    };
    Some(format!(
        "The body has {signal}, and this endpoint takes only traces. {EXPECTED_PROTOBUF}"
    ))
}

/// The fields of a `LogRecord` that have another type in a span.
#[derive(Clone, PartialEq, Message)]
struct LogRecord {
    #[prost(fixed64, tag = "1")]
    time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    severity_number: i32,
    #[prost(fixed64, tag = "11")]
    observed_time_unix_nano: u64,
}

impl LogRecord {
    fn has_time(&self) -> bool {
        self.time_unix_nano != 0 || self.observed_time_unix_nano != 0
    }
}

/// A `Metric`, as far as it is needed to recognise one.
#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "5")]
    gauge: Option<Points>,
    #[prost(message, optional, tag = "7")]
    sum: Option<Points>,
    #[prost(message, optional, tag = "9")]
    histogram: Option<Points>,
    #[prost(message, optional, tag = "10")]
    exponential_histogram: Option<Points>,
    #[prost(message, optional, tag = "11")]
    summary: Option<Points>,
}

#[derive(Clone, PartialEq, Message)]
struct Points {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    points: Vec<Bytes>,
}

impl Metric {
    /// Whether it has a readable name and exactly one kind of points, as every metric has.
    fn is_valid(&self) -> bool {
        let kinds = [
            &self.gauge,
            &self.sum,
            &self.histogram,
            &self.exponential_histogram,
            &self.summary,
        ];
        let mut kinds = kinds.into_iter().flatten();
        let has_points = kinds.next().is_some_and(|it| !it.points.is_empty());
        let is_text = !self.name.is_empty() && !self.name.contains(char::is_control);
        has_points && is_text && kinds.next().is_none()
    }
}
