//! Roles of a team, and the permissions that callers can grant.

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;

use super::{ROLES, create, principal, put_roles, secret};
use crate::support::TestApp;
use crate::support::faults::{Fault, Faulty};
use crate::support::records::{execution, item};

fn names(roles: &Value) -> Vec<&str> {
    let roles = roles.as_array().expect("roles").iter();
    roles
        .map(|role| role["name"].as_str().expect("a name"))
        .collect()
}

#[tokio::test]
async fn a_team_has_the_built_in_roles_and_its_own() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let other = app.token("team-b", Role::Admin, None).await;
    let before = app.get(&admin, ROLES).await.ok();
    assert_eq!(before["roles"], json!([]));
    assert_eq!(before["updatedAt"], Value::Null);
    assert_eq!(
        names(&before["builtInRoles"]),
        ["viewer", "operator", "engine", "admin"]
    );
    assert_eq!(before["permissions"].as_array().map(Vec::len), Some(10));
    let auditor_token = json!({"role": "auditor"});
    let unknown = create(&app, &admin, &auditor_token).await;
    assert_eq!(unknown.problem().0, 400);

    let put = put_roles(&app, &admin, &json!([auditor()])).await.ok();
    assert_eq!(put["roles"], json!([auditor()]));
    assert_eq!(put["updatedBy"], principal(&admin));
    assert_eq!(app.get(&admin, ROLES).await.ok(), put);
    assert_eq!(app.get(&other, ROLES).await.ok()["roles"], json!([]));
    let unknown = create(&app, &other, &auditor_token).await;
    assert_eq!(unknown.problem().0, 400);
}

fn auditor() -> Value {
    json!({
        "name": "auditor", "description": "Reads runs and the audit, without exports",
        "permissions": ["EXECUTIONS_READ", "AUDIT_READ"],
    })
}

#[tokio::test]
async fn tokens_have_the_current_permissions_of_their_role() {
    let app = TestApp::new().await;
    app.write([execution("run-1", json!({"status": "RUNNING"}))])
        .await;
    let admin = app.token("team-a", Role::Admin, None).await;
    put_roles(&app, &admin, &json!([auditor()])).await.ok();
    let token = secret(&create(&app, &admin, &json!({"role": "auditor"})).await);
    let run = "/flow-executions/run-1";
    let cancel = "/api/executions/run-1/cancel";
    app.get(&token, "/api/audit").await.ok();
    app.get(&token, run).await.ok();
    let answer = app.call(Method::POST, &token, cancel, "").await;
    assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()));
    let message = answer.json()["message"].to_string();
    assert!(message.contains("EXECUTIONS_CANCEL"), "{message}");

    let mut changed = auditor();
    changed["permissions"] = json!(["EXECUTIONS_READ", "EXECUTIONS_CANCEL"]);
    put_roles(&app, &admin, &json!([changed])).await.ok();
    let later = app.restarted();
    assert_eq!(later.get(&token, "/api/audit").await.problem().0, 403);
    let answer = later.call(Method::POST, &token, cancel, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);

    put_roles(&app, &admin, &json!([])).await.ok();
    let later = app.restarted();
    assert_eq!(later.get(&token, run).await.problem().0, 403);
}

#[tokio::test]
async fn an_existing_team_role_engine_overrides_the_built_in_one() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let new = json!([{"name": "engine", "permissions": ["EXECUTIONS_READ"]}]);
    let refused = put_roles(&app, &admin, &new).await;
    assert_eq!(refused.problem().0, 400);
    assert_eq!(refused.json()["parameter"], "roles[0].name");
    let permissions = async |app: &TestApp, token: &str| {
        let caller = app.get(token, "/api/caller").await.ok();
        caller["caller"]["permissions"].clone()
    };
    let token = secret(&create(&app, &admin, &json!({"role": "engine"})).await);
    assert_eq!(permissions(&app, &token).await, json!(["EXECUTIONS_WRITE"]));

    // A previous release could write such a role.
    app.write([item(json!({
        "pk": "SETTINGS#team-a", "sk": "ROLES", "settings": new,
        "updatedAt": "2026-02-17T10:31:00.000Z", "updatedBy": "test",
    }))])
    .await;
    let app = app.restarted();
    assert_eq!(permissions(&app, &token).await, json!(["EXECUTIONS_READ"]));
    let roles = app.get(&admin, ROLES).await.ok();
    let built_in = roles["builtInRoles"].as_array().expect("roles");
    assert!(built_in.iter().all(|role| role["name"] != "engine"));
    put_roles(&app, &admin, &new).await.ok();
    put_roles(&app, &admin, &json!([])).await.ok();
    let app = app.restarted();
    assert_eq!(permissions(&app, &token).await, json!(["EXECUTIONS_WRITE"]));
}

#[tokio::test]
async fn callers_cannot_grant_permissions_they_lack() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let clerk = json!({"name": "clerk", "permissions": ["EXECUTIONS_READ", "TOKENS_MANAGE"]});
    let eraser = json!({"name": "eraser", "permissions": ["EXECUTIONS_DELETE"]});
    put_roles(&app, &admin, &json!([clerk, eraser])).await.ok();
    let clerks = secret(&create(&app, &admin, &json!({"role": "clerk"})).await);
    for role in ["admin", "operator", "eraser"] {
        let answer = create(&app, &clerks, &json!({"role": role})).await;
        assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()), "{role}");
        let message = answer.json()["message"].to_string();
        assert!(
            message.contains("You cannot grant the permission"),
            "{message}"
        );
    }
    secret(&create(&app, &clerks, &json!({"role": "clerk"})).await);
    secret(&create(&app, &clerks, &json!({"role": "viewer"})).await);
    let more = json!({"name": "clerk", "permissions": ["TOKENS_MANAGE", "AUDIT_READ"]});
    let new = json!({"name": "new", "permissions": ["EXECUTIONS_REVEAL"]});
    for roles in [json!([more, eraser]), json!([clerk, eraser, new])] {
        let answer = put_roles(&app, &clerks, &roles).await;
        assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()), "{roles}");
    }
    assert_eq!(
        app.get(&admin, ROLES).await.ok()["roles"],
        json!([clerk, eraser])
    );
    // Keeping or removing a permission does not need it.
    let reader = json!({"name": "reader", "permissions": ["EXECUTIONS_READ"]});
    let roles = json!([clerk, eraser, reader]);
    assert_eq!(put_roles(&app, &clerks, &roles).await.ok()["roles"], roles);
    put_roles(&app, &clerks, &json!([clerk])).await.ok();
    let answer = put_roles(&app, &clerks, &json!([clerk, eraser])).await;
    assert_eq!(answer.problem().0, 403, "a removed role counts as new");
}

#[tokio::test]
async fn invalid_roles_are_refused_with_their_position() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let kept = json!([{"name": "a", "permissions": ["AUDIT_READ"]}]);
    put_roles(&app, &admin, &kept).await.ok();
    for (roles, place) in [
        (
            json!([{"name": "admin", "permissions": ["AUDIT_READ"]}]),
            "roles[0].name",
        ),
        (
            json!([{"name": "b", "permissions": ["ALL"]}]),
            "roles[0].permissions",
        ),
        (
            json!([{"name": "b", "permissions": []}]),
            "roles[0].permissions",
        ),
        (
            json!([{"name": "b", "permissions": ["AUDIT_READ"], "x": 1}]),
            "body",
        ),
        (json!([{"name": "b"}]), "body"),
        (json!({}), "body"),
    ] {
        let answer = put_roles(&app, &admin, &roles).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{roles}"
        );
        assert_eq!(answer.json()["parameter"], place, "{roles}");
    }
    let answer = app.call(Method::PUT, &admin, ROLES, "").await;
    assert_eq!(answer.problem(), (400, "MISSING_PARAMETER".to_owned()));
    assert_eq!(app.get(&admin, ROLES).await.ok()["roles"], kept);
}

#[tokio::test]
async fn concurrent_role_changes_conflict() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let put = async |roles: &Value, updated_at: &Value| {
        let body = json!({"roles": roles, "updatedAt": updated_at}).to_string();
        app.call(Method::PUT, &admin, ROLES, &body).await
    };
    let role = |name: &str| json!({"name": name, "permissions": ["AUDIT_READ"]});
    let read = app.get(&admin, ROLES).await.ok();
    assert_eq!(read["updatedAt"], Value::Null);
    let (one, other) = (json!([role("one")]), json!([role("other")]));
    let (first, second) = tokio::join!(put(&one, &Value::Null), put(&other, &Value::Null));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort();
    assert_eq!(statuses, [200, 409]);
    let (kept, lost) = match first.status.as_u16() {
        200 => (first.json(), second),
        _ => (second.json(), first),
    };
    assert_eq!(lost.problem(), (409, "CONFLICT".to_owned()));
    assert_eq!(app.get(&admin, ROLES).await.ok(), kept);
    let next = put(&json!([role("next")]), &kept["updatedAt"]).await.ok();
    assert!(next["updatedAt"].as_str() > kept["updatedAt"].as_str());
    let late = put(&json!([]), &kept["updatedAt"]).await;
    assert_eq!(late.problem().0, 409);
    assert_eq!(put(&json!([]), &json!("yesterday")).await.problem().0, 400);
    // Without updatedAt, the current roles are replaced.
    put_roles(&app, &admin, &json!([])).await.ok();
}

/// Between the read and the write of the clerk, another request removes the role, so that the
/// write would grant its permission.
#[tokio::test]
async fn grants_are_checked_against_the_roles_at_the_write() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let clerk = json!({"name": "clerk", "permissions": ["TOKENS_MANAGE"]});
    let eraser = json!({"name": "eraser", "permissions": ["EXECUTIONS_DELETE"]});
    put_roles(&app, &admin, &json!([clerk, eraser])).await.ok();
    let clerks = secret(&create(&app, &admin, &json!({"role": "clerk"})).await);
    let (faults, client) = Faulty::client(app.store.client(), &["TransactWriteItems"]);
    let slow = app.over(client);
    slow.get(&clerks, ROLES).await.ok();
    faults.plan([Fault::Delayed]);
    let both = json!([clerk, eraser]);
    let (answer, _) = tokio::join!(put_roles(&slow, &clerks, &both), async {
        faults.crash().await;
        put_roles(&app, &admin, &json!([clerk])).await.ok();
        faults.go_on();
    });
    assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()));
    assert_eq!(app.get(&admin, ROLES).await.ok()["roles"], json!([clerk]));
}
