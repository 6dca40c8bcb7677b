//! Who sees what: every route with no token, a wrong one, a wrong role, and
//! another team's.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, header};
use functions::route::{ROUTES, Route};
use serde_json::json;
use shared::auth::{self, Permission, Role};

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, step, time};

/// A path of each route that names `team-a`'s run, and what another team's
/// caller and one limited to another flow get for it. A route that is missing
/// here fails the test.
fn paths() -> Vec<(&'static str, String, Expected)> {
    let fork = format!(
        "parentStepInstanceId=fork-1&parentStepStartTime={}",
        time(100)
    );
    vec![
        (
            "list_flow_executions",
            "/flow-executions?flowDefinitionId=flow-1".to_owned(),
            Expected {
                other_team: (200, ""),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "get_flow_execution",
            "/flow-executions/run-1".to_owned(),
            Expected {
                other_team: (404, "EXECUTION_NOT_FOUND"),
                other_flow: (404, "EXECUTION_NOT_FOUND"),
            },
        ),
        (
            "get_flow_execution_branch_steps",
            format!("/flow-executions/run-1/branch-steps?{fork}"),
            Expected {
                other_team: (404, "EXECUTION_NOT_FOUND"),
                other_flow: (404, "EXECUTION_NOT_FOUND"),
            },
        ),
        (
            "list_team_executions",
            "/api/executions/team/team-a?workflowId=flow-1".to_owned(),
            Expected {
                other_team: (403, "FORBIDDEN"),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "export_team_executions",
            "/api/executions/team/team-a/export?workflowId=flow-1&from=2026-02-01".to_owned(),
            Expected {
                other_team: (403, "FORBIDDEN"),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "list_workflow_executions",
            "/api/executions?workflowId=flow-1".to_owned(),
            Expected {
                other_team: (200, ""),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "get_execution",
            "/api/executions/run-1".to_owned(),
            Expected {
                other_team: (404, "EXECUTION_NOT_FOUND"),
                other_flow: (404, "EXECUTION_NOT_FOUND"),
            },
        ),
        (
            "cancel_execution",
            "/api/executions/run-1/cancel".to_owned(),
            Expected {
                other_team: (404, "EXECUTION_NOT_FOUND"),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "list_history_executions",
            "/api/history/executions?flowId=flow-1".to_owned(),
            Expected {
                other_team: (200, ""),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "list_history_flow_executions",
            "/api/history/executions/flows/flow-1".to_owned(),
            Expected {
                other_team: (200, ""),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "get_history_execution",
            "/api/history/executions/run-1".to_owned(),
            Expected {
                other_team: (404, "EXECUTION_NOT_FOUND"),
                other_flow: (404, "EXECUTION_NOT_FOUND"),
            },
        ),
        (
            "get_history_statistics",
            "/api/history/execution-stats?flowId=flow-1".to_owned(),
            Expected {
                other_team: (200, ""),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "delete_history_execution",
            "/api/history/executions/run-1".to_owned(),
            Expected {
                other_team: (404, "EXECUTION_NOT_FOUND"),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "delete_history_flow_executions",
            "/api/history/executions/flows/flow-1".to_owned(),
            Expected {
                other_team: (200, ""),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "get_masking_settings",
            "/api/settings/masking".to_owned(),
            Expected {
                other_team: (200, ""),
                other_flow: (200, ""),
            },
        ),
        (
            "update_masking_settings",
            "/api/settings/masking".to_owned(),
            Expected {
                other_team: (200, ""),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
    ]
}

/// A body with which a route answers 200.
fn body_of(route: &Route) -> &'static str {
    match route.method {
        Method::PUT => "{}",
        _ => "",
    }
}

struct Expected {
    other_team: (u16, &'static str),
    other_flow: (u16, &'static str),
}

async fn with_run() -> TestApp {
    let app = TestApp::new().await;
    write_run(&app).await;
    app
}

async fn write_run(app: &TestApp) {
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 100,
    };
    app.write([
        execution(
            "run-1",
            json!({"status": "RUNNING", "errorMessage": "SECRET of team-a"}),
        ),
        step(
            "run-1",
            "fork-1",
            100,
            json!({"output": "SECRET of team-a"}),
        ),
        branch_step(
            &fork,
            "branch",
            "a",
            110,
            json!({"output": "SECRET of team-a"}),
        ),
    ])
    .await;
}

#[tokio::test]
async fn every_route_refuses_whoever_may_not_and_answers_whoever_may() {
    let app = with_run().await;
    let paths = paths();
    let named: BTreeSet<_> = paths.iter().map(|(name, ..)| *name).collect();
    let routes: BTreeSet<_> = ROUTES.iter().map(|route| route.name).collect();
    assert_eq!(named, routes, "a route is missing in this test");

    let viewer = app.viewer("team-a").await;
    let other_team = app.token("team-b", Role::Admin, None).await;
    let own_flow = app
        .token("team-a", Role::Admin, Some(&["flow-0", "flow-1"]))
        .await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let other_flow = app.token("team-a", Role::Admin, Some(&["flow-2"])).await;
    let expired = app.expired_token("team-a").await;
    let revoked = app.token("team-a", Role::Admin, None).await;
    let revoked_id = revoked.split('_').nth(1).expect("an id");
    auth::revoke_token(&app.store, revoked_id)
        .await
        .expect("revoked");
    let mut wrong_secret = viewer.clone();
    let last = if wrong_secret.pop() == Some('A') {
        'B'
    } else {
        'A'
    };
    wrong_secret.push(last);
    let unknown = format!("sdk_{}_{}", "0".repeat(20), "A".repeat(43));

    for (name, path, expected) in &paths {
        let route = Route::named(name).expect("a route");
        let ask = async |token| {
            app.call(route.method.clone(), token, path, body_of(route))
                .await
        };
        for token in [&viewer, &own_flow, &admin] {
            let answer = ask(token).await;
            // Settings are those of all flows.
            let may = match *name {
                "update_masking_settings" => token == &admin,
                _ => token != &viewer || route.permission == Permission::ExecutionsRead,
            };
            let status = if may { 200 } else { 403 };
            assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.body);
            write_run(&app).await;
        }
        for token in [&expired, &revoked, &wrong_secret, &unknown] {
            let answer = ask(token).await;
            assert_eq!(
                answer.problem(),
                (401, "UNAUTHENTICATED".to_owned()),
                "{name}"
            );
            assert_eq!(
                answer.json()["message"],
                "The token is not valid.",
                "{name}"
            );
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
        for (token, (status, code)) in [
            (&other_team, expected.other_team),
            (&other_flow, expected.other_flow),
        ] {
            let answer = ask(token).await;
            assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.body);
            assert_eq!(app.item("run-1").await["status"], "RUNNING", "{name}");
            if status != 200 {
                assert_eq!(answer.problem().1, code, "{name}");
            }
            assert!(
                !answer.body.contains("SECRET"),
                "{name} tells: {}",
                answer.body
            );
            assert!(
                !answer.body.contains("run-1") || status == 404,
                "{name}: {}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn a_token_limited_to_flows_is_told_to_ask_for_one() {
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
            message, "The token is limited to flows. Ask for one of them: flow-1, flow-2.",
            "{path}"
        );
        assert_eq!(answer.usage.requests, 0, "{path}");
    }
}

#[tokio::test]
async fn statistics_and_totals_are_the_callers_teams_alone() {
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
async fn a_header_of_another_form_is_refused_without_asking_the_table() {
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
    let before = app.store.usage().requests;
    for value in headers {
        for (name, path, _) in paths() {
            let route = Route::named(name).expect("a route");
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
    assert_eq!(app.store.usage().requests, before);
}

#[tokio::test]
async fn two_authorization_headers_are_no_caller() {
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
async fn a_page_token_of_another_team_or_flow_leads_nowhere() {
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

#[tokio::test]
async fn the_table_never_holds_the_secret_of_a_token() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let secret = token.splitn(3, '_').nth(2).expect("a secret");
    let all = app
        .store
        .client()
        .scan()
        .table_name(app.store.table())
        .limit(1_000)
        .send()
        .await;
    let items = all.expect("a scan").items.unwrap_or_default();
    assert_eq!(items.len(), 2, "the token and its entry in the register");
    assert!(!format!("{items:?}").contains(secret));
    let stored = items
        .iter()
        .find_map(|item| item.get("secretHash"))
        .expect("a hash");
    assert_eq!(stored.as_b().expect("bytes").as_ref(), auth::hash(secret));
}

#[tokio::test]
async fn tokens_are_listed_by_team_until_they_expire_and_revoked_ones_stay() {
    let app = TestApp::new().await;
    let a = app.viewer("team-a").await;
    app.token("team-b", Role::Operator, Some(&["flow-1"])).await;
    app.expired_token("team-a").await;
    let a_id = a.split('_').nth(1).expect("an id");
    auth::revoke_token(&app.store, a_id).await.expect("revoked");
    auth::revoke_token(&app.store, a_id)
        .await
        .expect("again, which changes nothing");
    let all = auth::list_tokens(&app.store, None).await.expect("a list");
    let teams: Vec<_> = all.iter().map(|token| token.team_id.as_str()).collect();
    assert_eq!(teams, ["team-a", "team-b"]);
    assert!(all[0].revoked_at.is_some());
    assert_eq!(all[1].flows.as_deref(), Some(&["flow-1".to_owned()][..]));
    let team_b = "team-b".parse().expect("an id");
    let of_b = auth::list_tokens(&app.store, Some(&team_b))
        .await
        .expect("a list");
    assert_eq!(of_b, all[1..]);
    let unknown = auth::revoke_token(&app.store, "00000000000000000000").await;
    assert!(matches!(unknown, Err(shared::Error::TokenNotFound(_))));
}

#[tokio::test]
async fn the_use_of_a_token_is_noted_to_the_hour() {
    let app = with_run().await;
    let token = app.viewer("team-a").await;
    let last_used = async || {
        let records = auth::list_tokens(&app.store, None).await.expect("a list");
        records[0].last_used_at
    };
    assert_eq!(last_used().await, None);
    app.get(&token, "/flow-executions/run-1").await.ok();
    let first = last_used().await;
    assert!(first.is_some());
    let header = format!("Bearer {token}");
    auth::authenticate(&app.store, Some(&header))
        .await
        .expect("a caller");
    assert_eq!(
        last_used().await,
        first,
        "not written again within the hour"
    );
}
