//! Events: any order, repetition and crash, foreign and cancelled runs, and the Lambda binary.

use axum::http::Method;
use functions::step_functions::{TEAM_VARIABLE, import};
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use shared::attributes::text;
use shared::step_functions::change::StatusChange;
use shared::step_functions::{ImportError, Imported};

use super::{Bridge, FUNCTION, Sample};
use crate::lambda::{event, function};
use crate::support::faults::{Fault, Faulty};
use crate::support::records::execution;
use crate::support::runtime::Function;

#[tokio::test]
async fn runs_of_another_team_are_not_changed() {
    let (bridge, sample) = (Bridge::new().await, Sample::of("success"));
    bridge.set_history(&sample);
    let id = StatusChange::parse(&sample.last().to_string())
        .expect("a change")
        .execution_id()
        .to_string();
    let theirs = json!({"teamId": "team-b", "status": "RUNNING"});
    bridge.app.write([execution(&id, theirs)]).await;
    let before = bridge.items(&id).await;
    for event in &sample.events {
        let error = bridge.follow(event).await.expect_err("another team's");
        assert!(matches!(error, ImportError::OtherTeam(_)), "{error}");
    }
    assert_eq!(bridge.items(&id).await, before);
}

/// Every order of up to four events.
fn orders(events: usize) -> Vec<Vec<usize>> {
    if events == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(events - 1);
    let inserted = shorter.iter().flat_map(|order| {
        (0..events).map(|place| {
            let mut order = order.clone();
            order.insert(place, events - 1);
            order
        })
    });
    inserted.collect()
}

#[tokio::test]
async fn the_order_of_events_does_not_change_the_records() {
    for name in ["success", "nested-failure", "aborted", "redriven"] {
        let (bridge, sample) = Bridge::with(name).await;
        let ids = [sample.arn.clone(), format!("{}:redrive:1", sample.arn)];
        let expected = [bridge.items(&ids[0]).await, bridge.items(&ids[1]).await];
        for order in orders(sample.events.len()) {
            let bridge = Bridge::new().await;
            bridge.set_history(&sample);
            for event in order.iter().chain(&order) {
                bridge
                    .follow(&sample.events[*event])
                    .await
                    .expect("imported");
            }
            let found = [bridge.items(&ids[0]).await, bridge.items(&ids[1]).await];
            assert_eq!(found, expected, "{name} {order:?}");
        }
    }
}

#[tokio::test]
async fn a_repeated_event_completes_what_a_crash_interrupted() {
    let (complete, sample) = Bridge::with("nested-failure").await;
    let expected = complete.items(&sample.arn).await;
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        for event in 0..sample.events.len() {
            for write in 0..2 {
                let bridge = Bridge::new().await;
                bridge.set_history(&sample);
                for before in &sample.events[..event] {
                    bridge.follow(before).await.expect("imported");
                }
                let operations = &["BatchWriteItem", "PutItem"];
                let (faulty, client) = Faulty::client(bridge.app.store.client(), operations);
                faulty.plan(std::iter::repeat_n(Fault::None, write).chain([fault]));
                let importer = bridge.importer_over(&client);
                let change = StatusChange::parse(&sample.events[event].to_string());
                let change = change.expect("a change");
                tokio::select! {
                    _ = importer.follow(&change) => panic!("the importer must crash"),
                    () = faulty.crash() => {}
                }
                let status = bridge.items(&sample.arn).await;
                let has_ended = status
                    .get("EXECUTION")
                    .is_some_and(|run| run["status"] == text("FAILED"));
                let is_last = event == 1 && write == 1 && fault == Fault::CrashAfter;
                assert_eq!(has_ended, is_last, "the end is the last write");
                for again in &sample.events[event..] {
                    bridge.follow(again).await.expect("imported");
                }
                assert_eq!(
                    bridge.items(&sample.arn).await,
                    expected,
                    "{fault:?} {event} {write}"
                );
            }
        }
    }
}

#[tokio::test]
async fn unprocessed_items_are_written_again() {
    let (complete, sample) = Bridge::with("map").await;
    let bridge = Bridge::new().await;
    bridge.set_history(&sample);
    let (faulty, client) = Faulty::client(bridge.app.store.client(), &["BatchWriteItem"]);
    faulty.plan([Fault::Unprocessed, Fault::Throttled]);
    let change = StatusChange::parse(&sample.last().to_string()).expect("a change");
    let imported = bridge.importer_over(&client).follow(&change).await;
    assert_eq!(imported.expect("imported"), Imported::Written(7));
    let items = bridge.items(&sample.arn).await;
    assert_eq!(items, complete.items(&sample.arn).await);
}

#[tokio::test]
async fn a_cancelled_run_stays_cancelled_and_gets_its_steps() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("success");
    bridge.set_history(&sample);
    bridge.follow(&sample.events[0]).await.expect("imported");
    let path = format!("/api/executions/{}/cancel", sample.arn);
    let body = r#"{"reason": "twice"}"#;
    let cancelled = bridge
        .app
        .call(Method::POST, &bridge.token, &path, body)
        .await;
    assert!(cancelled.status.is_success(), "{}", cancelled.body);
    let imported = bridge.follow(sample.last()).await.expect("imported");
    assert_eq!(imported, Imported::EndedBefore);
    let details = bridge.details(&sample.arn).await;
    assert_eq!(details["metadata"]["status"], "CANCELLED");
    assert_eq!(details["metadata"]["cancelReason"], "twice");
    assert_eq!(details["steps"].as_array().map(Vec::len), Some(5));
    bridge.app.count().await;
    assert_eq!(bridge.app.verify().await.differences, []);
}

#[tokio::test]
async fn invalid_events_are_refused_and_write_nothing() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("success");
    let event_with = |name: &str, value: Value| {
        let mut event = sample.last().clone();
        event["detail"][name] = value;
        event
    };
    let mut without_detail = sample.last().clone();
    without_detail["detail"] = Value::Null;
    for event in [
        without_detail,
        event_with(
            "executionArn",
            json!("arn:aws:states:eu-west-1:1:execution:orders:"),
        ),
        event_with("executionArn", json!(7)),
        event_with("stateMachineArn", json!("orders")),
        event_with("startDate", json!(-1_000_000_000_000_000_i64)),
        event_with("startDate", Value::Null),
        event_with("redriveCount", json!(-1)),
    ] {
        let refused = bridge.follow(&event).await;
        assert!(
            matches!(refused, Err(ImportError::NotAChange(_))),
            "{event}"
        );
    }
    let context = || Context::default();
    for (body, is_ok) in [
        (
            json!({"source": "aws.ec2", "detail-type": "x"}).to_string(),
            true,
        ),
        ("not JSON".to_owned(), false),
        (String::new(), false),
        (sample.last()["detail"].to_string(), true),
    ] {
        let records = json!({"Records": [{"messageId": "1", "body": body}]});
        let messages = serde_json::from_value(records).expect("messages");
        let event = LambdaEvent::new(messages, context());
        let imported = import(&bridge.importer(), event).await;
        assert_eq!(imported.is_ok(), is_ok, "{body}");
    }
    assert_eq!(bridge.items(&sample.arn).await.len(), 0);
}

/// The binary, connected to the Step Functions endpoint of a bridge.
async fn binary(bridge: &Bridge, team: &str) -> Function {
    let variables = vec![
        (TEAM_VARIABLE, team.to_owned()),
        ("AWS_ENDPOINT_URL_SFN", bridge.step_functions.url.clone()),
    ];
    Function {
        variables,
        ..function(&bridge.app, FUNCTION).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lambda_binary_imports_starts_and_ends() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("success");
    bridge.set_history(&sample);
    let binary = binary(&bridge, "team-a").await;
    let mut event = event(FUNCTION);
    assert_eq!(binary.invoke(&event).await, b"null");
    let begun: Value = serde_json::from_str(event["Records"][0]["body"].as_str().expect("a text"))
        .expect("an event");
    let begun = begun["detail"]["executionArn"].as_str().expect("an ARN");
    assert_eq!(bridge.app.item(begun).await["status"], "RUNNING");

    event["Records"][0]["body"] = json!(sample.last().to_string());
    let (answer, lines) = binary.invoke_logged(&event).await;
    assert_eq!(answer, b"null");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_eq!(lines[0]["message"], "imported");
    assert_eq!(lines[0]["execution_arn"], sample.arn);
    assert_eq!(lines[0]["steps"], 5);
    assert!(
        lines[0]["capacity_units"]
            .as_f64()
            .is_some_and(|units| units > 0.0)
    );
    assert_eq!(bridge.app.item(&sample.arn).await["status"], "COMPLETED");

    event["Records"][0]["body"] = json!("not JSON");
    let (answer, lines) = binary.invoke_logged(&event).await;
    assert!(
        answer.starts_with(b"error: "),
        "the queue delivers the event again"
    );
    assert_eq!(lines[0]["message"], "not imported");
}
