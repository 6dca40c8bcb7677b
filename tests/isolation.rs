//! Isolation: every route without a token, with an invalid one, with another role, and with
//! a token of another team or flow.

use functions::route::Route;
use functions::routes::ROUTES;
use serde_json::json;
use shared::auth::{self, Role};

use crate::support::issuer::{Issuer, SigningKey, bad_jwts};
use crate::support::records::{ForkKey, branch_step, execution, step};
use crate::support::samples::sample_of;
use crate::support::{Answer, TestApp, operator, token_id};

mod paths;
mod tokens;

pub use paths::paths;

/// Whether tokens that are limited to flows cannot call the route.
fn is_for_whole_team(route: &Route) -> bool {
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

async fn with_run() -> TestApp {
    let app = TestApp::new().await;
    write_run(&app).await;
    app
}

pub async fn write_run(app: &TestApp) {
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

pub async fn write_ended(app: &TestApp) {
    app.write([execution(
        "ended",
        json!({"errorMessage": "SECRET of team-a"}),
    )])
    .await;
}

/// A caller of `team-a` and its token.
struct OwnCaller {
    role: Role,
    is_limited: bool,
    token: String,
}

/// Callers of `team-a` with tokens and with JWTs.
async fn own_callers(app: &TestApp, issuer: &Issuer, keys: [&SigningKey; 2]) -> Vec<OwnCaller> {
    let jwt = |key: &SigningKey, role: &str| key.sign(&issuer.claims(role, json!({})));
    let caller = |role, is_limited, token| OwnCaller {
        role,
        is_limited,
        token,
    };
    let limited = app.token("team-a", Role::Admin, Some(&["flow-0", "flow-1"]));
    vec![
        caller(Role::Viewer, false, app.viewer("team-a").await),
        caller(
            Role::Admin,
            false,
            app.token("team-a", Role::Admin, None).await,
        ),
        caller(Role::Admin, true, limited.await),
        caller(Role::Viewer, false, jwt(keys[0], "viewer")),
        caller(Role::Admin, false, jwt(keys[1], "admin")),
    ]
}

/// A route with the path of [`PATHS`].
struct Case<'a> {
    app: &'a TestApp,
    route: &'static Route,
    path: &'a str,
}

impl Case<'_> {
    async fn call(&self, token: &str) -> Answer {
        let (method, body) = (self.route.method.clone(), sample_of(self.route).body);
        self.app.call(method, token, self.path, body).await
    }

    fn success(&self) -> u16 {
        match self.route.name {
            "create_token" => 201,
            _ => 200,
        }
    }

    /// A caller of the team gets an answer exactly if its role has the permission.
    async fn assert_permission_decides(&self, caller: &OwnCaller) {
        let answer = self.call(&caller.token).await;
        let has = |permission| caller.role.permissions().contains(&permission);
        let is_permitted = self.route.permission.is_none_or(has)
            && !(caller.is_limited && is_for_whole_team(self.route));
        let status = if is_permitted { self.success() } else { 403 };
        let name = self.route.name;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.body);
    }

    /// A caller without any role is forbidden what needs a permission.
    async fn assert_refuses_without_role(&self, token: &str) {
        let (answer, name) = (self.call(token).await, self.route.name);
        match self.route.permission {
            Some(_) => assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()), "{name}"),
            None => assert_eq!(answer.ok()["caller"]["permissions"], json!([])),
        }
    }

    async fn assert_refuses_invalid(&self, what: &str, token: &str) {
        let (answer, name) = (self.call(token).await, self.route.name);
        let refusal = (401, "UNAUTHENTICATED".to_owned());
        assert_eq!(answer.problem(), refusal, "{name}: {what}");
        let message = &answer.json()["message"];
        assert_eq!(message, "The token is not valid.", "{name}: {what}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }

    /// A caller of another team or flow gets the expected answer, which reveals nothing of
    /// the team or its run, and changes nothing.
    async fn assert_reveals_nothing(&self, token: &str, (status, code): (u16, &str)) {
        let (answer, name) = (self.call(token).await, self.route.name);
        let is_success = answer.status.is_success();
        let expected = if status == 200 {
            self.success()
        } else {
            status
        };
        assert_eq!(answer.status.as_u16(), expected, "{name}: {}", answer.body);
        assert_eq!(self.app.item("run-1").await["status"], "RUNNING", "{name}");
        if !is_success {
            assert_eq!(answer.problem().1, code, "{name}");
        }
        // A refusal must not name the flow of a run, unless the path names it.
        let names_flow =
            !is_success && answer.body.contains("flow-1") && !self.path.contains("flow-1");
        assert!(!names_flow, "{name} names the flow: {}", answer.body);
        // A refusal may repeat the team that the path names.
        let reveals = answer.body.contains("SECRET")
            || (is_success && answer.body.contains("team-a") && self.route.permission.is_some());
        assert!(!reveals, "{name} reveals: {}", answer.body);
        assert!(
            !answer.body.contains("run-1") || expected == 404,
            "{name}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn every_route_answers_only_permitted_callers() {
    let (key, other_key) = (SigningKey::es256("one"), SigningKey::ed25519("two"));
    let issuer = Issuer::new(&[&key, &other_key]).await;
    let app = with_run().await.with_jwts(issuer.settings());
    write_ended(&app).await;
    let victim = app.token("team-a", Role::Admin, None).await;
    let paths = paths(token_id(&victim));
    let callers = own_callers(&app, &issuer, [&key, &other_key]).await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let without_role = key.sign(&issuer.claims("nobody", json!({})));
    let refused = refused_tokens(&app, &issuer, &key).await;
    let other_teams = [
        app.token("team-b", Role::Admin, None).await,
        key.sign(&issuer.claims("admin", json!({"team": "team-b"}))),
    ];
    let other_flow = app.token("team-a", Role::Admin, Some(&["flow-2"])).await;

    let mut own_roles = None;
    for (name, path, expected) in &paths {
        let (app, route) = (&app, route_named(name));
        let case = Case { app, route, path };
        for caller in &callers {
            case.assert_permission_decides(caller).await;
            write_run(app).await;
            write_ended(app).await;
        }
        if *name == "update_roles" {
            own_roles = Some(app.get(&admin, "/api/roles").await.ok());
        }
        case.assert_refuses_without_role(&without_role).await;
        for (what, token) in &refused {
            case.assert_refuses_invalid(what, token).await;
        }
        for token in &other_teams {
            case.assert_reveals_nothing(token, expected.other_team)
                .await;
        }
        case.assert_reveals_nothing(&other_flow, expected.other_flow)
            .await;
    }
    // The other callers have not changed the team's roles.
    let roles = app.get(&admin, "/api/roles").await.ok();
    assert_eq!(Some(roles), own_roles);
}

/// Well-formed tokens that must be refused, each with the reason.
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
