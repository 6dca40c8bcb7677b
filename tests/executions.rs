//! The executions API: `/api/executions`.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, payload, step, time};

const MINUTE: i64 = 60_000;

const OUTER: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "fork-1",
    offset: 100,
};

/// A fork inside a branch of [`OUTER`].
const INNER: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "fork-2",
    offset: 120,
};

/// A run with both forks, and steps before and after them.
async fn with_forks() -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let attributes = json!({
        "flowName": "Order Processing", "flowVersion": 3, "trigger": "WEBHOOK",
    });
    app.write([
        execution("run-1", attributes),
        step("run-1", "begin", 50, json!({})),
        step(
            "run-1",
            "fork-1",
            100,
            json!({"stepType": "PARALLEL_FORK_MANAGER"}),
        ),
        branch_step(&OUTER, "branch-b", "b-1", 105, json!({})),
        branch_step(&OUTER, "branch-a", "a-1", 110, json!({})),
        branch_step(
            &OUTER,
            "branch-a",
            "fork-2",
            120,
            json!({"stepType": "PARALLEL_FORK_MANAGER"}),
        ),
        branch_step(
            &INNER,
            "branch-c",
            "c-1",
            125,
            json!({"retryCount": 2, "output": null}),
        ),
        branch_step(&OUTER, "branch-b", "b-2", 130, json!({"status": "SKIPPED"})),
        step(
            "run-1",
            "end",
            200,
            json!({"status": "FAILED", "errorMessage": "No stock"}),
        ),
        payload(
            "run-1",
            "input",
            0,
            json!({"value": {"body": {"orderId": 42}}}),
        ),
        payload(
            "run-1",
            "output",
            0,
            json!({"value": {"result": "processed"}}),
        ),
        payload(
            "run-1",
            "step:c-1:output",
            0,
            json!({"value": {"large": true}}),
        ),
    ])
    .await;
    (app, token)
}

#[tokio::test]
async fn nodes_of_all_branches_are_listed_in_order_of_time() {
    let (app, token) = with_forks().await;
    app.remember_masking("team-a").await;
    let answer = app.get(&token, "/api/executions/run-1").await;
    assert_eq!(answer.usage.requests, 1, "one range has all records");
    let body = answer.ok();
    let outline: Vec<_> = body["nodeExecutions"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| {
            (
                node["id"].clone(),
                node["status"].clone(),
                node["branchId"].clone(),
            )
        })
        .collect();
    let branch = json!("process_item");
    let top = Value::Null;
    let expected = [
        ("begin", "SUCCESS", &top),
        ("fork-1", "SUCCESS", &top),
        ("b-1", "SUCCESS", &branch),
        ("a-1", "SUCCESS", &branch),
        ("fork-2", "SUCCESS", &branch),
        ("c-1", "SUCCESS", &branch),
        ("b-2", "SKIPPED", &branch),
        ("end", "FAILED", &top),
    ];
    let expected = expected.map(|(id, status, branch)| (json!(id), json!(status), branch.clone()));
    assert_eq!(outline, expected);
    assert_eq!(body["inputData"], json!({"body": {"orderId": 42}}));
    assert_eq!(body["outputData"], json!({"result": "processed"}));
    assert_eq!(
        body["nodeExecutions"][5]["outputData"],
        json!({"large": true})
    );
    assert_eq!(body["nodeExecutions"][5]["retryCount"], 2);
    assert_eq!(body["nodeExecutions"][7]["errorMessage"], "No stock");
    assert_eq!(
        body["nodeExecutions"][0],
        json!({
            "id": "begin", "nodeId": "begin-definition", "nodeName": "Step begin",
            "nodeType": "IF_ELSE", "status": "SUCCESS",
            "startedAt": time(50), "completedAt": time(55), "durationMs": 5,
            "inputData": {"orderId": 42}, "outputData": {"branch": "true"},
            "errorMessage": null, "retryCount": 0, "hasBranches": false,
        })
    );
    assert_eq!(body.get("nextToken"), None);
    assert_eq!(body.get("warnings"), None);
}

async fn nodes_of_all_pages(app: &TestApp, token: &str, path: &str) -> Vec<Value> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let (mut nodes, mut page_path) = (Vec::new(), path.to_owned());
    loop {
        let mut body = app.get(token, &page_path).await.ok();
        let Value::Array(page) = body["nodeExecutions"].take() else {
            panic!("no nodes");
        };
        assert!(!page.is_empty(), "an empty page");
        assert!(nodes.len() < 10_000, "too many pages");
        nodes.extend(page);
        match body["nextToken"].as_str() {
            Some(next) => page_path = format!("{path}{joint}nextToken={next}"),
            None => return nodes,
        }
    }
}

#[tokio::test]
async fn pages_of_any_size_have_all_nodes() {
    let (app, token) = with_forks().await;
    let whole = nodes_of_all_pages(&app, &token, "/api/executions/run-1").await;
    assert_eq!(whole.len(), 8);
    for limit in [1, 3, 8] {
        let path = format!("/api/executions/run-1?limit={limit}");
        assert_eq!(
            nodes_of_all_pages(&app, &token, &path).await,
            whole,
            "limit {limit}"
        );
    }
}

#[tokio::test]
async fn a_large_run_has_pages_of_nodes_in_order_of_time() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 0,
    };
    let output = "x".repeat(8_000);
    app.write([execution("run-1", json!({}))]).await;
    app.write((0..900).map(|n| {
        let id = format!("step-{n:04}");
        // Every third step is top-level. The order of the branches differs from the times.
        match n % 3 {
            0 => step("run-1", &id, n * 10, json!({"output": output})),
            branch => {
                let branch = format!("branch-{}", 3 - branch);
                branch_step(&fork, &branch, &id, n * 10, json!({"output": output}))
            }
        }
    }))
    .await;
    app.write([payload("run-1", "input", 0, json!({"value": {"a": 1}}))])
        .await;
    let first = app.get(&token, "/api/executions/run-1").await.ok();
    assert_eq!(first["inputData"], json!({"a": 1}));
    assert!(first["nextToken"].is_string());
    let nodes = nodes_of_all_pages(&app, &token, "/api/executions/run-1").await;
    let ids: Vec<_> = nodes
        .iter()
        .map(|node| node["id"].as_str().expect("an id"))
        .collect();
    let expected: Vec<_> = (0..900).map(|n| format!("step-{n:04}")).collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_list_has_its_documented_fields_and_the_number_of_nodes() {
    let (app, token) = with_forks().await;
    let summed_up = json!({"stepSummary": {"total": 7, "passed": 7}, "createdAt": time(-MINUTE)});
    app.write([execution("run-0", summed_up)]).await;
    app.count().await;
    let body = app
        .get(&token, "/api/executions?workflowId=flow-1")
        .await
        .ok();
    assert_eq!(
        body,
        json!({
            "content": [
                {
                    "id": "run-1", "workflowId": "flow-1", "workflowName": "Order Processing",
                    "status": "SUCCESS", "startedAt": time(50), "finishedAt": time(2_400),
                    "durationMs": 2350, "triggerType": "WEBHOOK", "nodeCount": 8,
                    "errorMessage": null,
                },
                {
                    "id": "run-0", "workflowId": "flow-1", "workflowName": null,
                    "status": "SUCCESS", "startedAt": time(50), "finishedAt": time(2_400),
                    "durationMs": 2350, "triggerType": null, "nodeCount": 7,
                    "errorMessage": null,
                },
            ],
            "totalElements": 2,
            "totalPages": 1,
            "number": 0,
            "size": 20,
        })
    );
    let by_team = app
        .get(&token, "/api/executions/team/team-a?workflowId=flow-1")
        .await
        .ok();
    assert_eq!(by_team, body);
    for (status, runs) in [("SUCCESS", 2), ("FAILED", 0)] {
        let path = format!("/api/executions?workflowId=flow-1&status={status}");
        let listed = app.get(&token, &path).await.ok();
        assert_eq!(listed["totalElements"], runs, "{status}");
        assert_eq!(listed["content"].as_array().map(Vec::len), Some(runs));
    }
}

#[tokio::test]
async fn the_list_and_runs_of_another_team_are_not_shown() {
    let (app, _) = with_forks().await;
    let other = app.viewer("team-b").await;
    let answer = app.get(&other, "/api/executions/team/team-a").await;
    assert_eq!(answer.problem(), (403, "FORBIDDEN".to_owned()));
    let answer = app.get(&other, "/api/executions/run-1").await;
    assert_eq!(answer.problem(), (404, "EXECUTION_NOT_FOUND".to_owned()));
    let empty = app.get(&other, "/api/executions/team/team-b").await.ok();
    assert_eq!(empty["totalElements"], 0);
    assert_eq!(empty["totalPages"], 0);
}
