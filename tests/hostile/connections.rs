//! Connections that stay idle, send or read slowly, or are too many.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use bytes::Bytes;
use functions::bodies::BodyBudget;
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use local::arrivals::Arrivals;
use local::connections::{self, MAX_CONNECTIONS, MAX_GRPC_CONNECTIONS, MAX_STREAMS, Services};
use local::mistakes::Mistakes;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use super::{assert_modest, connect, started};
use crate::support::http;

/// Raises this process's limit of open files as far as possible, and returns how many
/// connections it can have.
fn raise_descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Other tests of this process need some of them.
    let most = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    most.map_or(usize::MAX, |most| most as usize)
        .saturating_sub(1_000)
}

#[test]
fn ten_thousand_idle_connections_block_no_answer() {
    let most = raise_descriptors();
    let (_folder, server) = started();
    for (port, path, expected, count) in [
        (server.port, "/api/roles", 200, 10_000),
        (server.table_port, "/", 405, 2_000),
    ] {
        let count = count.min(most);
        // Half of them send nothing, the others a part of a head.
        let mut idle: Vec<TcpStream> = Vec::with_capacity(count);
        for number in 0..count {
            let mut socket = connect(port);
            if number % 2 == 0 {
                // It may have been closed to make room for a later one.
                let _ = socket.write_all(b"GET / HTTP/1.1\r\nHost: ");
            }
            idle.push(socket);
            if number % 1_000 == 999 {
                let begin = Instant::now();
                let answer = http::get(&format!("http://127.0.0.1:{port}{path}"), server.token());
                assert_eq!(answer.status, expected);
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
            "too few connections: raise ulimit -n"
        );
    }
    assert_modest(&server);
}

/// A port that serves this router in this process.
async fn port_of(services: impl Into<Services>) -> (u16, watch::Sender<bool>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(connections::serve(listener, services.into(), stopped));
    (port, stop)
}

async fn open(port: u16) -> tokio::net::TcpStream {
    let socket = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    socket.expect("connected")
}

/// The answer until the connection ends, and how long that takes.
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
async fn connections_without_a_whole_request_are_closed() {
    let answer = |mut body: Body| async move {
        let budget = BodyBudget::new(1_000_000);
        match connections::read_body(&mut body, 1_000, &budget).await {
            Ok(_) => "read",
            Err(_) => "unread",
        }
    };
    let (port, _stop) = port_of(Router::new().route("/", get("asked").post(answer))).await;
    let cases = [
        ("", ""),
        ("GET / HT", ""),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", ""),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "asked"),
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
async fn connections_that_do_not_read_are_closed() {
    let piece = Bytes::from(vec![b'x'; 64 << 10]);
    let endless = move || async move {
        let pieces = stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
        Body::from_stream(pieces)
    };
    let (port, _stop) = port_of(Router::new().route("/", get(endless))).await;
    let mut socket = open(port).await;
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    socket.write_all(request).await.expect("sent");
    tokio::time::sleep(Duration::from_secs(120)).await;
    let (answer, _) = until_the_end(socket).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.100}");
    assert!(
        !answer.ends_with("0\r\n\r\n"),
        "a cut answer does not look complete"
    );
}

#[tokio::test]
async fn busy_connections_stay_and_further_ones_wait() {
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
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut sockets = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        let mut socket = open(port).await;
        socket.write_all(request).await.expect("sent");
        has_begun.recv().await.expect("begun");
        sockets.push(socket);
    }
    // No connection is closed for these, and they are answered later.
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

fn mistakes() -> Arc<Mistakes> {
    Arc::new(Mistakes::new(
        "http://127.0.0.1:3000".to_owned(),
        None,
        Arrivals::new(),
    ))
}

/// The beginning of a connection over HTTP/2, with empty settings.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test(start_paused = true)]
async fn connections_over_http2_are_checked_and_closed() {
    let router = Router::new().route("/", get("asked"));
    let (port, _stop) = port_of(Services::of_grpc(router, mistakes())).await;
    for (sent, least, most) in [
        (&b""[..], 30, 31),
        (&HTTP2[..20], 30, 31),
        // It does not respond to the check.
        (HTTP2, 60, 81),
    ] {
        let mut socket = open(port).await;
        socket.write_all(sent).await.expect("sent");
        let (_, took) = until_the_end(socket).await;
        let seconds = least..=most;
        assert!(seconds.contains(&took.as_secs()), "{sent:?}: {took:?}");
    }
}

#[tokio::test]
async fn a_client_with_a_connection_is_answered_when_others_are_idle() {
    let (port, stop) = port_of(Services::of_grpc(
        Router::new().route("/", get("asked")),
        mistakes(),
    ))
    .await;
    let mut idle = Vec::new();
    for _ in 0..MAX_GRPC_CONNECTIONS * 2 {
        let mut socket = open(port).await;
        // It may have been closed to make room for a later one.
        let _ = socket.write_all(HTTP2).await;
        idle.push(socket);
    }
    let answers = requests_at_a_time(port, 1).await;
    assert_eq!(answers, ["asked"]);
    stop.send_replace(true);
}

#[tokio::test]
async fn further_requests_of_a_connection_wait() {
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
    let (port, stop) = port_of(Services::of_grpc(
        Router::new().route("/", get(slow)),
        mistakes(),
    ))
    .await;
    let most = MAX_STREAMS as usize;
    let answers = tokio::spawn(requests_at_a_time(port, most + 5));
    for _ in 0..most {
        has_begun.recv().await.expect("begun");
    }
    // A port that stops answers the requests in progress, of which there are no more.
    stop.send_replace(true);
    go_on.send_replace(true);
    let answers = answers.await.expect("ended");
    let done = answers.iter().filter(|answer| *answer == "done").count();
    assert!((most..most + 5).contains(&done), "{answers:?}");
}

/// The bodies of the answers to requests that one client sends over one connection without
/// waiting. An answer is missing if the server has refused the request.
async fn requests_at_a_time(port: u16, count: usize) -> Vec<String> {
    let socket = TokioIo::new(open(port).await);
    let handshake = http2::handshake(TokioExecutor::new(), socket).await;
    let (sender, connection) = handshake.expect("HTTP/2");
    tokio::spawn(connection);
    let requests = (0..count).map(|_| {
        let mut sender = sender.clone();
        async move {
            let request = Request::get(format!("http://127.0.0.1:{port}/"));
            let request = request.body(Body::empty()).expect("a request");
            let answer = sender.send_request(request).await.ok()?;
            let body = answer.into_body().collect().await.ok()?.to_bytes();
            Some(String::from_utf8_lossy(&body).into_owned())
        }
    });
    let answers = futures_util::future::join_all(requests).await;
    answers.into_iter().flatten().collect()
}
