//! Random writes and random batches of the stream.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use shared::change::Change;
use shared::keys::key;
use shared::store::Store;

use super::{MINUTE, changes, hand_over};
use crate::support::faults::{Fault, Faulty};
use crate::support::records::{execution, step, time};
use crate::support::{TestApp, is_embedded};

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
const DEVICES: [Option<&str>; 3] = [None, Some("device-1"), Some("device-2")];
const TYPES: [Option<&str>; 3] = [None, Some("SUBFLOW"), Some("PARENT")];

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

/// Performs a write, and keeps a plain model of the runs.
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
            let attributes = json!({
                "flowId": FLOWS[flow],
                "deviceId": DEVICES[device],
                "status": STATUSES[status],
                "executionType": TYPES[kind],
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

/// A batch of changes for a consumer, and the faults of its transactions.
#[derive(Debug, Clone)]
struct Batch {
    shard: usize,
    /// How many changes before it are passed again.
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

/// The changes of the table's stream by shard. All changes of a run are in one shard.
async fn sharded_changes(app: &TestApp) -> [Vec<Change>; SHARDS] {
    let mut shards: [Vec<Change>; SHARDS] = Default::default();
    for change in changes(app).await {
        let image = change
            .new
            .as_ref()
            .or(change.old.as_ref())
            .expect("an image");
        let pk = image["pk"].as_s().expect("a text").clone();
        shards[pk.len() % SHARDS].push(change);
    }
    shards
}

/// Passes the batches to consumers, and then all changes that are left.
async fn hand_over_batches(app: &TestApp, shards: &[Vec<Change>; SHARDS], batches: Vec<Batch>) {
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
        // An incomplete batch is passed again from its beginning, before any later change.
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
}

/// Compares the statistics of two flows with the model, without the code that counts.
async fn assert_statistics_equal_model(app: &TestApp, model: &BTreeMap<usize, Value>) {
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

async fn assert_counted_once(writes: Vec<Write>, batches: Vec<Batch>) {
    let app = TestApp::new().await;
    let mut model = BTreeMap::new();
    for write in &writes {
        perform(&app, write, &mut model).await;
    }
    let shards = sharded_changes(&app).await;
    hand_over_batches(&app, &shards, batches).await;
    let report = app.verify().await;
    assert_eq!(report.differences, [], "{report:?}");
    assert_eq!(report.executions, model.len() as u64);
    assert_statistics_equal_model(&app, &model).await;
}

/// Fewer cases on a slow engine.
fn property() -> ProptestConfig {
    ProptestConfig {
        cases: if is_embedded() { 24 } else { 6 },
        max_shrink_iters: 40,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(property())]

    /// For any writes, and any batches of them: repeated, split, overlapping, or
    /// interrupted before or after their transaction.
    #[test]
    fn counters_equal_a_recount_once_the_stream_is_drained(
        writes in proptest::collection::vec(write(), 1..60),
        batches in proptest::collection::vec(batch(), 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(assert_counted_once(writes, batches));
    }
}
