//! The demo: which tables get it, and what it contains.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use shared::model::Timestamp;
use shared::store::Store;

use super::{client, get};
use crate::support::http;
use crate::support::process::{DEADLINE, Server, flowtrail, free_port, run};

fn store_of(server: &Server, runtime: &tokio::runtime::Runtime) -> Store {
    Store::new(runtime.block_on(client(server)), "flowtrail")
}

#[test]
fn first_start_loads_the_demo_and_its_curl_lines_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    assert_curl_lines_answer(folder.path(), &server);
    assert_every_demo_flow_has_runs(&server);
    wait_for_a_running_demo_run(&server);
}

/// The printed lines return the newest runs, the details of one, and its branches.
fn assert_curl_lines_answer(folder: &Path, server: &Server) {
    let [list, details, branches] = server.curl_lines()[..] else {
        panic!("three lines: {}", server.greeting);
    };
    let list = http::paste(folder, list);
    assert_eq!(list["data"]["items"].as_array().map(Vec::len), Some(5));
    let details = http::paste(folder, details);
    let steps = details["data"]["steps"].as_array().expect("steps");
    assert!(steps.len() >= 4, "{details}");
    let metadata = &details["data"]["metadata"];
    assert_eq!(metadata["flowDefinitionId"], "order-pipeline");
    assert_eq!(metadata["status"], "COMPLETED");
    let branches = http::paste(folder, branches);
    let branches = branches["data"].as_object().expect("branches");
    let names: Vec<_> = branches
        .values()
        .map(|branch| branch["branchId"].as_str().expect("a name"))
        .collect();
    assert_eq!(names.len(), 3);
    let execution_id = metadata["flowExecutionId"].as_str().expect("an id");
    assert_nested_fork_has_two_branches(server, execution_id, branches);
}

/// One of the branches contains another fork.
fn assert_nested_fork_has_two_branches(
    server: &Server,
    execution_id: &str,
    branches: &serde_json::Map<String, Value>,
) {
    let nested = branches.values().find_map(|branch| {
        let steps = branch["steps"].as_array()?;
        steps
            .iter()
            .find(|step| step["stepType"] == "PARALLEL_FORK_MANAGER")
    });
    let nested = nested.expect("a nested fork");
    let path = format!(
        "/flow-executions/{execution_id}/branch-steps?parentStepInstanceId={}&parentStepStartTime={}",
        nested["stepInstanceId"].as_str().expect("an id"),
        nested["startTime"].as_str().expect("a time"),
    );
    let inner = get(server, server.token(), &path);
    assert_eq!(inner["data"].as_object().map(serde_json::Map::len), Some(2));
}

/// Every flow of the demo has runs, and the unreliable one has failures.
fn assert_every_demo_flow_has_runs(server: &Server) {
    for flow in [
        "device-smoke-test",
        "nightly-report",
        "render-region",
        "video-archive",
    ] {
        let path = format!("/flow-executions?flowDefinitionId={flow}");
        let list = get(server, server.token(), &path);
        let count = list["data"]["items"].as_array().map_or(0, Vec::len);
        assert!(count >= 20, "{count} runs of {flow}");
    }
    let failed = "/flow-executions?flowDefinitionId=invoice-import&status=FAILED&limit=500";
    let failed = get(server, server.token(), failed);
    assert!(failed["data"]["items"].as_array().map_or(0, Vec::len) > 50);
}

/// The demo's engine starts runs while the server is running.
fn wait_for_a_running_demo_run(server: &Server) {
    let has_running_run = |flow: &&str| {
        let path = format!("/flow-executions?flowDefinitionId={flow}&status=RUNNING");
        get(server, server.token(), &path)["data"]["items"] != json!([])
    };
    let flows = [
        "order-pipeline",
        "video-archive",
        "invoice-import",
        "device-smoke-test",
        "nightly-report",
    ];
    let deadline = Instant::now() + DEADLINE;
    while !flows.iter().any(has_running_run) {
        assert!(Instant::now() < deadline, "the demo starts no run");
    }
}

#[test]
fn the_demo_is_loaded_unless_it_was_declined_before() {
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
fn demo_loading_is_completed_after_a_crash() {
    let folder = tempfile::tempdir().expect("a folder");
    let ports = [free_port(), free_port()].map(|port| port.to_string());
    let mut loading = flowtrail(folder.path())
        .args(["--port", &ports[0], "--table-port", &ports[1]])
        .args(["--grpc-port", "0"])
        .spawn()
        .expect("started");
    // The table's endpoint shows when the first runs are written.
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
        assert!(Instant::now() < deadline, "the demo does not load");
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
    assert_eq!(items.len(), 500, "all runs are listed");
    let ids: BTreeSet<_> = items
        .iter()
        .map(|item| item["flowExecutionId"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), 500, "no run is listed twice");
    let details = http::paste(folder.path(), server.curl_lines()[1]);
    let steps = details["data"]["steps"].as_array().expect("steps");
    let names: BTreeSet<_> = steps
        .iter()
        .map(|step| step["stepId"].as_str().expect("an id"))
        .collect();
    assert_eq!(names.len(), steps.len(), "no step was written twice");
}

#[test]
fn open_demo_runs_of_a_killed_server_are_closed() {
    const FOUND: &str = "/flow-executions?flowDefinitionId=order-pipeline&label=source%3Ddemo";
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &[]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let store = store_of(&server, &runtime);
    let now = Timestamp::now().to_string();
    let of_source = |id: &str, source: &str| {
        json!({
            "pk": format!("EXEC#{id}"), "sk": "EXECUTION", "executionId": id, "teamId": "default",
            "flowId": "order-pipeline", "createdAt": now, "startTime": now, "status": "RUNNING",
            "labels": {"source": source},
        })
    };
    for run in [of_source("left-open", "demo"), of_source("own", "shop")] {
        let item = serde_dynamo::to_item(run).expect("an item");
        runtime.block_on(store.put(item)).expect("written");
    }
    // All runs of the demo have the label "source".
    let deadline = Instant::now() + DEADLINE;
    while get(&server, server.token(), FOUND)["data"]["items"][0].is_null() {
        assert!(
            Instant::now() < deadline,
            "no run of the demo has its label"
        );
    }
    server.kill();
    let server = Server::start(folder.path(), &[]);
    let store = store_of(&server, &runtime);
    let status = |id: &str| {
        let pk = format!("EXEC#{id}");
        let run = runtime.block_on(store.get(&pk, "EXECUTION"));
        let run = run.expect("read").expect("a run");
        run["status"].as_s().expect("a status").clone()
    };
    let deadline = Instant::now() + DEADLINE;
    while status("left-open") == "RUNNING" {
        assert!(Instant::now() < deadline, "the run is still open");
    }
    assert_eq!(status("left-open"), "FAILED");
    assert_eq!(status("own"), "RUNNING");
}
