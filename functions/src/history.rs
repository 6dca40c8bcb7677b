//! The execution history API: `/api/history`.
//!
//! Its words are `PASSED` for a run that completed, and `action` for what a step
//! is. Pages have an offset, and a total.

pub(crate) mod description;
mod format;
mod parameters;
mod views;

use std::time::{Duration, Instant};

use lambda_http::Request;
use shared::auth::Caller;
use shared::operations::{self, ShownPayloads, StepOutline, Window};
use shared::payload::RunPayload;
use shared::store::Store;

use crate::parameters::{DetailsParameters, Parameters};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use parameters::{
    DeleteParameters, FlowDeleteParameters, FlowListParameters, ListParameters,
    StatisticsParameters, StepStatisticsParameters,
};

/// How long a request waits for a flow's deletion, before it says that it goes on.
/// Below the 25 seconds that the function has.
const DELETION_TIME: Duration = Duration::from_secs(18);

/// What this surface shows of payloads.
const SHOWN: ShownPayloads = ShownPayloads {
    of_run: RunPayload::Data,
    of_steps: &["executionData"],
    most_bytes: None,
};

/// `GET /api/history/executions`: the team's executions, newest first.
///
/// # Errors
/// Those of the parameters and of [`operations::list_executions`].
pub async fn list_history_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = ListParameters::of(request)?;
    let ListParameters {
        filter,
        limit,
        offset,
        lite,
        ..
    } = &parameters;
    let window = Window::Offset(*offset);
    let page = operations::list_executions(store, caller, filter, *limit, window).await?;
    let steps = match lite {
        true => None,
        false => Some(operations::outline_steps(store, &page.executions).await?),
    };
    reply::json(&views::list(&page, steps.as_deref(), &parameters))
}

/// `GET /api/history/executions/flows/{flowId}`: a flow's newest executions.
///
/// # Errors
/// Those of the parameters and of [`operations::list_executions`].
pub async fn list_history_flow_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let FlowListParameters {
        flow_id,
        filter,
        limit,
    } = FlowListParameters::of(request)?;
    let window = Window::After(None);
    let page = operations::list_executions(store, caller, &filter, limit, window).await?;
    let steps: Vec<StepOutline> = operations::outline_steps(store, &page.executions).await?;
    reply::json(&views::flow_list(&page, &steps, &flow_id))
}

/// `GET /api/history/executions/{executionId}`: an execution with its steps.
///
/// # Errors
/// Those of the parameters and of [`operations::get_execution`].
pub async fn get_history_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = DetailsParameters::of(request, "executionId")?;
    let viewer = Parameters::of(request).viewer(caller)?;
    let details = operations::get_execution(
        store,
        &viewer,
        &parameters.execution_id,
        SHOWN,
        parameters.limit,
        parameters.next_token,
    )
    .await?;
    reply::json(&views::details(&details))
}

/// `GET /api/history/execution-stats`: how many executions there were, how they
/// ended, and how long they took.
///
/// # Errors
/// Those of the parameters and of [`operations::execution_statistics`].
pub async fn get_history_statistics(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = StatisticsParameters::of(request)?;
    let StatisticsParameters {
        filter, interval, ..
    } = &parameters;
    let statistics = operations::execution_statistics(store, caller, filter, *interval).await?;
    reply::json(&views::statistics(&statistics, &parameters))
}

/// `GET /api/history/step-stats`: which steps of a flow fail, and which take their time.
///
/// # Errors
/// Those of the parameters and of [`operations::step_statistics`].
pub async fn get_history_step_statistics(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let parameters = StepStatisticsParameters::of(request)?;
    let StepStatisticsParameters { runs, shared } = &parameters;
    let statistics = operations::step_statistics(store, caller, &shared.filter, *runs).await?;
    reply::json(&views::step_statistics(&statistics, shared))
}

/// `DELETE /api/history/executions/{executionId}`: deletes an execution.
///
/// # Errors
/// Those of the parameters and of [`operations::delete_execution`].
pub async fn delete_history_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let DeleteParameters {
        execution_id,
        cascade,
    } = DeleteParameters::of(request)?;
    operations::delete_execution(store, caller, &execution_id, cascade).await?;
    reply::json(&views::deleted(&execution_id))
}

/// `DELETE /api/history/executions/flows/{flowId}`: deletes all executions of a
/// flow.
///
/// # Errors
/// Those of the parameters and of [`operations::delete_flow_executions`].
pub async fn delete_history_flow_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let until = Instant::now() + DELETION_TIME;
    let FlowDeleteParameters { flow_id, cascade } = FlowDeleteParameters::of(request)?;
    let deletion =
        operations::delete_flow_executions(store, caller, &flow_id, cascade, until).await?;
    let view = views::flow_deleted(&flow_id, deletion);
    match deletion.is_done {
        true => reply::json(&view),
        false => reply::accepted(&view),
    }
}
