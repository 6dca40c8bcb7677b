//! Runs a Lambda binary with one event through the Lambda Runtime API. A small Runtime API is
//! here. With `FLOWTRAIL_TEST_EMULATOR`, it is the emulator of AWS.

use std::io::{Read, Seek, SeekFrom};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use flate2::read::GzDecoder;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use super::process::{DEADLINE, free_port};

/// The variable with the path of `aws-lambda-rie`.
const EMULATOR_VARIABLE: &str = "FLOWTRAIL_TEST_EMULATOR";

/// The bytes between the head and the body of a streamed answer, as response streaming of
/// Lambda defines them.
const STREAM_SEPARATOR: &[u8] = &[0; 8];

/// The trace of every event.
pub const TRACE: &str =
    "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a:0";

/// The end of an answer that the function did not complete.
pub const CUT_OFF: &[u8] = b"<cut off>";

/// A Lambda function: its binary, and the table it works on.
pub struct Function {
    pub binary: &'static str,
    pub endpoint_url: String,
    pub table: String,
    /// Additional environment variables.
    pub variables: Vec<(&'static str, String)>,
}

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Function {
    /// Invokes the function once in the small Runtime API. Returns the answer and the lines of
    /// the log.
    pub async fn invoke_logged(&self, event: &Value) -> (Vec<u8>, Vec<Value>) {
        let mut log = tempfile::tempfile().expect("a file");
        let writer = log.try_clone().expect("a file");
        let answer = self.invoke_here(event, writer.into()).await;
        log.seek(SeekFrom::Start(0)).expect("the beginning");
        let mut lines = String::new();
        log.read_to_string(&mut lines).expect("a text");
        let line = |line: &str| serde_json::from_str(line).expect("JSON");
        (answer, lines.lines().map(line).collect())
    }

    /// Invokes the function once, and returns the answer.
    pub async fn invoke(&self, event: &Value) -> Vec<u8> {
        match std::env::var(EMULATOR_VARIABLE) {
            // This runtime serves the table's endpoint, and must not wait.
            Ok(emulator) => {
                tokio::task::block_in_place(|| self.invoke_in_emulator(Path::new(&emulator), event))
            }
            Err(_) => self.invoke_here(event, Stdio::null()).await,
        }
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("FLOWTRAIL_TABLE", &self.table)
            .env("AWS_ENDPOINT_URL_DYNAMODB", &self.endpoint_url)
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            // The emulator passes on the three credentials only together.
            .env("AWS_SESSION_TOKEN", "test")
            .env("AWS_LAMBDA_FUNCTION_NAME", self.binary)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    async fn invoke_here(&self, event: &Value, log: Stdio) -> Vec<u8> {
        let (sender, mut answers) = mpsc::channel(1);
        let runtime = Runtime {
            event: Arc::new(Mutex::new(Some(event.to_string()))),
            answers: sender,
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router(runtime)).await });
        let mut command = self.command(binary_path(self.binary));
        command
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stdout(log);
        let _process = Process(command.spawn().expect("started"));
        let answer = tokio::time::timeout(DEADLINE, answers.recv())
            .await
            .expect("in time");
        answer.expect("an answer")
    }

    fn invoke_in_emulator(&self, emulator: &Path, event: &Value) -> Vec<u8> {
        let (port, runtime_port) = (free_port(), free_port());
        let mut command = self.command(emulator);
        command
            .arg("--runtime-interface-emulator-address")
            .arg(format!("127.0.0.1:{port}"))
            .arg("--runtime-api-address")
            .arg(format!("127.0.0.1:{runtime_port}"))
            .arg(binary_path(self.binary))
            .stderr(Stdio::null());
        let _process = Process(command.spawn().expect("the emulator starts"));
        let deadline = Instant::now() + DEADLINE;
        for port in [port, runtime_port] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(Instant::now() < deadline, "the emulator does not listen");
                std::thread::yield_now();
            }
        }
        let url = format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations");
        let answer = super::http::post(&url, &[], &event.to_string());
        assert_eq!(answer.status, 200, "{}", self.binary);
        answer.body
    }
}

/// The head and the body of an HTTP answer, streamed or not.
pub fn split(answer: &[u8]) -> (Value, Vec<u8>) {
    let separator = answer
        .windows(STREAM_SEPARATOR.len())
        .position(|bytes| bytes == STREAM_SEPARATOR);
    match separator {
        Some(position) => {
            let body = &answer[position + STREAM_SEPARATOR.len()..];
            (json_of(&answer[..position]), body.to_vec())
        }
        None => {
            let head = json_of(answer);
            let body = head["body"].as_str().unwrap_or_default();
            (head.clone(), body.as_bytes().to_vec())
        }
    }
}

/// The head and the JSON body of an HTTP answer, which may be compressed.
pub fn http_answer(answer: &[u8]) -> (Value, Value) {
    let (head, body) = split(answer);
    let body = match body[..] {
        [] => Value::Null,
        [0x1f, 0x8b, ..] => {
            let mut whole = Vec::new();
            let read = GzDecoder::new(&body[..]).read_to_end(&mut whole);
            read.expect("gzip");
            json_of(&whole)
        }
        _ => json_of(&body),
    };
    (head, body)
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

/// `cargo test --workspace` builds the Lambda binaries next to `flowtrail`.
fn binary_path(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_flowtrail")).with_file_name(name);
    assert!(
        path.exists(),
        "{} is not built: run cargo test --workspace, or cargo build --workspace",
        path.display()
    );
    path
}

#[derive(Clone)]
struct Runtime {
    /// The event, until it has been handed out.
    event: Arc<Mutex<Option<String>>>,
    answers: mpsc::Sender<Vec<u8>>,
}

fn router(runtime: Runtime) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answered))
        .with_state(runtime)
}

async fn next(State(runtime): State<Runtime>) -> Response {
    let Some(event) = runtime.event.lock().await.take() else {
        // A function waits for its next event until it is killed.
        return std::future::pending().await;
    };
    let headers = [
        (
            "lambda-runtime-aws-request-id",
            "00000000-0000-0000-0000-000000000042",
        ),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:f",
        ),
        ("lambda-runtime-trace-id", TRACE),
    ];
    (headers, event).into_response()
}

async fn answered(
    State(runtime): State<Runtime>,
    UrlPath((_, kind)): UrlPath<(String, String)>,
    body: Body,
) -> StatusCode {
    let mut answer = match kind.as_str() {
        "response" => Vec::new(),
        _ => b"error: ".to_vec(),
    };
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => answer.extend_from_slice(&chunk),
            Err(_) => answer.extend_from_slice(CUT_OFF),
        }
    }
    let _ = runtime.answers.send(answer).await;
    StatusCode::ACCEPTED
}
