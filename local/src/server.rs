//! The HTTP server of one machine. It does what API Gateway does on AWS: it
//! finds the route, and hands the request to the route's own handler.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use console::Console;
use functions::app::App;
use functions::cors::AllowedOrigins;
use functions::pages;
use functions::parameters::invalid;
use functions::problem::Problem;
use functions::reply;
use functions::route::{ROUTES, RequestId, Route};
use functions::traces;
use lambda_http::RequestExt;
use uuid::Uuid;

use crate::connections::{BODY_TIME, UnreadBody, read_body};

/// The header with the id under which the log has the request.
const REQUEST_ID: &str = "x-request-id";

/// The longest path with its query, in bytes. API Gateway takes 10 KB, and all headers
/// with it.
const MAX_URI_BYTES: usize = 32 * 1024;

/// A router over every route, and over a console that takes tokens alone.
pub fn router(app: Arc<App>) -> Router {
    router_with(app, Console::default())
}

/// A router over every route, and over this console.
pub fn router_with(app: Arc<App>, console: Console) -> Router {
    let paths: BTreeSet<&str> = ROUTES.iter().map(|route| route.path).collect();
    let mut router = Router::new();
    for path in paths {
        router = router.route(path, methods_of(path));
    }
    for route in ROUTES {
        // To delete nothing in particular is a mistake that has a name of its own.
        if let Some(unnamed) = path_without_id(route) {
            let answer = |state, parameters, request| answer(route, state, parameters, request);
            let methods = MethodRouter::new().on(filter(&route.method), answer);
            router = router.route(unnamed, methods.fallback(no_such_path));
        }
    }
    let api = router.fallback(no_such_path).with_state(app);
    api.merge(pages_of(console))
}

/// The pages of the console, and the description of the API.
fn pages_of(console: Console) -> Router {
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

/// The path of a route that deletes, with its id left out.
fn path_without_id(route: &Route) -> Option<&'static str> {
    let parameter = route.path.rfind('{')?;
    (route.method == Method::DELETE).then(|| &route.path[..parameter])
}

/// The routes of one path, each under its method.
fn methods_of(path: &str) -> MethodRouter<Arc<App>> {
    let routes = || ROUTES.iter().filter(|route| route.path == path);
    let allow: Vec<_> = routes().map(|route| route.method.as_str()).collect();
    let allow = allow.join(", ");
    let mut methods = MethodRouter::new();
    for route in routes() {
        let answer = |state, parameters, request| answer(route, state, parameters, request);
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

/// What a browser asks before it sends a request of another origin's page.
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
    // Every route has one of the methods that axum knows.
    MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET)
}

async fn answer(
    route: &'static Route,
    State(app): State<Arc<App>>,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let request_id = new_request_id();
    // A path that is not UTF-8 names nothing.
    let Ok(parameters) = parameters else {
        return refuse(&Problem::NoSuchPath, &request_id);
    };
    let path_parameters: HashMap<String, Vec<String>> = parameters
        .iter()
        .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
        .collect();
    let (mut parts, body) = request.into_parts();
    let uri = parts.uri.path_and_query();
    if uri.is_some_and(|uri| uri.as_str().len() > MAX_URI_BYTES) {
        let most = MAX_URI_BYTES;
        return refuse(&Problem::UriTooLong { most }, &request_id);
    }
    let body = match read_body(body, route.max_body_bytes).await {
        Ok(body) => body,
        Err(unread) => {
            let problem = unreadable(unread, route.max_body_bytes);
            let reply = traces::problem_for(&parts.headers, &problem, &request_id);
            return respond(reply, &request_id);
        }
    };
    parts.extensions.insert(RequestId(request_id.clone()));
    let query = query_of(parts.uri.query().unwrap_or_default());
    let request = lambda_http::Request::from_parts(parts, body.to_vec().into())
        .with_path_parameters(path_parameters)
        .with_query_string_parameters(query);
    respond(route.answer(&app, &request).await, &request_id)
}

/// What is told of a body that was not read to its end.
fn unreadable(unread: UnreadBody, most: usize) -> Problem {
    match unread {
        UnreadBody::TooLarge => Problem::BodyTooLarge { most },
        UnreadBody::TooSlow => Problem::BodyTooSlow { within: BODY_TIME },
        UnreadBody::Broken => invalid(
            "body",
            "It ends before its end, or is not chunked as it says.",
        ),
    }
}

/// The query's parameters, with every value of each.
fn query_of(query: &str) -> HashMap<String, Vec<String>> {
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

fn refuse(problem: &Problem, request_id: &str) -> Response {
    respond(reply::problem(problem, request_id), request_id)
}

fn respond(reply: reply::Reply, request_id: &str) -> Response {
    let mut response = reply.map(Body::new);
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn new_request_id() -> String {
    Uuid::now_v7().to_string()
}
