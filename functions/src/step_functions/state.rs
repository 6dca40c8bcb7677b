//! One run of a state of a state machine, on its way to being a step.

use aws_sdk_sfn::types::HistoryEvent;
use serde::Serialize;
use serde_json::value::RawValue;
use shared::model::{ExecutionId, StepInstanceId, Timestamp};
use shared::record::{FORK, Payload, shortened};

use super::Failure;
use super::change::id_text;

/// The longest payload, as JSON, that is kept until its step is written; what is longer
/// is written before. It bounds the memory that a history of 25,000 events takes.
const KEPT_BYTES: usize = 1_024;

/// The most bytes of an attempt's cause that are kept: of a stack trace its beginning.
const MAX_CAUSE_BYTES: usize = 1_024;

/// What kinds of states have branches.
const MAP: &str = "MAP";
const PARALLEL: &str = "PARALLEL";

/// What ends a run well or with an error.
pub const FAIL: &str = "FAIL";

/// One attempt at what a state does.
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

/// What a step's `executionData` tells of its state.
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

/// One run of a state, as far as its history has been read.
#[derive(Debug)]
pub struct State {
    /// The number of the event with which it was entered.
    pub event_id: i64,
    pub name: String,
    /// Such as `TASK`.
    pub kind: String,
    /// The branch, or the run itself, that it stands in.
    pub scope: usize,
    pub sequence_number: u64,
    pub entered: Timestamp,
    pub exited: Option<Timestamp>,
    /// The number of the last event that concerns it.
    pub last_event: i64,
    pub input: Option<Payload>,
    pub output: Option<Payload>,
    is_input_truncated: bool,
    is_output_truncated: bool,
    pub resource: Option<String>,
    attempts: Vec<Attempt>,
    /// The failure that its last attempt has come to.
    pub failure: Option<Failure>,
    /// When its last attempt has come to an end. Of a fork: not while it has branches.
    pub settled: Option<Timestamp>,
    /// The run that it has started.
    pub subflow: Option<ExecutionId>,
    pub iterations: Option<i32>,
    pub map_run_arn: Option<String>,
    /// How many branches it has had.
    pub branches: usize,
}

impl State {
    /// A state that was entered. `None` for any other event.
    pub fn of(event: HistoryEvent, at: Timestamp) -> Option<Self> {
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
            input: input.and_then(|text| payload_of(text, KEPT_BYTES)),
            output: None,
            is_input_truncated: is_truncated,
            is_output_truncated: false,
            resource: None,
            attempts: Vec::new(),
            failure: None,
            settled: None,
            subflow: None,
            iterations: None,
            map_run_arn: None,
            branches: 0,
        })
    }

    /// The id of this run of the state. Its number comes first, and with as many digits
    /// as the longest history has: what was entered within the same millisecond keeps
    /// its order.
    pub fn id(&self) -> StepInstanceId {
        let id = id_text(&format!("{:05}-{}", self.event_id, self.name));
        id.parse()
            .unwrap_or_else(|_| unreachable!("a number and what is allowed are an id"))
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

    /// Whether it is a fork that can begin branches.
    pub fn is_forking(&self) -> bool {
        (self.is_map() || self.is_parallel()) && self.is_open() && self.settled.is_none()
    }

    /// The type of its step.
    pub fn step_type(&self) -> String {
        match self.is_map() || self.is_parallel() {
            true => FORK.to_owned(),
            false => self.kind.clone(),
        }
    }

    pub fn exit(&mut self, at: Timestamp, output: Option<&str>, is_truncated: bool) {
        self.exited = Some(at);
        self.output = output.and_then(|text| payload_of(text, KEPT_BYTES));
        self.is_output_truncated = is_truncated;
    }

    /// Begins another attempt.
    pub fn try_again(&mut self, at: Timestamp) {
        self.revive();
        self.attempts.push(Attempt {
            start_time: at,
            end_time: None,
            error: None,
            cause: None,
        });
    }

    /// Forgets that the last attempt has ended, as another one follows.
    pub fn revive(&mut self) {
        self.failure = None;
        self.settled = None;
    }

    /// Ends the attempt that is under way.
    pub fn settle(&mut self, at: Timestamp, failure: Option<Failure>) {
        // What fails before it is scheduled, as an expression does, is an attempt too.
        if failure.is_some()
            && self
                .attempts
                .last()
                .is_none_or(|last| last.end_time.is_some())
        {
            self.attempts.push(Attempt {
                start_time: self.settled.unwrap_or(self.entered),
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
        self.settled = Some(at);
        self.failure = failure;
    }

    /// How many attempts went before the last.
    pub fn retries(&self) -> u64 {
        self.attempts.len().saturating_sub(1) as u64
    }

    /// Forgets the attempts from before a moment.
    pub fn begin_again(&mut self, at: Timestamp) {
        self.attempts.retain(|attempt| attempt.start_time >= at);
        self.entered = self.entered.max(at);
    }

    /// What the step tells of the state besides. One attempt that went well is the step
    /// itself.
    pub fn data(&self) -> Option<Payload> {
        let is_plain = self.attempts.len() == 1 && self.attempts[0].error.is_none();
        let attempts = match is_plain && self.failure.is_none() {
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
        // It has some thousand attempts at most, each of bounded size.
        Payload::of(&data).ok()
    }
}

/// A text of Step Functions as a value: of JSON what it says, with every digit; of what
/// is none, as it was cut off, the text.
pub fn payload_of(text: &str, inline_bytes: usize) -> Option<Payload> {
    let json = match serde_json::from_str::<&RawValue>(text) {
        Ok(json) => json.get().to_owned(),
        Err(_) => serde_json::to_string(text).ok()?,
    };
    // A text of Step Functions has 256 KB at most, and a payload may have 64 MB.
    Payload::from_json(json, inline_bytes).ok()
}
