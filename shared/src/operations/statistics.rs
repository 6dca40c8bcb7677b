//! How many executions there were, how they ended, and how long they took.

use std::collections::BTreeMap;

use super::ExecutionFilter;
use crate::auth::Caller;
use crate::counters::{
    self, COUNTED_ATTRIBUTES, Counted, Cut, Durations, Edge, Grain, Hour, Tally,
};
use crate::error::Result;
use crate::labels;
use crate::model::{Status, Timestamp};
use crate::store::{MAX_ITEMS_A_QUERY, MAX_QUERIES_A_PAGE, Range, Store};

/// The length of a period of a time series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// An hour.
    Hour,
    /// A day of UTC.
    Day,
}

/// Executions by their state. `None` stands for a word that is none of the
/// record format.
pub type StatusCounts = BTreeMap<Option<Status>, u64>;

/// One period of a time series.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// When it begins.
    pub start: Timestamp,
    /// The executions that were created in it.
    pub counts: StatusCounts,
    /// How long those of them took that completed or failed.
    pub durations: Durations,
}

/// The statistics of some executions.
#[derive(Debug)]
pub struct Statistics {
    /// How many there are in each state; none that has none.
    pub counts: StatusCounts,
    /// How long those took that completed or failed.
    pub durations: Durations,
    /// The series, if one was asked for, from its first period on without gaps.
    pub series: Vec<Period>,
    /// Whether these are all executions. Where no counter tells of them, they are read,
    /// from the newest on and up to a bound.
    pub is_exact: bool,
}

impl Statistics {
    /// All executions.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Those that completed or failed.
    pub fn completed_or_failed(&self) -> u64 {
        self.count(Status::Completed) + self.count(Status::Failed)
    }

    /// Those in one state.
    pub fn count(&self, status: Status) -> u64 {
        self.counts.get(&Some(status)).copied().unwrap_or_default()
    }
}

/// Sums up executions: one small counter item for each day and, where the time
/// begins or ends within a day, up to four more; where it begins or ends within
/// an hour, the runs of that part of the hour.
///
/// With an `interval`, a time series with periods of that length as well; with one of
/// hours, four small items more for each day.
/// `filter.flow_version` is no part of the counters, and has to be absent.
///
/// With a label or a parent, which no counter knows, the runs themselves: the newest
/// of them, as far as [`MAX_QUERIES_A_PAGE`] Queries reach, and so 16 MB, or some
/// 20,000 runs. [`Statistics::is_exact`] says whether these are all.
///
/// # Errors
/// Those of [`super::list_executions`].
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
    let Cut { full, edges } = Cut::of(&filter.created);
    let counted = async {
        let Some(full) = full else {
            return Ok(Tally::default());
        };
        let grain = match interval {
            Some(Interval::Hour) => Grain::Hour,
            Some(Interval::Day) | None => Grain::Day,
        };
        counters::tally(store, &caller.team_id, &filter.scope(), full, grain).await
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

/// The newest runs of a range, summed up, and whether they are all of it.
async fn read_newest(store: &Store, range: &Range) -> Result<(Tally, bool)> {
    let (mut tally, mut start) = (Tally::default(), None);
    for _ in 0..MAX_QUERIES_A_PAGE {
        let page = store.query(range, start, MAX_ITEMS_A_QUERY).await?;
        let runs = page.items.into_iter().map(labels::listed_run);
        runs.filter_map(|run| Counted::of(&run))
            .for_each(|run| tally.add_run(&run));
        start = page.last_key;
        if start.is_none() {
            return Ok((tally, true));
        }
    }
    Ok((tally, false))
}

/// The runs of a part of an hour, summed up.
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
    let look = |item| Counted::of(&item).iter().for_each(|run| tally.add_run(run));
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

/// What is told of each period, by its first hour.
type Periods = BTreeMap<Hour, (StatusCounts, Durations)>;

/// The periods in their order, from the beginning of the time that was asked
/// for, or the first run, to its end, or now; those without a run as well.
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

/// The most periods that a series is filled up with: five months of hours, or ten
/// years of days.
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
