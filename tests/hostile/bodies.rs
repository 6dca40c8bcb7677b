//! Request bodies that are endless, unexpected, or compressed bombs.

use std::io::Write;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, Request, header};
use bytes::Bytes;
use functions::routes::ROUTES;
use futures_util::stream;
use serde_json::json;
use shared::auth::Role;

use super::{assert_modest, send, started, status};
use crate::support::TestApp;
use crate::support::records::execution;

#[tokio::test(start_paused = true)]
async fn endless_bodies_and_long_uris_get_a_problem() {
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

/// Bodies that no endpoint expects. A name that ends with "object" is an object, which
/// endpoints may accept when they ignore unknown members.
fn unexpected_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let deep = |open: &str, close: &str, depth: usize| open.repeat(depth) + &close.repeat(depth);
    let deep_object = deep("{\"a\":", "}", 100_000).replace(":}", ":1}");
    let huge_number = format!("{{\"role\": {}}}", "9".repeat(900_000));
    let huge_object = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(140_000));
    vec![
        ("invalid UTF-8", b"{\"role\": \"\xff\xfe\"}".to_vec()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("a zero", b"\0".to_vec()),
        ("an open brace", b"{".to_vec()),
        ("deep arrays", deep("[", "]", 100_000).into_bytes()),
        ("a deep object", deep_object.into_bytes()),
        ("deep and open", "[".repeat(1_000_000).into_bytes()),
        ("a huge number in an object", huge_number.into_bytes()),
        (
            "an exponent in an object",
            b"{\"reason\": 1e999999999}".to_vec(),
        ),
        (
            "half a surrogate in an object",
            b"{\"reason\": \"\\ud800\"}".to_vec(),
        ),
        ("a huge object", huge_object.into_bytes()),
        ("an array", b"[]".to_vec()),
        ("more than 1 MB", vec![b' '; (1 << 20) + 1]),
        ("more than 4 MB", vec![b' '; (4 << 20) + 1]),
    ]
}

#[tokio::test]
async fn every_endpoint_refuses_unexpected_bodies() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    let running = json!({"status": "RUNNING", "endTime": null});
    app.write([execution("run-1", running)]).await;
    let bodies = unexpected_bodies();
    // A pin has no body, and the endpoint does not read one.
    let with_body = ROUTES.iter().filter(|route| {
        (route.method == Method::POST || route.method == Method::PUT)
            && route.name != "pin_execution"
    });
    let mut tried = 0;
    for route in with_body {
        let path = route.path.replace("{id}", "run-1");
        for (name, body) in &bodies {
            let request = Request::builder().method(route.method.clone()).uri(&path);
            let request = request
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::from(body.clone()));
            let begin = Instant::now();
            let answer = app.send(request.expect("a request")).await;
            let status = answer.status.as_u16();
            let is_object = name.ends_with("object");
            let is_clear = (400..500).contains(&status) || (is_object && status == 200);
            assert!(is_clear, "{path} {name}: {status} {:.300}", answer.body);
            assert!(begin.elapsed() < Duration::from_secs(10), "{path} {name}");
            tried += 1;
        }
    }
    eprintln!("{tried} bodies");
}

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
    // Many small gzip members, one after the other.
    let many = gzip(&vec![b' '; 1 << 20]).repeat(2_000);
    let mut cut = bomb.clone();
    cut.truncate(bomb.len() / 2);
    for (name, body, expected) in [
        ("64 MB", &bomb, 413),
        ("gzip in gzip", &twice, 400),
        ("2 GB in 2,000 members", &many, 413),
        ("cut", &cut, 413),
    ] {
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Encoding: gzip\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            server.token(),
            body.len()
        );
        let answer = send(server.port, &[head.as_bytes(), body].concat());
        assert_eq!(status(&answer), expected, "{name}: {answer:.300}");
    }
    assert_modest(&server);
}
