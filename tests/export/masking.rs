//! The masking of exported texts.

use axum::http::Method;
use serde_json::json;
use shared::auth::Role;

use super::{ALL, COLUMNS, operator, rows, rows_of_json};
use crate::support::TestApp;
use crate::support::records::{execution, step};

#[tokio::test]
async fn free_texts_are_masked_and_ids_are_not() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let text = "of anna@example.com";
    app.write([
        execution(
            "anna@example.com",
            json!({
                "flowName": text, "trigger": text, "flowId": "bob@example.com",
                "usage": [{"model": text, "inputTokens": 1, "outputTokens": 2}],
            }),
        ),
        step(
            "anna@example.com",
            "step",
            0,
            json!({
                "stepName": text, "stepType": text, "errorMessage": text,
                "stepId": "carl@example.com",
            }),
        ),
    ])
    .await;
    let csv = app.get(&token, ALL).await;
    let json = app.get(&token, &format!("{ALL}&format=json")).await.ok();
    assert_eq!(json[0]["usage"][0]["model"], "of [REDACTED:email]");
    for rows in [rows(&csv.body), rows_of_json(&json)] {
        for (column, cell) in COLUMNS.iter().zip(&rows[0]) {
            match *column {
                "workflow_name" | "trigger" | "node_name" | "node_type" | "node_error" => {
                    assert_eq!(cell, "of [REDACTED:email]", "{column}");
                }
                "execution_id" => assert_eq!(cell, "anna@example.com"),
                "workflow_id" => assert_eq!(cell, "bob@example.com"),
                "node_id" => assert_eq!(cell, "carl@example.com"),
                _ => assert!(!cell.contains("REDACTED"), "{column}"),
            }
        }
    }
}

#[tokio::test]
async fn the_patterns_of_a_team_are_masked() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let settings = json!({"patterns": [{"name": "customer", "pattern": "C-[0-9]+"}]});
    let path = "/api/settings/masking";
    app.call(Method::PUT, &token, path, &settings.to_string())
        .await
        .ok();
    app.write([execution("run-1", json!({"flowName": "For C-42"}))])
        .await;
    let csv = app.get(&token, ALL).await;
    assert_eq!(rows(&csv.body)[0][2], "For [REDACTED:customer]");
}

#[tokio::test]
async fn the_allowed_texts_of_a_team_are_exported() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let attributes = json!({"flowName": "KD-12345678 of anna@example.com at 93.184.216.34"});
    app.write([execution("run-1", attributes)]).await;
    let name = async || {
        let json = app.get(&token, &format!("{ALL}&format=json")).await.ok();
        json[0]["workflowName"].as_str().expect("a name").to_owned()
    };
    let builtin = "KD-12345678 of [REDACTED:email] at [REDACTED:ip-address]";
    assert_eq!(name().await, builtin);
    let settings = json!({
        "patterns": [{"name": "customer", "pattern": "KD-[0-9]{8}"}],
        "allowedPatterns": [".*@example\\.com"],
        "allowedRules": ["ip-address"],
    });
    let path = "/api/settings/masking";
    let settings = settings.to_string();
    app.call(Method::PUT, &token, path, &settings).await.ok();
    let own = "[REDACTED:customer] of anna@example.com at 93.184.216.34";
    assert_eq!(name().await, own);
}
