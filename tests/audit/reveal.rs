//! The event of a response that shows secrets.

use serde_json::{Value, json};
use shared::auth::Role;

use super::{events, with_runs};
use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, payload, step};

/// The paths of a run, without its id.
const RUN_PATHS: [&str; 3] = [
    "/flow-executions",
    "/api/executions",
    "/api/history/executions",
];

const FORK: ForkKey<'_> = ForkKey {
    execution_id: "secret",
    id: "fork",
    offset: 200,
};

/// Adds a second step and a branch with secrets to the run `secret`.
async fn write_secret_branch(app: &TestApp) {
    let secret = json!({"output": {"apiKey": "hunter2"}});
    app.write([
        step("secret", "fork", 200, secret.clone()),
        branch_step(&FORK, "branch", "b", 210, secret),
    ])
    .await;
}

/// The path of the second page of the run `secret`.
async fn second_page(app: &TestApp, token: &str) -> String {
    let path = "/flow-executions/secret?limit=1";
    let first = app.get(token, path).await.ok();
    let next = first["data"]["nextToken"].as_str().expect("a token");
    format!("{path}&nextToken={next}")
}

#[tokio::test]
async fn a_response_without_secrets_has_no_event() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let operator = app.token("team-a", Role::Operator, None).await;
    app.write([payload("plain", "context", 0, json!({"value": {"a": [1]}}))])
        .await;
    for path in RUN_PATHS {
        app.get(&admin, &format!("{path}/plain")).await.ok();
        let masked = app.get(&operator, &format!("{path}/secret")).await;
        assert!(!masked.body.contains("hunter2"), "{path}");
    }
    assert_eq!(events(&app, &admin).await, [Value::Null; 0]);
}

#[tokio::test]
async fn a_response_with_secrets_has_an_event() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let mut shown = 0;
    for path in RUN_PATHS {
        let answer = app.get(&admin, &format!("{path}/secret")).await;
        let shows = answer.body.contains("hunter2");
        // The history API shows no input of a step.
        assert_eq!(shows, path != "/api/history/executions");
        shown += usize::from(shows);
        assert_eq!(events(&app, &admin).await.len(), shown, "{path}");
    }
    write_secret_branch(&app).await;
    let next = second_page(&app, &admin).await;
    for path in [next, FORK.branch_steps_path()] {
        let before = events(&app, &admin).await.len();
        assert!(app.get(&admin, &path).await.body.contains("hunter2"));
        assert_eq!(events(&app, &admin).await.len(), before + 1, "{path}");
    }
    for event in events(&app, &admin).await {
        assert_eq!(event["action"], "EXECUTION_REVEALED");
        assert_eq!(event["target"], "secret");
    }
}

#[tokio::test]
async fn reveal_false_masks_secrets_and_has_no_event() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    write_secret_branch(&app).await;
    let next = second_page(&app, &admin).await;
    let before = events(&app, &admin).await.len();
    for path in [
        "/flow-executions/secret".to_owned(),
        next,
        FORK.branch_steps_path(),
        "/api/executions/secret".to_owned(),
    ] {
        let joint = if path.contains('?') { '&' } else { '?' };
        let hidden = app.get(&admin, &format!("{path}{joint}reveal=false")).await;
        assert!(!hidden.body.contains("hunter2"), "{path}");
        let wrong = app.get(&admin, &format!("{path}{joint}reveal=maybe")).await;
        assert_eq!(
            wrong.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{path}"
        );
    }
    let after = events(&app, &admin).await.len();
    assert_eq!(after, before, "no secret was shown");
}
