//! The outcome in an event when the table fails, the process ends, or another caller was
//! faster.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::model::Item;

use super::actions::everything;
use super::{AUDIT, ask, events, with_runs};
use crate::support::faults::{Fault, Faulty};
use crate::support::records::execution;
use crate::support::{Answer, TestApp, token_id};

#[tokio::test]
async fn without_an_event_nothing_is_changed_or_shown() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let victim = app.token("team-a", Role::Operator, None).await;
    let operations = &["PutItem", "TransactWriteItems"];
    let (faults, client) = Faulty::client(app.store.client(), operations);
    let broken = app.over(client);
    // This records the token's use and reads the team's masking settings in advance.
    broken.get(&admin, "/flow-executions/plain").await.ok();
    let before = items(&app).await;
    for audited in everything(token_id(&victim)) {
        faults.plan([Fault::Unsent]);
        let answer = ask(&broken, &admin, &audited).await;
        let what = audited.action;
        assert_eq!(answer.problem(), (503, "UNAVAILABLE".to_owned()), "{what}");
        assert!(!answer.body.contains("hunter2"), "{what}");
        assert_eq!(items(&app).await, before, "{what}");
    }
}

/// The write that performs an action, after the write of its event.
fn writes_of(action: &str) -> &'static [&'static str] {
    match action {
        "EXECUTION_CANCELLED" => &["UpdateItem"],
        _ => &["TransactWriteItems"],
    }
}

/// The actions whose event is written before the change and completed after it.
const UPDATED_ACTIONS: [&str; 3] = [
    "EXECUTION_CANCELLED",
    "EXECUTION_DELETED",
    "FLOW_EXECUTIONS_DELETED",
];

/// Performs an action with a fault at its own write. Returns the answer, unless the process
/// crashes, and the event.
async fn fail_at_its_write(action: &str, fault: Fault) -> (Option<Answer>, Value) {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let (faults, client) = Faulty::client(app.store.client(), writes_of(action));
    let broken = app.over(client);
    broken.get(&admin, "/flow-executions/plain").await.ok();
    faults.plan([fault]);
    let all = everything("0");
    let audited = all.iter().find(|audited| audited.action == action);
    let answer = tokio::select! {
        answer = ask(&broken, &admin, audited.expect("audited")) => Some(answer),
        () = faults.crash() => None,
    };
    let events = events(&app, &admin).await;
    assert_eq!(events.len(), 1, "{action}");
    (answer, events[0].clone())
}

/// A write whose answer is lost may have been performed, so the event does not say that it
/// failed.
#[tokio::test]
async fn a_failure_after_the_event_leaves_it_as_started() {
    for action in UPDATED_ACTIONS {
        for fault in [Fault::Unsent, Fault::Unanswered] {
            let (answer, event) = fail_at_its_write(action, fault).await;
            let problem = answer.expect("an answer").problem();
            assert_eq!(problem, (503, "UNAVAILABLE".to_owned()), "{action}");
            assert_eq!(event["outcome"], "STARTED", "{action}");
            assert_eq!(event["details"]["error"], "the table cannot be reached");
        }
    }
}

#[tokio::test]
async fn a_crash_after_the_event_leaves_it_as_started() {
    for action in UPDATED_ACTIONS {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let (answer, event) = fail_at_its_write(action, fault).await;
            assert!(answer.is_none(), "{action}");
            assert_eq!(event["outcome"], "STARTED", "{action}");
        }
    }
}

fn export_request(token: &str) -> Request<Body> {
    Request::get("/api/executions/team/team-a/export?from=2026-02-01")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .expect("a request")
}

#[tokio::test]
async fn an_export_that_fails_has_the_error_in_its_event() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let (faults, client) = Faulty::client(app.store.client(), &[]);
    let broken = app.over(client);
    broken.get(&admin, "/api/roles").await.ok();
    // The runs are read, but not their steps.
    faults.break_after_queries(1);
    let answer = broken.open(export_request(&admin)).await;
    let body = http_body_util::BodyExt::collect(answer.into_body()).await;
    assert!(body.is_err(), "cut off");
    let events = events(&app, &admin).await;
    assert_eq!(events[0]["action"], "EXECUTIONS_EXPORTED");
    assert_eq!(events[0]["outcome"], "STARTED");
    assert_eq!(events[0]["details"]["error"], "the table cannot be reached");
}

#[tokio::test]
async fn an_export_without_a_reader_is_audited_as_started() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    drop(app.open(export_request(&admin)).await);
    let body = app.get(&admin, &format!("{AUDIT}?limit=1")).await.ok();
    assert_eq!(body["events"][0]["action"], "EXECUTIONS_EXPORTED");
    assert_eq!(body["events"][0]["outcome"], "STARTED");
}

#[tokio::test]
async fn a_cancel_after_the_end_is_audited_as_failed() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let (faults, client) = Faulty::client(app.store.client(), &["PutItem"]);
    let broken = app.over(client);
    broken.get(&admin, "/api/roles").await.ok();
    let all = everything("0");
    // The engine ends the run between the read and the write of the cancel.
    let ended = execution("open", json!({"status": "FAILED"}));
    faults.plan([Fault::Interrupted]);
    let (answer, ()) = tokio::join!(ask(&broken, &admin, &all[0]), async {
        faults.crash().await;
        app.write([ended]).await;
        faults.go_on();
    });
    assert_eq!(
        answer.problem(),
        (409, "EXECUTION_NOT_CANCELLABLE".to_owned())
    );
    // A cancel of a run that has already ended has no event.
    let answer = ask(&app, &admin, &all[0]).await;
    assert_eq!(answer.problem().0, 409);
    let events = events(&app, &admin).await;
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0]["outcome"], "FAILED");
    assert_eq!(events[0]["details"]["status"], "FAILED");
}

#[tokio::test]
async fn a_cancel_of_runs_below_a_cancelled_run_is_audited() {
    let app = with_runs().await;
    let first = app.token("team-a", Role::Admin, None).await;
    let second = app.token("team-a", Role::Operator, None).await;
    let all = everything("0");
    ask(&app, &first, &all[0]).await;
    let below = json!({"status": "RUNNING", "endTime": null, "parentExecutionId": "open"});
    app.write([execution("below", below)]).await;
    let answer = ask(&app, &second, &all[0]).await;
    assert_eq!(answer.problem().0, 409);
    let by = format!("token:{}", token_id(&second));
    assert_eq!(app.item("below").await["cancelledBy"], by);
    let events = events(&app, &first).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["principal"], by);
    assert_eq!(events[0]["outcome"], "FAILED");
    assert_eq!(events[0]["details"]["status"], "CANCELLED");
}

/// All items of the table, as sorted texts.
async fn items(app: &TestApp) -> Vec<String> {
    let scan = app.store.client().scan().table_name(app.store.table());
    let items = scan.send().await.expect("a scan").items.unwrap_or_default();
    let text = |item: Item| {
        let mut members: Vec<_> = item.into_iter().collect();
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        format!("{members:?}")
    };
    let mut items: Vec<_> = items.into_iter().map(text).collect();
    items.sort();
    items
}
