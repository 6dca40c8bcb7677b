//! The flow-executions API: `/flow-executions`.
//!
//! This API uses the model's words for statuses, and the names `flowExecutionId` and
//! `flowDefinitionId` for the ids. Its pages use `limit` and `nextToken`.

pub(crate) mod description;
pub(crate) mod parameters;
mod views;

use lambda_http::Request;
use shared::auth::Caller;
use shared::operations::{self, ShownPayloads, Window};
use shared::store::Store;

use crate::parameters::viewer;
use crate::problem::Problem;
use crate::reply::{self, Reply};
use parameters::{BranchStepsParameters, DetailsParameters};

/// The payloads of steps in the responses of this API.
const STEP_PAYLOADS: &[&str] = &["input", "output", "executionData"];

/// `GET /flow-executions`: lists a flow's executions, newest first.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of [`operations::list_executions`].
pub async fn list_flow_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = parameters::LIST.read(request)?;
    let page = operations::list_executions(
        store,
        caller,
        &parameters.filter,
        parameters.limit,
        Window::After(parameters.next_token.as_deref()),
    )
    .await?;
    reply::json(&views::list(&page))
}

/// `GET /flow-executions/{flowExecutionId}`: returns an execution with its steps, its
/// context and its data.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of [`operations::get_execution`].
pub async fn get_flow_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let DetailsParameters {
        run_payloads,
        steps,
        reveal,
    } = parameters::DETAILS.read(request)?;
    let viewer = viewer(caller, reveal);
    let shown = ShownPayloads {
        of_run: &run_payloads,
        of_steps: STEP_PAYLOADS,
        most_bytes: steps.most_bytes,
    };
    let details =
        operations::get_execution(store, &viewer, &steps.execution_id, shown, steps.query())
            .await?;
    reply::json(&views::details(&details))
}

/// `GET /flow-executions/{flowExecutionId}/step`: returns one step with its payloads.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of [`operations::get_step`].
pub async fn get_flow_execution_step(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = parameters::STEP.read(request)?;
    let viewer = viewer(caller, parameters.reveal);
    let details = operations::get_step(
        store,
        &viewer,
        &parameters.execution_id,
        &parameters.address,
        parameters.most_bytes,
    )
    .await?;
    reply::json(&views::step_details(&details))
}

/// `GET /flow-executions/{flowExecutionId}/branch-steps`: returns the steps of a fork's branches.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of
/// [`operations::list_branch_steps`].
pub async fn get_flow_execution_branch_steps(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let BranchStepsParameters {
        steps,
        fork,
        reveal,
    } = parameters::BRANCH_STEPS.read(request)?;
    let viewer = viewer(caller, reveal);
    let branches = operations::list_branch_steps(
        store,
        &viewer,
        &steps.execution_id,
        &fork,
        steps.most_bytes,
        steps.query(),
    )
    .await?;
    reply::json(&views::branch_steps(&branches))
}
