//! Clients that use the wrong protocol for a port get an answer, and the log has one line.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use axum::http::Response;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;
use crate::support::http;
use crate::support::process::{DEADLINE, Server};

/// Sends a POST over HTTP/2.
async fn over_http2(port: u16, content_type: &str) -> Response<Incoming> {
    let request = Request::post(format!("http://127.0.0.1:{port}/v1/traces"))
        .header(header::CONTENT_TYPE, content_type);
    send_over_http2(port, request.body(Body::from("{}")).expect("a request")).await
}

/// Sends a request over HTTP/2 without TLS.
async fn send_over_http2(port: u16, request: Request<Body>) -> Response<Incoming> {
    let socket = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    let socket = TokioIo::new(socket.expect("connected"));
    let handshake = http2::handshake(TokioExecutor::new(), socket).await;
    let (mut sender, connection) = handshake.expect("HTTP/2");
    tokio::spawn(connection);
    sender.send_request(request).await.expect("an answer")
}

/// Sends a call with spans.
pub(super) async fn call_at(port: u16, token: Option<&str>, frame: Vec<u8>) {
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let mut request = Request::post(format!("http://127.0.0.1:{port}{path}"))
        .header(header::CONTENT_TYPE, "application/grpc");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Body::from(frame)).expect("a request");
    let answer = send_over_http2(port, request).await;
    answer.into_body().collect().await.expect("an end");
}

/// Begins a connection with TLS, and waits until the server has closed it.
pub(super) fn begin_tls(port: u16) {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut socket = TcpStream::connect(address).expect("connected");
    socket.set_read_timeout(Some(DEADLINE)).expect("a time");
    socket.write_all(b"\x16\x03\x01\x02\0\x01\0").expect("sent");
    socket.shutdown(std::net::Shutdown::Write).expect("ended");
    let _ = socket.read_to_end(&mut Vec::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_answered_and_logged_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let api = format!("http://127.0.0.1:{}", server.port);
    let grpc = format!("http://127.0.0.1:{}", server.grpc_port);
    for _ in 0..2 {
        let answer = over_http2(server.port, "application/grpc").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["grpc-status"], "12");
        let message = answer.headers()["grpc-message"].to_str().expect("ASCII");
        assert!(message.contains(&grpc), "{message}");
        let answer = over_http2(server.port, JSON).await;
        assert_eq!(answer.status(), 421);

        let headers = [("Content-Type", JSON)];
        let answer = http::post(&format!("{grpc}/v1/traces"), &headers, "{}");
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (421, &json!("WRONG_PORT"))
        );
        let message = answer.json()["message"].to_string();
        assert!(message.contains(&format!("{api}/v1/traces")), "{message}");
        begin_tls(server.grpc_port);
        begin_tls(server.port);
    }
    let logged = server.kill_for_errors();
    let lines: Vec<_> = logged.lines().collect();
    assert_eq!(lines.len(), 3, "{logged}");
    assert!(lines[0].contains(&grpc), "{logged}");
    assert!(lines[1].contains(&api), "{logged}");
    assert!(
        lines[2].contains("OTEL_EXPORTER_OTLP_INSECURE=true"),
        "{logged}"
    );
}
