//! Executions, steps and the values in them, as the record format
//! (docs/record-format.md) defines them.
//!
//! Records are written by other people's engines, so reading one never fails:
//! an optional attribute that is absent, or of a wrong type, is `None`, and its
//! neighbours are read all the same. What a *caller* sends is strict: an id
//! that reaches an operation is an [`ExecutionId`], not a string to check again.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::table::PINNED_AT;

mod page_size;
mod value;

pub use page_size::PageSize;
pub use value::{OmittedPayload, OmittedPayloads, Value, approximate_size};

/// One item of the table as the SDK hands it over.
pub type Item = HashMap<String, AttributeValue>;

/// The longest id, in characters. Keys are built of up to four ids, and
/// DynamoDB ends a sort key at 1,024 bytes.
pub const MAX_ID_LENGTH: usize = 128;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 128 characters of A-Z a-z 0-9 . _ : @ / + = -")]
pub struct InvalidId;

/// Whether `text` is an id of the record format: 1 to [`MAX_ID_LENGTH`]
/// characters of `A-Z a-z 0-9 . _ : @ / + = -`. It never holds `#`, which
/// separates the parts of a key.
pub fn is_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:@/+=-".contains(&byte))
}

/// The ids of [`is_id`], as a pattern of JSON Schema.
pub const ID_PATTERN: &str = "^[A-Za-z0-9._:@/+=-]{1,128}$";

/// Texts without control characters, as a pattern of JSON Schema.
pub const NO_CONTROL_PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// One kind of id each, so that a flow's id cannot be passed for a team's.
macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_id(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    )*};
}

id_types! {
    /// The id of one run of a flow.
    ExecutionId,
    /// The id of a tenant. `default` where there is only one.
    TeamId,
    /// The id of a flow's definition.
    FlowId,
    /// The id of one run of a step.
    StepInstanceId,
    /// The id of one run of a parallel branch.
    BranchExecutionId,
    /// The id of a device that runs concern.
    DeviceId,
    /// The name of a role.
    RoleName,
}

impl RoleName {
    /// A name that stands in this code, and is an id.
    pub(crate) fn known(name: &'static str) -> Self {
        debug_assert!(is_id(name), "{name}");
        Self(name.to_owned())
    }
}

/// The length of a date, `2026-02-17`.
const DATE_LENGTH: usize = 10;
/// 9999-12-30T21:59:59.999Z, the last moment that can be calculated with. The last
/// days of the year 9999 stand for it: who names them means no day.
const LAST_MS: i64 = 253_402_207_199_999;
/// The length of a time of the record format.
const TIME_LENGTH: usize = 24;

/// A moment, to the millisecond, in UTC.
///
/// Written as RFC 3339 with exactly three fractional digits
/// (`2026-02-17T10:30:00.000Z`, 24 characters), so that the order of the texts
/// is the order of the moments. Read from any RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Now, by the clock of this machine.
    pub fn now() -> Self {
        let now = jiff::Timestamp::now();
        // Equal to what it is written as.
        Self::from_milliseconds(now.as_millisecond()).unwrap_or(Self(now))
    }

    /// The moment that many milliseconds after 1970 began.
    /// `None` outside the years -9999 to 9999.
    pub fn from_milliseconds(milliseconds: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(milliseconds)
            .ok()
            .map(Self)
    }

    /// Milliseconds since 1970 began.
    pub fn milliseconds(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The first moment that a caller means by a text: RFC 3339 with any offset,
    /// or a date, and then its midnight in UTC. `None` for any other text, and
    /// outside the years 0 to 9999, which the record format does not write.
    pub fn first_of(text: &str) -> Option<Self> {
        if let Ok(date) = text.parse::<jiff::civil::Date>()
            && text.len() == DATE_LENGTH
        {
            let midnight = date.to_zoned(jiff::tz::TimeZone::UTC);
            let midnight = midnight.map(|midnight| midnight.timestamp().as_millisecond());
            return Self::from_milliseconds(midnight.unwrap_or(LAST_MS))?.within_the_format();
        }
        let moment: jiff::Timestamp = text.parse().ok()?;
        let whole = jiff::Timestamp::from_millisecond(moment.as_millisecond()).ok()?;
        let is_rounded_down = whole < moment;
        Self::from_milliseconds(whole.as_millisecond() + i64::from(is_rounded_down))?
            .within_the_format()
    }

    /// The last moment that a caller means by a text: as [`Self::first_of`],
    /// but of a date the end of that day.
    pub fn last_of(text: &str) -> Option<Self> {
        const DAY_MS: i64 = 24 * 3_600 * 1_000;
        if text.len() == DATE_LENGTH {
            let midnight = Self::first_of(text)?;
            let end = (midnight.milliseconds() + DAY_MS - 1).min(LAST_MS);
            return Self::from_milliseconds(end)?.within_the_format();
        }
        text.parse::<Self>().ok()?.within_the_format()
    }

    fn within_the_format(self) -> Option<Self> {
        // A year before 0 is written with a sign and six digits.
        (self.to_string().len() == TIME_LENGTH).then_some(self)
    }

    /// Whole seconds since 1970 began, the unit of `expiresAt`.
    pub fn seconds(self) -> i64 {
        self.0.as_second()
    }
}

/// A stretch of time, from one moment to another, both inclusive; open where a
/// bound is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl TimeRange {
    /// The stretch between these bounds. `None` when `from` lies after `to`.
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<Self> {
        match (from, to) {
            (Some(from), Some(to)) if from > to => None,
            _ => Some(Self { from, to }),
        }
    }

    /// The first moment, if there is one.
    pub fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// The last moment, if there is one.
    pub fn to(&self) -> Option<Timestamp> {
        self.to
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    /// Reads RFC 3339 with any offset and any precision; the rest of a
    /// millisecond is cut off.
    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        let moment: jiff::Timestamp = text.parse()?;
        jiff::Timestamp::from_millisecond(moment.as_millisecond()).map(Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.3}", self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The state of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Asked for, not begun.
    Pending,
    /// Begun, not ended.
    Running,
    /// Ended well.
    Completed,
    /// Ended by an error.
    Failed,
    /// Ended by a person, a program or a time limit.
    Cancelled,
}

impl Status {
    /// Whether a run in this state has ended. Terminal is final.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether a run in this state has yet to end.
    pub fn is_open(self) -> bool {
        !self.is_terminal()
    }

    /// Every status, in the order of a run's life.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word that stands in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// The state of a step: an execution's five, and `SKIPPED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum StepStatus {
    /// Scheduled, not begun.
    Pending,
    /// Begun, not ended.
    Running,
    /// Ended well.
    Completed,
    /// Ended by an error.
    Failed,
    /// Ended with its run.
    Cancelled,
    /// Not run, because the flow went another way.
    Skipped,
}

impl StepStatus {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::Skipped,
    ];

    /// The word that stands in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// Whether a run stands for itself or was started by another.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum ExecutionType {
    /// A run that stands for itself. The meaning of an absent attribute.
    #[default]
    Parent,
    /// A run started by a step of another run.
    Subflow,
}

impl ExecutionType {
    /// Both types.
    pub const ALL: [Self; 2] = [Self::Parent, Self::Subflow];

    /// The word that stands in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parent => "PARENT",
            Self::Subflow => "SUBFLOW",
        }
    }
}

/// How the steps of a run ended, as its writer summed it up.
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
    /// Counts how steps have ended.
    pub fn of(steps: &[Step]) -> Self {
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

/// One run of a flow, without its payloads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// The id, from the partition key, which is what finds the run again.
    #[serde(rename = "pk", deserialize_with = "execution_id_of_key")]
    pub execution_id: String,
    /// The tenant. `None` in a malformed record, which nobody then sees.
    #[serde(default, deserialize_with = "lenient")]
    pub team_id: Option<String>,
    /// The flow's definition.
    #[serde(default, deserialize_with = "lenient")]
    pub flow_id: Option<String>,
    /// When the run was asked for. Lists order by it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<Timestamp>,
    /// The state. `None` where the record holds an unknown word.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<Status>,
    /// The flow's name for people.
    #[serde(default, deserialize_with = "lenient")]
    pub flow_name: Option<String>,
    /// The flow's version, which engines write as text or as a number; shown
    /// as it was written.
    #[serde(skip)]
    pub flow_version: Option<Value>,
    /// Whether another run started this one.
    #[serde(default, deserialize_with = "lenient_or_default")]
    pub execution_type: ExecutionType,
    /// Of a sub-flow: the run that started it.
    #[serde(default, deserialize_with = "lenient")]
    pub parent_execution_id: Option<String>,
    /// Of a sub-flow: the step of that run.
    #[serde(default, deserialize_with = "lenient")]
    pub parent_step_instance_id: Option<String>,
    /// The device that the run concerns.
    #[serde(default, deserialize_with = "lenient")]
    pub device_id: Option<String>,
    /// What started the run: `WEBHOOK`, `SCHEDULE`, `MANUAL`, `API`, ….
    #[serde(default, deserialize_with = "lenient")]
    pub trigger: Option<String>,
    /// When the first step began.
    #[serde(default, deserialize_with = "lenient")]
    pub start_time: Option<Timestamp>,
    /// When the run ended.
    #[serde(default, deserialize_with = "lenient")]
    pub end_time: Option<Timestamp>,
    /// The attribute as written; read it through [`Execution::duration_ms`].
    #[serde(default, rename = "durationMs", deserialize_with = "lenient")]
    written_duration_ms: Option<u64>,
    /// Why the run failed.
    #[serde(default, deserialize_with = "lenient")]
    pub error_message: Option<String>,
    /// The writer's count of steps.
    #[serde(default, deserialize_with = "lenient")]
    pub step_summary: Option<StepSummary>,
    /// The user's own search keys.
    #[serde(default, deserialize_with = "lenient_labels")]
    pub labels: BTreeMap<String, String>,
    /// Past it, a run still open is timed out.
    #[serde(default, deserialize_with = "lenient")]
    pub timeout_at: Option<Timestamp>,
    /// The engine's last sign of life.
    #[serde(default, deserialize_with = "lenient")]
    pub heartbeat_at: Option<Timestamp>,
    /// Who cancelled the run.
    #[serde(default, deserialize_with = "lenient")]
    pub cancelled_by: Option<String>,
    /// Why they did.
    #[serde(default, deserialize_with = "lenient")]
    pub cancel_reason: Option<String>,
    /// Whether the run is open, and has given no sign of life for longer than its team
    /// lets it: where it is shown.
    #[serde(skip)]
    pub is_stalled: bool,
    /// Whether the run is kept from expiring.
    #[serde(skip)]
    pub is_pinned: bool,
    /// Since when.
    #[serde(default, deserialize_with = "lenient")]
    pub pinned_at: Option<Timestamp>,
    /// By whom.
    #[serde(default, deserialize_with = "lenient")]
    pub pinned_by: Option<String>,
}

impl Execution {
    /// Reads an execution item. `None` when the item's keys are not those of
    /// an execution; any other fault costs only the attribute that has it.
    pub fn from_item(mut item: Item) -> Option<Self> {
        if !crate::keys::is_execution(&item) {
            return None;
        }
        let flow_version = item
            .remove("flowVersion")
            .filter(|version| version.is_s() || version.is_n())
            .map(Value::Native);
        let is_pinned = item.contains_key(PINNED_AT);
        let execution: Self = serde_dynamo::from_item(item).ok()?;
        Some(Self {
            flow_version,
            is_pinned,
            ..execution
        })
    }

    /// How long the run took, in milliseconds: as written, else from its start
    /// to its end, else unknown.
    pub fn duration_ms(&self) -> Option<u64> {
        duration_ms(self.written_duration_ms, self.start_time, self.end_time)
    }

    /// The last moment at which the record says that something happened to the
    /// run: its end, a sign of life, its start, or that it was asked for.
    pub fn last_change(&self) -> Option<Timestamp> {
        let moments = [
            self.end_time,
            self.heartbeat_at,
            self.start_time,
            self.created_at,
        ];
        moments.into_iter().flatten().max()
    }
}

/// One run of a step, with its payloads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The sort key, which says where the step belongs.
    pub sk: String,
    /// The id of this run of the step; see [`Step::id`].
    #[serde(default, deserialize_with = "lenient")]
    step_instance_id: Option<String>,
    /// The step's id in the flow's definition.
    #[serde(default, deserialize_with = "lenient")]
    pub step_id: Option<String>,
    /// The step's name for people.
    #[serde(default, deserialize_with = "lenient")]
    pub step_name: Option<String>,
    /// What kind of step it is, in the engine's words.
    #[serde(default, deserialize_with = "lenient")]
    pub step_type: Option<String>,
    /// The step's place in its run.
    #[serde(default, deserialize_with = "lenient")]
    pub sequence_number: Option<i64>,
    /// The state. `None` where the record holds an unknown word.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<StepStatus>,
    /// The attribute as written; see [`Step::start_time`].
    #[serde(default, deserialize_with = "lenient")]
    start_time: Option<Timestamp>,
    /// When the step ended.
    #[serde(default, deserialize_with = "lenient")]
    pub end_time: Option<Timestamp>,
    #[serde(default, rename = "durationMs", deserialize_with = "lenient")]
    written_duration_ms: Option<u64>,
    /// How many attempts went before this one.
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
    /// Of a branch's step: the branch's name in the flow's definition.
    #[serde(default, deserialize_with = "lenient")]
    pub branch_id: Option<String>,
    /// What the step was given.
    #[serde(skip)]
    pub input: Option<Value>,
    /// What the step gave back.
    #[serde(skip)]
    pub output: Option<Value>,
    /// What else the engine noted.
    #[serde(skip)]
    pub execution_data: Option<Value>,
    /// Those of these three that an answer leaves out, by their names in the record
    /// format.
    #[serde(skip)]
    pub omitted_payloads: OmittedPayloads,
}

impl Step {
    /// Reads a step item, top-level or of a branch. `None` when the item has
    /// no text for a sort key; any other fault costs only the attribute that
    /// has it.
    pub fn from_item(mut item: Item) -> Option<Self> {
        // A NULL says as much as no attribute; a payload may say more.
        let mut native = |name: &str| {
            let value = item.remove(name).filter(|value| !value.is_null());
            value.map(Value::Native)
        };
        let (input, output, execution_data) =
            (native("input"), native("output"), native("executionData"));
        let step: Self = serde_dynamo::from_item(item).ok()?;
        Some(Self {
            input,
            output,
            execution_data,
            ..step
        })
    }

    /// The id of this run of the step, from the key where the attribute is
    /// missing.
    pub fn id(&self) -> Option<&str> {
        self.step_instance_id
            .as_deref()
            .or_else(|| crate::keys::step_of(&self.sk).map(|key| key.step_instance_id))
    }

    /// When the step began, from the key where the attribute is missing.
    pub fn start_time(&self) -> Option<Timestamp> {
        self.start_time
            .or_else(|| crate::keys::step_of(&self.sk)?.start_time.parse().ok())
    }

    /// Of a branch's step: the id of this run of the branch, from the key or,
    /// where that is malformed, from the attribute.
    pub fn branch_execution_id(&self) -> Option<&str> {
        crate::keys::step_of(&self.sk)
            .and_then(|key| key.branch_execution_id)
            .or(self.branch_execution_id.as_deref())
    }

    /// How long the step took, in milliseconds: as written, else from its
    /// start to its end, else unknown.
    pub fn duration_ms(&self) -> Option<u64> {
        duration_ms(self.written_duration_ms, self.start_time(), self.end_time)
    }

    /// A step that is open in a run that was cancelled has ended with its run: its
    /// engine was told to stop, and has no reason to write the step again.
    pub fn ended_with(&mut self, execution: &Execution) {
        let is_open = matches!(self.status, Some(StepStatus::Pending | StepStatus::Running));
        if execution.status == Some(Status::Cancelled) && is_open {
            self.status = Some(StepStatus::Cancelled);
            self.end_time = self.end_time.or(execution.end_time);
        }
    }

    /// The three fields that may be too large for a step's item, by their
    /// names in the record format.
    pub fn payload_fields(&mut self) -> [(&'static str, &mut Option<Value>); 3] {
        [
            ("input", &mut self.input),
            ("output", &mut self.output),
            ("executionData", &mut self.execution_data),
        ]
    }

    /// About how many bytes the step takes as JSON.
    pub fn approximate_size(&self) -> usize {
        self.approximate_size_within(usize::MAX)
    }

    /// The same without the payloads that take more than `most` bytes.
    pub fn approximate_size_within(&self, most: usize) -> usize {
        // The names and the short values; what varies is in the payloads and
        // in the error.
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

/// Whether a record's `expiresAt` (epoch seconds) has passed. Such a record is
/// gone for every reader, also while DynamoDB has yet to remove it, which can
/// take days. A value that is not a number expires nothing, as with DynamoDB's
/// own TTL.
pub fn is_expired(item: &Item, now: Timestamp) -> bool {
    item.get("expiresAt")
        .and_then(|value| value.as_n().ok())
        .and_then(|seconds| seconds.parse::<f64>().ok())
        .is_some_and(|seconds| seconds <= now.seconds() as f64)
}

fn duration_ms(
    written: Option<u64>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
) -> Option<u64> {
    written.or_else(|| u64::try_from(end?.milliseconds() - start?.milliseconds()).ok())
}

/// Reads what is of the expected type, and nothing where it is not.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(T::deserialize(deserializer).ok())
}

fn lenient_or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(lenient(deserializer)?.unwrap_or_default())
}

/// Reads the labels that are text, and drops only those that are not.
fn lenient_labels<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    struct Label(#[serde(deserialize_with = "lenient")] Option<String>);

    let labels: Option<BTreeMap<String, Label>> = lenient(deserializer)?;
    Ok(labels
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, Label(value))| Some((name, value?)))
        .collect())
}

fn execution_id_of_key<'de, D>(deserializer: D) -> Result<String, D::Error>
where
    D: Deserializer<'de>,
{
    let pk = String::deserialize(deserializer)?;
    crate::keys::execution_id_of(&pk)
        .map(str::to_owned)
        .ok_or_else(|| serde::de::Error::custom("not the key of an execution"))
}

#[cfg(test)]
mod tests;
