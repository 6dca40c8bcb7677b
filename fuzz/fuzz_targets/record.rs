//! Records: for all attributes that an engine may write, the readable part of a run is shown, and
//! no consumer of the stream fails.
//!
//! The input consists of lines: the name of the route that shows the run, or any other text for
//! the consumers of the stream, and then attributes: name, kind and value. An empty line begins
//! another item of the run.
#![no_main]

use std::sync::LazyLock;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use functions::route::Route;
use functions::routes::ROUTES;
use fuzz::{TEAM, Table, Writes};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use shared::attributes::text;
use shared::change::Change;
use shared::counters::Counter;
use shared::labels;
use shared::model::Item;
use shared::record::check::faults_of;
use shared::record::native_of;
use shared::run_changes::Reaper;
use shared::store::Store;
use shared::table::key_attributes;
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(fuzz::runtime);
static TABLE: LazyLock<(Table, Store)> = LazyLock::new(|| {
    let table = Table::new(Writes::Forgotten);
    let store = table.store();
    (table, store)
});

/// The parameters of all routes; each route ignores the parameters of the others.
const QUERY: &str = "flowDefinitionId=flow-1&flowId=flow-1&workflowId=flow-1&stepInstanceId=step-1\
    &startTime=2026-02-17T10:30:00.000Z&parentStepInstanceId=fork-1\
    &parentStepStartTime=2026-02-17T10:30:00.000Z&branchExecutionId=branch-1\
    &label=orderId%3D42&days=30&format=json";

/// Whether a route reads runs. The other routes read settings and tokens, which do not exist.
fn reads_runs(route: &Route) -> bool {
    route.method == http::Method::GET
        && ["/flow-executions", "/api/executions", "/api/history"]
            .iter()
            .any(|surface| route.path.starts_with(surface))
}

fn parse_item(lines: &str) -> Item {
    let defaults = [
        ("sk", "EXECUTION"),
        ("executionId", "run-1"),
        ("teamId", TEAM),
        ("flowId", "flow-1"),
        ("createdAt", "2026-02-17T10:30:00.000Z"),
    ];
    let defaults = defaults.map(|(name, value)| (name.to_owned(), text(value)));
    let mut item: Item = defaults.into_iter().collect();
    for line in lines.lines() {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (name, kind, value) = (word(), word(), word());
        item.insert(name.to_owned(), parse_attribute(kind, value));
    }
    item.insert("pk".to_owned(), text("EXEC#run-1"));
    // DynamoDB accepts only non-empty texts as keys.
    for name in key_attributes() {
        let value = item.get(name).and_then(|value| value.as_s().ok());
        if value.is_none_or(String::is_empty) {
            item.remove(name);
        }
    }
    let sort = item.entry("sk".to_owned());
    sort.or_insert_with(|| text("EXECUTION"));
    item
}

fn parse_attribute(kind: &str, value: &str) -> AttributeValue {
    let is_number = value.parse::<f64>().is_ok_and(f64::is_finite);
    match kind {
        "number" if is_number => AttributeValue::N(value.to_owned()),
        "bytes" => AttributeValue::B(Blob::new(value)),
        "texts" => AttributeValue::Ss(value.split(' ').map(str::to_owned).collect()),
        "json" => match serde_json::from_str::<IgnoredAny>(value) {
            Ok(_) => native_of(value.trim()).unwrap_or(AttributeValue::Null(true)),
            Err(_) => AttributeValue::Null(true),
        },
        _ => text(value),
    }
}

fuzz_target!(|input: &str| {
    let (name, items) = input.split_once('\n').unwrap_or_default();
    let items: Vec<_> = items.split("\n\n").take(8).map(parse_item).collect();
    let mut routes = ROUTES.iter().filter(|route| reads_runs(route));
    match routes.find(|route| route.name == name) {
        Some(route) => show(route, &items),
        None => follow(&items),
    }
});

fn show(route: &Route, items: &[Item]) {
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

/// Runs the consumers of the stream. Every second item is a change of the item before, and some
/// are removals.
fn follow(items: &[Item]) {
    let (table, store) = &*TABLE;
    table.hold(items);
    let mut old = None;
    let mut changes = Vec::new();
    for (number, item) in items.iter().enumerate() {
        faults_of(item);
        let new = (number % 4 != 3).then(|| item.clone());
        changes.push(Change::new(format!("{number:021}"), old.take(), new));
        old = (number % 2 == 0).then(|| item.clone());
    }
    RUNTIME.block_on(async {
        let labels = labels::follow(store, &changes).await;
        labels.expect("the consumer of labels succeeds");
        let counted = Counter::new(store.clone()).apply("shard", &changes).await;
        counted.expect("the counter succeeds");
        let reaped = Reaper::new(store.clone()).follow(&changes).await;
        reaped.expect("the reaper succeeds");
    });
}
