//! `flowtrail import`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::keys;
use shared::model::Item;
use shared::record::Payload;
use shared::store::Store;

use super::{fork, store_of, text};
use crate::support::process::{DEADLINE, Server, flowtrail, run};
use crate::support::records::{branch_step, execution, payload, step, time};

/// A folder with an empty table.
fn empty_table() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let made = run(folder.path(), &["table", "create"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    folder
}

fn import(folder: &Path, lines: &str) -> Output {
    fs::write(folder.join("records.jsonl"), lines).expect("a file");
    run(folder, &["import", "records.jsonl"])
}

/// All records of the runs in a folder's table, read through its server.
fn records_in(folder: &Path) -> Vec<Item> {
    let server = Server::start(folder, &["--no-demo"]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut items = runtime.block_on(async {
        let store = store_of(&server).await;
        store.scan().all().await.expect("read")
    });
    server.end_with("-INT");
    let key = |item: &Item, name: &str| item[name].as_s().expect("a key").clone();
    items.retain(|item| key(item, "pk").starts_with("EXEC#"));
    items.sort_by_key(|item| (key(item, "pk"), key(item, "sk")));
    items
}

fn line(item: &Item) -> String {
    let mut item = item.clone();
    let bytes = item.remove("bytes");
    let mut record: Value = serde_dynamo::from_item(item).expect("JSON");
    if let Some(AttributeValue::B(bytes)) = bytes {
        record["bytes"] = json!(BASE64.encode(bytes));
    }
    format!("{record}\n")
}

#[test]
fn an_import_writes_the_records_and_a_repetition_nothing() {
    let folder = empty_table();
    let large = Payload::from_value(&"x".repeat(2_000_000)).expect("a payload");
    let mut items = vec![
        execution("run-1", json!({"labels": {"orderId": "42"}})),
        execution("run-2", json!({"status": "RUNNING", "endTime": null})),
        step(
            "run-1",
            "step-1",
            0,
            json!({"input": {"a": [1, null, "ß"]}}),
        ),
        branch_step(&fork(), "branch-1", "step-2", 1, json!({})),
    ];
    items.extend(large.items(&"run-1".parse().expect("an id"), "context"));
    // A byte order mark and Windows line ends, as some editors write them.
    let mut lines = "\u{feff}".to_owned();
    lines.extend(
        items
            .iter()
            .map(line)
            .map(|line| line.replace('\n', "\r\n")),
    );
    // An empty line, and an item in the form of an export of AWS.
    lines += "\n{\"Item\": {\"pk\": {\"S\": \"EXEC#run-2\"}, \"sk\": {\"S\": \"PAYLOAD#data#0000\"}, \
              \"value\": {\"M\": {\"n\": {\"N\": \"1.5\"}, \"l\": {\"L\": [{\"BOOL\": true}, {\"NULL\": true}]}}}}}";
    items.push(payload(
        "run-2",
        "data",
        0,
        json!({"value": {"n": 1.5, "l": [true, null]}}),
    ));
    let imported = import(folder.path(), &lines);
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    let count = items.len();
    assert_eq!(
        text(&imported.stdout),
        format!("Wrote {count} records from {} lines.\n", count + 1)
    );
    let key = |item: &Item, name: &str| item[name].as_s().expect("a key").clone();
    items.sort_by_key(|item| (key(item, "pk"), key(item, "sk")));
    assert_eq!(records_in(folder.path()), items);
    let again = import(folder.path(), &lines);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert_eq!(records_in(folder.path()), items);
    let counted = run(folder.path(), &["counts", "verify"]);
    assert!(counted.status.success(), "{}", text(&counted.stderr));
    assert!(!folder.path().join("records.jsonl.import").exists());
}

#[test]
fn null_attributes_are_not_imported() {
    let folder = empty_table();
    let members = r#""pk": "EXEC#run-1", "sk": "EXECUTION", "executionId": "run-1", "teamId": "default",
        "flowId": "flow-1", "createdAt": "2026-02-17T10:30:00.000Z", "status": "FAILED""#;
    let members = members.replace('\n', " ");
    let plain = format!(
        "{{{members}, \"deviceId\": null, \"parentExecutionId\": null, \"errorMessage\": null, \
         \"labels\": {{\"orderId\": 42}}}}\n"
    );
    let step = r#"{"Item": {"pk": {"S": "EXEC#run-1"}, "sk": {"S": "STEP#2026-02-17T10:30:00.000Z#a"},
        "stepInstanceId": {"S": "a"}, "status": {"S": "FAILED"}, "input": {"NULL": true},
        "startTime": {"S": "2026-02-17T10:30:00.000Z"}, "errorMessage": {"NULL": true}}}"#;
    let payload = r#"{"pk": "EXEC#run-1", "sk": "PAYLOAD#context#0000", "value": null}"#;
    let lines = format!("{plain}{}\n{payload}\n", step.replace('\n', " "));
    let imported = import(folder.path(), &lines);
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    let records = records_in(folder.path());
    let names = |sk: &str| {
        let record = records
            .iter()
            .find(|record| record["sk"].as_s() == Ok(&sk.to_owned()));
        let mut names: Vec<_> = record.expect("a record").keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(
        names("EXECUTION"),
        [
            "createdAt",
            "executionId",
            "flowId",
            "labels",
            "pk",
            "sk",
            "status",
            "teamId"
        ]
    );
    assert_eq!(
        names("STEP#2026-02-17T10:30:00.000Z#a"),
        ["pk", "sk", "startTime", "status", "stepInstanceId"]
    );
    assert_eq!(names("PAYLOAD#context#0000"), ["pk", "sk", "value"]);
    let checked = run(folder.path(), &["records", "check"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
}

#[test]
fn lines_without_a_record_are_reported_and_skipped() {
    let folder = empty_table();
    let good = line(&execution("run-1", json!({})));
    let wrong = wrong_lines();
    let internal = "{\"pk\": \"COUNT#default#*\", \"sk\": \"2026-02-17\"}\n";
    let last = line(&step("run-1", "a", 0, json!({})));
    let lines = format!("{good}{}{internal}{last}", wrong.concat());
    let imported = import(folder.path(), &lines);
    assert_eq!(imported.status.code(), Some(1));
    let errors = text(&imported.stderr);
    for number in 2..wrong.len() + 2 {
        let place = format!("records.jsonl:{number}: ");
        assert!(errors.contains(&place), "{number} in {errors}");
    }
    for expected in [
        "executionId: it is missing. Every execution must have it.",
        "the line is longer than 4194304 bytes",
        "Wrote 2 records from 16 lines. Skipped 1 of Flowtrail's own items. 13 lines are not \
         valid records",
    ] {
        assert!(errors.contains(expected), "{expected} in {errors}");
    }
    assert_eq!(records_in(folder.path()).len(), 2);
}

/// Lines that hold no record of the format, each for another reason.
fn wrong_lines() -> Vec<String> {
    // Only the table knows that this item is too large.
    let input = json!({"input": "x".repeat(420_000)});
    let too_large = line(&step("run-1", "b", 1, input));
    let too_long = format!("{{\"pk\": \"{}\"}}\n", "x".repeat(5_000_000));
    let payload = |value: &str| {
        format!("{{\"pk\": \"EXEC#run-1\", \"sk\": \"PAYLOAD#data#0000\", \"value\": {value}}}\n")
    };
    let exported = "{\"Item\": {\"pk\": {\"S\": \"EXEC#run-1\"}, \"sk\": {\"S\": \"PAYLOAD#data#0000\"}, \
                    \"value\": {\"N\": \"abc\"}}}\n";
    [
        "nonsense\n",
        "[]\n",
        "{}\n",
        "{\"pk\": \"EXEC#run-9\", \"sk\": \"EXECUTION\"}\n",
        "{\"Item\": {\"pk\": \"EXEC#run-9\"}}\n",
        "{\"Item\": {\"pk\": {\"S\": \"EXEC#run-9\", \"N\": \"1\"}}}\n",
        "{\"pk\": \"EXEC#run-9\", \"sk\": \"PAYLOAD#data#0000\", \"bytes\": \"%\", \"encoding\": \"json\", \"parts\": 1}\n",
        "\u{0}\n",
        &too_long,
        &payload("1e300"),
        &payload(&format!("0.{}", "123456789".repeat(5))),
        exported,
        &too_large,
    ]
    .map(str::to_owned)
    .into()
}

#[test]
fn files_that_cannot_be_read_are_reported() {
    let folder = empty_table();
    for (arguments, expected) in [
        (
            &["import", "absent.jsonl"][..],
            "absent.jsonl cannot be read",
        ),
        (&["import", "."], ". is a folder"),
    ] {
        let failed = run(folder.path(), arguments);
        assert_eq!(failed.status.code(), Some(1));
        let errors = text(&failed.stderr);
        assert!(errors.contains(expected), "{errors}");
    }
}

#[test]
fn an_import_does_not_change_ended_runs() {
    let folder = empty_table();
    let ended = line(&execution("run-1", json!({"status": "CANCELLED"})))
        + &line(&step("run-1", "a", 0, json!({"output": "kept"})));
    assert!(import(folder.path(), &ended).status.success());
    // An older state of the run, with one more step.
    let open = json!({"status": "RUNNING", "endTime": null});
    let older = line(&execution("run-1", open.clone()))
        + &line(&step("run-1", "a", 0, open.clone()))
        + &line(&step("run-1", "b", 1, json!({})));
    let reopened = line(&execution("run-2", json!({"status": "FAILED"})))
        + &line(&execution("run-2", json!({"status": "CANCELLED"})))
        + &line(&execution("run-2", open));
    let imported = import(folder.path(), &(older + &reopened));
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    assert_eq!(
        text(&imported.stdout),
        "Wrote 2 records from 6 lines. 2 records belong to runs that have already ended in the \
         table, and were not written.\n"
    );
    let records = records_in(folder.path());
    let statuses: Vec<_> = records
        .iter()
        .map(|item| item["status"].as_s().expect("a text"))
        .collect();
    assert_eq!(statuses, ["CANCELLED", "COMPLETED", "COMPLETED", "FAILED"]);
    assert_eq!(records[1]["output"].as_s().expect("a text"), "kept");
}

#[test]
fn an_import_does_not_change_runs_of_another_team() {
    let folder = empty_table();
    let open = json!({"status": "RUNNING", "endTime": null});
    assert!(
        import(folder.path(), &line(&execution("run-1", open)))
            .status
            .success()
    );
    let before = records_in(folder.path());
    let other = json!({"teamId": "team-b", "status": "FAILED"});
    let imported = import(folder.path(), &line(&execution("run-1", other)));
    assert_eq!(imported.status.code(), Some(1));
    let errors = text(&imported.stderr);
    assert!(errors.contains("belongs to another team"), "{errors}");
    assert_eq!(records_in(folder.path()), before);
}

/// Kills an import into a server's table as soon as its position is stored.
async fn kill_halfway(folder: &Path, store: &Store) {
    let mut import = flowtrail(folder)
        .args(["import", "records.jsonl"])
        .spawn()
        .expect("started");
    let deadline = Instant::now() + DEADLINE;
    while !has_position(store, &folder.join("records.jsonl")).await {
        assert!(Instant::now() < deadline, "no position is stored");
    }
    import.kill().expect("killed");
    import.wait().expect("ended");
}

/// Whether the position of an import of a file is stored.
async fn has_position(store: &Store, file: &Path) -> bool {
    let text = fs::read(file).expect("a file");
    let digest = Sha256::digest(&text[..text.len().min(64 * 1024)]);
    let note = keys::import_partition(&URL_SAFE_NO_PAD.encode(digest));
    store
        .get_latest(&note, keys::IMPORT)
        .await
        .expect("read")
        .is_some()
}

#[test]
fn a_killed_import_continues_at_its_position() {
    const RUNS: i64 = 2_500;
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let store = runtime.block_on(store_of(&server));
    let mut lines = String::new();
    for n in 0..RUNS {
        let id = format!("run-{n:05}");
        lines += &line(&execution(&id, json!({"createdAt": time(n)})));
        lines += &line(&step(&id, "step-1", n, json!({})));
    }
    let path = folder.path().join("records.jsonl");
    fs::write(&path, &lines).expect("a file");
    runtime.block_on(kill_halfway(folder.path(), &store));

    // Another table has no position, and a changed file is another file.
    let elsewhere = empty_table();
    let other = run(elsewhere.path(), &["import", path.to_str().expect("UTF-8")]);
    assert!(
        !text(&other.stderr).contains("Continuing after"),
        "{}",
        text(&other.stderr)
    );
    assert_eq!(records_in(elsewhere.path()).len() as i64, RUNS * 2);
    fs::write(&path, lines.replacen("run-00400", "run-x0400", 4)).expect("a file");
    let changed = run(folder.path(), &["import", "records.jsonl"]);
    assert!(
        !text(&changed.stderr).contains("Continuing after"),
        "{}",
        text(&changed.stderr)
    );
    assert_eq!(
        text(&changed.stdout),
        "Wrote 5000 records from 5000 lines.\n"
    );

    fs::write(&path, &lines).expect("a file");
    runtime.block_on(kill_halfway(folder.path(), &store));
    let resumed = run(folder.path(), &["import", "records.jsonl"]);
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    let messages = text(&resumed.stderr);
    assert!(messages.contains("Continuing after line "), "{messages}");
    assert!(!runtime.block_on(has_position(&store, &path)));
    server.end_with("-INT");
    let records = records_in(folder.path());
    let ids = records
        .iter()
        .map(|item| item["pk"].as_s().expect("a key").as_str());
    let ids: Vec<_> = ids.filter(|pk| *pk != "EXEC#run-x0400").collect();
    let expected: Vec<_> = (0..RUNS * 2)
        .map(|n| format!("EXEC#run-{:05}", n / 2))
        .collect();
    assert_eq!(ids, expected);
}

#[test]
fn an_interrupt_ends_an_import_from_a_silent_input() {
    let folder = empty_table();
    let mut import = flowtrail(folder.path())
        .args(["import", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("started");
    let kill = format!("kill -INT {}", import.id());
    let deadline = Instant::now() + DEADLINE;
    while import.try_wait().expect("a child").is_none() {
        assert!(Instant::now() < deadline, "the import does not end");
        let mut shell = Command::new("sh");
        shell.args(["-c", &kill]).stderr(Stdio::null());
        shell.status().expect("sh runs");
    }
}
