//! The writer crate: what it writes, what it costs, and what it survives.

use std::collections::{BTreeMap, HashMap};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::keys;
use shared::model::Timestamp;
use shared::payload::Payloads;
use shared::store::Range;
use writer::{
    Branch, Clock, Error, Fork, NewRun, NewStep, Options, Outcome, Run, Status, Step, Writer,
};

use crate::support::TestApp;
use crate::support::faults::{Fault, Faulty};
use crate::support::process::{DEADLINE, python};

/// How long the writers of an outage try before they give up. A busy database has to
/// answer within it before the outage begins, and after it.
const OUTAGE: Duration = Duration::from_secs(5);

/// A writer that sends nothing before it is asked to, or has a batch.
fn gathering(client: &aws_sdk_dynamodb::Client, app: &TestApp) -> Writer {
    let mut options = Options::default();
    options.flush_after = Duration::from_secs(3_600);
    Writer::with(client.clone(), app.store.table(), options)
}

fn writer_of(app: &TestApp) -> Writer {
    Writer::new(app.store.client().clone(), app.store.table())
}

// ---- The scenario that all writers are held to

/// The handles of a scenario, by their names.
#[derive(Default)]
struct Handles {
    runs: HashMap<String, Run>,
    steps: HashMap<String, Step>,
    forks: HashMap<String, Fork>,
    branches: HashMap<String, Branch>,
}

/// A value of the scenario's files, with its repeated texts written out.
fn expanded(value: &Value) -> Value {
    if let Some(times) = value["text_times"].as_array() {
        let count = times[0].as_u64().expect("a count");
        let text = times[1].as_str().expect("a text");
        return json!(text.repeat(usize::try_from(count).expect("a count")));
    }
    match value {
        Value::Array(values) => values.iter().map(expanded).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), expanded(value)))
            .collect(),
        other => other.clone(),
    }
}

fn conformance(file: &str) -> Value {
    let path = format!(
        "{}/../writers/conformance/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).expect("a file");
    expanded(&serde_json::from_str(&text).expect("JSON"))
}

fn text<'a>(operation: &'a Value, name: &str) -> &'a str {
    operation[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {operation}"))
}

fn new_run(operation: &Value) -> NewRun {
    let mut new = NewRun::new(text(operation, "flow_id"))
        .execution_id(text(operation, "execution_id"))
        .trigger(text(operation, "trigger"));
    if let Some(team_id) = operation["team_id"].as_str() {
        new = new.team_id(team_id);
    }
    if let Some(name) = operation["flow_name"].as_str() {
        new = new.flow_name(name);
    }
    if let Some(version) = operation["flow_version"].as_i64() {
        new = new.flow_version(version);
    }
    if let Some(device_id) = operation["device_id"].as_str() {
        new = new.device_id(device_id);
    }
    if let Some(timeout_at) = operation["timeout_at"].as_str() {
        new = new.timeout_at(timeout_at.parse().expect("a time"));
    }
    for (name, value) in operation["labels"].as_object().into_iter().flatten() {
        new = new.label(name, value.as_str().expect("a text"));
    }
    match operation.get("input") {
        Some(input) => new.input(input),
        None => new,
    }
}

fn new_step(operation: &Value) -> NewStep {
    let mut new = NewStep::new(text(operation, "step_id"))
        .id(text(operation, "id"))
        .name(text(operation, "name"));
    if let Some(kind) = operation["type"].as_str() {
        new = new.kind(kind);
    }
    if let Some(count) = operation["retry_count"].as_u64() {
        new = new.retry_count(count);
    }
    match operation.get("input") {
        Some(input) => new.input(input),
        None => new,
    }
}

fn assert_outcome(outcome: &Outcome, operation: &Value) {
    match &operation["expect"] {
        Value::String(_) => assert_eq!(outcome, &Outcome::Written, "{operation}"),
        expected => {
            let status = outcome.ended().and_then(|ended| ended.status);
            let status = status.map(Status::as_str);
            assert_eq!(json!(status), expected["status"], "{operation}");
        }
    }
}

impl Handles {
    async fn carry_out(&mut self, writer: &Writer, operation: &Value) {
        let name = || text(operation, "as").to_owned();
        let on = || text(operation, "on");
        match text(operation, "do") {
            "start_run" => {
                let run = writer.start(new_run(operation)).await.expect("started");
                self.runs.insert(name(), run);
            }
            "start_step" => {
                let new = new_step(operation);
                let step = match self.runs.get(text(operation, "in")) {
                    Some(run) => run.start_step(new).await,
                    None => self.branches[text(operation, "in")].start_step(new).await,
                };
                self.steps.insert(name(), step.expect("started"));
            }
            "fork" => {
                let new = new_step(operation);
                let fork = match self.runs.get(text(operation, "in")) {
                    Some(run) => run.fork(new).await,
                    None => self.branches[text(operation, "in")].fork(new).await,
                };
                self.forks.insert(name(), fork.expect("started"));
            }
            "branch" => {
                let fork = &self.forks[text(operation, "of")];
                let branch =
                    fork.branch_with_id(text(operation, "branch_id"), text(operation, "id"));
                self.branches.insert(name(), branch.expect("a branch"));
            }
            "join" => {
                let fork = self.forks.remove(on()).expect("a fork");
                fork.join().await.expect("joined");
            }
            "start_subflow" => {
                let step = self.steps.get_mut(on()).expect("a step");
                let run = step.start_subflow(new_run(operation)).await;
                self.runs.insert(name(), run.expect("started"));
            }
            "heartbeat" => {
                let outcome = self.runs[on()].heartbeat().await.expect("an answer");
                assert_outcome(&outcome, operation);
            }
            run_end @ ("complete_run" | "fail_run") => {
                let run = &self.runs[on()];
                if let Some(output) = operation.get("output") {
                    run.set_output(output).await.expect("taken");
                }
                if let Some(context) = operation.get("context") {
                    run.set_context(context).await.expect("taken");
                }
                let outcome = match run_end {
                    "complete_run" => run.complete().await,
                    _ => run.fail(text(operation, "error_message")).await,
                };
                assert_outcome(&outcome.expect("an answer"), operation);
            }
            other => {
                let step = self.steps.get_mut(on()).expect("a step");
                if let Some(output) = operation.get("output") {
                    step.set_output(output).expect("taken");
                }
                match other {
                    "set_data" => step.set_data(&operation["data"]),
                    "complete_step" => step.complete().await,
                    "fail_step" => step.fail(text(operation, "error_message")).await,
                    "skip_step" => step.skip().await,
                    unknown => panic!("{unknown} is no operation"),
                }
                .expect("taken");
            }
        }
    }
}

/// All records of some runs as plain JSON, each payload in bytes as one.
async fn records(app: &TestApp, runs: &[&str]) -> Value {
    let mut records = Vec::new();
    for run in runs {
        let pk = format!("EXEC#{run}");
        let items = app
            .store
            .all(&Range::of_partition(pk.clone(), " ", None))
            .await
            .expect("read");
        let mut payloads: BTreeMap<String, Payloads> = BTreeMap::new();
        for item in items {
            let sk = keys::sort_key(&item).expect("a key").to_owned();
            match keys::payload_of(&sk) {
                Some(key) if item.contains_key("bytes") => {
                    payloads
                        .entry(key.name.to_owned())
                        .or_default()
                        .insert(item);
                }
                _ => records.push(serde_dynamo::from_item(item).expect("JSON")),
            }
        }
        for (name, mut payload) in payloads {
            let value = payload.take(&name).expect("readable").expect("there");
            records.push(json!({"pk": pk, "sk": format!("PAYLOAD#{name}"), "json": value}));
        }
    }
    records.sort_by_key(|record: &Value| {
        let key = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        (key("pk"), key("sk"))
    });
    Value::Array(records)
}

#[tokio::test]
async fn the_writer_writes_what_all_writers_write_and_it_reads_back_the_same_everywhere() {
    let app = TestApp::new().await;
    let now = Arc::new(AtomicI64::new(0));
    let clock = now.clone();
    let mut options = Options::default();
    options.clock = Clock::new(move || {
        Timestamp::from_milliseconds(clock.load(Ordering::SeqCst)).expect("a time")
    });
    let writer = Writer::with(app.store.client().clone(), app.store.table(), options);
    let mut handles = Handles::default();
    for operation in conformance("scenario.json").as_array().expect("a list") {
        let at: Timestamp = text(operation, "at").parse().expect("a time");
        now.store(at.milliseconds(), Ordering::SeqCst);
        handles.carry_out(&writer, operation).await;
    }
    writer.flush().await.expect("flushed");

    assert_conformance(&app).await;
}

#[tokio::test]
async fn an_engine_with_nothing_but_an_sdk_and_the_document_writes_the_same() {
    let Some(python) = python() else {
        return;
    };
    let app = TestApp::new().await;
    let script = format!(
        "{}/../writers/conformance/bare_boto3.py",
        env!("CARGO_MANIFEST_DIR")
    );
    let url = app.endpoint_url().await;
    let mut engine = Command::new(python);
    engine.args([&script, &url, app.store.table()]);
    // The table is served by this very thread.
    let engine = tokio::task::spawn_blocking(move || engine.output()).await;
    let engine = engine.expect("waited for").expect("started");
    assert!(
        engine.status.success(),
        "{}",
        String::from_utf8_lossy(&engine.stderr)
    );
    assert_conformance(&app).await;
}

/// Whether the table holds what the scenario makes, and all APIs tell it.
async fn assert_conformance(app: &TestApp) {
    let written = records(app, &["conformance-run", "conformance-sub"]).await;
    let expected = conformance("records.json");
    let pairs = written.as_array().into_iter().flatten();
    for (written, expected) in pairs.zip(expected.as_array().expect("a list")) {
        assert_eq!(written, expected);
    }
    assert_eq!(written, expected);
    let token = app.token("default", Role::Admin, None).await;
    for (path, expected) in conformance("answers.json").as_object().expect("an object") {
        let mut answer = app.get(&token, path).await.ok();
        let members = answer.as_object_mut().expect("an object");
        members.remove("requestId");
        members.remove("timestamp");
        assert_eq!(&answer, expected, "{path}");
    }
}

// ---- Cost

#[tokio::test]
async fn a_run_of_eight_steps_takes_three_requests() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(app.store.client(), &[]);
    let writer = gathering(&client, &app);
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
async fn steps_are_in_the_table_within_a_moment_without_being_asked_for() {
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
async fn what_is_too_large_waits_and_nothing_more_is_kept_than_may_be() {
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
    // Of 20 at most two wait.
    assert!(app.records_of(run.execution_id()).await.len() >= 19);
    writer.flush().await.expect("flushed");
    assert_eq!(app.records_of(run.execution_id()).await.len(), 21);
}

// ---- Ends

#[tokio::test]
async fn a_cancel_comes_back_from_the_next_sign_of_life_and_from_the_end() {
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
async fn a_deleted_run_does_not_come_back() {
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
async fn an_engine_that_begins_again_goes_on_with_its_run_and_no_other_can() {
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
    for (flow, team) in [("flow-2", "team-a"), ("flow-1", "team-b")] {
        let new = NewRun::new(flow).team_id(team).execution_id("run-1");
        let error = second.start(new).await.expect_err("another's");
        assert!(matches!(error, Error::IdTaken { .. }), "{error}");
    }
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
async fn what_the_record_format_does_not_allow_is_refused_before_anything_is_written() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(app.store.client(), &[]);
    let writer = gathering(&client, &app);
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
    // And it can still end.
    step.fail("its output is too large").await.expect("ended");
}

// ---- Faults

#[tokio::test]
async fn a_lost_answer_writes_nothing_twice_and_is_no_end_by_another() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(
        app.store.client(),
        &["PutItem", "UpdateItem", "BatchWriteItem"],
    );
    let writer = gathering(&client, &app);
    faulty.plan([Fault::Unanswered, Fault::Unsent, Fault::Throttled]);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    assert!(!run.is_resumed(), "it was our own");
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
async fn an_end_whose_answer_was_lost_for_good_is_known_again() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(app.store.client(), &["UpdateItem"]);
    let mut options = Options::default();
    options.write_timeout = OUTAGE;
    let writer = Writer::with(client, app.store.table(), options);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    let lost = [vec![Fault::Unanswered], vec![Fault::Unsent; 10_000]].concat();
    faulty.plan(lost);
    let error = run.complete().await.expect_err("nobody answers");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    let before = app.item(run.execution_id()).await;
    assert_eq!(before["status"], "COMPLETED");
    faulty.plan([]);
    assert_eq!(run.complete().await.expect("ended"), Outcome::Written);
    assert_eq!(app.item(run.execution_id()).await, before);
}

#[tokio::test]
async fn an_outage_delays_and_loses_nothing() {
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
    let error = writer.flush().await.expect_err("nobody answers");
    assert!(
        matches!(&error, Error::Unavailable { cause: Some(_), .. }),
        "{error}"
    );
    let error = run.complete().await.expect_err("nobody answers");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert_eq!(app.records_of(run.execution_id()).await.len(), 1);
    faulty.plan([]);
    let deadline = Instant::now() + DEADLINE;
    while writer.flush().await.is_err() {
        assert!(Instant::now() < deadline, "it does not go on");
    }
    assert_eq!(run.complete().await.expect("ended"), Outcome::Written);
    assert_eq!(app.records_of(run.execution_id()).await.len(), 61);
    let summary = &app.item(run.execution_id()).await["stepSummary"];
    assert_eq!(summary, &json!({"total": 60, "passed": 60, "failed": 0}));
}

#[tokio::test]
async fn a_record_that_the_table_refuses_is_told_and_holds_nobody_up() {
    let app = TestApp::new().await;
    let mut options = Options::default();
    options.flush_after = Duration::from_secs(3_600);
    options.inline_payload_bytes = 1_000_000;
    let writer = Writer::with(app.store.client().clone(), app.store.table(), options);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    for n in 0..10 {
        // Above the 400 KB of an item.
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

#[test]
fn what_waits_is_written_when_the_last_handle_is_dropped_and_its_runtime_has_ended() {
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    let kept = runtime();
    let app = kept.block_on(TestApp::new());
    let of_the_engine = runtime();
    let writer = gathering(app.store.client(), &app);
    let (run, step) = of_the_engine.block_on(async {
        let run = writer.start(NewRun::new("flow-1")).await.expect("started");
        let step = run.start_step(NewStep::new("a")).await.expect("started");
        (run, step)
    });
    let id = run.execution_id().to_owned();
    drop(of_the_engine);
    drop((writer, run));
    assert_eq!(
        kept.block_on(app.records_of(&id)).len(),
        1,
        "a handle is left"
    );
    drop(step);
    assert_eq!(kept.block_on(app.records_of(&id)).len(), 2);
}

#[tokio::test]
async fn what_a_clock_ends_before_it_began_ends_when_it_began() {
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

#[tokio::test]
async fn the_same_start_again_is_the_same_run() {
    let app = TestApp::new().await;
    let (faulty, client) = Faulty::client(app.store.client(), &["PutItem"]);
    let mut options = Options::default();
    options.write_timeout = OUTAGE;
    let writer = Writer::with(client, app.store.table(), options);
    let new = NewRun::new("flow-1");
    let lost = [vec![Fault::Unanswered], vec![Fault::Unsent; 10_000]].concat();
    faulty.plan(lost);
    let error = writer.start(&new).await.expect_err("nobody answers");
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    faulty.plan([]);
    let run = writer.start(&new).await.expect("started");
    assert!(!run.is_resumed(), "it was our own");
}

#[tokio::test]
async fn a_writer_that_is_closed_in_an_outage_says_what_is_lost() {
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
        match writer.close().await.expect_err("nobody answers") {
            Error::Lost { records, .. } => break assert_eq!(records, 1),
            Error::Unavailable { .. } => assert!(Instant::now() < deadline, "it goes on"),
            other => panic!("{other}"),
        }
    }
    assert!(matches!(step.complete().await, Err(Error::Closed)));
    assert!(matches!(step.set_data(&1), Err(Error::StepEnded { .. })));
    let error = writer.start(NewRun::new("flow-1")).await;
    assert!(matches!(error, Err(Error::Closed)));
}

#[tokio::test]
async fn a_closed_writer_has_written_all_and_takes_nothing() {
    let app = TestApp::new().await;
    let writer = gathering(app.store.client(), &app);
    let run = writer.start(NewRun::new("flow-1")).await.expect("started");
    let mut step = run.start_step(NewStep::new("a")).await.expect("started");
    writer.close().await.expect("closed");
    assert_eq!(app.records_of(run.execution_id()).await.len(), 2);
    assert!(matches!(step.complete().await, Err(Error::Closed)));
}

// ---- An engine that is killed

/// The variable that makes an engine of the test below: the table's address and name.
const ENGINE: &str = "FLOWTRAIL_TEST_ENGINE";

/// Runs for ever, where a test has started it for that.
#[tokio::test]
async fn an_engine_of_its_own() {
    let Ok(place) = std::env::var(ENGINE) else {
        return;
    };
    let (url, table) = place.split_once(' ').expect("an address and a table");
    let client = shared::config::client(Some(url)).await;
    let writer = Writer::new(client, table);
    let new = NewRun::new("flow-1").execution_id("killed");
    let run = writer.start(new).await.expect("started");
    for n in 0.. {
        let new = NewStep::new("a").id(format!("step-{n}"));
        let mut step = run.start_step(new).await.expect("taken");
        step.complete().await.expect("taken");
        writer.flush().await.expect("flushed");
        println!("told {n}");
    }
}

#[tokio::test]
async fn a_killed_engine_leaves_a_readable_run_with_all_that_it_was_told_is_written() {
    use std::io::BufRead as _;

    let app = TestApp::new().await;
    let place = format!("{} {}", app.endpoint_url().await, app.store.table());
    let mut engine = Command::new(std::env::current_exe().expect("a program"))
        .args(["--exact", "writer::an_engine_of_its_own", "--nocapture"])
        .env(ENGINE, place)
        .stdout(Stdio::piped())
        .spawn()
        .expect("an engine");
    let output = engine.stdout.take().expect("an output");
    let told = Arc::new(Mutex::new(0));
    let telling = told.clone();
    let reader = std::thread::spawn(move || {
        let lines = std::io::BufReader::new(output).lines();
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("told ") {
                *telling.lock().expect("a lock") = number.parse::<usize>().expect("a number");
            }
        }
    });
    let deadline = Instant::now() + DEADLINE;
    while *told.lock().expect("a lock") < 30 {
        assert!(Instant::now() < deadline, "the engine does not write");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    engine.kill().expect("killed");
    engine.wait().expect("ended");
    reader.join().expect("read");
    let told = *told.lock().expect("a lock");
    let token = app.viewer("default").await;
    let path = "/flow-executions/killed?limit=500";
    let steps = app.walk_steps(&token, path, |_, _| {}).await;
    assert!(steps.len() > told, "{} of {told}", steps.len());
    let statuses: Vec<_> = steps.iter().map(|step| step["status"].as_str()).collect();
    assert!(
        statuses[..=told]
            .iter()
            .all(|status| *status == Some("COMPLETED"))
    );
    assert_eq!(app.item("killed").await["status"], "RUNNING");
}
