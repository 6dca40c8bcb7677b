//! Reading histories: pages, sizes, delays, and damaged or missing events.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::step_functions::{ImportError, Imported};

use super::{Bridge, Sample};
use crate::support::records::START;
use crate::support::step_functions::Answer;

#[tokio::test]
async fn the_page_size_does_not_change_the_records() {
    let (bridge, sample) = Bridge::with("nested-failure").await;
    let expected = bridge.items(&sample.arn).await;
    for events in [1, 2, 7] {
        let bridge = Bridge::new().await;
        bridge.set_history(&sample);
        bridge.step_functions.limit_page(events);
        bridge.follow(sample.last()).await.expect("imported");
        assert_eq!(bridge.items(&sample.arn).await, expected);
        let requests = bridge.step_functions.requests();
        assert_eq!(requests.len(), sample.history.len().div_ceil(events));
        assert_eq!(requests[0]["maxResults"], 1_000);
    }
}

#[tokio::test]
async fn a_started_run_is_written_without_reading_its_history() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("success");
    bridge.follow(&sample.events[0]).await.expect("imported");
    let metadata = bridge.details(&sample.arn).await["metadata"].take();
    assert_eq!(metadata["status"], "RUNNING");
    assert_eq!(metadata["startTime"], "2026-02-17T10:30:00.000Z");
    assert_eq!(bridge.step_functions.requests(), [] as [Value; 0]);
    let execution = bridge.get(&format!("/api/executions/{}", sample.arn)).await;
    assert_eq!(execution["inputData"]["orderId"], "42");
}

#[tokio::test]
async fn input_too_large_for_an_event_is_read_from_the_history() {
    let bridge = Bridge::new().await;
    let mut sample = Sample::of("success");
    let large = json!({"orderId": "42", "note": "x".repeat(262_000)}).to_string();
    for event in &mut sample.events {
        event["detail"]["input"] = Value::Null;
        event["detail"]["inputDetails"]["included"] = json!(false);
    }
    sample.history[0]["executionStartedEventDetails"]["input"] = json!(large);
    sample.history[1]["stateEnteredEventDetails"]["input"] = json!(large);
    // Values that Step Functions has truncated are not JSON any more.
    sample.history[4]["lambdaFunctionSucceededEventDetails"]["output"] = json!("{\"orderI");
    sample.history[5]["stateExitedEventDetails"]["output"] = json!("{\"orderI");
    sample.history[5]["stateExitedEventDetails"]["outputDetails"]["truncated"] = json!(true);
    bridge.set_history(&sample);
    let input: Value = serde_json::from_str(&large).expect("JSON");
    for event in &sample.events {
        bridge.follow(event).await.expect("imported");
        let execution = bridge.get(&format!("/api/executions/{}", sample.arn)).await;
        assert_eq!(execution["inputData"], input);
    }
    let requests = bridge.step_functions.requests();
    assert_eq!(requests[0]["maxResults"], 1, "the first event alone");
    let step = bridge.details(&sample.arn).await["steps"][0].take();
    assert_eq!(step["input"], input);
    assert_eq!(step["output"], "{\"orderI");
    assert_eq!(step["executionData"]["outputTruncated"], true);
    let items = bridge.items(&sample.arn).await;
    assert!(items.contains_key("PAYLOAD#step:00002-Validate-order:input#0000"));
}

#[tokio::test]
async fn a_history_of_25_000_events_is_read_in_25_requests() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("map");
    let events = history_with_iterations(&sample.history, 6_200);
    let pages = events.len().div_ceil(1_000);
    bridge.step_functions.set_history(&sample.arn, events);
    let imported = bridge.follow(sample.last()).await.expect("imported");
    assert_eq!(imported, Imported::Written(6_201));
    assert_eq!(bridge.step_functions.requests().len(), pages);
    assert_eq!(pages, 25);
    let execution = bridge.app.item(&sample.arn).await;
    let summary = json!({"total": 6_201, "passed": 6_201, "failed": 0});
    assert_eq!(execution["stepSummary"], summary);
    let branches: BTreeSet<String> = bridge
        .items(&sample.arn)
        .await
        .values()
        .filter_map(|item| item.get("branchExecutionId")?.as_s().ok().cloned())
        .collect();
    assert_eq!(branches.len(), 6_200);
}

/// The history of the sample `map`, whose map has this many iterations of one state.
fn history_with_iterations(history: &[Value], iterations: i64) -> Vec<Value> {
    let mut events = history[..3].to_vec();
    for index in 0..iterations {
        let id = 4 + 4 * index;
        let iteration = json!({"name": "Each invoice", "index": index});
        let state = json!({"name": "Read", "input": "7", "output": "[7]"});
        let event = |number: i64, kind: &str, details: &str, value: &Value| {
            let previous = if number == 0 { 3 } else { id + number - 1 };
            json!({
                "timestamp": START as f64 / 1_000.0 + index as f64 / 100.0, "type": kind,
                "id": id + number, "previousEventId": previous, details: value,
            })
        };
        let started = "mapIterationStartedEventDetails";
        let succeeded = "mapIterationSucceededEventDetails";
        events.extend([
            event(0, "MapIterationStarted", started, &iteration),
            event(1, "PassStateEntered", "stateEnteredEventDetails", &state),
            event(2, "PassStateExited", "stateExitedEventDetails", &state),
            event(3, "MapIterationSucceeded", succeeded, &iteration),
        ]);
    }
    let last = events.len() as i64;
    let end = &history[history.len() - 3..];
    for (number, event) in (0..).zip(end) {
        let mut event = event.clone();
        event["id"] = json!(last + 1 + number);
        event["previousEventId"] = json!(last + number);
        events.push(event);
    }
    events
}

#[tokio::test]
async fn refused_requests_are_retried_and_then_the_event_is() {
    let throttled = || Answer::Refused(400, "ThrottlingException");
    let broken = || Answer::Refused(500, "InternalServerException");
    for (refusals, succeeds) in [
        (vec![throttled(), throttled()], true),
        (vec![broken()], true),
        (vec![throttled(), broken(), throttled(), broken()], false),
        (vec![Answer::Refused(400, "AccessDeniedException")], false),
    ] {
        let bridge = Bridge::new().await;
        let sample = Sample::of("success");
        bridge.set_history(&sample);
        bridge.follow(&sample.events[0]).await.expect("imported");
        bridge.step_functions.plan(refusals.clone());
        let imported = bridge.follow(sample.last()).await;
        assert_eq!(imported.is_ok(), succeeds, "{refusals:?} {imported:?}");
        let status = |status: &str| (json!(status), refusals.len());
        let found = bridge.app.item(&sample.arn).await["status"].take();
        let expected = if succeeds { "COMPLETED" } else { "RUNNING" };
        assert_eq!((found, refusals.len()), status(expected));
        bridge.follow(sample.last()).await.expect("imported");
        assert_eq!(bridge.app.item(&sample.arn).await["status"], "COMPLETED");
    }
}

#[tokio::test]
async fn an_incomplete_history_is_read_again() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("success");
    bridge.set_history(&sample);
    bridge.step_functions.plan([Answer::Behind(3)]);
    bridge.follow(sample.last()).await.expect("imported");
    assert_eq!(bridge.app.item(&sample.arn).await["status"], "COMPLETED");
    assert_eq!(bridge.outline(&sample.arn).await.len(), 5);

    let bridge = Bridge::new().await;
    bridge.set_history(&sample);
    bridge
        .step_functions
        .plan(std::iter::repeat_n(Answer::Behind(1), 9));
    let imported = bridge.follow(sample.last()).await;
    assert!(
        matches!(imported, Err(ImportError::Unfinished)),
        "{imported:?}"
    );
    assert_eq!(
        bridge.items(&sample.arn).await.len(),
        0,
        "nothing is written"
    );
    bridge.step_functions.plan([]);
    bridge.follow(sample.last()).await.expect("imported");
    assert_eq!(bridge.outline(&sample.arn).await.len(), 5);
}

#[tokio::test]
async fn an_execution_without_a_history_ends_without_steps() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("caught");
    for event in &sample.events {
        bridge.follow(event).await.expect("imported");
    }
    let details = bridge.details(&sample.arn).await;
    assert_eq!(details["metadata"]["status"], "FAILED");
    let message = "NotCharged: The card could not be charged.";
    assert_eq!(details["metadata"]["errorMessage"], message);
    assert_eq!(details["steps"], json!([]));
    assert_eq!(details["metadata"]["stepSummary"], Value::Null, "not known");
}

#[tokio::test]
async fn damaged_histories_keep_every_state() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("nested-failure");
    let states = |history: &[Value]| {
        let entered = |event: &&Value| event.get("stateEnteredEventDetails").is_some();
        history.iter().filter(entered).count()
    };
    let last = sample.history.len() - 1;
    for gap in 0..last {
        let mut history = sample.history.clone();
        history.remove(gap);
        let mut unknown = sample.history[gap].clone();
        unknown["type"] = json!("SomethingNew");
        unknown["id"] = json!(100_000);
        history.insert(gap, unknown);
        let entered = states(&history);
        bridge.step_functions.set_history(&sample.arn, history);
        let imported = bridge.follow(sample.last()).await.expect("imported");
        let written = [Imported::Written(entered), Imported::EndedBefore];
        assert!(written.contains(&imported), "{gap}: {imported:?}");
    }
    let mut cycles = sample.history.clone();
    for event in &mut cycles {
        event["previousEventId"] = json!(last as i64 + 1 - event["id"].as_i64().expect("an id"));
    }
    let other = Bridge::new().await;
    other
        .step_functions
        .set_history(&sample.arn, cycles.clone());
    let imported = other.follow(sample.last()).await.expect("imported");
    assert_eq!(imported, Imported::Written(states(&cycles)));
}
