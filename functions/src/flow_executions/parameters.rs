//! The words of the flow-executions API on the way in.

use lambda_http::Request;
use shared::model::{ExecutionId, PageSize, Status};
use shared::operations::{BranchPlace, ExecutionFilter, Fork, StepPlace};
use shared::payload::MAX_DECODED_BYTES;

use crate::openapi::parameter::{self, Parameter};
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
    pub(super) fn described() -> Vec<Parameter> {
        let [from, to] = parameter::time_range("startDate", "endDate");
        vec![
            parameter::id("flowDefinitionId")
                .required()
                .about("The flow.")
                .example("order-pipeline"),
            parameter::short_text("flowVersion")
                .about("Only this version, whether the engine wrote it as text or as a number."),
            parameter::one_of("status", Status::ALL.map(Status::as_str)).about("Only this state."),
            from,
            to,
            parameter::label(),
            parameter::page_size("limit")
                .default(DEFAULT_LIMIT.get())
                .about("How many runs a page has."),
            parameter::next_token(),
        ]
    }

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

/// Of `GET /flow-executions/{flowExecutionId}`.
pub(super) struct FlowDetailsParameters<'a> {
    pub(super) page: DetailsParameters<'a>,
    /// Up to how many bytes a payload is shown; all of it where it is absent.
    pub(super) most_bytes: Option<usize>,
}

impl<'a> FlowDetailsParameters<'a> {
    pub(super) fn described() -> Vec<Parameter> {
        let mut described = parameter::details("flowExecutionId");
        described.push(described_most_bytes());
        described
    }

    pub(super) fn of(request: &'a Request) -> Result<Self, Problem> {
        Ok(Self {
            page: DetailsParameters::of(request, "flowExecutionId")?,
            most_bytes: most_bytes(&Parameters::of(request))?,
        })
    }
}

/// Of `GET /flow-executions/{flowExecutionId}/branch-steps`.
pub(super) struct BranchStepsParameters<'a> {
    pub(super) fork: Fork,
    pub(super) page: FlowDetailsParameters<'a>,
}

impl<'a> BranchStepsParameters<'a> {
    pub(super) fn described() -> Vec<Parameter> {
        let fork = described_fork().map(Parameter::required);
        FlowDetailsParameters::described()
            .into_iter()
            .chain(fork)
            .collect()
    }

    pub(super) fn of(request: &'a Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        let page = FlowDetailsParameters::of(request)?;
        Ok(Self {
            fork: fork(&parameters)?,
            page,
        })
    }
}

/// Of `GET /flow-executions/{flowExecutionId}/step`.
pub(super) struct StepParameters {
    pub(super) execution_id: ExecutionId,
    pub(super) place: StepPlace,
    /// Up to how many bytes a payload is shown; all of it where it is absent.
    pub(super) most_bytes: Option<usize>,
}

impl StepParameters {
    pub(super) fn described() -> Vec<Parameter> {
        let mut described = vec![
            parameter::path_id("flowExecutionId")
                .about("The execution.")
                .example("exec-123"),
            parameter::id("stepInstanceId")
                .required()
                .about("The step's own.")
                .example("e84b93cf-9b3a-4621-bf35-b5d54c0eb017"),
            parameter::timestamp("startTime")
                .required()
                .about("The step's own."),
            parameter::id("branchExecutionId").about(
                "Of a step inside a branch: the branch. It, `parentStepInstanceId` and \
                 `parentStepStartTime` come together.",
            ),
            described_most_bytes(),
            parameter::reveal(),
        ];
        described.extend(described_fork());
        described
    }

    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let parameters = Parameters::of(request);
        Ok(Self {
            execution_id: parameters.path_id("flowExecutionId")?,
            place: StepPlace {
                step_instance_id: parameters.required_id("stepInstanceId")?,
                start_time: parameters.required_timestamp("startTime")?,
                branch: branch(&parameters)?,
            },
            most_bytes: most_bytes(&parameters)?,
        })
    }
}

/// The branch of a step: all three parameters that name it, or none.
fn branch(parameters: &Parameters<'_>) -> Result<Option<BranchPlace>, Problem> {
    const NAMES: [&str; 3] = [
        "branchExecutionId",
        "parentStepInstanceId",
        "parentStepStartTime",
    ];
    for name in NAMES {
        if parameters.text(name)?.is_some() {
            return Ok(Some(BranchPlace {
                branch_execution_id: parameters.required_id(NAMES[0])?,
                fork: fork(parameters)?,
            }));
        }
    }
    Ok(None)
}

fn described_fork() -> [Parameter; 2] {
    [
        parameter::id("parentStepInstanceId").about("The `stepInstanceId` of the fork."),
        parameter::timestamp("parentStepStartTime").about("The `startTime` of the fork."),
    ]
}

fn fork(parameters: &Parameters<'_>) -> Result<Fork, Problem> {
    Ok(Fork {
        step_instance_id: parameters.required_id("parentStepInstanceId")?,
        start_time: parameters.required_timestamp("parentStepStartTime")?,
    })
}

fn described_most_bytes() -> Parameter {
    parameter::number("maxPayloadBytes", 0, MAX_DECODED_BYTES).about(
        "The longest payload that is shown; longer ones are `null`, and `omittedPayloads` tells \
         of them. All of each where it is absent.",
    )
}

fn most_bytes(parameters: &Parameters<'_>) -> Result<Option<usize>, Problem> {
    let bytes = parameters.number("maxPayloadBytes", 0, MAX_DECODED_BYTES as u64)?;
    Ok(bytes.map(|bytes| bytes as usize))
}
