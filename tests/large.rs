//! Runs with many steps and large payloads. Every API returns them completely.

use std::fmt::Write;

use serde_json::json;

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, payload_parts, step};

const RUN: &str = "/flow-executions/run-1";

/// The most bytes of a part. An item has at most 400 KB.
const PART: usize = 390_000;

/// A JSON array of about this many bytes, with words that do not compress well.
fn large_json(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 64);
    let mut state = 88_172_645_463_325_252_u64;
    text.push('[');
    while text.len() < bytes {
        // Xorshift, which makes the same text every time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        write!(text, "\"{state:x}\",").expect("a text");
    }
    text.push_str("0]");
    text
}

#[tokio::test]
async fn a_run_of_25_000_steps_with_30_mb_is_returned_completely() {
    const STEPS: i64 = 25_000;
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let context = large_json(30 << 20);
    app.write([execution("run-1", json!({}))]).await;
    app.write(payload_parts(
        "run-1",
        "context",
        context.as_bytes(),
        "json",
        PART,
    ))
    .await;
    app.write((0..STEPS).map(|n| step("run-1", &format!("step-{n:05}"), n, json!({}))))
        .await;

    let mut pages = 0;
    let steps = app.walk_steps(&token, RUN, |page, answer| {
        pages += 1;
        if page == 0 {
            let shown = format!(r#""resolvedFinalContextData":{context}"#);
            assert!(answer.body.contains(&shown), "the context is incomplete");
        } else {
            assert!(answer.body.len() < 6_000_000, "{} bytes", answer.body.len());
            // Every step is read once, and has some 450 bytes.
            assert!(answer.usage.capacity_units < 1_000.0, "{:?}", answer.usage);
        }
    });
    let steps = steps.await;
    assert_eq!(steps.len() as i64, STEPS);
    for (number, step) in steps.iter().enumerate() {
        assert_eq!(step["stepInstanceId"], format!("step-{number:05}"));
    }
    assert!(pages > 1, "25,000 steps do not fit into one answer");
}

#[tokio::test]
async fn pages_of_steps_are_limited_by_their_bytes() {
    const STEPS: usize = 12;
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let output = large_json(1 << 20);
    app.write([execution("run-1", json!({}))]).await;
    for n in 0..STEPS {
        let id = format!("step-{n:02}");
        app.write([step("run-1", &id, n as i64, json!({"output": null}))])
            .await;
        let name = format!("step:{id}:output");
        app.write(payload_parts(
            "run-1",
            &name,
            output.as_bytes(),
            "json",
            PART,
        ))
        .await;
    }
    let expected: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    let steps = app.walk_steps(&token, RUN, |_, answer| {
        assert!(answer.body.len() < 6_000_000, "{} bytes", answer.body.len());
    });
    let steps = steps.await;
    assert_eq!(steps.len(), STEPS);
    for (number, step) in steps.iter().enumerate() {
        assert_eq!(step["stepInstanceId"], format!("step-{number:02}"));
        assert!(
            step["output"] == expected,
            "the output of step {number} is incomplete"
        );
    }
}

#[tokio::test]
async fn large_payloads_of_a_run_do_not_hide_its_steps() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    // More than one page of payloads that these APIs do not show is between the run and its
    // steps.
    let large = large_json(3 << 20);
    let fork = ForkKey {
        execution_id: "run-1",
        id: "fork-1",
        offset: 100,
    };
    app.write([
        execution("run-1", json!({})),
        step("run-1", "step-1", 1, json!({"output": null})),
        branch_step(&fork, "branch", "b", 110, json!({"output": null})),
    ])
    .await;
    for name in ["input", "output"] {
        app.write(payload_parts("run-1", name, large.as_bytes(), "json", PART))
            .await;
    }
    for name in ["context", "step:step-1:output", "step:b:output"] {
        app.write(payload_parts("run-1", name, b"\"small\"", "json", PART))
            .await;
    }
    let answer = app.get(&token, RUN).await;
    let data = answer.ok()["data"].take();
    assert_eq!(data["resolvedFinalContextData"], "small");
    assert_eq!(data["steps"][0]["output"], "small");
    assert!(answer.usage.requests <= 4, "{:?}", answer.usage);
    let answer = app.get(&token, &fork.branch_steps_path()).await;
    assert_eq!(answer.ok()["data"]["branch"]["steps"][0]["output"], "small");
    assert!(answer.usage.requests <= 4, "{:?}", answer.usage);
}

#[tokio::test]
async fn a_page_of_steps_needs_a_bounded_number_of_requests() {
    const STEPS: usize = 1_200;
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write([execution("run-1", json!({}))]).await;
    // Every step lacks a field that may be in a payload. 40 of the steps have that payload, and
    // these payloads have more bytes in total than are read as one range.
    let steps = (0..STEPS).map(|n| step("run-1", &format!("step-{n:04}"), n as i64, json!({})));
    app.write(steps).await;
    let data = large_json(200_000);
    for n in (0..STEPS).step_by(30) {
        let name = format!("step:step-{n:04}:executionData");
        app.write(payload_parts("run-1", &name, data.as_bytes(), "json", PART))
            .await;
    }
    let expected: serde_json::Value = serde_json::from_str(&data).expect("JSON");
    let steps = app.walk_steps(&token, RUN, |_, answer| {
        // One Query for each step with a payload, and a few others.
        let steps = shared::operations::STEPS_ASKED_A_PAGE as u64;
        assert!(answer.usage.requests <= steps + 10, "{:?}", answer.usage);
    });
    let steps = steps.await;
    assert_eq!(steps.len(), STEPS);
    for (number, step) in steps.iter().enumerate() {
        assert_eq!(step["stepInstanceId"], format!("step-{number:04}"));
        let has_data = number % 30 == 0;
        assert_eq!(!step["executionData"].is_null(), has_data, "step {number}");
        assert!(
            !has_data || step["executionData"] == expected,
            "step {number}"
        );
    }
}

#[tokio::test]
async fn the_payloads_of_one_step_have_a_common_limit() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    let absent = json!({"input": null, "output": null});
    app.write([
        execution("run-1", json!({})),
        step("run-1", "step-1", 1, absent),
    ])
    .await;
    // Three payloads of 40 MB, each of some kilobytes when compressed.
    let zeros = format!("[{}0]", "0,".repeat(20 << 20));
    let packed = zstd::encode_all(zeros.as_bytes(), 3).expect("zstd");
    for field in ["input", "output", "executionData"] {
        let name = format!("step:step-1:{field}");
        app.write(payload_parts("run-1", &name, &packed, "json+zstd", PART))
            .await;
    }
    let answer = app.get(&token, RUN).await;
    assert!(answer.body.len() < 70 << 20, "{} bytes", answer.body.len());
    let reason = "the step's payloads together are too large";
    let warnings = format!(
        r#""warnings":["payload step:step-1:output: {reason}","payload step:step-1:executionData: {reason}"]"#
    );
    assert!(
        answer.body.ends_with(&format!("{warnings}}}}}")),
        "{:?}",
        &answer.body[answer.body.len() - 300..]
    );
}
