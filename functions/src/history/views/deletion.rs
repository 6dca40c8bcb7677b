//! The result of deleting a run, or all runs of a flow.

use schemars::JsonSchema;
use serde::Serialize;
use shared::model::{ExecutionId, FlowId, Timestamp};
use shared::operations::FlowDeletion;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExecutionDeleted")]
pub(in crate::history) struct DeletedView<'a> {
    success: bool,
    execution_id: &'a str,
    message: String,
    timestamp: Timestamp,
}

pub(in crate::history) fn deleted(execution_id: &ExecutionId) -> DeletedView<'_> {
    DeletedView {
        success: true,
        execution_id: execution_id.as_str(),
        message: format!("Successfully deleted execution {execution_id}"),
        timestamp: Timestamp::now(),
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FlowExecutionsDeleted")]
pub(in crate::history) struct FlowDeletedView<'a> {
    success: bool,
    flow_id: &'a str,
    deleted_count: u64,
    /// Present if the deletion continues in the background.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("const" = "IN_PROGRESS"))]
    status: Option<&'static str>,
    message: String,
    timestamp: Timestamp,
}

pub(in crate::history) fn flow_deleted(
    flow_id: &FlowId,
    deletion: FlowDeletion,
) -> FlowDeletedView<'_> {
    let FlowDeletion { deleted, is_done } = deletion;
    FlowDeletedView {
        success: true,
        flow_id: flow_id.as_str(),
        deleted_count: deleted,
        status: (!is_done).then_some("IN_PROGRESS"),
        message: match is_done {
            true => format!("Successfully deleted {deleted} execution records for flow {flow_id}"),
            false => format!(
                "Deleted {deleted} execution records for flow {flow_id} so far. The deletion \
                 continues automatically. To see its progress, send the same request again."
            ),
        },
        timestamp: Timestamp::now(),
    }
}
