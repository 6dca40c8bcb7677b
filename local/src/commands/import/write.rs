//! Writes records into the table.
//!
//! An embedded table accepts many records in one request
//! ([`crate::embedded::PUT_RECORDS`]). Any other table gets DynamoDB's batches, and single
//! requests for records with a condition. If an embedded table refuses a large request, its
//! records are written in the same way, to find out which line is at fault.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use futures_util::{StreamExt, TryStreamExt, stream};
use shared::attributes::TEAM_ID;
use shared::keys;
use shared::model::{Item, approximate_size};
use shared::store::{Condition, MAX_ITEMS_A_BATCH, Store, from_sdk};

use super::lines::{Key, Line, get_key, has_ended};
use crate::commands::OpenTable;
use crate::embedded::{Embedded, PUT_RECORDS};
use crate::terminal::Failure;

/// How many requests are sent at a time.
const REQUESTS_AT_A_TIME: usize = 8;

/// The approximate maximum size of one request, in bytes. Even a slow connection transfers
/// eight such requests in time.
const BATCH_BYTES: usize = 256 * 1024;

/// How many large requests are sent at a time: while one is written, the next are prepared.
const LARGE_REQUESTS_AT_A_TIME: usize = 3;

/// The most records of a large request. Other writers wait while they are written.
const LARGE_BATCH: usize = 1_000;

/// The approximate maximum size of a large request, in bytes.
const LARGE_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The result of writing some records.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Records that were not written because their runs had already ended differently.
    pub(super) kept: u64,
    /// Records that the table refuses: the line numbers and reasons.
    pub(super) refused: Vec<(u64, String)>,
}

impl Written {
    fn and(mut self, other: Self) -> Self {
        self.kept += other.kept;
        self.refused.extend(other.refused);
        self
    }

    /// Adds a record that was not written because the table already has the record `there`.
    fn add_kept(&mut self, line: &Line, there: Option<&Item>) {
        let is_of_other_team = keys::is_execution(&line.record)
            && there.is_some_and(|run| run.get(TEAM_ID) != line.record.get(TEAM_ID));
        if is_of_other_team {
            let reason = "the execution id belongs to another team. Use another id.";
            self.refused.push((line.number, reason.to_owned()));
        } else if there != Some(&line.record) {
            self.kept += 1;
        }
    }
}

/// Why a large request did not write its records.
enum Unwritten {
    /// The table does not support large requests, or refuses one of the records.
    OneByOne,
    Failed(Failure),
}

/// Writes records into a table.
pub(super) struct Writer<'a> {
    store: &'a Store,
    /// The table's database, if this process has opened it.
    embedded: Option<&'a Embedded>,
    /// Whether the table accepts large requests, as far as is known.
    accepts_large: AtomicBool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(table: &'a OpenTable) -> Self {
        Self {
            store: &table.store,
            embedded: table.held.as_ref().map(|(_, embedded)| embedded),
            accepts_large: table.is_flowtrails.into(),
        }
    }

    /// Writes records. Existing records of runs that have ended are not replaced; missing
    /// ones are added.
    pub(super) async fn write(&self, records: HashMap<Key, Line>) -> Result<Written, Failure> {
        let (executions, others): (Vec<_>, Vec<_>) = records
            .into_values()
            .partition(|line| keys::is_execution(&line.record));
        // The executions are written last, so that a visible run is always complete.
        let written = self.write_many(others).await?;
        Ok(written.and(self.write_many(executions).await?))
    }

    /// Writes records in large requests, if the table accepts them.
    async fn write_many(&self, lines: Vec<Line>) -> Result<Written, Failure> {
        if !self.accepts_large.load(Ordering::Relaxed) {
            return write_generic(self.store, lines).await;
        }
        let batches = batches(lines, LARGE_BATCH, LARGE_BATCH_BYTES);
        let writes = batches.into_iter().map(|batch| async move {
            match self.put_records(&batch).await {
                Ok(written) => Ok(written),
                Err(Unwritten::OneByOne) => write_generic(self.store, batch).await,
                Err(Unwritten::Failed(failure)) => Err(failure),
            }
        });
        stream::iter(writes)
            .buffer_unordered(LARGE_REQUESTS_AT_A_TIME)
            .try_fold(Written::default(), async |all, some| Ok(all.and(some)))
            .await
    }

    /// Writes records in one request. Records that the table already has may be kept as
    /// they are.
    async fn put_records(&self, batch: &[Line]) -> Result<Written, Unwritten> {
        let kept = match self.embedded {
            Some(embedded) => {
                let records = batch.iter().map(|line| line.record.clone()).collect();
                let kept = embedded.put_many(self.store.table(), records).await;
                kept.map_err(|_| Unwritten::OneByOne)?
            }
            None => self.request_records(batch).await?,
        };
        let mut written = Written::default();
        if kept.is_empty() {
            return Ok(written);
        }
        let lines: HashMap<Key, &Line> = batch
            .iter()
            .map(|line| (get_key(&line.record), line))
            .collect();
        for there in kept {
            if let Some(line) = lines.get(&get_key(&there)) {
                written.add_kept(line, Some(&there));
            }
        }
        Ok(written)
    }

    /// Sends records to a server in one request. Returns the records that it kept as they
    /// were.
    async fn request_records(&self, batch: &[Line]) -> Result<Vec<Item>, Unwritten> {
        let failed = |error: shared::Error| Unwritten::Failed(error.into());
        let put = |line: &Line| {
            let put = PutRequest::builder().set_item(Some(line.record.clone()));
            let put = put.build().map_err(shared::Error::internal)?;
            Ok(WriteRequest::builder().put_request(put).build())
        };
        let puts: shared::Result<Vec<_>> = batch.iter().map(put).collect();
        let request = self.store.client().batch_write_item();
        let request = request.request_items(self.store.table(), puts.map_err(failed)?);
        let request = request.customize().mutate_request(|request| {
            request.headers_mut().insert("x-amz-target", PUT_RECORDS);
        });
        let kept = match request.send().await {
            Ok(answer) => answer.unprocessed_items.unwrap_or_default(),
            // A server of an earlier version.
            Err(error) if error.code() == Some("UnknownOperationException") => {
                self.accepts_large.store(false, Ordering::Relaxed);
                return Err(Unwritten::OneByOne);
            }
            Err(error) => match from_sdk(error) {
                shared::Error::Refused(_) => return Err(Unwritten::OneByOne),
                error => return Err(failed(error)),
            },
        };
        let kept = kept.into_values().flatten();
        Ok(kept
            .filter_map(|request| Some(request.put_request?.item))
            .collect())
    }
}

/// Groups records into batches of at most `most` records and about `most_bytes` bytes.
fn batches(lines: Vec<Line>, most: usize, most_bytes: usize) -> Vec<Vec<Line>> {
    let mut batches: Vec<Vec<Line>> = Vec::new();
    let mut bytes = 0;
    for line in lines {
        let size: usize = line.record.values().map(approximate_size).sum();
        bytes += size;
        match batches.last_mut() {
            Some(batch) if batch.len() < most && bytes <= most_bytes => batch.push(line),
            _ => {
                bytes = size;
                batches.push(vec![line]);
            }
        }
    }
    batches
}

/// Writes records in the way that every table supports.
async fn write_generic(store: &Store, lines: Vec<Line>) -> Result<Written, Failure> {
    let (executions, others): (Vec<_>, Vec<_>) = lines
        .into_iter()
        .partition(|line| keys::is_execution(&line.record));
    let runs: HashSet<String> = others.iter().map(|line| get_key(&line.record).0).collect();
    let reads = runs.into_iter().map(|pk| async move {
        let run = store.get_latest(&pk, keys::EXECUTION).await?;
        shared::Result::Ok(run.is_some_and(|run| has_ended(&run)).then_some(pk))
    });
    let ended = stream::iter(reads).buffer_unordered(REQUESTS_AT_A_TIME);
    let ended: Vec<_> = ended.try_collect().await?;
    let ended: HashSet<_> = ended.into_iter().flatten().collect();
    let (of_ended, others): (Vec<_>, Vec<_>) = others
        .into_iter()
        .partition(|line| ended.contains(&get_key(&line.record).0));
    let written = write_batches(store, others).await?;
    let written = written.and(write_each(store, of_ended, |_| Ok(Condition::absent())).await?);
    Ok(written.and(write_each(store, executions, Condition::of_execution).await?))
}

/// Writes records in batches, and the records of a refused batch one by one.
async fn write_batches(store: &Store, lines: Vec<Line>) -> Result<Written, Failure> {
    let batches = batches(lines, MAX_ITEMS_A_BATCH, BATCH_BYTES);
    let writes = batches.into_iter().map(|batch| async move {
        let items = batch.iter().map(|line| line.record.clone()).collect();
        match store.put_all(items).await {
            Ok(()) => Ok(Written::default()),
            Err(shared::Error::Refused(_)) => {
                write_each(store, batch, |_| Ok(Condition::anything())).await
            }
            Err(error) => Err(error.into()),
        }
    });
    stream::iter(writes)
        .buffer_unordered(REQUESTS_AT_A_TIME)
        .try_fold(Written::default(), async |all, some| Ok(all.and(some)))
        .await
}

async fn write_each(
    store: &Store,
    lines: Vec<Line>,
    condition_of: fn(&Item) -> shared::Result<Condition>,
) -> Result<Written, Failure> {
    let writes = lines.into_iter().map(|line| async move {
        let mut written = Written::default();
        let condition = condition_of(&line.record)?;
        match store.put_if(line.record.clone(), condition).await {
            Ok(true) => {}
            Ok(false) => {
                let (pk, sk) = get_key(&line.record);
                let there = store.get_latest(&pk, &sk).await?;
                written.add_kept(&line, there.as_ref());
            }
            Err(error @ shared::Error::Refused(_)) => {
                written.refused.push((line.number, error.with_causes()));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(written)
    });
    stream::iter(writes)
        .buffer_unordered(REQUESTS_AT_A_TIME)
        .try_fold(Written::default(), async |all, some| Ok(all.and(some)))
        .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::embedded::Embedded;

    const RUNS: usize = 500;

    fn records() -> HashMap<Key, Line> {
        let records = (0..RUNS).flat_map(|number| {
            let pk = format!("EXEC#run-{number}");
            let run = json!({
                "pk": pk, "sk": keys::EXECUTION, "executionId": format!("run-{number}"),
                "teamId": "team", "flowId": "flow", "status": "COMPLETED",
                "createdAt": "2026-02-17T10:30:00.000Z",
            });
            let steps = (0..5).map(move |step| json!({"pk": pk, "sk": format!("STEP#{step}")}));
            steps.chain([run]).collect::<Vec<_>>()
        });
        let records = records.map(|record| {
            let record: Item = serde_dynamo::to_item(record).expect("an item");
            (get_key(&record), Line { record, number: 1 })
        });
        records.collect()
    }

    /// A writer that uses requests, as for the table of a server.
    fn through_requests(store: &Store, accepts_large: bool) -> Writer<'_> {
        Writer {
            store,
            embedded: None,
            accepts_large: accepts_large.into(),
        }
    }

    async fn imported(accepts_large: bool) -> (Store, u64) {
        let embedded = Embedded::in_memory().expect("a database");
        let store = Store::new(embedded.client(), "history");
        let created = shared::table::create(store.client(), store.table()).await;
        assert!(created.expect("a table"));
        let before = embedded.requests();
        let writer = through_requests(&store, accepts_large);
        let written = writer.write(records()).await.expect("written");
        assert_eq!((written.kept, written.refused.len()), (0, 0));
        (store, embedded.requests() - before)
    }

    #[tokio::test]
    async fn only_embedded_tables_get_a_thousand_records_per_request() {
        let (fast, few) = imported(true).await;
        assert_eq!(few, 4, "2,500 steps and 500 runs");
        let (slow, many) = imported(false).await;
        assert!(many >= 600, "{many}");
        for id in [0, RUNS - 1] {
            let pk = format!("EXEC#run-{id}");
            for sk in [keys::EXECUTION, "STEP#0", "STEP#4"] {
                let there = fast.get(&pk, sk).await.expect("read");
                assert!(there.is_some(), "{pk} {sk}");
                assert_eq!(there, slow.get(&pk, sk).await.expect("read"));
            }
        }
    }

    #[tokio::test]
    async fn a_refused_record_does_not_stop_the_others() {
        let embedded = Embedded::in_memory().expect("a database");
        let store = Store::new(embedded.client(), "history");
        let created = shared::table::create(store.client(), store.table()).await;
        assert!(created.expect("a table"));
        let mut records = records();
        let large = json!({"pk": "EXEC#run-0", "sk": "STEP#large", "x": "x".repeat(410_000)});
        let record: Item = serde_dynamo::to_item(large).expect("an item");
        records.insert(get_key(&record), Line { record, number: 77 });
        for embedded in [None, Some(&embedded)] {
            let writer = Writer {
                embedded,
                ..through_requests(&store, true)
            };
            let written = writer.write(records.clone()).await.expect("written");
            let lines: Vec<_> = written.refused.iter().map(|(line, _)| *line).collect();
            assert_eq!((written.kept, lines), (0, vec![77]));
        }
        let count = store.scan().all().await.expect("read").len();
        assert_eq!(count, RUNS * 6);
    }
}
