//! The server with many concurrent callers, for a limited time, alone and while an engine writes
//! as fast as it can.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use local::terminal::Failure;
use rand::SeedableRng;
use rand::rngs::StdRng;
use shared::config;
use shared::model::{Item, Timestamp};
use shared::store::Store;

use crate::load::{self, STEPS};
use crate::measure::failure;
use crate::report::{Figure, Line, Times, Unit};
use crate::server::Server;
use crate::table::TableLocation;

const NAME: &str = "callers";

/// The numbers of concurrent callers.
const CALLERS: [usize; 3] = [1, 16, 64];

/// How many times longer an answer may take during bulk writing. Writes and reads share the
/// embedded engine.
const MAX_RATIO_DURING_WRITING: f64 = 3.0;

/// The number of the first run that is written during the measurement.
const WRITTEN_FROM: u64 = 1_000_000_000;

/// The requests of the callers, in turns.
const PATHS: [&str; 4] = [
    "/flow-executions?flowDefinitionId=flow-07&limit=50",
    "/flow-executions/run-000000000042",
    "/api/executions/team/default?size=50",
    "/api/history/execution-stats?days=30",
];

/// The answers to a group of callers.
#[derive(Default)]
struct Answers {
    times: Times,
    errors: u64,
    took: Duration,
}

/// Sends requests to a server with a number of executions, for `time` with each number of
/// callers.
///
/// # Errors
/// Returns an error if a request of the table or the server fails.
pub async fn run(
    place: &TableLocation,
    executions: u64,
    time: Duration,
) -> Result<Vec<Line>, Failure> {
    let table = place.create(NAME).await?;
    load::load_with_steps(&table.open().await?, executions, None).await?;
    let server = Arc::new(Server::start(&table)?);
    ask(&server, CALLERS[0], time / 10).await?;
    let idle = server.idle_kb();
    let mut lines = Vec::new();
    let mut alone = Vec::new();
    for callers in CALLERS {
        let answers = ask(&server, callers, time).await?;
        lines.extend(lines_of(&format!("{callers} callers"), &answers));
        alone.push(answers);
    }
    for (callers, alone) in CALLERS.iter().zip(alone) {
        lines.extend(measure_during_writing(&server, &table.name, *callers, time, &alone).await?);
    }
    if let Some(memory) = server.memory_since(idle) {
        let figure = Figure::new(memory.above_mb(), Unit::Megabytes);
        lines.push(Line::new(
            NAME,
            "the server's peak memory above idle",
            figure,
        ));
    }
    drop(server);
    table.remove().await?;
    Ok(lines)
}

/// Measures callers while an engine writes, and compares them with the answers without writing.
async fn measure_during_writing(
    server: &Arc<Server>,
    table: &str,
    callers: usize,
    time: Duration,
    alone: &Answers,
) -> Result<Vec<Line>, Failure> {
    let (answers, written) = ask_during_writing(server, table, callers, time).await?;
    let work = format!("{callers} callers during bulk writing");
    let [answer, rest @ ..] = lines_of(&work, &answers);
    let answer = answer.compared_with_times("without", &alone.times);
    let mut lines = vec![answer.at_most(MAX_RATIO_DURING_WRITING)];
    lines.extend(rest);
    let rate = written as f64 / answers.took.as_secs_f64();
    let figure = Figure::new(rate, Unit::PerSecond);
    lines.push(Line::new(NAME, format!("{work}: items written"), figure));
    Ok(lines)
}

fn lines_of(work: &str, seen: &Answers) -> [Line; 3] {
    let rate = seen.times.count() as f64 / seen.took.as_secs_f64();
    [
        Line::times(NAME, format!("{work}: an answer"), &seen.times),
        Line::new(
            NAME,
            format!("{work}: answers"),
            Figure::new(rate, Unit::PerSecond),
        ),
        Line::new(
            NAME,
            format!("{work}: errors"),
            Figure::new(seen.errors as f64, Unit::Errors),
        )
        .at_most(0.0),
    ]
}

/// Lets callers send requests until the time is over.
async fn ask(server: &Arc<Server>, callers: usize, time: Duration) -> Result<Answers, Failure> {
    let server = server.clone();
    let asking = tokio::task::spawn_blocking(move || {
        let begin = Instant::now();
        let seen: Vec<Answers> = thread::scope(|scope| {
            let server = &server;
            let callers: Vec<_> = (0..callers)
                .map(|caller| scope.spawn(move || call(server, caller, begin + time)))
                .collect();
            callers
                .into_iter()
                .filter_map(|caller| caller.join().ok())
                .collect()
        });
        let mut all = Answers::default();
        for one in &seen {
            all.times.extend(&one.times);
            all.errors += one.errors;
        }
        all.took = begin.elapsed();
        all
    });
    asking.await.map_err(failure)
}

/// A caller with its own connection.
fn call(server: &Server, caller: usize, until: Instant) -> Answers {
    let agent = ureq::Agent::new_with_defaults();
    let authorization = format!("Bearer {}", server.token);
    let mut seen = Answers::default();
    for path in PATHS.iter().cycle().skip(caller) {
        let begin = Instant::now();
        if begin >= until {
            break;
        }
        let answer = agent
            .get(format!("{}{path}", server.url))
            .header("Authorization", &authorization)
            .call();
        let body = answer.and_then(|answer| answer.into_body().read_to_vec());
        match body {
            Ok(_) => seen.times.push(begin.elapsed()),
            Err(_) => seen.errors += 1,
        }
    }
    seen
}

/// Lets callers send requests while an engine writes one batch after another. Also returns the
/// number of written items.
async fn ask_during_writing(
    server: &Arc<Server>,
    table: &str,
    callers: usize,
    time: Duration,
) -> Result<(Answers, u64), Failure> {
    let client = config::client(Some(&server.table_url)).await;
    let store = Store::new(client, table);
    let is_over = Arc::new(AtomicBool::new(false));
    let written = Arc::new(AtomicU64::new(0));
    let writing = tokio::spawn(write(store, is_over.clone(), written.clone()));
    let seen = ask(server, callers, time).await;
    is_over.store(true, Ordering::Relaxed);
    writing.await.map_err(failure)??;
    Ok((seen?, written.load(Ordering::Relaxed)))
}

/// Writes batches of two runs with their steps until `is_over`.
async fn write(
    store: Store,
    is_over: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
) -> Result<(), Failure> {
    let mut random = StdRng::seed_from_u64(0);
    let mut number = WRITTEN_FROM;
    while !is_over.load(Ordering::Relaxed) {
        let now = Timestamp::now().milliseconds();
        let items = (0..2).flat_map(|_| {
            number += 1;
            let run = load::execution(&mut random, number, now);
            let steps = (0..STEPS).map(|step| load::step_of(&run, step));
            steps.chain([run.clone()]).collect::<Vec<_>>()
        });
        let items = items.map(|item| serde_dynamo::to_item(item).map_err(failure));
        let items: Vec<Item> = items.collect::<Result<_, _>>()?;
        let more = items.len() as u64;
        store.put_all(items).await?;
        written.fetch_add(more, Ordering::Relaxed);
    }
    Ok(())
}
