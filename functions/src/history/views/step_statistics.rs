//! The view of the statistics of a flow's steps: which ones fail, and which ones take the most
//! time.

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::Timestamp;
use shared::operations::{StepFailure, StepFigures, StepStatistics};

use super::filters::StatisticsFilters;
use super::percentiles::PercentilesView;
use crate::history::format;
use crate::history::parameters::StatisticsParameters;
use crate::reply::inexact;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StepStatistics")]
pub(in crate::history) struct StepStatisticsView<'a> {
    success: bool,
    stats: StepStatsView<'a>,
    filters: StatisticsFilters<'a>,
    message: &'static str,
    timestamp: Timestamp,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StepStats")]
struct StepStatsView<'a> {
    /// The number of executions that were read.
    runs: usize,
    /// `false` if there may be more executions; otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_is_exact: Option<bool>,
    steps: Vec<StepFiguresView<'a>>,
    /// `true` if the flow has more steps than are shown; otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps_truncated: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StepFigures")]
struct StepFiguresView<'a> {
    step_id: Option<&'a str>,
    name: Option<&'a str>,
    action: Option<&'a str>,
    total_executions: u64,
    passed: u64,
    failed: u64,
    skipped: u64,
    /// `null` if the step has neither passed nor failed.
    success_rate: Option<String>,
    total_time_ms: u64,
    average_time_ms: Option<u64>,
    duration_percentiles: Option<PercentilesView>,
    max_time_ms: Option<u64>,
    /// The number of executions in which this step failed before any other step.
    failed_first: u64,
    last_failure: Option<StepFailureView<'a>>,
    /// The newest failures of the step, with the first 300 bytes of their errors: at most 20, and
    /// at most 1,000 for all steps together.
    failures: Vec<StepFailureView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StepFailure")]
struct StepFailureView<'a> {
    execution_id: &'a str,
    start_time: Option<Timestamp>,
    error_message: Option<&'a str>,
}

pub(in crate::history) fn step_statistics<'a>(
    statistics: &'a StepStatistics,
    parameters: &'a StatisticsParameters,
) -> StepStatisticsView<'a> {
    StepStatisticsView {
        success: true,
        stats: StepStatsView {
            runs: statistics.runs,
            total_is_exact: inexact(statistics.is_exact),
            steps: statistics.steps.iter().map(step_figures).collect(),
            steps_truncated: (!statistics.has_all_steps).then_some(true),
        },
        filters: StatisticsFilters::new(parameters),
        message: "Step statistics retrieved successfully",
        timestamp: Timestamp::now(),
    }
}

fn step_figures(step: &StepFigures) -> StepFiguresView<'_> {
    StepFiguresView {
        step_id: step.step_id.as_deref(),
        name: step.step_name.as_deref(),
        action: step.step_type.as_deref(),
        total_executions: step.begun,
        passed: step.completed,
        failed: step.failed,
        skipped: step.skipped,
        success_rate: format::rate(step.completed, step.completed + step.failed),
        total_time_ms: step.total_ms(),
        average_time_ms: step.mean_ms(),
        duration_percentiles: step
            .mean_ms()
            .map(|_| PercentilesView::new(|part| step.quantile_ms(part))),
        max_time_ms: step.quantile_ms(1.0),
        failed_first: step.failed_first,
        last_failure: step.last_failure.as_ref().map(step_failure),
        failures: step.failures.iter().map(step_failure).collect(),
    }
}

fn step_failure(failure: &StepFailure) -> StepFailureView<'_> {
    StepFailureView {
        execution_id: &failure.execution_id,
        start_time: failure.start_time,
        error_message: failure.error_message.as_deref(),
    }
}
