//! The hosts that a server answers for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::status;
use crate::support::process::{DEADLINE, Server, run};

/// Sends a request with these headers to a port, and returns the answer.
fn answer_to(port: u16, line: &str, headers: &str) -> String {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut socket = TcpStream::connect(address).expect("connected");
    socket.set_read_timeout(Some(DEADLINE)).expect("a time");
    let request = format!("{line} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("UTF-8");
    answer
}

/// A server that answers for two more hosts. The folder must outlive it.
fn server_with_hosts() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let hosts = [
        "--no-demo",
        "--allowed-hosts",
        "runs.example.com, 10.1.2.3:8443",
    ];
    (Server::start(folder.path(), &hosts), folder)
}

#[test]
fn only_allowed_hosts_are_answered() {
    let (server, _folder) = server_with_hosts();
    for (host, expected) in [
        ("127.0.0.1", 200),
        ("localhost:1", 200),
        ("[::1]:3000", 200),
        ("runs.example.com", 200),
        ("RUNS.EXAMPLE.COM:443", 200),
        ("10.1.2.3:8443", 200),
        ("10.1.2.3", 421),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("runs.example.com.evil.example", 421),
    ] {
        for path in ["/", "/config.json", "/openapi.json"] {
            let answer = answer_to(
                server.port,
                &format!("GET {path}"),
                &format!("Host: {host}\r\n"),
            );
            assert_eq!(status(&answer), expected, "{host} {path}: {answer:.300}");
            assert!(
                answer.contains("x-content-type-options: nosniff"),
                "{answer:.300}"
            );
        }
    }
    let answer = answer_to(server.port, "POST /sign-in", "Host: evil.example\r\n");
    assert_eq!(status(&answer), 421);
    assert!(answer.contains("--allowed-hosts"), "{answer}");
}

#[test]
fn a_request_without_one_clear_host_is_refused() {
    let (server, _folder) = server_with_hosts();
    let both = "Host: 127.0.0.1\r\nHost: evil.example\r\n";
    for (line, headers) in [
        ("GET /", ""),
        ("GET /", both),
        ("GET http://evil.example/", "Host: 127.0.0.1\r\n"),
    ] {
        let answer = answer_to(server.port, line, headers);
        assert!(
            matches!(status(&answer), 400 | 421),
            "{line} {headers}: {answer}"
        );
    }
}

#[test]
fn the_table_answers_only_for_hosts_of_this_machine() {
    let (server, _folder) = server_with_hosts();
    for (host, expected) in [("127.0.0.1", 405), ("localhost", 405)] {
        let answer = answer_to(server.table_port, "GET /", &format!("Host: {host}\r\n"));
        assert_eq!(status(&answer), expected, "{answer}");
        assert!(
            answer.contains("x-content-type-options: nosniff"),
            "{answer}"
        );
        assert!(
            answer.contains("cross-origin-resource-policy: same-origin"),
            "{answer}"
        );
    }
    let answer = answer_to(server.table_port, "POST /", "Host: runs.example.com\r\n");
    assert_eq!(status(&answer), 403);
}

#[test]
fn an_invalid_host_is_reported_before_the_server_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["--allowed-hosts", "https://a.example"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("runs.example.com"), "{message}");
}
