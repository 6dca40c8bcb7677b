//! The main functions of the Lambda binaries.

use std::convert::Infallible;
use std::pin::Pin;

use aws_lambda_events::event::dynamodb::{Event, TimeWindowEvent};
use lambda_http::{Request, service_fn};
use lambda_runtime::{Error, LambdaEvent};
use shared::config::{self, DEFAULT_TABLE, TABLE_VARIABLE};
use shared::counters::Counter;
use shared::reap::Reaper;
use shared::store::Store;
use tracing::Level;

use crate::app::App;
use crate::authorizer::{self, AuthorizerEvent};
use crate::reply::Reply;
use crate::route::{Route, Transfer};
use crate::stream;

/// Boxed, because the future of a whole request is too deep a type to stand in
/// that of `main`.
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Reply, Infallible>> + Send + 'a>>;

/// Serves one route on the Lambda Runtime API, until Lambda ends the process.
///
/// # Errors
/// Those of the Runtime API, or that there is no such route.
pub async fn serve_route(name: &str) -> Result<(), Error> {
    log_as_lambda_reads();
    let route = Route::named(name).ok_or_else(|| format!("no route has the name {name}"))?;
    let app = App::new(store().await);
    let app = &app;
    let answer = |request: Request| -> Answer<'_> {
        Box::pin(async move { Ok(route.answer(app, &request).await) })
    };
    match route.transfer {
        Transfer::Streamed if gateway_streams() => {
            lambda_http::run_with_streaming_response(service_fn(answer)).await
        }
        _ => lambda_http::run(service_fn(answer)).await,
    }
}

/// Serves the authorizer on the Lambda Runtime API.
///
/// # Errors
/// Those of the Runtime API.
pub async fn serve_authorizer() -> Result<(), Error> {
    log_as_lambda_reads();
    let store = store().await;
    let store = &store;
    let authorize =
        |event: LambdaEvent<AuthorizerEvent>| Box::pin(authorizer::authorize(store, event));
    lambda_runtime::run(service_fn(authorize)).await
}

/// Serves the consumer of the table's stream that keeps the counters.
///
/// # Errors
/// Those of the Runtime API.
pub async fn serve_count() -> Result<(), Error> {
    log_as_lambda_reads();
    let counter = Counter::new(store().await);
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
    log_as_lambda_reads();
    let reaper = Reaper::new(store().await);
    let reaper = &reaper;
    let reap = |event: LambdaEvent<Event>| Box::pin(stream::reap(reaper, event));
    lambda_runtime::run(service_fn(reap)).await
}

/// Logs lines of JSON, each with its time: Lambda takes a line without one for
/// `INFO`, and would drop an error at a higher level. The runtime crate's own
/// subscriber leaves the time out.
fn log_as_lambda_reads() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL");
    let level = level.ok().and_then(|level| level.parse().ok());
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level.unwrap_or(Level::INFO))
        .init();
}

async fn store() -> Store {
    let table = std::env::var(TABLE_VARIABLE);
    let table = table.as_deref().unwrap_or(DEFAULT_TABLE);
    Store::new(config::client(None).await, table)
}

/// `sam local` sets this variable, and does not know streamed answers.
fn gateway_streams() -> bool {
    std::env::var_os("AWS_SAM_LOCAL").is_none()
}
