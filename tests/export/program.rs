//! `flowtrail export`.

use std::io::Read;
use std::path::Path;
use std::process::Output;

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use shared::store::Store;

use super::{download, rows, with_runs};
use crate::support::faults::breaking_endpoint;
use crate::support::process::{Server, run};
use crate::support::records::{execution, step, time, write};

/// The files in a folder, without the server's data.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name != ".flowtrail")
        .collect();
    names.sort();
    names
}

const SELECTION: &str = "--from 2026-02-01 --to 2026-02-17 --status FAILED";

/// The name of the file of [`SELECTION`], packed.
const DEFAULT_NAME: &str = "flowtrail-default-2026-02-01-to-2026-02-17.csv.gz";

/// Exports [`SELECTION`] with more arguments.
fn export(folder: &Path, more: &str) -> Output {
    let arguments = format!("export {SELECTION} {more}");
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    run(folder, &arguments)
}

/// Starts a server in a folder and writes 50 runs, 25 of which failed.
async fn server_with_runs(folder: &Path) -> Server {
    let server = Server::start(folder, &["--no-demo"]);
    let url = format!("http://127.0.0.1:{}", server.table_port);
    let store = Store::new(shared::config::client(Some(&url)).await, "flowtrail");
    let mut items = Vec::new();
    for n in 0..50 {
        let id = format!("run-{n}");
        let status = if n % 2 == 0 { "COMPLETED" } else { "FAILED" };
        let attributes = json!({"teamId": "default", "createdAt": time(n), "status": status});
        items.push(execution(&id, attributes));
        items.push(step(&id, "step", 0, json!({"stepName": "=1+1, or \"so\""})));
    }
    write(&store, items).await;
    server
}

/// The CSV of the endpoint for [`SELECTION`].
fn endpoint_csv(server: &Server) -> Vec<u8> {
    let query = "from=2026-02-01&to=2026-02-17&status=FAILED";
    let path = "/api/executions/team/default/export";
    let url = format!("http://127.0.0.1:{}{path}?{query}", server.port);
    let (status, expected, _) = download(&url, server.token(), "");
    assert_eq!(status, 200);
    assert_eq!(
        rows(std::str::from_utf8(&expected).expect("UTF-8")).len(),
        25
    );
    expected
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_writes_the_same_file_as_the_endpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = server_with_runs(folder).await;
    let expected = endpoint_csv(&server);
    assert_eq!(export(folder, "").stdout, expected, "with the server");
    drop(server);
    let alone = export(folder, "--output -").stdout;
    assert_eq!(alone, expected, "without the server");
    assert!(export(folder, "--output a.csv").status.success());
    assert_eq!(
        std::fs::read(folder.join("a.csv")).expect("a file"),
        expected
    );
    let marked = ["\u{FEFF}".as_bytes(), &expected].concat();
    assert_eq!(export(folder, "--bom").stdout, marked);
    let refused = export(folder, "--bom --format json");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--bom requires --format csv"));
    assert!(export(folder, "--output . --gzip").status.success());
    assert_eq!(files(folder), ["a.csv", DEFAULT_NAME]);
    let mut unpacked = Vec::new();
    GzDecoder::new(std::fs::File::open(folder.join(DEFAULT_NAME)).expect("a file"))
        .read_to_end(&mut unpacked)
        .expect("gzip");
    assert_eq!(unpacked, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_replaces_a_file_only_with_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = server_with_runs(folder).await;
    let expected = endpoint_csv(&server);
    drop(server);
    assert!(export(folder, "--output a.csv").status.success());
    let refused = export(folder, "--output a.csv --format json");
    assert_eq!(refused.status.code(), Some(1));
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        text.contains("a.csv already exists") && text.contains("--force"),
        "{text}"
    );
    assert_eq!(
        std::fs::read(folder.join("a.csv")).expect("a file"),
        expected
    );
    let forced = export(folder, "--output a.csv --format json --force");
    assert!(forced.status.success());
    let replaced = std::fs::read(folder.join("a.csv")).expect("a file");
    let replaced: Value = serde_json::from_slice(&replaced).expect("JSON");
    assert_eq!(replaced.as_array().map(Vec::len), Some(25));
    assert_eq!(files(folder), ["a.csv"], "no other file is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_leaves_no_file_that_is_cut_off() {
    let app = with_runs().await;
    if app.embedded.is_none() {
        eprintln!("not run: this test needs the embedded DynamoDB");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let endpoint = breaking_endpoint(&app, 60).await;
    let table = app.store.table().to_owned();
    let path = folder.path().to_owned();
    let export = tokio::task::spawn_blocking(move || {
        let select = ["export", "--team", "team-a", "--days", "3660"];
        let place = ["--endpoint-url", &endpoint, "--table", &table];
        let to_file = run(
            &path,
            &[&select[..], &place, &["--output", "a.csv"]].concat(),
        );
        let to_stdout = run(&path, &[&select[..], &place].concat());
        [to_file, to_stdout]
    });
    for output in export.await.expect("no panic") {
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains("A request to the table failed"), "{text}");
    }
    assert_eq!(files(folder.path()), Vec::<String>::new());
}
