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
use shared::reap::Reaper;
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
use crate::step_functions::{self, Importer, QueueEvent, TEAM_VARIABLE};
use crate::stream;
use crate::sweep;

/// The most bytes of a stream that are sent whole: with its quotes and ends of
/// lines escaped in Lambda's JSON it has to stay below 6 MB.
pub const MAX_WHOLE_BYTES: usize = 3 * 1024 * 1024;

/// Boxed, because the future of a whole request is too deep a type to stand in
/// that of `main`.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Reply, Infallible>> + Send + 'a>>;

/// Serves one route on the Lambda Runtime API, until Lambda ends the process.
///
/// Without an authorizer before it, it takes tokens; JWTs are the authorizer's and
/// the local server's.
///
/// # Errors
/// Those of the Runtime API, and origins that are none.
pub async fn serve_route(route: &'static Route) -> Result<(), Error> {
    let app = App::new(begin()).allowing(AllowedOrigins::from_environment()?);
    let app = &app;
    let answer = |request: Request| -> Answer<'_> {
        Box::pin(async move { Ok(route.answer(app, &request).await.map(or_exit)) })
    };
    let answer_whole = |request: Request| -> Answer<'_> {
        Box::pin(async move { Ok(answer_whole(route, app, request).await) })
    };
    match route.transfer {
        Transfer::Buffered => lambda_http::run(service_fn(answer_whole)).await,
        Transfer::Streamed => stream_where_possible(answer, answer_whole).await,
    }
}

/// Serves the files of the console, which need neither a table nor a caller.
///
/// # Errors
/// Those of the Runtime API, and that the sign-in is not well configured.
pub async fn serve_console() -> Result<(), Error> {
    let console = pages::console(SignInSettings::from_environment()?.as_ref())?;
    let console = &console;
    let answer = |request: Request| -> Answer<'_> {
        Box::pin(async move { Ok(pages::answer(console, &request)) })
    };
    // Compressed bytes are no text, which is what a gateway gets that wants it whole.
    let answer_whole = |mut request: Request| -> Answer<'_> {
        request.headers_mut().remove(ACCEPT_ENCODING);
        Box::pin(async move { Ok(pages::answer(console, &request)) })
    };
    stream_where_possible(answer, answer_whole).await
}

/// Answers with a stream, and whole to a gateway that does not know streams.
async fn stream_where_possible<'a>(
    answer: impl Fn(Request) -> Answer<'a> + Copy,
    answer_whole: impl Fn(Request) -> Answer<'a> + Copy + Send,
) -> Result<(), Error> {
    if !gateway_streams() {
        return lambda_http::run(service_fn(answer_whole)).await;
    }
    let serve = |event: LambdaEvent<LambdaRequest>| async move {
        if wants_whole(&event.payload) {
            let mut service = Adapter::from(service_fn(answer_whole));
            let whole = service.call(event).await;
            return whole.map(FunctionResponse::BufferedResponse);
        }
        let mut service = StreamAdapter::from(service_fn(answer));
        let stream = service.call(event).await;
        stream.map(FunctionResponse::StreamingResponse)
    };
    lambda_runtime::run(service_fn(serve)).await
}

/// A body whose failure ends the process, and with it the invocation.
///
/// Lambda's runtime crate (1.5) would write a failure into the body itself, in the
/// form of trailers, and end the body well: the gateway would take it for whole. A
/// process that ends cuts it off, and Lambda counts an error.
fn or_exit(body: Body) -> Body {
    let frames = BodyStream::new(body).inspect(|frame| {
        if frame.is_err() {
            std::process::exit(1);
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Answers with a body that is in hand.
///
/// A gateway that wants an answer whole has it from Lambda as a text, and packs
/// what is none into base64, which not every gateway unpacks. So nothing is
/// compressed for it.
async fn answer_whole(route: &Route, app: &App, mut request: Request) -> Reply {
    request.headers_mut().remove(ACCEPT_ENCODING);
    let reply = route.answer(app, &request).await;
    match collect(reply).await {
        Ok(reply) => reply,
        // The stream has logged its failure.
        Err(problem) => reply::logged_problem(&problem, &request_id(&request)),
    }
}

/// The same answer with its body in hand.
///
/// # Errors
/// [`Problem::ExportTooLarge`] for a stream of more than [`MAX_WHOLE_BYTES`], and
/// those of the stream.
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
/// Those of the Runtime API, and that the issuer of JWTs is not well configured.
pub async fn serve_authorizer() -> Result<(), Error> {
    let mut authenticator = Authenticator::new(begin());
    if let Some(settings) = OidcSettings::from_environment()? {
        authenticator = authenticator.taking_jwts(settings);
    }
    let authenticator = &authenticator;
    let authorize =
        |event: LambdaEvent<AuthorizerEvent>| Box::pin(authorizer::authorize(authenticator, event));
    lambda_runtime::run(service_fn(authorize)).await
}

/// Serves the consumer of the table's stream that keeps the counters.
///
/// # Errors
/// Those of the Runtime API.
pub async fn serve_count() -> Result<(), Error> {
    let counter = Counter::new(begin());
    let counter = &counter;
    let count = |event: LambdaEvent<TimeWindowEvent>| Box::pin(stream::count(counter, event));
    lambda_runtime::run(service_fn(count)).await
}

/// Serves the consumer of the table's stream that follows what is removed and
/// cancelled.
///
/// # Errors
/// Those of the Runtime API.
pub async fn serve_reap() -> Result<(), Error> {
    let reaper = Reaper::new(begin());
    let reaper = &reaper;
    let reap = |event: LambdaEvent<Event>| Box::pin(stream::reap(reaper, event));
    lambda_runtime::run(service_fn(reap)).await
}

/// Serves the sweeper, which closes runs whose time is over.
///
/// # Errors
/// Those of the Runtime API.
pub async fn serve_sweep() -> Result<(), Error> {
    let sweeper = Sweeper::new(begin());
    let sweeper = &sweeper;
    let sweep = |event: LambdaEvent<Value>| Box::pin(sweep::sweep(sweeper, event));
    lambda_runtime::run(service_fn(sweep)).await
}

/// Serves the importer of executions of AWS Step Functions.
///
/// # Errors
/// Those of the Runtime API, and that the team is none.
pub async fn serve_import_state_machine_execution() -> Result<(), Error> {
    let team = std::env::var(TEAM_VARIABLE);
    let team_id = team.as_deref().unwrap_or("default").parse()?;
    let importer = Importer::new(begin(), client::step_functions(), team_id);
    let importer = &importer;
    let import = |event: LambdaEvent<QueueEvent>| Box::pin(step_functions::import(importer, event));
    lambda_runtime::run(service_fn(import)).await
}

/// Begins the log, and makes what every function works with.
fn begin() -> Store {
    let table = std::env::var(TABLE_VARIABLE);
    let table = table.as_deref().unwrap_or(DEFAULT_TABLE);
    log::begin(table);
    Store::new(client::client(), table)
}

/// `sam local` sets this variable, and does not know streamed answers.
fn gateway_streams() -> bool {
    std::env::var_os("AWS_SAM_LOCAL").is_none()
}

/// An HTTP API buffers every answer, and does not read the form of a streamed one.
/// A function's own URL, whose events look the same, does.
fn wants_whole(event: &LambdaRequest) -> bool {
    let LambdaRequest::ApiGatewayV2(event) = event else {
        return false;
    };
    let domain = event.request_context.domain_name.as_deref();
    !domain.is_some_and(|domain| domain.contains(".lambda-url."))
}
