//! A run of a flow.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Deserializer};

use super::lenient::{duration_ms, lenient, lenient_or_default};
use super::{ExecutionType, Item, ModelUsage, Status, StepSummary, Timestamp, Value};
use crate::attributes::{FLOW_VERSION, LABELS, PINNED_AT, USAGE};
use crate::keys;

/// A run of a flow, without its payloads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// The id, from the partition key, by which the run can be read again.
    #[serde(rename = "pk", deserialize_with = "parse_execution_key")]
    pub execution_id: String,
    /// The tenant. `None` in a malformed record, which no caller can see.
    #[serde(default, deserialize_with = "lenient")]
    pub team_id: Option<String>,
    /// The id of the flow's definition.
    #[serde(default, deserialize_with = "lenient")]
    pub flow_id: Option<String>,
    /// When the run was created. Lists are ordered by it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<Timestamp>,
    /// The status. `None` if the record has an unknown status.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<Status>,
    /// The flow's name for people.
    #[serde(default, deserialize_with = "lenient")]
    pub flow_name: Option<String>,
    /// The flow's version. Engines write it as a text or a number, and it is shown as written.
    #[serde(skip)]
    pub flow_version: Option<Value>,
    /// Whether another run started this one.
    #[serde(default, deserialize_with = "lenient_or_default")]
    pub execution_type: ExecutionType,
    /// The run that started this sub-flow.
    #[serde(default, deserialize_with = "lenient")]
    pub parent_execution_id: Option<String>,
    /// The step of that run.
    #[serde(default, deserialize_with = "lenient")]
    pub parent_step_instance_id: Option<String>,
    /// The device that the run concerns.
    #[serde(default, deserialize_with = "lenient")]
    pub device_id: Option<String>,
    /// What started the run: `WEBHOOK`, `SCHEDULE`, `MANUAL`, `API`, ….
    #[serde(default, deserialize_with = "lenient")]
    pub trigger: Option<String>,
    /// When the run started.
    #[serde(default, deserialize_with = "lenient")]
    pub start_time: Option<Timestamp>,
    /// When the run ended.
    #[serde(default, deserialize_with = "lenient")]
    pub end_time: Option<Timestamp>,
    /// The attribute as written; read it through [`Execution::duration_ms`].
    #[serde(default, rename = "durationMs", deserialize_with = "lenient")]
    pub(super) written_duration_ms: Option<u64>,
    /// Why the run failed.
    #[serde(default, deserialize_with = "lenient")]
    pub error_message: Option<String>,
    /// The number of steps, as its writer reported it.
    #[serde(default, deserialize_with = "lenient")]
    pub step_summary: Option<StepSummary>,
    /// The tokens of language models that the run used, by model.
    #[serde(skip)]
    pub usage: Vec<ModelUsage>,
    /// How many steps of the run were not stored, because it had too many.
    #[serde(default, deserialize_with = "lenient")]
    pub dropped_steps: Option<u64>,
    /// For a trace: the id of its root span. The root is the run itself, and no step.
    #[serde(default, rename = "spanId", deserialize_with = "lenient")]
    pub root_span_id: Option<String>,
    /// The engine's search keys. Numbers and booleans are converted to texts by [`label_text`].
    #[serde(skip)]
    pub labels: BTreeMap<String, String>,
    /// When the run times out if it is still open.
    #[serde(default, deserialize_with = "lenient")]
    pub timeout_at: Option<Timestamp>,
    /// The engine's last heartbeat.
    #[serde(default, deserialize_with = "lenient")]
    pub heartbeat_at: Option<Timestamp>,
    /// The principal that cancelled the run.
    #[serde(default, deserialize_with = "lenient")]
    pub cancelled_by: Option<String>,
    /// Why the run was cancelled.
    #[serde(default, deserialize_with = "lenient")]
    pub cancel_reason: Option<String>,
    /// Whether the run is open and its last heartbeat is older than its team allows. It is computed
    /// when the run is shown.
    #[serde(skip)]
    pub is_stalled: bool,
    /// Whether texts of the run are shortened, as in a list.
    #[serde(skip)]
    pub is_shortened: bool,
    /// Whether the run is protected from expiring.
    #[serde(skip)]
    pub is_pinned: bool,
    /// When it was pinned.
    #[serde(default, deserialize_with = "lenient")]
    pub pinned_at: Option<Timestamp>,
    /// The principal that pinned it.
    #[serde(default, deserialize_with = "lenient")]
    pub pinned_by: Option<String>,
}

impl Execution {
    /// Parses an execution item. Returns `None` if the item does not have the keys of an execution;
    /// any other fault affects only its own attribute.
    pub fn from_item(mut item: Item) -> Option<Self> {
        if !keys::is_execution(&item) {
            return None;
        }
        let flow_version = item
            .remove(FLOW_VERSION)
            .filter(|version| version.is_s() || version.is_n())
            .map(Value::Native);
        let is_pinned = item.contains_key(PINNED_AT);
        let labels = item.remove(LABELS).map(parse_labels).unwrap_or_default();
        let usage = item.remove(USAGE).map(ModelUsage::parse);
        let execution: Self = serde_dynamo::from_item(item).ok()?;
        Some(Self {
            flow_version,
            is_pinned,
            labels,
            usage: usage.unwrap_or_default(),
            ..execution
        })
    }

    /// The duration of the run, in milliseconds: as written, otherwise from its start to its end,
    /// otherwise unknown. Values above [`MAX_DURATION_MS`](super::MAX_DURATION_MS) are ignored.
    pub fn duration_ms(&self) -> Option<u64> {
        duration_ms(self.written_duration_ms, self.start_time, self.end_time)
    }

    /// When a run ended that has ended: as written, otherwise its start plus its duration,
    /// otherwise the last recorded time.
    pub(super) fn ended_at(&self) -> Option<Timestamp> {
        let measured = || {
            let duration = i64::try_from(self.duration_ms()?).ok()?;
            Timestamp::from_milliseconds(self.start_time?.milliseconds() + duration)
        };
        self.end_time.or_else(measured).or(self.last_change())
    }

    /// The last recorded time of the run: of its end, its last heartbeat, its start or its
    /// creation.
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

/// A label's value as the text by which runs are found: a number as DynamoDB writes it (`42`,
/// `0.5`), a boolean as `true` or `false`. `None` for a value of another type.
pub fn label_text(value: &AttributeValue) -> Option<&str> {
    match value {
        AttributeValue::S(text) => Some(text),
        AttributeValue::N(digits) => Some(digits),
        AttributeValue::Bool(true) => Some("true"),
        AttributeValue::Bool(false) => Some("false"),
        _ => None,
    }
}

/// Reads the labels, except those whose value has no text.
fn parse_labels(labels: AttributeValue) -> BTreeMap<String, String> {
    let AttributeValue::M(labels) = labels else {
        return BTreeMap::new();
    };
    labels
        .into_iter()
        .filter_map(|(name, value)| Some((name, label_text(&value)?.to_owned())))
        .collect()
}

fn parse_execution_key<'de, D>(deserializer: D) -> Result<String, D::Error>
where
    D: Deserializer<'de>,
{
    let pk = String::deserialize(deserializer)?;
    keys::execution_id_of(&pk)
        .map(str::to_owned)
        .ok_or_else(|| serde::de::Error::custom("not the key of an execution"))
}
