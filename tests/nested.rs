//! Steps that name the step below which they ran.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::model::Item;

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, step, time};

mod added_forks;
mod large;
mod pages;
mod single;

/// A step below another one, from `offset` to `offset + length` milliseconds.
fn nested(id: &str, parent: &str, offset: i64, length: i64) -> Item {
    let end = json!({"endTime": time(offset + length), "durationMs": length});
    let mut item = step("run-1", id, offset, end);
    let parent = AttributeValue::S(parent.to_owned());
    item.insert("parentStepInstanceId".to_owned(), parent);
    item
}

/// The same with another type.
fn typed(mut item: Item, kind: Option<&str>) -> Item {
    item.remove("stepType");
    let kind = kind.map(|kind| AttributeValue::S(kind.to_owned()));
    item.extend(kind.map(|kind| ("stepType".to_owned(), kind)));
    item
}

fn with_status(mut item: Item, status: &str) -> Item {
    let status = AttributeValue::S(status.to_owned());
    item.insert("status".to_owned(), status);
    item
}

/// The request for the steps below a step.
fn below(id: &str, offset: i64) -> String {
    let parent = ForkKey {
        execution_id: "run-1",
        id,
        offset,
    };
    parent.branch_steps_path()
}

/// The ids of steps, with a `+` if the step has branches.
fn outline(steps: &Value, id: &str) -> Vec<String> {
    let steps = steps.as_array().expect("steps").iter();
    let line = |step: &Value| {
        let id = step[id].as_str().expect("an id");
        let has_branches = step["hasBranches"].as_bool().expect("a boolean");
        format!("{id}{}", if has_branches { "+" } else { "" })
    };
    steps.map(line).collect()
}

/// The branches and lanes of an answer: id, name, and steps as in [`outline`].
fn lanes(body: &Value) -> Vec<(String, String, Vec<String>)> {
    let branches = body["data"].as_object().expect("a map").iter();
    let lane = |(id, branch): (&String, &Value)| {
        let name = branch["branchId"].as_str().expect("a name").to_owned();
        (
            id.clone(),
            name,
            outline(&branch["steps"], "stepInstanceId"),
        )
    };
    branches.map(lane).collect()
}

fn lane(id: &str, name: &str, steps: &[&str]) -> (String, String, Vec<String>) {
    let steps = steps.iter().map(|step| (*step).to_owned());
    (id.to_owned(), name.to_owned(), steps.collect())
}

/// A run with two overlapping steps below `top`, a leaf below one of them, and an orphan.
fn small_run() -> Vec<Item> {
    let length = json!({"endTime": time(90), "durationMs": 90, "stepType": null});
    vec![
        execution("run-1", json!({})),
        step("run-1", "top", 0, length),
        nested("a", "top", 10, 30),
        nested("b", "top", 20, 30),
        nested("c", "top", 40, 10),
        nested("leaf", "a", 15, 1),
        nested("orphan", "unknown", 50, 1),
        step("run-1", "last", 60, json!({})),
    ]
}

#[tokio::test]
async fn details_have_top_level_steps_and_lanes_on_demand() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let mut run = small_run();
    run.retain(|item| item.get("stepInstanceId") != Some(&AttributeValue::S("orphan".into())));
    app.write(run).await;
    app.remember_masking("team-a").await;
    let answer = app.get(&token, "/flow-executions/run-1").await;
    let steps = answer.ok()["data"]["steps"].take();
    assert_eq!(outline(&steps, "stepInstanceId"), ["top+", "last"]);
    assert_eq!(steps[0]["stepType"], "PARALLEL_FORK_MANAGER");
    assert_eq!(steps[1]["stepType"], "IF_ELSE");
    assert_eq!(answer.usage.requests, 1);

    let answer = app.get(&token, &below("top", 0)).await;
    let expected = [
        lane("top.1", "lane-1", &["a+", "c"]),
        lane("top.2", "lane-2", &["b"]),
    ];
    assert_eq!(lanes(&answer.ok()), expected);
    assert_eq!(answer.usage.requests, 2);
    let body = app.get(&token, &below("a", 10)).await.ok();
    assert_eq!(lanes(&body), [lane("a.1", "lane-1", &["leaf"])]);
    let body = app.get(&token, &below("last", 60)).await.ok();
    assert_eq!(lanes(&body), []);
}

#[tokio::test]
async fn all_nodes_are_in_order_of_time_with_their_parents() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(small_run()).await;
    app.remember_masking("team-a").await;
    let answer = app.get(&token, "/api/executions/run-1").await;
    let nodes = answer.ok()["nodeExecutions"].take();
    assert_eq!(answer.usage.requests, 1);
    let expected = ["top+", "a+", "leaf", "b", "c", "orphan", "last"];
    assert_eq!(outline(&nodes, "id"), expected);
    let place = |node: usize| {
        let node = &nodes[node];
        json!([
            node["parentStepInstanceId"],
            node["branchExecutionId"],
            node["branchId"]
        ])
    };
    assert_eq!(place(0), json!([null, null, null]));
    assert_eq!(place(1), json!(["top", "top.1", "lane-1"]));
    assert_eq!(place(2), json!(["a", "a.1", "lane-1"]));
    assert_eq!(place(3), json!(["top", "top.2", "lane-2"]));
    assert_eq!(place(5), json!([null, null, null]), "its parent is unknown");
}

#[tokio::test]
async fn the_history_shows_top_level_steps() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(small_run()).await;
    let body = app.get(&token, "/api/history/executions/run-1").await.ok();
    let steps = &body["execution"]["steps"];
    assert_eq!(outline(steps, "id"), ["top+", "orphan", "last"]);
    assert_eq!(steps[0]["action"], "PARALLEL_FORK_MANAGER");
    assert_eq!(body["execution"]["stepSummary"]["total"], 3);
    let body = app
        .get(&token, "/api/history/executions/flows/flow-1")
        .await
        .ok();
    let steps = body["executions"][0]["steps"].as_array().expect("steps");
    let ids: Vec<_> = steps.iter().map(|step| step["id"].as_str()).collect();
    assert_eq!(ids, [Some("top"), Some("orphan"), Some("last")]);
}

#[tokio::test]
async fn members_of_a_cycle_are_top_level_everywhere() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        nested("one", "two", 0, 5),
        nested("two", "one", 1, 5),
        nested("own", "own", 2, 5),
        nested("under", "two", 3, 5),
    ])
    .await;
    let body = app.get(&token, "/flow-executions/run-1").await.ok();
    let steps = &body["data"]["steps"];
    assert_eq!(outline(steps, "stepInstanceId"), ["one", "two+", "own"]);
    let body = app.get(&token, &below("two", 1)).await.ok();
    assert_eq!(lanes(&body), [lane("two.1", "lane-1", &["under"])]);
    let body = app.get(&token, &below("one", 0)).await.ok();
    assert_eq!(lanes(&body), []);
    let body = app
        .get(&token, "/api/history/executions/flows/flow-1")
        .await
        .ok();
    let steps = body["executions"][0]["steps"].as_array().map(Vec::len);
    assert_eq!(steps, Some(3));
}

#[tokio::test]
async fn a_fork_may_have_branches_and_nested_steps() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork",
        offset: 0,
    };
    let of_type = json!({"stepType": "PARALLEL_FORK_MANAGER"});
    app.write([
        execution("run-1", json!({})),
        step("run-1", "fork", 0, of_type),
        branch_step(&fork, "branch-x", "inside", 10, json!({})),
        branch_step(&fork, "branch-x", "other", 20, json!({})),
        nested("n-1", "fork", 5, 100),
        nested("n-2", "fork", 6, 1),
        nested("deep", "inside", 11, 1),
    ])
    .await;
    let body = app.get(&token, "/flow-executions/run-1").await.ok();
    let steps = &body["data"]["steps"];
    assert_eq!(outline(steps, "stepInstanceId"), ["fork+"]);
    let body = app.get(&token, &below("fork", 0)).await.ok();
    let expected = [
        lane("branch-x", "process_item", &["inside+", "other"]),
        lane("fork.1", "lane-1", &["n-1"]),
        lane("fork.2", "lane-2", &["n-2"]),
    ];
    assert_eq!(lanes(&body), expected);
    let body = app.get(&token, &below("inside", 10)).await.ok();
    assert_eq!(lanes(&body), [lane("inside.1", "lane-1", &["deep"])]);
    let body = app
        .get(&token, "/api/history/executions/flows/flow-1")
        .await
        .ok();
    let steps = body["executions"][0]["steps"].as_array().map(Vec::len);
    assert_eq!(steps, Some(1), "a parent in a branch is found as well");
}

#[tokio::test]
async fn a_parent_is_a_fork_unless_its_engine_named_a_type() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let mut run = vec![execution("run-1", json!({}))];
    let kinds = [None, Some("INTERNAL"), Some("CONSUMER"), Some("AGENT")];
    for (number, kind) in kinds.into_iter().enumerate() {
        let (id, at) = (format!("p-{number}"), number as i64 * 100);
        run.push(typed(step("run-1", &id, at, json!({})), kind));
        run.push(nested(&format!("leaf-{number}"), &id, at + 1, 1));
    }
    let alone = step("run-1", "alone", 900, json!({}));
    run.push(typed(alone, Some("INTERNAL")));
    app.write(run).await;
    let body = app.get(&token, "/flow-executions/run-1").await.ok();
    let steps = body["data"]["steps"].as_array().expect("steps");
    let kinds: Vec<_> = steps.iter().map(|step| step["stepType"].as_str()).collect();
    let fork = Some("PARALLEL_FORK_MANAGER");
    assert_eq!(kinds, [fork, fork, fork, Some("AGENT"), Some("INTERNAL")]);
}

#[tokio::test]
async fn the_failure_inside_comes_before_the_failure_of_its_parent() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // All three start and end in the same millisecond, and the ids are in no useful order.
    let failed = |item: Item| with_status(item, "FAILED");
    app.write([
        execution("run-1", json!({"status": "FAILED"})),
        failed(step("run-1", "m-top", 0, json!({}))),
        failed(nested("a-middle", "m-top", 0, 5)),
        failed(nested("z-leaf", "a-middle", 0, 5)),
    ])
    .await;
    let path = "/api/history/step-stats?startDate=2026-02-17&flowId=flow-1";
    let body = app.get(&token, path).await.ok();
    let steps = body["stats"]["steps"].as_array().expect("steps").clone();
    let first = steps.iter().find(|step| step["failedFirst"] == 1);
    assert_eq!(
        first.map(|step| &step["stepId"]),
        Some(&json!("z-leaf-definition"))
    );
    assert_eq!(steps.len(), 3);
}

#[tokio::test]
async fn open_nested_steps_end_with_their_run() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let open = |id, at| {
        let open = json!({"status": "RUNNING", "endTime": null, "durationMs": null});
        let mut item = step("run-1", id, at, open);
        let parent = AttributeValue::S("top".to_owned());
        item.insert("parentStepInstanceId".to_owned(), parent);
        item
    };
    app.write([
        execution("run-1", json!({"status": "CANCELLED"})),
        step("run-1", "top", 0, json!({})),
        open("a", 10),
        open("b", 500),
    ])
    .await;
    let body = app.get(&token, &below("top", 0)).await.ok();
    // An open step keeps its lane, also after its run has ended.
    let expected = [
        lane("top.1", "lane-1", &["a"]),
        lane("top.2", "lane-2", &["b"]),
    ];
    assert_eq!(lanes(&body), expected);
    let step = &body["data"]["top.1"]["steps"][0];
    assert_eq!(step["status"], "CANCELLED");
    assert_eq!(step["endTime"], time(2_400));
}

#[tokio::test]
async fn records_that_are_not_nested_hide_no_other_step() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let mut odd = nested("odd", "a", 20, 5);
    odd.insert("sk".to_owned(), AttributeValue::S("STEP#odd".to_owned()));
    let mut expired = nested("expired", "a", 30, 5);
    expired.insert("expiresAt".to_owned(), AttributeValue::N("1".to_owned()));
    let mut null = nested("null", "a", 40, 5);
    null.insert(
        "parentStepInstanceId".to_owned(),
        AttributeValue::Null(true),
    );
    app.write([
        execution("run-1", json!({})),
        step("run-1", "a", 10, json!({})),
    ])
    .await;
    app.write([odd, expired, null]).await;
    let body = app.get(&token, "/flow-executions/run-1").await.ok();
    let steps = outline(&body["data"]["steps"], "stepInstanceId");
    assert_eq!(steps, ["a", "null", "odd"]);
    let body = app.get(&token, "/flow-executions/run-1?limit=1").await.ok();
    assert_eq!(outline(&body["data"]["steps"], "stepInstanceId"), ["a"]);
}
