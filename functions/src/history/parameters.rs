//! The words of the history API on the way in.

use lambda_http::Request;
use shared::model::{DeviceId, ExecutionId, FlowId, PageSize, Status, TimeRange, Timestamp};
use shared::operations::{ExecutionFilter, Interval, MAX_PERIODS};

use super::views::status_word;
use crate::openapi::parameter::{self, Parameter};
use crate::parameters::{DaysBack, Parameters, invalid};
use crate::problem::Problem;

/// The page size of the list, as the API's document has it.
const DEFAULT_LIMIT: PageSize = PageSize::of::<50>();

/// That of the list of a flow.
const DEFAULT_FLOW_LIMIT: PageSize = PageSize::of::<20>();

/// How many runs the statistics of steps read.
const DEFAULT_RUNS: PageSize = PageSize::of::<200>();

const DAY_MS: i64 = 24 * 3_600 * 1_000;

const HOUR_MS: i64 = 3_600 * 1_000;

/// Of `GET /api/history/executions`.
pub(super) struct ListParameters {
    pub(super) filter: ExecutionFilter,
    pub(super) limit: PageSize,
    pub(super) offset: u64,
    /// Without steps.
    pub(super) lite: bool,
    /// With what the record says beside what the API's document shows.
    pub(super) extended: bool,
}

impl ListParameters {
    pub(super) fn described() -> Vec<Parameter> {
        let mut described = described_filter();
        described.extend(parameter::time_range("startDate", "endDate"));
        described.extend([
            parameter::page_size("limit")
                .default(DEFAULT_LIMIT.get())
                .about("How many runs a page has."),
            parameter::whole_number("offset").about("How many runs to skip."),
            parameter::flag("lite", false).about("`true` leaves the steps out, and reads none."),
            parameter::flag("extended", false).about("`true` tells more of each run."),
        ]);
        described
    }

    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        let created = parameters.time_range("startDate", "endDate")?;
        Ok(Self {
            filter: filter(&parameters, created)?,
            limit: parameters.page_size("limit")?.unwrap_or(DEFAULT_LIMIT),
            offset: parameters.whole_number("offset")?.unwrap_or_default(),
            lite: parameters.flag("lite")?,
            extended: parameters.flag("extended")?,
        })
    }
}

/// Of `GET /api/history/executions/flows/{flowId}`.
pub(super) struct FlowListParameters {
    pub(super) flow_id: FlowId,
    pub(super) filter: ExecutionFilter,
    pub(super) limit: PageSize,
}

impl FlowListParameters {
    pub(super) fn described() -> Vec<Parameter> {
        vec![
            described_flow(),
            described_status(),
            parameter::label(),
            parameter::page_size("limit")
                .default(DEFAULT_FLOW_LIMIT.get())
                .about("How many runs, at most."),
        ]
    }

    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        let flow_id: FlowId = parameters.path_id("flowId")?;
        Ok(Self {
            filter: ExecutionFilter {
                flow_id: Some(flow_id.clone()),
                status: status(&parameters)?,
                label: parameters.label()?,
                ..ExecutionFilter::default()
            },
            flow_id,
            limit: parameters.page_size("limit")?.unwrap_or(DEFAULT_FLOW_LIMIT),
        })
    }
}

/// Of `DELETE /api/history/executions/{executionId}`.
pub(super) struct DeleteParameters {
    pub(super) execution_id: ExecutionId,
    /// Whether the runs that it started go with it.
    pub(super) cascade: bool,
}

impl DeleteParameters {
    pub(super) fn described() -> Vec<Parameter> {
        let id = parameter::path_id("executionId");
        vec![
            id.about("The execution.").example("exec-123"),
            described_cascade(),
        ]
    }

    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        Ok(Self {
            execution_id: parameters
                .path_id_if_any("executionId")?
                .ok_or_else(missing_execution_id)?,
            cascade: parameters.flag("cascade")?,
        })
    }
}

/// Of `DELETE /api/history/executions/flows/{flowId}`.
pub(super) struct FlowDeleteParameters {
    pub(super) flow_id: FlowId,
    /// Whether the runs that the flow's runs started go with them.
    pub(super) cascade: bool,
}

impl FlowDeleteParameters {
    pub(super) fn described() -> Vec<Parameter> {
        vec![described_flow(), described_cascade()]
    }

    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        Ok(Self {
            flow_id: parameters
                .path_id_if_any("flowId")?
                .ok_or_else(missing_flow_id)?,
            cascade: parameters.flag("cascade")?,
        })
    }
}

/// Of `GET /api/history/execution-stats`.
pub(super) struct StatisticsParameters {
    pub(super) filter: ExecutionFilter,
    pub(super) interval: Option<Interval>,
    /// How many days back it looks; `None` where `startDate` says from when.
    pub(super) days: Option<u64>,
    /// The bounds that the caller named.
    pub(super) named: TimeRange,
}

impl StatisticsParameters {
    pub(super) fn described() -> Vec<Parameter> {
        let interval = parameter::one_of("interval", ["hour", "day"]).about(format!(
            "Tells a time series as well, of at most {MAX_PERIODS} periods."
        ));
        let mut described = Self::described_time();
        described.extend(described_filter());
        described.push(interval);
        described
    }

    fn described_time() -> Vec<Parameter> {
        let mut described = vec![parameter::days("startDate")];
        described.extend(parameter::time_range("startDate", "endDate"));
        described
    }

    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        let DaysBack {
            created,
            days,
            named,
        } = parameters.days_back("startDate", "endDate")?;
        let words = [("hour", Interval::Hour), ("day", Interval::Day)];
        let interval = parameters.one_of("interval", &words)?;
        require_few_periods(interval, &created)?;
        Ok(Self {
            filter: filter(&parameters, created)?,
            interval,
            days,
            named,
        })
    }
}

/// Of `GET /api/history/step-stats`.
pub(super) struct StepStatisticsParameters {
    /// How many runs are read, at most.
    pub(super) runs: PageSize,
    /// Which, with a flow.
    pub(super) shared: StatisticsParameters,
}

impl StepStatisticsParameters {
    pub(super) fn described() -> Vec<Parameter> {
        let mut described = StatisticsParameters::described_time();
        described.extend(
            described_filter()
                .into_iter()
                .map(|filter| filter.required_if("flowId")),
        );
        described.push(
            parameter::page_size("runs")
                .default(DEFAULT_RUNS.get())
                .about("How many runs are read, the newest."),
        );
        described
    }

    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        parameters.required("flowId")?;
        Ok(Self {
            runs: parameters.page_size("runs")?.unwrap_or(DEFAULT_RUNS),
            shared: StatisticsParameters::of(request)?,
        })
    }
}

fn require_few_periods(interval: Option<Interval>, created: &TimeRange) -> Result<(), Problem> {
    let length_ms = match interval {
        None => return Ok(()),
        Some(Interval::Hour) => HOUR_MS,
        Some(Interval::Day) => DAY_MS,
    };
    let to = created.to().unwrap_or_else(Timestamp::now).milliseconds();
    let span = to - created.from().map_or(to, Timestamp::milliseconds);
    if span / length_ms >= MAX_PERIODS as i64 {
        let message = format!("The time is too long: it has more than {MAX_PERIODS} of them.");
        return Err(invalid("interval", message));
    }
    Ok(())
}

/// The history API's own words for an execution that is not named.
pub(super) fn missing_execution_id() -> Problem {
    Problem::MissingId {
        parameter: "executionId",
        error: "executionId is required",
        code: "MISSING_EXECUTION_ID",
        message: "Execution ID is required to delete execution",
    }
}

/// The history API's own words for a flow that is not named.
pub(super) fn missing_flow_id() -> Problem {
    Problem::MissingId {
        parameter: "flowId",
        error: "flowId is required",
        code: "MISSING_FLOW_ID",
        message: "Flow ID is required to delete execution history",
    }
}

fn described_flow() -> Parameter {
    parameter::path_id("flowId")
        .about("The flow.")
        .example("flow-456")
}

fn described_cascade() -> Parameter {
    parameter::flag("cascade", false).about(
        "`true` deletes the runs that it started as well, on all levels. A token that is \
         limited to flows cannot.",
    )
}

fn described_status() -> Parameter {
    parameter::one_of("status", Status::ALL.map(status_word)).about("Only this state.")
}

fn described_filter() -> Vec<Parameter> {
    vec![
        described_status(),
        parameter::id("flowId")
            .about("Only this flow.")
            .example("flow-456"),
        parameter::id("deviceId").about("Only this device."),
        parameter::execution_type(),
        parameter::id("parentExecutionId").about("Only what this run has started."),
        parameter::label(),
    ]
}

/// The conditions that the list and the statistics share.
fn filter(parameters: &Parameters<'_>, created: TimeRange) -> Result<ExecutionFilter, Problem> {
    Ok(ExecutionFilter {
        flow_id: parameters.id::<FlowId>("flowId")?,
        flow_version: None,
        device_id: parameters.id::<DeviceId>("deviceId")?,
        status: status(parameters)?,
        execution_type: parameters.execution_type()?,
        parent_execution_id: parameters.id("parentExecutionId")?,
        label: parameters.label()?,
        created,
    })
}

fn status(parameters: &Parameters<'_>) -> Result<Option<Status>, Problem> {
    let words = Status::ALL.map(|status| (status_word(status), status));
    parameters.one_of("status", &words)
}
