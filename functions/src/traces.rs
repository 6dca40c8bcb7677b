//! Taking traces in: OTLP over HTTP, the protocol of OpenTelemetry's exporters
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), in both of its forms.

mod body;
pub(crate) mod description;
mod form;
mod json;
mod protobuf;
mod spans;

use http::HeaderMap;
use lambda_http::Request;
use shared::auth::Caller;
use shared::store::Store;
use shared::traces::write_spans;

use crate::parameters::invalid;
use crate::problem::Problem;
use crate::reply::{self, Reply};
use form::Form;

/// The largest body, in bytes, as it comes. Lambda takes events of up to 6 MB, in which
/// what is no text is base64, so that no more than some 4.5 MB of it reach a function.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The largest body, in bytes, unpacked: what a function of 1 GB has room for as spans
/// and as records.
pub const MAX_UNPACKED_BYTES: usize = 16 * 1024 * 1024;

/// The largest span in a body, in bytes. A body is read span by span, so that it does not
/// grow in memory as whole as it comes.
const MAX_SPAN_BYTES: usize = 4 * 1024 * 1024;

/// `POST /v1/traces`: writes the spans of a request into the runs that their traces are.
///
/// # Errors
/// Those of the headers and the body, and of [`write_spans`].
pub async fn ingest_traces(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let form = Form::of(request.headers())?;
    let body = body::unpacked(request)?;
    let read = match form {
        Form::Protobuf => protobuf::spans(body),
        Form::Json => json::spans(&body),
    };
    let read = read.map_err(|error| invalid("body", format!("It is no OTLP: {error}.")))?;
    let mut rejections = read.rejections;
    rejections.add_all(&write_spans(store, caller, read.spans).await?);
    form.reply(&rejections)
}

/// The answer that tells of a problem, in the form of the request that has these headers:
/// to protobuf as a `google.rpc.Status`.
pub fn problem_for(headers: &HeaderMap, problem: &Problem, request_id: &str) -> Reply {
    let reply = reply::problem(problem, request_id);
    match Form::of(headers) {
        Ok(Form::Protobuf) => form::status(problem, request_id, reply),
        _ => reply,
    }
}
