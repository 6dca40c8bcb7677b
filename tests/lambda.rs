//! Every Lambda binary with its sample event. It returns the same JSON as the local server.

use std::path::Path;

use serde_json::Value;

use crate::support::TestApp;
use crate::support::records::item;
use crate::support::runtime::Function;

mod authorizer;
mod consumers;
mod logs;
mod routes;

/// The event of `events/<name>.json`.
pub fn event(name: &str) -> Value {
    let path = format!("../events/{name}.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A table with the records that the sample events request.
async fn with_sample_run() -> TestApp {
    let app = TestApp::new().await;
    write_sample(&app).await;
    app
}

async fn write_sample(app: &TestApp) {
    let records = include_str!("sample-records.jsonl").lines();
    let records = records.map(|line| item(serde_json::from_str(line).expect("JSON")));
    app.write(records).await;
}

pub async fn function(app: &TestApp, binary: &'static str) -> Function {
    Function {
        binary,
        endpoint_url: app.endpoint_url().await,
        table: app.store.table().to_owned(),
        variables: Vec::new(),
    }
}
