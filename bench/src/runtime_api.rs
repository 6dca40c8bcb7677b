//! Lambda's Runtime API for one function, which runs in its own process and receives one event
//! after another, as in Lambda.
//!
//! The API: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use local::terminal::Failure;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use crate::lambda::set_environment;
use crate::measure::failure;

/// The timeout of a function.
const DEADLINE: Duration = Duration::from_secs(20);

/// The messages between the process and the API.
struct Exchange {
    events: Mutex<mpsc::Receiver<String>>,
    polls: mpsc::Sender<()>,
    answers: mpsc::Sender<Result<Bytes, String>>,
}

/// A started function that waits for events.
pub struct Function {
    process: Process,
    events: mpsc::Sender<String>,
    polls: mpsc::Receiver<()>,
    answers: mpsc::Receiver<Result<Bytes, String>>,
    /// The time from the start of the process to its first poll.
    pub start: Duration,
}

/// A process that is killed when this value is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Function {
    /// Starts a program that serves a table.
    ///
    /// # Errors
    /// Returns an error if the program does not poll in time.
    pub async fn start(program: &[&str], table_url: &str) -> Result<Self, Failure> {
        let (events, next_event) = mpsc::channel(1);
        let (polled, mut polls) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let exchange = Arc::new(Exchange {
            events: Mutex::new(next_event),
            polls: polled,
            answers: answered,
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.map_err(failure)?;
        let address = listener.local_addr().map_err(failure)?;
        tokio::spawn(async move { axum::serve(listener, router(exchange)).await });

        let [program, arguments @ ..] = program else {
            return Err(Failure(
                "the command line of the function is empty".to_owned(),
            ));
        };
        let mut command = Command::new(program);
        set_environment(&mut command, Some(table_url))
            .args(arguments)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stderr(Stdio::inherit());
        let begin = Instant::now();
        let process = Process(command.spawn().map_err(failure)?);
        wait(polls.recv()).await?;
        Ok(Self {
            start: begin.elapsed(),
            process,
            events,
            polls,
            answers,
        })
    }

    /// Sends the function an event. Returns its answer after it polls for the next event.
    ///
    /// # Errors
    /// Returns an error if the function fails or does not answer in time.
    pub async fn invoke(&mut self, event: &str) -> Result<Bytes, Failure> {
        self.events.send(event.to_owned()).await.map_err(failure)?;
        let answer = wait(self.answers.recv()).await?;
        wait(self.polls.recv()).await?;
        answer.map_err(Failure)
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.process.0.id()
    }
}

async fn wait<T>(wait: impl Future<Output = Option<T>>) -> Result<T, Failure> {
    let waited = timeout(DEADLINE, wait).await.ok().flatten();
    waited.ok_or(Failure("a function did not answer in time".to_owned()))
}

fn router(exchange: Arc<Exchange>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route(
            "/2018-06-01/runtime/invocation/{id}/response",
            post(respond),
        )
        .route("/2018-06-01/runtime/invocation/{id}/error", post(fail))
        .route("/2018-06-01/runtime/init/error", post(fail))
        .layer(DefaultBodyLimit::disable())
        .with_state(exchange)
}

async fn next(State(exchange): State<Arc<Exchange>>) -> Response<Body> {
    let _ = exchange.polls.send(()).await;
    let event = exchange.events.lock().await.recv().await;
    let response = Response::builder()
        .header(
            "Lambda-Runtime-Aws-Request-Id",
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        )
        .header("Lambda-Runtime-Deadline-Ms", "4102444800000")
        .header(
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:measured",
        )
        .header("Content-Type", "application/json");
    let event = Body::from(event.unwrap_or_default());
    response.body(event).unwrap_or_default()
}

async fn respond(State(exchange): State<Arc<Exchange>>, body: Bytes) -> StatusCode {
    let _ = exchange.answers.send(Ok(body)).await;
    StatusCode::ACCEPTED
}

async fn fail(State(exchange): State<Arc<Exchange>>, body: String) -> StatusCode {
    let _ = exchange.answers.send(Err(body)).await;
    StatusCode::ACCEPTED
}

/// Reads the sample event of a function.
///
/// # Errors
/// Returns an error if there is no event with this name.
pub fn sample_event(name: &str) -> Result<Value, Failure> {
    let event = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let event = std::fs::read_to_string(event).map_err(failure)?;
    serde_json::from_str(&event).map_err(failure)
}
