//! The counters follow the stream and count each change exactly once.

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use serde_json::json;
use shared::change::Change;
use shared::counters::{AppliedChanges, Counter};
use shared::keys::key;
use shared::store::Store;

use crate::support::TestApp;
use crate::support::faults::{Fault, Faulty};
use crate::support::process::DEADLINE;
use crate::support::records::{execution, time};

mod exactly_once;
mod recount;

const MINUTE: i64 = 60_000;

/// All changes in the table's stream, in its order, once the stream has the last write.
async fn changes(app: &TestApp) -> Vec<Change> {
    let last = key("MARK", "MARK");
    app.store.put(last.clone()).await.expect("written");
    let deadline = Instant::now() + DEADLINE;
    loop {
        let mut changes = all_changes(app).await;
        let is_last = |change: &Change| change.new.as_deref() == Some(&last);
        if changes.iter().any(is_last) {
            changes.retain(|change| !is_last(change));
            return changes;
        }
        assert!(
            Instant::now() < deadline,
            "the stream does not reach the last write"
        );
    }
}

async fn all_changes(app: &TestApp) -> Vec<Change> {
    let list = app.streams.list_streams().table_name(app.store.table());
    let streams = list
        .send()
        .await
        .expect("streams")
        .streams
        .unwrap_or_default();
    let arn = streams[0].stream_arn().expect("an ARN").to_owned();
    let describe = app.streams.describe_stream().stream_arn(&arn).send().await;
    let shards = describe
        .expect("a stream")
        .stream_description
        .expect("described")
        .shards;
    let mut changes = Vec::new();
    for shard in shards.unwrap_or_default() {
        let get = app.streams.get_shard_iterator().stream_arn(&arn);
        let get = get
            .set_shard_id(shard.shard_id)
            .shard_iterator_type(ShardIteratorType::TrimHorizon);
        let mut iterator = get.send().await.expect("an iterator").shard_iterator;
        while let Some(position) = iterator {
            let get = app.streams.get_records().shard_iterator(position);
            let answer = get.send().await.expect("records");
            let records = answer.records.unwrap_or_default();
            iterator = answer.next_shard_iterator.filter(|_| !records.is_empty());
            changes.extend(records.into_iter().filter_map(change_of));
        }
    }
    changes
}

/// The change that a record of the stream describes.
fn change_of(record: Record) -> Option<Change> {
    let record = record.dynamodb?;
    let [old, new] = [record.old_image, record.new_image].map(Option::unwrap_or_default);
    Some(Change::decode(record.sequence_number?, old, new))
}

/// Passes changes to a consumer until it has counted them or has crashed.
async fn hand_over(faulty: &Faulty, store: &Store, shard: usize, changes: &[Change]) {
    // After a crash a new process continues.
    let counter = Counter::new(store.clone());
    let shard_id = format!("shard-{shard}");
    tokio::select! {
        applied = counter.apply(&shard_id, changes) => {
            applied.expect("temporary faults are retried");
        }
        () = faulty.crash() => {}
    }
}

#[tokio::test]
async fn a_large_batch_resumes_where_it_was_interrupted() {
    let app = TestApp::new().await;
    let runs: Vec<_> = (0..1_000)
        .map(|n| {
            let attributes = json!({"flowId": format!("flow-{n}"), "createdAt": time(n * MINUTE)});
            execution(&format!("run-{n}"), attributes)
        })
        .collect();
    app.write(runs).await;
    let changes = changes(&app).await;
    let (faulty, client) = Faulty::client(app.store.client(), &["TransactWriteItems"]);
    let store = Store::new(client, app.store.table());
    faulty.plan([Fault::None, Fault::None, Fault::CrashAfter]);
    hand_over(&faulty, &store, 0, &changes).await;
    faulty.plan([]);
    let counter = Counter::new(store);
    let applied = counter.apply("shard-0", &changes).await.expect("counted");
    assert_eq!((applied.changes, applied.repeated), (1_000, 0));
    assert!(applied.transactions < 50, "{applied:?}");
    let again = counter.apply("shard-0", &changes).await.expect("counted");
    assert_eq!(
        again,
        AppliedChanges {
            repeated: 1_000,
            ..AppliedChanges::default()
        }
    );
    let report = app.verify().await;
    assert_eq!((report.executions, report.differences.len()), (1_000, 0));
}

#[tokio::test]
async fn two_consumers_of_one_shard_count_each_change_once() {
    let app = TestApp::new().await;
    let runs =
        (0..300).map(|n| execution(&format!("run-{n}"), json!({"createdAt": time(n * MINUTE)})));
    app.write(runs).await;
    let changes = changes(&app).await;
    let one = Counter::new(app.store.clone());
    let other = Counter::new(app.store.clone());
    for batch in changes.chunks(50) {
        let both = tokio::try_join!(one.apply("shard", batch), other.apply("shard", batch));
        let (one, other) = both.expect("counted");
        assert_eq!(one.changes + other.changes, batch.len());
    }
    assert_eq!(app.verify().await.differences, []);
}

#[tokio::test]
async fn a_run_removed_by_time_to_live_is_subtracted() {
    let app = TestApp::new().await;
    // Only the embedded engine removes expired items immediately.
    let Some(embedded) = app.embedded.clone() else {
        return;
    };
    let expired = json!({"expiresAt": 1_700_000_000});
    app.write([execution("run-1", json!({})), execution("run-2", expired)])
        .await;
    app.count().await;
    let token = app.viewer("team-a").await;
    let total = async || {
        let path = "/api/history/execution-stats?startDate=2026-01-01";
        app.get(&token, path).await.ok()["stats"]["totalExecutions"].take()
    };
    assert_eq!(total().await, 2, "counted until it is removed");
    embedded.upkeep().await.expect("upkeep");
    app.count().await;
    assert_eq!(total().await, 1);
    assert_eq!(app.verify().await.differences, []);
}

#[tokio::test]
async fn a_checkpoint_expires_with_its_stream() {
    let app = TestApp::new().await;
    app.write([execution("run-1", json!({}))]).await;
    let changes = changes(&app).await;
    Counter::new(app.store.clone())
        .apply("shard-1", &changes)
        .await
        .expect("counted");
    let item = app
        .store
        .get("CHECKPOINT#shard-1", "CHECKPOINT")
        .await
        .expect("read")
        .expect("there");
    let number = item["sequenceNumber"].as_s().expect("a text");
    assert_eq!(*number, changes[0].sequence_number);
    let expires_at: i64 = item["expiresAt"]
        .as_n()
        .expect("a number")
        .parse()
        .expect("digits");
    let days = (expires_at - shared::model::Timestamp::now().seconds()) as f64 / 86_400.0;
    assert!((6.9..=7.0).contains(&days), "{days}");
    assert_eq!(item.get("createdAt"), None::<&AttributeValue>);
}
