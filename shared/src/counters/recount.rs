//! Counting again, to see whether the counters are right, and to put them right.
//!
//! Both work on a table that is in use. A counter follows the records a moment
//! later, so a difference is one only if it stays: the numbers that differ are
//! looked at again after a while, and those that have moved are not judged.
//! Putting right adds what is missing, on the condition that nothing has changed
//! since, and so never undoes what the stream's consumer adds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::cells::{Attribute, COUNTED_ATTRIBUTES, Counted, CounterKey, Numbers, number};
use super::consumer::addition;
use super::hour::Hour;
use crate::error::{Error, Result};
use crate::keys;
use crate::model::TeamId;
use crate::store::{Range, Store, from_sdk};
use crate::table::BY_TEAM;

/// How often numbers that move are looked at again.
const MAX_LOOKS: usize = 5;

/// How many scopes are read at a time.
const SCOPES_AT_A_TIME: usize = 8;

/// The most numbers that are mended at once: each stands in the update and in
/// its condition, and a condition ends at 4 KB and at 300 operators, of which a
/// number takes up to four.
const MAX_NUMBERS_A_MEND: usize = 60;

/// What is counted again, and how patiently.
#[derive(Debug, Clone)]
pub struct Recount {
    /// One team; all where it is absent.
    pub team_id: Option<TeamId>,
    /// How long a difference has to stay. Longer than the counters take to
    /// follow; nothing where nobody writes to the table.
    pub settle: Duration,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many executions have been counted.
    Counted {
        /// Executions, so far.
        executions: u64,
    },
    /// So many scopes of all have been compared.
    Compared {
        /// Scopes, so far.
        scopes: u64,
        /// All scopes.
        of: u64,
    },
}

/// A number that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The counter item's partition.
    pub pk: String,
    /// The counter item's day, or the first of its six hours.
    pub sk: String,
    /// The number's attribute.
    pub attribute: String,
    /// What it is.
    pub is: i128,
    /// What it should be: what the items add up to.
    pub should_be: i128,
}

impl Difference {
    /// What is wrong, in words: each count that the number holds and that is not
    /// what it should be.
    pub fn lines(&self) -> Vec<String> {
        let Some(attribute) = Attribute::parse(&self.attribute) else {
            return Vec::new();
        };
        let cells = attribute.cells(self.is).into_iter();
        let pairs = cells.zip(attribute.cells(self.should_be));
        pairs
            .filter(|((_, is), (_, should_be))| is != should_be)
            .map(|((cell, is), (_, should_be))| {
                let (pk, sk) = (&self.pk, &self.sk);
                format!("{pk}  {sk}  {cell}: {is}, should be {should_be}")
            })
            .collect()
    }
}

/// What counting again has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many executions there are.
    pub executions: u64,
    /// How many scopes have counters.
    pub scopes: u64,
    /// The numbers that are wrong.
    pub differences: Vec<Difference>,
    /// How many numbers kept moving, and could not be judged.
    pub moving: u64,
}

/// What putting right has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// What was wrong before.
    pub found: Report,
    /// What the last look found: numbers that move, or are wrong again because the
    /// stream's consumer was too far behind.
    pub left: Report,
}

type Counters = BTreeMap<CounterKey, Numbers>;

/// A number's place: its item and its attribute.
type Place = (CounterKey, Attribute);

/// For each place that differs, what stands there and what should.
type Differences = BTreeMap<Place, (i128, i128)>;

impl Recount {
    /// Counts every execution again, and compares.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn verify(
        &self,
        store: &Store,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Report> {
        let (expected, executions) = self.count(store, progress).await?;
        let scopes = self.scopes(store, &expected).await?;
        let mut differing = self.compare(store, &scopes, expected, progress).await?;
        let mut report = Report {
            executions,
            scopes: scopes.len() as u64,
            ..Report::default()
        };
        for look in 0..MAX_LOOKS {
            if differing.is_empty() {
                break;
            }
            tokio::time::sleep(self.settle).await;
            let again = recount_places(store, &differing).await?;
            let (stayed, moved): (Differences, Differences) = again
                .into_iter()
                .filter(|(_, (is, should_be))| is != should_be)
                .partition(|(place, values)| differing.get(place) == Some(values));
            report
                .differences
                .extend(stayed.into_iter().map(difference));
            if look + 1 == MAX_LOOKS {
                report.moving = moved.len() as u64;
            }
            differing = moved;
        }
        report.differences.sort();
        Ok(report)
    }

    /// Counts every execution again, and puts right what is wrong, until a last
    /// look finds nothing.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn rebuild(
        &self,
        store: &Store,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Rebuilt> {
        let found = self.verify(store, progress).await?;
        let mut left = found.clone();
        for _ in 0..MAX_LOOKS {
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
                .flat_map(|all| all.chunks(MAX_NUMBERS_A_MEND))
            {
                mend(store, some).await?;
            }
            register(store, &left).await?;
            left = self.verify(store, progress).await?;
        }
        Ok(Rebuilt { found, left })
    }

    /// What the counters should be.
    async fn count(
        &self,
        store: &Store,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(Counters, u64)> {
        let mut counters = Counters::new();
        let (mut executions, mut start) = (0, None);
        loop {
            let team_id = self.team_id.as_ref();
            let page = store.runs(team_id, COUNTED_ATTRIBUTES, start).await?;
            for counted in page.items.iter().filter_map(Counted::of) {
                counted.add_to(&mut counters, 1);
                executions += 1;
            }
            progress(Progress::Counted { executions });
            start = page.last_key;
            if start.is_none() {
                return Ok((counters, executions));
            }
        }
    }

    /// Every scope that has counters, or should.
    async fn scopes(
        &self,
        store: &Store,
        expected: &Counters,
    ) -> Result<BTreeSet<(TeamId, String)>> {
        let team_id = self.team_id.as_ref();
        let prefix = team_id.map(|team_id| keys::scope_register_entry(team_id, ""));
        let prefix = prefix.unwrap_or_default();
        let range = Range::of_prefix(keys::SCOPE_REGISTER.to_owned(), &prefix);
        let entries = store.all(&range).await?;
        let registered = entries.iter().filter_map(|entry| {
            let (team_id, scope) = keys::scope_of_register_entry(keys::sort_key(entry)?)?;
            Some((team_id.parse().ok()?, scope.to_owned()))
        });
        let counted = expected.keys().filter_map(|key| {
            let (team_id, scope) = keys::scope_of_counter(&key.pk)?;
            Some((team_id.parse().ok()?, scope.to_owned()))
        });
        Ok(registered.chain(counted).collect())
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
        let mut reads = stream::iter(reads).buffer_unordered(SCOPES_AT_A_TIME);
        let mut compared = 0;
        while let Some(actual) = reads.try_next().await? {
            for (key, numbers) in actual {
                let should_be = expected.remove(&key).unwrap_or_default();
                differing.extend(differences_of(&key, &numbers, &should_be));
            }
            compared += 1;
            progress(Progress::Compared {
                scopes: compared,
                of: scopes.len() as u64,
            });
        }
        // What is left has no counters at all.
        for (key, should_be) in expected {
            differing.extend(differences_of(&key, &Numbers::default(), &should_be));
        }
        Ok(differing)
    }
}

fn differences_of(
    key: &CounterKey,
    actual: &Numbers,
    expected: &Numbers,
) -> Vec<(Place, (i128, i128))> {
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

fn difference(((key, attribute), (is, should_be)): (Place, (i128, i128))) -> Difference {
    Difference {
        pk: key.pk,
        sk: key.sk,
        attribute: attribute.to_string(),
        is,
        should_be,
    }
}

/// All counters of a scope.
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
                counters.insert(key, Numbers::of(&item));
            }
        }
    }
    Ok(counters)
}

/// Counts the days of some places again, and reads what stands there.
async fn recount_places(store: &Store, places: &Differences) -> Result<Differences> {
    let mut days: BTreeSet<(TeamId, String)> = BTreeSet::new();
    for (key, _) in places.keys() {
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
            if let Some(counted) = Counted::of(&item) {
                counted.add_to(&mut expected, 1);
            }
        };
        store.for_each(&range, look).await?;
    }
    let mut again = Differences::new();
    let keys: BTreeSet<_> = places.keys().map(|(key, _)| key).collect();
    for key in keys {
        let item = store
            .get_latest(&key.pk, &key.sk)
            .await?
            .unwrap_or_default();
        let actual = Numbers::of(&item);
        let should_be = expected.remove(key).unwrap_or_default();
        again.extend(differences_of(key, &actual, &should_be));
    }
    // Only what differed before: the rest may just have begun to move.
    again.retain(|place, _| places.contains_key(place));
    Ok(again)
}

/// Adds what is missing to one counter item, unless one of its numbers has moved.
async fn mend(store: &Store, differences: &[&Difference]) -> Result<()> {
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
    let mut update = addition(store.table(), &key, &Numbers(missing.collect()));
    let mut conditions = Vec::new();
    // In the order of the numbers, which is that of the update's names.
    for (position, difference) in by_attribute.values().enumerate() {
        match difference.is {
            0 => conditions.push(format!(
                "(attribute_not_exists(#{position}) OR #{position} = :z)"
            )),
            is => {
                let variable = format!(":w{position}");
                conditions.push(format!("#{position} = {variable}"));
                update = update.expression_attribute_values(variable, number(is));
            }
        }
    }
    if conditions.iter().any(|condition| condition.contains(":z")) {
        update = update.expression_attribute_values(":z", number(0));
    }
    let update = update
        .condition_expression(conditions.join(" AND "))
        .build()
        .map_err(Error::internal)?;
    let action = TransactWriteItem::builder().update(update).build();
    match store.transact(vec![action]).await {
        Ok(()) => Ok(()),
        Err(error) => {
            use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as E;
            match error.as_service_error() {
                Some(E::TransactionCanceledException(_)) => Ok(()),
                _ => Err(from_sdk(error)),
            }
        }
    }
}

/// Enters the scopes of what was mended into the register.
async fn register(store: &Store, report: &Report) -> Result<()> {
    let scopes: BTreeSet<_> = report
        .differences
        .iter()
        .filter_map(|difference| keys::scope_of_counter(&difference.pk))
        .collect();
    let entries: Vec<_> = scopes
        .into_iter()
        .filter_map(|(team_id, scope)| {
            let entry = keys::scope_register_entry(&team_id.parse().ok()?, scope);
            Some(crate::store::key(keys::SCOPE_REGISTER, entry))
        })
        .collect();
    store.put_many(entries, 1).await
}
