//! The JSON of the flow-executions API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use shared::model::{
    Execution, ExecutionType, OmittedPayload, OmittedPayloads, Status, Step, StepStatus,
    StepSummary, Timestamp, Value,
};
use shared::operations::{
    BranchListing, BranchSteps, ExecutionDetails, ExecutionPage, StepDetails,
};
use shared::payload::RunPayload;

use crate::flags::Flags;
use crate::reply::warnings;
use crate::usage::UsageView;

/// The envelope of every response of this API: `{success, data}`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Answer")]
pub(super) struct Envelope<T> {
    success: bool,
    data: T,
}

impl<T> Envelope<T> {
    fn wrap(data: T) -> Self {
        Self {
            success: true,
            data,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowExecutionList")]
pub(super) struct ListView<'a> {
    items: Vec<ExecutionSummary<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowExecutionSummary")]
struct ExecutionSummary<'a> {
    flow_execution_id: &'a str,
    status: Option<Status>,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    duration_ms: Option<u64>,
    #[serde(flatten)]
    flags: Flags,
}

pub(super) fn list(page: &ExecutionPage) -> Envelope<ListView<'_>> {
    Envelope::wrap(ListView {
        items: page.executions.iter().map(summary).collect(),
        next_token: page.next_token.as_deref(),
    })
}

fn summary(execution: &Execution) -> ExecutionSummary<'_> {
    ExecutionSummary {
        flow_execution_id: &execution.execution_id,
        status: execution.status,
        start_time: execution.start_time,
        end_time: execution.end_time,
        duration_ms: execution.duration_ms(),
        flags: Flags::from_execution(execution),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowExecution")]
pub(super) struct DetailsView<'a> {
    metadata: Metadata<'a>,
    steps: Vec<StepView<'a>>,
    resolved_final_context_data: Option<&'a Value>,
    #[serde(flatten)]
    requested: RequestedPayloads<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted_payloads: Option<OmittedRunPayloads>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// The run's own payloads that are members only if they are requested, as `executionData` is by
/// default.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RequestedPayloads<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Option<&'a Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Option<&'a Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_data: Option<Option<&'a Value>>,
}

impl<'a> RequestedPayloads<'a> {
    fn new(details: &'a ExecutionDetails) -> Self {
        let requested = |name| details.payloads.get(&name).map(Option::as_ref);
        Self {
            input: requested(RunPayload::Input),
            output: requested(RunPayload::Output),
            execution_data: requested(RunPayload::Data),
        }
    }
}

/// The run's own payloads that are left out, with their sizes.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OmittedRunPayloads {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<OmittedPayload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<OmittedPayload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_data: Option<OmittedPayload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_final_context_data: Option<OmittedPayload>,
}

impl OmittedRunPayloads {
    /// Returns `None` if no payload is left out.
    fn from_details(details: &ExecutionDetails) -> Option<Self> {
        let omitted = |name| details.omitted.get(&name).copied();
        (!details.omitted.is_empty()).then(|| Self {
            input: omitted(RunPayload::Input),
            output: omitted(RunPayload::Output),
            execution_data: omitted(RunPayload::Data),
            resolved_final_context_data: omitted(RunPayload::Context),
        })
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowExecutionMetadata")]
struct Metadata<'a> {
    flow_execution_id: &'a str,
    flow_definition_id: Option<&'a str>,
    flow_name: Option<&'a str>,
    flow_version: Option<&'a Value>,
    execution_type: ExecutionType,
    parent_flow_execution_id: Option<&'a str>,
    parent_step_instance_id: Option<&'a str>,
    team_id: Option<&'a str>,
    device_id: Option<&'a str>,
    trigger: Option<&'a str>,
    status: Option<Status>,
    created_at: Option<Timestamp>,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    duration_ms: Option<u64>,
    error_message: Option<&'a str>,
    step_summary: Option<StepSummary>,
    labels: &'a BTreeMap<String, String>,
    timeout_at: Option<Timestamp>,
    heartbeat_at: Option<Timestamp>,
    cancelled_by: Option<&'a str>,
    cancel_reason: Option<&'a str>,
    #[serde(flatten)]
    flags: Flags,
    #[serde(flatten)]
    usage: UsageView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_by: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowExecutionStep")]
struct StepView<'a> {
    step_instance_id: Option<&'a str>,
    step_id: Option<&'a str>,
    step_name: Option<&'a str>,
    step_type: Option<&'a str>,
    sequence_number: Option<i64>,
    status: Option<StepStatus>,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    duration_ms: Option<u64>,
    retry_count: u64,
    input: Option<&'a Value>,
    output: Option<&'a Value>,
    execution_data: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted_payloads: Option<&'a OmittedPayloads>,
    error_message: Option<&'a str>,
    subflow_execution_id: Option<&'a str>,
    /// Whether the step has branches, or lanes of nested steps. Absent in the answer for a single
    /// step, because finding it out would need the other steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    has_branches: Option<bool>,
}

pub(super) fn details(details: &ExecutionDetails) -> Envelope<DetailsView<'_>> {
    Envelope::wrap(DetailsView {
        metadata: metadata(&details.execution),
        steps: details.steps.iter().map(step).collect(),
        resolved_final_context_data: details.payload(RunPayload::Context),
        requested: RequestedPayloads::new(details),
        omitted_payloads: OmittedRunPayloads::from_details(details),
        next_token: details.next_token.as_deref(),
        warnings: warnings(&details.unreadable),
    })
}

fn metadata(execution: &Execution) -> Metadata<'_> {
    Metadata {
        flow_execution_id: &execution.execution_id,
        flow_definition_id: execution.flow_id.as_deref(),
        flow_name: execution.flow_name.as_deref(),
        flow_version: execution.flow_version.as_ref(),
        execution_type: execution.execution_type,
        parent_flow_execution_id: execution.parent_execution_id.as_deref(),
        parent_step_instance_id: execution.parent_step_instance_id.as_deref(),
        team_id: execution.team_id.as_deref(),
        device_id: execution.device_id.as_deref(),
        trigger: execution.trigger.as_deref(),
        status: execution.status,
        created_at: execution.created_at,
        start_time: execution.start_time,
        end_time: execution.end_time,
        duration_ms: execution.duration_ms(),
        error_message: execution.error_message.as_deref(),
        step_summary: execution.step_summary,
        labels: &execution.labels,
        timeout_at: execution.timeout_at,
        heartbeat_at: execution.heartbeat_at,
        cancelled_by: execution.cancelled_by.as_deref(),
        cancel_reason: execution.cancel_reason.as_deref(),
        flags: Flags::from_execution(execution),
        usage: UsageView::from_execution(execution),
        pinned_at: execution.pinned_at,
        pinned_by: execution.pinned_by.as_deref(),
    }
}

/// A step of a page of steps.
fn step(step: &Step) -> StepView<'_> {
    StepView {
        has_branches: Some(step.has_branches()),
        ..single_step(step)
    }
}

fn single_step(step: &Step) -> StepView<'_> {
    StepView {
        step_instance_id: step.id(),
        step_id: step.step_id.as_deref(),
        step_name: step.step_name.as_deref(),
        step_type: step.step_type.as_deref(),
        sequence_number: step.sequence_number,
        status: step.status,
        start_time: step.start_time(),
        end_time: step.end_time,
        duration_ms: step.duration_ms(),
        retry_count: step.retry_count.unwrap_or_default(),
        input: step.input.as_ref(),
        output: step.output.as_ref(),
        execution_data: step.execution_data.as_ref(),
        omitted_payloads: Some(&step.omitted_payloads).filter(|omitted| !omitted.is_empty()),
        error_message: step.error_message.as_deref(),
        subflow_execution_id: step.subflow_execution_id.as_deref(),
        has_branches: None,
    }
}

/// `data` is the step in the form of a page of steps, so `warnings` is next to it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowExecutionStepAnswer")]
pub(super) struct StepDetailsView<'a> {
    success: bool,
    data: StepView<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

pub(super) fn step_details(details: &StepDetails) -> StepDetailsView<'_> {
    StepDetailsView {
        success: true,
        data: single_step(&details.step),
        warnings: warnings(&details.unreadable),
    }
}

/// `data` has only the branches, so `nextToken` and `warnings` are next to it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BranchStepsAnswer")]
pub(super) struct BranchStepsView<'a> {
    success: bool,
    #[schemars(with = "BTreeMap<String, BranchView<'a>>")]
    data: BranchesView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// The branches by `branchExecutionId`, in the order of the table, and then the lanes.
struct BranchesView<'a>(&'a [BranchListing]);

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Branch")]
struct BranchView<'a> {
    branch_id: Option<&'a str>,
    steps: Vec<StepView<'a>>,
}

impl Serialize for BranchesView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for branch in self.0 {
            let view = BranchView {
                branch_id: branch.branch_id.as_deref(),
                steps: branch.steps.iter().map(step).collect(),
            };
            map.serialize_entry(&branch.branch_execution_id, &view)?;
        }
        map.end()
    }
}

pub(super) fn branch_steps(page: &BranchSteps) -> BranchStepsView<'_> {
    BranchStepsView {
        success: true,
        data: BranchesView(&page.branches),
        next_token: page.next_token.as_deref(),
        warnings: warnings(&page.unreadable),
    }
}
