//! The settings of a team: `/api/settings/masking`.

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::masking::masker_of;

use super::{PATH, put};
use crate::support::{Answer, TestApp};

#[tokio::test]
async fn settings_are_stored_completely_for_one_team() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let other = app.token("team-b", Role::Admin, None).await;
    let none = json!({
        "patterns": [],
        "keyNames": [],
        "allowedPatterns": [],
        "allowedKeyNames": [],
        "allowedRules": [],
    });
    let before = app.get(&admin, PATH).await.ok();
    assert_eq!(
        before,
        json!({"success": true, "settings": none, "updatedAt": null, "updatedBy": null})
    );
    let settings = json!({
        "patterns": [{"name": "customer", "pattern": r"KD-\d{8}"}],
        "keyNames": ["birthDate"],
        "allowedPatterns": [r".*@example\.com"],
        "allowedKeyNames": ["session"],
        "allowedRules": ["ip-address"],
    });
    let answer = put(&app, &admin, &settings.to_string()).await.ok();
    assert_eq!(answer["settings"], settings);
    let by = format!("token:{}", admin.split('_').nth(1).expect("an id"));
    assert_eq!(answer["updatedBy"], by);
    assert!(answer["updatedAt"].as_str().expect("a time").ends_with('Z'));
    assert_eq!(app.get(&admin, PATH).await.ok(), answer);
    assert_eq!(app.get(&other, PATH).await.ok(), before);
    // Settings that are left out are empty.
    let answer = put(&app, &admin, "{}").await.ok();
    assert_eq!(answer["settings"], none);
}

const TRY: &str = "/api/settings/masking/try";

async fn try_settings(app: &TestApp, token: &str, body: Value) -> Answer {
    app.call(Method::POST, token, TRY, &body.to_string()).await
}

/// Settings that hide more than the built-in rules.
fn stricter() -> Value {
    json!({
        "keyNames": ["birthDate"],
        "patterns": [{"name": "customer", "pattern": r"KD-\d{8}"}],
    })
}

#[tokio::test]
async fn settings_can_be_tried_on_a_text() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let text = "Order of KD-12345678 <anna@example.org>";
    let built_in = try_settings(&app, &admin, json!({"value": text}))
        .await
        .ok();
    let body = json!({"value": text, "settings": stricter()});
    let own = try_settings(&app, &admin, body).await.ok();
    let masked = own["masked"].as_str().expect("a text");
    assert!(
        built_in["masked"]
            .as_str()
            .is_some_and(|text| text.contains("KD-12345678"))
    );
    assert!(
        !masked.contains("KD-12345678") && !masked.contains("anna"),
        "{masked}"
    );
    assert!(masked.starts_with("Order of "), "{masked}");
}

#[tokio::test]
async fn settings_can_be_tried_on_a_payload_and_are_not_stored() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let payload = json!({"orderId": 42, "birthDate": "1990-01-31", "password": "hunter2"});
    let body = json!({"value": payload, "settings": stricter()});
    let own = try_settings(&app, &admin, body).await.ok();
    assert_eq!(own["masked"]["orderId"], 42);
    assert_ne!(own["masked"]["birthDate"], "1990-01-31");
    assert_ne!(own["masked"]["password"], "hunter2");
    let built_in = try_settings(&app, &admin, json!({"value": payload})).await;
    assert_eq!(
        built_in.ok()["masked"]["birthDate"],
        "1990-01-31",
        "the team has no settings"
    );
    assert_eq!(
        app.get(&admin, PATH).await.ok()["settings"]["keyNames"],
        json!([])
    );
    put(&app, &admin, &stricter().to_string()).await.ok();
    let stored = try_settings(&app, &admin, json!({"value": payload})).await;
    assert_eq!(stored.ok(), own, "the team has these settings now");
}

#[tokio::test]
async fn invalid_attempts_are_refused_with_their_position() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    for (body, parameter) in [
        (json!({}), "body"),
        (json!({"value": 1, "more": 2}), "body"),
        (
            json!({"value": 1, "settings": {"patterns": [{"name": "a", "pattern": "("}]}}),
            "patterns[0].pattern",
        ),
    ] {
        let answer = try_settings(&app, &admin, body.clone()).await;
        assert_eq!(answer.problem().0, 400, "{body}");
        assert_eq!(answer.json()["parameter"], parameter, "{body}");
    }
}

#[tokio::test]
async fn invalid_settings_are_refused_with_their_position() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let kept = put(&app, &admin, r#"{"keyNames": ["birthDate"]}"#)
        .await
        .ok();
    let pattern = |pattern: &str| {
        json!({"patterns": [
            {"name": "good", "pattern": "KD-[0-9]+"},
            {"name": "bad", "pattern": pattern},
        ]})
    };
    let many: Vec<_> = (0..101).map(|number| format!("key{number}")).collect();
    for (settings, parameter) in [
        (pattern("KD-([0-9]+"), "patterns[1].pattern"),
        (pattern("KD-[0-9"), "patterns[1].pattern"),
        (pattern(r"(a)\1"), "patterns[1].pattern"),
        (pattern("a*"), "patterns[1].pattern"),
        (pattern(""), "patterns[1].pattern"),
        (pattern(r"(\w{500}){500}"), "patterns[1].pattern"),
        (pattern(&"a".repeat(1_001)), "patterns[1].pattern"),
        (
            json!({"patterns": [{"name": "N N", "pattern": "a"}]}),
            "patterns[0].name",
        ),
        (json!({"allowedPatterns": ["("]}), "allowedPatterns[0]"),
        (
            json!({"allowedRules": ["email", "unknown"]}),
            "allowedRules[1]",
        ),
        (json!({"keyNames": [""]}), "keyNames[0]"),
        (json!({"keyNames": many}), "keyNames"),
        (json!({"patern": []}), "body"),
        (json!({"patterns": [{"name": "x"}]}), "body"),
        (json!({"keyNames": "password"}), "body"),
        (json!([]), "body"),
    ] {
        let answer = put(&app, &admin, &settings.to_string()).await;
        let problem = answer.problem();
        assert_eq!(problem, (400, "INVALID_PARAMETER".to_owned()), "{settings}");
        assert_eq!(answer.json()["parameter"], parameter, "{}", answer.body);
        assert_eq!(app.get(&admin, PATH).await.ok(), kept);
    }
    for body in ["", "  ", "{", "nonsense"] {
        assert_eq!(put(&app, &admin, body).await.problem().0, 400, "{body}");
    }
    let message = put(&app, &admin, &pattern("KD-([0-9]+").to_string()).await;
    let message = message.json()["message"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert!(
        message.contains("4"),
        "the position in the pattern: {message}"
    );
}

#[tokio::test]
async fn patterns_cannot_backtrack() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    // A backtracking engine would need years for this pattern.
    let slow = r#"{"patterns": [{"name": "slow", "pattern": "(a+)+b"}]}"#;
    put(&app, &admin, slow).await.ok();
    let team = "team-a".parse().expect("a team");
    let masker = masker_of(&app.store, &team).await.expect("a masker");
    let text = "a".repeat(100_000);
    assert_eq!(masker.mask(&text), text);
}

#[tokio::test]
async fn settings_need_the_permission_to_manage_them() {
    let app = TestApp::new().await;
    for role in [Role::Viewer, Role::Operator] {
        let token = app.token("team-a", role, None).await;
        assert_eq!(app.get(&token, PATH).await.problem().0, 403);
        assert_eq!(put(&app, &token, "{}").await.problem().0, 403);
    }
}

#[tokio::test]
async fn showing_more_needs_the_permission_to_reveal() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let role = r#"{"roles": [{"name": "clerk", "permissions": ["SETTINGS_MANAGE"]}]}"#;
    app.call(Method::PUT, &admin, "/api/roles", role).await.ok();
    let made = app.call(Method::POST, &admin, "/api/tokens", r#"{"role": "clerk"}"#);
    let made = made.await.json()["secret"].clone();
    let clerk = made.as_str().expect("a secret");
    let kept = r#"{"keyNames": ["birthDate"], "patterns": [{"name": "customer", "pattern": "KD"}],
                   "allowedRules": ["ip-address"]}"#;
    put(&app, &admin, kept).await.ok();
    for shows in [
        "{}",
        r#"{"keyNames": ["birthDate"]}"#,
        r#"{"keyNames": ["birthDate"], "patterns": [{"name": "customer", "pattern": "KE"}]}"#,
        r#"{"keyNames": ["birthDate"], "patterns": [{"name": "customer", "pattern": "KD"}],
            "allowedKeyNames": ["password"]}"#,
        r#"{"keyNames": ["birthDate"], "patterns": [{"name": "customer", "pattern": "KD"}],
            "allowedPatterns": ["x+"]}"#,
        r#"{"keyNames": ["birthDate"], "patterns": [{"name": "customer", "pattern": "KD"}],
            "allowedRules": ["email"]}"#,
    ] {
        let answer = put(&app, clerk, shows).await;
        assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()), "{shows}");
        let message = answer.json()["message"].to_string();
        assert!(message.contains("EXECUTIONS_REVEAL"), "{message}");
    }
    // Hiding more and allowing less needs no further permission.
    let hides = r#"{"keyNames": ["salary", "birthDate"],
                    "patterns": [{"name": "customer", "pattern": "KD"}]}"#;
    put(&app, clerk, hides).await.ok();
}
