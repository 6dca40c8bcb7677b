//! The console's files, as the local server and the Lambda function give them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use functions::app::App;
use functions::pages;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use shared::auth::SignInSettings;
use tower::ServiceExt;

use crate::lambda::{event, function};
use crate::support::runtime::split;
use crate::support::{Answer, TestApp};

async fn asked(app: &TestApp, method: Method, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    app.send(request.body(Body::empty()).expect("a request"))
        .await
}

/// The paths that a page names in quotes.
fn paths_in(page: &str) -> Vec<String> {
    let quoted = page.split('"').filter(|text| {
        let path = text.trim_start_matches("./");
        path.starts_with("assets/") || path.starts_with("vendor/")
    });
    let path = |text: &str| format!("/{}", text.trim_start_matches("./"));
    quoted.map(path).collect()
}

#[tokio::test]
async fn the_page_and_all_that_it_names_are_served_to_anybody() {
    let app = TestApp::new().await;
    let page = asked(&app, Method::GET, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        page.headers[header::CONTENT_TYPE],
        "text/html; charset=utf-8"
    );
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str();
    assert!(policy.is_ok_and(|policy| policy.starts_with("default-src 'none'")));
    let mut served = 0;
    for path in paths_in(&page.body) {
        let file = asked(&app, Method::GET, &path).await;
        // The import map has the files' plain names on its left.
        if file.status == StatusCode::NOT_FOUND {
            let dots = path.matches('.').count();
            assert_eq!(dots, 1, "{path} is not served");
            continue;
        }
        assert_eq!(file.status, StatusCode::OK, "{path}");
        let kept = file.headers[header::CACHE_CONTROL].to_str();
        assert!(kept.is_ok_and(|kept| kept.contains("immutable")), "{path}");
        served += 1;
    }
    assert!(served > 5, "{served} files");
    let head = asked(&app, Method::HEAD, "/").await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    for path in [
        "/assets/none.js",
        "/assets/",
        "/vendor/../Cargo.toml",
        "/index.html",
    ] {
        let missing = asked(&app, Method::GET, path).await;
        assert_eq!(missing.problem(), (404, "NOT_FOUND".to_owned()), "{path}");
    }
    let post = asked(&app, Method::POST, "/").await;
    assert_eq!(post.problem(), (405, "METHOD_NOT_ALLOWED".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lambda_binary_gives_the_page_and_its_files_as_the_local_server_does() {
    let app = TestApp::new().await;
    let function = function(&app, "console").await;
    let page = asked(&app, Method::GET, "/").await;
    let mut event = event("console");
    for headers in ["headers", "multiValueHeaders"] {
        let headers = event[headers].as_object_mut().expect("headers");
        headers.remove("Accept-Encoding");
    }
    let (head, body) = split(&function.invoke(&event).await);
    assert_eq!(head["statusCode"], 200);
    assert!(body == page.body.as_bytes(), "another page");

    let mut paths = paths_in(&page.body);
    paths.retain(|path| path.matches('.').count() == 2);
    for path in paths.iter().take(3) {
        event["path"] = json!(path);
        event["requestContext"]["path"] = json!(format!("/prod{path}"));
        let (head, body) = split(&function.invoke(&event).await);
        assert_eq!(head["statusCode"], 200, "{path}");
        let local = asked(&app, Method::GET, path).await;
        assert!(body == local.body.as_bytes(), "{path}");
    }

    // The page's own paths lead from there to nothing.
    event["path"] = json!("/");
    event["requestContext"]["path"] = json!("/prod");
    let (head, _) = split(&function.invoke(&event).await);
    assert_eq!(head["statusCode"], 302);
    let location = [
        &head["headers"]["location"],
        &head["multiValueHeaders"]["location"][0],
    ];
    let location = location.into_iter().find_map(Value::as_str);
    assert_eq!(location, Some("/prod/"));
}

/// The policy and the body of the local server's answer.
async fn configured(
    app: &TestApp,
    sign_in: Option<&SignInSettings>,
    path: &str,
) -> (String, String) {
    let console = pages::console(sign_in).expect("can be");
    let app = Arc::new(App::new(app.store.clone()));
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let router = local::server::router_with(app, console);
    let (head, body) = router
        .oneshot(request)
        .await
        .expect("answered")
        .into_parts();
    assert_eq!(head.status, StatusCode::OK, "{path}");
    let policy = head.headers[header::CONTENT_SECURITY_POLICY].to_str();
    let body = body.collect().await.expect("a body").to_bytes();
    let body = String::from_utf8(body.to_vec()).expect("a text");
    (policy.expect("a text").to_owned(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_people_sign_in_at_an_issuer_the_page_may_ask_it_and_knows_its_client() {
    let app = TestApp::new().await;
    let settings = SignInSettings {
        issuer: "https://id.example.com/pool".to_owned(),
        client_id: "flowtrail-console".to_owned(),
        scopes: "openid profile".to_owned(),
        token_url: Some("https://tokens.example.com/token".to_owned()),
    };
    let (without, nothing) = configured(&app, None, "/config.json").await;
    assert_eq!(nothing, "{}");
    let (policy, config) = configured(&app, Some(&settings), "/config.json").await;
    assert_eq!(
        policy,
        format!("{without} https://id.example.com https://tokens.example.com")
    );
    let expected = json!({"oidc": {
        "issuer": settings.issuer,
        "clientId": settings.client_id,
        "scopes": settings.scopes,
        "tokenUrl": settings.token_url,
    }});
    let read: Value = serde_json::from_str(&config).expect("JSON");
    assert_eq!(read, expected);
    assert_eq!(configured(&app, Some(&settings), "/").await.0, policy);

    let mut function = function(&app, "console").await;
    function.variables = vec![
        ("FLOWTRAIL_OIDC_ISSUER", settings.issuer),
        ("FLOWTRAIL_OIDC_CONSOLE_CLIENT_ID", settings.client_id),
        ("FLOWTRAIL_OIDC_CONSOLE_SCOPES", settings.scopes),
        (
            "FLOWTRAIL_OIDC_CONSOLE_TOKEN_URL",
            settings.token_url.expect("named"),
        ),
    ];
    let mut event = event("console");
    event["path"] = json!("/config.json");
    event["requestContext"]["path"] = json!("/prod/config.json");
    let (head, body) = split(&function.invoke(&event).await);
    assert_eq!(head["statusCode"], 200);
    assert!(body == config.as_bytes(), "another file");
    assert!(head.to_string().contains(&policy), "{head}");
}
