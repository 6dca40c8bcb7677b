//! The parameters of the history API.

use std::sync::LazyLock;

use shared::model::{ExecutionId, FlowId, PageSize, Status, TimeRange, Timestamp};
use shared::operations::{ExecutionFilter, Interval, MAX_PERIODS};

use super::views::status_word;
use crate::parameters::{
    DaysBack, DetailsParameters, Group, Parameter, Parameters, days, details, execution_type,
    filter, flag, group, id, invalid, label, one_of, page_size, path_id, path_id_or, time_range,
    whole_number,
};
use crate::problem::Problem;

/// The default page size of the list, as in the API's document.
const DEFAULT_LIMIT: PageSize = PageSize::constant::<50>();

/// The default page size of the list of a flow.
const DEFAULT_FLOW_LIMIT: PageSize = PageSize::constant::<20>();

/// The number of runs that the step statistics read by default.
const DEFAULT_RUNS: PageSize = PageSize::constant::<200>();

const DAY_MS: i64 = 24 * 3_600 * 1_000;

const HOUR_MS: i64 = 3_600 * 1_000;

/// The parameters of `GET /api/history/executions`.
pub(crate) struct ListParameters {
    pub(super) filter: ExecutionFilter,
    pub(super) limit: PageSize,
    pub(super) offset: u64,
    /// Whether the steps are left out.
    pub(super) lite: bool,
    /// Whether fields that the API's document does not have are returned too.
    pub(super) extended: bool,
}

pub(crate) static LIST: LazyLock<Parameters<ListParameters>> = LazyLock::new(|| {
    group!(ListParameters {
        filter: filter(conditions(), time_range("startDate", "endDate")),
        limit: page_size("limit")
            .default(DEFAULT_LIMIT)
            .about("The number of executions on a page."),
        offset: whole_number("offset").about("The number of executions to skip."),
        lite: flag("lite", false).about("`true` omits the steps, and does not read them."),
        extended: flag("extended", false)
            .about("`true` returns additional fields of each execution."),
    })
});

/// The parameters of `GET /api/history/executions/flows/{flowId}`.
pub(crate) struct FlowListParameters {
    pub(super) flow_id: FlowId,
    pub(super) filter: ExecutionFilter,
    pub(super) limit: PageSize,
}

pub(crate) static FLOW_LIST: LazyLock<Parameters<FlowListParameters>> = LazyLock::new(|| {
    let mut group = Group::default();
    let flow_id = group.add(described_flow(path_id("flowId")));
    let status = group.add(status());
    let label = group.add(label());
    let limit = page_size("limit").default(DEFAULT_FLOW_LIMIT);
    let limit = group.add(limit.about("The largest number of executions to return."));
    group.reads(move |request| {
        let flow_id = flow_id(request)?;
        Ok(FlowListParameters {
            filter: ExecutionFilter {
                flow_id: Some(flow_id.clone()),
                status: status(request)?,
                label: label(request)?,
                ..ExecutionFilter::default()
            },
            flow_id,
            limit: limit(request)?,
        })
    })
});

/// The parameters of `GET /api/history/executions/{executionId}`.
pub(crate) static DETAILS: LazyLock<Parameters<DetailsParameters>> =
    LazyLock::new(|| details("executionId"));

/// The parameters of `DELETE /api/history/executions/{executionId}`.
pub(crate) struct DeleteParameters {
    pub(super) execution_id: ExecutionId,
    /// Whether the runs that it started are deleted too.
    pub(super) cascade: bool,
}

pub(crate) static DELETE: LazyLock<Parameters<DeleteParameters>> = LazyLock::new(|| {
    group!(DeleteParameters {
        execution_id: path_id_or("executionId", missing_execution_id)
            .about("The id of the execution.")
            .example("exec-123"),
        cascade: cascade(),
    })
});

/// The parameters of `DELETE /api/history/executions/flows/{flowId}`.
pub(crate) struct FlowDeleteParameters {
    pub(super) flow_id: FlowId,
    /// Whether the runs that the flow's runs started are deleted too.
    pub(super) cascade: bool,
}

pub(crate) static FLOW_DELETE: LazyLock<Parameters<FlowDeleteParameters>> = LazyLock::new(|| {
    group!(FlowDeleteParameters {
        flow_id: described_flow(path_id_or("flowId", missing_flow_id)),
        cascade: cascade(),
    })
});

/// The parameters of `GET /api/history/execution-stats`.
pub(crate) struct StatisticsParameters {
    pub(super) filter: ExecutionFilter,
    pub(super) interval: Option<Interval>,
    /// The number of days that the statistics look back. `None` with `startDate`.
    pub(super) days: Option<u64>,
    /// The limits of the time range in the request.
    pub(super) named: TimeRange,
}

impl StatisticsParameters {
    fn new(time: DaysBack, interval: Option<Interval>, conditions: ExecutionFilter) -> Self {
        Self {
            filter: ExecutionFilter {
                created: time.created,
                ..conditions
            },
            interval,
            days: time.days,
            named: time.named,
        }
    }
}

pub(crate) static STATISTICS: LazyLock<Parameters<StatisticsParameters>> = LazyLock::new(|| {
    let mut group = Group::default();
    let days = group.add(days("startDate"));
    let named = group.add(time_range("startDate", "endDate"));
    let conditions = group.add(conditions());
    let interval = one_of(
        "interval",
        [("hour", Interval::Hour), ("day", Interval::Day)],
    );
    let interval = group.add(interval.about(format!(
        "Also returns a time series with these periods, at most {MAX_PERIODS}."
    )));
    group.reads(move |request| {
        let time = DaysBack::new(named(request)?, days(request)?);
        let interval = interval(request)?;
        require_few_periods(interval, &time.created)?;
        let conditions = conditions(request)?;
        Ok(StatisticsParameters::new(time, interval, conditions))
    })
});

/// The parameters of `GET /api/history/step-stats`.
pub(crate) struct StepStatisticsParameters {
    /// The largest number of runs to read.
    pub(super) runs: PageSize,
    /// The filters of the runs. They have a flow, and no interval.
    pub(super) shared: StatisticsParameters,
}

pub(crate) static STEP_STATISTICS: LazyLock<Parameters<StepStatisticsParameters>> =
    LazyLock::new(|| {
        let mut group = Group::default();
        let days = group.add(days("startDate"));
        let named = group.add(time_range("startDate", "endDate"));
        let conditions = group.add(conditions());
        let runs = page_size("runs").default(DEFAULT_RUNS);
        let runs = group.add(runs.about("The number of executions to read, newest first."));
        let parameters = group.reads(move |request| {
            let runs = runs(request)?;
            let time = DaysBack::new(named(request)?, days(request)?);
            let shared = StatisticsParameters::new(time, None, conditions(request)?);
            Ok(StepStatisticsParameters { runs, shared })
        });
        parameters.requiring("flowId")
    });

fn require_few_periods(interval: Option<Interval>, created: &TimeRange) -> Result<(), Problem> {
    let length_ms = match interval {
        None => return Ok(()),
        Some(Interval::Hour) => HOUR_MS,
        Some(Interval::Day) => DAY_MS,
    };
    let to = created.to().unwrap_or_else(Timestamp::now).milliseconds();
    let span = to - created.from().map_or(to, Timestamp::milliseconds);
    if span / length_ms >= MAX_PERIODS as i64 {
        let message = format!(
            "The time range has more than {MAX_PERIODS} of these periods. Use a shorter range or a \
             longer interval."
        );
        return Err(invalid("interval", message));
    }
    Ok(())
}

/// The history API's problem of a missing execution id.
pub(super) fn missing_execution_id() -> Problem {
    Problem::MissingId {
        parameter: "executionId",
        error: "executionId is required",
        code: "MISSING_EXECUTION_ID",
        message: "Execution ID is required to delete execution",
    }
}

/// The history API's problem of a missing flow id.
pub(super) fn missing_flow_id() -> Problem {
    Problem::MissingId {
        parameter: "flowId",
        error: "flowId is required",
        code: "MISSING_FLOW_ID",
        message: "Flow ID is required to delete execution history",
    }
}

fn described_flow(id: Parameter<FlowId>) -> Parameter<FlowId> {
    id.about("The id of the flow.").example("flow-456")
}

fn cascade() -> Parameter<bool> {
    flag("cascade", false).about(
        "`true` also deletes the executions that were started by the deleted ones, on all \
         levels. It is not allowed for a token that is limited to flows.",
    )
}

fn status() -> Parameter<Option<Status>> {
    let words = Status::ALL.map(|status| (status_word(status), status));
    one_of("status", words).about("Returns only executions with this status.")
}

/// The conditions that the list and the statistics share, without the time.
fn conditions() -> Parameters<ExecutionFilter> {
    let mut group = Group::default();
    let status = group.add(status());
    let flow_id = id("flowId")
        .about("Returns only executions of this flow.")
        .example("flow-456");
    let flow_id = group.add(flow_id);
    let device_id = group.add(id("deviceId").about("Returns only executions on this device."));
    let execution_type = group.add(execution_type());
    let parent =
        id("parentExecutionId").about("Returns only executions that this execution started.");
    let parent_execution_id = group.add(parent);
    let label = group.add(label());
    group.reads(move |request| {
        Ok(ExecutionFilter {
            flow_id: flow_id(request)?,
            device_id: device_id(request)?,
            status: status(request)?,
            execution_type: execution_type(request)?,
            parent_execution_id: parent_execution_id(request)?,
            label: label(request)?,
            ..ExecutionFilter::default()
        })
    })
}
