//! When the writer sends its buffer, and in how many requests.

use std::time::{Duration, Instant};

use serde_json::json;
use writer::{Error, NewRun, NewStep, Options, Outcome, Writer};

use super::{batching_writer, writer_of};
use crate::support::TestApp;
use crate::support::faults::Faulty;
use crate::support::process::DEADLINE;

#[tokio::test]
async fn a_run_of_eight_steps_takes_three_requests() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(app.store.client(), &[]);
    let writer = batching_writer(&client, &app);
    let run = writer
        .start(NewRun::new("order-pipeline"))
        .await
        .expect("started");
    for n in 0..8 {
        let new = NewStep::new(format!("step-{n}")).input(&json!({"n": n}));
        let mut step = run.start_step(new).await.expect("started");
        step.complete_with(&json!({"n": n})).await.expect("ended");
    }
    assert_eq!(run.complete().await.expect("ended"), Outcome::Written);
    let requests: Vec<_> = faulty.requests();
    assert_eq!(requests, ["PutItem", "BatchWriteItem", "UpdateItem"]);
    assert_eq!(app.records_of(run.execution_id()).await.len(), 9);
}

#[tokio::test]
async fn steps_are_written_without_a_flush() {
    let app = TestApp::new().await;
    let writer = writer_of(&app);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    let _open = run.start_step(NewStep::new("open")).await.expect("started");
    let deadline = Instant::now() + DEADLINE;
    while app.records_of(run.execution_id()).await.len() < 2 {
        assert!(Instant::now() < deadline, "the step is not written");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_buffer_does_not_exceed_its_limit() {
    let app = TestApp::new().await;
    let mut options = Options::default();
    options.max_buffered_bytes = 100_000;
    options.inline_payload_bytes = 100_000;
    let writer = Writer::with(app.store.client().clone(), app.store.table(), options);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    let input = "x".repeat(40_000);
    for n in 0..20 {
        let new = NewStep::new(format!("step-{n}")).input(&input);
        run.start_step(new).await.expect("started");
    }
    // At most two of the 20 are buffered.
    assert!(app.records_of(run.execution_id()).await.len() >= 19);
    writer.flush().await.expect("flushed");
    assert_eq!(app.records_of(run.execution_id()).await.len(), 21);
}

#[test]
fn dropping_the_last_handle_writes_the_buffer() {
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    let kept = runtime();
    let app = kept.block_on(TestApp::new());
    let engine_runtime = runtime();
    let writer = batching_writer(app.store.client(), &app);
    let (run, step) = engine_runtime.block_on(async {
        let run = writer.start(NewRun::new("flow-1")).await.expect("started");
        let step = run.start_step(NewStep::new("a")).await.expect("started");
        (run, step)
    });
    let id = run.execution_id().to_owned();
    drop(engine_runtime);
    drop((writer, run));
    assert_eq!(
        kept.block_on(app.records_of(&id)).len(),
        1,
        "one handle remains"
    );
    drop(step);
    assert_eq!(kept.block_on(app.records_of(&id)).len(), 2);
}

#[tokio::test]
async fn a_closed_writer_has_written_everything() {
    let app = TestApp::new().await;
    let writer = batching_writer(app.store.client(), &app);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    let mut step = run.start_step(NewStep::new("a")).await.expect("started");
    writer.close().await.expect("closed");
    assert_eq!(app.records_of(run.execution_id()).await.len(), 2);
    assert!(matches!(step.complete().await, Err(Error::Closed)));
}
