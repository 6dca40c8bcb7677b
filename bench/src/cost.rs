//! What a million executions, and a million answers, cost at DynamoDB, from the
//! capacity units that one takes.

use local::embedded::Embedded;
use local::follow::Follower;
use local::terminal::Failure;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use shared::Error;
use shared::model::Timestamp;
use shared::store::{Store, Usage, key};
use shared::table::{self, text};

use crate::load::{self, STEPS};
use crate::measure::{Api, failure};
use crate::table::TABLE;

/// Dollars for a million write units, and for a million read units: DynamoDB on
/// demand in us-east-1, in 2026.
const WRITE_PRICE: f64 = 0.625;
const READ_PRICE: f64 = 0.125;

/// How many executions are written.
const EXECUTIONS: u64 = 1_000;

/// How many of them are counted one by one, as where little happens.
const LONE: u64 = 100;

/// What is asked for, each with its name.
const READS: [(&str, &str); 5] = [
    ("details of an execution, 8 steps", DETAILS),
    (
        "list of a flow, 50",
        "/flow-executions?flowDefinitionId=flow-07&limit=50",
    ),
    (
        "page of the team with its total, 50",
        "/api/executions/team/default?size=50",
    ),
    (
        "history of the team with steps, 50",
        "/api/history/executions?limit=50",
    ),
    ("statistics of 30 days", "/api/history/execution-stats"),
];

const DETAILS: &str = "/flow-executions/run-000000000001";

/// Writes, counts and reads, and prints a table of what it took.
///
/// # Errors
/// The table cannot be made, or a request fails.
pub async fn run() -> Result<(), Failure> {
    let embedded = Embedded::in_memory().map_err(failure)?;
    table::create(&embedded.client(), TABLE).await?;
    let store = Store::new(embedded.client(), TABLE);
    let mut random = StdRng::seed_from_u64(EXECUTIONS);
    let now = Timestamp::now().milliseconds();
    let (mut begun, mut stepped, mut ended) = Default::default();
    let counting = Store::new(embedded.client(), TABLE);
    let mut follower = Follower::counting(embedded.streams_client(), counting.clone());
    let mut counted_alone = Usage::default();
    for number in 0..EXECUTIONS {
        let execution = load::execution(&mut random, number, now);
        write(&store, &execution, [&mut begun, &mut stepped, &mut ended]).await?;
        if number < LONE {
            follower.drain(|_| ()).await?;
            counted_alone = counting.usage();
        }
    }
    follower.drain(|_| ()).await?;
    let counted_together = counting.usage().since(counted_alone);

    println!("| each | requests | read units | write units | a million, $ |");
    println!("| --- | --- | --- | --- | --- |");
    let writes = [
        ("an execution begins", begun, EXECUTIONS),
        ("its 8 steps, each once it has ended", stepped, EXECUTIONS),
        ("it ends", ended, EXECUTIONS),
        (
            "it is counted, and found by its label, where they come one by one",
            counted_alone,
            LONE,
        ),
        (
            "it is counted, and found by its label, where they come by the hundred",
            counted_together,
            EXECUTIONS - LONE,
        ),
    ];
    for (name, usage, times) in writes {
        print(name, usage, times, 0.0, usage.capacity_units);
    }
    let api = Api::new(&embedded.client(), TABLE).await?;
    // The first answer also finds out how the team masks.
    api.ask(DETAILS).await?;
    for (name, path) in READS {
        let usage = api.ask(path).await?;
        print(name, usage, 1, usage.capacity_units, 0.0);
    }
    Ok(())
}

fn print(name: &str, usage: Usage, times: u64, read: f64, written: f64) {
    let each = |figure: f64| figure / times as f64;
    println!(
        "| {name} | {:.2} | {:.2} | {:.2} | {:.2} |",
        each(usage.requests as f64),
        each(read),
        each(written),
        each(read * READ_PRICE + written * WRITE_PRICE),
    );
}

/// Writes an execution as an engine does: when it begins, each step, when it ends.
async fn write(
    store: &Store,
    execution: &Value,
    [begun, stepped, ended]: [&mut Usage; 3],
) -> Result<(), Failure> {
    let mut running = execution.clone();
    running["status"] = json!("RUNNING");
    if let Some(members) = running.as_object_mut() {
        members.remove("endTime");
        members.remove("durationMs");
    }
    let item = |record| serde_dynamo::to_item(record).map_err(Error::internal);
    let mut last = store.usage();
    let mut add = |to: &mut Usage| {
        let now = store.usage();
        let more = now.since(last);
        last = now;
        to.requests += more.requests;
        to.capacity_units += more.capacity_units;
    };
    store.put(item(running)?).await?;
    add(begun);
    for step in 0..STEPS {
        store.put(item(load::step_of(execution, step))?).await?;
    }
    add(stepped);
    let attribute = |name: &str| text(execution[name].as_str().unwrap_or_default());
    let pk = execution["pk"].as_str().unwrap_or_default();
    let update = aws_sdk_dynamodb::types::Update::builder()
        .table_name(store.table())
        .set_key(Some(key(pk, "EXECUTION")))
        .update_expression("SET #status = :status, endTime = :end")
        .condition_expression("#status = :running")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":status", attribute("status"))
        .expression_attribute_values(":end", attribute("startTime"))
        .expression_attribute_values(":running", text("RUNNING"))
        .build();
    store.update(update.map_err(Error::internal)?).await?;
    add(ended);
    Ok(())
}
