//! The executions API: `/api/executions`.
//!
//! This API calls flows workflows, steps nodes, and a completed run a `SUCCESS`. Its responses are
//! bare objects. Its lists have numbered pages and totals.

pub(crate) mod description;
pub mod export;
pub(crate) mod parameters;
mod views;

use http::header::{ACCEPT, CONTENT_DISPOSITION, HeaderValue, VARY};
use lambda_http::Request;
use shared::Error;
use shared::auth::Caller;
use shared::operations::{self, Cancelled, ListedTexts, Pinned, Window};
use shared::store::Store;

use crate::parameters::viewer;
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::route::request_id;
use export::FileOptions;
use parameters::{CancelParameters, ExportParameters, ListParameters};

/// `GET /api/executions/team/{teamId}`: lists a team's executions, newest first.
///
/// # Errors
/// [`Error::Forbidden`] for another team. Returns an error if a parameter is not valid, and the
/// errors of [`operations::list_executions`].
pub async fn list_team_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    parameters::require_own_team(caller, request)?;
    list(store, caller, &parameters::TEAM_LIST.read(request)?).await
}

/// `GET /api/executions?workflowId=…`: lists a workflow's executions, newest first.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of [`operations::list_executions`].
pub async fn list_workflow_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    list(store, caller, &parameters::WORKFLOW_LIST.read(request)?).await
}

async fn list(
    store: &Store,
    caller: &Caller,
    parameters: &ListParameters,
) -> Result<Reply, Problem> {
    let ListParameters { filter, page, size } = parameters;
    let window = Window::Offset(page * size.get() as u64);
    let mut list = operations::list_executions(store, caller, filter, *size, window).await?;
    operations::shorten_page(&mut list, ListedTexts::Error);
    let node_counts = operations::count_steps(store, &list.executions).await?;
    reply::json(&views::list(&list, &node_counts, *page, *size))
}

/// `GET /api/executions/{id}`: returns an execution with its nodes.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of
/// [`operations::get_whole_execution`].
pub async fn get_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = parameters::DETAILS.read(request)?;
    let viewer = viewer(caller, parameters.reveal);
    let whole = operations::get_whole_execution(
        store,
        &viewer,
        &parameters.execution_id,
        parameters.limit,
        parameters.next_token.as_deref(),
    )
    .await?;
    reply::json(&views::details(&whole))
}

/// `POST /api/executions/{id}/cancel`: cancels a run that is pending or running, and the open runs
/// below it.
///
/// # Errors
/// [`Problem::NotCancellable`] if the run has ended. Returns an error if a parameter is not valid,
/// and the errors of [`operations::cancel_execution`].
pub async fn cancel_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let CancelParameters {
        execution_id,
        reason,
    } = CancelParameters::parse(request)?;
    match operations::cancel_execution(store, caller, &execution_id, reason.as_deref()).await? {
        Cancelled::Now => Ok(reply::empty()),
        Cancelled::EndedBefore(status) => Err(Problem::NotCancellable {
            execution_id,
            status: status.map_or("in an unknown state", views::status_word),
        }),
    }
}

/// `PUT /api/executions/{id}/pin`: pins a run that has ended, so that it does not expire.
///
/// # Errors
/// [`Problem::NotEnded`] if the run has not ended. Returns an error if the id in the path is not
/// valid, and the errors of [`operations::pin_execution`].
pub async fn pin_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let execution_id = parameters::EXECUTION_ID.read(request)?;
    match operations::pin_execution(store, caller, &execution_id).await? {
        Pinned::Since { at, by } => reply::json(&views::pinned(&execution_id, at, by.as_deref())),
        Pinned::NotEnded(status) => Err(Problem::NotEnded {
            execution_id,
            status: status.map_or("in an unknown state", views::status_word),
        }),
    }
}

/// `DELETE /api/executions/{id}/pin`: unpins a run, so that it can expire again.
///
/// # Errors
/// Returns an error if the id in the path is not valid, and the errors of
/// [`operations::unpin_execution`].
pub async fn unpin_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let execution_id = parameters::EXECUTION_ID.read(request)?;
    operations::unpin_execution(store, caller, &execution_id).await?;
    reply::json(&views::unpinned(&execution_id))
}

/// `GET /api/executions/team/{teamId}/export`: exports a team's executions with their nodes as a
/// file. The response is streamed while the table is read.
///
/// # Errors
/// [`Error::Forbidden`] for another team, and [`Error::UnreadableSettings`] if the masking settings
/// cannot be read. Returns an error if a parameter is not valid, and the errors of
/// [`operations::export_executions`]. A failure after the first rows ends the body with an error.
pub async fn export_team_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    parameters::require_own_team(caller, request)?;
    let ExportParameters {
        filter,
        format,
        has_mark,
    } = parameters::EXPORT.read(request)?;
    let options = FileOptions { format, has_mark };
    let export = operations::export_executions(store, caller, &filter).await?;
    let file = export::render(export, caller.team_id.clone(), options);
    let file = export::logged(file, store.clone(), request_id(request));
    let mut reply = reply::stream(format.content_type(), file);
    let name = export::file_name(&caller.team_id, &filter.created, format);
    let disposition = format!("attachment; filename=\"{name}\"");
    let disposition = disposition.parse().map_err(Error::internal)?;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_DISPOSITION, disposition);
    headers.append(VARY, HeaderValue::from_name(ACCEPT));
    Ok(reply)
}
