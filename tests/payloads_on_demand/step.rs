//! The endpoint of one step.

use serde_json::{Value, json};
use shared::auth::Role;

use super::{FORK, Forms, PART, RUN, parts, rows, size, within};
use crate::support::records::{
    ForkKey, branch_step, branch_step_path, execution, payload, payload_parts, step, step_path,
    time,
};
use crate::support::{TestApp, read_units};

/// The payloads of a step, and the list of the omitted ones.
fn payloads_of(step: &Value) -> Value {
    let names = ["input", "output", "executionData", "omittedPayloads"];
    names.map(|name| step[name].clone()).into()
}

#[tokio::test]
async fn the_step_endpoint_returns_the_step_of_the_list() {
    let forms = Forms::new().await;
    let (app, token) = (&forms.app, &forms.token);
    let nested = ForkKey {
        id: "fork-2",
        offset: 300,
        ..FORK
    };
    app.write([
        branch_step(&FORK, "branch", "fork-2", 300, json!({})),
        branch_step(
            &nested,
            "inner",
            "leaf",
            310,
            json!({"output": {"deep": true}}),
        ),
    ])
    .await;
    let details = app.get(token, RUN).await.ok()["data"].take();
    let branches = app.get(token, &FORK.branch_steps_path()).await.ok();
    let inner = app.get(token, &nested.branch_steps_path()).await.ok();
    for (path, listed) in [
        (step_path("run-1", "a", 10), &details["steps"][0]),
        (step_path("run-1", "fork-1", 100), &details["steps"][1]),
        (
            branch_step_path(&FORK, "branch", "b", 110),
            &branches["data"]["branch"]["steps"][0],
        ),
        (
            branch_step_path(&FORK, "branch", "fork-2", 300),
            &branches["data"]["branch"]["steps"][1],
        ),
        (
            branch_step_path(&nested, "inner", "leaf", 310),
            &inner["data"]["inner"]["steps"][0],
        ),
    ] {
        assert_ne!(*listed, Value::Null, "{path}");
        let mut listed = listed.clone();
        let listed_only = listed
            .as_object_mut()
            .and_then(|step| step.remove("hasBranches"));
        assert!(listed_only.is_some(), "{path}");
        let answer = app.get(token, &path).await.ok();
        assert_eq!(answer, json!({"success": true, "data": listed}), "{path}");
    }
}

#[tokio::test]
async fn one_step_needs_few_requests_and_reads_little() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let large = rows(3 << 20);
    let small = rows(1_000);
    app.write([
        execution("run-1", json!({})),
        step("run-1", "a", 10, json!({"input": null, "output": null})),
        step("run-1", "whole", 20, json!({"executionData": {"n": 1}})),
    ])
    .await;
    // A payload of another step, whose name begins in the same way.
    app.write(parts("step:a:b:output", &large)).await;
    app.write(parts("step:a:output", &large)).await;
    app.write(parts("step:a:input", &small)).await;
    // The compressed bytes contain the length of the text.
    let bytes = zstd::bulk::compress(large.to_string().as_bytes(), 3).expect("zstd");
    let data = payload_parts("run-1", "step:a:executionData", &bytes, "json+zstd", 50_000);
    app.write(data).await;
    app.remember_masking("team-a").await;

    let whole = app.get(&token, &step_path("run-1", "whole", 20)).await;
    assert_eq!(whole.ok()["data"]["executionData"], json!({"n": 1}));
    assert_eq!(whole.usage.requests, 2);

    let path = step_path("run-1", "a", 10);
    let whole = app.get(&token, &path).await;
    let all = [json!(small), json!(large), json!(large), Value::Null];
    assert_eq!(payloads_of(&whole.ok()["data"]), Value::from(all.to_vec()));
    let within = app.get(&token, &within(&path, 16_384)).await;
    let data = within.ok()["data"].take();
    assert_eq!(data["input"], small);
    let omitted = &data["omittedPayloads"];
    assert_eq!(omitted["executionData"], size(&large));
    let estimated = omitted["output"].as_u64().expect("a size") as usize;
    assert!(
        (size(&large)..size(&large) + PART).contains(&estimated),
        "{estimated}"
    );
    // One request each for the run, the step, and a part of the three fields.
    assert_eq!(within.usage.requests, 5);
    let units = within.usage.capacity_units;
    assert!(units <= read_units(PART + 50_000 + 20_000), "{units} units");
}

#[tokio::test]
async fn missing_steps_are_not_found_and_bad_payloads_are_reported() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([
        execution("run-1", json!({})),
        execution("expired", json!({"expiresAt": 1})),
        step("expired", "a", 10, json!({})),
        step("orphan", "a", 10, json!({})),
        step("run-1", "gone", 10, json!({"expiresAt": 1})),
        step("run-1", "broken", 20, json!({"input": null})),
        payload("run-1", "step:broken:input", 0, json!({"encoding": "cbor"})),
        branch_step(&FORK, "branch", "b", 110, json!({})),
    ])
    .await;
    let no_step = (404, "STEP_NOT_FOUND".to_owned());
    for path in [
        step_path("run-1", "gone", 10),
        step_path("run-1", "never", 10),
        step_path("run-1", "broken", 21),
        step_path("run-1", "b", 110),
        branch_step_path(&FORK, "other", "b", 110),
        branch_step_path(&ForkKey { id: "x", ..FORK }, "branch", "b", 110),
    ] {
        assert_eq!(app.get(&token, &path).await.problem(), no_step, "{path}");
    }
    let no_run = (404, "EXECUTION_NOT_FOUND".to_owned());
    for run in ["expired", "orphan", "never"] {
        let answer = app.get(&token, &step_path(run, "a", 10)).await;
        assert_eq!(answer.problem(), no_run, "{run}");
    }
    let answer = app
        .get(&token, &step_path("run-1", "broken", 20))
        .await
        .ok();
    assert_eq!(answer["data"]["input"], Value::Null);
    let warning = "payload step:broken:input: part 0000 has no bytes";
    assert_eq!(answer["warnings"], json!([warning]));
}

#[tokio::test]
async fn a_step_follows_the_visibility_and_status_of_its_run() {
    let app = TestApp::new().await;
    let cancelled = json!({"status": "CANCELLED", "endTime": time(900)});
    app.write([
        execution("run-1", cancelled),
        step(
            "run-1",
            "a",
            10,
            json!({"status": "RUNNING", "endTime": null}),
        ),
    ])
    .await;
    let path = step_path("run-1", "a", 10);
    let own = app.token("team-a", Role::Viewer, Some(&["flow-1"])).await;
    let step = app.get(&own, &path).await.ok()["data"].take();
    assert_eq!(step["status"], "CANCELLED");
    assert_eq!(step["endTime"], time(900));
    // The same time in another form.
    let spelled = path.replace("10:30:00.010Z", "11:30:00.01%2B01:00");
    assert_ne!(spelled, path);
    app.get(&own, &spelled).await.ok();
    let others = [
        app.token("team-a", Role::Admin, Some(&["flow-2"])).await,
        app.token("team-b", Role::Admin, None).await,
    ];
    for token in others {
        for id in ["a", "never"] {
            let answer = app.get(&token, &step_path("run-1", id, 10)).await;
            assert_eq!(answer.problem(), (404, "EXECUTION_NOT_FOUND".to_owned()));
        }
    }
}
