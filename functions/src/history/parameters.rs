//! The words of the history API on the way in.

use lambda_http::Request;
use shared::model::{DeviceId, ExecutionId, FlowId, PageSize, Status, TimeRange, Timestamp};
use shared::operations::{ExecutionFilter, Interval, MAX_PERIODS};

use super::views::status_word;
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
    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        let missing = Problem::MissingId {
            parameter: "executionId",
            error: "executionId is required",
            code: "MISSING_EXECUTION_ID",
            message: "Execution ID is required to delete execution",
        };
        Ok(Self {
            execution_id: parameters.path_id_if_any("executionId")?.ok_or(missing)?,
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
    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        let missing = Problem::MissingId {
            parameter: "flowId",
            error: "flowId is required",
            code: "MISSING_FLOW_ID",
            message: "Flow ID is required to delete execution history",
        };
        Ok(Self {
            flow_id: parameters.path_id_if_any("flowId")?.ok_or(missing)?,
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
