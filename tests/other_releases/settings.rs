//! Unreadable settings, roles, tokens and audit events.

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::Method;
use serde_json::{Value, json};
use shared::attributes::text;
use shared::auth::Role;
use shared::keys;
use tracing::instrument::WithSubscriber;

use super::{ODD, World};
use crate::support::log::Log;
use crate::support::records::payload;
use crate::support::{TestApp, token_id};

#[tokio::test]
async fn unknown_members_of_a_request_are_refused() {
    let app = TestApp::new().await;
    let admin = app.token(ODD, Role::Admin, None).await;
    for (path, body, member) in [
        (
            "settings/masking",
            r#"{"patterns": [{"name": "x", "pattern": "a", "flags": "i"}]}"#,
            "patterns.0.flags",
        ),
        ("settings/masking", r#"{"keynames": []}"#, "keynames"),
        (
            "settings/retention",
            r#"{"rules": [{"days": 1, "hours": 2}]}"#,
            "rules.0.hours",
        ),
        (
            "settings/stalled",
            r#"{"rules": [{"afterSeconds": 60, "hours": 2}]}"#,
            "rules.0.hours",
        ),
        (
            "settings/profiles",
            r#"{"profiles": [{"instrumentation": "a", "scopes": ["a"], "retries": [{"event": "a"}]}]}"#,
            "profiles.0.retries.0.event",
        ),
        (
            "settings/profiles",
            r#"{"profiles": [{"instrumentation": "a", "spans": [{"when": {"kind": "CLIENT"}}]}]}"#,
            "profiles.0.spans.0.when.kind",
        ),
        (
            "roles",
            r#"{"roles": [{"name": "a", "permissions": ["AUDIT_READ"], "team": "b"}]}"#,
            "roles.0.team",
        ),
    ] {
        let answer = app
            .call(Method::PUT, &admin, &format!("/api/{path}"), body)
            .await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{body}"
        );
        let message = answer.json()["message"].to_string();
        assert!(message.contains(member), "{message}");
    }
    let body = r#"{"value": 1, "settings": {"keyName": []}}"#;
    let answer = app
        .call(Method::POST, &admin, "/api/settings/masking/try", body)
        .await;
    assert_eq!(answer.problem().0, 400, "{}", answer.body);
}

/// Writes settings of the odd team directly to the table.
async fn put_settings(app: &TestApp, kind: &str, settings: Value) {
    let item = json!({
        "pk": format!("SETTINGS#{ODD}"), "sk": kind, "settings": settings,
        "updatedAt": "2026-02-17T10:30:00.000Z", "updatedBy": "user:future",
    });
    app.write([crate::support::records::item(item)]).await;
}

#[tokio::test]
async fn unreadable_settings_are_logged_once_and_can_be_replaced() {
    let world = World::new().await;
    let app = world.app.restarted();
    let odd = &world.teams[0];
    for (kind, list, rule) in [
        ("retention", "rules", json!({"days": 0})),
        ("stalled", "rules", json!({"afterSeconds": "x"})),
        ("profiles", "profiles", json!({"instrumentation": "a"})),
    ] {
        put_settings(&app, &kind.to_uppercase(), json!([rule])).await;
        let log = Log::default();
        let path = format!("/api/settings/{kind}");
        async {
            for _ in 0..3 {
                let shown = app.get(&odd.admin, &path).await.ok();
                assert_eq!(shown["unreadable"], true);
                assert_eq!(shown[list], json!([]));
                assert_eq!(shown["updatedBy"], "user:future");
            }
        }
        .with_subscriber(log.subscriber())
        .await;
        let is_about_settings = |line: &Value| {
            let fields = [&line["level"], &line["team_id"], &line["kind"]];
            fields == ["ERROR", ODD, kind.to_uppercase().as_str()]
        };
        let lines = log.lines();
        assert_eq!(
            lines.iter().filter(|line| is_about_settings(line)).count(),
            1,
            "{lines:#?}"
        );
        let mut body = json!({"updatedAt": "2026-02-17T10:30:00.000Z"});
        body[list] = json!([]);
        let body = body.to_string();
        let saved = app.call(Method::PUT, &odd.admin, &path, &body).await.ok();
        assert_eq!(saved.get("unreadable"), None);
        let audit = app.get(&odd.admin, "/api/audit?limit=1").await.ok();
        let details = &audit["events"][0]["details"];
        assert_eq!(
            details["replaced"],
            "settings that this release cannot read"
        );
    }
}

#[tokio::test]
async fn unreadable_retention_rules_delete_nothing_of_the_team() {
    let world = World::new().await;
    let rules = json!([{"days": 1}, {"days": 36_500, "status": "FAILED"}]);
    put_settings(&world.app, "RETENTION", rules).await;
    let app = world.app.restarted();
    world.continue_with_new_runs(&app).await;
    let [odd, neighbour] = &world.teams;
    world
        .assert_followed(&app, neighbour, "the neighbour")
        .await;
    assert_eq!(app.item(&odd.run("new")).await.get("expiresAt"), None);
}

#[tokio::test]
async fn unreadable_roles_grant_nothing() {
    let world = World::new().await;
    let roles = json!([
        {"name": "clerk", "permissions": ["EXECUTIONS_READ"]},
        {"name": "engine", "permissions": "EXECUTIONS_READ"},
        {"name": "boss", "permissions": {"all": true}},
    ]);
    put_settings(&world.app, "ROLES", roles).await;
    let app = world.app.restarted();
    let odd = &world.teams[0];
    let shown = app.get(&odd.admin, "/api/roles").await.ok();
    assert_eq!(
        (&shown["unreadable"], &shown["roles"][0]["name"]),
        (&json!(true), &json!("clerk"))
    );
    for (role, status) in [
        ("clerk", 201),
        ("viewer", 201),
        ("boss", 400),
        ("engine", 400),
    ] {
        let body = json!({"role": role}).to_string();
        let made = app
            .call(Method::POST, &odd.admin, "/api/tokens", &body)
            .await;
        assert_eq!(made.status, status, "{role}: {}", made.body);
    }
}

#[tokio::test]
async fn unreadable_masking_uses_all_rules_and_refuses_exports() {
    let world = World::new().await;
    let odd = &world.teams[0];
    let run = odd.run("masked");
    let input = json!({"password": "SECRET", "birthDate": "SECRET", "size": 7});
    world
        .app
        .write([
            odd.execution("masked", json!({})),
            payload(&run, "context", 0, json!({"value": input})),
        ])
        .await;
    let viewer = world.app.viewer(ODD).await;
    let export = format!("/api/executions/team/{ODD}/export?from=2026-02-01");
    for settings in [
        json!({"keyNames": ["birthDate", 7], "allowedKeyNames": ["password"]}),
        json!({"keyNames": ["birthDate"], "patterns": [{"name": "x", "pattern": "("}], "allowedKeyNames": ["password"]}),
    ] {
        put_settings(&world.app, "MASKING", settings).await;
        let app = world.app.restarted();
        let shown = app
            .get(&viewer, &format!("/flow-executions/{run}"))
            .await
            .ok();
        let hidden = "[REDACTED:secret]";
        let context = json!({"password": hidden, "birthDate": hidden, "size": 7});
        assert_eq!(shown["data"]["resolvedFinalContextData"], context);
        let refused = app.get(&odd.admin, &export).await;
        assert_eq!(refused.problem(), (409, "SETTINGS_UNREADABLE".to_owned()));
        let shown = app.get(&odd.admin, "/api/settings/masking").await.ok();
        assert_eq!(shown["unreadable"], true);
    }
    // Allowing a built-in rule of another release has no effect here.
    put_settings(
        &world.app,
        "MASKING",
        json!({"keyNames": ["size"], "allowedRules": ["of-2027"]}),
    )
    .await;
    let app = world.app.restarted();
    let shown = app
        .get(&viewer, &format!("/flow-executions/{run}"))
        .await
        .ok();
    assert_eq!(
        shown["data"]["resolvedFinalContextData"]["size"],
        "[REDACTED:secret]"
    );
    assert_eq!(app.get(&odd.admin, &export).await.status, 200);
}

#[tokio::test]
async fn an_unreadable_token_is_listed_refused_and_revocable() {
    let world = World::new().await;
    let odd = &world.teams[0];
    let id = token_id(&odd.other_token);
    for (name, value) in [
        ("role", AttributeValue::N("1".to_owned())),
        ("flows", text("flow-1")),
        ("expiresAt", text("2099-01-01")),
    ] {
        let token = world
            .app
            .store
            .get_latest(&keys::token_partition(id), keys::TOKEN)
            .await;
        let token = token.expect("read").expect("there");
        let mut broken = token.clone();
        broken.insert(name.to_owned(), value);
        assert!(world.replace(broken).await);
        let app = world.app.restarted();
        assert_eq!(
            app.get(&odd.other_token, "/api/caller").await.status,
            401,
            "{name}"
        );
        let listed = app.get(&odd.admin, "/api/tokens").await.ok();
        let listed = listed["tokens"].as_array().expect("tokens").clone();
        let shown = listed
            .iter()
            .find(|token| token["id"] == id)
            .expect("listed");
        assert_eq!(shown["unreadable"], true, "{name}: {shown}");
        assert_eq!(shown["name"], "spare");
        assert!(world.replace(token).await);
    }
    let path = format!("/api/tokens/{id}");
    world.app.delete(&odd.admin, &path).await.ok();
    let listed = world
        .app
        .get(&odd.admin, "/api/tokens")
        .await
        .ok()
        .to_string();
    assert!(!listed.contains("unreadable"), "{listed}");
}

#[tokio::test]
async fn unreadable_audit_events_are_shown_as_far_as_possible() {
    let app = TestApp::new().await;
    let admin = app.token(ODD, Role::Admin, None).await;
    let event = json!({
        "pk": format!("AUDIT#{ODD}"), "sk": "2026-11-29T10:00:00.000Z#odd", "eventId": 7,
        "time": "yesterday", "principal": ["user:a"], "action": "REPLAYED", "target": null,
        "outcome": "HALF_DONE", "details": {"count": 3, "reason": "a", "parts": ["x"]},
    });
    let stray = json!({"pk": format!("AUDIT#{ODD}"), "sk": "zzz", "action": "STRAY"});
    app.write([event, stray].map(crate::support::records::item))
        .await;
    let events = app.get(&admin, "/api/audit").await.ok()["events"].take();
    let found = |event: &&Value| event["id"] == "odd";
    assert_eq!(
        *events
            .as_array()
            .expect("events")
            .iter()
            .find(found)
            .expect("shown"),
        json!({
            "id": "odd", "time": "2026-11-29T10:00:00.000Z", "principal": "UNKNOWN",
            "action": "REPLAYED", "target": "UNKNOWN", "outcome": "HALF_DONE",
            "details": {"count": "3", "reason": "a", "parts": "[\"x\"]"},
            "requestId": null, "sourceIp": null,
        })
    );
    assert!(!events.to_string().contains("STRAY"));
}
