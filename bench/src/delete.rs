//! The deletion of a flow: the time until the answer, and until all its records are gone.

use std::time::{Duration, Instant};

use local::terminal::Failure;
use serde_json::Value;
use shared::config;
use shared::keys;
use shared::model::Item;
use shared::store::Store;

use crate::load::{self, STEPS};
use crate::measure::failure;
use crate::report::{Figure, Line, Unit};
use crate::server::Server;
use crate::table::TableLocation;

const NAME: &str = "delete";

const FLOW: &str = "deleted-flow";

/// The target for the time until the answer, in milliseconds.
const ANSWER_MS: f64 = 20_000.0;

/// How long the deletion may take before the remaining records count as left.
const DEADLINE: Duration = Duration::from_secs(600);

/// The interval between checks for remaining records.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Measures the deletion of a flow with a number of executions of [`STEPS`] steps each.
///
/// # Errors
/// Returns an error if a request of the table or the server fails.
pub async fn run(place: &TableLocation, executions: u64) -> Result<Vec<Line>, Failure> {
    let table = place.create(NAME).await?;
    load::load_with_steps(&table.open().await?, executions, Some(FLOW)).await?;
    let server = Server::start(&table)?;
    let begin = Instant::now();
    let url = format!("{}/api/history/executions/flows/{FLOW}", server.url);
    let answer = ureq::delete(&url)
        .header("Authorization", format!("Bearer {}", server.token))
        .call();
    let answer = answer.map_err(failure)?.into_body().read_to_string();
    let answered = begin.elapsed();
    let _: Value = serde_json::from_str(&answer.map_err(failure)?).map_err(failure)?;
    let client = config::client(Some(&server.table_url)).await;
    let store = Store::new(client, &table.name);
    let mut left = count_left(&store).await?;
    while left > 0 && begin.elapsed() < DEADLINE {
        tokio::time::sleep(CHECK_INTERVAL).await;
        left = count_left(&store).await?;
    }
    let gone = begin.elapsed();
    drop(server);
    table.remove().await?;
    let work = format!("a flow of {executions} runs of {STEPS} steps");
    Ok(vec![
        Line::new(NAME, format!("{work}: answered"), Figure::time(answered)).at_most(ANSWER_MS),
        Line::new(NAME, format!("{work}: all gone"), Figure::time(gone)),
        Line::new(
            NAME,
            "records left",
            Figure::new(left as f64, Unit::Records),
        )
        .at_most(0.0),
    ])
}

/// Counts the records of runs in the first page of the table that has any.
async fn count_left(store: &Store) -> Result<usize, Failure> {
    let of_runs = |item: &&Item| {
        let pk = item.get("pk").and_then(|pk| pk.as_s().ok());
        pk.is_some_and(|pk| pk.starts_with(keys::EXECUTION_PREFIX))
    };
    let mut pages = store.scan();
    while let Some(items) = pages.next().await? {
        let found = items.iter().filter(of_runs).count();
        if found > 0 {
            return Ok(found);
        }
    }
    Ok(0)
}
