//! The memory for bodies of requests.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use console::Console;
use functions::app::App;
use functions::bodies::{BodyBudget, WAITED_FOR_BUDGET};
use futures_util::stream;
use serde_json::json;
use shared::auth::Role;
use tower::ServiceExt;

use super::status;
use crate::support::process::{DEADLINE, Server};
use crate::support::{TestApp, is_embedded};

/// The maximum memory of an unoptimised server, for any number of concurrent bodies.
const MAX_MEMORY: u64 = 700 << 20;

/// A body that never sends a byte.
fn pending_body() -> Body {
    Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>())
}

fn posted(path: &str, token: &str, body: Body) -> Request<Body> {
    Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .expect("a request")
}

/// The body never comes, so reading it first would time out.
#[tokio::test(start_paused = true)]
async fn a_body_is_read_only_after_the_caller_is_authorized() {
    // Time is paused, and would advance before another engine answers.
    if !is_embedded() {
        return;
    }
    let app = TestApp::new().await;
    let viewer = app.viewer("team-a").await;
    for (token, status) in [("nobody", 401), (&viewer, 403)] {
        for path in ["/api/tokens", "/v1/traces", "/api/executions/run-1/cancel"] {
            let answer = app.open(posted(path, token, pending_body())).await;
            assert_eq!(answer.status(), status, "{path}");
        }
    }
}

/// A router with 2 MB for all bodies together.
fn narrow(app: &TestApp) -> axum::Router {
    let served = Arc::new(App::new(app.store.clone()));
    local::server::router_with(served, Console::default(), BodyBudget::new(2 << 20))
}

fn assert_busy(answer: &Response) {
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[header::RETRY_AFTER], "2");
}

#[tokio::test(start_paused = true)]
async fn a_body_without_free_memory_waits_and_is_then_refused() {
    // Time is paused, and would advance before another engine answers.
    if !is_embedded() {
        return;
    }
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let router = narrow(&app);
    let path = "/api/settings/masking/try";
    let slow: Vec<_> = (0..2)
        .map(|_| tokio::spawn(router.clone().oneshot(posted(path, &token, pending_body()))))
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let whole = || {
        let text = "x".repeat(500_000);
        posted(path, &token, Body::from(json!({"value": text}).to_string()))
    };
    let begin = tokio::time::Instant::now();
    let answer = router.clone().oneshot(whole()).await.expect("infallible");
    assert_busy(&answer);
    assert!(begin.elapsed() >= WAITED_FOR_BUDGET);
    // A small body does not wait for large ones.
    let small = posted(path, &token, Body::from(r#"{"value": 1}"#));
    let answer = router.clone().oneshot(small).await.expect("infallible");
    assert_eq!(answer.status(), 200);
    for slow in slow {
        let answer = slow.await.expect("ended").expect("infallible");
        assert_eq!(answer.status(), 408);
    }
    let answer = router.oneshot(whole()).await.expect("infallible");
    assert_eq!(answer.status(), 200, "memory is free again");
}

#[tokio::test]
async fn a_compressed_body_counts_with_its_unpacked_size() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Engine, None).await;
    let gzip = |megabytes: usize| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let blanks = vec![b' '; megabytes << 20];
        encoder
            .write_all(br#"{"resourceSpans": []"#)
            .expect("written");
        encoder.write_all(&blanks).expect("written");
        encoder.write_all(b"}").expect("written");
        encoder.finish().expect("compressed")
    };
    let router = narrow(&app);
    for (megabytes, expected) in [(1, 200), (3, 503), (1, 200)] {
        let mut request = posted("/v1/traces", &token, Body::from(gzip(megabytes)));
        let encoding = "gzip".parse().expect("a value");
        request
            .headers_mut()
            .insert(header::CONTENT_ENCODING, encoding);
        let answer = router.clone().oneshot(request).await.expect("infallible");
        assert_eq!(answer.status(), expected, "{megabytes} MB");
    }
}

/// Sends a request with its complete body, and returns the status; 0 for a broken
/// connection.
fn post_complete(port: u16, headers: &str, body: &[u8]) -> u16 {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut socket) = TcpStream::connect(address) else {
        return 0;
    };
    let _ = socket.set_read_timeout(Some(DEADLINE));
    let _ = socket.write_all(headers.as_bytes());
    let _ = socket.write_all(body);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    status(&String::from_utf8_lossy(&answer))
}

/// The statuses for forty concurrent clients with this body.
fn post_forty_times(port: u16, headers: &str, body: &[u8]) -> Vec<u16> {
    std::thread::scope(|scope| {
        let send = || post_complete(port, headers, body);
        let programs: Vec<_> = (0..40).map(|_| scope.spawn(send)).collect();
        let statuses = programs.into_iter().map(|it| it.join().expect("ended"));
        statuses.collect()
    })
}

/// 25 items of 640 KB each. That is more than DynamoDB accepts, which the engine detects
/// only after it has read the body.
fn large_batch() -> Vec<u8> {
    let item = |number: usize| {
        let text = "x".repeat(640 * 1024);
        json!({"PutRequest": {"Item": {
            "pk": {"S": format!("EXEC#{number}")}, "sk": {"S": "EXECUTION"}, "text": {"S": text},
        }}})
    };
    let items: Vec<_> = (0..25).map(item).collect();
    json!({"RequestItems": {"flowtrail": items}})
        .to_string()
        .into_bytes()
}

/// 16 MB of small spans, compressed.
fn large_trace() -> Vec<u8> {
    let span = |number: usize| {
        format!(
            r#"{{"traceId":"{:032x}","spanId":"{number:016x}","name":"a","startTimeUnixNano":"1771324267482000000","endTimeUnixNano":"1771324267483000000"}}"#,
            number / 50 + 1
        )
    };
    let mut spans = String::new();
    for number in 1.. {
        spans.push_str(&span(number));
        if spans.len() > (15 << 20) {
            break;
        }
        spans.push(',');
    }
    let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.as_bytes()).expect("written");
    encoder.finish().expect("compressed")
}

fn head(path: &str, headers: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\
         Connection: close\r\n\r\n"
    )
}

#[test]
fn forty_concurrent_large_bodies_need_bounded_memory() {
    if !is_embedded() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let batch = large_batch();
    let target = "X-Amz-Target: DynamoDB_20120810.BatchWriteItem\r\n";
    let statuses = post_forty_times(server.table_port, &head("/", target, batch.len()), &batch);
    eprintln!("table: {statuses:?}");
    assert!(
        statuses.iter().all(|it| matches!(it, 400 | 413 | 503)),
        "{statuses:?}"
    );
    assert!(
        statuses.contains(&400),
        "some bodies are read: {statuses:?}"
    );
    let large = vec![b' '; 16 << 20];
    let own = format!(
        "Authorization: Bearer {}\r\nContent-Type: application/json\r\n",
        server.token()
    );
    for headers in ["Content-Type: application/json\r\n", &own] {
        let head = head("/api/tokens", headers, large.len());
        let statuses = post_forty_times(server.port, &head, &large);
        let expected = if headers == own { 413 } else { 401 };
        assert!(statuses.iter().all(|it| *it == expected), "{statuses:?}");
    }
    let peak = crate::hostile::peak_memory(server.id());
    eprintln!("{} MB at most", peak.unwrap_or_default() >> 20);
    assert!(peak.is_none_or(|peak| peak < MAX_MEMORY), "{peak:?} bytes");
}

#[test]
#[ignore = "takes minutes unoptimised; docs/security.md has its result"]
fn forty_concurrent_large_traces_need_bounded_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let trace = large_trace();
    let own = format!(
        "Authorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n",
        server.token()
    );
    let statuses = post_forty_times(server.port, &head("/v1/traces", &own, trace.len()), &trace);
    eprintln!("traces: {statuses:?}");
    let peak = crate::hostile::peak_memory(server.id());
    eprintln!("{} MB at most", peak.unwrap_or_default() >> 20);
    assert!(peak.is_none_or(|peak| peak < MAX_MEMORY), "{peak:?} bytes");
}
