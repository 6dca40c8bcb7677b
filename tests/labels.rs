//! Search by label: the entries that follow the stream, and the runs that they find.

use lambda_http::{Context, LambdaEvent};
use serde_json::{Value, json};
use shared::attributes::text;
use shared::change::Change;
use shared::counters::Counter;
use shared::label::Label;
use shared::model::{Item, TeamId};
use shared::store::Range;
use shared::{keys, labels};

use crate::support::TestApp;
use crate::support::actions::as_function;
use crate::support::records::{execution, time};

mod search;

fn ids(runs: &Value) -> Vec<&str> {
    let runs = runs.as_array().expect("runs");
    runs.iter().filter_map(|run| run["id"].as_str()).collect()
}

/// The ids of the runs that the history's list has for a label.
async fn found(app: &TestApp, token: &str, label: &str) -> Vec<String> {
    let path = format!("/api/history/executions?lite=true&label={label}");
    let body = app.get(token, &path).await.ok();
    let ids = ids(&body["executions"]);
    assert_eq!(body["pagination"]["total"], ids.len());
    ids.into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_run_is_found_by_its_current_labels() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let open = json!({"status": "RUNNING", "labels": {"orderId": "42", "region": "eu"}});
    app.write([execution("run-1", open)]).await;
    app.count().await;
    let path = "/api/history/executions?lite=true&label=orderId=42";
    let body = app.get(&token, path).await.ok();
    assert_eq!(body["executions"][0]["status"], "RUNNING");

    let ended = json!({"status": "COMPLETED", "labels": {"orderId": "43", "region": "eu"}});
    app.write([execution("run-1", ended)]).await;
    app.count().await;
    assert_eq!(found(&app, &token, "orderId=42").await, [""; 0]);
    assert_eq!(found(&app, &token, "orderId=43").await, ["run-1"]);
    assert_eq!(found(&app, &token, "region=eu").await, ["run-1"]);
    let path = "/api/history/executions?lite=true&label=region=eu";
    let body = app.get(&token, path).await.ok();
    let row = &body["executions"][0];
    assert_eq!(row["status"], "PASSED");
    assert_eq!(row["createdAt"], time(0));
    assert_eq!(row["durationMs"], 2_350);
    assert_eq!(body["filters"]["label"], "region=eu");

    let expired = json!({"labels": {"region": "eu"}, "expiresAt": 1});
    app.write([execution("run-1", expired)]).await;
    app.count().await;
    let body = app.get(&token, path).await.ok();
    assert_eq!(body["executions"], json!([]), "expired runs are hidden");

    app.store
        .delete("EXEC#run-1", "EXECUTION")
        .await
        .expect("deleted");
    app.count().await;
    for label in ["orderId=42", "orderId=43", "region=eu"] {
        assert_eq!(found(&app, &token, label).await, [""; 0]);
        let entries = Range::of_partition(format!("LABEL#team-a#{label}"), "", None);
        let left = app.store.all(&entries).await.expect("read");
        assert_eq!(left, [], "entries of {label}");
    }
}

/// The execution item of `run-1` with a status and labels.
fn labelled(status: &str, labels: Value) -> Item {
    execution("run-1", json!({"status": status, "labels": labels}))
}

/// The changes of a run that gets another label before it ends.
fn changes() -> Vec<Change> {
    let images = [
        None,
        Some(labelled("PENDING", json!({"a": "1", "b": "2"}))),
        Some(labelled("RUNNING", json!({"a": "1", "c": "3"}))),
        Some(labelled("COMPLETED", json!({"a": "1", "c": "3"}))),
    ];
    images
        .windows(2)
        .enumerate()
        .map(|(position, pair)| {
            Change::new((position + 1).to_string(), pair[0].clone(), pair[1].clone())
        })
        .collect()
}

async fn follow(app: &TestApp, changes: &[Change]) -> usize {
    let followed = labels::follow(&app.store, changes).await;
    followed.expect("followed")
}

#[tokio::test]
async fn repeated_changes_do_not_change_the_entries() {
    let app = TestApp::new().await;
    let changes = changes();
    // The batch is interrupted after each change, and delivered again from the start.
    for end in 1..=changes.len() {
        follow(&app, &changes[..end]).await;
    }
    assert_eq!(follow(&app, &changes).await, 3);
    let entry = async |label: &str| {
        let pk = format!("LABEL#team-a#{label}");
        let sk = format!("{}#run-1", time(0));
        app.store.get_latest(&pk, &sk).await.expect("read")
    };
    for label in ["a=1", "c=3"] {
        let entry = entry(label).await.expect("an entry");
        assert_eq!(entry["status"], text("COMPLETED"), "{label}");
    }
    assert_eq!(entry("b=2").await, None);
}

#[tokio::test]
async fn a_heartbeat_writes_no_entry() {
    let app = TestApp::new().await;
    let changes = changes();
    follow(&app, &changes).await;
    let run = changes[2].new.as_deref().expect("an image");
    let mut beating = run.clone();
    beating.insert("heartbeatAt".to_owned(), text(time(1)));
    let sequence_number = changes[2].sequence_number.clone();
    let alive = Change::new(sequence_number, Some(run.clone()), Some(beating));
    assert_eq!(follow(&app, &[alive]).await, 0);
}

/// Enters the labels of all runs, or of one team's runs, and returns how many were missing.
async fn enter(app: &TestApp, team: Option<&TeamId>) -> u64 {
    let entered = labels::enter_all(&app.store, team).await;
    entered.expect("entered")
}

/// The ids of the completed runs of `team-a` with the label `a=1`.
async fn passed_with_label(app: &TestApp) -> Vec<String> {
    let path = "/api/history/executions?lite=true&label=a=1&status=PASSED";
    let token = app.viewer("team-a").await;
    let body = app.get(&token, path).await.ok();
    ids(&body["executions"])
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn missing_entries_of_older_runs_can_be_entered() {
    let app = TestApp::new().await;
    follow(&app, &changes()).await;
    app.write([
        labelled("COMPLETED", json!({"a": "1", "c": "3"})),
        execution("run-2", json!({"labels": {"a": "1"}, "teamId": "team-b"})),
        execution("run-3", json!({"labels": {"a": "1"}})),
    ])
    .await;
    let team = "team-a".parse().expect("a team");
    assert_eq!(enter(&app, Some(&team)).await, 1);
    assert_eq!(enter(&app, None).await, 1);
    assert_eq!(enter(&app, None).await, 0);
    assert_eq!(passed_with_label(&app).await, ["run-3", "run-1"]);
}

#[tokio::test]
async fn an_end_from_an_abandoned_batch_can_be_entered() {
    let app = TestApp::new().await;
    let open = execution("run-4", json!({"status": "RUNNING", "labels": {"a": "1"}}));
    let begun = Change::new("9", None, Some(open));
    let ended = execution("run-4", json!({"labels": {"a": "1"}, "createdAt": time(0)}));
    app.write([ended]).await;
    follow(&app, &[begun]).await;
    assert_eq!(enter(&app, None).await, 1);
    assert_eq!(passed_with_label(&app).await, ["run-4"]);
}

/// The total of a team's runs.
async fn total(app: &TestApp, token: &str) -> Value {
    let path = "/api/history/execution-stats?startDate=2026-02-17";
    app.get(token, path).await.ok()["stats"]["totalExecutions"].take()
}

#[tokio::test]
async fn totals_do_not_wait_for_labels() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let labels = json!({"labels": {"orderId": "42"}});
    app.write([execution("run-1", labels)]).await;
    app.count_alone().await;
    assert_eq!(total(&app, &token).await, 1);
    assert_eq!(found(&app, &token, "orderId=42").await, [""; 0]);
    app.count().await;
    assert_eq!(found(&app, &token, "orderId=42").await, ["run-1"]);
}

/// Restores a table to the state before labels had their own position in the stream.
async fn remove_label_positions(app: &TestApp) {
    for (pk, sk) in [(keys::SCOPE_INDEX, keys::LABELS_SEPARATE)] {
        app.store.delete(pk, sk).await.expect("removed");
    }
    for item in app.store.scan().all().await.expect("read") {
        let [pk, sk] = ["pk", "sk"].map(|name| item[name].as_s().expect("a text"));
        if sk == keys::LABELS {
            app.store.delete(pk, sk).await.expect("removed");
        }
    }
}

#[tokio::test]
async fn an_upgrade_enters_only_labels_that_were_not_counted() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let labelled = |id: &str| execution(id, json!({"labels": {"orderId": id}}));
    app.write([labelled("before")]).await;
    app.count().await;
    remove_label_positions(&app).await;
    // The missing entry shows that labels of the previous release are not entered again.
    let (pk, sk) = ("LABEL#team-a#orderId=before", format!("{}#before", time(0)));
    app.store.delete(pk, &sk).await.expect("removed");
    app.write([labelled("between")]).await;
    // Twice the counters continue, and the process ends before a label is entered.
    app.count_alone().await;
    app.write([labelled("after")]).await;
    app.count_alone().await;
    app.count().await;
    assert_eq!(found(&app, &token, "orderId=between").await, ["between"]);
    assert_eq!(found(&app, &token, "orderId=after").await, ["after"]);
    assert_eq!(found(&app, &token, "orderId=before").await, [""; 0]);
}

#[tokio::test]
async fn labels_without_a_position_are_entered_from_the_start() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // The runs are counted, but no label was ever entered.
    app.write([execution("run-1", json!({"labels": {"orderId": "42"}}))])
        .await;
    app.count_alone().await;
    app.count_alone().await;
    app.count().await;
    assert_eq!(found(&app, &token, "orderId=42").await, ["run-1"]);
}

#[tokio::test]
async fn the_count_function_enters_the_labels_of_a_batch() {
    let app = TestApp::new().await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/count.json");
    let event = std::fs::read_to_string(path).expect("a sample event");
    let mut event: Value = serde_json::from_str(&event).expect("JSON");
    event["Records"]
        .as_array_mut()
        .expect("records")
        .truncate(1);
    let image = &mut event["Records"][0]["dynamodb"]["NewImage"];
    image["labels"] = json!({"M": {"orderId": {"S": "42"}}});
    let event = serde_json::from_value(event).expect("an event");
    let event = LambdaEvent::new(event, Context::default());
    let counter = Counter::new(app.store_as_served());
    let counted = as_function("count", functions::stream::count(&counter, event)).await;
    counted.expect("counted");
    let label = Label::new("orderId", "42").expect("a label");
    let partition = keys::label_partition("default", &label);
    let sk = keys::label_entry("2026-02-17T10:30:00.000Z", "run-42");
    let entry = app.store.get(&partition, &sk);
    let entry = entry.await.expect("read").expect("an entry");
    assert_eq!(entry["status"], text("RUNNING"));
}
