//! Writes and secrets need the caller's present permissions, even if the caller is cached.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::Method;
use functions::app::App;
use functions::reply::Reply;
use functions::route::{Authority, Route};
use functions::routes::ROUTES;
use serde_json::json;
use shared::auth::{self, Authenticator, CustomRole, NewToken, Permission, Role};
use shared::settings::Expected;
use shared::store::Usage;
use tower::ServiceExt;

use crate::isolation::{paths, write_ended, write_run};
use crate::support::actions::as_function;
use crate::support::process::{Server, run};
use crate::support::records::{ForkKey, branch_step, execution, step, time};
use crate::support::samples::sample_of;
use crate::support::{TestApp, http, operator, token_id};

/// The name of a role that the team defines.
const ROLE: &str = "all";

async fn put_role(app: &TestApp, permissions: &[Permission]) {
    let names = permissions.iter().map(|it| it.as_str().to_owned());
    let role = CustomRole {
        name: ROLE.to_owned(),
        description: None,
        permissions: names.collect(),
    };
    let caller = operator("team-a");
    let put = auth::put_roles(&app.store, &caller, vec![role], Expected::Any).await;
    put.expect("roles");
}

/// A token with the role [`ROLE`].
async fn token_of_role(app: &TestApp) -> String {
    let new = NewToken {
        role: ROLE.parse().expect("a name"),
        name: None,
        flows: None,
        expires_at: None,
    };
    let created = auth::create_token(&app.store, &operator("team-a"), &new).await;
    created.expect("a token").1.reveal().to_owned()
}

async fn revoke(app: &TestApp, token: &str) {
    let id = token_id(token).parse().expect("an id");
    let revoked = auth::revoke_token(&app.store, &operator("team-a"), &id).await;
    revoked.expect("revoked");
}

/// A request as API Gateway passes it to a function, of a cached caller with every
/// permission.
fn cached_request(route: &Route, principal: &str, path: &str) -> lambda_http::Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts = route.path.split('/').zip(path.split('/'));
    let parameters: HashMap<_, _> = parts
        .filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?, value)))
        .collect();
    let query: HashMap<_, _> = query
        .split('&')
        .filter_map(|it| it.split_once('='))
        .collect();
    let permissions = Permission::ALL.map(Permission::as_str).join(",");
    let authorizer = json!({
        "teamId": "team-a", "principal": principal, "permissions": permissions,
    });
    let headers = json!({"content-type": "application/json"});
    let event = json!({
        "httpMethod": route.method.as_str(),
        "path": path,
        "headers": headers,
        "multiValueHeaders": {},
        "pathParameters": parameters,
        "queryStringParameters": query,
        "requestContext": {"httpMethod": route.method.as_str(), "authorizer": authorizer},
        "body": sample_of(route).body,
    });
    lambda_http::request::from_str(&event.to_string()).expect("an event")
}

/// The functions of a table, without a cache of callers.
fn functions_of(app: &TestApp) -> App {
    let authenticator = Authenticator::new(app.store.clone());
    App::with_authenticator(app.store_as_served(), authenticator)
}

async fn reply_to(app: &App, route: &'static Route, request: &lambda_http::Request) -> Reply {
    as_function(route.name, route.answer(app, request)).await
}

#[test]
fn every_write_and_every_export_needs_current_authority() {
    for route in ROUTES {
        let is_read = route.method == Method::GET || route.name == "try_masking_settings";
        let expected = match is_read && route.name != "export_team_executions" {
            true => Authority::Remembered,
            false => Authority::Current,
        };
        assert_eq!(route.authority, expected, "{}", route.name);
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_or_lost_its_role_cannot_write() {
    let app = TestApp::new().await;
    write_run(&app).await;
    write_ended(&app).await;
    put_role(&app, &Permission::ALL).await;
    let victim = token_of_role(&app).await;
    let [good, revoked] = [token_of_role(&app).await, token_of_role(&app).await];
    revoke(&app, &revoked).await;
    let expired = app.expired_token("team-a").await;
    let functions = functions_of(&app);
    let paths: HashMap<_, _> = paths(token_id(&victim))
        .into_iter()
        .map(|(name, path, _)| (name, path))
        .collect();
    let current = || {
        ROUTES
            .iter()
            .filter(|it| it.authority == Authority::Current)
    };
    let status = async |route: &'static Route, token: &str| {
        let principal = format!("token:{}", token_id(token));
        let request = cached_request(route, &principal, &paths[route.name]);
        reply_to(&functions, route, &request)
            .await
            .status()
            .as_u16()
    };
    for route in current() {
        assert_eq!(status(route, &revoked).await, 401, "{}", route.name);
        assert_eq!(status(route, &expired).await, 401, "{}", route.name);
    }
    put_role(&app, &[Permission::ExecutionsRead]).await;
    for route in current() {
        assert_eq!(status(route, &good).await, 403, "{}", route.name);
    }
    assert_eq!(app.item("run-1").await["status"], "RUNNING");
    assert!(app.item("ended").await.get("pinnedAt").is_none());
    for route in current() {
        put_role(&app, &Permission::ALL).await;
        let status = status(route, &good).await;
        assert!((200..300).contains(&status), "{}: {status}", route.name);
    }
}

#[tokio::test]
async fn a_jwt_is_not_read_again_from_the_table() {
    let app = TestApp::new().await;
    write_ended(&app).await;
    let route = ROUTES.iter().find(|it| it.name == "pin_execution");
    let route = route.expect("a route");
    let request = cached_request(route, "user:ada", "/api/executions/ended/pin");
    let reply = reply_to(&functions_of(&app), route, &request).await;
    assert_eq!(reply.status(), 200);
}

#[tokio::test]
async fn secrets_need_a_current_permission() {
    let app = TestApp::new().await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 100,
    };
    let secret = json!({"password": "hunter2"});
    let secret = json!({"output": secret, "executionData": secret});
    app.write([
        execution("run-1", json!({})),
        step("run-1", "fork-1", 100, secret.clone()),
        branch_step(&fork, "branch", "a", 110, secret),
    ])
    .await;
    let functions = functions_of(&app);
    let step = format!("stepInstanceId=fork-1&startTime={}", time(100));
    let parent = format!(
        "parentStepInstanceId=fork-1&parentStepStartTime={}",
        time(100)
    );
    for (name, path) in [
        ("get_flow_execution", "/flow-executions/run-1".to_owned()),
        (
            "get_flow_execution_step",
            format!("/flow-executions/run-1/step?{step}"),
        ),
        (
            "get_flow_execution_branch_steps",
            format!("/flow-executions/run-1/branch-steps?{parent}"),
        ),
        ("get_execution", "/api/executions/run-1".to_owned()),
        (
            "get_history_execution",
            "/api/history/executions/run-1".to_owned(),
        ),
    ] {
        put_role(&app, &Permission::ALL).await;
        let token = token_of_role(&app).await;
        let route = ROUTES.iter().find(|it| it.name == name).expect("a route");
        let principal = format!("token:{}", token_id(&token));
        let request = cached_request(route, &principal, &path);
        let status = async || reply_to(&functions, route, &request).await.status();
        assert_eq!(status().await, 200, "{name}");
        put_role(&app, &[Permission::ExecutionsRead]).await;
        assert_eq!(status().await, 403, "{name}");
        put_role(&app, &Permission::ALL).await;
        revoke(&app, &token).await;
        assert_eq!(status().await, 401, "{name}");
    }
}

#[tokio::test]
async fn a_process_refuses_a_token_that_it_revoked() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    put_role(&app, &[Permission::ExecutionsRead]).await;
    let token = token_of_role(&app).await;
    let path = "/flow-executions?flowDefinitionId=flow-1";
    assert_eq!(app.get(&token, path).await.status, 200);
    let roles = json!({"roles": [{"name": ROLE, "permissions": ["AUDIT_READ"]}]}).to_string();
    app.call(Method::PUT, &admin, "/api/roles", &roles)
        .await
        .ok();
    assert_eq!(app.get(&token, path).await.status, 403);
    let own = format!("/api/tokens/{}", token_id(&token));
    app.delete(&admin, &own).await.ok();
    assert_eq!(app.get(&token, path).await.status, 401);
    // The same applies to a token that revokes itself.
    let own = format!("/api/tokens/{}", token_id(&admin));
    app.delete(&admin, &own).await.ok();
    assert_eq!(app.get(&admin, "/api/tokens").await.status, 401);
}

#[test]
fn a_server_refuses_a_token_that_a_command_revoked() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let create = ["token", "create", "--team", "default", "--role", "viewer"];
    let output = run(folder.path(), &create);
    let token = String::from_utf8(output.stdout).expect("UTF-8");
    let token = token.trim();
    let url = server.url("/flow-executions?flowDefinitionId=flow-1");
    assert_eq!(http::get(&url, token).status, 200);
    let revoked = run(folder.path(), &["token", "revoke", token]);
    assert!(revoked.status.success());
    assert_eq!(http::get(&url, token).status, 401);
}

/// Requests share one app, as in a server.
#[tokio::test]
async fn a_caller_is_read_once_for_a_read_and_again_for_a_write() {
    let app = TestApp::new().await;
    write_ended(&app).await;
    let token = app.token("team-a", Role::Admin, None).await;
    let functions = Arc::new(functions_of(&app));
    let router = local::server::router(functions);
    let usage = async |method: Method, path: &str| -> u64 {
        let request = axum::http::Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.body(axum::body::Body::empty()).expect("a request");
        let answer = router.clone().oneshot(request).await.expect("infallible");
        assert_eq!(answer.status(), 200);
        let usage = answer.extensions().get::<Usage>();
        usage.expect("a usage").requests
    };
    assert_eq!(usage(Method::GET, "/api/caller").await, 0);
    // The run, the pin with its event, the runs below, and the token.
    let pin = usage(Method::PUT, "/api/executions/ended/pin").await;
    let again = usage(Method::PUT, "/api/executions/ended/pin").await;
    assert_eq!(again, 2, "the token and the run, of {pin}");
}
