//! Finds the shards of the stream, and reads each from its checkpoint on.

use std::collections::HashSet;

use aws_sdk_dynamodbstreams::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodbstreams::types::{Record, Shard, ShardIteratorType};
use shared::change::Change;
use shared::counters::Counter;
use shared::labels;
use tokio::time::Instant;

use super::Follower;
use super::consumer::Consumer;
use crate::embedded::checkpoint_name;
use crate::terminal::Failure;

/// The most records that the Streams API returns in one answer.
const MAX_RECORDS: i32 = 1_000;

/// The most changes that are passed to the consumer in one batch. Changes with common
/// counters then need only one write.
const MAX_BATCH_CHANGES: usize = 5_000;

/// How many bytes of records are read in one request. DynamoDB itself stops at 1 MB; the
/// embedded engine has no such limit.
const REQUESTED_BYTES: i64 = 4 * 1024 * 1024;

const TRIMMED: &str = "TrimmedDataAccessException";

/// The position of reading a shard.
pub(super) struct Reading {
    /// `None` until the checkpoint is read again.
    iterator: Option<String>,
    parent: Option<String>,
    is_finished: bool,
}

/// What was read of a shard.
struct ShardRead {
    records: usize,
    changes: Vec<Change>,
    /// The sequence number of the last record.
    last: Option<String>,
    /// `None` at the end of the shard.
    next: Option<String>,
}

impl Follower {
    /// Returns the shards that are not finished, but whose parents are finished.
    pub(super) fn readable(&self) -> Vec<String> {
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

    /// Finds the shards of the stream. The counters' follower gives labels a separate
    /// position before it reads the first shard.
    ///
    /// # Errors
    /// A request to the stream or the table fails.
    pub async fn find_shards(&mut self) -> Result<(), Failure> {
        let found = self.all_shards().await?;
        let ids: HashSet<_> = found.iter().filter_map(Shard::shard_id).collect();
        // Drops shards that the stream no longer has.
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
        if matches!(self.consumer, Consumer::Count { .. }) && !self.has_label_position {
            let names = self.shards.keys();
            let names = names.map(|shard_id| checkpoint_name(self.store.table(), shard_id));
            let names: Vec<_> = names.collect();
            let counter = Counter::new(self.store.clone());
            labels::copy_counter_positions(&counter, &names).await?;
            self.has_label_position = true;
        }
        self.shards_found_at = Some(Instant::now());
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

    /// Returns the ARN of the table's newest stream. DescribeTable would return it too, but
    /// makes the embedded engine count all items.
    pub(super) async fn stream_arn(&self) -> Result<Option<String>, Failure> {
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

    /// Reads a shard to its current end, or up to [`MAX_BATCH_CHANGES`], and passes the changes
    /// to the consumer. Returns the number of records.
    pub(super) async fn read(&mut self, shard_id: &str) -> Result<usize, Failure> {
        let shard = self.shards.get(shard_id);
        let iterator = match shard.and_then(|shard| shard.iterator.clone()) {
            Some(iterator) => iterator,
            None => match self.iterator(shard_id).await? {
                Some(iterator) => iterator,
                None => return Ok(0),
            },
        };
        let Some(read) = self.read_changes(iterator).await? else {
            // The checkpoint shows where to continue.
            self.set_iterator(shard_id, None);
            return Ok(1);
        };
        let name = checkpoint_name(self.store.table(), shard_id);
        self.consumer
            .process(&name, read.records, &read.changes, read.last.as_deref())
            .await?;
        // The position advances last, so that after an error the records are read again.
        if read.next.is_some() {
            self.set_iterator(shard_id, read.next);
            return Ok(read.records);
        }
        if let Some(shard) = self.shards.get_mut(shard_id) {
            shard.is_finished = true;
        }
        // The shards are looked up again, to find its children.
        self.shards_found_at = None;
        Ok(read.records + 1)
    }

    /// Reads records from an iterator on, and decodes their changes. Returns `None` if the
    /// iterator is no longer valid.
    async fn read_changes(&mut self, iterator: String) -> Result<Option<ShardRead>, Failure> {
        let mut read = ShardRead {
            records: 0,
            changes: Vec::new(),
            last: None,
            next: Some(iterator),
        };
        while let Some(iterator) = read.next.clone()
            && read.changes.len() < MAX_BATCH_CHANGES
        {
            let get = self.streams.get_records().shard_iterator(iterator);
            let answer = match get.limit(self.limit).send().await {
                Ok(answer) => answer,
                Err(error) if has_code(&error, &["ExpiredIteratorException", TRIMMED]) => {
                    return Ok(None);
                }
                Err(error) => return Err(failed(error)),
            };
            read.next = answer.next_shard_iterator;
            let records = answer.records.unwrap_or_default();
            read.records += records.len();
            // Under constant writes there are always more records, so those that exist now are
            // processed first.
            let is_at_end = records.len() < self.limit as usize;
            self.adapt_limit(&records);
            let sequence_number = |record: &Record| record.dynamodb()?.sequence_number.clone();
            read.last = records.last().and_then(sequence_number).or(read.last);
            let changes = records.into_iter();
            let changes = changes.filter_map(|record| self.consumer.decode(record));
            read.changes.extend(changes);
            if is_at_end {
                break;
            }
        }
        Ok(Some(read))
    }

    fn set_iterator(&mut self, shard_id: &str, iterator: Option<String>) {
        if let Some(shard) = self.shards.get_mut(shard_id) {
            shard.iterator = iterator;
        }
    }

    /// Adapts the number of requested records to [`REQUESTED_BYTES`].
    fn adapt_limit(&mut self, records: &[Record]) {
        let size = |record: &Record| record.dynamodb().and_then(|change| change.size_bytes());
        let bytes: i64 = records.iter().filter_map(size).sum();
        if let Ok(count) = i64::try_from(records.len())
            && count > 0
        {
            let fitting = REQUESTED_BYTES / (bytes / count).max(1);
            self.limit = i32::try_from(fitting)
                .unwrap_or(MAX_RECORDS)
                .clamp(10, MAX_RECORDS);
        }
    }

    /// Returns the iterator that starts after a shard's checkpoint, or at the shard's
    /// beginning if there is no checkpoint.
    async fn iterator(&self, shard_id: &str) -> Result<Option<String>, Failure> {
        let Some(arn) = self.stream_arn().await? else {
            return Ok(None);
        };
        let get = || {
            let get = self.streams.get_shard_iterator();
            get.stream_arn(&arn).shard_id(shard_id)
        };
        let name = checkpoint_name(self.store.table(), shard_id);
        if let Some(checkpoint) = self.consumer.checkpoint(&name).await? {
            let after = get()
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .sequence_number(checkpoint);
            match after.send().await {
                Ok(answer) => return Ok(answer.shard_iterator),
                // All records up to the checkpoint have left the stream.
                Err(error) if has_code(&error, &[TRIMMED]) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let first = get().shard_iterator_type(ShardIteratorType::TrimHorizon);
        Ok(first.send().await.map_err(failed)?.shard_iterator)
    }
}

fn has_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, codes: &[&str]) -> bool {
    error.code().is_some_and(|code| codes.contains(&code))
}

fn failed<E>(error: SdkError<E>) -> Failure
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    shared::store::from_sdk(error).into()
}
