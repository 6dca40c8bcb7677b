//! The words of the flow-executions API on the way in.

use lambda_http::Request;
use shared::model::{PageSize, Status};
use shared::operations::{ExecutionFilter, Fork};

use crate::parameters::{DetailsParameters, Parameters};
use crate::problem::Problem;

/// The page size where `limit` is absent, as the API's document has it.
const DEFAULT_LIMIT: PageSize = PageSize::of::<50>();

/// Of `GET /flow-executions`.
pub(super) struct ListParameters<'a> {
    pub(super) filter: ExecutionFilter,
    pub(super) limit: PageSize,
    pub(super) next_token: Option<&'a str>,
}

impl<'a> ListParameters<'a> {
    pub(super) fn of(request: &'a Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        // This surface's words for states are the model's own.
        let words = Status::ALL.map(|status| (status.as_str(), status));
        Ok(Self {
            filter: ExecutionFilter {
                flow_id: Some(parameters.required_id("flowDefinitionId")?),
                flow_version: parameters.short_text("flowVersion")?.map(str::to_owned),
                status: parameters.one_of("status", &words)?,
                label: parameters.label()?,
                created: parameters.time_range("startDate", "endDate")?,
                ..ExecutionFilter::default()
            },
            limit: parameters.page_size("limit")?.unwrap_or(DEFAULT_LIMIT),
            next_token: parameters.text("nextToken")?,
        })
    }
}

/// Of `GET /flow-executions/{flowExecutionId}/branch-steps`.
pub(super) struct BranchStepsParameters<'a> {
    pub(super) fork: Fork,
    pub(super) page: DetailsParameters<'a>,
}

impl<'a> BranchStepsParameters<'a> {
    pub(super) fn of(request: &'a Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        let page = DetailsParameters::of(request, "flowExecutionId")?;
        Ok(Self {
            fork: Fork {
                step_instance_id: parameters.required_id("parentStepInstanceId")?,
                start_time: parameters.required_timestamp("parentStepStartTime")?,
            },
            page,
        })
    }
}
