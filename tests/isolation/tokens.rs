//! Authorization headers, limited tokens, and page tokens of others.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use shared::auth::Role;

use super::paths::paths;
use super::{route_named, with_run};
use crate::support::TestApp;
use crate::support::records::{execution, time};

#[tokio::test]
async fn limited_tokens_must_name_one_of_their_flows() {
    let app = with_run().await;
    let token = app
        .token("team-a", Role::Admin, Some(&["flow-1", "flow-2"]))
        .await;
    for path in [
        "/api/executions/team/team-a",
        "/api/executions/team/team-a?status=FAILED",
        "/api/history/executions",
        "/api/history/executions?deviceId=device-1",
        "/api/history/execution-stats",
    ] {
        let answer = app.get(&token, path).await;
        assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()), "{path}");
        let message = answer.json()["message"].clone();
        assert_eq!(
            message, "The token is limited to some flows. Ask for one of them: flow-1, flow-2.",
            "{path}"
        );
        assert_eq!(answer.usage.requests, 0, "{path}");
    }
}

#[tokio::test]
async fn statistics_and_totals_cover_the_callers_team_only() {
    let app = with_run().await;
    app.write([execution("theirs", json!({"teamId": "team-b"}))])
        .await;
    app.count().await;
    let (a, b) = (app.viewer("team-a").await, app.viewer("team-b").await);
    for token in [&a, &b] {
        let path = "/api/history/execution-stats?startDate=2026-02-01";
        let stats = app.get(token, path).await.ok();
        assert_eq!(stats["stats"]["totalExecutions"], 1);
        let list = app.get(token, "/api/history/executions").await.ok();
        assert_eq!(list["pagination"]["total"], 1);
    }
}

#[tokio::test]
async fn malformed_headers_are_refused_without_reading_the_table() {
    let app = with_run().await;
    let token = app.viewer("team-a").await;
    let headers = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some(format!("Basic {token}")),
        Some(token.clone()),
        Some(format!("Bearer {token}x")),
        Some(format!("Bearer sdk_{}", "#".repeat(64))),
        Some(format!("Bearer {}", "x".repeat(100_000))),
    ];
    let before = app.requests();
    for value in headers {
        for (name, path, _) in paths("0") {
            let route = route_named(name);
            let mut request = Request::builder().method(route.method.clone()).uri(&path);
            if let Some(value) = &value {
                request = request.header(header::AUTHORIZATION, value);
            }
            let answer = app
                .send(request.body(Body::empty()).expect("a request"))
                .await;
            assert_eq!(
                answer.problem(),
                (401, "UNAUTHENTICATED".to_owned()),
                "{name}"
            );
        }
    }
    assert_eq!(app.requests(), before);
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let app = with_run().await;
    let (one, other) = (app.viewer("team-a").await, app.viewer("team-b").await);
    let two_different = Request::get("/flow-executions/run-1")
        .header(header::AUTHORIZATION, format!("Bearer {one}"))
        .header(header::AUTHORIZATION, format!("Bearer {other}"));
    let answer = app
        .send(two_different.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(answer.problem(), (401, "UNAUTHENTICATED".to_owned()));
}

#[tokio::test]
async fn page_tokens_of_another_team_or_flow_are_refused() {
    let app = TestApp::new().await;
    let both = ["team-a", "team-b"];
    for team in both {
        let runs = (0..3).map(|n| {
            let attributes = json!({"teamId": team, "createdAt": time(n)});
            execution(&format!("{team}-run-{n}"), attributes)
        });
        app.write(runs).await;
    }
    let (a, b) = (app.viewer("team-a").await, app.viewer("team-b").await);
    let list = "/flow-executions?flowDefinitionId=flow-1&limit=1";
    let body = app.get(&a, list).await.ok();
    let token = body["data"]["nextToken"].as_str().expect("a token");
    let answer = app.get(&b, &format!("{list}&nextToken={token}")).await;
    assert_eq!(answer.problem(), (400, "INVALID_NEXT_TOKEN".to_owned()));
    for other in [
        "flowDefinitionId=flow-2",
        "flowDefinitionId=flow-1&status=FAILED",
    ] {
        let answer = app
            .get(&a, &format!("/flow-executions?{other}&nextToken={token}"))
            .await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_NEXT_TOKEN".to_owned()),
            "{other}"
        );
    }
    let details = format!("/flow-executions/team-a-run-0?nextToken={token}");
    assert_eq!(
        app.get(&a, &details).await.problem(),
        (400, "INVALID_NEXT_TOKEN".to_owned())
    );
}
