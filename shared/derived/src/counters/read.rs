//! Reads the counters.

use std::collections::BTreeMap;

use format::model::{Item, TeamId};
use format::{Result, keys};
use store::{Range, Store};

use super::Hour;
use super::cells::{
    CountedRun, CounterId, HourlyDurations, Kind, Numbers, block_sort_key, collect_durations,
};
use super::hours::FullHours;

/// The number of runs by the hour of their creation and by kind.
pub type HourlyCounts = BTreeMap<(Hour, Kind), u64>;

/// The counters of one scope: the number of runs and their durations, by hour and kind.
#[derive(Debug, Default)]
pub struct Tally {
    /// Runs by hour and kind.
    pub counts: HourlyCounts,
    /// The durations of the runs that have ended.
    pub durations: HourlyDurations,
}

/// The resolution of durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Whole days. They are in the same items as the counts.
    Day,
    /// Hours. They need four more items for each day.
    Hour,
}

/// Reads the number of runs of a scope in full hours: one small item for each day, several hundred
/// of them in one request.
pub async fn read_counts(
    store: &Store,
    team_id: &TeamId,
    scope: &str,
    full: FullHours,
) -> Result<HourlyCounts> {
    let days = read_days(store, team_id, scope, full).await?;
    Ok(hourly_counts(&days, full))
}

/// Reads the number of runs of a scope and their durations in full hours: one small item for each
/// day, and up to four more for each day whose hours are needed. With [`Grain::Day`] hours are only
/// needed for a first and a last day that are not whole.
pub async fn read_tally(
    store: &Store,
    team_id: &TeamId,
    scope: &str,
    full: FullHours,
    grain: Grain,
) -> Result<Tally> {
    let pk = keys::duration_partition(team_id, scope);
    let parts = match grain {
        Grain::Day => partial_days(full),
        Grain::Hour => vec![full],
    };
    let (days, blocks) = tokio::try_join!(
        read_days(store, team_id, scope, full),
        read_blocks(store, &pk, &parts)
    )?;
    let mut tally = Tally {
        counts: hourly_counts(&days, full),
        durations: HourlyDurations::new(),
    };
    let is_in_parts = |first: Hour| parts.iter().any(|part| part.has_hours_of_day(first));
    for (day, numbers) in &days {
        let Some(first) = Hour::of_day(day, 0).filter(|first| !is_in_parts(*first)) else {
            continue;
        };
        let whole_day = |hour: Option<u8>| hour.is_none().then_some(first);
        tally.add_durations(collect_durations(numbers.counters(), whole_day));
    }
    for block in &blocks {
        tally.add_block(block, full);
    }
    Ok(tally)
}

impl Tally {
    /// Adds a run that the counters that were read do not include.
    pub fn add_run(&mut self, run: &CountedRun) {
        *self.counts.entry((run.hour, run.kind)).or_default() += 1;
        let counters = run.duration_counters(None);
        self.add_durations(collect_durations(counters, |_| Some(run.hour)));
    }

    /// Adds the runs of another tally.
    pub fn add(&mut self, other: &Self) {
        for (place, count) in &other.counts {
            *self.counts.entry(*place).or_default() += count;
        }
        self.add_durations(other.durations.clone());
    }

    /// Adds the durations in a six-hour item, as far as its hours are in `full`.
    fn add_block(&mut self, block: &Item, full: FullHours) {
        let Some(day) = keys::sort_key(block).and_then(|sk| sk.split('T').next()) else {
            return;
        };
        let to_hour = |hour: Option<u8>| {
            let hour = Hour::of_day(day, hour?)?;
            full.contains(hour).then_some(hour)
        };
        self.add_durations(collect_durations(
            Numbers::from_item(block).counters(),
            to_hour,
        ));
    }

    fn add_durations(&mut self, durations: HourlyDurations) {
        for (place, more) in durations {
            *self.durations.entry(place).or_default() += &more;
        }
    }
}

/// The hours of days that are only partly in the range.
fn partial_days(full: FullHours) -> Vec<FullHours> {
    let last_of = |hour: Hour| Hour::of_day(&hour.day(), 23).unwrap_or(hour);
    let first_of = |hour: Hour| Hour::of_day(&hour.day(), 0).unwrap_or(hour);
    let part = |first, last| FullHours {
        first: Some(first),
        last: Some(last),
    };
    let first = full.first.filter(|hour| hour.hour_of_day() != 0);
    let last = full.last.filter(|hour| hour.hour_of_day() != 23);
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

/// Reads the six-hour items of durations that contain these hours.
async fn read_blocks(store: &Store, pk: &str, parts: &[FullHours]) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for part in parts {
        let from = block_sort_key(part.first.unwrap_or(Hour::FIRST));
        let to = part.last.map(block_sort_key);
        let range = Range::of_partition(pk.to_owned(), &from, to.as_deref());
        items.extend(store.all(&range).await?);
    }
    Ok(items)
}

/// Reads the items of days that contain these hours, with the text of each day.
async fn read_days(
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
        .filter_map(|item| Some((keys::sort_key(item)?.to_owned(), Numbers::from_item(item))))
        .collect())
}

fn hourly_counts(days: &[(String, Numbers)], full: FullHours) -> HourlyCounts {
    let mut counts = HourlyCounts::new();
    for (day, numbers) in days {
        for (counter, number) in numbers.counters() {
            let CounterId::Count { hour, kind } = counter else {
                continue;
            };
            // A count may be negative for a moment, until another shard's changes are applied.
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
