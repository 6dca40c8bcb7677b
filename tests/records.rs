//! The record format: its schemas, its check, and the import of records.

use std::collections::BTreeMap;
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
use shared::record::check::faults_of;
use shared::record::{Payload, RecordKind};
use shared::store::Store;

use crate::support::process::{DEADLINE, Server, flowtrail, run};
use crate::support::records::{ForkKey, branch_step, execution, payload, step, time};

/// A file of the project.
fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What kind of record an engine's is.
fn kind_of(record: &Value) -> Option<RecordKind> {
    RecordKind::of(record["pk"].as_str()?, record["sk"].as_str()?)
}

/// The records of some samples as plain JSON, one of each kind and more.
fn samples() -> Vec<Value> {
    let lines = file("tests/sample-records.jsonl");
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let written = file("writers/conformance/records.json");
    let written: Vec<Value> = serde_json::from_str(&written).expect("JSON");
    let items = written
        .into_iter()
        .filter(|record| record.get("json").is_none());
    lines.chain(items).collect()
}

// ---- The schemas and the document

#[test]
fn the_schemas_are_those_of_the_code() {
    for kind in RecordKind::ALL {
        let name = kind.name();
        let schema: Value =
            serde_json::from_str(&file(&format!("docs/schemas/{name}.schema.json"))).expect("JSON");
        assert_eq!(
            schema,
            kind.schema(),
            "make it anew: flowtrail records schema {name} > docs/schemas/{name}.schema.json"
        );
    }
}

/// The attributes of a table of docs/record-format.md, with their types.
fn documented(heading: &str) -> BTreeMap<String, String> {
    let document = file("docs/record-format.md");
    let begin = document
        .find(&format!("\n## {heading}\n"))
        .expect("a heading");
    let section = &document[begin + 4..];
    let section = &section[..section.find("\n## ").expect("a next heading")];
    let mut attributes = BTreeMap::new();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for name in cells[1].split(", ") {
            attributes.insert(name.trim_matches('`').to_owned(), cells[2].to_owned());
        }
    }
    attributes
}

#[test]
fn the_document_names_the_attributes_of_the_code_with_their_types() {
    let of_code = |kind: RecordKind| {
        let attributes = kind.attributes().iter();
        let attributes = attributes.filter(|attribute| !["pk", "sk"].contains(&attribute.name));
        attributes
            .map(|attribute| (attribute.name.to_owned(), attribute.of.letters().to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(documented("Execution"), of_code(RecordKind::Execution));
    assert_eq!(documented("Step"), of_code(RecordKind::Step));
    let mut branch_step = documented("Step");
    branch_step.extend(documented("Step of a parallel branch"));
    assert_eq!(branch_step, of_code(RecordKind::BranchStep));
    assert_eq!(documented("Payload"), of_code(RecordKind::Payload));
}

#[test]
fn what_the_schemas_allow_is_what_the_check_allows() {
    let validators: BTreeMap<_, _> = RecordKind::ALL
        .into_iter()
        .map(|kind| {
            let validator = jsonschema::validator_for(&kind.schema());
            (kind, validator.expect("a schema"))
        })
        .collect();
    let wrong = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(1.5),
        json!(1e12),
        json!(""),
        json!("a b"),
        json!("x"),
        json!("x".repeat(129)),
        json!("DONE"),
        json!("SKIPPED"),
        json!("RUNNING"),
        json!("json"),
        json!("2026-02-17"),
        json!("2026-02-17T10:30:00.000Z"),
        json!("2026-02-17T10:30:00.000+00:00"),
        json!([]),
        json!({}),
        json!({"a": 1}),
        json!({"total": -1}),
        json!({"total": 1, "a": "b"}),
    ];
    let (mut compared, mut refused) = (0, 0);
    for sample in samples() {
        let Some(kind) = kind_of(&sample) else {
            continue;
        };
        let attributes = kind.attributes().iter().map(|attribute| attribute.name);
        let mut variants = vec![sample.clone()];
        for name in attributes.chain(["createdAt", "own"]) {
            let mut without = sample.clone();
            without.as_object_mut().expect("an object").remove(name);
            variants.push(without);
            // Bytes are a text in JSON, and none in the table.
            for value in wrong
                .iter()
                .filter(|_| !["pk", "sk", "bytes"].contains(&name))
            {
                let mut changed = sample.clone();
                changed[name] = value.clone();
                variants.push(changed);
            }
        }
        for variant in variants {
            let Ok(item) = serde_dynamo::to_item::<_, Item>(&variant) else {
                continue;
            };
            if variant.get("pk").is_none() || variant.get("sk").is_none() {
                assert!(!faults_of(&item).is_empty(), "{variant}");
                continue;
            }
            let faults = faults_of(&item);
            // What a schema cannot say.
            let is_between = |problem: &str| {
                problem.starts_with("the key says") || problem.starts_with("it lies before")
            };
            let is_allowed = faults.iter().all(|fault| is_between(&fault.problem));
            let is_valid = validators[&kind].is_valid(&variant);
            assert_eq!(is_valid, is_allowed, "{variant}: {faults:?}");
            compared += 1;
            refused += usize::from(!is_allowed);
        }
    }
    assert!(
        compared > 5_000 && refused > compared / 4,
        "{refused} of {compared}"
    );
}

#[test]
fn what_the_writers_and_the_examples_write_keeps_the_format() {
    for sample in samples() {
        let item = serde_dynamo::to_item(&sample).expect("an item");
        assert_eq!(faults_of(&item), [], "{sample}");
    }
}

// ---- flowtrail records check

/// A table of a folder's own, with some items.
fn table_with(folder: &Path, items: impl IntoIterator<Item = Item>) {
    let server = Server::start(folder, &["--no-demo"]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = store_of(&server).await;
        for item in items {
            store.put(item).await.expect("written");
        }
    });
    server.end_with("-INT");
}

async fn store_of(server: &Server) -> Store {
    let url = format!("http://127.0.0.1:{}", server.table_port);
    Store::new(shared::config::client(Some(&url)).await, "flowtrail")
}

fn fork() -> ForkKey<'static> {
    ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 0,
    }
}

#[test]
fn a_table_whose_records_keep_the_format_is_told_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    let fork_step = step(
        "run-1",
        "fork-1",
        0,
        json!({"stepType": "PARALLEL_FORK_MANAGER"}),
    );
    table_with(
        folder.path(),
        [
            execution("run-1", json!({})),
            fork_step,
            branch_step(&fork(), "branch-1", "step-1", 1, json!({})),
            payload("run-1", "context", 0, json!({"value": {"a": 1}})),
        ],
    );
    let checked = run(folder.path(), &["records", "check"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    assert_eq!(text(&checked.stdout), "");
    assert!(text(&checked.stderr).contains("Checked 4 records of 1 runs: all keep"));
}

#[test]
fn each_fault_is_told_with_its_record_its_attribute_and_its_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    table_with(
        folder.path(),
        [
            execution("run-1", json!({"createdAt": "2026-02-17T11:30:00+01:00"})),
            execution("run-2", json!({})),
            step("run-2", "step-1", 0, json!({"status": "DONE"})),
            branch_step(&fork(), "branch-1", "step-1", 1, json!({})),
            step("run-3", "step-1", 0, json!({})),
        ],
    );
    let checked = run(folder.path(), &["records", "check"]);
    assert_eq!(checked.status.code(), Some(1));
    let printed = text(&checked.stdout);
    for expected in [
        "EXEC#run-1 EXECUTION\n    createdAt: \"2026-02-17T11:30:00+01:00\" is no time of the record \
         format. Write 2026-02-17T10:30:00.000Z.\n"
            .to_owned(),
        format!(
            "EXEC#run-2 STEP#{}#step-1\n    status: \"DONE\" is none of its words. Write one of \
             PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, SKIPPED.\n",
            time(0)
        ),
        "parentStepInstanceId: no PARALLEL_FORK_MANAGER step began at".to_owned(),
        "EXEC#run-3 EXECUTION\n    sk: the run has records and no EXECUTION".to_owned(),
    ] {
        assert!(printed.contains(&expected), "{expected} in {printed}");
    }
    assert!(
        text(&checked.stderr).contains("4 faults, 2 records"),
        "{}",
        text(&checked.stderr)
    );

    let as_json = run(
        folder.path(),
        &["records", "check", "--json", "--limit", "2"],
    );
    assert_eq!(as_json.status.code(), Some(1));
    let lines: Vec<Value> = text(&as_json.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines
            .iter()
            .all(|line| line["remedy"].is_string() && line["pk"].is_string())
    );
}

#[test]
fn what_is_written_is_checked_as_it_is_written() {
    use std::io::{BufRead as _, BufReader};

    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let mut check = flowtrail(folder.path())
        .args(["records", "check", "--follow"])
        .spawn()
        .expect("started");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = store_of(&server).await;
        store
            .put(execution("run-1", json!({})))
            .await
            .expect("written");
        let item = execution("run-2", json!({"durationMs": "5 s"}));
        store.put(item).await.expect("written");
    });
    let mut printed = BufReader::new(check.stdout.take().expect("piped"));
    let mut line = String::new();
    printed.read_line(&mut line).expect("UTF-8");
    printed.read_line(&mut line).expect("UTF-8");
    assert_eq!(
        line,
        "EXEC#run-2 EXECUTION\n    durationMs: \"5 s\" is no whole number from 0. Write a whole number \
         (N) from 0.\n"
    );
    let kill = format!("kill -INT {}", check.id());
    let status = Command::new("sh").args(["-c", &kill]).status();
    assert!(status.expect("sh runs").success());
    let ended = check.wait_with_output().expect("ended");
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        text(&ended.stderr).contains("1 faults, 1 records"),
        "{}",
        text(&ended.stderr)
    );
}

// ---- flowtrail import

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

/// All records of the runs in a folder's table, as its server has them.
fn records_in(folder: &Path) -> Vec<Item> {
    let server = Server::start(folder, &["--no-demo"]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut items = runtime.block_on(async {
        let store = store_of(&server).await;
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let page = store.scan(start).await.expect("read");
            items.extend(page.items);
            start = page.last_key;
            if start.is_none() {
                return items;
            }
        }
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
fn an_imported_file_is_in_the_table_as_it_was_and_a_second_time_changes_nothing() {
    let folder = empty_table();
    let large = Payload::of(&"x".repeat(2_000_000)).expect("a payload");
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
    // As some editors save it.
    let mut lines = "\u{feff}".to_owned();
    lines.extend(
        items
            .iter()
            .map(line)
            .map(|line| line.replace('\n', "\r\n")),
    );
    // As AWS exports a table, with an empty line.
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
        format!("Wrote {count} records of {} lines.\n", count + 1)
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
fn a_line_that_is_no_record_is_told_and_left_out_alone() {
    let folder = empty_table();
    let good = line(&execution("run-1", json!({})));
    let too_long = format!("{{\"pk\": \"{}\"}}\n", "x".repeat(5_000_000));
    // Only the table knows.
    let too_large = line(&step(
        "run-1",
        "b",
        1,
        json!({"input": "x".repeat(420_000)}),
    ));
    let payload = |value: &str| {
        format!("{{\"pk\": \"EXEC#run-1\", \"sk\": \"PAYLOAD#data#0000\", \"value\": {value}}}\n")
    };
    let exported = "{\"Item\": {\"pk\": {\"S\": \"EXEC#run-1\"}, \"sk\": {\"S\": \"PAYLOAD#data#0000\"}, \
                    \"value\": {\"N\": \"abc\"}}}\n";
    let wrong = [
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
    ];
    let own = "{\"pk\": \"COUNT#default#*\", \"sk\": \"2026-02-17\"}\n";
    let last = line(&step("run-1", "a", 0, json!({})));
    let lines = format!("{good}{}{own}{last}", wrong.concat());
    let imported = import(folder.path(), &lines);
    assert_eq!(imported.status.code(), Some(1));
    let told = text(&imported.stderr);
    for number in 2..wrong.len() + 2 {
        let place = format!("records.jsonl:{number}: ");
        assert!(told.contains(&place), "{number} in {told}");
    }
    for expected in [
        "executionId: it is missing. Every execution has it.",
        "the line has more than 4194304 bytes",
        "Wrote 2 records of 16 lines. Passed by 1 items that Flowtrail keeps for itself. 13 lines hold \
         no record of the format",
    ] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
    assert_eq!(records_in(folder.path()).len(), 2);
    for (arguments, expected) in [
        (
            &["import", "absent.jsonl"][..],
            "absent.jsonl cannot be read",
        ),
        (&["import", "."], ". is a folder"),
    ] {
        let failed = run(folder.path(), arguments);
        assert_eq!(failed.status.code(), Some(1));
        let told = text(&failed.stderr);
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_run_that_has_ended_stays_as_it_is() {
    let folder = empty_table();
    let ended = line(&execution("run-1", json!({"status": "CANCELLED"})))
        + &line(&step("run-1", "a", 0, json!({"output": "kept"})));
    assert!(import(folder.path(), &ended).status.success());
    // An older state of it, with a step more.
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
        "Wrote 2 records of 6 lines. 2 records are of runs that had ended in the table already: those \
         stay as they are.\n"
    );
    let records = records_in(folder.path());
    let statuses: Vec<_> = records
        .iter()
        .map(|item| item["status"].as_s().expect("a text"))
        .collect();
    assert_eq!(statuses, ["CANCELLED", "COMPLETED", "COMPLETED", "FAILED"]);
    assert_eq!(records[1]["output"].as_s().expect("a text"), "kept");
}

/// Kills an import into a server's table once it has noted how far it is.
async fn kill_halfway(folder: &Path, store: &Store) {
    let mut import = flowtrail(folder)
        .args(["import", "records.jsonl"])
        .spawn()
        .expect("started");
    let deadline = Instant::now() + DEADLINE;
    while !is_noted(store, &folder.join("records.jsonl")).await {
        assert!(Instant::now() < deadline, "nothing is noted");
    }
    import.kill().expect("killed");
    import.wait().expect("ended");
}

/// Whether it is noted how far the import of a file is.
async fn is_noted(store: &Store, file: &Path) -> bool {
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
fn a_killed_import_goes_on_where_it_was() {
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

    // Another table has no such note, and a file that was changed is another.
    let elsewhere = empty_table();
    let other = run(elsewhere.path(), &["import", path.to_str().expect("UTF-8")]);
    assert!(
        !text(&other.stderr).contains("Going on"),
        "{}",
        text(&other.stderr)
    );
    assert_eq!(records_in(elsewhere.path()).len() as i64, RUNS * 2);
    fs::write(&path, lines.replacen("run-00400", "run-x0400", 4)).expect("a file");
    let changed = run(folder.path(), &["import", "records.jsonl"]);
    assert!(
        !text(&changed.stderr).contains("Going on"),
        "{}",
        text(&changed.stderr)
    );
    assert_eq!(text(&changed.stdout), "Wrote 5000 records of 5000 lines.\n");

    fs::write(&path, &lines).expect("a file");
    runtime.block_on(kill_halfway(folder.path(), &store));
    let resumed = run(folder.path(), &["import", "records.jsonl"]);
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    let told = text(&resumed.stderr);
    assert!(told.contains("Going on after line "), "{told}");
    assert!(!runtime.block_on(is_noted(&store, &path)));
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
fn an_interrupt_ends_an_import_of_what_does_not_come() {
    let folder = empty_table();
    let mut import = flowtrail(folder.path())
        .args(["import", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("started");
    let kill = format!("kill -INT {}", import.id());
    let deadline = Instant::now() + DEADLINE;
    while import.try_wait().expect("a child").is_none() {
        assert!(Instant::now() < deadline, "it does not end");
        let mut shell = Command::new("sh");
        shell.args(["-c", &kill]).stderr(Stdio::null());
        shell.status().expect("sh runs");
    }
}
