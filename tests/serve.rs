//! The program `flowtrail` as a person uses it: started, killed and started again.

use std::path::Path;
use std::process::Output;

use aws_sdk_dynamodb::Client;
use serde_json::Value;

use crate::support::http;
use crate::support::process::{Server, run};

mod commands;
mod demo;
mod kills;
mod readme;
mod start;

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

/// The program ends with status 1 and one line of error that contains `words`.
fn assert_one_line_error(folder: &Path, arguments: &[&str], words: &str) {
    let output = run(folder, arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
    assert!(
        text.starts_with("flowtrail: ") && text.contains(words),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");
}

/// Runs a command that must succeed, and returns what it prints.
fn run_successfully(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}
