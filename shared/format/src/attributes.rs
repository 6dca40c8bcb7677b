//! The names of the attributes, and constructors of their values.
//!
//! Each name of the record format (docs/record-format.md) is defined here once; the record's
//! definition (`record::definition`) defines the valid values. The names in `#[serde(rename)]` are
//! repeated, because a Rust attribute cannot use a constant.

use aws_sdk_dynamodb::types::AttributeValue;

// ---- The table

/// The table's partition key.
pub const PARTITION_KEY: &str = "pk";
/// The table's sort key.
pub const SORT_KEY: &str = "sk";
/// When DynamoDB may remove an item, in seconds since 1970-01-01.
pub const TIME_TO_LIVE: &str = "expiresAt";

// ---- Executions

/// The id of an execution.
pub const EXECUTION_ID: &str = "executionId";
/// The team that an execution belongs to.
pub const TEAM_ID: &str = "teamId";
/// The flow of an execution.
pub const FLOW_ID: &str = "flowId";
/// The name of that flow, for people.
pub const FLOW_NAME: &str = "flowName";
/// The version of that flow: a text or a number.
pub const FLOW_VERSION: &str = "flowVersion";
/// When an execution was created. It is the sort key of every index.
pub const CREATED_AT: &str = "createdAt";
/// The status of an execution or step.
pub const STATUS: &str = "status";
/// Whether an execution was started by another execution.
pub const EXECUTION_TYPE: &str = "executionType";
/// The execution that started this one.
pub const PARENT_EXECUTION_ID: &str = "parentExecutionId";
/// The device that an execution ran on or for.
pub const DEVICE_ID: &str = "deviceId";
/// What started an execution.
pub const TRIGGER: &str = "trigger";
/// The number of steps: all, passed and failed.
pub const STEP_SUMMARY: &str = "stepSummary";
/// The tokens of language models that an execution used, by model.
pub const USAGE: &str = "usage";
/// In `usage`: the name of the model.
pub const MODEL: &str = "model";
/// In `usage`: the tokens that the model read.
pub const INPUT_TOKENS: &str = "inputTokens";
/// In `usage`: the tokens that it wrote.
pub const OUTPUT_TOKENS: &str = "outputTokens";
/// How many steps of an execution were not stored, because it had too many.
pub const DROPPED_STEPS: &str = "droppedSteps";
/// The labels of an execution, by name.
pub const LABELS: &str = "labels";
/// When an execution times out if it has not ended.
pub const TIMEOUT_AT: &str = "timeoutAt";
/// When an execution last sent a heartbeat.
pub const HEARTBEAT_AT: &str = "heartbeatAt";
/// The principal that cancelled an execution.
pub const CANCELLED_BY: &str = "cancelledBy";
/// Why an execution was cancelled.
pub const CANCEL_REASON: &str = "cancelReason";
/// When an execution was pinned. A pinned execution does not expire.
pub const PINNED_AT: &str = "pinnedAt";
/// The principal that pinned an execution.
pub const PINNED_BY: &str = "pinnedBy";

// ---- Executions and steps

/// When an execution or step started.
pub const START_TIME: &str = "startTime";
/// When an execution or step ended.
pub const END_TIME: &str = "endTime";
/// The duration of an execution or step, in milliseconds.
pub const DURATION_MS: &str = "durationMs";
/// Why an execution or step failed.
pub const ERROR_MESSAGE: &str = "errorMessage";

// ---- Steps

/// The id of one run of a step.
pub const STEP_INSTANCE_ID: &str = "stepInstanceId";
/// The id of a step in its flow.
pub const STEP_ID: &str = "stepId";
/// The name of a step, for people.
pub const STEP_NAME: &str = "stepName";
/// The kind of a step, as named by the engine.
pub const STEP_TYPE: &str = "stepType";
/// The position of a step in its run.
pub const SEQUENCE_NUMBER: &str = "sequenceNumber";
/// The number of earlier attempts.
pub const RETRY_COUNT: &str = "retryCount";
/// The input of a step or execution.
pub const INPUT: &str = "input";
/// The output of a step or execution.
pub const OUTPUT: &str = "output";
/// Other data that an engine stores about a step.
pub const EXECUTION_DATA: &str = "executionData";
/// The execution that a step started.
pub const SUBFLOW_EXECUTION_ID: &str = "subflowExecutionId";
/// The branch that a step ran in.
pub const BRANCH_EXECUTION_ID: &str = "branchExecutionId";
/// The name of that branch.
pub const BRANCH_ID: &str = "branchId";
/// The fork that the branch belongs to; in a nested step, the step below which it ran; in an
/// execution, the step that started it.
pub const PARENT_STEP_INSTANCE_ID: &str = "parentStepInstanceId";
/// When that fork started.
pub const PARENT_STEP_START_TIME: &str = "parentStepStartTime";

// ---- Payloads

/// A payload, as a value.
pub const VALUE: &str = "value";
/// A part of a payload, as bytes.
pub const BYTES: &str = "bytes";
/// The encoding of those bytes.
pub const ENCODING: &str = "encoding";
/// The number of parts of a payload.
pub const PARTS: &str = "parts";

// ---- Traces

/// In the execution of a trace, the step that is the run itself: its root span.
pub const SPAN_ID: &str = "spanId";
/// In the execution of a trace, the revision of the trace's state that it was computed from.
pub const TRACE_REVISION: &str = "traceRevision";
/// In the execution of a trace, whether its root span has not arrived.
pub const AWAITS_ROOT: &str = "awaitsRoot";
/// In the item of a trace, whether its run was deleted.
pub const IS_DELETED: &str = "isDeleted";
/// In the item of a trace, the run of another trace that this trace is a part of.
pub const JOINED_RUN: &str = "joinedRun";

/// Creates a number attribute.
pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Creates a text attribute.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}
