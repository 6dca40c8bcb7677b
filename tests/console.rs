//! The console's files, as the local server and the Lambda function serve them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use functions::app::App;
use functions::bodies::BodyBudget;
use functions::pages;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use shared::audit::{self, Action};
use shared::auth::{REMEMBERED_SECONDS, REVOKED_KEPT_SECONDS, Role, SignInSettings};
use shared::label::MAX_LABEL_LENGTH;
use shared::labels::MAX_SEARCHED_LABELS;
use shared::settings::SETTINGS_REMEMBERED;
use tower::ServiceExt;

use crate::lambda::{event, function};
use crate::support::runtime::split;
use crate::support::{Answer, TestApp};

async fn answer_to(app: &TestApp, method: Method, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    app.send(request.body(Body::empty()).expect("a request"))
        .await
}

/// The quoted paths of files in a page.
fn paths_in(page: &str) -> Vec<String> {
    let quoted = page.split('"').filter(|text| {
        let path = text.trim_start_matches("./");
        path.starts_with("assets/") || path.starts_with("vendor/")
    });
    let path = |text: &str| format!("/{}", text.trim_start_matches("./"));
    quoted.map(path).collect()
}

#[tokio::test]
async fn the_page_and_its_files_are_served_without_a_token() {
    let app = TestApp::new().await;
    let page = answer_to(&app, Method::GET, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        page.headers[header::CONTENT_TYPE],
        "text/html; charset=utf-8"
    );
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str();
    assert!(policy.is_ok_and(|policy| policy.starts_with("default-src 'none'")));
    let mut served = 0;
    for path in paths_in(&page.body) {
        let file = answer_to(&app, Method::GET, &path).await;
        // The keys of the import map are the plain names of the files.
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
    let head = answer_to(&app, Method::HEAD, "/").await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    for path in [
        "/assets/none.js",
        "/assets/",
        "/vendor/../Cargo.toml",
        "/index.html",
    ] {
        let missing = answer_to(&app, Method::GET, path).await;
        assert_eq!(missing.problem(), (404, "NOT_FOUND".to_owned()), "{path}");
    }
    let post = answer_to(&app, Method::POST, "/").await;
    assert_eq!(post.problem(), (405, "METHOD_NOT_ALLOWED".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lambda_binary_and_the_local_server_serve_equal_files() {
    let app = TestApp::new().await;
    let function = function(&app, "console").await;
    let page = answer_to(&app, Method::GET, "/").await;
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
        let local = answer_to(&app, Method::GET, path).await;
        assert!(body == local.body.as_bytes(), "{path}");
    }

    // The relative paths of the page would be wrong here, so the function redirects.
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

/// The policy and the body of an answer of the local server.
async fn configured(
    app: &TestApp,
    sign_in: Option<&SignInSettings>,
    path: &str,
) -> (String, String) {
    let console = pages::console(sign_in).expect("can be");
    let app = Arc::new(App::new(app.store.clone()));
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let router = local::server::router_with(app, console, BodyBudget::new(1_000_000));
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
async fn the_page_has_the_client_of_an_issuer_and_may_call_it() {
    let app = TestApp::new().await;
    let settings = SignInSettings {
        issuer: "https://id.example.com/pool".to_owned(),
        client_id: "flowtrail-console".to_owned(),
        scopes: "openid profile".to_owned(),
        token_url: Some("https://tokens.example.com/token".to_owned()),
    };
    let (without, plain) = configured(&app, None, "/config.json").await;
    let (policy, config) = configured(&app, Some(&settings), "/config.json").await;
    assert_eq!(
        policy,
        format!("{without} https://id.example.com https://tokens.example.com")
    );
    let mut expected: Value = serde_json::from_str(&plain).expect("JSON");
    assert!(expected.get("oidc").is_none());
    expected["oidc"] = json!({
        "issuer": settings.issuer,
        "clientId": settings.client_id,
        "scopes": settings.scopes,
        "tokenUrl": settings.token_url,
    });
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

/// A request of a method, a path and a JSON body.
type Call = (Method, &'static str, Value);

/// A rule, role, name or entry for each number up to a count.
fn each(count: usize, entry: impl Fn(usize) -> Value) -> Value {
    (0..count).map(entry).collect()
}

/// Makes a call with a value of a limit.
type MakeCall = fn(usize) -> Call;

/// The requests that reach each limit of `config.json`, with a value.
const REQUESTS: [(&str, MakeCall); 9] = [
    ("retentionDays", |days| {
        let rules = json!({"rules": [{"days": days}]});
        (Method::PUT, "/api/settings/retention", rules)
    }),
    ("rules", |count| {
        let rules = each(count, |flow| json!({"flowId": flow.to_string(), "days": 1}));
        (
            Method::PUT,
            "/api/settings/retention",
            json!({"rules": rules}),
        )
    }),
    ("stalledMaxSeconds", |seconds| {
        let rules = json!({"rules": [{"afterSeconds": seconds}]});
        (Method::PUT, "/api/settings/stalled", rules)
    }),
    ("roles", |count| {
        let role = |name| json!({"name": format!("r{name}"), "permissions": ["AUDIT_READ"]});
        (
            Method::PUT,
            "/api/roles",
            json!({"roles": each(count, role)}),
        )
    }),
    ("maskingEntries", |count| {
        let names = each(count, |name| json!(format!("name{name}")));
        (
            Method::PUT,
            "/api/settings/masking",
            json!({"keyNames": names}),
        )
    }),
    ("tokenNameLength", |length| {
        let token = json!({"name": "x".repeat(length), "role": "viewer"});
        (Method::POST, "/api/tokens", token)
    }),
    ("cancelReasonLength", |length| {
        let reason = json!({"reason": "x".repeat(length)});
        (Method::POST, "/api/executions/missing/cancel", reason)
    }),
    ("pageSize", |size| {
        (Method::GET, "/api/history/executions?limit=", json!(size))
    }),
    ("statisticsDays", |days| {
        (
            Method::GET,
            "/api/history/execution-stats?days=",
            json!(days),
        )
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn config_has_the_limits_that_the_api_enforces() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let (_, config) = configured(&app, None, "/config.json").await;
    let config: Value = serde_json::from_str(&config).expect("JSON");
    let limits = config["limits"].as_object().expect("limits");
    let is_refused = async |(method, path, body): Call| {
        let answer = match method {
            Method::GET => app.get(&admin, &format!("{path}{body}")).await,
            _ => app.call(method, &admin, path, &body.to_string()).await,
        };
        assert!(!answer.status.is_server_error(), "{path}: {}", answer.body);
        answer.status == StatusCode::BAD_REQUEST
    };
    for (name, request) in REQUESTS {
        let limit = limits[name].as_u64().expect(name);
        let limit = usize::try_from(limit).expect(name);
        assert!(!is_refused(request(limit)).await, "{name}: {limit}");
        assert!(is_refused(request(limit + 1)).await, "{name}: {limit}");
    }
    let least = limits["stalledMinSeconds"].as_u64().expect("a number");
    for (seconds, refused) in [(least - 1, true), (least, false)] {
        let rules = json!({"rules": [{"afterSeconds": seconds}]});
        let call = (Method::PUT, "/api/settings/stalled", rules);
        assert_eq!(is_refused(call).await, refused, "{seconds} seconds");
    }
    // One request cannot reach most of the other limits.
    let day = 24 * 3_600;
    let others = [
        ("auditDays", json!(audit::KEPT_SECONDS / day)),
        ("labelBytes", json!(MAX_LABEL_LENGTH)),
        ("revokedTokenDays", json!(REVOKED_KEPT_SECONDS / day)),
        ("searchedLabels", json!(MAX_SEARCHED_LABELS)),
        (
            "settingsPropagationSeconds",
            json!(SETTINGS_REMEMBERED.as_secs()),
        ),
        ("tokenPropagationSeconds", json!(REMEMBERED_SECONDS)),
    ];
    for (name, value) in &others {
        assert_eq!(limits[*name], *value, "{name}");
    }
    // The lower limit of the seconds is not in either list.
    assert_eq!(limits.len(), REQUESTS.len() + others.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn config_lists_what_the_api_knows() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let (_, config) = configured(&app, None, "/config.json").await;
    let config: Value = serde_json::from_str(&config).expect("JSON");
    let roles = app.get(&admin, "/api/roles").await.ok();
    assert_eq!(config["permissions"], roles["permissions"]);
    let actions = config["auditActions"].as_array().expect("a list");
    assert_eq!(actions.len(), Action::ALL.len());
    for action in actions {
        let action = action.as_str().expect("a text");
        let path = format!("/api/audit?action={action}");
        app.get(&admin, &path).await.ok();
    }
    let rules = &config["maskingRules"];
    assert!(rules.as_array().expect("a list").len() > 50, "{rules}");
    let settings = json!({"allowedRules": rules}).to_string();
    let path = "/api/settings/masking";
    app.call(Method::PUT, &admin, path, &settings).await.ok();
}
