//! Runs and steps: cancels, resumption, other teams, and refused values.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::http::Method;
use serde_json::json;
use shared::auth::Role;
use shared::model::Timestamp;
use writer::{Clock, Error, NewRun, NewStep, Options, Outcome, Status, Writer};

use super::{batching_writer, records, writer_of};
use crate::support::TestApp;
use crate::support::faults::Faulty;

#[tokio::test]
async fn heartbeats_and_ends_report_a_cancel() {
    let app = TestApp::new().await;
    let token = app.token("default", Role::Operator, None).await;
    let writer = writer_of(&app);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    assert_eq!(run.heartbeat().await.expect("an answer"), Outcome::Written);
    assert_eq!(run.ended(), None);
    let path = format!("/api/executions/{}/cancel", run.execution_id());
    let answer = app
        .call(Method::POST, &token, &path, r#"{"reason": "withdrawn"}"#)
        .await;
    assert_eq!(answer.status.as_u16(), 200);
    for outcome in [
        run.heartbeat().await,
        run.complete().await,
        run.fail("late").await,
    ] {
        let outcome = outcome.expect("an answer");
        let ended = outcome.ended().expect("the cancel won");
        assert_eq!(ended.status, Some(Status::Cancelled));
        assert_eq!(ended.cancel_reason.as_deref(), Some("withdrawn"));
        assert!(
            ended
                .cancelled_by
                .as_deref()
                .is_some_and(|by| by.starts_with("token:"))
        );
        assert_eq!(run.ended().as_ref(), Some(ended));
    }
    assert_eq!(app.item(run.execution_id()).await["status"], "CANCELLED");

    let again = NewRun::new("flow-1").execution_id(run.execution_id());
    let error = writer.start(again).await.expect_err("it has ended");
    assert!(matches!(&error, Error::RunEnded(ended) if ended.status == Some(Status::Cancelled)));
}

#[tokio::test]
async fn a_deleted_run_is_not_written_again() {
    let app = TestApp::new().await;
    let writer = writer_of(&app);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    let pk = format!("EXEC#{}", run.execution_id());
    app.store.delete(&pk, "EXECUTION").await.expect("deleted");
    for outcome in [run.heartbeat().await, run.complete().await] {
        let outcome = outcome.expect("an answer");
        assert_eq!(outcome.ended().expect("it is gone").status, None);
    }
    assert!(app.records_of(run.execution_id()).await.is_empty());
}

#[tokio::test]
async fn only_the_same_flow_and_team_can_resume_a_run() {
    let app = TestApp::new().await;
    let first = writer_of(&app);
    let new = || {
        NewRun::new("flow-1")
            .execution_id("run-1")
            .team_id("team-a")
    };
    let run = first
        .start(new().label("orderId", "42"))
        .await
        .expect("started");
    assert!(!run.is_resumed());
    let before = app.item("run-1").await;
    let second = writer_of(&app);
    let resumed = second.start(new()).await.expect("resumed");
    assert!(resumed.is_resumed());
    assert_eq!(resumed.created_at(), run.created_at());
    assert_eq!(app.item("run-1").await, before);
    let new = NewRun::new("flow-2").team_id("team-a");
    let error = second.start(new.execution_id("run-1")).await;
    let error = error.expect_err("another flow's");
    assert!(matches!(error, Error::IdTaken { .. }), "{error}");
    let mut step = resumed
        .start_step(NewStep::new("a").id("a"))
        .await
        .expect("started");
    step.complete().await.expect("ended");
    assert_eq!(resumed.complete().await.expect("ended"), Outcome::Written);
    let after = app.item("run-1").await;
    assert_eq!(
        (&after["status"], after.get("stepSummary")),
        (&json!("COMPLETED"), None)
    );
    assert_eq!(after["labels"], json!({"orderId": "42"}));
}

fn assert_other_team<T: std::fmt::Debug>(result: writer::Result<T>, id: &str) {
    let error = result.expect_err("another team's");
    assert!(matches!(error, Error::OtherTeam { .. }), "{error}");
    let expected = format!("the execution id {id} belongs to another team: use another id");
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_run_of_another_team_cannot_be_started() {
    let app = TestApp::new().await;
    let writer = writer_of(&app);
    for (id, is_open) in [("open", true), ("ended", false)] {
        let of = |team: &str| NewRun::new("flow-1").team_id(team).execution_id(id);
        let victim = of("victim").input(&json!({"secret": 1}));
        let victim = writer.start(victim).await.expect("started");
        if !is_open {
            assert_eq!(victim.complete().await.expect("ended"), Outcome::Written);
        }
        writer.flush().await.expect("flushed");
        let before = records(&app, &[id]).await;
        assert_other_team(writer.start(of("thief").input(&2)).await, id);
        let parent = writer.start(NewRun::new("flow-1").team_id("thief")).await;
        let parent = parent.expect("started");
        assert_other_team(parent.start_subflow(of("thief")).await, id);
        writer.flush().await.expect("flushed");
        assert_eq!(records(&app, &[id]).await, before);
    }
}

#[tokio::test]
async fn an_id_taken_by_another_team_is_not_written() {
    let app = TestApp::new().await;
    let writer = writer_of(&app);
    let of = |team: &str| NewRun::new("flow-1").team_id(team).execution_id("run-1");
    let run = writer.start(of("first")).await.expect("started");
    assert_eq!(run.heartbeat().await.expect("an answer"), Outcome::Written);
    let deleted = app.store.delete("EXEC#run-1", "EXECUTION").await;
    deleted.expect("deleted");
    let outcome = run.heartbeat().await.expect("an answer");
    assert_eq!(outcome.ended().expect("it is gone").status, None);
    let _second = writer.start(of("second")).await.expect("started");
    let before = app.item("run-1").await;
    for _ in 0..2 {
        assert_other_team(run.heartbeat().await, "run-1");
        assert_other_team(run.complete().await, "run-1");
        assert_other_team(run.fail("late").await, "run-1");
        assert_other_team(run.cancel(None, None).await, "run-1");
    }
    assert_eq!(app.item("run-1").await, before);
}

#[tokio::test]
async fn lone_surrogates_are_written_as_replacement_characters() {
    let app = TestApp::new().await;
    let token = app.viewer("default").await;
    let writer = writer_of(&app);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    let long = format!(r#"{{"k\udc00":"{}"}}"#, r"\ud83d".repeat(3_000));
    for (id, text) in [
        ("short", r#"{"k\udc00":"\ud83d \ud83d\ude00"}"#),
        ("long", &long),
    ] {
        // An engine that forwards the JSON of another system has such a text.
        let json = serde_json::value::RawValue::from_string(text.to_owned()).expect("JSON");
        let new = NewStep::new(id).id(id).input(&json);
        let mut step = run.start_step(new).await.expect("started");
        step.complete_with(&json).await.expect("ended");
    }
    run.set_output("any").await.expect("taken");
    assert_eq!(run.complete().await.expect("ended"), Outcome::Written);
    let path = format!("/flow-executions/{}", run.execution_id());
    let data = app.get(&token, &path).await.ok()["data"].take();
    assert_eq!(data.get("warnings"), None);
    let steps = data["steps"].as_array().expect("steps");
    let of = |id: &str| {
        steps
            .iter()
            .find(|step| step["stepInstanceId"] == id)
            .expect("a step")
    };
    let short = json!({"k\u{fffd}": "\u{fffd} 😀"});
    let long = json!({"k\u{fffd}": "\u{fffd}".repeat(3_000)});
    for (id, expected) in [("short", short), ("long", long)] {
        assert_eq!(of(id)["input"], expected);
        assert_eq!(of(id)["output"], expected);
    }
}

#[tokio::test]
async fn a_step_ends_once() {
    let app = TestApp::new().await;
    let writer = writer_of(&app);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    let mut step = run.start_step(NewStep::new("a")).await.expect("started");
    step.fail("x".repeat(20_000)).await.expect("ended");
    step.fail("again").await.expect("the same");
    let error = step.complete().await.expect_err("it has failed");
    assert!(
        matches!(error, Error::StepEnded { status: "FAILED" }),
        "{error}"
    );
    assert_eq!(run.complete().await.expect("ended"), Outcome::Written);
    let summary = &app.item(run.execution_id()).await["stepSummary"];
    assert_eq!(summary, &json!({"total": 1, "passed": 0, "failed": 1}));
    let token = app.viewer("default").await;
    let path = format!("/flow-executions/{}", run.execution_id());
    let details = app.get(&token, &path).await.ok();
    let error = details["data"]["steps"][0]["errorMessage"]
        .as_str()
        .expect("a text");
    assert_eq!((error.len(), error.ends_with("x…")), (16_384, true));
}

#[tokio::test]
async fn invalid_runs_are_refused_before_anything_is_written() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(app.store.client(), &[]);
    let writer = batching_writer(&client, &app);
    let long = "x".repeat(129);
    for (new, expected) in [
        (NewRun::new(""), "flowId"),
        (NewRun::new("a#b"), "flowId"),
        (NewRun::new("f").execution_id(&long), "executionId"),
        (NewRun::new("f").team_id("täm"), "teamId"),
        (NewRun::new("f").device_id(" "), "deviceId"),
        (NewRun::new("f").label("", "v"), "labels"),
    ] {
        let error = writer.start(new).await.expect_err(expected);
        let Error::InvalidRecord { member, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(member, expected);
    }
    let unwritable = HashMap::from([(vec![1_u8], 1)]);
    let error = writer.start(NewRun::new("f").input(&unwritable)).await;
    assert!(matches!(
        error,
        Err(Error::InvalidPayload {
            member: "input",
            ..
        })
    ));
    assert!(faulty.requests().is_empty(), "{:?}", faulty.requests());
}

#[tokio::test]
async fn invalid_steps_and_branches_are_refused() {
    let app = TestApp::new().await;
    let writer = batching_writer(app.store.client(), &app);
    let run = writer.start(NewRun::new("f")).await.expect("started");
    let error = run.start_step(NewStep::new("a").id("#")).await;
    assert!(matches!(
        error,
        Err(Error::InvalidRecord {
            member: "stepInstanceId",
            ..
        })
    ));
    let fork = run.fork(NewStep::new("fork")).await.expect("started");
    let error = fork.branch_with_id("b", "");
    assert!(matches!(
        error,
        Err(Error::InvalidRecord {
            member: "branchExecutionId",
            ..
        })
    ));
}

#[tokio::test]
async fn a_step_below_another_one_names_only_its_parent() {
    let app = TestApp::new().await;
    let writer = writer_of(&app);
    let run = writer.start(NewRun::new("f")).await.expect("started");
    let fork = run.fork(NewStep::new("fork")).await.expect("started");
    let branch = fork.branch("b");
    let top = run.start_step(NewStep::new("top")).await.expect("started");
    let below = |id: &str| NewStep::new("below").id(id);
    for step in [
        run.start_step(below("n-1").parent(&top)).await,
        branch.start_step(below("n-2").parent(&top)).await,
        run.start_step(below("n-3").parent_id("unknown")).await,
    ] {
        step.expect("started").complete().await.expect("ended");
    }
    let outcome = run.complete().await.expect("ended");
    assert_eq!(outcome, Outcome::Written);
    let records = records(&app, &[run.execution_id()]).await;
    let records = records.as_array().expect("records").iter();
    let nested = records.filter(|record| record["stepId"] == "below");
    let places: Vec<_> = nested
        .map(|record| {
            assert!(
                record["sk"]
                    .as_str()
                    .is_some_and(|sk| sk.starts_with("STEP#"))
            );
            assert_eq!(record.get("branchExecutionId"), None);
            let place = ["stepInstanceId", "parentStepInstanceId", "sequenceNumber"];
            json!(place.map(|name| record[name].clone()))
        })
        .collect();
    let expected = [
        json!(["n-1", top.id(), 1]),
        json!(["n-2", top.id(), 2]),
        json!(["n-3", "unknown", null]),
    ];
    assert!(
        expected.iter().all(|place| places.contains(place)),
        "{places:?}"
    );
}

#[tokio::test]
async fn the_parent_of_a_step_is_in_the_same_run() {
    let app = TestApp::new().await;
    let writer = writer_of(&app);
    let run = writer.start(NewRun::new("f")).await.expect("started");
    let other = writer.start(NewRun::new("f")).await.expect("started");
    let parent = other.start_step(NewStep::new("a")).await.expect("started");
    for new in [
        NewStep::new("b").parent(&parent),
        NewStep::new("b").parent_id("#"),
    ] {
        let error = run.start_step(new).await.expect_err("refused");
        let is_named = matches!(
            error,
            Error::InvalidRecord {
                member: "parentStepInstanceId",
                ..
            }
        );
        assert!(is_named, "{error}");
    }
}

#[tokio::test]
async fn a_step_with_a_refused_output_can_still_end() {
    let app = TestApp::new().await;
    let writer = batching_writer(app.store.client(), &app);
    let run = writer.start(NewRun::new("f")).await.expect("started");
    let mut step = run.start_step(NewStep::new("a")).await.expect("started");
    let too_large = "x".repeat(64 * 1024 * 1024);
    let error = step.complete_with(&too_large).await;
    assert!(matches!(
        error,
        Err(Error::InvalidPayload {
            member: "output",
            ..
        })
    ));
    step.fail("its output is too large").await.expect("ended");
}

#[tokio::test]
async fn end_times_before_the_start_become_the_start() {
    let app = TestApp::new().await;
    let now = Arc::new(AtomicI64::new(2_000));
    let clock = now.clone();
    let mut options = Options::default();
    options.clock = Clock::new(move || {
        Timestamp::from_milliseconds(clock.load(Ordering::SeqCst)).expect("a time")
    });
    let writer = Writer::with(app.store.client().clone(), app.store.table(), options);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    let mut step = run.start_step(NewStep::new("a")).await.expect("started");
    now.store(1_000, Ordering::SeqCst);
    step.complete().await.expect("ended");
    assert_eq!(run.complete().await.expect("ended"), Outcome::Written);
    let written = records(&app, &[run.execution_id()]).await;
    for record in written.as_array().expect("a list") {
        assert_eq!(record["endTime"], "1970-01-01T00:00:02.000Z", "{record}");
        assert_eq!(record["durationMs"], 0);
    }
}
