//! The scenario that every writer must write in the same way.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use shared::auth::Role;
use shared::model::Timestamp;
use writer::{Branch, Clock, Fork, NewRun, NewStep, Options, Outcome, Run, Status, Step, Writer};

use super::records;
use crate::support::TestApp;
use crate::support::actions::Collector;
use crate::support::process::python;
use crate::template;

/// The handles of a scenario, by their names.
#[derive(Default)]
struct Handles {
    runs: HashMap<String, Run>,
    steps: HashMap<String, Step>,
    forks: HashMap<String, Fork>,
    branches: HashMap<String, Branch>,
}

/// A value of the scenario's files, with its repeated texts expanded.
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
        let on = || text(operation, "on");
        match text(operation, "do") {
            "start_run" => {
                let run = writer.start(new_run(operation)).await.expect("started");
                self.runs.insert(text(operation, "as").to_owned(), run);
            }
            "start_step" => self.start_step(operation).await,
            "fork" => self.fork(operation).await,
            "branch" => self.start_branch(operation),
            "join" => {
                let fork = self.forks.remove(on()).expect("a fork");
                fork.join().await.expect("joined");
            }
            "start_subflow" => {
                let step = self.steps.get_mut(on()).expect("a step");
                let run = step.start_subflow(new_run(operation)).await;
                let name = text(operation, "as").to_owned();
                self.runs.insert(name, run.expect("started"));
            }
            "heartbeat" => {
                let outcome = self.runs[on()].heartbeat().await.expect("an answer");
                assert_outcome(&outcome, operation);
            }
            "complete_run" | "fail_run" => self.end_run(operation).await,
            _ => self.change_step(operation).await,
        }
    }

    async fn start_step(&mut self, operation: &Value) {
        let (mut new, place) = (new_step(operation), text(operation, "in"));
        if let Some(parent) = operation["parent"].as_str() {
            new = new.parent(&self.steps[parent]);
        }
        let step = match self.runs.get(place) {
            Some(run) => run.start_step(new).await,
            None => self.branches[place].start_step(new).await,
        };
        let name = text(operation, "as").to_owned();
        self.steps.insert(name, step.expect("started"));
    }

    async fn fork(&mut self, operation: &Value) {
        let (new, parent) = (new_step(operation), text(operation, "in"));
        let fork = match self.runs.get(parent) {
            Some(run) => run.fork(new).await,
            None => self.branches[parent].fork(new).await,
        };
        let name = text(operation, "as").to_owned();
        self.forks.insert(name, fork.expect("started"));
    }

    fn start_branch(&mut self, operation: &Value) {
        let fork = &self.forks[text(operation, "of")];
        let branch = fork.branch_with_id(text(operation, "branch_id"), text(operation, "id"));
        let name = text(operation, "as").to_owned();
        self.branches.insert(name, branch.expect("a branch"));
    }

    async fn end_run(&mut self, operation: &Value) {
        let run = &self.runs[text(operation, "on")];
        if let Some(output) = operation.get("output") {
            run.set_output(output).await.expect("taken");
        }
        if let Some(context) = operation.get("context") {
            run.set_context(context).await.expect("taken");
        }
        let outcome = match text(operation, "do") {
            "complete_run" => run.complete().await,
            _ => run.fail(text(operation, "error_message")).await,
        };
        assert_outcome(&outcome.expect("an answer"), operation);
    }

    /// Sets the data of a step, or ends it.
    async fn change_step(&mut self, operation: &Value) {
        let step = self.steps.get_mut(text(operation, "on"));
        let step = step.expect("a step");
        if let Some(output) = operation.get("output") {
            step.set_output(output).expect("taken");
        }
        match text(operation, "do") {
            "set_data" => step.set_data(&operation["data"]),
            "complete_step" => step.complete().await,
            "fail_step" => step.fail(text(operation, "error_message")).await,
            "skip_step" => step.skip().await,
            unknown => panic!("{unknown} is not an operation"),
        }
        .expect("taken");
    }
}

#[tokio::test]
async fn the_writer_conforms_to_the_scenario() {
    let app = TestApp::new().await;
    let collector = Collector::default();
    write_scenario(&app, collector.over(app.store.client())).await;
    assert_conformance(&app).await;
    let granted = template::granted_to_engines();
    assert_eq!(
        collector.done(),
        granted,
        "the writer uses exactly the grants of the policy for engines"
    );
}

/// Writes the scenario with the writer crate, through this client.
async fn write_scenario(app: &TestApp, client: aws_sdk_dynamodb::Client) {
    let now = Arc::new(AtomicI64::new(0));
    let clock = now.clone();
    let mut options = Options::default();
    options.clock = Clock::new(move || {
        Timestamp::from_milliseconds(clock.load(Ordering::SeqCst)).expect("a time")
    });
    let writer = Writer::with(client, app.store.table(), options);
    let mut handles = Handles::default();
    for operation in conformance("scenario.json").as_array().expect("a list") {
        let at: Timestamp = text(operation, "at").parse().expect("a time");
        now.store(at.milliseconds(), Ordering::SeqCst);
        handles.carry_out(&writer, operation).await;
    }
    writer.flush().await.expect("flushed");
}

#[tokio::test]
async fn an_engine_with_a_plain_sdk_conforms_to_the_scenario() {
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
    // This thread serves the table, and must not wait.
    let engine = tokio::task::spawn_blocking(move || engine.output()).await;
    let engine = engine.expect("waited for").expect("started");
    assert!(
        engine.status.success(),
        "{}",
        String::from_utf8_lossy(&engine.stderr)
    );
    assert_conformance(&app).await;
}

/// The table contains the records of the scenario, and all APIs return them.
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
