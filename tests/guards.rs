//! Protection of a server against foreign web pages, large bodies and misleading names.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use functions::app::App;
use functions::cors::AllowedOrigins;
use serde_json::json;
use shared::auth::Role;
use shared::model::{VISIBLE_PATTERN, is_visible};
use tower::ServiceExt;

use crate::support::TestApp;
use crate::support::records::execution;

mod body_memory;
mod hosts;

fn assert_guarded(headers: &HeaderMap, what: &str) {
    assert_eq!(headers["x-content-type-options"], "nosniff", "{what}");
    let policy = &headers["cross-origin-resource-policy"];
    assert_eq!(policy, "same-origin", "{what}");
}

#[tokio::test]
async fn every_answer_has_the_protective_headers() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write([execution("run-1", json!({}))]).await;
    for (method, path, status) in [
        (Method::GET, "/flow-executions?flowDefinitionId=flow-1", 200),
        (Method::GET, "/flow-executions/run-1", 200),
        (
            Method::GET,
            "/api/executions/team/team-a/export?days=3660",
            200,
        ),
        (Method::GET, "/flow-executions", 400),
        (Method::GET, "/flow-executions/none", 404),
        (Method::PUT, "/flow-executions", 405),
        (Method::OPTIONS, "/flow-executions", 405),
        (Method::GET, "/nothing", 404),
        (Method::GET, "/assets/nothing", 404),
        (Method::GET, "/", 200),
        (Method::GET, "/config.json", 200),
        (Method::POST, "/config.json", 405),
        (Method::GET, "/openapi.json", 200),
        (Method::POST, "/v1/traces", 400),
    ] {
        let answer = app.call(method.clone(), &token, path, "").await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert_guarded(&answer.headers, path);
    }
    let refused = app.get("nobody", "/api/caller").await;
    assert_eq!(refused.status, 401);
    assert_guarded(&refused.headers, "401");
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_can_read_answers() {
    let app = TestApp::new().await;
    let origins: AllowedOrigins = "https://ops.example.com".parse().expect("origins");
    let served = App::new(app.store.clone()).allowing(origins);
    let router = local::server::router(Arc::new(served));
    for method in [Method::OPTIONS, Method::GET] {
        let request = Request::builder().method(method).uri("/api/caller");
        let request = request.header(header::ORIGIN, "https://ops.example.com");
        let request = request.body(Body::empty()).expect("a request");
        let answer = router.clone().oneshot(request).await.expect("infallible");
        let headers = answer.headers();
        // The policy applies only to requests without CORS.
        assert_guarded(headers, "CORS");
        assert_eq!(
            headers["access-control-allow-origin"],
            "https://ops.example.com"
        );
    }
}

/// The status of an answer as text.
fn status(answer: &str) -> u16 {
    let status = answer.split_whitespace().nth(1);
    status.and_then(|it| it.parse().ok()).unwrap_or_default()
}

#[test]
fn the_pattern_of_visible_texts_equals_the_rule_in_code() {
    let pattern = regex::Regex::new(VISIBLE_PATTERN).expect("a pattern");
    // Characters around each bound of the pattern, and of all scripts in use.
    let letters = (0..0x3200)
        .chain(0xfd00..0x1_0000)
        .chain(0x1_1000..0x1_1100)
        .chain(0x1_3400..0x1_3500)
        .chain(0x1_bc00..0x1_bd00)
        .chain(0x1_d100..0x1_d200)
        .chain(0x1_f460..0x1_f470)
        .chain(0xd_fff0..0xe_1010);
    for letter in letters.filter_map(char::from_u32) {
        for text in [
            letter.to_string(),
            format!("a{letter}"),
            format!("क{letter}"),
            format!("{letter}\u{200d}"),
        ] {
            assert_eq!(pattern.is_match(&text), is_visible(&text), "{text:?}");
        }
    }
}

#[tokio::test]
async fn a_name_with_invisible_characters_is_refused() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let create = async |name: &str| {
        let body = json!({"role": "viewer", "name": name}).to_string();
        app.call(Method::POST, &admin, "/api/tokens", &body).await
    };
    for name in [
        "\u{202e}evil",
        "admin\u{200b}",
        "a\u{2066}b",
        "a\u{7}",
        "a\u{ad}b",
    ] {
        let answer = create(name).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{name:?}"
        );
        assert_eq!(answer.json()["parameter"], "name");
    }
    for name in [
        "CI für Bestellungen",
        "می\u{200c}خواهم",
        "👨\u{200d}👩\u{200d}👧",
    ] {
        assert_eq!(create(name).await.status, 201, "{name:?}");
    }
}
