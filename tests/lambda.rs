//! Every Lambda binary with its sample event: the same JSON as the local
//! server gives.

use std::path::Path;

use axum::http::Method;
use functions::cors;
use functions::route::{ROUTES, Transfer};
use serde_json::{Map, Value, json};
use shared::auth::{OidcSettings, Role};

use crate::support::faults::breaking_endpoint;
use crate::support::issuer::{AUDIENCE, Issuer, SigningKey};
use crate::support::process::DEADLINE;
use crate::support::records::{execution, item, step, time};
use crate::support::runtime::{CUT_OFF, Function, http_answer};
use crate::support::{TestApp, token_id};

/// The event of `events/<name>.json`.
pub fn event(name: &str) -> Value {
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
    let records = include_str!("sample-records.jsonl").lines();
    let records = records.map(|line| item(serde_json::from_str(line).expect("JSON")));
    app.write(records).await;
}

pub async fn function(app: &TestApp, binary: &'static str) -> Function {
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
            "caller",
            "tokens",
            "builtInRoles",
            "rules",
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
            "permissions": "EXECUTIONS_READ,EXECUTIONS_EXPORT,EXECUTIONS_CANCEL,EXECUTIONS_PIN",
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

/// What a daemon of X-Ray is sent.
fn document_of(packet: &[u8]) -> Value {
    let text = str::from_utf8(packet).expect("a text");
    let (head, document) = text.split_once('\n').expect("two lines");
    assert_eq!(head, r#"{"format":"json","version":1}"#);
    serde_json::from_str(document).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lambda_binary_logs_what_an_answer_took_as_metrics_and_traces_what_is_sampled() {
    let app = with_sample_run().await;
    let daemon = tokio::net::UdpSocket::bind("127.0.0.1:0").await;
    let daemon = daemon.expect("a port");
    let address = daemon.local_addr().expect("an address").to_string();
    let function = Function {
        variables: vec![("AWS_XRAY_DAEMON_ADDRESS", address)],
        ..function(&app, "get_flow_execution").await
    };
    let event = event("get_flow_execution");
    let (_, lines) = function.invoke_logged(&event).await;

    let [line] = &lines[..] else {
        panic!("one line for an answer: {lines:#?}");
    };
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], "answered");
    assert_eq!(line["route"], "get_flow_execution");
    assert_eq!(line["team_id"], "default");
    assert_eq!(line["request_id"], event["requestContext"]["requestId"]);
    assert_eq!(line["status"], 200);
    assert!(line["timestamp"].is_string(), "{line}");
    let requests = line["table_requests"].as_u64().expect("a number");
    assert!(requests >= 1);
    for figure in ["duration_ms", "capacity_units"] {
        assert!(
            line[figure].as_f64().is_some_and(|figure| figure > 0.0),
            "{line}"
        );
    }
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "Flowtrail");
    assert_eq!(directive["Dimensions"], json!([["table"]]));
    assert_eq!(line["table"], app.store.table());
    for metric in directive["Metrics"].as_array().expect("metrics") {
        let name = metric["Name"].as_str().expect("a name");
        assert!(line[name].is_number(), "{name} in {line}");
    }

    let mut packet = [0; 8_192];
    let received = tokio::time::timeout(DEADLINE, daemon.recv(&mut packet)).await;
    let length = received.expect("in time").expect("a packet");
    let document = document_of(&packet[..length]);
    assert_eq!(document["name"], "DynamoDB");
    assert_eq!(document["type"], "subsegment");
    assert_eq!(document["namespace"], "aws");
    assert_eq!(document["trace_id"], "1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(document["parent_id"], "53995c3f42cd8ad8");
    assert_eq!(document["id"].as_str().map(str::len), Some(16));
    assert_eq!(document["aws"]["table_name"], app.store.table());
    assert_eq!(document["aws"]["region"], "eu-west-1");
    let operation = document["aws"]["operation"].as_str().expect("a name");
    assert!(["Query", "GetItem"].contains(&operation), "{document}");
    assert_eq!(document["http"]["response"]["status"], 200);
    assert_eq!(
        (&document["error"], &document["fault"]),
        (&json!(false), &json!(false))
    );
    let times = ["start_time", "end_time"].map(|name| document[name].as_f64().expect("seconds"));
    assert!(times[0] <= times[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lambda_authorizer_counts_a_refusal_as_a_metric_and_logs_no_secret() {
    let app = TestApp::new().await;
    let token = app.viewer("default").await;
    let wrong = format!("sdk_{}_{}", token_id(&token), "A".repeat(43));
    let function = function(&app, "authorize").await;
    let mut event = event("authorize");
    event["authorizationToken"] = json!(format!("Bearer {wrong}"));
    let (answer, lines) = function.invoke_logged(&event).await;
    assert!(String::from_utf8_lossy(&answer).contains("Unauthorized"));
    let refused: Vec<_> = lines
        .iter()
        .filter(|line| line["level"] == "WARN")
        .collect();
    assert_eq!(refused.len(), 1, "{lines:#?}");
    assert_eq!(refused[0]["reason"], "wrong secret");
    let counted = lines.iter().filter(|line| line.get("_aws").is_some());
    let counted: Vec<_> = counted.collect();
    assert_eq!(counted.len(), 1, "{lines:#?}");
    assert_eq!(counted[0]["authentication_failures"], 1);
    assert_eq!(counted[0]["table"], app.store.table());
    assert!(!format!("{lines:?}").contains(&"A".repeat(43)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lambda_binary_tells_pages_of_allowed_origins_that_they_may_read() {
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

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_binary_closes_what_is_due() {
    let app = TestApp::new().await;
    let late = json!({"status": "RUNNING", "timeoutAt": "2026-02-17T10:30:00.000Z"});
    app.write([execution("late", late)]).await;
    app.reap().await;
    let function = function(&app, "sweep").await;
    for _ in 0..2 {
        let answer: Value =
            serde_json::from_slice(&function.invoke(&event("sweep")).await).expect("JSON");
        assert_eq!(answer, Value::Null);
        assert_eq!(app.item("late").await["status"], "CANCELLED");
    }
}
