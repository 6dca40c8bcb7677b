//! `maxPayloadBytes`, which leaves large payloads out, and
//! `GET /flow-executions/{flowExecutionId}/step`, which fetches those of one step.

use serde_json::{Value, json};
use shared::auth::Role;
use shared::model::Item;

use crate::support::records::{
    ForkKey, branch_step, branch_step_path, execution, payload, payload_parts, step, step_path,
    time,
};
use crate::support::{TestApp, read_units};

const RUN: &str = "/flow-executions/run-1";
const FORK: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "fork-1",
    offset: 100,
};
/// The most bytes of a part: an item ends at 400 KB.
const PART: usize = 390_000;
/// The most that `maxPayloadBytes` can be.
const ALL: usize = 64 << 20;

fn rows(bytes: usize) -> Value {
    json!({"rows": (0..bytes / 12).map(|n| format!("row {n:05}")).collect::<Vec<_>>()})
}

fn size(value: &Value) -> usize {
    value.to_string().len()
}

fn packed(value: &Value) -> Vec<u8> {
    zstd::encode_all(value.to_string().as_bytes(), 3).expect("zstd")
}

fn parts(name: &str, value: &Value) -> Vec<Item> {
    payload_parts("run-1", name, value.to_string().as_bytes(), "json", PART)
}

/// A path with another parameter.
fn with(path: &str, parameter: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}{parameter}")
}

fn within(path: &str, bytes: usize) -> String {
    with(path, &format!("maxPayloadBytes={bytes}"))
}

/// The payloads of a step and, among them, those that are left out.
fn payloads_of(step: &Value) -> Value {
    let names = ["input", "output", "executionData", "omittedPayloads"];
    names.map(|name| step[name].clone()).into()
}

/// A run with payloads of every form, at the top and in a branch.
struct Forms {
    app: TestApp,
    token: String,
    native: Value,
    json: Value,
    packed: Value,
}

impl Forms {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let forms = Self {
            token: app.viewer("team-a").await,
            // What JSON escapes counts as it is written.
            native: json!({"text": "\"é\n\u{1}", "list": [1, 2.5, null, true], "empty": {}}),
            json: rows(30_000),
            packed: rows(60_000),
            app,
        };
        let fields = json!({"input": forms.native, "output": null});
        forms
            .app
            .write([
                execution("run-1", json!({})),
                step("run-1", "a", 10, fields.clone()),
                step("run-1", "fork-1", 100, json!({"output": null})),
                branch_step(&FORK, "branch", "b", 110, fields),
            ])
            .await;
        for id in ["a", "b"] {
            let bytes = packed(&forms.packed);
            let output = format!("step:{id}:output");
            let data = format!("step:{id}:executionData");
            let text = forms.json.to_string();
            let items = [
                payload_parts("run-1", &output, text.as_bytes(), "json", 9_000),
                payload_parts("run-1", &data, &bytes, "json+zstd", 2_000),
            ];
            forms.app.write(items.concat()).await;
        }
        let context = [payload("run-1", "context", 0, json!({"value": "context"}))];
        forms.app.write(context).await;
        forms
    }

    async fn steps(&self, bytes: usize) -> [Value; 2] {
        let details = self.app.get(&self.token, &within(RUN, bytes)).await.ok();
        let path = within(&FORK.branch_steps_path(), bytes);
        let branches = self.app.get(&self.token, &path).await.ok();
        [
            details["data"]["steps"][0].clone(),
            branches["data"]["branch"]["steps"][0].clone(),
        ]
    }
}

#[tokio::test]
async fn a_payload_that_is_longer_by_a_byte_is_left_out_and_its_size_is_told() {
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
                let told = step["omittedPayloads"]
                    .as_object()
                    .map_or(0, |map| map.len());
                assert_eq!(told, omitted.len(), "{field} at {most}");
            }
        }
    }
}

#[tokio::test]
async fn without_the_parameter_or_with_nothing_that_is_longer_the_answers_are_as_ever() {
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
async fn the_context_is_left_out_with_its_size_on_the_first_page_alone() {
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

/// A run of so many steps, each with its output of 200 KB in a payload, and a context of
/// so many bytes before them.
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
async fn what_is_left_out_is_not_read() {
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
    // The first MB of the run, the first MB of its steps' payloads, and the steps.
    // DynamoDB Local ends a Query with the item that passes 1 MB, others before it.
    let units = answer.usage.capacity_units;
    let most = read_units((2 << 20) + 2 * PART + 100_000);
    assert!(units <= most, "{units} units");
    assert!(units * 6.0 < whole, "{units} of {whole} units");
    assert_eq!(answer.usage.requests, 3);

    // Of the first MB the sizes are told; of what lies behind it nothing is known.
    let output = size(&rows(200_000));
    let told = |n: usize| data["steps"][n]["omittedPayloads"].clone();
    assert_eq!(told(0), json!({"output": output}));
    assert_eq!(
        told(STEPS - 1),
        json!({"executionData": null, "output": null})
    );
    let context = &data["omittedPayloads"]["resolvedFinalContextData"];
    let told = context.as_u64().expect("a size") as usize;
    let exact = size(&rows(3 << 20));
    assert!((exact..exact + PART).contains(&told), "{told} for {exact}");
}

#[tokio::test]
async fn pages_of_every_size_join_to_the_same_steps_with_the_same_left_out() {
    // The first MB of the run ends among the payloads of the steps, or before them.
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

/// The steps of the fork's one branch, page by page.
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
async fn large_values_inside_steps_make_a_page_short_and_not_its_answer_large() {
    const STEPS: usize = 60;
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({}))]).await;
    // 21 MB together: DynamoDB reads an item whole, whatever is asked of it.
    let output = json!("x".repeat(350_000));
    for n in 0..STEPS {
        let id = format!("step-{n:02}");
        app.write([step("run-1", &id, n as i64, json!({"output": output}))])
            .await;
    }
    let mut pages = 0;
    let path = within(RUN, 16_384);
    let steps = app.walk_steps(&token, &path, |_, answer| {
        pages += 1;
        assert!(answer.body.len() < 60_000, "{} bytes", answer.body.len());
        let units = answer.usage.capacity_units;
        assert!(units <= read_units(18 << 20), "{units} units on a page");
    });
    let steps = steps.await;
    assert_eq!(pages, 2);
    assert_eq!(steps.len(), STEPS);
    for step in steps {
        assert_eq!(step["omittedPayloads"]["output"], 350_002);
    }
}

#[tokio::test]
async fn what_is_left_out_reveals_nothing_and_its_size_is_that_of_the_mask() {
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

#[tokio::test]
async fn a_step_is_the_record_that_the_list_has() {
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
        let answer = app.get(token, &path).await.ok();
        assert_eq!(answer, json!({"success": true, "data": listed}), "{path}");
    }
}

#[tokio::test]
async fn a_step_takes_few_requests_and_reads_one_part_of_what_it_leaves_out() {
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
    // Another step's payload, whose name begins alike.
    app.write(parts("step:a:b:output", &large)).await;
    app.write(parts("step:a:output", &large)).await;
    app.write(parts("step:a:input", &small)).await;
    // The compressed bytes tell how long the text is.
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
    let told = omitted["output"].as_u64().expect("a size") as usize;
    assert!(
        (size(&large)..size(&large) + PART).contains(&told),
        "{told}"
    );
    // The run, the step, and one part for each of the three fields.
    assert_eq!(within.usage.requests, 5);
    let units = within.usage.capacity_units;
    assert!(units <= read_units(PART + 50_000 + 20_000), "{units} units");
}

#[tokio::test]
async fn a_step_that_is_not_there_is_not_found_and_a_broken_payload_is_told() {
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
async fn a_step_is_shown_to_whom_its_run_is_and_as_its_run_ended() {
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
    // The moment in another spelling.
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
