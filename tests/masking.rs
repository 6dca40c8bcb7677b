//! Masking: a team's settings, and the payloads that readers see.

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::masking::masker_of;
use shared::settings::SETTINGS_REMEMBERED;
use shared::store::Store;

use crate::support::records::{ForkKey, branch_step, execution, payload, payload_parts, step};
use crate::support::{Answer, TestApp, is_embedded};

mod json_texts;
mod settings;

const PATH: &str = "/api/settings/masking";

const HIDDEN: &str = "[REDACTED:secret]";

async fn put(app: &TestApp, token: &str, settings: &str) -> Answer {
    app.call(Method::PUT, token, PATH, settings).await
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

/// A run with secrets in payloads of every form: native, JSON, in parts, compressed.
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

/// Every payload of the run, from each API.
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
async fn details_hide_secrets_without_the_permission_to_reveal() {
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
        // Pages with one step hide them as well.
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
async fn a_teams_names_are_hidden_and_allowed_names_are_shown() {
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
    // Another process uses the settings as soon as it reads them.
    let store = Store::new(app.store.client().clone(), app.store.table());
    let team = "team-a".parse().expect("a team");
    let masker = masker_of(&store, &team).await.expect("a masker");
    assert!(masker.secret_key("birthDate") && !masker.secret_key("password"));
    assert_eq!(
        SETTINGS_REMEMBERED.as_secs(),
        60,
        "docs/masking.md states it"
    );
}

/// The pattern is one letter, so three texts of 100 KB become 300,000 replacements. While two
/// exports create them, the same thread answers other requests.
#[tokio::test]
async fn slow_exports_of_a_team_delay_no_other_team() {
    // Another engine is too slow, next to other tests, to answer ten requests in this time.
    if !is_embedded() {
        return;
    }
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let other = app.viewer("team-b").await;
    let settings = json!({"patterns": [{"name": "letter", "pattern": "a"}]});
    put(&app, &admin, &settings.to_string()).await.ok();
    app.write([execution("run-1", json!({}))]).await;
    for number in 0..3 {
        let error = json!({"errorMessage": "a".repeat(100_000)});
        let id = format!("step-{number}");
        app.write([step("run-1", &id, number, error)]).await;
    }
    let path = "/api/executions/team/team-a/export?from=2026-02-01";
    let exports = async {
        let (first, second) = tokio::join!(app.get(&admin, path), app.get(&admin, path));
        [first, second]
    };
    let mut exports = Box::pin(exports);
    let list = "/flow-executions?flowDefinitionId=flow-1";
    let mut answers = 0;
    let exported = loop {
        tokio::select! {
            biased;
            exported = &mut exports => break exported,
            answer = app.get(&other, list) => {
                answer.ok();
                answers += 1;
            }
        }
    };
    for export in exported {
        assert_eq!(export.body.matches("[REDACTED:letter]").count(), 300_000);
    }
    assert!(answers >= 10, "{answers}");
}

#[tokio::test]
async fn exports_shorten_long_texts_and_say_so() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let error = format!("{}anna@example.com", "x ".repeat(100_000));
    let error = json!({"errorMessage": error});
    app.write([
        execution("run-1", json!({})),
        step("run-1", "step-1", 0, error),
    ])
    .await;
    let path = "/api/executions/team/team-a/export?from=2026-02-01";
    let export = app.get(&admin, &format!("{path}&format=json")).await.ok();
    let shown = export[0]["nodeExecutions"][0]["error"].as_str();
    let expected = format!("{}[REDACTED:68944-more-bytes]", "x ".repeat(1 << 16));
    assert!(
        shown == Some(expected.as_str()),
        "{}",
        shown.map_or(0, str::len)
    );
    let csv = app.get(&admin, path).await;
    assert!(csv.body.contains("[REDACTED:68944-more-bytes],,,\r\n"));
}
