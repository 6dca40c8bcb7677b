//! Answers a request: authenticates the caller, checks its permission, runs the handler, renders
//! the response, and logs one line.

use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::AUTHORIZATION;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};
use shared::Error;
use shared::auth::{self, Caller, Origin};
use shared::store::{Store, Usage};
use shared::timing::wait_for_tick;
use tokio::time::timeout;

use crate::app::App;
use crate::authorizer;
use crate::bodies::Reservation;
use crate::compression::compress;
use crate::metrics;
use crate::parameters;
use crate::problem::Problem;
use crate::reply::{self, Refusal, Reply};
use crate::route::{Authority, Route};
use crate::traces::{self, Receipt};

impl Route {
    /// Answers a request, even if it fails, and logs one line.
    ///
    /// The caller comes from API Gateway's authorizer. Without an authorizer (on a laptop, under
    /// `cargo lambda`) the same authentication runs here. The permission is checked here in both
    /// cases.
    pub async fn answer(&self, app: &App, request: &Request) -> Reply {
        let mut exchange = Exchange::begin(self, app, request);
        let answer = async {
            let caller = exchange.admit(request).await?;
            exchange.run(&caller, request).await
        };
        let answer = within(ANSWERED_WITHIN, answer).await;
        exchange.end(request, answer).await
    }

    /// Answers a request whose body has not been read yet. `read` starts after the caller is
    /// authenticated and has the permission for the route. The body's memory is reserved until
    /// the response begins.
    pub async fn answer_reading(
        &self,
        app: &App,
        mut request: Request,
        read: impl Future<Output = Result<(Body, Reservation), Problem>>,
    ) -> Reply {
        let mut exchange = Exchange::begin(self, app, &request);
        let begin = tokio::time::Instant::now();
        let admitted = within(ANSWERED_WITHIN, exchange.admit(&request)).await;
        // Reading the body has its own time limit, so it does not count here.
        let left = ANSWERED_WITHIN.saturating_sub(begin.elapsed());
        let answer = match admitted {
            Ok(caller) => match read.await {
                Ok((body, reservation)) => {
                    *request.body_mut() = body;
                    request.extensions_mut().insert(reservation);
                    within(left, exchange.run(&caller, &request)).await
                }
                Err(problem) => Err(problem),
            },
            Err(problem) => Err(problem),
        };
        exchange.end(&request, answer).await
    }
}

/// A request that is being answered.
struct Exchange<'a> {
    route: &'a Route,
    app: &'a App,
    start: Instant,
    request_id: String,
    store: Store,
    /// Set after the caller is authenticated.
    team_id: Option<String>,
}

impl<'a> Exchange<'a> {
    fn begin(route: &'a Route, app: &'a App, request: &Request) -> Self {
        Self {
            route,
            app,
            start: Instant::now(),
            request_id: request_id(request),
            store: app.store().metered(),
            team_id: None,
        }
    }

    /// Authenticates the caller, and checks that it may use the route.
    async fn admit(&mut self, request: &Request) -> Result<Caller, Problem> {
        let mut caller = authenticate(self.app, request).await?;
        caller.origin = Origin {
            request_id: Some(self.request_id.clone()),
            source_ip: source_ip(request),
        };
        self.team_id = Some(caller.team_id.to_string());
        if let Some(permission) = self.route.permission {
            caller.require(permission)?;
            if self.route.authority == Authority::Current {
                auth::require_current(&self.store, &caller, permission).await?;
            }
        }
        parameters::require_known(&self.route.parameters, request)?;
        Ok(caller)
    }

    async fn run(&self, caller: &Caller, request: &Request) -> Result<Reply, Problem> {
        (self.route.handler)(&self.store, caller, request).await
    }

    /// Renders and logs the response.
    async fn end(self, request: &Request, answer: Result<Reply, Problem>) -> Reply {
        let mut reply = match answer {
            Ok(reply) => reply,
            Err(problem) => {
                if problem.status() == StatusCode::NOT_FOUND {
                    wait_for_tick(self.start, NOT_FOUND_EVERY).await;
                }
                traces::problem_for(request.headers(), &problem, &self.request_id)
            }
        };
        let usage = self.store.usage();
        let allowed_origins = self.app.allowed_origins();
        allowed_origins.answer(request.headers(), reply.headers_mut());
        reply::guard(reply.headers_mut());
        let mut reply = compress(reply, request.headers());
        self.log(&reply, usage);
        reply.extensions_mut().insert::<Usage>(usage);
        reply
    }

    /// Writes the log line. For a request with traces it says what arrived.
    fn log(&self, reply: &Reply, usage: Usage) {
        let refusal = reply.extensions().get::<Refusal>();
        let receipt = reply.extensions().get::<Receipt>();
        let reason = match receipt {
            _ if self.route.name != traces::ROUTE => None,
            Some(receipt) if refusal.is_none() => Some(receipt.message.as_str()),
            _ => refusal.map(|refusal| refusal.message.as_str()),
        };
        tracing::info!(
            target: metrics::TARGET,
            request_id = self.request_id,
            route = self.route.name,
            team_id = self.team_id,
            status = reply.status().as_u16(),
            duration_ms = self.start.elapsed().as_secs_f64() * 1_000.0,
            table_requests = usage.requests,
            capacity_units = usage.capacity_units,
            problem = refusal.map(|refusal| refusal.code),
            reason = reason.filter(|reason| !reason.is_empty()),
            protocol = receipt.map(|receipt| receipt.protocol.as_str()),
            services = receipt.map(|receipt| receipt.services.line()),
            scopes = receipt.map(|receipt| receipt.scopes.line()),
            runs = receipt.map(|receipt| receipt.runs.line()),
            spans = receipt.map(|receipt| receipt.spans),
            rejected_spans = receipt.map(|receipt| receipt.rejected_spans),
            dropped_attributes = receipt.map(|receipt| receipt.dropped.attributes),
            dropped_events = receipt.map(|receipt| receipt.dropped.events),
            dropped_links = receipt.map(|receipt| receipt.dropped.links),
            "answered"
        );
    }
}

/// Limits the time of an answer. After that, returns the error of a table that does not respond.
async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let answer = timeout(limit, answer).await;
    answer.unwrap_or_else(|elapsed| Err(Error::Unavailable(elapsed.into()).into()))
}

/// The time limit until a response begins. It is below a function's 25 seconds, which are below
/// the 29 seconds of API Gateway, so that the caller gets a 503 if the table does not respond. A
/// request that is abandoned here leaves the same state as a crash at that point.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(22);

/// Responses with 404 are sent at multiples of this time. Rejecting another team's run takes
/// longer than finding no run, and longer for larger runs (up to 1 MB). Without the delay a caller
/// could measure whether a run of another team exists.
const NOT_FOUND_EVERY: Duration = Duration::from_millis(100);

async fn authenticate(app: &App, request: &Request) -> Result<Caller, Problem> {
    if let Some(caller) = authorizer::caller_from_context(request) {
        return Ok(caller);
    }
    let mut headers = request.headers().get_all(AUTHORIZATION).iter();
    let header = headers.next();
    // Events have each header twice, in `headers` and `multiValueHeaders`. Two different values
    // are an attempt to act as two callers.
    if headers.any(|other| Some(other) != header) {
        return Err(Error::Unauthenticated("Send exactly one Authorization header.").into());
    }
    let header = header.and_then(|header| header.to_str().ok());
    Ok(app.authenticate(header).await?)
}

/// The caller's address as the gateway saw it. A header cannot change it.
fn source_ip(request: &Request) -> Option<String> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.identity.source_ip.clone(),
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.clone(),
        _ => None,
    }
}

/// The id of a request that has none from Lambda or API Gateway.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The request id in the log: API Gateway's, which its access log has too, or else the local
/// server's, or else Lambda's.
pub fn request_id(request: &Request) -> String {
    let gateway = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.request_id.clone(),
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let local = || request.extensions().get().map(|RequestId(id)| id.clone());
    let lambda = || {
        request
            .lambda_context_ref()
            .map(|context| context.request_id.clone())
    };
    gateway
        .filter(|id| !id.is_empty())
        .or_else(local)
        .or_else(lambda)
        .unwrap_or_default()
}
