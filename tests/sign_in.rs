//! Signing in to the console with a link of `flowtrail serve` or `flowtrail sign-in`.

use std::fs::File;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::http;
use crate::support::process::{Server, admin_token, flowtrail, run};

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn code_of(link: &str) -> &str {
    let (_, code) = link.split_once("/#/sign-in?code=").expect("a link");
    code
}

fn tokens(server: &Server) -> Vec<Value> {
    let tokens = http::get(&server.url("/api/tokens"), server.token()).json();
    tokens["tokens"].as_array().expect("a list").clone()
}

#[test]
fn a_link_creates_one_session_that_survives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    assert_eq!(server.code().len(), 43, "256 bits");
    let answer = server.exchange(server.code());
    assert_eq!(answer.status, 200);
    let session = answer.json();
    let token = session["token"].as_str().expect("a token").to_owned();
    assert_ne!(token, server.token());
    let caller = http::get(&server.url("/api/caller"), &token).json()["caller"].take();
    assert_eq!(caller["teamId"], "default");
    assert!(caller["permissions"].to_string().contains("TOKENS_MANAGE"));
    let listed = tokens(&server);
    let own = listed.iter().find(|it| it["name"] == "console");
    let own = own.expect("the session");
    assert_eq!(own["expiresAt"], session["expiresAt"]);
    assert_eq!(own["createdBy"], "flowtrail serve");

    let again = server.exchange(server.code());
    assert_eq!(again.status, 410);
    let problem = again.json();
    assert_eq!(problem["code"], "SIGN_IN_LINK_ENDED");
    let message = problem["message"].as_str().expect("a text");
    assert!(message.contains("flowtrail sign-in"), "{message}");
    assert_eq!(
        tokens(&server).len(),
        2,
        "the tokens of the folder and of the session"
    );

    let before = server.code().to_owned();
    assert_eq!(server.end_with("-INT").code(), Some(0));
    let server = Server::start(folder.path(), &["--no-demo"]);
    assert_eq!(http::get(&server.url("/api/caller"), &token).status, 200);
    assert_ne!(server.code(), before);
}

#[test]
fn a_session_can_create_tokens_until_it_is_revoked() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let session = server.exchange(server.code()).json();
    let session = session["token"].as_str().expect("a token");
    let create = || {
        let body = json!({"role": "viewer"});
        let url = server.url("/api/tokens");
        let created = http::call(axum::http::Method::POST, &url, session, &body);
        created.expect("an answer").status
    };
    assert_eq!(create(), 201);
    let revoked = run(folder.path(), &["token", "revoke", session]);
    assert!(revoked.status.success());
    assert_eq!(create(), 401);
}

#[test]
fn the_sign_in_command_prints_another_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let no_server = run(folder.path(), &["sign-in"]);
    assert_eq!(no_server.status.code(), Some(1));
    let words = String::from_utf8_lossy(&no_server.stderr).into_owned();
    assert!(words.contains("No server is running on"), "{words}");
    assert!(!folder.path().join(".flowtrail").exists());

    let server = Server::start(folder.path(), &["--no-demo"]);
    let link = stdout(&run(folder.path(), &["sign-in"]));
    assert!(link.starts_with(&server.url("/#/sign-in?code=")), "{link}");
    assert_eq!(server.exchange(code_of(&link)).status, 200);
    assert_eq!(
        server.exchange(server.code()).status,
        200,
        "both links are valid"
    );
    assert_eq!(server.end_with("-INT").code(), Some(0));
    let ended = run(folder.path(), &["sign-in"]);
    assert_eq!(ended.status.code(), Some(1));
}

#[test]
fn a_link_for_another_table_needs_access_to_the_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let owner = Server::start(folder.path(), &["--no-demo"]);
    let url = format!("http://127.0.0.1:{}", owner.table_port);
    let other = tempfile::tempdir().expect("a folder");
    let table = ["--endpoint-url", &url, "--table", "second"];
    let arguments = [&table[..], &["--no-demo"]].concat();
    let server = Server::start(other.path(), &arguments);
    let port = server.port.to_string();
    let sign_in = [&["sign-in", "--port", &port][..], &table].concat();
    let link = stdout(&run(other.path(), &sign_in));
    assert_eq!(server.exchange(code_of(&link)).status, 200);
    // The command that is printed instead of a token creates one.
    let line = server.greeting.lines().find(|it| it.contains("TOKEN=$("));
    let line = line.expect("a line").split_once("TOKEN=$(flowtrail ");
    let (_, create) = line.expect("a command");
    let create: Vec<_> = create.trim_end_matches(')').split(' ').collect();
    let token = stdout(&run(other.path(), &create));
    assert_eq!(http::get(&server.url("/api/tokens"), &token).status, 200);
}

#[test]
fn links_and_sessions_are_refused_to_other_callers() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let json = ("Content-Type", "application/json");
    let links =
        |headers: &[(&str, &str)]| http::post(&server.url("/sign-in/links"), headers, "").status;
    assert_eq!(links(&[json]), 401);
    for (team, role, expected) in [
        ("default", "operator", 403),
        ("other", "admin", 403),
        ("default", "admin", 200),
    ] {
        let create = ["token", "create", "--team", team, "--role", role];
        let token = format!("Bearer {}", stdout(&run(folder.path(), &create)));
        assert_eq!(
            links(&[json, ("Authorization", &token)]),
            expected,
            "{team} {role}"
        );
    }
    let body = json!({"code": server.code()}).to_string();
    let exchange = |headers: &[(&str, &str)], body: &str| {
        http::post(&server.url("/sign-in"), headers, body).status
    };
    // Requests that a page of another origin can send.
    assert_eq!(exchange(&[("Content-Type", "text/plain")], &body), 415);
    assert_eq!(
        exchange(&[json, ("Origin", "http://127.0.0.1:1")], &body),
        403
    );
    assert_eq!(
        exchange(&[json, ("Sec-Fetch-Site", "cross-site")], &body),
        403
    );
    assert_eq!(exchange(&[json], "{}"), 400);
    assert_eq!(exchange(&[json], &"x".repeat(2_000)), 413);
    let url = server.url("/sign-in");
    assert_eq!(http::get(&url, server.token()).status, 405);
    assert_eq!(exchange(&[json], &body), 200, "the code is still valid");
    for _ in 0..10 {
        assert_eq!(exchange(&[json], r#"{"code": "wrong"}"#), 410);
    }
    assert_eq!(exchange(&[json], r#"{"code": "wrong"}"#), 429);
}

#[test]
fn logs_contain_no_tokens_or_codes() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let mut command = flowtrail(folder.path());
    command.env("RUST_LOG", "trace");
    command.stderr(Stdio::from(File::create(&log).expect("a file")));
    let server = Server::start_with(command, &["--no-demo"]);
    let token = admin_token(folder.path());
    let session = server.exchange(server.code()).json();
    let session = session["token"].as_str().expect("a token").to_owned();
    let link = stdout(&run(folder.path(), &["sign-in"]));
    for token in [&token, &session] {
        assert_eq!(http::get(&server.url("/api/caller"), token).status, 200);
        let body = json!({"role": "viewer"});
        let url = server.url("/api/tokens");
        let made = http::call(axum::http::Method::POST, &url, token, &body);
        assert_eq!(made.expect("an answer").status, 201);
    }
    assert_eq!(server.exchange(code_of(&link)).status, 200);
    let greeting = server.greeting.clone();
    let code = server.code().to_owned();
    assert_eq!(server.end_with("-INT").code(), Some(0));
    let log = std::fs::read_to_string(log).expect("UTF-8");
    assert!(log.contains("TRACE"), "the log has the level trace");
    for secret in [&token, &session, code_of(&link), &code] {
        // The secret of a token follows its id.
        let secret = match secret.strip_prefix("sdk_") {
            Some(token) => token.split_once('_').expect("a secret").1,
            None => secret,
        };
        assert!(!log.contains(secret), "the log has a secret");
    }
    assert!(!greeting.contains("sdk_"), "{greeting}");
    assert_eq!(greeting.matches(&code).count(), 1, "{greeting}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_token_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(".flowtrail/admin-token");
    let mode = || {
        std::fs::metadata(&file)
            .expect("a file")
            .permissions()
            .mode()
            & 0o777
    };
    let server = Server::start(folder.path(), &["--no-demo"]);
    assert_eq!(mode(), 0o600);
    let revoked = run(folder.path(), &["token", "revoke", server.token()]);
    assert!(revoked.status.success());
    assert_eq!(server.end_with("-INT").code(), Some(0));
    // The next token restores the permissions of a file that was opened to everyone.
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).expect("set");
    let server = Server::start(folder.path(), &["--no-demo"]);
    assert_eq!(mode(), 0o600);
    assert_eq!(
        http::get(&server.url("/api/caller"), server.token()).status,
        200
    );
}
