//! Writes a batch in one transaction of the engine.
//!
//! The engine writes each item of a BatchWriteItem in a separate transaction, with a disk
//! sync for each: 25 items take as long as 25 requests. Here a batch is one transaction
//! with one sync. DynamoDB only promises that each item is written completely or not at
//! all, so clients notice no difference except the time.

use dynoxide::actions::batch_write_item::{
    BatchWriteItemRequest, BatchWriteItemResponse, WriteRequest,
};
use dynoxide::actions::transact_write_items::{
    TransactDelete, TransactPut, TransactWriteItem, TransactWriteItemsRequest,
};
use dynoxide::{Database, DynoxideError};

/// Writes a batch. Blocks.
///
/// # Errors
/// The errors of the engine's own BatchWriteItem.
pub(super) fn write(
    database: &Database,
    request: BatchWriteItemRequest,
) -> Result<BatchWriteItemResponse, DynoxideError> {
    // If the transaction is refused (more than 4 MB, an item twice, an invalid item), the
    // engine's own operation accepts or refuses the batch with its own message.
    if let Some(together) = to_transaction(&request)
        && let Ok(written) = database.transact_write_items(together)
    {
        let consumed_capacity = written.consumed_capacity.map(|tables| {
            let once = tables.into_iter().map(|mut table| {
                // In a transaction the engine charges the table twice, and its indexes
                // once.
                let own = table.table.take().map_or(0.0, |own| own.capacity_units);
                table.capacity_units -= own / 2.0;
                table.global_secondary_indexes = None;
                table.write_capacity_units = None;
                table
            });
            once.collect()
        });
        return Ok(BatchWriteItemResponse {
            consumed_capacity,
            ..BatchWriteItemResponse::default()
        });
    }
    database.batch_write_item(request)
}

/// Returns the same writes as a transaction; `None` for a single write, or if the caller
/// requests figures that a transaction does not have.
fn to_transaction(request: &BatchWriteItemRequest) -> Option<TransactWriteItemsRequest> {
    let wants_indexes = request.return_consumed_capacity.as_deref() == Some("INDEXES");
    let count: usize = request.request_items.values().map(Vec::len).sum();
    // A batch has at most 25 items; a transaction could have more.
    if !(2..=25).contains(&count)
        || wants_indexes
        || request.return_item_collection_metrics.is_some()
    {
        return None;
    }
    let writes = request.request_items.iter();
    let writes = writes.flat_map(|(table, writes)| writes.iter().map(move |it| action(table, it)));
    Some(TransactWriteItemsRequest {
        transact_items: writes.collect::<Option<_>>()?,
        return_consumed_capacity: match request.return_consumed_capacity.as_deref() {
            Some("TOTAL") => Some("INDEXES".to_owned()),
            _ => request.return_consumed_capacity.clone(),
        },
        ..TransactWriteItemsRequest::default()
    })
}

fn action(table: &str, write: &WriteRequest) -> Option<TransactWriteItem> {
    match (&write.put_request, &write.delete_request) {
        (Some(put), None) => Some(TransactWriteItem {
            put: Some(TransactPut {
                table_name: table.to_owned(),
                item: put.item.clone(),
                ..TransactPut::default()
            }),
            ..TransactWriteItem::default()
        }),
        (None, Some(delete)) => Some(TransactWriteItem {
            delete: Some(TransactDelete {
                table_name: table.to_owned(),
                key: delete.key.clone(),
                ..TransactDelete::default()
            }),
            ..TransactWriteItem::default()
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::embedded::Embedded;

    async fn database() -> Embedded {
        let embedded = Embedded::in_memory().expect("a database");
        let created = shared::table::create(&embedded.client(), "history").await;
        created.expect("a table");
        embedded
    }

    fn request(writes: &Value) -> BatchWriteItemRequest {
        let request =
            json!({"RequestItems": {"history": writes}, "ReturnConsumedCapacity": "TOTAL"});
        serde_json::from_value(request).expect("a request")
    }

    fn put(id: &str, attributes: Value) -> Value {
        let mut item = json!({
            "pk": {"S": format!("EXEC#{id}")}, "sk": {"S": "EXECUTION"}, "teamId": {"S": "t"},
            "createdAt": {"S": "2026-02-17T10:30:00.000Z"},
        });
        let more = attributes.as_object().expect("attributes").clone();
        item.as_object_mut().expect("an item").extend(more);
        json!({"PutRequest": {"Item": item}})
    }

    fn delete(id: &str) -> Value {
        json!({"DeleteRequest": {"Key": {"pk": {"S": format!("EXEC#{id}")}, "sk": {"S": "EXECUTION"}}}})
    }

    /// Returns the items of the table, and the changes in its stream.
    fn state(embedded: &Embedded) -> (Value, Vec<Value>) {
        let call = |operation: &str, body: Value| {
            let target = format!("DynamoDB_20120810.{operation}");
            let answer = super::super::dispatch::dispatch(
                &embedded.database,
                &target,
                body.to_string().as_bytes(),
            );
            serde_json::from_str::<Value>(&answer.body).expect("JSON")
        };
        let items = call("Scan", json!({"TableName": "history"}))["Items"].take();
        let streams = call("ListStreams", json!({"TableName": "history"}));
        let arn = streams["Streams"][0]["StreamArn"].clone();
        let described = call("DescribeStream", json!({"StreamArn": arn}));
        let shard = described["StreamDescription"]["Shards"][0]["ShardId"].clone();
        let iterator =
            json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
        let iterator = call("GetShardIterator", iterator)["ShardIterator"].clone();
        let records = call("GetRecords", json!({"ShardIterator": iterator}))["Records"].take();
        let records = records.as_array().expect("records").iter();
        let changes = records.map(|record| {
            let change = &record["dynamodb"];
            json!([
                record["eventName"],
                change["Keys"],
                change["OldImage"],
                change["NewImage"]
            ])
        });
        (items, changes.collect())
    }

    #[tokio::test]
    async fn a_batch_equals_the_engine_s_own_batch_and_costs_the_same() {
        let large = json!({"large": {"S": "x".repeat(300_000)}});
        let batches = [
            json!([
                put("a", json!({})),
                put("b", json!({"status": {"S": "RUNNING"}})),
                put("c", large.clone())
            ]),
            json!([
                delete("a"),
                put("b", json!({"status": {"S": "FAILED"}})),
                delete("never")
            ]),
            // More than a transaction accepts.
            Value::Array(
                (0..20)
                    .map(|id| put(&id.to_string(), large.clone()))
                    .collect(),
            ),
        ];
        let (ours, theirs) = (database().await, database().await);
        for batch in &batches {
            let one = write(&ours.database, request(batch)).expect("written");
            let other = theirs
                .database
                .batch_write_item(request(batch))
                .expect("written");
            assert_eq!(one.unprocessed_items.len(), 0);
            let units = |response: &BatchWriteItemResponse| {
                let tables = response.consumed_capacity.as_ref().expect("figures");
                tables.iter().map(|table| table.capacity_units).sum::<f64>()
            };
            assert_eq!(units(&one), units(&other), "{batch:.300}");
        }
        assert_eq!(state(&ours), state(&theirs));
        assert!(to_transaction(&request(&batches[0])).is_some());
    }

    #[tokio::test]
    async fn refusals_use_the_engine_s_own_messages() {
        let (ours, theirs) = (database().await, database().await);
        let many: Vec<_> = (0..26).map(|id| put(&id.to_string(), json!({}))).collect();
        for batch in [
            json!([put("a", json!({})), put("a", json!({}))]),
            json!([put("a", json!({})), put("b", json!({"teamId": {"N": "1"}}))]),
            json!([
                put("a", json!({})),
                put("b", json!({"x": {"S": "x".repeat(420_000)}}))
            ]),
            json!([put("a", json!({})), {}]),
            json!(many),
            json!([]),
        ] {
            let words = |result: Result<BatchWriteItemResponse, DynoxideError>| {
                result.map(|_| ()).map_err(|error| error.to_json())
            };
            let one = words(write(&ours.database, request(&batch)));
            let other = words(theirs.database.batch_write_item(request(&batch)));
            assert!(one.is_err(), "{batch:.200}");
            assert_eq!(one, other);
        }
        assert_eq!(state(&ours), state(&theirs));
    }
}
