//! `maxPayloadBytes`: which payloads are omitted, and what is read.

use serde_json::{Value, json};
use shared::auth::Role;

use super::{ALL, FORK, Forms, PART, RUN, parts, rows, size, with, within};
use crate::support::records::{branch_step, execution, step, step_path};
use crate::support::{TestApp, read_units};

#[tokio::test]
async fn payloads_above_the_limit_are_omitted_with_their_size() {
    let forms = Forms::new().await;
    let fields = [
        ("input", size(&forms.native)),
        ("output", size(&forms.json)),
        ("executionData", size(&forms.packed)),
    ];
    let values = [&forms.native, &forms.json, &forms.packed];
    for (field, bytes) in fields {
        for most in [0, bytes - 1, bytes, ALL] {
            for step in forms.steps(most).await {
                let omitted: Vec<_> = fields.iter().filter(|(_, bytes)| *bytes > most).collect();
                for ((field, bytes), value) in fields.iter().zip(values) {
                    if *bytes > most {
                        assert_eq!(step[field], Value::Null, "{field} at {most}");
                        assert_eq!(step["omittedPayloads"][field], *bytes, "{field} at {most}");
                    } else {
                        assert_eq!(step[field], *value, "{field} at {most}");
                    }
                }
                let listed = step["omittedPayloads"]
                    .as_object()
                    .map_or(0, |map| map.len());
                assert_eq!(listed, omitted.len(), "{field} at {most}");
            }
        }
    }
}

#[tokio::test]
async fn answers_without_omitted_payloads_are_unchanged() {
    let forms = Forms::new().await;
    forms.app.remember_masking("team-a").await;
    for path in [RUN.to_owned(), FORK.branch_steps_path()] {
        let plain = forms.app.get(&forms.token, &path).await;
        plain.ok();
        assert!(!plain.body.contains("omitted"), "{}", plain.body);
        let within = forms.app.get(&forms.token, &within(&path, ALL)).await;
        assert_eq!(within.body, plain.body);
        assert_eq!(within.usage, plain.usage);
    }
}

#[tokio::test]
async fn the_first_page_omits_the_context_with_its_size() {
    let forms = Forms::new().await;
    for (most, context, omitted) in [
        (0, Value::Null, json!({"resolvedFinalContextData": 9})),
        (8, Value::Null, json!({"resolvedFinalContextData": 9})),
        (9, json!("context"), Value::Null),
    ] {
        let path = within(&with(RUN, "limit=1"), most);
        let data = forms.app.get(&forms.token, &path).await.ok()["data"].take();
        assert_eq!(data["resolvedFinalContextData"], context, "{most}");
        assert_eq!(data["omittedPayloads"], omitted, "{most}");
        let next = data["nextToken"].as_str().expect("a token");
        let next = with(&path, &format!("nextToken={next}"));
        let data = forms.app.get(&forms.token, &next).await.ok()["data"].take();
        assert_eq!(data["resolvedFinalContextData"], Value::Null);
        assert_eq!(data["omittedPayloads"], Value::Null);
    }
}

/// A run whose steps each have an output of 200 KB in a payload, after a context of this many
/// bytes.
async fn large_run(steps: usize, context: usize) -> (TestApp, String) {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({}))]).await;
    app.write(parts("context", &rows(context))).await;
    let output = rows(200_000);
    for n in 0..steps {
        let id = format!("step-{n:03}");
        app.write([
            step("run-1", &id, n as i64, json!({"output": null})),
            branch_step(
                &FORK,
                "branch",
                &format!("b-{n:03}"),
                200 + n as i64,
                json!({}),
            ),
        ])
        .await;
        app.write(parts(&format!("step:{id}:output"), &output))
            .await;
    }
    app.remember_masking("team-a").await;
    (app, token)
}

#[tokio::test]
async fn omitted_payloads_are_not_read() {
    const STEPS: usize = 60;
    let (app, token) = large_run(STEPS, 3 << 20).await;
    let mut whole = 0.0;
    let walked = app.walk_steps(&token, RUN, |_, answer| {
        whole += answer.usage.capacity_units
    });
    assert_eq!(walked.await.len(), STEPS);

    let answer = app.get(&token, &within(RUN, 16_384)).await;
    let data = answer.ok()["data"].take();
    assert_eq!(data["steps"].as_array().map(Vec::len), Some(STEPS));
    assert_eq!(data["nextToken"], Value::Null);
    assert!(answer.body.len() < 60_000, "{} bytes", answer.body.len());
    // The first MB of the run, which ends inside the context; the run's data, which it does not
    // have; the first MB of its steps' payloads; and the steps.
    // DynamoDB Local ends a Query after the item that exceeds 1 MB, other engines before it.
    let units = answer.usage.capacity_units;
    let most = read_units((2 << 20) + 2 * PART + 100_000);
    assert!(units <= most, "{units} units");
    assert!(units * 6.0 < whole, "{units} of {whole} units");
    assert_eq!(answer.usage.requests, 4);

    // The sizes of payloads in the first MB are known. The others are unknown.
    let output = size(&rows(200_000));
    let omitted = |n: usize| data["steps"][n]["omittedPayloads"].clone();
    assert_eq!(omitted(0), json!({"output": output}));
    assert_eq!(
        omitted(STEPS - 1),
        json!({"executionData": null, "output": null})
    );
    let context = &data["omittedPayloads"]["resolvedFinalContextData"];
    let estimated = context.as_u64().expect("a size") as usize;
    let exact = size(&rows(3 << 20));
    assert!(
        (exact..exact + PART).contains(&estimated),
        "{estimated} for {exact}"
    );
}

#[tokio::test]
async fn every_page_size_returns_the_same_steps_and_omissions() {
    // The first MB of the run ends within the payloads of the steps, or before them.
    for context in [0, 1_100_000] {
        let (app, token) = large_run(10, context).await;
        let app = &app;
        let path = within(RUN, 16_384);
        let whole = app.walk_steps(&token, &path, |_, _| ()).await;
        assert_eq!(whole.len(), 10);
        for limit in [1, 7, 500] {
            let path = with(&path, &format!("limit={limit}"));
            let walked = app.walk_steps(&token, &path, |_, _| ()).await;
            assert_eq!(walked, whole, "limit {limit}");
        }
        let path = within(&FORK.branch_steps_path(), 16_384);
        let whole = walk_branch(app, &token, &path).await;
        assert_eq!(whole.len(), 10);
        for limit in [1, 7, 500] {
            let path = with(&path, &format!("limit={limit}"));
            let walked = walk_branch(app, &token, &path).await;
            assert_eq!(walked, whole, "limit {limit}");
        }
    }
}

/// The steps of the only branch, page by page.
async fn walk_branch(app: &TestApp, token: &str, path: &str) -> Vec<Value> {
    let mut steps = Vec::new();
    let mut page_path = path.to_owned();
    loop {
        let mut body = app.get(token, &page_path).await.ok();
        if let Value::Array(page) = body["data"]["branch"]["steps"].take() {
            steps.extend(page);
        }
        match body["nextToken"].as_str() {
            Some(next) => page_path = with(path, &format!("nextToken={next}")),
            None => return steps,
        }
    }
}

#[tokio::test]
async fn large_values_in_steps_shorten_the_page() {
    const STEPS: usize = 60;
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({}))]).await;
    // 21 MB together. DynamoDB always reads whole items.
    let output = json!("x".repeat(350_000));
    for n in 0..STEPS {
        let id = format!("step-{n:02}");
        app.write([step("run-1", &id, n as i64, json!({"output": output}))])
            .await;
    }
    let mut pages = 0;
    let path = within(RUN, 16_384);
    let steps = app.walk_steps(&token, &path, |page, answer| {
        pages += 1;
        assert!(answer.body.len() < 60_000, "{} bytes", answer.body.len());
        let units = answer.usage.capacity_units;
        // The first page also searches the other steps for nested ones.
        let most = if page == 0 { 22 << 20 } else { 6 << 20 };
        assert!(units <= read_units(most), "{units} units on page {page}");
    });
    let steps = steps.await;
    assert_eq!(pages, 2);
    assert_eq!(steps.len(), STEPS);
    for step in steps {
        assert_eq!(step["omittedPayloads"]["output"], 350_002);
    }
}

#[tokio::test]
async fn omitted_payloads_reveal_nothing_and_count_as_masked() {
    let app = TestApp::new().await;
    let admin = app.token("team-a", Role::Admin, None).await;
    let viewer = app.viewer("team-a").await;
    let secret = json!({"password": "hunter2"});
    let masked = json!({"password": "[REDACTED:secret]"});
    app.write([
        execution("run-1", json!({})),
        step("run-1", "a", 10, json!({"input": secret, "output": null})),
    ])
    .await;
    let events = async || {
        let body = app
            .get(&admin, "/api/audit?action=EXECUTION_REVEALED")
            .await;
        body.ok()["events"].as_array().map(Vec::len)
    };
    for path in [RUN.to_owned(), step_path("run-1", "a", 10)] {
        let step = async |token: &str, path: &str| {
            let mut data = app.get(token, path).await.ok()["data"].take();
            match data["steps"].take() {
                Value::Array(mut steps) => steps.remove(0),
                _ => data,
            }
        };
        let before = events().await.expect("events");
        let hidden = step(&viewer, &within(&path, size(&masked) - 1)).await;
        assert_eq!(hidden["omittedPayloads"], json!({"input": size(&masked)}));
        let hidden = step(&viewer, &within(&path, size(&masked))).await;
        assert_eq!(hidden["input"], masked);
        let left_out = step(&admin, &within(&path, size(&secret) - 1)).await;
        assert_eq!(left_out["omittedPayloads"], json!({"input": size(&secret)}));
        let hidden = with(&within(&path, size(&masked)), "reveal=false");
        assert_eq!(step(&admin, &hidden).await["input"], masked);
        assert_eq!(events().await, Some(before), "nothing was revealed");
        let shown = step(&admin, &within(&path, size(&secret))).await;
        assert_eq!(shown["input"], secret);
        assert_eq!(events().await, Some(before + 1), "{path}");
    }
}
