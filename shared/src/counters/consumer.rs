//! Applying the table's stream to the counters, each change exactly once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem, Update};

use super::cells::{Attribute, Counted, CounterKey, Numbers, number};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{Item, TeamId, Timestamp};
use crate::store::{self, MAX_ITEMS_A_BATCH, Store, from_sdk};
use crate::stream::Change;
use crate::table::{TIME_TO_LIVE, text};

/// The most actions of a DynamoDB transaction, less the checkpoint.
const MAX_COUNTERS_A_TRANSACTION: usize = 99;

/// The most numbers that one update changes: an update expression ends at 4 KB,
/// and each number takes up to 12 characters of it.
const MAX_NUMBERS_AN_UPDATE: usize = 300;

/// The longest sequence number of a stream, in digits. To be compared, shorter
/// ones are filled up with zeros, so that the order of the texts is that of the
/// numbers. They are kept as they came, because the stream takes them back in no
/// other form, and not as a number, because DynamoDB's end at 38 digits.
const SEQUENCE_NUMBER_DIGITS: usize = 40;

/// The parts that the counters of a table are divided into. It is stored, so it
/// must never change. With 32, a batch of a thousand changes of a thousand
/// counters is some thirty full transactions.
const PARTS: usize = 32;

/// How long a checkpoint is kept after its shard's last change, in seconds. A
/// stream keeps its records for one day.
const CHECKPOINT_KEPT_SECONDS: i64 = 7 * 24 * 3_600;

/// How many scopes a consumer remembers to have registered.
const MAX_REMEMBERED_SCOPES: usize = 100_000;

/// What applying some changes has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Changes that have moved a counter.
    pub changes: usize,
    /// Changes that had done so before.
    pub repeated: usize,
    /// Transactions that were written.
    pub transactions: usize,
}

impl std::ops::AddAssign for Applied {
    fn add_assign(&mut self, more: Self) {
        self.changes += more.changes;
        self.repeated += more.repeated;
        self.transactions += more.transactions;
    }
}

/// What one change adds to one counter item.
struct Delta {
    /// The change, by its position in the batch.
    step: usize,
    /// The item, by its position in the batch.
    counter: usize,
    attribute: Attribute,
    number: i128,
}

/// Changes that move counters, and how: by the parts of the counters.
#[derive(Default)]
struct Batch {
    /// The changes' sequence numbers, in their order.
    steps: Vec<String>,
    counters: Vec<CounterKey>,
    /// Of each part, in the order of the changes.
    parts: [Vec<Delta>; PARTS],
    scopes: BTreeSet<(TeamId, String)>,
}

impl Batch {
    /// A change of which nothing is counted is not in it: that of a step, a
    /// heartbeat, a counter's own update.
    fn of(changes: &[Change]) -> Self {
        let mut batch = Self::default();
        let mut positions = HashMap::new();
        for change in changes {
            let old = change.old.as_ref().and_then(Counted::of);
            let new = change.new.as_ref().and_then(Counted::of);
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
                let part = part_of(&key);
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

    /// How many of the changes a sequence number stands for.
    fn applied(&self, sequence_number: Option<&str>) -> usize {
        let Some(applied) = sequence_number.map(padded) else {
            return 0;
        };
        self.steps.partition_point(|step| padded(step) <= applied)
    }

    /// Whether something is left to do of a part from a change on.
    fn has_deltas(&self, part: usize, from: usize) -> bool {
        let last = self.parts[part].last();
        last.is_some_and(|delta| delta.step >= from)
    }

    /// What is left to do of some parts, as much as one transaction takes: the
    /// sums, and the position behind the last change that is among them.
    fn sum(&self, parts: &[(usize, usize)]) -> (BTreeMap<usize, Numbers>, usize) {
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
            let is_too_much = sums.len() > MAX_COUNTERS_A_TRANSACTION
                || of_step
                    .iter()
                    .any(|delta| sums[&delta.counter].0.len() > MAX_NUMBERS_AN_UPDATE);
            if is_too_much && position > 0 {
                add(&mut sums, -1);
                return (without_zeros(sums), of_step[0].step);
            }
        }
        (without_zeros(sums), self.steps.len())
    }
}

/// The part that a counter item belongs to, by the FNV-1a hash of its keys
/// (<https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>). It is stored, so
/// it must never change.
fn part_of(key: &CounterKey) -> usize {
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

/// How far a shard's changes have been applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Checkpoint {
    /// Counts the writes of the checkpoint itself.
    version: u64,
    /// The last change that was applied to all counters.
    whole: Option<String>,
    /// Of each part, the last change that was applied to its counters, where it
    /// is ahead of the whole.
    parts: [Option<String>; PARTS],
}

impl Checkpoint {
    fn of(item: &Item) -> Self {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        let version = item.get(VERSION).and_then(|version| version.as_n().ok());
        Self {
            version: version
                .and_then(|version| version.parse().ok())
                .unwrap_or_default(),
            whole: text(SEQUENCE_NUMBER),
            parts: std::array::from_fn(|part| text(&part_attribute(part))),
        }
    }

    /// The first of the batch's changes that was not applied to a part.
    fn next_of(&self, part: usize, batch: &Batch) -> usize {
        let whole = batch.applied(self.whole.as_deref());
        whole.max(batch.applied(self.parts[part].as_deref()))
    }

    /// The update that makes an advance, unless the checkpoint has changed since
    /// it was read.
    fn update(&self, table: &str, shard_id: &str, advance: Advance<'_>) -> Result<Update> {
        let (attribute, to) = match advance {
            Advance::Whole(to) => (SEQUENCE_NUMBER.to_owned(), to),
            Advance::Part(part, to) => (part_attribute(part), to),
        };
        let expires_at = Timestamp::now().seconds() + CHECKPOINT_KEPT_SECONDS;
        let key = store::key(keys::checkpoint_partition(shard_id), keys::CHECKPOINT);
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key))
            .update_expression("SET #number = :to, #version = :next, #expiry = :expiry")
            .expression_attribute_names("#number", attribute)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#expiry", TIME_TO_LIVE)
            .expression_attribute_values(":to", text(to))
            .expression_attribute_values(":next", number(i128::from(self.version) + 1))
            .expression_attribute_values(":expiry", number(expires_at.into()));
        let update = match self.version {
            0 => update.condition_expression("attribute_not_exists(#version)"),
            version => update
                .condition_expression("#version = :read")
                .expression_attribute_values(":read", number(version.into())),
        };
        update.build().map_err(Error::internal)
    }

    /// What the checkpoint is after an advance was written.
    fn advance(&mut self, advance: Advance<'_>) {
        self.version += 1;
        match advance {
            Advance::Whole(to) => self.whole = Some(to.to_owned()),
            Advance::Part(part, to) => self.parts[part] = Some(to.to_owned()),
        }
    }
}

/// An advance of a checkpoint.
#[derive(Debug, Clone, Copy)]
enum Advance<'a> {
    /// All counters have the changes up to this one.
    Whole(&'a str),
    /// The counters of one part have.
    Part(usize, &'a str),
}

/// The attributes of a checkpoint.
const SEQUENCE_NUMBER: &str = "sequenceNumber";
const VERSION: &str = "version";

fn part_attribute(part: usize) -> String {
    format!("part{part:02}")
}

fn padded(sequence_number: &str) -> String {
    format!("{sequence_number:0>SEQUENCE_NUMBER_DIGITS$}")
}

/// What became of a transaction.
enum Outcome {
    Written,
    /// The checkpoint is not where it was read.
    Overtaken,
    /// Another transaction was at the same items, or the table at its limit.
    Busy(Error),
}

/// The consumer of the table's stream that keeps the counters. One for a
/// process; as many processes as there are shards.
#[derive(Debug)]
pub struct Counter {
    store: Store,
    /// Scopes that are in the register.
    registered: Mutex<BTreeSet<(TeamId, String)>>,
}

impl Counter {
    /// A consumer that writes to this table.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            registered: Mutex::default(),
        }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Applies changes of one shard, in the shard's order.
    ///
    /// Each change is applied exactly once, however often it is handed over,
    /// in whatever batches, by however many processes, and wherever one of them
    /// ends: the sums of a transaction are written together with the checkpoint,
    /// on the condition that the checkpoint is as it was read.
    ///
    /// A batch that one transaction does not take is applied part by part: the
    /// counters are divided into parts by their keys, and the checkpoint knows of
    /// each part how far it is. So the changes of a batch that belong to one
    /// counter are one write, however many counters there are.
    ///
    /// The changes begin no later than the first of the shard that was not
    /// applied, as everyone hands them over who takes up a batch again that was
    /// not taken whole.
    ///
    /// # Errors
    /// Those of the table. What was applied before the error stays applied, and
    /// is known to be when the changes are handed over again.
    pub async fn apply(&self, shard_id: &str, changes: &[Change]) -> Result<Applied> {
        let batch = Batch::of(changes);
        let mut applied = Applied::default();
        if batch.steps.is_empty() {
            return Ok(applied);
        }
        self.register(&batch.scopes).await?;
        let mut checkpoint = self.read_checkpoint(shard_id).await?;
        applied.repeated = batch.applied(checkpoint.whole.as_deref());
        let mut backoff = store::backoff();
        let mut by_parts = false;
        while let Some((sums, advance)) = next_transaction(&batch, &checkpoint, &mut by_parts) {
            let written = self.write(shard_id, &checkpoint, advance, &batch, sums);
            match written.await? {
                Outcome::Written => {
                    applied.transactions += 1;
                    if let Advance::Whole(_) = advance {
                        let before = batch.applied(checkpoint.whole.as_deref());
                        applied.changes += batch.steps.len() - before;
                    }
                    checkpoint.advance(advance);
                    backoff = store::backoff();
                    continue;
                }
                Outcome::Overtaken => {}
                Outcome::Busy(error) => match backoff.next() {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(error),
                },
            }
            checkpoint = self.read_checkpoint(shard_id).await?;
        }
        Ok(applied)
    }

    /// The sequence number of the last change of a shard that was applied to all
    /// counters: whoever reads the shard goes on from there. `None` where there
    /// is none.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn checkpoint(&self, shard_id: &str) -> Result<Option<String>> {
        Ok(self.read_checkpoint(shard_id).await?.whole)
    }

    async fn read_checkpoint(&self, shard_id: &str) -> Result<Checkpoint> {
        let pk = keys::checkpoint_partition(shard_id);
        let item = self.store.get_latest(&pk, keys::CHECKPOINT).await?;
        Ok(item.as_ref().map(Checkpoint::of).unwrap_or_default())
    }

    /// Whether the counters have all runs of the table: those, too, that were
    /// there before them.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn is_complete(&self) -> Result<bool> {
        let mark = self.store.get_latest(keys::SCOPE_REGISTER, keys::COMPLETE);
        Ok(mark.await?.is_some())
    }

    /// Notes that they do.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn set_complete(&self) -> Result<()> {
        let mark = store::key(keys::SCOPE_REGISTER, keys::COMPLETE);
        self.store.put(mark).await
    }

    async fn write(
        &self,
        shard_id: &str,
        checkpoint: &Checkpoint,
        advance: Advance<'_>,
        batch: &Batch,
        sums: BTreeMap<usize, Numbers>,
    ) -> Result<Outcome> {
        let table = self.store.table();
        let mut updates = vec![checkpoint.update(table, shard_id, advance)?];
        for (counter, numbers) in &sums {
            let update = addition(table, &batch.counters[*counter], numbers);
            updates.push(update.build().map_err(Error::internal)?);
        }
        let action = |update| TransactWriteItem::builder().update(update).build();
        let actions = updates.into_iter().map(action).collect();
        match self.store.transact(actions).await {
            Ok(()) => Ok(Outcome::Written),
            Err(error) => outcome(error),
        }
    }

    /// Enters the scopes of these changes into the register, which says what
    /// can be counted again. It comes first: an entry without counts does no
    /// harm.
    async fn register(&self, scopes: &BTreeSet<(TeamId, String)>) -> Result<()> {
        let mut scopes = scopes.clone();
        if let Ok(registered) = self.registered.lock() {
            scopes.retain(|scope| !registered.contains(scope));
        }
        for some in scopes
            .into_iter()
            .collect::<Vec<_>>()
            .chunks(MAX_ITEMS_A_BATCH)
        {
            let entries = some.iter().map(|(team_id, scope)| {
                let entry = keys::scope_register_entry(team_id, scope);
                store::key(keys::SCOPE_REGISTER, entry)
            });
            self.store.put_all(entries.collect()).await?;
            if let Ok(mut registered) = self.registered.lock() {
                if registered.len() >= MAX_REMEMBERED_SCOPES {
                    registered.clear();
                }
                registered.extend(some.iter().cloned());
            }
        }
        Ok(())
    }
}

/// What is to be written next: everything that is left, if one transaction takes
/// it, else of one part what it takes. `None` when nothing is left.
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
        .map(|part| (part, checkpoint.next_of(part, batch)))
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
pub(super) fn addition(table: &str, key: &CounterKey, numbers: &Numbers) -> UpdateBuilder {
    let mut update = Update::builder()
        .table_name(table)
        .set_key(Some(store::key(&key.pk, &key.sk)));
    let mut terms = Vec::with_capacity(numbers.0.len());
    for (position, (attribute, value)) in numbers.0.iter().enumerate() {
        let (name, variable) = (format!("#{position}"), format!(":{position}"));
        terms.push(format!("{name} {variable}"));
        update = update
            .expression_attribute_names(name, attribute.to_string())
            .expression_attribute_values(variable, number(*value));
    }
    update.update_expression(format!("ADD {}", terms.join(",")))
}

/// Tells why a transaction was not written, where that is something to go on
/// from.
fn outcome(error: SdkError<TransactWriteItemsError>) -> Result<Outcome> {
    const BUSY: [&str; 3] = [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    let codes: Vec<String> = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled
            .cancellation_reasons()
            .iter()
            .filter_map(CancellationReason::code)
            .map(str::to_owned)
            .collect(),
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
            return Ok(Outcome::Busy(Error::Throttled(error.into())));
        }
        _ => Vec::new(),
    };
    // The only condition is the checkpoint's.
    if codes.iter().any(|code| code == "ConditionalCheckFailed") {
        return Ok(Outcome::Overtaken);
    }
    if codes.iter().any(|code| BUSY.contains(&code.as_str())) {
        return Ok(Outcome::Busy(Error::Throttled(error.into())));
    }
    match from_sdk(error) {
        error @ (Error::Throttled(_) | Error::Unavailable(_)) => Ok(Outcome::Busy(error)),
        error => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::text;

    fn change(number: usize, status: &str) -> Change {
        let mut item = store::key(format!("EXEC#run-{number}"), "EXECUTION");
        for (name, value) in [
            ("teamId", "team-a".to_owned()),
            ("flowId", format!("flow-{number}")),
            ("createdAt", "2026-02-17T10:30:00.000Z".to_owned()),
            ("status", status.to_owned()),
        ] {
            item.insert(name.to_owned(), text(value));
        }
        Change {
            sequence_number: number.to_string(),
            old: None,
            new: Some(item),
        }
    }

    fn runs_of(sums: &BTreeMap<usize, Numbers>) -> i128 {
        let cells = sums.values().flat_map(Numbers::cells);
        cells.map(|(_, count)| count).sum()
    }

    #[test]
    fn what_one_transaction_does_not_take_is_written_part_by_part() {
        let changes: Vec<_> = (1..=300).map(|number| change(number, "RUNNING")).collect();
        let batch = Batch::of(&changes);
        assert_eq!(
            batch.counters.len(),
            301,
            "the team's and one for each flow"
        );
        let mut checkpoint = Checkpoint::default();
        let mut by_parts = false;
        let mut runs = 0;
        let mut transactions = 0;
        while let Some((sums, advance)) = next_transaction(&batch, &checkpoint, &mut by_parts) {
            assert!(sums.len() <= MAX_COUNTERS_A_TRANSACTION);
            runs += runs_of(&sums);
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
    fn a_batch_that_ends_elsewhere_goes_on_where_each_part_is() {
        let changes: Vec<_> = (1..=300).map(|number| change(number, "RUNNING")).collect();
        let mut checkpoint = Checkpoint::default();
        let mut runs = 0;
        // Each batch is cut off after three transactions, and the next is another.
        for (end, transactions) in [(200, 3), (150, 3), (120, 5), (300, 100)] {
            let batch = Batch::of(&changes[..end]);
            for _ in 0..transactions {
                let next = next_transaction(&batch, &checkpoint, &mut false);
                let Some((sums, advance)) = next else { break };
                runs += runs_of(&sums);
                checkpoint.advance(advance);
            }
        }
        assert_eq!(runs, 600);
    }

    #[test]
    fn what_sums_up_to_nothing_is_still_a_change_to_remember() {
        let began = change(1, "RUNNING");
        let gone = Change {
            sequence_number: "2".to_owned(),
            old: began.new.clone(),
            new: None,
        };
        let batch = Batch::of(&[began, gone]);
        let next = next_transaction(&batch, &Checkpoint::default(), &mut false);
        let (sums, advance) = next.expect("a transaction");
        assert!(sums.is_empty());
        assert!(matches!(advance, Advance::Whole("2")));
    }

    #[test]
    fn a_heartbeat_and_a_step_change_nothing() {
        let mut beat = change(1, "RUNNING");
        beat.old = beat.new.clone();
        if let Some(new) = &mut beat.new {
            new.insert("heartbeatAt".to_owned(), text("2026-02-17T10:31:00.000Z"));
        }
        let mut step = change(2, "RUNNING");
        if let Some(new) = &mut step.new {
            new.insert("sk".to_owned(), text("STEP#x"));
        }
        assert!(Batch::of(&[beat, step]).steps.is_empty());
    }

    #[test]
    fn a_counters_part_never_changes() {
        let part = |pk: &str, sk: &str| {
            part_of(&CounterKey {
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
        assert!(padded("99") < padded("100"));
        assert_eq!(padded("1").len(), SEQUENCE_NUMBER_DIGITS);
    }
}
