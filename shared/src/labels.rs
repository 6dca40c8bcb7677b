//! Search by label: which runs have `orderId = 42`.
//!
//! A label is the engine's own word, so no index of the table can have it as a key.
//! The consumer of the table's stream keeps an entry for each label of each run
//! ([`follow`]), under the label and in the order of `createdAt`, with what lists show
//! of the run. So a list by label is one Query, as every other list is, and a writer
//! has nothing to keep right. docs/adr/0008-labels.md says why it is made this way.
//!
//! An entry follows its run a moment later, as an index does. It has no `createdAt`
//! of its own: that is what keeps it out of the indexes.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::error::Result;
use crate::keys;
use crate::model::{Item, TeamId, approximate_size, is_id};
use crate::store::{Replaced, Store, Writes};
use crate::stream::Change;
use crate::table::{CREATED_AT, PARTITION_KEY, PINNED_AT, SORT_KEY, TIME_TO_LIVE, text};
use aws_sdk_dynamodb::types::AttributeValue;

/// The most labels of a run that it is found by: the first ones in the order of
/// their names. Each is an item more to write.
pub const MAX_SEARCHED_LABELS: usize = 10;

/// The most bytes that a label's name and value take together.
pub const MAX_LABEL_LENGTH: usize = 512;

/// The longest `createdAt` that is part of a key. That of the record format has 24
/// characters; a longer text is none.
const MAX_CREATED_AT_LENGTH: usize = 64;

/// The most bytes of a run's attributes that an entry repeats. An item ends at 400 KB,
/// and a run's own item is to stay under one.
const MAX_ENTRY_SIZE: usize = 350_000;

/// What of a run its entries are made of: its keys and, from the fifth on, what they
/// repeat of it, which is what lists show and are filtered by. Not its `heartbeatAt`, as
/// each sign of life would be a write for each label.
const ATTRIBUTES: &[&str] = &[
    PARTITION_KEY,
    SORT_KEY,
    "teamId",
    CREATED_AT,
    "flowId",
    "flowName",
    "flowVersion",
    "status",
    "executionType",
    "parentExecutionId",
    "parentStepInstanceId",
    "deviceId",
    "trigger",
    "startTime",
    "endTime",
    "durationMs",
    "errorMessage",
    "stepSummary",
    "labels",
    "timeoutAt",
    "cancelledBy",
    "cancelReason",
    PINNED_AT,
    TIME_TO_LIVE,
];

/// A label with its value, as a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    name: String,
    value: String,
}

/// Why a text is not a label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a label is a name, \"=\" and a value, of at most {MAX_LABEL_LENGTH} bytes together")]
pub struct InvalidLabel;

impl Label {
    /// The label of this name and value. `None` for one that runs are not found by:
    /// without a name or a value, too long, or with a `=` in its name, which would
    /// read as another label.
    pub fn new(name: &str, value: &str) -> Option<Self> {
        let is_searched = !name.is_empty()
            && !value.is_empty()
            && !name.contains('=')
            && name.len() + value.len() <= MAX_LABEL_LENGTH;
        is_searched.then(|| Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl FromStr for Label {
    type Err = InvalidLabel;

    /// Reads `orderId=42`. What follows the first `=` is the value.
    fn from_str(text: &str) -> std::result::Result<Self, InvalidLabel> {
        let (name, value) = text.split_once('=').ok_or(InvalidLabel)?;
        Self::new(name, value).ok_or(InvalidLabel)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.name, self.value)
    }
}

/// Brings the entries up to some changes of the table, which are in the order of the
/// stream. Returns how many entries were written or removed.
///
/// To do it again changes nothing, as the last change of a run decides. So it is done
/// before the same changes are counted: what was counted is never handed over again.
///
/// # Errors
/// Those of the table. Changes of which some were followed are to be handed over again.
pub async fn follow(store: &Store, changes: &[Change]) -> Result<usize> {
    let mut writes = Writes::new();
    for change in changes {
        let old = change.old.as_ref().map(entries_of).unwrap_or_default();
        let new = change.new.as_ref().map(entries_of).unwrap_or_default();
        let gone = old.keys().filter(|key| !new.contains_key(*key));
        writes.extend(gone.map(|key| (key.clone(), None)));
        let changed = new
            .iter()
            .filter(|(key, entry)| old.get(*key) != Some(*entry));
        writes.extend(changed.map(|(key, entry)| (key.clone(), Some(entry.clone()))));
    }
    store.write_each(writes).await
}

/// Enters the labels of all runs of a team, or of all teams: for runs that were there
/// before the stream was followed, or whose changes were given up. Returns how many
/// entries were missing, or not as their runs are.
///
/// # Errors
/// Those of the table.
pub async fn enter_all(store: &Store, team_id: Option<&TeamId>) -> Result<u64> {
    let (mut entered, mut start) = (0, None);
    loop {
        let page = store.runs(team_id, ATTRIBUTES, start).await?;
        for (key, entry) in page.items.iter().flat_map(entries_of) {
            entered += u64::from(enter(store, key, entry).await?);
        }
        start = page.last_key;
        if start.is_none() {
            return Ok(entered);
        }
    }
}

/// Writes an entry that is missing, or not as its run is, unless the stream does at the same
/// time: what it writes is newer. Returns whether it did.
async fn enter(store: &Store, key: (String, String), entry: Item) -> Result<bool> {
    const STATUS: &str = "status";
    let (pk, sk) = &key;
    if store.put_if(entry.clone(), Replaced::Nothing).await? {
        // The run may have gone, or lost the label, since it was read.
        let is_due = entry_now(store, &key, &entry).await?.is_some();
        if !is_due {
            store.delete(pk, sk).await?;
        }
        return Ok(is_due);
    }
    let present = store.get_latest(pk, sk).await?;
    let Some(present) = present.filter(|present| *present != entry) else {
        return Ok(false);
    };
    let (Some(status), Some(now)) = (present.get(STATUS), entry_now(store, &key, &entry).await?)
    else {
        return Ok(false);
    };
    let replaced = Replaced::With(STATUS, status.clone());
    Ok(now == entry && store.put_if(entry, replaced).await?)
}

/// What the entry with this key should be, as its run is now.
async fn entry_now(store: &Store, key: &(String, String), entry: &Item) -> Result<Option<Item>> {
    let Some(run) = keys::run_of_label_entry(entry) else {
        return Ok(None);
    };
    let own = format!("{}{}", keys::EXECUTION_PREFIX, run.execution_id);
    let run = store.get_latest(&own, keys::EXECUTION).await?;
    let mut entries = run.as_ref().map(entries_of).unwrap_or_default();
    Ok(entries.remove(key))
}

/// The entries of a run, by their keys. None for what is no run, and for one whose keys
/// are malformed.
fn entries_of(item: &Item) -> BTreeMap<(String, String), Item> {
    let attribute = |name: &str| item.get(name)?.as_s().ok().map(String::as_str);
    let execution_id = attribute(PARTITION_KEY).and_then(keys::execution_id_of);
    let created_at = attribute(CREATED_AT).filter(|created_at| {
        created_at.len() <= MAX_CREATED_AT_LENGTH && !created_at.contains('#')
    });
    let (
        true,
        Some(execution_id),
        Some(team_id),
        Some(created_at),
        Some(AttributeValue::M(labels)),
    ) = (
        keys::is_execution(item),
        execution_id.filter(|id| is_id(id)),
        attribute("teamId").filter(|id| is_id(id)),
        created_at,
        item.get("labels"),
    )
    else {
        return BTreeMap::new();
    };
    let repeated: Item = ATTRIBUTES[4..]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())))
        .collect();
    if repeated.values().map(approximate_size).sum::<usize>() > MAX_ENTRY_SIZE {
        return BTreeMap::new();
    }
    let labels: BTreeMap<_, _> = labels.iter().collect();
    let labels = labels
        .into_iter()
        .filter_map(|(name, value)| Label::new(name, value.as_s().ok()?));
    let sk = keys::label_entry(created_at, execution_id);
    labels
        .take(MAX_SEARCHED_LABELS)
        .map(|label| {
            let pk = keys::label_partition(team_id, &label);
            let mut entry = repeated.clone();
            entry.extend([
                (PARTITION_KEY.to_owned(), text(&pk)),
                (SORT_KEY.to_owned(), text(&sk)),
            ]);
            ((pk, sk.clone()), entry)
        })
        .collect()
}

/// The run of an entry, as its own item shows it in a list; any other item as it is.
pub(crate) fn listed_run(mut item: Item) -> Item {
    let run = keys::run_of_label_entry(&item).map(|run| {
        [
            (
                PARTITION_KEY,
                keys::EXECUTION_PREFIX.to_owned() + run.execution_id,
            ),
            (SORT_KEY, keys::EXECUTION.to_owned()),
            ("teamId", run.team_id.to_owned()),
            (CREATED_AT, run.created_at.to_owned()),
        ]
    });
    for (name, value) in run.into_iter().flatten() {
        item.insert(name.to_owned(), text(value));
    }
    item
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(entries: &[(&str, AttributeValue)]) -> Item {
        let owned = entries
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        owned.collect()
    }

    fn run(labels: &[(&str, &str)]) -> Item {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), text(*value)));
        map(&[
            ("pk", text("EXEC#run-1")),
            ("sk", text("EXECUTION")),
            ("teamId", text("team-a")),
            ("createdAt", text("2026-02-17T10:30:00.000Z")),
            ("status", text("RUNNING")),
            ("heartbeatAt", text("2026-02-17T10:31:00.000Z")),
            ("labels", AttributeValue::M(labels.collect())),
        ])
    }

    fn keys_of(item: &Item) -> Vec<(String, String)> {
        entries_of(item).into_keys().collect()
    }

    #[test]
    fn a_run_has_an_entry_for_each_label_which_is_in_no_index() {
        let entries = entries_of(&run(&[("orderId", "42"), ("tier", "gold#1")]));
        let sk = "2026-02-17T10:30:00.000Z#run-1".to_owned();
        let keys: Vec<_> = entries.keys().cloned().collect();
        assert_eq!(
            keys,
            [
                ("LABEL#team-a#orderId=42".to_owned(), sk.clone()),
                ("LABEL#team-a#tier=gold#1".to_owned(), sk),
            ]
        );
        for entry in entries.values() {
            assert!(!entry.contains_key("createdAt"));
            assert!(!entry.contains_key("heartbeatAt"));
            assert_eq!(entry["status"], text("RUNNING"));
        }
    }

    #[test]
    fn what_lists_show_of_a_run_is_in_its_entry() {
        let mut item = run(&[("orderId", "42")]);
        let entry = entries_of(&item).into_values().next().expect("an entry");
        item.remove("heartbeatAt");
        assert_eq!(listed_run(entry), item);
        assert_eq!(listed_run(item.clone()), item);
    }

    #[test]
    fn what_no_key_can_hold_is_no_label_and_harms_no_other() {
        let long = "x".repeat(MAX_LABEL_LENGTH);
        let odd = [
            ("", "a"),
            ("a", ""),
            ("b=c", "d"),
            ("long", &long),
            ("ok", "1"),
        ];
        assert_eq!(keys_of(&run(&odd)).len(), 1);
        for (name, value) in [
            ("labels", text("not a map")),
            ("teamId", text("a#b")),
            ("pk", text("EXEC#a#b")),
            ("sk", text("STEP#x")),
            ("createdAt", text("x".repeat(65))),
            ("createdAt", text("a#b")),
            ("errorMessage", text("x".repeat(MAX_ENTRY_SIZE))),
        ] {
            let mut item = run(&[("orderId", "42")]);
            item.insert(name.to_owned(), value);
            assert_eq!(keys_of(&item), [], "{name}");
        }
    }

    #[test]
    fn the_first_labels_by_name_are_searched() {
        let names: Vec<_> = (10..30).map(|number| format!("n{number}")).collect();
        let labels: Vec<_> = names.iter().map(|name| (name.as_str(), "v")).collect();
        let keys = keys_of(&run(&labels));
        assert_eq!(keys.len(), MAX_SEARCHED_LABELS);
        assert!(keys.iter().all(|(pk, _)| pk.starts_with("LABEL#team-a#n1")));
    }

    proptest! {
        #[test]
        fn a_label_survives_being_written(name in "[^=]{1,40}", value in ".{1,80}") {
            let label = Label::new(&name, &value).expect("a label");
            prop_assert_eq!(label.to_string().parse(), Ok(label));
        }

        #[test]
        fn no_text_makes_a_panic(text in ".{0,80}") {
            let _ = text.parse::<Label>();
        }
    }
}
