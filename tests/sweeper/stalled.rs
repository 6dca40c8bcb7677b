//! Stalled runs, whose heartbeat is older than a rule of the team allows.

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::deadlines;
use shared::model::Timestamp;

use super::{MINUTE, deadlines_of, from_now, open};
use crate::support::records::execution;
use crate::support::{Answer, TestApp};

const STALLED: &str = "/api/settings/stalled";

async fn put(app: &TestApp, token: &str, rules: Value) -> Answer {
    let body = json!({"rules": rules}).to_string();
    app.call(Method::PUT, token, STALLED, &body).await
}

/// Runs of four flows with different rules and an old heartbeat, and three runs that cannot
/// stall. Returns the time of the heartbeat as well.
async fn with_silent_runs() -> (TestApp, String, String) {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let silent = from_now(-10 * MINUTE);
    let of_flow = |id: &str, flow: &str| {
        open(
            id,
            json!({"flowId": flow, "heartbeatAt": silent, "createdAt": from_now(-20 * MINUTE)}),
        )
    };
    let rules = json!([
        {"afterSeconds": 300},
        {"flowId": "patient", "afterSeconds": 3_600},
        {"flowId": "never", "afterSeconds": null},
        {"flowId": "closing", "afterSeconds": 60, "closeAfterSeconds": 500},
    ]);
    put(&app, &admin, rules).await.ok();
    app.write([
        of_flow("quiet", "flow-1"),
        of_flow("patient", "patient"),
        of_flow("never", "never"),
        of_flow("closing", "closing"),
        open("lively", json!({"heartbeatAt": from_now(0)})),
        open("mute", json!({})),
        execution("ended", json!({"heartbeatAt": silent})),
    ])
    .await;
    (app, admin, silent)
}

/// The value of `stalled` in the details of a run.
async fn stalled(app: &TestApp, token: &str, id: &str) -> Option<Value> {
    let path = format!("/flow-executions/{id}");
    let details = app.get(token, &path).await.ok();
    details["data"]["metadata"].get("stalled").cloned()
}

#[tokio::test]
async fn runs_without_a_heartbeat_are_shown_as_stalled_by_rule() {
    let (app, admin, _) = with_silent_runs().await;
    for (id, is_stalled) in [
        ("quiet", true),
        ("patient", false),
        ("never", false),
        ("closing", true),
        ("lively", false),
        ("mute", false),
        ("ended", false),
    ] {
        let expected = is_stalled.then_some(json!(true));
        assert_eq!(stalled(&app, &admin, id).await, expected, "{id}");
    }
    for (path, place) in [
        ("/flow-executions?flowDefinitionId=closing", "/data/items/0"),
        ("/api/executions/closing", ""),
        (
            "/api/executions/team/team-a?workflowId=closing",
            "/content/0",
        ),
        ("/api/executions?workflowId=closing", "/content/0"),
        ("/api/history/executions/closing", "/execution"),
        ("/api/history/executions?flowId=closing", "/executions/0"),
        ("/api/history/executions/flows/closing", "/executions/0"),
    ] {
        // A restarted server has not read the rules yet.
        let body = app.restarted().get(&admin, path).await.ok();
        assert_eq!(
            body.pointer(place).expect("a view")["stalled"],
            true,
            "{path}"
        );
    }
}

#[tokio::test]
async fn stalled_runs_are_closed_only_if_a_rule_says_so() {
    let (app, admin, silent) = with_silent_runs().await;
    app.reap().await;
    assert_eq!(
        deadlines_of(&app).await.len(),
        1,
        "one flow closes its runs"
    );
    let swept = app.sweep().await;
    assert_eq!((swept.looked_at, swept.stalled), (1, 1));
    let run = app.item("closing").await;
    assert_eq!(run["status"], "CANCELLED");
    let message = format!("The run stalled: no heartbeat since {silent}.");
    assert_eq!(run["errorMessage"], message.as_str());
    for id in ["quiet", "patient", "never", "lively", "mute"] {
        assert_eq!(app.item(id).await["status"], "RUNNING", "{id}");
    }
    assert_eq!(stalled(&app, &admin, "closing").await, None);
}

#[tokio::test]
async fn a_run_with_a_newer_heartbeat_is_checked_again_later() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    put(
        &app,
        &admin,
        json!([{"afterSeconds": 60, "closeAfterSeconds": 60}]),
    )
    .await
    .ok();
    let beat = |at: &str| open("run-1", json!({"heartbeatAt": at}));
    app.write([beat(&from_now(-10 * MINUTE))]).await;
    app.reap().await;
    let alive = from_now(-MINUTE / 2);
    app.write([beat(&alive)]).await;
    app.reap().await;
    assert_eq!(
        deadlines_of(&app).await.len(),
        1,
        "a heartbeat does not write a deadline"
    );
    let swept = app.sweep().await;
    assert_eq!((swept.looked_at, swept.stalled), (1, 0));
    let next: Timestamp = alive.parse().expect("a time");
    let next = Timestamp::from_milliseconds(next.milliseconds() + MINUTE).expect("in range");
    assert_eq!(deadlines_of(&app).await, [format!("{next}#run-1")]);
    assert_eq!(app.item("run-1").await["status"], "RUNNING");
    // No run is closed any more after the team removes its rule.
    put(&app, &admin, json!([{"afterSeconds": 60}])).await.ok();
    app.write([beat(&from_now(-10 * MINUTE))]).await;
    deadlines::enter_all(&app.store, None)
        .await
        .expect("entered");
    assert_eq!(app.sweep().await.stalled, 0);
    assert_eq!(app.item("run-1").await["status"], "RUNNING");
}

#[tokio::test]
async fn invalid_rules_are_refused_with_their_position() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    for (rules, parameter) in [
        (json!([{"afterSeconds": 9}]), "rules[0].afterSeconds"),
        (
            json!([{"afterSeconds": 60}, {"flowId": "a", "afterSeconds": 2_592_001}]),
            "rules[1].afterSeconds",
        ),
        (
            json!([{"flowId": "a#b", "afterSeconds": 60}]),
            "rules[0].flowId",
        ),
        (
            json!([{"afterSeconds": 60, "closeAfterSeconds": 59}]),
            "rules[0].closeAfterSeconds",
        ),
        (
            json!([{"afterSeconds": null, "closeAfterSeconds": 60}]),
            "rules[0].closeAfterSeconds",
        ),
        (
            json!([{"flowId": "a", "afterSeconds": 60}, {"flowId": "a", "afterSeconds": 70}]),
            "rules[1]",
        ),
        (json!([{"flowId": "a"}]), "body"),
    ] {
        let answer = put(&app, &admin, rules.clone()).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{rules}"
        );
        assert_eq!(answer.json()["parameter"], parameter, "{rules}");
    }
    let rules =
        json!([{"afterSeconds": 60}, {"flowId": "a", "afterSeconds": 70, "closeAfterSeconds": 80}]);
    assert_eq!(put(&app, &admin, rules.clone()).await.ok()["rules"], rules);
    assert_eq!(app.get(&admin, STALLED).await.ok()["rules"], rules);
}
