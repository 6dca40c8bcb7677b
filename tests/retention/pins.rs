//! Pins, which keep a run from expiring.

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::change::Change;
use shared::model::{Item, Timestamp};
use shared::run_changes::Reaper;

use super::{DAY, END, expiries, run, ten_year_expiry, ten_years, with_rules};
use crate::support::faults::{Fault, Faulty};
use crate::support::records::{execution, time};
use crate::support::{Answer, TestApp};

/// The change of an item, as the consumer receives it.
pub fn change(number: usize, old: &Item, new: &Item) -> Change {
    Change::new(number.to_string(), Some(old.clone()), Some(new.clone()))
}

async fn pin(app: &TestApp, token: &str, method: Method, id: &str) -> Answer {
    app.call(method, token, &format!("/api/executions/{id}/pin"), "")
        .await
}

/// The places in answers that show `run-1`.
const VIEWS: &[(&str, &str)] = &[
    ("/flow-executions/run-1", "/data/metadata"),
    ("/flow-executions?flowDefinitionId=flow-1", "/data/items/0"),
    (
        "/flow-executions?flowDefinitionId=flow-1&label=orderId=42",
        "/data/items/0",
    ),
    ("/api/executions/run-1", ""),
    ("/api/executions/team/team-a", "/content/0"),
    ("/api/history/executions/run-1", "/execution"),
    ("/api/history/executions", "/executions/0"),
    ("/api/history/executions/flows/flow-1", "/executions/0"),
];

/// Every API shows that the run is pinned, or does not mention it.
async fn assert_pinned_is(app: &TestApp, token: &str, expected: Option<&Value>) {
    for (path, place) in VIEWS {
        let body = app.get(token, path).await.ok();
        let view = body.pointer(place).expect("a view");
        assert_eq!(view.get("pinned"), expected, "{path}");
    }
}

/// A run whose records have an expiry, an admin and an operator.
async fn with_expiring_run() -> (TestApp, String, String) {
    let (app, admin) = with_rules(ten_years()).await;
    let operator = app.token("team-a", Role::Operator, None).await;
    app.write(run(json!({"labels": {"orderId": "42"}}))).await;
    app.reap().await;
    assert_eq!(expiries(&app).await, vec![ten_year_expiry(); 5]);
    (app, admin, operator)
}

#[tokio::test]
async fn a_pinned_run_does_not_expire_and_is_shown_as_pinned() {
    let (app, admin, operator) = with_expiring_run().await;
    let answer = pin(&app, &operator, Method::PUT, "run-1").await.ok();
    assert_eq!(
        (&answer["id"], &answer["pinned"]),
        (&json!("run-1"), &json!(true))
    );
    // The request itself removes the expiry, and the stream changes nothing more.
    assert_eq!(expiries(&app).await, vec![Value::Null; 5]);
    let again = pin(&app, &admin, Method::PUT, "run-1").await.ok();
    assert_eq!(again, answer, "the first pin stays");
    app.reap().await;
    app.count().await;
    assert_eq!(expiries(&app).await, vec![Value::Null; 5]);
    let details = app.get(&admin, "/flow-executions/run-1").await.ok();
    let metadata = &details["data"]["metadata"];
    assert_eq!(metadata["pinnedAt"], answer["pinnedAt"]);
    assert_eq!(metadata["pinnedBy"], answer["pinnedBy"]);
    assert_pinned_is(&app, &admin, Some(&json!(true))).await;
}

#[tokio::test]
async fn an_unpinned_run_expires_again() {
    let (app, admin, operator) = with_expiring_run().await;
    pin(&app, &operator, Method::PUT, "run-1").await.ok();
    app.reap().await;
    let answer = pin(&app, &operator, Method::DELETE, "run-1").await.ok();
    assert_eq!(
        answer,
        json!({"id": "run-1", "pinned": false, "pinnedAt": null, "pinnedBy": null})
    );
    app.reap().await;
    app.count().await;
    assert_eq!(expiries(&app).await, vec![ten_year_expiry(); 5]);
    assert_pinned_is(&app, &admin, None).await;
    let again = pin(&app, &operator, Method::DELETE, "run-1").await.ok();
    assert_eq!(again, answer);
    let audit = app.get(&admin, "/api/audit?target=run-1").await.ok();
    let events = audit["events"].as_array().expect("events").iter();
    let actions: Vec<_> = events.map(|event| &event["action"]).collect();
    assert_eq!(actions, ["EXECUTION_UNPINNED", "EXECUTION_PINNED"]);
}

#[tokio::test]
async fn an_unpinned_run_past_its_time_is_kept_for_a_day() {
    let (app, admin) = with_rules(json!([{"days": 1}])).await;
    app.write(run(json!({"pinnedAt": time(0), "pinnedBy": "user:anna"})))
        .await;
    app.reap().await;
    assert_eq!(expiries(&app).await, vec![Value::Null; 5]);
    let before = Timestamp::now().seconds();
    pin(&app, &admin, Method::DELETE, "run-1").await.ok();
    app.reap().await;
    let expiries = expiries(&app).await;
    let expiry = expiries[0].as_i64().expect("a second");
    assert!(
        (before + DAY..before + DAY + 120).contains(&expiry),
        "{expiry}"
    );
    assert_eq!(expiries, vec![json!(expiry); 5]);
    app.get(&admin, "/flow-executions/run-1").await.ok();
    pin(&app, &admin, Method::PUT, "run-1").await.ok();
}

#[tokio::test]
async fn only_ended_visible_runs_can_be_pinned() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let viewer = app.viewer("team-a").await;
    let past = Timestamp::now().seconds() - 1;
    app.write([
        execution("open", json!({"status": "RUNNING"})),
        execution("odd", json!({"status": "DONE"})),
        execution("expired", json!({"expiresAt": past})),
        execution("theirs", json!({"teamId": "team-b"})),
        execution("mine", json!({"expiresAt": "soon"})),
    ])
    .await;
    for (token, id, status, code) in [
        (&admin, "open", 409, "EXECUTION_NOT_ENDED"),
        (&admin, "odd", 409, "EXECUTION_NOT_ENDED"),
        (&admin, "expired", 404, "EXECUTION_NOT_FOUND"),
        (&admin, "theirs", 404, "EXECUTION_NOT_FOUND"),
        (&admin, "none", 404, "EXECUTION_NOT_FOUND"),
        (&viewer, "mine", 403, "FORBIDDEN"),
    ] {
        let answer = pin(&app, token, Method::PUT, id).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{id}");
    }
    // An expiry that is not a number has no effect, and does not prevent a pin.
    pin(&app, &admin, Method::PUT, "mine").await.ok();
    assert_eq!(app.item("mine").await.get("expiresAt"), None);
}

#[tokio::test]
async fn a_pin_wins_over_a_consumer_that_sets_the_expiry() {
    for stamped in 0..4 {
        let (app, admin) = with_rules(ten_years()).await;
        let mut limited = run(json!({"expiresAt": END + 3_649 * DAY}));
        app.write(limited.clone()).await;
        let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem"]);
        let slow = Reaper::new(app.over(client).store_as_served());
        // One of the consumer's writes is delayed until the run is pinned.
        let before = std::iter::repeat_n(Fault::None, stamped);
        faulty.plan(before.chain([Fault::Delayed]));
        let ended = execution("run-1", json!({}));
        let changes = [change(1, &ended, &limited.swap_remove(0))];
        let follow = slow.follow(&changes);
        let pinned = async {
            faulty.crash().await;
            pin(&app, &admin, Method::PUT, "run-1").await.ok();
            faulty.go_on();
        };
        let (followed, ()) = tokio::join!(follow, pinned);
        followed.expect("followed");
        assert_eq!(expiries(&app).await, vec![Value::Null; 5], "{stamped}");
        app.reap().await;
        assert_eq!(expiries(&app).await, vec![Value::Null; 5], "{stamped}");
    }
}
