//! The order of runs and nodes in an export, and the number of reads for it.

use futures_util::TryStreamExt;
use serde_json::json;
use shared::auth::Caller;
use shared::operations::{ExecutionFilter, Export, ExportPiece, export_executions};
use shared::store::Store;

use super::{ALL, operator, rows};
use crate::support::TestApp;
use crate::support::faults::Faulty;
use crate::support::records::{ForkKey, branch_step, execution, payload, step, time};

fn caller() -> Caller {
    Caller::operator("team-a".parse().expect("an id"), "test")
}

/// The ids of the exported runs, each with the ids of its steps.
async fn pieces(store: &Store) -> Vec<(String, Vec<String>)> {
    let filter = ExecutionFilter::default();
    let export = export_executions(store, &caller(), &filter).await;
    let Export { masker, pieces } = export.expect("a beginning");
    let pieces: Vec<_> = pieces.try_collect().await.expect("an end");
    let mut runs: Vec<(String, Vec<String>)> = Vec::new();
    for piece in pieces {
        match piece {
            ExportPiece::Execution(run) => {
                runs.push((run.mask(&masker).execution_id, Vec::new()));
            }
            ExportPiece::Steps(steps) => {
                let ids = steps.into_iter().map(|step| {
                    let step = step.mask(&masker);
                    step.id().expect("an id").to_owned()
                });
                runs.last_mut().expect("a run").1.extend(ids);
            }
        }
    }
    runs
}

#[tokio::test]
async fn nodes_of_all_branches_are_ordered_by_time_in_one_query() {
    let app = TestApp::new().await;
    let fork = |id, offset| ForkKey {
        execution_id: "run-1",
        id,
        offset,
    };
    let (outer, inner) = (fork("fork-1", 100), fork("fork-2", 120));
    app.write([
        execution("run-1", json!({})),
        execution("run-0", json!({"createdAt": time(-1)})),
        step("run-1", "begin", 50, json!({})),
        step("run-1", "fork-1", 100, json!({})),
        branch_step(&outer, "branch-b", "b-1", 105, json!({})),
        branch_step(&outer, "branch-a", "a-1", 110, json!({})),
        branch_step(&outer, "branch-a", "fork-2", 120, json!({})),
        branch_step(&inner, "branch-c", "c-1", 125, json!({})),
        branch_step(&outer, "branch-b", "b-2", 130, json!({})),
        step("run-1", "end", 200, json!({})),
        payload("run-1", "input", 0, json!({"value": {"a": 1}})),
    ])
    .await;
    let store = app.store.metered();
    let runs = pieces(&store).await;
    let ids = [
        "begin", "fork-1", "b-1", "a-1", "fork-2", "c-1", "b-2", "end",
    ];
    assert_eq!(runs[0], ("run-1".to_owned(), ids.map(str::to_owned).into()));
    assert_eq!(runs[1], ("run-0".to_owned(), Vec::new()));
    assert_eq!(
        store.usage().requests,
        6,
        "the runs, each run, the masking settings, and the audit before and after"
    );
}

#[tokio::test]
async fn runs_are_read_concurrently_and_exported_in_order() {
    let app = TestApp::new().await;
    app.write((0..60).map(|n| execution(&format!("run-{n:02}"), json!({"createdAt": time(-n)}))))
        .await;
    // The newest run is the slowest to read.
    app.write((0..200).map(|n| step("run-00", &format!("step-{n:03}"), n, json!({}))))
        .await;
    let (faulty, client) = Faulty::client(app.store.client(), &[]);
    faulty.gather_queries(16);
    let runs = pieces(&Store::new(client, app.store.table())).await;
    let expected: Vec<_> = (0..60).map(|n| format!("run-{n:02}")).collect();
    assert!(runs.iter().map(|(id, _)| id).eq(&expected));
    assert_eq!(runs[0].1.len(), 200);
    let most = faulty.most_concurrent_queries();
    assert!((16..=17).contains(&most), "{most} concurrent Queries");
}

#[tokio::test]
async fn a_run_larger_than_a_page_is_ordered_without_its_payloads() {
    let app = TestApp::new().await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 0,
    };
    app.write([execution("run-1", json!({}))]).await;
    let id = |n: i64| format!("step-{n:04}");
    app.write((0..3_000).map(|n| match n % 3 {
        0 => step("run-1", &id(n), n, json!({})),
        branch => branch_step(
            &fork,
            &format!("branch-{}", 3 - branch),
            &id(n),
            n,
            json!({}),
        ),
    }))
    .await;
    let large = "x".repeat(300_000);
    for part in 0..20 {
        let part = payload("run-1", "context", part, json!({"value": large}));
        app.write([part]).await;
    }
    let store = app.store.metered();
    let runs = pieces(&store).await;
    let expected: Vec<_> = (0..3_000).map(id).collect();
    assert_eq!(runs, [("run-1".to_owned(), expected)]);
    // The cost of 3,000 steps of half a kilobyte, without the 6 MB of payloads.
    let units = store.usage().capacity_units;
    assert!(units < 500.0, "{units}");
}

#[tokio::test]
async fn a_run_of_25_000_steps_has_its_branches_after_its_top_steps() {
    let app = TestApp::new().await;
    let token = operator(&app).await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 0,
    };
    app.write([
        execution("run-1", json!({})),
        execution("run-0", json!({"createdAt": time(-1)})),
        step("run-0", "other", 0, json!({})),
    ])
    .await;
    let id = |n: i64| format!("step-{n:05}");
    app.write((0..25_000).map(|n| match n % 5 {
        0 => branch_step(&fork, "branch", &id(n), n, json!({})),
        _ => step("run-1", &id(n), n, json!({})),
    }))
    .await;
    let csv = app.get(&token, ALL).await;
    let rows = rows(&csv.body);
    assert_eq!(rows.len(), 25_001);
    let nodes: Vec<_> = rows
        .iter()
        .map(|row| (row[0].as_str(), row[8].clone()))
        .collect();
    let expected = (0..25_000)
        .filter(|n| n % 5 != 0)
        .chain((0..25_000).filter(|n| n % 5 == 0))
        .map(|n| ("run-1", format!("{}-definition", id(n))))
        .chain([("run-0", "other-definition".to_owned())]);
    assert!(nodes.into_iter().eq(expected));
}
