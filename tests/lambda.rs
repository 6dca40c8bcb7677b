//! Every Lambda binary with its sample event: the same JSON as the local
//! server gives.

use std::path::Path;

use axum::http::Method;
use functions::route::{ROUTES, Transfer};
use serde_json::{Value, json};
use shared::auth::Role;

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, payload, step, time};
use crate::support::runtime::{Function, http_answer};

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
}

async fn function(app: &TestApp, binary: &'static str) -> Function {
    Function {
        binary,
        endpoint_url: app.endpoint_url().await,
        table: app.store.table().to_owned(),
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
        assert_eq!(head["statusCode"], 200, "{}: {head} {body}", route.name);
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
        assert_eq!(answer.status, 200, "{}: {}", route.name, answer.body);
        let mut local = match answer.body.as_str() {
            "" => Value::Null,
            _ => answer.json(),
        };
        // When the answer was made, and for whom.
        for answer in [&mut body, &mut local] {
            for name in ["timestamp", "updatedAt", "updatedBy"] {
                answer.as_object_mut().map(|members| members.remove(name));
            }
        }
        assert_eq!(body, local, "{}", route.name);
        if route.method != Method::GET {
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
        ];
        let found = asked.iter().find_map(|name| body.get(*name));
        let is_empty = [json!({}), json!([])].contains(found.expect("an answer"));
        assert!(!is_empty, "{}: the event asks for something", route.name);
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
