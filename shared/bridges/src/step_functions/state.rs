//! One run of a state of a state machine, which becomes a step.

use aws_sdk_sfn::types::HistoryEvent;
use format::model::{ExecutionId, StepInstanceId, Timestamp};
use format::record::{FORK, Payload, shortened};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Failure;
use super::change::to_id_text;

/// The largest payload, in bytes of JSON, that is kept until its step is written. Larger
/// payloads are written earlier. This limits the memory that a history of 25,000 events
/// takes.
const KEPT_BYTES: usize = 1_024;

/// The most bytes of an attempt's cause that are kept, such as the beginning of a stack
/// trace.
const MAX_CAUSE_BYTES: usize = 1_024;

/// The types of states with branches.
const MAP: &str = "MAP";
const PARALLEL: &str = "PARALLEL";

/// The type of a state that fails the execution.
pub const FAIL: &str = "FAIL";

/// One attempt to execute a state.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    start_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

/// The data about a state in its step's `executionData`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    state_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    attempts: &'a [Attempt],
    #[serde(skip_serializing_if = "is_false")]
    caught: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    map_run_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    input_truncated: bool,
    #[serde(skip_serializing_if = "is_false")]
    output_truncated: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// One run of a state, based on the events that were read so far.
#[derive(Debug)]
pub struct State {
    /// The number of the event with which the state was entered.
    pub event_id: i64,
    pub name: String,
    /// The state's type, such as `TASK`.
    pub kind: String,
    /// The scope that contains the state: a branch, or the run itself.
    pub scope: usize,
    pub sequence_number: u64,
    pub entered: Timestamp,
    pub exited: Option<Timestamp>,
    /// The number of the last event that concerns the state.
    pub last_event: i64,
    pub input: Option<Payload>,
    pub output: Option<Payload>,
    is_input_truncated: bool,
    is_output_truncated: bool,
    pub resource: Option<String>,
    attempts: Vec<Attempt>,
    /// The failure of its last attempt.
    pub failure: Option<Failure>,
    /// When its last attempt ended. `None` for a fork whose branches are still running.
    pub settled_at: Option<Timestamp>,
    /// The run that the state has started.
    pub subflow: Option<ExecutionId>,
    pub iterations: Option<i32>,
    pub map_run_arn: Option<String>,
    /// The number of its branches so far.
    pub branches: usize,
}

impl State {
    /// Creates a state from the event with which it was entered. `None` for any other
    /// event.
    pub fn from_event(event: HistoryEvent, at: Timestamp) -> Option<Self> {
        let kind = event.r#type.as_str();
        let kind = kind.strip_suffix("StateEntered").unwrap_or(kind);
        let kind = kind.to_uppercase();
        let details = event.state_entered_event_details?;
        let is_truncated = details
            .input_details
            .is_some_and(|details| details.truncated);
        let input = details.input.as_deref();
        Some(Self {
            event_id: event.id,
            name: details.name,
            kind,
            scope: 0,
            sequence_number: 0,
            entered: at,
            exited: None,
            last_event: event.id,
            input: input.and_then(|text| to_payload(text, KEPT_BYTES)),
            output: None,
            is_input_truncated: is_truncated,
            is_output_truncated: false,
            resource: None,
            attempts: Vec::new(),
            failure: None,
            settled_at: None,
            subflow: None,
            iterations: None,
            map_run_arn: None,
            branches: 0,
        })
    }

    /// Returns the id of this run of the state. It starts with the event's number, padded
    /// to the digits of the longest history, so that states that were entered in the same
    /// millisecond keep their order.
    pub fn id(&self) -> StepInstanceId {
        let id = to_id_text(&format!("{:05}-{}", self.event_id, self.name));
        id.parse()
            .unwrap_or_else(|_| unreachable!("a number and allowed characters are an id"))
    }

    pub fn is_open(&self) -> bool {
        self.exited.is_none()
    }

    pub fn is_map(&self) -> bool {
        self.kind == MAP
    }

    pub fn is_parallel(&self) -> bool {
        self.kind == PARALLEL
    }

    /// Whether the state is a fork that may start branches.
    pub fn is_forking(&self) -> bool {
        (self.is_map() || self.is_parallel()) && self.is_open() && self.settled_at.is_none()
    }

    /// Returns the type of its step.
    pub fn step_type(&self) -> String {
        match self.is_map() || self.is_parallel() {
            true => FORK.to_owned(),
            false => self.kind.clone(),
        }
    }

    pub fn exit(&mut self, at: Timestamp, output: Option<&str>, is_truncated: bool) {
        self.exited = Some(at);
        self.output = output.and_then(|text| to_payload(text, KEPT_BYTES));
        self.is_output_truncated = is_truncated;
    }

    /// Starts another attempt.
    pub fn try_again(&mut self, at: Timestamp) {
        self.revive();
        self.attempts.push(Attempt {
            start_time: at,
            end_time: None,
            error: None,
            cause: None,
        });
    }

    /// Clears the end of the last attempt, because another attempt follows.
    pub fn revive(&mut self) {
        self.failure = None;
        self.settled_at = None;
    }

    /// Ends the current attempt.
    pub fn settle(&mut self, at: Timestamp, failure: Option<Failure>) {
        // A failure before the state is scheduled, such as an invalid expression, counts as
        // an attempt.
        if failure.is_some()
            && self
                .attempts
                .last()
                .is_none_or(|last| last.end_time.is_some())
        {
            self.attempts.push(Attempt {
                start_time: self.settled_at.unwrap_or(self.entered),
                end_time: None,
                error: None,
                cause: None,
            });
        }
        if let Some(last) = self.attempts.last_mut() {
            last.end_time = Some(at);
            let failure = failure.clone().unwrap_or_default();
            last.error = failure.error;
            let cause = failure.cause.as_deref();
            last.cause = cause.map(|cause| shortened(cause, MAX_CAUSE_BYTES));
        }
        self.settled_at = Some(at);
        self.failure = failure;
    }

    /// Returns the number of attempts before the last one.
    pub fn retries(&self) -> u64 {
        self.attempts.len().saturating_sub(1) as u64
    }

    /// Drops the attempts from before this time, at which the execution was redriven.
    pub fn restart_at(&mut self, at: Timestamp) {
        self.attempts.retain(|attempt| attempt.start_time >= at);
        self.entered = self.entered.max(at);
    }

    /// Returns further data about the state for its step. A single successful attempt is
    /// not listed, because the step itself contains its data.
    pub fn data(&self) -> Option<Payload> {
        let is_single_success = self.attempts.len() == 1 && self.attempts[0].error.is_none();
        let attempts = match is_single_success && self.failure.is_none() {
            true => &[],
            false => self.attempts.as_slice(),
        };
        let data = Data {
            state_type: &self.kind,
            resource: self.resource.as_deref(),
            attempts,
            caught: self.failure.is_some() && !self.is_open(),
            iterations: self.iterations,
            map_run_arn: self.map_run_arn.as_deref(),
            input_truncated: self.is_input_truncated,
            output_truncated: self.is_output_truncated,
        };
        // The data has at most a few thousand attempts, each of limited size.
        Payload::from_value(&data).ok()
    }
}

/// Converts a text of Step Functions to a payload: JSON becomes the JSON value with all
/// digits; other text, such as truncated JSON, stays text.
pub fn to_payload(text: &str, inline_bytes: usize) -> Option<Payload> {
    let json = match serde_json::from_str::<&RawValue>(text) {
        Ok(json) => json.get().to_owned(),
        Err(_) => serde_json::to_string(text).ok()?,
    };
    // A text of Step Functions has at most 256 KB, and a payload may have 64 MB.
    Payload::from_json(json, inline_bytes).ok()
}
