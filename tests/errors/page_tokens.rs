//! Page tokens that were changed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, step, time};

/// The paths of an app that has five records for each of them, in pages of two.
async fn with_pages() -> (TestApp, [String; 5]) {
    let app = TestApp::new().await;
    app.write((0..5).map(|n| execution(&format!("run-{n}"), json!({"createdAt": time(n)}))))
        .await;
    app.write((0..5).map(|n| step("run-0", &format!("step-{n}"), n, json!({}))))
        .await;
    let fork = ForkKey {
        execution_id: "run-0",
        id: "fork-1",
        offset: 100,
    };
    app.write((0..5).map(|n| branch_step(&fork, "b", &format!("b-{n}"), 110 + n, json!({}))))
        .await;
    let paths = [
        "/flow-executions?flowDefinitionId=flow-1&limit=2".to_owned(),
        "/flow-executions/run-0?limit=2".to_owned(),
        format!("{}&limit=2", fork.branch_steps_path()),
        "/api/executions/run-0?limit=2".to_owned(),
        "/api/history/executions/run-0?limit=2".to_owned(),
    ];
    (app, paths)
}

/// Page tokens that are invalid where `good` is valid.
fn tampered(good: &str) -> [String; 18] {
    let json = URL_SAFE_NO_PAD.decode(good).expect("base64url");
    let json: Value = serde_json::from_slice(&json).expect("JSON");
    let forged = |change: fn(&mut Value)| {
        let mut changed = json.clone();
        change(&mut changed);
        URL_SAFE_NO_PAD.encode(changed.to_string())
    };
    [
        String::new(),
        "x".to_owned(),
        "%00".to_owned(),
        "e30".to_owned(),
        "bnVsbA".to_owned(),
        "[]".to_owned(),
        good[..good.len() - 4].to_owned(),
        format!("{good}AAAA"),
        "A".repeat(20_000),
        forged(|token| token["v"] = json!(2)),
        forged(|token| token["v"] = json!("1")),
        forged(|token| token["q"] = json!("")),
        forged(|token| token["k"] = json!({})),
        forged(|token| token["k"]["pk"] = json!("")),
        forged(|token| token["k"]["pk"] = json!({"S": "x"})),
        forged(|token| token["k"]["sk"] = json!("")),
        forged(|token| token["k"]["more"] = json!("x")),
        forged(|token| token["more"] = json!("x")),
    ]
}

#[tokio::test]
async fn a_tampered_page_token_is_refused_everywhere() {
    let (app, paths) = with_pages().await;
    let token = app.viewer("team-a").await;
    for path in &paths {
        let body = app.get(&token, path).await.ok();
        let good = [&body["data"]["nextToken"], &body["nextToken"]];
        let good = good.iter().find_map(|token| token.as_str());
        let good = good.expect("a token");
        for next_token in tampered(good) {
            let answer = app
                .get(&token, &format!("{path}&nextToken={next_token}"))
                .await;
            let case = format!("{path} {next_token:.60}");
            assert_eq!(
                answer.problem(),
                (400, "INVALID_NEXT_TOKEN".to_owned()),
                "{case}"
            );
            assert_eq!(answer.json()["parameter"], "nextToken", "{case}");
        }
        // The padding of standard base64 is allowed.
        app.get(&token, &format!("{path}&nextToken={good}=="))
            .await
            .ok();
    }
}

#[tokio::test]
async fn a_changed_character_of_a_page_token_causes_no_500() {
    let app = TestApp::new().await;
    let token = app.viewer("team-a").await;
    app.write((0..5).map(|n| execution(&format!("run-{n}"), json!({"createdAt": time(n)}))))
        .await;
    let path = "/flow-executions?flowDefinitionId=flow-1&limit=2";
    let body = app.get(&token, path).await.ok();
    let good = body["data"]["nextToken"]
        .as_str()
        .expect("a token")
        .to_owned();
    for position in 0..good.len() {
        let mut changed = good.clone();
        let other = if changed.as_bytes()[position] == b'A' {
            "B"
        } else {
            "A"
        };
        changed.replace_range(position..=position, other);
        let answer = app
            .get(&token, &format!("{path}&nextToken={changed}"))
            .await;
        let status = answer.status.as_u16();
        // A token with another run id or time of the caller's list may be valid.
        assert!(
            status == 200 || answer.problem().1 == "INVALID_NEXT_TOKEN",
            "{}",
            answer.body
        );
    }
}
