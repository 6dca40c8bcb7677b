//! The flow-executions API in OpenAPI.

use http::StatusCode;
use schemars::SchemaGenerator;

use super::parameters::{
    BranchStepsParameters, FlowDetailsParameters, ListParameters, StepParameters,
};
use super::views::{BranchStepsView, DetailsView, Envelope, ListView, StepDetailsView};
use crate::openapi::{Describe, Operation, example, problems};
use crate::route::{self, Route};

/// Every operation of this surface, with its route.
pub(crate) const OPERATIONS: &[(&Route, Describe)] = &[
    (&route::LIST_FLOW_EXECUTIONS, list_flow_executions),
    (&route::GET_FLOW_EXECUTION, get_flow_execution),
    (
        &route::GET_FLOW_EXECUTION_BRANCH_STEPS,
        get_flow_execution_branch_steps,
    ),
    (&route::GET_FLOW_EXECUTION_STEP, get_flow_execution_step),
];

fn list_flow_executions(schemas: &mut SchemaGenerator) -> Operation {
    let about = "A flow's executions, newest first. A page is full, or the last; with `flowVersion`, \
                 which no index answers, it can end before.";
    Operation::new("List executions of a flow", about)
        .parameters(ListParameters::described())
        .answer::<Envelope<ListView<'_>>>(
            schemas,
            StatusCode::OK,
            "A page. `nextToken` is there as long as there is a next one.",
            example(include_str!("examples/list.json")),
        )
        .problems(
            schemas,
            [
                problems::missing("flowDefinitionId"),
                problems::next_token(),
            ],
        )
}

fn get_flow_execution(schemas: &mut SchemaGenerator) -> Operation {
    let about = "An execution with its top-level steps in order of time, and its context, which comes \
                 on the first page alone. The answer is streamed.";
    Operation::new("Get an execution", about)
        .parameters(FlowDetailsParameters::described())
        .answer::<Envelope<DetailsView<'_>>>(
            schemas,
            StatusCode::OK,
            "The execution, with a page of its steps.",
            example(include_str!("examples/details.json")),
        )
        .problems(schemas, [problems::not_found(), problems::next_token()])
}

fn get_flow_execution_branch_steps(schemas: &mut SchemaGenerator) -> Operation {
    let about = "The steps of the parallel branches below a fork. A pair that is no fork's has no \
                 branches.";
    Operation::new("Get the steps of branches", about)
        .parameters(BranchStepsParameters::described())
        .answer::<BranchStepsView<'_>>(
            schemas,
            StatusCode::OK,
            "The branches by their ids, with a page of their steps.",
            example(include_str!("examples/branch_steps.json")),
        )
        .problems(
            schemas,
            [
                problems::missing("parentStepInstanceId"),
                problems::not_found(),
                problems::next_token(),
            ],
        )
}

fn get_flow_execution_step(schemas: &mut SchemaGenerator) -> Operation {
    let about = "One step with its payloads.";
    Operation::new("Get a step", about)
        .parameters(StepParameters::described())
        .answer::<StepDetailsView<'_>>(
            schemas,
            StatusCode::OK,
            "The step, as a page of steps has it.",
            example(include_str!("examples/step.json")),
        )
        .problems(
            schemas,
            [
                problems::missing("stepInstanceId"),
                problems::not_found(),
                problems::step_not_found(),
            ],
        )
}
