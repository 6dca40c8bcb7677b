//! An engine whose process is killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use writer::{NewRun, NewStep, Writer};

use crate::support::TestApp;
use crate::support::process::DEADLINE;

/// The variable with the table's address and name, which turns [`engine_process`] into an
/// engine.
const ENGINE: &str = "FLOWTRAIL_TEST_ENGINE";

/// Writes steps forever, when the test below has started it as a process.
#[tokio::test]
async fn engine_process() {
    let Ok(place) = std::env::var(ENGINE) else {
        return;
    };
    let (url, table) = place.split_once(' ').expect("an address and a table");
    let client = shared::config::client(Some(url)).await;
    let writer = Writer::new(client, table);
    let new = NewRun::new("flow-1").execution_id("killed");
    let run = writer.start(new).await.expect("started");
    for n in 0.. {
        let new = NewStep::new("a").id(format!("step-{n}"));
        let mut step = run.start_step(new).await.expect("taken");
        step.complete().await.expect("taken");
        writer.flush().await.expect("flushed");
        println!("written {n}");
    }
}

#[tokio::test]
async fn a_killed_engine_leaves_a_readable_run() {
    let app = TestApp::new().await;
    let place = format!("{} {}", app.endpoint_url().await, app.store.table());
    let mut engine = Command::new(std::env::current_exe().expect("a program"))
        .args([
            "--exact",
            "writer::killed_engine::engine_process",
            "--nocapture",
        ])
        .env(ENGINE, place)
        .stdout(Stdio::piped())
        .spawn()
        .expect("an engine");
    let output = engine.stdout.take().expect("an output");
    let written = Arc::new(Mutex::new(0));
    let last_written = written.clone();
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(output).lines();
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("written ") {
                *last_written.lock().expect("a lock") = number.parse::<usize>().expect("a number");
            }
        }
    });
    let deadline = Instant::now() + DEADLINE;
    while *written.lock().expect("a lock") < 30 {
        assert!(Instant::now() < deadline, "the engine does not write");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    engine.kill().expect("killed");
    engine.wait().expect("ended");
    reader.join().expect("read");
    let written = *written.lock().expect("a lock");
    let token = app.viewer("default").await;
    let path = "/flow-executions/killed?limit=500";
    let steps = app.walk_steps(&token, path, |_, _| {}).await;
    assert!(steps.len() > written, "{} of {written}", steps.len());
    let statuses: Vec<_> = steps.iter().map(|step| step["status"].as_str()).collect();
    assert!(
        statuses[..=written]
            .iter()
            .all(|status| *status == Some("COMPLETED"))
    );
    assert_eq!(app.item("killed").await["status"], "RUNNING");
}
