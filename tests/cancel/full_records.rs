//! Cancelling runs whose item is almost as large as DynamoDB allows.

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::Method;
use serde_json::json;
use shared::attributes::text;
use shared::auth::Role;
use shared::model::Item;

use super::{cancel, open, subflow};
use crate::support::TestApp;

/// A run whose item has room for only about 30 more bytes, because of an additional attribute.
fn nearly_full(mut run: Item, filler: fn(usize) -> AttributeValue) -> Item {
    const MARGIN: usize = 40;
    let sizes = run
        .iter()
        .map(|(name, value)| name.len() + value.as_s().map_or(0, String::len));
    let size: usize = sizes.sum();
    run.insert("filler".to_owned(), filler(409_600 - size - MARGIN));
    run
}

fn bytes(size: usize) -> AttributeValue {
    AttributeValue::B(vec![7; size].into())
}

fn words(size: usize) -> AttributeValue {
    text("é".repeat(size / 2))
}

fn nested_words(size: usize) -> AttributeValue {
    let place = AttributeValue::L(vec![text("short"), words(size)]);
    AttributeValue::M([("a.b".to_owned(), place)].into())
}

#[tokio::test]
async fn a_full_run_below_does_not_stop_the_cancel_of_others() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Operator, None).await;
    let others = (0..40).map(|number| subflow(&format!("sub-{number}"), "root"));
    app.write([open("root", json!({}))]).await;
    let full = nearly_full(subflow("full", "root"), bytes);
    app.store.put(full).await.expect("written");
    app.write(others).await;
    let reason = format!(r#"{{"reason": "{}"}}"#, "r".repeat(500));
    assert_eq!(cancel(&app, &token, "root", &reason).await.status, 200);
    for number in 0..40 {
        let item = app.item(&format!("sub-{number}")).await;
        assert_eq!(item["status"], "CANCELLED", "{number}");
    }
    let item = app.store.get_latest("EXEC#full", "EXECUTION").await;
    let full = item.expect("read").expect("there");
    assert_eq!(full["status"], text("RUNNING"));
    // The consumer of the stream continues too.
    app.reap().await;
}

#[tokio::test]
async fn texts_of_a_full_run_are_shortened_to_cancel_or_pin_it() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    for (id, filler) in [
        ("words", words as fn(usize) -> AttributeValue),
        ("nested", nested_words),
    ] {
        let full = nearly_full(open(id, json!({})), filler);
        app.store.put(full.clone()).await.expect("written");
        let reason = format!(r#"{{"reason": "{}"}}"#, "é".repeat(500));
        let answer = cancel(&app, &admin, id, &reason).await;
        assert_eq!(answer.status, 200, "{id}: {}", answer.body);
        let item = app.item(id).await;
        assert_eq!(item["status"], "CANCELLED", "{id}");
        assert_eq!(item["cancelReason"].as_str().map(str::len), Some(1_000));
        let filler = match id {
            "words" => &item["filler"],
            _ => &item["filler"]["a.b"][1],
        };
        let filler = filler.as_str().expect("a text");
        assert!(filler.starts_with("ééé"), "{id}");
        assert!(
            filler.ends_with("é … [cut off: the record was full]"),
            "{id}"
        );
        assert!(
            filler.len() > 400_000,
            "only a small part is cut off: {}",
            filler.len()
        );
        // An ended run without room for the attributes of a pin.
        let mut ended = full;
        ended.insert("status".to_owned(), text("FAILED"));
        app.store.put(ended).await.expect("written");
        let path = format!("/api/executions/{id}/pin");
        let answer = app.call(Method::PUT, &admin, &path, "").await;
        assert_eq!(answer.ok()["pinned"], true, "{id}");
        assert!(app.item(id).await["pinnedAt"].is_string(), "{id}");
    }
}

#[tokio::test]
async fn a_full_run_without_texts_to_shorten_is_not_cancelled() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let full = nearly_full(open("packed", json!({})), bytes);
    app.store.put(full).await.expect("written");
    let answer = cancel(&app, &admin, "packed", "").await;
    assert_eq!(answer.problem(), (409, "RECORD_FULL".to_owned()));
}
