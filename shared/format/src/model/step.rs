//! One run of a step.

use crate::attributes::{EXECUTION_DATA, INPUT, OUTPUT};
use serde::{Deserialize, Serialize};

use super::lenient::{duration_ms, lenient};
use super::{Execution, Item, OmittedPayloads, Status, StepStatus, Timestamp, Value};
use crate::keys;
use crate::record::FORK;

/// The kinds of an OpenTelemetry span, by their numbers in OTLP. They describe how the span was
/// called, not the step.
pub const SPAN_KINDS: [&str; 6] = [
    "UNSPECIFIED",
    "INTERNAL",
    "SERVER",
    "CLIENT",
    "PRODUCER",
    "CONSUMER",
];

/// The number of steps by how they ended, as the run's writer reported it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepSummary {
    /// All steps.
    #[serde(default, deserialize_with = "lenient")]
    pub total: Option<u64>,
    /// Steps that completed.
    #[serde(default, deserialize_with = "lenient")]
    pub passed: Option<u64>,
    /// Steps that failed.
    #[serde(default, deserialize_with = "lenient")]
    pub failed: Option<u64>,
}

impl StepSummary {
    /// Counts steps by their status.
    pub fn count(steps: &[Step]) -> Self {
        let count = |wanted: StepStatus| {
            let is_wanted = |step: &&Step| step.status == Some(wanted);
            Some(steps.iter().filter(is_wanted).count() as u64)
        };
        Self {
            total: Some(steps.len() as u64),
            passed: count(StepStatus::Completed),
            failed: count(StepStatus::Failed),
        }
    }
}

/// One run of a step, with its payloads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The sort key, which has the step's position in its run.
    pub sk: String,
    /// The id attribute as written; see [`Step::id`].
    #[serde(default, deserialize_with = "lenient")]
    step_instance_id: Option<String>,
    /// The step's id in the flow's definition.
    #[serde(default, deserialize_with = "lenient")]
    pub step_id: Option<String>,
    /// The step's name for people.
    #[serde(default, deserialize_with = "lenient")]
    pub step_name: Option<String>,
    /// The kind of the step, as named by the engine.
    #[serde(default, deserialize_with = "lenient")]
    pub step_type: Option<String>,
    /// The step's position in its run.
    #[serde(default, deserialize_with = "lenient")]
    pub sequence_number: Option<i64>,
    /// The status. `None` if the record has an unknown status.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<StepStatus>,
    /// The attribute as written; see [`Step::start_time`].
    #[serde(default, deserialize_with = "lenient")]
    start_time: Option<Timestamp>,
    /// When the step ended.
    #[serde(default, deserialize_with = "lenient")]
    pub end_time: Option<Timestamp>,
    #[serde(default, rename = "durationMs", deserialize_with = "lenient")]
    pub(super) written_duration_ms: Option<u64>,
    /// The number of earlier attempts.
    #[serde(default, deserialize_with = "lenient")]
    pub retry_count: Option<u64>,
    /// Why the step failed.
    #[serde(default, deserialize_with = "lenient")]
    pub error_message: Option<String>,
    /// The run that the step started.
    #[serde(default, deserialize_with = "lenient")]
    pub subflow_execution_id: Option<String>,
    /// See [`Step::branch_execution_id`].
    #[serde(default, deserialize_with = "lenient")]
    branch_execution_id: Option<String>,
    /// For a branch's step: the branch's name in the flow's definition. For a nested step: the name
    /// of its lane, once it is known.
    #[serde(default, deserialize_with = "lenient")]
    pub branch_id: Option<String>,
    /// The attribute as written; see [`Step::nested_below`] and [`Step::parent_id`].
    #[serde(default, deserialize_with = "lenient")]
    parent_step_instance_id: Option<String>,
    /// See [`Step::lane`].
    #[serde(skip)]
    lane: Option<usize>,
    /// The step below which the lane is.
    #[serde(skip)]
    lane_below: Option<String>,
    /// See [`Step::is_added`].
    #[serde(skip)]
    is_added: bool,
    /// Whether nested steps are below this one; see [`Step::has_branches`].
    #[serde(skip)]
    has_nested_steps: bool,
    /// The input of the step.
    #[serde(skip)]
    pub input: Option<Value>,
    /// The output of the step.
    #[serde(skip)]
    pub output: Option<Value>,
    /// Other data that the engine stored.
    #[serde(skip)]
    pub execution_data: Option<Value>,
    /// The payloads that a response leaves out, by their names in the record format.
    #[serde(skip)]
    pub omitted_payloads: OmittedPayloads,
}

impl Step {
    /// Parses a step item, in a branch or not. Returns `None` if the item's sort key is not a
    /// text; any other fault affects only its own attribute.
    pub fn from_item(mut item: Item) -> Option<Self> {
        // In a step, NULL means the same as an absent attribute. In a payload record it may be the
        // value.
        let mut native = |name: &str| {
            let value = item.remove(name).filter(|value| !value.is_null());
            value.map(Value::Native)
        };
        let (input, output, execution_data) =
            (native(INPUT), native(OUTPUT), native(EXECUTION_DATA));
        let step: Self = serde_dynamo::from_item(item).ok()?;
        Some(Self {
            input,
            output,
            execution_data,
            ..step
        })
    }

    /// The id of this run of the step; from the key if the attribute is missing.
    pub fn id(&self) -> Option<&str> {
        self.step_instance_id
            .as_deref()
            .or_else(|| keys::step_of(&self.sk).map(|key| key.step_instance_id))
    }

    /// When the step started; from the key if the attribute is missing.
    pub fn start_time(&self) -> Option<Timestamp> {
        self.start_time
            .or_else(|| keys::step_of(&self.sk)?.start_time.parse().ok())
    }

    /// The step below which this one ran, as its record names it. `None` for a step of a branch,
    /// whose key has its position. The run may not have a step with this id.
    pub fn nested_below(&self) -> Option<&str> {
        let is_in_branch = keys::step_of(&self.sk)?.branch_execution_id.is_some();
        let parent = self.parent_step_instance_id.as_deref();
        parent.filter(|_| !is_in_branch)
    }

    /// Puts a nested step into a lane below a step, counted from 1: below its parent, or below a
    /// fork that was added above it. A lane has an id and a name like a branch.
    pub fn set_lane(&mut self, below: &str, lane: usize) {
        if self.nested_below().is_none() {
            return;
        }
        self.branch_execution_id = Some(format!("{below}.{lane}"));
        self.branch_id = Some(format!("lane-{lane}"));
        self.lane = Some(lane);
        self.lane_below = Some(below.to_owned());
    }

    /// The lane of a nested step, counted from 1. `None` for other steps, and until it was set.
    pub fn lane(&self) -> Option<usize> {
        self.lane
    }

    /// The step below which this one is shown: the fork of its branch or, for a nested step with a
    /// lane, the step below which the lane is.
    pub fn parent_id(&self) -> Option<&str> {
        let in_key = keys::step_of(&self.sk).and_then(|key| key.parent_step_instance_id);
        in_key.or(self.lane_below.as_deref())
    }

    /// Marks the step as a fork that readers have added above overlapping steps.
    pub fn set_is_added(&mut self) {
        self.is_added = true;
    }

    /// Whether readers have added the step, so that it has neither a record nor payloads.
    pub fn is_added(&self) -> bool {
        self.is_added
    }

    /// Marks the step as one with nested steps below it. Clients find such steps by their type, so
    /// the step becomes a fork unless the engine has given it a type of its own.
    pub fn set_has_nested_steps(&mut self) {
        self.has_nested_steps = true;
        let kind = self.step_type.as_deref();
        if kind.is_none_or(|kind| SPAN_KINDS.contains(&kind)) {
            self.step_type = Some(FORK.to_owned());
        }
    }

    /// Whether steps of branches, or nested steps in lanes, may be below this one.
    pub fn has_branches(&self) -> bool {
        self.has_nested_steps || self.step_type.as_deref() == Some(FORK)
    }

    /// For a step of a branch: the id of this run of the branch, from the key or, if the key is
    /// malformed, from the attribute. For a nested step with a lane: the id of the lane.
    pub fn branch_execution_id(&self) -> Option<&str> {
        keys::step_of(&self.sk)
            .and_then(|key| key.branch_execution_id)
            .or(self.branch_execution_id.as_deref())
    }

    /// The duration of the step, in milliseconds: as written, otherwise from its start to its end,
    /// otherwise unknown. Values above [`MAX_DURATION_MS`](super::MAX_DURATION_MS) are ignored.
    pub fn duration_ms(&self) -> Option<u64> {
        duration_ms(self.written_duration_ms, self.start_time(), self.end_time)
    }

    /// When the step ended, in milliseconds since 1970-01-01: as written, otherwise from its start and
    /// its duration, otherwise unknown.
    pub fn end_milliseconds(&self) -> Option<i64> {
        let end = self.end_time.map(Timestamp::milliseconds);
        let from_start = || {
            let start = self.start_time()?.milliseconds();
            start.checked_add_unsigned(self.duration_ms()?)
        };
        end.or_else(from_start)
    }

    /// Ends a step that is still open in a run that has ended, because its engine has no reason to
    /// write it again. The step ends when its run ended, but not before its own start.
    ///
    /// - In a run that was cancelled, the step is cancelled too.
    /// - In a run that failed, a step that had started has failed too: it did not finish.
    /// - In a run that completed, nothing has failed, so a started step counts as cancelled; its
    ///   message says that it did not finish.
    /// - A step that had not started is always cancelled: nothing failed in it.
    pub fn ended_with(&mut self, execution: &Execution) {
        const UNFINISHED: &str = "The step did not finish: its run ended before it.";
        let (status, message) = match (execution.status, self.status) {
            (Some(Status::Cancelled), Some(StepStatus::Pending | StepStatus::Running))
            | (Some(Status::Completed | Status::Failed), Some(StepStatus::Pending)) => {
                (StepStatus::Cancelled, None)
            }
            (Some(Status::Failed), Some(StepStatus::Running)) => {
                (StepStatus::Failed, Some(UNFINISHED))
            }
            (Some(Status::Completed), Some(StepStatus::Running)) => {
                (StepStatus::Cancelled, Some(UNFINISHED))
            }
            _ => return,
        };
        self.status = Some(status);
        if self.error_message.is_none() {
            self.error_message = message.map(str::to_owned);
        }
        if self.end_time.is_none() {
            self.end_time = execution.ended_at().max(self.start_time());
            // A duration that was written while the step was running is wrong.
            self.written_duration_ms = None;
        }
    }

    /// The three fields that may be too large for a step's item, with their names in the record
    /// format.
    pub fn payload_fields(&mut self) -> [(&'static str, &mut Option<Value>); 3] {
        [
            (INPUT, &mut self.input),
            (OUTPUT, &mut self.output),
            (EXECUTION_DATA, &mut self.execution_data),
        ]
    }

    /// The approximate size of the step as JSON, in bytes.
    pub fn approximate_size(&self) -> usize {
        self.approximate_size_within(usize::MAX)
    }

    /// The approximate size without payloads of more than `most` bytes.
    pub fn approximate_size_within(&self, most: usize) -> usize {
        // The names and the short values. The size varies with the payloads and the error.
        const FIXED: usize = 400;
        let payloads = [&self.input, &self.output, &self.execution_data];
        FIXED
            + self.error_message.as_ref().map_or(0, String::len)
            + payloads
                .into_iter()
                .flatten()
                .map(Value::approximate_size)
                .filter(|size| *size <= most)
                .sum::<usize>()
    }
}
