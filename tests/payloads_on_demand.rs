//! `maxPayloadBytes`, which omits large payloads, and
//! `GET /flow-executions/{flowExecutionId}/step`, which returns the payloads of one step.

use serde_json::{Value, json};
use shared::model::Item;

use crate::support::TestApp;
use crate::support::records::{ForkKey, branch_step, execution, payload, payload_parts, step};

mod omission;
mod run_payloads;
mod step;

const RUN: &str = "/flow-executions/run-1";

const FORK: ForkKey<'_> = ForkKey {
    execution_id: "run-1",
    id: "fork-1",
    offset: 100,
};

/// The most bytes of a part. An item has at most 400 KB.
const PART: usize = 390_000;

/// The highest `maxPayloadBytes`.
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
            // Escaped characters count as JSON writes them.
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
