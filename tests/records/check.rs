//! `flowtrail records check`.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use shared::model::Item;

use super::{fork, store_of, text};
use crate::support::process::{Server, flowtrail, run};
use crate::support::records::{branch_step, execution, payload, step, time};

/// Creates a table in a folder, and writes items to it.
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

#[test]
fn valid_records_are_reported_as_valid() {
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
    assert!(text(&checked.stderr).contains("Checked 4 records of 1 runs: all follow"));
}

#[test]
fn faults_are_reported_with_record_attribute_and_remedy() {
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
        "EXEC#run-1 EXECUTION\n    createdAt: \"2026-02-17T11:30:00+01:00\" is not a time of the record \
         format. Write 2026-02-17T10:30:00.000Z.\n"
            .to_owned(),
        format!(
            "EXEC#run-2 STEP#{}#step-1\n    status: \"DONE\" is not a valid value. Write one of \
             PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, SKIPPED.\n",
            time(0)
        ),
        "parentStepInstanceId: no PARALLEL_FORK_MANAGER step with the id".to_owned(),
        "EXEC#run-3 EXECUTION\n    sk: the run has records but no EXECUTION".to_owned(),
    ] {
        assert!(printed.contains(&expected), "{expected} in {printed}");
    }
    assert!(
        text(&checked.stderr).contains("4 faults. 2 records"),
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
fn new_records_are_checked_as_they_are_written() {
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
        "EXEC#run-2 EXECUTION\n    durationMs: \"5 s\" is not a whole number of at least 0. Write \
         a whole number (N) of at least 0.\n"
    );
    let kill = format!("kill -INT {}", check.id());
    let status = Command::new("sh").args(["-c", &kill]).status();
    assert!(status.expect("sh runs").success());
    let ended = check.wait_with_output().expect("ended");
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        text(&ended.stderr).contains("1 faults. 1 records"),
        "{}",
        text(&ended.stderr)
    );
}
