//! The cost of a million executions and of a million answers in DynamoDB, calculated from their
//! capacity units.

use local::embedded::Embedded;
use local::follow::Follower;
use local::terminal::Failure;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use shared::attributes::text;
use shared::model::Timestamp;
use shared::store::{Condition, Store, Update, Usage};
use shared::{Error, table};

use crate::load::{self, STEPS, TEAM};
use crate::measure::{Api, failure};
use crate::table::TABLE;

/// The price of a million write units, in dollars: DynamoDB on demand in us-east-1, in 2026.
const WRITE_PRICE: f64 = 0.625;

/// The price of a million read units, in dollars, with the same billing.
const READ_PRICE: f64 = 0.125;

/// The number of executions.
const EXECUTIONS: u64 = 1_000;

/// How many of them are counted one by one, as in a table with few executions.
const LONE: u64 = 100;

/// The measured requests, with their names.
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

/// The usage of DynamoDB for all executions.
#[derive(Default)]
struct WriteUsage {
    /// For the starts.
    started: Usage,
    /// For the steps.
    stepped: Usage,
    /// For the ends.
    ended: Usage,
    /// For the consumers, for [`LONE`] executions that are counted one by one.
    counted_alone: Usage,
    /// For the consumers, for all other executions.
    counted_together: Usage,
}

/// Writes, counts and reads executions, and prints a table of their costs.
///
/// # Errors
/// Returns an error if the table cannot be created or a request fails.
pub async fn run() -> Result<(), Failure> {
    let embedded = Embedded::in_memory().map_err(failure)?;
    table::create(&embedded.client(), TABLE).await?;
    let usage = write_and_count(&embedded).await?;
    println!("| operation | requests | read units | write units | per million, $ |");
    println!("| --- | --- | --- | --- | --- |");
    print_writes(&usage);
    let api = Api::new(&embedded.client(), TABLE).await?;
    // The first request also reads the team's masking settings.
    api.ask(DETAILS).await?;
    for (name, path) in READS {
        let usage = api.ask(path).await?;
        print(name, usage, 1, usage.capacity_units, 0.0);
    }
    Ok(())
}

/// Writes the executions and runs the consumers of the stream.
async fn write_and_count(embedded: &Embedded) -> Result<WriteUsage, Failure> {
    let store = Store::new(embedded.client(), TABLE);
    let mut random = StdRng::seed_from_u64(EXECUTIONS);
    let now = Timestamp::now().milliseconds();
    let mut usage = WriteUsage::default();
    let counting = Store::new(embedded.client(), TABLE);
    let mut follower = Follower::counting(embedded.streams_client(), counting.clone());
    // The function `count` also writes the entries of the labels.
    let mut labels = Follower::labelling(embedded.streams_client(), counting.clone());
    let mut counted_alone = Usage::default();
    for number in 0..EXECUTIONS {
        let execution = load::execution(&mut random, number, now);
        write(&store, &execution, &mut usage).await?;
        if number < LONE {
            follower.drain(|_| ()).await?;
            labels.drain(|_| ()).await?;
            counted_alone = counting.usage();
        }
    }
    follower.drain(|_| ()).await?;
    labels.drain(|_| ()).await?;
    usage.counted_together = counting.usage().since(counted_alone);
    // On AWS, Lambda stores the position of the labels. Here each batch writes it once.
    usage.counted_alone = Usage {
        requests: counted_alone.requests.saturating_sub(LONE),
        capacity_units: counted_alone.capacity_units - LONE as f64,
        ..counted_alone
    };
    Ok(usage)
}

fn print_writes(usage: &WriteUsage) {
    let lines = [
        ("an execution starts", usage.started, EXECUTIONS),
        (
            "its 8 steps, each written at its end",
            usage.stepped,
            EXECUTIONS,
        ),
        ("it ends", usage.ended, EXECUTIONS),
        (
            "it is counted and indexed by its label, one by one",
            usage.counted_alone,
            LONE,
        ),
        (
            "it is counted and indexed by its label, in hundreds",
            usage.counted_together,
            EXECUTIONS - LONE,
        ),
    ];
    for (name, usage, times) in lines {
        print(name, usage, times, 0.0, usage.capacity_units);
    }
}

/// Prints a line with the averages per operation.
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

/// Writes an execution like an engine: at its start, each step, and at its end.
async fn write(store: &Store, execution: &Value, usage: &mut WriteUsage) -> Result<(), Failure> {
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
    add(&mut usage.started);
    for step in 0..STEPS {
        store.put(item(load::step_of(execution, step))?).await?;
    }
    add(&mut usage.stepped);
    let attribute = |name: &str| text(execution[name].as_str().unwrap_or_default());
    let pk = execution["pk"].as_str().unwrap_or_default();
    let team_id = TEAM.parse().map_err(Error::internal)?;
    let update = Update::new(pk, "EXECUTION")
        .set("status", attribute("status"))
        .set("endTime", attribute("startTime"))
        .only_if(Condition::open(&team_id));
    store.update(update).await?;
    add(&mut usage.ended);
    Ok(())
}
