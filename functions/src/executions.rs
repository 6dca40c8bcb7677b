//! The executions API: `/api/executions`.
//!
//! Its words are workflow and node, `SUCCESS` for a run that completed, and
//! bare objects for answers. Pages have numbers, and totals.

mod parameters;
mod views;

use lambda_http::Request;
use shared::auth::Caller;
use shared::operations::{self, Cancelled, Window};
use shared::store::Store;

use crate::parameters::DetailsParameters;
use crate::problem::Problem;
use crate::reply::{self, Reply};
use parameters::{CancelParameters, ListParameters};

/// `GET /api/executions/team/{teamId}`: a team's executions, newest first.
///
/// # Errors
/// [`shared::Error::Forbidden`] for another team, those of the parameters and
/// of [`operations::list_executions`].
pub async fn list_team_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    list(store, caller, &ListParameters::of_team(caller, request)?).await
}

/// `GET /api/executions?workflowId=…`: a workflow's executions, newest first.
///
/// # Errors
/// Those of the parameters and of [`operations::list_executions`].
pub async fn list_workflow_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    list(store, caller, &ListParameters::of_workflow(request)?).await
}

async fn list(
    store: &Store,
    caller: &Caller,
    parameters: &ListParameters,
) -> Result<Reply, Problem> {
    let ListParameters { filter, page, size } = parameters;
    let window = Window::Offset(page * size.get() as u64);
    let list = operations::list_executions(store, caller, filter, *size, window).await?;
    let node_counts = operations::count_steps(store, &list.executions).await?;
    reply::json(&views::list(&list, &node_counts, *page, *size))
}

/// `GET /api/executions/{id}`: an execution with its nodes.
///
/// # Errors
/// Those of the parameters and of [`operations::get_whole_execution`].
pub async fn get_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = DetailsParameters::of(request, "id")?;
    let whole = operations::get_whole_execution(
        store,
        caller,
        &parameters.execution_id,
        parameters.limit,
        parameters.next_token,
    )
    .await?;
    reply::json(&views::details(&whole))
}

/// `POST /api/executions/{id}/cancel`: cancels a run that is pending or running,
/// and the open runs below it.
///
/// # Errors
/// [`Problem::NotCancellable`], those of the parameters and of
/// [`operations::cancel_execution`].
pub async fn cancel_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let CancelParameters {
        execution_id,
        reason,
    } = CancelParameters::of(request)?;
    match operations::cancel_execution(store, caller, &execution_id, reason.as_deref()).await? {
        Cancelled::Now => Ok(reply::empty()),
        Cancelled::EndedBefore(status) => Err(Problem::NotCancellable {
            execution_id,
            status: status.map_or("in an unknown state", views::status_word),
        }),
    }
}
