//! The sums that a batch of changes adds to the counters, and how much of them fits into a
//! transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use format::change::Change;
use format::model::TeamId;

use crate::counters::cells::{Attribute, CountedRun, CounterKey, Numbers};

/// The most writes of a DynamoDB transaction, minus the checkpoint.
pub(super) const MAX_COUNTERS_PER_TRANSACTION: usize = 99;

/// The most numbers that one update changes. An update expression is limited to 4 KB, and each
/// number takes up to 12 characters of it.
const MAX_NUMBERS_PER_UPDATE: usize = 300;

/// The longest sequence number of a stream, in digits. Shorter ones are padded with zeros for
/// comparison, so that the texts have the order of the numbers. They are stored unpadded, because
/// the stream accepts them in no other form, and not as numbers, because DynamoDB's numbers are
/// limited to 38 digits.
const SEQUENCE_NUMBER_DIGITS: usize = 40;

/// The number of parts into which the counters of a table are divided. It is stored, so it must
/// never change. With 32 parts, a batch of a thousand changes to a thousand counters takes about
/// thirty full transactions.
pub(super) const PARTS: usize = 32;

/// The amount that one change adds to one number of a counter item.
struct Delta {
    /// The change, by its position in the batch.
    step: usize,
    /// The counter item, by its position in the batch.
    counter: usize,
    attribute: Attribute,
    number: i128,
}

/// The changes that update counters, and their amounts by part of the counters.
#[derive(Default)]
pub(super) struct Batch {
    /// The sequence numbers of the changes, in order.
    pub(super) steps: Vec<String>,
    pub(super) counters: Vec<CounterKey>,
    /// The amounts of each part, in the order of the changes.
    parts: [Vec<Delta>; PARTS],
    pub(super) scopes: BTreeSet<(TeamId, String)>,
}

impl Batch {
    /// Collects the changes that update counters. Changes of steps, heartbeats and counters do not.
    pub(super) fn from_changes(changes: &[Change]) -> Self {
        let mut batch = Self::default();
        let mut positions = HashMap::new();
        for change in changes {
            let old = change.old.as_ref().and_then(CountedRun::from_image);
            let new = change.new.as_ref().and_then(CountedRun::from_image);
            if old == new {
                continue;
            }
            let step = batch.steps.len();
            batch.steps.push(change.sequence_number.clone());
            let mut moved = BTreeMap::new();
            for (image, times) in [(old, -1), (new, 1)] {
                let Some(counted) = image else { continue };
                counted.add_to(&mut moved, times);
                let scopes = counted.scopes().into_iter();
                batch
                    .scopes
                    .extend(scopes.map(|scope| (counted.team_id.clone(), scope)));
            }
            for (key, numbers) in moved {
                let part = hash_part(&key);
                let counter = *positions.entry(key.clone()).or_insert_with(|| {
                    batch.counters.push(key);
                    batch.counters.len() - 1
                });
                let moves = numbers.0.into_iter().filter(|(_, number)| *number != 0);
                batch.parts[part].extend(moves.map(|(attribute, number)| Delta {
                    step,
                    counter,
                    attribute,
                    number,
                }));
            }
        }
        batch
    }

    /// How many of the changes a sequence number includes.
    pub(super) fn applied(&self, sequence_number: Option<&str>) -> usize {
        let Some(applied) = sequence_number.map(pad) else {
            return 0;
        };
        self.steps.partition_point(|step| pad(step) <= applied)
    }

    /// Returns whether a part has amounts left from a change on.
    pub(super) fn has_deltas(&self, part: usize, from: usize) -> bool {
        let last = self.parts[part].last();
        last.is_some_and(|delta| delta.step >= from)
    }

    /// Sums the amounts that are left in some parts, as far as they fit into one transaction.
    /// Returns the sums, and the position after the last change that they include.
    pub(super) fn sum(&self, parts: &[(usize, usize)]) -> (BTreeMap<usize, Numbers>, usize) {
        let mut deltas: Vec<&Delta> = parts
            .iter()
            .flat_map(|(part, from)| {
                let left = self.parts[*part].partition_point(|delta| delta.step < *from);
                &self.parts[*part][left..]
            })
            .collect();
        deltas.sort_by_key(|delta| delta.step);
        let mut sums: BTreeMap<usize, Numbers> = BTreeMap::new();
        for (position, of_step) in deltas.chunk_by(|a, b| a.step == b.step).enumerate() {
            let add = |sums: &mut BTreeMap<usize, Numbers>, times: i128| {
                for delta in of_step {
                    let numbers = sums.entry(delta.counter).or_default();
                    *numbers.0.entry(delta.attribute).or_default() += delta.number * times;
                }
            };
            add(&mut sums, 1);
            let is_too_large = sums.len() > MAX_COUNTERS_PER_TRANSACTION
                || of_step
                    .iter()
                    .any(|delta| sums[&delta.counter].0.len() > MAX_NUMBERS_PER_UPDATE);
            if is_too_large && position > 0 {
                add(&mut sums, -1);
                return (without_zeros(sums), of_step[0].step);
            }
        }
        (without_zeros(sums), self.steps.len())
    }
}

/// The part of a counter item, by the FNV-1a hash of its keys
/// (<https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>). It is stored, so it must never
/// change.
fn hash_part(key: &CounterKey) -> usize {
    let bytes = key.pk.bytes().chain([0]).chain(key.sk.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The lower bits alone are weak.
    ((hash ^ (hash >> 32)) % PARTS as u64) as usize
}

fn without_zeros(mut sums: BTreeMap<usize, Numbers>) -> BTreeMap<usize, Numbers> {
    sums.values_mut().for_each(Numbers::drop_zeros);
    sums.retain(|_, numbers| !numbers.0.is_empty());
    sums
}

pub(super) fn pad(sequence_number: &str) -> String {
    format!("{sequence_number:0>SEQUENCE_NUMBER_DIGITS$}")
}

#[cfg(test)]
pub(super) mod tests {
    use format::attributes::{CREATED_AT, FLOW_ID, HEARTBEAT_AT, SORT_KEY, STATUS, TEAM_ID, text};
    use format::change::Image;
    use format::keys::key;
    use format::model::Item;

    use super::*;

    pub(crate) fn change(number: usize, status: &str) -> Change {
        let mut item = key(format!("EXEC#run-{number}"), "EXECUTION");
        for (name, value) in [
            (TEAM_ID, "team-a".to_owned()),
            (FLOW_ID, format!("flow-{number}")),
            (CREATED_AT, "2026-02-17T10:30:00.000Z".to_owned()),
            (STATUS, status.to_owned()),
        ] {
            item.insert(name.to_owned(), text(value));
        }
        Change::new(number.to_string(), None, Some(item))
    }

    #[test]
    fn a_heartbeat_and_a_step_change_nothing() {
        let with = |image: &Image, name: &str, value: &str| {
            let mut item = Item::clone(image);
            item.insert(name.to_owned(), text(value));
            item
        };
        let run = change(1, "RUNNING").new.expect("an image");
        let alive = with(&run, HEARTBEAT_AT, "2026-02-17T10:31:00.000Z");
        let beat = Change::new("1", Some(Item::clone(&run)), Some(alive));
        let step = Change::new("2", None, Some(with(&run, SORT_KEY, "STEP#x")));
        assert!(Batch::from_changes(&[beat, step]).steps.is_empty());
    }

    #[test]
    fn the_part_of_a_counter_never_changes() {
        let part = |pk: &str, sk: &str| {
            hash_part(&CounterKey {
                pk: pk.to_owned(),
                sk: sk.to_owned(),
            })
        };
        let parts = ["*", "F#flow-1", "D#device-1"]
            .map(|scope| part(&format!("COUNT#team-a#{scope}"), "2026-02-17"));
        assert_eq!(parts, [20, 28, 27]);
    }

    #[test]
    fn sequence_numbers_are_ordered_as_numbers() {
        assert!(pad("99") < pad("100"));
        assert_eq!(pad("1").len(), SEQUENCE_NUMBER_DIGITS);
    }
}
