//! The consumers of the stream, and how each processes changes.

use std::collections::{BTreeMap, VecDeque};

use aws_sdk_dynamodbstreams::types::Record;
use shared::attributes::{PARTITION_KEY, SORT_KEY};
use shared::change::Change;
use shared::counters::{AppliedChanges, Counter};
use shared::model::Item;
use shared::run_changes::{Reaped, Reaper};
use shared::store::Store;
use shared::{keys, labels};

/// The most records without changes for the consumer that are read before its position is
/// saved. After a restart these records are not read again.
const RECORDS_PER_CHECKPOINT: usize = 10_000;

/// A consumer of the stream.
pub(super) enum Consumer {
    Count {
        counter: Counter,
        applied: AppliedChanges,
    },
    /// Keeps the entries of labels. It is separate from the counters, which would otherwise
    /// wait for about twenty writes for each run.
    Label {
        store: Store,
        /// The number of records since the last saved position.
        unsaved: usize,
    },
    Reap {
        reaper: Reaper,
        reaped: Reaped,
        /// The number of records since the last saved position.
        unsaved: usize,
    },
    /// Collects, by shard, the changes that the counters have not counted yet.
    Await {
        counter: Counter,
        uncounted: BTreeMap<String, VecDeque<String>>,
    },
    /// Gets each item as it is after a change.
    Look(Box<dyn FnMut(&Item) + Send + Sync>),
}

impl Consumer {
    /// Returns the position up to which a shard was processed.
    pub(super) async fn checkpoint(&self, shard_id: &str) -> shared::Result<Option<String>> {
        match self {
            Self::Count { counter, .. } | Self::Await { counter, .. } => {
                counter.checkpoint(shard_id).await
            }
            Self::Label { store, .. } => labels::checkpoint(store, shard_id).await,
            Self::Reap { reaper, .. } => reaper.checkpoint(shard_id).await,
            // It saves no position, and starts at the beginning of the stream.
            Self::Look(_) => Ok(None),
        }
    }

    /// Returns the change of a record, if it matters to the consumer.
    pub(super) fn decode(&self, record: Record) -> Option<Change> {
        let is_reaped = |change: &Change| Reaper::concerns(change);
        match self {
            Self::Count { .. } | Self::Label { .. } | Self::Await { .. } => {
                decode(record, |_, sk| sk == keys::EXECUTION)
            }
            Self::Reap { .. } => decode(record, keys::is_relevant_to_reaper).filter(is_reaped),
            Self::Look(_) => decode(record, |_, _| true),
        }
    }

    /// Processes the changes of some records of a shard. `records` is the number of these
    /// records, and `last` the last one's sequence number.
    pub(super) async fn process(
        &mut self,
        shard_id: &str,
        records: usize,
        changes: &[Change],
        last: Option<&str>,
    ) -> shared::Result<()> {
        match self {
            Self::Count { counter, applied } => {
                *applied += counter.apply(shard_id, changes).await?;
            }
            Self::Label { store, unsaved } => {
                labels::follow(store, changes).await?;
                if let Some(last) = position_to_save(unsaved, records, changes, last) {
                    labels::set_checkpoint(store, shard_id, last).await?;
                    *unsaved = 0;
                }
            }
            Self::Await { uncounted, .. } => {
                let uncounted = uncounted.entry(shard_id.to_owned()).or_default();
                uncounted.extend(Counter::relevant_changes(changes));
            }
            Self::Reap {
                reaper,
                reaped,
                unsaved,
            } => {
                *reaped += reaper.follow(changes).await?;
                if let Some(last) = position_to_save(unsaved, records, changes, last) {
                    reaper.set_checkpoint(shard_id, last).await?;
                    *unsaved = 0;
                }
            }
            Self::Look(look) => {
                let items = changes.iter().filter_map(|change| change.new.as_deref());
                items.for_each(look);
            }
        }
        Ok(())
    }
}

/// Adds the records to the count. Returns the position to save if it must be saved now:
/// there were changes, or many records were read since the last saved position.
fn position_to_save<'a>(
    unsaved: &mut usize,
    records: usize,
    changes: &[Change],
    last: Option<&'a str>,
) -> Option<&'a str> {
    *unsaved += records;
    last.filter(|_| !changes.is_empty() || *unsaved >= RECORDS_PER_CHECKPOINT)
}

/// Decodes the change of a record with the wanted keys. Most records have other keys, and
/// larger images, so the keys are checked first.
fn decode(record: Record, is_wanted: impl Fn(&str, &str) -> bool) -> Option<Change> {
    let record = record.dynamodb?;
    let keys = record.keys.as_ref()?;
    let (pk, sk) = (
        keys.get(PARTITION_KEY)?.as_s().ok()?,
        keys.get(SORT_KEY)?.as_s().ok()?,
    );
    if !is_wanted(pk, sk) {
        return None;
    }
    let [old, new] = [record.old_image, record.new_image].map(Option::unwrap_or_default);
    Some(Change::decode(record.sequence_number?, old, new))
}
