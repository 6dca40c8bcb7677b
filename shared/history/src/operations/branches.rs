//! The steps of the parallel branches below one fork.

use format::model::{ExecutionId, Step, StepInstanceId, Timestamp};
use format::payload::UnreadablePayload;
use format::{Result, keys};
use store::cursor::StartKey;
use store::{MAX_ITEMS_A_QUERY, Page, Range, Rest, Store, cursor};
use team::auth::Caller;
use team::masking::reveal;

use super::run_reader::RunHead;
use super::steps::{PAYLOAD_FIELDS, StepLimits, StepQuery, StepReader};

/// The `PARALLEL_FORK_MANAGER` step that owns the branches. It is a step of the run or, for
/// a nested fork, of a branch; id and start time identify it in both cases.
#[derive(Debug, Clone, PartialEq)]
pub struct Fork {
    /// The fork step's id.
    pub step_instance_id: StepInstanceId,
    /// When the fork step started.
    pub start_time: Timestamp,
}

/// One branch, with its steps on this page.
#[derive(Debug)]
pub struct BranchListing {
    /// The id of this run of the branch.
    pub branch_execution_id: String,
    /// The branch's name in the flow's definition.
    pub branch_id: Option<String>,
    /// Its steps, in order of time.
    pub steps: Vec<Step>,
}

/// A page of the steps below a fork.
#[derive(Debug)]
pub struct BranchSteps {
    /// The branches, in the order of their ids. The last branch of a page may continue as
    /// the first branch of the next page.
    pub branches: Vec<BranchListing>,
    /// The token of the next page; `None` when these were the last.
    pub next_token: Option<String>,
    /// Payloads that exist but cannot be shown.
    pub unreadable: Vec<UnreadablePayload>,
}

/// Reads the steps of all branches of one fork: one Query for each MB of steps, and in
/// parallel one Query for the run and its payloads.
///
/// Without a limit, the page ends at about [`STEP_BYTES_A_PAGE`](super::STEP_BYTES_A_PAGE).
/// A fork that has no steps yet, or does not exist, has no branches. Payloads of more than
/// `most_payload_bytes` are left out.
///
/// # Errors
/// - [`format::Error::ExecutionNotFound`]: the run does not exist for this caller.
/// - [`format::Error::InvalidNextToken`]: the token does not belong to this list.
pub async fn list_branch_steps(
    store: &Store,
    caller: &Caller,
    execution_id: &ExecutionId,
    fork: &Fork,
    most_payload_bytes: Option<usize>,
    query: StepQuery<'_>,
) -> Result<BranchSteps> {
    let prefix = keys::branches_of_fork(fork.start_time, fork.step_instance_id.as_str());
    let range = query.range(Range::with_prefix(execution_id, &prefix));
    let limits = query.limits(most_payload_bytes);
    let start = query
        .next_token
        .map(|token| cursor::read(&range, token))
        .transpose()?;
    let (mut head, first) =
        read_run_and_branches(store, execution_id, &range, start, limits).await?;
    let execution = head.execution(store, caller, execution_id).await?;
    let mut payloads = head.payload_reader(store, execution_id);
    let rest = Rest::after(first.last_key);
    let reader = StepReader::new(store, &range, first.items.into(), rest);
    let page = reader.page(&execution, execution_id, &mut payloads, limits);
    let mut page = page.await?;
    reveal(store, caller, execution_id, async |disclosure| {
        page.show_in(&execution, &PAYLOAD_FIELDS, most_payload_bytes, disclosure)
            .await?;
        Ok(BranchSteps {
            branches: by_branch(page.steps),
            next_token: page.next_token,
            unreadable: page.unreadable,
        })
    })
    .await
}

/// Reads the run with its payloads, and the first branch steps of the page, in parallel.
///
/// The run, which decides whether the caller may see it, and its payloads are one range. The
/// branches are another range, before it.
async fn read_run_and_branches(
    store: &Store,
    execution_id: &ExecutionId,
    branches: &Range,
    start: Option<StartKey>,
    limits: StepLimits,
) -> Result<(RunHead, Page)> {
    let run_and_payloads = Range::of_execution(execution_id, keys::EXECUTION, Some(keys::STEPS));
    tokio::try_join!(
        RunHead::read(store, &run_and_payloads, MAX_ITEMS_A_QUERY),
        store.query(branches, start, limits.items_to_read(0)),
    )
}

/// The branch id that is shown for a step whose record names no branch.
const UNKNOWN_BRANCH: &str = "unknown";

/// Groups steps by branch. Steps in the order of their keys are already in the order of
/// their branches.
fn by_branch(steps: Vec<Step>) -> Vec<BranchListing> {
    let mut branches: Vec<BranchListing> = Vec::new();
    for step in steps {
        let id = step
            .branch_execution_id()
            .unwrap_or(UNKNOWN_BRANCH)
            .to_owned();
        match branches.last_mut() {
            Some(branch) if branch.branch_execution_id == id => {
                branch.branch_id = branch.branch_id.take().or_else(|| step.branch_id.clone());
                branch.steps.push(step);
            }
            _ => branches.push(BranchListing {
                branch_execution_id: id,
                branch_id: step.branch_id.clone(),
                steps: vec![step],
            }),
        }
    }
    branches
}
