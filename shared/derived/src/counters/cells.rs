//! The counters, and the keys and attribute names under which they are stored.
//!
//! A counter item holds numbers, so that a change is an `ADD`, which needs no read and commutes
//! with every other `ADD`. Four counters share one number: nine digits for each, which may be
//! negative (see [`numbers::Lanes`]). This reduces a day of a busy team from 600 to 160 attributes,
//! which makes reading a total noticeably faster. The item of a day has, for its scope,
//!
//! | attribute | contents | example |
//! | --- | --- | --- |
//! | `<hh><type>0` | runs of that hour: running, completed, failed, cancelled | `10P0` |
//! | `<hh><type>1` | … pending, and with an unknown status | `10P1` |
//! | `<status><type>+` | the sum of the day's durations in milliseconds, not shared | `CP+` |
//! | `<status><type>b<n>` | runs whose duration is in the buckets 4n to 4n + 3 | `CPb29` |
//!
//! and the item of six hours has the last two for each hour, prefixed with the hour's two digits. A
//! status is one letter (`C` completed, `F` failed, `X` cancelled), and so is a type (`P` parent,
//! `S` sub-flow). Durations are counted when a run has ended.
//!
//! The durations of hours are in separate items, because the day's item is read for every total.

use std::collections::BTreeMap;
use std::fmt;

use format::model::{ExecutionType, Status};

use super::Hour;
use super::durations::{Bucket, Durations};

mod counted;
mod numbers;

pub(super) use counted::CounterKey;
pub use counted::{COUNTED_ATTRIBUTES, CountedRun};
pub(super) use numbers::{Attribute, Numbers};

/// The durations of runs that have ended, by the hour of their creation and by kind. The durations
/// of a whole day are stored under its first hour.
pub type HourlyDurations = BTreeMap<(Hour, Kind), Durations>;

/// The number of hours in one item of durations.
pub(super) const HOURS_PER_BLOCK: u8 = 6;

/// A kind of runs that is counted separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// The status. `None` if the record has an unknown status.
    pub status: Option<Status>,
    /// Whether another run started it.
    pub execution_type: ExecutionType,
}

/// The statuses with their letters, in the order of their lanes, four to a number. Letters and
/// order are stored, so they must never change.
const STATUSES: [(char, Option<Status>); 6] = [
    ('R', Some(Status::Running)),
    ('C', Some(Status::Completed)),
    ('F', Some(Status::Failed)),
    ('X', Some(Status::Cancelled)),
    ('P', Some(Status::Pending)),
    ('U', None),
];

const TYPES: [(char, ExecutionType); 2] =
    [('P', ExecutionType::Parent), ('S', ExecutionType::Subflow)];

impl Kind {
    /// The kind's two letters.
    fn letters(self) -> String {
        let status = STATUSES.iter().find(|(_, status)| *status == self.status);
        let kind = TYPES.iter().find(|(_, kind)| *kind == self.execution_type);
        let letters = [
            status.map(|(letter, _)| letter),
            kind.map(|(letter, _)| letter),
        ];
        letters.into_iter().flatten().collect()
    }

    fn parse(text: &str) -> Option<(Self, &str)> {
        let mut letters = text.chars();
        let (status, kind) = (letters.next()?, letters.next()?);
        let (_, status) = STATUSES.iter().find(|(letter, _)| *letter == status)?;
        let (_, execution_type) = TYPES.iter().find(|(letter, _)| *letter == kind)?;
        let kind = Self {
            status: *status,
            execution_type: *execution_type,
        };
        Some((kind, letters.as_str()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.map_or("UNKNOWN", Status::as_str);
        write!(formatter, "{status} {}", self.execution_type.as_str())
    }
}

/// One counter of a counter item: a count or a sum. `hour` is the hour of the day, 0 to 23; without
/// it the counter covers the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CounterId {
    /// The number of runs.
    Count {
        /// The hour of their creation.
        hour: u8,
        /// Their kind.
        kind: Kind,
    },
    /// The sum of their durations, in milliseconds.
    DurationSum {
        /// The hour of their creation.
        hour: Option<u8>,
        /// Their kind.
        kind: Kind,
    },
    /// The number of runs with a duration in the bucket.
    DurationBucket {
        /// The hour of their creation.
        hour: Option<u8>,
        /// Their kind.
        kind: Kind,
        /// Their duration.
        bucket: Bucket,
    },
}

impl fmt::Display for CounterId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, kind) = match self {
            Self::Count { hour, kind } => (Some(*hour), kind),
            Self::DurationSum { hour, kind } | Self::DurationBucket { hour, kind, .. } => {
                (*hour, kind)
            }
        };
        match hour {
            Some(hour) => write!(formatter, "{hour:02}:00 {kind}")?,
            None => write!(formatter, "{kind}")?,
        }
        match self {
            Self::Count { .. } => Ok(()),
            Self::DurationSum { .. } => formatter.write_str(" milliseconds"),
            Self::DurationBucket { bucket, .. } => {
                write!(formatter, " durations in bucket {}", bucket.number())
            }
        }
    }
}

/// The sort key of the six-hour block that contains an hour.
pub(super) fn block_sort_key(hour: Hour) -> String {
    let first = hour.hour_of_day() / HOURS_PER_BLOCK * HOURS_PER_BLOCK;
    format!("{}T{first:02}", hour.day())
}

/// Collects the durations in some counters, by hour and kind. `to_hour` returns the hour under
/// which the durations of an hour of the day, or of the whole day, are collected; counters for
/// which it returns `None` are skipped.
pub(super) fn collect_durations(
    counters: impl IntoIterator<Item = (CounterId, i128)>,
    to_hour: impl Fn(Option<u8>) -> Option<Hour>,
) -> HourlyDurations {
    let mut durations = HourlyDurations::new();
    for (counter, number) in counters {
        let (hour, kind) = match counter {
            CounterId::DurationSum { hour, kind }
            | CounterId::DurationBucket { hour, kind, .. } => (hour, kind),
            CounterId::Count { .. } => continue,
        };
        let Some(hour) = to_hour(hour) else { continue };
        let durations = durations.entry((hour, kind)).or_default();
        match counter {
            CounterId::DurationBucket { bucket, .. } => {
                let count = durations.buckets.entry(bucket).or_default();
                *count += i64::try_from(number).unwrap_or_default();
            }
            _ => durations.sum_ms += number,
        }
    }
    durations
}
