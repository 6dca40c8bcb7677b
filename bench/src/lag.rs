//! The lag of totals and labels behind the runs: while runs with ten labels each are written
//! continuously, and after their flow is deleted.

use std::time::{Duration, Instant};

use local::terminal::Failure;
use serde_json::{Value, json};
use shared::config;
use shared::labels::MAX_SEARCHED_LABELS;
use shared::model::{Item, Timestamp};
use shared::store::Store;

use crate::measure::failure;
use crate::report::{Figure, Line};
use crate::server::Server;
use crate::table::TableLocation;

const NAME: &str = "lag";

const FLOW: &str = "labelled-flow";

/// A label of all runs.
const SHARED: &str = "label0=shared";

/// How many runs start, and how many end, in a batch.
const RUNS_PER_BATCH: u64 = 25;

/// How many runs start per second.
const RUNS_PER_SECOND: u64 = 200;

/// The target for the lag of totals, in milliseconds.
const TOTALS_MS: f64 = 2_000.0;

/// How long to wait for correct totals and labels.
const DEADLINE: Duration = Duration::from_secs(300);

/// The interval between checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The measurements: times are counted from the last write, or from the answer to the deletion.
struct Measured {
    /// Written runs per second.
    rate: f64,
    totals: Duration,
    labels: Duration,
    /// From the request of the deletion to its answer.
    answered: Duration,
    totals_after_deletion: Duration,
    labels_after_deletion: Duration,
}

/// Measures the lag while a number of runs is written, and after they are deleted.
///
/// # Errors
/// Returns an error if a request of the table or the server fails, or if totals or labels are
/// not correct in time.
pub async fn run(place: &TableLocation, runs: u64) -> Result<Vec<Line>, Failure> {
    let table = place.create(NAME).await?;
    drop(table.open().await?);
    let server = Server::start(&table)?;
    let client = config::client(Some(&server.table_url)).await;
    let store = Store::new(client, &table.name);
    let rate = write(&store, runs).await?;
    let written = Instant::now();
    let totals = wait_until(&server, written, runs, count_ended).await?;
    let labels = wait_until(&server, written, runs, count_labelled).await?;
    let begin = Instant::now();
    let url = format!("{}/api/history/executions/flows/{FLOW}", server.url);
    let answer = ureq::delete(&url)
        .header("Authorization", format!("Bearer {}", server.token))
        .call();
    answer.map_err(failure)?;
    let answered = Instant::now();
    let measured = Measured {
        rate,
        totals,
        labels,
        answered: answered - begin,
        totals_after_deletion: wait_until(&server, answered, 0, count_all).await?,
        labels_after_deletion: wait_until(&server, answered, 0, count_labelled).await?,
    };
    drop(server);
    table.remove().await?;
    Ok(lines_of(runs, &measured))
}

fn lines_of(runs: u64, measured: &Measured) -> Vec<Line> {
    let rate = measured.rate;
    let written = format!("{runs} runs of {MAX_SEARCHED_LABELS} labels at {rate:.0} a second");
    let deleted = format!("the deletion of {runs} runs");
    let line = |work: &str, event: &str, time| {
        Line::new(NAME, format!("{work}: {event}"), Figure::time(time))
    };
    vec![
        line(&written, "totals are correct", measured.totals).at_most(TOTALS_MS),
        line(&written, "labels are correct", measured.labels),
        line(&deleted, "answered", measured.answered),
        line(
            &deleted,
            "totals are correct",
            measured.totals_after_deletion,
        )
        .at_most(TOTALS_MS),
        line(
            &deleted,
            "labels are correct",
            measured.labels_after_deletion,
        ),
    ]
}

/// Writes runs at a constant rate: each run starts in one batch and ends in the next. Returns the
/// number of runs per second.
async fn write(store: &Store, runs: u64) -> Result<f64, Failure> {
    let begin = Instant::now();
    let batches = runs.div_ceil(RUNS_PER_BATCH);
    for batch in 0..=batches {
        let due = begin
            + Duration::from_secs(1) * (batch * RUNS_PER_BATCH) as u32 / RUNS_PER_SECOND as u32;
        tokio::time::sleep_until(due.into()).await;
        let before = batch.checked_sub(1).map(|before| (before, "COMPLETED"));
        for (batch, status) in [(batch, "RUNNING")].into_iter().chain(before) {
            let numbers = batch * RUNS_PER_BATCH..;
            let numbers = numbers
                .take(RUNS_PER_BATCH as usize)
                .take_while(|number| *number < runs);
            let items: Vec<_> = numbers.map(|number| item(number, status)).collect();
            store.put_all(items).await?;
        }
    }
    Ok(runs as f64 / begin.elapsed().as_secs_f64())
}

fn item(number: u64, status: &str) -> Item {
    let now = Timestamp::now().to_string();
    let label = |label: usize| {
        let value = match label {
            0 => "shared".to_owned(),
            // Some values are shared by many runs, and some are unique.
            1..5 => format!("{}", number % 50),
            _ => format!("{label}-{number}"),
        };
        (format!("label{label}"), Value::String(value))
    };
    let labels: serde_json::Map<_, _> = (0..MAX_SEARCHED_LABELS).map(label).collect();
    let run = json!({
        "pk": format!("EXEC#lag-{number}"), "sk": "EXECUTION", "executionId": format!("lag-{number}"),
        "teamId": "default", "flowId": FLOW, "createdAt": now, "startTime": now, "status": status,
        "labels": labels,
    });
    serde_dynamo::to_item(run).unwrap_or_default()
}

/// Counts the runs that have ended.
fn count_ended(server: &Server) -> Result<Option<u64>, Failure> {
    let stats = get(server, "/api/history/execution-stats")?;
    Ok(stats["stats"]["statusBreakdown"]["PASSED"].as_u64())
}

/// Counts all runs.
fn count_all(server: &Server) -> Result<Option<u64>, Failure> {
    let stats = get(server, "/api/history/execution-stats")?;
    Ok(stats["stats"]["totalExecutions"].as_u64())
}

/// Counts the ended runs that are found by their label.
fn count_labelled(server: &Server) -> Result<Option<u64>, Failure> {
    let path = format!("/api/history/executions?lite=true&limit=1&status=PASSED&label={SHARED}");
    Ok(get(server, &path)?["pagination"]["total"].as_u64())
}

fn get(server: &Server, path: &str) -> Result<Value, Failure> {
    serde_json::from_reader(server.get(path, "identity")?).map_err(failure)
}

/// Waits until a number has the expected value. Returns the time since `since`.
async fn wait_until(
    server: &Server,
    since: Instant,
    expected: u64,
    number: impl Fn(&Server) -> Result<Option<u64>, Failure>,
) -> Result<Duration, Failure> {
    loop {
        let found = number(server)?;
        if found == Some(expected) {
            return Ok(since.elapsed());
        }
        if since.elapsed() > DEADLINE {
            return Err(Failure(format!(
                "expected {expected} runs within {} s, found {found:?}",
                DEADLINE.as_secs()
            )));
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}
