//! Fills a table with executions, and counts them.

use std::time::Duration;

use local::terminal::{Failure, progress_bar};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use shared::model::Timestamp;

use crate::table::OpenTable;

/// The team of the executions.
pub const TEAM: &str = "default";

/// How many items are imported in a transaction.
const ITEMS_PER_IMPORT: u64 = 5_000;

/// The number of steps of an execution with steps.
pub const STEPS: u64 = 8;

/// Thirty days.
pub const MONTH: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A period that ends now, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    begin: i64,
    length: f64,
}

impl Time {
    /// Creates a period of a length that ends now.
    pub fn until_now(length: Duration) -> Self {
        let length = length.as_millis() as i64;
        Self {
            begin: Timestamp::now().milliseconds() - length,
            length: length as f64,
        }
    }

    /// The time of the n-th of `of` runs that are spread evenly, in milliseconds since 1970.
    pub fn at(self, number: u64, of: u64) -> i64 {
        self.begin + (number as f64 / of as f64 * self.length) as i64
    }
}

/// Writes a number of executions, spread evenly over a period that ends now.
///
/// # Errors
/// Returns an error if a request of the table fails.
pub async fn load(table: &OpenTable, executions: u64, within: Duration) -> Result<(), Failure> {
    let mut random = StdRng::seed_from_u64(executions);
    let bar = progress_bar("Loading", executions, "executions");
    let time = Time::until_now(within);
    for first in (0..executions).step_by(ITEMS_PER_IMPORT as usize) {
        let numbers = first..executions.min(first + ITEMS_PER_IMPORT);
        let created = |number| time.at(number, executions);
        let items = numbers.map(|number| execution(&mut random, number, created(number)));
        table.import(items.collect(), false).await?;
        bar.inc(ITEMS_PER_IMPORT);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Writes a number of executions over [`MONTH`], and counts them from the table's stream.
///
/// # Errors
/// Returns an error if a request of the table fails.
pub async fn load_and_count(table: &OpenTable, executions: u64) -> Result<(), Failure> {
    load(table, executions, MONTH).await?;
    let bar = progress_bar("Counting", executions, "executions");
    let mut follower = table.follower();
    follower.drain(|records| bar.inc(records as u64)).await?;
    bar.finish_and_clear();
    Ok(())
}

/// Writes a number of executions with [`STEPS`] steps each, all of one flow if `flow` is set.
/// They are not counted if the table is embedded.
///
/// # Errors
/// Returns an error if a request of the table fails.
pub async fn load_with_steps(
    table: &OpenTable,
    executions: u64,
    flow: Option<&str>,
) -> Result<(), Failure> {
    let mut random = StdRng::seed_from_u64(executions);
    let bar = progress_bar("Loading", executions, "executions");
    let time = Time::until_now(MONTH);
    let at_once = ITEMS_PER_IMPORT / (STEPS + 1);
    for first in (0..executions).step_by(at_once as usize) {
        let numbers = first..executions.min(first + at_once);
        let items = numbers.flat_map(|number| {
            let mut execution = execution(&mut random, number, time.at(number, executions));
            if let Some(flow) = flow {
                execution["flowId"] = flow.into();
            }
            let steps: Vec<_> = (0..STEPS).map(|step| step_of(&execution, step)).collect();
            steps.into_iter().chain([execution])
        });
        table.import(items.collect(), true).await?;
        bar.inc(at_once);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Builds the n-th step of an execution.
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

/// Builds the n-th execution, created at a time in milliseconds since 1970. It has one of 20
/// flows, and one of 50 devices or none.
pub fn execution(random: &mut StdRng, number: u64, created: i64) -> Value {
    let moment = |offset: i64| {
        let moment = Timestamp::from_milliseconds(created + offset);
        moment.unwrap_or_else(Timestamp::now).to_string()
    };
    let flow = random.random_range(0..20);
    let duration = (random.random_range(2.0_f64..5.0).exp() * 20.0) as i64;
    let status = random_status(random);
    let mut record = json!({
        "pk": format!("EXEC#run-{number:012}"),
        "sk": "EXECUTION",
        "executionId": format!("run-{number:012}"),
        "teamId": TEAM,
        "flowId": format!("flow-{flow:02}"),
        "flowName": format!("Flow number {flow}"),
        "flowVersion": 3,
        "executionType": "PARENT",
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
    if random.random_range(0..10) == 0 {
        record["executionType"] = "SUBFLOW".into();
        record["parentExecutionId"] = format!("run-{:012}", number.saturating_sub(1)).into();
    }
    if random.random_range(0..2) == 0 {
        record["deviceId"] = format!("device-{:02}", random.random_range(0..50)).into();
    }
    record
}

fn random_status(random: &mut StdRng) -> &'static str {
    match random.random_range(0..100) {
        0..85 => "COMPLETED",
        85..96 => "FAILED",
        96..99 => "CANCELLED",
        _ => "RUNNING",
    }
}
