//! The JSON of the executions API.

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::{Execution, ExecutionId, PageSize, Status, Step, StepStatus, Timestamp, Value};
use shared::operations::{ExecutionPage, Total, WholeExecution};

use crate::marks::Marks;
use crate::reply::{inexact, warnings};

/// This surface's word for a state.
pub(super) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Completed => "SUCCESS",
        other => other.as_str(),
    }
}

/// This surface's word for the state of a node.
pub(super) fn node_status_word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Completed => "SUCCESS",
        other => other.as_str(),
    }
}

/// Its words for a state, which can be unknown.
pub(super) fn status_words() -> Vec<Option<&'static str>> {
    let words = Status::ALL.map(|status| Some(status_word(status)));
    words.into_iter().chain([None]).collect()
}

/// The same of the state of a node.
pub(super) fn node_status_words() -> Vec<Option<&'static str>> {
    let words = StepStatus::ALL.map(|status| Some(node_status_word(status)));
    words.into_iter().chain([None]).collect()
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExecutionPage")]
pub(super) struct ListView<'a> {
    content: Vec<ExecutionSummary<'a>>,
    total_elements: u64,
    /// Only where there are more than were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_is_exact: Option<bool>,
    total_pages: u64,
    number: u64,
    size: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExecutionSummary")]
struct ExecutionSummary<'a> {
    id: &'a str,
    workflow_id: Option<&'a str>,
    workflow_name: Option<&'a str>,
    #[schemars(extend("enum" = status_words()))]
    status: Option<&'static str>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    trigger_type: Option<&'a str>,
    node_count: Option<u64>,
    error_message: Option<&'a str>,
    #[serde(flatten)]
    marks: Marks,
}

/// `node_counts` are those of the page's executions, in their order.
pub(super) fn list<'a>(
    page: &'a ExecutionPage,
    node_counts: &[Option<u64>],
    number: u64,
    size: PageSize,
) -> ListView<'a> {
    let Total { count, is_exact } = page.total.unwrap_or_default();
    let summaries = page.executions.iter().zip(node_counts);
    ListView {
        content: summaries.map(|(run, count)| summary(run, *count)).collect(),
        total_elements: count,
        total_is_exact: inexact(is_exact),
        total_pages: count.div_ceil(size.get() as u64),
        number,
        size: size.get(),
    }
}

fn summary(execution: &Execution, node_count: Option<u64>) -> ExecutionSummary<'_> {
    ExecutionSummary {
        id: &execution.execution_id,
        workflow_id: execution.flow_id.as_deref(),
        workflow_name: execution.flow_name.as_deref(),
        status: execution.status.map(status_word),
        started_at: execution.start_time,
        finished_at: execution.end_time,
        duration_ms: execution.duration_ms(),
        trigger_type: execution.trigger.as_deref(),
        node_count,
        error_message: execution.error_message.as_deref(),
        marks: Marks::of(execution),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Execution")]
pub(super) struct DetailsView<'a> {
    id: &'a str,
    workflow_id: Option<&'a str>,
    workflow_name: Option<&'a str>,
    workflow_version: Option<&'a Value>,
    #[schemars(extend("enum" = status_words()))]
    status: Option<&'static str>,
    trigger: Option<&'a str>,
    input_data: Option<&'a Value>,
    output_data: Option<&'a Value>,
    error_message: Option<&'a str>,
    created_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    #[serde(flatten)]
    marks: Marks,
    node_executions: Vec<NodeView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "NodeExecution")]
struct NodeView<'a> {
    id: Option<&'a str>,
    node_id: Option<&'a str>,
    node_name: Option<&'a str>,
    node_type: Option<&'a str>,
    #[schemars(extend("enum" = node_status_words()))]
    status: Option<&'static str>,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    input_data: Option<&'a Value>,
    output_data: Option<&'a Value>,
    error_message: Option<&'a str>,
    retry_count: u64,
    /// Of a node inside a parallel branch: the branch's run.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch_execution_id: Option<&'a str>,
    /// And the branch's name in the workflow's definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch_id: Option<&'a str>,
}

pub(super) fn details(whole: &WholeExecution) -> DetailsView<'_> {
    let execution = &whole.execution;
    DetailsView {
        id: &execution.execution_id,
        workflow_id: execution.flow_id.as_deref(),
        workflow_name: execution.flow_name.as_deref(),
        workflow_version: execution.flow_version.as_ref(),
        status: execution.status.map(status_word),
        trigger: execution.trigger.as_deref(),
        input_data: whole.input.as_ref(),
        output_data: whole.output.as_ref(),
        error_message: execution.error_message.as_deref(),
        created_at: execution.created_at,
        started_at: execution.start_time,
        completed_at: execution.end_time,
        duration_ms: execution.duration_ms(),
        marks: Marks::of(execution),
        node_executions: whole.steps.iter().map(node).collect(),
        next_token: whole.next_token.as_deref(),
        warnings: warnings(&whole.unreadable),
    }
}

fn node(step: &Step) -> NodeView<'_> {
    NodeView {
        id: step.id(),
        node_id: step.step_id.as_deref(),
        node_name: step.step_name.as_deref(),
        node_type: step.step_type.as_deref(),
        status: step.status.map(node_status_word),
        started_at: step.start_time(),
        completed_at: step.end_time,
        duration_ms: step.duration_ms(),
        input_data: step.input.as_ref(),
        output_data: step.output.as_ref(),
        error_message: step.error_message.as_deref(),
        retry_count: step.retry_count.unwrap_or_default(),
        branch_execution_id: step.branch_execution_id(),
        branch_id: step.branch_id.as_deref(),
    }
}

/// Whether a run is pinned.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Pin")]
pub(super) struct PinView<'a> {
    id: &'a str,
    pinned: bool,
    pinned_at: Option<Timestamp>,
    pinned_by: Option<&'a str>,
}

pub(super) fn pinned<'a>(
    execution_id: &'a ExecutionId,
    at: Option<Timestamp>,
    by: Option<&'a str>,
) -> PinView<'a> {
    PinView {
        id: execution_id.as_str(),
        pinned: true,
        pinned_at: at,
        pinned_by: by,
    }
}

pub(super) fn unpinned(execution_id: &ExecutionId) -> PinView<'_> {
    PinView {
        id: execution_id.as_str(),
        pinned: false,
        pinned_at: None,
        pinned_by: None,
    }
}
