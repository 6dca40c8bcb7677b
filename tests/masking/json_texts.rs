//! Secrets in texts that are JSON, in the payloads of steps and of the run itself.

use serde_json::{Value, json};

use super::HIDDEN;
use crate::support::TestApp;
use crate::support::records::{
    ForkKey, branch_step, execution, payload, payload_parts, step, step_path,
};

const PARENT: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "native",
    offset: 10,
};

fn secrets() -> Value {
    json!({
        "user": "anna",
        "password": "s3cr3t",
        "headers": [{"Authorization": "Bearer s3cr3t", "accept": "text/html"}],
        "apiKey": {"id": "s3cr3t"},
        "token_count": 5,
    })
}

fn masked() -> Value {
    json!({
        "user": "anna",
        "password": HIDDEN,
        "headers": [{"Authorization": HIDDEN, "accept": "text/html"}],
        "apiKey": HIDDEN,
        "token_count": 5,
    })
}

/// A payload whose texts are JSON: on one line, on several lines, and inside another such text.
fn texts() -> Value {
    let plain = secrets().to_string();
    let pretty = serde_json::to_string_pretty(&secrets()).expect("JSON");
    let inner = json!({"body": plain}).to_string();
    json!({"body": plain, "messages": [{"content": pretty}], "outer": inner})
}

/// The payload after its texts are parsed.
fn parsed(shown: &Value) -> [Value; 3] {
    let parse = |text: &Value| -> Value {
        let text = text
            .as_str()
            .unwrap_or_else(|| panic!("not a text: {text}"));
        serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
    };
    let outer = parse(&shown["outer"]);
    [
        parse(&shown["body"]),
        parse(&shown["messages"][0]["content"]),
        parse(&outer["body"]),
    ]
}

#[tokio::test]
async fn secrets_in_json_texts_are_hidden_by_their_names() {
    let app = TestApp::new().await;
    let viewer = app.viewer("team-a").await;
    let native = json!({"input": texts(), "output": texts(), "executionData": texts()});
    app.write([
        execution("run-1", json!({})),
        step("run-1", "native", 10, native.clone()),
        step("run-1", "parts", 20, json!({"input": null, "output": null})),
        branch_step(&PARENT, "branch", "inside", 30, native),
        payload("run-1", "data", 0, json!({"value": texts()})),
    ])
    .await;
    let json = texts().to_string();
    let compressed = zstd::encode_all(json.as_bytes(), 3).expect("compressed");
    for name in ["context", "step:parts:input", "step:parts:executionData"] {
        app.write(payload_parts("run-1", name, json.as_bytes(), "json", 50))
            .await;
    }
    for name in ["input", "output", "step:parts:output"] {
        app.write(payload_parts("run-1", name, &compressed, "json+zstd", 50))
            .await;
    }

    let all = "runPayloads=input,output,executionData,resolvedFinalContextData";
    let path = format!("/flow-executions/run-1?{all}");
    let flow = app.get(&viewer, &path).await.ok()["data"].take();
    let one = app
        .get(&viewer, &step_path("run-1", "parts", 20))
        .await
        .ok()["data"]
        .take();
    let branch = app.get(&viewer, &PARENT.branch_steps_path()).await.ok();
    let inside = &branch["data"]["branch"]["steps"][0];
    let history = app.get(&viewer, "/api/history/executions/run-1").await.ok()["execution"].take();
    let whole = app.get(&viewer, "/api/executions/run-1").await.ok();
    let mut shown = vec![
        &flow["resolvedFinalContextData"],
        &history["executionData"],
        &history["steps"][0]["executionData"],
        &whole["inputData"],
        &whole["outputData"],
        &whole["nodeExecutions"][0]["inputData"],
    ];
    for payloads in [&flow, &flow["steps"][0], &flow["steps"][1], &one, inside] {
        shown.extend(["input", "output", "executionData"].map(|name| &payloads[name]));
    }
    for (position, shown) in shown.into_iter().enumerate() {
        assert_eq!(
            parsed(shown),
            [masked(), masked(), masked()],
            "{position}: {shown}"
        );
    }
}
