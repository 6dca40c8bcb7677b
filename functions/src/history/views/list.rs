//! The view of a page of a team's runs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::{Execution, Timestamp, Value};
use shared::operations::{ExecutionPage, StepOutline, Total};

use super::execution::{FlowView, Head, StepsView, flow, head, step_list};
use super::filters::ListFilters;
use crate::history::parameters::ListParameters;
use crate::reply::inexact;
use crate::usage::UsageView;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryList")]
pub(in crate::history) struct ListView<'a> {
    success: bool,
    executions: Vec<ExecutionView<'a>>,
    pagination: Pagination,
    filters: ListFilters<'a>,
    message: &'static str,
    timestamp: Timestamp,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    limit: usize,
    offset: u64,
    total: u64,
    /// `false` if there are more executions than were counted; otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_is_exact: Option<bool>,
    has_more: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryExecution")]
struct ExecutionView<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    steps: Option<StepsView<'a>>,
    flow: FlowView<'a>,
    created_at: Option<Timestamp>,
    #[serde(flatten)]
    more: Option<MoreView<'a>>,
}

/// The additional fields of an execution, with `extended=true`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryExecutionExtension")]
struct MoreView<'a> {
    flow_version: Option<&'a Value>,
    trigger: Option<&'a str>,
    parent_execution_id: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
    error_message: Option<&'a str>,
    cancelled_by: Option<&'a str>,
    cancel_reason: Option<&'a str>,
    #[serde(flatten)]
    usage: UsageView<'a>,
}

/// `steps` has one entry for each execution of the page, in the same order. A lite list has
/// none.
pub(in crate::history) fn list<'a>(
    page: &'a ExecutionPage,
    steps: Option<&'a [StepOutline]>,
    parameters: &'a ListParameters,
) -> ListView<'a> {
    let ListParameters {
        limit,
        offset,
        extended,
        ..
    } = parameters;
    let Total { count, is_exact } = page.total.unwrap_or_default();
    let executions = page.executions.iter().enumerate();
    ListView {
        success: true,
        executions: executions
            .map(|(position, run)| {
                let steps = steps.and_then(|steps| steps.get(position));
                execution(run, steps, *extended)
            })
            .collect(),
        pagination: Pagination {
            limit: limit.get(),
            offset: *offset,
            total: count,
            total_is_exact: inexact(is_exact),
            has_more: offset + (limit.get() as u64) < count,
        },
        filters: ListFilters::new(parameters),
        message: "Executions retrieved successfully",
        timestamp: Timestamp::now(),
    }
}

fn execution<'a>(
    execution: &'a Execution,
    steps: Option<&'a StepOutline>,
    extended: bool,
) -> ExecutionView<'a> {
    let more = extended.then_some(MoreView {
        flow_version: execution.flow_version.as_ref(),
        trigger: execution.trigger.as_deref(),
        parent_execution_id: execution.parent_execution_id.as_deref(),
        labels: &execution.labels,
        error_message: execution.error_message.as_deref(),
        cancelled_by: execution.cancelled_by.as_deref(),
        cancel_reason: execution.cancel_reason.as_deref(),
        usage: UsageView::from_execution(execution),
    });
    ExecutionView {
        head: head(execution, steps.and_then(StepOutline::summary)),
        steps: steps.map(step_list),
        flow: flow(execution),
        created_at: execution.created_at,
        more,
    }
}
