//! The JSON of the history API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shared::counters::Durations;
use shared::labels::Label;
use shared::model::{
    Execution, ExecutionId, ExecutionType, FlowId, Status, Step, StepStatus, StepSummary,
    Timestamp, Value,
};
use shared::operations::{
    ExecutionDetails, ExecutionFilter, ExecutionPage, FlowDeletion, Period, Statistics,
    StatusCounts, StepFigures, StepOutline, StepStatistics, Total,
};

use super::format;
use super::parameters::{ListParameters, StatisticsParameters};
use crate::marks::Marks;
use crate::reply::{inexact, warnings};

/// This surface's word for a state.
pub(super) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Completed => "PASSED",
        other => other.as_str(),
    }
}

/// This surface's word for the state of a step.
fn step_status_word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Completed => "PASSED",
        other => other.as_str(),
    }
}

/// Its words for what lists and details say of a state, which can be unknown.
fn status_words() -> Vec<Option<&'static str>> {
    let words = Status::ALL.map(|status| Some(status_word(status)));
    words.into_iter().chain([None]).collect()
}

/// The same of the state of a step.
fn step_status_words() -> Vec<Option<&'static str>> {
    let words = StepStatus::ALL.map(|status| Some(step_status_word(status)));
    words.into_iter().chain([None]).collect()
}

/// The word for runs whose records hold a state that is none.
const UNKNOWN: &str = "UNKNOWN";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryList")]
pub(super) struct ListView<'a> {
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
    /// Only where there are more than were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_is_exact: Option<bool>,
    has_more: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListFilters<'a> {
    #[schemars(extend("enum" = status_words()))]
    status: Option<&'static str>,
    flow_id: Option<&'a str>,
    device_id: Option<&'a str>,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    execution_type: Option<ExecutionType>,
    lite: bool,
    #[serde(flatten)]
    beyond: FiltersBeyond<'a>,
}

/// The filters that the API's document does not know, and that are therefore only there
/// where they are set.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FiltersBeyond<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_execution_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

impl<'a> FiltersBeyond<'a> {
    fn of(filter: &'a ExecutionFilter) -> Self {
        let parent = filter.parent_execution_id.as_ref();
        Self {
            parent_execution_id: parent.map(ExecutionId::as_str),
            label: filter.label.as_ref().map(Label::to_string),
        }
    }
}

/// What lists and details say of a run alike, and first.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryExecutionHead")]
struct Head<'a> {
    id: &'a str,
    flow_id: Option<&'a str>,
    device_id: Option<&'a str>,
    #[schemars(extend("enum" = status_words()))]
    status: Option<&'static str>,
    execution_type: ExecutionType,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    duration_ms: Option<u64>,
    duration_formatted: Option<String>,
    step_summary: Option<StepSummary>,
    #[serde(flatten)]
    marks: Marks,
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

/// What else a list tells of a run, where it is asked to.
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
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HistoryFlow")]
struct FlowView<'a> {
    name: Option<&'a str>,
}

/// The steps of a run in a list.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistorySteps")]
struct StepsView<'a> {
    steps: Vec<StepSummaryView<'a>>,
    /// Only where it has more steps than a list shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps_truncated: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryStep")]
struct StepSummaryView<'a> {
    id: Option<&'a str>,
    sequence_number: Option<i64>,
    action: Option<&'a str>,
    #[schemars(extend("enum" = step_status_words()))]
    status: Option<&'static str>,
    duration_ms: Option<u64>,
}

/// `steps` are those of the page's executions, in their order; without them in
/// a lite list.
pub(super) fn list<'a>(
    page: &'a ExecutionPage,
    steps: Option<&'a [StepOutline]>,
    parameters: &'a ListParameters,
) -> ListView<'a> {
    let ListParameters {
        filter,
        limit,
        offset,
        lite,
        extended,
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
        filters: ListFilters {
            status: filter.status.map(status_word),
            flow_id: filter.flow_id.as_ref().map(FlowId::as_str),
            device_id: filter.device_id.as_ref().map(|device| device.as_str()),
            start_date: filter.created.from(),
            end_date: filter.created.to(),
            execution_type: filter.execution_type,
            lite: *lite,
            beyond: FiltersBeyond::of(filter),
        },
        message: "Executions retrieved successfully",
        timestamp: Timestamp::now(),
    }
}

/// `summary` is what the steps in hand say, where the writer has not said it.
fn head(execution: &Execution, summary: Option<StepSummary>) -> Head<'_> {
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
        marks: Marks::of(execution),
    }
}

fn flow(execution: &Execution) -> FlowView<'_> {
    FlowView {
        name: execution.flow_name.as_deref(),
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
    });
    ExecutionView {
        head: head(execution, steps.and_then(StepOutline::summary)),
        steps: steps.map(steps_of),
        flow: flow(execution),
        created_at: execution.created_at,
        more,
    }
}

fn steps_of(outline: &StepOutline) -> StepsView<'_> {
    StepsView {
        steps: outline.steps.iter().map(step_summary).collect(),
        steps_truncated: (!outline.is_complete).then_some(true),
    }
}

fn step_summary(step: &Step) -> StepSummaryView<'_> {
    StepSummaryView {
        id: step.id(),
        sequence_number: step.sequence_number,
        action: action_of(step),
        status: step.status.map(step_status_word),
        duration_ms: step.duration_ms(),
    }
}

/// What a step does: its type, such as `launch_app`, else its name.
fn action_of(step: &Step) -> Option<&str> {
    step.step_type.as_deref().or(step.step_name.as_deref())
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryFlowList")]
pub(super) struct FlowListView<'a> {
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
    #[schemars(extend("enum" = status_words()))]
    status: Option<&'static str>,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    duration_ms: Option<u64>,
    duration_formatted: Option<String>,
    #[serde(flatten)]
    steps: StepsView<'a>,
    flow: FlowView<'a>,
    #[serde(flatten)]
    marks: Marks,
}

pub(super) fn flow_list<'a>(
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
        steps: steps_of(steps),
        flow: flow(execution),
        marks: Marks::of(execution),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryExecutionAnswer")]
pub(super) struct DetailsView<'a> {
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
}

pub(super) fn details(details: &ExecutionDetails) -> DetailsView<'_> {
    let execution = &details.execution;
    DetailsView {
        success: true,
        execution: DetailedExecution {
            head: head(execution, details.step_summary()),
            steps: details.steps.iter().map(step).collect(),
            execution_data: details.payload.as_ref(),
            error_message: execution.error_message.as_deref(),
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
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExecutionDeleted")]
pub(super) struct DeletedView<'a> {
    success: bool,
    execution_id: &'a str,
    message: String,
    timestamp: Timestamp,
}

pub(super) fn deleted(execution_id: &ExecutionId) -> DeletedView<'_> {
    DeletedView {
        success: true,
        execution_id: execution_id.as_str(),
        message: format!("Successfully deleted execution {execution_id}"),
        timestamp: Timestamp::now(),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowExecutionsDeleted")]
pub(super) struct FlowDeletedView<'a> {
    success: bool,
    flow_id: &'a str,
    deleted_count: u64,
    /// Where the deletion goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("const" = "IN_PROGRESS"))]
    status: Option<&'static str>,
    message: String,
    timestamp: Timestamp,
}

pub(super) fn flow_deleted(flow_id: &FlowId, deletion: FlowDeletion) -> FlowDeletedView<'_> {
    let FlowDeletion { deleted, is_done } = deletion;
    FlowDeletedView {
        success: true,
        flow_id: flow_id.as_str(),
        deleted_count: deleted,
        status: (!is_done).then_some("IN_PROGRESS"),
        message: match is_done {
            true => format!("Successfully deleted {deleted} execution records for flow {flow_id}"),
            false => format!(
                "Deleted {deleted} execution records for flow {flow_id} so far. It goes on by \
                 itself; the same request tells how far it is."
            ),
        },
        timestamp: Timestamp::now(),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExecutionStatistics")]
pub(super) struct StatisticsView<'a> {
    success: bool,
    stats: StatsView,
    filters: StatisticsFilters<'a>,
    message: &'static str,
    timestamp: Timestamp,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExecutionStats")]
struct StatsView {
    total_executions: u64,
    /// Only where there are more than were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_is_exact: Option<bool>,
    status_breakdown: BTreeMap<&'static str, u64>,
    average_execution_time_ms: u64,
    average_execution_time_formatted: String,
    success_rate: String,
    completed_count: u64,
    /// `null` where no run has a duration.
    duration_percentiles: Option<PercentilesView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Vec<PeriodView>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DurationPercentiles")]
struct PercentilesView {
    p50_ms: Option<u64>,
    p95_ms: Option<u64>,
    p99_ms: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Period")]
struct PeriodView {
    start: Timestamp,
    total_executions: u64,
    status_breakdown: BTreeMap<&'static str, u64>,
    /// `null` where no run has a duration.
    duration_percentiles: Option<PercentilesView>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StatisticsFilters<'a> {
    flow_id: Option<&'a str>,
    device_id: Option<&'a str>,
    days: Option<u64>,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    execution_type: Option<ExecutionType>,
    #[schemars(extend("enum" = status_words()))]
    status: Option<&'static str>,
    #[serde(flatten)]
    beyond: FiltersBeyond<'a>,
}

impl<'a> StatisticsFilters<'a> {
    fn of(parameters: &'a StatisticsParameters) -> Self {
        let StatisticsParameters {
            filter,
            days,
            named,
            ..
        } = parameters;
        Self {
            flow_id: filter.flow_id.as_ref().map(FlowId::as_str),
            device_id: filter.device_id.as_ref().map(|device| device.as_str()),
            days: *days,
            start_date: named.from(),
            end_date: named.to(),
            execution_type: filter.execution_type,
            status: filter.status.map(status_word),
            beyond: FiltersBeyond::of(filter),
        }
    }
}

pub(super) fn statistics<'a>(
    statistics: &Statistics,
    parameters: &'a StatisticsParameters,
) -> StatisticsView<'a> {
    let durations = &statistics.durations;
    let mean_ms = durations.mean_ms().unwrap_or_default();
    let completed_or_failed = statistics.completed_or_failed();
    let interval = parameters.interval;
    StatisticsView {
        success: true,
        stats: StatsView {
            total_executions: statistics.total(),
            status_breakdown: breakdown(&statistics.counts),
            average_execution_time_ms: mean_ms,
            average_execution_time_formatted: format::duration(mean_ms),
            success_rate: format::rate(statistics.count(Status::Completed), completed_or_failed),
            completed_count: completed_or_failed,
            total_is_exact: inexact(statistics.is_exact),
            duration_percentiles: percentiles(durations),
            series: interval.map(|_| statistics.series.iter().map(period).collect()),
        },
        filters: StatisticsFilters::of(parameters),
        message: "Execution statistics retrieved successfully",
        timestamp: Timestamp::now(),
    }
}

fn breakdown(counts: &StatusCounts) -> BTreeMap<&'static str, u64> {
    counts
        .iter()
        .map(|(status, count)| (status.map_or(UNKNOWN, status_word), *count))
        .collect()
}

fn percentiles(durations: &Durations) -> Option<PercentilesView> {
    (durations.count() > 0).then(|| PercentilesView {
        p50_ms: durations.quantile_ms(0.5),
        p95_ms: durations.quantile_ms(0.95),
        p99_ms: durations.quantile_ms(0.99),
    })
}

fn period(period: &Period) -> PeriodView {
    PeriodView {
        start: period.start,
        total_executions: period.counts.values().sum(),
        status_breakdown: breakdown(&period.counts),
        duration_percentiles: percentiles(&period.durations),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StepStatistics")]
pub(super) struct StepStatisticsView<'a> {
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
    /// How many runs were read.
    runs: usize,
    /// Only where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_is_exact: Option<bool>,
    steps: Vec<StepFiguresView<'a>>,
    /// Only where the flow has more steps than are told.
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
    success_rate: String,
    total_time_ms: u64,
    average_time_ms: Option<u64>,
    duration_percentiles: Option<PercentilesView>,
    max_time_ms: Option<u64>,
    last_failure: Option<StepFailureView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StepFailure")]
struct StepFailureView<'a> {
    execution_id: &'a str,
    start_time: Option<Timestamp>,
    error_message: Option<&'a str>,
}

pub(super) fn step_statistics<'a>(
    statistics: &'a StepStatistics,
    parameters: &'a StatisticsParameters,
) -> StepStatisticsView<'a> {
    StepStatisticsView {
        success: true,
        stats: StepStatsView {
            runs: statistics.runs,
            total_is_exact: inexact(statistics.is_exact),
            steps: statistics.steps.iter().map(step_figures).collect(),
            steps_truncated: (!statistics.are_all_told).then_some(true),
        },
        filters: StatisticsFilters::of(parameters),
        message: "Step statistics retrieved successfully",
        timestamp: Timestamp::now(),
    }
}

fn step_figures(step: &StepFigures) -> StepFiguresView<'_> {
    let failure = step.last_failure.as_ref();
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
        duration_percentiles: step.mean_ms().map(|_| PercentilesView {
            p50_ms: step.quantile_ms(0.5),
            p95_ms: step.quantile_ms(0.95),
            p99_ms: step.quantile_ms(0.99),
        }),
        max_time_ms: step.quantile_ms(1.0),
        last_failure: failure.map(|failure| StepFailureView {
            execution_id: &failure.execution_id,
            start_time: failure.start_time,
            error_message: failure.error_message.as_deref(),
        }),
    }
}
