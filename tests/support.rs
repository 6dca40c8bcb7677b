//! The tests' access to Flowtrail: a [`TestApp`] over a fresh table.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actions::{AUTHORIZE, Recorder, as_function};
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use functions::app::App;
use http_body_util::BodyExt;
use local::embedded::Embedded;
use local::follow::Follower;
use process::DEADLINE;
use serde_json::Value;
use shared::auth::{self, Authenticator, Caller, NewToken, OidcSettings, Role};
use shared::counters::recount::{NoConsumer, Recount, Report};
use shared::keys::{self, key};
use shared::model::{Item, Timestamp};
use shared::run_changes::Reaped;
use shared::store::{Range, Store, Usage};
use shared::sweep::{Sweeper, Swept};
use tower::ServiceExt;

pub mod actions;
pub mod faults;
pub mod http;
pub mod issuer;
pub mod log;
pub mod process;
pub mod records;
pub mod runtime;
pub mod samples;
pub mod step_functions;

/// The variable with the address of the DynamoDB to test on.
const ENDPOINT_VARIABLE: &str = "FLOWTRAIL_TEST_ENDPOINT_URL";

/// Whether the tests run on the embedded engine.
pub fn is_embedded() -> bool {
    std::env::var_os(ENDPOINT_VARIABLE).is_none()
}

/// An operator with direct access to a team's part of the table.
pub fn operator(team: &str) -> Caller {
    Caller::operator(team.parse().expect("a team"), "test")
}

/// The id of a token.
pub fn token_id(token: &str) -> &str {
    token.split('_').nth(1).expect("an id")
}

/// Flowtrail over a fresh table.
pub struct TestApp {
    pub store: Store,
    pub streams: aws_sdk_dynamodbstreams::Client,
    /// `None` on another DynamoDB.
    pub embedded: Option<Embedded>,
    /// The table, as the routes use it.
    served: Store,
    /// The table, as the authenticator uses it.
    authenticating: Store,
    app: Arc<App>,
    router: Router,
}

/// A complete answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
    /// The handler's use of the table.
    pub usage: Usage,
}

/// The read units of one eventually consistent read of `bytes`: half a unit for each started
/// 4 KB.
pub fn read_units(bytes: usize) -> f64 {
    bytes.div_ceil(4_096) as f64 / 2.0
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:.300}", self.body))
    }

    /// The body of a success.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{:.500}", self.body);
        self.json()
    }

    /// The status and the code of a problem. Asserts that it is well-formed.
    pub fn problem(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(body["success"], false, "{body}");
        for name in ["error", "code", "message", "requestId"] {
            let text = body[name].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name} is missing in {body}");
        }
        let code = body["code"].as_str().expect("a text").to_owned();
        (self.status.as_u16(), code)
    }
}

/// An app over a client, which counts requests of the authenticator and of routes separately.
fn app_over(
    client: &aws_sdk_dynamodb::Client,
    table: &str,
    configure: impl FnOnce(Authenticator) -> Authenticator,
) -> (Store, App) {
    let authenticating = Store::new(Recorder::of(AUTHORIZE, client), table);
    let store = Store::new(Recorder::of_tasks(client), table);
    let authenticator = configure(Authenticator::new(authenticating.clone()));
    (
        authenticating,
        App::with_authenticator(store, authenticator),
    )
}

impl TestApp {
    pub async fn new() -> Self {
        let (client, streams, embedded) = match std::env::var(ENDPOINT_VARIABLE) {
            Ok(url) => {
                let config = shared::config::sdk_config(Some(&url)).await;
                let config = config.into_builder().timeout_config(records::patience());
                let config = config.build();
                let streams = aws_sdk_dynamodbstreams::Client::new(&config);
                (aws_sdk_dynamodb::Client::new(&config), streams, None)
            }
            Err(_) => {
                let embedded = Embedded::in_memory().expect("a database in memory");
                (embedded.client(), embedded.streams_client(), Some(embedded))
            }
        };
        let table = format!("test-{}", uuid::Uuid::now_v7());
        let created = shared::table::create(&client, &table).await;
        assert!(created.expect("a table"), "the table is new");
        let store = Store::new(client.clone(), &table);
        let (authenticating, app) = app_over(&client, &table, |authenticator| authenticator);
        let app = Arc::new(app);
        Self {
            served: app.store().clone(),
            authenticating,
            router: local::server::router(app.clone()),
            app,
            store,
            streams,
            embedded,
        }
    }

    /// The requests to the table so far by the authenticator, and by everything that does not
    /// belong to a single answer.
    pub fn requests(&self) -> u64 {
        self.authenticating.usage().requests + self.served.usage().requests
    }

    /// Updates the counters and the labels, as `serve` and the Lambda function do.
    pub async fn count(&self) {
        self.count_alone().await;
        // The stream contains all earlier writes by now.
        let mut labels = Follower::labelling(self.streams.clone(), self.store.clone());
        labels.drain(|_| {}).await.expect("labels are entered");
    }

    /// Updates the counters, but not the labels.
    pub async fn count_alone(&self) {
        let mut follower = Follower::counting(self.streams.clone(), self.served.clone());
        // Only the local follower does this, the function does not.
        follower.find_shards().await.expect("shards");
        let deadline = Instant::now() + DEADLINE;
        loop {
            let mut read = 0;
            let drained = follower.drain(|records| read += records);
            as_function("count", drained).await.expect("counted");
            if self.embedded.is_some() {
                return;
            }
            // On another engine, the stream is behind its table, and a page without records
            // is not its end. Verifying is expensive there, so it waits for such a page.
            if read == 0 && self.verify().await.differences.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "the counters do not catch up");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Follows removals, cancels and ends, as `serve` and the Lambda function do, until
    /// nothing is left to follow.
    pub async fn reap(&self) -> Reaped {
        let mut follower = Follower::reaping(self.streams.clone(), self.served.clone());
        let mut silent = 0;
        loop {
            let mut read = 0;
            let look = |records| read += records;
            let drained = follower.drain(look);
            as_function("reap", drained).await.expect("reaped");
            silent = if read == 0 { silent + 1 } else { 0 };
            // On another engine, the stream is behind its table.
            if self.embedded.is_some() || silent == 5 {
                return follower.reaped().expect("a reaper");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Closes the runs that are due, as `serve` and the Lambda function do.
    pub async fn sweep(&self) -> Swept {
        let sweeper = Sweeper::new(self.restarted().served);
        let swept = as_function("sweep", sweeper.sweep(Instant::now() + DEADLINE)).await;
        swept.expect("swept")
    }

    /// Counts everything again, and returns the differences.
    pub async fn verify(&self) -> Report {
        let recount = Recount {
            team_id: None,
            settle: Duration::ZERO,
        };
        let report = recount.verify(&self.store, &NoConsumer, &|_| {}).await;
        report.expect("counted again")
    }

    /// The address of this DynamoDB for other programs.
    pub async fn endpoint_url(&self) -> String {
        if let Ok(url) = std::env::var(ENDPOINT_VARIABLE) {
            return url;
        }
        let embedded = self.embedded.clone().expect("embedded");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = local::embedded::wire::router(embedded);
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// Writes records in batches of 25, as an engine does.
    pub async fn write(&self, items: impl IntoIterator<Item = Item>) {
        records::write(&self.store, items).await;
    }

    /// A token with the role viewer.
    pub async fn viewer(&self, team: &str) -> String {
        self.token(team, Role::Viewer, None).await
    }

    pub async fn token(&self, team: &str, role: Role, flows: Option<&[&str]>) -> String {
        let flow = |flow: &&str| flow.parse().expect("a flow");
        let flows = flows.map(|flows| flows.iter().map(flow).collect());
        let new = NewToken {
            role: role.into(),
            name: None,
            flows,
            expires_at: None,
        };
        let created = auth::create_token(&self.store, &operator(team), &new).await;
        created.expect("a token").1.reveal().to_owned()
    }

    /// A token that expired a second ago.
    pub async fn expired_token(&self, team: &str) -> String {
        let token = self.token(team, Role::Admin, None).await;
        let id = token_id(&token);
        for key in [
            key(keys::token_partition(id), keys::TOKEN),
            key(
                keys::TOKEN_INDEX,
                keys::token_index_entry(&team.parse().expect("a team"), id),
            ),
        ] {
            let end = Timestamp::now().seconds() - 1;
            let update = self.store.client().update_item();
            let update = update
                .table_name(self.store.table())
                .set_key(Some(key))
                .update_expression("SET expiresAt = :end")
                .expression_attribute_values(":end", AttributeValue::N(end.to_string()));
            update.send().await.expect("written");
        }
        token
    }

    /// The same table behind a restarted server, which has cached nothing.
    pub fn restarted(&self) -> Self {
        self.over(self.store.client().clone())
    }

    /// The same table behind a server that accepts the JWTs of an issuer.
    pub fn with_jwts(&self, settings: OidcSettings) -> Self {
        let table = self.store.table();
        let jwts = |authenticator: Authenticator| authenticator.with_jwts(settings);
        self.behind(app_over(self.store.client(), table, jwts))
    }

    /// The same table over another client.
    pub fn over(&self, client: aws_sdk_dynamodb::Client) -> Self {
        let table = self.store.table();
        self.behind(app_over(&client, table, |authenticator| authenticator))
    }

    fn behind(&self, (authenticating, app): (Store, App)) -> Self {
        let app = Arc::new(app);
        Self {
            authenticating,
            store: self.store.clone(),
            streams: self.streams.clone(),
            embedded: self.embedded.clone(),
            served: app.store().clone(),
            router: local::server::router(app.clone()),
            app,
        }
    }

    /// The state that all ports of a server share.
    pub fn app(&self) -> Arc<App> {
        self.app.clone()
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        let authorization = format!("Bearer {token}");
        let request = Request::get(path).header(header::AUTHORIZATION, authorization);
        self.send(request.body(Body::empty()).expect("a request"))
            .await
    }

    /// Sends a request, and returns the answer as soon as it starts.
    pub async fn open(&self, request: Request<Body>) -> Response<Body> {
        let router = self.router.clone();
        router.oneshot(request).await.expect("infallible")
    }

    pub async fn call(&self, method: Method, token: &str, path: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let body = Body::from(body.to_owned());
        self.send(request.body(body).expect("a request")).await
    }

    pub async fn delete(&self, token: &str, path: &str) -> Answer {
        self.call(Method::DELETE, token, path, "").await
    }

    /// Reads the masking settings of a team, which are then cached for a minute.
    pub async fn remember_masking(&self, team: &str) {
        let team = team.parse().expect("a team");
        let masker = shared::masking::masker_of(&self.served, &team).await;
        masker.expect("a masker");
    }

    /// The execution item of a run, as JSON.
    pub async fn item(&self, execution_id: &str) -> Value {
        let pk = format!("EXEC#{execution_id}");
        let item = self.store.get_latest(&pk, "EXECUTION").await;
        let item = item.expect("read").expect("the run is there");
        serde_dynamo::from_item(item).expect("JSON")
    }

    /// The sort keys of all records in a run's partition.
    pub async fn records_of(&self, execution_id: &str) -> Vec<String> {
        let range = Range::keys_of_run(&format!("EXEC#{execution_id}"));
        let items = self.store.all(&range).await;
        let items = items.expect("read");
        let sort_key = |item: &Item| keys::sort_key(item).map(str::to_owned);
        items.iter().filter_map(sort_key).collect()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let route = actions::route_of(request.method().as_str(), request.uri().path());
        let (parts, body) = as_function(route, async {
            let (parts, body) = self.open(request).await.into_parts();
            (parts, body.collect().await.expect("a body").to_bytes())
        })
        .await;
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.into()).expect("UTF-8"),
            usage: parts.extensions.get().copied().unwrap_or_default(),
        }
    }

    /// The table as the functions use it, with their caches.
    pub fn store_as_served(&self) -> Store {
        self.served.clone()
    }

    /// Walks a list from its first page to its last, and returns all items. `path` must have a
    /// query.
    pub async fn walk(&self, token: &str, path: &str, limit: usize) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next_token: Option<String> = None;
        loop {
            let continued = next_token.map_or(String::new(), |token| format!("&nextToken={token}"));
            let body = self
                .get(token, &format!("{path}&limit={limit}{continued}"))
                .await
                .ok();
            let page = body["data"]["items"].as_array().expect("items").clone();
            next_token = body["data"]["nextToken"].as_str().map(str::to_owned);
            assert!(page.len() <= limit, "{} items at limit {limit}", page.len());
            assert!(
                next_token.is_none() || page.len() == limit,
                "a page of {} with a token at limit {limit}",
                page.len()
            );
            items.extend(page);
            if next_token.is_none() {
                return items;
            }
        }
    }

    /// Walks the steps of a run from the first page to the last, and returns all of them.
    /// `look` is called with each page and its number from 0.
    pub async fn walk_steps(
        &self,
        token: &str,
        path: &str,
        mut look: impl FnMut(usize, &Answer),
    ) -> Vec<Value> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut page_path = path.to_owned();
        let mut steps = Vec::new();
        for page in 0.. {
            let answer = self.get(token, &page_path).await;
            let mut data = answer.ok()["data"].take();
            look(page, &answer);
            if let Value::Array(page) = data["steps"].take() {
                steps.extend(page);
            }
            match data["nextToken"].as_str() {
                Some(next) => page_path = format!("{path}{joint}nextToken={next}"),
                None => break,
            }
        }
        steps
    }
}
