//! Who sees what: every route with no token, a wrong one, a wrong role, and
//! another team's.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, header};
use functions::route::{ROUTES, Route};
use serde_json::json;
use shared::auth::{self, Role};

use crate::support::issuer::{Issuer, SigningKey, bad_jwts};
use crate::support::records::{ForkKey, branch_step, execution, step, time};
use crate::support::{TestApp, operator, token_id};

/// A path of each route that names `team-a`'s run, and what another team's
/// caller and one limited to another flow get for it. A route that is missing
/// here fails the test.
fn paths(token_id: &str) -> Vec<(&'static str, String, Expected)> {
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
            "get_flow_execution_step",
            format!(
                "/flow-executions/run-1/step?stepInstanceId=fork-1&startTime={}",
                time(100)
            ),
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
            "get_history_step_statistics",
            "/api/history/step-stats?flowId=flow-1".to_owned(),
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
            OWN,
        ),
        (
            "try_masking_settings",
            "/api/settings/masking/try".to_owned(),
            OWN,
        ),
        (
            "pin_execution",
            "/api/executions/ended/pin".to_owned(),
            Expected {
                other_team: (404, "EXECUTION_NOT_FOUND"),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "unpin_execution",
            "/api/executions/ended/pin".to_owned(),
            Expected {
                other_team: (404, "EXECUTION_NOT_FOUND"),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        (
            "get_retention_settings",
            "/api/settings/retention".to_owned(),
            OWN,
        ),
        (
            "update_retention_settings",
            "/api/settings/retention".to_owned(),
            OWN,
        ),
        (
            "get_stalled_settings",
            "/api/settings/stalled".to_owned(),
            OWN,
        ),
        (
            "update_stalled_settings",
            "/api/settings/stalled".to_owned(),
            OWN,
        ),
        ("create_token", "/api/tokens".to_owned(), OWN),
        ("list_tokens", "/api/tokens".to_owned(), OWN),
        (
            "revoke_token",
            format!("/api/tokens/{token_id}"),
            Expected {
                other_team: (404, "NOT_FOUND"),
                other_flow: (403, "FORBIDDEN"),
            },
        ),
        ("get_roles", "/api/roles".to_owned(), OWN),
        ("update_roles", "/api/roles".to_owned(), OWN),
        (
            "get_caller",
            "/api/caller".to_owned(),
            Expected {
                other_team: (200, ""),
                other_flow: (200, ""),
            },
        ),
        ("list_audit_events", "/api/audit".to_owned(), OWN),
        ("ingest_traces", "/v1/traces".to_owned(), OWN),
    ]
}

/// Everyone gets what is the own team's, which is that of all flows.
const OWN: Expected = Expected {
    other_team: (200, ""),
    other_flow: (403, "FORBIDDEN"),
};

/// Whether a route is for those alone who are limited to no flow.
fn is_of_whole_team(route: &Route) -> bool {
    let of_team = [
        "/api/tokens",
        "/api/roles",
        "/api/audit",
        "/api/settings",
        "/v1/traces",
    ];
    let is_of_team = of_team.iter().any(|path| route.path.starts_with(path));
    is_of_team && route.name != "get_masking_settings"
}

fn route_named(name: &str) -> &'static Route {
    let route = ROUTES.iter().find(|route| route.name == name);
    route.expect("a route")
}

/// A body with which a route succeeds.
fn body_of(route: &Route) -> &'static str {
    match route.name {
        "update_masking_settings" => "{}",
        "try_masking_settings" => r#"{"value": {}}"#,
        "update_retention_settings" | "update_stalled_settings" => r#"{"rules": []}"#,
        "update_roles" => r#"{"roles": []}"#,
        "create_token" => r#"{"role": "viewer"}"#,
        "ingest_traces" => r#"{"resourceSpans": []}"#,
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

async fn write_ended(app: &TestApp) {
    app.write([execution(
        "ended",
        json!({"errorMessage": "SECRET of team-a"}),
    )])
    .await;
}

#[tokio::test]
async fn every_route_refuses_whoever_may_not_and_answers_whoever_may() {
    let (key, other_key) = (SigningKey::es256("one"), SigningKey::ed25519("two"));
    let issuer = Issuer::new(&[&key, &other_key]).await;
    let app = with_run().await.taking_jwts(issuer.settings());
    write_ended(&app).await;
    let victim = app.token("team-a", Role::Admin, None).await;
    let paths = paths(token_id(&victim));
    let named: BTreeSet<_> = paths.iter().map(|(name, ..)| *name).collect();
    let routes: BTreeSet<_> = ROUTES.iter().map(|route| route.name).collect();
    assert_eq!(named, routes, "a route is missing in this test");

    let flows = |flows: &'static [&'static str]| app.token("team-a", Role::Admin, Some(flows));
    let admin = app.token("team-a", Role::Admin, None).await;
    let callers = [
        (Role::Viewer, false, app.viewer("team-a").await),
        (Role::Admin, false, admin.clone()),
        (Role::Admin, true, flows(&["flow-0", "flow-1"]).await),
        (
            Role::Viewer,
            false,
            key.sign(&issuer.claims("viewer", json!({}))),
        ),
        (
            Role::Admin,
            false,
            other_key.sign(&issuer.claims("admin", json!({}))),
        ),
    ];
    let no_role = key.sign(&issuer.claims("nobody", json!({})));
    let refused = refused_tokens(&app, &issuer, &key).await;
    let other_teams = [
        app.token("team-b", Role::Admin, None).await,
        key.sign(&issuer.claims("admin", json!({"team": "team-b"}))),
    ];
    let other_flow = flows(&["flow-2"]).await;

    for (name, path, expected) in &paths {
        let route = route_named(name);
        let ask = async |token: &str| {
            let body = body_of(route);
            app.call(route.method.clone(), token, path, body).await
        };
        for (role, is_limited, token) in &callers {
            let answer = ask(token).await;
            let has = |permission| role.permissions().contains(&permission);
            let may = route.permission.is_none_or(has) && !(*is_limited && is_of_whole_team(route));
            let status = match may {
                true if *name == "create_token" => 201,
                true => 200,
                false => 403,
            };
            assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.body);
            write_run(&app).await;
            write_ended(&app).await;
        }
        let answer = ask(&no_role).await;
        match route.permission {
            Some(_) => assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()), "{name}"),
            None => assert_eq!(answer.ok()["caller"]["permissions"], json!([])),
        }
        for (what, token) in &refused {
            let answer = ask(token).await;
            let refusal = (401, "UNAUTHENTICATED".to_owned());
            assert_eq!(answer.problem(), refusal, "{name}: {what}");
            let message = &answer.json()["message"];
            assert_eq!(message, "The token is not valid.", "{name}: {what}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
        let others = other_teams.iter().map(|token| (token, expected.other_team));
        for (token, (status, code)) in others.chain([(&other_flow, expected.other_flow)]) {
            let answer = ask(token).await;
            let status = match status {
                200 if *name == "create_token" => 201,
                status => status,
            };
            assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.body);
            assert_eq!(app.item("run-1").await["status"], "RUNNING", "{name}");
            if !answer.status.is_success() {
                assert_eq!(answer.problem().1, code, "{name}");
            }
            // Of which flow a run is, is told to nobody who does not see it.
            let names_flow = !answer.status.is_success()
                && answer.body.contains("flow-1")
                && !path.contains("flow-1");
            assert!(!names_flow, "{name} tells: {}", answer.body);
            // A refusal may repeat the team that the path names.
            let tells = answer.body.contains("SECRET")
                || (answer.status.is_success()
                    && answer.body.contains("team-a")
                    && route.permission.is_some());
            assert!(!tells, "{name} tells: {}", answer.body);
            assert!(
                !answer.body.contains("run-1") || status == 404,
                "{name}: {}",
                answer.body
            );
        }
    }
    // Nobody else has changed what is the team's.
    let roles = app.get(&admin, "/api/roles").await.ok();
    assert_eq!(roles["roles"], json!([]));
}

/// What is well formed and to be refused, each with what is wrong with it.
async fn refused_tokens(
    app: &TestApp,
    issuer: &Issuer,
    key: &SigningKey,
) -> Vec<(&'static str, String)> {
    let revoked = app.token("team-a", Role::Admin, None).await;
    let id = token_id(&revoked).parse().expect("an id");
    let done = auth::revoke_token(&app.store, &operator("team-a"), &id).await;
    done.expect("revoked");
    let good = app.token("team-a", Role::Admin, None).await;
    let mut wrong_secret = good.clone();
    let last = wrong_secret.pop();
    wrong_secret.push(if last == Some('A') { 'B' } else { 'A' });
    let unknown = format!("sdk_{}_{}", "0".repeat(20), "A".repeat(43));
    let of_another = app.viewer("team-a").await;
    let secret = good.splitn(3, '_').nth(2).expect("a secret");
    let mixed = format!("sdk_{}_{secret}", token_id(&of_another));
    let mut refused = vec![
        ("expired", app.expired_token("team-a").await),
        ("revoked", revoked),
        ("a wrong secret", wrong_secret),
        ("an unknown id", unknown),
        ("another token's secret", mixed),
    ];
    refused.extend(bad_jwts(issuer, key));
    refused
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
