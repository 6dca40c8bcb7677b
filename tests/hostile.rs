//! What nobody means well with: bombs, floods, tricks and lies. Each gets a clear refusal
//! or an answer, in bounded memory, and others are answered meanwhile.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use axum::routing::get;
use bytes::Bytes;
use functions::route::ROUTES;
use futures_util::stream;
use local::connections::{self, MAX_CONNECTIONS};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use shared::auth::Role;
use shared::model::Item;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use crate::support::http;
use crate::support::process::{DEADLINE, Server};
use crate::support::records::{
    ForkKey, branch_step, execution, payload, payload_parts, step, step_path, time,
};
use crate::support::{TestApp, is_embedded};

/// What a server of the demo's size may have had in memory at most, in bytes, whatever it
/// is sent: it has some 60 MB at rest, unoptimised.
const MAX_MEMORY: u64 = 500 << 20;

/// The most memory that a process has had, in bytes; `None` where the system does not tell.
fn peak_memory(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn assert_modest(server: &Server) {
    if let Some(peak) = peak_memory(server.id()) {
        eprintln!("{} MB at most", peak >> 20);
        assert!(peak < MAX_MEMORY, "{peak} bytes");
    }
}

fn connect(port: u16) -> TcpStream {
    let socket = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).expect("connected");
    socket.set_read_timeout(Some(DEADLINE)).expect("a time");
    socket.set_write_timeout(Some(DEADLINE)).expect("a time");
    socket
}

/// Sends bytes as they are, and returns what comes back until the connection ends.
fn send(port: u16, bytes: &[u8]) -> String {
    let mut socket = connect(port);
    // The server may have enough before all is sent.
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of an answer; 0 where there is none.
fn status(answer: &str) -> u16 {
    let status = answer.split_whitespace().nth(1);
    status
        .and_then(|status| status.parse().ok())
        .unwrap_or_default()
}

fn started() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    (folder, server)
}

#[test]
fn heads_that_are_no_heads_or_too_much_of_one_are_refused() {
    let (_folder, server) = started();
    let host = "Host: 127.0.0.1\r\n";
    let close = "Connection: close\r\n\r\n";
    let flood = "X-Flood: a\r\n".repeat(200);
    let flooded = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\n{host}{more}{close}");
    let large = |name: &str, bytes: usize| format!("{name}: {}\r\n", "a".repeat(bytes));
    let post = |more: &str, body: &str| {
        format!("POST /api/tokens HTTP/1.1\r\n{host}{more}Connection: close\r\n\r\n{body}")
    };
    let cases: Vec<(&str, String, &[u16])> = vec![
        (
            "a query of 1 MB",
            flooded(&format!("/?{}", "a".repeat(1 << 20)), ""),
            &[414, 431],
        ),
        (
            "a query of 40 KB",
            flooded(&format!("/api/roles?{}", "a=b&".repeat(10_000)), ""),
            &[414],
        ),
        (
            "a path of 1 MB",
            flooded(&format!("/{}", "a/".repeat(1 << 19)), ""),
            &[414, 431],
        ),
        ("200 headers", flooded("/", &flood), &[431]),
        (
            "a header of 100 KB",
            flooded("/", &large("X-Large", 100_000)),
            &[431],
        ),
        (
            "a header of 10 MB",
            flooded("/", &large("X-Large", 10 << 20)),
            &[431],
        ),
        (
            "a token of 60 KB",
            flooded("/api/roles", &large("Authorization", 60_000)),
            &[401],
        ),
        (
            "a header's name of 70 KB",
            flooded("/", &format!("{}: a\r\n", "a".repeat(70_000))),
            &[431],
        ),
        ("no HTTP", "\0\u{1}\u{2}nonsense\r\n\r\n".to_owned(), &[400]),
        ("no version", format!("GET /\r\n{host}{close}"), &[400]),
        (
            "HTTP/2 unasked",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            &[0, 400],
        ),
        (
            "a method of its own",
            format!("BREW / HTTP/1.1\r\n{host}{close}"),
            &[404, 405],
        ),
        (
            "a method in small letters",
            format!("get /api/roles HTTP/1.1\r\n{host}{close}"),
            &[405],
        ),
        (
            "TRACE",
            format!("TRACE /api/roles HTTP/1.1\r\n{host}{close}"),
            &[405],
        ),
        (
            "CONNECT",
            format!("CONNECT example.com:80 HTTP/1.1\r\n{host}{close}"),
            &[400, 404, 405],
        ),
        (
            "OPTIONS of all",
            format!("OPTIONS * HTTP/1.1\r\n{host}{close}"),
            &[404, 405],
        ),
        (
            "another server's URI",
            flooded("http://example.com/api/roles", ""),
            &[401],
        ),
        (
            "a header that is folded",
            flooded("/", "X-A: a\r\n b\r\n"),
            &[400],
        ),
        (
            "a header with a zero",
            flooded("/", "X-A: a\0b\r\n"),
            &[400],
        ),
        (
            "two lengths",
            post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"),
            &[400],
        ),
        (
            "a length of less than nothing",
            post("Content-Length: -1\r\n", "{}"),
            &[400],
        ),
        (
            "an endless length",
            post(&format!("Content-Length: {}\r\n", "9".repeat(40)), "{}"),
            &[400],
        ),
        (
            "a length of 1 TB",
            post("Content-Length: 1099511627776\r\n", "{}"),
            &[413],
        ),
        (
            "chunks that are none",
            post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n"),
            &[400],
        ),
        (
            "an endless chunk",
            post(
                "Transfer-Encoding: chunked\r\n",
                &format!("{}\r\n", "f".repeat(30)),
            ),
            &[400],
        ),
        (
            "an unknown coding",
            post("Transfer-Encoding: gzip\r\n", "{}"),
            &[400],
        ),
    ];
    for (what, request, expected) in &cases {
        let answer = send(server.port, request.as_bytes());
        assert!(expected.contains(&status(&answer)), "{what}: {answer:.300}");
        if *expected == [401_u16] || *expected == [405_u16] {
            assert!(answer.contains("\"requestId\""), "{what}: {answer}");
        }
    }
    // A second request may hide behind the first one's body, and is none.
    let hidden = "0\r\n\r\nGET /api/roles HTTP/1.1\r\nHost: a\r\n\r\n";
    let both = format!(
        "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
        hidden.len()
    );
    let answer = send(server.port, post(&both, hidden).as_bytes());
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    // The table's endpoint as well.
    for (what, request, _) in cases
        .iter()
        .filter(|(_, request, _)| !request.contains("/api/"))
    {
        let answer = send(server.table_port, request.as_bytes());
        assert!(
            (400..500).contains(&status(&answer)) || answer.is_empty(),
            "{what}: {answer:.300}"
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
fn bytes_that_are_no_text_are_refused() {
    let (_folder, server) = started();
    let own = format!("Authorization: Bearer {}", server.token()).into_bytes();
    let roles: &[u8] = b"/api/roles";
    let cases: [(&[u8], &[u8], &[u16]); 5] = [
        (roles, b"Authorization: Bearer sdk_\xff\xfe", &[401]),
        (b"/api/roles?a=%ff%fe", &own, &[200]),
        (b"/api/roles?a=\xff\xfe", &own, &[200, 400]),
        (b"/flow-executions/%ff%fe", &own, &[404]),
        (b"/flow-executions/a\xff", &own, &[400, 404]),
    ];
    for (path, more, expected) in cases {
        let request = [
            b"GET ",
            path,
            b" HTTP/1.1\r\nConnection: close\r\n",
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

/// Raises the number of files that this process may have open as far as it can be, and
/// returns how many connections it can have.
fn raise_descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Other tests of this process need some, too.
    let most = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    most.map_or(usize::MAX, |most| most as usize)
        .saturating_sub(1_000)
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_from_an_answer() {
    let most = raise_descriptors();
    let (_folder, server) = started();
    for (port, path, asked, count) in [
        (server.port, "/api/roles", 200, 10_000),
        (server.table_port, "/", 405, 2_000),
    ] {
        let count = count.min(most);
        // Half of them say nothing, half of them a part of a head.
        let mut idle: Vec<TcpStream> = Vec::with_capacity(count);
        for number in 0..count {
            let mut socket = connect(port);
            if number % 2 == 0 {
                // It may have been ended for a later one.
                let _ = socket.write_all(b"GET / HTTP/1.1\r\nHost: ");
            }
            idle.push(socket);
            if number % 1_000 == 999 {
                let begin = Instant::now();
                let answer = http::get(&format!("http://127.0.0.1:{port}{path}"), server.token());
                assert_eq!(answer.status, asked);
                assert!(
                    begin.elapsed() < Duration::from_secs(5),
                    "{:?}",
                    begin.elapsed()
                );
            }
        }
        eprintln!("{} idle connections", idle.len());
        assert!(
            idle.len() >= MAX_CONNECTIONS * 2,
            "too few to tell: raise ulimit -n"
        );
    }
    assert_modest(&server);
}

/// A port that serves this router in this process.
async fn port_of(router: Router) -> (u16, watch::Sender<bool>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(connections::serve(listener, router, stopped));
    (port, stop)
}

async fn open(port: u16) -> tokio::net::TcpStream {
    let socket = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    socket.expect("connected")
}

/// What comes back until the connection ends, and how long that takes.
async fn until_the_end(mut socket: tokio::net::TcpStream) -> (String, Duration) {
    let begin = tokio::time::Instant::now();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    (
        String::from_utf8_lossy(&answer).into_owned(),
        begin.elapsed(),
    )
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_or_half_of_it_is_let_go() {
    let answer = |body: Body| async move {
        match connections::read_body(body, 1_000).await {
            Ok(_) => "read",
            Err(_) => "unread",
        }
    };
    let (port, _stop) = port_of(Router::new().route("/", get("asked").post(answer))).await;
    let cases = [
        ("", ""),
        ("GET / HT", ""),
        ("GET / HTTP/1.1\r\nHost: a\r\nX-A: ", ""),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "asked"),
        (
            "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf",
            "unread",
        ),
    ];
    for (sent, expected) in cases {
        let mut socket = open(port).await;
        socket.write_all(sent.as_bytes()).await.expect("sent");
        let (answer, took) = until_the_end(socket).await;
        assert!(answer.ends_with(expected), "{sent}: {answer}");
        assert!(took <= Duration::from_secs(61), "{sent}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_of_an_answer_is_let_go() {
    let piece = Bytes::from(vec![b'x'; 64 << 10]);
    let endless = move || async move {
        let pieces = stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
        Body::from_stream(pieces)
    };
    let (port, _stop) = port_of(Router::new().route("/", get(endless))).await;
    let mut socket = open(port).await;
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    socket.write_all(request).await.expect("sent");
    tokio::time::sleep(Duration::from_secs(120)).await;
    let (answer, _) = until_the_end(socket).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.100}");
    assert!(
        !answer.ends_with("0\r\n\r\n"),
        "a cut file does not look whole"
    );
}

#[tokio::test]
async fn who_is_being_answered_stays_and_one_more_waits_for_room() {
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let (go_on, goes_on) = watch::channel(false);
    let slow = move || {
        let (begun, mut goes_on) = (begun.clone(), goes_on.clone());
        async move {
            let _ = begun.send(());
            let _ = goes_on.wait_for(|goes_on| *goes_on).await;
            "done"
        }
    };
    let (port, stop) = port_of(Router::new().route("/", get(slow))).await;
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut sockets = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        let mut socket = open(port).await;
        socket.write_all(request).await.expect("sent");
        has_begun.recv().await.expect("begun");
        sockets.push(socket);
    }
    // Nobody has to go for these, and they are answered later.
    for _ in 0..10 {
        let mut socket = open(port).await;
        socket.write_all(request).await.expect("sent");
        sockets.push(socket);
    }
    go_on.send_replace(true);
    for socket in sockets {
        let (answer, _) = until_the_end(socket).await;
        assert!(answer.ends_with("done"), "{answer}");
    }
    stop.send_replace(true);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_refused_with_words() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    for path in ["/api/tokens", "/v1/traces", "/api/executions/run-1/cancel"] {
        let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let answer = app.send(request.body(body).expect("a request")).await;
        assert_eq!(
            answer.problem(),
            (408, "BODY_TOO_SLOW".to_owned()),
            "{path}"
        );
    }
    let path = format!("/api/roles?{}", "a=b&".repeat(10_000));
    let answer = app.get(&token, &path).await;
    assert_eq!(answer.problem(), (414, "URI_TOO_LONG".to_owned()));
}

#[tokio::test]
async fn paths_that_play_tricks_lead_nowhere() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write([execution("run-1", json!({}))]).await;
    let long = "a".repeat(30_000);
    let tricks = [
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
    let tricks = tricks.map(str::to_owned).into_iter();
    let tricks = tricks.chain([format!("/flow-executions/{long}"), format!("/{long}")]);
    let mut tried = 0;
    for path in tricks {
        for method in [
            Method::GET,
            Method::POST,
            Method::DELETE,
            Method::PUT,
            Method::HEAD,
        ] {
            let answer = app.call(method.clone(), &token, &path, "").await;
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

/// Bodies for every endpoint that takes one.
#[tokio::test]
async fn bodies_that_are_bombs_or_nonsense_are_refused() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write([execution(
        "run-1",
        json!({"status": "RUNNING", "endTime": null}),
    )])
    .await;
    let deep = |open: &str, close: &str, depth: usize| open.repeat(depth) + &close.repeat(depth);
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("invalid UTF-8", b"{\"role\": \"\xff\xfe\"}".to_vec()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("a zero", b"\0".to_vec()),
        ("an open brace", b"{".to_vec()),
        ("deep arrays", deep("[", "]", 100_000).into_bytes()),
        (
            "a deep object",
            deep("{\"a\":", "}", 100_000)
                .replace(":}", ":1}")
                .into_bytes(),
        ),
        ("deep and open", "[".repeat(1_000_000).into_bytes()),
        (
            "a huge number in an object",
            format!("{{\"role\": {}}}", "9".repeat(900_000)).into_bytes(),
        ),
        (
            "an exponent in an object",
            b"{\"reason\": 1e999999999}".to_vec(),
        ),
        (
            "half a surrogate in an object",
            b"{\"reason\": \"\\ud800\"}".to_vec(),
        ),
        ("a huge object", {
            let names = "\"a\":1,".repeat(140_000);
            format!("{{{names}\"a\":1}}").into_bytes()
        }),
        ("an array", b"[]".to_vec()),
        ("more than 1 MB", vec![b' '; (1 << 20) + 1]),
        ("more than 4 MB", vec![b' '; (4 << 20) + 1]),
    ];
    // A pin has no body, and whatever comes in its place is left unread.
    let posts = ROUTES.iter().filter(|route| {
        (route.method == Method::POST || route.method == Method::PUT)
            && route.name != "pin_execution"
    });
    let mut tried = 0;
    for route in posts {
        let path = route.path.replace("{id}", "run-1");
        for (what, body) in &bodies {
            let request = Request::builder().method(route.method.clone()).uri(&path);
            let request = request
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::from(body.clone()));
            let begin = Instant::now();
            let answer = app.send(request.expect("a request")).await;
            let status = answer.status.as_u16();
            // Some ignore members that they do not know.
            let is_object = what.ends_with("object");
            let is_clear = (400..500).contains(&status) || (is_object && status == 200);
            assert!(is_clear, "{path} {what}: {status} {:.300}", answer.body);
            assert!(begin.elapsed() < Duration::from_secs(10), "{path} {what}");
            tried += 1;
        }
    }
    eprintln!("{tried} bodies");
}

/// A text of many zeros, and gzip of it, and gzip of that.
#[test]
fn compressed_bombs_are_refused_in_bounded_memory() {
    let (_folder, server) = started();
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("compressed")
    };
    let bomb = gzip(&vec![b' '; 64 << 20]);
    let twice = gzip(&bomb);
    // Many small ones, one behind the other.
    let many = gzip(&vec![b' '; 1 << 20]).repeat(2_000);
    let mut cut = bomb.clone();
    cut.truncate(bomb.len() / 2);
    for (what, body, expected) in [
        ("64 MB", &bomb, 413),
        ("gzip in gzip", &twice, 400),
        ("2 GB in 2,000 members", &many, 413),
        ("cut", &cut, 413),
    ] {
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Encoding: gzip\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            server.token(),
            body.len()
        );
        let answer = send(server.port, &[head.as_bytes(), body].concat());
        assert_eq!(status(&answer), expected, "{what}: {answer:.300}");
    }
    assert_modest(&server);
}

/// Values that no attribute should have, each of another type or size.
fn lies() -> Vec<(&'static str, AttributeValue)> {
    let number = |digits: &str| AttributeValue::N(digits.to_owned());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let map = |value: AttributeValue| AttributeValue::M([("a".to_owned(), value)].into());
    let deep = (0..30).fold(number("1"), |value, _| map(value));
    let listed = (0..30).fold(text("x"), |value, _| AttributeValue::L(vec![value]));
    vec![
        ("null", AttributeValue::Null(true)),
        ("a truth", AttributeValue::Bool(true)),
        ("zero", number("0")),
        ("less than zero", number("-1")),
        (
            "the least number",
            number("-9.9999999999999999999999999999999999999E+125"),
        ),
        (
            "the greatest number",
            number("9.9999999999999999999999999999999999999E+125"),
        ),
        ("the smallest number", number("1E-130")),
        ("38 digits", number(&"9".repeat(38))),
        ("9999", number("9999")),
        ("4294967296", number("4294967296")),
        ("a half", number("0.5")),
        ("no text", text("")),
        ("a long text", text(&"x".repeat(100_000))),
        (
            "a text of signs",
            text("\u{0}\u{7f}\u{202e}\u{feff}\"'<script>=cmd|' /C calc'!A0"),
        ),
        ("a text of #", text("a#b#c#d")),
        ("a far time", text("9999-12-31T23:59:59.999Z")),
        ("no time", text("2026-02-30T25:61:00Z")),
        ("a number as a text", text("-1")),
        ("bytes", AttributeValue::B(Blob::new([0xff, 0xfe, 0]))),
        ("many bytes", AttributeValue::B(Blob::new(vec![0; 100_000]))),
        (
            "texts",
            AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()]),
        ),
        (
            "numbers",
            AttributeValue::Ns(vec!["1".to_owned(), "2".to_owned()]),
        ),
        ("a set of bytes", AttributeValue::Bs(vec![Blob::new([1])])),
        ("an empty list", AttributeValue::L(Vec::new())),
        ("an empty map", AttributeValue::M(Default::default())),
        ("a deep map", deep),
        ("a deep list", listed),
        (
            "a long list",
            AttributeValue::L(vec![AttributeValue::Null(true); 10_000]),
        ),
    ]
}

/// Of each attribute one lie in so many is told.
const LIES_APART: usize = 9;

/// What the attributes of each kind of record are called.
const OF_AN_EXECUTION: &[&str] = &[
    "executionId",
    "teamId",
    "flowId",
    "flowVersion",
    "deviceId",
    "createdAt",
    "status",
    "startTime",
    "endTime",
    "durationMs",
    "executionType",
    "parentExecutionId",
    "labels",
    "errorMessage",
    "currentStepId",
    "cancelledBy",
    "cancelReason",
    "heartbeatAt",
    "expiresAt",
];
const OF_A_STEP: &[&str] = &[
    "stepInstanceId",
    "stepId",
    "stepName",
    "stepType",
    "sequenceNumber",
    "status",
    "startTime",
    "endTime",
    "durationMs",
    "retryCount",
    "input",
    "output",
    "executionData",
    "errorMessage",
    "branchExecutionId",
    "branchName",
    "subFlowExecutionId",
    "expiresAt",
];
const OF_A_PAYLOAD: &[&str] = &["value", "bytes", "encoding", "parts", "expiresAt"];

const LYING: ForkKey<'static> = ForkKey {
    execution_id: "",
    id: "fork-1",
    offset: 100,
};

/// A run with a record of each kind, of which all attributes of a name have this value.
fn lying_run(id: &str, attribute: &str, value: &AttributeValue) -> Vec<Item> {
    let fork = ForkKey {
        execution_id: id,
        ..LYING
    };
    let created = json!({"createdAt": time(1), "flowVersion": "1", "labels": {"a": "b"}});
    let mut items = vec![
        execution(id, created),
        step(id, "step-1", 10, json!({"output": null})),
        step(id, "fork-1", 100, json!({})),
        branch_step(&fork, "branch", "inner", 110, json!({})),
        payload(id, "context", 0, json!({"value": {"a": 1}})),
    ];
    items.extend(payload_parts(
        id,
        "step:step-1:output",
        b"{\"a\": [1, 2]}",
        "json",
        5,
    ));
    for item in &mut items {
        let known = match item["sk"].as_s().map(String::as_str) {
            Ok("EXECUTION") => OF_AN_EXECUTION,
            Ok(sk) if sk.starts_with("PAYLOAD#") => OF_A_PAYLOAD,
            _ => OF_A_STEP,
        };
        if known.contains(&attribute) {
            item.insert(attribute.to_owned(), value.clone());
        }
    }
    items
}

/// Writes what the table takes: some attributes are keys of its indexes.
async fn write_if_taken(app: &TestApp, items: Vec<Item>) -> usize {
    let mut taken = 0;
    for item in items {
        taken += usize::from(app.store.put(item).await.is_ok());
    }
    taken
}

#[tokio::test]
async fn records_that_lie_cost_only_themselves() {
    if !is_embedded() {
        eprintln!("not run: some thousand records, each by itself");
        return;
    }
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let mut names: Vec<_> = [OF_AN_EXECUTION, OF_A_STEP, OF_A_PAYLOAD].concat();
    names.sort_unstable();
    names.dedup();
    let (mut runs, mut records) = (Vec::new(), 0);
    let lies = lies();
    for (first, name) in names.into_iter().enumerate() {
        // Of each attribute some lies, of all attributes together each lie many times.
        for (what, value) in lies.iter().skip(first % LIES_APART).step_by(LIES_APART) {
            let id = format!("lie-{:04}", runs.len());
            records += write_if_taken(&app, lying_run(&id, name, value)).await;
            runs.push((id, format!("{name} is {what}")));
        }
    }
    app.write([execution("honest", json!({}))]).await;
    app.count().await;
    app.reap().await;
    let report = app.verify().await;
    assert_eq!(report.differences, [], "{report:?}");

    let mut asked = 0;
    for (id, lie) in &runs {
        let fork = ForkKey {
            execution_id: id,
            ..LYING
        };
        for path in [
            format!("/flow-executions/{id}"),
            format!("/flow-executions/{id}?limit=1&maxPayloadBytes=10"),
            fork.branch_steps_path(),
            step_path(id, "step-1", 10),
            format!("/api/executions/{id}"),
            format!("/api/history/executions/{id}"),
        ] {
            let answer = app.get(&token, &path).await;
            // One whose team or end is a lie is nobody's, or has ended.
            let is_known = [200, 404].contains(&answer.status.as_u16());
            assert!(
                is_known,
                "{lie}: {path}: {} {:.300}",
                answer.status, answer.body
            );
            answer.json();
            asked += 1;
        }
    }
    for path in [
        "/flow-executions?flowDefinitionId=flow-1&limit=500",
        "/api/executions/team/team-a?size=500",
        "/api/executions/team/team-a?size=500&page=1",
        "/api/executions?workflowId=flow-1&size=500",
        "/api/history/executions?limit=500",
        "/api/history/executions?limit=100&lite=false",
        "/api/history/executions/flows/flow-1?limit=100",
        "/api/history/execution-stats?startDate=2026-02-01&interval=day",
        "/api/history/step-stats?flowId=flow-1&startDate=2026-02-01",
        "/api/executions/team/team-a?label=a%3Db&size=500",
        "/api/executions/team/team-a/export?from=2026-02-01&format=json",
    ] {
        let answer = app.get(&token, path).await;
        answer.ok();
        asked += 1;
    }
    let csv = app
        .get(&token, "/api/executions/team/team-a/export?from=2026-02-01")
        .await;
    assert_eq!(csv.status, 200);
    let mut reader = csv::Reader::from_reader(csv.body.as_bytes());
    for row in reader.records() {
        for cell in row.expect("a row").iter() {
            assert!(!cell.starts_with(['=', '@']), "{cell:.100}");
        }
    }
    eprintln!("{} lies in {records} records, {asked} answers", runs.len());

    // What has lied is cancelled or deleted like any other.
    for (id, lie) in &runs {
        let path = format!("/api/executions/{id}/cancel");
        let cancelled = app
            .call(Method::POST, &token, &path, "")
            .await
            .status
            .as_u16();
        assert!([200, 404, 409].contains(&cancelled), "{lie}: {cancelled}");
        let path = format!("/api/history/executions/{id}?cascade=true");
        let deleted = app.delete(&token, &path).await.status.as_u16();
        assert!([200, 404].contains(&deleted), "{lie}: {deleted}");
    }
    app.reap().await;
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
}

/// Texts that are JSON, and deeper than anybody reads with a stack.
#[tokio::test]
async fn deep_payloads_are_shown_as_they_are() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        step("run-1", "step-1", 10, json!({"output": null})),
    ])
    .await;
    let depth = 200_000;
    let deep = "{\"a\":[".repeat(depth) + "\"password\"" + &"]}".repeat(depth);
    let packed = zstd::encode_all(deep.as_bytes(), 3).expect("zstd");
    for name in ["context", "input", "output", "step:step-1:output"] {
        app.write(payload_parts("run-1", name, &packed, "json+zstd", 390_000))
            .await;
    }
    for path in [
        "/flow-executions/run-1",
        "/api/executions/run-1",
        &step_path("run-1", "step-1", 10),
    ] {
        let answer = app.get(&token, path).await;
        assert_eq!(answer.status, 200, "{path}: {:.300}", answer.body);
        assert!(answer.body.contains(&deep), "{path}: {:.300}", answer.body);
    }
}

/// A run of a few kilobytes whose hundred payloads are 60 MB each.
#[test]
fn a_run_of_bombs_is_shown_in_bounded_memory() {
    let (_folder, server) = started();
    let token = server.token();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let url = format!("http://127.0.0.1:{}", server.table_port);
        let store =
            shared::store::Store::new(shared::config::client(Some(&url)).await, "flowtrail");
        let zeros = std::io::repeat(b'0').take(60 << 20);
        let text = Read::chain(&b"\""[..], zeros).chain(&b"\""[..]);
        let bomb = zstd::encode_all(text, 1).expect("zstd");
        let of_default = json!({"teamId": "default"});
        let mut items = vec![execution("bombs", of_default)];
        for number in 0..100 {
            let id = format!("step-{number}");
            items.push(step("bombs", &id, number, json!({"output": null})));
            let name = format!("step:{id}:output");
            items.extend(payload_parts("bombs", &name, &bomb, "json+zstd", 390_000));
        }
        crate::support::records::write(&store, items).await;
    });
    for path in [
        "/flow-executions/bombs",
        "/flow-executions/bombs?maxPayloadBytes=1000",
        "/api/executions/bombs",
    ] {
        let answer = http::get(&server.url(path), token);
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            answer.body.len() < 70 << 20,
            "{path}: {} bytes",
            answer.body.len()
        );
    }
    assert_modest(&server);
}
