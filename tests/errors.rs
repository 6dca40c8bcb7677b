//! Requests that are refused, and answers when the table fails.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, header};
use bytes::Bytes;
use functions::app::App;
use functions::cors::AllowedOrigins;
use shared::auth::Role;
use tower::ServiceExt;

use crate::support::TestApp;

mod failing_table;
mod invalid_parameters;
mod page_tokens;

#[tokio::test]
async fn an_interrupted_body_is_not_reported_as_too_large() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let pieces = [
        Ok(Bytes::from_static(b"{")),
        Err(std::io::Error::other("broken")),
    ];
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    let request = Request::post("/api/tokens").header("authorization", format!("Bearer {token}"));
    let answer = app.send(request.body(body).expect("a request")).await;
    assert_eq!(answer.problem(), (400, "INVALID_PARAMETER".to_owned()));
    assert_eq!(answer.json()["parameter"], "body");
    let large = Body::from(vec![b' '; (1 << 20) + 1]);
    let request = Request::post("/api/tokens").header("authorization", format!("Bearer {token}"));
    let answer = app.send(request.body(large).expect("a request")).await;
    assert_eq!(answer.problem(), (413, "BODY_TOO_LARGE".to_owned()));
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_can_call_the_api() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let origins = "https://ops.example.com,http://localhost:5173";
    let origins: AllowedOrigins = origins.parse().expect("origins");
    let served = App::new(app.store.clone()).allowing(origins);
    let router = local::server::router(Arc::new(served));
    let send = async |method: Method, origin: &str| {
        let request = Request::builder().method(method).uri("/api/roles");
        let request = request
            .header(header::ORIGIN, origin)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty());
        let answer = router.clone().oneshot(request.expect("a request"));
        answer.await.expect("infallible")
    };
    let before = send(Method::OPTIONS, "http://localhost:5173").await;
    assert_eq!(before.status(), 204);
    let headers = before.headers();
    assert_eq!(
        headers["access-control-allow-origin"],
        "http://localhost:5173"
    );
    assert_eq!(headers["access-control-allow-methods"], "GET, PUT");
    assert_eq!(
        headers["access-control-allow-headers"],
        "Authorization,Content-Type"
    );
    assert_eq!(headers["vary"], "Origin");
    // The page can read a refusal too.
    let answer = send(Method::GET, "http://localhost:5173").await;
    assert_eq!(answer.status(), 403);
    let headers = answer.headers();
    assert_eq!(
        headers["access-control-allow-origin"],
        "http://localhost:5173"
    );
    for method in [Method::OPTIONS, Method::GET] {
        let other = send(method, "https://evil.example.com").await;
        let headers = other.headers();
        assert!(!headers.contains_key("access-control-allow-origin"));
        assert_eq!(headers["vary"], "Origin");
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_is_405() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    for path in [
        "/nothing",
        "/flow-executions/",
        "/flow-executions/a/b",
        "/flow-executions/%ff/x",
        "//",
    ] {
        let answer = app.get(&token, path).await;
        assert_eq!(answer.problem(), (404, "NOT_FOUND".to_owned()), "{path}");
    }
    for method in [
        Method::POST,
        Method::DELETE,
        Method::PUT,
        Method::PATCH,
        Method::OPTIONS,
    ] {
        let request = Request::builder()
            .method(method.clone())
            .uri("/flow-executions/a");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let answer = app
            .send(request.body(Body::empty()).expect("a request"))
            .await;
        assert_eq!(
            answer.problem(),
            (405, "METHOD_NOT_ALLOWED".to_owned()),
            "{method}"
        );
        assert_eq!(answer.headers["allow"], "GET");
    }
}

#[tokio::test]
async fn a_path_that_is_not_utf8_or_a_body_too_large_is_refused() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let answer = app.get(&token, "/flow-executions/%ff%fe").await;
    assert_eq!(answer.problem(), (404, "NOT_FOUND".to_owned()));
    let request = Request::get("/flow-executions/a")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(vec![b'x'; 2 << 20]));
    let answer = app.send(request.expect("a request")).await;
    assert_eq!(answer.problem(), (413, "BODY_TOO_LARGE".to_owned()));
}
