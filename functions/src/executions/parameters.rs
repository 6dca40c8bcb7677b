//! The parameters of the executions API.

use std::sync::LazyLock;

use http::HeaderMap;
use http::header::ACCEPT;
use lambda_http::Request;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::Error;
use shared::auth::Caller;
use shared::model::{ExecutionId, PageSize, Status, TeamId};
use shared::operations::{ExecutionFilter, MAX_REASON_LENGTH};

use super::export::Format;
use super::views::status_word;
use crate::parameters::{
    DaysBack, DetailsParameters, Group, Parameters, days, details, execution_id, execution_type,
    filter, flag, group, id, invalid, json_body, label, one_of, page_size, path_id, time_range,
    whole_number,
};
use crate::problem::Problem;

/// The default page size, as in the API's document.
const DEFAULT_SIZE: PageSize = PageSize::constant::<20>();

/// The team in the path, which [`require_own_team`] checks.
pub(crate) static TEAM: LazyLock<Parameters<TeamId>> = LazyLock::new(|| {
    path_id("teamId")
        .about("The caller's team. For another team the response is 403.")
        .example("default")
        .into()
});

/// Refuses a path with another team.
pub(super) fn require_own_team(caller: &Caller, request: &Request) -> Result<(), Problem> {
    let team_id = TEAM.read(request)?;
    if team_id == caller.team_id {
        return Ok(());
    }
    let message =
        format!("Your token does not belong to the team {team_id}. Use the path of your own team.");
    Err(Error::Forbidden(message).into())
}

/// The parameters of both lists.
pub(crate) struct ListParameters {
    pub(super) filter: ExecutionFilter,
    /// The number of the page. The first page is 0.
    pub(super) page: u64,
    pub(super) size: PageSize,
}

/// The parameters of `GET /api/executions/team/{teamId}`, next to [`TEAM`].
pub(crate) static TEAM_LIST: LazyLock<Parameters<ListParameters>> = LazyLock::new(list);

/// The parameters of `GET /api/executions`.
pub(crate) static WORKFLOW_LIST: LazyLock<Parameters<ListParameters>> =
    LazyLock::new(|| list().requiring("workflowId"));

fn list() -> Parameters<ListParameters> {
    group!(ListParameters {
        filter: filter(conditions(), time_range("from", "to")),
        page: whole_number("page").about("The number of the page. The first page is 0."),
        size: page_size("size")
            .default(DEFAULT_SIZE)
            .about("The number of executions on a page."),
    })
}

/// The parameters of `GET /api/executions/team/{teamId}/export`, next to [`TEAM`].
pub(crate) struct ExportParameters {
    pub(super) filter: ExecutionFilter,
    pub(super) format: Format,
    /// Whether the file begins with a byte order mark.
    pub(super) has_mark: bool,
}

pub(crate) static EXPORT: LazyLock<Parameters<ExportParameters>> = LazyLock::new(|| {
    let mut group = Group::default();
    let conditions = group.add(conditions());
    let named = group.add(time_range("from", "to"));
    let days = group.add(days("from"));
    let format = one_of(
        "format",
        Format::ALL.map(|format| (format.as_str(), format)),
    );
    let format = group.add(format.described_default(Format::default().as_str()).about(
        "The format of the file. Without it, a client whose `Accept` allows `application/json` but \
         not `text/csv` gets JSON.",
    ));
    let has_mark = group.add(
        flag("bom", false)
            .about("`true` begins CSV with a byte order mark, by which Excel recognizes UTF-8."),
    );
    group.reads(move |request| {
        let time = DaysBack::new(named(request)?, days(request)?);
        let format = format(request)?.unwrap_or_else(|| accepted_format(request.headers()));
        let has_mark = has_mark(request)?;
        if has_mark && format == Format::Json {
            return Err(invalid(
                "bom",
                "Only CSV can have a byte order mark. Use format=csv, or leave bom out.",
            ));
        }
        Ok(ExportParameters {
            filter: ExecutionFilter {
                created: time.created,
                ..conditions(request)?
            },
            format,
            has_mark,
        })
    })
});

/// The default format: CSV, as in the API's document, unless `Accept` names JSON and does not
/// allow CSV.
fn accepted_format(headers: &HeaderMap) -> Format {
    let values = headers.get_all(ACCEPT).iter();
    let types = values.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    let types = types.map(|one| one.split(';').next().unwrap_or_default().trim());
    let types: Vec<_> = types.map(str::to_ascii_lowercase).collect();
    let allows_any = |named: &[&str]| types.iter().any(|one| named.contains(&one.as_str()));
    match allows_any(&["application/json"]) && !allows_any(&["text/csv", "text/*", "*/*"]) {
        true => Format::Json,
        false => Format::Csv,
    }
}

/// The parameters of `GET /api/executions/{id}`.
pub(crate) static DETAILS: LazyLock<Parameters<DetailsParameters>> =
    LazyLock::new(|| details("id"));

/// The execution in the path of an action.
pub(crate) static EXECUTION_ID: LazyLock<Parameters<ExecutionId>> =
    LazyLock::new(|| execution_id("id").into());

/// The conditions that the lists and the export share, without the time.
fn conditions() -> Parameters<ExecutionFilter> {
    let mut group = Group::default();
    let words = Status::ALL.map(|status| (status_word(status), status));
    let status =
        group.add(one_of("status", words).about("Returns only executions with this status."));
    let workflow_id = id("workflowId").about("Returns only executions of this workflow.");
    let workflow_id = group.add(workflow_id.example("order-pipeline"));
    let device_id = group.add(id("deviceId").about("Returns only executions on this device."));
    let execution_type = group.add(execution_type());
    let label = group.add(label());
    group.reads(move |request| {
        Ok(ExecutionFilter {
            flow_id: workflow_id(request)?,
            device_id: device_id(request)?,
            status: status(request)?,
            execution_type: execution_type(request)?,
            label: label(request)?,
            ..ExecutionFilter::default()
        })
    })
}

/// The execution and the body of `POST /api/executions/{id}/cancel`.
pub(crate) struct CancelParameters {
    pub(super) execution_id: ExecutionId,
    pub(super) reason: Option<String>,
}

/// The body of a cancel, which may be left out.
#[derive(Default, Deserialize, JsonSchema)]
pub(super) struct CancelBody {
    /// The reason. It is shown with the execution and in the audit events.
    #[schemars(length(min = 1, max = MAX_REASON_LENGTH), regex(pattern = r"\S"))]
    reason: Option<String>,
}

impl CancelParameters {
    pub(super) fn parse(request: &Request) -> Result<Self, Problem> {
        let execution_id = EXECUTION_ID.read(request)?;
        let CancelBody { reason } = json_body(request)?.unwrap_or_default();
        let is_fitting = |reason: &String| {
            let length = reason.chars().count();
            (1..=MAX_REASON_LENGTH).contains(&length) && !reason.trim().is_empty()
        };
        if !reason.as_ref().is_none_or(is_fitting) {
            let message =
                format!("Use a text of 1 to {MAX_REASON_LENGTH} characters that is not blank.");
            return Err(invalid("reason", message));
        }
        Ok(Self {
            execution_id,
            reason,
        })
    }
}
