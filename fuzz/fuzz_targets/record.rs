//! Records: whatever attributes an engine has written, everything of the run is shown as
//! far as it can be read, and no consumer of the stream stumbles over it.
//!
//! The input is lines: the name of the route that shows the run, or of none for the consumers
//! of the stream, and then attributes: name, kind, and value. An empty line begins another
//! item of the run.
#![no_main]

use std::sync::LazyLock;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use functions::route::{ROUTES, Route};
use fuzz::{JsonItem, TEAM, Table, Writes};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use shared::counters::Counter;
use shared::labels;
use shared::model::Item;
use shared::reap::Reaper;
use shared::record::check::faults_of;
use shared::store::Store;
use shared::stream::Change;
use shared::table::{key_attributes, text};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(fuzz::runtime);
static TABLE: LazyLock<(Table, Store)> = LazyLock::new(|| {
    let table = Table::new(Writes::Forgotten);
    let store = table.store();
    (table, store)
});

/// All that any of the routes asks for; each ignores the others'.
const QUERY: &str = "flowDefinitionId=flow-1&flowId=flow-1&workflowId=flow-1&stepInstanceId=step-1\
    &startTime=2026-02-17T10:30:00.000Z&parentStepInstanceId=fork-1\
    &parentStepStartTime=2026-02-17T10:30:00.000Z&branchExecutionId=branch-1\
    &label=orderId%3D42&days=30&format=json";

/// What reads runs. The others read settings and tokens, of which there are none.
fn reads_runs(route: &Route) -> bool {
    route.method == http::Method::GET
        && ["/flow-executions", "/api/executions", "/api/history"]
            .iter()
            .any(|surface| route.path.starts_with(surface))
}

fn item(lines: &str) -> JsonItem {
    let defaults = [
        ("sk", "EXECUTION"),
        ("executionId", "run-1"),
        ("teamId", TEAM),
        ("flowId", "flow-1"),
        ("createdAt", "2026-02-17T10:30:00.000Z"),
    ];
    let defaults = defaults.map(|(name, value)| (name.to_owned(), json!({"S": value})));
    let mut item: JsonItem = defaults.into_iter().collect();
    for line in lines.lines() {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (name, kind, value) = (word(), word(), word());
        item.insert(name.to_owned(), attribute(kind, value));
    }
    item.insert("pk".to_owned(), json!({"S": "EXEC#run-1"}));
    // DynamoDB takes nothing else for keys.
    for name in key_attributes() {
        let value = item.get(name).and_then(|value| value["S"].as_str());
        if value.is_none_or(str::is_empty) {
            item.remove(name);
        }
    }
    let sort = item.get("sk").cloned();
    item.insert("sk".to_owned(), sort.unwrap_or(json!({"S": "EXECUTION"})));
    item
}

fn attribute(kind: &str, value: &str) -> Value {
    let is_number = value.parse::<f64>().is_ok_and(f64::is_finite);
    match kind {
        "number" if is_number => json!({"N": value}),
        "bytes" => json!({"B": BASE64.encode(value)}),
        "texts" => json!({"SS": value.split(' ').collect::<Vec<_>>()}),
        "json" => serde_json::from_str(value).map_or(json!({"NULL": true}), |json| native(&json)),
        _ => json!({"S": value}),
    }
}

fn native(json: &Value) -> Value {
    match json {
        Value::Null => json!({"NULL": true}),
        Value::Bool(value) => json!({"BOOL": value}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({"S": text}),
        Value::Array(values) => json!({"L": values.iter().map(native).collect::<Vec<_>>()}),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), native(value)));
            json!({"M": members.collect::<JsonItem>()})
        }
    }
}

/// The item as the stream has it.
fn image(item: &JsonItem) -> Item {
    let attributes = item
        .iter()
        .map(|(name, value)| (name.clone(), sdk_value(value)));
    attributes.collect()
}

fn sdk_value(value: &Value) -> AttributeValue {
    let (kind, value) = value
        .as_object()
        .and_then(|value| value.iter().next())
        .expect("a kind");
    let as_text = || value.as_str().unwrap_or_default();
    let values = || value.as_array().into_iter().flatten();
    match kind.as_str() {
        "S" => text(as_text()),
        "N" => AttributeValue::N(as_text().to_owned()),
        "B" => AttributeValue::B(Blob::new(BASE64.decode(as_text()).unwrap_or_default())),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap_or_default()),
        "SS" => {
            let texts = values().filter_map(Value::as_str);
            AttributeValue::Ss(texts.map(str::to_owned).collect())
        }
        "L" => AttributeValue::L(values().map(sdk_value).collect()),
        "M" => {
            let members = value.as_object().into_iter().flatten();
            AttributeValue::M(
                members
                    .map(|(name, value)| (name.clone(), sdk_value(value)))
                    .collect(),
            )
        }
        _ => AttributeValue::Null(true),
    }
}

fuzz_target!(|input: &str| {
    let (name, items) = input.split_once('\n').unwrap_or_default();
    let items: Vec<_> = items.split("\n\n").take(8).map(item).collect();
    let mut routes = ROUTES.iter().filter(|route| reads_runs(route));
    match routes.find(|route| route.name == name) {
        Some(route) => show(route, items),
        None => follow(&items),
    }
});

fn show(route: &Route, items: Vec<JsonItem>) {
    let (table, store) = &*TABLE;
    table.hold(items);
    let path: &[&str] = match route.path {
        path if path.contains("{teamId}") => &[TEAM],
        path if path.contains("{flowId}") => &["flow-1"],
        _ => &["run-1"],
    };
    let request = fuzz::with_parameters(http::Request::default(), route, path, QUERY);
    if let Err(problem) = fuzz::answer(&RUNTIME, store, route, &request) {
        assert_eq!(problem.status(), 404, "{}: {problem:?}", route.name);
    }
}

/// Each other item is a change of the one before, and some are removals.
fn follow(items: &[JsonItem]) {
    let (table, store) = &*TABLE;
    table.hold(items.to_vec());
    let mut old = None;
    let mut changes = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let new = image(item);
        faults_of(&new);
        changes.push(Change {
            sequence_number: format!("{number:021}"),
            old: old.take(),
            new: (number % 4 != 3).then(|| new.clone()),
        });
        old = (number % 2 == 0).then_some(new);
    }
    RUNTIME.block_on(async {
        let labels = labels::follow(store, &changes).await;
        labels.expect("labels that are followed");
        let counted = Counter::new(store.clone()).apply("shard", &changes).await;
        counted.expect("changes that are counted");
        let reaped = Reaper::new(store.clone()).follow(&changes).await;
        reaped.expect("changes that are followed");
    });
}
