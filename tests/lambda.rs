//! Every Lambda binary with its sample event: the same JSON as the local
//! server gives.

use std::path::Path;

use axum::http::Method;
use functions::route::{ROUTES, Transfer};
use serde_json::{Map, Value, json};
use shared::auth::{OidcSettings, Role};

use crate::support::TestApp;
use crate::support::faults::breaking_endpoint;
use crate::support::issuer::{AUDIENCE, Issuer, SigningKey};
use crate::support::records::{ForkKey, branch_step, execution, item, payload, step, time};
use crate::support::runtime::{CUT_OFF, Function, http_answer};

/// The event of `events/<name>.json`.
fn event(name: &str) -> Value {
    let path = format!("../events/{name}.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The records that the sample events ask for.
async fn with_sample_run() -> TestApp {
    let app = TestApp::new().await;
    write_sample(&app).await;
    app
}

async fn write_sample(app: &TestApp) {
    let own = |id: &str, offset: i64| {
        let created_at = time(offset);
        execution(
            id,
            json!({"teamId": "default", "flowId": "order-pipeline", "createdAt": created_at}),
        )
    };
    let fork = ForkKey {
        execution_id: "run-42",
        id: "fork-1",
        offset: 200,
    };
    app.write([
        own("run-41", 0),
        own("run-42", 1_000),
        own("run-43", 2_000),
        execution("run-44", json!({"teamId": "default", "status": "RUNNING"})),
        execution("run-45", json!({"teamId": "default"})),
        execution(
            "run-46",
            json!({"teamId": "default", "flowId": "old-pipeline"}),
        ),
        step("run-42", "step-1", 50, json!({})),
        step(
            "run-42",
            "fork-1",
            200,
            json!({"stepType": "PARALLEL_FORK_MANAGER"}),
        ),
        branch_step(&fork, "branch-exec-1", "a", 210, json!({})),
        branch_step(&fork, "branch-exec-2", "b", 220, json!({})),
        payload(
            "run-42",
            "context",
            0,
            json!({"value": {"total": 129.5, "ok": true}}),
        ),
    ])
    .await;
    write_sample_token(app).await;
}

/// The token that the sample event revokes.
async fn write_sample_token(app: &TestApp) {
    let id = "0123456789abcdef0123";
    let token = json!({
        "pk": format!("TOKEN#{id}"), "sk": "TOKEN", "tokenId": id, "teamId": "default",
        "role": "viewer", "issuedAt": time(0),
    });
    let entry = json!({"pk": "TOKENS", "sk": format!("default#{id}")});
    app.write([item(token), item(entry)]).await;
}

async fn function(app: &TestApp, binary: &'static str) -> Function {
    Function {
        binary,
        endpoint_url: app.endpoint_url().await,
        table: app.store.table().to_owned(),
        variables: Vec::new(),
    }
}

/// The path and query of an event, as a caller would have sent them.
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
async fn each_lambda_binary_answers_its_event_as_the_local_server_does() {
    let app = with_sample_run().await;
    let token = app.token("default", Role::Admin, None).await;
    app.count().await;
    for route in ROUTES {
        let event = event(route.name);
        assert_eq!(event["httpMethod"], route.method.as_str(), "{}", route.name);
        assert_eq!(event["resource"], route.path, "{}", route.name);
        let answer = function(&app, route.name).await.invoke(&event).await;
        let (head, mut body) = http_answer(&answer);
        let status = match route.name {
            "create_token" => 201,
            _ => 200,
        };
        assert_eq!(head["statusCode"], status, "{}: {head} {body}", route.name);
        let is_streamed = head.get("body").is_none();
        assert_eq!(
            is_streamed,
            route.transfer == Transfer::Streamed,
            "{}",
            route.name
        );
        if route.method != Method::GET {
            // What it changed is there again.
            write_sample(&app).await;
        }
        let text = event["body"].as_str().unwrap_or_default();
        let answer = app
            .call(route.method.clone(), &token, &url_of(&event), text)
            .await;
        assert_eq!(answer.status, status, "{}: {}", route.name, answer.body);
        let mut local = match answer.body.as_str() {
            "" => Value::Null,
            _ => answer.json(),
        };
        // When the answer was made, for whom, and by what chance.
        for answer in [&mut body, &mut local] {
            for name in ["timestamp", "updatedAt", "updatedBy", "secret"] {
                if let Some(members) = answer.as_object_mut() {
                    members.remove(name);
                }
            }
            for name in ["id", "createdAt", "createdBy", "revokedAt"] {
                let token = answer.get_mut("token").and_then(Value::as_object_mut);
                token.map(|members| members.remove(name));
            }
        }
        assert_eq!(body, local, "{}", route.name);
        if route.method != Method::GET {
            write_sample(&app).await;
            continue;
        }
        let asked = [
            "data",
            "content",
            "nodeExecutions",
            "executions",
            "execution",
            "stats",
            "settings",
            "tokens",
            "builtInRoles",
            "events",
        ];
        let found = asked.iter().find_map(|name| body.get(*name));
        // The export is an array.
        let found = found.or(body.is_array().then_some(&body));
        let is_empty = [json!({}), json!([])].contains(found.expect("an answer"));
        assert!(!is_empty, "{}: the event asks for something", route.name);
    }
}

/// The event of an HTTP API, which takes answers whole, for an export.
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
async fn a_gateway_that_takes_answers_whole_gets_an_export_whole_or_a_clear_refusal() {
    let app = with_sample_run().await;
    let token = app.token("default", Role::Operator, None).await;
    let path = "/api/executions/team/default/export?from=2026-02-01";
    let csv = app.get(&token, path).await.body;
    let error = "x".repeat(300_000);
    for n in 0..12 {
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
        serde_json::from_slice(&export.invoke(&event).await).expect("an answer that is whole")
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
async fn a_lambda_binary_that_fails_in_the_middle_of_an_export_does_not_end_its_answer() {
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
async fn a_lambda_binary_without_an_authorizer_before_it_authenticates_by_itself() {
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
async fn the_lambda_authorizer_makes_the_caller_that_the_routes_take() {
    let app = TestApp::new().await;
    let token = app
        .token(
            "default",
            Role::Operator,
            Some(&["order-pipeline", "other"]),
        )
        .await;
    let function = function(&app, "authorize").await;
    let mut event = event("authorize");
    let method_arn = event["methodArn"].as_str().expect("an ARN").to_owned();
    event["authorizationToken"] = json!(format!("Bearer {token}"));
    let answer: Value = serde_json::from_slice(&function.invoke(&event).await).expect("JSON");
    let token_id = token.split('_').nth(1).expect("an id");
    assert_eq!(answer["principalId"], format!("token:{token_id}"));
    assert_eq!(
        answer["context"],
        json!({
            "teamId": "default",
            "principal": format!("token:{token_id}"),
            "permissions": "EXECUTIONS_READ,EXECUTIONS_EXPORT,EXECUTIONS_CANCEL",
            "flows": "order-pipeline,other",
        })
    );
    let statement = &answer["policyDocument"]["Statement"][0];
    assert_eq!(statement["Effect"], "Allow");
    let stage: Vec<_> = method_arn.split('/').take(2).collect();
    assert_eq!(statement["Resource"], format!("{}/*", stage.join("/")));

    let key = SigningKey::es256("one");
    let issuer = Issuer::new(&[&key]).await;
    let function = Function {
        variables: vec![
            (OidcSettings::ISSUER_VARIABLE, issuer.url.clone()),
            (OidcSettings::AUDIENCE_VARIABLE, AUDIENCE.to_owned()),
        ],
        ..function
    };
    let jwt = key.sign(&issuer.claims("viewer", json!({})));
    event["authorizationToken"] = json!(format!("Bearer {jwt}"));
    let answer: Value = serde_json::from_slice(&function.invoke(&event).await).expect("JSON");
    assert_eq!(answer["principalId"], "user:anna");
    assert_eq!(
        answer["context"],
        json!({"teamId": "team-a", "principal": "user:anna", "permissions": "EXECUTIONS_READ"})
    );

    event["authorizationToken"] = json!("Bearer sdk_nothing");
    let refused = function.invoke(&event).await;
    let refused = String::from_utf8_lossy(&refused);
    // The very word at which API Gateway answers 401.
    assert!(
        refused.contains(r#""errorMessage":"Unauthorized""#),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_binary_counts_its_event_once_however_often_it_comes() {
    let app = TestApp::new().await;
    let token = app.viewer("default").await;
    let mut event = event("count");
    let function = function(&app, "count").await;
    let stats = async || {
        let path = "/api/history/execution-stats?startDate=2026-02-01";
        app.get(&token, path).await.ok()["stats"].take()
    };
    for _ in 0..2 {
        let answer: Value = serde_json::from_slice(&function.invoke(&event).await).expect("JSON");
        assert_eq!(answer, json!({"state": {}}));
        let stats = stats().await;
        assert_eq!(stats["statusBreakdown"], json!({"PASSED": 1}));
        assert_eq!(stats["averageExecutionTimeMs"], 2_350);
    }
    // The last event of a window can be without records.
    event["Records"] = json!([]);
    event["isFinalInvokeForWindow"] = json!(true);
    let answer: Value = serde_json::from_slice(&function.invoke(&event).await).expect("JSON");
    assert_eq!(answer, json!({"state": {}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reap_binary_does_what_follows_from_its_event() {
    let app = with_sample_run().await;
    app.write([
        step("run-45", "a", 50, json!({})),
        execution(
            "below",
            json!({"teamId": "default", "status": "RUNNING", "parentExecutionId": "run-44"}),
        ),
    ])
    .await;
    app.store
        .delete("EXEC#run-45", "EXECUTION")
        .await
        .expect("removed");
    let function = function(&app, "reap").await;
    for _ in 0..2 {
        let answer: Value =
            serde_json::from_slice(&function.invoke(&event("reap")).await).expect("JSON");
        assert_eq!(answer, Value::Null);
        assert_eq!(app.records_of("run-45").await, [] as [String; 0]);
        assert_eq!(app.item("below").await["status"], "CANCELLED");
    }
}
