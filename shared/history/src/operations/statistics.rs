//! Counts executions by outcome, and measures how long they took.

use std::collections::BTreeMap;

use derived::counters::{
    self, COUNTED_ATTRIBUTES, CountedRun, Durations, Edge, Grain, Hour, SplitRange, Tally,
};
use derived::labels;
use format::Result;
use format::model::{Status, Timestamp};
use store::{MAX_QUERIES_A_PAGE, Range, Store};
use team::auth::Caller;

use super::ExecutionFilter;

/// The length of a period of a time series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// One hour.
    Hour,
    /// One day, in UTC.
    Day,
}

/// Counts of executions by status. `None` is any status that is not part of the
/// record format.
pub type StatusCounts = BTreeMap<Option<Status>, u64>;

/// One period of a time series.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// The start of the period.
    pub start: Timestamp,
    /// The executions that were created in the period.
    pub counts: StatusCounts,
    /// The durations of the executions among them that completed or failed.
    pub durations: Durations,
}

/// The statistics of some executions.
#[derive(Debug)]
pub struct Statistics {
    /// The number of executions in each status; statuses without executions are left out.
    pub counts: StatusCounts,
    /// The durations of the executions that completed or failed.
    pub durations: Durations,
    /// The time series, if one was requested. It starts with its first period and has no
    /// gaps.
    pub series: Vec<Period>,
    /// Whether all executions are included. Without a counter the runs themselves are read,
    /// from the newest on, up to a limit.
    pub is_exact: bool,
}

impl Statistics {
    /// The number of all executions.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The number of executions that completed or failed.
    pub fn completed_or_failed(&self) -> u64 {
        self.count(Status::Completed) + self.count(Status::Failed)
    }

    /// The number of executions with this status.
    pub fn count(&self, status: Status) -> u64 {
        self.counts.get(&Some(status)).copied().unwrap_or_default()
    }
}

/// Sums up executions. This reads one small counter item for each day. If the period starts
/// or ends within a day, it reads up to four more; if it starts or ends within an hour, it
/// reads the runs of that part of the hour.
///
/// With an `interval`, the result includes a time series with periods of that length.
/// Hourly periods take four more small items for each day. `filter.flow_version` must be
/// `None`, because counters do not distinguish versions.
///
/// There are no counters for labels and parents. With one of these conditions, the newest
/// runs themselves are read, with up to [`MAX_QUERIES_A_PAGE`] Queries: 16 MB, or about
/// 20,000 runs. [`Statistics::is_exact`] shows whether these are all.
///
/// # Errors
/// The errors of [`super::list_executions`].
pub async fn execution_statistics(
    store: &Store,
    caller: &Caller,
    filter: &ExecutionFilter,
    interval: Option<Interval>,
) -> Result<Statistics> {
    filter.require(caller)?;
    debug_assert!(filter.flow_version.is_none(), "no counter has versions");
    if !filter.is_counted() {
        let (tally, is_exact) = read_newest(store, &filter.range(caller)).await?;
        return Ok(sum_up(&tally, filter, interval, is_exact));
    }
    let SplitRange { full, edges } = SplitRange::new(&filter.created);
    let counted = async {
        let Some(full) = full else {
            return Ok(Tally::default());
        };
        let grain = match interval {
            Some(Interval::Hour) => Grain::Hour,
            Some(Interval::Day) | None => Grain::Day,
        };
        counters::read_tally(store, &caller.team_id, &filter.scope(), full, grain).await
    };
    let edges = edges
        .into_iter()
        .map(|edge| read_edge(store, caller, filter, edge));
    let edges = futures_util::future::try_join_all(edges);
    let (mut tally, edges) = tokio::try_join!(counted, edges)?;
    for edge in &edges {
        tally.add(edge);
    }
    Ok(sum_up(&tally, filter, interval, true))
}

/// Sums up the newest runs of a range. Also returns whether these are all runs of the
/// range.
async fn read_newest(store: &Store, range: &Range) -> Result<(Tally, bool)> {
    let (mut tally, mut pages) = (Tally::default(), store.pages(range));
    for _ in 0..MAX_QUERIES_A_PAGE {
        let Some(items) = pages.next().await? else {
            break;
        };
        let runs = items.into_iter().map(labels::listed_run);
        runs.filter_map(CountedRun::from_item)
            .for_each(|run| tally.add_run(&run));
    }
    Ok((tally, pages.is_at_end()))
}

/// Sums up the runs of a part of an hour.
async fn read_edge(
    store: &Store,
    caller: &Caller,
    filter: &ExecutionFilter,
    edge: Edge,
) -> Result<Tally> {
    let range = filter
        .range(caller)
        .between(edge.from, edge.to)
        .only(COUNTED_ATTRIBUTES);
    let mut tally = Tally::default();
    let look = |item| {
        CountedRun::from_item(item)
            .iter()
            .for_each(|run| tally.add_run(run))
    };
    store.for_each(&range, look).await?;
    Ok(tally)
}

fn sum_up(
    tally: &Tally,
    filter: &ExecutionFilter,
    interval: Option<Interval>,
    is_exact: bool,
) -> Statistics {
    let mut statistics = Statistics {
        counts: StatusCounts::new(),
        durations: Durations::default(),
        series: Vec::new(),
        is_exact,
    };
    let mut periods = Periods::new();
    for ((hour, kind), count) in &tally.counts {
        if !filter.matches(*kind) {
            continue;
        }
        *statistics.counts.entry(kind.status).or_default() += count;
        if let Some(interval) = interval {
            let (counts, _) = periods.entry(interval.first_hour_of(*hour)).or_default();
            *counts.entry(kind.status).or_default() += count;
        }
    }
    let is_timed = |status| matches!(status, Some(Status::Completed | Status::Failed));
    for ((hour, kind), more) in &tally.durations {
        if !filter.matches(*kind) || !is_timed(kind.status) {
            continue;
        }
        statistics.durations += more;
        if let Some(interval) = interval {
            let (_, durations) = periods.entry(interval.first_hour_of(*hour)).or_default();
            *durations += more;
        }
    }
    if let Some(interval) = interval {
        statistics.series = series(periods, filter, interval);
    }
    statistics
}

/// The counts and durations of each period, by its first hour.
type Periods = BTreeMap<Hour, (StatusCounts, Durations)>;

/// Returns the periods in order, including the empty ones: from the start of the requested
/// time, or from the first run, to the end of the requested time, or to now.
fn series(mut periods: Periods, filter: &ExecutionFilter, interval: Interval) -> Vec<Period> {
    let first = filter.created.from().map(Hour::at);
    let first = first.or_else(|| periods.keys().next().copied());
    let last = filter.created.to().unwrap_or_else(Timestamp::now);
    let last = Hour::at(last);
    if let Some(mut hour) = first.map(|hour| interval.first_hour_of(hour)) {
        for _ in 0..MAX_PERIODS {
            if hour > last {
                break;
            }
            periods.entry(hour).or_default();
            match interval.next(hour) {
                Some(next) => hour = next,
                None => break,
            }
        }
    }
    let period = |(hour, (counts, durations)): (Hour, _)| Period {
        start: hour.start(),
        counts,
        durations,
    };
    periods.into_iter().map(period).collect()
}

/// The most periods that a series is filled up to: five months of hours, or ten years of
/// days.
pub const MAX_PERIODS: usize = 3_700;

impl Interval {
    fn first_hour_of(self, hour: Hour) -> Hour {
        match self {
            Self::Hour => hour,
            Self::Day => Hour::of_day(&hour.day(), 0).unwrap_or(hour),
        }
    }

    fn next(self, hour: Hour) -> Option<Hour> {
        match self {
            Self::Hour => hour.next(),
            Self::Day => (0..24).try_fold(hour, |hour, _| hour.next()),
        }
    }
}
