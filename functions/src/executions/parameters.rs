//! The words of the executions API on the way in.

use lambda_http::Request;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::Error;
use shared::auth::Caller;
use shared::model::{ExecutionId, PageSize, Status, TeamId, TimeRange};
use shared::operations::{ExecutionFilter, MAX_REASON_LENGTH};

use super::export::Format;
use super::views::status_word;
use crate::openapi::parameter::{self, Parameter};
use crate::parameters::{Parameters, invalid, json_body};
use crate::problem::Problem;

/// The page size where `size` is absent, as the API's document has it.
const DEFAULT_SIZE: PageSize = PageSize::of::<20>();

/// Of both lists.
pub(super) struct ListParameters {
    pub(super) filter: ExecutionFilter,
    /// From 0.
    pub(super) page: u64,
    pub(super) size: PageSize,
}

impl ListParameters {
    pub(super) fn described() -> Vec<Parameter> {
        let mut described = described_filter();
        described.extend(parameter::time_range("from", "to"));
        described.push(parameter::whole_number("page").about("The page's number, from 0."));
        described.push(
            parameter::page_size("size")
                .default(DEFAULT_SIZE.get())
                .about("How many runs a page has."),
        );
        described
    }

    /// Of `GET /api/executions/team/{teamId}`.
    pub(super) fn of_team(caller: &Caller, request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        require_team(caller, &parameters)?;
        Self::of(&parameters)
    }

    /// Of `GET /api/executions`.
    pub(super) fn of_workflow(request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        parameters.required("workflowId")?;
        Self::of(&parameters)
    }

    fn of(parameters: &Parameters<'_>) -> Result<Self, Problem> {
        let created = parameters.time_range("from", "to")?;
        Ok(Self {
            filter: filter(parameters, created)?,
            page: parameters.whole_number("page")?.unwrap_or_default(),
            size: parameters.page_size("size")?.unwrap_or(DEFAULT_SIZE),
        })
    }
}

/// Of `GET /api/executions/team/{teamId}/export`.
pub(super) struct ExportParameters {
    pub(super) filter: ExecutionFilter,
    pub(super) format: Format,
}

impl ExportParameters {
    pub(super) fn described() -> Vec<Parameter> {
        let mut described = described_filter();
        described.extend(parameter::time_range("from", "to"));
        described.push(parameter::days("from"));
        described.push(
            parameter::one_of("format", Format::ALL.map(Format::as_str))
                .default(Format::default().as_str())
                .about("What kind of file."),
        );
        described
    }

    pub(super) fn of(caller: &Caller, request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        require_team(caller, &parameters)?;
        let created = parameters.days_back("from", "to")?.created;
        let words = Format::ALL.map(|format| (format.as_str(), format));
        Ok(Self {
            filter: filter(&parameters, created)?,
            format: parameters.one_of("format", &words)?.unwrap_or_default(),
        })
    }
}

/// Refuses the path of another team.
fn require_team(caller: &Caller, parameters: &Parameters<'_>) -> Result<(), Problem> {
    let team_id: TeamId = parameters.path_id("teamId")?;
    if team_id == caller.team_id {
        return Ok(());
    }
    let message = format!("The token belongs to another team than {team_id}.");
    Err(Error::Forbidden(message).into())
}

/// The team in the path.
pub(super) fn described_team() -> Parameter {
    parameter::path_id("teamId")
        .about("The caller's own team; another is 403.")
        .example("default")
}

fn described_filter() -> Vec<Parameter> {
    vec![
        parameter::one_of("status", Status::ALL.map(status_word)).about("Only this state."),
        parameter::id("workflowId")
            .about("Only this workflow.")
            .example("order-pipeline"),
        parameter::id("deviceId").about("Only this device."),
        parameter::execution_type(),
        parameter::label(),
    ]
}

/// The conditions that the lists and the export share.
fn filter(parameters: &Parameters<'_>, created: TimeRange) -> Result<ExecutionFilter, Problem> {
    let words = Status::ALL.map(|status| (status_word(status), status));
    Ok(ExecutionFilter {
        flow_id: parameters.id("workflowId")?,
        device_id: parameters.id("deviceId")?,
        status: parameters.one_of("status", &words)?,
        execution_type: parameters.execution_type()?,
        label: parameters.label()?,
        created,
        ..ExecutionFilter::default()
    })
}

/// Of `POST /api/executions/{id}/cancel`.
pub(super) struct CancelParameters {
    pub(super) execution_id: ExecutionId,
    pub(super) reason: Option<String>,
}

/// The body of a cancel, which may be left out.
#[derive(Default, Deserialize, JsonSchema)]
pub(super) struct CancelBody {
    /// Why, for the audit and for who looks at the run.
    #[schemars(length(min = 1, max = MAX_REASON_LENGTH), regex(pattern = r"\S"))]
    reason: Option<String>,
}

impl CancelParameters {
    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let execution_id = Parameters::of(request).path_id("id")?;
        let CancelBody { reason } = json_body(request)?.unwrap_or_default();
        let is_fitting = |reason: &String| {
            let length = reason.chars().count();
            (1..=MAX_REASON_LENGTH).contains(&length) && !reason.trim().is_empty()
        };
        if !reason.as_ref().is_none_or(is_fitting) {
            let message = format!("It is a text of 1 to {MAX_REASON_LENGTH} characters.");
            return Err(invalid("reason", message));
        }
        Ok(Self {
            execution_id,
            reason,
        })
    }
}
