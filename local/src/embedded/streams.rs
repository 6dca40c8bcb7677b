//! Answers requests for the description of a table's stream and for its iterators, instead
//! of the engine.
//!
//! The engine describes its one shard by reading every record of the stream, gives it an id
//! that is shorter than AWS allows (AWS's own SDKs refuse it), and reports an end for the
//! open shard. This module takes the same answers from the table's definition and from
//! single records, at the same cost for any size of the stream.

use dynoxide::actions::get_records::{GetRecordsRequest, GetRecordsResponse};
use dynoxide::actions::get_shard_iterator::{
    GetShardIteratorRequest, GetShardIteratorResponse, encode_shard_iterator,
};
use dynoxide::{Database, DynoxideError, TableMetadata, streams};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A request to describe a stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeStreamRequest {
    stream_arn: String,
    exclusive_start_shard_id: Option<String>,
}

/// Returns the id of a table's shard in AWS's format: 20 digits and 8 hexadecimal digits,
/// 37 characters in total; AWS's SDKs accept 28 to 65. It depends only on the table's name,
/// so it is the same after every start.
fn shard_id(table: &str) -> String {
    let digest = Sha256::digest(table);
    let [a, b, c, d] = [digest[0], digest[1], digest[2], digest[3]];
    format!("shardId-{:020}-{a:02x}{b:02x}{c:02x}{d:02x}", 1)
}

/// Returns the name under which a consumer saves its checkpoint of a shard. This is the
/// shard's id or, for the shard of an embedded table, the id that it had before version
/// 0.2. A data folder can thus be used by both versions, and no change is counted twice.
pub fn checkpoint_name(table: &str, shard: &str) -> String {
    if shard == shard_id(table) {
        streams::shard_id(table)
    } else {
        shard.to_owned()
    }
}

/// Describes a stream. Its one shard is open, so it has no last sequence number.
///
/// # Errors
/// The stream does not exist, or the engine fails.
pub(super) fn describe(
    database: &Database,
    request: &DescribeStreamRequest,
) -> Result<Value, DynoxideError> {
    let table = described_table(database, &request.stream_arn)?;
    let name = &table.table_name;
    let shard = shard_id(name);
    let mut range = json!({});
    if let Some(first) = after(database, name, 0)?.records.first() {
        range["StartingSequenceNumber"] = json!(first.dynamodb.sequence_number);
    }
    let shards = match &request.exclusive_start_shard_id {
        Some(start) if *start == shard => json!([]),
        _ => json!([{ "ShardId": shard, "SequenceNumberRange": range }]),
    };
    let key_schema: Value = serde_json::from_str(&table.key_schema).unwrap_or_default();
    Ok(json!({ "StreamDescription": {
        "StreamArn": request.stream_arn,
        "StreamLabel": table.stream_label,
        "StreamStatus": "ENABLED",
        "StreamViewType": table.stream_view_type.as_deref().unwrap_or("NEW_AND_OLD_IMAGES"),
        "TableName": name,
        "KeySchema": key_schema,
        "CreationRequestDateTime": table.created_at,
        "Shards": shards,
    } }))
}

/// Returns an iterator of a shard.
///
/// # Errors
/// The stream or the shard does not exist, or the engine fails.
pub(super) fn shard_iterator(
    database: &Database,
    mut request: GetShardIteratorRequest,
) -> Result<GetShardIteratorResponse, DynoxideError> {
    let table = described_table(database, &request.stream_arn)?;
    let name = &table.table_name;
    let shard = streams::shard_id(name);
    // A consumer that has stored the engine's id with an earlier version can continue to
    // use it.
    if request.shard_id != shard_id(name) && request.shard_id != shard {
        return Err(DynoxideError::ResourceNotFoundException(format!(
            "Requested resource not found: Shard: {}",
            request.shard_id
        )));
    }
    request.shard_id.clone_from(&shard);
    if request.shard_iterator_type != "LATEST" {
        return database.get_shard_iterator(request);
    }
    // The engine would search all records for the last number.
    request.shard_iterator_type = "TRIM_HORIZON".to_owned();
    database.get_shard_iterator(request)?;
    let last = last_position(database, name)?;
    Ok(GetShardIteratorResponse {
        shard_iterator: Some(encode_shard_iterator(name, &shard, last)),
    })
}

/// Returns the table whose stream has this ARN.
fn described_table(database: &Database, arn: &str) -> Result<TableMetadata, DynoxideError> {
    let name = arn.split('/').nth(1).unwrap_or_default();
    let table = database.get_table_metadata(name)?;
    let is_described = |table: &TableMetadata| {
        let label = table.stream_label.as_deref().unwrap_or_default();
        table.stream_enabled && streams::stream_arn(&table.table_name, label) == arn
    };
    table.filter(is_described).ok_or_else(|| {
        DynoxideError::ResourceNotFoundException(format!(
            "Requested resource not found: Stream: {arn}"
        ))
    })
}

/// Returns the first record after a position, if there is one. This is a look-up in an
/// index.
fn after(
    database: &Database,
    table: &str,
    position: i64,
) -> Result<GetRecordsResponse, DynoxideError> {
    database.get_records(GetRecordsRequest {
        shard_iterator: encode_shard_iterator(table, &streams::shard_id(table), position),
        limit: Some(1),
    })
}

/// Returns the position of the last record, or 0 if there are no records. It halves the
/// range of all positions 63 times.
fn last_position(database: &Database, table: &str) -> Result<i64, DynoxideError> {
    let (mut low, mut high) = (0, i64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        if after(database, table, middle)?.records.is_empty() {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodbstreams::Client;
    use aws_sdk_dynamodbstreams::error::ProvideErrorMetadata;
    use aws_sdk_dynamodbstreams::types::{Record, Shard, ShardIteratorType};

    use super::*;
    use crate::embedded::Embedded;

    const TABLE: &str = "history";

    async fn with_records(count: usize, bytes: usize) -> (tempfile::TempDir, Embedded) {
        let folder = tempfile::tempdir().expect("a folder");
        let embedded = Embedded::open(&folder.path().join("t.db")).expect("opens");
        shared::table::create(&embedded.client(), TABLE)
            .await
            .expect("a table");
        import(&embedded, 0..count, bytes).await;
        (folder, embedded)
    }

    async fn import(embedded: &Embedded, numbers: std::ops::Range<usize>, bytes: usize) {
        let text = "x".repeat(bytes);
        let items =
            numbers.map(|number| json!({"pk": format!("pk-{number}"), "sk": "sk", "x": text}));
        let imported = embedded.import(TABLE, items.collect()).await;
        imported.expect("imported");
    }

    async fn arn(client: &Client) -> String {
        let streams = client.list_streams().table_name(TABLE).send().await;
        let streams = streams.expect("a list").streams.unwrap_or_default();
        streams[0].stream_arn().expect("an ARN").to_owned()
    }

    async fn shards(client: &Client) -> Vec<Shard> {
        let describe = client.describe_stream().stream_arn(arn(client).await);
        let answer = describe.send().await.expect("described");
        let stream = answer.stream_description.expect("a description");
        assert_eq!(stream.key_schema().len(), 2);
        assert_eq!(stream.last_evaluated_shard_id(), None);
        stream.shards.unwrap_or_default()
    }

    async fn read(client: &Client, shard: &str, from: ShardIteratorType) -> Vec<Record> {
        let iterator = iterator(client, shard, from).await;
        records(client, &iterator).await
    }

    async fn iterator(client: &Client, shard: &str, from: ShardIteratorType) -> String {
        let iterator = client.get_shard_iterator().stream_arn(arn(client).await);
        let iterator = iterator.shard_id(shard).shard_iterator_type(from).send();
        let iterator = iterator.await.expect("an iterator");
        iterator.shard_iterator.expect("an iterator")
    }

    async fn records(client: &Client, iterator: &str) -> Vec<Record> {
        let records = client.get_records().shard_iterator(iterator).send().await;
        records.expect("records").records.unwrap_or_default()
    }

    fn keys_of(records: &[Record]) -> Vec<&str> {
        let keys = records
            .iter()
            .filter_map(|record| record.dynamodb()?.keys());
        keys.map(|keys| keys["pk"].as_s().expect("a text").as_str())
            .collect()
    }

    #[tokio::test]
    async fn a_shard_is_open_and_has_an_id_and_numbers_as_on_aws() {
        let (_folder, embedded) = with_records(3, 1).await;
        let client = embedded.streams_client();
        let shards = shards(&client).await;
        assert_eq!(shards.len(), 1);
        let id = shards[0].shard_id().expect("an id");
        let parts: Vec<_> = id.split('-').collect();
        let is_hexadecimal = |digit: char| "0123456789abcdef".contains(digit);
        assert_eq!((parts.len(), parts[0]), (3, "shardId"), "{id}");
        assert_eq!((parts[1].len(), parts[2].len()), (20, 8), "{id}");
        assert!(parts[1].chars().all(|digit| digit.is_ascii_digit()), "{id}");
        assert!(parts[2].chars().all(is_hexadecimal), "{id}");
        let range = shards[0].sequence_number_range().expect("a range");
        let all = read(&client, id, ShardIteratorType::TrimHorizon).await;
        assert_eq!(keys_of(&all), ["pk-0", "pk-1", "pk-2"]);
        let first = all[0]
            .dynamodb()
            .and_then(|record| record.sequence_number());
        assert_eq!(range.starting_sequence_number(), first);
        assert!((21..=40).contains(&first.expect("a number").len()));
        assert_eq!(range.ending_sequence_number(), None, "it is open");
        // A consumer that knows this shard gets no further shards.
        let next = client.describe_stream().stream_arn(arn(&client).await);
        let next = next.exclusive_start_shard_id(id).send().await;
        let stream = next.expect("described").stream_description;
        assert_eq!(stream.expect("a description").shards().len(), 0);
    }

    #[tokio::test]
    async fn a_latest_iterator_returns_only_later_writes() {
        for count in [0, 1, 1_000] {
            let (_folder, embedded) = with_records(count, 1).await;
            let client = embedded.streams_client();
            let id = shard_id(TABLE);
            let latest = iterator(&client, &id, ShardIteratorType::Latest).await;
            assert_eq!(keys_of(&records(&client, &latest).await), [""; 0]);
            import(&embedded, 7_000..7_001, 1).await;
            assert_eq!(keys_of(&records(&client, &latest).await), ["pk-7000"]);
        }
    }

    #[tokio::test]
    async fn only_the_shard_id_of_an_earlier_version_is_also_accepted() {
        let (_folder, embedded) = with_records(1, 1).await;
        let client = embedded.streams_client();
        let earlier = streams::shard_id(TABLE);
        let read = read(&client, &earlier, ShardIteratorType::TrimHorizon).await;
        assert_eq!(keys_of(&read), ["pk-0"]);
        let other = client.get_shard_iterator().stream_arn(arn(&client).await);
        let other = other.shard_id(shard_id("other"));
        let other = other.shard_iterator_type(ShardIteratorType::TrimHorizon);
        let refused = other.send().await.expect_err("refused");
        assert_eq!(refused.code(), Some("ResourceNotFoundException"));
        let other = client.describe_stream();
        let other = other.stream_arn(format!("{}0", arn(&client).await));
        let refused = other.send().await.expect_err("refused");
        assert_eq!(refused.code(), Some("ResourceNotFoundException"));
    }

    #[test]
    fn a_checkpoint_keeps_its_name_across_versions() {
        let engines = "shardId-00000001-history";
        assert_eq!(checkpoint_name(TABLE, &shard_id(TABLE)), engines);
        assert_eq!(shard_id(TABLE), "shardId-00000000000000000001-259aa8ef");
        for other in ["shardId-00000001700000000000-1a2b3c4d", &shard_id("other")] {
            assert_eq!(checkpoint_name(TABLE, other), other);
        }
    }

    /// Returns the number of bytes that this thread has read from files so far.
    #[cfg(target_os = "linux")]
    fn bytes_read() -> u64 {
        let counts = std::fs::read_to_string("/proc/thread-self/io").expect("counts");
        let read = counts.lines().find_map(|line| line.strip_prefix("rchar: "));
        read.expect("a count").parse().expect("a number")
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn following_a_large_stream_reads_little_of_it() {
        use crate::embedded::dispatch::dispatch;

        const RECORDS: usize = 4_000;
        const BYTES: usize = 4_000;
        let (folder, embedded) = with_records(RECORDS, BYTES).await;
        let client = embedded.streams_client();
        let (arn, id) = (arn(&client).await, shard_id(TABLE));
        let last = iterator(&client, &id, ShardIteratorType::Latest).await;
        let of = |kind: &str| json!({"StreamArn": arn, "ShardId": id, "ShardIteratorType": kind});
        let path = folder.path().join("t.db");
        for (operation, body) in [
            ("ListStreams", json!({"TableName": TABLE})),
            ("DescribeStream", json!({"StreamArn": arn})),
            ("GetShardIterator", of("TRIM_HORIZON")),
            ("GetShardIterator", of("LATEST")),
            ("GetRecords", json!({"ShardIterator": last})),
        ] {
            // A new engine, which has nothing in memory.
            let database = Database::new(&path.to_string_lossy()).expect("opens");
            let before = bytes_read();
            let target = format!("DynamoDBStreams_20120810.{operation}");
            let answer = dispatch(&database, &target, body.to_string().as_bytes());
            let read = bytes_read() - before;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let most = (RECORDS * BYTES / 20) as u64;
            assert!(read < most, "{operation} {body} reads {read} bytes");
        }
    }
}
