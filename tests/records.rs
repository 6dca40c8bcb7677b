//! The record format: its schemas, its check, and the import of records.

use std::fs;
use std::path::Path;

use shared::store::Store;

use crate::support::process::Server;
use crate::support::records::ForkKey;

mod check;
mod format;
mod import;

/// A file of the project.
fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
