//! How many changes the consumer of the table's stream counts, as many as one processor
//! can: in a process of its own, so that what DynamoDB does is not counted with it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use local::follow::Follower;
use local::terminal::Failure;
use shared::config;
use shared::store::Store;

use crate::load;
use crate::measure::{failure, processor_time};
use crate::report::{Figure, Line, Unit};
use crate::table::{Place, serve_wire};

const NAME: &str = "consumer";

/// How long the runs have come in. A stream is followed while things happen, so what it
/// tells lies close together.
const WITHIN: Duration = Duration::from_secs(60);

/// Counts the stream of a table from another process, and prints the changes and the
/// milliseconds that it was busy.
///
/// # Errors
/// Those of the table.
pub async fn consume(endpoint_url: &str, table: &str) -> Result<(), Failure> {
    let config = config::sdk_config(Some(endpoint_url)).await;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&config), table);
    let streams = aws_sdk_dynamodbstreams::Client::new(&config);
    let mut follower = Follower::counting(streams, store);
    follower.drain(|_| ()).await?;
    let busy = processor_time(std::process::id()).unwrap_or_default();
    println!("{} {}", follower.applied().changes, busy.as_millis());
    Ok(())
}

/// Counts so many new runs.
///
/// # Errors
/// Those of the table, and of the process.
pub async fn run(place: &Place, executions: u64) -> Result<Vec<Line>, Failure> {
    let table = place.create(NAME).await?;
    let open = table.open().await?;
    load::load(&open, executions, WITHIN).await?;
    let url = match (open.embedded(), &table.endpoint_url) {
        (Some(embedded), _) => serve_wire(embedded.clone()).await?,
        (None, Some(url)) => url.clone(),
        (None, None) => return Err(Failure("a table is nowhere".to_owned())),
    };
    let mut consumer = Command::new(std::env::current_exe().map_err(failure)?);
    consumer
        .args(["consume", &url, &table.name])
        .stderr(Stdio::inherit());
    let begin = Instant::now();
    let output = tokio::task::spawn_blocking(move || consumer.output()).await;
    let took = begin.elapsed();
    let output = output.map_err(failure)?.map_err(failure)?;
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let (changes, busy) = figures(&output).ok_or(Failure("the consumer has failed".to_owned()))?;
    drop(open);
    table.remove().await?;
    let rate = |time: Duration| Figure::new(changes as f64 / time.as_secs_f64(), Unit::PerSecond);
    Ok(vec![
        Line::new(
            NAME,
            format!("{changes} changes counted by one processor"),
            rate(busy),
        )
        .at_least(5_000.0),
        Line::new(NAME, "the same with the engine on this machine", rate(took)),
    ])
}

fn figures(output: &str) -> Option<(u64, Duration)> {
    let (changes, busy) = output.trim().split_once(' ')?;
    Some((
        changes.parse().ok()?,
        Duration::from_millis(busy.parse().ok()?),
    ))
}
