//! The binaries of the routes: answers, exports, and callers.

use axum::http::Method;
use functions::cors;
use functions::route::{Route, Transfer};
use functions::routes::ROUTES;
use serde_json::{Map, Value, json};
use shared::auth::Role;

use super::{event, function, with_sample_run, write_sample};
use crate::support::TestApp;
use crate::support::faults::breaking_endpoint;
use crate::support::records::{execution, step, time};
use crate::support::runtime::{CUT_OFF, Function, http_answer};

/// The path and query of an event, as a caller sends them.
fn url_of(event: &Value) -> String {
    let query = event["queryStringParameters"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let query: Vec<_> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", value.as_str().expect("a text")))
        .collect();
    let path = event["path"].as_str().expect("a path");
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", query.join("&"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lambda_binaries_answer_like_the_local_server() {
    let app = with_sample_run().await;
    let token = app.token("default", Role::Admin, None).await;
    app.count().await;
    for route in ROUTES {
        let event = event(route.name);
        let mut body = answer_of_binary(&app, route, &event).await;
        if route.method != Method::GET {
            // Restore what the request changed.
            write_sample(&app).await;
        }
        let text = event["body"].as_str().unwrap_or_default();
        let answer = app
            .call(route.method.clone(), &token, &url_of(&event), text)
            .await;
        let status = success_of(route);
        assert_eq!(answer.status, status, "{}: {}", route.name, answer.body);
        let mut local = match answer.body.as_str() {
            "" => Value::Null,
            _ => answer.json(),
        };
        remove_varying_members(&mut body);
        remove_varying_members(&mut local);
        assert_eq!(body, local, "{}", route.name);
        if route.method == Method::GET {
            assert_not_empty(&body, route.name);
        } else {
            write_sample(&app).await;
        }
    }
}

fn success_of(route: &Route) -> u16 {
    match route.name {
        "create_token" => 201,
        _ => 200,
    }
}

/// The body with which the binary of a route answers an event.
async fn answer_of_binary(app: &TestApp, route: &Route, event: &Value) -> Value {
    let name = route.name;
    assert_eq!(event["httpMethod"], route.method.as_str(), "{name}");
    assert_eq!(event["resource"], route.path, "{name}");
    let answer = function(app, name).await.invoke(event).await;
    let (head, body) = http_answer(&answer);
    assert_eq!(
        head["statusCode"],
        success_of(route),
        "{name}: {head} {body}"
    );
    let is_streamed = head.get("body").is_none();
    assert_eq!(is_streamed, route.transfer == Transfer::Streamed, "{name}");
    body
}

/// Removes times, principals and random values, which differ between two answers.
fn remove_varying_members(answer: &mut Value) {
    for name in [
        "timestamp",
        "updatedAt",
        "updatedBy",
        "pinnedAt",
        "pinnedBy",
        "secret",
    ] {
        if let Some(members) = answer.as_object_mut() {
            members.remove(name);
        }
    }
    for name in ["id", "createdAt", "createdBy", "revokedAt"] {
        let token = answer.get_mut("token").and_then(Value::as_object_mut);
        token.map(|members| members.remove(name));
    }
    let caller = answer.get_mut("caller").and_then(Value::as_object_mut);
    caller.map(|members| members.remove("principal"));
}

/// The sample event of a route must request something that exists.
fn assert_not_empty(body: &Value, name: &str) {
    let members = [
        "data",
        "content",
        "nodeExecutions",
        "executions",
        "execution",
        "stats",
        "settings",
        "caller",
        "tokens",
        "builtInRoles",
        "rules",
        "profiles",
        "events",
    ];
    let found = members.iter().find_map(|member| body.get(*member));
    // The export is an array.
    let found = found.or(body.is_array().then_some(body));
    let is_empty = [json!({}), json!([])].contains(found.expect("an answer"));
    assert!(!is_empty, "{name}: the answer is empty");
}

/// The event of an HTTP API for an export. An HTTP API cannot stream answers.
fn http_api_event(token: &str, query: &str) -> Value {
    let path = "/api/executions/team/default/export";
    let parameters: Map<String, Value> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({
        "version": "2.0",
        "routeKey": "GET /api/executions/team/{teamId}/export",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"authorization": format!("Bearer {token}"), "accept-encoding": "gzip"},
        "queryStringParameters": parameters,
        "pathParameters": {"teamId": "default"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
            "http": {
                "method": "GET", "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.24", "userAgent": "curl/8.5.0",
            },
            "requestId": "00000000-4c1d-4f6a-9b2e-000000000000",
            "stage": "$default",
            "time": "17/Feb/2026:10:31:07 +0000",
            "timeEpoch": 1_771_324_267_482_i64,
        },
        "isBase64Encoded": false,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_are_complete_or_refused_if_they_cannot_stream() {
    let app = with_sample_run().await;
    let token = app.token("default", Role::Operator, None).await;
    let path = "/api/executions/team/default/export?from=2026-02-01";
    let csv = app.get(&token, path).await.body;
    let error = "x".repeat(120_000);
    for n in 0..30 {
        let id = format!("large-{n}");
        let large = json!({"teamId": "default", "createdAt": time(-86_400_000)});
        app.write([
            execution(&id, large),
            step(&id, "step", 0, json!({"errorMessage": error})),
        ])
        .await;
    }
    let mut export = function(&app, "export_team_executions").await;
    let mut sam_event = event("export_team_executions");
    let mut ask = async |event: Value, variables: &[(&'static str, &str)]| -> Value {
        let variables = variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        export.variables = variables.collect();
        serde_json::from_slice(&export.invoke(&event).await).expect("a complete answer")
    };
    let answer = ask(http_api_event(&token, "from=2026-02-17"), &[]).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(
        (&answer["body"], &answer["isBase64Encoded"]),
        (&json!(csv), &json!(false))
    );
    assert_eq!(answer["headers"].get("content-encoding"), None);
    let too_large = ask(http_api_event(&token, "from=2026-02-01"), &[]).await;

    let sam = [("AWS_SAM_LOCAL", "true")];
    sam_event["multiValueQueryStringParameters"] = json!({"from": ["2026-02-17"]});
    let answer = ask(sam_event.clone(), &sam).await;
    assert_eq!(
        (&answer["statusCode"], &answer["body"]),
        (&json!(200), &json!(csv))
    );
    sam_event["multiValueQueryStringParameters"] = json!({"from": ["2026-02-01"]});
    for refused in [too_large, ask(sam_event, &sam).await] {
        assert_eq!(refused["statusCode"], 413);
        let body: Value =
            serde_json::from_str(refused["body"].as_str().expect("a body")).expect("a problem");
        assert_eq!(body["code"], "EXPORT_TOO_LARGE");
        let message = body["message"].as_str().expect("a text");
        assert!(message.contains("fewer days"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_fails_midway_is_cut_off() {
    if std::env::var_os("FLOWTRAIL_TEST_EMULATOR").is_some() {
        eprintln!("not run: the emulator does not stream");
        return;
    }
    let app = TestApp::new().await;
    if app.embedded.is_none() {
        eprintln!("not run: the table's endpoint is another program");
        return;
    }
    for n in 0..60 {
        let attributes = json!({"teamId": "default", "flowId": "order-pipeline"});
        app.write([execution(&format!("run-{n}"), attributes)])
            .await;
    }
    let mut export = function(&app, "export_team_executions").await;
    for format in ["csv", "json"] {
        export.endpoint_url = breaking_endpoint(&app, 30).await;
        let mut event = event("export_team_executions");
        event["multiValueQueryStringParameters"]["format"] = json!([format]);
        let answer = export.invoke(&event).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(text.contains("\"statusCode\":200"), "{text}");
        assert!(answer.ends_with(CUT_OFF), "{text}");
        assert!(!text.contains("Lambda-Runtime"), "{text}");
        assert_eq!(
            text.contains("\r\nEXPORT CUT OFF"),
            format == "csv",
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn binaries_without_an_authorizer_authenticate_the_caller() {
    let app = with_sample_run().await;
    let token = app.viewer("default").await;
    let mut event = event("list_flow_executions");
    event["requestContext"]
        .as_object_mut()
        .expect("an object")
        .remove("authorizer");
    let function = function(&app, "list_flow_executions").await;
    for headers in ["headers", "multiValueHeaders"] {
        event[headers]
            .as_object_mut()
            .expect("an object")
            .remove("Authorization");
    }
    let (head, body) = http_answer(&function.invoke(&event).await);
    assert_eq!(
        (&head["statusCode"], &body["code"]),
        (&json!(401), &json!("UNAUTHENTICATED"))
    );
    let authorization = format!("Bearer {token}");
    event["headers"]["Authorization"] = json!(authorization);
    event["multiValueHeaders"]["Authorization"] = json!([authorization]);
    let (head, body) = http_answer(&function.invoke(&event).await);
    assert_eq!(head["statusCode"], 200, "{body}");
    assert_eq!(body["data"]["items"][0]["flowExecutionId"], "run-43");
}

#[tokio::test(flavor = "multi_thread")]
async fn binaries_allow_the_configured_origins_to_read() {
    let app = with_sample_run().await;
    let function = Function {
        variables: vec![(cors::VARIABLE, "https://ops.example.com".to_owned())],
        ..function(&app, "list_flow_executions").await
    };
    let mut event = event("list_flow_executions");
    for (origin, allowed) in [
        ("https://ops.example.com", json!("https://ops.example.com")),
        ("https://evil.example.com", Value::Null),
    ] {
        event["headers"]["Origin"] = json!(origin);
        event["multiValueHeaders"]["Origin"] = json!([origin]);
        let (head, _) = http_answer(&function.invoke(&event).await);
        assert_eq!(head["statusCode"], 200);
        let header = &head["multiValueHeaders"]["access-control-allow-origin"][0];
        assert_eq!(*header, allowed, "{head}");
    }
}
