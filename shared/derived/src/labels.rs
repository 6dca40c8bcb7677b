//! Search by label, for example the runs with `orderId = 42`.
//!
//! Labels are named by engines, so no index of the table can have them as keys. The consumer of the
//! table's stream writes an entry for each label of each run ([`follow`]), under the label and
//! ordered by `createdAt`, with everything that lists show of the run. So a list by label is one
//! Query, like every other list, and writers need not maintain anything. On one machine labels have
//! their own position in the stream ([`checkpoint`]), so that the counters do not wait for them.
//! docs/adr/0008-labels.md explains the design.
//!
//! An entry follows its run with a delay, like an index. It has no `createdAt` attribute, because
//! that would put it into the indexes.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use format::Result;
use format::attributes::{self, text};
use format::change::Change;
use format::keys::{self, key};
use format::label::Label;
use format::model::{Item, TeamId, approximate_size, is_id, label_text};
use store::{Condition, Store, Writes};

use crate::checkpoint;
use crate::counters::Counter;

/// The most labels by which a run can be found: the first ones in the order of their names. Each
/// costs one more item to write.
pub const MAX_SEARCHED_LABELS: usize = 10;

/// The longest `createdAt` that is part of a key. In the record format it has 24 characters; a
/// longer text is not a time.
const MAX_CREATED_AT_LENGTH: usize = 64;

/// The most bytes of a run's attributes that an entry repeats. An item is limited to 400 KB, and
/// the run's own item must stay below that too.
const MAX_ENTRY_SIZE: usize = 350_000;

/// The attributes of a run that its entries need: its keys and, from the fifth on, the attributes
/// that entries repeat, which lists show and filter by. `heartbeatAt` is not among them, because
/// each heartbeat would cause a write for each label.
const ATTRIBUTES: &[&str] = &[
    attributes::PARTITION_KEY,
    attributes::SORT_KEY,
    attributes::TEAM_ID,
    attributes::CREATED_AT,
    attributes::FLOW_ID,
    attributes::FLOW_NAME,
    attributes::FLOW_VERSION,
    attributes::STATUS,
    attributes::EXECUTION_TYPE,
    attributes::PARENT_EXECUTION_ID,
    attributes::PARENT_STEP_INSTANCE_ID,
    attributes::DEVICE_ID,
    attributes::TRIGGER,
    attributes::START_TIME,
    attributes::END_TIME,
    attributes::DURATION_MS,
    attributes::ERROR_MESSAGE,
    attributes::STEP_SUMMARY,
    attributes::LABELS,
    attributes::TIMEOUT_AT,
    attributes::CANCELLED_BY,
    attributes::CANCEL_REASON,
    attributes::PINNED_AT,
    attributes::TIME_TO_LIVE,
];

/// Updates the entries after some changes of the table, which have the order of the stream. Returns
/// how many entries were written or removed.
///
/// Repeating it changes nothing, because the last change of a run decides. So changes may be
/// delivered again, from any earlier one on. An entry that the table refuses because of its
/// contents is logged and skipped.
///
/// # Errors
/// Returns an error if the table cannot be written. The same changes must be delivered again then.
pub async fn follow(store: &Store, changes: &[Change]) -> Result<usize> {
    let mut writes = Writes::new();
    for change in changes {
        let old = change.old.as_deref().map(entries_of).unwrap_or_default();
        let new = change.new.as_deref().map(entries_of).unwrap_or_default();
        let gone = old.keys().filter(|key| !new.contains_key(*key));
        writes.extend(gone.map(|key| (key.clone(), None)));
        let changed = new
            .iter()
            .filter(|(key, entry)| old.get(*key) != Some(*entry));
        writes.extend(changed.map(|(key, entry)| (key.clone(), Some(entry.clone()))));
    }
    store.write_each(writes).await
}

/// Reads the sequence number up to which the labels of a shard were followed, as stored by
/// [`set_checkpoint`]. On AWS, Lambda tracks this position.
pub async fn checkpoint(store: &Store, shard_id: &str) -> Result<Option<String>> {
    checkpoint::read_position(store, shard_id, keys::LABELS).await
}

/// Stores the position up to which the labels of a shard were followed.
pub async fn set_checkpoint(store: &Store, shard_id: &str, sequence_number: &str) -> Result<()> {
    checkpoint::write_position(store, shard_id, keys::LABELS, sequence_number).await
}

/// Gives the labels their own position in the stream. Releases up to 1.0 used the position of the
/// counters, because they wrote the entries of a change before they counted it. Call this with all
/// shards before the counters apply anything; it has an effect once for each table. After that, the
/// labels of a shard without a position are followed from the shard's beginning.
///
/// # Errors
/// Returns an error if the table cannot be read or written. The counters must not apply anything
/// then.
pub async fn copy_counter_positions(counter: &Counter, shard_ids: &[String]) -> Result<()> {
    let store = counter.store();
    let flag = store.get_latest(keys::SCOPE_INDEX, keys::LABELS_SEPARATE);
    if flag.await?.is_some() {
        return Ok(());
    }
    for shard_id in shard_ids {
        if let Some(counted) = counter.checkpoint(shard_id).await? {
            set_checkpoint(store, shard_id, &counted).await?;
        }
    }
    // This is written last, so that an interrupted call is repeated.
    store
        .put(key(keys::SCOPE_INDEX, keys::LABELS_SEPARATE))
        .await
}

/// Writes the label entries of all runs of a team or of all teams. This is needed for runs that are
/// older than the consumer, and for runs whose changes were skipped. Returns how many entries were
/// missing or outdated.
pub async fn enter_all(store: &Store, team_id: Option<&TeamId>) -> Result<u64> {
    let (mut entered, mut pages) = (0, store.runs(team_id, ATTRIBUTES));
    while let Some(items) = pages.next().await? {
        for (key, entry) in items.iter().flat_map(entries_of) {
            entered += u64::from(enter(store, key, entry).await?);
        }
    }
    Ok(entered)
}

/// Writes an entry that is missing or outdated, unless the stream's consumer writes it at the same
/// time: its version is newer. Returns whether the entry was written.
async fn enter(store: &Store, key: (String, String), entry: Item) -> Result<bool> {
    let (pk, sk) = &key;
    if store.put_if(entry.clone(), Condition::absent()).await? {
        // The run may have been removed, or may have lost the label, since it was read.
        let is_expected = expected_entry(store, &key, &entry).await?.is_some();
        if !is_expected {
            store.delete(pk, sk).await?;
        }
        return Ok(is_expected);
    }
    let present = store.get_latest(pk, sk).await?;
    let Some(present) = present.filter(|present| *present != entry) else {
        return Ok(false);
    };
    let (Some(status), Some(expected)) = (
        present.get(attributes::STATUS),
        expected_entry(store, &key, &entry).await?,
    ) else {
        return Ok(false);
    };
    let is_as_read = Condition::is(attributes::STATUS, status.clone());
    Ok(expected == entry && store.put_if(entry, is_as_read).await?)
}

/// The expected contents of the entry with this key, by the current state of its run.
async fn expected_entry(
    store: &Store,
    key: &(String, String),
    entry: &Item,
) -> Result<Option<Item>> {
    let Some(run) = keys::run_of_label_entry(entry) else {
        return Ok(None);
    };
    let own = format!("{}{}", keys::EXECUTION_PREFIX, run.execution_id);
    let run = store.get_latest(&own, keys::EXECUTION).await?;
    let mut entries = run.as_ref().map(entries_of).unwrap_or_default();
    Ok(entries.remove(key))
}

/// The entries of a run, by their keys. There are none for an item that is not a run, and for a run
/// with malformed keys.
fn entries_of(item: &Item) -> BTreeMap<(String, String), Item> {
    let Some(run) = LabelledRun::from_item(item) else {
        return BTreeMap::new();
    };
    let repeated: Item = ATTRIBUTES[4..]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())))
        .collect();
    if repeated.values().map(approximate_size).sum::<usize>() > MAX_ENTRY_SIZE {
        return BTreeMap::new();
    }
    let labels: BTreeMap<_, _> = run.labels.iter().collect();
    let labels = labels
        .into_iter()
        .filter_map(|(name, value)| Label::new(name, label_text(value)?));
    let sk = keys::label_entry(run.created_at, run.execution_id);
    labels
        .take(MAX_SEARCHED_LABELS)
        .map(|label| {
            let pk = keys::label_partition(run.team_id, &label);
            let mut entry = repeated.clone();
            entry.extend([
                (attributes::PARTITION_KEY.to_owned(), text(&pk)),
                (attributes::SORT_KEY.to_owned(), text(&sk)),
            ]);
            ((pk, sk.clone()), entry)
        })
        .collect()
}

/// A run with labels and valid keys.
struct LabelledRun<'a> {
    execution_id: &'a str,
    team_id: &'a str,
    created_at: &'a str,
    labels: &'a HashMap<String, AttributeValue>,
}

impl<'a> LabelledRun<'a> {
    fn from_item(item: &'a Item) -> Option<Self> {
        let attribute = |name: &str| item.get(name)?.as_s().ok().map(String::as_str);
        let valid_id = |id: &&str| is_id(id);
        let is_key_part = |created_at: &&str| {
            created_at.len() <= MAX_CREATED_AT_LENGTH && !created_at.contains('#')
        };
        if !keys::is_execution(item) {
            return None;
        }
        Some(Self {
            execution_id: attribute(attributes::PARTITION_KEY)
                .and_then(keys::execution_id_of)
                .filter(valid_id)?,
            team_id: attribute(attributes::TEAM_ID).filter(valid_id)?,
            created_at: attribute(attributes::CREATED_AT).filter(is_key_part)?,
            labels: item.get(attributes::LABELS)?.as_m().ok()?,
        })
    }
}

/// Converts an entry to the run's own item, as lists need it; returns any other item unchanged.
pub fn listed_run(mut item: Item) -> Item {
    let run = keys::run_of_label_entry(&item).map(|run| {
        [
            (
                attributes::PARTITION_KEY,
                keys::EXECUTION_PREFIX.to_owned() + run.execution_id,
            ),
            (attributes::SORT_KEY, keys::EXECUTION.to_owned()),
            (attributes::TEAM_ID, run.team_id.to_owned()),
            (attributes::CREATED_AT, run.created_at.to_owned()),
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
    fn a_run_has_an_entry_for_each_label() {
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
    fn an_entry_has_everything_that_lists_show() {
        let mut item = run(&[("orderId", "42")]);
        let entry = entries_of(&item).into_values().next().expect("an entry");
        item.remove("heartbeatAt");
        assert_eq!(listed_run(entry), item);
        assert_eq!(listed_run(item.clone()), item);
    }

    #[test]
    fn an_invalid_label_or_key_makes_no_entry() {
        let long = "x".repeat(format::label::MAX_LABEL_LENGTH);
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
    fn numbers_and_booleans_are_found_by_their_text() {
        let mut item = run(&[("text", "42")]);
        let values = [
            ("number", AttributeValue::N("42".to_owned())),
            ("fraction", AttributeValue::N("-0.5".to_owned())),
            ("yes", AttributeValue::Bool(true)),
            ("no", AttributeValue::Bool(false)),
            ("nothing", AttributeValue::Null(true)),
            ("list", AttributeValue::L(vec![text("a")])),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        let mut labels = item["labels"].as_m().expect("labels").clone();
        labels.extend(values);
        item.insert("labels".to_owned(), AttributeValue::M(labels));
        let found: Vec<_> = keys_of(&item).into_iter().map(|(pk, _)| pk).collect();
        assert_eq!(
            found,
            [
                "LABEL#team-a#fraction=-0.5",
                "LABEL#team-a#no=false",
                "LABEL#team-a#number=42",
                "LABEL#team-a#text=42",
                "LABEL#team-a#yes=true",
            ]
        );
    }

    #[test]
    fn only_the_first_labels_by_name_have_entries() {
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
        fn parsing_a_label_never_panics(text in ".{0,80}") {
            let _ = text.parse::<Label>();
        }
    }
}
