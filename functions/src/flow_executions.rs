//! The flow-executions API: `/flow-executions`.
//!
//! Its words are the model's own for states, and `flowExecutionId` and
//! `flowDefinitionId` for the ids. Pages go by `limit` and `nextToken`.

pub(crate) mod description;
mod parameters;
mod views;

use lambda_http::Request;
use shared::auth::Caller;
use shared::operations::{self, ShownPayloads, Window};
use shared::payload::RunPayload;
use shared::store::Store;

use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::reply::{self, Reply};
use parameters::{BranchStepsParameters, FlowDetailsParameters, ListParameters, StepParameters};

/// What this surface shows of payloads, where it is not told up to how many bytes.
const SHOWN: ShownPayloads = ShownPayloads {
    of_run: RunPayload::Context,
    of_steps: &["input", "output", "executionData"],
    most_bytes: None,
};

/// `GET /flow-executions`: a flow's executions, newest first.
///
/// # Errors
/// Those of the parameters and of [`operations::list_executions`].
pub async fn list_flow_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = ListParameters::of(request)?;
    let page = operations::list_executions(
        store,
        caller,
        &parameters.filter,
        parameters.limit,
        Window::After(parameters.next_token),
    )
    .await?;
    reply::json(&views::list(&page))
}

/// `GET /flow-executions/{flowExecutionId}`: an execution with its steps and
/// its context.
///
/// # Errors
/// Those of the parameters and of [`operations::get_execution`].
pub async fn get_flow_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let FlowDetailsParameters { page, most_bytes } = FlowDetailsParameters::of(request)?;
    let viewer = Parameters::of(request).viewer(caller)?;
    let shown = ShownPayloads {
        most_bytes,
        ..SHOWN
    };
    let details = operations::get_execution(
        store,
        &viewer,
        &page.execution_id,
        shown,
        page.limit,
        page.next_token,
    )
    .await?;
    reply::json(&views::details(&details))
}

/// `GET /flow-executions/{flowExecutionId}/step`: one step with its payloads.
///
/// # Errors
/// Those of the parameters and of [`operations::get_step`].
pub async fn get_flow_execution_step(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = StepParameters::of(request)?;
    let viewer = Parameters::of(request).viewer(caller)?;
    let details = operations::get_step(
        store,
        &viewer,
        &parameters.execution_id,
        &parameters.place,
        parameters.most_bytes,
    )
    .await?;
    reply::json(&views::step_details(&details))
}

/// `GET /flow-executions/{flowExecutionId}/branch-steps`: the steps of the
/// branches below a fork.
///
/// # Errors
/// Those of the parameters and of [`operations::list_branch_steps`].
pub async fn get_flow_execution_branch_steps(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let BranchStepsParameters { fork, page } = BranchStepsParameters::of(request)?;
    let FlowDetailsParameters { page, most_bytes } = page;
    let viewer = Parameters::of(request).viewer(caller)?;
    let branches = operations::list_branch_steps(
        store,
        &viewer,
        &page.execution_id,
        &fork,
        most_bytes,
        page.limit,
        page.next_token,
    )
    .await?;
    reply::json(&views::branch_steps(&branches))
}
