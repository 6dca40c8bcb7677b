//! Retention: a team's rules, the expiry of ended runs and their records, and pins.

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::model::Item;

use crate::support::records::{ForkKey, START, branch_step, execution, payload, step};
use crate::support::{Answer, TestApp};

mod expiry;
mod hidden;
mod pins;

const PATH: &str = "/api/settings/retention";

const DAY: i64 = 24 * 3_600;

/// The second at which the tests' runs end.
const END: i64 = (START + 2_400) / 1_000;

const FORK: ForkKey<'static> = ForkKey {
    execution_id: "run-1",
    id: "fork",
    offset: 100,
};

async fn put(app: &TestApp, token: &str, rules: Value) -> Answer {
    let body = json!({"rules": rules}).to_string();
    app.call(Method::PUT, token, PATH, &body).await
}

/// An app whose team has these rules.
async fn with_rules(rules: Value) -> (TestApp, String) {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    put(&app, &admin, rules).await.ok();
    (app, admin)
}

/// Ten years less a day, so that the tests' runs, which ended in the past, have not expired.
fn ten_years() -> Value {
    json!([{"days": 3_649}])
}

fn ten_year_expiry() -> Value {
    json!(END + 3_649 * DAY)
}

/// A record of each kind that belongs to a run.
fn children(attributes: &Value) -> Vec<Item> {
    let with = |own: Value| {
        let mut own = own;
        let more = attributes.as_object().expect("attributes").clone();
        own.as_object_mut().expect("attributes").extend(more);
        own
    };
    vec![
        step("run-1", "fork", 100, with(json!({}))),
        branch_step(&FORK, "branch", "inner", 110, with(json!({}))),
        payload("run-1", "context", 0, with(json!({"value": {"a": 5}}))),
        payload("run-1", "step:fork:output", 0, with(json!({"value": 6}))),
    ]
}

/// A run with its records.
fn run(attributes: Value) -> Vec<Item> {
    let mut items = vec![execution("run-1", attributes)];
    items.extend(children(&json!({})));
    items
}

/// The `expiresAt` of each record of the run, in the order of their keys.
async fn expiries(app: &TestApp) -> Vec<Value> {
    let mut expiries = Vec::new();
    for sk in app.records_of("run-1").await {
        let item = app.store.get_latest("EXEC#run-1", &sk).await;
        let item: Value =
            serde_dynamo::from_item(item.expect("read").expect("there")).expect("JSON");
        expiries.push(item["expiresAt"].clone());
    }
    expiries
}

#[tokio::test]
async fn rules_are_stored_as_sent_for_one_team() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let other = app.token("team-b", Role::Admin, None).await;
    let none = json!({"success": true, "rules": [], "updatedAt": null, "updatedBy": null});
    assert_eq!(app.get(&admin, PATH).await.ok(), none);
    let rules = json!([
        {"days": 90},
        {"status": "COMPLETED", "days": 7},
        {"flowId": "flow-1", "days": 3_650},
        {"flowId": "flow-1", "status": "FAILED", "days": null},
    ]);
    let answer = put(&app, &admin, rules.clone()).await.ok();
    assert_eq!(answer["rules"], rules);
    assert_eq!(app.get(&admin, PATH).await.ok(), answer);
    assert_eq!(app.get(&other, PATH).await.ok(), none);

    let at = |updated_at: &Value| json!({"rules": [], "updatedAt": updated_at}).to_string();
    let late = app.call(Method::PUT, &admin, PATH, &at(&Value::Null)).await;
    assert_eq!(late.problem(), (409, "CONFLICT".to_owned()));
    let same = app
        .call(Method::PUT, &admin, PATH, &at(&answer["updatedAt"]))
        .await;
    assert_eq!(same.ok()["rules"], json!([]));
}

#[tokio::test]
async fn invalid_rules_are_refused_with_their_position() {
    let (app, admin) = with_rules(json!([{"days": 5}])).await;
    let too_many: Vec<_> = (0..1_001)
        .map(|n| json!({"flowId": format!("f{n}"), "days": 1}))
        .collect();
    for (rules, parameter) in [
        (json!([{"days": 0}]), "rules[0].days"),
        (
            json!([{"days": 1}, {"flowId": "a", "days": 3_651}]),
            "rules[1].days",
        ),
        (json!([{"flowId": "a#b", "days": 1}]), "rules[0].flowId"),
        (json!([{"status": "RUNNING", "days": 1}]), "rules[0].status"),
        (json!([{"days": 1}, {"days": null}]), "rules[1]"),
        (json!([{"flowId": "a"}]), "body"),
        (json!([{"days": 1, "flow": "a"}]), "body"),
        (json!([{"status": "SUCCESS", "days": 1}]), "body"),
        (json!(too_many), "rules"),
    ] {
        let answer = put(&app, &admin, rules.clone()).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{rules}"
        );
        assert_eq!(answer.json()["parameter"], parameter, "{rules}");
    }
    assert_eq!(
        app.get(&admin, PATH).await.ok()["rules"],
        json!([{"days": 5}])
    );
}
