//! How many changes per second the consumer of the table's stream counts with one processor. It
//! runs in its own process, so that the work of DynamoDB is not included.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use local::follow::Follower;
use local::terminal::Failure;
use shared::config;
use shared::store::Store;

use crate::load;
use crate::measure::{failure, processor_time};
use crate::report::{Figure, Line, Unit};
use crate::table::{TableLocation, serve_wire};

const NAME: &str = "consumer";

/// The time within which the runs are created. A consumer follows the stream continuously, so
/// the changes that it reads are close together in time.
const WITHIN: Duration = Duration::from_secs(60);

/// Counts the stream of another process's table. Prints the number of changes and the
/// processor time in milliseconds.
///
/// # Errors
/// Returns an error if a request of the table fails.
pub async fn consume(endpoint_url: &str, table: &str) -> Result<(), Failure> {
    let config = config::sdk_config(Some(endpoint_url)).await;
    let store = Store::new(aws_sdk_dynamodb::Client::new(&config), table);
    let streams = aws_sdk_dynamodbstreams::Client::new(&config);
    let mut follower = Follower::counting(streams, store);
    follower.drain(|_| ()).await?;
    let busy = processor_time(std::process::id()).unwrap_or_default();
    let applied = follower.applied().unwrap_or_default();
    println!("{} {}", applied.changes, busy.as_millis());
    Ok(())
}

/// Measures how fast a number of new runs is counted.
///
/// # Errors
/// Returns an error if a request of the table, or the consumer, fails.
pub async fn run(place: &TableLocation, executions: u64) -> Result<Vec<Line>, Failure> {
    let table = place.create(NAME).await?;
    let open = table.open().await?;
    load::load(&open, executions, WITHIN).await?;
    let url = match (open.embedded(), &table.endpoint_url) {
        (Some(embedded), _) => serve_wire(embedded.clone()).await?,
        (None, Some(url)) => url.clone(),
        (None, None) => return Err(Failure("the table has no address".to_owned())),
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
    let (changes, busy) = parse_output(&output).ok_or(Failure("the consumer failed".to_owned()))?;
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
        Line::new(
            NAME,
            "the same, with the engine on this machine",
            rate(took),
        ),
    ])
}

fn parse_output(output: &str) -> Option<(u64, Duration)> {
    let (changes, busy) = output.trim().split_once(' ')?;
    Some((
        changes.parse().ok()?,
        Duration::from_millis(busy.parse().ok()?),
    ))
}
