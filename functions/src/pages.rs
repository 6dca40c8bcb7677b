//! The pages of the console, as an answer to a request of API Gateway or of the local
//! server.

use console::Console;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, InvalidHeaderValue, LOCATION,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use serde_json::json;
use shared::auth::SignInSettings;

use crate::openapi;
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::route::request_id;

/// The paths that are answered to anybody, as API Gateway writes them: the console's, and
/// that of the description of the API.
pub fn paths() -> impl Iterator<Item = &'static str> {
    console::PATHS.into_iter().chain([openapi::PATH])
}

/// The console, with the way to sign in that is configured.
///
/// # Errors
/// An issuer that cannot stand in a header; settings that were read have none.
pub fn console(sign_in: Option<&SignInSettings>) -> Result<Console, InvalidHeaderValue> {
    let Some(settings) = sign_in else {
        return Ok(Console::default());
    };
    let config = json!({
        "oidc": {
            "issuer": settings.issuer,
            "clientId": settings.client_id,
            "scopes": settings.scopes,
            "tokenUrl": settings.token_url,
        },
    });
    Console::configured(config.to_string(), &settings.origins())
}

/// Answers a request of API Gateway.
pub fn answer(console: &Console, request: &Request) -> Reply {
    if let Some(stage) = stage_without_slash(request) {
        return redirect(&stage);
    }
    // The URI's path has the stage in front.
    let answer = file(console, request.raw_http_path(), request.headers());
    answer.unwrap_or_else(|| reply::problem(&Problem::NoSuchPath, &request_id(request)))
}

/// The page or one of its files; `None` where nothing is at this path.
pub fn file(console: &Console, path: &str, headers: &HeaderMap) -> Option<Reply> {
    if path == openapi::PATH {
        return Some(description());
    }
    let answer = console.answer(path, headers)?;
    Some(answer.map(|body| reply::whole(body.into())))
}

/// The description of the API, which tells nothing of anybody.
fn description() -> Reply {
    let mut reply = Response::new(reply::whole(openapi::document().into()));
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The pages of others may read it, too, such as the tools of those who write clients.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    reply
}

/// The stage, where it was asked for as `/prod`: the page's own paths are relative, and
/// lead from `/prod/` alone to its files.
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
