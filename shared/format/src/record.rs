//! Records to write: the items of an execution, a step and a payload, as the record format
//! (docs/record-format.md) defines them.
//!
//! [`crate::model`] parses the records of any engine and accepts everything. The types here can
//! only express what the format allows. The writer crate and the bridges build their items with
//! them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use crate::attributes::{
    DURATION_MS, ERROR_MESSAGE, EXECUTION_DATA, EXECUTION_TYPE, INPUT, OUTPUT,
    PARENT_STEP_INSTANCE_ID, PARTITION_KEY, SORT_KEY, text,
};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{
    BranchExecutionId, DeviceId, ExecutionId, ExecutionType, FlowId, Item, Status, StepInstanceId,
    StepStatus, StepSummary, TeamId, Timestamp,
};

pub mod check;
mod definition;
mod payload;
mod surrogates;

pub use definition::{Attribute, Presence, RecordKind, Type};
pub use payload::{INLINE_BYTES, PART_BYTES, Payload, UnwritablePayload, native_of};
pub use surrogates::replace_lone_surrogates;
pub(crate) use surrogates::replace_lone_surrogates_in;

/// The type of a fork step, which has parallel branches below it.
pub const FORK: &str = "PARALLEL_FORK_MANAGER";

/// The longest error of an execution, in bytes of UTF-8. Every index contains the whole record,
/// which should stay close to 1 KB.
pub const MAX_EXECUTION_ERROR_BYTES: usize = 1_024;

/// The longest error of a step, in bytes of UTF-8: a long stack trace.
pub const MAX_STEP_ERROR_BYTES: usize = 16 * 1_024;

/// Shortens a text to at most `most` bytes. A text that is cut ends with an ellipsis.
pub fn shortened(text: &str, most: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub(ELLIPSIS.len()));
    format!("{}{ELLIPSIS}", &text[..end])
}

/// A flow's version, which is shown as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum FlowVersion {
    /// Such as 3.
    Number(i64),
    /// Such as `v3.1`.
    Text(String),
}

impl From<i64> for FlowVersion {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for FlowVersion {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FlowVersion {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// The parent of a sub-flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parent {
    /// The run.
    #[serde(rename = "parentExecutionId")]
    pub execution_id: ExecutionId,
    /// The step of that run, if known.
    #[serde(
        rename = "parentStepInstanceId",
        skip_serializing_if = "Option::is_none"
    )]
    pub step_instance_id: Option<StepInstanceId>,
}

/// A run of a flow to write. Each member has the meaning of its attribute in the record format.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the record format says what each means")]
pub struct ExecutionRecord {
    pub execution_id: ExecutionId,
    pub team_id: TeamId,
    pub flow_id: FlowId,
    pub created_at: Timestamp,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_version: Option<FlowVersion>,
    /// The parent of a sub-flow. It sets the record's `executionType` to `SUBFLOW`.
    #[serde(flatten)]
    pub parent: Option<Parent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
    /// It is shortened to [`MAX_EXECUTION_ERROR_BYTES`] when written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_summary: Option<StepSummary>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    /// In seconds since 1970-01-01.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl ExecutionRecord {
    /// Creates a run with these members only.
    pub fn new(
        execution_id: ExecutionId,
        team_id: TeamId,
        flow_id: FlowId,
        created_at: Timestamp,
        status: Status,
    ) -> Self {
        Self {
            execution_id,
            team_id,
            flow_id,
            created_at,
            status,
            flow_name: None,
            flow_version: None,
            parent: None,
            device_id: None,
            trigger: None,
            start_time: None,
            end_time: None,
            error_message: None,
            step_summary: None,
            labels: BTreeMap::new(),
            timeout_at: None,
            heartbeat_at: None,
            cancelled_by: None,
            cancel_reason: None,
            expires_at: None,
        }
    }

    /// Converts the record to an item, with `durationMs` if start and end are known.
    ///
    /// # Errors
    /// Returns [`Error::Internal`] if a member cannot be an attribute, which never happens.
    pub fn item(&self) -> Result<Item> {
        let mut item: Item = serde_dynamo::to_item(self).map_err(Error::internal)?;
        let partition = keys::execution_partition(&self.execution_id);
        item.insert(PARTITION_KEY.to_owned(), text(partition));
        item.insert(SORT_KEY.to_owned(), text(keys::EXECUTION));
        if self.parent.is_some() {
            let subflow = text(ExecutionType::Subflow.as_str());
            item.insert(EXECUTION_TYPE.to_owned(), subflow);
        }
        if let Some(error) = &self.error_message {
            let error = shortened(error, MAX_EXECUTION_ERROR_BYTES);
            item.insert(ERROR_MESSAGE.to_owned(), text(error));
        }
        insert_duration(&mut item, self.start_time, self.end_time);
        Ok(item)
    }
}

/// The position of a step in its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepPosition {
    /// Among the run's own steps.
    TopLevel,
    /// Below the step with this id, which is a step of the same run.
    Below(StepInstanceId),
    /// In a parallel branch.
    Branch(BranchPosition),
}

/// A run of a parallel branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BranchPosition {
    /// When the fork above the branch started.
    pub parent_step_start_time: Timestamp,
    /// The id of that fork's step.
    pub parent_step_instance_id: StepInstanceId,
    /// The id of this run of the branch.
    pub branch_execution_id: BranchExecutionId,
    /// The branch's name in the flow's definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch_id: Option<String>,
}

impl BranchPosition {
    /// The sort key of a step in this branch.
    pub fn sort_key(&self, start_time: Timestamp, step_instance_id: &str) -> String {
        let fork = keys::branches_of_fork(
            self.parent_step_start_time,
            self.parent_step_instance_id.as_str(),
        );
        let branch = self.branch_execution_id.as_str();
        keys::branch_step(&fork, branch, start_time, step_instance_id)
    }
}

/// A run of a step to write. Each member has the meaning of its attribute in the record format.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the record format says what each means")]
pub struct StepRecord {
    #[serde(skip)]
    pub execution_id: ExecutionId,
    #[serde(skip)]
    pub position: StepPosition,
    pub step_instance_id: StepInstanceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence_number: Option<u64>,
    pub status: StepStatus,
    pub start_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<u64>,
    /// It is shortened to [`MAX_STEP_ERROR_BYTES`] when written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subflow_execution_id: Option<ExecutionId>,
    #[serde(skip)]
    pub input: Option<Payload>,
    #[serde(skip)]
    pub output: Option<Payload>,
    #[serde(skip)]
    pub execution_data: Option<Payload>,
    /// In seconds since 1970-01-01.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl StepRecord {
    /// Creates a step with these members only.
    pub fn new(
        execution_id: ExecutionId,
        position: StepPosition,
        step_instance_id: StepInstanceId,
        start_time: Timestamp,
        status: StepStatus,
    ) -> Self {
        Self {
            execution_id,
            position,
            step_instance_id,
            step_id: None,
            step_name: None,
            step_type: None,
            sequence_number: None,
            status,
            start_time,
            end_time: None,
            retry_count: None,
            error_message: None,
            subflow_execution_id: None,
            input: None,
            output: None,
            execution_data: None,
            expires_at: None,
        }
    }

    /// The step's sort key. Together with its run it identifies the step: a record with the same
    /// key replaces the step.
    pub fn sort_key(&self) -> String {
        let id = self.step_instance_id.as_str();
        match &self.position {
            StepPosition::TopLevel | StepPosition::Below(_) => keys::step(self.start_time, id),
            StepPosition::Branch(branch) => branch.sort_key(self.start_time, id),
        }
    }

    /// Converts the record to the step's own item, with its small payloads, and with `durationMs`
    /// if its end is known. Larger payloads are in [`Self::payload_items`].
    ///
    /// # Errors
    /// Returns [`Error::Internal`] if a member cannot be an attribute, which never happens.
    pub fn item(&self) -> Result<Item> {
        let mut item: Item = serde_dynamo::to_item(self).map_err(Error::internal)?;
        match &self.position {
            StepPosition::TopLevel => {}
            StepPosition::Below(parent) => {
                let parent = text(parent.as_str());
                item.insert(PARENT_STEP_INSTANCE_ID.to_owned(), parent);
            }
            StepPosition::Branch(branch) => {
                let branch: Item = serde_dynamo::to_item(branch).map_err(Error::internal)?;
                item.extend(branch);
            }
        }
        let partition = keys::execution_partition(&self.execution_id);
        item.insert(PARTITION_KEY.to_owned(), text(partition));
        item.insert(SORT_KEY.to_owned(), text(self.sort_key()));
        if let Some(error) = &self.error_message {
            let error = shortened(error, MAX_STEP_ERROR_BYTES);
            item.insert(ERROR_MESSAGE.to_owned(), text(error));
        }
        for (field, payload) in self.payloads() {
            if let Some(native) = payload.native() {
                item.insert(field.to_owned(), native.clone());
            }
        }
        insert_duration(&mut item, Some(self.start_time), self.end_time);
        Ok(item)
    }

    /// The items of the payloads that are too large for the step's own item.
    pub fn payload_items(&self) -> impl Iterator<Item = Item> {
        self.payloads()
            .filter(|(_, payload)| payload.native().is_none())
            .flat_map(|(field, payload)| {
                let name = keys::step_payload_name(self.step_instance_id.as_str(), field);
                payload.items(&self.execution_id, &name)
            })
    }

    /// The step's payloads, by the names of their attributes.
    fn payloads(&self) -> impl Iterator<Item = (&'static str, &Payload)> {
        let fields = [
            (INPUT, &self.input),
            (OUTPUT, &self.output),
            (EXECUTION_DATA, &self.execution_data),
        ];
        fields
            .into_iter()
            .filter_map(|(field, payload)| Some((field, payload.as_ref()?)))
    }
}

fn insert_duration(item: &mut Item, start: Option<Timestamp>, end: Option<Timestamp>) {
    if let (Some(start), Some(end)) = (start, end) {
        let duration_ms = (end.milliseconds() - start.milliseconds()).max(0);
        let duration = AttributeValue::N(duration_ms.to_string());
        item.insert(DURATION_MS.to_owned(), duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened("größer", 8), "größer");
        assert_eq!(shortened("größer", 7), "grö…");
        assert_eq!(shortened("ßßß", 5), "ß…");
        assert_eq!(shortened("ßßß", 4), "…");
    }

    #[test]
    fn an_execution_becomes_the_item_of_the_record_format() {
        let mut run = ExecutionRecord::new(
            "run-1".parse().expect("an id"),
            "default".parse().expect("an id"),
            "order-pipeline".parse().expect("an id"),
            moment("2026-02-17T10:30:00Z"),
            Status::Failed,
        );
        run.flow_version = Some(3.into());
        run.parent = Some(Parent {
            execution_id: "run-0".parse().expect("an id"),
            step_instance_id: Some("step-0".parse().expect("an id")),
        });
        run.start_time = Some(moment("2026-02-17T10:30:00.5Z"));
        run.end_time = Some(moment("2026-02-17T10:30:02.25Z"));
        run.error_message = Some("x".repeat(2_000));
        run.labels = BTreeMap::from([("orderId".to_owned(), "42".to_owned())]);
        let item: serde_json::Value =
            serde_dynamo::from_item(run.item().expect("an item")).expect("JSON");
        let error = format!("{}…", "x".repeat(1_021));
        let expected = serde_json::json!({
            "pk": "EXEC#run-1", "sk": "EXECUTION", "executionId": "run-1",
            "teamId": "default", "flowId": "order-pipeline", "status": "FAILED",
            "createdAt": "2026-02-17T10:30:00.000Z", "flowVersion": 3,
            "executionType": "SUBFLOW", "parentExecutionId": "run-0",
            "parentStepInstanceId": "step-0",
            "startTime": "2026-02-17T10:30:00.500Z",
            "endTime": "2026-02-17T10:30:02.250Z", "durationMs": 1750,
            "errorMessage": error, "labels": {"orderId": "42"},
        });
        assert_eq!(item, expected);
    }

    #[test]
    fn a_branch_step_becomes_the_item_of_the_record_format() {
        let branch = BranchPosition {
            parent_step_start_time: moment("2026-02-17T10:30:00Z"),
            parent_step_instance_id: "fork-1".parse().expect("an id"),
            branch_execution_id: "branch-1".parse().expect("an id"),
            branch_id: Some("each".to_owned()),
        };
        let mut step = StepRecord::new(
            "run-1".parse().expect("an id"),
            StepPosition::Branch(branch),
            "step-1".parse().expect("an id"),
            moment("2026-02-17T10:30:01Z"),
            StepStatus::Completed,
        );
        // The clock was set back.
        step.end_time = Some(moment("2026-02-17T10:30:00Z"));
        step.input = Some(Payload::from_value(&[1, 2]).expect("a payload"));
        step.output = Some(Payload::from_value(&"y".repeat(INLINE_BYTES)).expect("a payload"));
        let item: serde_json::Value =
            serde_dynamo::from_item(step.item().expect("an item")).expect("JSON");
        let sk = "BRANCH#2026-02-17T10:30:00.000Z#fork-1#branch-1#2026-02-17T10:30:01.000Z#step-1";
        let expected = serde_json::json!({
            "pk": "EXEC#run-1", "sk": sk, "stepInstanceId": "step-1", "status": "COMPLETED",
            "startTime": "2026-02-17T10:30:01.000Z", "endTime": "2026-02-17T10:30:00.000Z",
            "durationMs": 0, "input": [1, 2],
            "branchExecutionId": "branch-1", "branchId": "each",
            "parentStepInstanceId": "fork-1",
            "parentStepStartTime": "2026-02-17T10:30:00.000Z",
        });
        assert_eq!(item, expected);
        let payloads: Vec<_> = step.payload_items().collect();
        let keys: Vec<_> = payloads.iter().filter_map(keys::sort_key).collect();
        assert_eq!(keys, ["PAYLOAD#step:step-1:output#0000"]);
    }

    #[test]
    fn a_nested_step_has_the_key_of_any_step_and_names_its_parent() {
        let step = StepRecord::new(
            "run-1".parse().expect("an id"),
            StepPosition::Below("step-0".parse().expect("an id")),
            "step-1".parse().expect("an id"),
            moment("2026-02-17T10:30:01Z"),
            StepStatus::Running,
        );
        let item: serde_json::Value =
            serde_dynamo::from_item(step.item().expect("an item")).expect("JSON");
        let expected = serde_json::json!({
            "pk": "EXEC#run-1", "sk": "STEP#2026-02-17T10:30:01.000Z#step-1",
            "stepInstanceId": "step-1", "status": "RUNNING",
            "startTime": "2026-02-17T10:30:01.000Z", "parentStepInstanceId": "step-0",
        });
        assert_eq!(item, expected);
    }
}
