//! Writes many records in one transaction.
//!
//! DynamoDB's batches are limited to 25 items and have no conditions. Imports use a
//! separate request, which accepts a thousand records and waits for the disk once.

use std::collections::{HashMap, HashSet};

use dynoxide::actions::batch_write_item::{BatchWriteItemRequest, WriteRequest};
use dynoxide::actions::get_item::GetItemRequest;
use dynoxide::types::{MAX_ITEM_SIZE, item_size};
use dynoxide::{AttributeValue, Database, DynoxideError, ImportOptions, Item};
use serde_json::{Value, json};
use shared::attributes::{PARTITION_KEY, SORT_KEY, STATUS, TEAM_ID};
use shared::keys;
use shared::model::Status;

/// The `x-amz-target` of the request, which DynamoDB does not have.
///
/// Its body is the body of `BatchWriteItem`, with any number of puts into one table. Either
/// all are written, or none. If they include an execution, all of them have records in the
/// stream; steps and payloads without an execution have none. An execution that has ended
/// is final: it is not replaced, nor are its existing other records. The answer is the
/// answer of `BatchWriteItem`: `UnprocessedItems` contains the items of the table that were
/// not replaced.
pub const PUT_RECORDS: &str = "Flowtrail_20261201.PutRecords";

/// Writes records. Nothing else may write during this call. Blocks.
///
/// # Errors
/// A record is not an item of the table, or the engine fails: nothing is written.
pub(super) fn put_records(
    database: &Database,
    request: BatchWriteItemRequest,
) -> Result<Value, DynoxideError> {
    let (table, items) = parse_items(request)?;
    let kept = put_items(database, &table, items)?.into_iter();
    let kept: Vec<_> = kept
        .map(|item| json!({ "PutRequest": { "Item": item } }))
        .collect();
    let mut unprocessed = json!({});
    if !kept.is_empty() {
        unprocessed[&table] = Value::Array(kept);
    }
    Ok(json!({ "UnprocessedItems": unprocessed }))
}

/// Writes records as [`put_records`] does, for calls in this process. Returns the items of
/// the table that were not replaced.
///
/// # Errors
/// The errors of [`put_records`].
pub(super) fn put_items(
    database: &Database,
    table: &str,
    items: Vec<Item>,
) -> Result<Vec<Item>, DynoxideError> {
    check(&items)?;
    let mut runs = Runs {
        database,
        table,
        ended: HashMap::new(),
    };
    let (mut written, mut kept) = (Vec::with_capacity(items.len()), Vec::new());
    for item in items {
        match runs.kept_item(&item)? {
            Some(there) => kept.push(there),
            None => written.push(item),
        }
    }
    import(database, table, written)?;
    Ok(kept)
}

/// Writes all items or none. If they include executions, all of them have records in the
/// stream. Steps and payloads without an execution have none: they require no further work,
/// and the followers would skip nine records for each record that they need.
fn import(database: &Database, table: &str, items: Vec<Item>) -> Result<(), DynoxideError> {
    let is_execution = |item: &Item| text(item, SORT_KEY) == keys::EXECUTION;
    let options = ImportOptions {
        record_streams: items.iter().any(is_execution),
        ..ImportOptions::default()
    };
    database.import_items(table, items, options)?;
    Ok(())
}

/// Returns the table and the items of a request.
fn parse_items(request: BatchWriteItemRequest) -> Result<(String, Vec<Item>), DynoxideError> {
    let mut tables = request.request_items.into_iter();
    let (Some((table, requests)), None) = (tables.next(), tables.next()) else {
        return Err(invalid("the request must name one table"));
    };
    let item_of = |request: WriteRequest| match (request.put_request, request.delete_request) {
        (Some(put), None) => Ok(put.item),
        _ => Err(invalid("each part of the request must be one put")),
    };
    let items = requests.into_iter().map(item_of);
    Ok((table, items.collect::<Result<_, _>>()?))
}

/// Refuses items that the engine's import accepts but its other requests refuse.
fn check(items: &[Item]) -> Result<(), DynoxideError> {
    let mut keys = HashSet::new();
    for item in items {
        if item_size(item) > MAX_ITEM_SIZE {
            return Err(invalid("Item size has exceeded the maximum allowed size"));
        }
        if item
            .iter()
            .any(|(name, value)| name.is_empty() || has_empty_name(value))
        {
            return Err(invalid("an attribute has no name"));
        }
        if !keys.insert((text(item, PARTITION_KEY), text(item, SORT_KEY))) {
            return Err(invalid("Provided list of item keys contains duplicates"));
        }
    }
    Ok(())
}

fn invalid(message: &str) -> DynoxideError {
    DynoxideError::ValidationException(message.to_owned())
}

fn has_empty_name(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::L(values) => values.iter().any(has_empty_name),
        AttributeValue::M(members) => members
            .iter()
            .any(|(name, value)| name.is_empty() || has_empty_name(value)),
        _ => false,
    }
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    match item.get(name) {
        Some(AttributeValue::S(text)) => text,
        _ => "",
    }
}

fn get_status(execution: &Item) -> Option<Status> {
    let status = text(execution, STATUS);
    let mut all = Status::ALL.into_iter();
    all.find(|known| known.as_str() == status)
}

/// The state of the runs whose records are written.
struct Runs<'a> {
    database: &'a Database,
    table: &'a str,
    /// Whether a run, by its partition key, has ended.
    ended: HashMap<String, bool>,
}

impl Runs<'_> {
    /// Returns the existing item that a record must not replace, if there is one.
    fn kept_item(&mut self, record: &Item) -> Result<Option<Item>, DynoxideError> {
        let (pk, sk) = (text(record, PARTITION_KEY), text(record, SORT_KEY));
        if sk == keys::EXECUTION {
            let there = self.get(pk, sk)?;
            // An open run is replaced by its own team.
            let is_replaced = |there: &Item| {
                get_status(there).is_some_and(Status::is_open)
                    && there.get(TEAM_ID) == record.get(TEAM_ID)
            };
            return Ok(there.filter(|there| !is_replaced(there)));
        }
        match self.has_ended(pk)? {
            true => self.get(pk, sk),
            false => Ok(None),
        }
    }

    fn has_ended(&mut self, pk: &str) -> Result<bool, DynoxideError> {
        if let Some(ended) = self.ended.get(pk) {
            return Ok(*ended);
        }
        let run = self.get(pk, keys::EXECUTION)?;
        let ended = run.as_ref().and_then(get_status);
        let ended = ended.is_some_and(Status::is_terminal);
        self.ended.insert(pk.to_owned(), ended);
        Ok(ended)
    }

    fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, DynoxideError> {
        let key = [(PARTITION_KEY, pk), (SORT_KEY, sk)];
        let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
        let answer = self.database.get_item(GetItemRequest {
            table_name: self.table.to_owned(),
            key: key.into(),
            ..GetItemRequest::default()
        })?;
        Ok(answer.item)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::error::ProvideErrorMetadata;
    use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
    use shared::model::Item as Record;
    use shared::store::MAX_ITEMS_A_BATCH;

    use super::*;
    use crate::embedded::Embedded;

    const TABLE: &str = "history";

    async fn table() -> (tempfile::TempDir, Embedded) {
        let folder = tempfile::tempdir().expect("a folder");
        let embedded = Embedded::open(&folder.path().join("t.db")).expect("opens");
        let created = shared::table::create(&embedded.client(), TABLE).await;
        assert!(created.expect("a table"));
        (folder, embedded)
    }

    fn record(value: Value) -> Record {
        serde_dynamo::to_item(value).expect("an item")
    }

    fn run(id: &str, team: &str, status: &str) -> Record {
        record(json!({
            "pk": format!("EXEC#{id}"), "sk": "EXECUTION", "executionId": id, "teamId": team,
            "flowId": "flow", "createdAt": "2026-02-17T10:30:00.000Z", "status": status,
        }))
    }

    fn step(id: &str, output: &str) -> Record {
        record(json!({"pk": format!("EXEC#{id}"), "sk": "STEP#a", "output": output}))
    }

    /// Writes records in one request. Returns the items that were not replaced, or the
    /// error's code.
    async fn put(client: &Client, records: Vec<Record>) -> Result<Vec<Record>, String> {
        let puts = records.into_iter().map(|item| {
            let put = PutRequest::builder().set_item(Some(item)).build();
            WriteRequest::builder()
                .put_request(put.expect("a put"))
                .build()
        });
        let request = client.batch_write_item();
        let request = request.request_items(TABLE, puts.collect());
        let request = request.customize().mutate_request(|request| {
            request.headers_mut().insert("x-amz-target", PUT_RECORDS);
        });
        let answer = request.send().await.map_err(|error| {
            let code = error.code().expect("a code");
            code.to_owned()
        })?;
        let kept = answer.unprocessed_items.unwrap_or_default();
        let kept = kept.into_values().flatten();
        Ok(kept
            .filter_map(|request| Some(request.put_request?.item))
            .collect())
    }

    async fn get(client: &Client, of: &Record) -> Option<Record> {
        let get = client.get_item().table_name(TABLE);
        let get = get.key("pk", of["pk"].clone()).key("sk", of["sk"].clone());
        get.send().await.expect("read").item
    }

    /// Returns the number of transactions in the write-ahead log, counted by the frames
    /// that end one (<https://www.sqlite.org/fileformat2.html#wal_file_format>).
    fn transactions(folder: &tempfile::TempDir) -> usize {
        let log = std::fs::read(folder.path().join("t.db-wal")).expect("a log");
        let page = u32::from_be_bytes(log[8..12].try_into().expect("four bytes")) as usize;
        let salt = &log[16..24];
        let frames = log[32..].chunks_exact(24 + page);
        let frames = frames.take_while(|frame| &frame[8..16] == salt);
        frames.filter(|frame| frame[4..8] != [0; 4]).count()
    }

    #[tokio::test]
    async fn a_batch_is_one_transaction() {
        let (folder, embedded) = table().await;
        let client = embedded.client();
        let runs: Vec<_> = (0..MAX_ITEMS_A_BATCH)
            .map(|number| run(&format!("r-{number}"), "t", "COMPLETED"))
            .collect();
        let puts = runs.iter().map(|item| {
            let put = PutRequest::builder().set_item(Some(item.clone())).build();
            let put = put.expect("a put");
            WriteRequest::builder().put_request(put).build()
        });
        let before = transactions(&folder);
        let batch = client.batch_write_item();
        let batch = batch.request_items(TABLE, puts.collect()).send().await;
        let unprocessed = batch.expect("written").unprocessed_items;
        assert_eq!(unprocessed.unwrap_or_default().len(), 0);
        assert_eq!(transactions(&folder) - before, 1);
        for item in &runs {
            assert_eq!(get(&client, item).await.as_ref(), Some(item));
        }
    }

    #[tokio::test]
    async fn a_faulty_batch_is_refused_as_by_the_engine() {
        let (_folder, embedded) = table().await;
        let client = embedded.client();
        let one = run("one", "t", "COMPLETED");
        let put = PutRequest::builder().set_item(Some(one.clone())).build();
        let put = WriteRequest::builder()
            .put_request(put.expect("a put"))
            .build();
        let batch = client.batch_write_item();
        let batch = batch.request_items(TABLE, vec![put.clone(), put]);
        let refused = batch.send().await.expect_err("refused");
        assert_eq!(refused.code(), Some("ValidationException"));
        let message = refused.message().unwrap_or_default();
        assert!(message.contains("duplicates"), "{message}");
        assert_eq!(get(&client, &one).await, None);
    }

    #[tokio::test]
    async fn a_thousand_records_take_one_request_and_reach_the_stream() {
        let (_folder, embedded) = table().await;
        let client = embedded.client();
        let runs = (0..1_000).map(|number| run(&format!("r-{number}"), "t", "COMPLETED"));
        let before = embedded.requests();
        assert_eq!(put(&client, runs.collect()).await, Ok(Vec::new()));
        assert_eq!(embedded.requests() - before, 1);
        let last = run("r-999", "t", "COMPLETED");
        assert_eq!(get(&client, &last).await.as_ref(), Some(&last));
        let listed = client.query().table_name(TABLE).index_name("by-team");
        let listed = listed
            .key_condition_expression("teamId = :t")
            .expression_attribute_values(":t", shared::attributes::text("t"));
        let listed = listed.limit(2_000).send().await.expect("listed");
        assert_eq!(listed.count, 1_000, "also through an index");
        let store = shared::store::Store::new(client, TABLE);
        let mut follower = crate::follow::Follower::counting(embedded.streams_client(), store);
        follower.drain(|_| ()).await.expect("followed");
        assert_eq!(follower.applied().expect("a counter").changes, 1_000);
    }

    #[tokio::test]
    async fn steps_without_an_execution_are_not_in_the_stream() {
        let (_folder, embedded) = table().await;
        let client = embedded.client();
        let steps: Vec<_> = (0..100)
            .map(|number| step(&format!("r-{number}"), "done"))
            .collect();
        assert_eq!(put(&client, steps.clone()).await, Ok(Vec::new()));
        assert_eq!(get(&client, &steps[99]).await.as_ref(), Some(&steps[99]));
        let store = shared::store::Store::new(client.clone(), TABLE);
        let mut follower = crate::follow::Follower::counting(embedded.streams_client(), store);
        // The one record is the follower's own note.
        let mut seen = 0;
        let first = follower.drain(|records| seen += records).await;
        first.expect("followed");
        assert_eq!(seen, 1);
        let with_run = vec![run("r-1", "t", "COMPLETED"), step("r-1", "again")];
        assert_eq!(put(&client, with_run).await, Ok(Vec::new()));
        let second = follower.drain(|records| seen += records).await;
        second.expect("followed");
        assert!(seen >= 3, "{seen}");
    }

    #[tokio::test]
    async fn only_open_runs_are_replaced_and_only_by_their_own_team() {
        let (_folder, embedded) = table().await;
        let client = embedded.client();
        let there = [
            run("ended", "t", "CANCELLED"),
            step("ended", "kept"),
            run("open", "t", "RUNNING"),
            step("open", "old"),
            run("other", "t", "RUNNING"),
        ];
        assert_eq!(put(&client, there.to_vec()).await, Ok(Vec::new()));
        let mut missing = step("ended", "added");
        missing.insert("sk".to_owned(), shared::attributes::text("STEP#b"));
        let new = [
            run("ended", "t", "RUNNING"),
            step("ended", "lost"),
            missing.clone(),
            run("open", "t", "COMPLETED"),
            step("open", "new"),
            run("other", "another", "COMPLETED"),
        ];
        let kept = put(&client, new.to_vec()).await.expect("written");
        assert_eq!(kept, [there[0].clone(), there[1].clone(), there[4].clone()]);
        for (item, is) in new
            .iter()
            .zip([&there[0], &there[1], &missing, &new[3], &new[4], &there[4]])
        {
            assert_eq!(get(&client, item).await.as_ref(), Some(is));
        }
    }

    #[tokio::test]
    async fn an_invalid_item_refuses_the_whole_request() {
        let (_folder, embedded) = table().await;
        let client = embedded.client();
        let good = run("good", "t", "COMPLETED");
        let mut large = step("good", "");
        large.insert(
            "x".to_owned(),
            shared::attributes::text("x".repeat(410_000)),
        );
        let mut keyless = step("good", "");
        keyless.remove("sk");
        let mut wrong = run("wrong", "t", "COMPLETED");
        wrong.insert("teamId".to_owned(), shared::attributes::text(""));
        let nameless = record(json!({"pk": "EXEC#good", "sk": "STEP#a", "input": {"": 1}}));
        for bad in [large, keyless, wrong, nameless, good.clone()] {
            let refused = put(&client, vec![good.clone(), bad]).await;
            assert_eq!(refused, Err("ValidationException".to_owned()));
            assert_eq!(get(&client, &good).await, None);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_end_that_is_written_concurrently_is_never_lost() {
        let (_folder, embedded) = table().await;
        let client = embedded.client();
        for number in 0..20 {
            let id = format!("r-{number}");
            let open = run(&id, "t", "RUNNING");
            assert_eq!(put(&client, vec![open.clone()]).await, Ok(Vec::new()));
            let mut many: Vec<_> = (0..200)
                .map(|other| run(&format!("{id}-{other}"), "t", "RUNNING"))
                .collect();
            many.push(open);
            let ended = run(&id, "t", "COMPLETED");
            let end = client.put_item().table_name(TABLE);
            let end = end.set_item(Some(ended.clone())).send();
            let (imported, end) = tokio::join!(put(&client, many), end);
            imported.expect("written");
            end.expect("written");
            assert_eq!(get(&client, &ended).await, Some(ended));
        }
    }
}
