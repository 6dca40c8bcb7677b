//! The OpenAPI description of the flow-executions API.

use http::StatusCode;
use schemars::SchemaGenerator;

use super::views::{BranchStepsView, DetailsView, Envelope, ListView, StepDetailsView};
use crate::openapi::{Operation, example, problems};

pub(crate) fn list_flow_executions(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Lists the executions of a flow, newest first. Every page except the last is \
                 full, with one exception: no index covers `flowVersion`, so with this filter a \
                 page can be partly filled or empty and still have a `nextToken`.";
    Operation::new("List executions of a flow", about)
        .answer::<Envelope<ListView<'_>>>(
            schemas,
            StatusCode::OK,
            "A page of executions. `nextToken` is present if there is a next page.",
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

pub(crate) fn get_flow_execution(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns an execution with its top-level steps in order of time. The steps below a \
                 step that `hasBranches` are a separate endpoint. Overlapping steps of a trace's \
                 root are below a fork that has no record. The first page also has the payloads \
                 that `runPayloads` names, by default the context and the execution's own data. \
                 The response is streamed.";
    Operation::new("Get an execution", about)
        .answer::<Envelope<DetailsView<'_>>>(
            schemas,
            StatusCode::OK,
            "The execution, with a page of its steps.",
            example(include_str!("examples/details.json")),
        )
        .problems(schemas, [problems::not_found(), problems::next_token()])
}

pub(crate) fn get_flow_execution_branch_steps(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns the steps below a step that `hasBranches`: the steps of its parallel \
                 branches, and then its nested steps in lanes, which have the form of branches. If \
                 the parameters do not identify such a step, `data` is empty.";
    Operation::new("Get the steps of a fork's branches", about)
        .answer::<BranchStepsView<'_>>(
            schemas,
            StatusCode::OK,
            "A page of steps, grouped by `branchExecutionId`.",
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

pub(crate) fn get_flow_execution_step(schemas: &mut SchemaGenerator) -> Operation {
    let about = "Returns one step with its payloads.";
    Operation::new("Get a step", about)
        .answer::<StepDetailsView<'_>>(
            schemas,
            StatusCode::OK,
            "The step, in the same form as in a page of steps.",
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
