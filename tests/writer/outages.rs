//! Lost answers, throttling, outages and refused records.

use std::time::{Duration, Instant};

use serde_json::json;
use writer::{Error, NewRun, NewStep, Options, Outcome, Writer};

use super::batching_writer;
use crate::support::TestApp;
use crate::support::faults::{Fault, Faulty};
use crate::support::process::DEADLINE;

/// How long writers retry during an outage. It is long enough for a busy database to answer
/// before and after the outage.
const OUTAGE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_lost_answer_causes_no_second_write() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(
        app.store.client(),
        &["PutItem", "UpdateItem", "BatchWriteItem"],
    );
    let writer = batching_writer(&client, &app);
    faulty.plan([Fault::Unanswered, Fault::Unsent, Fault::Throttled]);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    assert!(!run.is_resumed(), "the lost answer was for the same start");
    let mut step = run
        .start_step(NewStep::new("a").id("a"))
        .await
        .expect("started");
    step.complete().await.expect("ended");
    faulty.plan([Fault::Unanswered, Fault::Unprocessed, Fault::Throttled]);
    writer.flush().await.expect("flushed");
    faulty.plan([Fault::Unanswered, Fault::Unsent]);
    assert_eq!(run.complete().await.expect("ended"), Outcome::Written);
    assert_eq!(app.records_of(run.execution_id()).await.len(), 2);
    assert_eq!(app.item(run.execution_id()).await["status"], "COMPLETED");
}

#[tokio::test]
async fn an_end_whose_answer_was_lost_can_be_repeated() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem"]);
    let mut options = Options::default();
    options.write_timeout = OUTAGE;
    let writer = Writer::with(client, app.store.table(), options);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    let lost = [vec![Fault::Unanswered], vec![Fault::Unsent; 10_000]].concat();
    faulty.plan(lost);
    let error = run.complete().await.expect_err("no answer");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    let before = app.item(run.execution_id()).await;
    assert_eq!(before["status"], "COMPLETED");
    faulty.plan([]);
    assert_eq!(run.complete().await.expect("ended"), Outcome::Written);
    assert_eq!(app.item(run.execution_id()).await, before);
}

#[tokio::test]
async fn an_outage_loses_nothing() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem", "BatchWriteItem"]);
    let mut options = Options::default();
    options.flush_after = Duration::ZERO;
    options.write_timeout = OUTAGE;
    let writer = Writer::with(client, app.store.table(), options);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    faulty.plan(vec![Fault::Unsent; 10_000]);
    for n in 0..60 {
        let new = NewStep::new("a").id(format!("step-{n}"));
        let mut step = run.start_step(new).await.expect("taken");
        step.complete().await.expect("taken");
    }
    let error = writer.flush().await.expect_err("no answer");
    assert!(
        matches!(&error, Error::Unavailable { cause: Some(_), .. }),
        "{error}"
    );
    let error = run.complete().await.expect_err("no answer");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert_eq!(app.records_of(run.execution_id()).await.len(), 1);
    faulty.plan([]);
    let deadline = Instant::now() + DEADLINE;
    while writer.flush().await.is_err() {
        assert!(Instant::now() < deadline, "the writer does not recover");
    }
    assert_eq!(run.complete().await.expect("ended"), Outcome::Written);
    assert_eq!(app.records_of(run.execution_id()).await.len(), 61);
    let summary = &app.item(run.execution_id()).await["stepSummary"];
    assert_eq!(summary, &json!({"total": 60, "passed": 60, "failed": 0}));
}

#[tokio::test]
async fn a_refused_record_is_reported_and_blocks_no_other() {
    let app = TestApp::new().await;
    let mut options = Options::default();
    options.flush_after = Duration::from_secs(3_600);
    options.inline_payload_bytes = 1_000_000;
    let writer = Writer::with(app.store.client().clone(), app.store.table(), options);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    for n in 0..10 {
        // More than the 400 KB of an item.
        let input = "x".repeat(if n == 5 { 500_000 } else { 10 });
        let new = NewStep::new("a").id(format!("step-{n}")).input(&input);
        run.start_step(new).await.expect("taken");
    }
    let Err(Error::Refused(refused)) = run.complete().await else {
        panic!("it is refused")
    };
    assert_eq!(refused.len(), 1);
    assert!(refused[0].sk.ends_with("#step-5") && !refused[0].reason.is_empty());
    assert_eq!(app.item(run.execution_id()).await["status"], "COMPLETED");
    assert_eq!(run.complete().await.expect("ended"), Outcome::Written);
    assert_eq!(app.records_of(run.execution_id()).await.len(), 10);
}

#[tokio::test]
async fn a_repeated_start_returns_the_same_run() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(app.store.client(), &["PutItem"]);
    let mut options = Options::default();
    options.write_timeout = OUTAGE;
    let writer = Writer::with(client, app.store.table(), options);
    let new = NewRun::new("flow-1");
    let lost = [vec![Fault::Unanswered], vec![Fault::Unsent; 10_000]].concat();
    faulty.plan(lost);
    let error = writer.start(&new).await.expect_err("no answer");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    faulty.plan([]);
    let run = writer.start(&new).await.expect("started");
    assert!(!run.is_resumed(), "the lost answer was for the same start");
}

#[tokio::test]
async fn closing_during_an_outage_reports_the_lost_records() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(app.store.client(), &["BatchWriteItem"]);
    let mut options = Options::default();
    options.write_timeout = OUTAGE;
    let writer = Writer::with(client, app.store.table(), options);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    faulty.plan(vec![Fault::Unsent; 10_000]);
    let mut step = run.start_step(NewStep::new("a")).await.expect("taken");
    let deadline = Instant::now() + DEADLINE;
    loop {
        match writer.close().await.expect_err("no answer") {
            Error::Lost { records, .. } => break assert_eq!(records, 1),
            Error::Unavailable { .. } => {
                assert!(Instant::now() < deadline, "the writer never gives up")
            }
            other => panic!("{other}"),
        }
    }
    assert!(matches!(step.complete().await, Err(Error::Closed)));
    assert!(matches!(step.set_data(&1), Err(Error::StepEnded { .. })));
    let error = writer.start(NewRun::new("flow-1")).await;
    assert!(matches!(error, Err(Error::Closed)));
}
