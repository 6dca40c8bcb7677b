//! The last requests with traces, for `flowtrail traces check`: what arrived, what was written, and
//! what was refused and why. They are in memory only, so that keeping them costs no write.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use functions::app::App;
use functions::parameters::invalid;
use functions::problem::Problem;
use functions::reply::{self, Refusal, Reply};
use functions::traces::{Protocol, Receipt};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use shared::keys;
use shared::model::{Execution, ExecutionId, Status, Timestamp, is_expired};
use shared::record::shortened;
use shared::store::Store;

use crate::grpc;
use crate::serve::ESCAPED;
use crate::server::to_response;
use crate::sign_in::require_operator;

/// The path at which `flowtrail traces check` reads the requests.
pub const PATH: &str = "/trace-requests";

/// The path of the endpoint for traces.
const TRACES: &str = "/v1/traces";

/// How many requests are kept: those of some minutes of a busy exporter. With at most some 8 KB for
/// each, they take 4 MB.
const MAX_KEPT: usize = 500;

/// How many requests a response has.
pub const MAX_PAGE: usize = 100;

/// The most bytes of a path or of an explanation.
const MAX_TEXT_BYTES: usize = 2_000;

/// The last requests with traces.
#[derive(Debug)]
pub struct Arrivals {
    started_at: Timestamp,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The number of the last request, from 1.
    last: u64,
    arrivals: VecDeque<(u64, Arrival)>,
}

/// A request.
#[derive(Debug, Clone)]
struct Arrival {
    time: Timestamp,
    protocol: &'static str,
    /// The path, unless it is that of the endpoint for traces.
    path: Option<String>,
    problem: Option<&'static str>,
    message: String,
    receipt: Option<Receipt>,
}

impl Arrivals {
    /// No requests since now.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            started_at: Timestamp::now(),
            kept: Mutex::default(),
        })
    }

    /// Adds a connection that was no request.
    pub fn add_refused(&self, protocol: &'static str, message: &str) {
        self.add(Arrival {
            time: Timestamp::now(),
            protocol,
            path: None,
            problem: Some("WRONG_PROTOCOL"),
            message: message.to_owned(),
            receipt: None,
        });
    }

    fn add(&self, arrival: Arrival) {
        let mut kept = self.lock();
        if kept.arrivals.len() == MAX_KEPT {
            kept.arrivals.pop_front();
        }
        kept.last += 1;
        let number = kept.last;
        kept.arrivals.push_back((number, arrival));
    }

    /// The first requests after a number, or without one the last requests, in their order.
    fn page(&self, after: Option<u64>, limit: usize) -> Vec<(u64, Arrival)> {
        let kept = self.lock();
        let skipped = match after {
            Some(after) => kept
                .arrivals
                .partition_point(|(number, _)| *number <= after),
            None => kept.arrivals.len().saturating_sub(limit),
        };
        kept.arrivals
            .iter()
            .skip(skipped)
            .take(limit)
            .cloned()
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the requests with traces that a router answers.
pub fn recorded(router: Router, arrivals: Arc<Arrivals>) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| {
        let arrival = Arrival::begin(&request);
        let arrivals = arrivals.clone();
        async move {
            let Some(arrival) = arrival else {
                return next.run(request).await;
            };
            let mut pending = Pending { arrivals, arrival };
            let response = next.run(request).await;
            pending.arrival.end(&response);
            response
        }
    }))
}

/// A request that is being answered. It is kept when it is dropped, which happens before its end if
/// the client gives up.
struct Pending {
    arrivals: Arc<Arrivals>,
    arrival: Arrival,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.arrivals.add(self.arrival.clone());
    }
}

impl Arrival {
    /// Describes a request with traces. Returns `None` for any other request.
    fn begin(request: &Request) -> Option<Self> {
        let path = request.uri().path();
        let stated = Protocol::stated_in(request.headers());
        // A wrong path is a common mistake.
        let is_otlp = path.starts_with("/v1/") || stated == Protocol::HttpProtobuf;
        let protocol = match grpc::is_call(request) {
            true => Protocol::Grpc,
            false if is_otlp => stated,
            false => return None,
        };
        let is_usual = matches!(path, TRACES | grpc::EXPORT);
        Some(Self {
            time: Timestamp::now(),
            protocol: protocol.as_str(),
            path: (!is_usual).then(|| shortened(path, MAX_TEXT_BYTES)),
            problem: Some("CANCELLED"),
            message: "The client ended the request before it was answered.".to_owned(),
            receipt: None,
        })
    }

    /// Adds what the response says.
    fn end(&mut self, response: &Response) {
        let refusal = response.extensions().get::<Refusal>();
        let receipt = response.extensions().get::<Receipt>();
        if let Some(receipt) = receipt {
            self.protocol = receipt.protocol.as_str();
            self.receipt = Some(receipt.clone());
        }
        self.problem = refusal.map(|refusal| refusal.code);
        self.message = match (refusal, receipt) {
            (Some(refusal), _) => shortened(&refusal.message, MAX_TEXT_BYTES),
            (None, Some(receipt)) => receipt.message.clone(),
            (None, None) => String::new(),
        };
    }
}

/// The response for `flowtrail traces check`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArrivalsView {
    success: bool,
    /// When the server started, since when it has kept the requests.
    pub started_at: Timestamp,
    /// The requests, in the order in which they were answered.
    pub requests: Vec<ArrivalView>,
}

/// A request with traces.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArrivalView {
    /// The number of the request since the server started.
    pub number: u64,
    /// When it arrived.
    pub time: Timestamp,
    /// How it was transported: `gRPC`, `HTTP protobuf`, `HTTP JSON`, ….
    pub protocol: String,
    /// The path, unless it is that of the endpoint for traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Why the request was refused, as a word for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Why it was refused, or what was rejected and what could not be read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The contents, if the body was read.
    #[serde(flatten)]
    pub contents: Option<ContentsView>,
}

/// The contents of a request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentsView {
    /// The names of the services: the first ones.
    pub services: Vec<String>,
    /// The instrumentation scopes with their versions: the first ones.
    pub scopes: Vec<String>,
    /// The number of spans that were written.
    pub spans: usize,
    /// The number of spans that were not written.
    pub rejected_spans: usize,
    /// How many attributes the spans lack.
    pub dropped_attributes: u64,
    /// How many events the spans lack.
    pub dropped_events: u64,
    /// How many links the spans lack.
    pub dropped_links: u64,
    /// The runs of the spans: the first ones.
    pub runs: Vec<RunView>,
    /// Whether there are more services, scopes or runs.
    pub has_more: bool,
}

/// The run of a trace. The flow and the status are missing until the root span has arrived.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// The run's id.
    pub execution_id: String,
    /// The run's page in the console.
    pub url: String,
    /// The flow's id.
    pub flow_id: Option<String>,
    /// The flow's name.
    pub flow_name: Option<String>,
    /// The status.
    pub status: Option<Status>,
}

/// What the endpoint needs.
#[derive(Debug, Clone)]
struct Endpoint {
    arrivals: Arc<Arrivals>,
    app: Arc<App>,
    api_address: String,
}

/// The router of the endpoint.
pub fn router(arrivals: Arc<Arrivals>, app: Arc<App>, api_address: String) -> Router {
    let refused = async || {
        let allow = "GET, HEAD".to_owned();
        to_response(Err(Problem::MethodNotAllowed { allow }))
    };
    let endpoint = Endpoint {
        arrivals,
        app,
        api_address,
    };
    Router::new()
        .route(PATH, get(list).fallback(refused))
        .with_state(endpoint)
}

async fn list(State(endpoint): State<Endpoint>, uri: Uri, headers: HeaderMap) -> Response {
    to_response(endpoint.list(&uri, &headers).await)
}

impl Endpoint {
    async fn list(&self, uri: &Uri, headers: &HeaderMap) -> Result<Reply, Problem> {
        // The requests of all teams, and those that belong to none.
        require_operator(&self.app, headers, "read the requests with traces").await?;
        let after = number(uri, "after")?;
        let limit = number(uri, "limit")?.map_or(MAX_PAGE, |limit| {
            usize::try_from(limit).map_or(MAX_PAGE, |limit| limit.min(MAX_PAGE))
        });
        let page = self.arrivals.page(after, limit);
        let runs = self.runs(&page).await?;
        let view = |(number, arrival): (u64, Arrival)| self.view(number, arrival, &runs);
        reply::json(&ArrivalsView {
            success: true,
            started_at: self.arrivals.started_at,
            requests: page.into_iter().map(view).collect(),
        })
    }

    /// Reads the runs of requests, by their ids. They are read only when somebody looks at the
    /// requests.
    async fn runs(&self, page: &[(u64, Arrival)]) -> Result<HashMap<String, Execution>, Problem> {
        let receipts = page
            .iter()
            .filter_map(|(_, arrival)| arrival.receipt.as_ref());
        let ids = receipts.flat_map(|receipt| &receipt.runs.values);
        let mut ids: Vec<ExecutionId> = ids.filter_map(|id| id.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        read_runs(self.app.store(), &ids).await
    }

    fn view(
        &self,
        number: u64,
        arrival: Arrival,
        runs: &HashMap<String, Execution>,
    ) -> ArrivalView {
        let contents = arrival.receipt.map(|receipt| ContentsView {
            has_more: [&receipt.services, &receipt.scopes, &receipt.runs]
                .iter()
                .any(|listed| listed.has_more),
            services: receipt.services.values,
            scopes: receipt.scopes.values,
            spans: receipt.spans,
            rejected_spans: receipt.rejected_spans,
            dropped_attributes: receipt.dropped.attributes,
            dropped_events: receipt.dropped.events,
            dropped_links: receipt.dropped.links,
            runs: receipt
                .runs
                .values
                .into_iter()
                .map(|id| self.run(id, runs))
                .collect(),
        });
        ArrivalView {
            number,
            time: arrival.time,
            protocol: arrival.protocol.to_owned(),
            path: arrival.path,
            problem: arrival.problem.map(str::to_owned),
            message: arrival.message,
            contents,
        }
    }

    fn run(&self, execution_id: String, runs: &HashMap<String, Execution>) -> RunView {
        let run = runs.get(&execution_id);
        let escaped = utf8_percent_encode(&execution_id, ESCAPED);
        RunView {
            url: format!("{}/#/runs/{escaped}", self.api_address),
            flow_id: run.and_then(|run| run.flow_id.clone()),
            flow_name: run.and_then(|run| run.flow_name.clone()),
            status: run.and_then(|run| run.status),
            execution_id,
        }
    }
}

async fn read_runs(
    store: &Store,
    ids: &[ExecutionId],
) -> Result<HashMap<String, Execution>, Problem> {
    let key = |id| keys::key(keys::execution_partition(id), keys::EXECUTION);
    let keys: Vec<_> = ids.iter().map(key).collect();
    let now = Timestamp::now();
    let items = store.get_all(&keys).await?.into_iter();
    let runs = items.filter(|item| !is_expired(item, now));
    let runs = runs.filter_map(Execution::from_item);
    Ok(runs.map(|run| (run.execution_id.clone(), run)).collect())
}

/// Parses a parameter of the query that is a number.
fn number(uri: &Uri, name: &'static str) -> Result<Option<u64>, Problem> {
    let query = uri.query().unwrap_or_default().as_bytes();
    let mut parameters = form_urlencoded::parse(query);
    let Some((_, value)) = parameters.find(|(known, _)| known == name) else {
        return Ok(None);
    };
    let number = value.parse();
    let number = number.map_err(|_| invalid(name, "Use a whole number."))?;
    Ok(Some(number))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Version;
    use tower::ServiceExt;

    use super::*;

    fn numbers(arrivals: &Arrivals, after: Option<u64>, limit: usize) -> Vec<u64> {
        let page = arrivals.page(after, limit).into_iter();
        page.map(|(number, _)| number).collect()
    }

    #[test]
    fn the_last_requests_are_kept() {
        let arrivals = Arrivals::new();
        assert_eq!(numbers(&arrivals, None, 10), [0; 0]);
        for _ in 0..MAX_KEPT + 5 {
            arrivals.add_refused("TLS", "");
        }
        assert_eq!(numbers(&arrivals, None, 2), [504, 505]);
        assert_eq!(numbers(&arrivals, Some(0), 2), [6, 7]);
        assert_eq!(numbers(&arrivals, Some(503), 10), [504, 505]);
        assert_eq!(numbers(&arrivals, Some(505), 10), [0; 0]);
        assert_eq!(numbers(&arrivals, Some(600), 10), [0; 0]);
    }

    fn request(path: &str, content_type: &str) -> Request {
        let request = Request::post(path).header("content-type", content_type);
        request.body(Body::empty()).expect("a request")
    }

    #[tokio::test]
    async fn requests_of_exporters_are_kept_also_at_wrong_paths() {
        let arrivals = Arrivals::new();
        let answer = async |request| {
            let router = Router::new().fallback(async || "answered");
            let router = recorded(router, arrivals.clone());
            router.oneshot(request).await.expect("infallible");
            let kept = arrivals.page(None, 1).pop();
            kept.map(|(number, arrival)| (number, arrival.protocol, arrival.path))
        };
        assert_eq!(answer(request("/sign-in", "application/json")).await, None);
        let kept = answer(request(TRACES, "application/json")).await;
        assert_eq!(kept, Some((1, "HTTP JSON", None)));
        let kept = answer(request("/v1/logs", "application/x-protobuf")).await;
        assert_eq!(
            kept,
            Some((2, "HTTP protobuf", Some("/v1/logs".to_owned())))
        );
        let kept = answer(request("/", "application/x-protobuf")).await;
        assert_eq!(kept, Some((3, "HTTP protobuf", Some("/".to_owned()))));
        let kept = answer(request(TRACES, "text/plain")).await;
        assert_eq!(kept, Some((4, "HTTP", None)));
        let mut call = request(grpc::EXPORT, "application/grpc");
        *call.version_mut() = Version::HTTP_2;
        assert_eq!(answer(call).await, Some((5, "gRPC", None)));
    }

    #[tokio::test]
    async fn a_request_that_its_client_gives_up_is_kept() {
        let arrivals = Arrivals::new();
        let router = Router::new().fallback(async || std::future::pending::<&str>().await);
        let router = recorded(router, arrivals.clone());
        let answer = router.oneshot(request(TRACES, "application/json"));
        let given_up = tokio::time::timeout(std::time::Duration::ZERO, answer).await;
        assert!(given_up.is_err());
        let (_, arrival) = arrivals.page(None, 1).pop().expect("kept");
        assert_eq!(arrival.problem, Some("CANCELLED"));
    }
}
