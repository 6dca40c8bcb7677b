//! The execution history API in OpenAPI.

use http::StatusCode;
use schemars::SchemaGenerator;
use serde_json::json;

use super::parameters::{
    DeleteParameters, FlowDeleteParameters, FlowListParameters, ListParameters,
    StatisticsParameters, StepStatisticsParameters, missing_execution_id, missing_flow_id,
};
use super::views::{
    DeletedView, DetailsView, FlowDeletedView, FlowListView, ListView, StatisticsView,
    StepStatisticsView,
};
use crate::openapi::{Describe, Operation, example, parameter, problems};
use crate::route::{self, Route};

/// Every operation of this surface, with its route.
pub(crate) const OPERATIONS: &[(&Route, Describe)] = &[
    (&route::LIST_HISTORY_EXECUTIONS, list_history_executions),
    (
        &route::LIST_HISTORY_FLOW_EXECUTIONS,
        list_history_flow_executions,
    ),
    (&route::GET_HISTORY_EXECUTION, get_history_execution),
    (&route::GET_HISTORY_STATISTICS, get_history_statistics),
    (
        &route::GET_HISTORY_STEP_STATISTICS,
        get_history_step_statistics,
    ),
    (&route::DELETE_HISTORY_EXECUTION, delete_history_execution),
    (
        &route::DELETE_HISTORY_FLOW_EXECUTIONS,
        delete_history_flow_executions,
    ),
];

fn list_history_executions(schemas: &mut SchemaGenerator) -> Operation {
    let about = "The team's executions, newest first.";
    Operation::new("List the team's executions", about)
        .parameters(ListParameters::described())
        .answer::<ListView<'_>>(
            schemas,
            StatusCode::OK,
            "A page, with the total and the filters that were applied.",
            example(include_str!("examples/list.json")),
        )
}

fn list_history_flow_executions(schemas: &mut SchemaGenerator) -> Operation {
    let about = "A flow's newest executions, with their steps.";
    Operation::new("List a flow's executions", about)
        .parameters(FlowListParameters::described())
        .answer::<FlowListView<'_>>(
            schemas,
            StatusCode::OK,
            "The executions.",
            example(include_str!("examples/flow_list.json")),
        )
}

fn get_history_execution(schemas: &mut SchemaGenerator) -> Operation {
    let about = "An execution with its top-level steps. The answer is streamed.";
    Operation::new("Get an execution's history", about)
        .parameters(parameter::details("executionId"))
        .answer::<DetailsView<'_>>(
            schemas,
            StatusCode::OK,
            "The execution, with a page of its steps.",
            example(include_str!("examples/details.json")),
        )
        .problems(schemas, [problems::not_found(), problems::next_token()])
}

fn get_history_statistics(schemas: &mut SchemaGenerator) -> Operation {
    let about = "How many executions there were, how they ended, and how long they took.";
    Operation::new("Get statistics of executions", about)
        .parameters(StatisticsParameters::described())
        .answer::<StatisticsView<'_>>(
            schemas,
            StatusCode::OK,
            "The statistics, and the filters that were applied.",
            example(include_str!("examples/statistics.json")),
        )
}

fn get_history_step_statistics(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Which steps of a flow fail, and which take their time.";
    Operation::new("Get statistics of steps", about)
        .parameters(StepStatisticsParameters::described())
        .answer::<StepStatisticsView<'_>>(
            schemas,
            StatusCode::OK,
            "The statistics, and the filters that were applied.",
            example(include_str!("examples/step_statistics.json")),
        )
        .problems(schemas, [problems::missing("flowId")])
}

fn delete_history_execution(schemas: &mut SchemaGenerator) -> Operation {
    let deleted = json!({
        "success": true,
        "executionId": "exec-123",
        "message": "Successfully deleted execution exec-123",
        "timestamp": "2024-01-01T12:00:00.000Z",
    });
    let about = "Deletes an execution, for good.";
    Operation::new("Delete an execution", about)
        .parameters(DeleteParameters::described())
        .answer::<DeletedView<'_>>(schemas, StatusCode::OK, "It is deleted.", deleted)
        .problems(schemas, [missing_execution_id(), problems::not_found()])
}

fn delete_history_flow_executions(schemas: &mut SchemaGenerator) -> Operation {
    let deleted = json!({
        "success": true,
        "flowId": "flow-456",
        "deletedCount": 25,
        "message": "Successfully deleted 25 execution records for flow flow-456",
        "timestamp": "2024-01-01T12:00:00.000Z",
    });
    let begun = json!({
        "success": true,
        "flowId": "flow-456",
        "deletedCount": 180_000,
        "status": "IN_PROGRESS",
        "message": "Deleted 180000 execution records for flow flow-456 so far. It goes on by \
                    itself; the same request tells how far it is.",
        "timestamp": "2024-01-01T12:00:00.000Z",
    });
    let about = "Deletes all executions that a flow has, for good.";
    Operation::new("Delete a flow's executions", about)
        .parameters(FlowDeleteParameters::described())
        .answer::<FlowDeletedView<'_>>(schemas, StatusCode::OK, "They are deleted.", deleted)
        .answer::<FlowDeletedView<'_>>(
            schemas,
            StatusCode::ACCEPTED,
            "The deletion goes on by itself.",
            begun,
        )
        .problems(schemas, [missing_flow_id()])
}
