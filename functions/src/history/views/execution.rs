//! The parts of the views of a run, its flow and its steps that lists and details share.

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::{Execution, ExecutionType, Step, StepSummary, Timestamp};
use shared::operations::StepOutline;

use super::states::{StatusWord, StepStatusWord, status_word, step_status_word};
use crate::flags::Flags;
use crate::history::format;

/// The first fields of a run, which lists and details share.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryExecutionHead")]
pub(super) struct Head<'a> {
    id: &'a str,
    flow_id: Option<&'a str>,
    device_id: Option<&'a str>,
    #[schemars(with = "Option<StatusWord>")]
    status: Option<&'static str>,
    execution_type: ExecutionType,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    duration_ms: Option<u64>,
    duration_formatted: Option<String>,
    step_summary: Option<StepSummary>,
    #[serde(flatten)]
    flags: Flags,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HistoryFlow")]
pub(super) struct FlowView<'a> {
    name: Option<&'a str>,
}

/// The steps of an execution in a list.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistorySteps")]
pub(super) struct StepsView<'a> {
    steps: Vec<StepSummaryView<'a>>,
    /// `true` if the execution has more steps than a list shows; otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps_truncated: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryStep")]
pub(super) struct StepSummaryView<'a> {
    id: Option<&'a str>,
    sequence_number: Option<i64>,
    action: Option<&'a str>,
    #[schemars(with = "Option<StepStatusWord>")]
    status: Option<&'static str>,
    duration_ms: Option<u64>,
}

/// `summary` is counted from the steps, and is used if the record has none.
pub(super) fn head(execution: &Execution, summary: Option<StepSummary>) -> Head<'_> {
    let duration_ms = execution.duration_ms();
    Head {
        id: &execution.execution_id,
        flow_id: execution.flow_id.as_deref(),
        device_id: execution.device_id.as_deref(),
        status: execution.status.map(status_word),
        execution_type: execution.execution_type,
        start_time: execution.start_time,
        end_time: execution.end_time,
        duration_ms,
        duration_formatted: duration_ms.map(format::duration),
        step_summary: execution.step_summary.or(summary),
        flags: Flags::from_execution(execution),
    }
}

pub(super) fn flow(execution: &Execution) -> FlowView<'_> {
    FlowView {
        name: execution.flow_name.as_deref(),
    }
}

pub(super) fn step_list(outline: &StepOutline) -> StepsView<'_> {
    StepsView {
        steps: outline.steps.iter().map(step_summary).collect(),
        steps_truncated: (!outline.is_complete).then_some(true),
    }
}

pub(super) fn step_summary(step: &Step) -> StepSummaryView<'_> {
    StepSummaryView {
        id: step.id(),
        sequence_number: step.sequence_number,
        action: action(step),
        status: step.status.map(step_status_word),
        duration_ms: step.duration_ms(),
    }
}

/// The `action` of a step: its type, such as `launch_app`, or its name if it has no type.
fn action(step: &Step) -> Option<&str> {
    step.step_type.as_deref().or(step.step_name.as_deref())
}
