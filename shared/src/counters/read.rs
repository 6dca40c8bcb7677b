//! Reading the counters.

use std::collections::BTreeMap;

use super::Hour;
use super::cells::{Cell, Counted, Kind, Numbers, block_of, durations_of};
use super::durations::Durations;
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
    /// The durations of those that have ended, by kind.
    pub durations: BTreeMap<Kind, Durations>,
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

/// Reads the counts and the durations of a scope in full hours: one small item a
/// day and, of a first and a last day that are not whole, up to four more.
///
/// # Errors
/// Those of the table.
pub async fn tally(store: &Store, team_id: &TeamId, scope: &str, full: FullHours) -> Result<Tally> {
    let pk = keys::duration_partition(team_id, scope);
    let parts = parts_of_days(full);
    let blocks = async {
        let mut items = Vec::new();
        for (first, last) in &parts {
            let (from, to) = (block_of(*first), block_of(*last));
            let range = Range::of_partition(pk.clone(), &from, Some(&to));
            items.extend(store.all(&range).await?);
        }
        Ok(items)
    };
    let (days, blocks) = tokio::try_join!(days(store, team_id, scope, full), blocks)?;
    let mut tally = Tally {
        counts: hourly(&days, full),
        durations: BTreeMap::new(),
    };
    let is_part = |day: &str| parts.iter().any(|(hour, _)| hour.day() == day);
    for (_, numbers) in days.iter().filter(|(day, _)| !is_part(day)) {
        tally.add_durations(durations_of(numbers.cells(), |hour| hour.is_none()));
    }
    for block in blocks {
        let Some(day) = keys::sort_key(&block).and_then(|sk| sk.split('T').next()) else {
            continue;
        };
        let is_inside = |hour: Option<u8>| {
            let hour = hour.and_then(|hour| Hour::of_day(day, hour));
            hour.is_some_and(|hour| full.contains(hour))
        };
        tally.add_durations(durations_of(Numbers::of(&block).cells(), is_inside));
    }
    Ok(tally)
}

impl Tally {
    /// Adds a run that no counter has told of.
    pub fn add_run(&mut self, run: &Counted) {
        *self.counts.entry((run.hour, run.kind)).or_default() += 1;
        self.add_durations(durations_of(run.duration_cells(None), |_| true));
    }

    /// Adds the runs of another tally.
    pub fn add(&mut self, other: &Self) {
        for (place, count) in &other.counts {
            *self.counts.entry(*place).or_default() += count;
        }
        self.add_durations(other.durations.clone());
    }

    fn add_durations(&mut self, durations: BTreeMap<Kind, Durations>) {
        for (kind, more) in durations {
            *self.durations.entry(kind).or_default() += &more;
        }
    }
}

/// The days that the hours fill in part, each with its first and last hour.
fn parts_of_days(full: FullHours) -> Vec<(Hour, Hour)> {
    let last_of = |hour: Hour| Hour::of_day(&hour.day(), 23).unwrap_or(hour);
    let first_of = |hour: Hour| Hour::of_day(&hour.day(), 0).unwrap_or(hour);
    let mut parts = Vec::new();
    let first = full.first.filter(|hour| hour.of_the_day() != 0);
    let last = full.last.filter(|hour| hour.of_the_day() != 23);
    let is_one_day = matches!((full.first, full.last), (Some(a), Some(b)) if a.day() == b.day());
    match (first, last) {
        (Some(_), _) | (_, Some(_)) if is_one_day => parts.extend(full.first.zip(full.last)),
        _ => {
            parts.extend(first.map(|hour| (hour, last_of(hour))));
            parts.extend(last.map(|hour| (first_of(hour), hour)));
        }
    }
    parts
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
