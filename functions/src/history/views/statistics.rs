//! The view of the statistics of runs: how many there were, how they ended, and how long they
//! took.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shared::counters::Durations;
use shared::model::{Status, Timestamp};
use shared::operations::{Period, Statistics, StatusCounts};

use super::filters::StatisticsFilters;
use super::percentiles::PercentilesView;
use super::states::status_word;
use crate::history::format;
use crate::history::parameters::StatisticsParameters;
use crate::reply::inexact;

/// The word for runs whose records have an invalid status.
const UNKNOWN: &str = "UNKNOWN";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExecutionStatistics")]
pub(in crate::history) struct StatisticsView<'a> {
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
    /// `false` if there are more executions than were read; otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_is_exact: Option<bool>,
    status_breakdown: BTreeMap<&'static str, u64>,
    average_execution_time_ms: u64,
    average_execution_time_formatted: String,
    /// `null` if no execution has passed or failed.
    success_rate: Option<String>,
    completed_count: u64,
    /// `null` if no execution has a duration.
    duration_percentiles: Option<PercentilesView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Vec<PeriodView>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Period")]
struct PeriodView {
    start: Timestamp,
    total_executions: u64,
    status_breakdown: BTreeMap<&'static str, u64>,
    /// `null` if no execution has a duration.
    duration_percentiles: Option<PercentilesView>,
}

pub(in crate::history) fn statistics<'a>(
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
        filters: StatisticsFilters::new(parameters),
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
    (durations.count() > 0).then(|| PercentilesView::new(|part| durations.quantile_ms(part)))
}

fn period(period: &Period) -> PeriodView {
    PeriodView {
        start: period.start,
        total_executions: period.counts.values().sum(),
        status_breakdown: breakdown(&period.counts),
        duration_percentiles: percentiles(&period.durations),
    }
}
