//! `flowtrail` as a person uses it: started, killed, started again.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Instant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Select;
use serde_json::{Value, json};
use shared::store::Store;

use crate::support::http;
use crate::support::issuer::{AUDIENCE, Issuer, SigningKey};
use crate::support::process::{DEADLINE, Server, flowtrail, free_port, run};
use crate::support::records::{self, execution, step, time};

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

fn get(server: &Server, token: &str, path: &str) -> Value {
    http::get(&format!("http://127.0.0.1:{}{path}", server.port), token).json()
}

async fn client(server: &Server) -> Client {
    let url = format!("http://127.0.0.1:{}", server.table_port);
    shared::config::client(Some(&url)).await
}

fn one_sentence(folder: &Path, arguments: &[&str], words: &str) {
    let output = run(folder, arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
    assert!(
        text.starts_with("flowtrail: ") && text.contains(words),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn the_first_start_has_demo_data_and_its_three_curl_lines_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let [list, details, branches] = server.curl_lines()[..] else {
        panic!("three lines: {}", server.greeting);
    };
    let list = http::paste(list);
    assert_eq!(list["data"]["items"].as_array().map(Vec::len), Some(5));
    let details = http::paste(details);
    let steps = details["data"]["steps"].as_array().expect("steps");
    assert!(steps.len() >= 4, "{details}");
    assert_eq!(
        details["data"]["metadata"]["flowDefinitionId"],
        "order-pipeline"
    );
    assert_eq!(details["data"]["metadata"]["status"], "COMPLETED");
    let branches = http::paste(branches);
    let names: Vec<_> = branches["data"]
        .as_object()
        .expect("branches")
        .values()
        .map(|branch| branch["branchId"].as_str().expect("a name"))
        .collect();
    assert_eq!(names.len(), 3);
    // One of them has a fork of its own.
    let nested = branches["data"]
        .as_object()
        .expect("branches")
        .values()
        .find_map(|branch| {
            let steps = branch["steps"].as_array()?;
            steps
                .iter()
                .find(|step| step["stepType"] == "PARALLEL_FORK_MANAGER")
        });
    let nested = nested.expect("a nested fork");
    let path = format!(
        "/flow-executions/{}/branch-steps?parentStepInstanceId={}&parentStepStartTime={}",
        details["data"]["metadata"]["flowExecutionId"]
            .as_str()
            .expect("an id"),
        nested["stepInstanceId"].as_str().expect("an id"),
        nested["startTime"].as_str().expect("a time"),
    );
    let inner = get(&server, server.token(), &path);
    assert_eq!(inner["data"].as_object().map(serde_json::Map::len), Some(2));
    // Every flow of the demo has runs, and the one that often fails has failed.
    for flow in [
        "device-smoke-test",
        "nightly-report",
        "render-region",
        "video-archive",
    ] {
        let list = get(
            &server,
            server.token(),
            &format!("/flow-executions?flowDefinitionId={flow}"),
        );
        let count = list["data"]["items"].as_array().map_or(0, Vec::len);
        assert!(count >= 20, "{count} runs of {flow}");
    }
    let failed = "/flow-executions?flowDefinitionId=invoice-import&status=FAILED&limit=500";
    let failed = get(&server, server.token(), failed);
    assert!(failed["data"]["items"].as_array().map_or(0, Vec::len) > 50);
    // The demo's engine begins a run, and it comes to its end.
    let deadline = Instant::now() + DEADLINE;
    while {
        let newest = get(
            &server,
            server.token(),
            "/flow-executions?flowDefinitionId=order-pipeline&status=RUNNING",
        );
        let others = get(
            &server,
            server.token(),
            "/flow-executions?flowDefinitionId=video-archive&status=RUNNING",
        );
        let flows = ["invoice-import", "device-smoke-test", "nightly-report"].map(|flow| {
            get(
                &server,
                server.token(),
                &format!("/flow-executions?flowDefinitionId={flow}&status=RUNNING"),
            )
        });
        [newest, others]
            .iter()
            .chain(&flows)
            .all(|list| list["data"]["items"] == json!([]))
    } {
        assert!(Instant::now() < deadline, "no run moves");
    }
}

#[test]
fn ctrl_c_ends_the_server_cleanly_and_the_next_start_has_the_same_data_and_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let token = server.token().to_owned();
    let empty = get(
        &server,
        &token,
        "/flow-executions?flowDefinitionId=order-pipeline",
    );
    assert_eq!(empty["data"]["items"], json!([]));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = Store::new(client(&server).await, "flowtrail");
        let run = execution("run-1", json!({"teamId": "default"}));
        records::write(&store, [run]).await;
    });
    assert_eq!(server.end_with("-INT").code(), Some(0));
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.token(), token);
    let list = get(&server, &token, "/flow-executions?flowDefinitionId=flow-1");
    assert_eq!(list["data"]["items"][0]["flowExecutionId"], "run-1");
    let demo = get(
        &server,
        &token,
        "/flow-executions?flowDefinitionId=order-pipeline",
    );
    assert_eq!(
        demo["data"]["items"],
        json!([]),
        "a table with data gets no demo"
    );
    assert_eq!(server.end_with("-TERM").code(), Some(0));
}

#[test]
fn what_keeps_the_server_from_starting_is_told_in_one_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let (api, table) = (server.port.to_string(), server.table_port.to_string());
    let other = tempfile::tempdir().expect("a folder");
    one_sentence(
        other.path(),
        &["serve", "--port", &api, "--table-port", "0"],
        "with --port",
    );
    one_sentence(
        other.path(),
        &["--port", "0", "--table-port", &table],
        "--table-port",
    );
    let ports = ["--port", "0", "--table-port", "0"];
    let with = |more: &[&'static str]| -> Vec<String> {
        ports
            .iter()
            .copied()
            .chain(more.iter().copied())
            .map(str::to_owned)
            .collect()
    };
    let check = |folder: &Path, arguments: Vec<String>, words: &str| {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        one_sentence(folder, &arguments, words);
    };
    check(folder.path(), with(&[]), "is in use by a running flowtrail");
    check(
        other.path(),
        with(&["--data", "/proc/flowtrail"]),
        "cannot be written",
    );
    fs::write(other.path().join("file"), "x").expect("written");
    check(other.path(), with(&["--data", "file"]), "cannot be written");
    fs::create_dir(other.path().join("damaged")).expect("a folder");
    fs::write(
        other.path().join("damaged/flowtrail.db"),
        "not a database".repeat(1_000),
    )
    .expect("written");
    check(other.path(), with(&["--data", "damaged"]), "is damaged");
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let arguments = with(&[])
        .into_iter()
        .chain(["--endpoint-url".to_owned(), nobody])
        .collect();
    check(other.path(), arguments, "cannot be reached");
}

#[test]
fn a_file_with_a_destroyed_middle_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    assert_eq!(server.end_with("-INT").code(), Some(0));
    let file = folder.path().join(".flowtrail/flowtrail.db");
    // What is in the log of writes alone goes before what is in the file.
    let connection = rusqlite::Connection::open(&file).expect("opened");
    let moved = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    moved.expect("moved into the file");
    connection.close().expect("closed");
    let mut bytes = fs::read(&file).expect("read");
    let third = bytes.len() / 3;
    bytes[third..2 * third].fill(0x5a);
    fs::write(&file, bytes).expect("written");
    one_sentence(
        folder.path(),
        &["--port", "0", "--table-port", "0"],
        "is damaged",
    );
}

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
                let name = format!("run-{round}-{writer}");
                let client = runtime.block_on(client(&server));
                runtime.spawn(async move {
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
                })
            })
            .collect();
        // In the middle of writing: once some 100 writes are in the table.
        let deadline = Instant::now() + DEADLINE;
        let token = server.token().to_owned();
        let path = "/flow-executions?flowDefinitionId=flow-1&limit=500";
        let wanted = acknowledged.len() + 100;
        while get(&server, &token, path)["data"]["items"]
            .as_array()
            .map_or(0, Vec::len)
            < wanted.min(500)
        {
            assert!(Instant::now() < deadline, "the writers do not write");
        }
        server.kill();
        for writer in writers {
            let written = runtime.block_on(writer).expect("a writer");
            assert!(!written.is_empty());
            acknowledged.extend(written);
        }
    }
    let server = Server::start(folder.path(), &["--no-demo"]);
    let token = server.token().to_owned();
    // Through the index, and by each run's own key.
    let mut listed = std::collections::BTreeSet::new();
    let mut next = String::new();
    loop {
        let path = format!("/flow-executions?flowDefinitionId=flow-1&limit=500{next}");
        let data = get(&server, &token, &path)["data"].take();
        for item in data["items"].as_array().expect("items") {
            listed.insert(item["flowExecutionId"].as_str().expect("an id").to_owned());
        }
        match data["nextToken"].as_str() {
            Some(token) => next = format!("&nextToken={token}"),
            None => break,
        }
    }
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

#[test]
fn counts_are_right_a_moment_after_the_last_write_and_after_kills_and_restarts() {
    const ROUNDS: usize = 4;
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let statuses = ["PENDING", "RUNNING", "COMPLETED", "FAILED"];
    let total = |server: &Server| {
        let path = "/api/history/execution-stats?startDate=2026-01-01";
        get(server, server.token(), path)["stats"]["totalExecutions"].as_u64()
    };
    for round in 0..ROUNDS {
        let server = Server::start(folder.path(), &["--no-demo"]);
        let client = runtime.block_on(client(&server));
        let store = Store::new(client.clone(), "flowtrail");
        let write = async |number: usize| {
            let created_at = time(number as i64 * 60_000);
            let status = statuses[(number + round) % 4];
            let attributes =
                json!({"teamId": "default", "createdAt": created_at, "status": status});
            let item = execution(&format!("run-{number}"), attributes);
            store.put(item).await.expect("written");
        };
        // New runs, and old ones that change; some are deleted.
        runtime.block_on(async {
            for number in 0..50 * (round + 1) {
                write(number).await;
            }
            for number in (0..50 * (round + 1)).step_by(7) {
                let key = shared::store::key(format!("EXEC#run-{number}"), "EXECUTION");
                let delete = client.delete_item().table_name("flowtrail");
                delete.set_key(Some(key)).send().await.expect("deleted");
            }
        });
        let written = Instant::now();
        let runs = (50 * (round + 1) - (50 * (round + 1)).div_ceil(7)) as u64;
        if round % 2 == 0 {
            while total(&server) != Some(runs) {
                assert!(written.elapsed() < DEADLINE, "the counts stay behind");
            }
            eprintln!(
                "counted {} ms after the last write",
                written.elapsed().as_millis()
            );
            // The server counts; the command asks it.
            let verify = run(folder.path(), &["counts", "verify", "--settle", "1"]);
            assert!(verify.status.success(), "{}", stderr(&verify));
        }
        // At once, so that the last writes are not counted yet, every other time.
        server.kill();
    }
    // The next start goes on where the last one was ended.
    let server = Server::start(folder.path(), &["--no-demo"]);
    let runs = (50 * ROUNDS - (50 * ROUNDS).div_ceil(7)) as u64;
    let deadline = Instant::now() + DEADLINE;
    while total(&server) != Some(runs) {
        assert!(Instant::now() < deadline, "what was not counted stays so");
    }
    server.kill();
    let verify = run(folder.path(), &["counts", "verify"]);
    assert!(verify.status.success(), "{}", stderr(&verify));
    let printed = String::from_utf8_lossy(&verify.stdout).into_owned();
    assert!(
        printed.starts_with(&format!("Counted {runs} executions in ")),
        "{printed}"
    );
}

#[test]
fn a_flow_whose_deletion_was_killed_twice_is_gone_after_the_next_start_and_counts_are_right() {
    const RUNS: i64 = 1_500;
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let store = Store::new(runtime.block_on(client(&server)), "flowtrail");
    let of = |number: i64| {
        let id = format!("run-{number}");
        let attributes = json!({"teamId": "default", "createdAt": time(number * 60_000)});
        [execution(&id, attributes), step(&id, "a", 1, json!({}))]
    };
    runtime.block_on(records::write(&store, (0..RUNS).flat_map(of)));
    let other = execution("other", json!({"teamId": "default", "flowId": "flow-2"}));
    runtime.block_on(store.put(other)).expect("written");

    let left = |server: &Server| {
        let client = runtime.block_on(client(server));
        let scan = client.scan().table_name("flowtrail").select(Select::Count);
        let scan = scan
            .filter_expression("begins_with(pk, :runs)")
            .expression_attribute_values(":runs", shared::table::text("EXEC#run-"));
        let pages = scan.into_paginator().send().collect::<Result<Vec<_>, _>>();
        let pages = runtime.block_on(pages).expect("counted");
        pages.iter().map(|page| page.count()).sum::<i32>()
    };
    let path = "/api/history/executions/flows/flow-1";
    let url = format!("http://127.0.0.1:{}{path}", server.port);
    let token = server.token().to_owned();
    let request = std::thread::spawn(move || http::delete(&url, &token));
    let wait_until = |server: &Server, fewer: i32| {
        let deadline = Instant::now() + DEADLINE;
        while left(server) >= fewer {
            assert!(Instant::now() < deadline, "the deletion does not go on");
        }
    };
    // First in the middle of the request, then in the middle of what follows it.
    wait_until(&server, 2 * RUNS as i32);
    server.kill();
    let answer = request.join().expect("joined");
    assert!(answer.is_err(), "the request was cut off");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let still = left(&server);
    assert!(still > 0, "the kill came too late to prove anything");
    wait_until(&server, still);
    server.kill();
    let server = Server::start(folder.path(), &["--no-demo"]);
    wait_until(&server, 1);
    let list = "/flow-executions?flowDefinitionId=flow-1";
    assert_eq!(
        get(&server, server.token(), list)["data"]["items"],
        json!([])
    );
    let verify = run(folder.path(), &["counts", "verify", "--settle", "1"]);
    assert!(verify.status.success(), "{}", stderr(&verify));
    let team = get(&server, server.token(), "/api/executions/team/default");
    assert_eq!(team["totalElements"], 1);
}

#[test]
fn a_table_from_before_its_counters_is_counted_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let created = run(folder.path(), &["table", "create"]);
    assert!(created.status.success(), "{}", stderr(&created));
    let file = folder.path().join(".flowtrail/flowtrail.db");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let embedded = local::embedded::Embedded::open(&file).expect("opens");
        let store = Store::new(embedded.client(), "flowtrail");
        let runs = (0..120).map(|number| {
            let attributes = json!({"teamId": "default", "createdAt": time(number * 600_000)});
            execution(&format!("run-{number}"), attributes)
        });
        records::write(&store, runs).await;
    });
    // Their changes have left the stream long ago.
    let sqlite = rusqlite::Connection::open(&file).expect("opens");
    let emptied = sqlite.execute("DELETE FROM _stream_records", []);
    assert_eq!(emptied.expect("emptied"), 120);
    drop(sqlite);
    for _ in 0..2 {
        let server = Server::start(folder.path(), &["--no-demo"]);
        let page = get(
            &server,
            server.token(),
            "/api/executions/team/default?page=5",
        );
        assert_eq!(page["totalElements"], 120);
        assert_eq!(page["content"].as_array().map(Vec::len), Some(20));
        server.kill();
    }
}

#[test]
fn counts_that_are_wrong_are_told_and_mended() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let store = Store::new(runtime.block_on(client(&server)), "flowtrail");
    runtime.block_on(async {
        for number in 0..5 {
            let item = execution(&format!("run-{number}"), json!({"teamId": "default"}));
            store.put(item).await.expect("written");
        }
    });
    server.kill();
    let right = run(folder.path(), &["counts", "verify", "--team", "default"]);
    assert!(right.status.success(), "{}", stderr(&right));
    let damage = Server::start(folder.path(), &["--no-demo"]);
    let store = Store::new(runtime.block_on(client(&damage)), "flowtrail");
    let mut item = shared::store::key("COUNT#default#*", "2026-02-17");
    // Seven completed.
    let seven = aws_sdk_dynamodb::types::AttributeValue::N("7000000000".to_owned());
    item.insert("10P0".to_owned(), seven);
    runtime.block_on(store.put(item)).expect("written");
    damage.kill();
    let wrong = run(folder.path(), &["counts", "verify"]);
    assert_eq!(wrong.status.code(), Some(1));
    let printed = String::from_utf8_lossy(&wrong.stdout).into_owned();
    assert!(
        printed.contains("COUNT#default#*  2026-02-17  10:00 COMPLETED PARENT: 7, should be 5"),
        "{printed}"
    );
    assert!(stderr(&wrong).contains("flowtrail counts rebuild"));
    let mended = run(folder.path(), &["counts", "rebuild"]);
    assert!(mended.status.success(), "{}", stderr(&mended));
    let right = run(folder.path(), &["counts", "verify"]);
    assert!(right.status.success(), "{}", stderr(&right));
}

#[test]
fn tokens_are_made_listed_and_revoked_with_and_without_a_running_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let no_table = run(folder.path(), &["token", "list"]);
    assert_eq!(no_table.status.code(), Some(1));
    assert!(
        stderr(&no_table).contains("flowtrail table create"),
        "{}",
        stderr(&no_table)
    );
    let created = run(folder.path(), &["table", "create"]);
    assert!(created.status.success(), "{}", stderr(&created));
    assert!(
        run(folder.path(), &["table", "create"]).status.success(),
        "again"
    );

    let create = |arguments: &[&str]| {
        let arguments = [&["token", "create", "--team", "team-a"], arguments].concat();
        let output = run(folder.path(), &arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines().last().expect("a line").to_owned()
    };
    let before = create(&["--role", "viewer", "--name", "before the server"]);
    let server = Server::start(folder.path(), &["--no-demo"]);
    let while_running = create(&[
        "--role",
        "operator",
        "--flows",
        "flow-1,flow-2",
        "--expires",
        "90d",
    ]);
    for token in [&before, &while_running] {
        assert!(token.starts_with("sdk_"), "{token}");
        let list = get(&server, token, "/flow-executions?flowDefinitionId=flow-1");
        assert_eq!(list["success"], true, "{list}");
    }
    let forbidden = get(
        &server,
        &while_running,
        "/flow-executions?flowDefinitionId=flow-3",
    );
    assert_eq!(forbidden["code"], "FORBIDDEN");

    let list = run(folder.path(), &["token", "list"]);
    let list = String::from_utf8(list.stdout).expect("UTF-8");
    assert_eq!(
        list.lines().count(),
        4,
        "a head, the server's own and two: {list}"
    );
    assert!(
        list.contains("before the server") && list.contains("(only flow-1, flow-2)"),
        "{list}"
    );
    for token in [&before, &while_running] {
        let secret = token.splitn(3, '_').nth(2).expect("a secret");
        assert!(!list.contains(secret));
    }
    let id = before.split('_').nth(1).expect("an id");
    let revoked = run(folder.path(), &["token", "revoke", id]);
    assert!(revoked.status.success(), "{}", stderr(&revoked));
    let list = run(folder.path(), &["token", "list"]);
    let list = String::from_utf8(list.stdout).expect("UTF-8");
    let line = list
        .lines()
        .find(|line| line.contains(id))
        .expect("still listed");
    assert!(line.contains("revoked"), "{line}");
    let unknown = run(folder.path(), &["token", "revoke", &"0".repeat(20)]);
    assert_eq!(unknown.status.code(), Some(1));
    let no_id = run(folder.path(), &["token", "revoke", "sdk_0_SECRET"]);
    assert_eq!(no_id.status.code(), Some(2));
    // A server that starts afresh remembers nobody.
    drop(server);
    let server = Server::start(folder.path(), &["--no-demo"]);
    let refused = get(&server, &before, "/flow-executions?flowDefinitionId=flow-1");
    assert_eq!(refused["code"], "UNAUTHENTICATED");
}

/// The lines that a command prints.
fn printed(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn roles_are_defined_and_the_audit_is_read_with_and_without_a_running_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    Server::start(folder, &["--no-demo"]).end_with("-INT");
    let team = ["--team", "default"];
    let set = [
        "role",
        "set",
        "auditor",
        "--permissions",
        "AUDIT_READ,EXECUTIONS_READ",
    ];
    printed(folder, &[&set[..], &team].concat());
    let server = Server::start(folder, &["--no-demo"]);
    let roles = printed(folder, &[&["role", "list"][..], &team].concat());
    let last = "auditor           EXECUTIONS_READ,AUDIT_READ".to_owned();
    assert_eq!(roles.len(), 5, "{roles:?}");
    assert_eq!(roles.last(), Some(&last));
    let wrong = ["role", "set", "admin", "--permissions", "AUDIT_READ"];
    let wrong = run(folder, &[&wrong[..], &team].concat());
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        stderr(&wrong).contains("Every team has the role admin"),
        "{}",
        stderr(&wrong)
    );

    let create = [
        "token",
        "create",
        "--role",
        "auditor",
        "--name",
        "a\"b",
        "--expires",
        "1h",
    ];
    let token = printed(folder, &[&create[..], &team].concat()).remove(0);
    let audit = get(&server, &token, "/api/audit");
    let actions: Vec<_> = audit["events"].as_array().expect("events").iter().collect();
    let actions: Vec<_> = actions
        .iter()
        .map(|event| event["action"].as_str())
        .collect();
    let expected = ["TOKEN_CREATED", "ROLES_CHANGED", "TOKEN_CREATED"].map(Some);
    assert_eq!(actions, expected);
    let forbidden = get(&server, &token, "/api/tokens");
    assert_eq!(forbidden["code"], "FORBIDDEN");

    let lines = printed(folder, &[&["audit"][..], &team].concat());
    assert_eq!(lines.len(), 4, "a head and the events: {lines:?}");
    assert!(lines[1].contains("cli") && lines[1].contains(r#"name="a\"b""#));
    assert!(lines[3].contains("flowtrail serve"), "{}", lines[3]);
    let some = ["audit", "--action", "ROLES_CHANGED", "--limit", "1"];
    let lines = printed(folder, &[&some[..], &team].concat());
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1].contains("auditor: +EXECUTIONS_READ +AUDIT_READ"),
        "{}",
        lines[1]
    );

    printed(
        folder,
        &[&["role", "remove", "auditor"][..], &team].concat(),
    );
    let again = run(
        folder,
        &[&["role", "remove", "auditor"][..], &team].concat(),
    );
    assert_eq!(again.status.code(), Some(1));
    let gone = [&["token", "create", "--role", "auditor"][..], &team].concat();
    assert_eq!(run(folder, &gone).status.code(), Some(1));
}

#[test]
fn a_server_takes_the_jwts_of_the_issuer_that_it_is_told_of_and_leads_people_there() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let key = SigningKey::es256("one");
    let issuer = runtime.block_on(Issuer::new(&[&key]));
    let folder = tempfile::tempdir().expect("a folder");
    let oidc = ["--oidc-issuer", &issuer.url, "--oidc-audience", AUDIENCE];
    let client = ["--oidc-console-client-id", AUDIENCE];
    let server = Server::start(
        folder.path(),
        &[&["--no-demo"][..], &oidc, &client].concat(),
    );
    let jwt = key.sign(&issuer.claims("viewer", json!({})));
    let list = get(&server, &jwt, "/flow-executions?flowDefinitionId=flow-1");
    assert_eq!(list["data"]["items"], json!([]));
    let config = get(&server, &jwt, "/config.json");
    assert_eq!(config["oidc"]["issuer"], issuer.url);
    assert_eq!(config["oidc"]["clientId"], AUDIENCE);
    drop(server);
    let no_issuer = [&["--port", "0", "--table-port", "0"][..], &client].concat();
    let words = "--oidc-issuer, or the variable FLOWTRAIL_OIDC_ISSUER has to name the issuer";
    one_sentence(folder.path(), &no_issuer, words);
    one_sentence(
        folder.path(),
        &[
            "--port",
            "0",
            "--table-port",
            "0",
            "--oidc-issuer",
            &issuer.url,
        ],
        "FLOWTRAIL_OIDC_AUDIENCE has to name the audience",
    );
}

#[test]
fn another_dynamodb_can_take_the_place_of_the_embedded_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let owner = Server::start(folder.path(), &["--no-demo"]);
    let url = format!("http://127.0.0.1:{}", owner.table_port);
    let other = tempfile::tempdir().expect("a folder");
    let server = Server::start(
        other.path(),
        &["--endpoint-url", &url, "--table", "second", "--no-demo"],
    );
    assert!(server.greeting.contains(&url));
    assert!(
        !other.path().join(".flowtrail").exists(),
        "nothing is kept here"
    );
    let list = get(
        &server,
        server.token(),
        "/flow-executions?flowDefinitionId=flow-1",
    );
    assert_eq!(list["data"]["items"], json!([]));
    // The token of one table is nobody in another.
    let refused = get(
        &owner,
        server.token(),
        "/flow-executions?flowDefinitionId=flow-1",
    );
    assert_eq!(refused["code"], "UNAUTHENTICATED");
}

#[test]
fn the_table_endpoint_refuses_what_a_web_page_could_send() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let url = format!("http://127.0.0.1:{}/", server.table_port);
    let status = |header: Option<(&str, &str)>| {
        let target = ("x-amz-target", "DynamoDB_20120810.ListTables");
        let headers: Vec<_> = header.into_iter().chain([target]).collect();
        http::post(&url, &headers, "{}").status
    };
    assert_eq!(status(None), 200);
    assert_eq!(status(Some(("Origin", "https://example.com"))), 403);
    assert_eq!(status(Some(("Host", "rebound.example.com"))), 403);
}

#[test]
fn a_table_made_beforehand_gets_its_demo_and_one_without_demo_never_does() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(run(folder.path(), &["table", "create"]).status.success());
    let server = Server::start(folder.path(), &[]);
    let list = get(
        &server,
        server.token(),
        "/flow-executions?flowDefinitionId=order-pipeline",
    );
    assert_eq!(list["data"]["items"].as_array().map(Vec::len), Some(50));

    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [&["--no-demo"][..], &[]] {
        let server = Server::start(folder.path(), arguments);
        let list = get(
            &server,
            server.token(),
            "/flow-executions?flowDefinitionId=order-pipeline",
        );
        assert_eq!(list["data"]["items"], json!([]), "{arguments:?}");
    }
}

#[test]
fn demo_data_that_a_crash_has_cut_short_is_loaded_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let ports = [free_port(), free_port()].map(|port| port.to_string());
    let mut loading = flowtrail(folder.path())
        .args(["--port", &ports[0], "--table-port", &ports[1]])
        .spawn()
        .expect("started");
    // Once the first runs are there, the table's endpoint shows them.
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let url = format!("http://127.0.0.1:{}", ports[1]);
    let store = Store::new(
        runtime.block_on(shared::config::client(Some(&url))),
        "flowtrail",
    );
    let count = |store: &Store| {
        let scan = store
            .client()
            .scan()
            .table_name("flowtrail")
            .index_name("by-team")
            .limit(10_000);
        runtime.block_on(scan.send()).map_or(0, |page| page.count)
    };
    let deadline = Instant::now() + DEADLINE;
    while count(&store) < 50 {
        assert!(Instant::now() < deadline, "the demo is not loaded");
    }
    loading.kill().expect("killed");
    loading.wait().expect("ended");
    let server = Server::start(folder.path(), &[]);
    let list = get(
        &server,
        server.token(),
        "/flow-executions?flowDefinitionId=order-pipeline&limit=500",
    );
    let items = list["data"]["items"].as_array().expect("items");
    assert_eq!(items.len(), 500, "all are there");
    let ids: std::collections::BTreeSet<_> = items
        .iter()
        .map(|item| item["flowExecutionId"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), 500, "none is there twice");
    let details = http::paste(server.curl_lines()[1]);
    let steps = details["data"]["steps"].as_array().expect("steps");
    let names: std::collections::BTreeSet<_> = steps
        .iter()
        .map(|step| step["stepId"].as_str().expect("an id"))
        .collect();
    assert_eq!(names.len(), steps.len(), "no step was written twice");
}

#[test]
fn a_folder_keeps_its_own_gitignore() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".gitignore"), "node_modules\n").expect("written");
    assert!(
        run(folder.path(), &["table", "create", "--data", "."])
            .status
            .success()
    );
    let kept = fs::read_to_string(folder.path().join(".gitignore")).expect("read");
    assert_eq!(kept, "node_modules\n");
    assert!(run(folder.path(), &["table", "create"]).status.success());
    let made = fs::read_to_string(folder.path().join(".flowtrail/.gitignore")).expect("read");
    assert_eq!(made, "*\n");
}
