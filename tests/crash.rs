//! Kills `flowtrail serve` at random moments of a mixed load, repeatedly on one file.
//!
//! Engines write to the table (puts, batches, transactions, updates) while callers cancel,
//! delete, send traces, create and revoke tokens, and change settings. Each worker records
//! what was acknowledged, and which request the kill interrupted. After each restart every
//! acknowledged value must be stored. Of an interrupted request the whole item or
//! transaction is stored, or nothing. Once the consumers of the stream have no more work,
//! everything that was started must be finished ([`unfinished`]).
//!
//! `FLOWTRAIL_TEST_KILLS=200` sets the number of kills. `FLOWTRAIL_TEST_SEED=7` selects
//! another load.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shared::store::Store;
use tokio::runtime::Runtime;

use self::checks::unfinished;
use self::target::Target;
use self::worker::Worker;
use crate::support::process::{DEADLINE, Server};

mod checks;
mod requests;
mod run;
mod target;
mod worker;

/// The number of kills, unless the environment sets another.
const KILLS: usize = 10;

/// The number of kills between two rests. Without a rest, the consumers of the stream are
/// killed with unfinished work.
const REST_EVERY: usize = 5;

/// The number of concurrent engines and callers.
const WORKERS: u64 = 6;

/// The maximum number of acknowledged requests before a kill.
const MOST_REQUESTS: usize = 250;

/// The maximum time from the last of these requests to the kill.
const MOST_MICROSECONDS: u64 = 20_000;

const TABLE: &str = "flowtrail";
const TEAM: &str = "default";
const MASKING: &str = "/api/settings/masking";

/// Puts a load on a server, and kills it under load. Returns the number of acknowledged
/// requests.
fn load_and_kill(server: Server, workers: &mut [Worker], round: usize, rng: &mut StdRng) -> usize {
    let acknowledged = AtomicUsize::new(0);
    let is_killed = AtomicBool::new(false);
    let wanted = rng.random_range(0..MOST_REQUESTS);
    let later = Duration::from_micros(rng.random_range(0..MOST_MICROSECONDS));
    std::thread::scope(|scope| {
        for worker in workers {
            let target = Target::new(&server, &acknowledged, &is_killed);
            scope.spawn(move || worker.work(round, &target));
        }
        let deadline = Instant::now() + DEADLINE;
        while acknowledged.load(Ordering::Relaxed) < wanted {
            assert!(
                Instant::now() < deadline,
                "too few requests are acknowledged"
            );
            std::thread::yield_now();
        }
        // This waits for no event: the kill comes at a random moment.
        std::thread::sleep(later);
        is_killed.store(true, Ordering::SeqCst);
        server.kill();
    });
    acknowledged.into_inner()
}

/// Waits until nothing is unfinished.
fn wait_until_finished(workers: &[Worker], runtime: &Runtime, store: &Store) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let unfinished = unfinished(workers, runtime, store);
        if unfinished.is_empty() {
            return;
        }
        let first: Vec<_> = unfinished.iter().take(20).collect();
        assert!(Instant::now() < deadline, "unfinished: {first:#?}");
    }
}

/// A number from the environment.
fn number_from_environment(variable: &str) -> Option<usize> {
    let number = std::env::var(variable).ok()?;
    Some(number.parse().expect("a number"))
}

#[test]
fn a_killed_server_loses_nothing_and_finishes_its_work() {
    let kills = number_from_environment("FLOWTRAIL_TEST_KILLS").unwrap_or(KILLS);
    let seed = number_from_environment("FLOWTRAIL_TEST_SEED").unwrap_or(1) as u64;
    let began = Instant::now();
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = Runtime::new().expect("a runtime");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|number| Worker::new(number, seed))
        .collect();
    let mut acknowledged = 0;
    let mut server = Server::start(folder.path(), &["--no-demo"]);
    for kill in 1..=kills {
        acknowledged += load_and_kill(server, &mut workers, kill, &mut rng);
        server = Server::start(folder.path(), &["--no-demo"]);
        let quiet = (AtomicUsize::new(0), AtomicBool::new(false));
        let target = Target::new(&server, &quiet.0, &quiet.1);
        for worker in &mut workers {
            let faults = worker.faults(&runtime, &target);
            assert_eq!(faults, [""; 0], "after {kill} kills");
        }
        if kill % REST_EVERY == 0 || kill == kills {
            wait_until_finished(&workers, &runtime, &target.store);
        }
    }
    server.kill();
    let file = folder.path().join(".flowtrail/flowtrail.db");
    let connection = rusqlite::Connection::open(file).expect("a database");
    let integrity = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    assert_eq!(integrity, Ok("ok".to_owned()));
    let runs: usize = workers.iter().map(|worker| worker.runs.len()).sum();
    eprintln!(
        "{acknowledged} acknowledged requests, {runs} runs, {kills} kills in {} s",
        began.elapsed().as_secs()
    );
}
