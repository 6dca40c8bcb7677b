//! Masking: a team's settings, and what readers see of payloads.

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::masking::masker_of;
use shared::settings::SETTINGS_REMEMBERED;
use shared::store::Store;

use crate::support::records::{ForkKey, branch_step, execution, payload, payload_parts, step};
use crate::support::{Answer, TestApp};

const PATH: &str = "/api/settings/masking";
const HIDDEN: &str = "[REDACTED:secret]";

async fn put(app: &TestApp, token: &str, settings: &str) -> Answer {
    app.call(Method::PUT, token, PATH, settings).await
}

#[tokio::test]
async fn a_teams_settings_are_kept_whole_and_are_its_own() {
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
    // What is left out is empty.
    let answer = put(&app, &admin, "{}").await.ok();
    assert_eq!(answer["settings"], none);
}

#[tokio::test]
async fn settings_can_be_tried_on_a_text_and_on_a_payload_and_are_not_kept() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let path = format!("{PATH}/try");
    let attempt = async |body: Value| {
        let body = body.to_string();
        app.call(Method::POST, &admin, &path, &body).await
    };
    let settings = json!({
        "keyNames": ["birthDate"],
        "patterns": [{"name": "customer", "pattern": r"KD-\d{8}"}],
    });
    let text = "Order of KD-12345678 <anna@example.org>";
    let built_in = attempt(json!({"value": text})).await.ok();
    let own = attempt(json!({"value": text, "settings": settings}))
        .await
        .ok();
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

    let payload = json!({"orderId": 42, "birthDate": "1990-01-31", "password": "hunter2"});
    let own = attempt(json!({"value": payload, "settings": settings}))
        .await
        .ok();
    assert_eq!(own["masked"]["orderId"], 42);
    assert_ne!(own["masked"]["birthDate"], "1990-01-31");
    assert_ne!(own["masked"]["password"], "hunter2");
    let built_in = attempt(json!({"value": payload})).await.ok();
    assert_eq!(
        built_in["masked"]["birthDate"], "1990-01-31",
        "the team has no settings"
    );
    assert_eq!(
        app.get(&admin, PATH).await.ok()["settings"]["keyNames"],
        json!([])
    );

    put(&app, &admin, &settings.to_string()).await.ok();
    let stored = attempt(json!({"value": payload})).await.ok();
    assert_eq!(stored, own, "the settings that the team has now");
    for (body, parameter) in [
        (json!({}), "body"),
        (json!({"value": 1, "more": 2}), "body"),
        (
            json!({"value": 1, "settings": {"patterns": [{"name": "a", "pattern": "("}]}}),
            "patterns[0].pattern",
        ),
    ] {
        let answer = attempt(body.clone()).await;
        assert_eq!(answer.problem().0, 400, "{body}");
        assert_eq!(answer.json()["parameter"], parameter, "{body}");
    }
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_with_the_place_and_change_nothing() {
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
    assert!(message.contains("4"), "where in the pattern: {message}");
    // A pattern that would take other engines years.
    let slow = r#"{"patterns": [{"name": "slow", "pattern": "(a+)+b"}]}"#;
    put(&app, &admin, slow).await.ok();
    let team = "team-a".parse().expect("a team");
    let masker = masker_of(&app.store, &team).await.expect("a masker");
    let text = "a".repeat(100_000);
    assert_eq!(masker.mask(&text), text);
}

#[tokio::test]
async fn only_who_manages_settings_sees_or_changes_them() {
    let app = TestApp::new().await;
    for role in [Role::Viewer, Role::Operator] {
        let token = app.token("team-a", role, None).await;
        assert_eq!(app.get(&token, PATH).await.problem().0, 403);
        assert_eq!(put(&app, &token, "{}").await.problem().0, 403);
    }
}

#[tokio::test]
async fn who_may_not_see_secrets_lets_nobody_see_them() {
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
    // To hide more, and to allow less, takes no more than it did.
    let hides = r#"{"keyNames": ["salary", "birthDate"],
                    "patterns": [{"name": "customer", "pattern": "KD"}]}"#;
    put(&app, clerk, hides).await.ok();
}

fn secrets() -> Value {
    json!({
        "user": "anna",
        "password": "hunter2-SECRET",
        "nested": [{"Authorization": "Bearer SECRET", "apiKey": {"id": "SECRET"}}],
        "birthDate": "1990-01-01",
        "accessToken": null,
        "token_count": 5,
    })
}

/// A run whose every payload holds secrets: native, as JSON, in parts, compressed.
async fn with_secrets() -> (TestApp, ForkKey<'static>) {
    let app = TestApp::new().await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork",
        offset: 200,
    };
    let in_step = json!({"input": secrets(), "output": secrets(), "executionData": secrets()});
    app.write([
        execution("run-1", json!({})),
        step("run-1", "a", 100, in_step.clone()),
        step("run-1", "fork", 200, json!({"input": null, "output": null})),
        branch_step(&fork, "branch", "b", 210, in_step),
    ])
    .await;
    let text = secrets().to_string();
    let compressed = zstd::encode_all(text.as_bytes(), 3).expect("compressed");
    for name in ["input", "context"] {
        app.write(payload_parts("run-1", name, text.as_bytes(), "json", 40))
            .await;
    }
    for name in ["output", "step:fork:output"] {
        app.write(payload_parts("run-1", name, &compressed, "json+zstd", 40))
            .await;
    }
    app.write([payload("run-1", "data", 0, json!({"value": secrets()}))])
        .await;
    (app, fork)
}

/// Every payload of the run, as each surface shows it.
async fn payloads(app: &TestApp, fork: &ForkKey<'_>, token: &str) -> Vec<Value> {
    let flow = app.get(token, "/flow-executions/run-1").await.ok()["data"].take();
    let branch = app.get(token, &fork.branch_steps_path()).await.ok();
    let branch = &branch["data"]["branch"]["steps"][0];
    let whole = app.get(token, "/api/executions/run-1").await.ok();
    let history = app.get(token, "/api/history/executions/run-1").await.ok()["execution"].take();
    let nodes = &whole["nodeExecutions"];
    [
        &flow["resolvedFinalContextData"],
        &flow["steps"][0]["input"],
        &flow["steps"][0]["output"],
        &flow["steps"][0]["executionData"],
        &flow["steps"][1]["output"],
        &branch["input"],
        &branch["executionData"],
        &whole["inputData"],
        &whole["outputData"],
        &nodes[0]["inputData"],
        &nodes[1]["outputData"],
        &nodes[2]["outputData"],
        &history["executionData"],
        &history["steps"][0]["executionData"],
    ]
    .map(Value::clone)
    .into()
}

#[tokio::test]
async fn details_hide_the_values_of_secret_names_from_who_may_not_reveal_them() {
    let (app, fork) = with_secrets().await;
    let expected = json!({
        "user": "anna",
        "password": HIDDEN,
        "nested": [{"Authorization": HIDDEN, "apiKey": HIDDEN}],
        "birthDate": "1990-01-01",
        "accessToken": null,
        "token_count": 5,
    });
    for role in [Role::Viewer, Role::Operator] {
        let token = app.token("team-a", role, None).await;
        for (position, shown) in payloads(&app, &fork, &token).await.iter().enumerate() {
            assert_eq!(*shown, expected, "{position}");
        }
        // Page by page as well.
        let path = "/flow-executions/run-1?limit=1";
        let steps = app.walk_steps(&token, path, |_, page| {
            assert!(!page.body.contains("SECRET"), "{}", page.body);
        });
        assert_eq!(steps.await.len(), 2);
    }
    let admin = app.token("team-a", Role::Admin, None).await;
    for shown in payloads(&app, &fork, &admin).await {
        assert_eq!(shown, secrets());
    }
}

#[tokio::test]
async fn a_teams_own_names_are_hidden_and_those_it_allows_are_not() {
    let (app, fork) = with_secrets().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let viewer = app.viewer("team-a").await;
    let settings = r#"{"keyNames": ["birthDate"], "allowedKeyNames": ["password"]}"#;
    put(&app, &admin, settings).await.ok();
    for shown in payloads(&app, &fork, &viewer).await {
        assert_eq!(shown["birthDate"], HIDDEN);
        assert_eq!(shown["password"], "hunter2-SECRET");
        assert_eq!(shown["nested"][0]["apiKey"], HIDDEN);
    }
    // Another process knows them once it reads them.
    let store = Store::new(app.store.client().clone(), app.store.table());
    let team = "team-a".parse().expect("a team");
    let masker = masker_of(&store, &team).await.expect("a masker");
    assert!(masker.secret_key("birthDate") && !masker.secret_key("password"));
    assert_eq!(SETTINGS_REMEMBERED.as_secs(), 60, "docs/masking.md says so");
}

#[tokio::test]
async fn settings_in_the_table_that_cannot_be_read_show_nothing_unmasked() {
    let (app, _) = with_secrets().await;
    let viewer = app.viewer("team-a").await;
    for settings in [
        json!({"patterns": [{"name": "x", "pattern": "("}]}),
        json!("nonsense"),
    ] {
        let item = json!({"pk": "SETTINGS#team-a", "sk": "MASKING", "settings": settings});
        app.write([crate::support::records::item(item)]).await;
        let answer = app.get(&viewer, "/flow-executions/run-1").await;
        assert_eq!(answer.problem(), (500, "INTERNAL".to_owned()));
    }
}
