//! The commands that work on the table with or without a running server.

use std::path::Path;

use serde_json::json;
use shared::store::Store;

use super::{client, get, run_successfully, stderr};
use crate::support::process::{Server, run};
use crate::support::records::{self, execution, time};

#[test]
fn a_table_without_counters_is_counted_at_the_next_start() {
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
    // The stream no longer has their changes.
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
fn wrong_counters_are_reported_and_rebuilt() {
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
    let mut item = shared::keys::key("COUNT#default#*", "2026-02-17");
    // The counter of completed runs says seven.
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
    let rebuilt = run(folder.path(), &["counts", "rebuild"]);
    assert!(rebuilt.status.success(), "{}", stderr(&rebuilt));
    let right = run(folder.path(), &["counts", "verify"]);
    assert!(right.status.success(), "{}", stderr(&right));
}

#[test]
fn token_command_needs_a_table_that_can_be_created_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let no_table = run(folder.path(), &["token", "list"]);
    assert_eq!(no_table.status.code(), Some(1));
    assert!(
        stderr(&no_table).contains("flowtrail table create"),
        "{}",
        stderr(&no_table)
    );
    run_successfully(folder.path(), &["table", "create"]);
    run_successfully(folder.path(), &["table", "create"]);
    run_successfully(folder.path(), &["token", "list"]);
}

#[test]
fn tokens_are_managed_with_and_without_a_running_server() {
    let folder = tempfile::tempdir().expect("a folder");
    run_successfully(folder.path(), &["table", "create"]);
    let before = create_token(
        folder.path(),
        &["--role", "viewer", "--name", "before the server"],
    );
    let server = Server::start(folder.path(), &["--no-demo"]);
    let limits = ["--flows", "flow-1,flow-2", "--expires", "90d"];
    let limited = create_token(
        folder.path(),
        &[&["--role", "operator"][..], &limits].concat(),
    );
    for token in [&before, &limited] {
        assert!(token.starts_with("sdk_"), "{token}");
        let list = get(&server, token, "/flow-executions?flowDefinitionId=flow-1");
        assert_eq!(list["success"], true, "{list}");
    }
    let other_flow = "/flow-executions?flowDefinitionId=flow-3";
    assert_eq!(get(&server, &limited, other_flow)["code"], "FORBIDDEN");
    assert_tokens_are_listed_without_secrets(folder.path(), [&before, &limited]);

    revoke_token(folder.path(), &before);
    // A restarted server has forgotten every caller.
    drop(server);
    let server = Server::start(folder.path(), &["--no-demo"]);
    let refused = get(&server, &before, "/flow-executions?flowDefinitionId=flow-1");
    assert_eq!(refused["code"], "UNAUTHENTICATED");
}

fn create_token(folder: &Path, arguments: &[&str]) -> String {
    let command = ["token", "create", "--team", "team-a"];
    let text = run_successfully(folder, &[&command[..], arguments].concat());
    text.lines().last().expect("a line").to_owned()
}

fn assert_tokens_are_listed_without_secrets(folder: &Path, tokens: [&String; 2]) {
    let list = run_successfully(folder, &["token", "list"]);
    assert_eq!(
        list.lines().count(),
        4,
        "a head, the server's token and these two: {list}"
    );
    assert!(
        list.contains("before the server") && list.contains("(only flow-1, flow-2)"),
        "{list}"
    );
    for token in tokens {
        let secret = token.splitn(3, '_').nth(2).expect("a secret");
        assert!(!list.contains(secret));
    }
}

/// Revokes a token, which stays in the list. What is not the id of a token is refused.
fn revoke_token(folder: &Path, token: &str) {
    let id = token.split('_').nth(1).expect("an id");
    run_successfully(folder, &["token", "revoke", id]);
    let list = run_successfully(folder, &["token", "list"]);
    let line = list
        .lines()
        .find(|line| line.contains(id))
        .expect("still listed");
    assert!(line.contains("revoked"), "{line}");
    let unknown = run(folder, &["token", "revoke", &"0".repeat(20)]);
    assert_eq!(unknown.status.code(), Some(1));
    let no_id = run(folder, &["token", "revoke", "sdk_0_SECRET"]);
    assert_eq!(no_id.status.code(), Some(2));
}

/// Runs a command for the team `default`, and returns the lines it prints.
pub fn printed(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let text = run_successfully(folder, &for_default(arguments));
    text.lines().map(str::to_owned).collect()
}

fn for_default<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--team", "default"]].concat()
}

#[test]
fn roles_are_managed_with_and_without_a_running_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = start_with_auditor_role(folder);
    let roles = printed(folder, &["role", "list"]);
    let last = "auditor           EXECUTIONS_READ,AUDIT_READ".to_owned();
    assert_eq!(roles.len(), 5, "{roles:?}");
    assert_eq!(roles.last(), Some(&last));
    let wrong = ["role", "set", "admin", "--permissions", "AUDIT_READ"];
    let wrong = run(folder, &for_default(&wrong));
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        stderr(&wrong).contains("Every team has the role admin"),
        "{}",
        stderr(&wrong)
    );
    let token = create_auditor_token(folder);
    let forbidden = get(&server, &token, "/api/tokens");
    assert_eq!(forbidden["code"], "FORBIDDEN");

    printed(folder, &["role", "remove", "auditor"]);
    let again = run(folder, &for_default(&["role", "remove", "auditor"]));
    assert_eq!(again.status.code(), Some(1));
    let create = ["token", "create", "--role", "auditor"];
    assert_eq!(run(folder, &for_default(&create)).status.code(), Some(1));
}

#[test]
fn the_audit_command_lists_the_events_that_the_api_lists() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let server = start_with_auditor_role(folder);
    let token = create_auditor_token(folder);
    let audit = get(&server, &token, "/api/audit");
    let events = audit["events"].as_array().expect("events");
    let actions: Vec<_> = events
        .iter()
        .map(|event| event["action"].as_str())
        .collect();
    let expected = ["TOKEN_CREATED", "ROLES_CHANGED", "TOKEN_CREATED"].map(Some);
    assert_eq!(actions, expected);

    let lines = printed(folder, &["audit"]);
    assert_eq!(lines.len(), 4, "a head and the events: {lines:?}");
    assert!(lines[1].contains("cli") && lines[1].contains(r#"name="a\"b""#));
    assert!(lines[3].contains("flowtrail serve"), "{}", lines[3]);
    let one = ["audit", "--action", "ROLES_CHANGED", "--limit", "1"];
    let lines = printed(folder, &one);
    assert_eq!(lines.len(), 2);
    assert!(
        lines[1].contains("auditor: +EXECUTIONS_READ +AUDIT_READ"),
        "{}",
        lines[1]
    );
}

/// Defines the role `auditor` while no server is running, and starts one.
fn start_with_auditor_role(folder: &Path) -> Server {
    Server::start(folder, &["--no-demo"]).end_with("-INT");
    let permissions = ["--permissions", "AUDIT_READ,EXECUTIONS_READ"];
    let set = [&["role", "set", "auditor"][..], &permissions].concat();
    printed(folder, &set);
    Server::start(folder, &["--no-demo"])
}

fn create_auditor_token(folder: &Path) -> String {
    let named = ["--name", "a\"b", "--expires", "1h"];
    let create = [&["token", "create", "--role", "auditor"][..], &named].concat();
    printed(folder, &create).remove(0)
}
