//! Filling a table with executions, past the SDK, and counting them.

use std::time::{Duration, Instant};

use local::embedded::Embedded;
use local::follow::Follower;
use local::terminal::{Failure, progress_bar};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use shared::model::Timestamp;
use shared::store::Store;

use crate::measure::failure;

/// The table's name in each file.
pub const TABLE: &str = "flowtrail";

/// The team of all executions.
pub const TEAM: &str = "default";

/// How many items are imported in one transaction.
const ITEMS_AT_ONCE: u64 = 5_000;

/// How many steps an execution has where it has any.
pub const STEPS: u64 = 8;

const DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// What filling a table has taken.
pub struct Loaded {
    pub loading: Duration,
    pub counting: Duration,
    /// Changes that have moved the counters.
    pub counted: usize,
    pub transactions: usize,
}

/// Makes a table with so many executions, spread evenly over the last 30 days,
/// and counts them from its stream.
pub async fn load(embedded: &Embedded, executions: u64) -> Result<Loaded, Failure> {
    let client = embedded.client();
    shared::table::create(&client, TABLE).await?;
    let mut random = StdRng::seed_from_u64(executions);
    let begin = Instant::now();
    let bar = progress_bar("Loading", executions, "executions");
    let now = Timestamp::now().milliseconds();
    for first in (0..executions).step_by(ITEMS_AT_ONCE as usize) {
        let items = (first..executions.min(first + ITEMS_AT_ONCE))
            .map(|number| execution(&mut random, number, executions, now))
            .collect();
        let imported = embedded.import(TABLE, items).await;
        imported.map_err(failure)?;
        bar.inc(ITEMS_AT_ONCE);
    }
    bar.finish_and_clear();
    let loading = begin.elapsed();

    let begin = Instant::now();
    let bar = progress_bar("Counting", executions, "executions");
    let store = Store::new(client, TABLE);
    let mut follower = Follower::counting(embedded.streams_client(), store);
    follower.drain(|records| bar.inc(records as u64)).await?;
    bar.finish_and_clear();
    let applied = follower.applied();
    Ok(Loaded {
        loading,
        counting: begin.elapsed(),
        counted: applied.changes,
        transactions: applied.transactions,
    })
}

/// Makes a table with so many executions of [`STEPS`] steps each. Nothing counts
/// them, so they leave no records in the stream.
pub async fn load_with_steps(embedded: &Embedded, executions: u64) -> Result<(), Failure> {
    shared::table::create(&embedded.client(), TABLE).await?;
    let mut random = StdRng::seed_from_u64(executions);
    let bar = progress_bar("Loading", executions, "executions");
    let now = Timestamp::now().milliseconds();
    let at_once = ITEMS_AT_ONCE / (STEPS + 1);
    for first in (0..executions).step_by(at_once as usize) {
        let numbers = first..executions.min(first + at_once);
        let items = numbers.flat_map(|number| {
            let execution = execution(&mut random, number, executions, now);
            let steps: Vec<_> = (0..STEPS).map(|step| step_of(&execution, step)).collect();
            steps.into_iter().chain([execution])
        });
        let imported = embedded.import_silently(TABLE, items.collect()).await;
        imported.map_err(failure)?;
        bar.inc(at_once);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The n-th step of an execution.
pub fn step_of(execution: &Value, number: u64) -> Value {
    let start = execution["startTime"].as_str().unwrap_or_default();
    let is_last = number + 1 == STEPS;
    let failed = is_last && execution["status"] == "FAILED";
    json!({
        "pk": execution["pk"],
        "sk": format!("STEP#{start}#step-{number}"),
        "stepInstanceId": format!("step-{number}"),
        "stepId": format!("definition-{number}"),
        "stepName": format!("Step number {number}"),
        "stepType": "HTTP_REQUEST",
        "sequenceNumber": number,
        "status": if failed { "FAILED" } else { "COMPLETED" },
        "startTime": start,
        "endTime": start,
        "durationMs": 120,
        "retryCount": 0,
        "errorMessage": if failed { json!("The server answered 503 to customer@example.com") } else { Value::Null },
        "input": {"orderId": number, "items": ["A", "B", "C"]},
        "output": {"accepted": true, "total": 129.5},
    })
}

/// The n-th execution of all: of one of 20 flows, on one of 50 devices or none.
pub fn execution(random: &mut StdRng, number: u64, of: u64, now: i64) -> Value {
    let created = now - DAYS * DAY_MS + (number as f64 / of as f64 * (DAYS * DAY_MS) as f64) as i64;
    let moment = |offset: i64| {
        let moment = Timestamp::from_milliseconds(created + offset);
        moment.unwrap_or_else(Timestamp::now).to_string()
    };
    let flow = random.random_range(0..20);
    let duration = (random.random_range(2.0_f64..5.0).exp() * 20.0) as i64;
    let status = match random.random_range(0..100) {
        0..85 => "COMPLETED",
        85..96 => "FAILED",
        96..99 => "CANCELLED",
        _ => "RUNNING",
    };
    let mut record = json!({
        "pk": format!("EXEC#run-{number:012}"),
        "sk": "EXECUTION",
        "executionId": format!("run-{number:012}"),
        "teamId": TEAM,
        "flowId": format!("flow-{flow:02}"),
        "flowName": format!("Flow number {flow}"),
        "flowVersion": 3,
        "executionType": if random.random_range(0..10) == 0 { "SUBFLOW" } else { "PARENT" },
        "trigger": "WEBHOOK",
        "createdAt": moment(0),
        "startTime": moment(40),
        "status": status,
        "labels": {"orderId": number.to_string()},
        "stepSummary": {"total": 8, "passed": 8, "failed": 0},
    });
    if status != "RUNNING" {
        record["endTime"] = moment(40 + duration).into();
        record["durationMs"] = duration.into();
    }
    if random.random_range(0..2) == 0 {
        record["deviceId"] = format!("device-{:02}", random.random_range(0..50)).into();
    }
    record
}
