//! Following the table's stream, as Lambda's event source does on AWS.
//!
//! Each shard is read from its consumer's checkpoint on, and its changes are handed
//! to the consumer: the counters, which know those that they have, or the reaper,
//! which can do again what it has done. A shard's children are begun when it is at
//! its end.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodbstreams::types::{AttributeValue, Record, Shard, ShardIteratorType};
use shared::counters::recount::{Progress, Recount};
use shared::counters::{Applied, Counter};
use shared::deadlines;
use shared::keys;
use shared::labels;
use shared::model::Item;
use shared::reap::{Reaped, Reaper};
use shared::store::Store;
use shared::stream::Change;
use tokio::sync::watch;

use crate::serve::until;
use crate::terminal::Failure;

/// How long to wait where there was nothing to read.
const IDLE: Duration = Duration::from_millis(100);

/// How long to wait where reading or counting has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How often new shards are looked for.
const SHARDS_EVERY: Duration = Duration::from_secs(10);

/// The most records that the Streams API returns at once.
const MAX_RECORDS: i32 = 1_000;

/// How many changes of runs are handed to the counters at once. What many of them
/// have in common is then one write.
const CHANGES_AT_ONCE: usize = 5_000;

/// How many bytes of records are asked for at once. DynamoDB itself ends at 1
/// MB; the embedded engine has no such end.
const BYTES_AT_ONCE: i64 = 4 * 1024 * 1024;

/// How many records are read, at most, before it is noted that nothing follows from
/// them: after a start they are not read again.
const RECORDS_A_NOTE: usize = 10_000;

/// Who reads the stream.
enum Consumer {
    Count {
        counter: Counter,
        applied: Applied,
    },
    Reap {
        reaper: Reaper,
        reaped: Reaped,
        /// Records since the last note.
        unnoted: usize,
    },
    /// Is told each item as it is after a change.
    Look(Box<dyn FnMut(&Item) + Send + Sync>),
}

impl Consumer {
    /// Up to where a shard is done with.
    async fn checkpoint(&self, shard_id: &str) -> shared::Result<Option<String>> {
        match self {
            Self::Count { counter, .. } => counter.checkpoint(shard_id).await,
            Self::Reap { reaper, .. } => reaper.checkpoint(shard_id).await,
            // It keeps none, and begins at the stream's own beginning.
            Self::Look(_) => Ok(None),
        }
    }

    /// The change of a record, if the consumer has to do with it.
    fn change(&self, record: Record) -> Option<Change> {
        let is_reaped = |change: &Change| Reaper::concerns(change);
        match self {
            Self::Count { .. } => change(record, |_, sk| sk == keys::EXECUTION),
            Self::Reap { .. } => change(record, keys::concern_the_reaper).filter(is_reaped),
            Self::Look(_) => change(record, |_, _| true),
        }
    }

    /// Takes in the changes of some records of a shard, of which `last` is the
    /// last one's sequence number.
    async fn take_in(
        &mut self,
        shard_id: &str,
        records: usize,
        changes: &[Change],
        last: Option<&str>,
    ) -> shared::Result<()> {
        match self {
            Self::Count { counter, applied } => {
                labels::follow(counter.store(), changes).await?;
                *applied += counter.apply(shard_id, changes).await?;
            }
            Self::Reap {
                reaper,
                reaped,
                unnoted,
            } => {
                *reaped += reaper.follow(changes).await?;
                *unnoted += records;
                if let Some(last) = last
                    && (!changes.is_empty() || *unnoted >= RECORDS_A_NOTE)
                {
                    reaper.set_checkpoint(shard_id, last).await?;
                    *unnoted = 0;
                }
            }
            Self::Look(look) => {
                let items = changes.iter().filter_map(|change| change.new.as_ref());
                items.for_each(look);
            }
        }
        Ok(())
    }
}

/// Where a shard is being read.
struct Reading {
    /// `None` until the next look at the checkpoint.
    iterator: Option<String>,
    parent: Option<String>,
    is_finished: bool,
}

/// A follower of one table's stream.
pub struct Follower {
    streams: Client,
    store: Store,
    consumer: Consumer,
    shards: BTreeMap<String, Reading>,
    looked_for_shards: Option<Instant>,
    /// How many records are asked for at once.
    limit: i32,
}

impl Follower {
    /// A follower of the stream of this store's table that keeps the counters.
    pub fn counting(streams: Client, store: Store) -> Self {
        let consumer = Consumer::Count {
            counter: Counter::new(store.clone()),
            applied: Applied::default(),
        };
        Self::new(streams, store, consumer)
    }

    /// A follower of that stream that does what follows from removals and cancels.
    pub fn reaping(streams: Client, store: Store) -> Self {
        let consumer = Consumer::Reap {
            reaper: Reaper::new(store.clone()),
            reaped: Reaped::default(),
            unnoted: 0,
        };
        Self::new(streams, store, consumer)
    }

    /// A follower of that stream that shows each item as it is after a change, from the
    /// stream's beginning on.
    pub fn looking(
        streams: Client,
        store: Store,
        look: impl FnMut(&Item) + Send + Sync + 'static,
    ) -> Self {
        Self::new(streams, store, Consumer::Look(Box::new(look)))
    }

    fn new(streams: Client, store: Store, consumer: Consumer) -> Self {
        Self {
            streams,
            store,
            consumer,
            shards: BTreeMap::new(),
            looked_for_shards: None,
            limit: 100,
        }
    }

    /// What this follower has counted: nothing, of one that reaps.
    pub fn applied(&self) -> Applied {
        match &self.consumer {
            Consumer::Count { applied, .. } => *applied,
            Consumer::Reap { .. } | Consumer::Look(_) => Applied::default(),
        }
    }

    /// What this follower has reaped: nothing, of one that counts.
    pub fn reaped(&self) -> Reaped {
        match &self.consumer {
            Consumer::Count { .. } | Consumer::Look(_) => Reaped::default(),
            Consumer::Reap { reaped, .. } => *reaped,
        }
    }

    /// Follows until there is nothing left to follow. `look` is told of the
    /// records that were read.
    ///
    /// # Errors
    /// Those of the stream and of the table.
    pub async fn drain(&mut self, mut look: impl FnMut(usize)) -> Result<(), Failure> {
        self.looked_for_shards = None;
        loop {
            match self.step().await? {
                0 => return Ok(()),
                records => look(records),
            }
        }
    }

    /// Follows until the server is told to end, and tells when it has caught up
    /// with what was written before. What fails is tried again.
    ///
    /// # Errors
    /// None.
    pub async fn follow(
        mut self,
        caught_up: watch::Sender<bool>,
        stopped: watch::Receiver<bool>,
    ) -> Result<(), Failure> {
        let stop = until(stopped);
        tokio::pin!(stop);
        loop {
            let wait = tokio::select! {
                // A transaction that is under way is let go: it is applied or not,
                // and its checkpoint says which.
                () = &mut stop => return Ok(()),
                step = self.step() => match step {
                    Ok(0) => {
                        caught_up.send_replace(true);
                        IDLE
                    }
                    Ok(_) => continue,
                    Err(failure) => {
                        caught_up.send_replace(false);
                        tracing::warn!(%failure, "what follows the stream waits for the table");
                        AFTER_FAILURE
                    }
                },
            };
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Counts the runs of a table that was there before its counters, once.
    /// `settle` is as of [`Recount`].
    ///
    /// # Errors
    /// Those of the stream and of the table.
    pub async fn begin(&mut self, has_runs: bool, settle: Duration) -> Result<(), Failure> {
        let counter = Counter::new(self.store.clone());
        if counter.is_complete().await? {
            return Ok(());
        }
        if has_runs {
            eprintln!("Counting the table's runs for the first time …");
            self.drain(|_| {}).await?;
            let recount = Recount {
                team_id: None,
                settle,
            };
            recount.rebuild(&self.store, &|_: Progress| {}).await?;
            labels::enter_all(&self.store, None).await?;
            deadlines::enter_all(&self.store, None).await?;
        }
        // Only now: what is interrupted is done again.
        counter.set_complete().await?;
        Ok(())
    }

    /// Whether the table has a stream to follow.
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn has_stream(&self) -> Result<bool, Failure> {
        Ok(self.stream_arn().await?.is_some())
    }

    /// Reads each shard once. Returns how many records there were.
    async fn step(&mut self) -> Result<usize, Failure> {
        let is_time = |then: Instant| then.elapsed() >= SHARDS_EVERY;
        if self.looked_for_shards.is_none_or(is_time) {
            self.look_for_shards().await?;
        }
        let mut records = 0;
        for shard_id in self.readable() {
            records += self.read(&shard_id).await?;
        }
        Ok(records)
    }

    /// The shards that are not at their end, and whose parents are.
    fn readable(&self) -> Vec<String> {
        let is_open = |shard_id: &String| {
            let reading = self.shards.get(shard_id);
            reading.is_some_and(|reading| !reading.is_finished)
        };
        self.shards
            .iter()
            .filter(|(_, reading)| !reading.is_finished)
            .filter(|(_, reading)| !reading.parent.as_ref().is_some_and(is_open))
            .map(|(shard_id, _)| shard_id.clone())
            .collect()
    }

    async fn look_for_shards(&mut self) -> Result<(), Failure> {
        let found = self.all_shards().await?;
        let ids: HashSet<_> = found.iter().filter_map(Shard::shard_id).collect();
        // Those that the stream has forgotten.
        self.shards
            .retain(|shard_id, _| ids.contains(shard_id.as_str()));
        for shard in &found {
            let Some(shard_id) = shard.shard_id() else {
                continue;
            };
            self.shards.entry(shard_id.to_owned()).or_insert(Reading {
                iterator: None,
                parent: shard.parent_shard_id().map(str::to_owned),
                is_finished: false,
            });
        }
        self.looked_for_shards = Some(Instant::now());
        Ok(())
    }

    async fn all_shards(&self) -> Result<Vec<Shard>, Failure> {
        let mut shards = Vec::new();
        let Some(arn) = self.stream_arn().await? else {
            return Ok(shards);
        };
        let mut last = None;
        loop {
            let describe = self.streams.describe_stream().stream_arn(&arn);
            let answer = describe.set_exclusive_start_shard_id(last).send().await;
            let Some(stream) = answer.map_err(failed)?.stream_description else {
                return Ok(shards);
            };
            last = stream.last_evaluated_shard_id;
            shards.extend(stream.shards.unwrap_or_default());
            if last.is_none() {
                return Ok(shards);
            }
        }
    }

    /// The table's newest stream. DescribeTable would tell too, and have the
    /// embedded engine count all items.
    async fn stream_arn(&self) -> Result<Option<String>, Failure> {
        let list = self.streams.list_streams().table_name(self.store.table());
        let streams = list
            .send()
            .await
            .map_err(failed)?
            .streams
            .unwrap_or_default();
        let newest = streams
            .into_iter()
            .max_by(|one, other| one.stream_label().cmp(&other.stream_label()));
        Ok(newest.and_then(|stream| stream.stream_arn))
    }

    /// Reads a shard until nothing is left, or much is in hand, and hands it over.
    async fn read(&mut self, shard_id: &str) -> Result<usize, Failure> {
        let shard = self.shards.get(shard_id);
        let mut next = match shard.and_then(|shard| shard.iterator.clone()) {
            Some(iterator) => Some(iterator),
            None => match self.iterator(shard_id).await? {
                Some(iterator) => Some(iterator),
                None => return Ok(0),
            },
        };
        let (mut count, mut changes, mut last) = (0, Vec::new(), None);
        while let Some(iterator) = next.clone()
            && changes.len() < CHANGES_AT_ONCE
        {
            let get = self.streams.get_records().shard_iterator(iterator);
            let answer = match get.limit(self.limit).send().await {
                Ok(answer) => answer,
                // The checkpoint says where to go on.
                Err(error) if is_of(&error, &["ExpiredIteratorException", TRIMMED]) => {
                    self.set_iterator(shard_id, None);
                    return Ok(1);
                }
                Err(error) => return Err(failed(error)),
            };
            next = answer.next_shard_iterator;
            let records = answer.records.unwrap_or_default();
            count += records.len();
            // Where writers keep on writing there is always something: what there
            // is by now is counted first.
            let is_at_end = records.len() < self.limit as usize;
            self.adapt(&records);
            let sequence_number = |record: &Record| record.dynamodb()?.sequence_number.clone();
            last = records.last().and_then(sequence_number).or(last);
            let consumer = &self.consumer;
            changes.extend(
                records
                    .into_iter()
                    .filter_map(|record| consumer.change(record)),
            );
            if is_at_end {
                break;
            }
        }
        self.consumer
            .take_in(shard_id, count, &changes, last.as_deref())
            .await?;
        // Only now: what fails is read again.
        match next {
            Some(next) => self.set_iterator(shard_id, Some(next)),
            None => {
                if let Some(shard) = self.shards.get_mut(shard_id) {
                    shard.is_finished = true;
                }
                // Its children come next.
                self.looked_for_shards = None;
                count += 1;
            }
        }
        Ok(count)
    }

    fn set_iterator(&mut self, shard_id: &str, iterator: Option<String>) {
        if let Some(shard) = self.shards.get_mut(shard_id) {
            shard.iterator = iterator;
        }
    }

    /// Asks for as many records at once as a few megabytes hold.
    fn adapt(&mut self, records: &[Record]) {
        let size = |record: &Record| record.dynamodb().and_then(|change| change.size_bytes());
        let bytes: i64 = records.iter().filter_map(size).sum();
        if let Ok(count) = i64::try_from(records.len())
            && count > 0
        {
            let fitting = BYTES_AT_ONCE / (bytes / count).max(1);
            self.limit = i32::try_from(fitting)
                .unwrap_or(MAX_RECORDS)
                .clamp(10, MAX_RECORDS);
        }
    }

    /// Where to read a shard: after its checkpoint, else from its beginning.
    async fn iterator(&self, shard_id: &str) -> Result<Option<String>, Failure> {
        let Some(arn) = self.stream_arn().await? else {
            return Ok(None);
        };
        let get = || {
            let get = self.streams.get_shard_iterator();
            get.stream_arn(&arn).shard_id(shard_id)
        };
        if let Some(checkpoint) = self.consumer.checkpoint(shard_id).await? {
            let after = get()
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .sequence_number(checkpoint);
            match after.send().await {
                Ok(answer) => return Ok(answer.shard_iterator),
                // All that the checkpoint stands for is out of the stream.
                Err(error) if is_of(&error, &[TRIMMED]) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let first = get().shard_iterator_type(ShardIteratorType::TrimHorizon);
        Ok(first.send().await.map_err(failed)?.shard_iterator)
    }
}

const TRIMMED: &str = "TrimmedDataAccessException";

fn is_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, codes: &[&str]) -> bool {
    error.code().is_some_and(|code| codes.contains(&code))
}

fn failed<E>(error: SdkError<E>) -> Failure
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    shared::store::from_sdk(error).into()
}

/// The change of a record whose keys are wanted. Of other records there are many
/// more, with larger images.
fn change(record: Record, is_wanted: impl Fn(&str, &str) -> bool) -> Option<Change> {
    let record = record.dynamodb?;
    let keys = record.keys.as_ref()?;
    let (pk, sk) = (keys.get("pk")?.as_s().ok()?, keys.get("sk")?.as_s().ok()?);
    if !is_wanted(pk, sk) {
        return None;
    }
    Some(Change {
        sequence_number: record.sequence_number?,
        old: image(record.old_image),
        new: image(record.new_image),
    })
}

/// The streams' SDK has attribute values of its own.
fn image(item: Option<std::collections::HashMap<String, AttributeValue>>) -> Option<Item> {
    let item: serde_dynamo::Item = item?.into();
    Some(item.into())
}
