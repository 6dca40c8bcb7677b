//! Recounts runs to verify the counters and to correct them.
//!
//! Both can be done while the table is in use. The counters follow the records with a delay, so a
//! difference counts only if it persists: numbers that differ are read again after a while, and
//! numbers that have changed in between are not judged. A correction adds what is missing, on the
//! condition that nothing has changed since, and so never undoes what the stream's consumer adds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use format::Result;
use format::attributes::number;
use format::keys::{self, key};
use format::model::TeamId;
use futures_util::future::{self, BoxFuture};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use store::table::BY_TEAM;
use store::{Condition, NotWritten, Range, Store};

use super::cells::{Attribute, COUNTED_ATTRIBUTES, CountedRun, CounterKey, Numbers};
use super::consumer::addition;
use super::hour::Hour;

/// How many times numbers that keep changing are read again, and how many times counters are
/// corrected until no difference is left.
const MAX_ROUNDS: usize = 5;

/// How many scopes are read in parallel.
const MAX_PARALLEL_SCOPES: usize = 8;

/// The most numbers that one update corrects. Each is in the update and in its condition, and a
/// condition is limited to 4 KB and 300 operators, of which a number takes up to four.
const MAX_NUMBERS_PER_CORRECTION: usize = 60;

/// The settings of a recount.
#[derive(Debug, Clone)]
pub struct Recount {
    /// One team; all teams if it is `None`.
    pub team_id: Option<TeamId>,
    /// How long a difference must persist. It must be longer than the delay of the counters; zero
    /// is enough if nobody writes to the table.
    pub settle: Duration,
}

/// The consumer of the stream that updates the counters, as it can be observed from outside.
pub trait Consumer: Sync {
    /// Waits until the counters include all current changes of the stream, as long as the caller's
    /// time allows. Returns the number of changes that are left.
    fn wait(&self) -> BoxFuture<'_, Result<u64>>;
}

/// A consumer that has no changes left, or that cannot be observed.
#[derive(Debug, Clone, Copy)]
pub struct NoConsumer;

impl Consumer for NoConsumer {
    fn wait(&self) -> BoxFuture<'_, Result<u64>> {
        future::ready(Ok(0)).boxed()
    }
}

/// The progress of a recount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Executions were counted.
    Counted {
        /// The number of executions so far.
        executions: u64,
    },
    /// Scopes were compared.
    Compared {
        /// The number of scopes so far.
        scopes: u64,
        /// The number of all scopes.
        of: u64,
    },
}

/// A number of a counter item that differs from the runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The counter item's partition.
    pub pk: String,
    /// The counter item's day, or its day and first hour for an item of six hours.
    pub sk: String,
    /// The attribute of the number.
    pub attribute: String,
    /// The stored number.
    pub is: i128,
    /// The number of the recount.
    pub should_be: i128,
}

impl Difference {
    /// Describes the difference: one line for each counter in the number that is wrong.
    pub fn lines(&self) -> Vec<String> {
        let Some(attribute) = Attribute::parse(&self.attribute) else {
            return Vec::new();
        };
        let counters = attribute.counters(self.is).into_iter();
        let pairs = counters.zip(attribute.counters(self.should_be));
        pairs
            .filter(|((_, is), (_, should_be))| is != should_be)
            .map(|((counter, is), (_, should_be))| {
                let (pk, sk) = (&self.pk, &self.sk);
                format!("{pk}  {sk}  {counter}: {is}, should be {should_be}")
            })
            .collect()
    }
}

/// The result of a recount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of executions.
    pub executions: u64,
    /// The number of scopes with counters.
    pub scopes: u64,
    /// The numbers that are wrong.
    pub differences: Vec<Difference>,
    /// How many numbers kept changing and could not be judged.
    pub moving: u64,
    /// The number of changes that the counters do not include yet. If there are any, nothing is
    /// judged, and `differences` is empty.
    pub behind: u64,
}

/// The result of a correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildReport {
    /// The differences before the correction.
    pub found: Report,
    /// The differences after it: numbers that keep changing, or that are wrong again because the
    /// stream's consumer was too far behind.
    pub left: Report,
}

type Counters = BTreeMap<CounterKey, Numbers>;

/// The counter item and the attribute of a number.
type NumberKey = (CounterKey, Attribute);

/// The stored and the expected value of each number that differs.
type Differences = BTreeMap<NumberKey, (i128, i128)>;

impl Recount {
    /// Recounts every execution and compares the counters.
    ///
    /// Changes that the counters do not include yet are not a difference: the recount waits for
    /// them before it counts, and before it judges a difference.
    ///
    /// # Errors
    /// Returns an error if the table cannot be read, or if the consumer fails.
    pub async fn verify(
        &self,
        store: &Store,
        consumer: &dyn Consumer,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Report> {
        let behind = consumer.wait().await?;
        if behind > 0 {
            return Ok(Report {
                behind,
                ..Report::default()
            });
        }
        let (expected, executions) = self.count(store, progress).await?;
        let scopes = self.scopes(store, &expected).await?;
        let differing = self.compare(store, &scopes, expected, progress).await?;
        let report = Report {
            executions,
            scopes: scopes.len() as u64,
            ..Report::default()
        };
        self.confirm(store, consumer, differing, report).await
    }

    /// Adds the differences that persist to a report.
    async fn confirm(
        &self,
        store: &Store,
        consumer: &dyn Consumer,
        mut differing: Differences,
        mut report: Report,
    ) -> Result<Report> {
        for round in 0..MAX_ROUNDS {
            if differing.is_empty() {
                break;
            }
            tokio::time::sleep(self.settle).await;
            report.behind = consumer.wait().await?;
            if report.behind > 0 {
                report.differences.clear();
                break;
            }
            let again = recount_numbers(store, &differing).await?;
            let (stayed, moved): (Differences, Differences) = again
                .into_iter()
                .filter(|(_, (is, should_be))| is != should_be)
                .partition(|(number_key, values)| differing.get(number_key) == Some(values));
            report
                .differences
                .extend(stayed.into_iter().map(difference));
            if round + 1 == MAX_ROUNDS {
                report.moving = moved.len() as u64;
            }
            differing = moved;
        }
        report.differences.sort();
        Ok(report)
    }

    /// Recounts every execution and corrects the counters, until a last comparison finds no
    /// difference. Nothing is corrected while the counters are behind, because they would add the
    /// same changes again.
    ///
    /// # Errors
    /// Returns an error if the table cannot be read or written, or if the consumer fails.
    pub async fn rebuild(
        &self,
        store: &Store,
        consumer: &dyn Consumer,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<RebuildReport> {
        let found = self.verify(store, consumer, progress).await?;
        let mut left = found.clone();
        for _ in 0..MAX_ROUNDS {
            if left.differences.is_empty() {
                break;
            }
            let mut items: BTreeMap<(&str, &str), Vec<&Difference>> = BTreeMap::new();
            for difference in &left.differences {
                let key = (difference.pk.as_str(), difference.sk.as_str());
                items.entry(key).or_default().push(difference);
            }
            for some in items
                .values()
                .flat_map(|all| all.chunks(MAX_NUMBERS_PER_CORRECTION))
            {
                correct(store, some).await?;
            }
            index_scopes(store, &left).await?;
            left = self.verify(store, consumer, progress).await?;
        }
        Ok(RebuildReport { found, left })
    }

    /// Counts the runs. Returns the counters as they should be, and the number of runs.
    async fn count(
        &self,
        store: &Store,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(Counters, u64)> {
        let mut counters = Counters::new();
        let mut executions = 0;
        let mut pages = store.runs(self.team_id.as_ref(), COUNTED_ATTRIBUTES);
        while let Some(items) = pages.next().await? {
            for counted in items.into_iter().filter_map(CountedRun::from_item) {
                counted.add_to(&mut counters, 1);
                executions += 1;
            }
            progress(Progress::Counted { executions });
        }
        Ok((counters, executions))
    }

    /// Lists every scope that has counters or should have them.
    async fn scopes(
        &self,
        store: &Store,
        expected: &Counters,
    ) -> Result<BTreeSet<(TeamId, String)>> {
        let team_id = self.team_id.as_ref();
        let prefix = team_id.map(|team_id| keys::scope_index_entry(team_id, ""));
        let prefix = prefix.unwrap_or_default();
        let range = Range::of_prefix(keys::SCOPE_INDEX.to_owned(), &prefix);
        let entries = store.all(&range).await?;
        let indexed = entries.iter().filter_map(|entry| {
            let (team_id, scope) = keys::scope_of_index_entry(keys::sort_key(entry)?)?;
            Some((team_id.parse().ok()?, scope.to_owned()))
        });
        let counted = expected.keys().filter_map(|key| {
            let (team_id, scope) = keys::scope_of_counter(&key.pk)?;
            Some((team_id.parse().ok()?, scope.to_owned()))
        });
        Ok(indexed.chain(counted).collect())
    }

    async fn compare(
        &self,
        store: &Store,
        scopes: &BTreeSet<(TeamId, String)>,
        mut expected: Counters,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Differences> {
        let mut differing = Differences::new();
        let read = |(team_id, scope): &(TeamId, String)| {
            read_scope(store, team_id.clone(), scope.clone()).boxed()
        };
        let reads: Vec<_> = scopes.iter().map(read).collect();
        let mut reads = stream::iter(reads).buffer_unordered(MAX_PARALLEL_SCOPES);
        let mut compared = 0;
        while let Some(actual) = reads.try_next().await? {
            for (key, numbers) in actual {
                let should_be = expected.remove(&key).unwrap_or_default();
                differing.extend(compare_numbers(&key, &numbers, &should_be));
            }
            compared += 1;
            progress(Progress::Compared {
                scopes: compared,
                of: scopes.len() as u64,
            });
        }
        // These items do not exist yet.
        for (key, should_be) in expected {
            differing.extend(compare_numbers(&key, &Numbers::default(), &should_be));
        }
        Ok(differing)
    }
}

fn compare_numbers(
    key: &CounterKey,
    actual: &Numbers,
    expected: &Numbers,
) -> Vec<(NumberKey, (i128, i128))> {
    let attributes: BTreeSet<_> = actual.0.keys().chain(expected.0.keys()).copied().collect();
    attributes
        .into_iter()
        .map(|attribute| {
            let values = (actual.get(&attribute), expected.get(&attribute));
            ((key.clone(), attribute), values)
        })
        .filter(|(_, (is, should_be))| is != should_be)
        .collect()
}

fn difference(((key, attribute), (is, should_be)): (NumberKey, (i128, i128))) -> Difference {
    Difference {
        pk: key.pk,
        sk: key.sk,
        attribute: attribute.to_string(),
        is,
        should_be,
    }
}

/// Reads all counters of a scope.
async fn read_scope(store: &Store, team_id: TeamId, scope: String) -> Result<Counters> {
    let mut counters = Counters::new();
    let partitions = [
        keys::count_partition(&team_id, &scope),
        keys::duration_partition(&team_id, &scope),
    ];
    for pk in partitions {
        let range = Range::of_partition(pk.clone(), &Hour::FIRST.day(), None);
        for item in store.all(&range).await? {
            if let Some(sk) = keys::sort_key(&item) {
                let key = CounterKey {
                    pk: pk.clone(),
                    sk: sk.to_owned(),
                };
                counters.insert(key, Numbers::from_item(&item));
            }
        }
    }
    Ok(counters)
}

/// Recounts the days of some numbers, and reads these numbers again.
async fn recount_numbers(store: &Store, numbers: &Differences) -> Result<Differences> {
    let mut days: BTreeSet<(TeamId, String)> = BTreeSet::new();
    for (key, _) in numbers.keys() {
        let team = keys::scope_of_counter(&key.pk).and_then(|(team, _)| team.parse().ok());
        days.extend(team.zip(key.sk.split('T').next().map(str::to_owned)));
    }
    let mut expected = Counters::new();
    for (team_id, day) in days {
        let hour = |hour| Hour::of_day(&day, hour);
        let range = Range::index(&BY_TEAM, [team_id.to_string()])
            .between(
                hour(0).and_then(Hour::lowest),
                hour(23).and_then(Hour::highest),
            )
            .only(COUNTED_ATTRIBUTES);
        let look = |item| {
            if let Some(counted) = CountedRun::from_item(item) {
                counted.add_to(&mut expected, 1);
            }
        };
        store.for_each(&range, look).await?;
    }
    let mut again = Differences::new();
    let keys: BTreeSet<_> = numbers.keys().map(|(key, _)| key).collect();
    for key in keys {
        let item = store
            .get_latest(&key.pk, &key.sk)
            .await?
            .unwrap_or_default();
        let actual = Numbers::from_item(&item);
        let should_be = expected.remove(key).unwrap_or_default();
        again.extend(compare_numbers(key, &actual, &should_be));
    }
    // Only the numbers that differed before: others may have just started to change.
    again.retain(|number_key, _| numbers.contains_key(number_key));
    Ok(again)
}

/// Adds what is missing to one counter item, unless one of its numbers has changed.
async fn correct(store: &Store, differences: &[&Difference]) -> Result<()> {
    let Some(first) = differences.first() else {
        return Ok(());
    };
    let key = CounterKey {
        pk: first.pk.clone(),
        sk: first.sk.clone(),
    };
    let by_attribute: BTreeMap<_, _> = differences
        .iter()
        .filter_map(|difference| Some((Attribute::parse(&difference.attribute)?, difference)))
        .collect();
    let missing = by_attribute
        .iter()
        .map(|(attribute, difference)| (*attribute, difference.should_be - difference.is));
    let update = addition(&key, &Numbers(missing.collect()));
    let differences = by_attribute.iter();
    let update = differences.fold(update, |update, (attribute, difference)| {
        let attribute = attribute.to_string();
        let is_as_read = Condition::is(attribute.as_str(), number(difference.is));
        update.only_if(match difference.is {
            0 => (!Condition::has(attribute)).or(is_as_read),
            _ => is_as_read,
        })
    });
    match store.transact(vec![update.into()]).await {
        Ok(()) => Ok(()),
        // A number has changed or cannot be read. The next comparison shows it again.
        Err(NotWritten::ConditionFailed(_) | NotWritten::Busy(_) | NotWritten::Refused(..)) => {
            Ok(())
        }
        Err(NotWritten::Failed(error)) => Err(error),
    }
}

/// Adds the scopes of corrected counters to the index of scopes.
async fn index_scopes(store: &Store, report: &Report) -> Result<()> {
    let scopes: BTreeSet<_> = report
        .differences
        .iter()
        .filter_map(|difference| keys::scope_of_counter(&difference.pk))
        .collect();
    let entries: Vec<_> = scopes
        .into_iter()
        .filter_map(|(team_id, scope)| {
            let entry = keys::scope_index_entry(&team_id.parse().ok()?, scope);
            Some(key(keys::SCOPE_INDEX, entry))
        })
        .collect();
    store.put_many(entries, 1).await
}
