//! Applies the changes of the table's stream to the counters, each change exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use aws_sdk_dynamodb::types::AttributeValue;
use format::attributes::number;
use format::change::Change;
use format::keys::{self, key};
use format::model::TeamId;
use format::{Error, Result};
use store::{Condition, MAX_ITEMS_A_BATCH, NotWritten, Store, Update, Write};

use super::cells::{CounterKey, Numbers};
use crate::checkpoint;

mod batch;
mod progress;

use batch::{Batch, PARTS, pad};
use progress::{Advance, Checkpoint};

/// The most attributes that are removed from a counter item in one update. Their values are in the
/// condition, which is limited to 300 operators.
const MAX_NUMBERS_PER_REMOVAL: usize = 100;

/// How many scopes a consumer remembers as being in the index of scopes.
const MAX_REMEMBERED_SCOPES: usize = 100_000;

/// The result of applying some changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AppliedChanges {
    /// Changes that have updated a counter.
    pub changes: usize,
    /// Changes that had been applied before.
    pub repeated: usize,
    /// Transactions that were written.
    pub transactions: usize,
}

impl std::ops::AddAssign for AppliedChanges {
    fn add_assign(&mut self, more: Self) {
        self.changes += more.changes;
        self.repeated += more.repeated;
        self.transactions += more.transactions;
    }
}

/// The result of a transaction.
enum TransactionResult {
    Written,
    /// The checkpoint has changed since it was read.
    Overtaken,
    /// Another transaction was changing the same items, or the table was throttled.
    Busy(Error),
    /// The table refuses these writes, by their positions, because of the contents of their items.
    Refused(Vec<usize>, Error),
}

/// The consumer of the table's stream that updates the counters. A process has one; there may be as
/// many processes as shards.
#[derive(Debug)]
pub struct Counter {
    store: Store,
    /// Scopes that are known to be in the index of scopes.
    indexed: Mutex<BTreeSet<(TeamId, String)>>,
}

impl Counter {
    /// Creates a consumer that writes to this table.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            indexed: Mutex::default(),
        }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Applies changes of one shard, in the shard's order.
    ///
    /// Each change is applied exactly once, no matter how often, in which batches and to how many
    /// processes it is delivered, and at which point a process crashes: the sums of a transaction
    /// are written together with the checkpoint, on the condition that the checkpoint has not
    /// changed since it was read.
    ///
    /// A batch that does not fit into one transaction is applied in parts. The counters are divided
    /// into parts by their keys, and the checkpoint has a position for each part. So a batch
    /// writes each counter once for all of its changes, regardless of the number of counters.
    ///
    /// The changes must start no later than the shard's first change that was not applied. This
    /// holds for every caller that delivers a partly applied batch again.
    ///
    /// # Errors
    /// Returns an error if the table cannot be read or written. Changes that were applied before
    /// the error stay applied, and are recognized when they are delivered again.
    pub async fn apply(&self, shard_id: &str, changes: &[Change]) -> Result<AppliedChanges> {
        let batch = Batch::from_changes(changes);
        let mut applied = AppliedChanges::default();
        if batch.steps.is_empty() {
            return Ok(applied);
        }
        self.index_scopes(&batch.scopes).await?;
        let mut checkpoint = self.read_checkpoint(shard_id).await?;
        applied.repeated = batch.applied(checkpoint.whole.as_deref());
        let mut backoff = store::backoff();
        let mut by_parts = false;
        while let Some((sums, advance)) = next_transaction(&batch, &checkpoint, &mut by_parts) {
            let written = self.write(shard_id, &checkpoint, advance, &batch, sums);
            match written.await? {
                TransactionResult::Written => {
                    applied.transactions += 1;
                    if let Advance::Whole(_) = advance {
                        let before = batch.applied(checkpoint.whole.as_deref());
                        applied.changes += batch.steps.len() - before;
                    }
                    checkpoint.advance(advance);
                    backoff = store::backoff();
                    continue;
                }
                TransactionResult::Overtaken => {}
                TransactionResult::Refused(counters, error) => {
                    let keys = counters.into_iter().map(|it| &batch.counters[it]);
                    if !self.clear_unreadable(keys).await? {
                        return Err(error);
                    }
                }
                TransactionResult::Busy(error) => match backoff.next() {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(error),
                },
            }
            checkpoint = self.read_checkpoint(shard_id).await?;
        }
        Ok(applied)
    }

    /// The sequence numbers of the changes that update a counter.
    pub fn relevant_changes(changes: &[Change]) -> Vec<String> {
        Batch::from_changes(changes).steps
    }

    /// Returns whether a checkpoint includes a change.
    pub fn has_applied(checkpoint: &str, sequence_number: &str) -> bool {
        pad(sequence_number) <= pad(checkpoint)
    }

    /// Reads the sequence number of the last change of a shard that was applied to all counters. A
    /// reader of the shard continues after it.
    pub async fn checkpoint(&self, shard_id: &str) -> Result<Option<String>> {
        Ok(self.read_checkpoint(shard_id).await?.whole)
    }

    async fn read_checkpoint(&self, shard_id: &str) -> Result<Checkpoint> {
        let pk = keys::checkpoint_partition(shard_id);
        let item = self.store.get_latest(&pk, keys::CHECKPOINT).await?;
        checkpoint::report_unreadable(shard_id, keys::CHECKPOINT, item.as_ref());
        Ok(item.as_ref().map(Checkpoint::from_item).unwrap_or_default())
    }

    /// Returns whether the counters include all runs of the table, even runs that are older than
    /// the counters.
    pub async fn is_complete(&self) -> Result<bool> {
        let flag = self.store.get_latest(keys::SCOPE_INDEX, keys::COMPLETE);
        Ok(flag.await?.is_some())
    }

    /// Records that the counters include all runs of the table.
    pub async fn set_complete(&self) -> Result<()> {
        let flag = key(keys::SCOPE_INDEX, keys::COMPLETE);
        self.store.put(flag).await
    }

    async fn write(
        &self,
        shard_id: &str,
        checkpoint: &Checkpoint,
        advance: Advance<'_>,
        batch: &Batch,
        sums: BTreeMap<usize, Numbers>,
    ) -> Result<TransactionResult> {
        let additions = sums
            .iter()
            .map(|(counter, numbers)| addition(&batch.counters[*counter], numbers));
        let updates = [checkpoint.update(shard_id, advance)].into_iter();
        let writes = updates.chain(additions).map(Write::from).collect();
        let error = match self.store.transact(writes).await {
            Ok(()) => return Ok(TransactionResult::Written),
            Err(reason) => reason,
        };
        match error {
            // The only condition is on the checkpoint.
            NotWritten::ConditionFailed(_) => Ok(TransactionResult::Overtaken),
            NotWritten::Refused(writes, error) => {
                // The first write is the checkpoint.
                let counters = writes.into_iter().filter_map(|it| it.checked_sub(1));
                let counters = counters.filter_map(|it| sums.keys().nth(it).copied());
                Ok(TransactionResult::Refused(counters.collect(), error))
            }
            NotWritten::Busy(error)
            | NotWritten::Failed(error @ (Error::Throttled(_) | Error::Unavailable(_))) => {
                Ok(TransactionResult::Busy(error))
            }
            NotWritten::Failed(error) => Err(error),
        }
    }

    /// Removes the numbers of these counters that cannot be read. Nothing can be added to them, so
    /// they would block the changes of every other team in the shard. `counts rebuild` restores
    /// what the team's counters lose. Returns whether anything was removed.
    async fn clear_unreadable(&self, keys: impl Iterator<Item = &CounterKey>) -> Result<bool> {
        let mut has_cleared = false;
        for key in keys {
            let item = self.store.get_latest(&key.pk, &key.sk).await?;
            let item = item.unwrap_or_default();
            let unreadable: Vec<_> = Numbers::unreadable_in(&item).collect();
            if unreadable.is_empty() {
                continue;
            }
            let (pk, sk) = (&key.pk, &key.sk);
            tracing::error!(
                pk,
                sk,
                attributes = unreadable.len(),
                "a counter cannot be read and restarts at 0; run flowtrail counts rebuild"
            );
            for some in unreadable.chunks(MAX_NUMBERS_PER_REMOVAL) {
                self.store.update(removal(key, some)).await?;
            }
            has_cleared = true;
        }
        Ok(has_cleared)
    }

    /// Adds the scopes of these changes to the index of scopes, which lists what can be recounted.
    /// This is done first, because an entry without counters is harmless.
    async fn index_scopes(&self, scopes: &BTreeSet<(TeamId, String)>) -> Result<()> {
        let mut scopes = scopes.clone();
        if let Ok(indexed) = self.indexed.lock() {
            scopes.retain(|scope| !indexed.contains(scope));
        }
        for some in scopes
            .into_iter()
            .collect::<Vec<_>>()
            .chunks(MAX_ITEMS_A_BATCH)
        {
            let entries = some.iter().map(|(team_id, scope)| {
                let entry = keys::scope_index_entry(team_id, scope);
                key(keys::SCOPE_INDEX, entry)
            });
            self.store.put_all(entries.collect()).await?;
            if let Ok(mut indexed) = self.indexed.lock() {
                if indexed.len() >= MAX_REMEMBERED_SCOPES {
                    indexed.clear();
                }
                indexed.extend(some.iter().cloned());
            }
        }
        Ok(())
    }
}

/// The next transaction: everything that is left, if it fits, otherwise as much of one part as
/// fits. `None` if nothing is left.
fn next_transaction<'a>(
    batch: &'a Batch,
    checkpoint: &Checkpoint,
    by_parts: &mut bool,
) -> Option<(BTreeMap<usize, Numbers>, Advance<'a>)> {
    let last = batch.steps.last()?;
    if batch.applied(checkpoint.whole.as_deref()) == batch.steps.len() {
        return None;
    }
    let left: Vec<_> = (0..PARTS)
        .map(|part| (part, checkpoint.next_step(part, batch)))
        .filter(|(part, from)| batch.has_deltas(*part, *from))
        .collect();
    if !*by_parts {
        let (sums, end) = batch.sum(&left);
        if end == batch.steps.len() {
            return Some((sums, Advance::Whole(last)));
        }
        *by_parts = true;
    }
    match left.first() {
        None => Some((BTreeMap::new(), Advance::Whole(last))),
        Some((part, from)) => {
            let (sums, end) = batch.sum(&[(*part, *from)]);
            Some((sums, Advance::Part(*part, &batch.steps[end - 1])))
        }
    }
}

/// The update that adds numbers to a counter item.
pub(super) fn addition(key: &CounterKey, numbers: &Numbers) -> Update {
    let update = Update::new(&key.pk, &key.sk);
    let numbers = numbers.0.iter();
    numbers.fold(update, |update, (attribute, value)| {
        update.add(attribute.to_string(), number(*value))
    })
}

/// The update that removes attributes of a counter item, if they have not changed since they were
/// read.
fn removal(key: &CounterKey, attributes: &[(&String, &AttributeValue)]) -> Update {
    let update = Update::new(&key.pk, &key.sk);
    attributes.iter().fold(update, |update, (name, value)| {
        update
            .remove(name.as_str())
            .only_if(Condition::is(name.as_str(), (*value).clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::batch::MAX_COUNTERS_PER_TRANSACTION;
    use super::batch::tests::change;
    use super::*;

    fn sum_runs(sums: &BTreeMap<usize, Numbers>) -> i128 {
        let counters = sums.values().flat_map(Numbers::counters);
        counters.map(|(_, count)| count).sum()
    }

    #[test]
    fn a_batch_too_large_for_a_transaction_is_written_by_parts() {
        let changes: Vec<_> = (1..=300).map(|number| change(number, "RUNNING")).collect();
        let batch = Batch::from_changes(&changes);
        assert_eq!(
            batch.counters.len(),
            301,
            "the team's counter and one for each flow"
        );
        let mut checkpoint = Checkpoint::default();
        let mut by_parts = false;
        let mut runs = 0;
        let mut transactions = 0;
        while let Some((sums, advance)) = next_transaction(&batch, &checkpoint, &mut by_parts) {
            assert!(sums.len() <= MAX_COUNTERS_PER_TRANSACTION);
            runs += sum_runs(&sums);
            transactions += 1;
            checkpoint.advance(advance);
        }
        assert_eq!(
            runs, 600,
            "each run once for its flow and once for the team"
        );
        assert!((10..=PARTS + 1).contains(&transactions), "{transactions}");
        assert_eq!(checkpoint.whole.as_deref(), Some("300"));
    }

    #[test]
    fn a_different_batch_continues_at_the_position_of_each_part() {
        let changes: Vec<_> = (1..=300).map(|number| change(number, "RUNNING")).collect();
        let mut checkpoint = Checkpoint::default();
        let mut runs = 0;
        // Each batch is cut off after some transactions, and the next one ends elsewhere.
        for (end, transactions) in [(200, 3), (150, 3), (120, 5), (300, 100)] {
            let batch = Batch::from_changes(&changes[..end]);
            for _ in 0..transactions {
                let next = next_transaction(&batch, &checkpoint, &mut false);
                let Some((sums, advance)) = next else { break };
                runs += sum_runs(&sums);
                checkpoint.advance(advance);
            }
        }
        assert_eq!(runs, 600);
    }

    #[test]
    fn changes_that_sum_to_zero_still_advance_the_checkpoint() {
        let began = change(1, "RUNNING");
        let gone = Change {
            sequence_number: "2".to_owned(),
            old: began.new.clone(),
            new: None,
        };
        let batch = Batch::from_changes(&[began, gone]);
        let next = next_transaction(&batch, &Checkpoint::default(), &mut false);
        let (sums, advance) = next.expect("a transaction");
        assert!(sums.is_empty());
        assert!(matches!(advance, Advance::Whole("2")));
    }
}
