//! Query parameters that an endpoint does not have.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use functions::openapi;
use functions::route::Route;
use functions::routes::ROUTES;
use serde_json::{Value, json};
use shared::auth::Role;

use crate::support::records::execution;
use crate::support::{Answer, TestApp};

/// The query parameters of each route.
fn described() -> BTreeMap<&'static str, BTreeSet<String>> {
    let document: Value = serde_json::from_slice(&openapi::document()).expect("JSON");
    let names = |route: &Route| {
        let method = route.method.as_str().to_ascii_lowercase();
        let parameters = document["paths"][route.path][method]["parameters"].clone();
        let parameters = parameters.as_array().cloned().unwrap_or_default();
        let in_query = parameters.into_iter().filter(|it| it["in"] == "query");
        in_query
            .map(|it| it["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    ROUTES
        .iter()
        .map(|route| (route.name, names(route)))
        .collect()
}

/// Calls a route of the team with this query.
async fn call(app: &TestApp, token: &str, route: &Route, query: &str) -> Answer {
    let path = route.path.replace("{teamId}", "team-a");
    let path: String = path
        .split_inclusive('}')
        .map(|part| {
            part.split('{').next().unwrap_or_default().to_owned()
                + if part.ends_with('}') { "none" } else { "" }
        })
        .collect();
    let path = format!("{path}?{query}");
    app.call(route.method.clone(), token, &path, "").await
}

fn is_unknown(answer: &Answer) -> bool {
    answer.status == 400 && answer.json()["code"] == "UNKNOWN_PARAMETER"
}

#[tokio::test]
async fn parameters_of_other_endpoints_are_refused() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let described = described();
    let all: BTreeSet<_> = described.values().flatten().cloned().collect();
    assert!(all.len() > 25, "{all:?}");
    for route in ROUTES {
        let own = &described[route.name];
        for name in &all {
            let answer = call(&app, &token, route, &format!("{name}=1")).await;
            let what = format!("{} {name}", route.name);
            assert_eq!(is_unknown(&answer), !own.contains(name), "{what}");
            if own.contains(name) {
                continue;
            }
            let problem = answer.json();
            assert_eq!(problem["parameter"], name.as_str(), "{what}");
            let message = problem["message"].as_str().expect("a message");
            let (start, advice) = message.split_once(". ").expect("two sentences");
            let expected = format!("This endpoint has no query parameter {name}");
            assert_eq!(start, expected, "{what}");
            // The advised parameter exists.
            let advised = advice.strip_prefix("Use ").or(advice.strip_prefix("Send "));
            if let Some(advised) = advised {
                let advised = advised.trim_end_matches('.').split(' ').next();
                let advised = advised.unwrap_or_default();
                let is_in_path = route.path.contains(&format!("{{{advised}}}"));
                assert!(own.contains(advised) || is_in_path, "{what}: {message}");
            }
        }
    }
}

#[tokio::test]
async fn misspelt_parameters_are_refused() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    for (route_name, own) in described() {
        let route = ROUTES.iter().find(|route| route.name == route_name);
        let route = route.expect("a route");
        for name in &own {
            let snake: String = name
                .chars()
                .map(|letter| match letter.is_ascii_uppercase() {
                    true => format!("_{}", letter.to_ascii_lowercase()),
                    false => letter.to_string(),
                })
                .collect();
            let (first, rest) = name.split_at(1);
            for sent in [
                snake.clone(),
                snake.replace('_', "-"),
                name.to_ascii_uppercase(),
                name.to_ascii_lowercase(),
                format!("{name}s"),
                format!("{name}%5B%5D"),
                format!("{}{rest}", first.to_ascii_uppercase()),
                name[..name.len() - 1].to_owned(),
                rest.to_owned(),
                format!("{first}q{rest}"),
                format!("{}{}", &rest[..1], first) + &rest[1..],
            ] {
                if own.contains(&sent) || sent == "%5B%5D" {
                    continue;
                }
                let answer = call(&app, &token, route, &format!("{sent}=1")).await;
                assert!(is_unknown(&answer), "{route_name} {sent}: {}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn the_message_names_the_parameter_to_use() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let statistics = "/api/history/execution-stats";
    let list = "/api/history/executions";
    let team = "/api/executions/team/team-a";
    let flows = "/flow-executions";
    for (path, sent, advice) in [
        (statistics, "workflowId", "Use flowId instead."),
        (statistics, "flowDefinitionId", "Use flowId instead."),
        (statistics, "workflow_id", "Use flowId instead."),
        (statistics, "from", "Use startDate instead."),
        (statistics, "to", "Use endDate instead."),
        (statistics, "flowid", "Use flowId."),
        (statistics, "limit", "Leave it out."),
        (list, "size", "Use limit instead."),
        (list, "page", "Use offset instead."),
        (list, "nextToken", "Use offset instead."),
        (list, "statsu", "Use status."),
        (team, "flowId", "Use workflowId instead."),
        (team, "startDate", "Use from instead."),
        (team, "limit", "Use size instead."),
        (team, "offset", "Use page instead."),
        (team, "days", "Use from and to instead."),
        (team, "teamId", "Send teamId in the path."),
        (flows, "flowId", "Use flowDefinitionId instead."),
        (flows, "from", "Use startDate instead."),
        (flows, "offset", "Use nextToken instead."),
        (flows, "deviceId", "Leave it out."),
        (
            "/api/history/executions/flows/f",
            "workflowId",
            "Send flowId in the path instead.",
        ),
        ("/api/history/step-stats", "limit", "Use runs instead."),
        ("/api/audit", "startDate", "Use from instead."),
        ("/api/caller", "status", "Leave it out."),
    ] {
        let answer = app.get(&token, &format!("{path}?{sent}=x")).await;
        assert_eq!(
            answer.problem(),
            (400, "UNKNOWN_PARAMETER".to_owned()),
            "{path} {sent}"
        );
        let message = format!("This endpoint has no query parameter {sent}. {advice}");
        assert_eq!(answer.json()["message"], message, "{path}");
        assert_eq!(answer.json()["parameter"], sent);
    }
}

#[tokio::test]
async fn unknown_parameters_without_a_similar_name_are_ignored() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write([execution("run-1", json!({}))]).await;
    for query in [
        "utm_source=x",
        "_=1",
        "_t=1",
        "pretty=true",
        "x=",
        "=1",
        "a=1&a=2",
        "%F0%9F%92%A5=1",
    ] {
        let path = format!("/api/executions?workflowId=flow-1&{query}");
        let answer = app.get(&token, &path).await;
        assert_eq!(answer.ok()["content"][0]["id"], "run-1", "{query}");
    }
    // A refused caller gets no advice on parameters.
    let viewer = app.viewer("team-a").await;
    let answer = app.get(&viewer, "/api/tokens?flowId=x").await;
    assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()));
    let answer = app
        .get("sdk_none", "/api/history/executions?workflowId=x")
        .await;
    assert_eq!(answer.problem(), (401, "UNAUTHENTICATED".to_owned()));
}

#[tokio::test]
async fn the_parameters_of_the_three_apis_are_accepted() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write([execution("run-1", json!({}))]).await;
    for path in [
        "/flow-executions?flowDefinitionId=flow-1&flowVersion=3&status=COMPLETED&limit=50",
        "/flow-executions/run-1",
        "/flow-executions/run-1/branch-steps?parentStepInstanceId=s&parentStepStartTime=2026-02-17T10:30:00.000Z",
        "/api/executions/team/team-a?page=0&size=20&status=SUCCESS&workflowId=flow-1&from=2026-02-17&to=2026-02-18",
        "/api/executions?workflowId=flow-1&page=0&size=20",
        "/api/executions/run-1",
        "/api/executions/team/team-a/export?format=csv&days=30",
        "/api/history/executions?status=PASSED&flowId=flow-1&deviceId=d&limit=50&offset=0&startDate=2026-02-17&endDate=2026-02-18&executionType=PARENT&lite=true",
        "/api/history/executions/flows/flow-1?status=PASSED&limit=20",
        "/api/history/executions/run-1",
        "/api/history/execution-stats?flowId=flow-1&deviceId=d&days=30&startDate=2026-02-17&endDate=2026-02-18&executionType=PARENT&status=PASSED",
    ] {
        let answer = app.call(Method::GET, &token, path, "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
}
