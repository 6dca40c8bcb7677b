//! The list of events.

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::Method;
use serde_json::{Value, json};
use shared::audit::KEPT_SECONDS;
use shared::auth::Role;
use shared::model::Timestamp;
use shared::store::Range;

use super::{AUDIT, with_runs};
use crate::support::{TestApp, token_id};

/// Creates 60 tokens and revokes every fourth, which makes 76 events with the admin's token.
async fn create_events(app: &TestApp, admin: &str) {
    for number in 0..60 {
        let role = if number % 3 == 0 {
            "viewer"
        } else {
            "operator"
        };
        let body = json!({"role": role}).to_string();
        let created = app.call(Method::POST, admin, "/api/tokens", &body).await;
        let id = created.json()["token"]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        if number % 4 == 0 {
            app.delete(admin, &format!("/api/tokens/{id}")).await.ok();
        }
    }
}

/// All events of a query, read page by page.
async fn events_of_pages(app: &TestApp, token: &str, query: &str) -> Vec<Value> {
    let (mut found, mut next) = (Vec::new(), String::new());
    loop {
        let page = app.get(token, &format!("{AUDIT}?{query}{next}")).await.ok();
        found.extend(page["events"].as_array().expect("events").clone());
        let Some(token) = page["nextToken"].as_str() else {
            return found;
        };
        next = format!("&nextToken={token}");
    }
}

type Keep<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

#[tokio::test]
async fn pages_of_any_size_and_filter_have_all_events() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    create_events(&app, &admin).await;
    let whole = app.get(&admin, &format!("{AUDIT}?limit=500")).await.ok();
    let whole = whole["events"].as_array().expect("events").clone();
    assert_eq!(whole.len(), 1 + 60 + 15);
    let times: Vec<_> = whole.iter().map(|event| event["time"].as_str()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first");
    let middle = whole[30]["time"].as_str().expect("a time").to_owned();
    let target = whole[7]["target"].as_str().expect("an id").to_owned();
    let principal = format!("token:{}", token_id(&admin));
    let filters: Vec<(String, Keep<'_>)> = vec![
        (String::new(), Box::new(|_| true)),
        (
            "&action=TOKEN_REVOKED".to_owned(),
            Box::new(|event| event["action"] == "TOKEN_REVOKED"),
        ),
        (
            format!("&principal={principal}&action=TOKEN_CREATED"),
            Box::new(|event| event["principal"] == principal && event["action"] == "TOKEN_CREATED"),
        ),
        (
            format!("&target={target}"),
            Box::new(|event| event["target"] == target),
        ),
        (
            format!("&from={middle}"),
            Box::new(|event| event["time"].as_str() >= Some(&middle)),
        ),
        (
            format!("&to={middle}"),
            Box::new(|event| event["time"].as_str() <= Some(&middle)),
        ),
    ];
    for (query, keep) in &filters {
        let expected: Vec<_> = whole.iter().filter(|event| keep(event)).collect();
        assert!(!expected.is_empty(), "{query}");
        for limit in [1, 7, 500] {
            let found = events_of_pages(&app, &admin, &format!("limit={limit}{query}")).await;
            let found: Vec<_> = found.iter().collect();
            assert_eq!(found, expected, "{query} {limit}");
        }
    }
}

#[tokio::test]
async fn each_team_has_its_own_audit() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let other = app.token("team-b", Role::Admin, None).await;
    create_events(&app, &admin).await;
    let others = app.get(&other, AUDIT).await.ok();
    let others = others["events"].as_array().expect("events").clone();
    assert_eq!(others.len(), 1);
    assert_eq!(others[0]["target"], token_id(&other));
}

#[tokio::test]
async fn an_invalid_filter_is_refused() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    for wrong in [
        "action=DELETED",
        "from=2026-03-01&to=2026-02-01",
        "limit=0",
        "principal=",
    ] {
        let answer = app.get(&admin, &format!("{AUDIT}?{wrong}")).await;
        assert_eq!(
            answer.problem(),
            (400, "INVALID_PARAMETER".to_owned()),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn an_event_is_kept_for_90_days() {
    let app = with_runs().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let range = Range::of_partition("AUDIT#team-a".to_owned(), " ", None);
    let events = app.store.all(&range).await.expect("events");
    let [event] = &events[..] else {
        panic!("expected one event, got {events:?}");
    };
    let end = event["expiresAt"].as_n().expect("a number").parse::<i64>();
    let in_90_days = Timestamp::now().seconds() + KEPT_SECONDS;
    assert_eq!(KEPT_SECONDS, 90 * 86_400);
    assert!((in_90_days - 60..=in_90_days).contains(&end.expect("a number")));
    // An expired event is hidden even before it is removed.
    let mut expired = event.clone();
    let past = Timestamp::now().seconds() - 1;
    expired.insert("expiresAt".to_owned(), AttributeValue::N(past.to_string()));
    app.write([expired]).await;
    let body = app.get(&admin, AUDIT).await.ok();
    assert_eq!(body["events"], json!([]));
}
