//! The parameters of the flow-executions API.

use std::sync::LazyLock;

use shared::model::{
    BranchExecutionId, ExecutionId, PageSize, Status, StepInstanceId, StepStatus, Timestamp,
};
use shared::operations::{BranchAddress, ExecutionFilter, Fork, StepAddress, StepQuery};
use shared::payload::{MAX_DECODED_BYTES, RunPayload};

use crate::parameters::{
    Group, Parameter, Parameters, Reader, execution_id, id, label, next_token, number, one_of,
    page_size, reveal, short_text, some_of, steps_limit, time_range, timestamp,
};

/// The default page size of the list, as in the API's document.
const DEFAULT_LIMIT: PageSize = PageSize::constant::<50>();

/// The parameters of `GET /flow-executions`.
pub(crate) struct ListParameters {
    pub(super) filter: ExecutionFilter,
    pub(super) limit: PageSize,
    pub(super) next_token: Option<String>,
}

pub(crate) static LIST: LazyLock<Parameters<ListParameters>> = LazyLock::new(|| {
    let mut group = Group::default();
    let flow_id = id("flowDefinitionId")
        .required()
        .about("The id of the flow.");
    let flow_id = group.add(flow_id.example("order-pipeline"));
    let flow_version = group.add(short_text("flowVersion").about(
        "Returns only executions of this version, whether the engine wrote it as text or as a \
             number.",
    ));
    let words = Status::ALL.map(|status| (status.as_str(), status));
    let status =
        group.add(one_of("status", words).about("Returns only executions with this status."));
    let created = group.add(time_range("startDate", "endDate"));
    let label = group.add(label());
    let limit = page_size("limit").default(DEFAULT_LIMIT);
    let limit = group.add(limit.about("The number of executions on a page."));
    let next_token = group.add(next_token());
    group.reads(move |request| {
        Ok(ListParameters {
            filter: ExecutionFilter {
                flow_id: Some(flow_id(request)?),
                flow_version: flow_version(request)?,
                status: status(request)?,
                label: label(request)?,
                created: created(request)?,
                ..ExecutionFilter::default()
            },
            limit: limit(request)?,
            next_token: next_token(request)?,
        })
    })
});

/// The parameters of a page of a run's steps, at the top level or in branches.
pub(crate) struct StepsParameters {
    pub(super) execution_id: ExecutionId,
    limit: Option<PageSize>,
    next_token: Option<String>,
    status: Option<StepStatus>,
    /// The size of the largest payload that is returned, in bytes. `None` for no limit.
    pub(super) most_bytes: Option<usize>,
}

impl StepsParameters {
    pub(super) fn query(&self) -> StepQuery<'_> {
        StepQuery {
            status: self.status,
            limit: self.limit,
            next_token: self.next_token.as_deref(),
        }
    }
}

/// Adds the parameters of a page of steps to a group, with `reveal`, which is read separately.
fn add_steps(group: &mut Group) -> (Reader<StepsParameters>, Reader<bool>) {
    let execution_id = group.add(execution_id("flowExecutionId"));
    let limit = group.add(steps_limit());
    let next_token = group.add(next_token());
    let reveal = group.add(reveal());
    let words = StepStatus::ALL.map(|status| (status.as_str(), status));
    let status = group.add(one_of("stepStatus", words).about(
        "Returns only steps with this status. A page reads at most about 16 MB of steps, so it \
         can be partly filled or empty and still have a `nextToken`.",
    ));
    let most_bytes = group.add(most_bytes());
    let steps: Reader<StepsParameters> = Box::new(move |request| {
        Ok(StepsParameters {
            execution_id: execution_id(request)?,
            limit: limit(request)?,
            next_token: next_token(request)?,
            status: status(request)?,
            most_bytes: most_bytes(request)?,
        })
    });
    (steps, reveal)
}

/// The parameters of `GET /flow-executions/{flowExecutionId}`.
pub(crate) struct DetailsParameters {
    /// The run's own payloads that are returned.
    pub(super) run_payloads: Vec<RunPayload>,
    pub(super) steps: StepsParameters,
    pub(super) reveal: bool,
}

/// The run's own payloads that are returned without `runPayloads`.
const DEFAULT_RUN_PAYLOADS: [RunPayload; 2] = [RunPayload::Context, RunPayload::Data];

/// The run's own payloads, by the names of their fields.
const RUN_PAYLOADS: [(&str, RunPayload); 4] = [
    ("input", RunPayload::Input),
    ("output", RunPayload::Output),
    ("executionData", RunPayload::Data),
    ("resolvedFinalContextData", RunPayload::Context),
];

pub(crate) static DETAILS: LazyLock<Parameters<DetailsParameters>> = LazyLock::new(|| {
    let mut group = Group::default();
    let (steps, reveal) = add_steps(&mut group);
    let run_payloads = group.add(some_of("runPayloads", RUN_PAYLOADS).about(
        "The execution's own payloads to return, separated by commas. Without the parameter, \
         `resolvedFinalContextData` and `executionData` are returned.",
    ));
    group.reads(move |request| {
        let run_payloads = run_payloads(request)?;
        Ok(DetailsParameters {
            run_payloads: run_payloads.unwrap_or_else(|| DEFAULT_RUN_PAYLOADS.to_vec()),
            steps: steps(request)?,
            reveal: reveal(request)?,
        })
    })
});

/// The parameters of `GET /flow-executions/{flowExecutionId}/branch-steps`.
pub(crate) struct BranchStepsParameters {
    pub(super) steps: StepsParameters,
    pub(super) fork: Fork,
    pub(super) reveal: bool,
}

pub(crate) static BRANCH_STEPS: LazyLock<Parameters<BranchStepsParameters>> = LazyLock::new(|| {
    let mut group = Group::default();
    let (steps, reveal) = add_steps(&mut group);
    let fork_id = group.add(fork_id().required());
    let fork_time = group.add(fork_time().required());
    group.reads(move |request| {
        Ok(BranchStepsParameters {
            steps: steps(request)?,
            fork: Fork {
                step_instance_id: fork_id(request)?,
                start_time: fork_time(request)?,
            },
            reveal: reveal(request)?,
        })
    })
});

/// The parameters of `GET /flow-executions/{flowExecutionId}/step`.
pub(crate) struct StepParameters {
    pub(super) execution_id: ExecutionId,
    pub(super) address: StepAddress,
    /// The size of the largest payload that is returned, in bytes. `None` for no limit.
    pub(super) most_bytes: Option<usize>,
    pub(super) reveal: bool,
}

/// The parameters of the branch of a step, which are sent together or not at all.
const BRANCH: [&str; 3] = [
    "branchExecutionId",
    "parentStepInstanceId",
    "parentStepStartTime",
];

pub(crate) static STEP: LazyLock<Parameters<StepParameters>> = LazyLock::new(|| {
    let mut group = Group::default();
    let execution_id = group.add(execution_id("flowExecutionId"));
    let step_id = id("stepInstanceId")
        .required()
        .about("The `stepInstanceId` of the step.");
    let step_id = group.add(step_id.example("e84b93cf-9b3a-4621-bf35-b5d54c0eb017"));
    let start_time = group.add(
        timestamp("startTime")
            .required()
            .about("The `startTime` of the step."),
    );
    let branch_id = group.add(id("branchExecutionId").required_with(&BRANCH).about(
        "The branch of the step, or its lane. Send it together with \
         `parentStepInstanceId` and `parentStepStartTime`.",
    ));
    let most_bytes = group.add(most_bytes());
    let reveal = group.add(reveal());
    let fork_id = group.add(fork_id().required_with(&BRANCH));
    let fork_time = group.add(fork_time().required_with(&BRANCH));
    group.reads(move |request| {
        Ok(StepParameters {
            execution_id: execution_id(request)?,
            address: StepAddress {
                step_instance_id: step_id(request)?,
                start_time: start_time(request)?,
                branch: branch(branch_id(request)?, fork_id(request)?, fork_time(request)?),
            },
            most_bytes: most_bytes(request)?,
            reveal: reveal(request)?,
        })
    })
});

/// The branch of a step. A request has all three values or none.
fn branch(
    id: Option<BranchExecutionId>,
    fork_id: Option<StepInstanceId>,
    fork_time: Option<Timestamp>,
) -> Option<BranchAddress> {
    Some(BranchAddress {
        branch_execution_id: id?,
        fork: Fork {
            step_instance_id: fork_id?,
            start_time: fork_time?,
        },
    })
}

fn fork_id() -> Parameter<Option<StepInstanceId>> {
    id("parentStepInstanceId")
        .about("The `stepInstanceId` of the fork, or of the parent of nested steps.")
}

fn fork_time() -> Parameter<Option<Timestamp>> {
    timestamp("parentStepStartTime")
        .about("The `startTime` of the fork, or of the parent of nested steps.")
}

fn most_bytes() -> Parameter<Option<usize>> {
    number("maxPayloadBytes", 0, MAX_DECODED_BYTES).about(
        "The size of the largest payload that is returned, in bytes. A larger payload is `null`, \
         and `omittedPayloads` lists it. Without the parameter, every payload is returned.",
    )
}
