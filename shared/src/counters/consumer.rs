//! Applying the table's stream to the counters, each change exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem, Update};
use backon::{BackoffBuilder, ExponentialBuilder};

use super::cells::{Cells, Counted, CounterKey, number};
use crate::error::{Error, Result};
use crate::keys;
use crate::model::{Item, TeamId, Timestamp};
use crate::store::{self, Range, Store, from_sdk};
use crate::table::{TIME_TO_LIVE, text};

/// The most actions of a DynamoDB transaction, less the checkpoint.
const MAX_COUNTERS_A_TRANSACTION: usize = 99;

/// The most numbers that one update changes: an update expression ends at 4 KB,
/// and each number takes up to 12 characters of it.
const MAX_CELLS_AN_UPDATE: usize = 300;

/// The longest sequence number of a stream, in digits. To be compared, shorter
/// ones are filled up with zeros, so that the order of the texts is that of the
/// numbers. They are kept as they came, because the stream takes them back in no
/// other form, and not as a number, because DynamoDB's end at 38 digits.
const SEQUENCE_NUMBER_DIGITS: usize = 40;

/// How long a checkpoint is kept after its shard's last change, in seconds. A
/// stream keeps its records for one day.
const CHECKPOINT_KEPT_SECONDS: i64 = 7 * 24 * 3_600;

/// How many scopes a consumer remembers to have registered.
const MAX_REMEMBERED_SCOPES: usize = 100_000;

/// How often a transaction is tried that meets another one on the same items,
/// or a table at its limit. Together some ten seconds.
const MAX_ATTEMPTS: usize = 12;

/// One change of an item, as the table's stream has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The change's place in its shard: digits, whose order as a number is the
    /// order of the changes.
    pub sequence_number: String,
    /// The item before; `None` when it was not there.
    pub old: Option<Item>,
    /// The item after; `None` when it is gone, by whatever hand.
    pub new: Option<Item>,
}

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

/// A change that moves counters, and how.
struct Step {
    sequence_number: String,
    old: Option<Counted>,
    new: Option<Counted>,
}

impl Step {
    /// `None` where nothing of the change is counted: a step's record, a
    /// heartbeat, a counter's own update.
    fn of(change: &Change) -> Option<Self> {
        let old = change.old.as_ref().and_then(Counted::of);
        let new = change.new.as_ref().and_then(Counted::of);
        (old != new).then(|| Self {
            sequence_number: change.sequence_number.clone(),
            old,
            new,
        })
    }

    fn add_to(&self, counters: &mut BTreeMap<CounterKey, Cells>) {
        add(self.old.as_ref(), self.new.as_ref(), counters);
    }

    /// Undoes [`Self::add_to`].
    fn take_from(&self, counters: &mut BTreeMap<CounterKey, Cells>) {
        add(self.new.as_ref(), self.old.as_ref(), counters);
    }
}

/// Takes one image of a run from the counters, and adds another.
fn add(old: Option<&Counted>, new: Option<&Counted>, counters: &mut BTreeMap<CounterKey, Cells>) {
    if let Some(old) = old {
        old.add_to(counters, -1);
    }
    if let Some(new) = new {
        new.add_to(counters, 1);
    }
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

    /// Applies changes of one shard, in the shard's order.
    ///
    /// Each change is applied exactly once, however often it is handed over,
    /// in whatever batches, by however many processes, and wherever one of them
    /// ends: the sums of a transaction are written together with the checkpoint
    /// of the last change in it, on the condition that the checkpoint is where
    /// it was before.
    ///
    /// # Errors
    /// Those of the table. What was applied before the error stays applied, and
    /// is known to be when the changes are handed over again.
    pub async fn apply(&self, shard_id: &str, changes: &[Change]) -> Result<Applied> {
        let steps: Vec<_> = changes.iter().filter_map(Step::of).collect();
        let mut applied = Applied::default();
        if steps.is_empty() {
            return Ok(applied);
        }
        self.register(&steps).await?;
        let mut backoff = backoff();
        let mut checkpoint = self.checkpoint(shard_id).await?;
        let mut next = 0;
        while next < steps.len() {
            let is_repeated = |step: &Step| {
                let applied = checkpoint.as_deref().map(padded);
                applied.is_some_and(|applied| padded(&step.sequence_number) <= applied)
            };
            if is_repeated(&steps[next]) {
                applied.repeated += 1;
                next += 1;
                continue;
            }
            let (end, counters) = chunk(&steps[next..]);
            let last = &steps[next + end - 1].sequence_number;
            match self
                .write(shard_id, checkpoint.as_deref(), last, counters)
                .await?
            {
                Outcome::Written => {
                    applied.changes += end;
                    applied.transactions += 1;
                    next += end;
                    checkpoint = Some(last.clone());
                    backoff = self::backoff();
                    continue;
                }
                Outcome::Overtaken => {}
                Outcome::Busy(error) => match backoff.next() {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(error),
                },
            }
            checkpoint = self.checkpoint(shard_id).await?;
        }
        Ok(applied)
    }

    /// The sequence number of the last change that was applied of a shard.
    /// `None` where there is none.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn checkpoint(&self, shard_id: &str) -> Result<Option<String>> {
        let pk = keys::checkpoint_partition(shard_id);
        let item = self.store.get_latest(&pk, keys::CHECKPOINT).await?;
        let number = item.as_ref().and_then(|item| item.get(SEQUENCE_NUMBER));
        Ok(number.and_then(|number| number.as_s().ok()).cloned())
    }

    /// Whether anything was ever counted in this table.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn has_counted(&self) -> Result<bool> {
        let register = Range::of_partition(keys::SCOPE_REGISTER.to_owned(), " ", None);
        Ok(!self.store.query(&register, None, 1).await?.items.is_empty())
    }

    async fn write(
        &self,
        shard_id: &str,
        checkpoint: Option<&str>,
        last: &str,
        counters: BTreeMap<CounterKey, Cells>,
    ) -> Result<Outcome> {
        let advance = advance(self.store.table(), shard_id, checkpoint, last)?;
        let mut actions = vec![TransactWriteItem::builder().update(advance).build()];
        for (key, cells) in &counters {
            let update = addition(self.store.table(), key, cells)?
                .build()
                .map_err(Error::internal)?;
            actions.push(TransactWriteItem::builder().update(update).build());
        }
        match self.store.transact(actions).await {
            Ok(()) => Ok(Outcome::Written),
            Err(error) => outcome(error),
        }
    }

    /// Enters the scopes of these changes into the register, which says what
    /// can be counted again. It comes first: an entry without counts does no
    /// harm.
    async fn register(&self, steps: &[Step]) -> Result<()> {
        let mut scopes = BTreeSet::new();
        for counted in steps
            .iter()
            .flat_map(|step| step.old.iter().chain(&step.new))
        {
            for scope in counted.scopes() {
                scopes.insert((counted.team_id.clone(), scope));
            }
        }
        if let Ok(registered) = self.registered.lock() {
            scopes.retain(|scope| !registered.contains(scope));
        }
        for (team_id, scope) in &scopes {
            let entry = store::key(
                keys::SCOPE_REGISTER,
                keys::scope_register_entry(team_id, scope),
            );
            self.store.put(entry).await?;
        }
        if let Ok(mut registered) = self.registered.lock() {
            if registered.len() + scopes.len() > MAX_REMEMBERED_SCOPES {
                registered.clear();
            }
            registered.extend(scopes);
        }
        Ok(())
    }
}

/// The attribute of a checkpoint.
const SEQUENCE_NUMBER: &str = "sequenceNumber";

fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(2))
        .with_max_times(MAX_ATTEMPTS)
        .with_jitter()
        .build()
}

/// As many of the changes as one transaction takes, at least one, and what they
/// sum up to.
fn chunk(steps: &[Step]) -> (usize, BTreeMap<CounterKey, Cells>) {
    let mut counters = BTreeMap::new();
    let mut end = 0;
    for step in steps {
        step.add_to(&mut counters);
        let is_too_much = counters.len() > MAX_COUNTERS_A_TRANSACTION
            || counters
                .values()
                .any(|cells| cells.len() > MAX_CELLS_AN_UPDATE);
        if is_too_much && end > 0 {
            step.take_from(&mut counters);
            break;
        }
        end += 1;
    }
    (end, without_zeros(counters))
}

fn without_zeros(mut counters: BTreeMap<CounterKey, Cells>) -> BTreeMap<CounterKey, Cells> {
    for cells in counters.values_mut() {
        cells.retain(|_, number| *number != 0);
    }
    counters.retain(|_, cells| !cells.is_empty());
    counters
}

/// Moves a shard's checkpoint from where it was read.
fn advance(table: &str, shard_id: &str, from: Option<&str>, to: &str) -> Result<Update> {
    let expires_at = Timestamp::now().seconds() + CHECKPOINT_KEPT_SECONDS;
    let key = store::key(keys::checkpoint_partition(shard_id), keys::CHECKPOINT);
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key))
        .update_expression("SET #number = :to, #expiry = :expiry")
        .expression_attribute_names("#number", SEQUENCE_NUMBER)
        .expression_attribute_names("#expiry", TIME_TO_LIVE)
        .expression_attribute_values(":to", text(to))
        .expression_attribute_values(":expiry", number(expires_at.into()));
    let update = match from {
        None => update.condition_expression("attribute_not_exists(#number)"),
        Some(from) => update
            .condition_expression("#number = :from")
            .expression_attribute_values(":from", text(from)),
    };
    update.build().map_err(Error::internal)
}

/// The update that adds numbers to a counter item.
pub(super) fn addition(
    table: &str,
    key: &CounterKey,
    cells: &Cells,
) -> Result<aws_sdk_dynamodb::types::builders::UpdateBuilder> {
    let mut update = Update::builder()
        .table_name(table)
        .set_key(Some(store::key(&key.pk, &key.sk)));
    let mut terms = Vec::with_capacity(cells.len());
    for (position, (cell, value)) in cells.iter().enumerate() {
        let (name, variable) = (format!("#{position}"), format!(":{position}"));
        terms.push(format!("{name} {variable}"));
        update = update
            .expression_attribute_names(name, cell.to_string())
            .expression_attribute_values(variable, number(*value));
    }
    Ok(update.update_expression(format!("ADD {}", terms.join(","))))
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

    #[test]
    fn a_chunk_ends_where_the_transaction_is_full() {
        let steps: Vec<_> = (0..300)
            .filter_map(|number| Step::of(&change(number, "RUNNING")))
            .collect();
        let (end, counters) = chunk(&steps);
        assert_eq!(counters.len(), MAX_COUNTERS_A_TRANSACTION);
        assert_eq!(end, 98, "the team's counter and one for each flow");
        let (end, _) = chunk(&steps[200..]);
        assert_eq!(end, 98);
    }

    #[test]
    fn what_sums_up_to_nothing_is_still_a_change_to_remember() {
        let began = change(1, "RUNNING");
        let gone = Change {
            old: began.new.clone(),
            new: None,
            ..began.clone()
        };
        let steps: Vec<_> = [began, gone].iter().filter_map(Step::of).collect();
        assert_eq!(steps.len(), 2);
        let (end, counters) = chunk(&steps);
        assert_eq!((end, counters.len()), (2, 0));
    }

    #[test]
    fn a_heartbeat_and_a_step_change_nothing() {
        let mut beat = change(1, "RUNNING");
        beat.old = beat.new.clone();
        if let Some(new) = &mut beat.new {
            new.insert("heartbeatAt".to_owned(), text("2026-02-17T10:31:00.000Z"));
        }
        assert!(Step::of(&beat).is_none());
        let mut step = change(1, "RUNNING");
        if let Some(new) = &mut step.new {
            new.insert("sk".to_owned(), text("STEP#x"));
        }
        assert!(Step::of(&step).is_none());
    }

    #[test]
    fn sequence_numbers_are_ordered_as_numbers() {
        assert!(padded("99") < padded("100"));
        assert_eq!(padded("1").len(), SEQUENCE_NUMBER_DIGITS);
    }
}
