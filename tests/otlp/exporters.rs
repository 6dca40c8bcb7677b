//! The Lambda function behind API Gateway, and a program with the Python SDK.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::{
    PROTOBUF, TRACE, export_whole, gzipped, order, protobuf, records, request, with_engine,
};
use crate::lambda::{event, function};
use crate::support::http;
use crate::support::process::{Server, flowtrail, python_with};
use crate::support::runtime::http_answer;

#[tokio::test(flavor = "multi_thread")]
async fn the_lambda_function_accepts_base64_encoded_protobuf() {
    let (app, token) = with_engine().await;
    export_whole(&app, &token, &order()).await;
    let expected = records(&app, TRACE).await;
    let (other, _) = with_engine().await;
    let mut event = event("ingest_traces");
    event["headers"]["Content-Type"] = PROTOBUF.into();
    event["headers"]["Content-Encoding"] = "gzip".into();
    event["multiValueHeaders"]["Content-Type"] = json!([PROTOBUF]);
    event["multiValueHeaders"]["Content-Encoding"] = json!(["gzip"]);
    event["requestContext"]["authorizer"]["teamId"] = "team-a".into();
    event["isBase64Encoded"] = true.into();
    event["body"] = BASE64.encode(gzipped(&protobuf(&request(&order())))).into();
    let answer = function(&other, "ingest_traces").await.invoke(&event).await;
    let (head, body) = http_answer(&answer);
    assert_eq!((&head["statusCode"], body), (&json!(200), Value::Null));
    assert_eq!(head["headers"]["content-type"], PROTOBUF);
    assert_eq!(records(&other, TRACE).await, expected);
}

/// A Python program with the OpenTelemetry SDK, whose exporter is in a module of its protocol.
const PROGRAM: &str = r#"
from concurrent.futures import ThreadPoolExecutor

from opentelemetry import context, trace
from MODULE import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("shop.orders", "1.0")


def pack(here, number):
    token = context.attach(here)
    try:
        with tracer.start_as_current_span(f"pack {number}") as span:
            barrier.wait()
            span.set_attribute("items", [number, number + 1])
            if number == 2:
                raise ValueError("too heavy")
    except ValueError:
        pass
    finally:
        context.detach(token)


import threading

barrier = threading.Barrier(3, timeout=60)
with tracer.start_as_current_span("order", kind=trace.SpanKind.SERVER) as order:
    order.set_attribute("flowtrail.input", '{"orderId": 42}')
    order.set_attribute("flowtrail.label.orderId", "42")
    with tracer.start_as_current_span("validate"):
        pass
    with tracer.start_as_current_span("pack all"):
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(pack, [context.get_current()] * 3, range(3)))
print(format(order.get_span_context().trace_id, "032x"))
assert provider.force_flush(60_000)
provider.shutdown()
"#;

/// A protocol of the SDK's exporters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Protocol {
    Http,
    Grpc,
}

impl Protocol {
    /// The Python that has the exporter, and the program that uses it.
    fn program(self) -> Option<(String, String)> {
        let name = match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        };
        let module = format!("opentelemetry.exporter.otlp.proto.{name}.trace_exporter");
        let package = format!("opentelemetry-exporter-otlp-proto-{name}");
        let python = python_with(&module, &package)?;
        Some((python, PROGRAM.replace("MODULE", &module)))
    }
}

/// Creates a token of an engine.
pub(super) fn engine_token(folder: &Path) -> String {
    let create = ["token", "create", "--role", "engine", "--team", "default"];
    let created = flowtrail(folder).args(create).output().expect("run");
    let created = String::from_utf8(created.stdout).expect("UTF-8");
    let token = created.split_whitespace().last();
    token.expect("a token").to_owned()
}

#[test]
fn the_python_sdk_exports_a_trace_to_a_running_server() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let Some(program) = protocol.program() else {
            continue;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(folder.path(), &["--no-demo"]);
        let token = engine_token(folder.path());
        let port = match protocol {
            Protocol::Http => server.port,
            Protocol::Grpc => server.grpc_port,
        };
        for compression in [None, Some("gzip")] {
            let (trace, errors) = export_with_sdk(&program, port, &token, compression);
            assert_eq!(errors, "", "{protocol:?} {compression:?}");
            assert_program_is_shown(&server, &format!("default:{trace}"));
        }
    }
}

/// Runs [`PROGRAM`], and returns the id of its trace, and what the exporter has logged.
fn export_with_sdk(
    (python, program): &(String, String),
    port: u16,
    token: &str,
    compression: Option<&str>,
) -> (String, String) {
    let compression = compression.map(|name| ("OTEL_EXPORTER_OTLP_COMPRESSION", name));
    let output = Command::new(python)
        .args(["-c", program])
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://127.0.0.1:{port}"),
        )
        .env(
            "OTEL_EXPORTER_OTLP_HEADERS",
            format!("Authorization=Bearer%20{token}"),
        )
        .envs(compression)
        .env("OTEL_SERVICE_NAME", "shop")
        .output()
        .expect("python runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    (printed.trim().to_owned(), errors)
}

#[test]
fn an_sdk_logs_that_grpc_has_another_port() {
    let Some(program) = Protocol::Grpc.program() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let (_, errors) = export_with_sdk(&program, server.port, "sdk_x", None);
    assert!(errors.contains("StatusCode.UNIMPLEMENTED"), "{errors}");
    let address = format!("http://127.0.0.1:{}", server.grpc_port);
    assert!(errors.contains(&address), "{errors}");
    let logged = server.kill_for_errors();
    assert_eq!(logged.matches(&address).count(), 1, "{logged}");
}

#[test]
fn an_sdk_logs_why_a_call_was_refused() {
    let Some(program) = Protocol::Grpc.program() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--no-demo"]);
    let (_, errors) = export_with_sdk(&program, server.grpc_port, "sdk_x", None);
    assert!(errors.contains("StatusCode.UNAUTHENTICATED"), "{errors}");
    assert!(errors.contains("error details: "), "{errors}");
}

/// The run of [`PROGRAM`] has its two steps, and a lane for each thread.
fn assert_program_is_shown(server: &Server, run: &str) {
    let get = |path: &str| http::get(&server.url(path), server.token()).json();
    let data = get(&format!("/flow-executions/{run}"))["data"].take();
    let metadata = &data["metadata"];
    assert_eq!(metadata["flowDefinitionId"], "shop/order", "{data}");
    assert_eq!(metadata["labels"]["orderId"], "42");
    assert_eq!(metadata["status"], "COMPLETED");
    // Keys do not order steps of the same millisecond.
    let mut steps = data["steps"].as_array().expect("steps").clone();
    steps.sort_by_key(|step| step["endTime"].to_string());
    let names: Vec<_> = steps.iter().map(|step| &step["stepName"]).collect();
    assert_eq!(names, ["validate", "pack all"]);
    let text = |name: &str| steps[1][name].as_str().expect("a text").to_owned();
    let lanes = get(&format!(
        "/flow-executions/{run}/branch-steps?parentStepInstanceId={}&parentStepStartTime={}",
        text("stepInstanceId"),
        text("startTime"),
    ));
    let lanes = lanes["data"].as_object().expect("lanes").values();
    let mut packed: Vec<_> = lanes
        .flat_map(|lane| lane["steps"].as_array().expect("steps"))
        .map(|step| ["stepName", "status", "errorMessage"].map(|name| step[name].clone()))
        .collect();
    packed.sort_by_key(|step| step[0].to_string());
    let completed = |name: &str| [json!(name), json!("COMPLETED"), Value::Null];
    let error = json!("ValueError: too heavy");
    assert_eq!(
        packed,
        [
            completed("pack 0"),
            completed("pack 1"),
            [json!("pack 2"), json!("FAILED"), error],
        ]
    );
    assert_eq!(steps.len() + packed.len(), 5);
}
