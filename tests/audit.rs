//! The audit: its events, also after failures.

use serde_json::{Value, json};
use shared::auth::Role;
use shared::model::Timestamp;
use tracing::instrument::WithSubscriber;

use self::actions::{Audited, everything};
use crate::support::log::Log;
use crate::support::records::{execution, step, time};
use crate::support::{Answer, TestApp, token_id};

mod actions;
mod list;
mod outcomes;
mod reveal;

const AUDIT: &str = "/api/audit";

/// The records of every request in [`everything`].
async fn with_runs() -> TestApp {
    let app = TestApp::new().await;
    let of_flow = |id: &str, flow: &str| execution(id, json!({"flowId": flow}));
    app.write([
        execution("open", json!({"status": "RUNNING", "endTime": null})),
        execution("one", json!({})),
        of_flow("a", "flow-2"),
        of_flow("b", "flow-2"),
        of_flow("c", "flow-2"),
        of_flow("d", "flow-3"),
        of_flow("e", "flow-3"),
        execution("secret", json!({})),
        execution("pinned", json!({"pinnedAt": time(0)})),
        step(
            "secret",
            "login",
            100,
            json!({"input": {"password": "hunter2"}}),
        ),
        execution("plain", json!({})),
        step("plain", "sum", 100, json!({"input": {"total": 5}})),
    ])
    .await;
    app.remember_masking("team-a").await;
    app
}

/// Sends the request of an audited action.
async fn ask(app: &TestApp, token: &str, audited: &Audited) -> Answer {
    let body = match &audited.body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    app.call(audited.method.clone(), token, &audited.path, &body)
        .await
}

/// The events of the callers, newest first, without the events of the tests' own tokens.
async fn events(app: &TestApp, token: &str) -> Vec<Value> {
    let body = app.get(token, &format!("{AUDIT}?limit=500")).await.ok();
    let events = body["events"].as_array().expect("events").clone();
    let is_callers = |event: &Value| event["principal"] != "test";
    events.into_iter().filter(is_callers).collect()
}

#[tokio::test]
async fn each_event_has_the_caller_the_target_and_the_outcome() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let victim = app.token("team-a", Role::Operator, None).await;
    let before = Timestamp::now().to_string();
    let all = everything(token_id(&victim));
    for audited in &all {
        let answer = ask(&app, &admin, audited).await;
        assert!(
            answer.status.is_success(),
            "{}: {}",
            audited.action,
            answer.body
        );
    }
    let events = events(&app, &admin).await;
    assert_eq!(events.len(), all.len(), "{events:#?}");
    for (event, audited) in events.iter().rev().zip(&all) {
        let what = audited.action;
        assert_eq!(event["action"], what);
        assert_eq!(event["outcome"], "DONE", "{what}");
        assert_eq!(event["principal"], format!("token:{}", token_id(&admin)));
        assert_eq!(event["details"], audited.details, "{what}");
        match what {
            "TOKEN_CREATED" => assert_eq!(event["target"].as_str().map(str::len), Some(20)),
            _ => assert_eq!(event["target"], audited.target, "{what}"),
        }
        let time = event["time"].as_str().expect("a time");
        assert!((before.as_str()..=Timestamp::now().to_string().as_str()).contains(&time));
        assert!(event["requestId"].as_str().is_some_and(|id| id.len() == 36));
    }
}

#[tokio::test]
async fn a_refused_request_has_no_event() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let victim = app.token("team-a", Role::Operator, None).await;
    let viewer = app.viewer("team-a").await;
    let other = app.token("team-b", Role::Admin, None).await;
    let all = everything(token_id(&victim));
    for audited in &all {
        ask(&app, &admin, audited).await;
    }
    // The viewer has no permission, and the other team has no such runs.
    for audited in &all {
        ask(&app, &viewer, audited).await;
        ask(&app, &other, audited).await;
    }
    let body = app.get(&admin, &format!("{AUDIT}?limit=500")).await.ok();
    let events = body["events"].as_array().expect("events");
    let count_of = |token: &str| {
        let principal = format!("token:{}", token_id(token));
        let is_own = |event: &&Value| event["principal"] == principal;
        events.iter().filter(is_own).count()
    };
    assert_eq!(count_of(&admin), all.len());
    assert_eq!(count_of(&viewer), 0);
}

#[tokio::test]
async fn each_event_is_one_line_of_the_log() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let victim = app.token("team-a", Role::Operator, None).await;
    let log = Log::default();
    let all = everything(token_id(&victim));
    let work = async {
        for audited in &all {
            ask(&app, &admin, audited).await;
        }
    };
    work.with_subscriber(log.subscriber()).await;
    let lines = log.lines();
    let audit_lines: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "audit")
        .collect();
    let actions: Vec<_> = audit_lines
        .iter()
        .map(|line| line["action"].clone())
        .collect();
    let expected: Vec<_> = all.iter().map(|audited| json!(audited.action)).collect();
    assert_eq!(actions, expected);
    for line in &audit_lines {
        assert_eq!(line["outcome"], "DONE");
        assert_eq!(line["team_id"], "team-a");
        assert_eq!(line["principal"], format!("token:{}", token_id(&admin)));
        assert!(line["request_id"].is_string() && line["event_id"].is_string());
    }
    assert_has_no_secret(&lines, &[&admin, &victim]);
}

/// Checks that a log has neither the secrets of tokens nor the masked password.
fn assert_has_no_secret(lines: &[Value], tokens: &[&str]) {
    let text = format!("{lines:?}");
    for token in tokens {
        let secret = token.splitn(3, '_').nth(2).expect("a secret");
        assert!(!text.contains(secret));
    }
    assert!(!text.contains("hunter2"));
}

#[tokio::test]
async fn a_wrong_secret_is_logged_without_the_secret() {
    let app = with_runs().await;
    let victim = app.token("team-a", Role::Operator, None).await;
    let log = Log::default();
    let work = async {
        let wrong = format!("sdk_{}_{}", token_id(&victim), "S".repeat(43));
        assert_eq!(app.get(&wrong, "/api/roles").await.problem().0, 401);
    };
    work.with_subscriber(log.subscriber()).await;
    let lines = log.lines();
    let refused: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "authentication refused")
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["token_id"], token_id(&victim));
    assert_eq!(refused[0]["reason"], "wrong secret");
    assert_has_no_secret(&lines, &[&victim]);
    assert!(!format!("{lines:?}").contains("SSSS"));
}
