//! The view of a flow's newest runs.

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::{Execution, FlowId, Timestamp};
use shared::operations::{ExecutionPage, StepOutline};

use super::execution::{FlowView, StepsView, flow, step_list};
use super::states::{StatusWord, status_word};
use crate::flags::Flags;
use crate::history::format;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryFlowList")]
pub(in crate::history) struct FlowListView<'a> {
    success: bool,
    executions: Vec<FlowExecutionView<'a>>,
    count: usize,
    flow_id: &'a str,
    message: &'static str,
    timestamp: Timestamp,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryFlowExecution")]
struct FlowExecutionView<'a> {
    id: &'a str,
    flow_id: Option<&'a str>,
    #[schemars(with = "Option<StatusWord>")]
    status: Option<&'static str>,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    duration_ms: Option<u64>,
    duration_formatted: Option<String>,
    #[serde(flatten)]
    steps: StepsView<'a>,
    flow: FlowView<'a>,
    #[serde(flatten)]
    flags: Flags,
}

pub(in crate::history) fn flow_list<'a>(
    page: &'a ExecutionPage,
    steps: &'a [StepOutline],
    flow_id: &'a FlowId,
) -> FlowListView<'a> {
    let executions = page.executions.iter().zip(steps);
    FlowListView {
        success: true,
        executions: executions
            .map(|(run, steps)| flow_execution(run, steps))
            .collect(),
        count: page.executions.len(),
        flow_id: flow_id.as_str(),
        message: "Flow executions retrieved successfully",
        timestamp: Timestamp::now(),
    }
}

fn flow_execution<'a>(execution: &'a Execution, steps: &'a StepOutline) -> FlowExecutionView<'a> {
    let duration_ms = execution.duration_ms();
    FlowExecutionView {
        id: &execution.execution_id,
        flow_id: execution.flow_id.as_deref(),
        status: execution.status.map(status_word),
        start_time: execution.start_time,
        end_time: execution.end_time,
        duration_ms,
        duration_formatted: duration_ms.map(format::duration),
        steps: step_list(steps),
        flow: flow(execution),
        flags: Flags::from_execution(execution),
    }
}
