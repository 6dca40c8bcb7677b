//! The deletion of a flow: how soon it is answered, and that all of it goes.

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
use crate::table::Place;

const NAME: &str = "delete";

const FLOW: &str = "deleted-flow";

/// How soon the answer has to be there, in milliseconds.
const ANSWER_MS: f64 = 20_000.0;

/// How long the rest may take before it counts as left.
const DEADLINE: Duration = Duration::from_secs(600);

/// How often it is looked whether it is gone.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Deletes a flow of so many executions of [`STEPS`] steps.
///
/// # Errors
/// Those of the table and of the server.
pub async fn run(place: &Place, executions: u64) -> Result<Vec<Line>, Failure> {
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
    let mut left = some_left(&store).await?;
    while left > 0 && begin.elapsed() < DEADLINE {
        tokio::time::sleep(LOOK_EVERY).await;
        left = some_left(&store).await?;
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
            "what is left of it",
            Figure::new(left as f64, Unit::Records),
        )
        .at_most(0.0),
    ])
}

/// How many records of runs a page of the table has, of the first page that has any.
async fn some_left(store: &Store) -> Result<usize, Failure> {
    let mut start = None;
    loop {
        let page = store.scan(start).await?;
        let of_runs = |item: &&Item| {
            let pk = item.get("pk").and_then(|pk| pk.as_s().ok());
            pk.is_some_and(|pk| pk.starts_with(keys::EXECUTION_PREFIX))
        };
        let found = page.items.iter().filter(of_runs).count();
        start = page.last_key;
        if found > 0 || start.is_none() {
            return Ok(found);
        }
    }
}
