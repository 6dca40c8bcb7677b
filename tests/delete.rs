//! Deletion of one run or of all runs of a flow, with the records in and the runs below them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::auth::Caller;
use shared::keys::key;
use shared::model::{FlowId, Item, Timestamp};
use shared::operations::{self, FlowDeletion};
use shared::store::Store;

use crate::support::records::{ForkKey, branch_step, execution, payload, step, time};
use crate::support::{TestApp, is_embedded};

mod cascade;
mod flow;
mod interrupted_flow;
mod run;

const NOTHING: [String; 0] = [];

/// The number of records that a test writes: fewer on a slow engine.
fn sized(embedded: i64, elsewhere: i64) -> i64 {
    if is_embedded() { embedded } else { elsewhere }
}

/// A run with three records in addition to its own.
fn run_records(id: &str, attributes: Value) -> Vec<Item> {
    let fork = ForkKey {
        execution_id: id,
        id: "fork",
        offset: 100,
    };
    vec![
        execution(id, attributes),
        step(id, "fork", 100, json!({})),
        branch_step(&fork, "branch", "inner", 110, json!({})),
        payload(id, "context", 0, json!({"value": 5})),
    ]
}

/// Runs of a flow, with their records.
fn runs(flow: &str, count: i64) -> Vec<Item> {
    let of = |number: i64| {
        let id = format!("{flow}-{number:05}");
        let attributes = json!({"flowId": flow, "createdAt": time(number * 977)});
        run_records(&id, attributes)
    };
    (0..count).flat_map(of).collect()
}

/// The number of executions of a flow that are left in the table, and of other records.
async fn left_of(app: &TestApp, flow: &str) -> (usize, usize) {
    let scan = app.store.client().scan().table_name(app.store.table());
    let mut pages = scan.into_paginator().items().send();
    let (mut executions, mut others) = (0, 0);
    while let Some(item) = pages.next().await {
        let item = item.expect("an item");
        let pk = item["pk"].as_s().expect("text");
        if !pk.starts_with(&format!("EXEC#{flow}-")) {
            continue;
        }
        match item["sk"].as_s().expect("text").as_str() {
            "EXECUTION" => executions += 1,
            _ => others += 1,
        }
    }
    (executions, others)
}

async fn total(app: &TestApp, token: &str) -> Value {
    app.get(token, "/api/executions/team/team-a").await.ok()["totalElements"].take()
}

fn admin() -> Caller {
    Caller::operator("team-a".parse().expect("a team"), "token:test")
}

fn flow_id(id: &str) -> FlowId {
    id.parse().expect("a flow")
}

/// Deletes `flow-x` within a time limit.
async fn delete_flow(store: &Store, time: Duration) -> FlowDeletion {
    let until = Instant::now() + time;
    operations::delete_flow_executions(store, &admin(), &flow_id("flow-x"), false, until)
        .await
        .expect("deleted")
}

/// The note of a deletion whose lease another process holds.
fn leased_note(version: i64) -> Item {
    let number = |value: i64| AttributeValue::N(value.to_string());
    let leased_until = Timestamp::now().milliseconds() + 10_000;
    let mut item = key("DELETION#team-a", "F#flow-x");
    item.extend(HashMap::from([
        ("version".to_owned(), number(version)),
        ("deleted".to_owned(), number(1_200)),
        ("leasedUntil".to_owned(), number(leased_until)),
    ]));
    item
}
