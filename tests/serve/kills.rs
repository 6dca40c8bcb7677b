//! What a killed server keeps and continues at its next start.

use std::collections::BTreeSet;
use std::time::Instant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Select;
use serde_json::json;
use shared::store::Store;

use super::{client, get, run_successfully};
use crate::support::http;
use crate::support::process::{DEADLINE, Server};
use crate::support::records::{self, execution, step, time};

#[test]
fn kill_9_during_writes_loses_no_acknowledged_record() {
    const ROUNDS: usize = 3;
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let server = Server::start(folder.path(), &["--no-demo"]);
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let client = runtime.block_on(client(&server));
                runtime.spawn(write_until_an_error(
                    client,
                    format!("run-{round}-{writer}"),
                ))
            })
            .collect();
        wait_for_listed_runs(&server, acknowledged.len() + 100);
        server.kill();
        for writer in writers {
            let written = runtime.block_on(writer).expect("a writer");
            assert!(!written.is_empty());
            acknowledged.extend(written);
        }
    }
    let server = Server::start(folder.path(), &["--no-demo"]);
    let listed = listed_run_ids(&server);
    let store = Store::new(runtime.block_on(client(&server)), "flowtrail");
    for id in &acknowledged {
        assert!(listed.contains(id), "{id} is not in the list");
        let item = runtime.block_on(store.get(&format!("EXEC#{id}"), "EXECUTION"));
        assert!(item.expect("read").is_some(), "{id} is lost");
    }
    eprintln!(
        "{} acknowledged writes survived {ROUNDS} kills",
        acknowledged.len()
    );
}

/// Writes runs until the server is gone, and returns the ids of the acknowledged ones.
async fn write_until_an_error(client: Client, name: String) -> Vec<String> {
    let mut written = Vec::new();
    for number in 0.. {
        let id = format!("{name}-{number}");
        let item = execution(&id, json!({"teamId": "default"}));
        let put = client
            .put_item()
            .table_name("flowtrail")
            .set_item(Some(item));
        if put.send().await.is_err() {
            break;
        }
        written.push(id);
    }
    written
}

/// Waits until this many runs are listed, or a whole page, so that a kill comes in the
/// middle of the writes.
fn wait_for_listed_runs(server: &Server, wanted: usize) {
    let path = "/flow-executions?flowDefinitionId=flow-1&limit=500";
    let listed = || {
        let list = get(server, server.token(), path);
        list["data"]["items"].as_array().map_or(0, Vec::len)
    };
    let deadline = Instant::now() + DEADLINE;
    while listed() < wanted.min(500) {
        assert!(Instant::now() < deadline, "the writers do not write");
    }
}

/// The ids of all runs, read page by page through the index.
fn listed_run_ids(server: &Server) -> BTreeSet<String> {
    let mut listed = BTreeSet::new();
    let mut next = String::new();
    loop {
        let path = format!("/flow-executions?flowDefinitionId=flow-1&limit=500{next}");
        let data = get(server, server.token(), &path)["data"].take();
        for item in data["items"].as_array().expect("items") {
            listed.insert(item["flowExecutionId"].as_str().expect("an id").to_owned());
        }
        match data["nextToken"].as_str() {
            Some(token) => next = format!("&nextToken={token}"),
            None => return listed,
        }
    }
}

#[test]
fn counts_are_exact_after_writes_kills_and_restarts() {
    const ROUNDS: usize = 4;
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for round in 0..ROUNDS {
        let server = Server::start(folder.path(), &["--no-demo"]);
        let client = runtime.block_on(client(&server));
        runtime.block_on(write_and_delete_runs(&client, round));
        if round % 2 == 0 {
            let written = Instant::now();
            wait_for_total(&server, runs_after(round));
            eprintln!(
                "counted {} ms after the last write",
                written.elapsed().as_millis()
            );
            // The server counts; the command asks it.
            run_successfully(folder.path(), &["counts", "verify", "--settle", "1"]);
        }
        // In every other round, the server is killed before the last writes are counted.
        server.kill();
    }
    let runs = runs_after(ROUNDS - 1);
    // The next start resumes counting.
    let server = Server::start(folder.path(), &["--no-demo"]);
    wait_for_total(&server, runs);
    server.kill();
    let printed = run_successfully(folder.path(), &["counts", "verify"]);
    assert!(
        printed.starts_with(&format!("Counted {runs} executions in ")),
        "{printed}"
    );
}

/// Writes new runs, changes the status of the older ones, and deletes every seventh run.
async fn write_and_delete_runs(client: &Client, round: usize) {
    const STATUSES: [&str; 4] = ["PENDING", "RUNNING", "COMPLETED", "FAILED"];
    let store = Store::new(client.clone(), "flowtrail");
    let written = 50 * (round + 1);
    for number in 0..written {
        let created_at = time(number as i64 * 60_000);
        let status = STATUSES[(number + round) % 4];
        let attributes = json!({"teamId": "default", "createdAt": created_at, "status": status});
        let item = execution(&format!("run-{number}"), attributes);
        store.put(item).await.expect("written");
    }
    for number in (0..written).step_by(7) {
        let key = shared::keys::key(format!("EXEC#run-{number}"), "EXECUTION");
        let delete = client.delete_item().table_name("flowtrail");
        delete.set_key(Some(key)).send().await.expect("deleted");
    }
}

/// How many runs there are after a round of [`write_and_delete_runs`].
fn runs_after(round: usize) -> u64 {
    let written = 50 * (round + 1);
    (written - written.div_ceil(7)) as u64
}

fn wait_for_total(server: &Server, runs: u64) {
    let path = "/api/history/execution-stats?startDate=2026-01-01";
    let total = || get(server, server.token(), path)["stats"]["totalExecutions"].as_u64();
    let deadline = Instant::now() + DEADLINE;
    while total() != Some(runs) {
        assert!(Instant::now() < deadline, "the counters do not catch up");
    }
}

#[test]
fn deletion_of_a_flow_continues_after_two_kills() {
    const RUNS: i64 = 1_500;
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let store = Store::new(runtime.block_on(client(&server)), "flowtrail");
    let records_of_run = |number: i64| {
        let id = format!("run-{number}");
        let attributes = json!({"teamId": "default", "createdAt": time(number * 60_000)});
        [execution(&id, attributes), step(&id, "a", 1, json!({}))]
    };
    runtime.block_on(records::write(&store, (0..RUNS).flat_map(records_of_run)));
    let other = execution("other", json!({"teamId": "default", "flowId": "flow-2"}));
    runtime.block_on(store.put(other)).expect("written");

    let left = |server: &Server| runtime.block_on(count_run_records(server));
    let wait_until_fewer = |server: &Server, fewer: i32| {
        let deadline = Instant::now() + DEADLINE;
        while left(server) >= fewer {
            assert!(Instant::now() < deadline, "the deletion does not continue");
        }
    };
    let url = server.url("/api/history/executions/flows/flow-1");
    let token = server.token().to_owned();
    let request = std::thread::spawn(move || http::delete(&url, &token));
    // The first kill interrupts the request, the second what continues it.
    wait_until_fewer(&server, 2 * RUNS as i32);
    server.kill();
    let answer = request.join().expect("joined");
    assert!(answer.is_err(), "the request was cut off");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let still = left(&server);
    assert!(still > 0, "the kill came too late to prove anything");
    wait_until_fewer(&server, still);
    server.kill();
    let server = Server::start(folder.path(), &["--no-demo"]);
    wait_until_fewer(&server, 1);
    let list = "/flow-executions?flowDefinitionId=flow-1";
    assert_eq!(
        get(&server, server.token(), list)["data"]["items"],
        json!([])
    );
    run_successfully(folder.path(), &["counts", "verify", "--settle", "1"]);
    let team = get(&server, server.token(), "/api/executions/team/default");
    assert_eq!(team["totalElements"], 1);
}

/// Counts the records of all runs whose id begins with `run-`.
async fn count_run_records(server: &Server) -> i32 {
    let client = client(server).await;
    let scan = client.scan().table_name("flowtrail").select(Select::Count);
    let scan = scan
        .filter_expression("begins_with(pk, :runs)")
        .expression_attribute_values(":runs", shared::attributes::text("EXEC#run-"));
    let pages = scan.into_paginator().send().collect::<Result<Vec<_>, _>>();
    let pages = pages.await.expect("counted");
    pages.iter().map(|page| page.count()).sum()
}
