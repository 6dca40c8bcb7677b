//! The HTTP server of one machine. It replaces API Gateway: it finds the route of a
//! request, and calls the route's handler.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use axum::{Extension, Router};
use console::Console;
use functions::app::App;
use functions::bodies::BodyBudget;
use functions::cors::AllowedOrigins;
use functions::pages;
use functions::parameters::invalid;
use functions::problem::Problem;
use functions::reply;
use functions::route::{RequestId, Route};
use functions::routes::ROUTES;
use lambda_http::RequestExt;
use uuid::Uuid;

use crate::connections::{BODY_TIME, MAX_BODIES_BYTES, UnreadBody, discard, read_body};
use crate::hosts::AllowedHosts;

/// The header with the request's id in the log.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// The longest path including its query, in bytes. API Gateway allows 10 KB together with
/// all headers.
const MAX_URI_BYTES: usize = 32 * 1024;

/// A router for every route, and for a console in which users sign in with tokens only.
pub fn router(app: Arc<App>) -> Router {
    router_with(app, Console::default(), BodyBudget::new(MAX_BODIES_BYTES))
}

/// A router for every route, and for this console. The memory for bodies comes from the
/// budget.
pub fn router_with(app: Arc<App>, console: Console, budget: BodyBudget) -> Router {
    let paths: BTreeSet<&str> = ROUTES.iter().map(|route| route.path).collect();
    let mut router = Router::new();
    for path in paths {
        router = router.route(path, path_methods(path));
    }
    for route in ROUTES {
        // A DELETE without an id is a common mistake, and gets its own error.
        if let Some(unnamed) = path_without_id(route) {
            let answer = |state, budget, parameters, request| {
                answer(route, state, budget, parameters, request)
            };
            let methods = MethodRouter::new().on(filter(&route.method), answer);
            router = router.route(unnamed, methods.fallback(no_such_path));
        }
    }
    let api = router.fallback(no_such_path).with_state(app);
    let api = api.layer(Extension(budget));
    guarded(api.merge(pages_router(console)))
}

/// Adds the headers of [`reply::guard`] to every answer of a router.
pub fn guarded(router: Router) -> Router {
    router.layer(map_response(async |mut response: Response| {
        reply::guard(response.headers_mut());
        response
    }))
}

/// Restricts a router to this machine's own names and to these hosts.
pub fn for_hosts(router: Router, hosts: AllowedHosts) -> Router {
    let hosts = Arc::new(hosts);
    let only = from_fn(move |request: Request, next: Next| {
        let hosts = hosts.clone();
        async move {
            match hosts.refused(request.uri(), request.headers()) {
                Some(host) => refuse(&Problem::WrongHost { host }, &new_request_id()),
                None => next.run(request).await,
            }
        }
    });
    guarded(router.layer(only))
}

/// Serves the pages of the console, and the description of the API.
fn pages_router(console: Console) -> Router {
    let mut router = Router::new();
    for path in pages::paths() {
        let path = path.replace("{file+}", "{*file}");
        let allow = "GET, HEAD".to_owned();
        let refused = async || refuse(&Problem::MethodNotAllowed { allow }, &new_request_id());
        router = router.route(&path, axum::routing::get(console_file).fallback(refused));
    }
    router.with_state(Arc::new(console))
}

async fn console_file(State(console): State<Arc<Console>>, request: Request) -> Response {
    match pages::file(&console, request.uri().path(), request.headers()) {
        Some(reply) => reply.map(Body::new),
        None => no_such_path().await,
    }
}

/// Returns the path of a DELETE route without its id.
fn path_without_id(route: &Route) -> Option<&'static str> {
    let parameter = route.path.rfind('{')?;
    (route.method == Method::DELETE).then(|| &route.path[..parameter])
}

/// Returns the routes of a path, by method.
fn path_methods(path: &str) -> MethodRouter<Arc<App>> {
    let routes = || ROUTES.iter().filter(|route| route.path == path);
    let allow: Vec<_> = routes().map(|route| route.method.as_str()).collect();
    let allow = allow.join(", ");
    let mut methods = MethodRouter::new();
    for route in routes() {
        let answer =
            |state, budget, parameters, request| answer(route, state, budget, parameters, request);
        methods = methods.on(filter(&route.method), answer);
    }
    methods
        .options({
            let allow = allow.clone();
            move |State(app): State<Arc<App>>, headers: HeaderMap| async move {
                preflight(&app, allow, &headers)
            }
        })
        .fallback(move || {
            let allow = allow.clone();
            async move { refuse(&Problem::MethodNotAllowed { allow }, &new_request_id()) }
        })
}

/// Answers the preflight request that a browser sends for a page of another origin.
fn preflight(app: &App, allow: String, request: &HeaderMap) -> Response {
    let origins = app.allowed_origins();
    let methods = HeaderValue::from_str(&allow);
    let (Ok(methods), false) = (methods, *origins == AllowedOrigins::Own) else {
        return refuse(&Problem::MethodNotAllowed { allow }, &new_request_id());
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    origins.preflight(request, &methods, response.headers_mut());
    response.headers_mut().insert(ALLOW, methods);
    response
}

fn filter(method: &Method) -> MethodFilter {
    // Every route has a method that axum knows.
    MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET)
}

async fn answer(
    route: &'static Route,
    State(app): State<Arc<App>>,
    Extension(budget): Extension<BodyBudget>,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let request_id = new_request_id();
    // A path that is not UTF-8 does not exist.
    let Ok(parameters) = parameters else {
        return refuse(&Problem::NoSuchPath, &request_id);
    };
    let path_parameters: HashMap<String, Vec<String>> = parameters
        .iter()
        .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
        .collect();
    let (mut parts, mut body) = request.into_parts();
    let uri = parts.uri.path_and_query();
    if uri.is_some_and(|uri| uri.as_str().len() > MAX_URI_BYTES) {
        let most = MAX_URI_BYTES;
        return refuse(&Problem::UriTooLong { most }, &request_id);
    }
    parts.extensions.insert(RequestId(request_id.clone()));
    let headers = parts.headers.clone();
    let query = parse_query(parts.uri.query().unwrap_or_default());
    let request = lambda_http::Request::from_parts(parts, lambda_http::Body::Empty)
        .with_path_parameters(path_parameters)
        .with_query_string_parameters(query);
    // A body is read only after the caller is authenticated.
    let read = async {
        let read = read_body(&mut body, route.max_body_bytes, &budget).await;
        let (body, reservation) =
            read.map_err(|unread| unreadable(unread, route.max_body_bytes))?;
        Ok((lambda_http::Body::from(Vec::from(body)), reservation))
    };
    let reply = route.answer_reading(&app, request, read).await;
    discard(&mut body, &headers).await;
    respond(reply, &request_id)
}

/// Returns the problem to report for a body that was not read completely.
pub(crate) fn unreadable(unread: UnreadBody, most: usize) -> Problem {
    match unread {
        UnreadBody::TooLarge => Problem::BodyTooLarge { most },
        UnreadBody::TooSlow => Problem::BodyTooSlow { within: BODY_TIME },
        UnreadBody::Busy => Problem::Busy,
        UnreadBody::Broken => invalid(
            "body",
            "The body ended early, or its chunks are malformed. Send it again.",
        ),
    }
}

/// Parses the query's parameters, with all values of each.
fn parse_query(query: &str) -> HashMap<String, Vec<String>> {
    let mut parameters: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let values = parameters.entry(name.into_owned()).or_default();
        values.push(value.into_owned());
    }
    parameters
}

async fn no_such_path() -> Response {
    refuse(&Problem::NoSuchPath, &new_request_id())
}

pub(crate) fn refuse(problem: &Problem, request_id: &str) -> Response {
    respond(reply::problem(problem, request_id), request_id)
}

pub(crate) fn respond(reply: reply::Reply, request_id: &str) -> Response {
    let mut response = reply.map(Body::new);
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The response of an endpoint that only this server has.
pub(crate) fn to_response(answer: Result<reply::Reply, Problem>) -> Response {
    let request_id = new_request_id();
    match answer {
        Ok(reply) => respond(reply, &request_id),
        Err(problem) => refuse(&problem, &request_id),
    }
}

pub(crate) fn new_request_id() -> String {
    Uuid::now_v7().to_string()
}
