//! Ingests traces by OTLP, the protocol of OpenTelemetry's exporters: over HTTP in both of its
//! encodings (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), and the messages of gRPC.

mod body;
pub(crate) mod description;
mod foreign;
mod form;
pub mod grpc;
mod json;
mod protobuf;
mod receipt;
mod spans;

use http::HeaderMap;
use lambda_http::Request;
use shared::auth::Caller;
use shared::otlp::write_spans;
use shared::store::Store;

use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::route::request_id;
pub(crate) use body::PARAMETERS;
pub use form::Form;
pub use receipt::{Dropped, Listed, Protocol, Receipt};
pub use spans::ReadSpans;

/// The name of the route of `POST /v1/traces`.
pub const ROUTE: &str = "ingest_traces";

/// The largest body as it is sent, in bytes. Lambda accepts events of up to 6 MB, in which binary
/// bodies are base64, so at most about 4.5 MB of a body reach a function.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The largest decompressed body, in bytes. A function with 1 GB of memory can hold its spans and
/// the records for them.
pub const MAX_UNPACKED_BYTES: usize = 16 * 1024 * 1024;

/// The largest span in a body, in bytes. A body is decoded span by span, so that the decoded body
/// is never in memory as a whole.
const MAX_SPAN_BYTES: usize = 4 * 1024 * 1024;

/// `POST /v1/traces`: writes the spans of a request. Each trace becomes a run. The response has a
/// [`Receipt`] as an extension, also if [`write_spans`] fails.
///
/// # Errors
/// Returns an error if the headers or the body are not valid.
pub async fn ingest_traces(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let form = Form::parse(request.headers())?;
    let body = body::decompress(request)?;
    let form = form.unwrap_or_else(|| Form::detect(&body));
    let mut read = form.read(body)?;
    let mut receipt = Receipt::of_body(Protocol::of(request, form), &read);
    let spans = std::mem::take(&mut read.spans);
    let valid = spans.len();
    let mut reply = match write_spans(store, caller, spans).await {
        Ok(written) => {
            read.rejections.add_all(&written.rejections);
            receipt.complete(valid, &read, &written.runs);
            form.reply(&read)?
        }
        // The response says what was in the body, even if it was not written.
        Err(error) => problem_for(request.headers(), &error.into(), &request_id(request)),
    };
    reply.extensions_mut().insert(receipt);
    Ok(reply)
}

/// The error response for a problem, in the encoding of the request with these headers. For
/// protobuf it is a `google.rpc.Status`.
pub fn problem_for(headers: &HeaderMap, problem: &Problem, request_id: &str) -> Reply {
    let reply = reply::problem(problem, request_id);
    match Form::parse(headers) {
        Ok(Some(Form::Protobuf)) => form::status(problem, request_id, reply),
        _ => reply,
    }
}
