//! The requests, write units and time of a run of eight steps with the writer crate, compared with
//! two ways to write the same records with the bare SDK: in as few requests as DynamoDB allows,
//! and with one request for each record.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, PutRequest, ReturnConsumedCapacity, WriteRequest};
use local::embedded::Embedded;
use local::terminal::Failure;
use serde_json::{Value, json};
use shared::attributes::text;
use shared::keys::{self, key};
use shared::model::{ExecutionId, Item, Status, StepStatus, Timestamp};
use shared::record::{ExecutionRecord, Payload, StepPosition, StepRecord};
use shared::table;
use writer::{NewRun, NewStep, Writer};

use crate::load::STEPS;
use crate::measure::failure;
use crate::table::TABLE;

/// The number of concurrent runs.
const CONCURRENT_RUNS: usize = 16;

/// How often each way is measured, in turns.
const ROUNDS: usize = 5;

/// Counts the requests of a client, and the write units that DynamoDB reports for them.
#[derive(Debug, Clone, Default)]
struct Meter {
    requests: Arc<AtomicU64>,
    /// Tenths of write units.
    units: Arc<AtomicU64>,
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let total = Some(ReturnConsumedCapacity::Total);
        let input = context.input_mut();
        if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = total;
        } else if let Some(update) = input.downcast_mut::<UpdateItemInput>() {
            update.return_consumed_capacity = total;
        } else if let Some(batch) = input.downcast_mut::<BatchWriteItemInput>() {
            batch.return_consumed_capacity = total;
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error() else {
            return Ok(());
        };
        let capacity = if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            put.consumed_capacity()
        } else if let Some(update) = output.downcast_ref::<UpdateItemOutput>() {
            update.consumed_capacity()
        } else {
            let batch = output.downcast_ref::<BatchWriteItemOutput>();
            batch.and_then(|batch| batch.consumed_capacity().first())
        };
        let units = capacity.and_then(ConsumedCapacity::capacity_units);
        let tenths = (units.unwrap_or_default() * 10.0) as u64;
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.units.fetch_add(tenths, Ordering::Relaxed);
        Ok(())
    }
}

/// A way to write a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Least,
    Writer,
    OneByOne,
}

const WAYS: [(Way, &str); 3] = [
    (Way::Least, "bare SDK, fewest requests"),
    (Way::Writer, "writer"),
    (Way::OneByOne, "bare SDK, a request per record"),
];

/// Measures all ways, and prints a table.
///
/// # Errors
/// Returns an error if the table cannot be created or a request fails.
pub async fn run(runs: u32) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(failure)?;
    let embedded = Embedded::open(&folder.path().join("table.db")).map_err(failure)?;
    table::create(&embedded.client(), TABLE).await?;
    let mut seconds = [const { Vec::new() }; WAYS.len()];
    let meters = WAYS.map(|_| Meter::default());
    for _ in 0..ROUNDS {
        for (position, (way, _)) in WAYS.iter().enumerate() {
            let config = embedded.client().config().to_builder();
            let client = Client::from_conf(config.interceptor(meters[position].clone()).build());
            let begin = Instant::now();
            write_runs(*way, &client, runs).await?;
            seconds[position].push(begin.elapsed().as_secs_f64());
        }
    }
    let all = f64::from(runs) * ROUNDS as f64;
    println!("{STEPS} steps per run, {CONCURRENT_RUNS} concurrent runs, {all} runs each");
    println!("| | requests per run | write units per run | runs per second | ratio |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let median = |values: &Vec<f64>| {
        let mut values = values.clone();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let least = median(&seconds[0]);
    for (position, (_, name)) in WAYS.iter().enumerate() {
        let requests = meters[position].requests.load(Ordering::Relaxed) as f64 / all;
        let units = meters[position].units.load(Ordering::Relaxed) as f64 / 10.0 / all;
        let took = median(&seconds[position]);
        let per_second = f64::from(runs) / took;
        let ratio = least / took;
        println!("| {name} | {requests:.2} | {units:.1} | {per_second:.0} | {ratio:.2} |");
    }
    Ok(())
}

async fn write_runs(way: Way, client: &Client, runs: u32) -> Result<(), Failure> {
    let writer = (way == Way::Writer).then(|| Writer::new(client.clone(), TABLE));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..runs {
        if tasks.len() == CONCURRENT_RUNS
            && let Some(ended) = tasks.join_next().await
        {
            ended.map_err(failure)??;
        }
        let client = client.clone();
        match writer.clone() {
            Some(writer) => tasks.spawn(async move { write_with_writer(&writer).await }),
            None => tasks.spawn(async move { write_with_sdk(way, &client).await }),
        };
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(failure)??;
    }
    Ok(())
}

fn input() -> Value {
    json!({"orderId": 42, "items": ["A", "B"], "note": "leave it at the door"})
}

async fn write_with_writer(writer: &Writer) -> Result<(), Failure> {
    let run = writer.start(NewRun::new("order-pipeline")).await;
    let run = run.map_err(failure)?;
    for number in 0..STEPS {
        let new = NewStep::new(format!("step-{number}")).input(&input());
        let mut step = run.start_step(new).await.map_err(failure)?;
        step.complete_with(&input()).await.map_err(failure)?;
    }
    match run.complete().await.map_err(failure)? {
        writer::Outcome::Written => Ok(()),
        writer::Outcome::Ended(ended) => {
            Err(Failure(format!("the run had already ended: {ended}")))
        }
    }
}

/// Writes the same records as the writer, with the bare SDK.
async fn write_with_sdk(way: Way, client: &Client) -> Result<(), Failure> {
    let id: ExecutionId = uuid::Uuid::now_v7().to_string().parse().map_err(failure)?;
    let now = Timestamp::now();
    put_run(client, &id, now).await?;
    let steps = step_items(&id, now)?;
    if way == Way::OneByOne {
        for item in steps.into_iter().flatten() {
            let put = client.put_item().table_name(TABLE).set_item(Some(item));
            put.send().await.map_err(failure)?;
        }
    } else {
        let ended = steps.into_iter().map(|[_, ended]| ended);
        put_all(client, ended.collect()).await?;
    }
    complete_run(client, &id, now).await
}

async fn put_run(client: &Client, id: &ExecutionId, now: Timestamp) -> Result<(), Failure> {
    let mut run = ExecutionRecord::new(
        id.clone(),
        "default".parse().map_err(failure)?,
        "order-pipeline".parse().map_err(failure)?,
        now,
        Status::Running,
    );
    run.start_time = Some(now);
    let put = client
        .put_item()
        .table_name(TABLE)
        .set_item(Some(run.item()?));
    let put = put.condition_expression("attribute_not_exists(pk)");
    put.send().await.map_err(failure)?;
    Ok(())
}

/// Builds the items of each step: at its start and at its end.
fn step_items(id: &ExecutionId, now: Timestamp) -> Result<Vec<[Item; 2]>, Failure> {
    let mut items = Vec::new();
    for number in 0..STEPS {
        let step_id = uuid::Uuid::now_v7().to_string().parse().map_err(failure)?;
        let status = StepStatus::Running;
        let mut step = StepRecord::new(id.clone(), StepPosition::TopLevel, step_id, now, status);
        step.step_id = Some(format!("step-{number}"));
        step.sequence_number = Some(number + 1);
        step.input = Some(Payload::from_value(&input()).map_err(failure)?);
        let started = step.item()?;
        step.status = StepStatus::Completed;
        step.end_time = Some(now);
        step.output = step.input.clone();
        items.push([started, step.item()?]);
    }
    Ok(items)
}

async fn complete_run(client: &Client, id: &ExecutionId, now: Timestamp) -> Result<(), Failure> {
    let summary = json!({"total": STEPS, "passed": STEPS, "failed": 0});
    let summary = serde_dynamo::to_attribute_value(summary).map_err(failure)?;
    client
        .update_item()
        .table_name(TABLE)
        .set_key(Some(key(keys::execution_partition(id), keys::EXECUTION)))
        .update_expression(
            "SET #status = :completed, endTime = :now, durationMs = :zero, stepSummary = :summary",
        )
        .condition_expression("teamId = :team AND #status IN (:pending, :running)")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":team", text("default"))
        .expression_attribute_values(":pending", text("PENDING"))
        .expression_attribute_values(":running", text("RUNNING"))
        .expression_attribute_values(":completed", text("COMPLETED"))
        .expression_attribute_values(":now", text(now.to_string()))
        .expression_attribute_values(
            ":zero",
            serde_dynamo::to_attribute_value(0).map_err(failure)?,
        )
        .expression_attribute_values(":summary", summary)
        .send()
        .await
        .map_err(failure)?;
    Ok(())
}

async fn put_all(client: &Client, items: Vec<Item>) -> Result<(), Failure> {
    let requests = items.into_iter().map(|item| {
        let put = PutRequest::builder()
            .set_item(Some(item))
            .build()
            .map_err(failure)?;
        Ok(WriteRequest::builder().put_request(put).build())
    });
    let requests = requests.collect::<Result<_, Failure>>()?;
    let batch = client.batch_write_item().request_items(TABLE, requests);
    batch.send().await.map_err(failure)?;
    Ok(())
}
