//! Requests to a table: as a caller, through the server's router, and with the bare SDK, which
//! repeats the same requests to DynamoDB.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::query::builders::QueryInputBuilder;
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use functions::app::App;
use http_body_util::BodyExt;
use local::terminal::Failure;
use shared::auth::{self, Caller, NewToken, Role, Secret, TokenRecord};
use shared::store::{Store, Usage};
use tower::ServiceExt;

use crate::load::TEAM;
use crate::report::Times;

/// Records the queries of a client, so that the bare SDK can repeat them.
#[derive(Debug, Clone, Default)]
struct Recorder {
    is_on: Arc<AtomicBool>,
    queries: Arc<Mutex<Vec<QueryInput>>>,
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_on.load(Ordering::Relaxed)
            && let Some(query) = context.input().downcast_ref::<QueryInput>()
        {
            let queries = self.queries.lock();
            let mut queries = queries.unwrap_or_else(PoisonError::into_inner);
            queries.push(query.clone());
        }
        Ok(())
    }
}

/// The HTTP API of a table, and the token of a caller.
pub struct Api {
    router: Router,
    token: String,
    client: Client,
    recorder: Recorder,
}

impl Api {
    /// Creates the API of a table.
    ///
    /// # Errors
    /// Returns an error if the token cannot be created.
    pub async fn new(client: &Client, table: &str) -> Result<Self, Failure> {
        let recorder = Recorder::default();
        let config = client.config().to_builder();
        let recorded = Client::from_conf(config.interceptor(recorder.clone()).build());
        let store = Store::new(recorded, table);
        let token = new_reading_token(&store).await?;
        Ok(Self {
            router: local::server::router(Arc::new(App::new(store))),
            token,
            client: client.clone(),
            recorder,
        })
    }

    /// Requests a path, and reads the whole answer. Returns the usage of DynamoDB.
    ///
    /// # Errors
    /// Returns an error if the request is refused.
    pub async fn ask(&self, path: &str) -> Result<Usage, Failure> {
        let request = Request::get(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::empty())
            .map_err(failure)?;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(failure)?;
        if !parts.status.is_success() {
            let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            return Err(Failure(format!("{path}: {body}")));
        }
        Ok(parts.extensions.get().copied().unwrap_or_default())
    }

    /// Records the queries of a path, after a first request that fills the caches.
    ///
    /// # Errors
    /// Returns an error if a request is refused, or if it sends other requests than queries.
    pub async fn queries(&self, path: &str) -> Result<Vec<QueryInput>, Failure> {
        self.ask(path).await?;
        self.recorder.is_on.store(true, Ordering::Relaxed);
        let asked = self.ask(path).await;
        self.recorder.is_on.store(false, Ordering::Relaxed);
        let queries = self.recorder.queries.lock();
        let queries = std::mem::take(&mut *queries.unwrap_or_else(PoisonError::into_inner));
        match asked?.requests == queries.len() as u64 {
            true => Ok(queries),
            false => Err(Failure(format!("{path} sends other requests than queries"))),
        }
    }

    /// Sends queries with the bare SDK. Returns the answers.
    ///
    /// # Errors
    /// Returns an error if a query fails.
    pub async fn replay(&self, queries: &[QueryInput]) -> Result<Vec<QueryOutput>, Failure> {
        let mut answers = Vec::with_capacity(queries.len());
        for query in queries {
            let answer = copy_query(query).send_with(&self.client).await;
            answers.push(answer.map_err(shared::store::from_sdk)?);
        }
        Ok(answers)
    }
}

/// Creates a request that is equal to a recorded one.
fn copy_query(query: &QueryInput) -> QueryInputBuilder {
    let query = query.clone();
    QueryInput::builder()
        .set_table_name(query.table_name)
        .set_index_name(query.index_name)
        .set_select(query.select)
        .set_limit(query.limit)
        .set_consistent_read(query.consistent_read)
        .set_scan_index_forward(query.scan_index_forward)
        .set_exclusive_start_key(query.exclusive_start_key)
        .set_return_consumed_capacity(query.return_consumed_capacity)
        .set_projection_expression(query.projection_expression)
        .set_filter_expression(query.filter_expression)
        .set_key_condition_expression(query.key_condition_expression)
        .set_expression_attribute_names(query.expression_attribute_names)
        .set_expression_attribute_values(query.expression_attribute_values)
}

/// Measures two tasks in turns, so that other load on the machine affects both. A first,
/// unmeasured turn warms them up.
///
/// # Errors
/// Returns the error of a task.
pub async fn measure_in_turns(
    rounds: u32,
    mut one: impl AsyncFnMut() -> Result<(), Failure>,
    mut other: impl AsyncFnMut() -> Result<(), Failure>,
) -> Result<[Times; 2], Failure> {
    one().await?;
    other().await?;
    let mut times = [Times::default(), Times::default()];
    for _ in 0..rounds {
        let begin = Instant::now();
        one().await?;
        times[0].push(begin.elapsed());
        let begin = Instant::now();
        other().await?;
        times[1].push(begin.elapsed());
    }
    Ok(times)
}

/// The caller that creates tokens.
///
/// # Errors
/// Returns an error if the team's id is invalid.
pub fn operator() -> Result<Caller, Failure> {
    Ok(Caller::operator(TEAM.parse().map_err(failure)?, "bench"))
}

/// Creates a token with a role. Returns its record and its secret.
///
/// # Errors
/// Returns an error if a request of the table fails.
pub async fn new_token(store: &Store, role: Role) -> Result<(TokenRecord, Secret), Failure> {
    let new = NewToken {
        role: role.into(),
        name: None,
        flows: None,
        expires_at: None,
    };
    Ok(auth::create_token(store, &operator()?, &new).await?)
}

/// Creates a token that can read and export. Returns its secret.
///
/// # Errors
/// Returns an error if a request of the table fails.
pub async fn new_reading_token(store: &Store) -> Result<String, Failure> {
    let (_, secret) = new_token(store, Role::Operator).await?;
    Ok(secret.reveal().to_owned())
}

/// Converts an error that ends a measurement.
pub fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

/// Reads a figure of a process's memory, in KB. Only available on Linux.
pub fn memory_kb(process: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Reads the processor time of a process so far. Only available on Linux.
pub fn processor_time(process: u32) -> Option<Duration> {
    /// The index of the user time after the second field, which is in parentheses and may
    /// contain blanks: the user and system times are the fields 14 and 15 in proc(5).
    const USER_TIME: usize = 11;
    /// The unit of the times: a hundredth of a second.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let times = fields.split_whitespace().skip(USER_TIME).take(2);
    let ticks: u32 = times.filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    Some(TICK * ticks)
}
