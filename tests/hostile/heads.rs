//! Heads of requests that are invalid, too large, or name a manipulated path.

use axum::http::Method;
use serde_json::json;
use shared::auth::Role;

use super::{assert_modest, send, started, status};
use crate::support::process::Server;
use crate::support::records::execution;
use crate::support::{TestApp, http};

const HOST: &str = "Host: 127.0.0.1\r\n";

const CLOSE: &str = "Connection: close\r\n\r\n";

/// A name for a request, the request, and the statuses that may answer it.
type Case = (&'static str, String, &'static [u16]);

/// A GET of a path, with more headers.
fn get_with(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\n{HOST}{headers}{CLOSE}")
}

fn large_header(name: &str, bytes: usize) -> String {
    format!("{name}: {}\r\n", "a".repeat(bytes))
}

/// Requests whose path or headers are too large.
fn oversized_heads() -> Vec<Case> {
    let query = |text: &str, times: usize| format!("?{}", text.repeat(times));
    let huge_name = format!("{}: a\r\n", "a".repeat(70_000));
    vec![
        (
            "a query of 1 MB",
            get_with(&format!("/{}", query("a", 1 << 20)), ""),
            &[414, 431],
        ),
        (
            "a query of 40 KB",
            get_with(&format!("/api/roles{}", query("a=b&", 10_000)), ""),
            &[414],
        ),
        (
            "a path of 1 MB",
            get_with(&format!("/{}", "a/".repeat(1 << 19)), ""),
            &[414, 431],
        ),
        (
            "200 headers",
            get_with("/", &"X-Flood: a\r\n".repeat(200)),
            &[431],
        ),
        (
            "a header of 100 KB",
            get_with("/", &large_header("X-Large", 100_000)),
            &[431],
        ),
        (
            "a header of 10 MB",
            get_with("/", &large_header("X-Large", 10 << 20)),
            &[431],
        ),
        (
            "a token of 60 KB",
            get_with("/api/roles", &large_header("Authorization", 60_000)),
            &[401],
        ),
        (
            "a header's name of 70 KB",
            get_with("/", &huge_name),
            &[431],
        ),
    ]
}

/// Requests that are not valid HTTP/1.1, or use a method or target that no route has.
fn invalid_heads() -> Vec<Case> {
    let line = |line: &str| format!("{line}\r\n{HOST}{CLOSE}");
    vec![
        ("no HTTP", "\0\u{1}\u{2}nonsense\r\n\r\n".to_owned(), &[400]),
        ("no version", line("GET /"), &[400]),
        (
            "HTTP/2 without negotiation",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            &[0, 400],
        ),
        ("an unknown method", line("BREW / HTTP/1.1"), &[404, 405]),
        (
            "a method in lower case",
            line("get /api/roles HTTP/1.1"),
            &[405],
        ),
        ("TRACE", line("TRACE /api/roles HTTP/1.1"), &[405]),
        ("CONNECT", line("CONNECT example.com:80 HTTP/1.1"), &[421]),
        ("OPTIONS of all", line("OPTIONS * HTTP/1.1"), &[404, 405]),
        (
            "another server's URI",
            get_with("http://example.com/api/roles", ""),
            &[421],
        ),
        ("a folded header", get_with("/", "X-A: a\r\n b\r\n"), &[400]),
        (
            "a header with a zero",
            get_with("/", "X-A: a\0b\r\n"),
            &[400],
        ),
    ]
}

/// An authenticated POST. The body of an anonymous one is not read.
fn post_with(server: &Server, headers: &str, body: &str) -> String {
    let token = format!("Authorization: Bearer {}\r\n", server.token());
    format!("POST /api/tokens HTTP/1.1\r\n{HOST}{token}{headers}{CLOSE}{body}")
}

/// Requests whose body has no clear length.
fn invalid_lengths(server: &Server) -> Vec<Case> {
    let post = |headers: &str, body: &str| post_with(server, headers, body);
    let chunked = "Transfer-Encoding: chunked\r\n";
    let endless_length = format!("Content-Length: {}\r\n", "9".repeat(40));
    let endless_chunk = format!("{}\r\n", "f".repeat(30));
    vec![
        (
            "two lengths",
            post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
            &[400],
        ),
        (
            "a negative length",
            post("Content-Length: -1\r\n", "{}"),
            &[400],
        ),
        ("an endless length", post(&endless_length, "{}"), &[400]),
        (
            "a length of 1 TB",
            post("Content-Length: 1099511627776\r\n", "{}"),
            &[413],
        ),
        ("invalid chunks", post(chunked, "zz\r\n{}\r\n"), &[400]),
        ("an endless chunk", post(chunked, &endless_chunk), &[400]),
        (
            "an unknown coding",
            post("Transfer-Encoding: gzip\r\n", "{}"),
            &[400],
        ),
    ]
}

#[test]
fn invalid_and_oversized_heads_are_refused() {
    let (_folder, server) = started();
    let cases = [oversized_heads(), invalid_heads(), invalid_lengths(&server)].concat();
    for (name, request, expected) in &cases {
        let answer = send(server.port, request.as_bytes());
        assert!(expected.contains(&status(&answer)), "{name}: {answer:.300}");
        if *expected == [401_u16] || *expected == [405_u16] {
            assert!(answer.contains("\"requestId\""), "{name}: {answer}");
        }
    }
    // The table's endpoint refuses them as well.
    for (name, request, _) in cases
        .iter()
        .filter(|(_, request, _)| !request.contains("/api/"))
    {
        let answer = send(server.table_port, request.as_bytes());
        assert!(
            (400..500).contains(&status(&answer)) || answer.is_empty(),
            "{name}: {answer:.300}"
        );
    }
    assert_eq!(
        http::get(&server.url("/api/roles"), server.token()).status,
        200
    );
    eprintln!("{} heads", cases.len());
    assert_modest(&server);
}

#[test]
fn a_request_hidden_in_a_body_is_not_answered() {
    let (_folder, server) = started();
    let hidden = "0\r\n\r\nGET /api/roles HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let both = format!(
        "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
        hidden.len()
    );
    let answer = send(server.port, post_with(&server, &both, hidden).as_bytes());
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[test]
fn requests_that_are_not_text_are_refused() {
    let (_folder, server) = started();
    let token = format!("Authorization: Bearer {}", server.token()).into_bytes();
    let roles: &[u8] = b"/api/roles";
    let cases: [(&[u8], &[u8], &[u16]); 5] = [
        (roles, b"Authorization: Bearer sdk_\xff\xfe", &[401]),
        (b"/api/roles?a=%ff%fe", &token, &[200]),
        (b"/api/roles?a=\xff\xfe", &token, &[200, 400]),
        (b"/flow-executions/%ff%fe", &token, &[404]),
        (b"/flow-executions/a\xff", &token, &[400, 404]),
    ];
    for (path, more, expected) in cases {
        let request = [
            b"GET ",
            path,
            b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
            more,
            b"\r\n\r\n",
        ];
        let answer = send(server.port, &request.concat());
        assert!(
            expected.contains(&status(&answer)),
            "{}: {answer}",
            path.escape_ascii()
        );
    }
}

/// Paths that try to reach a route, a file or a run in another way.
const TRICKS: &[&str] = &[
    "//api/roles",
    "/api//roles",
    "/api/roles/",
    "/API/roles",
    "/api/Roles",
    "/api/./roles",
    "/api/../api/roles",
    "/api/%2e%2e/api/roles",
    "/api/roles%00",
    "/api/roles%20",
    "/api%2Froles",
    "/api\\roles",
    "/api/roles;a=b",
    "/flow-executions/..%2f..%2fetc%2fpasswd",
    "/flow-executions/%2e%2e",
    "/flow-executions/%00",
    "/flow-executions/run-1%00",
    "/flow-executions/run-1%2F",
    "/flow-executions/RUN-1",
    "/flow-executions/%F0%9F%92%A3",
    "/flow-executions/%ED%A0%80",
    "/flow-executions/%C0%AF",
    "/flow-executions/%",
    "/flow-executions/%zz",
    "/flow-executions/run-1%0d%0aX-A:b",
    "/flow-executions/run-1/..",
    "/flow-executions/run-1//branch-steps",
    "/api/executions/team/team-a%00",
    "/api/executions/team/%2e%2e",
    "/api/tokens/..",
    "/assets/..%2f..%2fCargo.toml",
    "/assets/../../Cargo.toml",
    "/assets/%2e%2e/%2e%2e/etc/passwd",
    "/assets//etc/passwd",
    "/flow-executions/'%20OR%201=1",
    "/flow-executions/EXEC%23run-1",
    "/flow-executions/%24%7Bjndi:ldap:%7D",
    "/%",
    "/*",
    "/{id}",
    "/api/executions/{id}",
];

#[tokio::test]
async fn manipulated_paths_are_refused_with_any_method() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write([execution("run-1", json!({}))]).await;
    let long = "a".repeat(30_000);
    let long = [format!("/flow-executions/{long}"), format!("/{long}")];
    let paths = TRICKS
        .iter()
        .copied()
        .chain(long.iter().map(String::as_str));
    let mut tried = 0;
    for path in paths {
        for method in [
            Method::GET,
            Method::POST,
            Method::DELETE,
            Method::PUT,
            Method::HEAD,
        ] {
            let answer = app.call(method.clone(), &token, path, "").await;
            let status = answer.status.as_u16();
            assert!(
                (400..500).contains(&status),
                "{method} {path}: {status} {}",
                answer.body
            );
            if method != Method::HEAD {
                answer.problem();
            }
            tried += 1;
        }
    }
    eprintln!("{tried} paths");
    assert_eq!(app.item("run-1").await["status"], "COMPLETED");
}
