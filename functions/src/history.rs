//! The execution history API: `/api/history`.
//!
//! This API calls a completed run `PASSED`, and the type of a step its `action`. Its pages use an
//! offset, and have a total.

pub(crate) mod description;
mod format;
pub(crate) mod parameters;
mod views;

use std::time::{Duration, Instant};

use lambda_http::Request;
use shared::auth::Caller;
use shared::operations::{
    self, ExecutionPage, ListedTexts, ShownPayloads, StepOutline, StepQuery, Window,
};
use shared::payload::RunPayload;
use shared::store::Store;

use crate::parameters::viewer;
use crate::problem::Problem;
use crate::reply::{self, Reply};
use parameters::{
    DeleteParameters, FlowDeleteParameters, FlowListParameters, ListParameters,
    StatisticsParameters, StepStatisticsParameters,
};

/// How long a request waits for a flow's deletion. After that it responds that the deletion
/// continues in the background. It is less than the function's timeout of 25 seconds.
const DELETION_TIME: Duration = Duration::from_secs(18);

/// The payloads in the responses of this API.
const SHOWN: ShownPayloads<'_> = ShownPayloads {
    of_run: &[RunPayload::Data],
    of_steps: &["executionData"],
    most_bytes: None,
};

/// `GET /api/history/executions`: lists the team's executions, newest first.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of [`operations::list_executions`].
pub async fn list_history_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = parameters::LIST.read(request)?;
    let ListParameters {
        filter,
        limit,
        offset,
        lite,
        extended,
    } = &parameters;
    let window = Window::Offset(*offset);
    let mut page = operations::list_executions(store, caller, filter, *limit, window).await?;
    let listed = match extended {
        true => ListedTexts::All,
        false => ListedTexts::Name,
    };
    operations::shorten_page(&mut page, listed);
    let steps = match lite {
        true => None,
        false => Some(read_steps(store, &page).await?),
    };
    reply::json(&views::list(&page, steps.as_deref(), &parameters))
}

/// `GET /api/history/executions/flows/{flowId}`: lists a flow's newest executions.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of [`operations::list_executions`].
pub async fn list_history_flow_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let FlowListParameters {
        flow_id,
        filter,
        limit,
    } = parameters::FLOW_LIST.read(request)?;
    let window = Window::After(None);
    let mut page = operations::list_executions(store, caller, &filter, limit, window).await?;
    operations::shorten_page(&mut page, ListedTexts::Name);
    let steps = read_steps(store, &page).await?;
    reply::json(&views::flow_list(&page, &steps, &flow_id))
}

/// Reads the steps of each run of a page, shortened to fit into a response.
async fn read_steps(store: &Store, page: &ExecutionPage) -> Result<Vec<StepOutline>, Problem> {
    let mut steps = operations::outline_steps(store, &page.executions).await?;
    operations::shorten_outlines(page, &mut steps);
    Ok(steps)
}

/// `GET /api/history/executions/{executionId}`: returns an execution with its steps.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of [`operations::get_execution`].
pub async fn get_history_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = parameters::DETAILS.read(request)?;
    let viewer = viewer(caller, parameters.reveal);
    let query = StepQuery {
        limit: parameters.limit,
        next_token: parameters.next_token.as_deref(),
        ..StepQuery::default()
    };
    let details =
        operations::get_execution(store, &viewer, &parameters.execution_id, SHOWN, query).await?;
    reply::json(&views::details(&details))
}

/// `GET /api/history/execution-stats`: returns how many executions there were, how they ended, and
/// how long they took.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of
/// [`operations::execution_statistics`].
pub async fn get_history_statistics(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = parameters::STATISTICS.read(request)?;
    let StatisticsParameters {
        filter, interval, ..
    } = &parameters;
    let statistics = operations::execution_statistics(store, caller, filter, *interval).await?;
    reply::json(&views::statistics(&statistics, &parameters))
}

/// `GET /api/history/step-stats`: returns which steps of a flow fail, and which take the most time.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of [`operations::step_statistics`].
pub async fn get_history_step_statistics(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = parameters::STEP_STATISTICS.read(request)?;
    let StepStatisticsParameters { runs, shared } = &parameters;
    let statistics = operations::step_statistics(store, caller, &shared.filter, *runs).await?;
    reply::json(&views::step_statistics(&statistics, shared))
}

/// `DELETE /api/history/executions/{executionId}`: deletes an execution permanently.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of
/// [`operations::delete_execution`].
pub async fn delete_history_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let DeleteParameters {
        execution_id,
        cascade,
    } = parameters::DELETE.read(request)?;
    operations::delete_execution(store, caller, &execution_id, cascade).await?;
    reply::json(&views::deleted(&execution_id))
}

/// `DELETE /api/history/executions/flows/{flowId}`: deletes all executions of a flow permanently.
///
/// # Errors
/// Returns an error if a parameter is not valid, and the errors of
/// [`operations::delete_flow_executions`].
pub async fn delete_history_flow_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let until = Instant::now() + DELETION_TIME;
    let FlowDeleteParameters { flow_id, cascade } = parameters::FLOW_DELETE.read(request)?;
    let deletion =
        operations::delete_flow_executions(store, caller, &flow_id, cascade, until).await?;
    let view = views::flow_deleted(&flow_id, deletion);
    match deletion.is_done {
        true => reply::json(&view),
        false => reply::accepted(&view),
    }
}
