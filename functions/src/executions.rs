//! The executions API: `/api/executions`.
//!
//! Its words are workflow and node, `SUCCESS` for a run that completed, and
//! bare objects for answers. Pages have numbers, and totals.

pub(crate) mod description;
pub mod export;
mod parameters;
mod views;

use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_ENCODING, HeaderValue, VARY};
use lambda_http::Request;
use shared::Error;
use shared::auth::Caller;
use shared::masking::masker_of;
use shared::operations::{self, Cancelled, Pinned, Window};
use shared::store::Store;

use crate::parameters::{DetailsParameters, Parameters};
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::route::request_id;
use export::Encoding;
use parameters::{CancelParameters, ExportParameters, ListParameters};

/// `GET /api/executions/team/{teamId}`: a team's executions, newest first.
///
/// # Errors
/// [`Error::Forbidden`] for another team, those of the parameters and
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
    let viewer = Parameters::of(request).viewer(caller)?;
    let whole = operations::get_whole_execution(
        store,
        &viewer,
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

/// `PUT /api/executions/{id}/pin`: keeps a run that has ended from expiring.
///
/// # Errors
/// [`Problem::NotEnded`], those of the path and of [`operations::pin_execution`].
pub async fn pin_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let execution_id = Parameters::of(request).path_id("id")?;
    match operations::pin_execution(store, caller, &execution_id).await? {
        Pinned::Since { at, by } => reply::json(&views::pinned(&execution_id, at, by.as_deref())),
        Pinned::NotEnded(status) => Err(Problem::NotEnded {
            execution_id,
            status: status.map_or("in an unknown state", views::status_word),
        }),
    }
}

/// `DELETE /api/executions/{id}/pin`: lets a run expire again.
///
/// # Errors
/// Those of the path and of [`operations::unpin_execution`].
pub async fn unpin_execution(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let execution_id = Parameters::of(request).path_id("id")?;
    operations::unpin_execution(store, caller, &execution_id).await?;
    reply::json(&views::unpinned(&execution_id))
}

/// `GET /api/executions/team/{teamId}/export`: a team's executions with their
/// nodes as a file, which leaves while it is read.
///
/// # Errors
/// [`Error::Forbidden`] for another team, those of the parameters and of
/// [`operations::export_executions`]. A failure after the first rows ends the
/// body with an error.
pub async fn export_team_executions(
    store: &Store,
    caller: &Caller,
    request: &Request,
) -> Result<Reply, Problem> {
    let ExportParameters { filter, format } = ExportParameters::of(caller, request)?;
    let encoding = encoding(request.headers());
    let pieces = operations::export_executions(store, caller, &filter).await?;
    let masker = masker_of(store, &caller.team_id).await?;
    let file = export::render(pieces, masker, format, encoding);
    let file = export::logged(file, store.clone(), request_id(request));
    let mut reply = reply::stream(format.content_type(), file);
    let name = export::file_name(&caller.team_id, &filter.created, format);
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = reply.headers_mut();
    headers.insert(
        CONTENT_DISPOSITION,
        disposition.parse().map_err(Error::internal)?,
    );
    headers.insert(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
    if encoding == Encoding::Gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(reply)
}

/// Gzip where the client takes it and likes nothing better, as RFC 9110 has it:
/// each coding with a weight from 0, which is a refusal, to 1.
fn encoding(headers: &HeaderMap) -> Encoding {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    for coding in values.flat_map(|value| value.to_str().unwrap_or_default().split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix(['q', 'Q']).map(str::trim_start);
        let weight = weight.and_then(|weight| weight.strip_prefix('=')?.trim().parse::<f32>().ok());
        let weight = weight.unwrap_or_default();
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "*" => any = Some(weight),
            "identity" => identity = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or_default();
    match gzip > 0.0 && gzip >= identity.unwrap_or_default() {
        true => Encoding::Gzip,
        false => Encoding::Identity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding_of(values: &[&'static str]) -> Encoding {
        let values = values
            .iter()
            .map(|value| (ACCEPT_ENCODING, HeaderValue::from_static(value)));
        encoding(&values.collect())
    }

    #[test]
    fn gzip_is_for_clients_that_take_it() {
        for accepted in [
            "gzip",
            "GZIP",
            "x-gzip",
            "deflate, gzip, br",
            "gzip;q=0.5",
            "gzip; q=1.0, identity; q=0.5",
            "br;q=1, *;q=0.1",
            "*",
        ] {
            assert_eq!(encoding_of(&[accepted]), Encoding::Gzip, "{accepted}");
        }
        assert_eq!(encoding_of(&["br", "gzip"]), Encoding::Gzip);
        for refused in [
            "",
            "identity",
            "br",
            "gzip;q=0",
            "gzip; q=0.0",
            "gzip;q=0, *",
            "*;q=0",
            "gzip;q=x",
            "gzip;q=0.2, identity",
            "gzipped",
        ] {
            assert_eq!(encoding_of(&[refused]), Encoding::Identity, "{refused}");
        }
        assert_eq!(encoding_of(&[]), Encoding::Identity);
    }
}
