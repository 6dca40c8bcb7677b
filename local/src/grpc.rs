//! OTLP over gRPC, on a port of its own.
//!
//! A call with spans is answered by the route of `POST /v1/traces`: authentication, limits, the
//! log line and the response are those of the route. Only the transport is different: the message
//! is in a frame, and the status of the call is in the trailers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use functions::app::App;
use functions::bodies::BodyBudget;
use functions::problem::Problem;
use functions::reply::{Refusal, Reply};
use functions::route::{RequestId, Route};
use functions::routes::ROUTES;
use functions::traces::grpc::{self, Code};
use functions::traces::{self, problem_for};
use http_body_util::{BodyExt, Full};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::arrivals;
use crate::connections::discard;
use crate::hosts::AllowedHosts;
use crate::mistakes::{Mistake, Mistakes};
use crate::server::{REQUEST_ID, guarded, new_request_id, respond};

mod message;

use message::{frame, parse_timeout, read_message};

/// The port of gRPC, as registered for OTLP.
pub const DEFAULT_PORT: u16 = 4317;

/// The package of OTLP's services.
const SERVICES: &str = "/opentelemetry.proto.collector.";

/// The method that sends spans.
pub(crate) const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const TIMEOUT: &str = "grpc-timeout";

/// What `grpc-message` escapes, besides what is not ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// The server of the port.
#[derive(Debug, Clone)]
pub struct Server {
    /// The table.
    pub app: Arc<App>,
    /// The memory for the messages, which the other ports use as well.
    pub budget: BodyBudget,
    /// The accepted hosts.
    pub allowed_hosts: AllowedHosts,
    /// What other requests get.
    pub mistakes: Arc<Mistakes>,
}

/// The router of the port.
pub fn router(server: Server) -> Router {
    let arrivals = server.mistakes.arrivals();
    let router = Router::new().fallback(answer).with_state(Arc::new(server));
    arrivals::recorded(guarded(router), arrivals)
}

/// Whether a request is a call of gRPC.
pub fn is_call(request: &Request) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    let content_type = content_type.map_or(&b""[..], HeaderValue::as_bytes);
    let rest = content_type.strip_prefix(b"application/grpc");
    let is_type = rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')));
    is_type && request.version() == Version::HTTP_2
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let request_id = new_request_id();
    let refused = server
        .allowed_hosts
        .refused(request.uri(), request.headers());
    let wrong_host = refused.map(|host| Problem::WrongHost { host });
    if !is_call(&request) {
        let problem = wrong_host.unwrap_or_else(|| server.wrong_port());
        // The same encoding as a response of `POST /v1/traces`.
        let reply = problem_for(request.headers(), &problem, &request_id);
        return respond(reply, &request_id);
    }
    if let Some(problem) = wrong_host {
        let code = Code::from_status(problem.status());
        return end(code, &problem.message(&request_id), &request_id);
    }
    match request.uri().path() {
        EXPORT => server.export(request, request_id).await,
        path => end(Code::Unimplemented, other_method(path), &request_id),
    }
}

/// What to do about a method that is not [`EXPORT`].
fn other_method(path: &str) -> &'static str {
    let service = path.strip_prefix(SERVICES);
    let service = service.and_then(|rest| rest.split('.').next());
    match service {
        Some("metrics") => {
            "Flowtrail takes only traces, not metrics. Set OTEL_METRICS_EXPORTER=none."
        }
        Some("logs") => "Flowtrail takes only traces, not logs. Set OTEL_LOGS_EXPORTER=none.",
        Some("profiles") => "Flowtrail takes only traces, not profiles.",
        _ => {
            "This port has only the method Export of \
             opentelemetry.proto.collector.trace.v1.TraceService."
        }
    }
}

impl Server {
    /// What to do about a request that is not a call.
    fn wrong_port(&self) -> Problem {
        self.mistakes.log(Mistake::NoGrpc);
        let message = self.mistakes.message(Mistake::NoGrpc);
        Problem::WrongPort { message }
    }

    /// Answers a call with spans.
    async fn export(&self, request: Request, request_id: String) -> Response {
        let Some(route) = ROUTES.iter().find(|route| route.name == traces::ROUTE) else {
            return end(Code::Unimplemented, other_method(""), &request_id);
        };
        let deadline = match request.headers().get(TIMEOUT).map(parse_timeout) {
            None => Duration::MAX,
            Some(Some(deadline)) => deadline,
            Some(None) => {
                let message = "The header grpc-timeout is not valid. Send a number of at most \
                               eight digits and a unit, such as 10S.";
                return end(Code::InvalidArgument, message, &request_id);
            }
        };
        let reply = self.pass_on(route, request, &request_id);
        match tokio::time::timeout(deadline, reply).await {
            Ok(reply) => end_with(reply, &request_id).await,
            Err(_) => {
                let message = "The spans were not written within the deadline of the call. Export \
                               fewer at a time, or with a longer timeout.";
                end(Code::DeadlineExceeded, message, &request_id)
            }
        }
    }

    /// Passes a call on to the route as a request over HTTP.
    async fn pass_on(&self, route: &Route, request: Request, request_id: &str) -> Reply {
        let (parts, mut body) = request.into_parts();
        let mut passed = lambda_http::Request::new(lambda_http::Body::Empty);
        *passed.method_mut() = route.method.clone();
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        passed.headers_mut().insert(CONTENT_TYPE, protobuf);
        for authorization in parts.headers.get_all(AUTHORIZATION) {
            let authorization = authorization.clone();
            passed.headers_mut().append(AUTHORIZATION, authorization);
        }
        let extensions = passed.extensions_mut();
        extensions.insert(RequestId(request_id.to_owned()));
        extensions.insert(grpc::Message);
        let read = async {
            let encoding = parts.headers.get(grpc::ENCODING);
            let (message, reservation) = read_message(&mut body, encoding, &self.budget).await?;
            Ok((lambda_http::Body::from(Vec::from(message)), reservation))
        };
        let reply = route.answer_reading(&self.app, passed, read).await;
        discard(&mut body, &parts.headers).await;
        reply
    }
}

/// Ends a call with the response of the route.
async fn end_with(reply: Reply, request_id: &str) -> Response {
    let code = Code::from_status(reply.status());
    let (parts, body) = reply.into_parts();
    let Ok(message) = body.collect().await.map(|body| body.to_bytes()) else {
        return end(
            Code::Internal,
            "The response is incomplete. Retry.",
            request_id,
        );
    };
    let mut response = match parts.extensions.get::<Refusal>() {
        None => end_with_message(&message, request_id),
        Some(refusal) => {
            let mut response = end(code, &refusal.message, request_id);
            let headers = response.headers_mut();
            // The body of a refusal is a `google.rpc.Status`.
            if let Ok(details) = HeaderValue::try_from(BASE64.encode(message)) {
                headers.insert(DETAILS, details);
            }
            if let Some(retry_after) = parts.headers.get(RETRY_AFTER) {
                headers.insert(RETRY_AFTER, retry_after.clone());
            }
            response
        }
    };
    response.extensions_mut().extend(parts.extensions);
    response
}

/// Ends a call that succeeded with its message, and the status in the trailers.
fn end_with_message(message: &Bytes, request_id: &str) -> Response {
    let status = HeaderValue::from(Code::Ok as i32);
    let trailers = HeaderMap::from_iter([(STATUS, status)]);
    let body = Full::new(frame(message)).with_trailers(async { Some(Ok(trailers)) });
    respond_to_call(Body::new(body), request_id)
}

/// Ends a call with this status, without a message: the response has only headers.
pub(crate) fn end(code: Code, message: &str, request_id: &str) -> Response {
    let mut response = respond_to_call(Body::empty(), request_id);
    let refusal = Refusal {
        code: code.name(),
        message: message.to_owned(),
    };
    response.extensions_mut().insert(refusal);
    let headers = response.headers_mut();
    headers.insert(STATUS, HeaderValue::from(code as i32));
    let message = utf8_percent_encode(message, ESCAPED).to_string();
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert(MESSAGE, message);
    }
    response
}

fn respond_to_call(body: Body, request_id: &str) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(grpc::ENCODINGS));
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, request_id);
    }
    response
}
