//! Expired runs are hidden.

use axum::http::Method;
use serde_json::json;
use shared::auth::Role;
use shared::model::Timestamp;

use super::{FORK, run};
use crate::support::TestApp;
use crate::support::records::{branch_step_path, execution, step_path};

/// The details of `run-1` in every API.
fn details() -> [String; 6] {
    [
        "/flow-executions/run-1".to_owned(),
        FORK.branch_steps_path(),
        step_path("run-1", "fork", 100),
        branch_step_path(&FORK, "branch", "inner", 110),
        "/api/executions/run-1".to_owned(),
        "/api/history/executions/run-1".to_owned(),
    ]
}

/// Lists and exports that contain `run-1`.
const LISTS: &[&str] = &[
    "/flow-executions?flowDefinitionId=flow-1",
    "/flow-executions?flowDefinitionId=flow-1&status=FAILED",
    "/flow-executions?flowDefinitionId=flow-1&label=orderId=42",
    "/api/executions/team/team-a",
    "/api/executions?workflowId=flow-1",
    "/api/executions/team/team-a/export?from=2026-02-01&format=json",
    "/api/executions/team/team-a/export?from=2026-02-01&format=csv",
    "/api/history/executions?includeSteps=true",
    "/api/history/executions?deviceId=device-1",
    "/api/history/executions/flows/flow-1",
];

#[tokio::test]
async fn expired_runs_are_hidden_from_every_endpoint() {
    // The steps have no expiry yet. The run's expiry hides them.
    for expires_at in [Timestamp::now().seconds() - 1, 1] {
        let app = TestApp::new().await;
        let admin = app.token("team-a", Role::Admin, None).await;
        let attributes = json!({
            "errorMessage": "SECRET", "labels": {"orderId": "42"}, "deviceId": "device-1",
            "status": "FAILED",
        });
        let expired_child = json!({
            "executionType": "SUBFLOW", "parentExecutionId": "run-1", "errorMessage": "SECRET",
            "expiresAt": expires_at,
        });
        app.write(run(attributes.clone())).await;
        app.write([execution("sub", expired_child)]).await;
        app.count().await;
        assert_run_is_shown(&app, &admin).await;

        let mut expired = attributes;
        expired["expiresAt"] = json!(expires_at);
        app.write([execution("run-1", expired)]).await;
        app.count().await;
        assert_run_is_hidden(&app, &admin).await;
    }
}

async fn assert_run_is_shown(app: &TestApp, token: &str) {
    for path in &details() {
        app.get(token, path).await.ok();
    }
    for path in LISTS {
        let answer = app.get(token, path).await;
        assert!(
            answer.status == 200 && answer.body.contains("run-1"),
            "{path}: {}",
            answer.body
        );
    }
}

async fn assert_run_is_hidden(app: &TestApp, token: &str) {
    for path in &details() {
        let answer = app.get(token, path).await;
        assert_eq!(
            answer.problem(),
            (404, "EXECUTION_NOT_FOUND".to_owned()),
            "{path}"
        );
    }
    for path in LISTS {
        let answer = app.get(token, path).await;
        assert_eq!(answer.status, 200, "{path}");
        for word in ["run-1", "SECRET", "inner"] {
            assert!(!answer.body.contains(word), "{path}: {}", answer.body);
        }
    }
    let cancel = app
        .call(Method::POST, token, "/api/executions/run-1/cancel", "")
        .await;
    assert_eq!(cancel.problem().0, 404);
}
