//! A connection to the table that fails as a test plans.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use serde_json::Value;
use tokio::sync::Notify;

pub use self::plan::{Fault, Strike};
pub use self::slow::Slow;

use self::plan::Planned;
use super::process::DEADLINE;

mod meet;
mod plan;
mod responses;
mod slow;

/// A connection whose requests for some operations meet planned faults, one after another.
#[derive(Debug, Clone)]
pub struct Faulty {
    inner: SharedHttpClient,
    operations: &'static [&'static str],
    faults: Arc<Mutex<VecDeque<Fault>>>,
    signals: Signals,
    queries: Arc<Mutex<Queries>>,
    gathered: Arc<Notify>,
    /// The names of the requested operations.
    requests: Arc<Mutex<Vec<String>>>,
    planned: Arc<Mutex<Planned>>,
}

/// The signals between a test and a request that meets a fault.
#[derive(Debug, Clone, Default)]
struct Signals {
    /// The request has reached the point where the process ends or waits.
    crashed: Arc<Notify>,
    /// The request may continue.
    continues: Arc<Notify>,
}

/// The state of all Queries.
#[derive(Debug, Default)]
struct Queries {
    /// The number of Queries that are answered before the connection breaks; `None` for all.
    left: Option<usize>,
    /// The number of Queries without an answer yet.
    open: usize,
    /// The maximum of `open` so far.
    most_open: usize,
    /// The number of Queries of a table that must be open before the first is answered.
    gather: usize,
}

impl Queries {
    /// Counts a Query as open; `false` if the connection breaks.
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
    /// A copy of a client without retries, over a connection on which these operations meet
    /// faults.
    pub fn client(client: &Client, operations: &'static [&'static str]) -> (Self, Client) {
        // The default client is not in the configuration.
        let default = || aws_smithy_http_client::Builder::new().build_http();
        let inner = client.config().http_client().unwrap_or_else(default);
        let faulty = Self {
            inner,
            operations,
            faults: Arc::default(),
            signals: Signals::default(),
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

    /// A copy of a client with the retries of production.
    pub fn persistent(client: &Client) -> Client {
        let config = client.config().to_builder();
        Client::from_conf(config.retry_config(RetryConfig::standard()).build())
    }

    /// Plans the faults of the next requests for the operations.
    pub fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.faults.lock().expect("a lock") = faults.into_iter().collect();
    }

    /// A copy of a client with the retries of production and its own retry budget: failures
    /// in other tests of the process do not reduce it.
    pub fn patient(client: &Client) -> Client {
        let config = client.config().to_builder();
        let config = config.retry_config(shared::config::retries());
        Client::from_conf(config.retry_partition(own_retries()).build())
    }

    /// A client of the table's streams over the same connection, with its own retry budget.
    pub fn streams(
        &self,
        client: &aws_sdk_dynamodbstreams::Client,
    ) -> aws_sdk_dynamodbstreams::Client {
        let config = client.config().to_builder().http_client(self.clone());
        let config = config.retry_partition(own_retries()).build();
        aws_sdk_dynamodbstreams::Client::from_conf(config)
    }

    /// A copy of a client over the same connection.
    pub fn over(&self, client: &Client) -> Client {
        Client::from_conf(
            client
                .config()
                .to_builder()
                .http_client(self.clone())
                .build(),
        )
    }

    /// Plans a fault for later requests of any operation; `None`: no fault. Clears the list of
    /// requests.
    pub fn strike(&self, strike: Option<Strike>) {
        *self.planned.lock().expect("a lock") = Planned::new(strike);
        self.requests.lock().expect("a lock").clear();
    }

    /// The names of the requested operations since [`Self::strike`].
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("a lock").clone()
    }

    /// Breaks the connection for every Query after this number.
    pub fn break_after_queries(&self, queries: usize) {
        self.queries.lock().expect("a lock").left = Some(queries);
    }

    /// Answers no Query of the table itself before this number of Queries is open.
    pub fn gather_queries(&self, queries: usize) {
        self.queries.lock().expect("a lock").gather = queries;
    }

    /// The maximum number of concurrent Queries so far.
    pub fn most_concurrent_queries(&self) -> usize {
        self.queries.lock().expect("a lock").most_open
    }

    /// Continues a delayed or interrupted request.
    pub fn go_on(&self) {
        self.signals.continues.notify_one();
    }

    /// Waits until a fault ends the process, or delays or interrupts a request.
    pub async fn crash(&self) {
        self.signals.crashed.notified().await;
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
        let next = match self.faulty.operations.contains(&operation.as_str()) {
            true => self.faulty.faults.lock().expect("a lock").pop_front(),
            false => None,
        };
        let struck = self.faulty.planned.lock().expect("a lock").next();
        // The order of concurrent requests varies, so a planned fault of batches may meet another operation.
        let is_batch = operation == "BatchWriteItem";
        let fault = struck
            .or(next)
            .filter(|fault| is_batch || !fault.is_of_a_batch());
        let inner = self.inner.clone();
        if operation == "Query" && struck.is_none() {
            let queries = self.faulty.queries.clone();
            let gathered = self.faulty.gathered.clone();
            return HttpConnectorFuture::new(query(inner, request, queries, gathered));
        }
        let signals = self.faulty.signals.clone();
        let fault = fault.unwrap_or(Fault::None);
        HttpConnectorFuture::new(meet::meet(fault, inner, request, operation, signals))
    }
}

fn broken() -> Result<HttpResponse, ConnectorError> {
    Err(ConnectorError::io("the connection is broken".into()))
}

/// Sends a Query, unless the connection breaks for it.
async fn query(
    inner: SharedHttpConnector,
    request: HttpRequest,
    queries: Arc<Mutex<Queries>>,
    gathered: Arc<Notify>,
) -> Result<HttpResponse, ConnectorError> {
    if !queries.lock().expect("a lock").begin() {
        return broken();
    }
    if !is_of_an_index(&request) {
        gather(&queries, &gathered).await;
    }
    let answer = inner.call(request).await;
    queries.lock().expect("a lock").open -= 1;
    answer
}

fn is_of_an_index(request: &HttpRequest) -> bool {
    let body = request.body().bytes().expect("a body at hand");
    let body: Value = serde_json::from_slice(body).expect("a request of DynamoDB");
    body.get("IndexName").is_some()
}

/// Waits until enough Queries are open, or until the deadline.
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
        // The other Queries no longer wait, and the test finds too few concurrent Queries.
        queries.lock().expect("a lock").gather = 0;
    }
}

/// An address of this app's table that fails for every Query after this number.
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
