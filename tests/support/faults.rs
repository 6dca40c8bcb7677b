//! A connection to the table that breaks when it is told to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::process::DEADLINE;

/// Less than an attempt of the SDK may take; twice as much is more.
const SLOW: Duration = Duration::from_secs(3);

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it is written, and its answer arrives.
    None,
    /// The table takes nothing of a batch.
    Unprocessed,
    /// The table refuses it for now.
    Throttled,
    /// The connection breaks before it is sent.
    Unsent,
    /// The connection breaks after it was written.
    Unanswered,
    /// It is written once the test lets it go on.
    Delayed,
    /// It is written, and its answer arrives once the test lets it go on.
    Interrupted,
    /// The process ends before it is sent.
    CrashBefore,
    /// The process ends after it was written.
    CrashAfter,
    /// The table refuses it for now, in other words.
    LimitExceeded,
    /// The table has a fault, and says so.
    InternalError,
    /// Something in between has one, and says so in HTML.
    BadGateway,
    /// No answer ever comes, and nothing is written.
    Silent,
    /// The answer comes late, and within its time.
    Slow,
    /// It is written, and its answer comes after its time.
    TooSlow,
    /// The connection breaks, and it is written later, once others have been.
    Ghost,
    /// It is written, and half of its answer arrives.
    Cut,
    /// The credentials have expired.
    Expired,
    /// Another transaction has the item.
    Conflict,
    /// The table takes half of a batch.
    HalfTaken,
}

impl Fault {
    /// All that a request of an operation can meet without the end of the process.
    pub fn all_of(operation: &str) -> impl Iterator<Item = Self> {
        let is_batch = operation == "BatchWriteItem";
        let writes = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];
        let is_write = writes.contains(&operation);
        let any = [
            Self::Throttled,
            Self::LimitExceeded,
            Self::InternalError,
            Self::BadGateway,
            Self::Unsent,
            Self::Unanswered,
            Self::Silent,
            Self::Slow,
            Self::TooSlow,
            Self::Cut,
            Self::Expired,
        ];
        any.into_iter()
            .chain(
                [Self::Unprocessed, Self::HalfTaken]
                    .into_iter()
                    .filter(move |_| is_batch),
            )
            .chain([Self::Conflict].into_iter().filter(move |_| is_write))
            .chain(
                [Self::Ghost]
                    .into_iter()
                    .filter(move |_| is_write || is_batch),
            )
    }

    /// Whether only a batch can meet it.
    fn is_of_a_batch(self) -> bool {
        matches!(self, Self::Unprocessed | Self::HalfTaken)
    }

    /// Whether another try of the very request, which the SDK makes, goes around it.
    pub fn passes_with_a_retry(self) -> bool {
        !matches!(self, Self::Cut | Self::Expired | Self::Conflict)
    }
}

/// Which requests meet a fault, whatever they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// How many requests go well before.
    pub after: usize,
    /// Whether all that follow meet it too.
    pub lasts: bool,
    pub fault: Fault,
}

/// A strike that is planned.
#[derive(Debug, Default)]
struct Planned {
    strike: Option<Strike>,
    /// Requests since it was planned.
    asked: usize,
}

impl Planned {
    fn next(&mut self) -> Option<Fault> {
        let position = self.asked;
        self.asked += 1;
        let strike = self.strike?;
        let is_met = match strike.lasts {
            true => position >= strike.after,
            false => position == strike.after,
        };
        is_met.then_some(strike.fault)
    }
}

/// A connection whose requests of some kinds meet faults, one after another.
#[derive(Debug, Clone)]
pub struct Faulty {
    inner: SharedHttpClient,
    operations: &'static [&'static str],
    faults: Arc<Mutex<VecDeque<Fault>>>,
    crashed: Arc<Notify>,
    goes_on: Arc<Notify>,
    queries: Arc<Mutex<Queries>>,
    gathered: Arc<Notify>,
    requests: Arc<Mutex<Vec<String>>>,
    planned: Arc<Mutex<Planned>>,
}

/// What becomes of Queries.
#[derive(Debug, Default)]
struct Queries {
    /// How many are answered before the connection breaks; all without it.
    left: Option<usize>,
    /// How many are under way.
    open: usize,
    /// The most that were, at any moment.
    most_open: usize,
    /// How many of a table have to be under way before the first is answered.
    gather: usize,
}

impl Queries {
    /// Takes a Query in; `false` where it breaks.
    fn begin(&mut self) -> bool {
        if self.left == Some(0) {
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        self.open += 1;
        self.most_open = self.most_open.max(self.open);
        true
    }
}

impl Faulty {
    /// A client like another, over a connection on which these operations meet
    /// faults, that tries nothing twice
    /// by itself.
    pub fn client(client: &Client, operations: &'static [&'static str]) -> (Self, Client) {
        // The default client is not in the configuration.
        let default = || aws_smithy_http_client::Builder::new().build_http();
        let inner = client.config().http_client().unwrap_or_else(default);
        let faulty = Self {
            inner,
            operations,
            faults: Arc::default(),
            crashed: Arc::default(),
            goes_on: Arc::default(),
            queries: Arc::default(),
            gathered: Arc::default(),
            requests: Arc::default(),
            planned: Arc::default(),
        };
        let config = client
            .config()
            .to_builder()
            .http_client(faulty.clone())
            .retry_config(RetryConfig::disabled())
            .build();
        (faulty, Client::from_conf(config))
    }

    /// The same client, which tries again by itself, as those in production do.
    pub fn persistent(client: &Client) -> Client {
        let config = client.config().to_builder();
        Client::from_conf(config.retry_config(RetryConfig::standard()).build())
    }

    /// What the next requests of these kinds meet.
    pub fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.faults.lock().expect("a lock") = faults.into_iter().collect();
    }

    /// The same client, which tries again as those in production do, however many
    /// requests have failed before: what fails in other tests of the process keeps none
    /// from it.
    pub fn patient(client: &Client) -> Client {
        let config = client.config().to_builder();
        let config = config.retry_config(shared::config::retries());
        Client::from_conf(config.retry_partition(own_retries()).build())
    }

    /// A client of the table's streams, over the same connection, as patient.
    pub fn streams(
        &self,
        client: &aws_sdk_dynamodbstreams::Client,
    ) -> aws_sdk_dynamodbstreams::Client {
        let config = client.config().to_builder().http_client(self.clone());
        let config = config.retry_partition(own_retries()).build();
        aws_sdk_dynamodbstreams::Client::from_conf(config)
    }

    /// A client like another, over the same connection.
    pub fn over(&self, client: &Client) -> Client {
        Client::from_conf(
            client
                .config()
                .to_builder()
                .http_client(self.clone())
                .build(),
        )
    }

    /// Which of the requests from now on meet a fault; `None`: none.
    pub fn strike(&self, strike: Option<Strike>) {
        *self.planned.lock().expect("a lock") = Planned {
            strike,
            ..Planned::default()
        };
        self.requests.lock().expect("a lock").clear();
    }

    /// What was asked of the table so far: the names of the operations.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("a lock").clone()
    }

    /// Breaks the connection for every Query after so many.
    pub fn break_after_queries(&self, queries: usize) {
        self.queries.lock().expect("a lock").left = Some(queries);
    }

    /// Answers no Query of the table itself before so many Queries are under way.
    pub fn gather_queries(&self, queries: usize) {
        self.queries.lock().expect("a lock").gather = queries;
    }

    /// The most Queries that were under way at any moment.
    pub fn most_queries_at_a_time(&self) -> usize {
        self.queries.lock().expect("a lock").most_open
    }

    /// Lets what was interrupted go on.
    pub fn go_on(&self) {
        self.goes_on.notify_one();
    }

    /// Ends when the process would have, or is interrupted.
    pub async fn crash(&self) {
        self.crashed.notified().await;
    }
}

fn own_retries() -> RetryPartition {
    RetryPartition::custom(uuid::Uuid::now_v7().to_string())
        .token_bucket(TokenBucket::unlimited())
        .build()
}

impl HttpClient for Faulty {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(FaultyConnector {
            inner: self.inner.http_connector(settings, components),
            faulty: self.clone(),
        })
    }
}

#[derive(Debug)]
struct FaultyConnector {
    inner: SharedHttpConnector,
    faulty: Faulty,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let mut requests = self.faulty.requests.lock().expect("a lock");
        requests.push(operation.clone());
        drop(requests);
        let fault = match self.faulty.operations.contains(&operation.as_str()) {
            true => self.faulty.faults.lock().expect("a lock").pop_front(),
            false => None,
        };
        let struck = self.faulty.planned.lock().expect("a lock").next();
        // What goes on at a time comes in another order each time.
        let is_batch = operation == "BatchWriteItem";
        let fault = struck
            .or(fault)
            .filter(|fault| is_batch || !fault.is_of_a_batch());
        let is_query = target.ends_with(".Query") && struck.is_none();
        let inner = self.inner.clone();
        let crashed = self.faulty.crashed.clone();
        let goes_on = self.faulty.goes_on.clone();
        let queries = self.faulty.queries.clone();
        let gathered = self.faulty.gathered.clone();
        HttpConnectorFuture::new(async move {
            let broken = || Err(ConnectorError::io("the connection is broken".into()));
            if is_query {
                if !queries.lock().expect("a lock").begin() {
                    return broken();
                }
                if !is_of_an_index(&request) {
                    gather(&queries, &gathered).await;
                }
                let answer = inner.call(request).await;
                queries.lock().expect("a lock").open -= 1;
                return answer;
            }
            match fault.unwrap_or(Fault::None) {
                Fault::None => inner.call(request).await,
                Fault::Unprocessed => Ok(unprocessed(&request)),
                Fault::Throttled => Ok(response(
                    400,
                    json!({"__type": "ProvisionedThroughputExceededException"}),
                )),
                Fault::Unsent => broken(),
                Fault::Unanswered => {
                    inner.call(request).await?;
                    broken()
                }
                Fault::Delayed => {
                    crashed.notify_one();
                    goes_on.notified().await;
                    inner.call(request).await
                }
                Fault::Interrupted => {
                    let answer = inner.call(request).await;
                    crashed.notify_one();
                    goes_on.notified().await;
                    answer
                }
                Fault::CrashBefore => {
                    crashed.notify_one();
                    std::future::pending().await
                }
                Fault::CrashAfter => {
                    inner.call(request).await?;
                    crashed.notify_one();
                    std::future::pending().await
                }
                Fault::LimitExceeded => {
                    Ok(response(400, json!({"__type": "RequestLimitExceeded"})))
                }
                Fault::InternalError => Ok(response(500, json!({"__type": "InternalServerError"}))),
                Fault::BadGateway => Ok(html(502)),
                Fault::Silent => std::future::pending().await,
                Fault::Slow => {
                    tokio::time::sleep(SLOW).await;
                    inner.call(request).await
                }
                Fault::TooSlow => {
                    let answer = inner.call(request).await;
                    tokio::time::sleep(2 * SLOW).await;
                    answer
                }
                Fault::Ghost => {
                    tokio::spawn(async move {
                        tokio::time::sleep(SLOW).await;
                        let _ = inner.call(request).await;
                    });
                    broken()
                }
                Fault::Cut => Ok(cut(inner.call(request).await?)),
                Fault::Expired => Ok(response(400, json!({"__type": "ExpiredTokenException"}))),
                Fault::Conflict => Ok(conflict(&request, operation == "TransactWriteItems")),
                Fault::HalfTaken => half_taken(&inner, request).await,
            }
        })
    }
}

fn is_of_an_index(request: &HttpRequest) -> bool {
    let body = request.body().bytes().expect("a body at hand");
    let body: Value = serde_json::from_slice(body).expect("a request of DynamoDB");
    body.get("IndexName").is_some()
}

/// Ends when as many Queries are under way as have to be, or never will be.
async fn gather(queries: &Mutex<Queries>, gathered: &Notify) {
    let others = gathered.notified();
    {
        let queries = queries.lock().expect("a lock");
        if queries.most_open >= queries.gather {
            gathered.notify_waiters();
            return;
        }
    }
    if tokio::time::timeout(DEADLINE, others).await.is_err() {
        // Whoever counts them finds too few, and does not wait for each.
        queries.lock().expect("a lock").gather = 0;
    }
}

/// A connection on which every request takes a while; the forgotten ones for ever.
#[derive(Debug, Clone)]
pub struct Slow {
    inner: SharedHttpClient,
    /// `None` for no answer at all.
    delay: Arc<Mutex<Option<Duration>>>,
}

impl Slow {
    /// A client like another over such a connection, at first without any delay.
    pub fn client(client: &Client) -> (Self, Client) {
        let default = || aws_smithy_http_client::Builder::new().build_http();
        let slow = Self {
            inner: client.config().http_client().unwrap_or_else(default),
            delay: Arc::new(Mutex::new(Some(Duration::ZERO))),
        };
        let config = client.config().to_builder().http_client(slow.clone());
        (slow, Client::from_conf(config.build()))
    }

    /// From now on each request takes so long; `None`: for ever.
    pub fn take(&self, delay: Option<Duration>) {
        *self.delay.lock().expect("a lock") = delay;
    }
}

impl HttpClient for Slow {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(SlowConnector {
            inner: self.inner.http_connector(settings, components),
            slow: self.clone(),
        })
    }
}

#[derive(Debug)]
struct SlowConnector {
    inner: SharedHttpConnector,
    slow: Slow,
}

impl HttpConnector for SlowConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let delay = *self.slow.delay.lock().expect("a lock");
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            match delay {
                None => std::future::pending().await,
                Some(delay) => tokio::time::sleep(delay).await,
            }
            inner.call(request).await
        })
    }
}

/// The address of this app's table, which fails for every Query after so many.
pub async fn breaking_endpoint(app: &super::TestApp, queries: usize) -> String {
    let inner = local::embedded::wire::router(app.embedded.clone().expect("embedded"));
    let left = Arc::new(AtomicUsize::new(queries));
    let router = inner.layer(middleware::from_fn(
        move |request: Request<Body>, next: Next| {
            let target = request.headers().get("x-amz-target").cloned();
            let is_query = target.is_some_and(|target| target.as_bytes().ends_with(b".Query"));
            let count_down = |left: usize| left.checked_sub(1);
            let is_broken = is_query
                && left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, count_down)
                    .is_err();
            async move {
                if is_broken {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                }
                next.run(request).await
            }
        },
    ));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// The answer of a table that takes nothing of a batch.
fn unprocessed(request: &HttpRequest) -> HttpResponse {
    let body = request.body().bytes().expect("a body in hand");
    let mut body: Value = serde_json::from_slice(body).expect("JSON");
    response(
        200,
        json!({"UnprocessedItems": body["RequestItems"].take()}),
    )
}

/// Writes the first half of a batch, and answers as a table that takes no more of it.
async fn half_taken(
    inner: &SharedHttpConnector,
    mut request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let body = request.body().bytes().expect("a body in hand");
    let mut body: Value = serde_json::from_slice(body).expect("JSON");
    let tables = body["RequestItems"].as_object_mut().expect("tables");
    let mut left = json!({});
    for (table, items) in tables {
        let items = items.as_array_mut().expect("items");
        left[table] = json!(items.split_off(items.len().div_ceil(2)));
    }
    *request.body_mut() = SdkBody::from(body.to_string());
    inner.call(request).await?;
    let is_left = |items: &Value| items.as_array().is_some_and(|items| !items.is_empty());
    let left = match left
        .as_object()
        .is_some_and(|left| left.values().all(is_left))
    {
        true => left,
        false => json!({}),
    };
    Ok(response(200, json!({"UnprocessedItems": left})))
}

/// The answer of a table of which another transaction has an item.
fn conflict(request: &HttpRequest, is_transaction: bool) -> HttpResponse {
    if !is_transaction {
        return response(400, json!({"__type": "TransactionConflictException"}));
    }
    let body = request.body().bytes().expect("a body in hand");
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let actions = body["TransactItems"].as_array().expect("actions").len();
    let mut reasons = vec![json!({"Code": "None"}); actions];
    reasons[0] = json!({"Code": "TransactionConflict", "Message": "Another has it."});
    response(
        400,
        json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons}),
    )
}

/// An answer of which half of the body arrives.
fn cut(mut answer: HttpResponse) -> HttpResponse {
    let body = answer.body().bytes().expect("a body in hand");
    let body = body[..body.len() / 2].to_vec();
    *answer.body_mut() = SdkBody::from(body);
    answer
}

fn html(status: u16) -> HttpResponse {
    let status = status.try_into().expect("a status");
    HttpResponse::new(status, SdkBody::from("<html><h1>Bad Gateway</h1></html>"))
}

fn response(status: u16, body: Value) -> HttpResponse {
    let status = status.try_into().expect("a status");
    HttpResponse::new(status, SdkBody::from(body.to_string()))
}
