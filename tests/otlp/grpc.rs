//! OTLP over gRPC has the results of OTLP over HTTP.

use std::sync::Arc;

use axum::Router;
use axum::http::Version;
use functions::bodies::BodyBudget;
use local::arrivals::Arrivals;
use local::grpc::{self, Server};
use local::mistakes::Mistakes;
use tower::ServiceExt;

use super::*;
use crate::support::faults::Slow;
use crate::support::is_embedded;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// The address of the HTTP API in explanations.
const API: &str = "http://127.0.0.1:3000";

/// The codes of gRPC.
const OK: i32 = 0;
const INVALID_ARGUMENT: i32 = 3;
const DEADLINE_EXCEEDED: i32 = 4;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

fn port(app: &TestApp) -> Router {
    port_with(app, BodyBudget::new(64 << 20))
}

fn port_with(app: &TestApp, budget: BodyBudget) -> Router {
    grpc::router(Server {
        app: app.app(),
        budget,
        allowed_hosts: "runs.example.com".parse().expect("hosts"),
        mistakes: Arc::new(Mistakes::new(API.to_owned(), None, Arrivals::new())),
    })
}

/// The end of a call.
#[derive(Debug)]
struct Called {
    code: i32,
    /// The status's message, with its escapes.
    message: String,
    headers: HeaderMap,
    /// The frame of the response.
    frame: Vec<u8>,
}

impl Called {
    fn response(&self) -> ExportTraceServiceResponse {
        assert_eq!(self.code, OK, "{self:?}");
        let length = u32::try_from(self.frame.len() - 5).expect("a length");
        let prefix = [&[0][..], &length.to_be_bytes()].concat();
        assert_eq!(self.frame[..5], prefix);
        ExportTraceServiceResponse::decode(&self.frame[5..]).expect("a response")
    }
}

/// Marks the message of a frame as compressed.
fn compressed(mut frame: Vec<u8>) -> Vec<u8> {
    frame[0] = 1;
    frame
}

/// A call of a method.
fn call_of(path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Request<Body> {
    let mut request = Request::post(format!("http://127.0.0.1:4317{path}"))
        .version(Version::HTTP_2)
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body)).expect("a request")
}

async fn send(app: &TestApp, request: Request<Body>) -> Called {
    let answer = crate::support::actions::as_function("ingest_traces", async {
        let answer = port(app).oneshot(request).await.expect("infallible");
        let (parts, body) = answer.into_parts();
        (parts, body.collect().await.expect("a body"))
    });
    let (parts, body) = answer.await;
    assert_eq!(parts.status, 200, "the status of a call is in its trailers");
    assert_eq!(parts.headers[header::CONTENT_TYPE], "application/grpc");
    let ends = body.trailers().unwrap_or(&parts.headers).clone();
    let text = |name: &str| {
        let value = ends.get(name).map(|value| value.to_str().expect("ASCII"));
        value.unwrap_or_default().to_owned()
    };
    Called {
        code: text("grpc-status").parse().expect("a code"),
        message: text("grpc-message"),
        headers: parts.headers,
        frame: body.to_bytes().into(),
    }
}

/// Sends a frame with a token.
async fn call(app: &TestApp, token: &str, headers: &[(&str, &str)], frame: Vec<u8>) -> Called {
    let authorization = format!("Bearer {token}");
    let mut all = vec![("authorization", authorization.as_str())];
    all.extend(headers);
    send(app, call_of(EXPORT, &all, frame)).await
}

#[tokio::test]
async fn a_call_writes_the_records_of_a_request() {
    let message = encoded(&order(), PROTOBUF);
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&message).expect("written");
    let (app, token) = with_engine().await;
    export_whole(&app, &token, &order()).await;
    let expected = records(&app, TRACE).await;
    for (encoding, frame) in [
        (None, framed(&message)),
        (Some("identity"), framed(&message)),
        (Some("gzip"), framed(&message)),
        (Some("gzip"), compressed(framed(&gzipped(&message)))),
        (
            Some("deflate"),
            compressed(framed(&zlib.finish().expect("compressed"))),
        ),
        (
            Some("zstd"),
            compressed(framed(
                &zstd::bulk::compress(&message, 1).expect("compressed"),
            )),
        ),
    ] {
        let (other, token) = with_engine().await;
        let headers = encoding.map(|encoding| ("grpc-encoding", encoding));
        let called = call(&other, &token, headers.as_slice(), frame).await;
        assert_eq!(called.response(), ExportTraceServiceResponse::default());
        assert_eq!(records(&other, TRACE).await, expected, "{encoding:?}");
    }
}

#[tokio::test]
async fn rejected_spans_are_a_partial_success() {
    let (app, token) = with_engine().await;
    let invalid = span(2, Some(1), 0, 1, json!({"startTimeUnixNano": "0"}));
    let spans = [span(1, None, 0, 1, json!({})), invalid];
    let called = call(&app, &token, &[], framed(&encoded(&spans, PROTOBUF))).await;
    let partial = called
        .response()
        .partial_success
        .expect("a partial success");
    assert_eq!(partial.rejected_spans, 1);
    assert_eq!(
        partial.error_message,
        "1 span: the start time is missing (resourceSpans[0].scopeSpans[0].spans[1])"
    );
    let run = app.item(&run_id(TRACE)).await;
    assert_eq!(run["flowId"], "shop/span-1");
}

#[tokio::test]
async fn calls_need_a_token_with_the_permission() {
    let (app, engine) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    let frame = || framed(&encoded(&order(), PROTOBUF));
    let called = send(&app, call_of(EXPORT, &[], frame())).await;
    assert_eq!(called.code, UNAUTHENTICATED);
    assert_eq!(
        call(&app, "sdk_x", &[], frame()).await.code,
        UNAUTHENTICATED
    );
    let two = [("authorization", "Bearer sdk_x")];
    assert_eq!(
        call(&app, &engine, &two, frame()).await.code,
        UNAUTHENTICATED
    );
    let called = call(&app, &viewer, &[], frame()).await;
    assert_eq!(called.code, PERMISSION_DENIED);
    assert!(called.message.contains("EXECUTIONS_WRITE"), "{called:?}");
    assert_eq!(app.records_of(&run_id(TRACE)).await, Vec::<String>::new());
    assert_eq!(call(&app, &engine, &[], frame()).await.code, OK);
}

#[tokio::test]
async fn unreadable_and_large_messages_are_refused() {
    let (app, token) = with_engine().await;
    let bomb = gzipped(&vec![b' '; 17 << 20]);
    for (encoding, frame, code, words) in [
        (
            "gzip",
            b"".to_vec(),
            INVALID_ARGUMENT,
            "no complete message",
        ),
        (
            "gzip",
            framed(b"\xff\xff\xff\xff"),
            INVALID_ARGUMENT,
            "not valid protobuf",
        ),
        (
            "gzip",
            compressed(framed(b"message")),
            INVALID_ARGUMENT,
            "as grpc-encoding states",
        ),
        (
            "gzip",
            compressed(framed(&bomb)),
            RESOURCE_EXHAUSTED,
            "at most 16 MB",
        ),
        (
            "gzip",
            framed(&vec![0; (4 << 20) + 1]),
            RESOURCE_EXHAUSTED,
            "at most 4 MB",
        ),
        (
            "snappy",
            compressed(framed(b"message")),
            UNIMPLEMENTED,
            "gzip, deflate or zstd",
        ),
    ] {
        let called = call(&app, &token, &[("grpc-encoding", encoding)], frame).await;
        assert_eq!(called.code, code, "{called:?}");
        assert!(called.message.contains(words), "{called:?}");
        assert!(called.headers.contains_key("x-request-id"));
        let accepted = &called.headers["grpc-accept-encoding"];
        assert_eq!(accepted, "identity, gzip, deflate, zstd");
    }
}

#[tokio::test]
async fn messages_may_be_larger_after_decompression() {
    let (app, token) = with_engine().await;
    let large = attributes(&[("noise", &"x".repeat(3 << 20))]);
    let other = json!({"attributes": large});
    let spans = [
        span(1, None, 0, 1, other.clone()),
        span(2, Some(1), 0, 1, other),
    ];
    let message = encoded(&spans, PROTOBUF);
    assert!(message.len() > 6 << 20);
    let gzip = [("grpc-encoding", "gzip")];
    let called = call(&app, &token, &gzip, compressed(framed(&gzipped(&message)))).await;
    assert_eq!(called.response(), ExportTraceServiceResponse::default());
    assert_eq!(
        call(&app, &token, &[], framed(&message)).await.code,
        RESOURCE_EXHAUSTED
    );
}

/// A `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

#[derive(Clone, PartialEq, Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[tokio::test(start_paused = true)]
async fn a_table_that_does_not_respond_asks_for_a_retry() {
    if !is_embedded() {
        eprintln!("not run: time is paused only in this process");
        return;
    }
    let (app, token) = with_engine().await;
    let (slow, client) = Slow::client(app.store.client());
    let app = app.over(client);
    slow.take(None);
    let frame = || framed(&encoded(&order(), PROTOBUF));
    let called = call(&app, &token, &[], frame()).await;
    assert_eq!(called.code, UNAVAILABLE, "{called:?}");
    assert_eq!(called.headers["retry-after"], "2");
    let details = called.headers["grpc-status-details-bin"]
        .to_str()
        .expect("ASCII");
    let details = base64::engine::general_purpose::STANDARD_NO_PAD.decode(details);
    let status = Status::decode(details.expect("base64").as_slice()).expect("a status");
    assert_eq!((status.code, status.details.len()), (UNAVAILABLE, 1));
    assert_eq!(
        status.details[0].type_url,
        "type.googleapis.com/google.rpc.RetryInfo"
    );
    // The field 1 is a duration of 2 seconds.
    assert_eq!(status.details[0].value, [0x0a, 2, 0x08, 2]);

    let begin = tokio::time::Instant::now();
    let called = call(&app, &token, &[("grpc-timeout", "1500m")], frame()).await;
    assert_eq!(called.code, DEADLINE_EXCEEDED, "{called:?}");
    assert_eq!(begin.elapsed().as_millis(), 1_500);
    let called = call(&app, &token, &[("grpc-timeout", "soon")], frame()).await;
    assert_eq!(called.code, INVALID_ARGUMENT, "{called:?}");
}

/// The message never comes, so reading it first would time out.
#[tokio::test(start_paused = true)]
async fn a_message_is_read_only_after_the_caller_is_authorized() {
    if !is_embedded() {
        eprintln!("not run: time is paused only in this process");
        return;
    }
    let (app, engine) = with_engine().await;
    let viewer = app.viewer("team-a").await;
    for (token, code, seconds) in [
        // The rest of the message is awaited for 2 seconds.
        ("sdk_x", UNAUTHENTICATED, 2),
        (&viewer, PERMISSION_DENIED, 2),
        (&engine, DEADLINE_EXCEEDED, 32),
    ] {
        let authorization = format!("Bearer {token}");
        let mut call = call_of(EXPORT, &[("authorization", &authorization)], vec![]);
        let never = futures_util::stream::pending::<Result<Vec<u8>, String>>();
        *call.body_mut() = Body::from_stream(never);
        let begin = tokio::time::Instant::now();
        assert_eq!(send(&app, call).await.code, code, "{token}");
        assert_eq!(begin.elapsed().as_secs(), seconds, "{token}");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_wait_for_memory_and_are_then_retried() {
    if !is_embedded() {
        eprintln!("not run: time is paused only in this process");
        return;
    }
    let (app, token) = with_engine().await;
    let large = json!({"attributes": attributes(&[("noise", &"x".repeat(2 << 20))])});
    let large = framed(&encoded(&[span(1, None, 0, 1, large)], PROTOBUF));
    let small = framed(&encoded(&order(), PROTOBUF));
    let authorization = format!("Bearer {token}");
    let narrow = BodyBudget::new(1 << 20);
    for (frame, code) in [(large, "14"), (small, "")] {
        let call = call_of(EXPORT, &[("authorization", &authorization)], frame);
        let answer = port_with(&app, narrow.clone()).oneshot(call).await;
        let answer = answer.expect("infallible");
        let status = answer.headers().get("grpc-status");
        let status = status.map(|status| status.to_str().expect("ASCII"));
        assert_eq!(status.unwrap_or_default(), code);
    }
}

#[tokio::test]
async fn other_methods_and_hosts_are_refused() {
    let (app, token) = with_engine().await;
    let collector = "/opentelemetry.proto.collector";
    for (path, words) in [
        (
            "metrics.v1.MetricsService/Export",
            "OTEL_METRICS_EXPORTER=none",
        ),
        ("logs.v1.LogsService/Export", "OTEL_LOGS_EXPORTER=none"),
        ("trace.v1.TraceService/Import", "only the method Export"),
    ] {
        let called = send(&app, call_of(&format!("{collector}.{path}"), &[], vec![])).await;
        assert_eq!(called.code, UNIMPLEMENTED);
        assert!(called.message.contains(words), "{called:?}");
    }
    let with_host = |host: &'static str| {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let mut request = call_of(EXPORT, &headers, framed(b""));
        *request.uri_mut() = format!("http://{host}{EXPORT}").parse().expect("a URI");
        request
    };
    let called = send(&app, with_host("evil.example")).await;
    assert_eq!(called.code, INVALID_ARGUMENT);
    assert!(called.message.contains("--allowed-hosts"), "{called:?}");
    assert_eq!(send(&app, with_host("runs.example.com")).await.code, OK);
}

#[tokio::test]
async fn requests_that_are_not_calls_learn_the_right_port() {
    let (app, token) = with_engine().await;
    let body = encoded(&order(), JSON);
    let request = || {
        Request::post("/v1/traces")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, JSON)
            .header(header::HOST, "127.0.0.1:4317")
            .body(Body::from(body.clone()))
            .expect("a request")
    };
    let mut http2 = request();
    *http2.version_mut() = Version::HTTP_2;
    // Browsers cannot send it over HTTP/2 without TLS.
    let mut web = request();
    let grpc_web = header::HeaderValue::from_static("application/grpc-web+proto");
    web.headers_mut().insert(header::CONTENT_TYPE, grpc_web);
    let mut http1 = request();
    let grpc = header::HeaderValue::from_static("application/grpc");
    http1.headers_mut().insert(header::CONTENT_TYPE, grpc);
    for request in [request(), http2, web, http1] {
        let answer = port(&app).oneshot(request).await.expect("infallible");
        assert_eq!(answer.status(), 421);
        assert_eq!(
            answer.headers()["cross-origin-resource-policy"],
            "same-origin"
        );
        let body = answer
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        let problem: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(problem["code"], "WRONG_PORT");
        let message = problem["message"].as_str().expect("a text");
        assert!(
            message.contains("http://127.0.0.1:3000/v1/traces"),
            "{message}"
        );
    }
    let mut protobuf = request();
    let content_type = header::HeaderValue::from_static(PROTOBUF);
    protobuf
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    let answer = port(&app).oneshot(protobuf).await.expect("infallible");
    assert_eq!(answer.headers()[header::CONTENT_TYPE], PROTOBUF);
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let status = Status::decode(body).expect("a status");
    assert_eq!(status.code, INVALID_ARGUMENT);
    assert!(
        status.message.contains("http://127.0.0.1:3000/v1/traces"),
        "{status:?}"
    );
    let mut foreign = request();
    let host = header::HeaderValue::from_static("evil.example");
    foreign.headers_mut().insert(header::HOST, host);
    let answer = port(&app).oneshot(foreign).await.expect("infallible");
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let problem: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(problem["code"], "WRONG_HOST");
}
