//! Reading the counters.

use std::collections::BTreeMap;

use super::Hour;
use super::cells::{Cell, Counted, HourlyDurations, Kind, Numbers, block_of, durations_of};
use super::hours::FullHours;
use crate::error::Result;
use crate::keys;
use crate::model::TeamId;
use crate::store::{Range, Store};

/// Runs by the hour in which they were created, and by kind.
pub type HourlyCounts = BTreeMap<(Hour, Kind), u64>;

/// The counters of one scope: its runs by hour and kind, and their durations.
#[derive(Debug, Default)]
pub struct Tally {
    /// Runs by hour and kind.
    pub counts: HourlyCounts,
    /// The durations of those that have ended.
    pub durations: HourlyDurations,
}

/// How finely durations are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Those of a whole day together, which the counts are read with.
    Day,
    /// Those of each hour, which are four items a day more.
    Hour,
}

/// Reads the counts of a scope in full hours: one small item a day, and one
/// request for some hundreds of them.
///
/// # Errors
/// Those of the table.
pub async fn counts(
    store: &Store,
    team_id: &TeamId,
    scope: &str,
    full: FullHours,
) -> Result<HourlyCounts> {
    let days = days(store, team_id, scope, full).await?;
    Ok(hourly(&days, full))
}

/// Reads the counts and the durations of a scope in full hours: one small item a day
/// and up to four more for each day whose hours are needed. With [`Grain::Day`] these are
/// a first and a last day that are not whole.
///
/// # Errors
/// Those of the table.
pub async fn tally(
    store: &Store,
    team_id: &TeamId,
    scope: &str,
    full: FullHours,
    grain: Grain,
) -> Result<Tally> {
    let pk = keys::duration_partition(team_id, scope);
    let parts = match grain {
        Grain::Day => parts_of_days(full),
        Grain::Hour => vec![full],
    };
    let blocks = async {
        let mut items = Vec::new();
        for part in &parts {
            let from = block_of(part.first.unwrap_or(Hour::FIRST));
            let to = part.last.map(block_of);
            let range = Range::of_partition(pk.clone(), &from, to.as_deref());
            items.extend(store.all(&range).await?);
        }
        Ok(items)
    };
    let (days, blocks) = tokio::try_join!(days(store, team_id, scope, full), blocks)?;
    let mut tally = Tally {
        counts: hourly(&days, full),
        durations: HourlyDurations::new(),
    };
    let is_in_parts = |first: Hour| parts.iter().any(|part| part.has_hours_of_the_day(first));
    for (day, numbers) in &days {
        let Some(first) = Hour::of_day(day, 0).filter(|first| !is_in_parts(*first)) else {
            continue;
        };
        let whole_day = |hour: Option<u8>| hour.is_none().then_some(first);
        tally.add_durations(durations_of(numbers.cells(), whole_day));
    }
    for block in blocks {
        let Some(day) = keys::sort_key(&block).and_then(|sk| sk.split('T').next()) else {
            continue;
        };
        let hour_of = |hour: Option<u8>| {
            let hour = Hour::of_day(day, hour?)?;
            full.contains(hour).then_some(hour)
        };
        tally.add_durations(durations_of(Numbers::of(&block).cells(), hour_of));
    }
    Ok(tally)
}

impl Tally {
    /// Adds a run that no counter has told of.
    pub fn add_run(&mut self, run: &Counted) {
        *self.counts.entry((run.hour, run.kind)).or_default() += 1;
        let cells = run.duration_cells(None);
        self.add_durations(durations_of(cells, |_| Some(run.hour)));
    }

    /// Adds the runs of another tally.
    pub fn add(&mut self, other: &Self) {
        for (place, count) in &other.counts {
            *self.counts.entry(*place).or_default() += count;
        }
        self.add_durations(other.durations.clone());
    }

    fn add_durations(&mut self, durations: HourlyDurations) {
        for (place, more) in durations {
            *self.durations.entry(place).or_default() += &more;
        }
    }
}

/// The hours of the days that they fill in part.
fn parts_of_days(full: FullHours) -> Vec<FullHours> {
    let last_of = |hour: Hour| Hour::of_day(&hour.day(), 23).unwrap_or(hour);
    let first_of = |hour: Hour| Hour::of_day(&hour.day(), 0).unwrap_or(hour);
    let part = |first, last| FullHours {
        first: Some(first),
        last: Some(last),
    };
    let first = full.first.filter(|hour| hour.of_the_day() != 0);
    let last = full.last.filter(|hour| hour.of_the_day() != 23);
    let is_one_day = matches!((full.first, full.last), (Some(a), Some(b)) if a.day() == b.day());
    match (first, last) {
        (Some(_), _) | (_, Some(_)) if is_one_day => vec![full],
        _ => {
            let first = first.map(|hour| part(hour, last_of(hour)));
            let last = last.map(|hour| part(first_of(hour), hour));
            first.into_iter().chain(last).collect()
        }
    }
}

async fn days(
    store: &Store,
    team_id: &TeamId,
    scope: &str,
    full: FullHours,
) -> Result<Vec<(String, Numbers)>> {
    let pk = keys::count_partition(team_id, scope);
    // Every sort key of the partition is a day.
    let from = full.first.unwrap_or(Hour::FIRST).day();
    let to = full.last.map(Hour::day);
    let range = Range::of_partition(pk, &from, to.as_deref());
    let items = store.all(&range).await?;
    Ok(items
        .iter()
        .filter_map(|item| Some((keys::sort_key(item)?.to_owned(), Numbers::of(item))))
        .collect())
}

fn hourly(days: &[(String, Numbers)], full: FullHours) -> HourlyCounts {
    let mut counts = HourlyCounts::new();
    for (day, numbers) in days {
        for (cell, number) in numbers.cells() {
            let Cell::Count { hour, kind } = cell else {
                continue;
            };
            // Below zero it can be for a moment, while another shard's part of
            // it is on its way.
            let number = u64::try_from(number).unwrap_or_default();
            if let Some(hour) = Hour::of_day(day, hour)
                && number > 0
                && full.contains(hour)
            {
                counts.insert((hour, kind), number);
            }
        }
    }
    counts
}
