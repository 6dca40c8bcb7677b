//! `flowtrail traces check` and the log line: what arrived, and what was refused and why.

use std::io::{BufRead, BufReader};
use std::process::Command;

use axum::http::StatusCode;

use super::exporters::engine_token;
use super::wrong_ports::{begin_tls, call_at};
use super::*;
use crate::support::http;
use crate::support::log::Log;
use crate::support::process::{Server, flowtrail, run};

/// A server with an engine's token.
struct Served {
    folder: tempfile::TempDir,
    server: Server,
    token: String,
}

impl Served {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(folder.path(), &["--no-demo"]);
        let token = engine_token(folder.path());
        Self {
            folder,
            server,
            token,
        }
    }

    /// Sends spans as JSON, and returns the status.
    fn export(&self, token: &str, body: &str) -> u16 {
        let authorization = format!("Bearer {token}");
        let headers = [("Content-Type", JSON), ("Authorization", &authorization)];
        http::post(&self.server.url("/v1/traces"), &headers, body).status
    }

    /// The requests that the command prints, and its exit code.
    fn check(&self, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
        let arguments = [&["traces", "check", "--json"], arguments].concat();
        let output = run(self.folder.path(), &arguments);
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        let line = |line: &str| serde_json::from_str(line).expect("JSON");
        (printed.lines().map(line).collect(), output.status.code())
    }
}

fn run_of(trace: &str) -> String {
    format!("default:{trace}")
}

#[test]
fn the_last_requests_are_shown_with_their_runs() {
    let served = Served::start();
    assert_eq!(served.check(&[]), (vec![], Some(1)), "nothing arrived");
    let whole = request(&order()).to_string();
    assert_eq!(served.export(&served.token, &whole), 200);
    let child = in_trace(&[span(2, Some(1), 0, 1, json!({}))], &trace_id(7));
    assert_eq!(
        served.export(&served.token, &request(&child).to_string()),
        200
    );
    let (requests, code) = served.check(&[]);
    assert_eq!((requests.len(), code), (2, Some(0)));
    let first = &requests[0];
    assert_eq!(
        (&first["number"], &first["protocol"]),
        (&json!(1), &json!("HTTP JSON"))
    );
    assert_eq!(first["services"], json!(["shop"]));
    assert_eq!(first["scopes"], json!(["shop.orders 1"]));
    assert_eq!(
        (&first["spans"], &first["rejectedSpans"]),
        (&json!(8), &json!(0))
    );
    let id = run_of(TRACE);
    let url = served
        .server
        .url(&format!("/#/runs/{}", id.replace(':', "%3A")));
    assert_eq!(
        first["runs"],
        json!([{"executionId": id, "url": url, "flowId": "shop/order", "flowName": "order",
                "status": "COMPLETED"}])
    );
    let waiting = &requests[1]["runs"][0];
    assert_eq!(waiting["executionId"], run_of(&trace_id(7)));
    assert_eq!(waiting["status"], "RUNNING");
    assert_eq!(served.check(&["--limit", "1"]).0, [requests[1].clone()]);

    let output = run(served.folder.path(), &["traces", "check"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("  HTTP JSON  8 spans accepted\n"), "{text}");
    assert!(text.contains("order (shop/order), COMPLETED"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_and_rejected_requests_have_their_reasons() {
    let served = Served::start();
    let invalid = span(1, None, 0, 1, json!({"startTimeUnixNano": "0"}));
    let mixed = [
        span(2, None, 0, 1, json!({"droppedAttributesCount": 3})),
        invalid,
    ];
    assert_eq!(
        served.export(&served.token, &request(&mixed).to_string()),
        200
    );
    assert_eq!(served.export(&served.token, r#"{"resourceLogs": []}"#), 400);
    assert_eq!(served.export("sdk_wrong", "{}"), 401);
    let headers = [("Content-Type", JSON)];
    let wrong_path = served.server.url("/v1/metrics");
    assert_eq!(http::post(&wrong_path, &headers, "{}").status, 404);
    let message = framed(&encoded(&order(), PROTOBUF));
    call_at(
        served.server.grpc_port,
        Some(&served.token),
        message.clone(),
    )
    .await;
    call_at(served.server.grpc_port, None, message.clone()).await;
    call_at(served.server.port, None, message).await;
    let grpc = format!("http://127.0.0.1:{}/v1/traces", served.server.grpc_port);
    assert_eq!(http::post(&grpc, &headers, "{}").status, 421);
    begin_tls(served.server.grpc_port);

    let (requests, code) = served.check(&[]);
    assert_eq!(code, Some(1));
    let text = |request: &Value, name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let outline: Vec<_> = requests
        .iter()
        .map(|request| {
            let [protocol, problem] = ["protocol", "problem"].map(|name| text(request, name));
            (protocol, problem, request["spans"].as_u64())
        })
        .collect();
    let outline: Vec<_> = outline
        .iter()
        .map(|(protocol, problem, spans)| (protocol.as_str(), problem.as_str(), *spans))
        .collect();
    assert_eq!(
        outline,
        [
            ("HTTP JSON", "", Some(1)),
            ("HTTP JSON", "INVALID_PARAMETER", None),
            ("HTTP JSON", "UNAUTHENTICATED", None),
            ("HTTP JSON", "NOT_FOUND", None),
            ("gRPC", "", Some(8)),
            ("gRPC", "UNAUTHENTICATED", None),
            ("gRPC", "UNIMPLEMENTED", None),
            ("HTTP JSON", "WRONG_PORT", None),
            ("TLS", "WRONG_PROTOCOL", None),
        ]
    );
    assert_eq!(
        (
            &requests[0]["rejectedSpans"],
            &requests[0]["droppedAttributes"]
        ),
        (&json!(1), &json!(3))
    );
    for (position, words) in [
        (
            0,
            "the start time is missing (resourceSpans[0].scopeSpans[0].spans[1])",
        ),
        (1, "The body has logs"),
        (2, "must have the form: Bearer sdk_"),
        (3, "Check the path."),
        (6, &format!("http://127.0.0.1:{}", served.server.grpc_port)),
        (8, "OTEL_EXPORTER_OTLP_INSECURE=true"),
    ] {
        let message = text(&requests[position], "message");
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(requests[3]["path"], "/v1/metrics");
    // No token is shown, not even a wrong one.
    let shown = json!(requests).to_string();
    assert!(!shown.contains(&served.token) && !shown.contains("sdk_wrong"));
}

#[test]
fn requests_are_shown_as_they_arrive() {
    let served = Served::start();
    served.export(&served.token, "{}");
    let mut check = flowtrail(served.folder.path())
        .args(["traces", "check", "--follow", "--json"])
        .spawn()
        .expect("started");
    let mut printed = BufReader::new(check.stdout.take().expect("piped"));
    let mut next = || -> Value {
        let mut line = String::new();
        printed.read_line(&mut line).expect("UTF-8");
        serde_json::from_str(&line).expect("JSON")
    };
    assert_eq!(next()["number"], 1);
    served.export(&served.token, &request(&order()).to_string());
    let second = next();
    assert_eq!(
        (&second["number"], &second["spans"]),
        (&json!(2), &json!(8))
    );
    let kill = format!("kill -INT {}", check.id());
    let sent = Command::new("sh").args(["-c", &kill]).status();
    assert!(sent.expect("sh runs").success());
    assert_eq!(check.wait().expect("ended").code(), Some(0));
}

#[test]
fn only_an_operator_reads_the_requests() {
    let served = Served::start();
    let url = served.server.url("/trace-requests");
    assert_eq!(http::get(&url, "sdk_wrong").status, 401);
    assert_eq!(http::get(&url, &served.token).status, 403);
    assert_eq!(http::get(&url, served.server.token()).status, 200);
    let create = ["token", "create", "--team", "other", "--role", "admin"];
    let output = run(served.folder.path(), &create);
    let other = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(http::get(&url, other.trim()).status, 403);
    let wrong = format!("{url}?after=soon");
    assert_eq!(http::get(&wrong, served.server.token()).status, 400);
    assert_eq!(http::post(&url, &[], "").status, 405);

    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["traces", "check"]);
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(errors.contains("No server is running on"), "{errors}");
}

#[test]
fn a_server_on_another_table_is_checked_through_its_port() {
    let owner = Served::start();
    let url = format!("http://127.0.0.1:{}", owner.server.table_port);
    let table = ["--endpoint-url", &url, "--table", "second"];
    let other = tempfile::tempdir().expect("a folder");
    let server = Server::start(other.path(), &[&table[..], &["--no-demo"]].concat());
    let traces = server.url("/v1/traces");
    assert_eq!(
        http::post(&traces, &[("Content-Type", JSON)], "{}").status,
        401
    );
    let port = server.port.to_string();
    let check = [&["traces", "check", "--port", &port][..], &table].concat();
    let output = run(other.path(), &check);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(
        text.contains("HTTP JSON  refused: UNAUTHENTICATED"),
        "{text}"
    );
    assert_eq!(owner.check(&[]).0, Vec::<Value>::new());
}

#[tokio::test]
async fn the_log_line_says_what_arrived() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.subscriber());
    let (app, token) = with_engine().await;
    let invalid = span(1, None, 0, 1, json!({"startTimeUnixNano": "0"}));
    let mixed = [span(2, None, 0, 1, json!({})), invalid];
    export(&app, &token, &mixed).await.ok();
    let body = json!({"resourceSpans": 1}).to_string();
    let answer = app.call(Method::POST, &token, "/v1/traces", &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let lines = log.lines();
    let mut lines = lines.iter().filter(|line| line["route"] == "ingest_traces");
    let line = lines.next().expect("a line");
    let missing = "1 span: the start time is missing (resourceSpans[0].scopeSpans[0].spans[1])";
    for (name, expected) in [
        ("protocol", json!("HTTP JSON")),
        ("services", json!("shop")),
        ("scopes", json!("shop.orders 1")),
        ("runs", json!(run_id(TRACE))),
        ("spans", json!(1)),
        ("rejected_spans", json!(1)),
        ("reason", json!(missing)),
        ("problem", Value::Null),
    ] {
        assert_eq!(line[name], expected, "{name}");
    }
    let line = lines.next().expect("a line");
    assert_eq!(line["problem"], "INVALID_PARAMETER");
    let reason = line["reason"].as_str().expect("a reason");
    assert!(reason.contains("resourceSpans is not a list"), "{reason}");
    assert_eq!(line["services"], Value::Null);
}
