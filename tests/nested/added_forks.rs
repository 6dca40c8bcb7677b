//! Overlapping steps of the root of a trace, above which readers add a fork.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::auth::Role;
use shared::model::Item;

use super::{below, lane, lanes, nested, outline, with_status};
use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step_path, execution, payload, step_path, time};

const FORK: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "b.overlap",
    offset: 20,
};

/// A step, three that were started together or overlap, of which one has a step below it, and one
/// that failed.
fn traced_run() -> Vec<Item> {
    vec![
        execution("run-1", json!({"status": "FAILED"})),
        nested("a", "root", 0, 20),
        nested("b", "root", 20, 30),
        nested("c", "root", 20, 10),
        nested("d", "root", 45, 30),
        nested("inside", "c", 31, 5),
        with_status(nested("e", "root", 80, 10), "FAILED"),
    ]
}

#[tokio::test]
async fn overlapping_steps_of_the_root_are_lanes_of_a_fork() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(traced_run()).await;
    let body = app.get(&token, "/flow-executions/run-1").await.ok();
    let steps = &body["data"]["steps"];
    assert_eq!(outline(steps, "stepInstanceId"), ["a", "b.overlap+", "e"]);
    let fork = json!({
        "stepInstanceId": "b.overlap", "stepId": null, "stepName": "3 overlapping steps",
        "stepType": "PARALLEL_FORK_MANAGER", "sequenceNumber": null, "status": "COMPLETED",
        "startTime": time(20), "endTime": time(75), "durationMs": 55, "retryCount": 0,
        "input": null, "output": null, "executionData": null, "errorMessage": null,
        "subflowExecutionId": null, "hasBranches": true,
    });
    assert_eq!(steps[1], fork);
    let body = app.get(&token, &below("b.overlap", 20)).await.ok();
    let expected = [
        lane("b.overlap.1", "lane-1", &["b"]),
        lane("b.overlap.2", "lane-2", &["c+", "d"]),
    ];
    assert_eq!(lanes(&body), expected);
    let body = app.get(&token, &below("c", 20)).await.ok();
    assert_eq!(lanes(&body), [lane("c.1", "lane-1", &["inside"])]);
}

#[tokio::test]
async fn nodes_and_the_history_have_added_forks() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(traced_run()).await;
    let body = app.get(&token, "/api/executions/run-1").await.ok();
    let nodes = &body["nodeExecutions"];
    let expected = ["a", "b.overlap+", "b", "c+", "inside", "d", "e"];
    assert_eq!(outline(nodes, "id"), expected);
    let place = |node: usize| {
        let node = &nodes[node];
        json!([
            node["parentStepInstanceId"],
            node["branchExecutionId"],
            node["branchId"]
        ])
    };
    assert_eq!(place(1), json!([null, null, null]));
    assert_eq!(place(2), json!(["b.overlap", "b.overlap.1", "lane-1"]));
    assert_eq!(place(4), json!(["c", "c.1", "lane-1"]));
    assert_eq!(place(5), json!(["b.overlap", "b.overlap.2", "lane-2"]));

    let body = app.get(&token, "/api/history/executions/run-1").await.ok();
    let steps = &body["execution"]["steps"];
    assert_eq!(outline(steps, "id"), ["a", "b.overlap+", "e"]);
    let list = "/api/history/executions/flows/flow-1";
    let body = app.get(&token, list).await.ok();
    let fork = &body["executions"][0]["steps"][1];
    let expected = json!({
        "id": "b.overlap", "sequenceNumber": null, "action": "PARALLEL_FORK_MANAGER",
        "status": "PASSED", "durationMs": 55,
    });
    assert_eq!(*fork, expected);
    assert_eq!(
        body["executions"][0]["steps"].as_array().map(Vec::len),
        Some(3)
    );
}

#[tokio::test]
async fn an_added_fork_and_its_steps_are_found_alone() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let mut run = traced_run();
    for item in &mut run {
        item.remove("output");
    }
    app.write(run).await;
    let value = json!({"value": "as a payload"});
    app.write([payload("run-1", "step:d:output", 0, value)])
        .await;
    let body = app
        .get(&token, &step_path("run-1", "b.overlap", 20))
        .await
        .ok();
    assert_eq!(body["data"]["stepName"], "3 overlapping steps");
    assert_eq!(body["data"]["endTime"], time(75));
    assert_eq!(body["data"].get("hasBranches"), None);
    for path in [
        branch_step_path(&FORK, "b.overlap.2", "d", 45),
        // An earlier step that overlaps was written after the address was read.
        branch_step_path(
            &ForkKey {
                id: "d.overlap",
                ..FORK
            },
            "d.overlap.1",
            "d",
            45,
        ),
    ] {
        let body = app.get(&token, &path).await.ok();
        assert_eq!(body["data"]["output"], "as a payload", "{path}");
    }
    for path in [
        step_path("run-1", "b.overlap", 21),
        step_path("run-1", "a.overlap", 0),
        branch_step_path(&FORK, "b.overlap.x", "d", 45),
        branch_step_path(&FORK, "d.overlap.1", "d", 45),
        branch_step_path(&FORK, "b.overlap.1", "b.overlap", 20),
    ] {
        assert_eq!(app.get(&token, &path).await.problem().0, 404, "{path}");
    }
}

/// Pairs and triples of overlapping steps between single ones, each with a step below it.
fn run_of_many_forks(groups: i64) -> Vec<Item> {
    let mut run = vec![execution("run-1", json!({}))];
    for group in 0..groups {
        let at = group * 100;
        for member in 0..=(group % 3) {
            let id = format!("s-{group:03}-{member}");
            run.push(nested(&format!("{id}-below"), &id, at + member + 3, 1));
            run.push(nested(&id, "root", at, 50));
        }
    }
    run
}

fn top_level_of_many_forks(groups: i64) -> Vec<String> {
    let name = |group: i64| match group % 3 {
        0 => format!("s-{group:03}-0+"),
        _ => format!("s-{group:03}-0.overlap+"),
    };
    (0..groups).map(name).collect()
}

#[tokio::test]
async fn pages_of_any_size_have_all_added_forks() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(run_of_many_forks(12)).await;
    let expected = top_level_of_many_forks(12);
    for filter in ["", "&stepStatus=COMPLETED"] {
        for limit in [1, 2, 5, 12, 500] {
            let path = format!("/flow-executions/run-1?limit={limit}{filter}");
            let steps = app.walk_steps(&token, &path, |_, answer| {
                let steps = answer.ok()["data"]["steps"].as_array().map(Vec::len);
                assert!(
                    steps.is_some_and(|steps| (1..=limit).contains(&steps)),
                    "{path}"
                );
            });
            let steps = json!(steps.await);
            assert_eq!(outline(&steps, "stepInstanceId"), expected, "{path}");
        }
    }
    let path = "/api/history/executions/run-1?limit=5";
    let body = app.get(&token, path).await.ok();
    assert_eq!(outline(&body["execution"]["steps"], "id"), expected[..5]);
}

/// The ids of all nodes of a run, page by page.
async fn walk_nodes(app: &TestApp, token: &str, limit: usize) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/executions/run-1?limit={limit}{next}");
        let body = app.get(token, &path).await.ok();
        let nodes = outline(&body["nodeExecutions"], "id");
        assert!((1..=limit).contains(&nodes.len()), "{path}");
        found.extend(nodes);
        match body["nextToken"].as_str() {
            Some(token) => next = format!("&nextToken={token}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn pages_of_nodes_have_each_fork_before_its_steps() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write(run_of_many_forks(6)).await;
    let whole = walk_nodes(&app, &token, 500).await;
    let mut expected = Vec::new();
    for group in 0..6 {
        if group % 3 > 0 {
            expected.push(format!("s-{group:03}-0.overlap+"));
        }
        expected.extend((0..=group % 3).map(|member| format!("s-{group:03}-{member}+")));
        expected.extend((0..=group % 3).map(|member| format!("s-{group:03}-{member}-below")));
    }
    assert_eq!(whole, expected);
    for limit in [1, 2, 3, expected.len() - 1, expected.len()] {
        assert_eq!(
            walk_nodes(&app, &token, limit).await,
            expected,
            "limit {limit}"
        );
    }
}

#[tokio::test]
async fn pages_below_an_added_fork_have_all_its_steps() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let members = (0..20).map(|n| nested(&format!("n-{n:02}"), "root", n / 2 * 20, 32));
    let run = [execution("run-1", json!({}))].into_iter().chain(members);
    app.write(run).await;
    let expected: Vec<_> = (0..20).map(|n| format!("n-{n:02}")).collect();
    for limit in [1, 7, 19, 20, 500] {
        let path = format!("{}&limit={limit}", below("n-00.overlap", 0));
        let (mut found, mut next) = (Vec::new(), String::new());
        loop {
            let body = app.get(&token, &format!("{path}{next}")).await.ok();
            let page = lanes(&body);
            assert!(
                page.iter().all(|(id, ..)| id.starts_with("n-00.overlap.")),
                "{page:?}"
            );
            found.extend(page.into_iter().flat_map(|(.., steps)| steps));
            match body["nextToken"].as_str() {
                Some(token) => next = format!("&nextToken={token}"),
                None => break,
            }
        }
        found.sort();
        assert_eq!(found, expected, "limit {limit}");
    }
    let body = app.get(&token, &below("n-01.overlap", 10)).await.ok();
    assert_eq!(lanes(&body), []);
}

#[tokio::test]
async fn a_status_filter_applies_to_added_forks() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let mut run = traced_run();
    run.push(with_status(nested("f", "root", 60, 5), "FAILED"));
    app.write(run).await;
    let top_level = async |status: &str| {
        let path = format!("/flow-executions/run-1?stepStatus={status}");
        let body = app.get(&token, &path).await.ok();
        outline(&body["data"]["steps"], "stepInstanceId")
    };
    assert_eq!(top_level("FAILED").await, ["b.overlap+", "e"]);
    assert_eq!(top_level("COMPLETED").await, ["a"]);
    assert_eq!(top_level("RUNNING").await, [""; 0]);
    let path = format!("{}&stepStatus=FAILED", below("b.overlap", 20));
    let body = app.get(&token, &path).await.ok();
    assert_eq!(lanes(&body), [lane("b.overlap.1", "lane-1", &["f"])]);
}

#[tokio::test]
async fn an_added_fork_is_open_as_long_as_its_steps() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let mut open = with_status(nested("b", "root", 0, 0), "RUNNING");
    open.remove("endTime");
    open.remove("durationMs");
    let failed = with_status(nested("a", "root", 0, 10), "FAILED");
    app.write([
        execution("run-1", json!({"status": "RUNNING"})),
        failed,
        open,
    ])
    .await;
    let body = app.get(&token, "/flow-executions/run-1").await.ok();
    let fork = &body["data"]["steps"][0];
    let state = |fork: &Value| json!([fork["status"], fork["endTime"], fork["durationMs"]]);
    assert_eq!(state(fork), json!(["RUNNING", null, null]));
    app.write([execution("run-1", json!({"status": "CANCELLED"}))])
        .await;
    let body = app.get(&token, "/flow-executions/run-1").await.ok();
    let fork = &body["data"]["steps"][0];
    assert_eq!(state(fork), json!(["CANCELLED", time(2_400), 2_400]));
}

#[tokio::test]
async fn statistics_and_exports_have_no_added_forks() {
    let app = TestApp::new().await;
    let token = app.token("team-a", Role::Admin, None).await;
    app.write(traced_run()).await;
    let path = "/api/history/step-stats?startDate=2026-02-17&flowId=flow-1";
    let body = app.get(&token, path).await.ok();
    assert_eq!(body["stats"]["steps"].as_array().map(Vec::len), Some(6));
    assert!(!body.to_string().contains("overlap"), "{body}");
    let body = app.get(&token, "/api/executions/team/team-a").await.ok();
    assert_eq!(body["content"][0]["nodeCount"], 6);
    let path = "/api/executions/team/team-a/export?format=json&from=2026-02-17";
    let file = app.get(&token, path).await.ok();
    assert_eq!(file[0]["nodeExecutions"].as_array().map(Vec::len), Some(6));
}

#[tokio::test]
async fn a_large_run_has_added_forks_and_nothing_is_read_for_them() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // About 3 MB of steps, and payloads that no page reads completely.
    let groups = 60;
    app.write(run_of_many_forks(groups)).await;
    let text = AttributeValue::S("x".repeat(20_000));
    let filler = (0..150).map(|n| {
        let mut item = nested(&format!("a-{n:03}"), "s-000-0", 60_000 + n, 1);
        item.insert("output".to_owned(), text.clone());
        item
    });
    app.write(filler).await;
    let value = json!({"value": "x".repeat(300_000)});
    app.write((0..5).map(|n| payload("run-1", &format!("step:a-{n:03}:input"), 0, value.clone())))
        .await;
    let expected = top_level_of_many_forks(groups);
    for limit in [7, 500] {
        let path = format!("/flow-executions/run-1?maxPayloadBytes=100&limit={limit}");
        let steps = app.walk_steps(&token, &path, |_, _| ()).await;
        for step in &steps {
            let is_added = step["stepName"]
                .as_str()
                .is_some_and(|it| it.ends_with("overlapping steps"));
            assert_eq!(step.get("omittedPayloads").is_none(), is_added, "{step}");
        }
        assert_eq!(
            outline(&json!(steps), "stepInstanceId"),
            expected,
            "limit {limit}"
        );
    }
}

#[tokio::test]
async fn a_trace_costs_what_another_run_costs() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let without_root = || json!({"status": "FAILED"});
    let with_root = || json!({"status": "FAILED", "spanId": "root"});
    let requests = async |path: &str, attributes: fn() -> Value| {
        app.write([execution("run-1", attributes())]).await;
        let answer = app.get(&token, path).await;
        answer.ok();
        answer.usage.requests
    };
    app.write(traced_run()).await;
    app.remember_masking("team-a").await;
    // The run, the masking and stalled settings are known; a list reads its page and the steps.
    for (path, most) in [
        ("/flow-executions/run-1", 1),
        ("/api/history/executions/run-1", 1),
        (below("b.overlap", 20).as_str(), 2),
        ("/api/history/executions/flows/flow-1", 2),
    ] {
        let known = requests(path, with_root).await;
        assert_eq!(known, most, "{path}");
        // An unknown parent may be a step of a branch.
        assert_eq!(requests(path, without_root).await, known + 1, "{path}");
    }
    // All details of a run begin with its branches.
    let path = "/api/executions/run-1";
    assert_eq!(requests(path, with_root).await, 1);
    assert_eq!(requests(path, without_root).await, 1);
    // Only one of the unknown parents is the root.
    app.write([nested("orphan", "unknown", 90, 1)]).await;
    assert_eq!(requests("/flow-executions/run-1", with_root).await, 2);
}
