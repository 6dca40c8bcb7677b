//! The main functions of the Lambda binaries.

use std::convert::Infallible;
use std::pin::Pin;

use aws_lambda_events::event::dynamodb::{Event, TimeWindowEvent};
use futures_util::StreamExt;
use http::header::ACCEPT_ENCODING;
use http_body::Body as _;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Request, StreamAdapter, service_fn};
use lambda_runtime::{Error, FunctionResponse, LambdaEvent, Service};
use serde_json::Value;
use shared::auth::{Authenticator, OidcSettings, SignInSettings};
use shared::config::{DEFAULT_TABLE, TABLE_VARIABLE};
use shared::counters::Counter;
use shared::run_changes::Reaper;
use shared::store::Store;
use shared::sweep::Sweeper;

use crate::app::App;
use crate::authorizer::{self, AuthorizerEvent};
use crate::client;
use crate::cors::AllowedOrigins;
use crate::log;
use crate::pages;
use crate::problem::Problem;
use crate::reply::{self, Body, Reply};
use crate::route::{Route, Transfer, request_id};
use crate::step_functions::{self, QueueEvent, TEAM_VARIABLE};
use crate::stream;
use crate::sweep;
use shared::step_functions::Importer;

/// The largest stream that is sent as one buffered response, in bytes. With its quotes and line
/// ends escaped in Lambda's JSON it must stay below 6 MB.
pub const MAX_WHOLE_BYTES: usize = 3 * 1024 * 1024;

/// The future of a request. It is boxed, because its type is nested too deeply for the type of
/// `main`.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Reply, Infallible>> + Send + 'a>>;

/// Serves one route on the Lambda Runtime API, until Lambda ends the process.
///
/// Without an authorizer in front, it accepts only tokens. Only the authorizer and the local server
/// accept JWTs.
///
/// # Errors
/// Returns an error if the Runtime API fails, or if an allowed origin is not valid.
pub async fn serve_route(route: &'static Route) -> Result<(), Error> {
    let app = App::new(start()).allowing(AllowedOrigins::from_environment()?);
    let app = &app;
    let answer = |request: Request| -> Answer<'_> {
        Box::pin(async move { Ok(route.answer(app, &request).await.map(or_exit)) })
    };
    let answer_buffered = |request: Request| -> Answer<'_> {
        Box::pin(async move { Ok(answer_buffered(route, app, request).await) })
    };
    match route.transfer {
        Transfer::Buffered => lambda_http::run(service_fn(answer_buffered)).await,
        Transfer::Streamed => stream_if_supported(answer, answer_buffered).await,
    }
}

/// Serves the files of the console, which need neither a table nor a caller.
///
/// # Errors
/// Returns an error if the Runtime API fails, or if the settings of the sign-in are not valid.
pub async fn serve_console() -> Result<(), Error> {
    let console = pages::console(SignInSettings::from_environment()?.as_ref())?;
    let console = &console;
    let answer = |request: Request| -> Answer<'_> {
        Box::pin(async move { Ok(pages::answer(console, &request)) })
    };
    // A gateway that buffers responses gets them as text, so they must not be compressed.
    let answer_buffered = |mut request: Request| -> Answer<'_> {
        request.headers_mut().remove(ACCEPT_ENCODING);
        Box::pin(async move { Ok(pages::answer(console, &request)) })
    };
    stream_if_supported(answer, answer_buffered).await
}

/// Streams the responses, except to gateways that do not support streams: these get buffered ones.
async fn stream_if_supported<'a>(
    answer: impl Fn(Request) -> Answer<'a> + Copy,
    answer_buffered: impl Fn(Request) -> Answer<'a> + Copy + Send,
) -> Result<(), Error> {
    if !gateway_streams() {
        return lambda_http::run(service_fn(answer_buffered)).await;
    }
    let serve = |event: LambdaEvent<LambdaRequest>| async move {
        if needs_buffer(&event.payload) {
            let mut service = Adapter::from(service_fn(answer_buffered));
            let buffered = service.call(event).await;
            return buffered.map(FunctionResponse::BufferedResponse);
        }
        let mut service = StreamAdapter::from(service_fn(answer));
        let stream = service.call(event).await;
        stream.map(FunctionResponse::StreamingResponse)
    };
    lambda_runtime::run(service_fn(serve)).await
}

/// Ends the process, and so the invocation, if the body fails.
///
/// Lambda's runtime crate (1.5) would write the failure into the body as trailers, and end the body
/// normally, so the gateway would take it for complete. If the process exits, the response is cut
/// off, and Lambda counts an error.
fn or_exit(body: Body) -> Body {
    let frames = BodyStream::new(body).inspect(|frame| {
        if frame.is_err() {
            std::process::exit(1);
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Answers a request with a buffered response.
///
/// Lambda passes a buffered response as text. Compressed bytes would be encoded in base64, which
/// not every gateway decodes, so nothing is compressed here.
async fn answer_buffered(route: &Route, app: &App, mut request: Request) -> Reply {
    request.headers_mut().remove(ACCEPT_ENCODING);
    let reply = route.answer(app, &request).await;
    match collect(reply).await {
        Ok(reply) => reply,
        // The stream has already logged its failure.
        Err(problem) => {
            let mut reply = reply::logged_problem(&problem, &request_id(&request));
            reply::guard(reply.headers_mut());
            reply
        }
    }
}

/// Reads the whole body of a response into memory.
///
/// # Errors
/// [`Problem::ExportTooLarge`] for a stream of more than [`MAX_WHOLE_BYTES`], and the errors of
/// the stream.
pub async fn collect(reply: Reply) -> Result<Reply, Problem> {
    if reply.size_hint().exact().is_some() {
        return Ok(reply);
    }
    let (parts, mut body) = reply.into_parts();
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame?.into_data() else {
            continue;
        };
        if whole.len() + chunk.len() > MAX_WHOLE_BYTES {
            return Err(Problem::ExportTooLarge);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(Reply::from_parts(parts, reply::whole(whole)))
}

/// Serves the authorizer on the Lambda Runtime API.
///
/// # Errors
/// Returns an error if the Runtime API fails, or if the settings of the JWT issuer are not valid.
pub async fn serve_authorizer() -> Result<(), Error> {
    let mut authenticator = Authenticator::new(start());
    if let Some(settings) = OidcSettings::from_environment()? {
        authenticator = authenticator.with_jwts(settings);
    }
    let authenticator = &authenticator;
    let authorize =
        |event: LambdaEvent<AuthorizerEvent>| Box::pin(authorizer::authorize(authenticator, event));
    lambda_runtime::run(service_fn(authorize)).await
}

/// Serves the consumer of the table's stream that maintains the counters.
///
/// # Errors
/// Returns an error if the Runtime API fails.
pub async fn serve_count() -> Result<(), Error> {
    let counter = Counter::new(start());
    let counter = &counter;
    let count = |event: LambdaEvent<TimeWindowEvent>| Box::pin(stream::count(counter, event));
    lambda_runtime::run(service_fn(count)).await
}

/// Serves the consumer of the table's stream that completes removals and cancellations.
///
/// # Errors
/// Returns an error if the Runtime API fails.
pub async fn serve_reap() -> Result<(), Error> {
    let reaper = Reaper::new(start());
    let reaper = &reaper;
    let reap = |event: LambdaEvent<Event>| Box::pin(stream::reap(reaper, event));
    lambda_runtime::run(service_fn(reap)).await
}

/// Serves the sweeper, which closes runs whose time limit has passed.
///
/// # Errors
/// Returns an error if the Runtime API fails.
pub async fn serve_sweep() -> Result<(), Error> {
    let sweeper = Sweeper::new(start());
    let sweeper = &sweeper;
    let sweep = |event: LambdaEvent<Value>| Box::pin(sweep::sweep(sweeper, event));
    lambda_runtime::run(service_fn(sweep)).await
}

/// Serves the importer of AWS Step Functions executions.
///
/// # Errors
/// Returns an error if the Runtime API fails, or if the team is not a valid id.
pub async fn serve_import_state_machine_execution() -> Result<(), Error> {
    let team = std::env::var(TEAM_VARIABLE);
    let team_id = team.as_deref().unwrap_or("default").parse()?;
    let importer = Importer::new(start(), client::step_functions(), team_id);
    let importer = &importer;
    let import = |event: LambdaEvent<QueueEvent>| Box::pin(step_functions::import(importer, event));
    lambda_runtime::run(service_fn(import)).await
}

/// Starts the log, and opens the table.
fn start() -> Store {
    let table = std::env::var(TABLE_VARIABLE);
    let table = table.as_deref().unwrap_or(DEFAULT_TABLE);
    log::begin(table);
    Store::new(client::client(), table)
}

/// Whether the gateway supports streamed responses. `sam local`, which sets this variable, does
/// not.
fn gateway_streams() -> bool {
    std::env::var_os("AWS_SAM_LOCAL").is_none()
}

/// Whether the response must be buffered. An HTTP API buffers every response, and does not
/// understand the format of a streamed one. A function URL does; its events look the same except
/// for the domain.
fn needs_buffer(event: &LambdaRequest) -> bool {
    let LambdaRequest::ApiGatewayV2(event) = event else {
        return false;
    };
    let domain = event.request_context.domain_name.as_deref();
    !domain.is_some_and(|domain| domain.contains(".lambda-url."))
}
