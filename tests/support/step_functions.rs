//! The history operation of AWS Step Functions: an HTTP endpoint for the real SDK.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::retry::RetryConfig;
use aws_sdk_sfn::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

/// The answer to one request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// An error with this status and type.
    Refused(u16, &'static str),
    /// This many of the last events are missing.
    Behind(usize),
}

#[derive(Debug, Default)]
struct Histories {
    by_arn: HashMap<String, Vec<Value>>,
    most_events: Option<usize>,
    plan: VecDeque<Answer>,
    requests: Vec<Value>,
}

/// The endpoint, until the test ends.
#[derive(Clone)]
pub struct StepFunctions {
    pub url: String,
    histories: Arc<Mutex<Histories>>,
}

impl StepFunctions {
    pub async fn serve() -> Self {
        let histories = Arc::<Mutex<Histories>>::default();
        let router = Router::new()
            .route("/", post(answer))
            .with_state(histories.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: format!("http://{address}"),
            histories,
        }
    }

    /// A client that tries four times, almost without a delay.
    pub fn client(&self) -> Client {
        let retries = RetryConfig::standard()
            .with_max_attempts(4)
            .with_initial_backoff(Duration::from_millis(1));
        let config = aws_sdk_sfn::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(&self.url)
            .retry_config(retries);
        Client::from_conf(config.build())
    }

    /// Sets the history of an execution.
    pub fn set_history(&self, execution_arn: &str, events: Vec<Value>) {
        let mut histories = self.histories.lock().expect("a lock");
        histories.by_arn.insert(execution_arn.to_owned(), events);
    }

    /// Limits the events of a page, no matter what the request says.
    pub fn limit_page(&self, most_events: usize) {
        self.histories.lock().expect("a lock").most_events = Some(most_events);
    }

    /// Sets the answers to the next requests.
    pub fn plan(&self, answers: impl IntoIterator<Item = Answer>) {
        self.histories.lock().expect("a lock").plan = answers.into_iter().collect();
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Value> {
        self.histories.lock().expect("a lock").requests.clone()
    }
}

impl Histories {
    fn answer(&mut self, request: &Value) -> Result<Value, (u16, &'static str)> {
        let planned = self.plan.pop_front();
        let behind = match planned {
            Some(Answer::Refused(status, code)) => return Err((status, code)),
            Some(Answer::Behind(events)) => events,
            None => 0,
        };
        let arn = request["executionArn"].as_str().unwrap_or_default();
        let events = self.by_arn.get(arn).ok_or((400, "ExecutionDoesNotExist"))?;
        let events = &events[..events.len().saturating_sub(behind)];
        // The default is 100, as in AWS.
        let requested = request["maxResults"].as_u64().unwrap_or(100) as usize;
        let size = requested.min(self.most_events.unwrap_or(1_000));
        let start = match request["nextToken"].as_str() {
            Some(token) => token.parse().map_err(|_| (400, "InvalidToken"))?,
            None => 0,
        };
        let end = (start + size).min(events.len());
        let mut body = json!({"events": events[start.min(end)..end]});
        if end < events.len() {
            body["nextToken"] = json!(end.to_string());
        }
        Ok(body)
    }
}

async fn answer(
    State(histories): State<Arc<Mutex<Histories>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers.get("x-amz-target").expect("an operation");
    assert_eq!(target, "AWSStepFunctions.GetExecutionHistory");
    let request: Value = serde_json::from_slice(&body).expect("JSON");
    let mut histories = histories.lock().expect("a lock");
    let answer = histories.answer(&request);
    histories.requests.push(request);
    let (status, body) = match answer {
        Ok(body) => (200, body),
        Err((status, code)) => (status, json!({"__type": code, "message": code})),
    };
    let status = StatusCode::from_u16(status).expect("a status");
    let content_type = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, content_type, body.to_string()).into_response()
}
