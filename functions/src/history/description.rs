//! The OpenAPI description of the execution history API.

use http::StatusCode;
use schemars::SchemaGenerator;
use serde_json::json;

use super::parameters::{missing_execution_id, missing_flow_id};
use super::views::{
    DeletedView, DetailsView, FlowDeletedView, FlowListView, ListView, StatisticsView,
    StepStatisticsView,
};
use crate::openapi::{Operation, example, problems};

pub(crate) fn list_history_executions(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Lists the team's executions, newest first. Long texts and long lists of steps \
                 are shortened, so that a page of any size fits into one response.";
    Operation::new("List the team's executions", about).answer::<ListView<'_>>(
        schemas,
        StatusCode::OK,
        "A page of executions, the total, and the applied filters.",
        example(include_str!("examples/list.json")),
    )
}

pub(crate) fn list_history_flow_executions(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Lists a flow's newest executions, with their steps. Long texts and long lists \
                 of steps are shortened, so that they fit into one response.";
    Operation::new("List a flow's newest executions", about).answer::<FlowListView<'_>>(
        schemas,
        StatusCode::OK,
        "The executions.",
        example(include_str!("examples/flow_list.json")),
    )
}

pub(crate) fn get_history_execution(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns an execution with its top-level steps. The response is streamed.";
    Operation::new("Get an execution's history", about)
        .answer::<DetailsView<'_>>(
            schemas,
            StatusCode::OK,
            "The execution, with a page of its steps.",
            example(include_str!("examples/details.json")),
        )
        .problems(schemas, [problems::not_found(), problems::next_token()])
}

pub(crate) fn get_history_statistics(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns how many executions there were, how they ended, and how long they took.";
    Operation::new("Get execution statistics", about).answer::<StatisticsView<'_>>(
        schemas,
        StatusCode::OK,
        "The statistics, and the applied filters.",
        example(include_str!("examples/statistics.json")),
    )
}

pub(crate) fn get_history_step_statistics(schemas: &mut SchemaGenerator) -> Operation {
    let about =
        "Returns statistics of a flow's steps: which ones fail, and which ones take the most time.";
    Operation::new("Get step statistics", about)
        .answer::<StepStatisticsView<'_>>(
            schemas,
            StatusCode::OK,
            "The statistics, and the applied filters.",
            example(include_str!("examples/step_statistics.json")),
        )
        .problems(schemas, [problems::missing("flowId")])
}

pub(crate) fn delete_history_execution(schemas: &mut SchemaGenerator) -> Operation {
    let deleted = json!({
        "success": true,
        "executionId": "exec-123",
        "message": "Successfully deleted execution exec-123",
        "timestamp": "2024-01-01T12:00:00.000Z",
    });
    let about = "Deletes an execution permanently.";
    Operation::new("Delete an execution", about)
        .answer::<DeletedView<'_>>(
            schemas,
            StatusCode::OK,
            "The execution is deleted.",
            deleted,
        )
        .problems(schemas, [missing_execution_id(), problems::not_found()])
}

pub(crate) fn delete_history_flow_executions(schemas: &mut SchemaGenerator) -> Operation {
    let deleted = json!({
        "success": true,
        "flowId": "flow-456",
        "deletedCount": 25,
        "message": "Successfully deleted 25 execution records for flow flow-456",
        "timestamp": "2024-01-01T12:00:00.000Z",
    });
    let started = json!({
        "success": true,
        "flowId": "flow-456",
        "deletedCount": 180_000,
        "status": "IN_PROGRESS",
        "message": "Deleted 180000 execution records for flow flow-456 so far. The deletion \
                    continues automatically. To see its progress, send the same request again.",
        "timestamp": "2024-01-01T12:00:00.000Z",
    });
    let about = "Deletes all executions of a flow permanently. A large deletion continues in the \
                 background: the response is then 202, and the same request reports the \
                 progress.";
    Operation::new("Delete a flow's executions", about)
        .answer::<FlowDeletedView<'_>>(
            schemas,
            StatusCode::OK,
            "The executions are deleted.",
            deleted,
        )
        .answer::<FlowDeletedView<'_>>(
            schemas,
            StatusCode::ACCEPTED,
            "The deletion continues in the background.",
            started,
        )
        .problems(schemas, [missing_flow_id()])
}
