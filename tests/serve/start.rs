//! Starting and stopping: data, failures, another DynamoDB, sign-in with an issuer.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;

use serde_json::json;
use shared::store::Store;

use super::{assert_one_line_error, client, get, stderr};
use crate::support::http;
use crate::support::issuer::{AUDIENCE, Issuer, SigningKey};
use crate::support::process::{Server, flowtrail, free_port, run};
use crate::support::records::{self, execution};

/// Free ports for a server.
const PORTS: [&str; 6] = ["--port", "0", "--table-port", "0", "--grpc-port", "0"];

#[test]
fn data_and_token_survive_ctrl_c_and_a_restart() {
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
fn failures_to_start_are_reported_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let (api, table) = (server.port.to_string(), server.table_port.to_string());
    let other = tempfile::tempdir().expect("a folder");
    assert_one_line_error(
        other.path(),
        &["serve", "--port", &api, "--table-port", "0"],
        "with --port",
    );
    assert_one_line_error(
        other.path(),
        &["--port", "0", "--table-port", &table],
        "--table-port",
    );
    let grpc = server.grpc_port.to_string();
    assert_one_line_error(
        other.path(),
        &["--port", "0", "--table-port", "0", "--grpc-port", &grpc],
        "Choose another port with --grpc-port",
    );
    let ports = PORTS;
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
        assert_one_line_error(folder, &arguments, words);
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
fn a_server_goes_on_without_the_usual_port_for_grpc() {
    // If another program has the port already, that is fine as well.
    let _taken = TcpListener::bind(("127.0.0.1", local::grpc::DEFAULT_PORT));
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = flowtrail(folder.path())
        .args(["--no-demo", "--port", "0", "--table-port", "0"])
        .spawn()
        .expect("started");
    let mut greeting = BufReader::new(child.stdout.take().expect("piped"));
    let mut lines = String::new();
    while !lines.contains("curl ") {
        let read = greeting.read_line(&mut lines).expect("UTF-8");
        assert_ne!(read, 0, "the server has ended");
    }
    assert!(!lines.contains("gRPC"), "{lines}");
    child.kill().expect("killed");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(
        stderr(&output),
        "OpenTelemetry traces over gRPC are not accepted: Port 4317 is in use by another program. \
         Choose another port with --grpc-port."
    );
}

#[test]
fn a_damaged_database_file_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    assert_eq!(server.end_with("-INT").code(), Some(0));
    let file = folder.path().join(".flowtrail/flowtrail.db");
    // A write-ahead log would hide the damage: what is in it is read instead of the file.
    let connection = rusqlite::Connection::open(&file).expect("opened");
    let moved = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    moved.expect("moved into the file");
    connection.close().expect("closed");
    let mut bytes = fs::read(&file).expect("read");
    let third = bytes.len() / 3;
    bytes[third..2 * third].fill(0x5a);
    fs::write(&file, bytes).expect("written");
    assert_one_line_error(folder.path(), &PORTS, "is damaged");
}

#[test]
fn an_emptied_or_missing_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join(".flowtrail");
    // An unused empty file is accepted.
    fs::create_dir(&data).expect("a folder");
    fs::write(data.join("flowtrail.db"), "").expect("written");
    let server = Server::start(folder.path(), &["--no-demo"]);
    server.kill();

    let file = data.join("flowtrail.db");
    let content = fs::read(&file).expect("read");
    for sign in [
        "lock",
        "admin-token",
        "flowtrail.db-wal",
        "flowtrail.db-shm",
    ] {
        let other = tempfile::tempdir().expect("a folder");
        let data = other.path().join(".flowtrail");
        fs::create_dir(&data).expect("a folder");
        fs::write(data.join("flowtrail.db"), "").expect("written");
        fs::write(data.join(sign), "").expect("written");
        assert_one_line_error(other.path(), &PORTS, "is empty, although");
        assert_one_line_error(other.path(), &PORTS, "is empty, although");
    }
    fs::write(&file, "").expect("written");
    assert_one_line_error(folder.path(), &PORTS, "is empty, although");
    assert_eq!(
        fs::metadata(&file).expect("there").len(),
        0,
        "the file is unchanged"
    );
    fs::remove_file(&file).expect("removed");
    assert_one_line_error(folder.path(), &PORTS, "is missing, although");

    // The two remedies that the messages name: restore a copy, or remove everything.
    fs::write(&file, &content).expect("written");
    Server::start(folder.path(), &["--no-demo"]).kill();
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(data.join(format!("flowtrail.db{suffix}")));
    }
    Server::start(folder.path(), &["--no-demo"]).kill();
}

#[test]
fn jwts_of_the_configured_issuer_are_accepted() {
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
    // The console sends people to the issuer.
    let config = get(&server, &jwt, "/config.json");
    assert_eq!(config["oidc"]["issuer"], issuer.url);
    assert_eq!(config["oidc"]["clientId"], AUDIENCE);
}

#[test]
fn incomplete_oidc_options_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let ports = PORTS;
    let client = ["--oidc-console-client-id", AUDIENCE];
    assert_one_line_error(
        folder.path(),
        &[&ports[..], &client].concat(),
        "--oidc-issuer, or the variable FLOWTRAIL_OIDC_ISSUER must name the issuer",
    );
    let issuer = ["--oidc-issuer", "http://127.0.0.1:1"];
    assert_one_line_error(
        folder.path(),
        &[&ports[..], &issuer].concat(),
        "FLOWTRAIL_OIDC_AUDIENCE must name the audience",
    );
}

#[test]
fn another_dynamodb_can_replace_the_embedded_one() {
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
        "no data folder is created"
    );
    let list = get(
        &server,
        server.token(),
        "/flow-executions?flowDefinitionId=flow-1",
    );
    assert_eq!(list["data"]["items"], json!([]));
    // A token of one table is unknown to another.
    let refused = get(
        &owner,
        server.token(),
        "/flow-executions?flowDefinitionId=flow-1",
    );
    assert_eq!(refused["code"], "UNAUTHENTICATED");
}

#[test]
fn the_table_endpoint_refuses_requests_of_web_pages() {
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
fn an_existing_gitignore_is_kept() {
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
