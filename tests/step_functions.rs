//! The bridge from AWS Step Functions: histories and events in the shapes of AWS become
//! runs (tests/samples/step-functions).

use std::collections::BTreeMap;
use std::path::Path;

use aws_sdk_dynamodb::Client;
use axum::http::Method;
use functions::step_functions::change::StatusChange;
use functions::step_functions::{ImportError, Imported, Importer, TEAM_VARIABLE, import};
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use shared::auth::Role;
use shared::keys;
use shared::model::{Item, Timestamp};
use shared::store::{Range, Store};
use shared::table::text;

use crate::lambda::{event, function};
use crate::support::TestApp;
use crate::support::actions::Recorder;
use crate::support::faults::{Fault, Faulty};
use crate::support::records::START;
use crate::support::runtime::Function;
use crate::support::step_functions::{Answer, StepFunctions};

const FUNCTION: &str = "import_state_machine_execution";

/// An execution with its history, and the events of which EventBridge tells.
struct Sample {
    arn: String,
    history: Vec<Value>,
    events: Vec<Value>,
}

impl Sample {
    fn of(name: &str) -> Self {
        let read = |kind: &str| -> Value {
            let path = format!("../tests/samples/step-functions/{name}.{kind}.json");
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            let text = std::fs::read_to_string(&path).expect("a sample");
            serde_json::from_str(&text).expect("JSON")
        };
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let events = list(&read("events"));
        let arn = events[0]["detail"]["executionArn"].as_str();
        Self {
            arn: arn.expect("an ARN").to_owned(),
            history: list(&read("history")["events"]),
            events,
        }
    }

    fn last(&self) -> &Value {
        self.events.last().expect("an event")
    }
}

/// Flowtrail beside a Step Functions.
struct Bridge {
    app: TestApp,
    step_functions: StepFunctions,
    token: String,
}

impl Bridge {
    async fn new() -> Self {
        let app = TestApp::new().await;
        Self {
            token: app.token("team-a", Role::Admin, None).await,
            step_functions: StepFunctions::serve().await,
            app,
        }
    }

    /// A bridge that has followed the events of a sample.
    async fn with(name: &str) -> (Self, Sample) {
        let (bridge, sample) = (Self::new().await, Sample::of(name));
        bridge
            .step_functions
            .tell(&sample.arn, sample.history.clone());
        for event in &sample.events {
            bridge.follow(event).await.expect("imported");
        }
        (bridge, sample)
    }

    fn importer(&self) -> Importer {
        self.importer_over(self.app.store.client())
    }

    fn importer_over(&self, client: &Client) -> Importer {
        let store = Store::new(Recorder::of(FUNCTION, client), self.app.store.table());
        let team = "team-a".parse().expect("a team");
        Importer::new(store, self.step_functions.client(), team)
    }

    async fn follow(&self, event: &Value) -> Result<Imported, ImportError> {
        let change = StatusChange::of(&event.to_string())?;
        self.importer().follow(&change).await
    }

    async fn get(&self, path: &str) -> Value {
        self.app.get(&self.token, path).await.ok()
    }

    async fn details(&self, id: &str) -> Value {
        self.get(&format!("/flow-executions/{id}")).await["data"].take()
    }

    /// All items of a run, by their sort keys.
    async fn items(&self, id: &str) -> BTreeMap<String, Item> {
        let range = Range::of_partition(format!("EXEC#{id}"), "A", None).latest();
        let items = self.app.store.all(&range).await.expect("read");
        let keyed = |item: Item| (keys::sort_key(&item).expect("a key").to_owned(), item);
        items.into_iter().map(keyed).collect()
    }

    /// The steps of a run, each in a line, with those of branches below their fork.
    async fn outline(&self, id: &str) -> Vec<String> {
        let steps = self.details(id).await["steps"].take();
        let mut lines = Vec::new();
        self.outline_of(id, "", steps, &mut lines).await;
        lines
    }

    async fn outline_of(&self, id: &str, place: &str, steps: Value, lines: &mut Vec<String>) {
        for step in steps.as_array().expect("steps") {
            let text = |name: &str| step[name].as_str().unwrap_or_default();
            lines.push(format!("{place}{}", line_of(step)));
            if text("stepType") != "PARALLEL_FORK_MANAGER" {
                continue;
            }
            let path = format!(
                "/flow-executions/{id}/branch-steps?parentStepInstanceId={}&parentStepStartTime={}",
                text("stepInstanceId"),
                text("startTime"),
            );
            let branches = self.get(&path).await["data"].take();
            for branch in branches.as_object().expect("branches").values() {
                let name = branch["branchId"].as_str().expect("a name");
                let place = format!("{place}{}[{name}] ", text("stepName"));
                Box::pin(self.outline_of(id, &place, branch["steps"].clone(), lines)).await;
            }
        }
    }
}

/// A step's type, name, status, first and last millisecond, retries and error.
fn line_of(step: &Value) -> String {
    let text = |name: &str| step[name].as_str().unwrap_or_default();
    let offset = |name: &str| {
        let moment: Option<Timestamp> = text(name).parse().ok();
        moment.map_or("-".to_owned(), |moment| {
            (moment.milliseconds() - START).to_string()
        })
    };
    let mut line = format!(
        "{} {} {} {}..{}",
        text("stepType"),
        text("stepName"),
        text("status"),
        offset("startTime"),
        offset("endTime"),
    );
    if step["retryCount"] != 0 {
        line.push_str(&format!(" retries={}", step["retryCount"]));
    }
    if let Some(error) = step["errorMessage"].as_str() {
        line.push_str(&format!(" error={error}"));
    }
    line
}

/// Each sample, how its execution ended, and its steps.
const SAMPLES: &[(&str, &str, &[&str])] = &[
    (
        "success",
        "COMPLETED",
        &[
            "TASK Validate order COMPLETED 12..310",
            "CHOICE Valid? COMPLETED 310..310",
            "WAIT Cool down COMPLETED 310..2310",
            "PASS Shape COMPLETED 2315..2315",
            "SUCCEED Done COMPLETED 2315..2315",
        ],
    ),
    (
        "retried",
        "COMPLETED",
        &["TASK Charge COMPLETED 10..3390 retries=2"],
    ),
    (
        "caught",
        "FAILED",
        &[
            "TASK Charge FAILED 10..6160 retries=1 error=States.Timeout",
            "TASK Notify COMPLETED 6170..6315",
            "FAIL Not charged FAILED 6315..6315 error=NotCharged: The card could not be charged.",
        ],
    ),
    (
        "map",
        "COMPLETED",
        &[
            "PARALLEL_FORK_MANAGER Each invoice COMPLETED 10..490",
            "Each invoice[0] PASS Read COMPLETED 15..15",
            "Each invoice[0] TASK Book COMPLETED 25..170",
            "Each invoice[1] PASS Read COMPLETED 175..175",
            "Each invoice[1] TASK Book COMPLETED 185..330",
            "Each invoice[2] PASS Read COMPLETED 335..335",
            "Each invoice[2] TASK Book COMPLETED 345..490",
        ],
    ),
    (
        "parallel",
        "COMPLETED",
        &[
            "PARALLEL_FORK_MANAGER Prepare COMPLETED 10..245",
            "Prepare[Reserve] TASK Reserve COMPLETED 10..245",
            "Prepare[Label] PASS Label COMPLETED 10..10",
            "Prepare[Label] TASK Print COMPLETED 30..115",
            "PASS Ship COMPLETED 250..250",
        ],
    ),
    (
        "nested-failure",
        "FAILED",
        &[
            "PARALLEL_FORK_MANAGER Collect FAILED 10..175 error=RegionDown: us does not answer",
            "Collect[Each region] PARALLEL_FORK_MANAGER Each region FAILED 10..175 \
             error=RegionDown: us does not answer",
            "Collect[Each region] Each region[0] TASK Query CANCELLED 15..175",
            "Collect[Each region] Each region[1] TASK Query FAILED 15..175 \
             error=RegionDown: us does not answer",
            "Collect[Grace] WAIT Grace CANCELLED 10..175",
        ],
    ),
    ("parent", "COMPLETED", &["TASK Render COMPLETED 10..180"]),
    ("child", "COMPLETED", &["PASS Draw COMPLETED 5..5"]),
    ("aborted", "CANCELLED", &["TASK Ask CANCELLED 10..60710"]),
    (
        "timed-out",
        "FAILED",
        &["WAIT Until signed FAILED 10..30010 error=States.Timeout"],
    ),
    (
        "map-caught",
        "COMPLETED",
        &[
            "PARALLEL_FORK_MANAGER Each invoice FAILED 10..5010 error=States.Timeout",
            "Each invoice[0] TASK Book CANCELLED 10..5010",
            "Each invoice[1] TASK Book FAILED 10..5010 error=States.Timeout",
            "Each invoice[2] TASK Book CANCELLED 10..5010",
            "PASS Report COMPLETED 5015..5015",
        ],
    ),
    (
        "distributed-map",
        "FAILED",
        &["PARALLEL_FORK_MANAGER Each video FAILED 10..9110 \
             error=States.ExceedToleratedFailureThreshold: \
             The specified tolerated failure threshold was exceeded"],
    ),
    (
        "redriven",
        "FAILED",
        &[
            "PASS Prepare COMPLETED 5..5",
            "TASK Charge FAILED 15..145 error=Bank.Closed: It is night.",
        ],
    ),
];

/// The executions API's words for a run's and a step's end.
fn word_of_executions(status: &str) -> &str {
    match status {
        "COMPLETED" => "SUCCESS",
        other => other,
    }
}

#[tokio::test]
async fn each_sample_becomes_its_steps_and_all_three_apis_show_them() {
    for (name, status, expected) in SAMPLES {
        let (bridge, sample) = Bridge::with(name).await;
        let id = &sample.arn;
        let details = bridge.details(id).await;
        let metadata = &details["metadata"];
        assert_eq!(metadata["status"], *status, "{name}");
        assert_eq!(bridge.outline(id).await, *expected, "{name}");
        let count = |word: &str| expected.iter().filter(|line| line.contains(word)).count();
        assert_eq!(
            metadata["stepSummary"],
            json!({
                "total": expected.len(), "passed": count(" COMPLETED "), "failed": count(" FAILED "),
            }),
            "{name}"
        );

        let execution = bridge.get(&format!("/api/executions/{id}")).await;
        assert_eq!(execution["status"], word_of_executions(status), "{name}");
        let nodes = execution["nodeExecutions"].as_array().expect("nodes");
        let found = nodes.iter().map(|node| {
            let text = |name: &str| node[name].as_str().expect("a text");
            format!(
                "{} {} {}",
                text("nodeType"),
                text("nodeName"),
                text("status")
            )
        });
        let line = |line: &&str| {
            let (_, step) = line.rsplit_once("] ").unwrap_or(("", line));
            let (step, _) = step.split_once("..").expect("times");
            let (step, _) = step.rsplit_once(' ').expect("a status");
            let (step, status) = step.rsplit_once(' ').expect("a status");
            format!("{step} {}", word_of_executions(status))
        };
        let mut found: Vec<_> = found.collect();
        let mut lines: Vec<_> = expected.iter().map(line).collect();
        found.sort();
        lines.sort();
        assert_eq!(found, lines, "{name}");

        let history = bridge.get(&format!("/api/history/executions/{id}")).await;
        let word = |line: &&&str| match line {
            line if line.contains(" COMPLETED ") => "PASSED",
            line if line.contains(" FAILED ") => "FAILED",
            _ => "CANCELLED",
        };
        let top = expected.iter().filter(|line| !line.contains("] "));
        let top: Vec<_> = top.map(|line| word(&line)).collect();
        let steps = history["execution"]["steps"].as_array().expect("steps");
        let found: Vec<_> = steps.iter().map(|step| step["status"].clone()).collect();
        assert_eq!(found, top, "{name}");
        let input: Value = serde_json::from_str(
            sample.events[0]["detail"]["input"]
                .as_str()
                .expect("a text"),
        )
        .expect("JSON");
        assert_eq!(execution["inputData"], input, "{name}");
    }
}

#[tokio::test]
async fn a_run_and_its_steps_say_what_the_execution_said() {
    let (bridge, sample) = Bridge::with("success").await;
    let details = bridge.details(&sample.arn).await;
    let name = "3b7c6c1e-0001-4f6a-9a61-000000000001";
    assert_eq!(
        details["metadata"],
        json!({
            "flowExecutionId": sample.arn, "flowDefinitionId": "orders", "flowName": "orders",
            "flowVersion": "7", "executionType": "PARENT", "parentFlowExecutionId": null,
            "parentStepInstanceId": null, "teamId": "team-a", "deviceId": null,
            "trigger": "STEP_FUNCTIONS", "status": "COMPLETED",
            "createdAt": "2026-02-17T10:30:00.000Z", "startTime": "2026-02-17T10:30:00.000Z",
            "endTime": "2026-02-17T10:30:02.320Z", "durationMs": 2320, "errorMessage": null,
            "stepSummary": {"total": 5, "passed": 5, "failed": 0},
            "labels": {"executionName": name}, "timeoutAt": null, "heartbeatAt": null,
            "cancelledBy": null, "cancelReason": null,
        })
    );
    assert_eq!(
        details["steps"][0],
        json!({
            "stepInstanceId": "00002-Validate-order", "stepId": "Validate order",
            "stepName": "Validate order", "stepType": "TASK", "sequenceNumber": 1,
            "status": "COMPLETED", "startTime": "2026-02-17T10:30:00.012Z",
            "endTime": "2026-02-17T10:30:00.310Z", "durationMs": 298, "retryCount": 0,
            "input": {"orderId": "42", "total": 129.5}, "output": {"orderId": "42", "valid": true},
            "executionData": {
                "stateType": "TASK",
                "resource": "arn:aws:lambda:eu-west-1:123456789012:function:validate",
            },
            "errorMessage": null, "subflowExecutionId": null,
        })
    );
    let execution = bridge.get(&format!("/api/executions/{}", sample.arn)).await;
    assert_eq!(execution["outputData"], json!({"orderId": "42"}));

    let (bridge, sample) = Bridge::with("caught").await;
    let details = bridge.details(&sample.arn).await;
    let message = "NotCharged: The card could not be charged.";
    assert_eq!(details["metadata"]["errorMessage"], message);
    let cause = r#"{"errorMessage":"card expired","errorType":"CardError","trace":["at charge (index.js:7)"]}"#;
    assert_eq!(
        details["steps"][0]["executionData"],
        json!({
            "stateType": "TASK", "resource": "lambda:invoke", "caught": true,
            "attempts": [
                {
                    "startTime": "2026-02-17T10:30:00.020Z", "endTime": "2026-02-17T10:30:00.140Z",
                    "error": "CardError", "cause": cause,
                },
                {
                    "startTime": "2026-02-17T10:30:01.140Z", "endTime": "2026-02-17T10:30:06.160Z",
                    "error": "States.Timeout",
                },
            ],
        })
    );

    let (bridge, sample) = Bridge::with("aborted").await;
    let metadata = bridge.details(&sample.arn).await["metadata"].take();
    assert_eq!(
        metadata["cancelReason"],
        "Withdrawn: The document was withdrawn."
    );
    // Who is named there has cancelled through the API, and the runs below with it.
    assert_eq!(metadata["cancelledBy"], Value::Null);

    let (bridge, sample) = Bridge::with("distributed-map").await;
    let steps = bridge.details(&sample.arn).await["steps"].take();
    let run = "arn:aws:states:eu-west-1:123456789012:mapRun:archive/EachVideo:9f3b1f2e-0000-4000-8000-000000000001";
    assert_eq!(steps[0]["executionData"]["mapRunArn"], run);
}

#[tokio::test]
async fn a_nested_execution_is_found_from_both_sides() {
    let (bridge, parent) = Bridge::with("parent").await;
    let child = Sample::of("child");
    bridge
        .step_functions
        .tell(&child.arn, child.history.clone());
    for event in &child.events {
        bridge.follow(event).await.expect("imported");
    }
    let steps = bridge.details(&parent.arn).await["steps"].take();
    assert_eq!(steps[0]["subflowExecutionId"], child.arn);
    let metadata = bridge.details(&child.arn).await["metadata"].take();
    assert_eq!(metadata["executionType"], "SUBFLOW");
    assert_eq!(metadata["parentFlowExecutionId"], parent.arn);
    let path = format!("/api/history/executions?parentExecutionId={}", parent.arn);
    let below = bridge.get(&path).await["executions"].take();
    assert_eq!(below.as_array().map(Vec::len), Some(1), "{below}");
    assert_eq!(below[0]["id"], child.arn);
}

#[tokio::test]
async fn a_redrive_is_a_run_of_its_own_with_what_it_has_done() {
    let (bridge, sample) = Bridge::with("redriven").await;
    let id = format!("{}:redrive:1", sample.arn);
    let metadata = bridge.details(&id).await["metadata"].take();
    assert_eq!(metadata["status"], "COMPLETED");
    assert_eq!(metadata["labels"]["redriveOf"], sample.arn);
    assert_eq!(metadata["startTime"], "2026-02-17T11:30:00.145Z");
    assert_eq!(metadata["durationMs"], 145);
    assert_eq!(
        bridge.outline(&id).await,
        ["TASK Charge COMPLETED 3600145..3600285"]
    );
    let before = bridge.details(&sample.arn).await["metadata"].take();
    assert_eq!(before["status"], "FAILED", "terminal is final");
    // What is of no run.
    assert_eq!(bridge.items(&id).await.len(), 4, "run, step, input, output");
    let mut pending = sample.last().clone();
    pending["detail"]["status"] = json!("PENDING_REDRIVE");
    let imported = bridge.follow(&pending).await.expect("passed by");
    assert_eq!(imported, Imported::Nothing);
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
async fn every_order_and_repetition_of_events_ends_in_the_same_items() {
    for name in ["success", "nested-failure", "aborted", "redriven"] {
        let (bridge, sample) = Bridge::with(name).await;
        let ids = [sample.arn.clone(), format!("{}:redrive:1", sample.arn)];
        let expected = [bridge.items(&ids[0]).await, bridge.items(&ids[1]).await];
        for order in orders(sample.events.len()) {
            let bridge = Bridge::new().await;
            bridge
                .step_functions
                .tell(&sample.arn, sample.history.clone());
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
async fn a_history_of_many_pages_is_that_of_one() {
    let (bridge, sample) = Bridge::with("nested-failure").await;
    let expected = bridge.items(&sample.arn).await;
    for events in [1, 2, 7] {
        let bridge = Bridge::new().await;
        bridge
            .step_functions
            .tell(&sample.arn, sample.history.clone());
        bridge.step_functions.page(events);
        bridge.follow(sample.last()).await.expect("imported");
        assert_eq!(bridge.items(&sample.arn).await, expected);
        let requests = bridge.step_functions.requests();
        assert_eq!(requests.len(), sample.history.len().div_ceil(events));
        assert_eq!(requests[0]["maxResults"], 1_000);
    }
}

#[tokio::test]
async fn a_run_begins_with_one_write_and_without_a_question() {
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
async fn what_is_too_large_for_an_event_is_read_from_the_history() {
    let bridge = Bridge::new().await;
    let mut sample = Sample::of("success");
    let large = json!({"orderId": "42", "note": "x".repeat(262_000)}).to_string();
    for event in &mut sample.events {
        event["detail"]["input"] = Value::Null;
        event["detail"]["inputDetails"]["included"] = json!(false);
    }
    sample.history[0]["executionStartedEventDetails"]["input"] = json!(large);
    sample.history[1]["stateEnteredEventDetails"]["input"] = json!(large);
    // What Step Functions has cut off is no JSON any more.
    sample.history[4]["lambdaFunctionSucceededEventDetails"]["output"] = json!("{\"orderI");
    sample.history[5]["stateExitedEventDetails"]["output"] = json!("{\"orderI");
    sample.history[5]["stateExitedEventDetails"]["outputDetails"]["truncated"] = json!(true);
    bridge
        .step_functions
        .tell(&sample.arn, sample.history.clone());
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
    let mut sample = Sample::of("map");
    let mut events = sample.history[..3].to_vec();
    for index in 0..6_200 {
        let id = 4 + 4 * index;
        let iteration = json!({"name": "Each invoice", "index": index});
        let state = json!({"name": "Read", "input": "7", "output": "[7]"});
        let event = |number: i64, previous: i64, kind: &str, details: &str, value: &Value| {
            json!({
                "timestamp": START as f64 / 1_000.0 + f64::from(index) / 100.0, "type": kind,
                "id": i64::from(id) + number, "previousEventId": previous, details: value,
            })
        };
        let id = i64::from(id);
        events.extend([
            event(
                0,
                3,
                "MapIterationStarted",
                "mapIterationStartedEventDetails",
                &iteration,
            ),
            event(
                1,
                id,
                "PassStateEntered",
                "stateEnteredEventDetails",
                &state,
            ),
            event(
                2,
                id + 1,
                "PassStateExited",
                "stateExitedEventDetails",
                &state,
            ),
            event(
                3,
                id + 2,
                "MapIterationSucceeded",
                "mapIterationSucceededEventDetails",
                &iteration,
            ),
        ]);
    }
    let last = events.len() as i64;
    let end = sample.history.len() - 3;
    for (number, mut event) in (0..).zip(sample.history.split_off(end)) {
        event["id"] = json!(last + 1 + number);
        event["previousEventId"] = json!(last + number);
        events.push(event);
    }
    let pages = events.len().div_ceil(1_000);
    bridge.step_functions.tell(&sample.arn, events);
    let last = sample.events.last().expect("an event");
    let imported = bridge.follow(last).await.expect("imported");
    assert_eq!(imported, Imported::Written(6_201));
    assert_eq!(bridge.step_functions.requests().len(), pages);
    assert_eq!(pages, 25);
    let execution = bridge.app.item(&sample.arn).await;
    let summary = json!({"total": 6_201, "passed": 6_201, "failed": 0});
    assert_eq!(execution["stepSummary"], summary);
    let branches: std::collections::BTreeSet<String> = bridge
        .items(&sample.arn)
        .await
        .values()
        .filter_map(|item| item.get("branchExecutionId")?.as_s().ok().cloned())
        .collect();
    assert_eq!(branches.len(), 6_200);
}

#[tokio::test]
async fn step_functions_that_refuses_is_asked_again_and_then_the_event_comes_again() {
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
        bridge
            .step_functions
            .tell(&sample.arn, sample.history.clone());
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
async fn a_history_that_is_behind_its_execution_is_waited_for() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("success");
    bridge
        .step_functions
        .tell(&sample.arn, sample.history.clone());
    bridge.step_functions.plan([Answer::Behind(3)]);
    bridge.follow(sample.last()).await.expect("imported");
    assert_eq!(bridge.app.item(&sample.arn).await["status"], "COMPLETED");
    assert_eq!(bridge.outline(&sample.arn).await.len(), 5);

    let bridge = Bridge::new().await;
    bridge
        .step_functions
        .tell(&sample.arn, sample.history.clone());
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
        "nothing by halves"
    );
    bridge.step_functions.plan([]);
    bridge.follow(sample.last()).await.expect("imported");
    assert_eq!(bridge.outline(&sample.arn).await.len(), 5);
}

#[tokio::test]
async fn an_execution_whose_history_is_gone_ends_without_steps() {
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
async fn a_crash_at_any_write_is_mended_when_the_event_comes_again() {
    let (complete, sample) = Bridge::with("nested-failure").await;
    let expected = complete.items(&sample.arn).await;
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        for event in 0..sample.events.len() {
            for write in 0..2 {
                let bridge = Bridge::new().await;
                bridge
                    .step_functions
                    .tell(&sample.arn, sample.history.clone());
                for before in &sample.events[..event] {
                    bridge.follow(before).await.expect("imported");
                }
                let operations = &["BatchWriteItem", "PutItem"];
                let (faulty, client) = Faulty::client(bridge.app.store.client(), operations);
                faulty.plan(std::iter::repeat_n(Fault::None, write).chain([fault]));
                let importer = bridge.importer_over(&client);
                let change = StatusChange::of(&sample.events[event].to_string());
                let change = change.expect("a change");
                tokio::select! {
                    _ = importer.follow(&change) => panic!("it crashes"),
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
async fn a_table_that_takes_a_part_is_given_the_rest() {
    let (complete, sample) = Bridge::with("map").await;
    let bridge = Bridge::new().await;
    bridge
        .step_functions
        .tell(&sample.arn, sample.history.clone());
    let (faulty, client) = Faulty::client(bridge.app.store.client(), &["BatchWriteItem"]);
    faulty.plan([Fault::Unprocessed, Fault::Throttled]);
    let change = StatusChange::of(&sample.last().to_string()).expect("a change");
    let imported = bridge.importer_over(&client).follow(&change).await;
    assert_eq!(imported.expect("imported"), Imported::Written(7));
    let items = bridge.items(&sample.arn).await;
    assert_eq!(items, complete.items(&sample.arn).await);
}

#[tokio::test]
async fn a_run_that_was_cancelled_here_stays_so_and_has_the_steps_that_ran() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("success");
    bridge
        .step_functions
        .tell(&sample.arn, sample.history.clone());
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
async fn an_event_that_is_nonsense_is_refused_and_writes_nothing() {
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

#[tokio::test]
async fn a_history_with_gaps_cycles_and_what_nobody_knows_keeps_every_state() {
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
        bridge.step_functions.tell(&sample.arn, history);
        let imported = bridge.follow(sample.last()).await.expect("imported");
        let written = [Imported::Written(entered), Imported::EndedBefore];
        assert!(written.contains(&imported), "{gap}: {imported:?}");
    }
    let mut cycles = sample.history.clone();
    for event in &mut cycles {
        event["previousEventId"] = json!(last as i64 + 1 - event["id"].as_i64().expect("an id"));
    }
    let other = Bridge::new().await;
    other.step_functions.tell(&sample.arn, cycles.clone());
    let imported = other.follow(sample.last()).await.expect("imported");
    assert_eq!(imported, Imported::Written(states(&cycles)));
}

/// The binary, with the Step Functions of a bridge.
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
async fn the_lambda_binary_imports_its_event_and_the_end_of_another_execution() {
    let bridge = Bridge::new().await;
    let sample = Sample::of("success");
    bridge
        .step_functions
        .tell(&sample.arn, sample.history.clone());
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
        "the queue hands it over again"
    );
    assert_eq!(lines[0]["message"], "not imported");
}
