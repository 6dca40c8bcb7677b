//! A team's own trace profiles.

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;

use super::{attributes, records, run_id, span, trace_id, with_engine};
use crate::support::{Answer, TestApp};

const PROFILES: &str = "/api/settings/profiles";

/// The example of the documentation.
const ACME: &str = include_str!("../../functions/src/admin/examples/profiles.json");

async fn put(app: &TestApp, token: &str, profiles: &Value) -> Answer {
    let body = json!({"profiles": profiles}).to_string();
    app.call(Method::PUT, token, PROFILES, &body).await
}

async fn set_acme(app: &TestApp, team: &str) -> Value {
    let admin = app.token(team, Role::Admin, None).await;
    let acme = serde_json::from_str(ACME).expect("JSON");
    put(app, &admin, &acme).await.ok();
    acme
}

/// A span of the engine of the example, with texts as attributes.
fn acme(number: u64, name: &str, [start, end]: [i64; 2], own: &[(&str, &str)]) -> Value {
    let own = [&[("acme.run.id", "r-7")], own].concat();
    let members = json!({"name": name, "attributes": attributes(&own)});
    span(number, None, start, end, members)
}

/// The spans that the engine of the example sends: two traces of one run.
fn acme_spans() -> [Vec<Value>; 2] {
    let root = [
        ("acme.flow.title", "Order"),
        ("acme.customer", "C-9"),
        ("acme.input", r#"{"id": 1}"#),
        ("acme.output", "shipped"),
    ];
    let failed = [("acme.attempt", "3"), ("acme.error", "card declined")];
    let tokens = [
        ("acme.model", "large-2"),
        ("acme.tokens.in", "120"),
        ("acme.tokens.out", "7"),
    ];
    let mut spans = [
        acme(1, "flow order", [5, 90], &root),
        acme(2, "task charge", [10, 20], &failed),
        acme(3, "ask price", [30, 40], &tokens),
        acme(4, "task ship", [50, 60], &[("acme.state", "skipped")]),
    ];
    // The run is below a span of the program that starts the engine.
    let worker = span(9, None, 0, 100, json!({"name": "worker"}));
    spans[0]["parentSpanId"] = worker["spanId"].clone();
    spans[1]["parentSpanId"] = spans[0]["spanId"].clone();
    spans[1]["status"] = json!({"code": 2});
    spans[2]["parentSpanId"] = spans[0]["spanId"].clone();
    spans[3]["traceId"] = trace_id(2).into();
    let [flow, charge, ask, ship] = spans;
    [vec![worker, flow, charge, ask], vec![ship]]
}

async fn send(app: &TestApp, token: &str, spans: &[Value]) {
    let body = json!({"resourceSpans": [{
        "resource": {"attributes": attributes(&[("service.name", "shop")])},
        "scopeSpans": [{"scope": {"name": "acme.flow.worker"}, "spans": spans}],
    }]})
    .to_string();
    let sent = app.call(Method::POST, token, "/v1/traces", &body).await;
    assert_eq!(sent.ok(), json!({}));
}

#[tokio::test]
async fn spans_mean_what_the_profile_of_their_team_says() {
    let document = include_str!("../../docs/opentelemetry.md");
    assert!(
        document.contains(ACME),
        "the document shows another example"
    );
    let (app, token) = with_engine().await;
    set_acme(&app, "team-a").await;
    let spans = acme_spans();
    for spans in &spans {
        send(&app, &token, spans).await;
    }
    let trace = spans[0][0]["traceId"].as_str().expect("an id");
    let records = records(&app, trace).await;
    let run = &records["EXECUTION"];
    assert_eq!(run["flowId"], "order");
    assert_eq!(run["flowName"], "Order");
    let labels = json!({"customer": "C-9", "traceId": "TRACE"});
    assert_eq!(run["labels"], labels);
    assert_eq!(run["status"], "COMPLETED");
    let usage = json!([{"model": "large-2", "inputTokens": 120, "outputTokens": 7}]);
    assert_eq!(run["usage"], usage);
    let members = [
        "stepName",
        "stepType",
        "status",
        "retryCount",
        "errorMessage",
    ];
    let steps = records.iter().filter(|(sk, _)| sk.starts_with("STEP#"));
    let steps: Vec<_> = steps
        .map(|(_, step)| members.map(|name| step[name].clone()))
        .map(|step| json!(step))
        .collect();
    assert_eq!(
        json!(steps),
        json!([
            ["worker", "INTERNAL", "COMPLETED", null, null],
            ["charge", "TASK", "FAILED", 2, "card declined"],
            ["ask price", "LLM", "COMPLETED", null, null],
            ["ship", "TASK", "SKIPPED", null, null],
        ])
    );
    let viewer = app.viewer("team-a").await;
    let path = format!("/api/executions/{}", run_id(trace));
    let shown = app.get(&viewer, &path).await.ok();
    assert_eq!(shown["inputData"], json!({"id": 1}), "{shown:#}");
    assert_eq!(shown["outputData"], "shipped");
    assert_eq!(shown["startedAt"], "2026-02-17T10:30:00.005Z");
    // The second trace has no run of its own.
    let path = format!("/flow-executions/{}", run_id(&trace_id(2)));
    assert_eq!(app.get(&viewer, &path).await.status, 404);
}

#[tokio::test]
async fn a_profile_affects_no_other_team() {
    let (app, engine) = with_engine().await;
    set_acme(&app, "team-b").await;
    let [spans, _] = acme_spans();
    send(&app, &engine, &spans).await;
    let trace = spans[0]["traceId"].as_str().expect("an id");
    let records = records(&app, trace).await;
    let run = &records["EXECUTION"];
    assert_eq!(run["flowId"], "shop/worker");
    assert_eq!(run["labels"], json!({"traceId": "TRACE"}));
    assert_eq!(run["usage"], Value::Null);
    let admin = app.token("team-a", Role::Admin, None).await;
    let shown = app.get(&admin, PROFILES).await.ok();
    assert_eq!(shown["profiles"], json!([]));
    assert_eq!(shown["updatedAt"], Value::Null);
}

#[tokio::test]
async fn profiles_are_returned_as_they_were_sent() {
    let app = TestApp::new().await;
    let acme = set_acme(&app, "team-a").await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let shown = app.get(&admin, PROFILES).await.ok();
    assert_eq!(shown["profiles"], acme);
    // Another caller has changed them since.
    let outdated = json!({"profiles": [], "updatedAt": null}).to_string();
    let answer = app.call(Method::PUT, &admin, PROFILES, &outdated).await;
    assert_eq!(answer.problem(), (409, "CONFLICT".to_owned()));
    let limited = app.token("team-a", Role::Admin, Some(&["flow-1"])).await;
    assert_eq!(app.get(&limited, PROFILES).await.status, 403);
    assert_eq!(put(&app, &limited, &json!([])).await.status, 403);
}

#[tokio::test]
async fn invalid_profiles_are_refused_with_their_member() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let mut acme: Value = serde_json::from_str(ACME).expect("JSON");
    acme[0]["spans"][1]["when"]["name"] = json!("ask * and *");
    let answer = put(&app, &admin, &acme).await;
    assert_eq!(answer.problem(), (400, "INVALID_PARAMETER".to_owned()));
    let message = answer.json()["message"].to_string();
    assert!(
        message.contains("profiles[0].spans[1].when.name"),
        "{message}"
    );
    assert!(message.contains("at most one *"), "{message}");
}

#[tokio::test]
async fn with_unreadable_profiles_the_built_in_ones_apply() {
    let (app, engine) = with_engine().await;
    let item = json!({
        "pk": "SETTINGS#team-a", "sk": "PROFILES", "settings": [{"scopes": "acme"}],
    });
    app.write([crate::support::records::item(item)]).await;
    let temporal =
        json!({"name": "RunWorkflow:Order", "attributes": attributes(&[("temporalRunID", "r")])});
    let spans = [span(1, None, 0, 10, temporal)];
    send(&app, &engine, &spans).await;
    let trace = spans[0]["traceId"].as_str().expect("an id");
    assert_eq!(records(&app, trace).await["EXECUTION"]["flowId"], "Order");
}
