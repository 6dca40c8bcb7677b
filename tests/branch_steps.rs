//! `GET /flow-executions/{flowExecutionId}/branch-steps`.

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, payload, payload_parts, step};

const FORK: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "fork-1",
    offset: 100,
};

/// The ids of the steps of each branch.
fn outline(data: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let branches = data.as_object().expect("a map").iter();
    branches
        .map(|(branch, view)| {
            let steps = view["steps"].as_array().expect("steps");
            (
                branch.clone(),
                steps
                    .iter()
                    .map(|step| text(&step["stepInstanceId"]))
                    .collect(),
            )
        })
        .collect()
}

#[tokio::test]
async fn each_branch_has_its_name_and_its_steps_in_order() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        step(
            "run-1",
            "fork-1",
            100,
            json!({"stepType": "PARALLEL_FORK_MANAGER"}),
        ),
        branch_step(
            &FORK,
            "branch-exec-2",
            "d",
            115,
            json!({"branchId": "other"}),
        ),
        branch_step(&FORK, "branch-exec-1", "b", 130, json!({})),
        branch_step(&FORK, "branch-exec-1", "a", 110, json!({})),
        // Steps of other forks: with the same time, and with a longer id.
        branch_step(
            &ForkKey {
                id: "fork-2",
                ..FORK
            },
            "branch-exec-3",
            "x",
            111,
            json!({}),
        ),
        branch_step(
            &ForkKey {
                id: "fork-12",
                ..FORK
            },
            "branch-exec-4",
            "y",
            111,
            json!({}),
        ),
    ])
    .await;
    let body = app.get(&token, &FORK.branch_steps_path()).await.ok();
    let branch = |id: &str| body["data"][id].clone();
    assert_eq!(
        outline(&body["data"]),
        [
            (
                "branch-exec-1".to_owned(),
                vec!["a".to_owned(), "b".to_owned()]
            ),
            ("branch-exec-2".to_owned(), vec!["d".to_owned()]),
        ]
    );
    assert_eq!(branch("branch-exec-1")["branchId"], "process_item");
    assert_eq!(branch("branch-exec-2")["branchId"], "other");
}

#[tokio::test]
async fn a_step_of_a_branch_has_the_same_attributes_as_others() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        step(
            "run-1",
            "fork-1",
            100,
            json!({"stepType": "PARALLEL_FORK_MANAGER"}),
        ),
        branch_step(&FORK, "branch-exec-2", "d", 115, json!({})),
    ])
    .await;
    let body = app.get(&token, &FORK.branch_steps_path()).await.ok();
    let details = app.get(&token, "/flow-executions/run-1").await.ok();
    let mut top = details["data"]["steps"][0].clone();
    let mut step = body["data"]["branch-exec-2"]["steps"][0].clone();
    assert_eq!(
        top.as_object_mut()
            .map(|step| step.keys().cloned().collect::<Vec<_>>()),
        step.as_object_mut()
            .map(|step| step.keys().cloned().collect()),
        "a step of a branch has the same attributes as any other"
    );
    assert_eq!(
        details["data"]["steps"].as_array().map(Vec::len),
        Some(1),
        "the details have no steps of branches"
    );
}

#[tokio::test]
async fn a_fork_inside_a_branch_is_read_by_its_id_and_time() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let nested = ForkKey {
        id: "fork-inner",
        offset: 200,
        ..FORK
    };
    let deepest = ForkKey {
        id: "fork-deepest",
        offset: 300,
        ..FORK
    };
    let fork_type = json!({"stepType": "PARALLEL_FORK_MANAGER"});
    app.write([
        execution("run-1", json!({})),
        step("run-1", "fork-1", 100, fork_type.clone()),
        branch_step(&FORK, "outer", "fork-inner", 200, fork_type.clone()),
        branch_step(&nested, "inner", "fork-deepest", 300, fork_type),
        branch_step(&deepest, "deepest", "leaf", 310, json!({})),
    ])
    .await;
    for (fork, branch, step) in [
        (&FORK, "outer", "fork-inner"),
        (&nested, "inner", "fork-deepest"),
        (&deepest, "deepest", "leaf"),
    ] {
        let body = app.get(&token, &fork.branch_steps_path()).await.ok();
        assert_eq!(
            outline(&body["data"]),
            [(branch.to_owned(), vec![step.to_owned()])]
        );
    }
}

#[tokio::test]
async fn fifty_branches_of_ten_steps_take_one_query_after_the_run() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({}))]).await;
    let steps = (0..500).map(|n| {
        let branch = format!("branch-{:02}", n / 10);
        branch_step(&FORK, &branch, &format!("step-{n}"), 200 + n, json!({}))
    });
    app.write(steps).await;
    app.remember_masking("team-a").await;
    let answer = app.get(&token, &FORK.branch_steps_path()).await;
    let body = answer.ok();
    let outline = outline(&body["data"]);
    assert_eq!(outline.len(), 50);
    assert!(outline.iter().all(|(_, steps)| steps.len() == 10));
    assert_eq!(answer.usage.requests, 2);
}

#[tokio::test]
async fn pages_of_any_size_have_all_steps_of_the_branches() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({}))]).await;
    let steps = (0..30).map(|n| {
        let branch = format!("branch-{}", n / 10);
        branch_step(&FORK, &branch, &format!("step-{n:02}"), 200 + n, json!({}))
    });
    app.write(steps).await;
    let whole: Vec<_> = outline(&app.get(&token, &FORK.branch_steps_path()).await.ok()["data"])
        .into_iter()
        .flat_map(|(branch, steps)| steps.into_iter().map(move |step| (branch.clone(), step)))
        .collect();
    assert_eq!(whole.len(), 30);
    for limit in [1, 7, 30, 500] {
        let mut found = Vec::new();
        let mut next = String::new();
        loop {
            let body = app
                .get(
                    &token,
                    &format!("{}&limit={limit}{next}", FORK.branch_steps_path()),
                )
                .await
                .ok();
            for (branch, steps) in outline(&body["data"]) {
                found.extend(steps.into_iter().map(|step| (branch.clone(), step)));
            }
            match body["nextToken"].as_str() {
                Some(token) => next = format!("&nextToken={token}"),
                None => break,
            }
        }
        assert_eq!(found, whole, "limit {limit}");
    }
}

#[tokio::test]
async fn payloads_of_branch_steps_are_filled_in() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let text = json!("o".repeat(1_000)).to_string();
    app.write([
        execution("run-1", json!({})),
        branch_step(&FORK, "branch", "a", 110, json!({"output": null})),
        payload("run-1", "context", 0, json!({"value": {"large": true}})),
    ])
    .await;
    app.write(payload_parts(
        "run-1",
        "step:a:output",
        text.as_bytes(),
        "json",
        300,
    ))
    .await;
    let body = app.get(&token, &FORK.branch_steps_path()).await.ok();
    let step = &body["data"]["branch"]["steps"][0];
    assert_eq!(step["output"], json!("o".repeat(1_000)));
}

#[tokio::test]
async fn the_time_of_the_fork_may_have_any_rfc_3339_form() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        branch_step(&FORK, "branch", "a", 110, json!({})),
    ])
    .await;
    let base =
        "/flow-executions/run-1/branch-steps?parentStepInstanceId=fork-1&parentStepStartTime=";
    for spelling in [
        "2026-02-17T10:30:00.100Z",
        "2026-02-17T10:30:00.1Z",
        "2026-02-17T11:30:00.100%2B01:00",
        "2026-02-17T11:30:00.100+01:00",
    ] {
        let body = app.get(&token, &format!("{base}{spelling}")).await.ok();
        assert_eq!(outline(&body["data"]).len(), 1, "{spelling}");
    }
}

#[tokio::test]
async fn a_fork_without_steps_is_empty_and_an_unknown_run_is_404() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({}))]).await;
    assert_eq!(
        app.get(&token, &FORK.branch_steps_path()).await.ok()["data"],
        json!({})
    );
    let orphan = ForkKey {
        execution_id: "orphan",
        ..FORK
    };
    app.write([branch_step(&orphan, "branch", "a", 110, json!({}))])
        .await;
    let answer = app.get(&token, &orphan.branch_steps_path()).await;
    assert_eq!(answer.problem(), (404, "EXECUTION_NOT_FOUND".to_owned()));
}
