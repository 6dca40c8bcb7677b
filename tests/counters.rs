//! The counters follow the stream, each change exactly once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::counters::recount::Recount;
use shared::counters::{Applied, Counter};
use shared::model::Item;
use shared::store::{Store, key};
use shared::stream::Change;

use crate::support::faults::{Fault, Faulty};
use crate::support::process::DEADLINE;
use crate::support::records::{execution, step, time};
use crate::support::{TestApp, is_embedded};

const MINUTE: i64 = 60_000;

/// Everything in the table's stream, in its order, once the last write is in it.
async fn changes(app: &TestApp) -> Vec<Change> {
    let mark = key("MARK", "MARK");
    app.store.put(mark.clone()).await.expect("written");
    let deadline = Instant::now() + DEADLINE;
    loop {
        let mut changes = all_changes(app).await;
        let is_mark = |change: &Change| change.new.as_ref() == Some(&mark);
        if changes.iter().any(is_mark) {
            changes.retain(|change| !is_mark(change));
            return changes;
        }
        assert!(Instant::now() < deadline, "the stream stays behind");
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
            changes.extend(records.into_iter().filter_map(|record| {
                let record = record.dynamodb?;
                let image = |image: Option<std::collections::HashMap<_, _>>| -> Option<Item> {
                    let image: serde_dynamo::Item = image?.into();
                    Some(image.into())
                };
                Some(Change {
                    sequence_number: record.sequence_number?,
                    old: image(record.old_image),
                    new: image(record.new_image),
                })
            }));
        }
    }
    changes
}

/// One write of an engine.
#[derive(Debug, Clone)]
enum Write {
    Put {
        run: usize,
        flow: usize,
        device: usize,
        status: usize,
        kind: usize,
        created: i64,
        took: u64,
    },
    Status {
        run: usize,
        status: usize,
        took: u64,
    },
    Heartbeat {
        run: usize,
    },
    Delete {
        run: usize,
    },
    Step {
        run: usize,
    },
}

const STATUSES: [&str; 6] = [
    "PENDING",
    "RUNNING",
    "COMPLETED",
    "FAILED",
    "CANCELLED",
    "DONE",
];
const FLOWS: [&str; 3] = ["flow-1", "flow-2", "a#b"];
const RUNS: std::ops::Range<usize> = 0..12;

fn write() -> impl Strategy<Value = Write> {
    let run = || RUNS;
    prop_oneof![
        3 => (run(), 0..3_usize, 0..3_usize, 0..6_usize, 0..3_usize, -3_000..3_000_i64, 0..90_000_u64)
            .prop_map(|(run, flow, device, status, kind, minutes, took)| Write::Put {
                run, flow, device, status, kind, created: minutes * MINUTE, took,
            }),
        4 => (run(), 0..6_usize, 0..90_000_u64)
            .prop_map(|(run, status, took)| Write::Status { run, status, took }),
        1 => run().prop_map(|run| Write::Heartbeat { run }),
        2 => run().prop_map(|run| Write::Delete { run }),
        1 => run().prop_map(|run| Write::Step { run }),
    ]
}

/// Writes, and keeps a plain model of what is there.
async fn perform(app: &TestApp, write: &Write, model: &mut BTreeMap<usize, Value>) {
    let put = async |run: usize, attributes: Value| {
        app.store
            .put(execution(&format!("run-{run}"), attributes))
            .await
            .expect("written");
    };
    match *write {
        Write::Put {
            run,
            flow,
            device,
            status,
            kind,
            created,
            took,
        } => {
            let (flow, status) = (FLOWS[flow], STATUSES[status]);
            let device = [None, Some("device-1"), Some("device-2")][device];
            let kind = [None, Some("SUBFLOW"), Some("PARENT")][kind];
            let attributes = json!({
                "flowId": flow,
                "deviceId": device,
                "status": status,
                "executionType": kind,
                "createdAt": time(created),
                "durationMs": took,
            });
            put(run, attributes.clone()).await;
            model.insert(run, attributes);
        }
        Write::Status { run, status, took } => {
            if let Some(attributes) = model.get_mut(&run) {
                attributes["status"] = json!(STATUSES[status]);
                attributes["durationMs"] = json!(took);
                put(run, attributes.clone()).await;
            }
        }
        Write::Heartbeat { run } => {
            if let Some(attributes) = model.get_mut(&run) {
                attributes["heartbeatAt"] = json!(time(0));
                put(run, attributes.clone()).await;
            }
        }
        Write::Delete { run } => {
            let delete = app
                .store
                .client()
                .delete_item()
                .table_name(app.store.table());
            let delete = delete.set_key(Some(key(format!("EXEC#run-{run}"), "EXECUTION")));
            delete.send().await.expect("deleted");
            model.remove(&run);
        }
        Write::Step { run } => {
            let step = step(&format!("run-{run}"), "step-1", 10, json!({}));
            app.store.put(step).await.expect("written");
        }
    }
}

/// A batch that is handed over: from where, relative to what was handed over
/// before, how many, and what its transactions meet.
#[derive(Debug, Clone)]
struct Batch {
    shard: usize,
    back: usize,
    count: usize,
    faults: Vec<Fault>,
}

fn batch() -> impl Strategy<Value = Batch> {
    let fault = prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::Unsent),
        1 => Just(Fault::Unanswered),
        1 => Just(Fault::CrashBefore),
        1 => Just(Fault::CrashAfter),
    ];
    (
        0..SHARDS,
        0..8_usize,
        1..12_usize,
        proptest::collection::vec(fault, 0..4),
    )
        .prop_map(|(shard, back, count, faults)| Batch {
            shard,
            back,
            count,
            faults,
        })
}

const SHARDS: usize = 2;

/// Hands over changes until the consumer has taken them or has crashed.
async fn hand_over(faulty: &Faulty, store: &Store, shard: usize, changes: &[Change]) {
    // A process that has crashed is another one afterwards.
    let counter = Counter::new(store.clone());
    let shard_id = format!("shard-{shard}");
    tokio::select! {
        applied = counter.apply(&shard_id, changes) => {
            applied.expect("faults that pass are gone around");
        }
        () = faulty.crash() => {}
    }
}

async fn exactly_once(writes: Vec<Write>, batches: Vec<Batch>) {
    let app = TestApp::new().await;
    let mut model = BTreeMap::new();
    for write in &writes {
        perform(&app, write, &mut model).await;
    }
    // A run's changes are all in one shard.
    let mut shards: [Vec<Change>; SHARDS] = Default::default();
    for change in changes(&app).await {
        let image = change
            .new
            .as_ref()
            .or(change.old.as_ref())
            .expect("an image");
        let pk = image["pk"].as_s().expect("a text").clone();
        shards[pk.len() % SHARDS].push(change);
    }
    let (faulty, client) = Faulty::client(app.store.client(), &["TransactWriteItems"]);
    let store = Store::new(client, app.store.table());
    let mut reached = [0_usize; SHARDS];
    for Batch {
        shard,
        back,
        count,
        faults,
    } in batches
    {
        let begin = reached[shard].saturating_sub(back);
        let end = (begin + count).min(shards[shard].len());
        faulty.plan(faults);
        // A batch that was not taken whole is handed over again, from its
        // beginning, before anything after it.
        for _ in 0..6 {
            hand_over(&faulty, &store, shard, &shards[shard][begin..end]).await;
        }
        reached[shard] = reached[shard].max(end);
    }
    faulty.plan([]);
    for (shard, changes) in shards.iter().enumerate() {
        hand_over(&faulty, &store, shard, &changes[reached[shard]..]).await;
        hand_over(&faulty, &store, shard, changes).await;
    }

    let report = app.verify().await;
    assert_eq!(report.differences, [], "{report:?}");
    assert_eq!(report.executions, model.len() as u64);
    // And a count that owes nothing to the code that counts.
    let token = app.viewer("team-a").await;
    for flow in ["flow-1", "flow-2"] {
        let of_flow = |run: &&Value| run["flowId"] == flow;
        let runs: Vec<_> = model.values().filter(of_flow).collect();
        let path = format!("/api/history/execution-stats?startDate=2026-01-01&flowId={flow}");
        let stats = app.get(&token, &path).await.ok()["stats"].take();
        assert_eq!(stats["totalExecutions"], runs.len());
        let ended = runs
            .iter()
            .filter(|run| run["status"] == "COMPLETED" || run["status"] == "FAILED");
        let durations: Vec<_> = ended
            .map(|run| run["durationMs"].as_u64().expect("a number"))
            .collect();
        assert_eq!(stats["completedCount"], durations.len());
        let (sum, count) = (durations.iter().sum::<u64>(), durations.len() as u64);
        let mean = (sum + count / 2).checked_div(count).unwrap_or_default();
        assert_eq!(stats["averageExecutionTimeMs"], mean);
    }
}

/// Fewer where the engine is slow.
fn property() -> ProptestConfig {
    ProptestConfig {
        cases: if is_embedded() { 24 } else { 6 },
        max_shrink_iters: 40,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(property())]

    /// Whatever is written, and whatever batches of it are repeated, split,
    /// overlapping or cut off before or after their transaction.
    #[test]
    fn every_counter_equals_a_recount_once_the_stream_is_drained(
        writes in proptest::collection::vec(write(), 1..60),
        batches in proptest::collection::vec(batch(), 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(exactly_once(writes, batches));
    }
}

#[tokio::test]
async fn a_batch_of_a_thousand_flows_is_counted_in_pieces_and_goes_on_where_it_broke_off() {
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
        Applied {
            repeated: 1_000,
            ..Applied::default()
        }
    );
    let report = app.verify().await;
    assert_eq!((report.executions, report.differences.len()), (1_000, 0));
}

#[tokio::test]
async fn two_consumers_of_one_shard_count_nothing_twice() {
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
async fn a_run_that_time_to_live_removes_is_subtracted() {
    let app = TestApp::new().await;
    // Only the embedded engine removes at once.
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
async fn a_damaged_counter_is_found_and_mended_and_phantoms_too() {
    let app = TestApp::new().await;
    app.write(
        (0..20).map(|n| execution(&format!("run-{n}"), json!({"createdAt": time(n * MINUTE)}))),
    )
    .await;
    app.count().await;
    assert_eq!(app.verify().await.differences, []);
    let add = async |pk: &str, name: &str, number: i64| {
        let update = app
            .store
            .client()
            .update_item()
            .table_name(app.store.table());
        let update = update
            .set_key(Some(key(pk, "2026-02-17")))
            .update_expression("ADD #n :n")
            .expression_attribute_names("#n", name)
            .expression_attribute_values(
                ":n",
                aws_sdk_dynamodb::types::AttributeValue::N(number.to_string()),
            );
        update.send().await.expect("updated");
    };
    add("COUNT#team-a#*", "10P0", 5_000_000_000).await;
    add("COUNT#team-a#F#flow-1", "CP+", -7).await;
    add("COUNT#team-a#F#flow-gone", "03S0", 2).await;
    let gone = key("SCOPES", "team-a#F#flow-gone");
    app.store.put(gone).await.expect("written");
    let report = app.verify().await;
    let found: Vec<_> = report
        .differences
        .iter()
        .map(|d| (d.pk.as_str(), d.attribute.as_str(), d.is - d.should_be))
        .collect();
    assert_eq!(
        found,
        [
            ("COUNT#team-a#*", "10P0", 5_000_000_000),
            ("COUNT#team-a#F#flow-1", "CP+", -7),
            ("COUNT#team-a#F#flow-gone", "03S0", 2),
        ]
    );
    let recount = Recount {
        team_id: Some("team-a".parse().expect("a team")),
        settle: Duration::ZERO,
    };
    let mended = recount.rebuild(&app.store, &|_| {}).await.expect("mended");
    assert!(!mended.found.differences.is_empty());
    assert_eq!((mended.left.differences.len(), mended.left.moving), (0, 0));
    assert_eq!(app.verify().await.differences, []);
}

#[tokio::test]
async fn a_table_without_counters_gets_them_by_a_rebuild() {
    let app = TestApp::new().await;
    // So many durations in six hours that one update does not mend them.
    let runs = (0..250).map(|n| {
        let attributes = json!({
            "flowId": format!("flow-{n}"),
            "createdAt": time(n * MINUTE),
            "durationMs": 1.06_f64.powi(n as i32) as u64,
            "status": if n % 3 == 0 { "FAILED" } else { "COMPLETED" },
        });
        execution(&format!("run-{n}"), attributes)
    });
    app.write(runs).await;
    let recount = Recount {
        team_id: None,
        settle: Duration::ZERO,
    };
    let report = recount
        .rebuild(&app.store, &|_| {})
        .await
        .expect("mended")
        .left;
    assert_eq!((report.executions, report.differences.len()), (250, 0));
    assert_eq!(app.verify().await.differences, []);
    let token = app.viewer("team-a").await;
    let path = "/api/executions/team/team-a?page=1";
    assert_eq!(app.get(&token, path).await.ok()["totalElements"], 250);
    let block = app.store.get("DURATION#team-a#*", "2026-02-17T12").await;
    let numbers = block.expect("read").expect("there").len();
    assert!(numbers > 100, "{numbers}");
}

#[tokio::test]
async fn a_checkpoint_ends_with_the_stream_that_it_stands_for() {
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
    assert_eq!(
        item.get("createdAt"),
        None::<&aws_sdk_dynamodb::types::AttributeValue>
    );
}
