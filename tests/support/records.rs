//! Records, as an engine writes them.

use aws_sdk_dynamodb::config::Config;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use serde_json::{Map, Value, json};
use shared::keys;
use shared::model::{Item, Timestamp};
use shared::store::Store;

use super::process::DEADLINE;

/// The time at which the tests' runs start: 2026-02-17T10:30:00.000Z.
pub const START: i64 = 1_771_324_200_000;

/// A time of the record format, `offset` milliseconds after [`START`].
pub fn time(offset: i64) -> String {
    moment(offset).to_string()
}

fn moment(offset: i64) -> Timestamp {
    Timestamp::from_milliseconds(START + offset).expect("in range")
}

/// An item of JSON.
pub fn item(record: Value) -> Item {
    serde_dynamo::to_item(record).expect("an item")
}

/// An execution of `team-a` and `flow-1` that completed in 2,350 ms, with `attributes` over
/// the default ones. A null removes an attribute.
pub fn execution(id: &str, attributes: Value) -> Item {
    record(
        json!({
            "pk": format!("EXEC#{id}"),
            "sk": "EXECUTION",
            "executionId": id,
            "teamId": "team-a",
            "flowId": "flow-1",
            "createdAt": time(0),
            "status": "COMPLETED",
            "startTime": time(50),
            "endTime": time(2_400),
        }),
        attributes,
    )
}

/// A top-level step that started `offset` milliseconds after [`START`].
pub fn step(execution_id: &str, id: &str, offset: i64, attributes: Value) -> Item {
    record(
        json!({
            "pk": format!("EXEC#{execution_id}"),
            "sk": keys::step(moment(offset), id),
            "stepInstanceId": id,
            "stepId": format!("{id}-definition"),
            "stepName": format!("Step {id}"),
            "stepType": "IF_ELSE",
            "sequenceNumber": 1,
            "status": "COMPLETED",
            "startTime": time(offset),
            "endTime": time(offset + 5),
            "durationMs": 5,
            "retryCount": 0,
            "input": {"orderId": 42},
            "output": {"branch": "true"},
        }),
        attributes,
    )
}

/// The step to which the branches of a fork belong.
pub struct ForkKey<'a> {
    pub execution_id: &'a str,
    pub id: &'a str,
    pub offset: i64,
}

impl ForkKey<'_> {
    /// The request for the steps of its branches.
    pub fn branch_steps_path(&self) -> String {
        let (execution_id, id, start) = (self.execution_id, self.id, time(self.offset));
        format!(
            "/flow-executions/{execution_id}/branch-steps\
             ?parentStepInstanceId={id}&parentStepStartTime={start}"
        )
    }
}

/// The request for one top-level step.
pub fn step_path(execution_id: &str, id: &str, offset: i64) -> String {
    let start = time(offset);
    format!("/flow-executions/{execution_id}/step?stepInstanceId={id}&startTime={start}")
}

/// The request for one step of a branch.
pub fn branch_step_path(fork: &ForkKey<'_>, branch: &str, id: &str, offset: i64) -> String {
    let step = step_path(fork.execution_id, id, offset);
    let (fork_id, start) = (fork.id, time(fork.offset));
    format!(
        "{step}&branchExecutionId={branch}&parentStepInstanceId={fork_id}\
         &parentStepStartTime={start}"
    )
}

/// A step of a branch.
pub fn branch_step(
    fork: &ForkKey<'_>,
    branch: &str,
    id: &str,
    offset: i64,
    attributes: Value,
) -> Item {
    let ForkKey {
        execution_id,
        id: fork_id,
        offset: fork_offset,
    } = fork;
    let fork_time = time(*fork_offset);
    let prefix = keys::branches_of_fork(moment(*fork_offset), fork_id);
    let sk = keys::branch_step(&prefix, branch, moment(offset), id);
    let own = json!({
        "sk": sk,
        "branchExecutionId": branch,
        "branchId": "process_item",
        "parentStepInstanceId": fork_id,
        "parentStepStartTime": fork_time,
    });
    step(execution_id, id, offset, merged(own, attributes))
}

/// One part of a payload.
pub fn payload(execution_id: &str, name: &str, part: usize, attributes: Value) -> Item {
    record(
        json!({"pk": format!("EXEC#{execution_id}"), "sk": keys::payload(name, part as u32)}),
        attributes,
    )
}

/// A payload in parts of at most `size` bytes.
pub fn payload_parts(
    execution_id: &str,
    name: &str,
    bytes: &[u8],
    encoding: &str,
    size: usize,
) -> Vec<Item> {
    let chunks: Vec<_> = bytes.chunks(size).collect();
    let parts = chunks.iter().enumerate().map(|(part, chunk)| {
        let mut item = match part {
            0 => payload(
                execution_id,
                name,
                0,
                json!({"encoding": encoding, "parts": chunks.len()}),
            ),
            _ => payload(execution_id, name, part, json!({})),
        };
        let bytes = aws_sdk_dynamodb::types::AttributeValue::B((*chunk).into());
        item.insert("bytes".to_owned(), bytes);
        item
    });
    parts.collect()
}

fn record(own: Value, attributes: Value) -> Item {
    let mut record = object(merged(own, attributes));
    record.retain(|_, value| !value.is_null());
    item(Value::Object(record))
}

fn merged(base: Value, over: Value) -> Value {
    let mut members = object(base);
    members.extend(object(over));
    Value::Object(members)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("expected an object, got {other}"),
    }
}

/// The timeouts for an engine that is slow on a busy machine.
pub fn patience() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(DEADLINE)
        .operation_attempt_timeout(DEADLINE)
        .operation_timeout(DEADLINE)
        .build()
}

/// Writes items in batches of 25, or fewer if they are large.
pub async fn write(store: &Store, items: impl IntoIterator<Item = Item>) {
    let patience = Config::builder().timeout_config(patience());
    let mut requests = Vec::new();
    let mut waiting = items.into_iter().peekable();
    while let Some(item) = waiting.next() {
        let is_large = item
            .values()
            .any(|value| value.as_b().is_ok_and(|b| b.as_ref().len() > 100_000));
        let put = PutRequest::builder()
            .set_item(Some(item))
            .build()
            .expect("a put");
        requests.push(WriteRequest::builder().put_request(put).build());
        let is_full = requests.len() == 25 || (is_large && requests.len() >= 4);
        if is_full || waiting.peek().is_none() {
            let batch = std::mem::take(&mut requests);
            let answer = store
                .client()
                .batch_write_item()
                .request_items(store.table(), batch)
                .customize()
                .config_override(patience.clone());
            let answer = answer.send().await.expect("written");
            assert!(answer.unprocessed_items.unwrap_or_default().is_empty());
        }
    }
}
