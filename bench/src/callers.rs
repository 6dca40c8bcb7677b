//! The server under many callers at once, for a bounded time, and while an engine writes
//! as much as it can.

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
use crate::table::Place;

const NAME: &str = "callers";

/// How many callers there are at a time.
const CALLERS: [usize; 3] = [1, 16, 64];

/// How much of what a read takes alone it may take beside writing: of the embedded
/// engine's two halves, writing has one.
const BESIDE_WRITING: f64 = 3.0;

/// The number of the first run that is written beside them.
const WRITTEN_FROM: u64 = 1_000_000_000;

/// What callers ask for, in turns.
const PATHS: [&str; 4] = [
    "/flow-executions?flowDefinitionId=flow-07&limit=50",
    "/flow-executions/run-000000000042",
    "/api/executions/team/default?size=50",
    "/api/history/execution-stats?days=30",
];

/// What some callers saw.
#[derive(Default)]
struct Seen {
    times: Times,
    errors: u64,
    took: Duration,
}

/// Asks a server over so many executions, for so long with each number of callers.
///
/// # Errors
/// Those of the table and of the server.
pub async fn run(place: &Place, executions: u64, time: Duration) -> Result<Vec<Line>, Failure> {
    let table = place.create(NAME).await?;
    load::load_with_steps(&table.open().await?, executions, None).await?;
    let server = Arc::new(Server::start(&table)?);
    ask(&server, CALLERS[0], time / 10).await?;
    let idle = server.idle_kb();
    let mut lines = Vec::new();
    let mut alone = Vec::new();
    for callers in CALLERS {
        let seen = ask(&server, callers, time).await?;
        lines.extend(lines_of(&format!("{callers} callers"), &seen));
        alone.push(seen);
    }
    for (callers, alone) in CALLERS.iter().zip(alone) {
        let (seen, written) = ask_beside_writing(&server, &table.name, *callers, time).await?;
        let work = format!("{callers} callers beside bulk writing");
        let [answer, rest @ ..] = lines_of(&work, &seen);
        lines.push(
            answer
                .beside_times("without", &alone.times)
                .at_most(BESIDE_WRITING),
        );
        lines.extend(rest);
        let rate = written as f64 / seen.took.as_secs_f64();
        let figure = Figure::new(rate, Unit::PerSecond);
        lines.push(Line::new(NAME, format!("{work}: items written"), figure));
    }
    if let Some(memory) = server.memory_since(idle) {
        let figure = Figure::new(memory.above_mb(), Unit::Megabytes);
        lines.push(Line::new(
            NAME,
            "the server's memory above idle, at most",
            figure,
        ));
    }
    drop(server);
    table.remove().await?;
    Ok(lines)
}

fn lines_of(work: &str, seen: &Seen) -> [Line; 3] {
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

/// Lets callers ask until the time is up.
async fn ask(server: &Arc<Server>, callers: usize, time: Duration) -> Result<Seen, Failure> {
    let server = server.clone();
    let asking = tokio::task::spawn_blocking(move || {
        let begin = Instant::now();
        let seen: Vec<Seen> = thread::scope(|scope| {
            let server = &server;
            let callers: Vec<_> = (0..callers)
                .map(|caller| scope.spawn(move || call(server, caller, begin + time)))
                .collect();
            callers
                .into_iter()
                .filter_map(|caller| caller.join().ok())
                .collect()
        });
        let mut all = Seen::default();
        for one in &seen {
            all.times.extend(&one.times);
            all.errors += one.errors;
        }
        all.took = begin.elapsed();
        all
    });
    asking.await.map_err(failure)
}

/// One caller, on a connection of its own.
fn call(server: &Server, caller: usize, until: Instant) -> Seen {
    let agent = ureq::Agent::new_with_defaults();
    let authorization = format!("Bearer {}", server.token);
    let mut seen = Seen::default();
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

/// The same while an engine writes batches, one after another. Returns how many items it
/// has written as well.
async fn ask_beside_writing(
    server: &Arc<Server>,
    table: &str,
    callers: usize,
    time: Duration,
) -> Result<(Seen, u64), Failure> {
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

/// Writes two runs with their steps at a time.
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
