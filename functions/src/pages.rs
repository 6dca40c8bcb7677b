//! Serves the pages of the console, to requests from API Gateway and from the local server.

use console::Console;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, InvalidHeaderValue, LOCATION,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use shared::auth::SignInSettings;

use crate::console_config;
use crate::openapi;
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::route::request_id;

/// The public paths in API Gateway's notation: the paths of the console, and the path of the
/// API's description.
pub fn paths() -> impl Iterator<Item = &'static str> {
    console::PATHS.into_iter().chain([openapi::PATH])
}

/// Creates the console with the API's limits and the configured sign-in.
///
/// # Errors
/// Returns an error if an origin of the sign-in is not valid in a header. The settings from the
/// environment are always valid.
pub fn console(sign_in: Option<&SignInSettings>) -> Result<Console, InvalidHeaderValue> {
    let origins = sign_in.map(SignInSettings::origins).unwrap_or_default();
    Console::configured(console_config::config(sign_in).to_string(), &origins)
}

/// Answers a request from API Gateway.
pub fn answer(console: &Console, request: &Request) -> Reply {
    let mut reply = match stage_without_slash(request) {
        Some(stage) => redirect(&stage),
        // The path of the URI has the stage in front.
        None => file(console, request.raw_http_path(), request.headers())
            .unwrap_or_else(|| reply::problem(&Problem::NoSuchPath, &request_id(request))),
    };
    reply::guard(reply.headers_mut());
    reply
}

/// The page or one of its files. Returns `None` if the path does not exist.
pub fn file(console: &Console, path: &str, headers: &HeaderMap) -> Option<Reply> {
    if path == openapi::PATH {
        return Some(description());
    }
    let answer = console.answer(path, headers)?;
    Some(answer.map(|body| reply::whole(body.into())))
}

/// The description of the API. It is public, because it has no data of any team.
fn description() -> Reply {
    let mut reply = Response::new(reply::whole(openapi::document().into()));
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Pages of other origins may read it too, such as tools for client developers.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    reply
}

/// The stage, if the request is for `/prod` without a slash. The page's paths are relative, so
/// they find its files only from `/prod/`.
fn stage_without_slash(request: &Request) -> Option<String> {
    let Some(RequestContext::ApiGatewayV1(context)) = request.request_context_ref() else {
        return None;
    };
    let path = context.path.as_deref()?;
    let stage = context.stage.as_deref()?;
    (path == format!("/{stage}")).then(|| stage.to_owned())
}

fn redirect(stage: &str) -> Reply {
    let mut response = Response::new(reply::whole(Vec::new()));
    *response.status_mut() = StatusCode::FOUND;
    if let Ok(location) = HeaderValue::from_str(&format!("/{stage}/")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
