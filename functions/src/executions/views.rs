//! The JSON of the executions API.

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::{Execution, ExecutionId, PageSize, Status, Step, StepStatus, Timestamp, Value};
use shared::operations::{ExecutionPage, Total, WholeExecution};

use crate::flags::Flags;
use crate::openapi::words;
use crate::reply::{inexact, warnings};
use crate::usage::UsageView;

/// The word of the executions API for a status.
pub(super) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Completed => "SUCCESS",
        other => other.as_str(),
    }
}

/// The word of the executions API for the status of a node.
pub(super) fn node_status_word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Completed => "SUCCESS",
        other => other.as_str(),
    }
}

words! {
    pub(super) StatusWord,
    "ExecutionStatus",
    "The status of an execution.",
    Status::ALL.map(status_word)
}

words! {
    pub(super) NodeStatusWord,
    "NodeStatus",
    "The status of a node: one of an execution's statuses, or `SKIPPED`.",
    StepStatus::ALL.map(node_status_word)
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExecutionPage")]
pub(super) struct ListView<'a> {
    content: Vec<ExecutionSummary<'a>>,
    total_elements: u64,
    /// `false` if there are more executions than were counted; otherwise absent.
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
    #[schemars(with = "Option<StatusWord>")]
    status: Option<&'static str>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    trigger_type: Option<&'a str>,
    node_count: Option<u64>,
    error_message: Option<&'a str>,
    #[serde(flatten)]
    flags: Flags,
}

/// `node_counts` has one entry for each execution of the page, in the same order.
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
        flags: Flags::from_execution(execution),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Execution")]
pub(super) struct DetailsView<'a> {
    id: &'a str,
    workflow_id: Option<&'a str>,
    workflow_name: Option<&'a str>,
    /// A whole number is shown as a number, also if the engine wrote it as text.
    #[schemars(with = "Option<Value>")]
    workflow_version: Option<VersionView<'a>>,
    #[schemars(with = "Option<StatusWord>")]
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
    flags: Flags,
    #[serde(flatten)]
    usage: UsageView<'a>,
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
    #[schemars(with = "Option<NodeStatusWord>")]
    status: Option<&'static str>,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    input_data: Option<&'a Value>,
    output_data: Option<&'a Value>,
    error_message: Option<&'a str>,
    retry_count: u64,
    /// Whether other nodes are below this one, in branches or lanes.
    has_branches: bool,
    /// The `id` of the node below which this one is shown. Only nodes inside a parallel branch, and
    /// nested nodes, have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_step_instance_id: Option<&'a str>,
    /// The execution of the branch, or the lane of a nested node. Only nodes inside a parallel
    /// branch, and nested nodes, have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch_execution_id: Option<&'a str>,
    /// The branch's name in the workflow's definition, or the name of the lane. Only nodes inside a
    /// parallel branch, and nested nodes, have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    branch_id: Option<&'a str>,
}

/// A workflow's version, in the form of the API's document.
#[derive(Serialize)]
#[serde(untagged)]
enum VersionView<'a> {
    Number(i64),
    Other(&'a Value),
}

fn version(version: &Value) -> VersionView<'_> {
    let number = version.as_whole_number().map(VersionView::Number);
    number.unwrap_or(VersionView::Other(version))
}

pub(super) fn details(whole: &WholeExecution) -> DetailsView<'_> {
    let execution = &whole.execution;
    DetailsView {
        id: &execution.execution_id,
        workflow_id: execution.flow_id.as_deref(),
        workflow_name: execution.flow_name.as_deref(),
        workflow_version: execution.flow_version.as_ref().map(version),
        status: execution.status.map(status_word),
        trigger: execution.trigger.as_deref(),
        input_data: whole.input.as_ref(),
        output_data: whole.output.as_ref(),
        error_message: execution.error_message.as_deref(),
        created_at: execution.created_at,
        started_at: execution.start_time,
        completed_at: execution.end_time,
        duration_ms: execution.duration_ms(),
        flags: Flags::from_execution(execution),
        usage: UsageView::from_execution(execution),
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
        has_branches: step.has_branches(),
        parent_step_instance_id: step.parent_id(),
        branch_execution_id: step.branch_execution_id(),
        branch_id: step.branch_id.as_deref(),
    }
}

/// Whether an execution is pinned.
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
