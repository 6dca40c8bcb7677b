//! Executions, steps and their values, as the record format (docs/record-format.md) defines them.
//!
//! Records are written by any engine, so parsing one never fails: an optional attribute that is
//! absent or of a wrong type becomes `None`, and the other attributes are still read. Input from a
//! *caller* is strict: an id that reaches an operation is an [`ExecutionId`], not a string that
//! must be checked again.

use std::collections::HashMap;

use crate::attributes::TIME_TO_LIVE;
use aws_sdk_dynamodb::types::AttributeValue;

mod execution;
mod id;
mod lenient;
mod name;
mod page_size;
mod status;
mod step;
mod time;
mod usage;
mod value;

pub use execution::{Execution, label_text};
pub use id::{
    BranchExecutionId, DeviceId, ExecutionId, FlowId, ID_PATTERN, InvalidId, MAX_ID_LENGTH,
    NO_CONTROL_PATTERN, RoleName, StepInstanceId, TeamId, is_id,
};
pub use lenient::MAX_DURATION_MS;
pub use name::{VISIBLE_PATTERN, is_visible};
pub use page_size::PageSize;
pub use status::{ExecutionType, Status, StepStatus};
pub use step::{SPAN_KINDS, Step, StepSummary};
pub use time::{TimeRange, Timestamp};
pub use usage::ModelUsage;
pub use value::{OmittedPayload, OmittedPayloads, Value, approximate_size};

/// One item of the table, as the SDK returns it.
pub type Item = HashMap<String, AttributeValue>;

/// Returns whether a record's `expiresAt` (in seconds since 1970-01-01) has passed. Every reader
/// ignores an expired record, even before DynamoDB removes it, which may take days. As in
/// DynamoDB's own TTL, a value that is not a number never expires.
pub fn is_expired(item: &Item, now: Timestamp) -> bool {
    item.get(TIME_TO_LIVE)
        .and_then(|value| value.as_n().ok())
        .and_then(|seconds| seconds.parse::<f64>().ok())
        .is_some_and(|seconds| seconds <= now.seconds() as f64)
}

#[cfg(test)]
mod tests;
