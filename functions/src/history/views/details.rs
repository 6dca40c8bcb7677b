//! The view of one run with its steps and their payloads.

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::{Step, Timestamp, Value};
use shared::operations::ExecutionDetails;
use shared::payload::RunPayload;

use super::execution::{FlowView, Head, StepSummaryView, flow, head, step_summary};
use crate::reply::warnings;
use crate::usage::UsageView;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryExecutionAnswer")]
pub(in crate::history) struct DetailsView<'a> {
    success: bool,
    execution: DetailedExecution<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    message: &'static str,
    timestamp: Timestamp,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryExecutionDetails")]
struct DetailedExecution<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    steps: Vec<DetailedStep<'a>>,
    execution_data: Option<&'a Value>,
    error_message: Option<&'a str>,
    #[serde(flatten)]
    usage: UsageView<'a>,
    flow: FlowView<'a>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryStepDetails")]
struct DetailedStep<'a> {
    #[serde(flatten)]
    summary: StepSummaryView<'a>,
    execution_data: Option<&'a Value>,
    error_message: Option<&'a str>,
    /// Whether other steps are below this one, in branches or lanes.
    has_branches: bool,
}

pub(in crate::history) fn details(details: &ExecutionDetails) -> DetailsView<'_> {
    let execution = &details.execution;
    DetailsView {
        success: true,
        execution: DetailedExecution {
            head: head(execution, details.step_summary()),
            steps: details.steps.iter().map(step).collect(),
            execution_data: details.payload(RunPayload::Data),
            error_message: execution.error_message.as_deref(),
            usage: UsageView::from_execution(execution),
            flow: flow(execution),
            created_at: execution.created_at,
            updated_at: execution.last_change(),
        },
        next_token: details.next_token.as_deref(),
        warnings: warnings(&details.unreadable),
        message: "Flow execution details retrieved successfully",
        timestamp: Timestamp::now(),
    }
}

fn step(step: &Step) -> DetailedStep<'_> {
    DetailedStep {
        summary: step_summary(step),
        execution_data: step.execution_data.as_ref(),
        error_message: step.error_message.as_deref(),
        has_branches: step.has_branches(),
    }
}
